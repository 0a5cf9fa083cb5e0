package dir

import (
	"io"
	"os"
)

// layer is the part of the file system that the store uses; tests put faults between.
type layer interface {
	CreateTemp(dir string) (file, error)
	ReadFile(path string) ([]byte, error)
	ReadDir(path string) ([]os.DirEntry, error) // sorted by name
	Stat(path string) (os.FileInfo, error)
	Mkdir(path string) error
	Link(from, to string) error
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
}

type file interface {
	io.WriteCloser
	Name() string
	Sync() error
}

type system struct{}

func (system) CreateTemp(dir string) (file, error)        { return os.CreateTemp(dir, "new-") }
func (system) ReadFile(path string) ([]byte, error)       { return os.ReadFile(path) }
func (system) ReadDir(path string) ([]os.DirEntry, error) { return os.ReadDir(path) }
func (system) Stat(path string) (os.FileInfo, error)      { return os.Stat(path) }
func (system) Mkdir(path string) error                    { return os.Mkdir(path, 0o700) }
func (system) Link(from, to string) error                 { return os.Link(from, to) }
func (system) Rename(from, to string) error               { return os.Rename(from, to) }
func (system) Remove(path string) error                   { return os.Remove(path) }
func (system) SyncDir(path string) error                  { return syncDir(path) }
