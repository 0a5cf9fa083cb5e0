// Package abort stops drills: on an alarm, on command, and by a halt lever. It depends on as little as possible, acts on the plan's
// snapshot in the journal, and never waits for the journal when a stop is urgent.
//
// In: signal.alarm, command.stop, command.halt, command.release. Out: facts.
package abort

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/journal"
)

// parallel bounds how many drills are stopped at once.
const parallel = 16

// Function stops drills.
type Function struct {
	Journal *journal.Journal
	Conduct *conduct.Conductor
	// Access says who may do what; false when that cannot be read. It is asked about halts and releases alone: a stop asks nobody.
	Access func(ctx context.Context) (access.Policy, bool)
	// Environment returns the environment of a plan, as it is now; false when it is not known. It is asked about releases alone.
	Environment func(plan string) (string, bool)
	Now         func() time.Time
	Nonce       func() string
	// Patience runs out when the journal is slow: then Stop is called without it. nil waits 300 ms of real time.
	Patience func(ctx context.Context) <-chan struct{}
	Mode     string
	Source   string // /firedrill/<deployment>/abort
	Log      *slog.Logger
}

// Types lists the event types that the function handles.
func Types() []string {
	return []string{events.TypeAlarm, events.TypeStop, events.TypeHalt, events.TypeRelease}
}

// Handle is the function.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	var out []events.Event
	var err error
	switch in.Type() {
	case events.TypeAlarm:
		out, err = f.alarm(ctx, in)
	case events.TypeStop:
		out, err = f.stop(ctx, in)
	case events.TypeHalt:
		out, err = f.halt(ctx, in)
	case events.TypeRelease:
		out, err = f.release(ctx, in)
	}
	if events.Final(err) {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return out, nil
	}
	return out, err
}

// stop stops one drill, or all of them.
func (f *Function) stop(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Stop](in)
	if err != nil {
		return nil, err
	}
	o := order{kind: drill.StopByPerson, who: p.Actor, reason: p.Reason, cause: in.ID()}
	if p.Drill != "all" {
		return f.one(ctx, p.Drill, o, true)
	}
	return f.every(ctx, o, func(journal.Marker) bool { return true })
}

// order says why drills are to be stopped.
type order struct {
	kind               drill.StopKind
	who, reason, cause string
	onlyIf             func(d *drill.Drill) bool // nil: always
}

// every stops all active drills that match, each in its own goroutine.
func (f *Function) every(ctx context.Context, o order, match func(journal.Marker) bool) ([]events.Event, error) {
	markers, err := f.Journal.Active(ctx)
	var group errgroup.Group
	group.SetLimit(parallel)
	results := make([][]events.Event, len(markers))
	errs := make([]error, len(markers)+1)
	errs[len(markers)] = err
	for i, m := range markers {
		if !match(m) {
			continue
		}
		group.Go(func() error {
			results[i], errs[i] = f.one(ctx, m.Drill, o, false)
			return nil
		})
	}
	_ = group.Wait()
	var out []events.Event
	for _, r := range results {
		out = append(out, r...)
	}
	return out, errors.Join(errs...)
}

// one stops one drill: the journal first, then the service. asked is true when a person named the drill: then an unknown or ended
// drill is answered, not passed over.
func (f *Function) one(ctx context.Context, id string, o order, asked bool) ([]events.Event, error) {
	by := journal.By{Actor: o.who, Cause: o.cause, Source: f.Source}
	me := f.Nonce()
	d, out, err := f.record(ctx, id, o, by, me)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		if asked {
			return f.answer(ctx, id, o, function.CheckDrill, fmt.Sprintf("there is no drill %q", id))
		}
		return nil, nil // a marker whose drill was never written
	case errors.Is(err, errSkip):
		return out, nil
	case errors.Is(err, drill.ErrAnswered) && d.Status.Ended():
		if asked {
			return f.answer(ctx, id, o, "ended", err.Error())
		}
		return out, nil
	case errors.Is(err, drill.ErrAnswered):
		r, err := f.Conduct.Stop(ctx, d, by) // asked before: see that it goes on
		return append(out, r.Out...), err
	case err != nil:
		if d == nil { // its newest entry is damaged, perhaps: an older one names the run as well
			d, _ = f.Journal.LoadReadable(ctx, id)
		}
		if d != nil {
			f.unrecorded(ctx, d, o) // the journal cannot be written: that must not keep the run going
		}
		return out, err
	}
	if d.Status.Ended() || d.RunID() == "" {
		return out, nil // nothing ran, or its author is still calling: poll and start see the stop
	}
	r := conduct.Result{Drill: d}
	err = f.Conduct.CallStop(ctx, &r, by)
	return append(out, r.Out...), err
}

var errSkip = errors.New("not meant")

// record appends the stop. When the journal is too slow to answer, the service is told anyway, and the append goes on.
func (f *Function) record(ctx context.Context, id string, o order, by journal.By, me string) (*drill.Drill, []events.Event, error) {
	type reply struct {
		d   *drill.Drill
		out []events.Event
		err error
	}
	done := make(chan reply, 1)
	seen := make(chan drill.Drill, 1)
	go func() {
		d, out, err := f.Journal.Update(ctx, id, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			if o.onlyIf != nil && !o.onlyIf(d) {
				return drill.Change{}, errSkip
			}
			select {
			case seen <- *d:
			default:
			}
			return d.AskStop(o.kind, o.who, o.reason, me, now)
		})
		done <- reply{d, out, err}
	}()
	select {
	case r := <-done:
		return r.d, r.out, r.err
	case <-f.patience(ctx):
	}
	select {
	case d := <-seen:
		f.unrecorded(ctx, &d, o)
	case r := <-done:
		return r.d, r.out, r.err
	}
	r := <-done
	return r.d, r.out, r.err
}

func (f *Function) patience(ctx context.Context) <-chan struct{} {
	if f.Patience != nil {
		return f.Patience(ctx)
	}
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	context.AfterFunc(soon, cancel)
	return soon.Done()
}

// unrecorded calls Stop for a drill whose journal was read but does not take the record in time.
func (f *Function) unrecorded(ctx context.Context, d *drill.Drill, o order) {
	if d.Status.Ended() || d.RunID() == "" {
		return
	}
	sv, err := f.Conduct.Services.For(d.Plan.Service, d.Plan.Account)
	if err == nil {
		err = sv.Stop(ctx, d.Ref(drill.Main), conduct.StopOf(d, o.reason, o.who, f.Now()))
	}
	f.Log.Warn("stopped before the journal answered", "drill", d.ID, "run", d.RunID(), "error", err)
}

// answer tells a person that there is nothing to stop.
func (f *Function) answer(ctx context.Context, id string, o order, check, reason string) ([]events.Event, error) {
	return f.refused(ctx, function.No{Drill: id, Actor: o.who, Cause: o.cause, Check: check, Reason: reason})
}

func (f *Function) refused(ctx context.Context, no function.No) ([]events.Event, error) {
	r := function.Refuser{Journal: f.Journal, Now: f.Now, Mode: f.Mode, Source: f.Source, Log: f.Log}
	return r.Refuse(ctx, no)
}
