package dir

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// ensureDir makes a directory under the root, and those on the way, and makes their names durable. It does so once in
// the life of the store, also for one that is there: the process that made it may not have synced it yet.
func (s *Store) ensureDir(dir string) error {
	s.mu.Lock()
	known := s.durable[dir]
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.makeDir(dir); err != nil {
		return err
	}
	s.mu.Lock()
	s.durable[dir] = true
	s.mu.Unlock()
	return nil
}

func (s *Store) makeDir(dir string) error {
	if dir == s.root {
		return s.makeRoot(dir)
	}
	parent := filepath.Dir(dir)
	if err := s.ensureDir(parent); err != nil {
		return err
	}
	if err := s.files.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.sync(parent)
}

// makeRoot makes the root and what is missing above it; what is there above it is not ours to sync.
func (s *Store) makeRoot(dir string) error {
	_, err := s.files.Stat(dir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err // a file in its place shows when the first directory is made in it
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return err
	}
	if err := s.makeRoot(parent); err != nil {
		return err
	}
	if err := s.files.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.files.SyncDir(parent)
}

// forget drops what is known of a directory and of those above it.
func (s *Store) forget(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; len(dir) > len(s.root); dir = filepath.Dir(dir) {
		delete(s.durable, dir)
	}
}

// sync makes the names in a directory durable, and remembers when it could not.
func (s *Store) sync(dir string) error {
	err := s.files.SyncDir(dir)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.unsure[dir] = true
		return err
	}
	delete(s.unsure, dir)
	return nil
}

// settle syncs a directory again whose last sync went wrong, so that nobody acts on a name that may not be durable.
func (s *Store) settle(dir string) error {
	s.mu.Lock()
	unsure := s.unsure[dir]
	s.mu.Unlock()
	if !unsure {
		return nil
	}
	return s.sync(dir)
}
