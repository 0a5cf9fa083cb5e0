package journal

import (
	"context"
	"errors"
)

// The errors that callers branch on. They are always wrapped: compare with errors.Is.
var (
	// ErrNotFound means that nothing is kept under the key, or that the drill has no entry.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned by Store.Create when the key is there already.
	ErrExists = errors.New("exists already")
	// ErrConflict means that somebody else wrote this rev first, or that the rev does not follow the head: read the
	// head again and decide again.
	ErrConflict = errors.New("conflict: the head has moved")
	// ErrPage means that the place to go on from was not one that Recent returned.
	ErrPage = errors.New("page token")
)

// Store is the driver interface. Create-if-absent is the only primitive that correctness rests on; Put, List and Delete
// serve hints. A store is safe for concurrent use by many goroutines and many processes. Keys are relative paths of
// ASCII segments separated by "/"; no key is a path prefix of another. An error other than ErrExists and ErrNotFound
// says nothing about whether a write happened.
type Store interface {
	// Create writes data under key if nothing is there, else it returns ErrExists. When it returns nil the data is
	// durable. A reader sees all of the data or no key.
	Create(ctx context.Context, key string, data []byte) error
	// Put writes data under key and replaces what was there. It is for hints only: markers and the index.
	Put(ctx context.Context, key string, data []byte) error
	// Get returns the data under key, or ErrNotFound. The caller owns the slice.
	Get(ctx context.Context, key string) ([]byte, error)
	// List returns the keys that begin with prefix and are greater than after, in byte order, at most limit of them
	// (no limit if it is 0 or less). It returns fewer than limit only when there are no more.
	List(ctx context.Context, prefix, after string, limit int) ([]string, error)
	// Delete removes key. It returns nil when the key is absent.
	Delete(ctx context.Context, key string) error
}
