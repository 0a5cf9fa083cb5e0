package ahas

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// bench is a service on a clock that the test moves, with a client that signs.
type bench struct {
	t   *testing.T
	s   *Service
	mu  sync.Mutex
	now time.Time
	ids int
}

var start = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: start}
	b.s = New(service.Env{
		Now: b.clock, Real: func() time.Time { return start }, AccessKey: "sandbox", Secret: "sandbox",
		Alarm: func(string) bool { return false }, Emit: func(string, []byte) {}, ID: b.id,
	})
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) id(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids++
	return fmt.Sprintf("%0*x", n, b.ids)
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.s.Tick()
}

// send makes a signed call; a parameter "-Name" takes Name off.
func (b *bench) send(o service.Options, action string, kv ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	p := url.Values{
		"Action": {action}, "Version": {version}, "Format": {"JSON"}, "AccessKeyId": {"sandbox"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"}, "SignatureNonce": {b.id(16)}, "Timestamp": {start.Format("2006-01-02T15:04:05Z")},
	}
	for i := 0; i < len(kv); i += 2 {
		p.Set(kv[i], kv[i+1])
	}
	secret := "sandbox"
	if p.Has("secret") {
		secret = p.Get("secret")
		p.Del("secret")
	}
	p.Set("Signature", rpc.Signature(secret, rpc.StringToSign(http.MethodPost, p)))
	body := p.Encode()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c, ok := b.s.Recognise(r, []byte(body))
	if !ok {
		b.t.Fatalf("%s is not recognised", action)
	}
	w := httptest.NewRecorder()
	b.s.Serve(w, r, []byte(body), c, o)
	return w
}

func (b *bench) call(action string, kv ...string) map[string]any {
	b.t.Helper()
	w := b.send(service.Options{}, action, kv...)
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		b.t.Fatalf("%s: %v: %s", action, err, w.Body)
	}
	return m
}

func (b *bench) good(action string, kv ...string) map[string]any {
	b.t.Helper()
	m := b.call(action, kv...)
	if m["Success"] != true {
		b.t.Fatalf("%s: %v", action, m)
	}
	return m
}

func (b *bench) execute(id string) string {
	b.t.Helper()
	return b.good("ExecuteExperiment", "ExperimentId", id)["TaskId"].(string)
}

// look writes a task on one line: state/result, then every activity as phase:state/result/check.
func (b *bench) look(task string) string {
	b.t.Helper()
	m := b.good("GetExperimentTask", "ExperimentTaskId", task)
	out := fmt.Sprintf("%s/%s", m["State"], m["Result"])
	for _, a := range m["Activities"].([]any) {
		a := a.(map[string]any)
		check := strings.TrimPrefix(a["CheckState"].(string), "USER_CHECK_STATE_")
		out += fmt.Sprintf(" %s:%s/%s/%s", a["Phase"], a["State"], a["RunResult"], check)
	}
	return out
}

func (b *bench) live(task string) []string {
	for _, r := range b.s.Runs() {
		if r.ID == task {
			return r.Live
		}
	}
	b.t.Fatalf("no run %s", task)
	return nil
}

func (b *bench) wants(task, want string, live ...string) {
	b.t.Helper()
	if got := b.look(task); got != want {
		b.t.Fatalf("task is\n%s\nwant\n%s", got, want)
	}
	if got := b.live(task); !slices.Equal(got, live) {
		b.t.Fatalf("live %v, want %v", got, live)
	}
}

const seedDefinition = `{"param":[{"groupId":"1234567890123456789","appName":"ahas-default-node","appGroups":["AHAS杭州预发环境"],"hosts":["192.168.0.205"],"activityParam":[{"flowId":"1234567890123456789","appCode":"chaos.cpu.fullload","arguments":{"cpu_count":"1","namespace":"default"}}]}]}`

func seed() []string {
	return []string{"ExperimentId", libraryID(0), "NameSpace", "default", "AhasRegionId", "cn-hangzhou", "Definition", seedDefinition}
}

func TestSeed_AHASExecuteExperiment(t *testing.T) {
	t.Run("JSON", func(t *testing.T) {
		m := newBench(t).good("ExecuteExperiment", seed()...)
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if !slices.Equal(keys, []string{"Code", "Message", "RequestId", "Success", "TaskId"}) || m["Code"] != "" || m["Message"] != "" || len(m["TaskId"].(string)) != 19 {
			t.Errorf("reply %v", m)
		}
	})
	t.Run("XML", func(t *testing.T) {
		w := newBench(t).send(service.Options{}, "ExecuteExperiment", append(seed(), "Format", "XML")...)
		for _, part := range []string{"<ExecuteExperimentResponse>", "<TaskId>12", "<Message></Message>", "<RequestId>", "<Code></Code>", "<Success>true</Success>", "</ExecuteExperimentResponse>"} {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s lacks %s", w.Body, part)
			}
		}
		if !strings.Contains(w.Header().Get("Content-Type"), "xml") {
			t.Errorf("content type %s", w.Header().Get("Content-Type"))
		}
	})
}

func TestServe_GatewayErrors(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		name, action string
		kv           []string
		status       int
		code         string
	}{
		{"wrong secret", "ExecuteExperiment", append(seed(), "secret", "other"), 400, "SignatureDoesNotMatch"},
		{"unknown access key", "ExecuteExperiment", append(seed(), "AccessKeyId", "who"), 404, "InvalidAccessKeyId.NotFound"},
		{"another version", "ExecuteExperiment", append(seed(), "Version", "2020-01-01"), 400, "InvalidVersion"},
		{"an action that does not exist", "StopExperimentTask", []string{"ExperimentTaskId", "1"}, 400, "InvalidAction.NotFound"},
		{"no experiment", "ExecuteExperiment", nil, 400, "MissingExperimentId"},
		{"no task", "PushExperimentTask", nil, 400, "MissingExperimentTaskId"},
		{"a page that is no number", "ListExperimentMetas", []string{"Page", "x"}, 400, "IllegalArgument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := b.send(service.Options{}, c.action, c.kv...)
			var m map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != c.status || m["Code"] != c.code {
				t.Errorf("status %d, %v, want %d %s", w.Code, m, c.status, c.code)
			}
		})
	}
	if n := len(b.s.Runs()); n != 0 {
		t.Errorf("%d tasks were started", n)
	}
}

func TestServe_BusinessFailuresAreHTTP200(t *testing.T) {
	def := func(s string) []string { return []string{"ExperimentId", libraryID(0), "Definition", s} }
	for _, c := range []struct {
		name, action string
		kv           []string
		code         string
	}{
		{"no such experiment", "ExecuteExperiment", []string{"ExperimentId", "1"}, "P_EXPERIMENT_NOT_FOUND"},
		{"an experiment of another namespace", "ExecuteExperiment", []string{"ExperimentId", libraryID(0), "NameSpace", "other"}, "P_EXPERIMENT_NOT_FOUND"},
		{"a draft", "ExecuteExperiment", []string{"ExperimentId", libraryID(4)}, "B_EXPERIMENT_DRAFT_STATE"},
		{"a definition that is no JSON", "ExecuteExperiment", def("x"), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a definition that is a list", "ExecuteExperiment", def("[]"), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a definition with more after it", "ExecuteExperiment", def(`{"param":[]} {}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a group without an id", "ExecuteExperiment", def(`{"param":[{"hosts":["a"]}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a group that does not exist", "ExecuteExperiment", def(`{"param":[{"groupId":"7"}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a group id as a number", "ExecuteExperiment", def(`{"param":[{"groupId":1234567890123456789}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"no hosts left", "ExecuteExperiment", def(`{"param":[{"groupId":"1234567890123456789","hosts":[]}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"a flow that does not exist", "ExecuteExperiment", def(`{"param":[{"groupId":"1234567890123456789","activityParam":[{"flowId":"7"}]}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"an argument as a number", "ExecuteExperiment", def(`{"param":[{"groupId":"1234567890123456789","activityParam":[{"arguments":{"a":1}}]}]}`), "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"no such task", "GetExperimentTask", []string{"ExperimentTaskId", "1"}, "P_EXPERIMENT_TASK_NOT_FOUND"},
		{"a push of no task", "PushExperimentTask", []string{"ExperimentTaskId", "1"}, "P_EXPERIMENT_TASK_NOT_FOUND"},
		{"not runnable", "CheckExperimentRunnable", []string{"ExperimentId", libraryID(4)}, "B_EXPERIMENT_DRAFT_STATE"},
		{"an experiment without an attack", "CreateExperiment", []string{"Name", "n", "NameSpace", "default", "Definition",
			`{"runMode":"PHASE","duration":60,"flowGroups":[{"appName":"a","appGroups":["g"],"hosts":["h"],"flows":[{"check":[]}]}]}`}, "P_EXPERIMENT_DEFINITION_ILLEGAL"},
		{"an experiment without a duration", "CreateExperiment", []string{"Name", "n", "NameSpace", "default", "Definition", `{"runMode":"PHASE","flowGroups":[{}]}`}, "P_EXPERIMENT_DEFINITION_ILLEGAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			w := b.send(service.Options{}, c.action, c.kv...)
			var m map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 || m["Success"] != false || m["Code"] != c.code || m["Message"] == "" || m["RequestId"] == "" {
				t.Errorf("status %d, %v, want 200 and %s", w.Code, m, c.code)
			}
			if n := len(b.s.Runs()); n != 0 {
				t.Errorf("%d tasks were started", n)
			}
		})
	}
}

func TestRecognise_LeavesOtherProductsAlone(t *testing.T) {
	s := newBench(t).s
	for query, want := range map[string]bool{
		"Action=StartExecution&Version=2019-06-01&AccessKeyId=a":    false,
		"Action=DescribeRegions&Version=2014-05-26&AccessKeyId=a":   false,
		"Action=ExecuteExperiment&Version=2019-06-01&AccessKeyId=a": true,
		"Action=Whatever&Version=2019-09-01&AccessKeyId=a":          true,
		"": false,
	} {
		c, ok := s.Recognise(httptest.NewRequest(http.MethodPost, "/?"+query, nil), nil)
		if ok != want {
			t.Errorf("%s: %t, want %t", query, ok, want)
		}
		if ok && c.Service != "ahas" {
			t.Errorf("call %+v", c)
		}
	}
}

func TestServe_ParallelCalls(t *testing.T) {
	b := newBench(t)
	task := b.execute(libraryID(0))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				b.wait(100 * time.Millisecond)
				b.send(service.Options{}, "GetExperimentTask", "ExperimentTaskId", task)
				b.send(service.Options{}, "ExecuteExperiment", "ExperimentId", libraryID(1))
				b.s.Runs()
				b.s.Snapshot()
			}
		})
	}
	wg.Wait()
	if !json.Valid(b.s.Snapshot()) {
		t.Error("the snapshot is no JSON")
	}
}
