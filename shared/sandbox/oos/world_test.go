package oos

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// world is the service on a clock that the test moves, with a client that signs as the vendor's do.
type world struct {
	*Service
	t      *testing.T
	mu     sync.Mutex
	now    time.Time
	n      int
	pushed []map[string]any
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	w.Service = New(service.Env{
		Now: w.clock, Real: w.clock, AccessKey: "sandbox", Secret: "sandbox",
		ID: func(n int) string {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.n++
			return fmt.Sprintf("%0*x", n, w.n)
		},
		Emit: func(platform string, payload []byte) {
			var m map[string]any
			if err := json.Unmarshal(payload, &m); err != nil || platform != "aliyun" {
				t.Errorf("pushed %s %s", platform, payload)
			}
			w.Runs() // a receiver may call back
			w.mu.Lock()
			defer w.mu.Unlock()
			w.pushed = append(w.pushed, m)
		},
	})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.Tick()
}

func (w *world) send(o service.Options, action string, kv ...string) (int, string) {
	w.t.Helper()
	p := url.Values{"Action": {action}, "Version": {version}, "Format": {"JSON"}, "AccessKeyId": {"sandbox"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"}, "SignatureNonce": {w.env.ID(16)}, "Timestamp": {w.clock().Format("2006-01-02T15:04:05Z")}, "RegionId": {"cn-hangzhou"}}
	for i := 0; i < len(kv); i += 2 {
		p.Set(kv[i], kv[i+1])
	}
	p.Set("Signature", rpc.Signature("sandbox", rpc.StringToSign("POST", p)))
	body := p.Encode()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c, ok := w.Recognise(r, []byte(body))
	if !ok || c.Op != action {
		w.t.Fatalf("not recognised: %s", action)
	}
	rec := httptest.NewRecorder()
	w.Serve(rec, r, []byte(body), c, o)
	b, _ := io.ReadAll(rec.Body)
	return rec.Code, string(b)
}

// call sends and decodes; code is the vendor's error code, "" for success.
func (w *world) call(action string, kv ...string) (m map[string]any, code string) {
	w.t.Helper()
	status, body := w.send(service.Options{}, action, kv...)
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		w.t.Fatalf("%s: %v in %s", action, err, body)
	}
	if m["RequestId"] == "" || m["RequestId"] == nil {
		w.t.Errorf("%s: no request id in %s", action, body)
	}
	if status != http.StatusOK {
		code, _ = m["Code"].(string)
	}
	return m, code
}

func (w *world) start(kv ...string) string {
	w.t.Helper()
	m, code := w.call("StartExecution", kv...)
	if code != "" {
		w.t.Fatalf("start: %s %v", code, m["Message"])
	}
	return m["Execution"].(map[string]any)["ExecutionId"].(string)
}

func (w *world) run(id string) service.Run {
	w.t.Helper()
	for _, r := range w.Runs() {
		if r.ID == id {
			return r
		}
	}
	w.t.Fatalf("no run %s", id)
	return service.Run{}
}

func ids(m map[string]any) []string {
	var out []string
	for _, e := range m["Executions"].([]any) {
		out = append(out, e.(map[string]any)["ExecutionId"].(string))
	}
	return out
}

const restart = `{"NodeId":"i-abc"}`
