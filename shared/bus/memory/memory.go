// Package memory is a bus inside one process: the local command, the demo and tests use it. Delivery is at least once:
// an event whose handler returns an error is delivered again, a few times, with a growing pause.
package memory

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
)

const (
	queue    = 4096
	attempts = 4
)

// Route says which event types a function subscribes to.
type Route struct {
	Name    string
	Types   []string
	Handler function.Handler
	Workers int // more than Run gives to each route, for one that waits for others; 0 for as many
}

// Bus delivers each event to every route that subscribes to its type. Each route has a queue and a few workers of its own, so
// that a slow function does not delay another.
type Bus struct {
	log    *slog.Logger
	wait   func(ctx context.Context, d time.Duration) error
	routes []*route

	mu    sync.Mutex
	idle  *sync.Cond
	busy  int
	owed  int  // among the busy: what is in no journal before it is handled
	ended bool // nothing is delivered any more
	tap   []func(events.Event)
}

type route struct {
	Route
	types map[string]bool
	in    chan events.Event
}

// New returns a bus; Run starts it. wait pauses between attempts.
func New(log *slog.Logger, wait func(ctx context.Context, d time.Duration) error) *Bus {
	b := &Bus{log: log, wait: wait}
	b.idle = sync.NewCond(&b.mu)
	return b
}

var _ function.Publisher = (*Bus)(nil)

// Subscribe adds a route. It must be called before Run.
func (b *Bus) Subscribe(r Route) {
	types := map[string]bool{}
	for _, t := range r.Types {
		types[t] = true
	}
	b.routes = append(b.routes, &route{Route: r, types: types, in: make(chan events.Event, queue)})
}

// Tap calls f with every event that is published. It must be called before Run; f must not block.
func (b *Bus) Tap(f func(events.Event)) { b.tap = append(b.tap, f) }

// Publish queues events for every subscriber. It blocks when a queue is full, until ctx ends.
func (b *Bus) Publish(ctx context.Context, out ...events.Event) error {
	for _, e := range out {
		for _, f := range b.tap {
			f(e)
		}
		for _, r := range b.routes {
			if !r.types[e.Type()] {
				continue
			}
			b.add(e, 1)
			select {
			case r.in <- e:
			case <-ctx.Done():
				b.add(e, -1)
				return ctx.Err()
			}
		}
	}
	return nil
}

// Run delivers until ctx ends, with workers goroutines per route. What is still queued then is not delivered: ticks carry on from the
// journal with what is in it. Commands and alarms are not: who ends a bus waits for Handled first.
func (b *Bus) Run(ctx context.Context, workers int) {
	var wg sync.WaitGroup
	for _, r := range b.routes {
		for range max(workers, r.Workers) {
			wg.Go(func() { b.work(ctx, r) })
		}
	}
	wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.idle.Broadcast()
}

func (b *Bus) work(ctx context.Context, r *route) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-r.in:
			b.deliver(ctx, r, e)
			b.add(e, -1)
		}
	}
}

func (b *Bus) deliver(ctx context.Context, r *route, e events.Event) {
	pause := 200 * time.Millisecond
	for n := 1; ; n++ {
		_, err := r.Handler(ctx, e)
		if err == nil || ctx.Err() != nil {
			return
		}
		if n == attempts {
			b.log.Error("gave up on an event; the next tick carries on", "function", r.Name, "event", e.ID(), "type", e.Type(), "drill", e.Subject(), "error", err)
			return
		}
		if b.wait(ctx, pause) != nil {
			return
		}
		pause *= 4
	}
}

func (b *Bus) add(e events.Event, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy += n
	if e.Type() == events.TypeAlarm || events.IsCommand(e.Type()) {
		b.owed += n
	}
	if b.busy == 0 || b.owed == 0 {
		b.idle.Broadcast()
	}
}

// Handled waits until no command and no alarm is queued or being handled, or until Run has ended. All else is done again from the journal.
func (b *Bus) Handled() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.owed > 0 && !b.ended {
		b.idle.Wait()
	}
}

// Idle waits until no event is queued or being handled, or until Run has ended.
func (b *Bus) Idle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.busy > 0 && !b.ended {
		b.idle.Wait()
	}
}
