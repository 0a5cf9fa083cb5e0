package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

var start = time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)

// clock is moved by waiting.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	waited time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.waited = c.now.Add(d), c.waited+d
	return nil
}

func newClient(t *testing.T, loopback bool, hosts ...string) (*Client, *clock) {
	t.Helper()
	k := &clock{now: start}
	c, err := New(Options{Hosts: hosts, Loopback: loopback, Now: k.Now, Wait: k.Wait})
	if err != nil {
		t.Fatal(err)
	}
	return c, k
}

func TestDo_GoesToTheHostsItWasToldAndNowhereElse(t *testing.T) {
	c, _ := newClient(t, false, "slack.com", "hooks.slack.com")
	for name, raw := range map[string]string{
		"another host":           "https://evil.example.com/hunter2",
		"a host that ends alike": "https://evilslack.com/hunter2",
		"a subdomain":            "https://api.slack.com/hunter2",
		"a host as a user":       "https://slack.com@evil.example.com/hunter2",
		"a user":                 "https://u:hunter2@slack.com/",
		"another port":           "https://slack.com:8443/hunter2",
		"plain http":             "http://slack.com/hunter2",
		"another scheme":         "file:///etc/hunter2",
		"no scheme":              "slack.com/hunter2",
		"opaque":                 "https:slack.com/hunter2",
		"loopback":               "http://127.0.0.1/hunter2",
		"metadata":               "https://169.254.169.254/hunter2",
		"nothing":                "",
		"no URL":                 "https://[hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(t.Context(), Call{URL: raw, What: "post to slack:T/C"})
			if chat.CodeOf(err) != chat.Invalid || !errors.Is(err, chat.ErrAddress) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "post to slack:T/C") {
				t.Errorf("%v", err)
			}
			if c.Allowed(raw) {
				t.Error("allowed")
			}
		})
	}
	for _, raw := range []string{"https://slack.com/api/x", "https://HOOKS.slack.com/y?z=1"} {
		if !c.Allowed(raw) {
			t.Errorf("%s is not allowed", raw)
		}
	}
}

func TestDo_ConnectsToNoInsideAddressWhateverTheNameSays(t *testing.T) {
	for _, raw := range []string{"127.0.0.1", "10.1.2.3", "169.254.169.254", "100.100.100.200", "169.254.0.23", "192.168.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "0.0.0.0", "224.0.0.1"} {
		if allowed(netip.MustParseAddr(raw), false) {
			t.Errorf("%s is dialled", raw)
		}
	}
	for _, raw := range []string{"1.1.1.1", "2606:4700::1111"} {
		if !allowed(netip.MustParseAddr(raw), false) {
			t.Errorf("%s is not dialled", raw)
		}
	}
	server := httptest.NewTLSServer(http.NotFoundHandler()) // a name that leads to this machine
	defer server.Close()
	c, _ := newClient(t, false)
	_, err := c.Do(t.Context(), Call{URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/hunter2", What: "post"})
	if chat.CodeOf(err) != chat.Denied || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("localhost: %v", err)
	}
}

func TestDo_ClassifiesWhatIsAnswered(t *testing.T) {
	for status, want := range map[int]chat.Code{
		200: "", 204: "", 302: chat.Denied, 400: chat.Invalid, 401: chat.Denied, 403: chat.Denied, 404: chat.Denied, 408: chat.Unavailable,
		410: chat.Denied, 413: chat.Invalid, 425: chat.Unavailable, 429: chat.Throttled, 500: chat.Unavailable, 503: chat.Unavailable,
	} {
		redirected := false
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			redirected = redirected || r.URL.Path == "/elsewhere"
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			if status != 204 {
				_, _ = io.WriteString(w, "why")
			}
		}))
		c, _ := newClient(t, true)
		res, err := c.Do(t.Context(), Call{URL: server.URL + "/hunter2", What: "post"})
		server.Close()
		if want == "" && err != nil || want != "" && (err == nil || chat.CodeOf(err) != want || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "why")) {
			t.Errorf("%d: %v", status, err)
		}
		if redirected {
			t.Errorf("%d: a redirect was followed", status)
		}
		if status != 204 && string(res.Body) != "why" {
			t.Errorf("%d: the reply is %q", status, res.Body)
		}
	}
}

func TestDo_KeepsToRetryAfterForEachDestination(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	c, k := newClient(t, true)
	one, other := Call{URL: server.URL, Key: "C1", What: "post"}, Call{URL: server.URL, Key: "C2", What: "post"}
	var fail *chat.Error
	if _, err := c.Do(t.Context(), one); !errors.As(err, &fail) || fail.RetryAfter != 30*time.Second {
		t.Fatalf("%v", err)
	}
	k.now = k.now.Add(10 * time.Second)
	if _, err := c.Do(t.Context(), one); !errors.As(err, &fail) || fail.Code != chat.Throttled || fail.RetryAfter != 20*time.Second || calls != 1 {
		t.Errorf("too early: %v, %d calls", err, calls)
	}
	if _, err := c.Do(t.Context(), other); err != nil {
		t.Errorf("another destination: %v", err)
	}
	k.now = k.now.Add(20 * time.Second)
	if _, err := c.Do(t.Context(), one); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := c.Throttled(one, time.Hour, errors.New("busy")); chat.CodeOf(err) != chat.Throttled {
		t.Error(err)
	}
	if _, err := c.Do(t.Context(), one); !errors.As(err, &fail) || fail.RetryAfter != 15*time.Minute {
		t.Errorf("nobody keeps us away for an hour: %v", err)
	}
}

func TestDo_KeepsToARateAndWaitsAMomentForItsTurn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c, k := newClient(t, true)
	call := Call{URL: server.URL, Key: "C1", What: "post", Rate: Rate{Every: time.Second, Burst: 2}}
	for range 4 {
		if _, err := c.Do(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	if k.waited != 2*time.Second {
		t.Errorf("four messages, two at once, one a second: waited %s", k.waited)
	}
	slow := Call{URL: server.URL, Key: "C2", What: "post", Rate: Rate{Every: time.Minute}}
	_, err := c.Do(t.Context(), slow)
	var fail *chat.Error
	if _, err2 := c.Do(t.Context(), slow); err != nil || !errors.As(err2, &fail) || fail.Code != chat.Throttled || fail.RetryAfter <= Patience {
		t.Errorf("%v, %v", err, err2)
	}
}

func TestJSON_ReadsARepliesObject(t *testing.T) {
	reply := `{"ok":true}`
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.Header.Get("Content-Type") + " " + strings.TrimSpace(string(b))
		_, _ = io.WriteString(w, reply)
	}))
	defer server.Close()
	c, _ := newClient(t, true)
	var out struct{ OK bool }
	if _, err := c.JSON(t.Context(), Call{URL: server.URL, What: "post"}, map[string]string{"text": "<演练>"}, &out); err != nil || !out.OK {
		t.Errorf("%+v, %v", out, err)
	}
	if got != `POST application/json; charset=utf-8 {"text":"<演练>"}` {
		t.Error(got)
	}
	reply = "<html>hunter2</html>"
	if _, err := c.JSON(t.Context(), Call{URL: server.URL, What: "post"}, nil, &out); chat.CodeOf(err) != chat.Unavailable || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("no JSON: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	for v, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-1": 0, "99999": 15 * time.Minute, "soon": 0,
		start.Add(time.Minute).Format(http.TimeFormat): time.Minute, start.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := RetryAfter(v, start); got != want {
			t.Errorf("%q: %s", v, got)
		}
	}
}

func TestNew_WantsAClock(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
}
