package http

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
)

func tick(t *testing.T, id string) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{ID: id, Source: "/firedrill/test/timer", Time: time.Unix(1e9, 0)}, events.Tick{At: time.Unix(1e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPublish_Answers(t *testing.T) {
	cases := []struct {
		name   string
		status []int // of each attempt; the last one repeats
		want   string
		calls  int
	}{
		{"refused", []int{400}, "the sink answered 400", 1},
		{"not authorised", []int{401}, "the sink answered 401", 1},
		{"a redirect is not followed", []int{307}, "the sink answered 307", 1},
		{"never there", []int{503}, "the sink answered 503", attempts},
		{"busy, then there", []int{429, 500, 202}, "", 3},
		{"there", []int{200}, "", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				e, perr := events.Parse(body)
				if err != nil || perr != nil || e.ID() != "1" || r.Header.Get("Content-Type") != contentType || r.Header.Get("Authorization") != "Bearer tok" {
					t.Errorf("the sink got %s %v with %v", body, perr, r.Header)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status[min(calls, len(c.status)-1)])
				calls++
			}))
			defer s.Close()
			var waits []time.Duration
			b, err := Open(Options{URL: s.URL + "/?k=s3cr3t", Token: "tok", Transport: http.DefaultTransport,
				Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
			if err != nil {
				t.Fatal(err)
			}
			err = b.Publish(t.Context(), tick(t, "1"))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if calls != c.calls || len(waits) != c.calls-1 {
				t.Errorf("%d attempts with %d pauses, want %d", calls, len(waits), c.calls)
			}
			if err != nil && strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error shows the address: %v", err)
			}
		})
	}
}

func TestPublish_OneRefusalKeepsNoOtherBack(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := events.Parse(body)
		if err != nil || e.ID() == "2" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		got = append(got, e.ID())
	}))
	b, err := Open(Options{URL: s.URL, Transport: http.DefaultTransport, Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), tick(t, "1"), tick(t, "2"), tick(t, "3")); err == nil || strings.Join(got, " ") != "1 3" {
		t.Errorf("%v; the sink took %v", err, got)
	}
	s.Close()
	if err := b.Publish(t.Context(), tick(t, "1")); err == nil {
		t.Error("nobody is there, and that is no error")
	}
}

func TestOpen_Mistakes(t *testing.T) {
	wait := func(context.Context, time.Duration) error { return nil }
	for _, o := range []Options{{URL: "ftp://h", Transport: http.DefaultTransport, Wait: wait}, {URL: "http://me:s3cr3t@h", Transport: http.DefaultTransport, Wait: wait}, {URL: "http://h"}} {
		if _, err := Open(o); err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("got %v", err)
		}
	}
}
