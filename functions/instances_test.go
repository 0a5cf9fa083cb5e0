package functions

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// A recovery that a person skips on one instance leaves the fault in effect there, whatever the action's own status says.
func TestAdvance_RollbackSkippedOnOneInstanceIsNotRestored(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		id := r.start("cart-cpu", map[string]any{"seconds": 600})
		move := func(action string, targets ...string) {
			t.Helper()
			d := r.until(id, 10, func(d *drill.Drill) bool { return len(d.Gates) > 0 && d.Gates[0].Kind == drill.ManualGate })
			r.send(events.Advance{Drill: id, Gate: d.Gates[0].ID, Step: d.Gates[0].Step, Action: action, Targets: targets, Actor: bob})
			r.tick()
		}
		move("execute")
		move("skip", "ins-cart-b")
		move("execute", "ins-cart-a")
		d := r.until(id, 10, func(d *drill.Drill) bool { return d.Status.Ended() && d.Restored.State.Decided() })
		if d.Outcome != drill.Failed || d.Restored.State != drill.RestoreFailed || !strings.Contains(strings.Join(d.Restored.Evidence, " "), "not undone: High CPU Load on ins-cart-b") {
			t.Errorf("outcome %s, restored %+v:\n%s", d.Outcome, d.Restored, r.timeline(id))
		}
	})
}
