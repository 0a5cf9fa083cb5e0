package wire

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

// TokenOptions are what Tokens need.
type TokenOptions struct {
	What   string        // for errors, such as "access token of wecom:ww1"
	Margin time.Duration // how long before its end a token is no longer used; one that lasts for less than twice that is used for half of its time
	Now    func() time.Time
	// Fetch asks the platform for a token, once, and says for how long it is good. Its errors hold no secret.
	Fetch func(ctx context.Context) (token secret.Text, life time.Duration, err error)
}

// Tokens keep one access token: it is fetched when it is first needed, and again shortly before it ends. However many ask at once, one
// fetches, and all have what came of it. They are safe for concurrent use.
type Tokens struct {
	o TokenOptions

	mu     sync.Mutex
	value  secret.Text
	until  time.Time
	flight *flight
}

// flight is a fetch under way.
type flight struct {
	done  chan struct{} // closed when the rest may be read
	value secret.Text
	err   error
	late  bool // whoever fetched had no time left, which says nothing about the platform
}

// NewTokens returns tokens, of which none is fetched yet.
func NewTokens(o TokenOptions) *Tokens { return &Tokens{o: o} }

// Get returns an access token. Whoever waits for another's fetch waits within ctx, and fetches again where the other's own time was up.
func (t *Tokens) Get(ctx context.Context) (secret.Text, error) {
	for {
		value, f, mine := t.join()
		switch {
		case f == nil:
			return value, nil
		case mine:
			t.fetch(ctx, f)
			return f.value, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return secret.Text{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: %w", t.o.What, ctx.Err())}
		}
		if !f.late || ctx.Err() != nil {
			return f.value, f.err
		}
	}
}

// Drop forgets a token that the platform no longer takes, unless there is a newer one already.
func (t *Tokens) Drop(bad secret.Text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == bad {
		t.value = secret.Text{}
	}
}

// join returns a token that is good, or the fetch to wait for, or one to make.
func (t *Tokens) join() (value secret.Text, f *flight, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != (secret.Text{}) && t.o.Now().Before(t.until) {
		return t.value, nil, false
	}
	if t.flight == nil {
		t.flight, mine = &flight{done: make(chan struct{}), late: true}, true
	}
	return secret.Text{}, t.flight, mine
}

func (t *Tokens) fetch(ctx context.Context, f *flight) {
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.flight = nil
		close(f.done)
	}()
	value, life, err := t.o.Fetch(ctx)
	f.value, f.err, f.late = value, err, err != nil && ctx.Err() != nil
	if err != nil {
		return
	}
	life = max(life, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, t.o.Now().Add(max(life-t.o.Margin, life/2))
}
