package ahas

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// read maps a reply as Observe does; hosts holds GetActivityTask's reply by activity task.
func read(t *testing.T, task string, hosts map[string]string) driver.Observation {
	t.Helper()
	var r taskReply
	if err := json.Unmarshal([]byte(task), &r); err != nil {
		t.Fatalf("%s: %v", task, err)
	}
	known := map[aliyun.Text]hostsOf{}
	for id, text := range hosts {
		var a activityReply
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		known[aliyun.Text(id)] = hostsOf{hosts: a.Hosts, read: true}
	}
	return observation(driver.Run{ID: string(r.TaskID)}, r, known)
}

// act writes one item of Activities.
func act(id, phase, state, result, check string) string {
	start := "1767323045000"
	if state == "READY" || result == "REJECTED" {
		start = "0"
	}
	return `{"TaskId":"` + id + `","ActivityName":"` + phase + `-名","Phase":"` + phase + `","State":"` + state + `","RunResult":"` + result +
		`","CheckState":"` + check + `","StartTime":` + start + `,"EndTime":` + start + `}`
}

func task(state, result string, activities ...string) string {
	return `{"Success":true,"TaskId":"1234567890123456789","State":"` + state + `","Result":"` + result + `","StartTime":1767323045000,"Activities":[` + strings.Join(activities, ",") + `]}`
}

func host(state, result, message string) string {
	return `{"Hosts":[{"HostIp":"10.0.0.1","State":"` + state + `","Result":"` + result + `","ErrorMessage":"` + message + `","Data":"无"}]}`
}

const waiting = "USER_CHECK_STATE_WAITING"

// reading is one reply of the service and what it means.
type reading struct {
	name, task string
	hosts      map[string]string
	phase      drill.Phase
	quiet      bool
	restored   drill.Restoration
	injected   bool
}

func readings() []reading {
	attack, done := act("a", "ATTACK", "FINISHED", "SUCCESS", ""), act("r", "RECOVER", "FINISHED", "SUCCESS", "")
	ok := host("FINISHED", "SUCCESS", "无")
	good := map[string]string{"a": ok, "r": ok}
	attack2, done2 := act("a2", "ATTACK", "FINISHED", "SUCCESS", ""), act("r2", "RECOVER", "FINISHED", "SUCCESS", "")
	both := map[string]string{"a": ok, "r": ok, "a2": ok, "r2": ok}
	two := `{"Hosts":[{"HostIp":"10.0.0.1","State":"FINISHED","Result":"SUCCESS"},{"HostIp":"10.0.0.2","State":"FINISHED","Result":"SUCCESS"}]}`
	return []reading{
		{"a stop that failed is unknown and restored is failed", task("FINISHED", "SOPPED_FAILED", attack, act("r", "RECOVER", "FINISHED", "FAILED", "")), nil, drill.PhaseUnknown, false, drill.RestoreFailed, true},
		{"a stop that failed although every recovery says success", task("FINISHED", "SOPPED_FAILED", attack, done), good, drill.PhaseUnknown, false, drill.RestoreFailed, true},
		{"a stop that failed before anything was injected", task("FINISHED", "SOPPED_FAILED", act("a", "ATTACK", "FINISHED", "REJECTED", ""), done), good, drill.PhaseUnknown, false, drill.RestoreFailed, false},
		{"suspended", task("SUSPEND", "", attack), nil, drill.PhaseUnknown, false, drill.RestorePending, true},
		{"a state that nobody knows", task("DANCING", "", attack), nil, drill.PhaseUnknown, false, drill.RestorePending, true},
		{"a result that nobody knows", task("FINISHED", "DANCED", attack, done), good, drill.PhaseUnknown, true, drill.RestoreDone, true},
		{"no result", task("FINISHED", "", attack, done), good, drill.PhaseUnknown, true, drill.RestoreDone, true},
		{"stopped, recovery failed", task("FINISHED", "STOPPED", attack, act("r", "RECOVER", "FINISHED", "ERROR", "")), nil, drill.PhaseStopped, false, drill.RestoreFailed, true},
		{"stopped, recovery skipped", task("FINISHED", "STOPPED", attack, act("r", "RECOVER", "FINISHED", "REJECTED", "")), nil, drill.PhaseStopped, false, drill.RestoreFailed, true},
		{"stopped, one of two recoveries failed", task("FINISHED", "STOPPED", attack, done, act("r2", "RECOVER", "FINISHED", "FAILED", "")), good, drill.PhaseStopped, false, drill.RestoreFailed, true},
		{"stopped, recovery still runs", task("STOPPING", "", attack, act("r", "RECOVER", "RUNNING", "", "")), nil, drill.PhaseStopping, false, drill.RestorePending, true},
		{"finished, recovery still runs", task("FINISHED", "STOPPED", attack, act("r", "RECOVER", "RUNNING", "", "")), nil, drill.PhaseStopped, false, drill.RestorePending, true},
		{"finished, recovery never ran", task("FINISHED", "STOPPED", attack, act("r", "RECOVER", "READY", "", "")), nil, drill.PhaseStopped, false, drill.RestoreFailed, true},
		{"a person confirmed a recovery that failed on a host", task("FINISHED", "SUCCESS", attack, done), map[string]string{"r": host("FINISHED", "FAILED", "destroy failed")}, drill.PhaseFailed, false, drill.RestoreFailed, true},
		{"the hosts of the recovery could not be read", task("FINISHED", "STOPPED", attack, done), nil, drill.PhaseStopped, false, drill.RestorePending, true},
		{"the hosts of the recovery are an older reading", task("FINISHED", "STOPPED", attack, done), map[string]string{"r": host("RUNNING", "", "")}, drill.PhaseStopped, false, drill.RestorePending, true},
		{"a reply without activities proves nothing", task("FINISHED", "STOPPED"), nil, drill.PhaseStopped, false, drill.RestorePending, false},
		{"a flow of two that has no recovery", task("FINISHED", "STOPPED", attack, done, attack2), both, drill.PhaseStopped, true, drill.RestoreUnproven, true},
		{"a flow of two that has no recovery, phase after phase", task("FINISHED", "STOPPED", attack, attack2, done), both, drill.PhaseStopped, true, drill.RestoreUnproven, true},
		{"two recoveries of one flow, none of the next", task("FINISHED", "SUCCESS", attack, done, done2, attack2), both, drill.PhaseCompleted, true, drill.RestoreUnproven, true},
		{"a recovery of one of two hosts", task("FINISHED", "SUCCESS", attack, done), map[string]string{"a": two, "r": ok}, drill.PhaseCompleted, true, drill.RestoreUnproven, true},
		{"a recovery that names no hosts", task("FINISHED", "SUCCESS", attack, done), map[string]string{"a": ok, "r": `{"Success":true}`}, drill.PhaseCompleted, false, drill.RestorePending, true},
		{"an attack that names no hosts", task("FINISHED", "SUCCESS", attack, done), map[string]string{"a": `{"Success":true}`, "r": ok}, drill.PhaseCompleted, false, drill.RestorePending, true},
		{"the hosts of the attack could not be read", task("FINISHED", "SUCCESS", attack, done), map[string]string{"r": ok}, drill.PhaseCompleted, false, drill.RestorePending, true},
		{"two flows, one after the other", task("FINISHED", "SUCCESS", attack, done, attack2, done2), both, drill.PhaseCompleted, true, drill.RestoreDone, true},
		{"two flows, phase after phase", task("FINISHED", "SUCCESS", attack, attack2, done, done2), map[string]string{"a": ok, "a2": two, "r": ok, "r2": two}, drill.PhaseCompleted, true, drill.RestoreDone, true},
		{"two flows, recovered the other way round", task("FINISHED", "SUCCESS", attack, attack2, done2, done), map[string]string{"a": ok, "a2": two, "r": ok, "r2": two}, drill.PhaseCompleted, true, drill.RestoreDone, true},
		{"the second of two flows was never begun", task("FINISHED", "STOPPED", attack, done, act("a2", "ATTACK", "FINISHED", "REJECTED", ""), done2), both, drill.PhaseStopped, true, drill.RestoreDone, true},
		{"no recovery at all proves nothing", task("FINISHED", "SUCCESS", attack), good, drill.PhaseCompleted, true, drill.RestoreUnproven, true},
		{"completed", task("FINISHED", "SUCCESS", attack, done), good, drill.PhaseCompleted, true, drill.RestoreDone, true},
		{"stopped and restored", task("FINISHED", "STOPPED", act("a", "ATTACK", "FINISHED", "STOPPED", ""), done), good, drill.PhaseStopped, true, drill.RestoreDone, true},
		{"rejected", task("FINISHED", "REJECTED", attack, done), good, drill.PhaseStopped, true, drill.RestoreDone, true},
		{"not as expected", task("FINISHED", "FAILED", act("a", "ATTACK", "FINISHED", "FAILED", ""), done), good, drill.PhaseFailed, true, drill.RestoreDone, true},
		{"broke off", task("FINISHED", "ERROR", attack, done), good, drill.PhaseFailed, true, drill.RestoreDone, true},
		{"stopped before the attack", task("FINISHED", "STOPPED", act("a", "ATTACK", "FINISHED", "REJECTED", ""), done), nil, drill.PhaseStopped, true, drill.RestoreNeedless, false},
		{"not begun", task("READY", "", act("a", "ATTACK", "READY", "", "")), nil, drill.PhasePending, false, drill.RestorePending, false},
		{"preparing", task("RUNNING", "", act("p", "PREPARE", "RUNNING", "", ""), act("a", "ATTACK", "READY", "", "")), nil, drill.PhaseRunning, false, drill.RestorePending, false},
		{"attacking", task("RUNNING", "", act("a", "ATTACK", "RUNNING", "", "")), nil, drill.PhaseRunning, false, drill.RestorePending, true},
		{"a phase that nobody knows may inject", task("RUNNING", "", act("a", "TWIST", "RUNNING", "", "")), nil, drill.PhaseRunning, false, drill.RestorePending, true},
		{"an activity state that nobody knows has begun", task("RUNNING", "", act("a", "ATTACK", "DANCING", "", "")), nil, drill.PhaseRunning, false, drill.RestorePending, true},
		{"recovered but the task goes on", task("RUNNING", "", attack, act("r", "RECOVER", "FINISHED", "SUCCESS", waiting)), good, drill.PhaseWaiting, false, drill.RestorePending, true},
		{"waiting", task("RUNNING", "", act("a", "ATTACK", "FINISHED", "FAILED", waiting)), nil, drill.PhaseWaiting, false, drill.RestorePending, true},
	}
}

func TestObservation_PhaseQuietAndRestoration(t *testing.T) {
	for _, c := range readings() {
		t.Run(c.name, func(t *testing.T) {
			o := read(t, c.task, c.hosts)
			if o.Phase != c.phase || o.Quiet != c.quiet || o.Restoration != c.restored || o.Injected != c.injected {
				t.Errorf("phase %s quiet %t restoration %s injected %t, want %s %t %s %t", o.Phase, o.Quiet, o.Restoration, o.Injected, c.phase, c.quiet, c.restored, c.injected)
			}
			if (o.Quiet || o.Restoration.Decided()) && len(o.Evidence) == 0 {
				t.Error("no evidence")
			}
			if (o.Phase == drill.PhaseUnknown || o.Restoration == drill.RestoreFailed) && o.Reason == "" {
				t.Error("no reason")
			}
		})
	}
}

func TestObservation_Steps(t *testing.T) {
	o := read(t, task("RUNNING", "",
		act("p", "PREPARE", "FINISHED", "SUCCESS", "USER_CHECK_STATE_PASSED"), act("a", "ATTACK", "FINISHED", "FAILED", waiting), act("c", "CHECK", "READY", "", ""),
		act("r", "RECOVER", "READY", "", ""), act("x", "RECOVER", "DANCING", "", "")),
		map[string]string{"a": host("FINISHED", "FAILED", "process not found")})
	var got []string
	for _, s := range o.Steps {
		got = append(got, strings.Join([]string{s.ID, s.Name, string(s.Kind), string(s.State), s.Vendor, s.Recovers}, " "))
	}
	want := []string{
		"p PREPARE-名 wait done FINISHED/SUCCESS/USER_CHECK_STATE_PASSED ",
		"a ATTACK-名 fault ready FINISHED/FAILED/USER_CHECK_STATE_WAITING ",
		"c CHECK-名 check pending READY ",
		"r RECOVER-名 recovery pending READY a",
		"x RECOVER-名 recovery unknown DANCING a",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("steps\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if tg := o.Steps[1].Targets; len(tg) != 1 || tg[0] != (drill.Target{ID: "10.0.0.1", State: drill.StepFailed, Message: "process not found"}) {
		t.Errorf("targets %+v", tg)
	}
	if !strings.Contains(o.Steps[1].Message, "process not found") {
		t.Errorf("message %q", o.Steps[1].Message)
	}
	if len(o.Gates) != 1 || o.Gates[0].Step != "a" || o.Gates[0].Kind != drill.ManualGate || o.Gates[0].Choices[0].Action != drill.Execute || o.Gates[0].Choices[1].Action != drill.Cancel {
		t.Errorf("gates %+v", o.Gates)
	}
}

// The samples of the vendor's pages for GetExperimentTask, GetActivityTask and the task list, numbers as texts where
// they have them so.
func TestSeed_AHASRepliesOfTheSamePages(t *testing.T) {
	o := read(t, `{"Activities":[{"EndTime":1609430400000,"StartTime":1609430400000,"CheckState":"USER_CHECK_STATE_PASSED","RunResult":"SUCCESS","State":"READY",
		"ActivityId":"1234567890123456789","Phase":"ATTACK","ActivityName":"CPU满载","ExperimentTaskId":"1234567890123456789","TaskId":"1234567890123456789"}],
		"TaskId":"1234567890123456789","RequestId":"0f7dd92f-4490-****-b8bd-****","ExperimentName":"测试演练","State":"FINISHED","ExperimentId":"1234567890123456789",
		"HttpStatusCode":200,"StartTime":1609430400000,"Success":true,"Result":"SUCCESS","Namespace":"default"}`,
		map[string]string{"1234567890123456789": `{"Hosts":[{"HostIp":"192.168.0.1","EndTime":1609430400000,"StartTime":1609430400000,"Data":"无","ErrorMessage":"无",
			"ExpId":"3456****","Result":"SUCCESS","State":"FINISHED","TaskId":"1234567890123456789"}],"Phase":"ATTACK","State":"FINISHED","Success":true}`})
	if o.Phase != drill.PhaseCompleted || o.Vendor != "FINISHED/SUCCESS" || o.StartedAt.UnixMilli() != 1609430400000 || o.EndedAt.UnixMilli() != 1609430400000 {
		t.Errorf("observation %+v", o)
	}
	s := o.Steps[0]
	if s.ID != "1234567890123456789" || s.Name != "CPU满载" || s.State != drill.StepDone || len(s.Targets) != 1 || s.Targets[0] != (drill.Target{ID: "192.168.0.1", State: drill.StepDone}) || s.Message != "" {
		t.Errorf("step %+v", s)
	}
	var list tasksReply
	err := json.Unmarshal([]byte(`{"Pages":"2","ExperimentTasks":[{"CurrentPhase":"null","TaskId":"1234567890123456789","Message":"null","EndTime":"1611835105000",
		"ExperimentName":"故障演练","State":"FINISHED","ExperimentId":"1234567890123456789","StartTime":"1611835037000","Result":"SUCCESS",
		"ExtInfo":{"SchedulerConfig":{"CronExpression":"0 0 1 * * ? *","FixedTime":"1611835105000"}},"Creator":{"UserId":"1XXXXXXXXXXXXX","SubUserId":"2XXXXXXXXXXXXX"}}],
		"PageSize":"10","RequestId":"R","Message":"null","CurrentPage":"1","Total":"20","HttpStatusCode":"200","Code":"P_ERROR_****","Success":"true"}`), &list)
	if err != nil || list.succeeded("List", aliyun.Read) != nil {
		t.Fatalf("%v, %v", err, list.succeeded("List", aliyun.Read))
	}
	i := list.ExperimentTasks[0]
	if list.Pages != 2 || list.Total != 20 || i.TaskID != "1234567890123456789" || i.StartTime != 1611835037000 || i.EndTime != 1611835105000 ||
		!strings.Contains(string(i.ExtInfo), "0 0 1 * * ? *") || !strings.Contains(string(i.Creator), "2XXXXXXXXXXXXX") || blank(i.Message) != "" {
		t.Errorf("list %+v", list)
	}
}

// No reply may panic, make a final phase of an unknown state, or call a run quiet without evidence.
func FuzzObservation(f *testing.F) {
	f.Add(task("FINISHED", "SUCCESS", act("a", "ATTACK", "FINISHED", "SUCCESS", "")), host("FINISHED", "SUCCESS", "无"))
	f.Add(task("RUNNING", "", act("", "", "", "", waiting)), `{"Hosts":"[]"}`)
	f.Add(`{"Activities":[null,1,{"TaskId":{}}],"State":7,"StartTime":"x"}`, `{"Hosts":{}}`)
	f.Fuzz(func(t *testing.T, reply, hosts string) {
		var r taskReply
		var a activityReply
		if json.Unmarshal([]byte(reply), &r) != nil {
			return
		}
		read := json.Unmarshal([]byte(hosts), &a) == nil
		known := map[aliyun.Text]hostsOf{}
		for _, act := range r.Activities {
			known[act.TaskID] = hostsOf{hosts: a.Hosts, read: read}
		}
		o := observation(driver.Run{ID: "1"}, r, known)
		if (o.Quiet || o.Phase.Final()) && r.State != stateFinished {
			t.Fatalf("quiet %t phase %s for state %q", o.Quiet, o.Phase, r.State)
		}
		if o.Quiet && len(o.Evidence) == 0 {
			t.Fatal("quiet without evidence")
		}
		if o.Restoration == drill.RestoreDone && !o.Quiet {
			t.Fatal("restored but not quiet")
		}
		if len(o.Steps) != len(r.Activities) {
			t.Fatal("a step is missing")
		}
		_ = r.check("X", aliyun.Read, true)
		_ = onlyWaits(r, "a")
	})
}
