package chatops

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/grammar"
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

const (
	parallel  = 16                     // calls of the journal at once
	factsTime = 500 * time.Millisecond // how long a bus may take for facts that poll would send too
)

// Stop asks for the stop of one drill, or of all that are active. Every stop is appended before any fact is sent.
func (j *Journaled) Stop(ctx context.Context, p events.Stop) error {
	if p.Drill != grammar.All {
		out, err := j.stop(ctx, p.Drill, p)
		j.send(ctx, out)
		return err
	}
	ids, err := j.Journal.ActiveIDs(ctx)
	outs, errs := make([][]events.Event, len(ids)), make([]error, len(ids))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, id := range ids {
		group.Go(func() error {
			outs[i], errs[i] = j.stop(ctx, id, p)
			if errors.Is(errs[i], drill.ErrAnswered) || errors.Is(errs[i], journal.ErrNotFound) {
				errs[i] = nil
			}
			return nil
		})
	}
	_ = group.Wait() // every goroutine returns nil
	j.send(ctx, slices.Concat(outs...))
	return errors.Join(append(errs, err)...)
}

// stop appends one. The same words of the same person a moment ago are this very command, which came by the bus meanwhile.
func (j *Journaled) stop(ctx context.Context, id string, p events.Stop) ([]events.Event, error) {
	d, out, err := j.Journal.Update(ctx, id, journal.By{Actor: p.Actor, Source: j.Source}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AskStop(drill.StopByPerson, p.Actor, p.Reason, "", now)
	})
	if errors.Is(err, drill.ErrAnswered) && d.Stop != nil && d.Stop.By == p.Actor && d.Stop.Reason == p.Reason && j.Now().Sub(d.Stop.RequestedAt) < time.Minute {
		return nil, nil
	}
	return out, err
}

// Halt engages the lever: from then on nothing of its scope starts. Stopping what runs is abort's.
func (j *Journaled) Halt(ctx context.Context, p events.Halt) error {
	_, err := guard.SetLever(ctx, j.Journal, guard.Lever{Scope: p.Scope, Engaged: true, Reason: p.Reason, Actor: p.Actor, At: j.Now()})
	return err
}

// Approve counts a vote for the start of a drill. Approvals inside a run are the service's, and go by the bus.
func (j *Journaled) Approve(ctx context.Context, p events.Approve) error {
	_, out, err := j.Journal.Update(ctx, p.Drill, journal.By{Actor: p.Actor, Source: j.Source}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if !d.AwaitsApproval() || p.Gate != "" && p.Gate != d.Approvals.Gate {
			return drill.Change{}, nil
		}
		return d.Approve(p.Actor, p.Note, now)
	})
	j.send(ctx, out)
	return err
}

// send publishes facts; poll sends again what is not out.
func (j *Journaled) send(ctx context.Context, out []events.Event) {
	if len(out) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, factsTime)
	defer cancel()
	_ = function.Send(ctx, j.Publisher, j.Journal, out)
}
