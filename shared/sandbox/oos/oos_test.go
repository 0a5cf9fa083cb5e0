package oos

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestStart_RefusalsHaveTheVendorsCodeAndStatus(t *testing.T) {
	for _, c := range []struct {
		name, code string
		status     int
		kv         []string
	}{
		{"another version", "InvalidVersion", 400, []string{"Version", "2018-01-01"}},
		{"no version", "InvalidVersion", 400, []string{"Version", ""}},
		{"no template", "MissingParameter.TemplateName", 400, nil},
		{"a template that does not exist", "EntityNotExists.Template", 404, []string{"TemplateName", "nowhere"}},
		{"a missing parameter", "MissingExecutionParameter", 400, []string{"TemplateName", "start-node"}},
		{"an unknown parameter", "UnknownExecutionParameter", 400, []string{"TemplateName", "loop-echo", "Parameters", `{"X":1}`}},
		{"parameters that are no object", "InvalidParameter.Parameters", 400, []string{"TemplateName", "loop-echo", "Parameters", `[1]`}},
		{"an unknown mode", "InvalidParameter.Mode", 400, []string{"TemplateName", "loop-echo", "Mode", "Manual"}},
		{"a skipped check in debug mode", "InvalidParameter.SafetyCheck", 400, []string{"TemplateName", "loop-echo", "Mode", "Debug", "SafetyCheck", "Skip"}},
		{"a long token", "InvalidParameter.ClientToken", 400, []string{"TemplateName", "loop-echo", "ClientToken", strings.Repeat("x", 65)}},
		{"a tag that is no text", "InvalidParameter.Tags", 400, []string{"TemplateName", "loop-echo", "Tags", `{"a":1}`}},
		{"content with no tasks", "TemplateValidationError", 400, []string{"TemplateContent", "FormatVersion: OOS-2019-06-01"}},
		{"a sleep of a day", "TemplateValidationError", 400, []string{"TemplateContent", `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"s","Action":"ACS::Sleep","Properties":{"Duration":"PT24H"}}]}`}},
		{"a role that does not exist", "AssumeRoleFailed", 400, []string{"TemplateName", "foreign-role"}},
		{"no permission", "User.NoPermission", 401, []string{"TemplateName", "loop-echo", "SecurityToken", "no-permission"}},
		{"an invalid token", "InvalidStsToken", 400, []string{"TemplateName", "loop-echo", "SecurityToken", "invalid"}},
		{"an expired token", "ExpiredStsToken", 400, []string{"TemplateName", "loop-echo", "SecurityToken", "expired"}},
		{"another kind of account", "InvalidAccountType", 400, []string{"TemplateName", "loop-echo", "SecurityToken", "wrong-account"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			status, body := w.send(service.Options{}, "StartExecution", c.kv...)
			if status != c.status || !strings.Contains(body, `"Code":"`+c.code+`"`) || len(w.Runs()) != 0 {
				t.Errorf("%d %s, %d runs; want %d %s and none", status, body, len(w.Runs()), c.status, c.code)
			}
		})
	}
}

func TestStart_QuotaAndClientToken(t *testing.T) {
	w := newWorld(t)
	first := w.start("TemplateName", "loop-echo", "ClientToken", "t-1")
	if again := w.start("TemplateName", "loop-echo", "ClientToken", "t-1"); again != first {
		t.Errorf("the same token made %s and %s", first, again)
	}
	if _, code := w.call("StartExecution", "TemplateName", "debug-echo", "ClientToken", "t-1"); code != "IdempotentParameterMismatch" {
		t.Errorf("the same token with another template: %q", code)
	}
	if other := w.start("TemplateName", "loop-echo", "ClientToken", "t-1", "RegionId", "cn-shanghai"); other == first {
		t.Error("another region shares the token")
	}
	for len(w.Runs()) < most {
		w.start("TemplateName", "debug-echo", "Mode", "Debug")
	}
	if status, body := w.send(service.Options{}, "StartExecution", "TemplateName", "loop-echo"); status != 403 || !strings.Contains(body, "QuotaExceed") {
		t.Errorf("one too many: %d %s", status, body)
	}
}

// TestEvents_StartedSuccessAndFailedOnly is what the vendor pushes; Waiting and Cancelled are not announced.
func TestEvents_StartedSuccessAndFailedOnly(t *testing.T) {
	for _, c := range []struct {
		name string
		kv   []string
		end  string
		want []string
	}{
		{"a good end", []string{"TemplateName", "loop-echo"}, "", []string{"Started", "Success"}},
		{"a failure", []string{"TemplateName", "failing-command", "Parameters", restart}, "", []string{"Started", "Failed"}},
		{"a cancellation", []string{"TemplateName", "pause-and-look", "Parameters", restart}, "CancelExecution", []string{"Started"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.start(c.kv...)
			w.wait(time.Minute)
			if c.end != "" {
				w.call(c.end, "ExecutionId", id)
			}
			w.wait(time.Hour)
			var got []string
			for _, p := range w.pushed {
				data := p["data"].(map[string]any)
				content := data["content"].(map[string]any)
				got = append(got, content["status"].(string))
				if p["specversion"] != "1.0" || p["source"] != "acs.oos" || !strings.HasPrefix(p["type"].(string), "oos:CloudMonitor:") || p["id"] == "" {
					t.Errorf("envelope %v", p)
				}
				if content["executionId"] != id || data["product"] != "OOS" || data["name"] != "Execution:ExecutionStatusChange" || data["eventTime"].(string)[:8] != "20261120" {
					t.Errorf("body %v", data)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("pushed %v, want %v", got, c.want)
			}
		})
	}
}

func TestCancel_LeavesTheFaultUntilAnybodyMendsIt(t *testing.T) {
	w := newWorld(t)
	id := w.start("TemplateName", "restart-one-node", "Parameters", restart, "SafetyCheck", "Skip", "Tags", `{"firedrill:drill":"d-7"}`)
	w.wait(2 * time.Second)
	if r := w.run(id); !slices.Equal(r.Live, []string{"stopped i-abc"}) || r.Mark != "d-7" || r.Ended {
		t.Fatalf("under way: %+v", r)
	}
	if status, _ := w.send(service.Options{Lie: true}, "CancelExecution", "ExecutionId", id); status != 200 || w.run(id).Ended {
		t.Fatalf("a stop that lies: %d, %+v", status, w.run(id))
	}
	w.call("CancelExecution", "ExecutionId", id)
	w.wait(10 * time.Hour)
	if r := w.run(id); r.Status != "Cancelled" || !slices.Equal(r.Live, []string{"stopped i-abc"}) {
		t.Fatalf("cancelled: %+v", r)
	}
	if _, code := w.call("CancelExecution", "ExecutionId", id); code != "InvalidExecutionStatus" {
		t.Errorf("cancelled twice: %q", code)
	}
	other := w.start("TemplateName", "start-node", "Parameters", `{"NodeId":"i-other"}`)
	w.wait(time.Minute)
	if w.run(other).Status != "Success" || len(w.run(id).Live) != 1 {
		t.Errorf("starting another node mended this one: %+v", w.run(id))
	}
	w.start("TemplateName", "start-node", "Parameters", restart)
	w.wait(time.Minute)
	if live := w.run(id).Live; len(live) != 0 {
		t.Errorf("live after start-node: %v", live)
	}
}

// TestPlay_WhatIsDueIsPlayedInOrder lets one execution mend what another then checks, all within one step of the clock.
func TestPlay_WhatIsDueIsPlayedInOrder(t *testing.T) {
	w := newWorld(t)
	check := `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"rest","Action":"ACS::Sleep","Properties":{"Duration":"%s"}},
		{"Name":"check","Action":"ACS::CheckFor","Properties":{"Parameters":{"InstanceIds":["i-abc"]},"DesiredValues":["Running"]}}]}`
	w.start("TemplateName", "restart-one-node", "Parameters", `{"NodeId":"i-abc","HoldDown":"PT10M"}`, "SafetyCheck", "Skip")
	early := w.start("TemplateContent", fmt.Sprintf(check, "PT5M"))
	late := w.start("TemplateContent", fmt.Sprintf(check, "PT15M"))
	w.wait(time.Hour)
	if a, b := w.run(early), w.run(late); a.Status != "Failed" || b.Status != "Success" {
		t.Errorf("the check while it was down: %s, after it: %s", a.Status, b.Status)
	}
}

func TestApprove_CountsAsManyAsTheTemplateAsksFor(t *testing.T) {
	w := newWorld(t)
	id := w.start("TemplateContent", `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"ok","Action":"ACS::Approve","Properties":{"MinRequiredApprovals":2}}]}`)
	w.wait(10 * time.Second)
	for i, want := range []string{"Waiting", "Success"} {
		if _, code := w.call("NotifyExecution", "ExecutionId", id, "NotifyType", "Approve"); code != "" {
			t.Fatalf("approval %d: %s", i, code)
		}
		if got := w.run(id).Status; got != want {
			t.Errorf("after approval %d: %s, want %s", i+1, got, want)
		}
	}
}

func TestNotify_AtTheWrongTime(t *testing.T) {
	w := newWorld(t)
	id := w.start("TemplateName", "pause-and-look", "Parameters", restart)
	send := func(kv ...string) string {
		_, code := w.call("NotifyExecution", append([]string{"ExecutionId", id}, kv...)...)
		return code
	}
	if got := send("NotifyType", "Approve"); got != "InvalidExecutionStatus" {
		t.Errorf("while it runs: %q", got)
	}
	w.wait(time.Minute)
	for _, kind := range []string{"RetryTask", "SkipTask", "CompleteExecution", "CancelTask"} {
		if got := send("NotifyType", kind); got != "InvalidExecutionStatus" {
			t.Errorf("%s at a pause: %q", kind, got)
		}
	}
	if got := send("NotifyType", "ExecuteTask", "TaskName", "look"); got != "InvalidExecutionStatus" {
		t.Errorf("ExecuteTask at a pause: %q", got)
	}
	if got := send("NotifyType", "Approve", "TaskExecutionId", "task-exec-other"); got != "InvalidExecutionStatus" {
		t.Errorf("another task execution: %q", got)
	}
	if got := send("NotifyType", "Nod"); got != "InvalidParameter.NotifyType" {
		t.Errorf("an unknown type: %q", got)
	}
	if got := send(); got != "MissingParameter.NotifyType" {
		t.Errorf("no type: %q", got)
	}
	if _, code := w.call("NotifyExecution", "ExecutionId", "exec-none", "NotifyType", "Approve"); code != "EntityNotExists.Execution" {
		t.Errorf("an unknown execution: %q", code)
	}
	if w.run(id).Status != "Waiting" {
		t.Errorf("it moved: %s", w.run(id).Status)
	}
}

func TestList_FiltersAndPages(t *testing.T) {
	w := newWorld(t)
	for i := range 101 {
		w.start("TemplateName", "loop-echo", "Tags", fmt.Sprintf(`{"n":"%d","all":"yes"}`, i))
	}
	w.start("TemplateName", "loop-echo", "RegionId", "cn-shanghai", "Tags", `{"all":"yes"}`)
	first, _ := w.call("ListExecutions", "Tags", `{"all":"yes"}`, "MaxResults", "100")
	token, _ := first["NextToken"].(string)
	second, _ := w.call("ListExecutions", "Tags", `{"all":"yes"}`, "MaxResults", "100", "NextToken", token)
	if a, b := ids(first), ids(second); len(a) != 100 || len(b) != 1 || token == "" || second["NextToken"] != "" || slices.Contains(a, b[0]) {
		t.Errorf("pages of %d and %d, tokens %q, %v", len(a), len(b), token, second["NextToken"])
	}
	for _, c := range []struct {
		want int
		kv   []string
	}{
		{1, []string{"Tags", `{"n":"7"}`}}, {0, []string{"Tags", `{"n":"7","all":"no"}`}}, {0, []string{"Status", "Success"}},
		{0, []string{"TemplateName", "debug"}}, {50, []string{"TemplateName", "echo"}}, {10, []string{"MaxResults", "10"}},
		{0, []string{"StartDateAfter", "2026-11-20T10:00:01Z"}}, {50, []string{"StartDateBefore", "2026-11-20T10:00:01Z"}}, {0, []string{"Mode", "Debug"}},
	} {
		if m, code := w.call("ListExecutions", c.kv...); code != "" || len(ids(m)) != c.want {
			t.Errorf("%v: %d executions, %q, want %d", c.kv, len(ids(m)), code, c.want)
		}
	}
	for _, kv := range [][]string{{"MaxResults", "9"}, {"MaxResults", "101"}, {"MaxResults", "x"}, {"NextToken", "x"}, {"SortField", "Name"}, {"SortOrder", "Up"}, {"Status", "Done"}} {
		if _, code := w.call("ListExecutions", kv...); code != "InvalidParameter."+kv[0] {
			t.Errorf("%v: %q", kv, code)
		}
	}
	if _, code := w.call("ListTaskExecutions", "Status", "running"); code != "InvalidParameter.Status" {
		t.Errorf("a status in the wrong case: %q", code)
	}
	if _, code := w.call("ListTaskExecutions", "MaxResults", "19"); code != "InvalidParameter.MaxResults" {
		t.Errorf("19 task executions: %q", code)
	}
}

// TestReplies_InXML is the vendor's default format, a list as its element repeated.
func TestReplies_InXML(t *testing.T) {
	w := newWorld(t)
	id := w.start("TemplateName", "loop-echo")
	w.wait(time.Minute)
	_, body := w.send(service.Options{}, "ListExecutions", "Format", "XML")
	var list struct {
		XMLName    xml.Name `xml:"ListExecutionsResponse"`
		Executions []struct {
			ExecutionId, Status string
			CurrentTasks        []struct{ TaskName string }
		}
	}
	if err := xml.Unmarshal([]byte(body), &list); err != nil || len(list.Executions) != 1 || list.Executions[0].ExecutionId != id || list.Executions[0].Status != "Success" || len(list.Executions[0].CurrentTasks) != 0 {
		t.Errorf("%+v, %v from %s", list, err, body)
	}
	_, body = w.send(service.Options{}, "CancelExecution", "Format", "", "ExecutionId", "none")
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}
	if err := xml.Unmarshal([]byte(body), &e); err != nil || e.Code != "EntityNotExists.Execution" {
		t.Errorf("%+v, %v from %s", e, err, body)
	}
}

func TestTemplates_TheShippedOnesAreReadable(t *testing.T) {
	w := newWorld(t)
	m, _ := w.call("ListTemplates", "MaxResults", "100")
	for _, x := range m["Templates"].([]any) {
		name := x.(map[string]any)["TemplateName"].(string)
		got, code := w.call("GetTemplate", "TemplateName", name)
		if code != "" {
			t.Errorf("%s: %s", name, code)
			continue
		}
		v, code := w.call("ValidateTemplateContent", "Content", got["Content"].(string))
		if code != "" || len(v["Tasks"].([]any)) == 0 {
			t.Errorf("%s: %s, %v", name, code, v)
		}
	}
	m, _ = w.call("GetTemplate", "TemplateName", "restart-one-node")
	if got := m["Template"].(map[string]any)["TemplateVersion"]; got != "v3" {
		t.Errorf("latest version %v, want v3", got)
	}
	m, _ = w.call("ListExecutionRiskyTasks", "TemplateName", "restart-one-node")
	if risky := m["RiskyTasks"].([]any); len(risky) != 1 || risky[0].(map[string]any)["API"] != "StopInstance" {
		t.Errorf("risky %v", m["RiskyTasks"])
	}
	if _, code := w.call("TagResources", "ResourceType", "execution", "ResourceIds", `["x"]`, "Tags", `{"a":"b"}`); code != "InvalidParameter.ResourceType" {
		t.Errorf("tagging an execution: %q", code)
	}
	if _, code := w.call("TagResources", "ResourceType", "template", "ResourceIds", `["loop-echo"]`, "Tags", `{"a":"b"}`); code != "" {
		t.Errorf("tagging a template: %q", code)
	}
}

func TestRecognise_ByShapeAlone(t *testing.T) {
	s := newWorld(t)
	for _, c := range []struct {
		name, query string
		want        bool
	}{
		{"ours", "Action=StartExecution&Version=2019-06-01&Signature=x", true},
		{"our action with another version", "Action=CancelExecution&Version=2018-01-01&Signature=x", true},
		{"an unknown action of our version", "Action=SignalExecution&Version=2019-06-01&Signature=x", true},
		{"ahas", "Action=ExecuteExperiment&Version=2019-09-01&Signature=x", false},
		{"sts of aws", "Action=GetCallerIdentity&Version=2011-06-15", false},
		{"sts of alibaba", "Action=GetCallerIdentity&Version=2015-04-01&Signature=x", true},
		{"no action", "Version=2019-06-01", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ok := s.Recognise(httptest.NewRequest("POST", "/?"+c.query, nil), nil); ok != c.want {
				t.Errorf("recognised %t, want %t", ok, c.want)
			}
		})
	}
	one, _ := s.Recognise(httptest.NewRequest("POST", "/?Action=ListExecutions&Version=2019-06-01&ExecutionId=a&SignatureNonce=1&Signature=x&Timestamp=1", nil), nil)
	two, _ := s.Recognise(httptest.NewRequest("POST", "/?Action=ListExecutions&Version=2019-06-01&ExecutionId=a&SignatureNonce=2&Signature=y&Timestamp=2", nil), nil)
	if one.Key != two.Key || one.Kind != service.Read {
		t.Errorf("two reads of the same thing have keys %q and %q", one.Key, two.Key)
	}
}

func TestService_ManyCallersAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := w.start("TemplateName", "loop-echo", "Description", fmt.Sprint(i))
			w.call("ListExecutions", "ExecutionId", id)
			w.wait(time.Second)
			w.Snapshot()
		})
	}
	wg.Wait()
	if n := len(w.Runs()); n != 8 || !json.Valid(w.Snapshot()) {
		t.Errorf("%d runs, snapshot %s", n, w.Snapshot())
	}
	w.Reset()
	if len(w.Runs()) != 0 || len(w.templates) == 0 {
		t.Error("reset keeps runs or forgets templates")
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"a","Action":"ACS::Sleep","Properties":{"Duration":"PT1M"},"Loop":{"Items":[1],"RateControl":{"Concurrency":-1}}}]}`)
	f.Add(`{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"a","Action":"ACS::ExecuteAPI","Properties":{"API":"StopInstance","Parameters":[1]}}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		if _, bad := parseTemplate(content); bad != nil {
			return
		}
		w := newWorld(t)
		if _, code := w.call("StartExecution", "TemplateContent", content, "SafetyCheck", "Skip"); code != "" {
			return
		}
		w.wait(1000 * time.Hour)
		if !json.Valid(w.Snapshot()) {
			t.Error("the snapshot is no json")
		}
	})
}
