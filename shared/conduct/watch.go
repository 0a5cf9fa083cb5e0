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

// rereads bounds how often an observation is made again because others wrote meanwhile.
const rereads = 5

// Observe reads a role's run and records what moved. The reading is bound to the rev it was made against: on a conflict it is thrown
// away and made again.
func (c *Conductor) Observe(ctx context.Context, d *drill.Drill, role drill.Role, by journal.By) (Result, error) {
	r := Result{Drill: d}
	sv, err := c.Services.For(d.Plan.Service, d.Plan.Account)
	if err != nil {
		return r, err
	}
	for range rereads {
		ref := r.Drill.Ref(role)
		if ref.ID == "" {
			return r, nil
		}
		asked := c.Now()
		o, err := sv.Observe(ctx, ref)
		if err != nil {
			return r, c.blind(ctx, &r, err, by)
		}
		o.Asked = asked
		if role == drill.Recovery {
			o.ByHand = c.recoverByHand(r.Drill, sv)
		}
		ch, err := r.Drill.Observe(o, c.Now())
		if err != nil {
			return r, err
		}
		if ch.What == "" {
			return r, nil
		}
		out, err := c.Journal.Commit(ctx, r.Drill, ch, by)
		if !errors.Is(err, journal.ErrConflict) {
			r.Out = append(r.Out, out...)
			return r, err
		}
		fresh, err := c.Journal.Load(ctx, d.ID)
		if err != nil {
			return r, err
		}
		r.Drill = fresh
	}
	return r, nil
}

// blind keeps a run's last error when it cannot be read, once per error, so that an escalation can show it.
func (c *Conductor) blind(ctx context.Context, r *Result, problem error, by journal.By) error {
	if provider.Temporary(provider.CodeOf(problem)) {
		return problem
	}
	return c.noteError(ctx, r, problem, by)
}

func (c *Conductor) noteError(ctx context.Context, r *Result, problem error, by journal.By) error {
	return c.update(ctx, r, by, func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		if d.LastError == problem.Error() {
			return drill.Change{}, nil
		}
		return d.NoteError(problem.Error()), nil
	})
}

// Stop leases the next call that stops or restores, makes it, and reads what became of the run. It does nothing while another
// instance holds the lease, or when there is nothing left to undo.
func (c *Conductor) Stop(ctx context.Context, d *drill.Drill, by journal.By) (Result, error) {
	r := Result{Drill: d}
	if d.Ref(drill.Main).ID == "" {
		return r, nil
	}
	me, leased := c.Nonce(), false
	err := c.update(ctx, &r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		var ch drill.Change
		if d.Status.Ended() && d.Restored.State.Decided() {
			return ch, nil
		}
		ch, leased = d.LeaseStop(me, now)
		return ch, nil
	})
	if err != nil || !leased {
		return r, err
	}
	return r, c.CallStop(ctx, &r, by)
}

// CallStop makes one Stop call without a lease of its own: the caller holds it, or the journal could not be asked in time.
func (c *Conductor) CallStop(ctx context.Context, r *Result, by journal.By) error {
	d := r.Drill
	sv, err := c.Services.For(d.Plan.Service, d.Plan.Account)
	if err != nil {
		return err
	}
	s := StopOf(d, "restore", by.Actor, c.Now())
	if d.Stop != nil {
		s = StopOf(d, d.Stop.Reason, d.Stop.By, d.Stop.RequestedAt)
	}
	if err := sv.Stop(ctx, d.Ref(drill.Main), s); err != nil {
		return errors.Join(err, c.noteError(ctx, r, err, by))
	}
	seen, err := c.Observe(ctx, d, drill.Main, by)
	r.add(seen.Drill, seen.Out)
	return err
}

// StopOf makes the driver's stop of a drill's run.
func StopOf(d *drill.Drill, reason, by string, at time.Time) driver.Stop {
	return driver.Stop{Reason: reason, By: by, At: at, Block: d.Block}
}

// Recover brings the recovery run forward: begins it, looks for it, or reads it.
func (c *Conductor) Recover(ctx context.Context, d *drill.Drill, by journal.By) (Result, error) {
	s := d.Run(drill.Recovery)
	switch {
	case s == nil || s.Intent.Attempt == 0:
		return c.Launch(ctx, d, drill.Recovery, nil, by)
	case s.ID != "":
		return c.Observe(ctx, d, drill.Recovery, by)
	case d.LookupDue(drill.Recovery, c.Now()):
		return c.Resume(ctx, d, drill.Recovery, nil, by)
	}
	return Result{Drill: d}, nil
}

// CarryOut makes the move of one recorded answer and records how it went. After an ambiguous call the run is read, never pushed again
// blindly: a driver refuses a move whose step no longer waits.
func (c *Conductor) CarryOut(ctx context.Context, d *drill.Drill, i int, by journal.By) (Result, error) {
	r := Result{Drill: d}
	sv, err := c.Services.For(d.Plan.Service, d.Plan.Account)
	if err != nil {
		return r, err
	}
	lease := d.Answers[i].Lease.Until.Sub(c.Now())
	if lease < drill.CallTimeout {
		return r, nil // it stood still: whoever comes next carries it out
	}
	again := d.Answers[i].Tries > 1
	in, cancel := context.WithTimeout(ctx, lease)
	err = sv.Advance(in, d.Ref(drill.Main), d.Answers[i].Move)
	cancel()
	code := provider.CodeOf(err)
	problem := ""
	switch {
	case err == nil:
	case code == driver.NotNow && again:
		// an earlier attempt of ours went through before its reply was recorded
	case code == driver.Uncertain || code == driver.Unavailable || code == driver.Throttled || code == driver.Expired:
		return r, errors.Join(err, c.noteError(ctx, &r, err, by))
	default:
		problem = err.Error()
	}
	err = c.update(ctx, &r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if d.Answers[i].Done || d.Answers[i].Error != "" {
			return drill.Change{}, nil
		}
		return d.SettleAnswer(i, problem, now), nil
	})
	if err != nil {
		return r, err
	}
	seen, err := c.Observe(ctx, r.Drill, drill.Main, by)
	r.add(seen.Drill, seen.Out)
	return r, err
}

// StopStray stops a run that appeared after its drill ended, and says so once it is over.
func (c *Conductor) StopStray(ctx context.Context, d *drill.Drill, p drill.Pending, by journal.By) (Result, error) {
	r := Result{Drill: d}
	sv, err := c.Services.For(d.Plan.Service, d.Plan.Account)
	if err != nil {
		return r, err
	}
	ref := d.Ref(drill.Main)
	ref.ID = p.Run
	o, err := sv.Observe(ctx, ref)
	if err != nil && provider.CodeOf(err) != driver.NotFound {
		return r, err
	}
	still := o.Phase.Final() || o.Phase == drill.PhasePrepared || len(o.Gates) > 0
	lost := still && o.Restoration == drill.RestoreFailed
	over := err != nil || lost || o.Quiet && still && o.Restoration.Decided()
	if !over {
		return r, sv.Stop(ctx, ref, driver.Stop{Reason: "the drill is over", By: by.Source, At: c.Now(), Block: d.Block})
	}
	what := fmt.Sprintf("run %s, which appeared late, is over", p.Run)
	if lost {
		what = fmt.Sprintf("run %s, which appeared late, was stopped and its faults could not be undone: a person must look", p.Run)
	}
	return r, c.update(ctx, &r, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Settle(p, what, o.Evidence, now), nil
	})
}
