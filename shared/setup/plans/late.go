package plans

import (
	"context"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/setup"
)

// patience is the longest that a command waits for a catalogue that is first asked for with it.
const patience = 3 * time.Second

// Late is the catalogue of a function that must start, and do most of its work, without one: it is read when it is first asked for.
type Late struct {
	setup *setup.Setup
	mu    sync.Mutex
	book  *Book // nil until it could be read
}

// Later prepares a catalogue and reads nothing.
func Later(p *setup.Setup) *Late { return &Late{setup: p} }

// Access returns who may do what, as of half a minute ago at most. It is false when there is no catalogue, or none that can be read; once
// one was read, the last good one stays.
func (l *Late) Access(ctx context.Context) (access.Policy, bool) {
	b := l.look(ctx)
	if b == nil || len(b.Catalog().Files()) == 0 {
		return access.Policy{}, false
	}
	return b.Access(), true
}

// Channels returns where a plan's messages go, none for a plan that is not there or a catalogue that cannot be read.
func (l *Late) Channels(ctx context.Context, plan string) []drill.Channel {
	b := l.look(ctx)
	if b == nil {
		return nil
	}
	p, _ := b.Catalog().Plan(plan)
	return p.Notify
}

// Environment returns the environment of a plan, as Access last read it.
func (l *Late) Environment(plan string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.book == nil {
		return "", false
	}
	p, ok := l.book.Catalog().Plan(plan)
	return p.Environment, ok
}

func (l *Late) look(ctx context.Context) *Book {
	if l.setup.Value(Variable) == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.book != nil {
		l.book.Look(ctx)
		return l.book
	}
	b, err := Open(ctx, l.setup)
	if err != nil {
		l.setup.Log.WarnContext(ctx, "the catalogue cannot be read: nobody is known", "error", err)
		return nil
	}
	l.book = b
	return b
}
