package cfg

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// The requests and replies below are those of the vendor's OpenAPI guide,
// https://www.tencentcloud.com/document/product/1235/62860. It prints some integers as strings; the client sends numbers.

// vendor answers every call with one reply and keeps the last request.
type vendor struct {
	reply  string
	status int
	req    *http.Request
	body   string
	calls  []string
}

func (v *vendor) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	v.req, v.body = r, string(b)
	v.calls = append(v.calls, r.Header.Get("X-TC-Action"))
	status := v.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(v.reply)), Request: r}, nil
}

func credentials(context.Context) (driver.Credentials, error) {
	return driver.Credentials{AccessKey: "AKIDEXAMPLE", Secret: "SECRETEXAMPLE"}, nil
}

func seedClient(t *testing.T, reply string) (*Client, *vendor) {
	t.Helper()
	v := &vendor{reply: reply}
	c, err := NewClient(driver.Config{Region: "ap-guangzhou", Credentials: credentials, Transport: v})
	if err != nil {
		t.Fatal(err)
	}
	return c, v
}

var authorization = regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{4}-\d\d-\d\d/cfg/tc3_request, SignedHeaders=content-type;host, Signature=[0-9a-f]{64}$`)

// sent asserts the request line, the headers and the whole body.
func (v *vendor) sent(t *testing.T, action, body string) {
	t.Helper()
	if got := v.req.Method + " " + v.req.URL.String(); got != "POST https://cfg.tencentcloudapi.com/" {
		t.Errorf("request %q", got)
	}
	if v.req.Host != "cfg.tencentcloudapi.com" {
		t.Errorf("host %q", v.req.Host)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": "2021-08-20", "X-TC-Region": "ap-guangzhou"} {
		if got := v.req.Header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if got := v.req.Header.Get("Authorization"); !authorization.MatchString(got) {
		t.Errorf("authorization %q", got)
	}
	sameJSON(t, v.body, body)
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("body %q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("body\n got %s\nwant %s", got, want)
	}
}

// decodedInFull asserts that every field of the sample came out again, null standing for the zero value.
func decodedInFull(t *testing.T, at string, sample, got any) {
	t.Helper()
	switch s := sample.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v became %v", at, sample, got)
			return
		}
		for k, v := range s {
			if _, ok := m[k]; !ok {
				t.Errorf("%s.%s is not decoded", at, k)
				continue
			}
			decodedInFull(t, at+"."+k, v, m[k])
		}
	case []any:
		if len(s) == 0 && got == nil {
			return
		}
		l, ok := got.([]any)
		if !ok || len(l) != len(s) {
			t.Errorf("%s: %d entries became %v", at, len(s), got)
			return
		}
		for i := range s {
			decodedInFull(t, fmt.Sprintf("%s[%d]", at, i), s[i], l[i])
		}
	case nil:
		if got != nil && !reflect.ValueOf(got).IsZero() {
			t.Errorf("%s: null became %v", at, got)
		}
	default:
		if !reflect.DeepEqual(sample, got) {
			t.Errorf("%s: %v became %v", at, sample, got)
		}
	}
}

func roundTrip(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func sample(t *testing.T, name string) (string, any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Response any }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return string(b), v.Response
}

func TestSeed_CFGCreateTaskFromTemplate(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"f0aee8ac-2ed3-4a7f-a25b-f0d7d228dd30","TaskId":3256}}`)
	id, err := c.CreateTaskFromTemplate(t.Context(), FromTemplate{TemplateId: 626, TaskConfig: TaskConfig{
		TaskTitle:        "This is an example of creating an experiment from the API",
		TaskGroupsConfig: []GroupConfig{{TaskGroupInstances: []string{"ins-xxxxxxxx"}}},
	}})
	if err != nil || id != 3256 {
		t.Fatalf("task %d, %v", id, err)
	}
	v.sent(t, "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskTitle":"This is an example of creating an experiment from the API",
		"TaskGroupsConfig":[{"TaskGroupInstances":["ins-xxxxxxxx"]}]}}`)
}

func TestSeed_CFGPrepareAddsOnlyItsMarks(t *testing.T) {
	v := &vendor{reply: `{"Response":{"RequestId":"f0aee8ac-2ed3-4a7f-a25b-f0d7d228dd30","TaskId":3256}}`}
	d, err := Options{TitleLimit: 80}.Open(driver.Config{Account: "tx", Region: "ap-guangzhou", Credentials: credentials, Transport: v})
	if err != nil {
		t.Fatal(err)
	}
	run, err := d.(driver.Preparer).Prepare(t.Context(), driver.Request{Drill: "d1", Role: drill.Main, Root: "r1", Block: map[string]any{
		"template": 626, "title": "This is an example of creating an experiment from the API", "instances": []any{"ins-xxxxxxxx"}}})
	if want := (driver.Run{Service: drill.CFG, Account: "tx", Region: "ap-guangzhou", ID: "3256", Role: drill.Main}); err != nil || run != want {
		t.Fatalf("run %+v, %v", run, err)
	}
	v.sent(t, "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskTitle":"This is an example of creating an experiment from the API [fd:d1]",
		"TaskGroupsConfig":[{"TaskGroupInstances":["ins-xxxxxxxx"]}],"Tags":[{"TagKey":"firedrill","TagValue":"d1"},{"TagKey":"firedrill-root","TagValue":"r1"}]}}`)
}

// The guide's header says CreateTaskFromTemplate here; the body is CreateTaskFromAction's.
func TestSeed_CFGCreateTaskFromAction(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"f0aee8ac-2ed3-4a7f-a25b-f0d7d228dd30","TaskId":150}}`)
	id, err := c.CreateTaskFromAction(t.Context(), FromAction{TaskActionId: 462, TaskInstances: []string{"ins-xxxxxxxx"}, TaskTitle: "Network Packet Loss",
		TaskDescription: "This experiment was created from the openapi", TaskActionCustomConfiguration: `{"interfaces": "eth0"}`})
	if err != nil || id != 150 {
		t.Fatalf("task %d, %v", id, err)
	}
	v.sent(t, "CreateTaskFromAction", `{"TaskActionId":462,"TaskInstances":["ins-xxxxxxxx"],"TaskTitle":"Network Packet Loss",
		"TaskDescription":"This experiment was created from the openapi","TaskActionCustomConfiguration":"{\"interfaces\": \"eth0\"}"}`)
}

func TestSeed_CFGDescribeActionFieldConfigList(t *testing.T) {
	text, want := sample(t, "field_config.json")
	c, v := seedClient(t, text)
	got, err := c.DescribeActionFieldConfigList(t.Context(), []int64{466}, 1)
	if err != nil {
		t.Fatal(err)
	}
	v.sent(t, "DescribeActionFieldConfigList", `{"ActionIds":[466],"ObjectTypeId":1}`)
	decodedInFull(t, "Response", want, roundTrip(t, got))
}

func TestSeed_CFGDescribeTask(t *testing.T) {
	text, want := sample(t, "describe_task.json")
	c, v := seedClient(t, text)
	got, err := c.DescribeTask(t.Context(), 3256)
	if err != nil {
		t.Fatal(err)
	}
	v.sent(t, "DescribeTask", `{"TaskId":3256}`)
	decodedInFull(t, "Response", want, roundTrip(t, got))

	o := observation(driver.Run{ID: "3256"}, got)
	if o.Phase != drill.PhaseWaiting || o.Vendor != "1002/0" || o.Injected || o.Quiet || o.Restoration != drill.RestorePending {
		t.Errorf("observation %+v", o)
	}
	if want := time.Date(2023, 8, 14, 6, 48, 1, 0, time.UTC); !o.StartedAt.Equal(want) {
		t.Errorf("started %s, want %s", o.StartedAt, want)
	}
	if len(o.Steps) != 2 || o.Steps[0].Kind != drill.FaultStep || o.Steps[0].State != drill.StepReady || len(o.Steps[0].Targets) != 2 ||
		o.Steps[1].Kind != drill.RecoveryStep || o.Steps[1].Recovers != "11395" || o.Steps[1].State != drill.StepPending {
		t.Errorf("steps %+v", o.Steps)
	}
	if len(o.Gates) != 1 || o.Gates[0].Step != "11395" || o.Gates[0].Kind != drill.ManualGate || o.Gates[0].Name != "Empty Operation" {
		t.Errorf("gates %+v", o.Gates)
	}
}

func TestSeed_CFGExecuteTask(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"46924e75-a149-4130-aac0-853dbf0abea9"}}`)
	if err := c.ExecuteTask(t.Context(), 3256); err != nil {
		t.Fatal(err)
	}
	v.sent(t, "ExecuteTask", `{"TaskId":3256}`)
}

func TestSeed_CFGExecuteTaskInstance(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"6549ed1a-911f-46dd-b6cd-2c02d5bd180f"}}`)
	err := c.ExecuteTaskInstance(t.Context(), InstanceCall{TaskId: 3256, TaskActionId: 11396, TaskInstanceIds: []int64{24377, 24378}, IsOperateAll: true,
		ActionType: ExecuteInstance, TaskGroupId: 4684})
	if err != nil {
		t.Fatal(err)
	}
	v.sent(t, "ExecuteTaskInstance", `{"TaskId":3256,"TaskActionId":11396,"TaskInstanceIds":[24377,24378],"IsOperateAll":true,"ActionType":2,"TaskGroupId":4684}`)
}

func TestSeed_CFGModifyTaskRunStatus(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"e38eca72-e4ae-4a86-9696-7df399e672bd"}}`)
	yes := true
	if err := c.ModifyTaskRunStatus(t.Context(), RunStatus{TaskId: 3256, Status: 1004, Summary: "This experiment meets the expectations", IsExpect: &yes}); err != nil {
		t.Fatal(err)
	}
	v.sent(t, "ModifyTaskRunStatus", `{"TaskId":3256,"Status":1004,"Summary":"This experiment meets the expectations","IsExpect":true}`)
}

func TestSeed_CFGTriggerPolicy(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"RequestId":"1050e4e3","Success":true,"TaskId":5491}}`)
	done, err := c.TriggerPolicy(t.Context(), 5491, "cpu alarm", "CPU>80%", 0)
	if err != nil || !done {
		t.Fatalf("done %t, %v", done, err)
	}
	v.sent(t, "TriggerPolicy", `{"TaskId":5491,"Name":"cpu alarm","Content":"CPU>80%","TriggerType":0}`)
}

// choosing answers by action, DescribeTask with the task and the rest with success, and notes what was called.
type choosing struct {
	v       *vendor
	task    string
	answers map[string]string
}

func (c choosing) RoundTrip(r *http.Request) (*http.Response, error) {
	action := r.Header.Get("X-TC-Action")
	c.v.reply = `{"Response":{}}`
	if action == "DescribeTask" {
		c.v.reply = c.task
	}
	if a, ok := c.answers[action]; ok {
		c.v.reply = a
	}
	resp, err := c.v.RoundTrip(r)
	var in struct{ Status, TaskActionId, ActionType int64 }
	if json.Unmarshal([]byte(c.v.body), &in) == nil && action == "ModifyTaskRunStatus" {
		c.v.calls[len(c.v.calls)-1] += fmt.Sprintf(" %d", in.Status)
	}
	if action == "ExecuteTaskInstance" {
		c.v.calls[len(c.v.calls)-1] += fmt.Sprintf(" %d/%d", in.TaskActionId, in.ActionType)
	}
	return resp, err
}
