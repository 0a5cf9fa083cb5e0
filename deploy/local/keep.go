package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// keeper keeps the sandbox's state in files, so that runs at the services outlive this process as they do in a cloud.
type keeper struct {
	files *dir.Store
	path  string
	log   *slog.Logger
	lock  *os.File // held as long as the process lives: two sandboxes would overwrite each other's state
}

var _ sandbox.Keep = (*keeper)(nil)

func openKeeper(data string, log *slog.Logger) (*keeper, error) {
	path := filepath.Join(data, "sandbox")
	files, err := dir.Open(path)
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := lockFile(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("another firedrill runs on %s (%w): end it, or choose another directory with --data", data, err), lock.Close())
	}
	return &keeper{files: files, path: path, log: log, lock: lock}, nil
}

// Save replaces the file of the name.
func (k *keeper) Save(name string, data []byte) error {
	err := k.files.Put(context.Background(), name+".json", data)
	if err != nil {
		k.log.Error("the sandbox's state was not kept", "service", name, "error", err)
	}
	return err
}

// Load reads the file of the name.
func (k *keeper) Load(name string) ([]byte, error) {
	data, err := k.files.Get(context.Background(), name+".json")
	if errors.Is(err, journal.ErrNotFound) {
		return nil, fs.ErrNotExist
	}
	return data, err
}

func (k *keeper) close() {
	_ = k.lock.Close() // the lock goes with it
}
