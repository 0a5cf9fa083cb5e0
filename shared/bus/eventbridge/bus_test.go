package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/bus/eventbridge"
	"github.com/firedrill/firedrill/shared/inbound"
)

func TestPublish_TheWholeWayBack(t *testing.T) {
	s := newServer(t)
	out := []events.Event{
		note(t, "e1", "演练「订单」 🔥 \"quoted\" <b>&amp;</b>\n\t\u2028"),
		note(t, "e2", strings.Repeat("x", 4096)),
	}
	must(t, open(t, config(s.URL, &waits{})).Publish(t.Context(), out...))
	if len(s.envelopes) != len(out) {
		t.Fatalf("%d envelopes, want %d", len(s.envelopes), len(out))
	}
	for i, want := range out {
		got, err := inbound.AWS(s.envelopes[i])
		must(t, err)
		sameEvent(t, got, want)
	}
	sent := s.calls[0][0]
	if sent.EventBusName != "firedrill-prod" || sent.Source != "firedrill" || sent.DetailType != events.TypeNote || sent.Resources != nil || sent.TraceHeader != "" {
		t.Errorf("entry is %+v", sent)
	}
	if want := float64(1795255200); sent.Time < want || sent.Time >= want+1 {
		t.Errorf("time is %f, want that of the event, %f", sent.Time, want)
	}
	auth := s.headers[0].Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential="+accessKey+"/") || !strings.Contains(auth, "/eu-west-1/events/aws4_request") {
		t.Errorf("authorization is %q", auth)
	}
}

// sameEvent wants one event, equal to another in its envelope, its extensions and every byte of its data.
func sameEvent(t *testing.T, got []events.Event, want events.Event) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("%d events, want 1", len(got))
	}
	g := got[0]
	if g.ID() != want.ID() || g.Type() != want.Type() || g.Source() != want.Source() || g.Subject() != want.Subject() ||
		!g.Time().Equal(want.Time()) || g.DataContentType() != want.DataContentType() || g.SpecVersion() != want.SpecVersion() {
		t.Errorf("envelope is %v, want %v", g.Context, want.Context)
	}
	if !reflect.DeepEqual(g.Extensions(), want.Extensions()) {
		t.Errorf("extensions are %v, want %v", g.Extensions(), want.Extensions())
	}
	if string(g.Data()) != string(want.Data()) {
		t.Errorf("data is %s, want %s", g.Data(), want.Data())
	}
	if err := events.Check(g); err != nil {
		t.Error(err)
	}
}

func TestPublish_Batches(t *testing.T) {
	large := strings.Repeat("界", 1300) // 3900 bytes
	cases := []struct {
		name string
		out  []events.Event
		want []int // entries of each call
	}{
		{"none", nil, nil},
		{"1", numbered(t, 1), []int{1}},
		{"10", numbered(t, 10), []int{10}},
		{"11", numbered(t, 11), []int{10, 1}},
		{"25", numbered(t, 25), []int{10, 10, 5}},
		{"7 of almost 64 KiB each", sized(t, 7, events.MaxBytes), []int{3, 3, 1}},
		{"one large among small ones", append(numbered(t, 3), note(t, "large", large)), []int{4}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, w := newServer(t), &waits{}
			must(t, open(t, config(s.URL, w)).Publish(t.Context(), c.out...))
			var sizes []int
			var ids, want []string
			for _, call := range s.ids() {
				sizes, ids = append(sizes, len(call)), append(ids, call...)
			}
			for _, e := range c.out {
				want = append(want, e.ID())
			}
			if !slices.Equal(sizes, c.want) || !slices.Equal(ids, want) {
				t.Errorf("calls have %v entries: %v, want %v: %v", sizes, ids, c.want, want)
			}
			if len(w.asked) != 0 {
				t.Errorf("pauses are %v, want none", w.asked)
			}
		})
	}
}

// sized returns events whose structured form has exactly size bytes.
func sized(t *testing.T, n, size int) []events.Event {
	t.Helper()
	var out []events.Event
	for i := range n {
		e := note(t, fmt.Sprintf("s%d", i), "x")
		b, err := e.MarshalJSON()
		must(t, err)
		data := strings.Replace(string(e.Data()), `"x"`, `"x`+strings.Repeat("y", size-len(b))+`"`, 1)
		must(t, e.SetData(event.ApplicationJSON, json.RawMessage(data)))
		out = append(out, e)
	}
	return out
}

func TestPublish_WhatCannotGoOut(t *testing.T) {
	s, w := newServer(t), &waits{}
	b := open(t, config(s.URL, w))
	large := sized(t, 1, events.MaxBytes+1)[0]
	bare := event.New()
	bare.SetID("bare") // and nothing else
	long := note(t, "long", "x")
	long.SetType("dev.firedrill." + strings.Repeat("t", 128))
	err := b.Publish(t.Context(), large)
	wantUnsent(t, err, "s0")
	if !errors.Is(err, events.ErrInvalid) || len(s.calls) != 0 {
		t.Errorf("error is %v after %d calls, want one that no retry can mend after none", err, len(s.calls))
	}
	err = b.Publish(t.Context(), large, note(t, "e1", "x"), bare, long)
	wantUnsent(t, err, "s0", "bare", "long")
	if got := s.ids(); len(got) != 1 || !slices.Equal(got[0], []string{"e1"}) {
		t.Errorf("calls are %v, want e1 out alone", got)
	}
	s.before = func(_ int, w http.ResponseWriter, _ []entry) bool {
		fail(w, http.StatusInternalServerError, "InternalException", "")
		return true
	}
	err = b.Publish(t.Context(), large, note(t, "e2", "x"))
	wantUnsent(t, err, "s0", "e2")
	if errors.Is(err, events.ErrInvalid) {
		t.Errorf("error %v says that no retry can mend it, but e2 may go out later", err)
	}
}

func TestPublish_RefusedEntries(t *testing.T) {
	refusal := func(code string, calls int, ids ...string) func(int, entry) *result {
		return func(call int, e entry) *result {
			if call <= calls && (len(ids) == 0 || slices.Contains(ids, e.id())) {
				return &result{ErrorCode: code, ErrorMessage: "no"}
			}
			return nil
		}
	}
	all := []string{"e1", "e2", "e3"}
	cases := []struct {
		name   string
		refuse func(int, entry) *result
		calls  [][]string
		unsent []string
	}{
		{"one is throttled once", refusal("ThrottlingException", 1, "e2"), [][]string{all, {"e2"}}, nil},
		{"one fails inside for ever", refusal("InternalFailure", 100, "e2"), [][]string{all, {"e2"}, {"e2"}, {"e2"}}, []string{"e2"}},
		{"one may not be put by us", refusal("NotAuthorizedForDetailTypeException", 100, "e3"), [][]string{all}, []string{"e3"}},
		{"one has a code that nobody knows, twice", refusal("NewFailure", 2, "e1"), [][]string{all, {"e1"}, {"e1"}}, nil},
		{"one is neither taken nor refused", func(call int, e entry) *result {
			if call == 1 && e.id() == "e1" {
				return &result{}
			}
			return nil
		}, [][]string{all, {"e1"}}, nil},
		{"all are throttled twice", refusal("ThrottlingException", 2), [][]string{all, all, all}, nil},
		{"all fail for ever", refusal("InternalFailure", 100), [][]string{all, all, all, all}, all},
		{"all are denied", refusal("AccessDeniedException", 100), [][]string{all}, all},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, w := newServer(t), &waits{}
			s.refuse = c.refuse
			err := open(t, config(s.URL, w)).Publish(t.Context(), numbered(t, 3)...)
			if c.unsent == nil {
				must(t, err)
			} else {
				wantUnsent(t, err, c.unsent...)
			}
			if got := s.ids(); !reflect.DeepEqual(got, c.calls) {
				t.Errorf("calls are %v, want %v", got, c.calls)
			}
			if len(s.envelopes) != 3-len(c.unsent) {
				t.Errorf("%d are out, want %d", len(s.envelopes), 3-len(c.unsent))
			}
			for i, d := range w.asked {
				if d != 100*time.Millisecond<<i {
					t.Errorf("pauses are %v, want them to double from 100ms", w.asked)
				}
			}
			if len(w.asked) != len(c.calls)-1 {
				t.Errorf("%d pauses, want %d", len(w.asked), len(c.calls)-1)
			}
		})
	}
}

func TestPublish_RefusedCalls(t *testing.T) {
	failing := func(status int, code string, calls int) func(int, http.ResponseWriter, []entry) bool {
		return func(call int, w http.ResponseWriter, _ []entry) bool {
			if call <= calls {
				fail(w, status, code, "no")
			}
			return call <= calls
		}
	}
	cases := []struct {
		name   string
		before func(int, http.ResponseWriter, []entry) bool
		calls  int
		fails  string
	}{
		{"500 once", failing(500, "InternalException", 1), 2, ""},
		{"500 for ever", failing(500, "InternalException", 100), 4, "InternalException"},
		{"503 with a page that is not AWS's", func(call int, w http.ResponseWriter, _ []entry) bool {
			if call == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write([]byte("<html>busy"))
			}
			return call == 1
		}, 2, ""},
		{"throttled three times", failing(400, "ThrottlingException", 3), 4, ""},
		{"throttled with 429", failing(429, "TooManyRequests", 1), 2, ""},
		{"denied", failing(400, "AccessDeniedException", 100), 1, "AccessDeniedException"},
		{"a key that is not known", failing(403, "UnrecognizedClientException", 100), 1, "UnrecognizedClientException"},
		{"a reply about nothing", func(call int, w http.ResponseWriter, _ []entry) bool {
			if call == 1 {
				_, _ = w.Write([]byte(`{"FailedEntryCount":0,"Entries":[]}`))
			}
			return call == 1
		}, 2, ""},
		{"a reply about too much", func(call int, w http.ResponseWriter, _ []entry) bool {
			_, _ = w.Write([]byte(`{"Entries":[{"EventId":"1"},{"EventId":"2"},{"EventId":"3"},{"EventId":"4"}]}`))
			return true
		}, 4, "more entries than were sent"},
		{"a reply that is cut short", func(call int, w http.ResponseWriter, _ []entry) bool {
			if call == 1 {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte(`{"Entries":[{"EventId":"1"}`))
			}
			return call == 1
		}, 2, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.before = c.before
			err := open(t, config(s.URL, &waits{})).Publish(t.Context(), numbered(t, 3)...)
			if c.fails == "" {
				must(t, err)
				if len(s.envelopes) != 3 {
					t.Errorf("%d are out, want 3", len(s.envelopes))
				}
			} else {
				wantUnsent(t, err, "e1", "e2", "e3")
				if !strings.Contains(err.Error(), c.fails) || strings.Count(err.Error(), c.fails) != 1 {
					t.Errorf("error %q does not say %q, once", err, c.fails)
				}
			}
			if len(s.calls) != c.calls {
				t.Errorf("%d calls, want %d", len(s.calls), c.calls)
			}
		})
	}
}

func TestPublish_LostReply(t *testing.T) {
	s := newServer(t)
	s.before = func(call int, w http.ResponseWriter, entries []entry) bool {
		if call != 1 {
			return false
		}
		for _, e := range entries {
			s.envelopes = append(s.envelopes, envelope(t, "lost", e)) // they are out, and nobody learns it
		}
		hang(w)
		return true
	}
	must(t, open(t, config(s.URL, &waits{})).Publish(t.Context(), numbered(t, 2)...))
	var ids []string
	for _, e := range s.envelopes {
		got, err := inbound.AWS(e)
		must(t, err)
		ids = append(ids, got[0].ID())
	}
	if want := []string{"e1", "e2", "e1", "e2"}; !slices.Equal(ids, want) {
		t.Errorf("delivered are %v, want %v: twice, with the same ids", ids, want)
	}
}

func TestPublish_OneBatchOfThreeFails(t *testing.T) {
	s := newServer(t)
	s.before = func(_ int, w http.ResponseWriter, entries []entry) bool {
		if entries[0].id() == "e11" {
			fail(w, http.StatusInternalServerError, "InternalException", "")
			return true
		}
		return false
	}
	err := open(t, config(s.URL, &waits{})).Publish(t.Context(), numbered(t, 25)...)
	wantUnsent(t, err, "e11", "e12", "e13", "e14", "e15", "e16", "e17", "e18", "e19", "e20")
	if len(s.envelopes) != 15 || len(s.calls) != 6 {
		t.Errorf("%d are out after %d calls, want 15 after 6", len(s.envelopes), len(s.calls))
	}
	if !strings.Contains(err.Error(), "10 of 25 events") {
		t.Errorf("error is %v", err)
	}
}

func TestPublish_ContextEnds(t *testing.T) {
	t.Run("before the first call", func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := open(t, config(s.URL, &waits{})).Publish(ctx, numbered(t, 12)...)
		if u := wantUnsent(t, err, ids(12)...); len(u.Events) != 12 || !errors.Is(err, context.Canceled) || len(s.calls) != 0 {
			t.Errorf("error is %v after %d calls", err, len(s.calls))
		}
	})
	t.Run("between two calls", func(t *testing.T) {
		s := newServer(t)
		ctx, cancel := context.WithCancel(t.Context())
		c := config(s.URL, &waits{})
		asked, credentials := 0, c.Credentials
		c.Credentials = func(ctx context.Context) (eventbridge.Credentials, error) {
			if asked++; asked == 2 {
				cancel()
			}
			return credentials(ctx)
		}
		err := open(t, c).Publish(ctx, numbered(t, 12)...)
		wantUnsent(t, err, "e11", "e12")
		if len(s.envelopes) != 10 {
			t.Errorf("%d are out, want 10", len(s.envelopes))
		}
	})
	t.Run("while it waits", func(t *testing.T) {
		s, w := newServer(t), &waits{err: context.DeadlineExceeded}
		s.refuse = func(_ int, e entry) *result {
			if e.id() == "e1" {
				return &result{ErrorCode: "ThrottlingException"}
			}
			return nil
		}
		err := open(t, config(s.URL, w)).Publish(t.Context(), numbered(t, 2)...)
		wantUnsent(t, err, "e1")
		if len(s.calls) != 1 || !strings.Contains(err.Error(), "ThrottlingException") {
			t.Errorf("error is %v after %d calls, want what EventBridge said after 1", err, len(s.calls))
		}
	})
	t.Run("no answer in time", func(t *testing.T) {
		s := newServer(t)
		release := make(chan struct{})
		defer close(release)
		s.before = func(int, http.ResponseWriter, []entry) bool {
			s.mu.Unlock()
			<-release
			s.mu.Lock()
			return false
		}
		c := config(s.URL, &waits{})
		c.Timeout = 20 * time.Millisecond
		err := open(t, c).Publish(t.Context(), numbered(t, 1)...)
		wantUnsent(t, err, "e1")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
	})
}

func ids(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("e%d", i+1))
	}
	return out
}

func TestPublish_NoCredentials(t *testing.T) {
	s, w := newServer(t), &waits{}
	c := config(s.URL, w)
	c.Credentials = func(context.Context) (eventbridge.Credentials, error) {
		return eventbridge.Credentials{}, errors.New("the role is gone")
	}
	err := open(t, c).Publish(t.Context(), numbered(t, 1)...)
	wantUnsent(t, err, "e1")
	if !strings.Contains(err.Error(), "get credentials: the role is gone") || len(s.calls) != 0 {
		t.Errorf("error is %v after %d calls", err, len(s.calls))
	}
}
