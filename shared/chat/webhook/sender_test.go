package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/webhook"
)

var now = time.Date(2026, 11, 24, 9, 5, 11, 0, time.UTC)

func sender(t testing.TB, loopback bool, clock func() time.Time) *webhook.Sender {
	t.Helper()
	if clock == nil {
		clock = func() time.Time { return now }
	}
	s, err := webhook.New(webhook.Options{Secrets: secrets(t, vector+","+otherText), Now: clock, Loopback: loopback})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func to(place string) chat.Address { return chat.Address{Platform: chat.Webhook, Place: place} }

var message = chat.Message{
	ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "zh", Title: "[SANDBOX] 已停止: <b>\"AZ-b\"</b> 🔥", Text: "a\nb", Thread: "k7m2q4x9a3bcd",
	Fields: []chat.Field{{Name: "演练", Value: "x"}}, Buttons: []chat.Button{{Label: "Stop", Command: "stop k7m2"}}, Link: "https://example.com/r", At: now,
}

func TestPost_IsSignedJSONThatAReceiverCanVerify(t *testing.T) {
	var got webhook.Payload
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, one := range []string{vector, otherText} {
			if id, err := webhook.Verify(r.Header, body, secrets(t, one), now); err != nil || id != "fd_1" {
				t.Errorf("verify: %q, %v", id, err)
			}
		}
		if r.Method != http.MethodPost || r.URL.String() != "/hook?token=hunter2" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	posted, err := sender(t, true, nil).Post(t.Context(), to(server.URL+"/hook?token=hunter2"), message)
	if err != nil {
		t.Fatal(err)
	}
	if posted.ID != "fd_1" || posted.Thread != message.Thread || strings.Contains(posted.To, "hunter2") {
		t.Errorf("posted %+v", posted)
	}
	if got.Type != webhook.TypeMessage || got.Mode != "SANDBOX" || got.Title != message.Title || got.Thread != message.Thread || len(got.Buttons) != 1 || !got.At.Equal(now) {
		t.Errorf("got %+v", got)
	}
}

func TestPost_ClassifiesEveryAnswer(t *testing.T) {
	for status, want := range map[int]chat.Code{
		200: "", 202: "", 204: "", 301: chat.Denied, 302: chat.Denied, 307: chat.Denied, 308: chat.Denied, 400: chat.Invalid, 401: chat.Denied, 403: chat.Denied,
		404: chat.Denied, 405: chat.Invalid, 408: chat.Unavailable, 410: chat.Denied, 413: chat.Invalid, 422: chat.Invalid, 425: chat.Unavailable,
		429: chat.Throttled, 500: chat.Unavailable, 502: chat.Unavailable, 503: chat.Unavailable, 504: chat.Unavailable,
	} {
		var calls atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", "/again")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "hunter2 in a reply")
		}))
		_, err := sender(t, true, nil).Post(t.Context(), to(server.URL+"/x?token=hunter2"), message)
		server.Close()
		switch {
		case want == "" && err != nil, want != "" && chat.CodeOf(err) != want:
			t.Errorf("status %d: got %v (%s), want %q", status, err, chat.CodeOf(err), want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("status %d: error shows a secret: %v", status, err)
		case calls.Load() != 1:
			t.Errorf("status %d: %d calls: a redirect was followed or a call repeated", status, calls.Load())
		}
		if retry := want == chat.Unavailable || want == chat.Throttled; err != nil && chat.Retryable(err) != retry {
			t.Errorf("status %d: retryable is %v", status, !retry)
		}
	}
}

func TestPost_WaitsAsLongAsTheReceiverAsks(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		wait   time.Duration
	}{
		"seconds":           {"30", 30 * time.Second},
		"a date":            {now.Add(40 * time.Second).Format(http.TimeFormat), 40 * time.Second},
		"far too long":      {"86400", 15 * time.Minute},
		"a time gone by":    {now.Add(-time.Hour).Format(http.TimeFormat), 0},
		"a negative number": {"-5", 0},
		"no sense":          {"soon", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) == 1 {
					w.Header().Set("Retry-After", c.header)
					w.WriteHeader(http.StatusTooManyRequests)
				}
			}))
			defer server.Close()
			clock := now
			s := sender(t, true, func() time.Time { return clock })
			_, err := s.Post(t.Context(), to(server.URL), message)
			var e *chat.Error
			if !errors.As(err, &e) || e.Code != chat.Throttled || e.RetryAfter != c.wait {
				t.Fatalf("got %#v", err)
			}
			if c.wait > 0 {
				clock = now.Add(c.wait - time.Second)
				if _, err := s.Post(t.Context(), to(server.URL), message); chat.CodeOf(err) != chat.Throttled || calls.Load() != 1 {
					t.Fatalf("called too early: %v, %d calls", err, calls.Load())
				}
			}
			clock = now.Add(c.wait)
			if _, err := s.Post(t.Context(), to(server.URL), message); err != nil || calls.Load() != 2 {
				t.Errorf("after the wait: %v, %d calls", err, calls.Load())
			}
		})
	}
}

func TestPost_RefusesAddressesThatOnlyInsidersReach(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request got through") }))
	defer server.Close()
	for name, c := range map[string]struct {
		place    string
		loopback bool
		want     chat.Code
	}{
		"http":                            {"http://example.com/", true, chat.Invalid},
		"http to loopback when live":      {server.URL, false, chat.Invalid},
		"https to loopback when live":     {"https://127.0.0.1:1/", false, chat.Denied},
		"localhost by name when live":     {"https://localhost:1/", false, chat.Denied},
		"metadata of AWS":                 {"https://169.254.169.254/latest", true, chat.Denied},
		"metadata of AWS over IPv6":       {"https://[fd00:ec2::254]/latest", true, chat.Denied},
		"metadata of Alibaba":             {"https://100.100.100.200/latest", true, chat.Denied},
		"metadata of Alibaba, mapped":     {"https://[::ffff:100.100.100.200]/latest", true, chat.Denied},
		"metadata of Tencent":             {"https://169.254.0.23/latest", true, chat.Denied},
		"a private network":               {"https://10.1.2.3/", true, chat.Denied},
		"another private network":         {"https://192.168.1.1/", true, chat.Denied},
		"a private network, mapped":       {"https://[::ffff:10.0.0.1]/", true, chat.Denied},
		"a private network through NAT64": {"https://[64:ff9b::a00:1]/", true, chat.Denied},
		"a private network through 6to4":  {"https://[2002:a00:1::1]/", true, chat.Denied},
		"nowhere":                         {"https://0.0.0.0/", true, chat.Denied},
		"everybody":                       {"https://224.0.0.1/", true, chat.Denied},
		"link-local with a zone":          {"https://[fe80::1%25lo]/", true, chat.Denied},
		"another platform":                {"", true, chat.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sender(t, c.loopback, nil).Post(t.Context(), to(c.place), message)
			if chat.CodeOf(err) != c.want || err == nil || chat.Retryable(err) {
				t.Errorf("got %v (%s)", err, chat.CodeOf(err))
			}
		})
	}
}

func TestPost_EndsWithItsContextAndHidesTheURL(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}))
	defer server.Close()
	defer close(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := sender(t, true, nil).Post(ctx, to(server.URL+"/hook?token=hunter2"), message)
	if !errors.Is(err, context.DeadlineExceeded) || !chat.Retryable(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestPost_NobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := sender(t, true, nil).Post(t.Context(), to(server.URL+"/hook?token=hunter2"), message)
	if chat.CodeOf(err) != chat.Unavailable || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "/hook") {
		t.Errorf("got %v", err)
	}
}

func TestSender_NeedsASecretAndAClock(t *testing.T) {
	if _, err := webhook.New(webhook.Options{Now: time.Now}); err == nil {
		t.Error("no secret: no error")
	}
	if _, err := webhook.New(webhook.Options{Secrets: secrets(t, vector)}); err == nil {
		t.Error("no clock: no error")
	}
}

func TestUpdateAndReply_AreNotOffered(t *testing.T) {
	s := sender(t, true, nil)
	if c := s.Capabilities(chat.Address{Platform: chat.Webhook}); c.Update || c.Reply {
		t.Errorf("capabilities %+v", c)
	}
	_, err1 := s.Update(t.Context(), chat.Posted{}, message)
	_, err2 := s.Reply(t.Context(), chat.Posted{}, message)
	if !errors.Is(err1, chat.ErrUnsupported) || !errors.Is(err2, chat.ErrUnsupported) {
		t.Errorf("got %v, %v", err1, err2)
	}
}
