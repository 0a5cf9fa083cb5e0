package drill

import (
	"strings"
	"testing"
	"time"
)

func TestStop_LegalUntilTheEnd(t *testing.T) {
	for _, s := range statuses() {
		t.Run(string(s), func(t *testing.T) {
			d := asked()
			d.Status = s
			d.Runs = map[Role]*RunState{Main: {ID: "run-1"}}
			if s == Stopping {
				d.Stop = &StopState{By: "bob", RequestedAt: at(1)}
			}
			c, err := d.AskStop(StopByPerson, "carol", "smoke", "me", at(2))
			switch {
			case s == Stopping:
				wantErr(t, err, ErrAnswered, "bob", "10:01")
			case s.Ended():
				wantErr(t, err, ErrAnswered, string(s))
			case err != nil:
				t.Fatal(err)
			case d.Status != Stopping || d.Stop.By != "carol" || facts(c) != "stopping":
				t.Errorf("status %s, stop %+v, facts %q", d.Status, d.Stop, facts(c))
			}
		})
	}
}

func TestStop_BeforeAnyIntentEndsAtOnce(t *testing.T) {
	d := asked()
	c := ok(t)(d.AskStop(StopByAlarm, "alarm:cloudwatch/5xx", "5xx", "me", at(1)))
	if d.Status != Stopped || d.Restored.State != RestoreNeedless || facts(c) != "stopping stopped" {
		t.Fatalf("status %s, restored %s, facts %q", d.Status, d.Restored.State, facts(c))
	}
	publishable(t, c)
	if _, err := d.Intend(Main, "me", nil, 0, at(1)); err == nil {
		t.Error("it could still be started")
	}
}

// TestStop_NeverBecauseOurFlagSaysSo goes through readings after a stop was asked; only a quiet run is stopped.
func TestStop_NeverBecauseOurFlagSaysSo(t *testing.T) {
	paused := func(o *Observation) { o.Gates = []Gate{{Kind: PausedGate, Name: "paused"}} }
	noisy := func(o *Observation) { o.Restoration = RestorePending }
	calm := func(o *Observation) {
		o.Quiet, o.Restoration, o.Evidence = true, RestorePending, []string{"no fault is live"}
	}
	tests := []struct {
		name string
		o    Observation
		want Status
	}{
		{"pending", seen(PhasePending, noisy), Stopping},
		{"running", seen(PhaseRunning, noisy), Stopping},
		{"running and quiet between two faults", seen(PhaseRunning, calm), Stopping},
		{"waiting at a step", seen(PhaseWaiting, calm), Stopping},
		{"paused, faults live", seen(PhaseWaiting, noisy, paused), Stopping},
		{"stopping", seen(PhaseStopping, noisy), Stopping},
		{"stopping, already quiet", seen(PhaseStopping, calm), Stopping},
		{"stopped by its own word, faults live", seen(PhaseStopped, noisy), Stopping},
		{"prepared and perhaps about to run", seen(PhasePrepared, noisy), Stopping},
		{"a word that nobody knows", seen(PhaseUnknown, noisy), Stopping},
		{"a word that nobody knows, quiet", seen(PhaseUnknown, calm), Stopping},
		{"stopped and quiet", seen(PhaseStopped, calm), Stopped},
		{"paused and quiet", seen(PhaseWaiting, calm, paused), Stopped},
		{"prepared: a stale reading of a run that was executed", seen(PhasePrepared, calm), Stopping},
		{"it ran to its end meanwhile", seen(PhaseCompleted, calm), Completed},
		{"it failed meanwhile", seen(PhaseFailed, noisy), Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t)
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(2)))
			c := ok(t)(d.Observe(tt.o, at(3)))
			publishable(t, c)
			if d.Status != tt.want {
				t.Fatalf("status %s, want %s", d.Status, tt.want)
			}
			if got := !d.Stop.StoppedAt.IsZero(); got != (tt.want == Stopped) {
				t.Errorf("stopped_at is set: %v", got)
			}
			if strings.Contains(facts(c), "stopped") != (tt.want == Stopped) {
				t.Errorf("facts %q", facts(c))
			}
			if len(d.Gates) > 0 {
				t.Errorf("people are still asked: %v", d.Gates)
			}
		})
	}
}

func TestStop_ThreeFactsEachWithItsTime(t *testing.T) {
	d := running(t)
	ok(t)(d.AskStop(StopByPerson, "bob", "enough", "", at(2)))
	c := ok(t)(d.Observe(seen(PhaseStopped, func(o *Observation) { o.Quiet, o.Restoration, o.Evidence = true, RestorePending, []string{"stopped"} }), at(3)))
	if strings.Contains(facts(c), "restored") || !d.Restored.At.IsZero() {
		t.Errorf("restored before any evidence: facts %q", facts(c))
	}
	if !d.Holds() {
		t.Error("the lock is free although the restoration is open")
	}
	c = ok(t)(d.Observe(seen(PhaseStopped, quiet), at(4)))
	if facts(c) != "restored" || d.Holds() {
		t.Errorf("facts %q, holds %v", facts(c), d.Holds())
	}
	if d.Stop.RequestedAt != at(2) || d.Stop.StoppedAt != at(3) || d.Restored.At != at(4) {
		t.Errorf("times %v %v %v", d.Stop.RequestedAt, d.Stop.StoppedAt, d.Restored.At)
	}
	c = ok(t)(d.Observe(seen(PhaseStopped, func(o *Observation) { o.Restoration = RestorePending }), at(5)))
	if d.Restored.State != RestoreDone || c.What != "" {
		t.Errorf("a stale reading undid the restoration: %s, %q", d.Restored.State, c.What)
	}
}

func TestStop_LeaseKeepsHandlersFromPilingUp(t *testing.T) {
	d := running(t)
	ok(t)(d.AskStop(StopByPerson, "bob", "", "abort-1", at(2)))
	if _, ok := d.LeaseStop("poll-1", at(2.4)); ok {
		t.Error("a second handler calls while the first holds the lease")
	}
	if _, ok := d.LeaseStop("poll-1", at(2.5)); !ok {
		t.Error("the lease never ends")
	}
	if d.StopCalls != 2 {
		t.Errorf("%d calls counted", d.StopCalls)
	}
}

func TestStop_NobodyLeasesACallThatCannotBeMade(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "start-1", nil, 0, at(0)))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "abort-1", at(0.1)))
	ok(t)(d.SetRun(Main, "run-1", false, at(0.2)))
	if d.Status != Stopping {
		t.Fatalf("status %s: a run that appears does not end the stop", d.Status)
	}
	if _, ok := d.LeaseStop("abort-2", at(0.2)); !ok {
		t.Error("the run cannot be stopped at once: a handler that called nothing holds the lease")
	}
}

func TestStop_FromOutside(t *testing.T) {
	tests := []struct {
		name string
		o    Observation
		kind StopKind
		want Status
	}{
		{"its own stop condition", seen(PhaseStopped, quiet, func(o *Observation) { o.StoppedBy = "condition" }), StopByRule, Stopped},
		{"the vendor's console", seen(PhaseStopped, quiet), StopByService, Stopped},
		{"the vendor's console, still going on", seen(PhaseStopping), StopByService, Stopping},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t)
			gated(t, d, at(2))
			c := ok(t)(d.Observe(tt.o, at(3)))
			publishable(t, c)
			if d.Status != tt.want || d.Stop == nil || d.Stop.Kind != tt.kind {
				t.Fatalf("status %s, stop %+v", d.Status, d.Stop)
			}
			if len(d.Gates) > 0 {
				t.Errorf("gates stay open: %v", d.Gates)
			}
		})
	}
}

func TestEscalate_GoesOnAndLiesNot(t *testing.T) {
	d := running(t)
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(2)))
	for level := 1; level <= 3; level++ {
		c := d.Escalate("the stop is not confirmed", "aws fis stop-experiment --id run-1", d.Deadline)
		publishable(t, c)
		if d.Escalations != level || d.Status != Stopping || facts(c) != "stopping" {
			t.Fatalf("escalation %d, status %s, facts %q", d.Escalations, d.Status, facts(c))
		}
	}
	if want := at(2).Add(4 * StopDeadline); d.Deadline != want {
		t.Errorf("next deadline %v, want %v", d.Deadline, want)
	}
}

func TestNoteError_LongTextsStillFitAnEvent(t *testing.T) {
	d := running(t)
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(2)))
	d.NoteError(strings.Repeat("长", 50_000))
	publishable(t, d.Escalate("late", "", at(9)))
}

func TestStop_DeadlineIsSet(t *testing.T) {
	d := running(t)
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(2)))
	if d.Deadline.Sub(at(2)) != 5*time.Minute {
		t.Errorf("deadline %v", d.Deadline)
	}
}

func TestStop_OfAPreparedTaskTakesTwoReadings(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "me", nil, 0, at(1)))
	ok(t)(d.SetPrepared(Main, "task-1"))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(1.5)))
	inert := seen(PhasePrepared, quiet)
	inert.Run = Run{Service: FIS, ID: "task-1", Role: Main}
	for _, step := range []struct {
		when string
		at   float64
		want Status
	}{
		{"its author may still be calling", 1.9, Stopping}, {"first reading after the lease", 2.1, Stopping},
		{"a reading right after it", 2.2, Stopping}, {"a second one, far enough from the first", 2.7, Stopped},
	} {
		c := ok(t)(d.Observe(inert, at(step.at)))
		publishable(t, c)
		if d.Status != step.want {
			t.Fatalf("%s: status %s, want %s", step.when, d.Status, step.want)
		}
	}
	if d.Restored.State != RestoreNeedless {
		t.Errorf("restored %s, want needless", d.Restored.State)
	}
}

func TestObserve_APreparedTaskSeenExecutedIsTheRun(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "me", nil, 0, at(1)))
	ok(t)(d.SetPrepared(Main, "task-1"))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(1.5)))
	o := seen(PhaseRunning)
	o.Run = Run{Service: FIS, ID: "task-1", Role: Main}
	ok(t)(d.Observe(o, at(3)))
	if d.RunID() != "task-1" || !d.Run(Main).Adopted || d.StartedAt.IsZero() {
		t.Errorf("run %q, adopted %v, started %v", d.RunID(), d.Run(Main).Adopted, d.StartedAt)
	}
}
