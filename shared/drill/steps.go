package drill

import (
	"fmt"
	"slices"
	"time"
)

// progress ranks step states: a step never goes backwards because a vendor's read was stale.
var progress = map[StepState]int{
	StepPending: 1, StepReady: 2, StepRunning: 3, StepStopping: 4,
	StepFailed: 5, StepDone: 5, StepSkipped: 5, StepCancelled: 5,
}

// mergeSteps takes in new steps and returns a line for each that moved.
func (d *Drill) mergeSteps(steps []Step) []string {
	var changes []string
	for _, s := range steps {
		i := d.stepIndex(s.ID)
		if i < 0 {
			d.Steps = append(d.Steps, s)
			if s.State != StepPending {
				changes = append(changes, fmt.Sprintf("step %s is %s", s.Name, s.State))
			}
			continue
		}
		old := d.Steps[i]
		if d.backwards(old, s) {
			continue
		}
		if old.State != s.State {
			changes = append(changes, fmt.Sprintf("step %s is %s", s.Name, s.State))
		}
		d.Steps[i] = s
	}
	return changes
}

// backwards reports whether a new reading of a step is older than what is known. A step that has ended runs again only by a retry,
// shown by a later start, a higher attempt or, where the service shows neither, by our own answer at the failed step's gate.
func (d *Drill) backwards(old, s Step) bool {
	if s.State == StepUnknown || old.State == StepUnknown {
		return false
	}
	if s.Attempt > old.Attempt || s.StartedAt.After(old.StartedAt) {
		return false
	}
	if old.State.Final() && !s.State.Final() {
		return old.State != StepFailed || s.State == StepPending || !d.retried(old)
	}
	return progress[s.State] < progress[old.State]
}

// retried reports whether a person asked for a retry of the step after it failed.
func (d *Drill) retried(s Step) bool {
	return slices.ContainsFunc(d.Answers, func(a Answered) bool {
		return a.Action == Retry && a.Step == s.ID && a.Error == "" && !a.At.Before(s.EndedAt)
	})
}

func (d *Drill) stepIndex(id string) int {
	for i := range d.Steps {
		if d.Steps[i].ID == id {
			return i
		}
	}
	return -1
}

// mergeGates takes in the gates that are open at the service, keeps the ids of known ones and returns those that are new, and those that
// are no more.
func (d *Drill) mergeGates(gates []Gate, now time.Time) (opened, closed []Gate) {
	next := make([]Gate, 0, len(gates))
	for _, g := range gates {
		if old, ok := d.openGate(g.Step, g.Kind); ok && !d.spent(old.ID, now) {
			g.ID, g.OpenedAt = old.ID, old.OpenedAt
		} else {
			name := g.Step
			if name == "" {
				name = string(g.Kind)
			}
			g.ID, g.OpenedAt = fmt.Sprintf("%s@%d", name, d.Rev+1), now
			opened = append(opened, g)
		}
		next = append(next, g)
	}
	for _, g := range d.Gates {
		if !slices.ContainsFunc(next, func(n Gate) bool { return n.ID == g.ID }) {
			closed = append(closed, g)
		}
	}
	d.Gates = next
	return opened, closed
}

// spent reports whether a gate was answered a good while ago: if the service still waits there, it waits anew, and the gate opens
// under a new id.
func (d *Drill) spent(gate string, now time.Time) bool {
	return slices.ContainsFunc(d.Answers, func(a Answered) bool {
		return a.Gate == gate && a.Done && len(a.Targets) == 0 && !now.Before(a.Lease.Until)
	})
}

func (d *Drill) openGate(step string, kind GateKind) (Gate, bool) {
	for _, g := range d.Gates {
		if g.Step == step && g.Kind == kind {
			return g, true
		}
	}
	return Gate{}, false
}
