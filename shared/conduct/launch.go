package conduct

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Look is the second look at levers, alarms and freezes, after the intent is durable and before the call. abort writes its record
// before it lists the drills, and Launch writes the intent before it looks: one of the two sees the other.
type Look func(ctx context.Context, d *drill.Drill) *drill.Refusal

// Launch starts a role's run under a new intent. It returns without error when somebody else is at it.
func (c *Conductor) Launch(ctx context.Context, d *drill.Drill, role drill.Role, look Look, by journal.By) (Result, error) {
	r := Result{Drill: d}
	req, sv, err := c.Request(d, role)
	if err != nil {
		return r, err
	}
	seen, err := sv.Seen(ctx, req)
	if err != nil {
		return r, err
	}
	if err := c.Journal.PutMarker(ctx, journal.MarkerOf(d)); err != nil {
		return r, err
	}
	me, known := c.Nonce(), attempts(d, role)
	err = c.update(ctx, &r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if n := attempts(d, role); n != known {
			return drill.Change{}, fmt.Errorf("%w: drill %s is at attempt %d, which nobody has looked up yet", drill.ErrTransition, d.ID, n)
		}
		return d.Intend(role, me, seen, sv.Facts().Late(), now)
	})
	if errors.Is(err, drill.ErrTransition) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	l := launch{c: c, r: &r, role: role, sv: sv, me: me, look: look, by: by}
	err = l.call(ctx)
	return r, err
}

// attempts counts the intents of a role's run. An author that begins a further one must have looked up the one before: a lease that
// another gave up since the author last read the drill does not make its call undone.
func attempts(d *drill.Drill, role drill.Role) int {
	if s := d.Run(role); s != nil {
		return s.Intent.Attempt
	}
	return 0
}

// launch is one author's attempt.
type launch struct {
	c    *Conductor
	r    *Result
	role drill.Role
	sv   *provider.Service
	me   string
	look Look
	by   journal.By
}

func (l *launch) call(ctx context.Context) error {
	if l.look != nil {
		if no := l.look(ctx, l.r.Drill); no != nil {
			return l.refuse(ctx, no)
		}
	}
	if l.sv.Prepares() && l.r.Drill.Run(l.role).Prepared == "" {
		if err := l.prepare(ctx); err != nil || l.r.Drill.Run(l.role).Prepared == "" {
			return err
		}
	}
	if !l.may() {
		return l.giveUp(ctx, "its turn was over before the call", true)
	}
	req, _, err := l.c.Request(l.r.Drill, l.role)
	if err != nil {
		return err
	}
	in, cancel := l.leased(ctx)
	run, err := l.sv.Start(in, req)
	cancel()
	if err != nil {
		return l.failed(ctx, err)
	}
	return l.c.adopt(ctx, l.r, l.role, run.ID, false, l.by)
}

// may reports whether the call is still ours to make. The lease is read against the clock here, right before the call.
func (l *launch) may() bool { return l.r.Drill.MayCall(l.role, l.me, l.c.Now()) }

// leased ends a call, and the repetitions of one that the service declined, with the lease.
func (l *launch) leased(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.r.Drill.Run(l.role).Intent.Until.Sub(l.c.Now()))
}

func (l *launch) prepare(ctx context.Context) error {
	if !l.may() {
		return l.giveUp(ctx, "its turn was over before the call", true)
	}
	req, _, err := l.c.Request(l.r.Drill, l.role)
	if err != nil {
		return err
	}
	in, cancel := l.leased(ctx)
	run, err := l.sv.Prepare(in, req)
	cancel()
	if err != nil {
		return l.failed(ctx, err)
	}
	err = l.c.update(ctx, l.r, l.by, func(d *drill.Drill, _ time.Time) (drill.Change, error) { return d.SetPrepared(l.role, run.ID) })
	if errors.Is(err, drill.ErrTransition) {
		return nil // another task was recorded first; ours stays inert
	}
	return err
}

// failed sorts an error of the service: what it declined ends the drill, what is open is left to lookups.
func (l *launch) failed(ctx context.Context, err error) error {
	code := provider.CodeOf(err)
	open := code == driver.Uncertain || code == driver.Unknown
	later := code == driver.Throttled || code == driver.Expired || code == driver.Unavailable
	// A further attempt may be declined because of an earlier one that went through, and a prepared task because it was executed.
	later = later || attempts(l.r.Drill, l.role) > 1
	executed := l.sv.Prepares() && (code == driver.NotNow || code == driver.Conflict)
	if open || executed || later && l.sv.Facts().LookupIsExact {
		return l.giveUp(ctx, err.Error(), !open)
	}
	return l.refuse(ctx, &drill.Refusal{Check: "service", Reason: err.Error()})
}

func (l *launch) giveUp(ctx context.Context, why string, undone bool) error {
	err := l.c.update(ctx, l.r, l.by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.GiveUp(l.role, l.me, why, undone, now)
	})
	if errors.Is(err, drill.ErrTransition) {
		return nil
	}
	return err
}

// refuse ends the drill: nothing was called, or the service declined. While a call of an earlier attempt may still take effect it only
// ends this attempt.
func (l *launch) refuse(ctx context.Context, no *drill.Refusal) error {
	if l.r.Drill.Run(l.role).Intent.Open.After(l.c.Now()) {
		return l.giveUp(ctx, no.Check+": "+no.Reason, true)
	}
	err := l.c.update(ctx, l.r, l.by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		switch {
		case d.Run(l.role).Intent.By != l.me:
			return drill.Change{}, nil
		case l.role == drill.Recovery:
			return d.FailRestoration("the recovery run could not be started: "+no.Reason, no.Reason, l.c.recoverByHand(d, l.sv), now), nil
		case d.Status == drill.Stopping:
			return d.SettleNever("the run was never started: "+no.Reason, now)
		}
		return d.Refuse(no.Check, no.Reason, now)
	})
	if errors.Is(err, drill.ErrTransition) {
		return nil
	}
	return err
}

// adopt records a run's id, from a reply or from a lookup, and keeps the marker able to match the service's own events.
func (c *Conductor) adopt(ctx context.Context, r *Result, role drill.Role, id string, found bool, by journal.By) error {
	err := c.update(ctx, r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.SetRun(role, id, found, now) })
	if errors.Is(err, drill.ErrAnswered) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Journal.Wake(ctx, r.Drill, r.Drill.Rev-1)
}

// Resume carries on a start whose author's lease is over: it looks for the run, read-only, and adopts it; only when nothing is there,
// and the drill still wants to start, it begins a further attempt.
func (c *Conductor) Resume(ctx context.Context, d *drill.Drill, role drill.Role, look Look, by journal.By) (Result, error) {
	r := Result{Drill: d}
	req, sv, err := c.Request(d, role)
	if err != nil {
		return r, err
	}
	if s := d.Run(role); s != nil && s.Prepared != "" {
		return c.resumePrepared(ctx, r, role, sv, look, by)
	}
	at := c.Now()
	found, err := sv.Lookup(ctx, req)
	if err != nil {
		return r, err
	}
	switch {
	case len(found) == 0:
		return c.foundNothing(ctx, r, role, sv, at, look, by)
	case sv.Prepares():
		err := c.update(ctx, &r, by, func(d *drill.Drill, _ time.Time) (drill.Change, error) { return d.SetPrepared(role, found[0].ID) })
		if err != nil {
			return r, err
		}
		return c.resumePrepared(ctx, r, role, sv, look, by)
	case len(found) > 1 && !sv.Facts().LookupIsExact:
		return r, c.ambiguous(ctx, &r, sv, found, by)
	}
	if err := c.adopt(ctx, &r, role, found[0].ID, true, by); err != nil {
		return r, err
	}
	for _, extra := range found[1:] {
		if err := c.adopt(ctx, &r, role, extra.ID, true, by); err != nil {
			return r, err
		}
	}
	return r, nil
}

// resumePrepared reads the recorded task: executed means it is ours, inert means it may be executed.
func (c *Conductor) resumePrepared(ctx context.Context, r Result, role drill.Role, sv *provider.Service, look Look, by journal.By) (Result, error) {
	ref, at := r.Drill.Ref(role), c.Now()
	o, err := sv.Observe(ctx, ref)
	if err != nil {
		return r, err
	}
	if o.Phase != drill.PhasePrepared {
		return r, c.adopt(ctx, &r, role, ref.ID, true, by)
	}
	if attempts(r.Drill, role) >= drill.MaxAttempts {
		return c.foundNothing(ctx, r, role, sv, at, look, by) // one reading may be stale
	}
	return c.again(ctx, r, role, look, by)
}

// again begins a further attempt, if the drill still wants to start.
func (c *Conductor) again(ctx context.Context, r Result, role drill.Role, look Look, by journal.By) (Result, error) {
	if role == drill.Main && r.Drill.Status != drill.Starting {
		return r, nil
	}
	out := r.Out
	next, err := c.Launch(ctx, r.Drill, role, look, by)
	next.Out = append(out, next.Out...)
	return next, err
}

// foundNothing records a lookup that was begun at the given time, and does what follows from it.
func (c *Conductor) foundNothing(ctx context.Context, r Result, role drill.Role, sv *provider.Service, at time.Time, look Look, by journal.By) (Result, error) {
	err := c.update(ctx, &r, by, func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		if !d.LookupDue(role, at) {
			return drill.Change{}, nil
		}
		return d.FoundNothing(role, at), nil
	})
	if err != nil {
		return r, err
	}
	exact := sv.Facts().LookupIsExact
	starting := role != drill.Main || r.Drill.Status == drill.Starting
	if exact && starting && attempts(r.Drill, role) < drill.MaxAttempts {
		return c.again(ctx, r, role, look, by)
	}
	if !r.Drill.NeverStarted(role) {
		return r, nil
	}
	why := "two lookups, made when no call of ours could take effect any more, found no run: it was never started"
	if n := attempts(r.Drill, role); n >= drill.MaxAttempts {
		why = tooMany(n, r.Drill.LastError)
	}
	return r, c.update(ctx, &r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if d.Run(role).ID != "" || d.Status.Ended() && role == drill.Main {
			return drill.Change{}, nil
		}
		if role == drill.Recovery {
			return d.FailRestoration("recovery: "+why, d.LastError, c.recoverByHand(d, sv), now), nil
		}
		return d.SettleNever(why, now)
	})
}

func tooMany(n int, problem string) string {
	return fmt.Sprintf("the service could not be started in %d attempts: %s", n, problem)
}

// ambiguous escalates once per deadline: several runs could be ours, and none may be taken. The drill ends when their time is over and none
// of them goes on.
func (c *Conductor) ambiguous(ctx context.Context, r *Result, sv *provider.Service, found []drill.Run, by journal.By) error {
	var final []string
	past := c.Now().After(r.Drill.Run(drill.Main).Intent.Since.Add(r.Drill.Plan.MaxDuration.D() + drill.RecordTimeout))
	if past {
		var err error
		if final, err = over(ctx, sv, r.Drill.Ref(drill.Main), found); err != nil {
			return err
		}
	}
	return c.update(ctx, r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if past && len(final) == len(found) {
			return d.SettleUnknown("several runs could have been this drill's, and nobody said which: what is left of its faults is not known", final, now)
		}
		if d.Escalations > 0 && now.Before(d.Deadline) {
			return drill.Change{}, nil
		}
		return d.Escalate(fmt.Sprintf("%d runs could be this drill's (%s and others): look in the console and stop what should not run", len(found), found[0].ID), "", now), nil
	})
}

// over reads the candidates, and returns a line for each that goes on no more.
func over(ctx context.Context, sv *provider.Service, ref drill.Run, found []drill.Run) ([]string, error) {
	var final []string
	for _, run := range found {
		ref.ID = run.ID
		o, err := sv.Observe(ctx, ref)
		if err != nil {
			return nil, err
		}
		if o.Phase.Final() {
			final = append(final, "run "+run.ID+" is "+o.Vendor)
		}
	}
	return final, nil
}
