package fis

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestLife_azOutage(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTa1b2c3d4e5f6g7", "t", "")
	second := 0
	for _, c := range []struct {
		at     int
		status string
		live   string
	}{
		{0, pending, ""}, {1, initiating, ""}, {3, running, ""}, {4, running, "cut-network,no-capacity"},
		{32, running, "cut-network,no-capacity"}, {33, running, "no-capacity"}, {34, running, "no-capacity,stop-instances"},
		{62, running, "no-capacity,stop-instances"}, {63, running, ""}, {64, completed, ""}, {4000, completed, ""},
	} {
		l.pass(c.at - second)
		second = c.at
		if got, live := l.status(id), l.live(id); got != c.status || live != c.live {
			t.Errorf("after %d s: %s with %q live, want %s with %q", c.at, got, live, c.status, c.live)
		}
	}
	a := l.get(id)
	for _, name := range []string{"cut-network", "stop-instances", "no-capacity"} {
		if a.text("experiment", "actions", name, "state", "status") != completed || a.at("experiment", "actions", name, "endTime") == nil {
			t.Errorf("action %s: %v", name, a.at("experiment", "actions", name))
		}
	}
	if got := strings.Join(l.changes(id), " "); got != "pending>initiating initiating>running running>completed" {
		t.Errorf("events %s", got)
	}
	targets := l.call("GET", "/experiments/"+id+"/resolvedTargets", "").at("resolvedTargets").([]any)
	if len(targets) != 4 { // one group, two instances, one subnet
		t.Errorf("resolved %v", targets)
	}
	if a := l.call("GET", "/experiments/"+id+"/resolvedTargets?targetName=instances-in-az", ""); len(a.at("resolvedTargets").([]any)) != 2 {
		t.Errorf("%s", a.raw)
	}
}

func TestLife_oneLookAfterwardsSeesTheSame(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTa1b2c3d4e5f6g7", "t", "")
	l.pass(4000)
	a := l.get(id)
	if end, start := a.at("experiment", "endTime").(float64), a.at("experiment", "creationTime").(float64); end-start != 64 {
		t.Errorf("it lasted %v s, want 64", end-start)
	}
}

func TestEvent_shape(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTwait00000000001", "t", "")
	l.pass(1)
	e := l.events[0]
	arn := "arn:aws:fis:eu-central-1:123456789012:experiment/" + id
	if e["detail-type"] != "FIS Experiment State Change" || e["source"] != "aws.fis" || e["version"] != "0" || e["region"] != "eu-central-1" ||
		e["account"] != "123456789012" || e["time"] != "2026-11-20T10:00:01Z" || fmt.Sprint(e["resources"]) != "["+arn+"]" {
		t.Errorf("%v", e)
	}
	if d := e["detail"].(map[string]any); d["experiment-template-id"] != "EXTwait00000000001" || len(d) != 4 {
		t.Errorf("%v", d)
	}
}

func TestStop_rollsBackFirst(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTa1b2c3d4e5f6g7", "t", "")
	l.pass(10)
	a := l.call("DELETE", "/experiments/"+id, "")
	if a.text("experiment", "state", "status") != stopping || a.text("experiment", "state", "reason") != "Stopping Experiment." {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if live := l.live(id); live != "cut-network,no-capacity" {
		t.Errorf("%q live while it rolls back", live)
	}
	if a := l.call("DELETE", "/experiments/"+id, ""); a.status != 200 {
		t.Errorf("a stop while stopping: %d %s", a.status, a.raw)
	}
	l.pass(3)
	if got := l.status(id); got != stopping {
		t.Errorf("%s before the rollback is over", got)
	}
	l.pass(3)
	if got, live := l.status(id), l.live(id); got != stopped || live != "" {
		t.Errorf("%s with %q live", got, live)
	}
	if l.actionStatus(id, "cut-network") != stopped || l.actionStatus(id, "stop-instances") != cancelled {
		t.Errorf("%s", l.get(id).raw)
	}
	if a := l.call("DELETE", "/experiments/"+id, ""); a.status != 400 || a.kind != "ValidationException" {
		t.Errorf("a stop of a stopped one: %d %s", a.status, a.raw)
	}
	l.pass(1000)
	if live := l.live(id); live != "" {
		t.Errorf("%q came alive after the stop", live)
	}
}

func TestStop_beforeItRuns(t *testing.T) {
	for _, after := range []int{0, 2, 3} {
		l := newLab(t)
		id := l.start("EXTa1b2c3d4e5f6g7", "t", "")
		l.pass(after)
		l.call("DELETE", "/experiments/"+id, "")
		l.pass(5)
		if got := l.status(id); got != stopped || l.actionStatus(id, "cut-network") != cancelled {
			t.Errorf("stopped after %d s: %s, action %s", after, got, l.actionStatus(id, "cut-network"))
		}
	}
}

func TestStop_thatLies(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTa1b2c3d4e5f6g7", "t", "")
	l.pass(10)
	how := l.signing()
	a := l.send(l.request("DELETE", "/experiments/"+id, "", &how), "", service.Options{Lie: true})
	if a.status != 200 || a.text("experiment", "state", "status") != stopping {
		t.Errorf("%d %s", a.status, a.raw)
	}
	l.pass(10)
	if got, live := l.status(id), l.live(id); got != running || live == "" {
		t.Errorf("%s with %q live", got, live)
	}
}

func TestStopCondition(t *testing.T) {
	for _, name := range []string{"checkout-5xx", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout-5xx"} {
		l := newLab(t)
		id := l.start("EXTalarm0000000001", "t", "")
		other := l.start("EXTlong00000000001", "u", "")
		l.pass(10)
		if got := l.status(id); got != running {
			t.Fatalf("%s before the alarm", got)
		}
		l.firing[name] = true
		l.pass(1)
		a := l.get(id)
		if a.text("experiment", "state", "status") != stopping || a.text("experiment", "state", "reason") != "Experiment halted by stop condition." {
			t.Errorf("%s", a.raw)
		}
		l.pass(10)
		if a := l.get(id); a.text("experiment", "state", "status") != stopped || a.text("experiment", "state", "reason") != "Experiment halted by stop condition." {
			t.Errorf("%s", a.raw)
		}
		if l.status(other) != running {
			t.Error("the alarm stopped an experiment that does not name it")
		}
	}
}

func TestFailing(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTfail00000000001", "t", "")
	l.pass(13)
	if got, live := l.status(id), l.live(id); got != stopping || live != "io-stress" {
		t.Errorf("%s with %q live", got, live)
	}
	l.pass(10)
	a := l.get(id)
	if a.text("experiment", "state", "status") != failed || a.text("experiment", "state", "error", "code") == "" || l.live(id) != "" {
		t.Errorf("%s", a.raw)
	}
	if l.actionStatus(id, "failover") != failed || l.actionStatus(id, "io-stress") != stopped {
		t.Errorf("%s", a.raw)
	}
}

func TestEmptyTargets(t *testing.T) {
	l := newLab(t)
	fails, skips := l.start("EXTempty0000000001", "t", ""), l.start("EXTskip00000000001", "u", "")
	l.pass(30)
	if a := l.get(fails); a.text("experiment", "state", "status") != failed || a.text("experiment", "state", "error", "location") != "targets/instances" {
		t.Errorf("%s", a.raw)
	}
	if l.status(skips) != completed || l.actionStatus(skips, "stop") != skipped || l.actionStatus(skips, "wait") != completed {
		t.Errorf("%s", l.get(skips).raw)
	}
}

func TestSkipAll(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTa1b2c3d4e5f6g7", "t", `,"experimentOptions":{"actionsMode":"skip-all"}`)
	for range 10 {
		if live := l.live(id); live != "" {
			t.Fatalf("%q live in a preview", live)
		}
		l.pass(1)
	}
	a := l.get(id)
	if a.text("experiment", "state", "status") != completed || a.text("experiment", "experimentOptions", "actionsMode") != "skip-all" || l.actionStatus(id, "cut-network") != skipped {
		t.Errorf("%s", a.raw)
	}
	if n := len(l.call("GET", "/experiments/"+id+"/resolvedTargets", "").at("resolvedTargets").([]any)); n != 4 {
		t.Errorf("%d targets resolved", n)
	}
	if r := l.s.Runs()[0]; !r.Preview {
		t.Errorf("%+v is not a preview", r)
	}
}

func TestLever(t *testing.T) {
	l := newLab(t)
	set := func(status string) answer {
		return l.call("PATCH", "/safetyLevers/default/state", fmt.Sprintf(`{"state":{"status":%q,"reason":"test"}}`, status))
	}
	runs := l.start("EXTlong00000000001", "a", "")
	l.pass(10)
	waits := l.start("EXTlong00000000001", "b", "")
	if a := set(engaged); a.text("safetyLever", "state", "status") != engaging {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := set(disengaged); a.status != 409 {
		t.Errorf("changed while engaging: %d %s", a.status, a.raw)
	}
	if l.status(runs) != stopping || l.status(waits) != cancelled {
		t.Errorf("%s and %s", l.status(runs), l.status(waits))
	}
	l.pass(10)
	if a := l.call("GET", "/safetyLevers/default", ""); a.text("safetyLever", "state", "status") != engaged || l.status(runs) != stopped {
		t.Errorf("%s", a.raw)
	}
	if a := set(engaged); a.status != 409 || !strings.Contains(a.text("message"), "without a status change") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	late := l.start("EXTlong00000000001", "c", "")
	l.pass(5)
	if l.status(late) != cancelled || len(l.changes(late)) != 0 {
		t.Errorf("%s, events %v", l.status(late), l.changes(late))
	}
	if a := set(disengaged); a.text("safetyLever", "state", "status") != disengaged {
		t.Errorf("%d %s", a.status, a.raw)
	}
	free := l.start("EXTlong00000000001", "d", "")
	l.pass(5)
	if l.status(free) != running {
		t.Errorf("%s after the release", l.status(free))
	}
}

func TestReport(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTreport000000001", "t", "")
	state := func() string { return l.get(id).text("experiment", "experimentReport", "state", "status") }
	for _, c := range []struct {
		pass      int
		run, want string
	}{{0, pending, pending}, {30, completed, pending}, {28, completed, pending}, {2, completed, running}, {10, completed, completed}} {
		l.pass(c.pass)
		if got := state(); got != c.want || l.status(id) != c.run {
			t.Errorf("experiment %s, report %s, want %s and %s", l.status(id), got, c.run, c.want)
		}
	}
	a := l.get(id)
	if !strings.Contains(a.raw, `"arn":"arn:aws:s3:::drill-reports/fis/`+id) {
		t.Errorf("%s", a.raw)
	}
	skip := l.start("EXTreport000000001", "u", `,"experimentOptions":{"actionsMode":"skip-all"}`)
	l.pass(300)
	if a := l.get(skip); a.at("experiment", "experimentReport") != nil {
		t.Errorf("a preview has a report: %s", a.raw)
	}
}

func TestSnapshotAndReset(t *testing.T) {
	l := newLab(t)
	l.start("EXTlong00000000001", "t", "")
	var state struct{ Experiments, ExperimentTemplates []map[string]any }
	if err := json.Unmarshal(l.s.Snapshot(), &state); err != nil || len(state.Experiments) != 1 || len(state.ExperimentTemplates) != 8 {
		t.Errorf("%s, %v", l.s.Snapshot(), err)
	}
	l.s.Reset()
	if len(l.s.Runs()) != 0 {
		t.Error("runs are left after a reset")
	}
	l.start("EXTlong00000000001", "t", `,"tags":{"other":"parameters"}`) // the token is forgotten too
}
