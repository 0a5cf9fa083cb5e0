package oos

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/keeptest"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// again is a new world that goes on from what w's service saved.
func (w *world) again(t *testing.T) *world {
	t.Helper()
	data, err := w.Save()
	if err != nil {
		t.Fatal(err)
	}
	other := newWorld(t)
	if err := other.Load(data); err != nil {
		t.Fatal(err)
	}
	other.now, other.n = w.now, w.n
	return other
}

const ownTemplate = `{"FormatVersion":"OOS-2019-06-01","Parameters":{"n":{"Type":"Number","Default":1000000},"f":{"Type":"Number"}},"Tasks":[
	{"Name":"first","Action":"ACS::Sleep","Properties":{"Duration":"PT1M"}},
	{"Name":"load","Action":"ACS::ECS::RunCommand","Properties":{"commandContent":"stress-ng --timeout {{ n }} --f {{ f }}","deep":{"list":[1,2.5,true,null,"x"]},"instanceId":"i-own"}},
	{"Name":"ask","Action":"ACS::Approve","Properties":{"MinRequiredApprovals":2}}]}`

// story is what happens to a world, one thing after another; each thing answers with what a caller sees of it.
func story() []func(*world) string {
	call := func(action string, kv ...string) func(*world) string {
		return func(w *world) string {
			status, body := w.send(service.Options{}, action, kv...)
			return fmt.Sprint(status, body)
		}
	}
	nth := func(action string, n int, kv ...string) func(*world) string {
		return func(w *world) string {
			if n >= len(w.executions) {
				w.t.Fatalf("%s: there is no execution %d", action, n)
			}
			return call(action, append(kv, "ExecutionId", w.executions[n].ID)...)(w)
		}
	}
	notify := func(n int, kind string, kv ...string) func(*world) string {
		return nth("NotifyExecution", n, append(kv, "NotifyType", kind)...)
	}
	start := func(template string, kv ...string) func(*world) string {
		return call("StartExecution", append(kv, "TemplateName", template)...)
	}
	pass := func(d time.Duration) func(*world) string {
		return func(w *world) string { w.wait(d); return "" }
	}
	node := []string{"Parameters", restart, "ClientToken", "one", "Tags", `{"firedrill-drill":"abc"}`}
	return []func(*world) string{
		start("restart-one-node", node...), pass(time.Second), start("restart-one-node", node...), notify(0, "Approve", "NotifyNote", "go on"),
		pass(4 * time.Second), pass(2 * time.Second), nth("ListTaskExecutions", 0), pass(10 * time.Second), pass(10 * time.Minute),
		start("restart-one-node", "Parameters", `{"NodeId":"i-other"}`, "ClientToken", "one"), // the same token, another request
		start("loop-echo", "Parameters", `{"TagKey":"k"}`, "LoopMode", "FirstBatchPause"), pass(2 * time.Second), pass(2 * time.Second), notify(1, "Approve"), pass(time.Minute),
		start("failing-command", "Mode", "FailurePause", "Parameters", restart), pass(5 * time.Second), notify(2, "RetryTask"), pass(5 * time.Second), notify(2, "SkipTask"), pass(time.Minute),
		start("debug-echo", "Mode", "Debug"), pass(2 * time.Second), func(w *world) string {
			return notify(3, "ExecuteTask", "TaskName", w.executions[3].Template.body.Tasks[0].Name)(w)
		}, pass(time.Minute), notify(3, "CompleteExecution"),
		call("StartExecution", "TemplateContent", ownTemplate, "Parameters", `{"f":1234567.5}`, "SafetyCheck", "Skip"), pass(30 * time.Second), pass(40 * time.Second),
		nth("ListTaskExecutions", 4), nth("CancelExecution", 4),
		call("StartExecution", "TemplateContent", ownTemplate, "Parameters", `{"f":1e6,"n":20}`), pass(62 * time.Second), pass(time.Minute),
		notify(5, "Approve"), nth("ListExecutions", 5), notify(5, "Approve"), pass(time.Second),
		nth("UpdateExecution", 5, "Description", "verdict: expected", "Tags", `{"verdict":"expected"}`),
		call("TagResources", "ResourceType", "template", "ResourceIds", `["t-1"]`, "Tags", `{"a":"b"}`),
		start("pause-and-look", "Parameters", restart), pass(5 * time.Second), notify(6, "Reject"), start("burn-cpu", "Parameters", `{"NodeId":"i-abc"}`), pass(3 * time.Second),
		call("ListExecutions"), nth("ListExecutionLogs", 2), nth("GetExecutionTemplate", 4), pass(time.Hour), call("ListExecutions"),
	}
}

func TestKeep_a_service_that_was_loaded_goes_on_like_the_one_that_was_saved(t *testing.T) {
	w := newWorld(t)
	others := []*world{w.again(t)} // saved after no step, after one, and so on
	pushed := []int{0}             // how much had been pushed when each was saved
	for n, step := range story() {
		want, state, runs := step(w), string(w.Snapshot()), w.Runs()
		for cut, other := range others {
			if got := step(other); got != want {
				t.Fatalf("saved after %d steps: step %d answers %s, want %s", cut, n+1, got, want)
			}
			if got := string(other.Snapshot()); got != state {
				t.Fatalf("saved after %d steps: after step %d the state is %s, want %s", cut, n+1, got, state)
			}
			if got := other.Runs(); !reflect.DeepEqual(got, runs) {
				t.Fatalf("saved after %d steps: after step %d the runs are %+v, want %+v", cut, n+1, got, runs)
			}
		}
		others = append(others, w.again(t))
		pushed = append(pushed, len(w.pushed))
	}
	for cut, other := range others {
		if want, got := w.pushed[pushed[cut]:], other.pushed; len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("saved after %d steps: pushed %v, want %v", cut, got, want)
		}
	}
}

func TestKeep_the_story_passes_through_every_status(t *testing.T) {
	w, seen := newWorld(t), map[string]bool{}
	for n, step := range story() {
		if answer := step(w); strings.HasPrefix(answer, "4") && !strings.Contains(answer, "IdempotentParameterMismatch") {
			t.Errorf("step %d: %s", n+1, answer)
		}
		for _, e := range w.executions {
			seen[e.Status], seen["gate "+string(e.Gate)] = true, true
			for _, k := range e.Tasks {
				seen["task "+k.Status] = true
			}
		}
	}
	for _, want := range []string{
		started, running, waiting, success, cancelled, "task " + skipped, "task " + failed, "task " + cancelled, "gate " + string(approveGate),
		"gate " + string(pauseGate), "gate " + string(riskGate), "gate " + string(failedGate), "gate " + string(batchGate), "gate " + string(debugGate),
	} {
		if !seen[want] {
			t.Errorf("nothing was ever %s", want)
		}
	}
}

func TestKeep_no_field_is_forgotten(t *testing.T) {
	keeptest.Fields[template, keptTemplate](t, "body")
	keeptest.Fields[execution, keptExecution](t, "TemplateName", "TemplateVersion", "order")
	keeptest.Fields[taskRun, keptTask](t, "Action", "def")
	keeptest.Fields[Service, keptState](t, "env", "verifier", "mu", "byID", "byToken", "active", "outbox")
}

// told is a world's service after so much of the story, saved.
func told(tb testing.TB, steps int) []byte {
	w := newWorld(&testing.T{})
	for _, step := range story()[:steps] {
		step(w)
	}
	data, err := w.Save()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestKeep_damaged_data_are_refused(t *testing.T) {
	good := told(t, len(story()))
	keeptest.Refuses(t, func() keeptest.Service { return newWorld(t).Service }, good)
	for what, edit := range map[string][2]string{
		"a status nobody knows":      {`"Status":"Success"`, `"Status":"Done"`},
		"a template that is missing": {`"Template":1`, `"Template":77`},
		"a template that is broken":  {`FormatVersion`, `Format`},
		"a task of no template":      {`"Attempt":1`, `"Attempt":1,"Name":"nobody"`},
		"a current task that is not": {`"Current":""`, `"Current":"task-exec-0"`},
		"a place after the last":     {`"Next":1`, `"Next":100`},
		"batches of no loop":         {`"Batches":0`, `"Batches":-1`},
	} {
		bad := strings.Replace(string(good), edit[0], edit[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %s is not in %s", what, edit[0], good)
		}
		if err := newWorld(t).Load([]byte(bad)); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func FuzzKeep(f *testing.F) {
	keeptest.Fuzz(f, func() keeptest.Service { return newWorld(&testing.T{}).Service }, told(f, 2), told(f, len(story())))
}
