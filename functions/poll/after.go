package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// nudge publishes again what another function should have acted upon: a drill that has not moved may have lost its event.
func (v *visit) nudge(ctx context.Context) error {
	for _, a := range drill.Next(v.d, v.f.Now()) {
		switch a {
		case drill.ActConclude:
			return v.again(ctx, v.d.EndedRev)
		case drill.ActAdvance:
			return v.askAdvance()
		}
	}
	return nil
}

// again publishes the facts of one entry once more, with the ids that they had.
func (v *visit) again(ctx context.Context, rev int) error {
	e, err := v.f.Journal.Entry(ctx, v.d.ID, rev)
	if err != nil {
		return err
	}
	facts, err := facts(e)
	v.out = append(v.out, facts...)
	return err
}

// facts reads an entry's outbox. What is damaged there is no fault of the event at hand, which is to come again: the error wraps nothing.
func facts(e journal.Entry) ([]events.Event, error) {
	out, err := e.Events()
	if err != nil {
		err = errors.New("read what is to be sent again: " + err.Error())
	}
	return out, err
}

// askAdvance asks advance to carry out an answer that is recorded and was left.
func (v *visit) askAdvance() error {
	now := v.f.Now()
	i, open := v.d.OpenAnswer("", now)
	if !open {
		return nil
	}
	a := v.d.Answers[i]
	p := events.Advance{Drill: v.d.ID, Gate: a.Gate, Step: a.Step, Targets: a.Targets, Action: string(a.Action), Parameters: a.Parameters, Note: a.Note, Actor: a.Actor}
	typed := events.Payload(p)
	switch a.Action {
	case drill.ApproveRun:
		typed = events.Approve{Drill: v.d.ID, Gate: a.Gate, Note: a.Note, Actor: a.Actor}
	case drill.RejectRun:
		typed = events.Reject{Drill: v.d.ID, Gate: a.Gate, Note: a.Note, Actor: a.Actor}
	}
	id := events.ID("nudge", v.d.ID, a.Gate, string(a.Action), now.Truncate(time.Minute).Format(time.RFC3339))
	e, err := events.New(events.Envelope{ID: id, Source: v.f.Source, Subject: v.d.ID, Time: now, Cause: v.by.Cause}, typed)
	if err != nil {
		return err
	}
	v.out = append(v.out, e)
	return nil
}

// attend brings what is pending after the end to its end.
func (v *visit) attend(ctx context.Context) error {
	var errs []error
	for _, p := range append([]drill.Pending(nil), v.d.Pending...) {
		errs = append(errs, v.attendOne(ctx, p))
	}
	return errors.Join(errs...)
}

func (v *visit) attendOne(ctx context.Context, p drill.Pending) error {
	if p.What == "stray" {
		return v.result(v.f.Conduct.StopStray(ctx, v.d, p, v.by))
	}
	late := v.f.Now().After(p.Until)
	sv, err := v.f.Conduct.Services.For(v.d.Plan.Service, v.d.Plan.Account)
	if err != nil {
		return err
	}
	ref := v.d.Ref(drill.Main)
	switch p.What {
	case "report":
		rep, err := sv.Report(ctx, ref)
		if err != nil && !late {
			return err
		}
		if rep.State == "pending" && !late {
			return nil
		}
		return v.reported(ctx, p, rep)
	case "record":
		err := sv.Conclude(ctx, ref, Conclusion(v.d, ""))
		if err != nil && provider.Temporary(provider.CodeOf(err)) && !late {
			return err
		}
		if err != nil {
			return v.settle(ctx, p, "the verdict could not be written into the service's own record", err.Error())
		}
		return v.settle(ctx, p, "the verdict is in the service's own record", ref.ID)
	}
	return v.settle(ctx, p, p.What+" was given up", "")
}

// reported keeps the service's report. Its address may be signed, so it stands in the drill's own report and is told to nobody.
func (v *visit) reported(ctx context.Context, p drill.Pending, rep drill.Report) error {
	what := "the service's report is " + orNone(rep.State)
	if rep.URL != "" {
		what += "; see the drill's report"
	}
	return v.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if r := d.Run(drill.Main); r != nil && rep.State != "" {
			r.Report = rep
		}
		return d.Settle(p, what, nil, now), nil
	})
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (v *visit) settle(ctx context.Context, p drill.Pending, what, evidence string) error {
	var ev []string
	if evidence != "" {
		ev = []string{evidence}
	}
	return v.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Settle(p, what, ev, now), nil })
}

// Conclusion is what the service's own record gets.
func Conclusion(d *drill.Drill, link string) driver.Conclusion {
	v := d.Verdict
	return driver.Conclusion{Drill: d.ID, Verdict: v.Verdict, Expected: v.Verdict == drill.Expected, Summary: v.Summary, Issue: v.Issue, Record: v.Record, Link: link}
}

// sweep stops our runs that no active drill of this root stands behind.
func (f *Function) sweep(ctx context.Context, cause string) ([]events.Event, error) {
	root, err := f.Journal.Identity(ctx)
	if err != nil || f.Accounts == nil {
		return nil, err
	}
	var out []events.Event
	var errs []error
	for _, a := range f.Accounts() {
		more, err := f.sweepOne(ctx, a, root, cause)
		out = append(out, more...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func (f *Function) sweepOne(ctx context.Context, a Account, root, cause string) ([]events.Event, error) {
	sv, err := f.Conduct.Services.For(a.Service, a.Account)
	if err != nil {
		return nil, err
	}
	found, ok, err := sv.Find(ctx)
	if err != nil || !ok {
		return nil, err
	}
	var out []events.Event
	var errs []error
	for _, run := range found {
		if !run.Live || run.Drill == "" || run.Root != "" && run.Root != root {
			continue
		}
		more, err := f.orphan(ctx, sv, run, root, cause)
		out = append(out, more...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// orphan decides about one marked run: the runs that its drill knows are left alone; all others are stopped, and the drill says so.
func (f *Function) orphan(ctx context.Context, sv *provider.Service, run driver.Found, root, cause string) ([]events.Event, error) {
	d, err := f.Journal.Load(ctx, run.Drill)
	if errors.Is(err, journal.ErrNotFound) {
		if run.Root != root {
			return nil, nil // a title alone does not prove that it is ours
		}
		f.Log.Error("stopped a run that no drill knows", "service", run.Run.Service, "run", run.Run.ID, "drill", run.Drill)
		return nil, sv.Stop(ctx, run.Run, driver.Stop{Reason: "no drill knows it", By: f.Source, At: f.Now()})
	}
	if err != nil {
		return nil, err
	}
	if !stray(d, run.Run) {
		return nil, f.remember(ctx, d)
	}
	by := journal.By{Actor: "poll", Cause: cause, Source: f.Source}
	d, out, err := f.Journal.Update(ctx, d.ID, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if !stray(d, run.Run) {
			return drill.Change{}, nil
		}
		return d.AddStray(run.Run.ID, now), nil
	})
	if err != nil {
		return out, fmt.Errorf("note the stray run %s: %w", run.Run.ID, err)
	}
	return out, f.Journal.Wake(ctx, d, d.Rev-1)
}

// remember writes the marker of an active drill that has lost it: without one no tick looks at it, and no alarm or halt finds it.
func (f *Function) remember(ctx context.Context, d *drill.Drill) error {
	if !d.Active() {
		return nil
	}
	_, err := f.Journal.Marker(ctx, d.ID)
	if !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	f.Log.Error("an active drill had lost its marker", "drill", d.ID)
	return f.Journal.PutMarker(ctx, journal.MarkerOf(d))
}

// stray reports whether a marked run should not be there: its drill is over, or has another run.
func stray(d *drill.Drill, run drill.Run) bool {
	for role, r := range d.Runs {
		if r.ID == run.ID || r.Prepared == run.ID {
			told := d.Restored.State == drill.RestoreFailed || d.Restored.State == drill.RestoreUnproven // its faults are a person's now
			return role == drill.Main && d.Status.Final() && d.Restored.State.Decided() && !told
		}
	}
	if d.Preview != nil && d.Preview.Run == run.ID || d.Status == drill.Previewing || d.Status == drill.Starting || d.Status == drill.Stopping {
		return false
	}
	return d.Status.Ended() || d.RunID() != ""
}
