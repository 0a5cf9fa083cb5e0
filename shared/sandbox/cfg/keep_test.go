package cfg

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/keeptest"
)

// again is a new world that goes on from what w's service saved.
func (w *world) again(t *testing.T) *world {
	t.Helper()
	data, err := w.s.Save()
	if err != nil {
		t.Fatal(err)
	}
	other := newWorld(t)
	if err := other.s.Load(data); err != nil {
		t.Fatal(err)
	}
	other.now, other.real, other.n = w.now, w.real, w.n
	for name, pair := range map[string][2]any{
		"tasks": {w.s.tasks, other.s.tasks}, "templates": {w.s.templates, other.s.templates}, "ids": {w.s.ids, other.s.ids},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s differ after Load", name)
		}
	}
	return other
}

// story is what happens to a world, one thing after another; each thing answers with what a caller sees of it. Tasks are
// 3256 and so on.
func story() []func(*world) string {
	call := func(action, body string) func(*world) string {
		return func(w *world) string {
			b, err := json.Marshal(w.try(action, body))
			if err != nil {
				w.t.Fatal(err)
			}
			return string(b)
		}
	}
	create := func(template int, more string) func(*world) string {
		return call("CreateTaskFromTemplate", fmt.Sprintf(`{"TemplateId":%d,"TaskConfig":{"TaskGroupsConfig":[{"TaskGroupInstances":["ins-a","ins-b"]}]%s}}`, template, more))
	}
	task := func(action string, id int, more string) func(*world) string {
		return call(action, fmt.Sprintf(`{"TaskId":%d%s}`, id, more))
	}
	move := func(id int64, n, kind int) func(*world) string {
		return func(w *world) string { return w.move(id, n, kind) }
	}
	pass := func(d time.Duration) func(*world) string {
		return func(w *world) string { w.pass(d); w.s.Tick(); return "" }
	}
	logs := `,"Limit":100,"Offset":0`
	return []func(*world) string{
		create(626, `,"TaskTitle":"rehearsal [fd:abc]","Tags":[{"TagKey":"firedrill","TagValue":"abc"}]`), task("DescribeTask", 3256, ""),
		task("ExecuteTask", 3256, ""), move(3256, 0, 1), pass(4 * time.Second), task("DescribeTask", 3256, ""), pass(8 * time.Second),
		task("ModifyTaskRunStatus", 3256, `,"Status":1003`), task("DescribeTask", 3256, ""), move(3256, 1, 1), pass(9 * time.Second),
		task("ModifyTaskRunStatus", 3256, `,"Status":1004,"IsExpect":true,"Summary":"good","Issue":"none","Record":"r"`),
		create(627, ""), task("ExecuteTask", 3257, ""), move(3257, 0, 2), pass(3 * time.Second),
		task("TriggerPolicy", 3257, `,"Name":"cpu","Content":"90%","TriggerType":0`), pass(2 * time.Second), task("DescribeTask", 3257, ""), pass(10 * time.Second),
		task("TriggerPolicy", 3257, `,"Name":"cpu","Content":"90%","TriggerType":1`), task("DescribeTaskPolicyTriggerLog", 3257, `,"Page":1,"PageSize":10`),
		create(628, ""), task("ExecuteTask", 3258, ""), pass(6 * time.Second), pass(12 * time.Second), pass(30 * time.Second), pass(5 * time.Minute),
		create(629, `,"TaskPauseDuration":2`), task("ExecuteTask", 3259, ""), pass(11 * time.Second), pass(31 * time.Second), move(3259, 1, 5), pass(90 * time.Second),
		call("CreateTaskFromAction", `{"TaskActionId":4,"TaskInstances":["ins-z"],"TaskTags":[{"TagKey":"a","TagValue":"b"}]}`),
		task("ExecuteTask", 3260, ""), move(3260, 0, 2), pass(11 * time.Second), move(3260, 1, 3),
		call("CreateTaskFromMultiAction", `{"TaskInstances":["ins-y"],"TaskAction":[{"TaskActionId":12},{"TaskActionId":292}]}`), task("DeleteTask", 3261, ""),
		task("DescribeTaskExecuteLogs", 3259, logs), call("DescribeTemplateList", `{"Limit":20,"Offset":0}`), call("DescribeTaskList", `{"Limit":20,"Offset":0}`),
		pass(2 * time.Hour), create(626, ""), task("DescribeTask", 3262, ""), call("DescribeTaskList", `{"Limit":20,"Offset":0}`),
	}
}

func TestKeep_a_service_that_was_loaded_goes_on_like_the_one_that_was_saved(t *testing.T) {
	w := newWorld(t)
	others := []*world{w.again(t)} // saved after no step, after one, and so on
	for n, step := range story() {
		want, state, runs := step(w), string(w.s.Snapshot()), w.s.Runs()
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
		others = append(others, w.again(t))
	}
}

func TestKeep_the_story_passes_through_every_status(t *testing.T) {
	w, seen := newWorld(t), map[string]bool{}
	for n, step := range story() {
		if answer := step(w); strings.Contains(answer, "Error") && !strings.Contains(answer, "failed") {
			t.Errorf("step %d: %s", n+1, answer)
		}
		for _, k := range w.s.tasks {
			seen[fmt.Sprint(k.status)] = true
			seen["rollback"] = seen["rollback"] || k.rollback
			seen["deleted"] = seen["deleted"] || k.deleted
			for _, g := range k.groups {
				for _, a := range g.actions {
					seen[fmt.Sprint(a.status)] = true
					seen["result "+fmt.Sprint(a.kind)] = true
				}
			}
		}
	}
	for _, want := range []string{"1001", "1002", "1003", "1004", "2001", "2002", "2003", "2004", "result 1", "result 2", "result 3", "result 4", "rollback", "deleted"} {
		if !seen[want] {
			t.Errorf("nothing was ever %s", want)
		}
	}
}

func TestKeep_ids_count_on(t *testing.T) {
	w := newWorld(t)
	first := w.task(626, "")
	second := w.again(t).task(626, "")
	if first != 3256 || second != 3257 {
		t.Errorf("tasks %d and, after Load, %d, want 3256 and 3257", first, second)
	}
}

func TestKeep_no_field_is_forgotten(t *testing.T) {
	keeptest.Fields[task, keptTask](t)
	keeptest.Fields[policy, keptPolicy](t)
	keeptest.Fields[trigger, keptTrigger](t)
	keeptest.Fields[group, keptGroup](t)
	keeptest.Fields[action, keptAction](t)
	keeptest.Fields[instance, keptInstance](t)
	keeptest.Fields[ids, keptIDs](t)
	keeptest.Fields[Service, keptState](t, "env", "ops", "mu", "library", "templates")
}

// told is a world's service after the story, saved.
func told(tb testing.TB, steps int) []byte {
	w := newWorld(&testing.T{})
	for _, step := range story()[:steps] {
		step(w)
	}
	data, err := w.s.Save()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestKeep_damaged_data_are_refused(t *testing.T) {
	good := told(t, len(story()))
	keeptest.Refuses(t, func() keeptest.Service { return newWorld(t).s }, good)
	for what, edit := range map[string][2]string{
		"a status nobody knows":        {`"Status":1004`, `"Status":1005`},
		"an action nobody knows":       {`"Spec":12`, `"Spec":99`},
		"a task twice":                 {`"ID":3257`, `"ID":3256`},
		"a counter that has gone back": {`"IDs":{"Task":3263`, `"IDs":{"Task":3260`},
	} {
		bad := strings.Replace(string(good), edit[0], edit[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %s is not in %s", what, edit[0], good)
		}
		if err := newWorld(t).s.Load([]byte(bad)); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func FuzzKeep(f *testing.F) {
	keeptest.Fuzz(f, func() keeptest.Service { return newWorld(&testing.T{}).s }, told(f, 4), told(f, len(story())))
}
