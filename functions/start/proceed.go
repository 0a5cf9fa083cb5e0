package start

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// journey takes one drill as far as it goes now.
type journey struct {
	f   *Function
	d   *drill.Drill
	by  journal.By
	out []events.Event
}

func (f *Function) proceed(ctx context.Context, d *drill.Drill, cause string) ([]events.Event, error) {
	j := &journey{f: f, d: d, by: f.by(d.Actor, cause)}
	if d.Rev == 1 { // an earlier instance may have died before the drill had its place in the index
		if err := f.Journal.PutIndex(ctx, d.RequestedAt, d.ID, []byte(d.Plan.Name)); err != nil {
			return nil, err
		}
	}
	err := j.run(ctx)
	if errors.Is(err, drill.ErrTransition) || errors.Is(err, drill.ErrAnswered) {
		err = nil // somebody else was faster; the next tick sees what they left
	}
	return j.out, err
}

func (j *journey) run(ctx context.Context) error {
	acts := drill.Next(j.d, j.f.Now())
	switch {
	case slices.Contains(acts, drill.ActExpire):
		return j.expire(ctx)
	case slices.Contains(acts, drill.ActStart):
		return j.start(ctx)
	case slices.Contains(acts, drill.ActLookup) && j.d.Status == drill.Starting:
		return j.lookup(ctx)
	}
	return nil
}

// update changes the drill unless it has left the status that the decision was made in.
func (j *journey) update(ctx context.Context, edit journal.Edit) error {
	was := j.d.Status
	d, out, err := j.f.Journal.Update(ctx, j.d.ID, j.by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if d.Status != was {
			return drill.Change{}, drill.ErrTransition
		}
		return edit(d, now)
	})
	if d != nil {
		j.d = d
	}
	j.out = append(j.out, out...)
	return err
}

func (j *journey) refuse(ctx context.Context, no *drill.Refusal) error {
	j.f.Log.Info("refused", "drill", j.d.ID, "check", no.Check, "reason", no.Reason)
	return j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Refuse(no.Check, no.Reason, now) })
}

func (j *journey) expire(ctx context.Context) error {
	no := &drill.Refusal{Check: guard.CheckExpired, Reason: "it was not started in time; ask again"}
	switch {
	case j.d.Status == drill.Previewing:
		no = &drill.Refusal{Check: guard.CheckPreview, Reason: "the preview did not end in time"}
	case j.d.AwaitsApproval() && j.d.Approvals.Approved:
		no = &drill.Refusal{Check: guard.CheckExpired, Reason: "it was approved and could not be started in time; ask again"}
	case j.d.AwaitsApproval():
		no = &drill.Refusal{Check: guard.CheckApproval, Reason: "nobody approved it in time"}
	}
	return j.refuse(ctx, no)
}

// start goes through guards, preview and approval to the launch.
func (j *journey) start(ctx context.Context) error {
	if struck, err := j.strike(ctx); err != nil || struck {
		return err
	}
	if no := j.f.Guard.Start(ctx, j.d); no != nil {
		return j.refuse(ctx, no)
	}
	if j.d.WantsPreview() {
		if done, err := j.preview(ctx); err != nil || !done {
			return err
		}
	}
	if reason := j.d.OutOfBounds(); reason != "" {
		return j.refuse(ctx, &drill.Refusal{Check: guard.CheckTargets, Reason: reason})
	}
	if j.d.DryRun {
		return j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.EndDryRun(now) })
	}
	if j.d.NeedsApproval() {
		return j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.AskApproval(now) })
	}
	if no := j.f.Guard.Start(ctx, j.d); no != nil {
		return j.refuse(ctx, no)
	}
	if no := j.f.Guard.Lock(ctx, j.d); no != nil {
		return j.refuse(ctx, no)
	}
	r, err := j.f.Conduct.Launch(ctx, j.d, drill.Main, j.f.Guard.Look, j.by)
	j.d, j.out = r.Drill, append(j.out, r.Out...)
	return errors.Join(err, j.chase())
}

// strike takes out votes of people who may not approve, and reports whether there were any: the drill is then looked at again when it
// is approved by others, or at the next tick.
func (j *journey) strike(ctx context.Context) (bool, error) {
	if !j.d.AwaitsApproval() {
		return false, nil
	}
	policy, plan := j.f.Access(), j.d.Plan
	may := func(actor string) bool { return policy.Holds(actor, plan.Approver(), plan.Environment) }
	if !slices.ContainsFunc(j.d.Approvals.Votes, func(v drill.Vote) bool { return !may(v.Actor) }) {
		return false, nil
	}
	err := j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Strike(may, now), nil })
	j.f.Log.Info("votes struck", "drill", j.d.ID, "check", guard.CheckAccess)
	return true, err
}

// preview asks the service what would happen. It is not done while a preview that is itself a run goes on.
func (j *journey) preview(ctx context.Context) (done bool, err error) {
	if j.d.Status == drill.Requested {
		err := j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.BeginPreview(now) })
		if err != nil {
			return false, err
		}
	}
	req, sv, err := j.f.Conduct.Request(j.d, drill.Preview)
	if err != nil {
		return false, err
	}
	p, ok, err := sv.Preview(ctx, req)
	switch {
	case err != nil && provider.Temporary(provider.CodeOf(err)):
		return false, err
	case err != nil:
		return false, j.refuse(ctx, &drill.Refusal{Check: guard.CheckPreview, Reason: err.Error()})
	case !ok:
		p = driver.Preview{Proved: "nothing", Done: true, Notes: []string{"the service has no preview"}}
	case p.Refusal != "":
		return false, j.refuse(ctx, &drill.Refusal{Check: guard.CheckPreview, Reason: p.Refusal})
	case !p.Done:
		return false, nil
	}
	seen := drill.Previewed{Proved: p.Proved, Targets: p.Targets, Notes: p.Notes}
	if p.Run != nil {
		seen.Run = p.Run.ID
	}
	err = j.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.SetPreview(seen, now), nil })
	return err == nil, err
}

// lookup carries on a start whose author is gone.
func (j *journey) lookup(ctx context.Context) error {
	r, err := j.f.Conduct.Resume(ctx, j.d, drill.Main, j.f.Guard.Look, j.by)
	j.d, j.out = r.Drill, append(j.out, r.Out...)
	return errors.Join(err, j.chase())
}

// chase asks abort to stop a run that began after its stop was asked: start has no right to stop.
func (j *journey) chase() error {
	if j.d.Status != drill.Stopping || j.d.RunID() == "" {
		return nil
	}
	now := j.f.Now()
	e, err := events.New(events.Envelope{ID: events.ID("chase", j.d.ID, j.d.RunID()), Source: j.f.Source, Subject: j.d.ID, Time: now, Cause: j.by.Cause},
		events.Stop{Drill: j.d.ID, Actor: j.d.Stop.By, Reason: strings.TrimSpace("started while the stop was being asked: " + j.d.Stop.Reason)})
	if err != nil {
		return err
	}
	j.out = append(j.out, e)
	return nil
}
