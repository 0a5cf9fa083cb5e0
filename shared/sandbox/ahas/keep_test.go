package ahas

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/keeptest"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// again is a new bench that goes on from what b's service saved.
func (b *bench) again(t *testing.T) *bench {
	t.Helper()
	data, err := b.s.Save()
	if err != nil {
		t.Fatal(err)
	}
	other := newBench(t)
	if err := other.s.Load(data); err != nil {
		t.Fatal(err)
	}
	other.now, other.ids = b.now, b.ids
	for name, pair := range map[string][2]any{"experiments": {b.s.experiments, other.s.experiments}, "tasks": {b.s.tasks, other.s.tasks}} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s differ after Load", name)
		}
	}
	return other
}

const ownExperiment = `{"runMode":"PHASE","duration":90,"flowGroups":[{"appName":"a","appGroups":["g"],"hosts":["10.0.0.1","10.0.0.2"],
	"flows":[{"attack":{"appCode":"chaos.cpu","userCheck":true,"arguments":{"n":"1"}},"check":[{"appCode":"look"}]},{"attack":{"appCode":"chaos.net","userCheck":false}}]}]}`

// story is what happens to a bench, one thing after another; each thing answers with what a caller sees of it.
func story() []func(*bench) string {
	call := func(action string, kv ...string) func(*bench) string {
		return func(b *bench) string { return b.send(service.Options{}, action, kv...).Body.String() }
	}
	task := func(action string, n int) func(*bench) string {
		return func(b *bench) string { return call(action, "ExperimentTaskId", b.s.tasks[n].id)(b) }
	}
	pass := func(d time.Duration) func(*bench) string {
		return func(b *bench) string { b.wait(d); return "" }
	}
	start := func(n int, kv ...string) func(*bench) string {
		return call("ExecuteExperiment", append([]string{"ExperimentId", libraryID(n)}, kv...)...)
	}
	return []func(*bench) string{
		start(0, "Definition", `{"param":[{"groupId":"`+libraryID(0)+`","hosts":["10.1.1.1"],"activityParam":[{"arguments":{"cpu_count":"4"}}]}]}`),
		pass(time.Second), pass(time.Second), start(0), pass(5 * time.Second), task("GetExperimentTask", 0), task("PushExperimentTask", 0), pass(time.Second),
		task("GetExperimentTask", 0), pass(5 * time.Second),
		start(1), pass(2 * time.Second), pass(3 * time.Second), pass(20 * time.Second),
		start(2), pass(3 * time.Second), task("PushExperimentTask", 2), pass(time.Second), task("FinishExperimentTask", 2), pass(time.Second), pass(time.Minute),
		start(3), pass(4 * time.Second), task("FinishExperimentTask", 3), pass(time.Second), task("GetExperimentTask", 3), pass(time.Minute),
		start(5), pass(4 * time.Second), pass(time.Minute),
		call("CreateExperiment", "Name", "own", "NameSpace", "default", "Definition", ownExperiment, "Tags.1", "x"),
		func(b *bench) string { return call("ExecuteExperiment", "ExperimentId", b.s.experiments[6].id)(b) }, pass(4 * time.Second),
		pass(2 * time.Minute), call("PageableQueryUserExperiment", "NameSpace", "default"),
		call("PageableQueryExperimentTaskByExperimentId", "ExperimentId", libraryID(0)), start(0), pass(time.Hour),
	}
}

func TestKeep_a_service_that_was_loaded_goes_on_like_the_one_that_was_saved(t *testing.T) {
	b := newBench(t)
	others := []*bench{b.again(t)} // saved after no step, after one, and so on
	for n, step := range story() {
		want, state, runs := step(b), string(b.s.Snapshot()), b.s.Runs()
		for cut, other := range others {
			if got := step(other); got != want {
				t.Fatalf("saved after %d steps: step %d answers %s, want %s", cut, n+1, got, want)
			}
			if got := string(other.s.Snapshot()); got != state {
				t.Fatalf("saved after %d steps: after step %d the state is %s, want %s", cut, n+1, got, state)
			}
			if got := other.s.Runs(); !reflect.DeepEqual(got, runs) {
				t.Fatalf("saved after %d steps: after step %d the runs are %+v, want %+v", cut, n+1, got, runs)
			}
		}
		others = append(others, b.again(t))
	}
}

func TestKeep_the_story_passes_through_every_state(t *testing.T) {
	b, seen := newBench(t), map[string]bool{}
	for _, step := range story() {
		step(b)
		for _, k := range b.s.tasks {
			seen[k.state], seen["result "+k.result] = true, true
			for _, a := range k.activities {
				seen[a.check], seen["activity "+a.result] = true, true
			}
		}
	}
	for _, want := range []string{
		stateReady, stateRunning, stateStopping, stateFinished, "result " + resultSuccess, "result " + resultFailed, "result " + resultStopped,
		"result " + resultStopFailed, checkWaiting, checkPassed, checkFailed, "activity " + resultRejected, "activity " + resultStopped,
	} {
		if !seen[want] {
			t.Errorf("nothing was ever %s", want)
		}
	}
}

func TestKeep_no_field_is_forgotten(t *testing.T) {
	keeptest.Fields[experiment, keptExperiment](t)
	keeptest.Fields[flowGroup, keptGroup](t)
	keeptest.Fields[flow, keptFlow](t)
	keeptest.Fields[activity, keptActivity](t)
	keeptest.Fields[task, keptTask](t)
	keeptest.Fields[activityTask, keptActivityTask](t, "step")
	keeptest.Fields[hostTask, keptHostTask](t)
	keeptest.Fields[Service, keptState](t, "env", "verify", "mu")
}

// told is a bench's service after so much of the story, saved.
func told(tb testing.TB, steps int) []byte {
	b := newBench(&testing.T{})
	for _, step := range story()[:steps] {
		step(b)
	}
	data, err := b.s.Save()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestKeep_damaged_data_are_refused(t *testing.T) {
	good := told(t, len(story()))
	keeptest.Refuses(t, func() keeptest.Service { return newBench(t).s }, good)
	for what, edit := range map[string][2]string{
		"a state nobody knows":          {`"State":"FINISHED"`, `"State":"DONE"`},
		"an experiment of the library":  {`"Experiments":[{"ID":"12`, `"Experiments":[{"ID":"` + libraryID(0) + `","Name":"12`},
		"an activity of no experiment":  {`"Recover":[{`, `"Recover":[{},{`},
		"a task whose id is not unique": {`"Tasks":[{"ID":"12`, `"Tasks":[{"ID":"","State":"FINISHED"},{"ID":"12`},
	} {
		bad := strings.Replace(string(good), edit[0], edit[1], 1)
		if what == "an activity of no experiment" {
			i := strings.Index(string(good), `"Tasks":`)
			bad = string(good[:i]) + strings.Replace(string(good[i:]), edit[0], edit[1], 1)
		}
		if bad == string(good) {
			t.Fatalf("%s: %s is not in %s", what, edit[0], good)
		}
		if err := newBench(t).s.Load([]byte(bad)); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func FuzzKeep(f *testing.F) {
	keeptest.Fuzz(f, func() keeptest.Service { return newBench(&testing.T{}).s }, told(f, 2), told(f, len(story())))
}
