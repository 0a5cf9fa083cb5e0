package oos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// wire answers each action with a fixed reply and keeps what was asked.
type wire struct {
	replies map[string]string
	status  int
	before  func(action string)
	asked   []url.Values
	urls    []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	w.asked = append(w.asked, q)
	w.urls = append(w.urls, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
	if w.before != nil {
		w.before(q.Get("Action"))
	}
	status := w.status
	if status == 0 {
		status = 200
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(w.replies[q.Get("Action")]))}, nil
}

func (w *wire) open(t testing.TB) *Driver {
	t.Helper()
	d, err := Open(driver.Config{
		Account: "ali-prod", Region: "cn-hangzhou", Root: "root-1", Transport: w,
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: "testid", Secret: "testsecret"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Driver)
}

func request(b map[string]any) driver.Request {
	return driver.Request{
		Drill: "d-1", Role: drill.Main, Token: "d-1/main", Root: "root-1", Title: "Echo in a loop", Account: "ali-prod", Region: "cn-hangzhou",
		Block: b, Timeout: time.Hour, Since: time.Date(2019, 5, 27, 9, 29, 0, 0, time.UTC),
	}
}

// seedReply is the sample success response of the vendor's StartExecution page.
const seedReply = `{
	"Execution": {
		"CurrentTasks": [],
		"ExecutedBy": "root(13092000)",
		"ExecutionId": "exec-4f5cd1b9042ac8832",
		"Mode": "Automatic",
		"Outputs": {},
		"Parameters": {
			"LogTailUserDefinedId": "logtaildemo",
			"TagKey": "oostest",
			"TagValue": "installlogtail"
		},
		"RamRole": "OOSServiceRole",
		"SafetyCheck": "Skip",
		"StartDate": "2019-05-27T09:29:18Z",
		"Status": "Started",
		"TemplateId": "t-1bd341007f",
		"TemplateName": "loop-echo",
		"TemplateVersion": "v1"
	},
	"RequestId": "491F8C2-34C9-4679-9DB3-4C0F4929AC"
}`

func TestSeed_OOSStartExecutionSampleRequestOnTheWire(t *testing.T) {
	common := []string{"AccessKeyId", "Format", "RegionId", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion", "Timestamp", "Version"}
	ours := []string{"ClientToken", "Description", "Mode", "SafetyCheck", "Tags"}
	for _, c := range []struct {
		name  string
		block map[string]any
		want  map[string]string
	}{
		{"the sample request", map[string]any{"template": "MyTemplate"}, map[string]string{
			"TemplateName": "MyTemplate", "Mode": "Automatic", "SafetyCheck": "ConfirmEveryHighRiskAction"}},
		{"every parameter of the page", map[string]any{"template": "MyTemplate", "version": "v1", "parameters": map[string]any{"Status": "Running"}, "mode": "Automatic", "safety_check": "Skip"},
			map[string]string{"TemplateName": "MyTemplate", "TemplateVersion": "v1", "Parameters": `{"Status":"Running"}`, "Mode": "Automatic", "SafetyCheck": "Skip"}},
		{"debug mode", map[string]any{"template": "MyTemplate", "mode": "Debug"}, map[string]string{
			"TemplateName": "MyTemplate", "Mode": "Debug", "SafetyCheck": "ConfirmEveryHighRiskAction"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{replies: map[string]string{"StartExecution": seedReply}}
			if _, err := w.open(t).Start(t.Context(), request(c.block)); err != nil {
				t.Fatal(err)
			}
			q := w.asked[0]
			if len(w.asked) != 1 || w.urls[0] != "https://oos.cn-hangzhou.aliyuncs.com/" || q.Get("Action") != "StartExecution" || q.Get("Version") != "2019-06-01" {
				t.Errorf("%d calls, %s, %v", len(w.asked), w.urls[0], q)
			}
			for k, v := range c.want {
				if q.Get(k) != v {
					t.Errorf("%s = %q, want %q", k, q.Get(k), v)
				}
			}
			names := append(append([]string{"Action"}, common...), ours...)
			for k := range c.want {
				names = append(names, k)
			}
			slices.Sort(names)
			if got := slices.Sorted(maps.Keys(q)); !slices.Equal(got, slices.Compact(names)) {
				t.Errorf("parameters %v\nwant       %v", got, names)
			}
			if tok := q.Get("ClientToken"); len(tok) == 0 || len(tok) > 64 || strings.Trim(tok, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
				t.Errorf("client token %q", tok)
			}
			if q.Get("Tags") != `{"firedrill:drill":"d-1","firedrill:role":"main","firedrill:root":"root-1"}` {
				t.Errorf("tags %s", q.Get("Tags"))
			}
		})
	}
}

func TestSeed_OOSStartExecutionSampleReplyIsDecodedInFull(t *testing.T) {
	w := &wire{replies: map[string]string{"StartExecution": seedReply}}
	run, err := w.open(t).Start(t.Context(), request(map[string]any{"template": "loop-echo"}))
	want := driver.Run{Service: drill.OOS, Account: "ali-prod", Region: "cn-hangzhou", ID: "exec-4f5cd1b9042ac8832", Role: drill.Main}
	if err != nil || run != want {
		t.Fatalf("run %+v, %v, want %+v", run, err, want)
	}
	var out struct{ Execution aliyun.One[execution] }
	if err := json.Unmarshal([]byte(seedReply), &out); err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Execution map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(seedReply), &sample); err != nil {
		t.Fatal(err)
	}
	got := reflect.ValueOf(out.Execution.Value)
	for field, raw := range sample.Execution {
		f := got.FieldByName(field)
		if !f.IsValid() {
			t.Errorf("field %s is not decoded", field)
			continue
		}
		var text aliyun.Text
		_ = json.Unmarshal(raw, &text)
		if f.Type() == reflect.TypeFor[aliyun.Text]() && f.Interface() != text {
			t.Errorf("%s = %v, want %s", field, f, text)
		}
	}
	e := out.Execution.Value
	if e.Outputs != "{}" || !strings.Contains(string(e.Parameters), `"TagValue":"installlogtail"`) || len(e.CurrentTasks) != 0 {
		t.Errorf("outputs %s, parameters %s, tasks %v", e.Outputs, e.Parameters, e.CurrentTasks)
	}
}

// TestSeed_OOSResponseParametersAsDocumented takes the examples of the page's table of response parameters, which spell and type
// several fields otherwise than the sample does.
func TestSeed_OOSResponseParametersAsDocumented(t *testing.T) {
	const documented = `{"TemplateName":"MyTemplate","TemplateVersion":"v1",
		"CurrentTasks":"[{\"TaskAction\":\"ACS::Template\",\"TaskExecutionId\":\"task-exec-44d32b45d2a449e49899#1\",\"TaskName\":\"installSLSILogtail\"}]",
		"CreatedDate":"2019-05-16T10:26:14Z","ExecutedBy":"root(13092080)","ExecutionId":"Exec-44d32b45d2a449e49899","Mode":"Automatic",
		"Outputs":"{\"InstanceId\":\"i-xxx\"}","Parameters":"{\"Status\":\"Running\"}","Status":"%s","SafetyCheck":"Skip",
		"StartDate":"2019-05-16T10:26:14Z","EndDate":"2019-05-16T10:26:14Z","RamRole":"OOSServiceRole","UpdateDate":"2019-05-16T10:26:14Z","IsParent":"false"}`
	for status, phase := range map[string]drill.Phase{
		"Started": drill.PhasePending, "Queued": drill.PhasePending, "Running": drill.PhaseRunning, "Waiting": drill.PhaseWaiting,
		"Success": drill.PhaseCompleted, "Failed": drill.PhaseFailed, "Cancelled": drill.PhaseStopped, "Pending": drill.PhasePending, "Rebooting": drill.PhaseUnknown,
	} {
		t.Run(status, func(t *testing.T) {
			e := fmt.Sprintf(documented, status)
			w := &wire{replies: map[string]string{
				"StartExecution": `{"Execution":[` + e + `]}`, "ListExecutions": `{"Executions":[` + e + `]}`, "ListTaskExecutions": `{"TaskExecutions":[]}`,
				"ListExecutionLogs": `{"ExecutionLogs":[]}`,
			}}
			d := w.open(t)
			run, err := d.Start(t.Context(), request(map[string]any{"template": "MyTemplate"}))
			if err != nil || run.ID != "Exec-44d32b45d2a449e49899" {
				t.Fatalf("run %+v, %v", run, err)
			}
			o, err := d.Observe(t.Context(), run)
			if err != nil || o.Phase != phase || o.Vendor != status || o.Outputs != `{"InstanceId":"i-xxx"}` || o.StartedAt.IsZero() {
				t.Errorf("observed %+v, %v, want phase %s", o, err, phase)
			}
			if o.Quiet != phase.Final() || o.Restoration.Decided() != phase.Final() {
				t.Errorf("quiet %t, restoration %q in phase %s", o.Quiet, o.Restoration, phase)
			}
			if phase == drill.PhaseWaiting && (len(o.Gates) != 1 || o.Gates[0].Step != "installSLSILogtail") {
				t.Errorf("gates %+v", o.Gates)
			}
		})
	}
}

func TestSeed_OOSErrorCodes(t *testing.T) {
	for _, c := range []struct {
		code   string
		status int
		want   driver.Code
	}{
		{"InvalidVersion", 400, driver.Invalid},
		{"InvalidAction.NotFound", 400, driver.Invalid},
		{"User.NoPermission", 401, driver.Denied},
		{"InvalidStsToken", 400, driver.Expired},
		{"ExpiredStsToken", 400, driver.Expired},
		{"QuotaExceed", 403, driver.Quota},
		{"InvalidAccountType", 400, driver.Denied},
		{"TemplateValidationError", 400, driver.Invalid},
		{"AssumeRoleFailed", 400, driver.Denied},
		{"MissingExecutionParameter", 400, driver.Invalid},
		{"UnknownExecutionParameter", 400, driver.Invalid},
		{"EntityNotExists.Template", 404, driver.NotFound},
	} {
		t.Run(c.code, func(t *testing.T) {
			w := &wire{status: c.status, replies: map[string]string{
				"StartExecution": fmt.Sprintf(`{"RequestId":"R-1","HostId":"oos.cn-hangzhou.aliyuncs.com","Code":%q,"Message":"of the page","Recommend":"x"}`, c.code)}}
			d := w.open(t)
			_, err := d.Start(t.Context(), request(map[string]any{"template": "loop-echo"}))
			if got := d.Code(err); got != c.want {
				t.Errorf("class %q of %v, want %q", got, err, c.want)
			}
			if err == nil || !strings.Contains(err.Error(), c.code) || !strings.Contains(err.Error(), "R-1") {
				t.Errorf("the error hides code or request id: %v", err)
			}
		})
	}
}
