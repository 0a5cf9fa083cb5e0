// Package memory is a journal store in a map, for tests and the simulator. It forgets everything with the process.
package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/journal"
)

var _ journal.Store = (*Store)(nil)

// Store keeps keys in a map. Its hooks let a simulator fail a call before it has an effect, or lose the reply after.
// Set the hooks before the first call. Op is "create", "put", "get", "list" or "delete"; key is a list's prefix.
type Store struct {
	Before func(op, key string) error // an error is returned and nothing happens
	After  func(op, key string) error // an error is returned though the call has had its effect

	mu     sync.Mutex
	values map[string][]byte
	keys   []string // sorted
}

// New returns an empty store.
func New() *Store { return &Store{values: map[string][]byte{}} }

// Create implements journal.Store.
func (s *Store) Create(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, "create", key, func() error {
		if _, ok := s.values[key]; ok {
			return journal.ErrExists
		}
		s.set(key, data)
		return nil
	})
}

// Put implements journal.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, "put", key, func() error {
		s.set(key, data)
		return nil
	})
}

// Get implements journal.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	var out []byte
	err := s.do(ctx, "get", key, func() error {
		data, ok := s.values[key]
		if !ok {
			return journal.ErrNotFound
		}
		out = slices.Clone(data)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// List implements journal.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	var out []string
	err := s.do(ctx, "list", prefix, func() error {
		i, found := slices.BinarySearch(s.keys, max(prefix, after))
		if found && s.keys[i] == after {
			i++
		}
		for ; i < len(s.keys) && strings.HasPrefix(s.keys[i], prefix) && (limit <= 0 || len(out) < limit); i++ {
			out = append(out, s.keys[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Delete implements journal.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.do(ctx, "delete", key, func() error {
		if i, ok := slices.BinarySearch(s.keys, key); ok {
			s.keys = slices.Delete(s.keys, i, i+1)
			delete(s.values, key)
		}
		return nil
	})
}

func (s *Store) set(key string, data []byte) {
	if i, ok := slices.BinarySearch(s.keys, key); !ok {
		s.keys = slices.Insert(s.keys, i, key)
	}
	s.values[key] = append([]byte{}, data...)
}

// do runs one call between its hooks. The hooks run outside the lock, so that they may block or use the store.
func (s *Store) do(ctx context.Context, op, key string, call func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	if key == "" && op != "list" {
		return errors.New(op + ": key is empty")
	}
	if s.Before != nil {
		if err := s.Before(op, key); err != nil {
			return fmt.Errorf("%s %s: %w", op, key, err)
		}
	}
	s.mu.Lock()
	err := call()
	s.mu.Unlock()
	if s.After != nil {
		if err := s.After(op, key); err != nil {
			return fmt.Errorf("%s %s: %w", op, key, err)
		}
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", op, key, err)
	}
	return nil
}
