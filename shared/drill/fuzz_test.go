package drill

import (
	"encoding/json"
	"strings"
	"testing"
)

// reading makes an observation of seven bytes.
func reading(b []byte) Observation {
	phases := []Phase{PhasePrepared, PhasePending, PhaseRunning, PhaseWaiting, PhaseStopping, PhaseStopped, PhaseCompleted, PhaseFailed, PhaseUnknown, ""}
	states := []StepState{StepPending, StepReady, StepRunning, StepStopping, StepDone, StepFailed, StepSkipped, StepCancelled, StepUnknown}
	restored := []Restoration{RestorePending, RestoreDone, RestoreNeedless, RestoreFailed, RestoreUnproven, ""}
	kinds := []GateKind{ManualGate, FailedGate, PausedGate, ApprovalGate, DebugGate, RiskGate}
	o := Observation{Run: Run{ID: "run-1", Role: Main}, Phase: phases[int(b[0])%len(phases)], Vendor: string(rune('a' + b[0]%26))}
	if b[1]&128 > 0 {
		o.Run.Role = Recovery
	}
	o.Quiet, o.Injected = b[1]&1 > 0, b[1]&2 > 0
	if b[1]&4 > 0 {
		o.StoppedBy = "condition"
	}
	if b[1]&8 > 0 {
		o.Evidence = []string{"a line"}
	}
	o.Restoration = restored[int(b[2])%len(restored)]
	for i := range int(b[3] % 4) {
		s := Step{ID: string(rune('a' + i)), Kind: FaultStep, State: states[int(b[4]>>i)%len(states)], Attempt: int(b[5]>>i) % 3}
		o.Steps = append(o.Steps, s)
	}
	for i := range int(b[6] % 3) {
		o.Gates = append(o.Gates, Gate{Step: string(rune('a' + i)), Name: "g", Kind: kinds[int(b[6]/3)%len(kinds)], Choices: []Choice{{Action: Execute}, {Action: Retry}}})
	}
	return o
}

// FuzzObserve plays readings in any order, with stops and answers between them, and holds what must hold of every drill.
func FuzzObserve(f *testing.F) {
	f.Add([]byte("\x02\x02\x00\x02\x02\x00\x00" + "\x05\x03\x01\x02\x04\x00\x00"))
	f.Add([]byte("\x04\x04\x00\x03\x05\x01\x04" + "\x08\x00\x03\x01\x07\x00\x07" + "\x06\x81\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, script []byte) {
		d := running(t, withClaims(askedOf))
		d.Recovers = len(script)%2 == 0
		for n := 0; len(script) >= 7 && n < 60; n, script = n+1, script[7:] {
			play(t, d, script[:7], 2+float64(n)/4)
			d.Rev++
			back := reload(t, d)
			_ = Next(back, at(3+float64(n)))
		}
		if d.Status.Ended() {
			d.Judge(at(99))
		}
	})
}

func play(t *testing.T, d *Drill, b []byte, minute float64) {
	o, now := reading(b), at(minute)
	if o.Run.Role == Recovery && (!d.Status.Ended() || !d.Recovers) {
		return // a recovery run begins when the drill has ended
	}
	before, had := d.Status, map[string]Step{}
	for _, s := range d.Steps {
		had[s.ID] = s
	}
	wasRestored := d.Restored
	switch {
	case b[1]&64 > 0:
		_, _ = d.AskStop(StopByPerson, "bob", "", "me", now)
		if before != d.Status && !Legal(before, d.Status) {
			t.Fatalf("stop: %s became %s", before, d.Status)
		}
		before = d.Status
	case b[1]&32 > 0:
		if _, _, err := d.Answer(Move{Action: Retry}, "bob", "me", now); err == nil {
			d.SettleAnswer(len(d.Answers)-1, "", now)
		}
	}
	c, err := d.Observe(o, now)
	if err != nil {
		t.Fatalf("%s, reading %+v: %v", before, o, err)
	}
	publishable(t, c)
	if n := strings.Count(facts(c), "progressed"); n > 1 || len(c.Facts) == 0 && (before != d.Status || wasRestored.State != d.Restored.State) {
		t.Errorf("%s became %s, restoration %s became %s, with the facts %q", before, d.Status, wasRestored.State, d.Restored.State, facts(c))
	}
	check(t, d, before, had, wasRestored)
}

func check(t *testing.T, d *Drill, before Status, had map[string]Step, restored Restored) {
	t.Helper()
	if before != d.Status && !Legal(before, d.Status) && !(Legal(before, Stopping) && Legal(Stopping, d.Status)) {
		t.Errorf("%s became %s", before, d.Status)
	}
	if before.Ended() && before != d.Status {
		t.Errorf("a reading moved %s to %s", before, d.Status)
	}
	if d.Status == Stopped && (d.Stop == nil || d.Stop.StoppedAt.IsZero() || !d.Runs[Main].Quiet && before != Stopped) {
		t.Errorf("stopped without evidence: %+v", d.Stop)
	}
	if d.Restored.State == RestoreDone && len(d.Restored.Evidence) == 0 {
		t.Error("restored without evidence")
	}
	if restored.State.Decided() && restored.State != d.Restored.State {
		t.Errorf("restoration went from %s to %s", restored.State, d.Restored.State)
	}
	if !d.Status.Final() && d.Deadline.IsZero() {
		t.Errorf("%s has no deadline", d.Status)
	}
	for _, s := range d.Steps {
		old, ok := had[s.ID]
		if ok && s.Attempt == old.Attempt && old.State.Final() && !s.State.Final() && s.State != StepUnknown && !d.retried(old) {
			t.Errorf("step %s went from %s to %s", s.ID, old.State, s.State)
		}
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}
