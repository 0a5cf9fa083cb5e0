package abort

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// given returns when a command was given: levers go by it, not by when the command arrives.
func (f *Function) given(in events.Event) time.Time {
	now := f.Now()
	if at := in.Time(); !at.IsZero() && at.Before(now) {
		return at
	}
	return now
}

// halt engages a lever and stops the drills of its scope.
func (f *Function) halt(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Halt](in)
	if err != nil {
		return nil, err
	}
	l := guard.Lever{Scope: p.Scope, Reason: p.Reason, Actor: p.Actor, Engaged: true, At: f.given(in)}
	if no := f.mayHalt(ctx, p.Actor); no != nil {
		return f.stays(ctx, l, in.ID(), no)
	}
	if old, err := guard.Outdated(ctx, f.Journal, l); err == nil && old {
		f.Log.Warn("halt was released meanwhile", "event", in.ID(), "scope", l.Scope, "actor", l.Actor)
		return f.stays(ctx, l, in.ID(), fmt.Errorf("%s was released after this halt was given, at %s by its clock; give it again to halt", l.Scope, l.At.UTC().Format(time.RFC3339)))
	}
	f.Log.Info("halted", "event", in.ID(), "scope", l.Scope, "actor", l.Actor)
	write := func() error {
		_, err := guard.SetLever(ctx, f.Journal, l)
		return err
	}
	return f.twice(ctx, write, func() ([]events.Event, error) {
		o := order{kind: drill.StopByHalt, who: l.Actor, reason: fmt.Sprintf("halt of %s: %s", l.Scope, l.Reason), cause: in.ID()}
		return f.every(ctx, o, func(m journal.Marker) bool { return l.Covers(m.Plan, m.Environment) })
	})
}

// release lets a lever go.
func (f *Function) release(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Release](in)
	if err != nil {
		return nil, err
	}
	l := guard.Lever{Scope: p.Scope, Reason: p.Reason, Actor: p.Actor, At: f.given(in)}
	if no := f.mayRelease(ctx, p.Actor, p.Scope); no != nil {
		return f.stays(ctx, l, in.ID(), no)
	}
	changed, err := guard.SetLever(ctx, f.Journal, l)
	f.Log.Info("released", "event", in.ID(), "scope", l.Scope, "changed", changed, "actor", l.Actor)
	if err != nil || changed {
		return nil, err
	}
	now, err := guard.Engaged(ctx, f.Journal, l.Scope)
	if err != nil || now == nil {
		return nil, err
	}
	return f.stays(ctx, l, in.ID(), fmt.Errorf("%s was halted at %s, after this release was given at %s; give it again to release", l.Scope,
		now.At.UTC().Format(time.RFC3339), l.At.UTC().Format(time.RFC3339)))
}

// mayHalt wants an operator of anything. Where nobody can tell, a halt is taken: it is the safe direction.
func (f *Function) mayHalt(ctx context.Context, actor string) error {
	policy, ok := f.Access(ctx)
	if !ok {
		f.Log.Warn("halt taken without knowing who may", "actor", actor)
		return nil
	}
	return policy.May(actor, "halt", "")
}

// mayRelease wants an approver of all that the scope takes in. Where nobody can tell, the halt stays.
func (f *Function) mayRelease(ctx context.Context, actor, scope string) error {
	policy, ok := f.Access(ctx)
	if !ok {
		return fmt.Errorf("who may do what could not be read, so the halt of %s stays; ask again", scope)
	}
	return policy.May(actor, "release", f.environment(scope))
}

// environment returns where somebody must be an approver to release a scope: a plan that is not in the catalogue is anywhere.
func (f *Function) environment(scope string) string {
	if name, ok := strings.CutPrefix(scope, "environment/"); ok {
		return name
	}
	if plan, ok := planOf(scope); ok {
		if e, ok := f.Environment(plan); ok {
			return e
		}
	}
	return access.Everywhere
}

func planOf(scope string) (string, bool) { return strings.CutPrefix(scope, "plan/") }

// stays says that a lever stays as it is. There is no drill to name: the fact's id stands for the scope.
func (f *Function) stays(ctx context.Context, l guard.Lever, cause string, no error) ([]events.Event, error) {
	plan, _ := planOf(l.Scope)
	return f.refused(ctx, function.No{Drill: events.ID("lever", l.Scope), Plan: plan, Actor: l.Actor, Cause: cause, Check: guard.CheckAccess, Reason: no.Error()})
}
