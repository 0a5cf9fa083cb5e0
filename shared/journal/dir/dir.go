package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

const (
	tempDir  = ".tmp"
	leftover = time.Hour // a temporary file this old belongs to no living process
)

var _ journal.Store = (*Store)(nil)

// Store keeps keys as files under a root directory. It needs no closing.
type Store struct {
	root  string
	files layer

	mu      sync.Mutex
	durable map[string]bool // directories whose own names are known to be durable
	unsure  map[string]bool // directories whose last sync went wrong
}

// Open returns the store in a directory, which it makes if need be. It proves that the directory takes files and hard
// links, and removes what killed processes left behind more than an hour ago.
func Open(path string) (*Store, error) { return open(path, system{}) }

// OpenReadOnly returns the store in a directory that is there, and neither writes to it nor needs to be able to.
func OpenReadOnly(path string) (*Store, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read journal directory %s: %w", path, err)
	}
	files := system{}
	if info, err := files.Stat(root); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no journal directory: %w", path, err)
	}
	return &Store{root: root, files: files, durable: map[string]bool{}, unsure: map[string]bool{}}, nil
}

func open(path string, files layer) (*Store, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open journal directory %s: %w", path, err)
	}
	s := &Store{root: root, files: files, durable: map[string]bool{}, unsure: map[string]bool{}}
	if err := s.ensureDir(filepath.Join(root, tempDir)); err != nil {
		return nil, fmt.Errorf("open journal directory %s: cannot make it: %w", path, err)
	}
	now, err := s.probe()
	if err != nil {
		return nil, fmt.Errorf("open journal directory %s: %w", path, err)
	}
	s.sweep(now)
	return s, nil
}

// probe tries what Create will do, and returns the time by the file system's clock.
func (s *Store) probe() (time.Time, error) {
	temp, err := s.write([]byte("probe\n"))
	if err != nil {
		return time.Time{}, fmt.Errorf("it is not writable: %w", err)
	}
	defer func() { _ = s.files.Remove(temp) }()
	linked := temp + ".link"
	if err := s.files.Link(temp, linked); err != nil {
		return time.Time{}, fmt.Errorf("its file system has no hard links, which the journal needs for create-if-absent: %w", err)
	}
	defer func() { _ = s.files.Remove(linked) }()
	if err := s.files.Link(temp, linked); !errors.Is(err, fs.ErrExist) {
		return time.Time{}, fmt.Errorf("its file system linked a file over an existing one, so create-if-absent does not hold: %v", err)
	}
	info, err := s.files.Stat(temp)
	if err != nil {
		return time.Time{}, fmt.Errorf("it is not readable: %w", err)
	}
	return info.ModTime(), nil
}

// sweep removes old temporary files. They are never part of a key, so what cannot be removed stays without harm.
func (s *Store) sweep(now time.Time) {
	dir := filepath.Join(s.root, tempDir)
	entries, err := s.files.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && !e.IsDir() && now.Sub(info.ModTime()) > leftover {
			_ = s.files.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Create implements journal.Store.
func (s *Store) Create(ctx context.Context, key string, data []byte) error {
	return s.place(ctx, "create", key, data, s.files.Link)
}

// Put implements journal.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.place(ctx, "put", key, data, s.files.Rename)
}

// place writes a temporary file and gives it its name by link or rename.
func (s *Store) place(ctx context.Context, op, key string, data []byte, name func(from, to string) error) error {
	path, err := s.path(ctx, key)
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	temp, err := s.write(data)
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	defer func() { _ = s.files.Remove(temp) }() // a rename has removed it; a second name of the file is only litter
	dir := filepath.Dir(path)
	if err = s.ensureDir(dir); err == nil {
		err = name(temp, path)
	}
	if errors.Is(err, fs.ErrNotExist) { // somebody removed the directory since we saw it
		s.forget(dir)
		if err = s.ensureDir(dir); err == nil {
			err = name(temp, path)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = journal.ErrExists
	}
	if err == nil || errors.Is(err, journal.ErrExists) { // the other's name must be durable too, before we act on it
		err = errors.Join(err, s.sync(dir))
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	return nil
}

// Get implements journal.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	path, err := s.path(ctx, key)
	if err == nil {
		err = s.settle(filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	data, err := s.files.ReadFile(path)
	if absent(err) || errors.Is(err, syscall.EISDIR) {
		err = journal.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key, err)
	}
	return data, nil
}

// Delete implements journal.Store. It leaves empty directories.
func (s *Store) Delete(ctx context.Context, key string) error {
	path, err := s.path(ctx, key)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	err = s.files.Remove(path)
	if absent(err) {
		return nil
	}
	if err == nil {
		err = s.sync(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// absent reports whether a file, or a directory on the way to it, is not there.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// write makes a temporary file that holds data, durably, and returns its path.
func (s *Store) write(data []byte) (string, error) {
	f, err := s.files.CreateTemp(filepath.Join(s.root, tempDir))
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, s.files.Remove(f.Name()))
	}
	return f.Name(), nil
}
