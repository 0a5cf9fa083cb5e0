// Package guard holds the reasons not to start a drill, and the reasons to stop one. Each refusal names its check, and a check
// that cannot be evaluated refuses.
package guard

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// The names of the checks, as refusals show them.
const (
	CheckHalt     = "halt"
	CheckDisabled = "disabled"
	CheckWindow   = "window"
	CheckFreeze   = "freeze"
	CheckLock     = "lock"
	CheckAlarm    = "alarm"
	CheckTargets  = "targets"
	CheckPreview  = "preview"
	CheckApproval = "approval"
	CheckExpired  = "expired"
	CheckAccess   = "access" // the actor may not do that
)

// Guard evaluates the checks.
type Guard struct {
	Journal *journal.Journal
	Freezes func() []catalog.Freeze // of the present catalogue
	Now     func() time.Time
}

// check says no with a reason, or cannot be evaluated, which is a no as well.
type check struct {
	name string
	ask  func(ctx context.Context, d *drill.Drill) (reason string, err error)
}

func evaluate(ctx context.Context, d *drill.Drill, checks []check) *drill.Refusal {
	for _, c := range checks {
		reason, err := c.ask(ctx, d)
		if err != nil {
			return &drill.Refusal{Check: c.name, Reason: fmt.Sprintf("the check could not be made, so the answer is no: %v", err)}
		}
		if reason != "" {
			return &drill.Refusal{Check: c.name, Reason: reason}
		}
	}
	return nil
}

// Start makes the cheap checks in their order: before the preview, and again before the intent.
func (g *Guard) Start(ctx context.Context, d *drill.Drill) *drill.Refusal {
	return evaluate(ctx, d, []check{
		{CheckHalt, g.halted}, {CheckDisabled, g.disabled}, {CheckWindow, g.window}, {CheckFreeze, g.frozen}, {CheckLock, g.locked}, {CheckAlarm, g.firing},
	})
}

// Lock takes the plan's locks.
func (g *Guard) Lock(ctx context.Context, d *drill.Drill) *drill.Refusal {
	return evaluate(ctx, d, []check{{CheckLock, func(ctx context.Context, d *drill.Drill) (string, error) {
		lock, holder, err := AcquireLocks(ctx, g.Journal, d)
		return lockReason(lock, holder), err
	}}})
}

// Look is the second look: what may have changed while the intent was being written.
func (g *Guard) Look(ctx context.Context, d *drill.Drill) *drill.Refusal {
	return evaluate(ctx, d, []check{{CheckHalt, g.halted}, {CheckAlarm, g.firing}, {CheckFreeze, g.frozen}})
}

func (g *Guard) halted(ctx context.Context, d *drill.Drill) (string, error) {
	levers, err := Levers(ctx, g.Journal)
	if err != nil {
		return "", err
	}
	for _, l := range levers {
		if l.Covers(d.Plan.Name, d.Plan.Environment) {
			return haltReason(l), nil
		}
	}
	return "", nil
}

func haltReason(l Lever) string {
	s := fmt.Sprintf("%s halted %s at %s", l.Actor, l.Scope, l.At.Format(time.RFC3339))
	if l.Reason != "" {
		s += ": " + l.Reason
	}
	return s + "; an approver can release it"
}

func (g *Guard) disabled(_ context.Context, d *drill.Drill) (string, error) {
	if d.Plan.Disabled {
		return "the plan is disabled in the catalogue", nil
	}
	return "", nil
}

func (g *Guard) window(_ context.Context, d *drill.Drill) (string, error) {
	if d.Plan.Window == "" {
		return "", nil
	}
	in, err := catalog.InWindow(d.Plan, g.Now())
	if err != nil || in {
		return "", err
	}
	return fmt.Sprintf("outside the plan's window %s (%s)", d.Plan.Window, d.Plan.Timezone), nil
}

func (g *Guard) frozen(_ context.Context, d *drill.Drill) (string, error) {
	for _, f := range g.Freezes() {
		if f.Covers(d.Plan, g.Now()) {
			return fmt.Sprintf("freeze %s lasts until %s", f.Name, f.Until.Format(time.RFC3339)), nil
		}
	}
	return "", nil
}

func (g *Guard) locked(ctx context.Context, d *drill.Drill) (string, error) {
	for _, name := range lockNames(d.Plan) {
		holder, _, err := lockHolder(ctx, g.Journal, name)
		if err != nil {
			return "", err
		}
		if holder != "" && holder != d.ID {
			return lockReason(name, holder), nil
		}
	}
	return "", nil
}

func lockReason(lock, holder string) string {
	if holder == "" {
		return ""
	}
	return fmt.Sprintf("drill %s holds the lock %s; wait until it is over and restored", holder, lock)
}

func (g *Guard) firing(ctx context.Context, d *drill.Drill) (string, error) {
	if len(d.Plan.StopOn) == 0 {
		return "", nil
	}
	firing, err := g.Journal.Firing(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range firing {
		if def, ok := d.Plan.StoppedBy(a.Source, a.Name, a.Labels); ok {
			return fmt.Sprintf("alarm %s has been firing since %s; clear it with a reason if its end got lost", def.Name, a.At.Format(time.RFC3339)), nil
		}
	}
	return "", nil
}

// World is what all active drills are held against at every tick, read once.
type World struct {
	Levers  []Lever
	Firing  []journal.Alarm
	Freezes []catalog.Freeze
	At      time.Time
}

// Read reads levers, firing alarms and freezes. What could be read is returned together with the error.
func (g *Guard) Read(ctx context.Context) (World, error) {
	w := World{At: g.Now(), Freezes: g.Freezes()}
	var errLevers, errAlarms error
	w.Levers, errLevers = Levers(ctx, g.Journal)
	w.Firing, errAlarms = g.Journal.Firing(ctx)
	if errLevers != nil {
		return w, errLevers
	}
	return w, errAlarms
}

// Reason is why a drill must stop.
type Reason struct {
	Kind drill.StopKind
	By   string
	Text string
}

// MustStop says why an active drill must stop: a lever, a firing alarm of its plan, or a freeze that stops running drills. An alarm
// that fired and ended before the drill was asked for does not count; one that fires does, however old.
func (w World) MustStop(d *drill.Drill) (Reason, bool) {
	for _, l := range w.Levers {
		if l.Covers(d.Plan.Name, d.Plan.Environment) {
			return Reason{drill.StopByHalt, l.Actor, strings.TrimSpace("halt of " + l.Scope + ": " + l.Reason)}, true
		}
	}
	for _, a := range w.Firing {
		if def, ok := d.Plan.StoppedBy(a.Source, a.Name, a.Labels); ok {
			return AlarmReason(a, def), true
		}
	}
	for _, f := range w.Freezes {
		if f.Running == catalog.RunningStop && f.Covers(d.Plan, w.At) {
			return Reason{drill.StopByFreeze, "freeze:" + f.Name, "freeze " + f.Name + " has begun"}, true
		}
	}
	return Reason{}, false
}

// AlarmReason words the stop by an alarm.
func AlarmReason(a journal.Alarm, def drill.Alarm) Reason {
	text := "alarm " + def.Name + " is firing"
	if a.Reason != "" {
		text += ": " + a.Reason
	}
	return Reason{drill.StopByAlarm, "alarm:" + a.Source + "/" + def.Name, text}
}
