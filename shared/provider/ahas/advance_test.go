package ahas

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// stage is a driver on a sandbox of its own.
type stage struct {
	*drivertest.Bench
	w *drivertest.World
	d *Driver
}

func newStage(t *testing.T) stage {
	w := drivertest.NewWorld(t, harness())
	b := drivertest.NewBench(t, w)
	return stage{b, w, b.D.(*Driver)}
}

func (s stage) begin(experimentID string) (driver.Request, driver.Run) {
	s.T.Helper()
	r := s.w.Request(1, experiment(experimentID))
	return r, s.Begin(r)
}

func (s stage) untilGate(run driver.Run) driver.Gate {
	s.T.Helper()
	return s.Until(run, "waiting", func(o driver.Observation) bool { return o.Phase == drill.PhaseWaiting }).Gates[0]
}

func (s stage) calls(op string) int {
	n := 0
	for _, c := range s.w.Calls() {
		if c.Op == op {
			n++
		}
	}
	return n
}

func move(g driver.Gate) driver.Move { return driver.Move{Action: drill.Execute, Step: g.Step} }

func TestAdvance_Refuses(t *testing.T) {
	s := newStage(t)
	_, run := s.begin(byHand)
	first := s.untilGate(run)
	for _, c := range []struct {
		name string
		move driver.Move
		code driver.Code
	}{
		{"another step", driver.Move{Action: drill.Execute, Step: "1"}, driver.NotNow},
		{"no step", driver.Move{Action: drill.Execute}, driver.Invalid},
		{"skip, which AHAS does not have", driver.Move{Action: drill.Skip, Step: first.Step}, driver.Invalid},
		{"retry, which AHAS does not have", driver.Move{Action: drill.Retry, Step: first.Step}, driver.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := s.d.Advance(t.Context(), run, c.move)
			if s.d.Code(err) != c.code {
				t.Errorf("%v is %q, want %q", err, s.d.Code(err), c.code)
			}
		})
	}
	if n := s.calls("PushExperimentTask"); n != 0 {
		t.Errorf("%d pushes", n)
	}
	if err := s.d.Advance(t.Context(), run, driver.Move{Action: drill.Skip, Step: first.Step}); !errors.Is(err, driver.ErrUnsupported) || !strings.Contains(err.Error(), "cancel") {
		t.Errorf("%v, want an error that says what AHAS can do", err)
	}
}

func TestAdvance_TwoWaitingStepsAreRefused(t *testing.T) {
	two := task("RUNNING", "", act("a", "ATTACK", "FINISHED", "SUCCESS", waiting), act("b", "ATTACK", "FINISHED", "SUCCESS", waiting))
	w := newWire(t, two)
	d := w.driver(t, "cn-hangzhou")
	err := d.(driver.Advancer).Advance(t.Context(), driver.Run{ID: "1234567890123456789"}, driver.Move{Action: drill.Execute, Step: "a"})
	if d.Code(err) != driver.NotNow || w.hits != 1 || w.query.Get("Action") != "GetExperimentTask" {
		t.Errorf("%v after %d calls, want not-now after one read", err, w.hits)
	}
}

func TestAdvance_DuplicateNeverAdvancesTheNextStep(t *testing.T) {
	s := newStage(t)
	_, run := s.begin(byHand)
	first := s.untilGate(run)
	if err := s.d.Advance(t.Context(), run, move(first)); err != nil {
		t.Fatal(err)
	}
	// At once, the next activity runs; later, it waits as the first one did. A blind push would confirm it then.
	if err := s.d.Advance(t.Context(), run, move(first)); s.d.Code(err) != driver.NotNow {
		t.Fatalf("duplicate at once: %v", err)
	}
	second := s.untilGate(run)
	if second.Step == first.Step {
		t.Fatalf("the first gate is still open: %+v", second)
	}
	for range 3 {
		if err := s.d.Advance(t.Context(), run, move(first)); s.d.Code(err) != driver.NotNow {
			t.Fatalf("duplicate later: %v", err)
		}
	}
	s.w.Advance(time.Minute)
	if now := s.untilGate(run); now.Step != second.Step {
		t.Errorf("the duplicate moved %s to %s", second.Step, now.Step)
	}
	if n := s.calls("PushExperimentTask"); n != 1 {
		t.Errorf("%d pushes, want 1", n)
	}
}

func TestAdvance_AmbiguousPushIsUncertainAndNotRepeated(t *testing.T) {
	for _, effect := range []drivertest.Effect{drivertest.LoseReply, drivertest.FailAfter} {
		t.Run(string(effect), func(t *testing.T) {
			s := newStage(t)
			_, run := s.begin(byHand)
			first := s.untilGate(run)
			s.w.Break(drivertest.Fault{Effect: effect, Kind: service.Advance, Times: 1})
			err := s.d.Advance(t.Context(), run, move(first))
			s.Wants(err, driver.Uncertain)
			if n := s.calls("PushExperimentTask"); n != 1 {
				t.Fatalf("%d pushes, want 1", n)
			}
			if o := s.See(run); slices.ContainsFunc(o.Gates, func(g driver.Gate) bool { return g.Step == first.Step }) {
				t.Errorf("the gate is open although the push took effect: %+v", o.Gates)
			}
		})
	}
}

func TestAdvance_CancelEndsTheRun(t *testing.T) {
	s := newStage(t)
	r, run := s.begin(cpuFullload)
	gate := s.untilGate(run)
	if err := s.d.Advance(t.Context(), run, driver.Move{Action: drill.Cancel, Step: gate.Step}); err != nil {
		t.Fatal(err)
	}
	o := s.Until(run, "stopped", func(o driver.Observation) bool { return o.Phase == drill.PhaseStopped })
	if !o.Quiet || o.Restoration != drill.RestoreDone || s.calls("PushExperimentTask") != 0 {
		t.Errorf("%+v", o)
	}
	if err := s.d.Advance(t.Context(), run, move(gate)); s.d.Code(err) != driver.NotNow {
		t.Errorf("advance of an ended run: %v", err)
	}
	if err := s.StopOnce(run, r); err != nil {
		t.Errorf("stop of an ended run: %v", err)
	}
}

func TestStop_RecoveryThatFailsIsNeverCalledStopped(t *testing.T) {
	s := newStage(t)
	r, run := s.begin(stuckRecover)
	s.untilGate(run)
	for range 2 { // the second finds the task stopping
		if err := s.StopOnce(run, r); err != nil {
			t.Fatal(err)
		}
	}
	o := s.Until(run, "decided", func(o driver.Observation) bool { return o.Restoration.Decided() })
	if o.Phase != drill.PhaseUnknown || o.Quiet || o.Restoration != drill.RestoreFailed || o.Vendor != "FINISHED/SOPPED_FAILED" {
		t.Errorf("phase %s quiet %t restoration %s vendor %s", o.Phase, o.Quiet, o.Restoration, o.Vendor)
	}
	if !strings.Contains(o.Reason, "may still be in effect") || !strings.Contains(strings.Join(o.Evidence, "\n"), "停止磁盘填充") {
		t.Errorf("reason %q, evidence %q", o.Reason, o.Evidence)
	}
	if err := s.StopOnce(run, r); err != nil {
		t.Errorf("stop again: %v", err)
	}
	if len(s.w.Truth(run).Live) == 0 {
		t.Error("the case proves nothing: the fault is gone")
	}
}

func TestStop_Replies(t *testing.T) {
	for _, c := range []struct {
		name, reply string
		code        driver.Code
	}{
		{"finished already, by name", `{"Success":false,"Code":"B_EXPERIMENT_TASK_ALREADY_FINISHED"}`, driver.OK},
		{"finished already, by number", `{"Success":false,"Code":2404}`, driver.OK},
		{"stopping already, by name", `{"Success":false,"Code":"B_EXPERIMENT_TASK_STOPPING"}`, driver.OK},
		{"stopping already, by number", `{"Success":false,"Code":"2409"}`, driver.OK},
		{"accepted", `{"Success":"true","Code":"无","Message":"无"}`, driver.OK},
		{"timed out on their side", `{"Success":false,"Code":"B_EXPERIMENT_TASK_STOP_TIMEOUT"}`, driver.Uncertain},
		{"no such task", `{"Success":false,"Code":3304}`, driver.NotFound},
		{"no word of success", `{"RequestId":"R"}`, driver.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, c.reply)
			d := w.driver(t, "cn-hangzhou")
			if err := d.Stop(t.Context(), driver.Run{ID: "1"}, driver.Stop{}); d.Code(err) != c.code {
				t.Errorf("%v is %q, want %q", err, d.Code(err), c.code)
			}
		})
	}
}

func TestObserve_DurationEndsAForgottenRun(t *testing.T) {
	s := newStage(t)
	_, run := s.begin(cpuFullload)
	s.untilGate(run)
	s.w.Advance(20 * time.Minute)
	o := s.Until(run, "stopped", func(o driver.Observation) bool { return o.Phase == drill.PhaseStopped })
	if !o.Quiet || o.Restoration != drill.RestoreDone || o.EndedAt.IsZero() {
		t.Errorf("%+v", o)
	}
}

func TestObserve_HostsThatCannotBeReadLeaveTheRestorationOpen(t *testing.T) {
	s := newStage(t)
	_, run := s.begin(automatic)
	s.w.Advance(time.Minute)
	s.w.Break(drivertest.Fault{Effect: drivertest.Throttle, Op: "GetActivityTask"})
	before := s.calls("GetActivityTask")
	if o := s.See(run); o.Phase != drill.PhaseCompleted || o.Quiet || o.Restoration != drill.RestorePending || !strings.Contains(o.Steps[1].Message, "could not be read") {
		t.Errorf("phase %s quiet %t restoration %s", o.Phase, o.Quiet, o.Restoration)
	}
	if n := s.calls("GetActivityTask") - before; n != 1 {
		t.Errorf("%d more calls to a service that throttles, want 1", n)
	}
	s.w.Heal()
	o := s.See(run)
	if !o.Quiet || o.Restoration != drill.RestoreDone {
		t.Errorf("quiet %t restoration %s", o.Quiet, o.Restoration)
	}
	if tg := o.Steps[1].Targets; len(tg) != 2 || tg[0].ID != "192.168.0.206" || tg[0].State != drill.StepDone {
		t.Errorf("targets %+v", tg)
	}
}

func TestPreview_SaysWhyNot(t *testing.T) {
	s := newStage(t)
	for id, want := range map[string]string{draft: "B_EXPERIMENT_DRAFT_STATE", doesNotExist: "P_EXPERIMENT_NOT_FOUND"} {
		p, err := s.d.Preview(t.Context(), s.w.Request(1, experiment(id)))
		if err != nil || !p.Done || p.Proved != "runnable" || !strings.Contains(p.Refusal, want) {
			t.Errorf("%s: %+v, %v, want a refusal with %s", id, p, err, want)
		}
	}
	_, run := s.begin(cpuFullload)
	p, err := s.d.Preview(t.Context(), s.w.Request(2, experiment(cpuFullload)))
	if err != nil || !strings.Contains(p.Refusal, "B_EXPERIMENT_ALREADY_RUNNING") {
		t.Errorf("while %s runs: %+v, %v", run.ID, p, err)
	}
	s.w.Break(drivertest.Fault{Effect: drivertest.Throttle})
	if p, err := s.d.Preview(t.Context(), s.w.Request(2, experiment(cpuFullload))); s.d.Code(err) != driver.Throttled {
		t.Errorf("throttled: %+v, %v", p, err)
	}
}

func TestStart_OverridesReachTheRun(t *testing.T) {
	s := newStage(t)
	block := experiment(cpuFullload)
	block["definition"] = map[string]any{"param": []any{map[string]any{"groupId": cpuFullload, "hosts": []any{"10.9.8.7"}}}}
	run := s.Begin(s.w.Request(1, block))
	s.untilGate(run)
	if tg := s.See(run).Steps[0].Targets; len(tg) != 1 || tg[0].ID != "10.9.8.7" {
		t.Errorf("targets %+v", tg)
	}
	block["definition"] = `{"param":[{"groupId":"42"}]}`
	_, err := s.d.Start(t.Context(), s.w.Request(2, block))
	s.Wants(err, driver.Quota) // the service looks at the running task first
	s.StopAll(run, s.w.Request(1, block))
	_, err = s.d.Start(t.Context(), s.w.Request(2, block))
	s.Wants(err, driver.Invalid)
}
