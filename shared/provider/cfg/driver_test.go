package cfg

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
	sandbox "github.com/firedrill/firedrill/shared/sandbox/cfg"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func newBench(t *testing.T, changes ...func(*driver.Config)) *drivertest.Bench {
	w := drivertest.NewWorld(t, drivertest.Harness{Service: func(e service.Env) service.Service { return sandbox.New(e) }, Open: Open})
	return drivertest.NewBench(t, w, changes...)
}

func yamlish(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

var two = []any{"ins-a", "ins-b"}

// ops are the calls since from that change something.
func writes(b *drivertest.Bench, from int) []string {
	var out []string
	for _, c := range b.W.Calls()[from:] {
		if c.Kind != service.Read {
			out = append(out, c.Op)
		}
	}
	return out
}

func gate(t *testing.T, b *drivertest.Bench, run driver.Run, kind drill.GateKind) driver.Gate {
	t.Helper()
	o := b.Until(run, "waiting", func(o driver.Observation) bool { return len(o.Gates) > 0 })
	if len(o.Gates) != 1 || o.Gates[0].Kind != kind || o.Phase != drill.PhaseWaiting {
		t.Fatalf("phase %s, gates %+v, want one of kind %s", o.Phase, o.Gates, kind)
	}
	return o.Gates[0]
}

func advance(t *testing.T, b *drivertest.Bench, run driver.Run, a drill.Action, step string, targets ...string) {
	t.Helper()
	if err := b.D.(driver.Advancer).Advance(t.Context(), run, driver.Move{Action: a, Step: step, Targets: targets}); err != nil {
		t.Fatalf("%s %s: %v", a, step, err)
	}
}

func states(o driver.Observation) string {
	var out []string
	for _, s := range o.Steps {
		out = append(out, string(s.State))
	}
	return strings.Join(out, " ")
}

func TestAdvance_OneInstanceThenTheRest(t *testing.T) {
	b := newBench(t)
	run := b.Begin(b.W.Request(1, yamlish("template", 626, "instances", two)))
	g := gate(t, b, run, drill.ManualGate)
	advance(t, b, run, drill.Execute, g.Step, "ins-b")
	o := b.See(run)
	if got := o.Steps[0].Targets; got[0].State != drill.StepPending || got[1].State != drill.StepRunning || !o.Injected || o.Phase != drill.PhaseRunning {
		t.Errorf("targets %+v, injected %t, phase %s", got, o.Injected, o.Phase)
	}
	g2 := gate(t, b, run, drill.ManualGate)
	if g2.Step != g.Step {
		t.Fatalf("gate %+v, want the same step with one instance left", g2)
	}
	if o := b.See(run); o.Quiet || o.Restoration != drill.RestorePending {
		t.Errorf("quiet %t, restoration %s while one instance has the fault", o.Quiet, o.Restoration)
	}
	advance(t, b, run, drill.Skip, g.Step, "ins-a")
	g = gate(t, b, run, drill.ManualGate)
	advance(t, b, run, drill.Execute, g.Step)
	o = b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	if o.Phase != drill.PhaseCompleted || !o.Quiet || o.Restoration != drill.RestoreDone || states(o) != "done done" {
		t.Errorf("%s %t %s %s", o.Phase, o.Quiet, o.Restoration, states(o))
	}
}

func TestAdvance_Refusals(t *testing.T) {
	b := newBench(t)
	a := b.D.(driver.Advancer)
	run := b.Begin(b.W.Request(1, yamlish("template", 626, "instances", two)))
	fault, recovery := b.See(run).Steps[0].ID, b.See(run).Steps[1].ID
	before := len(b.W.Calls())
	for name, c := range map[string]struct {
		m    driver.Move
		want driver.Code
	}{
		"a step that is not reached":    {driver.Move{Action: drill.Execute, Step: recovery}, driver.NotNow},
		"a retry of what did not fail":  {driver.Move{Action: drill.Retry, Step: fault}, driver.NotNow},
		"no step":                       {driver.Move{Action: drill.Execute}, driver.NotNow},
		"a target that is not there":    {driver.Move{Action: drill.Execute, Step: fault, Targets: []string{"ins-z"}}, driver.Invalid},
		"a move that CFG does not have": {driver.Move{Action: drill.Complete, Step: fault}, driver.Invalid},
		"a cancelled step":              {driver.Move{Action: drill.Cancel, Step: fault}, driver.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if got := b.D.Code(a.Advance(t.Context(), run, c.m)); got != c.want {
				t.Errorf("code %q, want %q", got, c.want)
			}
		})
	}
	if got := writes(b, before); len(got) > 0 {
		t.Errorf("refused moves called %v", got)
	}
	if err := b.D.(driver.Pauser).Pause(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	gate(t, b, run, drill.PausedGate)
	b.Wants(a.Advance(t.Context(), run, driver.Move{Action: drill.Execute, Step: fault}), driver.NotNow)
	if err := a.Advance(t.Context(), run, driver.Move{Action: drill.ResumeRun}); err != nil {
		t.Fatal(err)
	}
	gate(t, b, run, drill.ManualGate)
}

func TestAdvance_FailedStep(t *testing.T) {
	for name, c := range map[string]struct {
		action   drill.Action
		want     string
		restored drill.Restoration
	}{
		"is retried": {drill.Retry, "done done done", drill.RestoreDone},
		"is skipped": {drill.Skip, "done skipped done", drill.RestoreUnproven}, // it had begun on ins-b
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			run := b.Begin(b.W.Request(1, yamlish("template", 629, "instances", two)))
			g := gate(t, b, run, drill.FailedGate)
			o := b.See(run)
			if o.Steps[1].State != drill.StepFailed || !strings.Contains(o.Steps[1].Message, "ins-b failed") || o.Steps[1].Targets[0].State != drill.StepDone {
				t.Errorf("step %+v", o.Steps[1])
			}
			if !strings.Contains(o.Outputs, "on ins-b: failed: agent did not answer") {
				t.Errorf("outputs %q, want the end of the log", o.Outputs)
			}
			advance(t, b, run, c.action, g.Step)
			g = gate(t, b, run, drill.ManualGate) // by hand from now on
			advance(t, b, run, drill.Execute, g.Step)
			o = b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
			if o.Phase != drill.PhaseCompleted || o.Restoration != c.restored || states(o) != c.want {
				t.Errorf("%s %s %s", o.Phase, o.Restoration, states(o))
			}
		})
	}
}

func TestAdvance_SkippedRecoveryIsNotRestored(t *testing.T) {
	b := newBench(t)
	run := b.Begin(b.W.Request(1, yamlish("template", 626, "instances", two)))
	advance(t, b, run, drill.Execute, gate(t, b, run, drill.ManualGate).Step)
	advance(t, b, run, drill.Skip, gate(t, b, run, drill.ManualGate).Step)
	o, err := b.D.Observe(t.Context(), run)
	if err != nil || o.Phase != drill.PhaseFailed || o.Quiet || o.Restoration != drill.RestoreFailed || !strings.Contains(o.Reason, "not undone: Empty Operation") {
		t.Errorf("%v: %s, quiet %t, %s, %q", err, o.Phase, o.Quiet, o.Restoration, o.Reason)
	}
}

func TestAdvance_RecoveryThatIsSkippedOnOneInstance(t *testing.T) {
	b := newBench(t)
	run := b.Begin(b.W.Request(1, yamlish("template", 626, "instances", two)))
	advance(t, b, run, drill.Execute, gate(t, b, run, drill.ManualGate).Step)
	recovery := gate(t, b, run, drill.ManualGate).Step
	advance(t, b, run, drill.Skip, recovery, "ins-b")
	advance(t, b, run, drill.Execute, recovery, "ins-a")
	b.W.Advance(time.Minute)
	o, err := b.D.Observe(t.Context(), run)
	if err != nil || states(o) != "done done" || o.Phase != drill.PhaseFailed || o.Quiet || o.Restoration != drill.RestoreFailed || o.Reason != "not undone: Empty Operation on ins-b" {
		t.Errorf("%v: %s, %s, quiet %t, %s, %q", err, states(o), o.Phase, o.Quiet, o.Restoration, o.Reason)
	}
}

func TestStop_GuardrailRollsBack(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("template", 627, "on_stop", "rollback", "instances", two))
	run := b.Begin(r)
	advance(t, b, run, drill.Execute, gate(t, b, run, drill.ManualGate).Step)
	before := len(b.W.Calls())
	for range 3 { // repeated while the rollback is under way
		if err := b.StopOnce(run, r); err != nil {
			t.Fatal(err)
		}
	}
	if o := b.See(run); o.Phase != drill.PhaseStopping || o.Quiet {
		t.Errorf("phase %s, quiet %t while the guardrail rolls back", o.Phase, o.Quiet)
	}
	o := b.StopAll(run, r)
	if o.Phase != drill.PhaseWaiting || o.Gates[0].Kind != drill.PausedGate || o.Restoration != drill.RestoreDone || o.Vendor != "1003/0" {
		t.Errorf("%+v", o)
	}
	if got := writes(b, before); !slices.Equal(got, []string{"TriggerPolicy"}) {
		t.Errorf("calls %v, want one trigger", got)
	}
}

func TestStop_PausesThenRecoversOneByOneInOrder(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("actions", []any{4, map[string]any{"id": 12}}, "instances", two))
	run := b.Begin(r)
	for range 2 {
		advance(t, b, run, drill.Execute, gate(t, b, run, drill.ManualGate).Step)
	}
	gate(t, b, run, drill.ManualGate)
	before := len(b.W.Calls())
	for _, want := range []string{"done done pending pending", "done done running pending", "done done running pending"} {
		if err := b.StopOnce(run, r); err != nil {
			t.Fatal(err)
		}
		if got := states(b.See(run)); got != want {
			t.Errorf("steps %s, want %s", got, want)
		}
	}
	o := b.StopAll(run, r)
	if states(o) != "done done done done" || o.Restoration != drill.RestoreDone || len(o.Evidence) != 3 {
		t.Errorf("%s %s %v", states(o), o.Restoration, o.Evidence)
	}
	if got := writes(b, before); !slices.Equal(got, []string{"ModifyTaskRunStatus", "ExecuteTaskInstance", "ExecuteTaskInstance"}) {
		t.Errorf("calls %v", got)
	}
	if truth := b.W.Truth(run); truth.Ended {
		t.Error("a stop never ends the task")
	}
}

func TestStop_NothingToUndo(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("template", 626, "instances", two))
	r = b.Ready(r)
	before := len(b.W.Calls())
	if err := b.StopOnce(*r.Prepared, r); err != nil {
		t.Fatal(err)
	}
	if got := writes(b, before); len(got) > 0 {
		t.Errorf("a stop of an inert task called %v", got)
	}
	run, err := b.D.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	o := b.StopAll(run, r)
	if o.Restoration != drill.RestoreNeedless || o.Injected || o.Phase != drill.PhaseWaiting {
		t.Errorf("%+v", o)
	}
}

func TestStart_OnlyThePreparedTask(t *testing.T) {
	b := newBench(t)
	r := b.Ready(b.W.Request(1, yamlish("template", 626, "instances", two)))
	other := b.Ready(b.W.Request(2, yamlish("template", 626, "instances", two)))
	stranger := r
	stranger.Prepared = other.Prepared
	_, err := b.D.Start(t.Context(), stranger)
	b.Wants(err, driver.Invalid)
	gone := r
	gone.Prepared = &driver.Run{ID: "77"}
	_, err = b.D.Start(t.Context(), gone)
	b.Wants(err, driver.NotFound)
	if n := len(b.W.Executed()); n != 0 {
		t.Fatalf("%d tasks were executed", n)
	}
	before := len(b.W.Calls())
	for range 3 {
		run, err := b.D.Start(t.Context(), r)
		if err != nil || run != *r.Prepared {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	if got := writes(b, before); !slices.Equal(got, []string{"ExecuteTask"}) {
		t.Errorf("calls %v, want one ExecuteTask", got)
	}
}

func TestConclude(t *testing.T) {
	b := newBench(t)
	c := b.D.(driver.Concluder)
	r := b.Ready(b.W.Request(1, yamlish("template", 627, "instances", two)))
	if err := c.Conclude(t.Context(), *r.Prepared, driver.Conclusion{}); err != nil {
		t.Errorf("an inert task: %v", err)
	}
	run, err := b.D.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	advance(t, b, run, drill.Execute, gate(t, b, run, drill.ManualGate).Step)
	b.Wants(c.Conclude(t.Context(), run, driver.Conclusion{Summary: "too early"}), driver.NotNow)
	b.StopAll(run, r)
	if err := c.Conclude(t.Context(), run, driver.Conclusion{Verdict: "inconclusive", Issue: "none", Record: "log", Link: "https://example.com/r"}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tasks []struct {
			TaskStatus, TaskExpect int
			TaskSummary, TaskIssue string
		} `json:"tasks"`
	}
	if err := json.Unmarshal(b.W.Service.Snapshot(), &got); err != nil {
		t.Fatal(err)
	}
	if k := got.Tasks[0]; k.TaskStatus != 1004 || k.TaskExpect != 2 || k.TaskSummary != "verdict: inconclusive" || k.TaskIssue != "none" {
		t.Errorf("task %+v", k)
	}
}

func TestPrepare_OverridesKeepTheTemplatesOtherFields(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("template", 631, "groups", []any{yamlish("instances", two, "actions",
		map[any]any{1: yamlish("duration", 30, "PreTimeWait", 3, "general", yamlish("AliasTitle", "DNS 篡改"))})}, "TaskArchId", "arch-1"))
	run := b.Begin(r)
	o := b.See(run)
	if o.Steps[0].Name != "DNS 篡改" {
		t.Errorf("step %+v", o.Steps[0])
	}
	snap := string(b.W.Service.Snapshot())
	for _, want := range []string{`\"domain\":\"shop.example.com\"`, `\"duration\":30`, `\"PreTimeWait\":3`, `\"ActionTimeout\":1800`} {
		if !strings.Contains(snap, want) {
			t.Errorf("%s is not in %s", want, snap)
		}
	}
}

func TestLookupAndFind_ByTitleDescriptionAndTag(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("actions", []any{12}, "instances", two, "description", "说明"))
	run := b.Begin(r)
	b.Begin(b.W.Request(11, yamlish("action", 12, "instances", two))) // its id begins with the other's
	found, err := b.D.Lookup(t.Context(), r)
	if err != nil || len(found) != 1 || found[0] != run {
		t.Errorf("lookup %v, %v", found, err)
	}
	r.Seen = []string{run.ID}
	if found, err = b.D.Lookup(t.Context(), r); err != nil || len(found) != 0 {
		t.Errorf("lookup %v, %v, want none beyond those seen", found, err)
	}
	all, err := b.D.(driver.Finder).Find(t.Context())
	if err != nil || len(all) != 2 {
		t.Fatalf("found %v, %v", all, err)
	}
	for _, f := range all {
		if f.Root != drivertest.Root || !f.Live || f.Drill == "" {
			t.Errorf("found %+v", f)
		}
	}
}

func TestLookupAndFind_BeyondTheFirstPage(t *testing.T) {
	b := newBench(t)
	block := yamlish("actions", []any{12}, "instances", two)
	r := b.W.Request(0, block)
	r.Drill = "d" // part of every other drill's id
	oldest := b.Begin(r)
	for i := range 101 {
		b.Begin(b.W.Request(i, block))
	}
	found, err := b.D.Lookup(t.Context(), r)
	if err != nil || len(found) != 1 || found[0] != oldest {
		t.Errorf("lookup %v, %v, want %s", found, err, oldest.ID)
	}
	all, err := b.D.(driver.Finder).Find(t.Context())
	if err != nil || len(all) != 102 {
		t.Errorf("found %d tasks, %v, want 102", len(all), err)
	}
}

func TestTitle(t *testing.T) {
	d := &Driver{limit: 20}
	for name, c := range map[string]struct{ block, title, plan, want string }{
		"is cut by characters":     {"", strings.Repeat("演", 50), "p", strings.Repeat("演", 12) + " [fd:d1]"},
		"of the block goes first":  {"mine", "title", "p", "mine [fd:d1]"},
		"falls back to the plan":   {"", " ", "plan-a", "plan-a [fd:d1]"},
		"has no control character": {"", "a\nb\tc", "p", "a b c [fd:d1]"},
		"that another mark ends":   {"", "x [fd:d2]", "p", "x [fd:d2] [fd:d1]"},
		"that is no valid UTF-8":   {"", "a\xff", "p", "a [fd:d1]"},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.title(block{title: c.block}, driver.Request{Drill: "d1", Title: c.title, Plan: c.plan})
			if got != c.want {
				t.Errorf("title %q, want %q", got, c.want)
			}
		})
	}
	long := d.title(block{}, driver.Request{Drill: strings.Repeat("d", 40), Title: "gone"})
	if !carries(Text(long), strings.Repeat("d", 40)) {
		t.Errorf("the mark of %q was cut", long)
	}
	if carries("x [fd:d11]", "d1") || carries("[fd:d1] x", "d1") || carries("x [fd:]", "") {
		t.Error("a foreign title carries the mark")
	}
}

func TestPauseAfter_BoundsTheRunAtTheService(t *testing.T) {
	b := newBench(t)
	r := b.W.Request(1, yamlish("template", 626, "instances", two))
	r.Timeout = 90 * time.Second
	run := b.Begin(r)
	b.W.Advance(2 * time.Minute)
	if o := b.See(run); o.Vendor != "1003/0" {
		t.Errorf("task %s after the plan's time, want paused by the service", o.Vendor)
	}
	if !strings.Contains(fmt.Sprint(b.D.(driver.Handbook).ByHand(run)), "--TaskId "+run.ID+" --Status 1003") {
		t.Error("no command to stop by hand")
	}
}
