package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	pageSize = 1000 // keys asked for in one list
	parallel = 16   // gets in flight at once
)

// Options are what a Journal needs besides its store. All three are required, save for Mode.
type Options struct {
	Now   func() time.Time // the clock
	Nonce func() string    // a fresh random text of at least 60 bits on every call
	Mode  string           // written into every entry: SANDBOX or LIVE
}

// Journal is the portable type over a Store. It is safe for concurrent use; any number of processes may share a store.
type Journal struct {
	store    Store
	now      func() time.Time
	nonce    func() string
	mode     string
	identity atomic.Pointer[string]
}

// Open returns a journal over a store. It does no I/O; it panics when Now or Nonce is missing, which is a mistake in
// the wiring.
func Open(store Store, o Options) *Journal {
	if store == nil || o.Now == nil || o.Nonce == nil {
		panic("journal: Open needs a store, Options.Now and Options.Nonce")
	}
	return &Journal{store: store, now: o.Now, nonce: o.Nonce, mode: o.Mode}
}

type identity struct {
	V  int       `json:"v"`
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// Identity returns the id of this root. The first caller creates it; everybody gets the same one for ever. Every run's
// tag or title carries it, so that the orphan sweep touches only its own.
func (j *Journal) Identity(ctx context.Context) (string, error) {
	if id := j.identity.Load(); id != nil {
		return *id, nil
	}
	data, err := j.store.Get(ctx, identityKey)
	if errors.Is(err, ErrNotFound) {
		data, err = j.createIdentity(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("read the journal's identity: %w", err)
	}
	var got identity
	if err := json.Unmarshal(data, &got); err != nil {
		return "", fmt.Errorf("read the journal's identity: it is damaged: %w", err)
	}
	if got.ID == "" {
		return "", errors.New("read the journal's identity: it is damaged: it has no id")
	}
	j.identity.Store(&got.ID)
	return got.ID, nil
}

func (j *Journal) createIdentity(ctx context.Context) ([]byte, error) {
	data, err := encode(identity{V: Version, ID: j.nonce(), At: j.time()})
	if err != nil {
		return nil, err
	}
	err = j.store.Create(ctx, identityKey, data)
	if err == nil {
		return data, nil
	}
	got, getErr := j.store.Get(ctx, identityKey) // somebody was first, or the reply was lost
	if getErr != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	return got, nil
}

func (j *Journal) time() time.Time { return j.now().UTC().Round(0) }

// create writes an immutable object. After ErrExists, or an error that leaves the outcome open, it reads the key: the
// very same bytes, nonce included, mean that our own write won.
func (j *Journal) create(ctx context.Context, key string, data []byte) error {
	err := j.store.Create(ctx, key, data)
	if err == nil {
		return nil
	}
	got, getErr := j.store.Get(ctx, key)
	switch {
	case getErr == nil && bytes.Equal(got, data):
		return nil
	case getErr == nil:
		return ErrConflict
	case errors.Is(err, ErrExists) && errors.Is(getErr, ErrNotFound):
		return fmt.Errorf("%w, and what is there cannot be read", ErrConflict)
	case errors.Is(getErr, ErrNotFound):
		return err
	}
	return fmt.Errorf("%w (and reading it back: %w)", err, getErr)
}

// last returns the newest rev of a sequence. One list of one key says where to look; where it says nothing, rev 1 is
// looked for all the same, because a list is only a hint.
func (j *Journal) last(ctx context.Context, prefix string) (int, []byte, error) {
	rev, err := j.hint(ctx, prefix)
	if err != nil {
		return 0, nil, err
	}
	data, err := j.store.Get(ctx, sequenceKey(prefix, max(rev, 1)))
	if errors.Is(err, ErrNotFound) && rev > 0 {
		return 0, nil, fmt.Errorf("rev %d is listed but not there", rev)
	}
	if err != nil {
		return 0, nil, err
	}
	return j.forward(ctx, prefix, max(rev, 1), data)
}

func (j *Journal) hint(ctx context.Context, prefix string) (int, error) {
	after := prefix // a folder placeholder of an object store's console has this key
	for {
		keys, err := j.store.List(ctx, prefix, after, 1)
		if err != nil || len(keys) == 0 {
			return 0, err
		}
		if rev, ok := revert(keys[0][len(prefix):]); ok {
			return int(rev), nil
		}
		after = keys[0] // not ours: look past it
	}
}

// forward walks from a known rev to the newest one.
func (j *Journal) forward(ctx context.Context, prefix string, rev int, data []byte) (int, []byte, error) {
	for {
		next, err := j.store.Get(ctx, sequenceKey(prefix, rev+1))
		if errors.Is(err, ErrNotFound) {
			return rev, data, nil
		}
		if err != nil {
			return 0, nil, err
		}
		rev, data = rev+1, next
	}
}

// keys lists everything under a prefix.
func (j *Journal) keys(ctx context.Context, prefix string) ([]string, error) {
	var all []string
	after := prefix
	for {
		page, err := j.store.List(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
		after = page[len(page)-1]
	}
}

type reply struct {
	data []byte
	err  error
}

// gets reads many keys, some at a time, and returns the replies in the order of the keys.
func (j *Journal) gets(ctx context.Context, keys []string) []reply {
	replies := make([]reply, len(keys))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, key := range keys {
		group.Go(func() error {
			replies[i].data, replies[i].err = j.store.Get(ctx, key)
			return nil
		})
	}
	_ = group.Wait() // every goroutine returns nil: errors are in the replies
	return replies
}

// encode writes compact JSON on one line, without HTML escapes, so that what is stored is what was given.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
