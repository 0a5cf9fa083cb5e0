package cfg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// act is an action of a made-up task: attribute, status/type, and how it is linked.
func act(id, attribute, status, kind int64, links ...int64) TaskGroupAction {
	a := TaskGroupAction{TaskGroupActionId: Num(id), ActionAttribute: Num(attribute), TaskGroupActionOrder: Num(id), ActionTitle: Text(fmt.Sprintf("a%d", id)),
		TaskGroupActionStatus: Num(status), TaskGroupActionStatusType: Num(kind), TaskGroupActionRandomId: Link(1000 + id)}
	if len(links) > 0 && attribute == 1 {
		a.TaskGroupActionRecoverId = Link(1000 + links[0])
	}
	if len(links) > 0 && attribute == 2 {
		a.TaskGroupActionExecuteId = Link(1000 + links[0])
	}
	return a
}

// rows gives the action instances a, b and so on, each with a status and a type.
func rows(a TaskGroupAction, pairs ...int64) TaskGroupAction {
	for n := 0; n < len(pairs); n += 2 {
		a.TaskGroupInstances = append(a.TaskGroupInstances, TaskGroupInstance{TaskGroupInstanceId: Num(n), TaskGroupInstanceObjectId: Text(rune('a' + n/2)),
			TaskGroupInstanceStatus: Num(pairs[n]), TaskGroupInstanceStatusType: Num(pairs[n+1])})
	}
	return a
}

// from gives the action's instances the times at which they began, in seconds.
func from(a TaskGroupAction, seconds ...int) TaskGroupAction {
	for n, s := range seconds {
		a.TaskGroupInstances[n].TaskGroupInstanceStartTime = Text(fmt.Sprintf("2026-11-20 10:00:%02d", s))
	}
	return a
}

func redo(a TaskGroupAction) TaskGroupAction { a.IsExecuteRedo = true; return a }

func made(status int64, actions ...TaskGroupAction) TaskReply {
	return TaskReply{Task: Task{TaskId: 7, TaskStatus: Num(status), TaskMode: 1, TaskGroups: []TaskGroup{{TaskGroupId: 1, TaskGroupActions: actions}}}}
}

func auto(r TaskReply) TaskReply { r.Task.TaskMode = 2; return r }

func fired(r TaskReply) TaskReply {
	r.Task.TaskPolicy = &TaskPolicy{TaskPolicyStatus: "已触发", TaskPolicyDealType: 1}
	return r
}

func TestObservation(t *testing.T) {
	for name, c := range map[string]struct {
		reply       TaskReply
		phase       drill.Phase
		quiet       bool
		restoration drill.Restoration
		gates       string
	}{
		"not started":                         {made(1001, act(1, 1, 2001, 0, 2), act(2, 2, 2001, 0, 1)), drill.PhasePrepared, true, drill.RestoreNeedless, ""},
		"waits for a person":                  {made(1002, act(1, 1, 2002, 0, 2), act(2, 2, 2001, 0, 1)), drill.PhaseWaiting, false, drill.RestorePending, "manual 1 execute skip"},
		"automatic mode waits by itself":      {auto(made(1002, act(1, 1, 2002, 0, 2), act(2, 2, 2001, 0, 1))), drill.PhaseRunning, false, drill.RestorePending, ""},
		"automatic mode after a failure":      {auto(made(1002, act(1, 1, 2004, 2), act(2, 1, 2002, 0))), drill.PhaseWaiting, false, drill.RestorePending, "manual 2 execute skip"},
		"a failed action, retry allowed":      {made(1002, redo(act(1, 1, 2004, 2)), act(2, 1, 2001, 0)), drill.PhaseWaiting, false, drill.RestorePending, "failed 1 retry skip"},
		"a failed action, no retry":           {made(1002, act(1, 1, 2004, 2), act(2, 1, 2001, 0)), drill.PhaseWaiting, false, drill.RestorePending, "failed 1 skip"},
		"the fault is executing":              {made(1002, act(1, 1, 2003, 0, 2), act(2, 2, 2001, 0, 1)), drill.PhaseRunning, false, drill.RestorePending, ""},
		"the fault waits for its recovery":    {made(1002, act(1, 1, 2004, 1, 2), act(2, 2, 2002, 0, 1)), drill.PhaseWaiting, false, drill.RestorePending, "manual 2 execute skip"},
		"all done":                            {made(1002, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1)), drill.PhaseCompleted, true, drill.RestoreDone, ""},
		"linked from the fault's side only":   {made(1002, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1)), drill.PhaseCompleted, true, drill.RestoreDone, ""},
		"a fault without recovery is over":    {made(1002, act(1, 1, 2004, 1)), drill.PhaseCompleted, true, drill.RestoreDone, ""},
		"everything was skipped":              {made(1002, act(1, 1, 2004, 4, 2), act(2, 2, 2004, 4, 1)), drill.PhaseCompleted, true, drill.RestoreNeedless, ""},
		"the recovery was skipped":            {made(1002, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 4, 1)), drill.PhaseFailed, false, drill.RestoreFailed, ""},
		"paused, fault live":                  {made(1003, act(1, 1, 2004, 1, 2), act(2, 2, 2002, 0, 1)), drill.PhaseWaiting, false, drill.RestorePending, "paused  resume"},
		"paused, nothing begun":               {made(1003, act(1, 1, 2002, 0, 2), act(2, 2, 2001, 0, 1)), drill.PhaseWaiting, true, drill.RestoreNeedless, "paused  resume"},
		"paused, recovered":                   {made(1003, act(1, 1, 2004, 3, 2), act(2, 2, 2004, 1, 1), act(3, 1, 2001, 0)), drill.PhaseWaiting, true, drill.RestoreDone, "paused  resume"},
		"paused, all ended: no completion":    {made(1003, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1)), drill.PhaseWaiting, true, drill.RestoreDone, "paused  resume"},
		"paused, fault without recovery":      {made(1003, act(1, 1, 2003, 0)), drill.PhaseWaiting, false, drill.RestorePending, "paused  resume"},
		"paused, recovery failed for good":    {made(1003, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 2, 1)), drill.PhaseWaiting, false, drill.RestoreFailed, "paused  resume"},
		"paused, recovery failed, retriable":  {made(1003, act(1, 1, 2004, 1, 2), redo(act(2, 2, 2004, 2, 1))), drill.PhaseWaiting, false, drill.RestorePending, "paused  resume"},
		"paused, executed anew":               {made(1003, act(1, 1, 2003, 0, 2), act(2, 2, 2004, 1, 1)), drill.PhaseWaiting, false, drill.RestorePending, "paused  resume"},
		"the guardrail rolls back":            {fired(made(1002, act(1, 1, 2004, 3, 2), act(2, 2, 2003, 0, 1))), drill.PhaseStopping, false, drill.RestorePending, ""},
		"the guardrail is through":            {fired(made(1002, act(1, 1, 2004, 3, 2), act(2, 2, 2004, 1, 1))), drill.PhaseStopping, true, drill.RestoreDone, ""},
		"ended after all was done":            {made(1004, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1)), drill.PhaseCompleted, true, drill.RestoreDone, ""},
		"ended with a failed action":          {made(1004, act(1, 1, 2004, 2)), drill.PhaseFailed, true, drill.RestoreUnproven, ""},
		"ended with a terminated action":      {made(1004, act(1, 1, 2004, 3)), drill.PhaseStopped, true, drill.RestoreUnproven, ""},
		"paused, a failed fault is by itself": {made(1003, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1), act(3, 1, 2004, 2)), drill.PhaseWaiting, true, drill.RestoreUnproven, "paused  resume"},
		"ended early":                         {made(1004, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1), act(3, 1, 2001, 0)), drill.PhaseStopped, true, drill.RestoreDone, ""},
		"ended with a live fault":             {made(1004, act(1, 1, 2004, 1, 2), act(2, 2, 2001, 0, 1)), drill.PhaseStopped, false, drill.RestoreFailed, ""},
		"an unknown task status":              {made(1005, act(1, 1, 2004, 1)), drill.PhaseUnknown, false, drill.RestorePending, ""},
		"an unknown action status":            {made(1002, act(1, 1, 2005, 0)), drill.PhaseRunning, false, drill.RestorePending, ""},
		"an unknown status while paused":      {made(1003, act(1, 1, 2009, 0, 2), act(2, 2, 2004, 1, 1)), drill.PhaseWaiting, false, drill.RestorePending, "paused  resume"},
		"an empty reply":                      {TaskReply{}, drill.PhaseUnknown, false, drill.RestorePending, ""},
		"no actions":                          {made(1002), drill.PhaseRunning, false, drill.RestorePending, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := observation(driver.Run{ID: "7"}, c.reply)
			var gates []string
			for _, g := range o.Gates {
				text := string(g.Kind) + " " + g.Step
				for _, ch := range g.Choices {
					text += " " + string(ch.Action)
				}
				gates = append(gates, text)
			}
			if o.Phase != c.phase || o.Quiet != c.quiet || o.Restoration != c.restoration || strings.Join(gates, ";") != c.gates {
				t.Errorf("phase %s, quiet %t, restoration %s, gates %q", o.Phase, o.Quiet, o.Restoration, gates)
			}
			if o.Quiet && len(o.Evidence) == 0 {
				t.Error("quiet without evidence")
			}
		})
	}
}

// An action's status sums its instances up; what is undone is known of each instance alone.
func TestObservation_RestorationByInstance(t *testing.T) {
	fault := func(pairs ...int64) TaskGroupAction { return rows(act(1, 1, 2004, 1, 2), pairs...) }
	recovery := func(kind int64, pairs ...int64) TaskGroupAction { return rows(act(2, 2, 2004, kind, 1), pairs...) }
	for name, c := range map[string]struct {
		actions     []TaskGroupAction
		restoration drill.Restoration
		says        string
	}{
		"undone everywhere":                             {[]TaskGroupAction{fault(3003, 1, 3003, 1), recovery(1, 3003, 1, 3003, 1)}, drill.RestoreDone, "action 2 a2 undid a1 (2004/1)"},
		"the recovery failed on one":                    {[]TaskGroupAction{fault(3003, 1, 3003, 1), recovery(1, 3003, 1, 3003, 2)}, drill.RestoreFailed, "not undone: a1 on b"},
		"the recovery was skipped on one":               {[]TaskGroupAction{fault(3003, 1, 3003, 1), recovery(1, 3003, 4, 3003, 1)}, drill.RestoreFailed, "not undone: a1 on a"},
		"the recovery was cut off on both":              {[]TaskGroupAction{fault(3003, 1, 3003, 1), recovery(1, 3003, 3, 3003, 3)}, drill.RestoreFailed, "not undone: a1"},
		"the recovery lists one too few":                {[]TaskGroupAction{fault(3003, 1, 3003, 1), recovery(1, 3003, 1)}, drill.RestoreFailed, "not undone: a1 on b"},
		"the fault never began where it was skipped":    {[]TaskGroupAction{fault(3003, 1, 3003, 4), recovery(1, 3003, 1, 3003, 4)}, drill.RestoreDone, "undid a1"},
		"the recovery failed where nothing began":       {[]TaskGroupAction{fault(3003, 1, 3003, 4), recovery(2, 3003, 1, 3003, 2)}, drill.RestoreDone, "undid a1 (2004/2)"},
		"the fault failed on one, both undone":          {[]TaskGroupAction{fault(3003, 1, 3003, 2), recovery(1, 3003, 1, 3003, 1)}, drill.RestoreDone, "undid a1"},
		"the fault lists none, a recovery fails":        {[]TaskGroupAction{fault(), recovery(1, 3003, 1, 3003, 2)}, drill.RestoreFailed, "not undone: a1"},
		"the fault does not say where it began":         {[]TaskGroupAction{fault(3001, 0, 3001, 0), recovery(1, 3003, 1, 3003, 2)}, drill.RestoreFailed, "not undone: a1 on b"},
		"an instance in a status that nobody knows":     {[]TaskGroupAction{fault(3003, 1, 3009, 0), recovery(1, 3003, 1, 3003, 1)}, drill.RestoreFailed, "not undone: a1 on b"},
		"the recovery came after":                       {[]TaskGroupAction{from(fault(3003, 1), 5), from(recovery(1, 3003, 1), 5)}, drill.RestoreDone, "undid a1"},
		"the fault began anew after its recovery":       {[]TaskGroupAction{from(fault(3003, 1, 3003, 1), 1, 9), from(recovery(1, 3003, 1, 3003, 1), 5, 5)}, drill.RestoreFailed, "not undone: a1 on b"},
		"a recovery that some instances still wait for": {[]TaskGroupAction{fault(3003, 1, 3003, 1), rows(act(2, 2, 2002, 0, 1), 3003, 1, 3001, 0)}, drill.RestorePending, ""},
		"a recovery that only unhurt ones wait for":     {[]TaskGroupAction{fault(3003, 1, 3003, 4), rows(act(2, 2, 2002, 0, 1), 3003, 1, 3001, 0)}, drill.RestoreDone, "undid a1 (2002/0)"},
		"no recovery, over everywhere":                  {[]TaskGroupAction{rows(act(1, 1, 2004, 1), 3003, 1, 3003, 1)}, drill.RestoreDone, "action 1 a1 ended by itself (2004/1)"},
		"no recovery, over where it began":              {[]TaskGroupAction{rows(act(1, 1, 2002, 0), 3003, 1, 3001, 0)}, drill.RestoreDone, "ended by itself"},
		"no recovery, failed on one":                    {[]TaskGroupAction{rows(act(1, 1, 2004, 1), 3003, 1, 3003, 2)}, drill.RestoreUnproven, "action 1 a1 on b ended without success and has no recovery (2004/1)"},
		"no recovery, failed and then passed over":      {[]TaskGroupAction{from(rows(act(1, 1, 2004, 4), 3003, 4), 1)}, drill.RestoreUnproven, "ended without success and has no recovery (2004/4)"},
		"a recovery that is not there":                  {[]TaskGroupAction{act(1, 1, 2004, 1, 9)}, drill.RestoreUnproven, "action 1 a1 names a recovery that is not there (2004/1)"},
		"no recovery, one still executes":               {[]TaskGroupAction{rows(act(1, 1, 2004, 1), 3003, 1, 3002, 0)}, drill.RestorePending, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := observation(driver.Run{ID: "7"}, made(1003, c.actions...))
			if text := strings.Join(o.Evidence, "; "); o.Restoration != c.restoration || !strings.Contains(text, c.says) {
				t.Errorf("restoration %s, evidence %q", o.Restoration, text)
			}
			if want := c.restoration == drill.RestoreDone || c.restoration == drill.RestoreUnproven; o.Quiet != want {
				t.Errorf("quiet %t", o.Quiet)
			}
		})
	}
}

// Every error of a skipped field ends on the safe side: an action without an attribute is a fault unless it says otherwise.
func TestObservation_KindsByAttributeAndTitle(t *testing.T) {
	for _, c := range []struct {
		attribute Num
		title     Text
		execute   Link
		want      drill.StepKind
	}{
		{1, "Empty Operation", 0, drill.FaultStep},
		{1, "Recover nothing", 0, drill.FaultStep},
		{2, "anything", 0, drill.RecoveryStep},
		{0, "CPU 满载", 0, drill.FaultStep},
		{0, "空操作（回滚）", 0, drill.RecoveryStep},
		{0, "Empty Operation (Rollback)", 0, drill.RecoveryStep},
		{0, "linked", 5, drill.RecoveryStep},
	} {
		a := TaskGroupAction{ActionAttribute: c.attribute, ActionTitle: c.title, TaskGroupActionExecuteId: c.execute}
		if got := observation(driver.Run{}, made(1002, a)).Steps[0].Kind; got != c.want {
			t.Errorf("%+v is a %s, want %s", c, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	for name, c := range map[string]struct {
		info *ReportInfo
		want driver.Report
	}{
		"never exported":       {nil, driver.Report{State: "none"}},
		"exporting":            {&ReportInfo{Stage: 1}, driver.Report{State: "pending"}},
		"done":                 {&ReportInfo{Stage: 2, CosUrl: "https://cos/r"}, driver.Report{State: "ready", URL: "https://cos/r"}},
		"done without address": {&ReportInfo{Stage: 2}, driver.Report{State: "none"}},
		"expired":              {&ReportInfo{Stage: 2, CosUrl: "https://cos/r", Expired: true}, driver.Report{State: "none"}},
		"failed":               {&ReportInfo{Stage: 3}, driver.Report{State: "none"}},
	} {
		if got := report(c.info); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// FuzzObservation feeds whatever a service may answer: it is never a panic, and never quiet with a fault executing.
func FuzzObservation(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "describe_task.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"Response":{"Task":{"TaskStatus":"1003","TaskGroups":[{"TaskGroupActions":[{"TaskGroupActionStatus":2003,"ActionAttribute":1}]}]}}}`))
	f.Add([]byte(`{"Response":{"Task":{"TaskStatus":1004,"TaskGroups":[null,{"TaskGroupActions":null}],"TaskPolicy":{"TaskPolicyStatus":"已触发"}},"ReportInfo":{"Stage":2}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var reply TaskReply
		if decode(body, &reply) != nil {
			return
		}
		o := observation(driver.Run{ID: "1"}, reply)
		if o.Vendor == "" || o.Quiet && len(o.Evidence) == 0 && o.Restoration != drill.RestorePending {
			t.Errorf("%+v", o)
		}
		for _, s := range o.Steps {
			if o.Quiet && s.Kind == drill.FaultStep && s.State == drill.StepRunning {
				t.Errorf("quiet while %+v runs", s)
			}
			if o.Quiet && s.State == drill.StepUnknown && !strings.HasPrefix(s.Vendor, "2004/") {
				t.Errorf("quiet while nobody knows what %+v does", s)
			}
		}
	})
}
