package drill

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func step(state StepState, edit ...func(*Step)) Step {
	s := Step{ID: "s1", Name: "burn CPU", Kind: FaultStep, State: state, StartedAt: at(1)}
	if state.Final() {
		s.EndedAt = at(2)
	}
	for _, f := range edit {
		f(&s)
	}
	return s
}

func TestSteps_NeverGoBackwards(t *testing.T) {
	later := func(s *Step) { s.StartedAt = at(5) }
	second := func(s *Step) { s.Attempt = 2 }
	tests := []struct {
		name     string
		old, new Step
		moves    bool
	}{
		{"running to pending", step(StepRunning), step(StepPending), false},
		{"running to ready", step(StepRunning), step(StepReady), false},
		{"stopping to running", step(StepStopping), step(StepRunning), false},
		{"done to running", step(StepDone), step(StepRunning), false},
		{"skipped to ready", step(StepSkipped), step(StepReady), false},
		{"cancelled to stopping", step(StepCancelled), step(StepStopping), false},
		{"failed to running, a stale read", step(StepFailed), step(StepRunning), false},
		{"failed to pending", step(StepFailed), step(StepPending), false},
		{"failed to running, a later start", step(StepFailed), step(StepRunning, later), true},
		{"failed to running, a second attempt", step(StepFailed), step(StepRunning, second), true},
		{"done to running, a second attempt", step(StepDone), step(StepRunning, second), true},
		{"pending to running", step(StepPending), step(StepRunning), true},
		{"running to done", step(StepRunning), step(StepDone), true},
		{"failed to skipped", step(StepFailed), step(StepSkipped), true},
		{"running to a word that nobody knows", step(StepRunning), step(StepUnknown), true},
		{"from a word that nobody knows", step(StepUnknown), step(StepPending), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t)
			d.mergeSteps([]Step{tt.old})
			changes := d.mergeSteps([]Step{tt.new})
			want := tt.old.State
			if tt.moves {
				want = tt.new.State
			}
			if d.Steps[0].State != want || (len(changes) > 0) != tt.moves {
				t.Errorf("state %s, want %s; changes %v", d.Steps[0].State, want, changes)
			}
		})
	}
	t.Run("failed to running after a person's retry", func(t *testing.T) {
		d := running(t)
		d.mergeSteps([]Step{step(StepFailed)})
		d.Answers = []Answered{{Move: Move{Action: Retry, Step: "s1"}, At: at(3)}}
		if d.mergeSteps([]Step{step(StepRunning)}); d.Steps[0].State != StepRunning {
			t.Errorf("state %s: the retry does not show", d.Steps[0].State)
		}
	})
}

func TestObserve_UnknownWordsKeepTheDrill(t *testing.T) {
	d := running(t)
	o := seen(PhaseUnknown, func(o *Observation) { o.Vendor = "quantum-flux"; o.Steps = []Step{step(StepUnknown)} })
	c := ok(t)(d.Observe(o, at(2)))
	if d.Status != Running || !strings.Contains(c.What, "quantum-flux") {
		t.Errorf("status %s, change %q", d.Status, c.What)
	}
	if c := ok(t)(d.Observe(o, at(3))); c.What != "" {
		t.Errorf("the same reading again is a change: %q", c.What)
	}
	ok(t)(d.Observe(seen(PhaseCompleted, quiet), at(4)))
	if d.Status != Completed {
		t.Errorf("status %s", d.Status)
	}
}

func TestObserve_ProgressIsCoalesced(t *testing.T) {
	d := running(t)
	n := 0
	for i := range 10 { // ten steps, 10 s apart
		o := seen(PhaseRunning)
		for k := range i + 1 {
			o.Steps = append(o.Steps, Step{ID: fmt.Sprint(k), Name: fmt.Sprint("step ", k), Kind: FaultStep, State: StepRunning})
		}
		n += strings.Count(facts(ok(t)(d.Observe(o, at(2+float64(i)/6)))), "progressed")
	}
	if n != 4 {
		t.Errorf("%d progressed facts in 90 s, want 4", n)
	}
}

func TestObserve_FloodsOfWordsStillFitAnEvent(t *testing.T) {
	long := strings.Repeat("故障 ", 20_000)
	d := running(t)
	o := seen(PhaseRunning, func(o *Observation) {
		for i := range 3000 {
			o.Steps = append(o.Steps, Step{ID: fmt.Sprint(i), Name: long[:200], Kind: FaultStep, State: StepRunning, Message: long})
			o.Evidence = append(o.Evidence, long)
		}
		o.Vendor, o.Reason = long, long
	})
	o.Steps = o.Steps[:200]
	for i := range o.Steps {
		for k := range 100 {
			o.Steps[i].Targets = append(o.Steps[i].Targets, Target{ID: fmt.Sprint("i-", k, long[:100]), State: StepFailed, Message: long})
		}
	}
	publishable(t, ok(t)(d.Observe(o, at(2))))
	o.Phase, o.Gates = PhaseWaiting, []Gate{{Step: "0", Name: "choose", Kind: DebugGate}}
	for i := range 5000 {
		o.Gates[0].Choices = append(o.Gates[0].Choices, Choice{Action: Execute, Step: fmt.Sprint(i)})
	}
	publishable(t, ok(t)(d.Observe(o, at(3))))
	o.Phase, o.Gates, o.Quiet, o.Restoration = PhaseFailed, nil, true, RestoreDone
	publishable(t, ok(t)(d.Observe(o, at(4))))
	if b, _ := json.Marshal(d); len(b) > 1<<20 {
		t.Errorf("the drill has %d bytes", len(b))
	}
}

func TestObserve_TheEndIsKept(t *testing.T) {
	d := running(t)
	ok(t)(d.Observe(seen(PhaseCompleted, func(o *Observation) { o.Restoration = RestorePending }), at(2)))
	for _, p := range []Phase{PhaseRunning, PhaseWaiting, PhaseFailed, PhaseUnknown} {
		ok(t)(d.Observe(seen(p, func(o *Observation) {
			o.Restoration = RestorePending
			o.Gates = []Gate{manual("s1", Execute)}
		}), at(3)))
		if d.Status != Completed || d.Outcome != Completed || len(d.Gates) > 0 {
			t.Errorf("after %s: status %s, outcome %s, gates %v", p, d.Status, d.Outcome, d.Gates)
		}
	}
}

func TestObserve_RestorationByARecoveryRun(t *testing.T) {
	unproven := func(o *Observation) { o.Restoration = RestoreUnproven }
	d := running(t)
	d.Recovers = true
	ok(t)(d.Observe(seen(PhaseCompleted, unproven), at(2)))
	if d.Restored.State != RestorePending {
		t.Fatalf("restoration %s before the recovery run", d.Restored.State)
	}
	ok(t)(d.Intend(Recovery, "me", nil, 0, at(3)))
	ok(t)(d.SetRun(Recovery, "rec-1", false, at(3)))
	rec := seen(PhaseRunning, func(o *Observation) { o.Run.Role, o.Run.ID = Recovery, "rec-1" })
	ok(t)(d.Observe(rec, at(4)))
	if d.Restored.State.Decided() {
		t.Fatalf("restoration %s while the recovery run goes on", d.Restored.State)
	}
	failed := reload(t, d)
	rec.Phase, rec.Restoration = PhaseCompleted, RestoreDone
	c := ok(t)(d.Observe(rec, at(5)))
	publishable(t, c)
	if d.Restored.State != RestoreDone || facts(c) != "restored" || len(d.Restored.Evidence) == 0 {
		t.Errorf("restoration %s, facts %q, evidence %v", d.Restored.State, facts(c), d.Restored.Evidence)
	}
	rec.Phase, rec.Restoration = PhaseFailed, RestoreUnproven
	c = ok(t)(failed.Observe(rec, at(5)))
	publishable(t, c)
	if failed.Restored.State != RestoreFailed || failed.Escalations != 1 {
		t.Errorf("restoration %s, escalations %d", failed.Restored.State, failed.Escalations)
	}
}

func TestDrill_RoundTrip(t *testing.T) {
	d := running(t, func(p *Plan) {
		p.Expect = []Claim{{ID: "c1", Claim: "no order is lost", Ask: "owner", Deadline: Duration(time.Hour)}, {ID: "c2", Claim: "up", HTTP: "http://x", StopAfter: Duration(time.Minute)}}
		p.StopOn, p.Alarms = []string{"5xx"}, map[string]Alarm{"5xx": {Name: "5xx", Source: "cloudwatch", Match: "checkout-5xx"}}
		p.Notify = []Channel{{Name: "trade", To: "feishu:x", Lang: "zh"}}
	})
	d.Preview = &Previewed{Proved: "targets", Targets: []Target{{ID: "i-1"}}, At: at(0)}
	open(t, d, 2, manual("s1", Execute))
	if _, _, err := d.Answer(Move{Action: Execute, Parameters: map[string]any{"a": "b"}}, "bob", "me", at(2)); err != nil {
		t.Fatal(err)
	}
	d.Measure(Sample{Claim: "c2", At: at(3), Detail: "503"})
	d.AddNote("bob", "emoji 🛒 and \"quotes\"", at(3))
	ok(t)(d.AskStop(StopByPerson, "bob", "enough", "me", at(3)))
	ok(t)(d.Observe(seen(PhaseStopped, quiet, func(o *Observation) { o.Steps = []Step{step(StepCancelled)}; o.Report = Report{State: "pending"} }), at(4)))
	ok(t)(d.AnswerClaim("c1", true, "bob", "", at(4)))
	ok(t)(d.BeginConclude(at(5)))
	ok(t)(d.Decide(d.Judge(at(6)), at(6)))
	ok(t)(d.Conclude(false, "/r/d1", at(6)))
	ok(t)(d.Amend(Verdict{Verdict: Expected, Summary: "seen again", By: "carol"}, at(7)))
	d.Settle(d.Pending[0], "gone", []string{"x"}, at(8))
	if got := reload(t, d); !reflect.DeepEqual(got, d) {
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(d)
		t.Errorf("read back:\n%s\nwritten:\n%s", a, b)
	}
}

// TestObserve_TheLimitCountsFromTheBeginning: a run that was found late has used up some of its time.
func TestObserve_TheLimitCountsFromTheBeginning(t *testing.T) {
	at := func(minutes float64) time.Time { return at(minutes).UTC() }
	began := func(minutes float64) func(*Observation) { return func(o *Observation) { o.StartedAt = at(minutes) } }
	for name, c := range map[string]struct {
		adopted bool
		edit    func(*Observation)
		want    float64 // minutes: the beginning; the drill asked at 1 and knew the run at 10
	}{
		"by our own reply":                 {false, began(9.99), 10},
		"by our own reply, and long ago":   {false, began(4), 4},
		"by our own reply, the clock fast": {false, began(10.5), 10},
		"found, and nothing is said":       {true, func(*Observation) {}, 1},
		"found":                            {true, began(6), 6},
		"found, older than the intent":     {true, began(-600), 1},
		"found, from the future":           {true, began(600), 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := asked()
			ok(t)(d.Intend(Main, "me", nil, 0, at(1)))
			ok(t)(d.SetRun(Main, "run-1", c.adopted, at(10)))
			for minute := range 3 {
				if _, err := d.Observe(seen(PhaseRunning, c.edit), at(11+float64(minute))); err != nil {
					t.Fatal(err)
				}
			}
			if !d.StartedAt.Equal(at(c.want)) || !d.Deadline.Equal(at(c.want+30)) {
				t.Errorf("began at %s, may go on until %s; want %s", d.StartedAt, d.Deadline, at(c.want))
			}
			ok(t)(d.AskStop(StopByPerson, "a", "", "", at(20)))
			if until := d.Deadline; !until.Equal(at(20).Add(StopDeadline)) {
				t.Errorf("the stop's deadline is %s", until)
			}
		})
	}
}
