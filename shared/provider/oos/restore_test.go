package oos

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
)

func recoverBlock(recovery map[string]any) map[string]any {
	return map[string]any{
		"template": "restart-one-node", "version": "v3", "safety_check": "Skip",
		"parameters": map[string]any{"NodeId": "i-abc", "HoldDown": "PT2H"}, "recovery": recovery,
	}
}

// stopped starts a run whose node stays down and cancels it.
func stopped(t *testing.T, b *drivertest.Bench, block map[string]any) (driver.Request, driver.Run) {
	t.Helper()
	r := b.W.Request(1, block)
	run, err := b.D.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b.W.Advance(30 * time.Second)
	if o, err := b.D.Observe(t.Context(), run); err != nil || !o.Injected || o.Quiet || o.Restoration != drill.RestorePending {
		t.Fatalf("under way: %+v, %v", o, err)
	}
	if err := b.D.Stop(t.Context(), run, driver.Stop{}); err != nil {
		t.Fatal(err)
	}
	return r, run
}

// TestStop_HasNoRollback is the service's own truth: the node stays down until the recovery run has started it.
func TestStop_HasNoRollback(t *testing.T) {
	b := bench(t)
	r, run := stopped(t, b, recoverBlock(map[string]any{"template": "start-node"}))
	o, err := b.D.Observe(t.Context(), run)
	if err != nil || o.Phase != drill.PhaseStopped || !o.Quiet || o.Restoration != drill.RestoreUnproven {
		t.Fatalf("stopped: %+v, %v", o, err)
	}
	if len(o.Evidence) < 2 || !strings.Contains(o.Evidence[0], "is Cancelled since") || !strings.Contains(strings.Join(o.Evidence, "\n"), "log ") {
		t.Errorf("evidence %q", o.Evidence)
	}
	b.W.Advance(time.Hour)
	if live := b.W.Truth(run).Live; len(live) != 1 || live[0] != "stopped i-abc" {
		t.Fatalf("live %v, want the stopped node", live)
	}
	rr, ok := oosOf(b).Recovery(r)
	if !ok || rr.Role != drill.Recovery || rr.Token != r.Drill+"/recovery" {
		t.Fatalf("recovery %+v, %t", rr, ok)
	}
	rec, err := b.D.Start(t.Context(), rr)
	if err != nil || rec.ID == run.ID || rec.Role != drill.Recovery {
		t.Fatalf("recovery run %+v, %v", rec, err)
	}
	if o, err := b.D.Observe(t.Context(), rec); err != nil || o.Restoration != drill.RestorePending {
		t.Errorf("recovery under way: %+v, %v", o, err)
	}
	b.W.Advance(time.Minute)
	o, err = b.D.Observe(t.Context(), rec)
	if err != nil || o.Restoration != drill.RestoreDone || !o.Quiet || len(o.Evidence) == 0 || o.Injected {
		t.Errorf("recovered: %+v, %v", o, err)
	}
	if live := b.W.Truth(run).Live; len(live) != 0 {
		t.Errorf("%v is live after the recovery", live)
	}
	if found, err := b.D.Lookup(t.Context(), r); err != nil || len(found) != 1 || found[0].ID != run.ID {
		t.Errorf("lookup of the main run finds %v, %v", found, err)
	}
	if found, err := b.D.Lookup(t.Context(), rr); err != nil || len(found) != 1 || found[0].ID != rec.ID {
		t.Errorf("lookup of the recovery run finds %v, %v", found, err)
	}
}

// TestRecovery_ParametersOfItsOwn start without any other call: the less a recovery depends on, the better.
func TestCheck_InheritIsNoFieldOfAPlan(t *testing.T) {
	b := bench(t)
	err := b.D.Check(b.W.Request(1, recoverBlock(map[string]any{"template": "start-node", "inherit": map[string]any{"NodeId": "i-abc"}})))
	if b.Wants(err, driver.Invalid); !strings.Contains(err.Error(), "oos.recovery.inherit: is not a field") {
		t.Error(err)
	}
}

func TestRecovery_ParametersOfItsOwn(t *testing.T) {
	b := bench(t)
	r, run := stopped(t, b, recoverBlock(map[string]any{"template": "start-node", "parameters": map[string]any{"NodeId": "i-abc"}}))
	rr, _ := oosOf(b).Recovery(r)
	before := len(b.W.Calls())
	if _, err := b.D.Start(t.Context(), rr); err != nil {
		t.Fatal(err)
	}
	if calls := b.W.Calls()[before:]; len(calls) != 1 || calls[0].Op != "StartExecution" {
		t.Errorf("calls %v", calls)
	}
	b.W.Advance(time.Minute)
	if live := b.W.Truth(run).Live; len(live) != 0 {
		t.Errorf("%v is live after the recovery", live)
	}
}

func TestRecovery_EndsFailedWhenItDoesNotSucceed(t *testing.T) {
	for _, c := range []struct {
		name     string
		recovery map[string]any
		cancel   bool
	}{
		{"its template fails", map[string]any{"template": "failing-command"}, false},
		{"somebody cancels it", map[string]any{"template": "start-node"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			r, _ := stopped(t, b, recoverBlock(c.recovery))
			rr, _ := oosOf(b).Recovery(r)
			rec, err := b.D.Start(t.Context(), rr)
			if err != nil {
				t.Fatal(err)
			}
			if c.cancel {
				err = b.D.Stop(t.Context(), rec, driver.Stop{})
			}
			b.W.Advance(time.Minute)
			o, again := b.D.Observe(t.Context(), rec)
			if err != nil || again != nil || o.Restoration != drill.RestoreFailed {
				t.Errorf("restoration %q, %v, %v", o.Restoration, err, again)
			}
		})
	}
}

func TestObserve_RestorationOfAMainRun(t *testing.T) {
	alone := `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"reboot","Action":"ACS::ExecuteAPI","Properties":{"Service":"ecs","API":"RebootInstance","Parameters":{"InstanceId":"i-1"}}}]}`
	for _, c := range []struct {
		name  string
		block map[string]any
		phase drill.Phase
		want  drill.Restoration
	}{
		{"a template that starts the node again", map[string]any{"template": "restart-one-node", "parameters": node, "safety_check": "Skip"}, drill.PhaseCompleted, drill.RestoreDone},
		{"a template that checks the node at its end", map[string]any{"template": "burn-cpu", "parameters": node}, drill.PhaseCompleted, drill.RestoreDone},
		{"a template that ends well and has shown nothing", map[string]any{"template_content": alone}, drill.PhaseCompleted, drill.RestoreUnproven},
		{"a template that failed after its fault", map[string]any{"template": "stop-and-check", "parameters": node, "safety_check": "Skip"}, drill.PhaseFailed, drill.RestoreUnproven},
		{"a template with no fault in it", map[string]any{"template": "MyTemplate"}, drill.PhaseCompleted, drill.RestoreNeedless},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			run := begin(t, b, c.block)
			o := at(t, b, run)
			if o.Phase != c.phase || o.Restoration != c.want || len(o.Evidence) == 0 {
				t.Errorf("phase %s, restoration %q, evidence %q; want %s, %q", o.Phase, o.Restoration, o.Evidence, c.phase, c.want)
			}
		})
	}
}

func TestObserve_StoppedBeforeAnyFaultNeedsNoRestoration(t *testing.T) {
	for name, block := range map[string]map[string]any{
		"rejected at its approval":         {"template": "approve-then-restart", "parameters": node},
		"rejected at its first risky task": {"template": "restart-one-node", "parameters": node},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench(t)
			run := begin(t, b, block)
			g := at(t, b, run).Gates[0]
			if err := oosOf(b).Advance(t.Context(), run, driver.Move{Action: drill.RejectRun, Step: g.Step}); err != nil {
				t.Fatal(err)
			}
			if o := at(t, b, run); o.Phase != drill.PhaseStopped || o.Restoration != drill.RestoreNeedless || o.Injected {
				t.Errorf("phase %s, restoration %q, injected %t", o.Phase, o.Restoration, o.Injected)
			}
		})
	}
}

func TestSteps_SayWhatATaskDoesAndToWhom(t *testing.T) {
	b := bench(t)
	run := begin(t, b, map[string]any{"template": "restart-one-node", "version": "v3", "parameters": node, "safety_check": "Skip"})
	o := at(t, b, run)
	want := []string{"stopNode fault i-abc", "holdDown wait ", "startNode recovery i-abc", "waitRunning check i-abc"}
	for i, s := range o.Steps {
		target := ""
		if len(s.Targets) > 0 {
			target = s.Targets[0].ID
		}
		if got := s.ID + " " + string(s.Kind) + " " + target; i >= len(want) || got != want[i] || s.State != drill.StepDone || s.Attempt != 1 {
			t.Errorf("step %d is %q, %s", i, got, s.State)
		}
	}
	if len(o.Steps) != 4 || o.Steps[2].Recovers != "stopNode" {
		t.Errorf("steps %+v", o.Steps)
	}
}
