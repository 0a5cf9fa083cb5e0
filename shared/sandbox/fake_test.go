package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// fake is a service with one run: start adds a fault, stop takes it away, read tells how many there are.
type fake struct {
	env  service.Env
	name string
	mu   sync.Mutex
	live int
	tick int
}

var _ service.Service = (*fake)(nil)

func newFake(name string, made **fake) func(service.Env) service.Service {
	return func(e service.Env) service.Service {
		*made = &fake{env: e, name: name}
		return *made
	}
}

func (f *fake) Name() string { return f.name }

func (f *fake) Recognise(r *http.Request, body []byte) (service.Call, bool) {
	op := r.Header.Get("X-" + f.name)
	kinds := map[string]service.Kind{"Get": service.Read, "Start": service.Start, "Stop": service.Stop}
	return service.Call{Service: f.name, Op: op, Kind: kinds[op], Key: op + "/" + r.URL.Path}, op != ""
}

func (f *fake) Serve(w http.ResponseWriter, r *http.Request, body []byte, c service.Call, o service.Options) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case c.Op == "Start":
		f.live++
	case c.Op == "Stop" && !o.Lie:
		f.live--
	}
	w.Header().Set("X-Length", r.Header.Get("Content-Length"))
	_, _ = io.WriteString(w, strconv.Itoa(f.live))
}

func (f *fake) Fail(w http.ResponseWriter, r *http.Request, c service.Call, v service.Failure) {
	status := http.StatusInternalServerError
	if v == service.Throttled {
		status = http.StatusTooManyRequests
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, string(v))
}

func (f *fake) Tick() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tick++
	if f.env.Alarm("brake") {
		f.live = 0
	}
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live
}

func (f *fake) Runs() []service.Run {
	r := service.Run{Service: f.name, ID: "r1"}
	for range f.count() {
		r.Live = append(r.Live, "fault")
	}
	return []service.Run{r}
}

func (f *fake) Snapshot() json.RawMessage {
	return json.RawMessage(`{"live":` + strconv.Itoa(f.count()) + `}`)
}

func (f *fake) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = 0
}

// bench is a sandbox with the fake service and a client that reaches it.
type bench struct {
	*Sandbox
	fake   *fake
	clock  *Clock
	client *http.Client
	base   string
	pushed []string
}

var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// over runs a test through a real server on loopback and through the transport in memory.
func over(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	build := func() *bench {
		b := &bench{clock: NewFixed(start)}
		b.Sandbox = New(Options{
			Clock: b.clock, Real: func() time.Time { return start },
			Emit:     func(platform string, payload []byte) { b.pushed = append(b.pushed, platform+" "+string(payload)) },
			Services: []func(service.Env) service.Service{newFake("fake", &b.fake)},
		})
		return b
	}
	t.Run("over a loopback server", func(t *testing.T) {
		b := build()
		server := httptest.NewServer(b.Sandbox)
		t.Cleanup(server.Close)
		b.client, b.base = server.Client(), server.URL
		test(t, b)
	})
	t.Run("in memory", func(t *testing.T) {
		b := build()
		b.client, b.base = &http.Client{Transport: b.Transport()}, "http://127.0.0.1:8081"
		test(t, b)
	})
}

// call makes one call of the fake service.
func (b *bench) call(t testing.TB, op, body string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/runs/r1", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Fake", op)
	return b.send(t, r)
}

func (b *bench) send(t testing.TB, r *http.Request) (int, string, error) {
	t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), errors.Join(err, res.Body.Close())
}

// knob makes one call under /_sandbox/ and expects the status.
func (b *bench) knob(t testing.TB, want int, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.base+"/_sandbox/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	status, text, err := b.send(t, r)
	if err != nil || status != want {
		t.Fatalf("%s %s = %d %s, %v; want %d", method, path, status, text, err, want)
	}
	return text
}

// expect makes a call and holds it to a status, a body and the number of live faults afterwards.
func (b *bench) expect(t testing.TB, op string, status int, text string, live int) {
	t.Helper()
	gotStatus, gotText, err := b.call(t, op, "")
	if err != nil || gotStatus != status || gotText != text || b.fake.count() != live {
		t.Errorf("%s = %d %q, %v with %d live; want %d %q with %d live", op, gotStatus, gotText, err, b.fake.count(), status, text, live)
	}
}
