package simulate

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/firedrill/firedrill/shared/journal"
)

// store takes every call to the journal's store over the scheduler's boundary.
type store struct {
	inner   journal.Store
	sched   *Scheduler
	harm    Harm
	created func(key string, data []byte) // told of every key that was created
}

var _ journal.Store = (*store)(nil)

// Create implements journal.Store.
func (s *store) Create(ctx context.Context, key string, data []byte) error {
	err := s.sched.cross(ctx, storeWrite, "create", key, func(ctx context.Context, _ act) error {
		err := s.inner.Create(ctx, key, data)
		if err == nil && s.created != nil {
			s.created(key, data)
		}
		return err
	})
	if i := instanceOf(ctx); i != nil && bytes.Contains(data, []byte(`"status":"starting"`)) {
		i.wrote = true
	}
	if s.harm.AnyExists && errors.Is(err, journal.ErrExists) {
		return nil
	}
	return err
}

// Put implements journal.Store.
func (s *store) Put(ctx context.Context, key string, data []byte) error {
	if i := instanceOf(ctx); s.harm.NoMarker && i != nil && i.to.Name == "start" && strings.HasPrefix(key, "active/") {
		return nil
	}
	return s.sched.cross(ctx, storeWrite, "put", key, func(ctx context.Context, _ act) error { return s.inner.Put(ctx, key, data) })
}

// Get implements journal.Store.
func (s *store) Get(ctx context.Context, key string) ([]byte, error) {
	var out []byte
	err := s.sched.cross(ctx, storeRead, "get", key, func(ctx context.Context, _ act) (err error) {
		out, err = s.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// List implements journal.Store.
func (s *store) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	if i := instanceOf(ctx); s.harm.NoSecondLook && i != nil && i.wrote && (strings.HasPrefix(prefix, "alarms/") || strings.HasPrefix(prefix, "registers/")) {
		return nil, nil
	}
	var out []string
	err := s.sched.cross(ctx, storeRead, "list", prefix, func(ctx context.Context, _ act) (err error) {
		out, err = s.inner.List(ctx, prefix, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Delete implements journal.Store.
func (s *store) Delete(ctx context.Context, key string) error {
	return s.sched.cross(ctx, storeWrite, "delete", key, func(ctx context.Context, _ act) error { return s.inner.Delete(ctx, key) })
}

// Harm takes one safeguard away, to show that the simulator notices. Production code has no such switches: the harm is done to what the
// code stands on: its store, its clock and its drivers.
type Harm struct {
	NoSecondLook bool // levers and alarms look quiet to an instance that has just appended its intent
	FastClock    bool // some instances' clocks are minutes fast, so that they take other instances' leases for over
	AnyExists    bool // the store reports another's entry as written: whoever loses a race believes that it won
	NoMarker     bool // start writes no markers
	Hasty        bool // the driver says that what was given up cannot arrive late (FIS)
}
