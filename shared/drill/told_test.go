package drill

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

// lines are what the change's one progressed fact says, nil if it has none.
func lines(t *testing.T, c Change) []string {
	t.Helper()
	publishable(t, c)
	var out []string
	for _, f := range c.Facts {
		if p, ok := f.(events.Progressed); ok {
			if out != nil {
				t.Errorf("two progressed facts: %+v", c.Facts)
			}
			out = p.Changes
		}
	}
	return out
}

// TestTold_AGateThatIsAnsweredIsToldAtOnce: between two facts a room shows what was, with its buttons.
func TestTold_AGateThatIsAnsweredIsToldAtOnce(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute))
	c, _, err := d.Answer(Move{Action: Execute}, "bob", "me", at(2.1))
	if err != nil || !slices.Equal(lines(t, c), []string{"bob: execute s1"}) {
		t.Errorf("the answer says %+v, %v", c, err)
	}
	if c := d.SettleAnswer(0, "", at(2.1)); len(c.Facts) > 0 || c.What == "" {
		t.Errorf("an answer that worked says %+v", c)
	}
	c = ok(t)(d.Observe(seen(PhaseRunning), at(2.2)))
	if d.Status != Running || !slices.Equal(lines(t, c), []string{"waits no more: step s1"}) || c.Facts[0].(events.Progressed).Status != string(Running) {
		t.Errorf("%s, said %+v", d.Status, c)
	}
}

func TestTold_OneOfTwoGatesCloses(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute), manual("s2", Execute))
	c := open(t, d, 2.1, manual("s2", Execute))
	if d.Status != Waiting || !slices.Equal(lines(t, c), []string{"waits no more: step s1"}) {
		t.Errorf("%s, said %+v", d.Status, c)
	}
	if c = open(t, d, 2.2, manual("s3", Execute)); lines(t, c) != nil || facts(c) != "waiting" {
		t.Errorf("where another opens, that says it: %+v", c)
	}
}

func TestTold_AnAnswerThatDidNotWork(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute))
	if _, _, err := d.Answer(Move{Action: Execute}, "bob", "me", at(3)); err != nil {
		t.Fatal(err)
	}
	c := d.SettleAnswer(0, "UnauthorizedOperation: no", at(3))
	if got := lines(t, c); !slices.Equal(got, []string{"execute s1 did not work: UnauthorizedOperation: no"}) || got[0] != d.Answers[0].Problem() {
		t.Errorf("said %+v", c)
	}
}

func TestTold_AClaimThatIsAnswered(t *testing.T) {
	d := running(t, withClaims(askedOf))
	c := ok(t)(d.AnswerClaim("c2", true, "bob", "", at(2)))
	if got := lines(t, c); len(got) != 1 || !strings.HasPrefix(got[0], "bob answers c2 (") {
		t.Errorf("said %+v", c)
	}
}

// TestTold_StepsThatWaitedAreToldLater: the last state is always told, even if nothing moves any more.
func TestTold_StepsThatWaitedAreToldLater(t *testing.T) {
	d := running(t)
	reading := func(s StepState) Observation {
		return seen(PhaseRunning, func(o *Observation) { o.Steps = []Step{step(s)} })
	}
	if got := lines(t, ok(t)(d.Observe(reading(StepRunning), at(2)))); len(got) != 1 {
		t.Fatalf("the first says %v", got)
	}
	if c := ok(t)(d.Observe(reading(StepDone), at(2.2))); len(c.Facts) > 0 || c.What == "" {
		t.Fatalf("too soon: %+v", c)
	}
	d = reload(t, d)
	if c := ok(t)(d.Observe(reading(StepDone), at(2.4))); c.What != "" || len(c.Facts) > 0 {
		t.Fatalf("too soon, and nothing moved: %+v", c)
	}
	c := ok(t)(d.Observe(reading(StepDone), at(2.5)))
	if !slices.Equal(lines(t, c), []string{"step burn CPU is done"}) || c.What == "" {
		t.Errorf("owed, and said %+v", c)
	}
	if c = ok(t)(d.Observe(reading(StepDone), at(9))); c.What != "" || len(c.Facts) > 0 {
		t.Errorf("told twice: %+v", c)
	}
}

func TestTold_WhatIsOwedStaysBounded(t *testing.T) {
	d := running(t)
	for i := range 60 {
		ok(t)(d.Observe(seen(PhaseRunning, func(o *Observation) {
			o.Steps = []Step{{ID: fmt.Sprint(i), Name: fmt.Sprint("n", i), Kind: FaultStep, State: StepRunning}}
		}), at(2+float64(i)/200)))
	}
	got := lines(t, ok(t)(d.Observe(seen(PhaseRunning), at(3))))
	if len(got) != maxLines+1 || got[maxLines-1] != "step n59 is running" || got[maxLines] != "and 39 more" {
		t.Errorf("%d lines: %v", len(got), got)
	}
}

// TestTold_ARestorationThatFailsAfterTheEnd must not wait for the conclusion: the fault may still be in effect.
func TestTold_ARestorationThatFailsAfterTheEnd(t *testing.T) {
	d := running(t)
	pending := func(o *Observation) { o.Restoration = RestorePending }
	ok(t)(d.Observe(seen(PhaseCompleted, pending), at(2)))
	c := ok(t)(d.Observe(seen(PhaseCompleted, func(o *Observation) { o.Restoration = RestoreFailed }), at(2.1)))
	if !slices.Equal(lines(t, c), []string{"restoration: failed"}) {
		t.Errorf("said %+v", c)
	}
}

func TestFailRestoration_SaysWhatAPersonCanDo(t *testing.T) {
	d := running(t)
	d.Recovers = true
	ok(t)(d.Observe(seen(PhaseCompleted, func(o *Observation) { o.Restoration = RestoreUnproven }), at(2)))
	ok(t)(d.Intend(Recovery, "me", nil, 0, at(3)))
	ok(t)(d.SetRun(Recovery, "rec-1", false, at(3)))
	c := ok(t)(d.Observe(seen(PhaseFailed, func(o *Observation) {
		o.Run.Role, o.Run.ID, o.Restoration, o.Reason, o.ByHand = Recovery, "rec-1", RestoreUnproven, "no such instance", "vendor start --template undo"
	}), at(4)))
	lines(t, c)
	e := c.Facts[0].(events.Progressed).Escalation
	if e == nil || e.Do != "vendor start --template undo" || e.LastError != "no such instance" || !strings.Contains(e.Reason, "rec-1") {
		t.Errorf("escalation %+v", e)
	}
}
