package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/deploy/local/console/browsertest"
	"github.com/firedrill/firedrill/events"
)

// api stands in for the local command's API: fixed answers, and a record of what was sent.
type api struct {
	t     *testing.T
	drive bool // add the script that presses buttons
	empty bool // no plan, no drill

	mu   sync.Mutex
	sent []events.Event
	more int // gates that came to the first drill since
}

func (a *api) serve() *httptest.Server {
	mux := http.NewServeMux()
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if a.empty {
				_, _ = io.WriteString(w, "[]")
				return
			}
			http.ServeFile(w, r, filepath.Join("testdata", name))
		}
	}
	mux.HandleFunc("GET /api/plans", file("plans.json"))
	mux.HandleFunc("GET /api/drills/k7m2drill0001", a.waiting)
	mux.HandleFunc("GET /api/drills/k7m2drill0002", file("stopping.json"))
	mux.HandleFunc("GET /api/drills/unknown", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error": "there is no drill \"unknown\""}`)
	})
	mux.HandleFunc("GET /api/drills", a.list)
	mux.HandleFunc("GET /api/stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"type\":\"x\",\"drill\":\"k7m2drill0001\"}\n\n")
	})
	mux.HandleFunc("POST /events", a.post)
	mux.HandleFunc("GET /drive.js", file("drive.js"))
	mux.Handle("GET /", a.page(Handler("SANDBOX")))
	server := httptest.NewServer(mux)
	a.t.Cleanup(server.Close)
	return server
}

// waiting is a drill that waits for a person, for more and more.
func (a *api) waiting(w http.ResponseWriter, _ *http.Request) {
	data, err := os.ReadFile(filepath.Join("testdata", "waiting.json"))
	var d map[string]any
	if err == nil {
		err = json.Unmarshal(data, &d)
	}
	if err != nil {
		a.t.Error(err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.more {
		d["gates"] = append(d["gates"].([]any), map[string]any{"id": fmt.Sprint("more ", i), "kind": "paused", "opened_at": "2026-11-21T10:00:00Z"})
	}
	if err := json.NewEncoder(w).Encode(d); err != nil {
		a.t.Error(err)
	}
}

func (a *api) list(w http.ResponseWriter, _ *http.Request) {
	list := []json.RawMessage{}
	for _, name := range []string{"stopping.json", "waiting.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			a.t.Error(err)
		}
		if !a.empty {
			list = append(list, data)
		}
	}
	if err := json.NewEncoder(w).Encode(list); err != nil {
		a.t.Error(err)
	}
}

func (a *api) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/cloudevents+json" {
		a.t.Errorf("POST /events: type %q, error %v", r.Header.Get("Content-Type"), err)
	}
	e, err := events.Parse(body)
	if err == nil {
		err = events.Check(e)
	}
	if err != nil {
		a.t.Errorf("the page sent %s: %v", body, err)
	}
	a.mu.Lock()
	a.sent = append(a.sent, e)
	a.mu.Unlock()
	reply := map[string]string{"id": e.ID(), "type": e.Type()}
	if e.Type() == events.TypeStart {
		reply["drill"] = "k7m2drill0001"
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(reply) // the page is gone
}

// page adds the driving script to the pages; the policy lets it in because it comes from the same address.
func (a *api) page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.drive || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		page := strings.Replace(rec.Body.String(), "</head>", `<script type="module" src="/drive.js"></script></head>`, 1)
		_, _ = io.WriteString(w, page)
	})
}

// dom loads a page in a real browser, lets 20 s of its time go by, and returns the document as it is then.
func dom(t *testing.T, url string) string {
	t.Helper()
	browser := browsertest.Find(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append(browsertest.Flags(t), "--virtual-time-budget=20000", "--dump-dom", url)...)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", browser, err)
	}
	return string(out)
}

// events returns what was sent so far.
func (a *api) events() []events.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sent)
}

func TestBrowser_pages(t *testing.T) {
	for _, c := range []struct {
		name, path string
		empty      bool
		want       []string
		never      []string
	}{
		{"an unknown drill waits and says so", "/drills/unknown", false, []string{"There is no drill unknown yet"}, nil},
		{"an empty journal teaches", "/", true, []string{"No drill yet: press Start", "The catalogue has no plan"}, nil},
		{"the first page", "/", false,
			[]string{"SANDBOX · faults go to a simulator", `href="/drills/k7m2drill0001"`, "needs approval", "waits for you", "Parameters: seconds", "default: 180, from 10 up to 600", "&lt;script&gt;alert(1)&lt;/script&gt; 购物车 🛒"},
			[]string{"<script>alert(1)"}},
		{"a drill that waits", "/drills/k7m2drill0001", false,
			[]string{"Waits for you: High CPU Load", "Stop this drill", "Raise this alarm", "nobody has asked", "goes on", "&lt;img src=x", `href="/r/k7m2drill0001"`},
			[]string{"<img", "<script>alert(1)"}},
		{"a stop that is not confirmed", "/drills/k7m2drill0002", false,
			[]string{`<span class="what">Stop requested</span><span class="says"><time datetime="2026-11-21T10:01:00Z">`,
				`<span class="what">Stopped at the service</span><span class="says">not yet</span>`,
				`<span class="what">Restored</span><span class="says">not yet</span>`, "Escalated 1 time:"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &api{t: t, empty: c.empty}
			page := dom(t, a.serve().URL+c.path)
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, never := range c.never {
				if strings.Contains(page, never) {
					t.Errorf("the page holds %q", never)
				}
			}
			if t.Failed() {
				t.Logf("the page:\n%.6000s", page)
			}
		})
	}
}

func TestBrowser_buttonsSendEvents(t *testing.T) {
	for _, c := range []struct {
		name, path, ends string
		want             []string // type, then what its data must hold
	}{
		{"start with a parameter goes to the new drill", "/", "/drills/k7m2drill0001", []string{
			`command.start.v1 {"plan":"cart-cpu","actor":"local:console/you","parameters":{"seconds":"60"}}`,
		}},
		{"everything that can be done to a drill", "/drills/k7m2drill0001", "done", []string{
			`command.advance.v1 {"gate":"1@5","note":"watching","action":"execute","drill":"k7m2drill0001","actor":"local:console/you"}`,
			`signal.alarm.v1 {"source":"local","name":"cart-errors","state":"firing"`,
			`signal.alarm.v1 {"source":"local","name":"cart-errors","state":"resolved"`,
			`command.answer.v1 {"claim":"c1","holds":true,"drill":"k7m2drill0001","actor":"local:console/you"}`,
			`command.stop.v1 {"reason":"enough","drill":"k7m2drill0001","actor":"local:console/you"}`,
			`command.note.v1 {"text":"seen","drill":"k7m2drill0001","actor":"local:console/you"}`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &api{t: t, drive: true}
			page := dom(t, a.serve().URL+c.path)
			if !strings.Contains(page, `data-driven="`+c.ends+`"`) {
				t.Errorf("the page was not driven to %q:\n%.3000s", c.ends, page)
			}
			var got []string
			for _, e := range a.events() {
				got = append(got, fmt.Sprintf("%s %s", strings.TrimPrefix(e.Type(), "dev.firedrill."), e.Data()))
				if e.Source() != "/firedrill/local/console" {
					t.Errorf("%s comes from %s", e.Type(), e.Source())
				}
			}
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("sent:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestBrowser_aButtonStaysUnderTheMouse: the drill comes to wait for more and more above the button, also while it is held down.
func TestBrowser_aButtonStaysUnderTheMouse(t *testing.T) {
	b := browsertest.Start(t)
	a := &api{t: t}
	page := b.Open(t, a.serve().URL+"/drills/k7m2drill0001")
	more := func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.more += 3
	}
	const stop = `[...document.querySelectorAll('button.danger.big')].at(0)`
	const refresh = `new Promise((r) => { document.dispatchEvent(new Event('firedrill:refresh')); setTimeout(r, 500); })`
	waits := func(n int) string { return fmt.Sprintf(`document.querySelectorAll('.gate').length === %d`, n) }
	page.Until("it waits for one thing", waits(1))
	page.Point("Stop", stop)
	var before, after float64
	page.Eval(stop+`.getBoundingClientRect().top`, &before)
	more()
	page.Eval(refresh, nil)
	page.Until("it waits for more", waits(4))
	page.Eval(stop+`.getBoundingClientRect().top`, &after)
	if math.Abs(after-before) >= 1 {
		t.Errorf("the button went from %v to %v", before, after)
	}
	release := page.Hold("Stop", stop)
	more()
	page.Eval(refresh, nil)
	page.Until("nothing is drawn", waits(4))
	release()
	page.Until("it is drawn", waits(7))
	if sent := a.events(); len(sent) != 1 || sent[0].Type() != events.TypeStop {
		t.Errorf("sent %v", sent)
	}
}
