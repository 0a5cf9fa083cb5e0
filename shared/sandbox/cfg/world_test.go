package cfg

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// world is a sandbox on a clock that the test moves.
type world struct {
	t    *testing.T
	s    *Service
	now  time.Time
	real time.Time
	n    int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC), real: time.Unix(1700000000, 0)}
	w.s = New(service.Env{
		Now: func() time.Time { return w.now }, Real: func() time.Time { return w.real },
		Alarm: func(string) bool { return false }, Emit: func(string, []byte) { t.Error("CFG pushes nothing") },
		ID:        func(n int) string { w.n++; return fmt.Sprintf("%0*x", n, w.n) },
		AccessKey: "sandbox", Secret: "sandbox",
	})
	return w
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

// signed is how a request is signed; tests bend it.
type signed struct {
	id, secret, service, host, action, version string
	at                                         time.Time
	headers                                    []string
}

func (w *world) plain(action string) signed {
	return signed{id: "sandbox", secret: "sandbox", service: "cfg", host: "cfg.tencentcloudapi.com", action: action, version: version, at: w.real, headers: []string{"content-type", "host"}}
}

func (g signed) request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Host = g.host
	stamp := strconv.FormatInt(g.at.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-TC-Action", g.action)
	r.Header.Set("X-TC-Version", g.version)
	r.Header.Set("X-TC-Timestamp", stamp)
	a := authorization{id: g.id, date: g.at.UTC().Format(time.DateOnly), service: g.service, signed: g.headers}
	sig := signature(g.secret, a, stamp, canonical(r, g.host, g.headers, []byte(body)))
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s/%s/tc3_request, SignedHeaders=%s, Signature=%s", algorithm, g.id, a.date, g.service, strings.Join(g.headers, ";"), sig))
	return r
}

// serve answers a request as the sandbox's server would.
func (w *world) serve(r *http.Request, body string, o service.Options) map[string]any {
	w.t.Helper()
	c, ok := w.s.Recognise(r, []byte(body))
	if !ok {
		w.t.Fatal("the request is not recognised")
	}
	rec := httptest.NewRecorder()
	w.s.Serve(rec, r, []byte(body), c, o)
	var out struct{ Response map[string]any }
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 || out.Response["RequestId"] == "" {
		w.t.Fatalf("reply %d %s: %v", rec.Code, rec.Body, err)
	}
	return out.Response
}

func (w *world) try(action, body string, args ...any) map[string]any {
	w.t.Helper()
	if len(args) > 0 {
		body = fmt.Sprintf(body, args...)
	}
	return w.serve(w.plain(action).request(body), body, service.Options{})
}

// code is the error code of a reply, "" for success.
func code(reply map[string]any) string {
	e, ok := reply["Error"].(map[string]any)
	if !ok {
		return ""
	}
	return e["Code"].(string)
}

func (w *world) ok(action, body string, args ...any) map[string]any {
	w.t.Helper()
	reply := w.try(action, body, args...)
	if c := code(reply); c != "" {
		w.t.Fatalf("%s: %v", action, reply["Error"])
	}
	return reply
}

func (w *world) refused(want, action, body string, args ...any) {
	w.t.Helper()
	if got := code(w.try(action, body, args...)); got != want {
		w.t.Errorf("%s %s: %q, want %q", action, fmt.Sprintf(body, args...), got, want)
	}
}

// task creates and executes a task of a template with one group.
func (w *world) task(template int, config string) int64 {
	w.t.Helper()
	reply := w.ok("CreateTaskFromTemplate", `{"TemplateId":%d,"TaskConfig":{"TaskGroupsConfig":[{"TaskGroupInstances":["ins-a","ins-b"]}]%s}}`, template, config)
	id := int64(reply["TaskId"].(float64))
	w.ok("ExecuteTask", `{"TaskId":%d}`, id)
	return id
}

// state is the task in short: its status, and each action's status and type.
func (w *world) state(id int64) string {
	w.t.Helper()
	t := w.ok("DescribeTask", `{"TaskId":%d}`, id)["Task"].(map[string]any)
	out := fmt.Sprint(t["TaskStatus"])
	for _, g := range t["TaskGroups"].([]any) {
		for _, a := range g.(map[string]any)["TaskGroupActions"].([]any) {
			m := a.(map[string]any)
			out += fmt.Sprintf(" %v/%v", m["TaskGroupActionStatus"], m["TaskGroupActionStatusType"])
		}
	}
	return out
}

func (w *world) is(id int64, want string) {
	w.t.Helper()
	if got := w.state(id); got != want {
		w.t.Errorf("task %d is %q, want %q", id, got, want)
	}
}

func (w *world) live(id int64) []string {
	for _, r := range w.s.Runs() {
		if r.ID == strconv.FormatInt(id, 10) {
			return r.Live
		}
	}
	w.t.Fatalf("no run %d", id)
	return nil
}

// move is ExecuteTaskInstance on all instances of the task's n-th action (of its first group).
func (w *world) move(id int64, n, kind int) string {
	w.t.Helper()
	t := w.s.task(id)
	g := t.groups[0]
	return code(w.try("ExecuteTaskInstance", `{"TaskId":%d,"TaskActionId":%d,"TaskGroupId":%d,"ActionType":%d,"IsOperateAll":true,"TaskInstanceIds":[]}`,
		id, g.actions[n].id, g.id, kind))
}

func (w *world) moved(id int64, n, kind int) {
	w.t.Helper()
	if c := w.move(id, n, kind); c != "" {
		w.t.Fatalf("move %d of action %d: %s", kind, n, c)
	}
}
