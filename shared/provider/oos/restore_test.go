package oos

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
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
	if line := oosOf(b).RecoverByHand(rr); !strings.HasPrefix(line, "aliyun oos StartExecution --RegionId ") || !strings.HasSuffix(line, ` --TemplateName start-node --Parameters '{"NodeId":"i-abc"}'`) {
		t.Errorf("by hand: %s", line)
	}
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

// tasksOf writes a template of tasks.
func tasksOf(tasks ...string) map[string]any {
	return map[string]any{"safety_check": "Skip", "template_content": `{"FormatVersion":"OOS-2019-06-01","Tasks":[` + strings.Join(tasks, ",") + `]}`}
}

func api(name, verb, id string) string {
	return `{"Name":"` + name + `","Action":"ACS::ExecuteAPI","Properties":{"Service":"ecs","API":"` + verb + `","Parameters":{"InstanceId":"` + id + `"}}}`
}

func shell(name, id, text string) string {
	return `{"Name":"` + name + `","Action":"ACS::ECS::RunCommand","Properties":{"commandContent":"` + text + `","instanceId":"` + id + `"}}`
}

func waitFor(name, id, state string) string {
	return `{"Name":"` + name + `","Action":"ACS::WaitFor","Properties":{"Service":"ECS","API":"DescribeInstances","Parameters":{"InstanceIds":["` + id + `"]},"DesiredValues":["` + state + `"]}}`
}

// TestObserve_OnlyWhatUndidTheFaultProvesIt: what merely ran after a fault has shown nothing.
func TestObserve_OnlyWhatUndidTheFaultProvesIt(t *testing.T) {
	stop, start := api("stop", "StopInstance", "i-1"), api("start", "StartInstance", "i-1")
	burn := shell("burn", "i-1", "blade create cpu fullload")
	for _, c := range []struct {
		name  string
		tasks []string
		want  drill.Restoration
	}{
		{"somebody is told", []string{stop, `{"Name":"tell","Action":"ACS::Notify","Properties":{}}`}, drill.RestoreUnproven},
		{"a choice", []string{stop, `{"Name":"choose","Action":"ACS::Choice","Properties":{}}`}, drill.RestoreUnproven},
		{"targets are selected", []string{stop, `{"Name":"select","Action":"ACS::SelectTargets","Properties":{}}`}, drill.RestoreUnproven},
		{"the node is described", []string{stop, api("look", "DescribeInstances", "i-1")}, drill.RestoreUnproven},
		{"a wait until it is down", []string{stop, waitFor("down", "i-1", "Stopped")}, drill.RestoreUnproven},
		{"a wait for another node", []string{stop, waitFor("up", "i-2", "Running")}, drill.RestoreUnproven},
		{"another node is started", []string{stop, api("start", "StartInstance", "i-2")}, drill.RestoreUnproven},
		{"a start clears no other fault", []string{stop, burn, start}, drill.RestoreUnproven},
		{"the node runs and the fault in it too", []string{burn, waitFor("up", "i-1", "Running")}, drill.RestoreUnproven},
		{"another experiment is destroyed", []string{burn, shell("end", "i-1", "blade destroy mem load")}, drill.RestoreUnproven},
		{"an experiment is destroyed on another node", []string{burn, shell("end", "i-2", "blade destroy cpu fullload")}, drill.RestoreUnproven},
		{"a destroy whose success nobody sees", []string{burn, shell("end", "i-1", "blade destroy cpu fullload; true")}, drill.RestoreUnproven},
		{"an id of one of two", []string{burn, shell("fill", "i-1", "blade create disk fill"), shell("end", "i-1", "blade destroy abc123")}, drill.RestoreUnproven},
		{"a command that destroys in the background", []string{shell("both", "i-1", "U=$(blade create cpu fullload); (sleep 6; blade destroy $U) &")}, drill.RestoreUnproven},
		{"a nested execution after it", []string{stop, api("more", "StartExecution", "i-1")}, drill.RestoreUnproven},
		{"started again", []string{stop, start}, drill.RestoreDone},
		{"seen well", []string{api("reboot", "RebootInstance", "i-1"), waitFor("up", "i-1", "Running")}, drill.RestoreDone},
		{"each by its own", []string{stop, burn, start, shell("end", "i-1", "/opt/blade/blade destroy cpu fullload --x 1 2>&1")}, drill.RestoreDone},
		{"an id of the only one", []string{burn, shell("end", "i-1", "blade destroy abc123")}, drill.RestoreDone},
		{"a command that destroys what it created", []string{shell("both", "i-1", "U=$(blade create cpu fullload); sleep 6; blade destroy $U")}, drill.RestoreDone},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			if o := at(t, b, begin(t, b, tasksOf(c.tasks...))); o.Phase != drill.PhaseCompleted || o.Restoration != c.want || !o.Injected {
				t.Errorf("phase %s, injected %t, restoration %q, evidence %q; want %q", o.Phase, o.Injected, o.Restoration, o.Evidence, c.want)
			}
		})
	}
}

// TestMended_ReadsRunsInTheirOrder: a fault that ran again after its recovery is in effect, and a loop that left an item out mended only the others.
func TestMended_ReadsRunsInTheirOrder(t *testing.T) {
	run := func(id, parent, name, verb, node string, status aliyun.Text) taskExecution {
		return taskExecution{TaskExecutionId: aliyun.Text(id), ParentTaskExecutionId: aliyun.Text(parent), TaskName: aliyun.Text(name), TaskAction: "ACS::ExecuteAPI",
			Status: status, StartDate: "2026-11-20T10:00:00Z", Properties: aliyun.Text(`{"Service":"ecs","API":"` + verb + `","Parameters":{"InstanceId":"` + node + `"}}`)}
	}
	stop, start := run("1", "", "stop", "StopInstance", "i-1", "Success"), run("2", "", "start", "StartInstance", "i-1", "Success")
	again := run("3", "", "stop", "StopInstance", "i-1", "Success")
	loop := run("4", "", "start", "StartInstance", "{{ x }}", "Success")
	for _, c := range []struct {
		name string
		list []taskExecution
		want bool
	}{
		{"in order", []taskExecution{stop, start}, true},
		{"stopped again", []taskExecution{stop, start, again}, false},
		{"a loop over it", []taskExecution{stop, loop, run("5", "4", "start", "StartInstance", "i-1", "Success")}, true},
		{"a loop that left it out", []taskExecution{stop, loop, run("5", "4", "start", "StartInstance", "i-1", "Failed"), run("6", "4", "start", "StartInstance", "i-2", "Success")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if by, all := mended(runs(c.list)); all != c.want || len(by) == 0 {
				t.Errorf("%t, %q", all, by)
			}
		})
	}
}

// TestStop_OfACommandThatWouldHaveEndedItsFault leaves the fault in effect.
func TestStop_OfACommandThatWouldHaveEndedItsFault(t *testing.T) {
	b := bench(t)
	_, run := stopped(t, b, tasksOf(shell("both", "i-abc", "U=$(blade create cpu fullload); sleep 600; blade destroy $U")))
	if o, err := b.D.Observe(t.Context(), run); err != nil || o.Phase != drill.PhaseStopped || !o.Injected || o.Restoration != drill.RestoreUnproven || len(b.W.Truth(run).Live) != 1 {
		t.Errorf("%+v, %v; live %v", o, err, b.W.Truth(run).Live)
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
