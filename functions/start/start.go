// Package start begins drills: at their slot, on command, and again wherever an earlier instance left off.
//
// In: signal.tick, command.start, drill.approved. Out: facts, drill.announced for what the schedule starts soon, and command.stop for a run
// that began after its stop was asked.
package start

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// Grace is how late a tick may be and still start the drills of its slots.
const Grace = 10 * time.Minute

// Function starts drills.
type Function struct {
	Journal *journal.Journal
	Conduct *conduct.Conductor
	Guard   *guard.Guard
	Catalog func() *catalog.Catalog
	Access  func() access.Policy // who may do what
	Now     func() time.Time
	Mode    string
	Source  string // /firedrill/<deployment>/start
	Log     *slog.Logger
}

// Types lists the event types that the function handles.
func Types() []string { return []string{events.TypeTick, events.TypeStart, events.TypeApproved} }

// Handle is the function.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	switch in.Type() {
	case events.TypeTick:
		return f.tick(ctx, in)
	case events.TypeStart:
		return f.command(ctx, in)
	case events.TypeApproved:
		return f.resume(ctx, in.Subject(), in.ID())
	}
	return nil, nil
}

func (f *Function) by(actor, cause string) journal.By {
	return journal.By{Actor: actor, Cause: cause, Source: f.Source}
}

// command starts the drill that a person or a schedule asks for. The same event, delivered again, is the same drill.
func (f *Function) command(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Start](in)
	if err != nil {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return nil, nil
	}
	id := events.ID("drill", in.Source(), in.ID())
	expires := p.ExpiresAt
	if expires.IsZero() && !in.Time().IsZero() {
		expires = in.Time().Add(drill.RequestExpiry)
	}
	return f.begin(ctx, id, p, expires, in.ID())
}

// begin records the drill and takes it as far as it goes now.
func (f *Function) begin(ctx context.Context, id string, p events.Start, expires time.Time, cause string) ([]events.Event, error) {
	d, err := f.Journal.Load(ctx, id)
	if err == nil {
		return f.proceed(ctx, d, cause)
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return nil, err
	}
	now := f.Now()
	if !expires.IsZero() && now.After(expires) {
		return f.refuse(id, p, cause, guard.CheckExpired, fmt.Sprintf("the command expired at %s; ask again", expires.Format(time.RFC3339)))
	}
	ask, no, err := f.ask(ctx, id, p)
	if err != nil {
		return nil, err
	}
	if no != nil {
		return f.refuse(id, p, cause, no.Check, no.Reason)
	}
	ask.ExpiresAt = expires
	d, change := drill.New(ask, now)
	by := f.by(p.Actor, cause)
	out, err := f.Journal.Begin(ctx, d, change, by)
	if errors.Is(err, journal.ErrConflict) {
		if d, err = f.Journal.Load(ctx, id); err != nil {
			return nil, err
		}
		return f.proceed(ctx, d, cause)
	}
	if err != nil {
		return out, err
	}
	more, err := f.proceed(ctx, d, cause)
	return append(out, more...), err
}

// ask resolves the plan and its parameters; a refusal says what a person must change.
func (f *Function) ask(ctx context.Context, id string, p events.Start) (a drill.Ask, no *drill.Refusal, err error) {
	wrong := func(reason string) *drill.Refusal { return &drill.Refusal{Check: "catalogue", Reason: reason} }
	cat := f.Catalog()
	plan, ok := cat.Plan(p.Plan)
	if !ok {
		reason := fmt.Sprintf("there is no plan %q in the catalogue", p.Plan)
		if near := cat.Suggest(p.Plan); len(near) > 0 {
			reason += fmt.Sprintf("; did you mean %s?", near[0])
		}
		return a, wrong(reason), nil
	}
	if no := f.allowed(p.Actor, plan); no != nil {
		return a, no, nil
	}
	params, block, err := catalog.Resolve(plan, p.Parameters)
	if err != nil {
		return a, wrong(err.Error()), nil
	}
	root, err := f.Journal.Identity(ctx)
	if err != nil {
		return a, nil, err
	}
	a = drill.Ask{ID: id, Mode: f.Mode, Root: root, Plan: plan, Parameters: params, Block: block, Actor: p.Actor, DryRun: p.DryRun, Slot: p.Slot}
	probe, _ := drill.New(a, f.Now())
	req, sv, err := f.Conduct.Request(probe, drill.Main)
	if err != nil {
		return a, wrong(err.Error()), nil
	}
	if err := sv.Check(req); err != nil {
		return a, wrong(err.Error()), nil
	}
	_, a.Recovers = sv.Recovery(req)
	return a, nil, nil
}

// schedulePrefix begins the actor of what a schedule asks for.
const schedulePrefix = "schedule:"

// allowed says no to an actor who may not start the plan. A schedule may start its own plan alone.
func (f *Function) allowed(actor string, plan drill.Plan) *drill.Refusal {
	if of, ok := strings.CutPrefix(actor, schedulePrefix); ok && of != plan.Name {
		return &drill.Refusal{Check: guard.CheckAccess, Reason: fmt.Sprintf("the schedule of %s starts nothing else", of)}
	}
	if err := f.Access().May(actor, "start", plan.Environment); err != nil {
		return &drill.Refusal{Check: guard.CheckAccess, Reason: err.Error()}
	}
	return nil
}

// refuse answers a command that no drill comes of.
func (f *Function) refuse(id string, p events.Start, cause, check, reason string) ([]events.Event, error) {
	now := f.Now()
	about := events.About{Drill: id, Plan: p.Plan, Mode: f.Mode, Status: string(drill.Refused), Actor: p.Actor, At: now}
	e, err := events.New(events.Envelope{ID: events.ID("refused", id, check), Source: f.Source, Subject: id, Time: now, Cause: cause},
		events.Refused{About: about, Check: check, Reason: reason})
	if err != nil {
		return nil, err
	}
	f.Log.Info("refused", "drill", id, "event", cause, "check", check, "reason", reason)
	return []events.Event{e}, nil
}

// tick starts what is due by the clock, then carries on every drill that an earlier instance left before its run.
func (f *Function) tick(ctx context.Context, in events.Event) ([]events.Event, error) {
	t, err := events.Decode[events.Tick](in)
	if err != nil {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return nil, nil
	}
	out, err := f.due(ctx, t.At, in.ID())
	more, err2 := f.carryOn(ctx, in.ID())
	told, err3 := f.announce(t.At, in.ID())
	return append(append(out, more...), told...), errors.Join(err, err2, err3)
}

// fresh returns the time of a tick, which is never ahead of the clock; false for one from long ago: newer ones have been here.
func (f *Function) fresh(at time.Time) (time.Time, bool) {
	now := f.Now()
	if at.After(now) {
		at = now
	}
	return at, now.Sub(at) <= Grace
}

func (f *Function) due(ctx context.Context, at time.Time, cause string) ([]events.Event, error) {
	at, fresh := f.fresh(at)
	if !fresh {
		return nil, nil
	}
	var out []events.Event
	var errs []error
	for _, plan := range f.Catalog().Plans() {
		if plan.Schedule == nil || plan.Disabled {
			continue
		}
		slots, err := catalog.Due(plan, at.Add(-Grace), at)
		if err != nil {
			errs = append(errs, fmt.Errorf("schedule of %s: %w", plan.Name, err))
			continue
		}
		for _, s := range slots {
			p := events.Start{Plan: plan.Name, Actor: schedulePrefix + plan.Name, Slot: s.Local}
			more, err := f.begin(ctx, slotID(plan.Name, s), p, s.At.Add(drill.RequestExpiry), cause)
			out = append(out, more...)
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

func (f *Function) carryOn(ctx context.Context, cause string) ([]events.Event, error) {
	ids, err := f.Journal.ActiveIDs(ctx)
	errs := []error{err}
	var out []events.Event
	for _, id := range ids {
		more, err := f.resume(ctx, id, cause)
		out = append(out, more...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func (f *Function) resume(ctx context.Context, id, cause string) ([]events.Event, error) {
	d, err := f.Journal.Load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return f.proceed(ctx, d, cause)
}
