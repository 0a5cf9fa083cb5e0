package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// races bounds how often a register is read again after somebody else wrote it.
const races = 20

// Lever is the state of one halt lever. Engaged, it keeps every drill of its scope from starting and stops those that run.
type Lever struct {
	Scope   string    `json:"scope"` // all, environment/<name>, plan/<name>
	Engaged bool      `json:"engaged"`
	Reason  string    `json:"reason,omitempty"`
	Actor   string    `json:"actor"`
	At      time.Time `json:"at"`
}

const leverPrefix = "lever/"

// SetLever engages or releases a lever. It returns false when the lever stood like that already, or was moved by a command given later
// than l.At: commands arrive late and twice, and the newest given counts. So a newer command is written down also where it moves nothing:
// an older one of the other kind, which may still be under way, must not undo it.
func SetLever(ctx context.Context, j *journal.Journal, l Lever) (bool, error) {
	name := leverPrefix + l.Scope
	for range races {
		old, rev, err := readLever(ctx, j, name)
		if err != nil {
			return false, err
		}
		stands := rev > 0 && old.Engaged == l.Engaged
		if rev > 0 && (l.At.Before(old.At) || stands && !l.At.After(old.At)) {
			return false, nil
		}
		value, err := json.Marshal(l)
		if err != nil {
			return false, fmt.Errorf("encode lever: %w", err)
		}
		if err = j.Set(ctx, name, rev, value); err == nil {
			return !stands, nil
		}
		if !errors.Is(err, journal.ErrConflict) {
			return false, fmt.Errorf("set lever %s: %w", l.Scope, err)
		}
	}
	return false, fmt.Errorf("set lever %s: %w", l.Scope, journal.ErrConflict)
}

func readLever(ctx context.Context, j *journal.Journal, name string) (Lever, int, error) {
	value, rev, err := j.Register(ctx, name)
	if err != nil || rev == 0 {
		return Lever{}, rev, err
	}
	var l Lever
	if err := json.Unmarshal(value, &l); err != nil {
		return Lever{}, 0, fmt.Errorf("lever %s is damaged: %w", name, err)
	}
	return l, rev, nil
}

// Outdated reports whether the lever of l's scope was released by a command given later than l.
func Outdated(ctx context.Context, j *journal.Journal, l Lever) (bool, error) {
	now, rev, err := readLever(ctx, j, leverPrefix+l.Scope)
	return err == nil && rev > 0 && !now.Engaged && l.At.Before(now.At), err
}

// Engaged returns the lever of a scope, nil where it is not engaged.
func Engaged(ctx context.Context, j *journal.Journal, scope string) (*Lever, error) {
	l, rev, err := readLever(ctx, j, leverPrefix+scope)
	if err != nil || rev == 0 || !l.Engaged {
		return nil, err
	}
	return &l, nil
}

// Levers lists the engaged levers.
func Levers(ctx context.Context, j *journal.Journal) ([]Lever, error) {
	items, err := j.Registers(ctx, leverPrefix)
	if err != nil {
		return nil, fmt.Errorf("read levers: %w", err)
	}
	var out []Lever
	for _, it := range items {
		var l Lever
		if err := json.Unmarshal(it.Value, &l); err != nil {
			return nil, fmt.Errorf("lever %s is damaged: %w", it.Name, err)
		}
		if l.Engaged {
			out = append(out, l)
		}
	}
	return out, nil
}

// Covers reports whether the lever's scope takes in a plan of an environment.
func (l Lever) Covers(plan, environment string) bool {
	if l.Scope == "all" {
		return true
	}
	if name, ok := strings.CutPrefix(l.Scope, "environment/"); ok {
		return name == environment
	}
	name, ok := strings.CutPrefix(l.Scope, "plan/")
	return ok && name == plan
}

// AcquireLocks takes every lock that the plan names, in order. It returns the lock and the drill that holds it when one is taken.
// A lock points at a drill and holds exactly while that drill is not over with its restoration decided, so nothing needs releasing.
func AcquireLocks(ctx context.Context, j *journal.Journal, d *drill.Drill) (lock, holder string, err error) {
	for _, name := range lockNames(d.Plan) {
		holder, err := acquire(ctx, j, name, d.ID)
		if err != nil || holder != "" {
			return name, holder, err
		}
	}
	return "", "", nil
}

// lockNames lists the plan's locks in the order in which everybody takes them.
func lockNames(p drill.Plan) []string {
	if len(p.Exclusive) == 1 && p.Exclusive[0] == "none" {
		return nil
	}
	return slices.Sorted(slices.Values(p.Exclusive))
}

func acquire(ctx context.Context, j *journal.Journal, name, id string) (holder string, err error) {
	for range races {
		holder, rev, err := lockHolder(ctx, j, name)
		if err != nil || holder == id {
			return "", err
		}
		if holder != "" {
			return holder, nil
		}
		err = j.Set(ctx, lockPrefix+name, rev, []byte(id))
		if !errors.Is(err, journal.ErrConflict) {
			return "", err
		}
	}
	return "", fmt.Errorf("take lock %s: %w", name, journal.ErrConflict)
}

const lockPrefix = "lock/"

// lockHolder returns the drill that holds a lock now, "" if it is free.
func lockHolder(ctx context.Context, j *journal.Journal, name string) (string, int, error) {
	value, rev, err := j.Register(ctx, lockPrefix+name)
	if err != nil || rev == 0 {
		return "", rev, err
	}
	id := string(value)
	d, err := j.Load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return "", rev, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("read drill %s, which lock %s names: %w", id, name, err)
	}
	if d.Holds() {
		return id, rev, nil
	}
	return "", rev, nil
}
