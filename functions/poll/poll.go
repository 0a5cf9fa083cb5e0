// Package poll watches every active drill: it reads runs, records what moved, keeps stops going until the service confirms them, undoes
// what a run left behind, escalates what is late, sends facts again that were not sent, and stops orphans.
//
// In: signal.tick, signal.state. Out: facts, and commands that other functions carry out.
package poll

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	parallel = 8                // drills looked at together
	emptyFor = time.Hour        // a marker without a drill is kept so long
	tickGap  = 60 * time.Second // between two ticks
)

// Prober measures a claim.
type Prober interface {
	Measure(ctx context.Context, c drill.Claim) drill.Sample
}

// Function watches drills.
type Function struct {
	Journal *journal.Journal
	Conduct *conduct.Conductor
	Guard   *guard.Guard
	Prober  Prober
	// Accounts lists what the orphan sweep looks at.
	Accounts func() []Account
	Now      func() time.Time
	Wait     func(ctx context.Context, d time.Duration) error // the one place that waits: between two looks inside a tick
	Every    time.Duration                                    // observe_every; 0 looks once per tick
	// Publish sends what one look found before the next look inside the same tick; nil returns everything at the first find.
	Publish func(ctx context.Context, out []events.Event) error
	Source  string // /firedrill/<deployment>/poll
	Log     *slog.Logger
}

// Account is a service in an account.
type Account struct {
	Service drill.Service
	Account drill.Account
}

// Types lists the event types that the function handles.
func Types() []string { return []string{events.TypeTick, events.TypeState} }

// Handle is the function.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	switch in.Type() {
	case events.TypeTick:
		t, err := events.Decode[events.Tick](in)
		if err != nil {
			f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
			return nil, nil
		}
		return f.tick(ctx, t.At, in.ID())
	case events.TypeState:
		return f.state(ctx, in)
	}
	return nil, nil
}

// tick looks at all active drills, and again every Every until the next tick is near, as long as one is under way.
func (f *Function) tick(ctx context.Context, at time.Time, cause string) ([]events.Event, error) {
	begin := f.Now()
	out, live, err := f.round(ctx, cause)
	if at.Minute()%5 == 0 {
		more, err2 := f.sweep(ctx, cause)
		out, err = append(out, more...), errors.Join(err, err2)
	}
	if at.Minute() == 0 {
		_, err2 := f.Journal.PruneAlarms(ctx)
		err = errors.Join(err, err2)
	}
	if err != nil || f.Every <= 0 || !live {
		return out, err
	}
	for f.another(ctx, begin) {
		if len(out) > 0 {
			if f.Publish == nil || f.Publish(ctx, out) != nil {
				return out, nil
			}
			out = nil
		}
		if f.Wait(ctx, f.Every) != nil {
			break
		}
		if out, live, err = f.round(ctx, cause); err != nil || !live {
			break
		}
	}
	return out, err
}

// another reports whether there is time for one more look: before the next tick, and before the function's own deadline.
func (f *Function) another(ctx context.Context, begin time.Time) bool {
	deadline, ok := ctx.Deadline()
	return f.Now().Add(f.Every).Before(begin.Add(tickGap)) && (!ok || deadline.Sub(f.Now()) > 2*f.Every)
}

// state reads the run that a service says has changed. A run that no marker names is not ours.
func (f *Function) state(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.State](in)
	if err != nil {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return nil, nil
	}
	markers, err := f.Journal.Active(ctx)
	for _, m := range markers {
		if m.Service == p.Service && m.Run == p.Run {
			w, err := f.Guard.Read(ctx)
			out, _, err2 := f.look(ctx, m.Drill, m.Sent, w, in.ID())
			return out, errors.Join(err, err2)
		}
	}
	return nil, err
}

// round looks at every active drill once. live is true while one of them is under way.
func (f *Function) round(ctx context.Context, cause string) (out []events.Event, live bool, err error) {
	markers, err := f.Journal.Active(ctx)
	if len(markers) == 0 {
		return nil, false, err
	}
	w, err2 := f.Guard.Read(ctx)
	errs := []error{err, err2}
	results := make([]looked, len(markers))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, m := range markers {
		group.Go(func() error {
			r := &results[i]
			r.out, r.live, r.err = f.look(ctx, m.Drill, m.Sent, w, cause)
			return nil
		})
	}
	_ = group.Wait()
	for _, r := range results {
		out, live = append(out, r.out...), live || r.live
		errs = append(errs, r.err)
	}
	return out, live, errors.Join(errs...)
}

type looked struct {
	out  []events.Event
	live bool
	err  error
}
