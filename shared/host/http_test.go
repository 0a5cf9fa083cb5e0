package host

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
)

const tickEvent = `{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.signal.tick.v1","datacontenttype":"application/json","data":{"at":"2026-11-21T08:00:00Z"}}`

func TestHTTP_Answers(t *testing.T) {
	structured := map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}
	binary := func(change ...string) map[string]string {
		h := map[string]string{"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": events.TypeTick, "ce-cause": "a%20b"}
		for i := 0; i+1 < len(change); i += 2 {
			h[change[i]] = change[i+1]
		}
		return h
	}
	cases := []struct {
		name    string
		headers map[string]string
		body    string
		status  int
		handled int
	}{
		{"no event", map[string]string{"Content-Type": "text/plain"}, "hello", 415, 0},
		{"a charset that is not UTF-8", map[string]string{"Content-Type": "application/cloudevents+json; charset=latin1"}, tickEvent, 400, 0},
		{"not json", structured, `{"specversion":`, 400, 0},
		{"an old version", structured, strings.Replace(tickEvent, `"1.0"`, `"0.3"`, 1), 400, 0},
		{"a payload that is wrong", structured, strings.Replace(tickEvent, `"at"`, `"ta"`, 1), 400, 0},
		{"a type of nobody", structured, strings.Replace(tickEvent, "tick", "nothing", 1), 400, 0},
		{"ten megabytes", structured, strings.Repeat("x", 10<<20), 413, 0},
		{"binary that is not json", binary(), "x", 400, 0},
		{"binary with text", binary("Content-Type", "text/plain"), "x", 400, 0},
		{"binary with broken encoding", binary("ce-cause", "%zz"), `{"at":"2026-11-21T08:00:00Z"}`, 400, 0},
		{"binary that brings data in a header", binary("ce-data", "x"), `{"at":"2026-11-21T08:00:00Z"}`, 400, 0},
		{"a type of another function", structured, `{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.command.stop.v1","data":{"drill":"all","actor":"local:a/b","reason":"r"}}`, 204, 0},
		{"structured", structured, tickEvent, 204, 1},
		{"binary", binary(), `{"at":"2026-11-21T08:00:00Z"}`, 204, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Function{}, nil)
			req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			req.Header.Set("Authorization", "Bearer "+token)
			for k, v := range c.headers {
				req.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			r.mux().ServeHTTP(w, req)
			if w.Code != c.status || len(r.got) != c.handled {
				t.Errorf("got %d %s; the function got %d events", w.Code, w.Body, len(r.got))
			}
			if c.name == "binary" && events.Cause(r.got[0]) != "a b" {
				t.Errorf("the cause is %q", events.Cause(r.got[0]))
			}
		})
	}
}

func TestHTTP_OnlyWithATokenAndAgainOnErrors(t *testing.T) {
	r := newRig(t, Function{}, func(context.Context, events.Event) ([]events.Event, error) { return nil, errors.New("secret detail") })
	post := func(auth string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tickEvent))
		req.Header.Set("Content-Type", "application/cloudevents+json")
		req.Header.Set("Authorization", auth)
		w := httptest.NewRecorder()
		r.mux().ServeHTTP(w, req)
		return w
	}
	for _, auth := range []string{"", "Bearer ", "Bearer wrong", token[1:]} {
		if w := post(auth); w.Code != http.StatusUnauthorized || len(r.got) != 0 {
			t.Errorf("%q: %d", auth, w.Code)
		}
	}
	if w := post("Bearer " + token); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("an error was answered with %d %s", w.Code, w.Body)
	}
}

func TestHTTP_HealthAndEnd(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(inside)
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	r := newRig(t, Function{HTTP: h}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.serve(ctx, l) }()
	url := "http://" + l.Addr().String()
	res, err := http.Get(url + "/healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	_ = res.Body.Close()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get(url + "/chat/webhook")
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-inside
	cancel()
	time.Sleep(20 * time.Millisecond) // so that the server closes first
	close(leave)
	if s := <-got; s != "done" {
		t.Errorf("what ran when the process was told to end got %q", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("application/cloudevents+json", "", "", []byte(tickEvent))
	f.Add("application/json", "1.0", "a%20b", []byte(`{"at":"2026-11-21T08:00:00Z"}`))
	f.Add("application/json; charset=utf-8", "1.0", "\xff", []byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, media, spec, cause string, body []byte) {
		h := http.Header{"Content-Type": {media}, "Ce-Id": {"1"}, "Ce-Source": {"/x"}, "Ce-Type": {events.TypeTick}, "Ce-Cause": {cause}}
		if spec != "" {
			h.Set("Ce-Specversion", spec)
		}
		e, err := decode(h, body)
		if err != nil {
			if !errors.Is(err, errNoEvent) && !errors.Is(err, events.ErrInvalid) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			return
		}
		if err := e.Validate(); err != nil {
			t.Fatalf("an event that is none: %v", err)
		}
	})
}

func FuzzInvoke(f *testing.F) {
	f.Add([]byte(scheduled()))
	f.Add(batch(f, scheduled(), "x"))
	f.Add(gatewayPayload(f, nil))
	f.Add([]byte(`{"Records":[{"EventSource":"aws:sqs","messageId":"","body":null}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r := newRig(t, Function{HTTP: http.NotFoundHandler()}, nil)
		got, err := (&invoker{r.host}).Invoke(t.Context(), payload)
		if err == nil && len(got) == 0 {
			t.Fatal("neither a reply nor an error")
		}
	})
}
