package ahas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestTask_AttacksWaitsAndRecovers(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	b.wants(task, "READY/ ATTACK:READY// CHECK:READY// RECOVER:READY//")
	b.wait(time.Second)
	b.wants(task, "RUNNING/ ATTACK:RUNNING// CHECK:READY// RECOVER:READY//", "chaos.cpu.fullload")
	b.wait(5 * time.Second)
	held := "RUNNING/ ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/WAITING RECOVER:READY//"
	b.wants(task, held, "chaos.cpu.fullload")
	b.wait(5 * time.Minute)
	b.wants(task, held, "chaos.cpu.fullload")
	b.good("PushExperimentTask", "ExperimentTaskId", task)
	b.wants(task, "RUNNING/ ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/PASSED RECOVER:RUNNING//", "chaos.cpu.fullload")
	b.wait(2 * time.Second)
	b.wants(task, "FINISHED/SUCCESS ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/PASSED RECOVER:FINISHED/SUCCESS/")
	if code := b.call("PushExperimentTask", "ExperimentTaskId", task)["Code"]; code != "B_EXPERIMENT_TASK_ALREADY_FINISHED" {
		t.Errorf("push of a finished task: %v", code)
	}
	if code := b.call("FinishExperimentTask", "ExperimentTaskId", task)["Code"]; code != "B_EXPERIMENT_TASK_ALREADY_FINISHED" {
		t.Errorf("finish of a finished task: %v", code)
	}
}

func TestTask_AutomaticGoesThroughByItself(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(1))
	b.wait(time.Hour) // one tick after a long time plays every moment in order
	b.wants(task, "FINISHED/SUCCESS PREPARE:FINISHED/SUCCESS/ ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/ RECOVER:FINISHED/SUCCESS/")
	if run := b.s.Runs()[0]; run.EndedAt.Sub(run.Created) != 12*time.Second || !run.Ended {
		t.Errorf("run %+v, want an end after 12 s", run)
	}
}

func TestTask_ByHandBlocksAfterEveryActivity(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(2))
	for range 4 {
		b.wait(time.Minute)
		if got := b.look(task); !strings.HasPrefix(got, "RUNNING/") || strings.Count(got, "/WAITING") != 1 {
			t.Fatalf("task is %s", got)
		}
		b.good("PushExperimentTask", "ExperimentTaskId", task)
		if got := b.look(task); strings.HasPrefix(got, "RUNNING/") {
			if code := b.call("PushExperimentTask", "ExperimentTaskId", task)["Code"]; code != "B_EXPERIMENT_TASK_NOT_PUSHABLE" {
				t.Errorf("push while the next activity runs: %v", code)
			}
		}
	}
	b.wait(time.Second)
	if got := b.look(task); !strings.HasPrefix(got, "FINISHED/SUCCESS") || len(b.live(task)) != 0 {
		t.Errorf("task is %s, live %v", got, b.live(task))
	}
}

// Push names no activity: a duplicate that comes late confirms whatever waits then.
func TestPush_ActsOnWhateverWaits(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(2))
	b.wait(time.Minute)
	b.good("PushExperimentTask", "ExperimentTaskId", task)
	b.wait(time.Minute)
	b.good("PushExperimentTask", "ExperimentTaskId", task)
	if got := b.look(task); !strings.Contains(got, "ATTACK:FINISHED/SUCCESS/PASSED") {
		t.Errorf("task is %s", got)
	}
}

func TestFinish_RunsTheRecovery(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	b.wait(2 * time.Second)
	b.good("FinishExperimentTask", "ExperimentTaskId", task)
	b.wants(task, "STOPPING/ ATTACK:FINISHED/STOPPED/ CHECK:FINISHED/REJECTED/ RECOVER:RUNNING//", "chaos.cpu.fullload")
	for _, op := range []string{"FinishExperimentTask", "PushExperimentTask"} {
		if code := b.call(op, "ExperimentTaskId", task)["Code"]; code != "B_EXPERIMENT_TASK_STOPPING" {
			t.Errorf("%s while stopping: %v", op, code)
		}
	}
	b.wait(2 * time.Second)
	b.wants(task, "FINISHED/STOPPED ATTACK:FINISHED/STOPPED/ CHECK:FINISHED/REJECTED/ RECOVER:FINISHED/SUCCESS/")
}

func TestFinish_Lie(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	b.wait(10 * time.Second)
	before := b.look(task)
	w := b.send(service.Options{Lie: true}, "FinishExperimentTask", "ExperimentTaskId", task)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"Success":true`) {
		t.Fatalf("the lie is %s", w.Body)
	}
	b.wants(task, before, "chaos.cpu.fullload")
}

func TestFinish_RecoveryFails(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(3))
	b.wait(time.Minute)
	b.good("FinishExperimentTask", "ExperimentTaskId", task)
	b.wait(time.Minute)
	b.wants(task, "FINISHED/SOPPED_FAILED ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/FAILED RECOVER:FINISHED/FAILED/", "chaos.disk.fill")
	m := b.good("GetExperimentTask", "ExperimentTaskId", task)
	acts := m["Activities"].([]any)
	a := acts[2].(map[string]any)
	hosts := b.good("GetActivityTask", "ExperimentTaskId", task, "ActivityTaskId", a["TaskId"].(string))["Hosts"].([]any)
	h := hosts[0].(map[string]any)
	if h["Result"] != "FAILED" || !strings.Contains(h["ErrorMessage"].(string), "destroyed") || h["HostIp"] != "192.168.0.209" {
		t.Errorf("host %v", h)
	}
}

func TestTask_DurationIsADeadMansSwitch(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	b.wait(20*time.Minute - time.Second)
	if got := b.look(task); !strings.HasPrefix(got, "RUNNING/") {
		t.Fatalf("a second before its duration the task is %s", got)
	}
	b.wait(time.Second)
	if got := b.look(task); !strings.HasPrefix(got, "STOPPING/") {
		t.Fatalf("at its duration the task is %s", got)
	}
	b.wait(2 * time.Second)
	b.wants(task, "FINISHED/STOPPED ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/FAILED RECOVER:FINISHED/SUCCESS/")
}

func TestTask_AttackThatFailsIsUndone(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(5))
	b.wait(2 * time.Second)
	if live := b.live(task); !slices.Equal(live, []string{"chaos.process.stop"}) {
		t.Errorf("live %v: one of two hosts is hit", live)
	}
	b.wait(time.Minute)
	b.wants(task, "FINISHED/FAILED ATTACK:FINISHED/FAILED/ CHECK:FINISHED/REJECTED/ RECOVER:FINISHED/SUCCESS/")
}

// No token: two calls while one runs make one task, two calls one after the other make two.
func TestExecute_HasNoToken(t *testing.T) {
	b := newBench(t)
	one := b.execute(libraryID(1))
	if code := b.call("ExecuteExperiment", "ExperimentId", libraryID(1))["Code"]; code != "B_EXPERIMENT_ALREADY_RUNNING" {
		t.Errorf("second call while the first runs: %v", code)
	}
	b.wait(time.Minute)
	if two := b.execute(libraryID(1)); two == one || len(b.s.Runs()) != 2 {
		t.Errorf("tasks %s and %s, %d runs", one, two, len(b.s.Runs()))
	}
	b.s.Reset()
	if len(b.s.Runs()) != 0 || b.good("ListExperimentMetas")["Total"] != 6.0 {
		t.Error("reset keeps the experiments and forgets the tasks")
	}
}

// A person's yes makes a failed recovery count as a success: the fault stays, and the task says SUCCESS.
func TestPush_OverridesTheResult(t *testing.T) {
	b := newBench(t)
	e := stuckRecover()
	e.id, e.groups[0].flows[0].recover[0].userCheck = "7", true
	b.s.experiments = append(b.s.experiments, e)
	task := b.execute("7")
	for range 2 {
		b.wait(time.Minute)
		b.good("PushExperimentTask", "ExperimentTaskId", task)
	}
	b.wants(task, "FINISHED/SUCCESS ATTACK:FINISHED/SUCCESS/ CHECK:FINISHED/SUCCESS/PASSED RECOVER:FINISHED/SUCCESS/PASSED", "chaos.disk.fill")
}

func TestCreate_RunModesAndPairedRecovery(t *testing.T) {
	flow := func(code string) string {
		return `{"attack":{"appCode":"` + code + `","userCheck":false},"check":[{"appCode":"c","userCheck":false}]}`
	}
	for mode, want := range map[string]string{
		"SEQUENCE": "ATTACK CHECK RECOVER ATTACK CHECK RECOVER",
		"PHASE":    "ATTACK ATTACK CHECK CHECK RECOVER RECOVER",
	} {
		b := newBench(t)
		m := b.good("CreateExperiment", "Name", "两个流程", "NameSpace", "team-a", "Tags.1", "x", "Tags.2", "y", "Definition", `{"runMode":"`+mode+
			`","duration":600,"flowGroups":[{"appName":"a","appGroups":["g"],"hosts":["10.0.0.1"],"flows":[`+flow("chaos.one")+","+flow("chaos.two")+`]}]}`)
		id := m["ExperimentId"].(string)
		task := b.good("ExecuteExperiment", "ExperimentId", id, "NameSpace", "team-a")["TaskId"].(string)
		var phases []string
		for _, a := range b.good("GetExperimentTask", "ExperimentTaskId", task)["Activities"].([]any) {
			phases = append(phases, a.(map[string]any)["Phase"].(string))
		}
		if got := strings.Join(phases, " "); got != want {
			t.Errorf("%s runs %s, want %s", mode, got, want)
		}
		b.wait(time.Minute)
		if got := b.look(task); !strings.HasPrefix(got, "FINISHED/SUCCESS") || len(b.live(task)) != 0 {
			t.Errorf("%s: %s", mode, got)
		}
		meta := b.good("GetExperimentMeta", "ExperimentId", id, "NameSpace", "team-a")
		if meta["CreateTime"] != strconv.FormatInt(start.UnixMilli(), 10) || fmt.Sprint(meta["Tags"]) != "[x y]" {
			t.Errorf("meta %v", meta)
		}
	}
}

func TestNamespace_IsSpelledAsEachActionHasIt(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		action, key, list string
		want              float64
	}{
		{"ListExperimentMetas", "NameSpace", "Content", 0},
		{"ListExperimentMetas", "Namespace", "Content", 6},
		{"PageableQueryUserExperiment", "Namespace", "ExperimentList", 0},
		{"PageableQueryUserExperiment", "NameSpace", "ExperimentList", 6},
	} {
		if m := b.good(c.action, c.key, "elsewhere"); m["Total"] != c.want || len(m[c.list].([]any)) != int(c.want) {
			t.Errorf("%s %s: %v", c.action, c.key, m["Total"])
		}
	}
}

func TestLists_Pages(t *testing.T) {
	b := newBench(t)
	var tasks []string
	for range 25 {
		tasks = append(tasks, b.execute(libraryID(1)))
		b.wait(time.Minute)
	}
	slices.Reverse(tasks)
	var got []string
	for page := 1; page <= 4; page++ {
		m := b.good("PageableQueryExperimentTaskByExperimentId", "ExperimentId", libraryID(1), "Page", strconv.Itoa(page))
		if m["Pages"] != 3.0 || m["Total"] != 25.0 || m["PageSize"] != 10.0 {
			t.Fatalf("page %d: %v", page, m)
		}
		for _, i := range m["ExperimentTasks"].([]any) {
			i := i.(map[string]any)
			got = append(got, i["TaskId"].(string))
			if i["EndTime"].(float64) <= i["StartTime"].(float64) || i["Creator"].(map[string]any)["UserId"] != ownerID {
				t.Errorf("item %v", i)
			}
		}
	}
	if !slices.Equal(got, tasks) {
		t.Errorf("got %d tasks in another order than newest first", len(got))
	}
	m := b.good("PageableQueryUserExperiment", "SearchKey", "网络", "Results.1", "SUCCESS", "Tags.1", "演练", "Size", "1")
	if m["Total"] != 1.0 || m["ExperimentList"].([]any)[0].(map[string]any)["ExperimentId"] != libraryID(1) {
		t.Errorf("search: %v", m)
	}
	if m := b.good("PageableQueryUserExperiment", "State", "DRAFT"); m["Total"] != 1.0 {
		t.Errorf("drafts: %v", m)
	}
}
