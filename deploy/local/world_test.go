package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

// patience is how long a test waits, in real time, for what must come.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	dropAmbient() // no test may reach an account
	os.Exit(m.Run())
}

// world is an 'up' in this process.
type world struct {
	t    *testing.T
	s    *system
	url  string
	out  *output
	stop func()
}

// output is what a command printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs 'up' on free ports with an empty journal, a hundred times faster than the clock, and ends it with the test.
func start(t *testing.T, change ...func(*settings, *screen)) *world {
	t.Helper()
	set := settings{addr: "127.0.0.1:0", sandboxAddr: "127.0.0.1:0", data: t.TempDir(), speed: 100, every: 10 * time.Second,
		log: slog.New(slog.DiscardHandler)}
	w := &world{t: t, out: &output{}}
	sc := screen{out: w.out, in: strings.NewReader("")}
	for _, f := range change {
		f(&set, &sc)
	}
	console, why, err := listen(set.addr)
	if err != nil {
		t.Fatal(err)
	}
	set.addr, set.moved = console.Addr().String(), why
	if w.s, err = newSystem(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + set.addr
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.s.serve(ctx, console, sc) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("up ended with %v", err)
		}
	})
	t.Cleanup(w.stop)
	return w
}

// answer is what an HTTP request was answered with.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(method, path, contentType, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// want fails the test unless the answer has the status and holds every text.
func (a answer) want(t *testing.T, status int, texts ...string) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the answer does not hold %q: %s", text, a.body)
		}
	}
	return a
}

// into decodes the answer's JSON.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("decode %s: %v", a.body, err)
	}
}

// structured is an event as people post it.
func structured(id, kind, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/test","type":"dev.firedrill.%s.v1","time":%q,"datacontenttype":"application/json","data":%s}`,
		id, kind, time.Now().UTC().Format(time.RFC3339Nano), data)
}

const ceJSON = "application/cloudevents+json"

// post sends an event and fails the test unless it is accepted.
func (w *world) post(kind, data string) answer {
	w.t.Helper()
	return w.do("POST", "/events", ceJSON, structured(random(16), kind, data)).want(w.t, http.StatusAccepted)
}

// ask starts a drill of a plan and returns its id.
func (w *world) ask(plan, parameters string) string {
	w.t.Helper()
	var got struct{ Drill string }
	w.post("command.start", fmt.Sprintf(`{"plan":%q,"parameters":%s,"actor":"local:test/ann"}`, plan, parameters)).into(w.t, &got)
	return got.Drill
}

// drill reads a drill over HTTP; false as long as it is not there.
func (w *world) drill(id string) (drillView, bool) {
	w.t.Helper()
	a := w.do("GET", "/api/drills/"+id, "", "")
	if a.status == http.StatusNotFound {
		return drillView{}, false
	}
	var v drillView
	a.want(w.t, http.StatusOK).into(w.t, &v)
	return v, true
}

// until waits for something to be true.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if ok() {
			return
		}
		if realWait(w.t.Context(), 20*time.Millisecond) != nil {
			break
		}
	}
	w.t.Fatalf("waited %s in vain for: %s\n%s", patience, what, w.out)
}

// reaches waits until a drill has a status.
func (w *world) reaches(id, status string) drillView {
	w.t.Helper()
	var v drillView
	w.until(id+" is "+status, func() (ok bool) {
		v, ok = w.drill(id)
		return ok && v.Status == status
	})
	return v
}

// cli runs the command and returns its exit code and what it printed.
func cli(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return typed(t, "", args...)
}

func typed(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var o, e bytes.Buffer
	code = run(ctx, args, terminal{strings.NewReader(in), &o, &e})
	return code, o.String(), e.String()
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// signed makes the headers of a signed chat request.
func signed(t *testing.T, secrets []webhook.Secret, id string, at time.Time, body string) []string {
	t.Helper()
	h := http.Header{}
	if err := webhook.Sign(h, id, at, []byte(body), secrets); err != nil {
		t.Fatal(err)
	}
	var out []string
	for k := range h {
		out = append(out, k, h.Get(k))
	}
	return out
}

// drillOf is the id of the drill that a start event leads to.
func drillOf(source, event string) string { return events.ID("drill", source, event) }

// secrets are those that commands by the signed webhook carry in this run.
func (w *world) secrets() []webhook.Secret {
	w.t.Helper()
	secrets, err := webhook.ParseSecrets(w.s.roomEnv[talk.InSecrets])
	if err != nil {
		w.t.Fatal(err)
	}
	return secrets
}
