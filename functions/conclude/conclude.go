// Package conclude ends drills: it waits for restoration and for the answers to asked claims, measures what can be measured once more,
// gives the verdict once, writes it into the service's own record, and keeps the report.
//
// In: drill.stopped, drill.completed, drill.failed, drill.restored; drill.concluded, drill.amended and drill.attached (for the report);
// command.answer, command.conclude, command.note. Out: facts.
package conclude

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Prober measures a claim.
type Prober interface {
	Measure(ctx context.Context, c drill.Claim) drill.Sample
}

// Reporter keeps the report of a concluded drill. Keeping it again replaces it.
type Reporter interface {
	Keep(ctx context.Context, d *drill.Drill) error
}

// Function concludes drills.
type Function struct {
	Journal *journal.Journal
	// Access says who may do what; false when that cannot be read: then nobody may.
	Access   func(ctx context.Context) (access.Policy, bool)
	Services *provider.Services
	Prober   Prober
	Reporter Reporter
	Link     func(id string) string // where people read the report
	Now      func() time.Time
	Mode     string
	Source   string // /firedrill/<deployment>/conclude
	Log      *slog.Logger
}

// Types lists the event types that the function handles.
func Types() []string {
	return []string{events.TypeStopped, events.TypeCompleted, events.TypeFailed, events.TypeRestored,
		events.TypeConcluded, events.TypeAmended, events.TypeAttached, events.TypeAnswer, events.TypeConclude, events.TypeNote}
}

// Handle is the function.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	var out []events.Event
	var err error
	switch in.Type() {
	case events.TypeStopped, events.TypeCompleted, events.TypeFailed, events.TypeRestored:
		out, err = f.run(ctx, in.Subject(), in.ID())
	case events.TypeConcluded, events.TypeAmended, events.TypeAttached:
		err = f.report(ctx, in.Subject())
	case events.TypeAnswer:
		out, err = f.answer(ctx, in)
	case events.TypeConclude:
		out, err = f.verdict(ctx, in)
	case events.TypeNote:
		out, err = f.note(ctx, in)
	}
	if events.Final(err) {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return out, nil
	}
	return out, err
}

func (f *Function) by(actor, cause string) journal.By {
	return journal.By{Actor: actor, Cause: cause, Source: f.Source}
}

// answer records a person's answer to an asked claim, then goes on.
func (f *Function) answer(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Answer](in)
	if err != nil {
		return nil, err
	}
	return f.change(ctx, input{p.Drill, p.Actor, "answer", in.ID()}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AnswerClaim(p.Claim, p.Holds, p.Actor, p.Note, now)
	})
}

func (f *Function) note(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Note](in)
	if err != nil {
		return nil, err
	}
	return f.change(ctx, input{p.Drill, p.Actor, "note", in.ID()}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		for _, n := range d.Notes {
			if n.Actor == p.Actor && n.Text == p.Text {
				return drill.Change{}, nil // delivered again
			}
		}
		return d.AddNote(p.Actor, p.Text, now), nil
	})
}

// verdict takes a person's verdict: before the conclusion it is the verdict, after it an amendment.
func (f *Function) verdict(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Conclude](in)
	if err != nil {
		return nil, err
	}
	v := drill.Verdict{Verdict: p.Verdict, Summary: p.Summary, Issue: p.Issue, Record: p.Record, By: p.Actor}
	who := input{p.Drill, p.Actor, "conclude", in.ID()}
	if d, no, err := f.admit(ctx, who); d == nil {
		return no, err
	}
	out, err := f.run(ctx, p.Drill, in.ID()) // brings an ended drill to concluding
	if err != nil {
		return out, err
	}
	more, err := f.change(ctx, who, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if !d.Status.Final() {
			return d.Decide(v, now)
		}
		for _, a := range append([]drill.Verdict{*orEmpty(d.Verdict)}, d.Amendments...) {
			if a.By == v.By && a.Verdict == v.Verdict && a.Summary == v.Summary {
				return drill.Change{}, nil // delivered again
			}
		}
		return d.Amend(v, now)
	})
	return append(out, more...), err
}

func orEmpty(v *drill.Verdict) *drill.Verdict {
	if v == nil {
		return &drill.Verdict{}
	}
	return v
}

// checkConclude is the check of what a drill's state does not allow.
const checkConclude = "conclude"

// input says who wants what of a drill, by which command.
type input struct{ drill, actor, verb, cause string }

// change applies a person's input, answers what cannot be, and takes the drill on.
func (f *Function) change(ctx context.Context, in input, edit journal.Edit) ([]events.Event, error) {
	d, no, err := f.admit(ctx, in)
	if d == nil {
		return no, err
	}
	d, out, err := f.Journal.Update(ctx, in.drill, f.by(in.actor, in.cause), edit)
	switch {
	case errors.Is(err, drill.ErrAnswered), errors.Is(err, drill.ErrForbidden), errors.Is(err, drill.ErrTransition):
		return f.refused(ctx, in, checkConclude, err.Error())
	case err != nil:
		return out, err
	}
	if err := f.Journal.Wake(ctx, d, d.Rev-1); err != nil {
		return out, err // an amended drill is active until its fact is out
	}
	more, err := f.run(ctx, in.drill, in.cause)
	return append(out, more...), err
}

// admit returns the drill if there is one and the actor may do that in its environment; nil and the refusal otherwise.
func (f *Function) admit(ctx context.Context, in input) (*drill.Drill, []events.Event, error) {
	d, err := f.Journal.Load(ctx, in.drill)
	if errors.Is(err, journal.ErrNotFound) {
		no, err := f.refused(ctx, in, function.CheckDrill, fmt.Sprintf("there is no drill %q", in.drill))
		return nil, no, err
	}
	if err != nil {
		return nil, nil, err
	}
	reason := "who may do what could not be read, so the answer is no; ask again"
	if policy, read := f.Access(ctx); read {
		err := policy.May(in.actor, in.verb, d.Plan.Environment)
		if err == nil {
			return d, nil, nil
		}
		reason = err.Error()
	}
	no, err := f.refused(ctx, in, guard.CheckAccess, reason)
	return nil, no, err
}

func (f *Function) refused(ctx context.Context, in input, check, reason string) ([]events.Event, error) {
	r := function.Refuser{Journal: f.Journal, Now: f.Now, Mode: f.Mode, Source: f.Source, Log: f.Log}
	return r.Refuse(ctx, function.No{Drill: in.drill, Actor: in.actor, Cause: in.cause, Check: check, Reason: reason})
}

// run takes an ended drill as far as it goes now.
func (f *Function) run(ctx context.Context, id, cause string) ([]events.Event, error) {
	d, err := f.Journal.Load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil // of another root: delivering it again mends nothing
	}
	if err != nil {
		return nil, err
	}
	c := &conclusion{f: f, d: d, by: f.by("conclude", cause)}
	err = c.run(ctx)
	if errors.Is(err, drill.ErrTransition) || errors.Is(err, drill.ErrAnswered) {
		err = nil // somebody else was faster
	}
	return c.out, err
}

// conclusion takes one drill to its end.
type conclusion struct {
	f   *Function
	d   *drill.Drill
	by  journal.By
	out []events.Event
}

func (c *conclusion) update(ctx context.Context, edit journal.Edit) error {
	d, out, err := c.f.Journal.Update(ctx, c.d.ID, c.by, edit)
	if d != nil {
		c.d = d
	}
	c.out = append(c.out, out...)
	return err
}

func (c *conclusion) run(ctx context.Context) error {
	if !c.d.ReadyToConclude(c.f.Now()) {
		return nil
	}
	if c.d.Status != drill.Concluding {
		if err := c.begin(ctx); err != nil {
			return err
		}
	}
	if !c.d.ReadyToConclude(c.f.Now()) {
		return nil // people are being asked
	}
	if c.d.Verdict == nil {
		err := c.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Decide(d.Judge(now), now) })
		if err != nil {
			return err
		}
	}
	recorded, err := c.record(ctx)
	if err != nil {
		return err
	}
	link := c.f.Link(c.d.ID)
	return c.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Conclude(recorded, link, now) })
}

// report keeps the report of a concluded drill. It follows the fact, so that it is made again until it is there.
func (f *Function) report(ctx context.Context, id string) error {
	d, err := f.Journal.Load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	if err != nil || d.Status != drill.Concluded {
		return err
	}
	return f.Reporter.Keep(ctx, d)
}

// begin measures the claims once more, now that the faults are undone, and asks people.
func (c *conclusion) begin(ctx context.Context) error {
	samples, err := c.f.Journal.Samples(ctx, c.d.ID)
	if err != nil {
		return err
	}
	for _, claim := range c.d.Plan.Expect {
		if claim.HTTP != "" && !c.d.DryRun {
			samples = append(samples, c.f.Prober.Measure(ctx, claim))
		}
	}
	return c.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if d.Status == drill.Concluding {
			return drill.Change{}, drill.ErrTransition
		}
		d.Recount(samples)
		return d.BeginConclude(now)
	})
}

// record writes the verdict into the service's own record. What does not work for RecordTimeout stays pending, and poll goes on trying.
func (c *conclusion) record(ctx context.Context) (bool, error) {
	ref := c.d.Ref(drill.Main)
	sv, err := c.f.Services.For(c.d.Plan.Service, c.d.Plan.Account)
	if err != nil || !sv.Concludes() || ref.ID == "" {
		return err == nil, err
	}
	v := c.d.Verdict
	err = sv.Conclude(ctx, ref, driver.Conclusion{
		Drill: c.d.ID, Verdict: v.Verdict, Expected: v.Verdict == drill.Expected, Summary: v.Summary, Issue: v.Issue, Record: v.Record, Link: c.f.Link(c.d.ID),
	})
	if err == nil {
		return true, nil
	}
	if c.f.Now().After(c.d.Deadline) || !provider.Temporary(provider.CodeOf(err)) {
		c.f.Log.Error("the verdict is not in the service's own record", "drill", c.d.ID, "service", c.d.Plan.Service, "run", ref.ID, "error", err)
		return false, nil
	}
	return false, err
}
