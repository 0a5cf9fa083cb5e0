package cfg

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestTask_InertUntilExecuted(t *testing.T) {
	w := newWorld(t)
	reply := w.ok("CreateTaskFromTemplate", `{"TemplateId":"626","TaskConfig":{"TaskTitle":"t [fd:d1]","TaskGroupsConfig":[{"TaskGroupInstances":["ins-bfydnvta","ins-ehxmry76"]}]}}`)
	id := int64(reply["TaskId"].(float64))
	w.pass(100 * time.Hour)
	w.is(id, "1001 2001/0 2001/0")
	task := w.ok("DescribeTask", `{"TaskId":"%d"}`, id)["Task"].(map[string]any)
	for _, a := range task["TaskGroups"].([]any)[0].(map[string]any)["TaskGroupActions"].([]any) {
		if rows := a.(map[string]any)["TaskGroupInstances"].([]any); len(rows) != 0 {
			t.Errorf("instance rows before ExecuteTask: %v", rows)
		}
	}
	if r := w.s.Runs()[0]; r.Executed || r.Mark != "[fd:d1]" || r.Template != "626" || len(r.Live) > 0 {
		t.Errorf("run %+v", r)
	}
	if got := task["TaskCreateTime"]; got != "2026-11-20 10:00:00" {
		t.Errorf("created at %v, want Beijing time", got)
	}
}

// Template 626 gives the very task of the vendor's guide, ids included.
func TestTask_SeedShape(t *testing.T) {
	w := newWorld(t)
	w.task(626, "")
	task := w.ok("DescribeTask", `{"TaskId":3256}`)["Task"].(map[string]any)
	g := task["TaskGroups"].([]any)[0].(map[string]any)
	got := fmt.Sprint(task["TaskDescription"], task["TaskMode"], task["TaskPauseDuration"], task["TaskPolicy"], g["TaskGroupId"], g["TaskGroupTitle"])
	if want := "Test an empty operation action 1 60 <nil> 4684 abc"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("task %s, want %s", got, want)
	}
	var rows []string
	for _, v := range g["TaskGroupActions"].([]any) {
		a := v.(map[string]any)
		row := fmt.Sprintf("%v %v %v %v random %v recover %v execute %v %v", a["TaskGroupActionId"], a["ActionId"], a["ActionTitle"], a["ActionAttribute"],
			a["TaskGroupActionRandomId"], a["TaskGroupActionRecoverId"], a["TaskGroupActionExecuteId"], a["TaskGroupActionGeneralConfiguration"])
		for _, i := range a["TaskGroupInstances"].([]any) {
			row += fmt.Sprint(" ", i.(map[string]any)["TaskGroupInstanceId"])
		}
		rows = append(rows, row)
	}
	want := []string{
		`11395 12 Empty Operation 1 random 156878 recover 193278 execute <nil> {"AliasTitle": "", "PreTimeWait": 0, "ActionTimeout": 1800, "AfterTimeWait": 0} 24375 24376`,
		`11396 13 Empty Operation (rollback) 2 random 193278 recover <nil> execute 156878 {"PreTimeWait": 0, "ActionTimeout": 1800, "AfterTimeWait": 0} 24377 24378`,
	}
	if !slices.Equal(rows, want) {
		t.Errorf("actions\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}

func TestManual_StepByStep(t *testing.T) {
	w := newWorld(t)
	id := w.task(626, "")
	w.pass(50 * time.Minute)
	w.is(id, "1002 2002/0 2001/0")
	if c := w.move(id, 1, 2); c != "OperationDenied" {
		t.Errorf("an action that does not wait: %q", c)
	}
	w.moved(id, 0, 2)
	w.is(id, "1002 2003/0 2001/0")
	if live := w.live(id); !slices.Equal(live, []string{"Empty Operation"}) {
		t.Errorf("live %v", live)
	}
	if c := w.move(id, 0, 2); c != "OperationDenied" {
		t.Errorf("an action that executes: %q", c)
	}
	w.pass(10 * time.Second)
	w.is(id, "1002 2004/1 2002/0")
	if len(w.live(id)) != 1 {
		t.Error("a fault with a recovery lasts until it is recovered")
	}
	w.moved(id, 1, 2)
	w.pass(5 * time.Second)
	w.is(id, "1002 2004/1 2004/1")
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v after the recovery", live)
	}
}

func TestManual_SomeInstancesThenTheRest(t *testing.T) {
	w := newWorld(t)
	id := w.task(626, "")
	one := `{"TaskId":%d,"TaskActionId":"11395","TaskGroupId":"4684","ActionType":"%d","IsOperateAll":"false","TaskInstanceIds":["%d"]}`
	w.refused("InvalidParameterValue", "ExecuteTaskInstance", one, id, 2, 24377) // another action's
	w.ok("ExecuteTaskInstance", one, id, 2, 24375)
	w.pass(10 * time.Second)
	w.is(id, "1002 2002/0 2001/0")
	w.refused("OperationDenied", "ExecuteTaskInstance", one, id, 2, 24375)
	w.ok("ExecuteTaskInstance", one, id, 3, 24376)
	w.is(id, "1002 2004/1 2002/0")
	w.moved(id, 1, 3)
	w.is(id, "1002 2004/1 2004/4")
	if len(w.live(id)) != 1 {
		t.Error("a skipped recovery undoes nothing")
	}
}

func TestManual_ARecoveryUndoesTheInstancesThatItRanOn(t *testing.T) {
	w := newWorld(t)
	id := w.task(627, "")
	one := `{"TaskId":%d,"TaskActionId":%d,"TaskGroupId":4684,"ActionType":%d,"IsOperateAll":false,"TaskInstanceIds":[%d]}`
	w.ok("ExecuteTaskInstance", one, id, 11395, 2, 24375)
	w.pass(10 * time.Second)
	w.ok("ExecuteTaskInstance", one, id, 11395, 2, 24376)
	w.pass(10 * time.Second)
	w.ok("ExecuteTaskInstance", one, id, 11396, 3, 24378)
	w.ok("ExecuteTaskInstance", one, id, 11396, 2, 24377)
	w.pass(5 * time.Second)
	w.is(id, "1002 2004/1 2004/1")
	if live := w.live(id); !slices.Equal(live, []string{"High CPU Load"}) {
		t.Errorf("live %v: the recovery was skipped on ins-b", live)
	}
	other := w.task(627, "")
	w.refused("ResourceUnavailable", "ExecuteTaskInstance", `{"TaskId":%d,"TaskActionId":11397,"TaskGroupId":4685,"ActionType":2,"IsOperateAll":true,"TaskInstanceIds":[]}`, other)
	w.ok("ExecuteTaskInstance", `{"TaskId":%d,"TaskActionId":11397,"TaskGroupId":4685,"ActionType":2,"IsOperateAll":false,"TaskInstanceIds":[24379]}`, other)
	w.pass(585 * time.Second) // ten minutes after the fault began on ins-b
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v after the fault's own duration", live)
	}
}

func TestAuto_RunsWithItsWaits(t *testing.T) {
	w := newWorld(t)
	id := w.task(628, "")
	for _, s := range []struct {
		wait time.Duration
		want string
	}{
		{4 * time.Second, "1002 2002/0 2001/0 2001/0"},  // PreTimeWait 5 s
		{1 * time.Second, "1002 2003/0 2001/0 2001/0"},  // executes for 10 s
		{10 * time.Second, "1002 2004/1 2002/0 2001/0"}, // AfterTimeWait 5 s
		{5 * time.Second, "1002 2004/1 2003/0 2001/0"},  // duration 30 s
		{30 * time.Second, "1002 2004/1 2004/1 2003/0"},
		{5 * time.Second, "1002 2004/1 2004/1 2004/1"},
	} {
		w.pass(s.wait)
		w.is(id, s.want)
	}
	again := w.task(628, "")
	w.pass(55 * time.Second) // in one go it ends the same
	w.is(again, "1002 2004/1 2004/1 2004/1")
}

func TestAuto_FailureHandsOverToPeople(t *testing.T) {
	w := newWorld(t)
	id := w.task(629, "")
	w.pass(time.Minute)
	w.is(id, "1002 2004/1 2004/2 2001/0")
	task := w.s.task(id)
	if a := task.groups[0].actions[1]; !a.redo() || a.instances[0].kind != typeGood || a.instances[1].kind != typeFailed || task.mode != manualMode {
		t.Errorf("action %+v of a task in mode %d", a, task.mode)
	}
	w.moved(id, 1, 5)
	w.is(id, "1002 2004/1 2003/0 2001/0")
	w.pass(30 * time.Second)
	w.is(id, "1002 2004/1 2004/1 2002/0")
	w.pass(5 * time.Minute)
	w.is(id, "1002 2004/1 2004/1 2002/0") // by hand from now on

	id = w.task(629, "")
	w.pass(time.Minute)
	if c := w.move(id, 0, 5); c != "OperationDenied" {
		t.Errorf("retry of an action that did not fail: %q", c)
	}
	w.moved(id, 1, 3)
	w.is(id, "1002 2004/1 2004/4 2002/0")
}

func TestPause_RunningActionsEndAndNothingBegins(t *testing.T) {
	w := newWorld(t)
	id := w.task(628, "")
	w.pass(6 * time.Second)
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":"1003"}`, id)
	w.pass(10 * time.Minute)
	w.is(id, "1003 2004/1 2002/0 2001/0")
	if c := w.move(id, 1, 2); c != "OperationDenied" {
		t.Errorf("a fault while paused: %q", c)
	}
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1002}`, id)
	w.is(id, "1002 2004/1 2003/0 2001/0")
	w.refused("OperationDenied", "ModifyTaskRunStatus", `{"TaskId":%d,"Status":1002}`, id)
}

func TestPause_ByItselfAfterTaskPauseDuration(t *testing.T) {
	w := newWorld(t)
	id := w.task(626, `,"TaskPauseDuration":2`)
	w.pass(119 * time.Second)
	w.is(id, "1002 2002/0 2001/0")
	w.pass(time.Second)
	w.is(id, "1003 2002/0 2001/0")
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1002}`, id)
	w.pass(119 * time.Second)
	w.is(id, "1002 2002/0 2001/0")
}

func TestPause_RecoveryMayRunOutOfOrder(t *testing.T) {
	w := newWorld(t)
	id := w.task(628, "")
	w.pass(6 * time.Second)
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1003}`, id)
	w.moved(id, 2, 2) // the fault still executes: it is cut
	w.is(id, "1003 2004/3 2001/0 2003/0")
	w.pass(5 * time.Second)
	w.is(id, "1003 2004/3 2001/0 2004/1")
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v", live)
	}
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1002}`, id)
	w.pass(time.Second)
	w.is(id, "1002 2004/3 2002/0 2004/1") // AfterTimeWait of the action before it
}

func TestPolicy_RollbackRunsRecoveriesThenPauses(t *testing.T) {
	w := newWorld(t)
	id := w.task(628, "")
	w.pass(21 * time.Second)
	w.is(id, "1002 2004/1 2003/0 2001/0")
	reply := w.ok("TriggerPolicy", `{"TaskId":%d,"Name":"cpu alarm","Content":"CPU>80%%","TriggerType":0}`, id)
	if reply["Success"] != true || reply["TaskId"] != float64(id) {
		t.Errorf("reply %v", reply)
	}
	w.is(id, "1002 2004/1 2004/3 2003/0")
	w.pass(5 * time.Second)
	w.is(id, "1003 2004/1 2004/3 2004/1")
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v", live)
	}
	w.ok("TriggerPolicy", `{"TaskId":%d,"Name":"over","Content":"-","TriggerType":1}`, id)
	logs := w.ok("DescribeTaskPolicyTriggerLog", `{"TaskId":%d,"Page":1,"PageSize":1}`, id)["TriggerLogs"].([]any)
	if len(logs) != 1 || logs[0].(map[string]any)["Name"] != "over" {
		t.Errorf("trigger log %v, want the newest", logs)
	}
}

func TestPolicy_PauseAndTasksWithout(t *testing.T) {
	w := newWorld(t)
	id := w.task(629, "") // PolicyDealType 2
	w.ok("TriggerPolicy", `{"TaskId":%d,"Name":"n","Content":"c","TriggerType":0}`, id)
	w.is(id, "1003 2003/0 2001/0 2001/0")
	w.refused("UnsupportedOperation", "TriggerPolicy", `{"TaskId":%d,"Name":"n","Content":"c","TriggerType":0}`, w.task(626, ""))
	given := w.task(626, `,"PolicyDealType":1`)
	w.moved(given, 0, 2)
	w.ok("TriggerPolicy", `{"TaskId":%d,"Name":"n","Content":"c","TriggerType":0}`, given)
	w.is(given, "1002 2004/3 2003/0")
	w.pass(5 * time.Second)
	w.is(given, "1003 2004/3 2004/1")
}

func TestEnd_IsTerminalAndUndoesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.task(627, "")
	w.moved(id, 0, 2)
	w.refused("MissingParameter", "ModifyTaskRunStatus", `{"TaskId":%d,"Status":1004}`, id)
	w.refused("MissingParameter", "ModifyTaskRunStatus", `{"TaskId":%d,"Status":1004,"Summary":"s"}`, id)
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1004,"Summary":"s","IsExpect":false,"Issue":"i","Record":"r"}`, id)
	w.is(id, "1004 2004/3 2001/0")
	if len(w.live(id)) != 1 {
		t.Error("1004 is not documented to recover, so the fault stays")
	}
	w.pass(10 * time.Minute)
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v after the fault's own duration", live)
	}
	for _, status := range []int{1001, 1002, 1003, 1004} {
		w.refused("OperationDenied", "ModifyTaskRunStatus", `{"TaskId":%d,"Status":%d,"Summary":"s","IsExpect":true}`, id, status)
	}
	w.refused("UnsupportedOperation", "ExecuteTask", `{"TaskId":%d}`, id)
	if c := w.move(id, 1, 2); c != "OperationDenied" {
		t.Errorf("a recovery after the end: %q", c)
	}
}

func TestSameFaultOnOneInstanceIsRefused(t *testing.T) {
	w := newWorld(t)
	first, second := w.task(627, ""), w.task(627, "")
	w.moved(first, 0, 2)
	if c := w.move(second, 0, 2); c != "ResourceUnavailable" {
		t.Errorf("the second CPU load: %q", c)
	}
	w.pass(10 * time.Second)
	w.moved(first, 1, 2)
	w.pass(5 * time.Second)
	w.moved(second, 0, 2)
}

func TestLie_AnswersSuccessAndDoesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.task(628, "")
	w.pass(21 * time.Second)
	lie := func(action, body string) {
		t.Helper()
		r := w.plain(action).request(body)
		if c, _ := w.s.Recognise(r, []byte(body)); c.Kind != service.Stop {
			t.Errorf("%s is a %s, want a stop", action, c.Kind)
		}
		before := w.state(id)
		if c := code(w.serve(r, body, service.Options{Lie: true})); c != "" {
			t.Errorf("%s: %s", action, c)
		}
		w.is(id, before)
	}
	lie("TriggerPolicy", fmt.Sprintf(`{"TaskId":%d,"Name":"n","Content":"c","TriggerType":0}`, id))
	lie("ModifyTaskRunStatus", fmt.Sprintf(`{"TaskId":%d,"Status":1003}`, id))
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1003}`, id)
	lie("ExecuteTaskInstance", fmt.Sprintf(`{"TaskId":%d,"TaskActionId":11397,"TaskGroupId":4684,"ActionType":2,"IsOperateAll":true,"TaskInstanceIds":[]}`, id))
	if len(w.live(id)) != 2 {
		t.Errorf("live %v, want both faults", w.live(id))
	}
}

// "While triggered, manually continued fault actions get the policy applied again."
func TestPolicy_AppliesAgainToAFaultThatIsContinuedByHand(t *testing.T) {
	w := newWorld(t)
	id := w.task(627, "")
	w.ok("TriggerPolicy", `{"TaskId":%d,"Name":"n","Content":"c","TriggerType":0}`, id)
	w.is(id, "1003 2002/0 2001/0") // nothing to undo
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1002}`, id)
	w.moved(id, 0, 2)
	w.is(id, "1002 2004/3 2003/0")
	w.pass(5 * time.Second)
	w.is(id, "1003 2004/3 2004/1")
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v", live)
	}
}

func TestAuto_SameFaultFailsTheAction(t *testing.T) {
	w := newWorld(t)
	first := w.task(627, "")
	w.moved(first, 0, 2)
	id := w.task(628, "")
	w.pass(time.Minute)
	w.is(id, "1002 2004/2 2001/0 2001/0")
	if live := w.live(id); len(live) != 0 {
		t.Errorf("live %v", live)
	}
}
