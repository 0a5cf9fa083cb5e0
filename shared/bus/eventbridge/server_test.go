package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/bus/eventbridge"
)

const (
	accessKey = "AKIDEXAMPLE"
	secret    = "wJalrXUtnFEMI-this-never-shows"
	token     = "FwoGZXIvYXdz-nor-does-this"
)

// entry is one entry of a PutEvents request as it stands on the wire.
type entry struct {
	EventBusName, Source, DetailType, Detail string
	Time                                     float64
	Resources                                []string
	TraceHeader                              string
}

func (e entry) id() string {
	var ce struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal([]byte(e.Detail), &ce)
	return ce.ID
}

// result is one entry of a reply.
type result struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

// server answers PutEvents and keeps what it took, as envelopes that a rule would hand to a function. before may answer in its
// place; refuse may refuse an entry.
type server struct {
	*httptest.Server
	t      *testing.T
	before func(call int, w http.ResponseWriter, entries []entry) bool
	refuse func(call int, e entry) *result

	mu        sync.Mutex
	calls     [][]entry
	headers   []http.Header
	envelopes [][]byte
}

func newServer(t *testing.T) *server {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s := &server{t: t}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP answers one call.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var in struct{ Entries []entry }
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" ||
		r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		s.t.Errorf("request is %s %s, target %q, type %q: %v", r.Method, r.URL, r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"), err)
	}
	s.calls, s.headers = append(s.calls, in.Entries), append(s.headers, r.Header)
	size := 0
	for _, e := range in.Entries {
		size += 14 + len(e.Source) + len(e.DetailType) + len(e.Detail)
	}
	if len(in.Entries) < 1 || len(in.Entries) > 10 || size >= 256<<10 {
		fail(w, http.StatusBadRequest, "ValidationException", fmt.Sprintf("%d entries of %d bytes", len(in.Entries), size))
		return
	}
	if s.before != nil && s.before(len(s.calls), w, in.Entries) {
		return
	}
	s.take(w, in.Entries)
}

func (s *server) take(w http.ResponseWriter, entries []entry) {
	var out struct {
		Entries          []result
		FailedEntryCount int
	}
	for i, e := range entries {
		if s.refuse != nil {
			if r := s.refuse(len(s.calls), e); r != nil {
				out.Entries = append(out.Entries, *r)
				out.FailedEntryCount++
				continue
			}
		}
		id := fmt.Sprintf("17793124-05d4-b198-2fde-%06d%06d", len(s.calls), i)
		out.Entries = append(out.Entries, result{EventID: id})
		s.envelopes = append(s.envelopes, envelope(s.t, id, e))
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.t.Errorf("reply: %v", err)
	}
}

// envelope is what EventBridge hands to a target.
func envelope(t *testing.T, id string, e entry) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": e.DetailType, "source": e.Source, "account": "123456789012",
		"time": time.Unix(int64(e.Time), 0).UTC().Format(time.RFC3339), "region": "eu-west-1", "resources": []string{},
		"detail": json.RawMessage(e.Detail),
	})
	if err != nil {
		t.Errorf("envelope: %v", err)
	}
	return b
}

// ids returns the ids of the entries of every call.
func (s *server) ids() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out [][]string
	for _, call := range s.calls {
		var ids []string
		for _, e := range call {
			ids = append(ids, e.id())
		}
		out = append(out, ids)
	}
	return out
}

// fail answers as EventBridge does.
func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("x-amzn-RequestId", "7d3f6f2e-0000-0000-0000-000000000000")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
}

// hang closes the connection without an answer.
func hang(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// waits records the pauses that a bus asked for, and returns at once.
type waits struct {
	asked []time.Duration
	err   error
}

func (w *waits) wait(_ context.Context, d time.Duration) error {
	w.asked = append(w.asked, d)
	return w.err
}

func config(endpoint string, w *waits) eventbridge.Config {
	return eventbridge.Config{
		Bus: "firedrill-prod", Region: "eu-west-1", Endpoint: endpoint, Wait: w.wait,
		Credentials: func(context.Context) (eventbridge.Credentials, error) {
			return eventbridge.Credentials{AccessKey: accessKey, Secret: secret, Token: token}, nil
		},
	}
}

func open(t *testing.T, c eventbridge.Config) *eventbridge.Bus {
	t.Helper()
	b, err := eventbridge.Open(c)
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// numbered returns n events with the ids e1, e2 and so on.
func numbered(t *testing.T, n int) []events.Event {
	t.Helper()
	var out []events.Event
	for i := 1; i <= n; i++ {
		out = append(out, note(t, fmt.Sprintf("e%d", i), "noted"))
	}
	return out
}

func note(t *testing.T, id, text string) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{
		ID: id, Source: "/firedrill/prod/chatops", Subject: "d1", Time: time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC), Cause: "c0",
		Traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}, events.Note{Drill: "d1", Text: text, Actor: "slack:T1/U1"})
	must(t, err)
	return e
}

// wantUnsent wants an error that names exactly these ids and holds no secret.
func wantUnsent(t *testing.T, err error, ids ...string) *eventbridge.UnsentError {
	t.Helper()
	var unsent *eventbridge.UnsentError
	if !errors.As(err, &unsent) {
		t.Fatalf("error is %v, want an UnsentError", err)
	}
	var got []string
	for _, u := range unsent.Events {
		got = append(got, u.ID)
		if u.Err == nil || !strings.Contains(err.Error(), u.ID) {
			t.Errorf("error %q does not name %s, or has no reason (%v)", err, u.ID, u.Err)
		}
	}
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		t.Errorf("unsent are %v, want %v", got, ids)
	}
	for _, w := range []string{secret, token} {
		if strings.Contains(err.Error(), w) {
			t.Errorf("error %q holds a secret", err)
		}
	}
	return unsent
}
