package chatops_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/webhook"
)

func TestWebhook_TrustsOnlyWhatIsSigned(t *testing.T) {
	for name, spoil := range map[string]func(w *world, r *http.Request) *http.Request{
		"unsigned": func(_ *world, r *http.Request) *http.Request { r.Header.Del(webhook.HeaderSignature); return r },
		"forged": func(_ *world, r *http.Request) *http.Request {
			r.Header.Set(webhook.HeaderSignature, "v1,AAAA")
			return r
		},
		"signed for another id": func(_ *world, r *http.Request) *http.Request { r.Header.Set(webhook.HeaderID, "other"); return r },
		"six minutes old":       func(w *world, r *http.Request) *http.Request { w.clock = now.Add(6 * time.Minute); return r },
		"from the future":       func(w *world, r *http.Request) *http.Request { w.clock = now.Add(-6 * time.Minute); return r },
		"no secret is set up":   func(w *world, r *http.Request) *http.Request { w.hook.Secrets = nil; return r },
		"signed with nothing": func(w *world, r *http.Request) *http.Request {
			w.hook.Secrets = []webhook.Secret{{}}
			m := hmac.New(sha256.New, nil)
			m.Write([]byte("m1." + r.Header.Get(webhook.HeaderTimestamp) + "." + body("stop all")))
			r.Header.Set(webhook.HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
			return r
		},
		"an empty secret": func(w *world, r *http.Request) *http.Request { w.hook.Secrets = []webhook.Secret{{}}; return r },
		"another tenant": func(w *world, _ *http.Request) *http.Request {
			return request(w.t, "m1", strings.Replace(body("stop all"), "acme", "evil", 1))
		},
		"a body cut short":        func(_ *world, r *http.Request) *http.Request { return with(r, body("stop all")[:20]) },
		"a body that was changed": func(_ *world, r *http.Request) *http.Request { return with(r, body("stop all now")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			code, _, raw := w.serve(spoil(w, request(t, "m1", body("stop all"))))
			if code != http.StatusUnauthorized || raw != "{\"text\":\"not authorised\"}\n" {
				t.Errorf("answer %d %s", code, raw)
			}
			if len(w.inputs)+len(w.published) != 0 {
				t.Errorf("something was done: %v %v", w.inputs, w.published)
			}
			if strings.Contains(w.log.String(), "whsec") || strings.Contains(w.log.String(), "stop all") {
				t.Errorf("log: %s", w.log.String())
			}
		})
	}
}

func with(r *http.Request, body string) *http.Request {
	n := httptest.NewRequest(r.Method, r.URL.Path, strings.NewReader(body))
	n.Header = r.Header
	return n
}

func TestWebhook_RefusesWhatIsNoRequest(t *testing.T) {
	big := body("note k7m2 " + strings.Repeat("x", 70<<10))
	for name, c := range map[string]struct {
		body string
		code int
	}{
		"oversized":                    {big, http.StatusRequestEntityTooLarge},
		"empty":                        {"", http.StatusBadRequest},
		"no json":                      {"stop all", http.StatusBadRequest},
		"two documents":                {body("list") + body("stop all"), http.StatusBadRequest},
		"not UTF-8":                    {`{"text":"list \xff","user":"alice","tenant":"acme"}`[:14] + "\xff" + `","user":"alice","tenant":"acme"}`, http.StatusBadRequest},
		"no user":                      {`{"text":"list","tenant":"acme"}`, http.StatusBadRequest},
		"a user that is two":           {`{"text":"list","tenant":"acme","user":"alice/acme:bob"}`, http.StatusBadRequest},
		"no tenant":                    {`{"text":"list","user":"alice"}`, http.StatusBadRequest},
		"a field that nobody knows":    {`{"text":"list","user":"alice","tenant":"acme","actor":"slack:T/admin"}`, http.StatusBadRequest},
		"our own message, sent back":   {`{"type":"dev.firedrill.message.v1","text":"stop all","user":"alice","tenant":"acme"}`, http.StatusBadRequest},
		"our own message, as it stood": {`{"type":"dev.firedrill.message.v1","id":"1","mode":"LIVE","title":"x","text":"stop all"}`, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			code, reply, _ := w.serve(request(t, "m1", c.body))
			if code != c.code || reply.Text == "" || strings.Contains(reply.Text, "alice/") {
				t.Errorf("answer %d %+v, want %d", code, reply, c.code)
			}
			if len(w.inputs)+len(w.published) != 0 {
				t.Errorf("something was done: %v", w.inputs)
			}
		})
	}
	w := newWorld(t)
	if code, _, _ := w.serve(httptest.NewRequest(http.MethodGet, "/chat/webhook", nil)); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", code)
	}
}

func TestWebhook_ChecksSignaturesAgainstTheRealClock(t *testing.T) {
	w := newWorld(t)
	w.clock = now.Add(100 * time.Hour) // a sandbox that ran ahead
	w.f.Wall = func() time.Time { return now.Add(time.Minute) }
	w.handler = w.f.Handler()
	code, _ := w.say("m1", "start cart-cpu")
	if code != http.StatusOK {
		t.Fatalf("answer %d", code)
	}
	if _, p := payload[events.Start](t, w); !p.ExpiresAt.Equal(w.clock.Add(15 * time.Minute)) {
		t.Errorf("expires at %s, the drills' clock says %s", p.ExpiresAt, w.clock)
	}
}

func FuzzWebhookBody(f *testing.F) {
	for _, s := range []string{body("start cart-cpu"), body("stop all"), `{"text":1}`, "", "{}", body("\u202e\x00status")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b string) {
		w := newWorld(t)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, request(t, "m1", b))
		if rec.Code == http.StatusInternalServerError || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("answer %d %s", rec.Code, rec.Body)
		}
	})
}
