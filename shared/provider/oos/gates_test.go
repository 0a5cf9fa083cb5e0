package oos

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
)

func bench(t *testing.T) *drivertest.Bench {
	t.Helper()
	return drivertest.NewBench(t, drivertest.NewWorld(t, harness()))
}

func oosOf(b *drivertest.Bench) *Driver { return b.D.(*Driver) }

var node = map[string]any{"NodeId": "i-abc"}

// at waits until the run waits at a gate, or has ended.
func at(t *testing.T, b *drivertest.Bench, run driver.Run) driver.Observation {
	t.Helper()
	for range 400 {
		o, err := b.D.Observe(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Gates) > 0 || o.Phase.Final() {
			return o
		}
		b.W.Advance(2 * time.Second)
	}
	t.Fatal("neither a gate nor an end")
	return driver.Observation{}
}

func begin(t *testing.T, b *drivertest.Bench, block map[string]any) driver.Run {
	t.Helper()
	run, err := b.D.Start(t.Context(), b.W.Request(1, block))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func words(g driver.Gate) string {
	var out []string
	for _, c := range g.Choices {
		out = append(out, strings.TrimSuffix(string(c.Action)+" "+c.Step, " "))
	}
	return strings.Join(out, ", ")
}

// answer is a gate that must be open, and what is answered to it.
type answer struct{ kind, step, choices, action, on string }

// lead waits for the gate and answers it.
func lead(t *testing.T, b *drivertest.Bench, run driver.Run, i int, a answer) {
	t.Helper()
	o := at(t, b, run)
	if len(o.Gates) != 1 {
		t.Fatalf("gate %d: phase %s, gates %+v", i, o.Phase, o.Gates)
	}
	g := o.Gates[0]
	if string(g.Kind) != a.kind || g.Step != a.step || words(g) != a.choices || o.Phase != drill.PhaseWaiting {
		t.Fatalf("gate %d is %s at %q with %q in phase %s, want %s at %q with %q", i, g.Kind, g.Step, words(g), o.Phase, a.kind, a.step, a.choices)
	}
	if err := oosOf(b).Advance(t.Context(), run, driver.Move{Action: drill.Action(a.action), Step: a.on, Note: "看过 👍"}); err != nil {
		t.Fatalf("gate %d: %v", i, err)
	}
}

// TestAdvance_EveryGateAndEveryNotifyType leads executions through their gates to their ends.
func TestAdvance_EveryGateAndEveryNotifyType(t *testing.T) {
	items := `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"say","Action":"ACS::ECS::RunCommand","Properties":{"commandContent":"echo {{ ACS::TaskLoopItem }}"},"Loop":{"Items":["a","b","c"],"RateControl":{"Concurrency":1}}}]}`
	for _, c := range []struct {
		name    string
		block   map[string]any
		answers []answer
		phase   drill.Phase
		vendor  string
	}{
		{"an approval task that is approved", map[string]any{"template": "approve-then-restart", "parameters": node},
			[]answer{{"approval", "approve", "approve, reject", "approve", "approve"}}, drill.PhaseCompleted, "Success"},
		{"an approval task that is rejected", map[string]any{"template": "approve-then-restart", "parameters": node},
			[]answer{{"approval", "approve", "approve, reject", "reject", "approve"}}, drill.PhaseStopped, "Cancelled"},
		{"a pause", map[string]any{"template": "pause-and-look", "parameters": node},
			[]answer{{"manual", "look", "execute, cancel", "execute", "look"}}, drill.PhaseCompleted, "Success"},
		{"a risky task that is confirmed", map[string]any{"template": "restart-one-node", "parameters": node},
			[]answer{{"risk", "stopNode", "approve, reject", "approve", "stopNode"}}, drill.PhaseCompleted, "Success"},
		{"a risky task that is rejected", map[string]any{"template": "restart-one-node", "parameters": node},
			[]answer{{"risk", "stopNode", "approve, reject", "reject", ""}}, drill.PhaseStopped, "Cancelled"},
		{"a failed task that is tried again and then skipped", map[string]any{"template": "failing-command", "mode": "FailurePause", "parameters": node},
			[]answer{{"failed", "breakSomething", "retry, skip", "retry", "breakSomething"}, {"failed", "breakSomething", "retry, skip", "skip", "breakSomething"}}, drill.PhaseCompleted, "Success"},
		{"debug mode, each task in turn", map[string]any{"template": "debug-echo", "mode": "Debug"},
			[]answer{{"debug", "", "execute hello, execute goodbye, complete", "execute", "hello"},
				{"debug", "", "execute goodbye, complete, execute hello", "execute", "goodbye"},
				{"debug", "", "complete, execute hello, execute goodbye", "complete", ""}}, drill.PhaseCompleted, "Success"},
		{"a loop that pauses after each batch", map[string]any{"template_content": items, "loop_mode": "EveryBatchPause"},
			[]answer{{"paused", "say", "resume, cancel", "resume", "say"}, {"paused", "say", "resume, cancel", "resume", ""}}, drill.PhaseCompleted, "Success"},
		{"a loop that is ended at its first batch", map[string]any{"template_content": items, "loop_mode": "FirstBatchPause"},
			[]answer{{"paused", "say", "resume, cancel", "cancel", "say"}}, drill.PhaseStopped, "Cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			run := begin(t, b, c.block)
			for i, a := range c.answers {
				lead(t, b, run, i, a)
			}
			if o := at(t, b, run); o.Phase != c.phase || o.Vendor != c.vendor {
				t.Errorf("ended %s (%s), want %s (%s); gates %+v", o.Phase, o.Vendor, c.phase, c.vendor, o.Gates)
			}
		})
	}
}

func TestAdvance_RefusesWhatDoesNotWait(t *testing.T) {
	for _, c := range []struct {
		name  string
		block map[string]any
		move  driver.Move
		want  driver.Code
	}{
		{"another step", map[string]any{"template": "pause-and-look", "parameters": node}, driver.Move{Action: drill.Execute, Step: "burnCpu"}, driver.NotNow},
		{"an action that the gate does not offer", map[string]any{"template": "pause-and-look", "parameters": node}, driver.Move{Action: drill.Retry, Step: "look"}, driver.NotNow},
		{"a task that the template does not have", map[string]any{"template": "debug-echo", "mode": "Debug"}, driver.Move{Action: drill.Execute, Step: "adieu"}, driver.NotNow},
		{"an end with no such status", map[string]any{"template": "debug-echo", "mode": "Debug"}, driver.Move{Action: drill.Complete, Result: "Splendid"}, driver.Invalid},
		{"targets that the step does not have", map[string]any{"template": "failing-command", "mode": "FailurePause", "parameters": node},
			driver.Move{Action: drill.Retry, Step: "breakSomething", Targets: []string{"i-xyz"}}, driver.Invalid},
		{"cancel in debug mode while nothing runs", map[string]any{"template": "debug-echo", "mode": "Debug"}, driver.Move{Action: drill.Cancel, Step: "hello"}, driver.NotNow},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			run := begin(t, b, c.block)
			at(t, b, run)
			before := len(b.W.Calls())
			b.Wants(oosOf(b).Advance(t.Context(), run, c.move), c.want)
			for _, call := range b.W.Calls()[before:] {
				if call.Kind != "read" {
					t.Errorf("called %s", call.Op)
				}
			}
		})
	}
}

func TestAdvance_RunningAndEndedRunsWaitForNobody(t *testing.T) {
	b := bench(t)
	run := begin(t, b, map[string]any{"template": "loop-echo"})
	b.Wants(oosOf(b).Advance(t.Context(), run, driver.Move{Action: drill.ApproveRun}), driver.NotNow)
	b.W.Advance(time.Hour)
	b.Wants(oosOf(b).Advance(t.Context(), run, driver.Move{Action: drill.ApproveRun}), driver.NotNow)
}

func TestAdvance_CancelsTheTaskThatRunsInDebugMode(t *testing.T) {
	b := bench(t)
	run := begin(t, b, map[string]any{"template": "burn-cpu", "mode": "Debug", "parameters": map[string]any{"NodeId": "i-abc", "Seconds": "600"}})
	at(t, b, run)
	d := oosOf(b)
	if err := d.Advance(t.Context(), run, driver.Move{Action: drill.Execute, Step: "burnCpu", Parameters: map[string]any{"Seconds": "900"}}); err != nil {
		t.Fatal(err)
	}
	b.W.Advance(10 * time.Second)
	if live := b.W.Truth(run).Live; len(live) != 1 {
		t.Fatalf("live %v, want the burn", live)
	}
	if err := d.Advance(t.Context(), run, driver.Move{Action: drill.Cancel, Step: "burnCpu"}); err != nil {
		t.Fatal(err)
	}
	o := at(t, b, run)
	if len(b.W.Truth(run).Live) != 0 || o.Gates[0].Kind != drill.DebugGate || o.Steps[0].State != drill.StepCancelled {
		t.Errorf("live %v, gates %+v, steps %+v", b.W.Truth(run).Live, o.Gates, o.Steps)
	}
	if err := d.Advance(t.Context(), run, driver.Move{Action: drill.Complete, Result: "Failed"}); err != nil {
		t.Fatal(err)
	}
	if o := at(t, b, run); o.Phase != drill.PhaseFailed {
		t.Errorf("phase %s, want failed as asked", o.Phase)
	}
}

// TestAdvance_SomebodyWasFaster lets the gate close between our read and our notification.
func TestAdvance_SomebodyWasFaster(t *testing.T) {
	b := bench(t)
	run := begin(t, b, map[string]any{"template": "pause-and-look", "parameters": node})
	at(t, b, run)
	other := b.W.Open()
	once := false
	b.W.Break(drivertest.Fault{Effect: drivertest.Rewrite, Op: "ListTaskExecutions", Body: func(reply []byte) []byte {
		if !once {
			once = true
			if err := other.(driver.Advancer).Advance(t.Context(), run, driver.Move{Action: drill.Execute, Step: "look"}); err != nil {
				t.Errorf("the faster one: %v", err)
			}
		}
		return reply
	}})
	b.Wants(oosOf(b).Advance(t.Context(), run, driver.Move{Action: drill.Execute, Step: "look"}), driver.NotNow)
	b.W.Heal()
	b.W.Advance(time.Minute)
	if o := at(t, b, run); o.Phase != drill.PhaseCompleted {
		t.Errorf("phase %s", o.Phase)
	}
}

func TestAdvance_NamesTheTaskExecution(t *testing.T) {
	const reply = `{"Executions":[{"ExecutionId":"exec-1","Status":"Waiting","Mode":"Automatic","SafetyCheck":"Skip","CurrentTasks":[{"TaskName":"ok","TaskAction":"ACS::Approve","TaskExecutionId":"task-exec-44d32b45d2a449e49899#1"}]}]}`
	w := &wire{replies: map[string]string{"ListExecutions": reply, "ListTaskExecutions": `{}`, "NotifyExecution": `{"RequestId":"R"}`}}
	if err := w.open(t).Advance(t.Context(), driver.Run{ID: "exec-1"}, driver.Move{Action: drill.ApproveRun, Step: "ok", Note: "fine"}); err != nil {
		t.Fatal(err)
	}
	q := w.asked[len(w.asked)-1]
	got := fmt.Sprint(q.Get("Action"), q.Get("NotifyType"), q.Get("ExecutionId"), q.Get("TaskExecutionId"), q.Get("NotifyNote"))
	if want := fmt.Sprint("NotifyExecution", "Approve", "exec-1", "task-exec-44d32b45d2a449e49899#1", "fine"); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func TestObserve_ATriggerThatWaitsIsNoGate(t *testing.T) {
	const reply = `{"Executions":[{"ExecutionId":"exec-1","Status":"Waiting","Mode":"Automatic","SafetyCheck":"Skip","CurrentTasks":[{"TaskName":"t","TaskAction":"ACS::TimerTrigger","TaskExecutionId":"x"}]}]}`
	w := &wire{replies: map[string]string{"ListExecutions": reply, "ListTaskExecutions": `{}`}}
	o, err := w.open(t).Observe(t.Context(), driver.Run{ID: "exec-1"})
	if err != nil || len(o.Gates) != 0 || o.Phase != drill.PhaseRunning || o.Vendor != "Waiting" {
		t.Errorf("observed %+v, %v", o, err)
	}
}

// TestAdvance_ARefusalOfUnknownCodeIsCheckedByReading stands for the codes that the vendor does not document.
func TestAdvance_ARefusalOfUnknownCodeIsCheckedByReading(t *testing.T) {
	const list = `{"Executions":[{"ExecutionId":"exec-1","Status":"%s","Mode":"Automatic","SafetyCheck":"Skip","CurrentTasks":[{"TaskName":"ok","TaskAction":"ACS::Approve","TaskExecutionId":"x"}]}]}`
	for status, want := range map[string]driver.Code{"Running": driver.NotNow, "Success": driver.NotNow, "Waiting": driver.Unknown} {
		t.Run("the execution is then "+status, func(t *testing.T) {
			w := &wire{replies: map[string]string{"ListExecutions": fmt.Sprintf(list, "Waiting"), "ListTaskExecutions": `{}`, "NotifyExecution": `{"Code":"Execution.Whatever"}`}}
			w.before = func(action string) {
				w.status = 200
				if action == "NotifyExecution" {
					w.status = 400
					w.replies["ListExecutions"] = fmt.Sprintf(list, status)
				}
			}
			d := w.open(t)
			err := d.Advance(t.Context(), driver.Run{ID: "exec-1"}, driver.Move{Action: drill.ApproveRun, Step: "ok"})
			if got := d.Code(err); got != want {
				t.Errorf("class %q of %v, want %q", got, err, want)
			}
		})
	}
}
