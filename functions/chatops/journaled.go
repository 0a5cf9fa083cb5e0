package chatops

import (
	"context"
	"errors"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// Journaled appends urgent commands to the journal at once. The facts that follow are published right after; those that are not
// stay in the outbox, and poll sends them.
type Journaled struct {
	Journal   *journal.Journal
	Publisher Publisher
	Now       func() time.Time
	Source    string
}

var _ Inputs = (*Journaled)(nil)

// Stop asks for the stop of one drill, or of all that are active.
func (j *Journaled) Stop(ctx context.Context, p events.Stop) error {
	if p.Drill != "all" {
		return j.update(ctx, p.Drill, p.Actor, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.AskStop(drill.StopByPerson, p.Actor, p.Reason, "", now)
		})
	}
	ids, err := j.Journal.ActiveIDs(ctx)
	errs := []error{err}
	for _, id := range ids {
		p.Drill = id
		if err := j.Stop(ctx, p); !errors.Is(err, drill.ErrAnswered) && !errors.Is(err, journal.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Halt engages the lever: from then on nothing of its scope starts. Stopping what runs is abort's.
func (j *Journaled) Halt(ctx context.Context, p events.Halt) error {
	_, err := guard.SetLever(ctx, j.Journal, guard.Lever{Scope: p.Scope, Engaged: true, Reason: p.Reason, Actor: p.Actor, At: j.Now()})
	return err
}

// Approve counts a vote for the start of a drill. Approvals inside a run are the service's, and go by the bus.
func (j *Journaled) Approve(ctx context.Context, p events.Approve) error {
	return j.update(ctx, p.Drill, p.Actor, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if !d.AwaitsApproval() || p.Gate != "" && p.Gate != d.Approvals.Gate {
			return drill.Change{}, nil
		}
		return d.Approve(p.Actor, p.Note, now)
	})
}

func (j *Journaled) update(ctx context.Context, id, actor string, edit journal.Edit) error {
	_, out, err := j.Journal.Update(ctx, id, journal.By{Actor: actor, Source: j.Source}, edit)
	if err != nil || len(out) == 0 {
		return err
	}
	_ = function.Send(ctx, j.Publisher, j.Journal, out) // poll sends again what is not out
	return nil
}
