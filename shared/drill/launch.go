package drill

import (
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
)

// Timing of a start.
const (
	CallTimeout = 20 * time.Second // the longest one call to a service may take
	LaunchLease = 60 * time.Second // how long the author of an intent may call
	LookupGap   = 30 * time.Second // between the two lookups that prove a run was never started: longer than a read is stale
	MaxAttempts = 5
	startSlack  = 5 * time.Second // by how much the service may differ from us about a start before it is written down
)

// Intend records that by, and nobody else, may now call the service for this role, until the lease ends. seen are the run
// ids that existed before; late is how long after the lease a call may still take effect at the service. A second attempt is legal
// only after the first one's lease.
func (d *Drill) Intend(role Role, by string, seen []string, late time.Duration, now time.Time) (Change, error) {
	r := d.run(role)
	switch {
	case r.ID != "":
		return Change{}, fmt.Errorf("%w: drill %s has its %s run %s already", ErrTransition, d.ID, role, r.ID)
	case r.Intent.Attempt > 0 && now.Before(r.Intent.Until):
		return Change{}, fmt.Errorf("%w: drill %s is being started by another until %s", ErrTransition, d.ID, r.Intent.Until.Format(time.RFC3339))
	}
	if role == Main && d.Status != Starting {
		if err := d.to(Starting); err != nil {
			return Change{}, err
		}
	}
	next := Intent{Attempt: r.Intent.Attempt + 1, By: by, Until: now.Add(LaunchLease), Since: now, Seen: seen, Late: Duration(late)}
	if r.Intent.Attempt > 0 {
		next.Since, next.Seen = r.Intent.Since, r.Intent.Seen
		if open := r.Intent.Settles(); open.After(now) {
			next.Open = open
		}
	}
	r.Intent = next
	d.Gates = nil
	if role == Main {
		d.Deadline = r.Intent.Until.Add(2 * time.Minute)
	}
	return Change{What: fmt.Sprintf("%s run: attempt %d begins", role, r.Intent.Attempt)}, nil
}

// MayCall reports whether the author may call the service now: its intent stands, the drill still wants to start, and a full
// call timeout is left before the lease ends.
func (d *Drill) MayCall(role Role, by string, now time.Time) bool {
	r := d.Runs[role]
	if r == nil || r.ID != "" || r.Never || r.Intent.By != by || now.Add(CallTimeout).After(r.Intent.Until) {
		return false
	}
	return role != Main || d.Status == Starting
}

// SetPrepared records the inert task that alone may be executed. Only the first one counts.
func (d *Drill) SetPrepared(role Role, id string) (Change, error) {
	r := d.run(role)
	if r.Prepared != "" && r.Prepared != id {
		return Change{}, fmt.Errorf("%w: drill %s executes %s, not %s", ErrTransition, d.ID, r.Prepared, id)
	}
	r.Prepared = id
	return Change{What: fmt.Sprintf("%s run: task %s prepared, not executed", role, id)}, nil
}

// SetRun records the id of a run that was started, by the reply of our call or, adopted, by a lookup. It is legal in every
// state: a run that appears after the drill ended is kept as a stray, to be stopped.
func (d *Drill) SetRun(role Role, id string, adopted bool, now time.Time) (Change, error) {
	r := d.run(role)
	switch {
	case r.ID == id:
		return Change{}, fmt.Errorf("%w: run %s is known", ErrAnswered, id)
	case r.ID != "" || r.Never || d.Status == Refused || role == Main && d.Status.Ended():
		return d.AddStray(id, now), nil
	}
	r.ID, r.Adopted, r.Phase = id, adopted, PhasePending
	how := "started"
	if adopted {
		how = "found, not known from its reply; adopted"
	}
	c := Change{What: fmt.Sprintf("%s run %s %s", role, id, how)}
	if role != Main {
		return c, nil
	}
	if d.StartedAt = now; adopted { // it may have begun with our first call; the service says when, once it is read
		d.StartedAt = r.Intent.Since
	}
	if d.Status == Starting {
		if err := d.to(Running); err != nil {
			return Change{}, err
		}
		d.Deadline = d.StartedAt.Add(d.Plan.MaxDuration.D())
		c.Facts = append(c.Facts, events.Started{About: d.about(now)})
	}
	return c, nil
}

// AddStray keeps a run that should not be there until it is stopped.
func (d *Drill) AddStray(id string, now time.Time) Change {
	for _, p := range d.Pending {
		if p.What == "stray" && p.Run == id {
			return Change{}
		}
	}
	d.Pending = append(d.Pending, Pending{What: "stray", Run: id, Until: now.Add(24 * time.Hour)})
	what := fmt.Sprintf("run %s appeared after the drill had ended: it will be stopped", id)
	return Change{What: what, Facts: []events.Payload{events.Attached{About: d.about(now), What: what}}}
}

// GiveUp records that the author's call failed. Only when it is sure that nothing was done does the lease end early, so that others may
// look at once; a call whose outcome is open may still take effect, and keeps the lease. The error is kept.
func (d *Drill) GiveUp(role Role, by, problem string, undone bool, now time.Time) (Change, error) {
	r := d.run(role)
	if r.Intent.By != by || r.ID != "" {
		return Change{}, fmt.Errorf("%w: the intent is not %s's", ErrTransition, by)
	}
	if r.Intent.Undone = undone; undone && now.Before(r.Intent.Until) {
		r.Intent.Until = now
	}
	d.LastError = clip(problem, maxText)
	return Change{What: fmt.Sprintf("%s run: attempt %d failed: %s", role, r.Intent.Attempt, d.LastError)}, nil
}

// FoundNothing records a lookup after the lease, begun at the time given, that found no run. While a call of ours may still take effect
// it proves nothing and is noted once, so that people know what is waited for. After two that count, LookupGap apart, the run was
// never started.
func (d *Drill) FoundNothing(role Role, at time.Time) Change {
	r := d.run(role)
	if settles := r.Intent.Settles(); at.Before(settles) {
		if !r.Intent.Missed.IsZero() {
			return Change{}
		}
		r.Intent.Missed = at
		c := Change{What: fmt.Sprintf("%s run: nothing found; a call to start it may still take effect until %s", role, settles.Format(time.RFC3339))}
		if d.Status == Stopping && role == Main {
			c.Facts = append(c.Facts, events.Progressed{About: d.about(at), Changes: []string{"the stop is asked for and not confirmed: no run is there, and a call to start it may still take effect until " +
				settles.Format(time.RFC3339) + "; a run that appears is stopped at once"}})
		}
		return c
	}
	n := len(r.Intent.Lookups)
	if n > 0 && at.Sub(r.Intent.Lookups[n-1]) < LookupGap {
		return Change{}
	}
	r.Intent.Lookups = append(r.Intent.Lookups, at)
	return Change{What: fmt.Sprintf("%s run: lookup %d found nothing", role, n+1)}
}

// NeverStarted reports whether two lookups, far enough apart and made when no call could take effect any more, found nothing.
func (d *Drill) NeverStarted(role Role) bool {
	r := d.Runs[role]
	return r != nil && r.ID == "" && len(r.Intent.Lookups) >= 2
}

// LookupDue reports whether it is time to look for a role's run: the lease is over, and the last lookup that counts is old enough.
func (d *Drill) LookupDue(role Role, now time.Time) bool {
	r := d.Runs[role]
	if r == nil || r.ID != "" || r.Never || r.Intent.Attempt == 0 || now.Before(r.Intent.Until) {
		return false
	}
	n := len(r.Intent.Lookups)
	return n == 0 || now.Sub(r.Intent.Lookups[n-1]) >= LookupGap
}

// SettleNever ends a drill whose run was never started: stopped when a stop was asked for, failed otherwise.
func (d *Drill) SettleNever(why string, now time.Time) (Change, error) {
	d.run(Main).Never = true
	if d.Stop != nil {
		return d.endStopped([]string{why}, Restored{State: RestoreNeedless, At: now, Evidence: []string{why}}, now)
	}
	return d.end(Failed, why, Restored{State: RestoreNeedless, At: now, Evidence: []string{why}}, now)
}

// SettleUnknown ends a drill that has several runs to choose from, of which none goes on any more: which one was its own nobody knows,
// and so nobody knows what it left behind.
func (d *Drill) SettleUnknown(why string, evidence []string, now time.Time) (Change, error) {
	d.run(Main).Never = true
	restored := Restored{State: RestoreUnproven, Evidence: []string{why}}
	if d.Stop != nil {
		return d.endStopped(some(evidence), restored, now)
	}
	return d.end(Failed, why, restored, now)
}

// Unsettled returns until when a call of ours whose outcome is open may still take effect at the service, and set something going:
// one that starts the run, or one that carries out an answer. It is the zero time when there is none.
func (d *Drill) Unsettled(now time.Time) time.Time {
	r := d.Runs[Main]
	if r == nil || r.Never {
		return time.Time{}
	}
	var until time.Time
	if r.ID == "" && r.Intent.Attempt > 0 {
		until = r.Intent.Settles()
	}
	for _, a := range d.Answers {
		if at := a.Lease.Until.Add(r.Intent.Late.D()); a.open() && at.After(until) {
			until = at
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// open reports whether a call that carried the answer out may have got no reply, and could set something going: a reply settles the
// one attempt that got it, and no earlier one.
func (a Answered) open() bool {
	return a.Action != PauseRun && (a.Tries > 1 || !a.Done && a.Error == "")
}
