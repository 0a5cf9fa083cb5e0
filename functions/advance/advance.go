// Package advance answers gates: it executes, skips and retries steps, pauses and resumes runs, approves and rejects starts.
//
// In: command.advance, command.approve, command.reject. Out: facts.
package advance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// Function answers gates.
type Function struct {
	Journal *journal.Journal
	Conduct *conduct.Conductor
	// Access says who may do what; false when that cannot be read: then nobody may.
	Access func(ctx context.Context) (access.Policy, bool)
	Now    func() time.Time
	Nonce  func() string
	Mode   string
	Source string // /firedrill/<deployment>/advance
	Log    *slog.Logger
}

// Types lists the event types that the function handles.
func Types() []string { return []string{events.TypeAdvance, events.TypeApprove, events.TypeReject} }

// answer is the one shape that the three commands come down to.
type answer struct {
	drill, gate, note, actor string
	move                     drill.Move
	expires                  time.Time
}

// Handle is the function.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	a, err := read(in)
	if err != nil {
		f.Log.Warn("refused", "event", in.ID(), "type", in.Type(), "error", err)
		return nil, nil
	}
	if a.expires.IsZero() && !in.Time().IsZero() {
		a.expires = in.Time().Add(drill.RequestExpiry)
	}
	if !a.expires.IsZero() && f.Now().After(a.expires) {
		return f.refused(ctx, a, in.ID(), guard.CheckExpired, fmt.Sprintf("the command expired at %s; ask again", a.expires.Format(time.RFC3339)))
	}
	out, err := f.answer(ctx, a, in.ID())
	var denied *access.Denied
	switch {
	case errors.As(err, &denied), errors.Is(err, errUnread):
		no, err2 := f.refused(ctx, a, in.ID(), guard.CheckAccess, err.Error())
		return append(out, no...), err2
	case errors.Is(err, journal.ErrNotFound):
		return f.refused(ctx, a, in.ID(), function.CheckDrill, fmt.Sprintf("there is no drill %q", a.drill))
	case errors.Is(err, drill.ErrAnswered), errors.Is(err, drill.ErrForbidden), errors.Is(err, drill.ErrTransition):
		no, err2 := f.refused(ctx, a, in.ID(), "gate", err.Error())
		return append(out, no...), err2
	}
	return out, err
}

func read(in events.Event) (answer, error) {
	switch in.Type() {
	case events.TypeApprove:
		p, err := events.Decode[events.Approve](in)
		return answer{p.Drill, p.Gate, p.Note, p.Actor, drill.Move{Gate: p.Gate, Action: drill.ApproveRun, Note: p.Note}, p.ExpiresAt}, err
	case events.TypeReject:
		p, err := events.Decode[events.Reject](in)
		return answer{p.Drill, p.Gate, p.Note, p.Actor, drill.Move{Gate: p.Gate, Action: drill.RejectRun, Note: p.Note}, p.ExpiresAt}, err
	case events.TypeAdvance:
		p, err := events.Decode[events.Advance](in)
		m := drill.Move{Gate: p.Gate, Action: drill.Action(p.Action), Step: p.Step, Targets: p.Targets, Parameters: p.Parameters, Note: p.Note}
		if r, ok := p.Parameters["result"].(string); ok && m.Action == drill.Complete {
			m.Result = r
		}
		return answer{p.Drill, p.Gate, p.Note, p.Actor, m, p.ExpiresAt}, err
	}
	return answer{}, fmt.Errorf("%w: type %q", events.ErrInvalid, in.Type())
}

// errUnread says no where nobody can say yes.
var errUnread = errors.New("who may do what could not be read, so the answer is no; ask again")

// rights are what the actor of one answer may do.
type rights struct {
	policy access.Policy
	read   bool
}

// may asks for the verb of the answer, in the drill's environment.
func (r rights) may(a answer, d *drill.Drill) error {
	if !r.read {
		return errUnread
	}
	return r.policy.May(a.actor, string(a.move.Action), d.Plan.Environment)
}

// vote asks for the role that the plan names.
func (r rights) vote(a answer, d *drill.Drill) error {
	if !r.read {
		return errUnread
	}
	return r.policy.MayAs(a.actor, string(a.move.Action), d.Plan.Approver(), d.Plan.Environment)
}

// answer records the answer, then carries it out. Delivered again, it carries out what an earlier instance left; who may do that was asked
// when it was recorded.
func (f *Function) answer(ctx context.Context, a answer, cause string) ([]events.Event, error) {
	by := journal.By{Actor: a.actor, Cause: cause, Source: f.Source}
	me, now := f.Nonce(), f.Now()
	var r rights
	r.policy, r.read = f.Access(ctx)
	var start bool
	d, out, err := f.Journal.Update(ctx, a.drill, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if start = a.start(d); start {
			return a.vote(d, r, now)
		}
		if slices.ContainsFunc(d.Answers, func(x drill.Answered) bool { return x.Cause == cause }) {
			return drill.Change{}, nil // delivered again
		}
		if err := r.may(a, d); err != nil && !slices.ContainsFunc(d.Answers, a.left) {
			return drill.Change{}, err
		}
		c, _, err := d.Answer(a.move, a.actor, me, now)
		if err == nil {
			d.Answers[len(d.Answers)-1].Cause = cause
		}
		return c, err
	})
	if start || d == nil {
		return out, err
	}
	i, open := d.OpenAnswer(me, now)
	if !open || err != nil && !(a.same(d.Answers[i]) && errors.Is(err, drill.ErrAnswered)) {
		return out, err
	}
	more, err := f.carryOut(ctx, d, i, me, by)
	return append(out, more...), err
}

// same reports whether the command asks for what is recorded already: poll sends such a one for an answer that was left.
func (a answer) same(x drill.Answered) bool {
	return a.actor == x.Actor && a.move.Action == x.Action && a.move.Gate == x.Gate
}

// left reports whether the command asks for what is recorded and was not carried out.
func (a answer) left(x drill.Answered) bool { return a.same(x) && !x.Done && x.Error == "" }

// carryOut makes the move of an answer, as the only one who does.
func (f *Function) carryOut(ctx context.Context, d *drill.Drill, i int, me string, by journal.By) ([]events.Event, error) {
	leased := d.Answers[i].Lease.By == me
	var out []events.Event
	if !leased {
		var err error
		d, out, err = f.Journal.Update(ctx, d.ID, by, func(d *drill.Drill, now time.Time) (c drill.Change, err error) {
			c, leased = d.LeaseAnswer(i, me, now)
			return c, nil
		})
		if err != nil {
			return out, err
		}
	}
	if !leased {
		return out, nil
	}
	r, err := f.Conduct.CarryOut(ctx, d, i, by)
	return append(out, r.Out...), err
}

// start reports whether the answer is about the approval before the start: now, or, delivered late, a vote that was counted then.
func (a answer) start(d *drill.Drill) bool {
	if d.Approvals == nil || a.gate != "" && a.gate != d.Approvals.Gate {
		return false
	}
	return d.AwaitsApproval() || a.move.Action == drill.ApproveRun && d.Approvals.VotedBy(a.actor) && len(d.Gates) == 0
}

// vote counts an agreement of somebody who may agree. Votes that were counted elsewhere and do not count are struck first.
func (a answer) vote(d *drill.Drill, r rights, now time.Time) (drill.Change, error) {
	ask := r.may
	if a.move.Action == drill.ApproveRun || a.move.Action == drill.RejectRun {
		ask = r.vote
	}
	if err := ask(a, d); err != nil {
		return drill.Change{}, err
	}
	switch a.move.Action {
	case drill.ApproveRun:
		c := d.Strike(func(actor string) bool { return r.policy.Holds(actor, d.Plan.Approver(), d.Plan.Environment) }, now)
		if d.Approvals.VotedBy(a.actor) {
			return c, nil // delivered again, or counted by chatops before it was published
		}
		more, err := d.Approve(a.actor, a.note, now)
		return c.And(more), err
	case drill.RejectRun:
		reason := a.actor + " rejected it"
		if a.note != "" {
			reason += ": " + a.note
		}
		return d.Refuse(guard.CheckApproval, reason, now)
	}
	return drill.Change{}, fmt.Errorf("%w: the drill waits for an approval; approve or reject it", drill.ErrForbidden)
}

func (f *Function) refused(ctx context.Context, a answer, cause, check, reason string) ([]events.Event, error) {
	r := function.Refuser{Journal: f.Journal, Now: f.Now, Mode: f.Mode, Source: f.Source, Log: f.Log}
	return r.Refuse(ctx, function.No{Drill: a.drill, Actor: a.actor, Cause: cause, Check: check, Reason: reason})
}
