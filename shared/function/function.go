// Package function is the shape of every function: one event in, the events that follow out.
package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/firedrill/firedrill/events"
)

// Handler takes one event and returns the events that follow; it publishes nothing itself. Events returned together with an
// error are still published. An error means "deliver it again"; what a retry cannot mend is an event with a reason.
type Handler func(ctx context.Context, in events.Event) ([]events.Event, error)

// Publisher puts events on the bus. An error means that some may not be there; publishing them again is harmless, because
// their ids stay the same.
type Publisher interface {
	Publish(ctx context.Context, out ...events.Event) error
}

// Ledger keeps how far a drill's facts were published.
type Ledger interface {
	Published(ctx context.Context, drill string, revs ...int) error
}

// Publishing runs a handler, publishes what it returns, and records which facts are out. A fact that could not be published
// stays in its entry's outbox; poll sends it again.
func Publishing(h Handler, p Publisher, l Ledger) Handler {
	return func(ctx context.Context, in events.Event) ([]events.Event, error) {
		out, err := h(ctx, in)
		if len(out) == 0 {
			return out, err
		}
		if perr := Send(ctx, p, l, out); perr != nil {
			return out, errors.Join(err, fmt.Errorf("publish after %s: %w", in.Type(), perr))
		}
		return out, err
	}
}

// Send publishes events and records which facts are out.
func Send(ctx context.Context, p Publisher, l Ledger, out []events.Event) error {
	if err := p.Publish(ctx, out...); err != nil {
		return err
	}
	return markSent(ctx, l, out)
}

// markSent tells the ledger, per drill, which revs' facts were published.
func markSent(ctx context.Context, l Ledger, out []events.Event) error {
	revs := map[string][]int{}
	for _, e := range out {
		if rev := events.Sequence(e); rev > 0 {
			revs[e.Subject()] = append(revs[e.Subject()], rev)
		}
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(revs)) {
		errs = append(errs, l.Published(ctx, id, revs[id]...))
	}
	return errors.Join(errs...)
}

// Logging writes one line per event handled, with the shared keys.
func Logging(h Handler, log *slog.Logger, now func() time.Time) Handler {
	return func(ctx context.Context, in events.Event) ([]events.Event, error) {
		begin := now()
		out, err := h(ctx, in)
		attrs := []slog.Attr{
			slog.String("event", in.ID()), slog.String("type", in.Type()), slog.String("drill", in.Subject()),
			slog.String("cause", events.Cause(in)), slog.Int("out", len(out)), slog.Int64("dur_ms", now().Sub(begin).Milliseconds()),
		}
		level, msg := slog.LevelDebug, "handled"
		if err != nil {
			level, msg = slog.LevelWarn, "will be delivered again"
			if errors.Is(ctx.Err(), context.Canceled) { // the process ends: that is no fault of the event
				level = slog.LevelDebug
			}
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		log.LogAttrs(ctx, level, msg, attrs...)
		return out, err
	}
}

// Margin leaves the platform its time: the handler's deadline is a little before the function's.
func Margin(h Handler, margin time.Duration) Handler {
	return func(ctx context.Context, in events.Event) ([]events.Event, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
			defer cancel()
		}
		return h(ctx, in)
	}
}
