package probe_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/probe"
)

const secret = "hunter2"

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "fine") })
	mux.HandleFunc("/teapot", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/drip", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ok?token="+secret, http.StatusFound)
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<20)
		for range 1000 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/hangup", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// refused returns an address where nobody listens.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestMeasure(t *testing.T) {
	s := serve(t)
	tests := []struct {
		name  string
		claim drill.Claim
		good  bool
		says  string
	}{
		{"another status", drill.Claim{HTTP: s.URL + "/teapot"}, false, "418 in"},
		{"too slow", drill.Claim{HTTP: s.URL + "/slow", Within: drill.Duration(30 * time.Millisecond)}, false, "no answer within 30ms"},
		{"a body that does not come", drill.Claim{HTTP: s.URL + "/drip", Within: drill.Duration(30 * time.Millisecond)}, false, "no answer within 30ms"},
		{"a redirect is not followed", drill.Claim{HTTP: s.URL + "/elsewhere"}, false, "302 in"},
		{"nobody listens", drill.Claim{HTTP: refused(t) + "/?token=" + secret}, false, "refused"},
		{"the line breaks", drill.Claim{HTTP: s.URL + "/hangup?token=" + secret}, false, "EOF"},
		{"no host of this name", drill.Claim{HTTP: "http://user:" + secret + "@127.0.0.1:0/" + secret}, false, ""},
		{"not a URL", drill.Claim{HTTP: "http://[::1/" + secret}, false, "not a URL"},
		{"no address at all", drill.Claim{HTTP: ""}, false, ""},
		{"an address of another kind", drill.Claim{HTTP: "ftp://x/" + secret}, false, ""},
		{"as it should be", drill.Claim{HTTP: s.URL + "/ok?token=" + secret}, true, "200 in"},
		{"the status that the claim wants", drill.Claim{HTTP: s.URL + "/teapot", Status: 418}, true, "418 in"},
		{"a redirect that the claim wants", drill.Claim{HTTP: s.URL + "/elsewhere", Status: 302}, true, "302 in"},
		{"a huge body", drill.Claim{HTTP: s.URL + "/huge"}, true, "200 in"},
	}
	p := probe.New(nil, time.Now)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.claim.ID = "c1"
			got := p.Measure(t.Context(), tt.claim)
			if got.Good != tt.good || !strings.Contains(got.Detail, tt.says) || got.Detail == "" || got.Claim != "c1" || got.At.IsZero() {
				t.Errorf("%+v, want good %v, %q", got, tt.good, tt.says)
			}
			if strings.Contains(got.Detail, secret) {
				t.Errorf("the detail tells the secret: %q", got.Detail)
			}
		})
	}
}

func TestMeasure_TookTooLongByItsOwnClock(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	p := probe.New(nil, func() time.Time { now = now.Add(2 * time.Second); return now })
	got := p.Measure(t.Context(), drill.Claim{ID: "c1", HTTP: serve(t).URL + "/ok", Within: drill.Duration(time.Second)})
	if got.Good || !strings.Contains(got.Detail, "want it within 1s") {
		t.Errorf("%+v", got)
	}
}

// TestMeasure_OurOwnEndIsNotTheClaims: a function that runs out of time has measured nothing, and the claim is not broken by it.
func TestMeasure_OurOwnEndIsNotTheClaims(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	got := probe.New(nil, time.Now).Measure(ctx, drill.Claim{ID: "c1", HTTP: serve(t).URL + "/slow", Within: drill.Duration(time.Minute)})
	if !got.At.IsZero() || got.Good {
		t.Fatalf("%+v", got)
	}
	d, _ := drill.New(drill.Ask{ID: "d", Plan: drill.Plan{Expect: []drill.Claim{{ID: "c1"}}}}, time.Now())
	if d.Measure(got) || d.Claims[0].Bad != 0 {
		t.Error("it counts as a bad sample")
	}
}
