package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/setup"
)

// kept is a dead-letter target.
type kept struct {
	mu       sync.Mutex
	payloads [][]byte
	fail     error
}

// Send keeps a payload.
func (k *kept) Send(_ context.Context, payload []byte, _ string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.payloads = append(k.payloads, payload)
	return k.fail
}

// published is a bus.
type published struct {
	mu  sync.Mutex
	out []events.Event
}

// Publish keeps events.
func (p *published) Publish(_ context.Context, out ...events.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out, out...)
	return nil
}

type rig struct {
	*host
	dead *kept
	bus  *published
	logs *bytes.Buffer
	got  []events.Event
}

// newRig hosts a function that keeps ticks and alarms and does what handle says.
func newRig(t testing.TB, f Function, handle func(ctx context.Context, e events.Event) ([]events.Event, error)) *rig {
	t.Helper()
	r := &rig{dead: &kept{}, bus: &published{}, logs: &bytes.Buffer{}}
	s, err := setup.Read([]string{"FIREDRILL_JOURNAL=dir:///unused", "FIREDRILL_BUS=https://unused.example.com", "FIREDRILL_DEPLOYMENT=test", "FIREDRILL_BUS_TOKENS=" + token},
		setup.Need{Variable: setup.BusTokens})
	if err != nil {
		t.Fatal(err)
	}
	p := &setup.Setup{Settings: s, Name: "test", Log: newLog(r.logs, slog.LevelDebug), Now: time.Now, Publisher: r.bus, Dead: r.dead}
	p.Journal = journal.Open(memory.New(), journal.Options{Now: time.Now, Nonce: func() string { return "nonce" }})
	if f.Types == nil {
		f.Types = []string{events.TypeTick, events.TypeAlarm}
	}
	f.Handle = func(ctx context.Context, e events.Event) ([]events.Event, error) {
		r.got = append(r.got, e)
		if handle == nil {
			return nil, nil
		}
		return handle(ctx, e)
	}
	r.host = newHost(f, p)
	return r
}

const token = "a-token-of-more-than-24-bytes"

func scheduled() string {
	return `{"id":"1","detail-type":"Scheduled Event","source":"aws.events","time":"2026-11-21T08:00:00Z","detail":{}}`
}

func alarmed(timestamp string) string {
	return `{"detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","time":"2026-11-21T08:00:00Z",
		"detail":{"alarmName":"a","state":{"value":"ALARM","timestamp":"` + timestamp + `"}}}`
}

func TestInvoke_RefusesWhatNoRetryCanMendAndKeepsIt(t *testing.T) {
	cases := []struct{ name, payload string }{
		{"nothing", ""},
		{"no json", `{"detail-type":`},
		{"a list", `[1,2]`},
		{"something unknown", `{"hello":"world"}`},
		{"invalid UTF-8", "{\"detail-type\":\"\xff\"}"},
		{"the detail of an alarm as a string", `{"detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","detail":"{}"}`},
		{"our own event as a string", `{"detail-type":"dev.firedrill.signal.tick.v1","source":"dev.firedrill","detail":"{\"specversion\":\"1.0\"}"}`},
		{"an event of another function", own(`{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.command.stop.v1","data":{"drill":"all","actor":"local:a/b"}}`)},
		{"an event whose payload is wrong", own(`{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.signal.tick.v1","data":{}}`)},
		{"a type of nobody", own(`{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.signal.nothing.v1","data":{}}`)},
		{"one megabyte and more", `{"detail-type":"Scheduled Event","detail":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"ten megabytes", `{"detail":"` + strings.Repeat("x", 10<<20) + `"}`},
		{"an http request for a function that takes none", `{"requestContext":{"http":{"method":"POST"}},"rawPath":"/"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Function{}, nil)
			got, err := (&invoker{r.host}).Invoke(t.Context(), []byte(c.payload))
			if err != nil || string(got) != `{"refused":true}` {
				t.Fatalf("got %s, %v", got, err)
			}
			if len(r.dead.payloads) != 1 || string(r.dead.payloads[0]) != c.payload {
				t.Errorf("%d payloads were kept, not the one that came", len(r.dead.payloads))
			}
			if len(r.got) != 0 || !strings.Contains(r.logs.String(), "payload refused") {
				t.Errorf("the function got %d events; the log has %s", len(r.got), r.logs)
			}
		})
	}
}

func own(event string) string {
	var e struct{ Type string }
	_ = json.Unmarshal([]byte(event), &e) // it is ours
	return `{"detail-type":"` + e.Type + `","source":"dev.firedrill","detail":` + event + `}`
}

func TestInvoke_ARefusalThatCannotBeKeptIsLambdasToKeep(t *testing.T) {
	r := newRig(t, Function{}, nil)
	r.dead.fail = errors.New("the queue is gone")
	if _, err := (&invoker{r.host}).Invoke(t.Context(), []byte(`{}`)); err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("got %v", err)
	}
	r.p.Dead = nil
	if _, err := (&invoker{r.host}).Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("the payload is lost")
	}
}

func TestInvoke_AnErrorOfTheFunctionWantsItAgain(t *testing.T) {
	r := newRig(t, Function{}, func(context.Context, events.Event) ([]events.Event, error) {
		return nil, errors.New("the journal is slow")
	})
	if _, err := (&invoker{r.host}).Invoke(t.Context(), []byte(scheduled())); err == nil {
		t.Error("Lambda was told that all went well")
	}
	if len(r.dead.payloads) != 0 {
		t.Error("a payload that a retry can mend was given up")
	}
	r = newRig(t, Function{}, func(context.Context, events.Event) ([]events.Event, error) {
		return nil, fmt.Errorf("%w: no", events.ErrInvalid)
	})
	if got, err := (&invoker{r.host}).Invoke(t.Context(), []byte(scheduled())); err != nil || len(r.dead.payloads) != 1 {
		t.Errorf("an invalid event: %s, %v, %d kept", got, err, len(r.dead.payloads))
	}
}

// TestAgain_WinsOverARefusal: of two errors one is final; the other wants the event again, on Lambda, from a queue and over HTTP.
func TestAgain_WinsOverARefusal(t *testing.T) {
	r := newRig(t, Function{}, func(context.Context, events.Event) ([]events.Event, error) {
		return nil, fmt.Errorf("two drills: %w", errors.Join(fmt.Errorf("%w: no", events.ErrInvalid), errors.New("not now")))
	})
	if got, err := (&invoker{r.host}).Invoke(t.Context(), []byte(scheduled())); err == nil {
		t.Errorf("Lambda was told %s", got)
	}
	if again, refused := (&invoker{r.host}).deliver(t.Context(), []byte(scheduled())); again == nil || refused != nil {
		t.Errorf("again %v, refused %v", again, refused)
	}
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tickEvent))
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	if r.mux().ServeHTTP(w, req); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a broker was told %d", w.Code)
	}
	if len(r.dead.payloads) != 0 {
		t.Error("it was given up")
	}
}

func TestInvoke_HandlesWhatItCanReadOfManyAndKeepsTheRest(t *testing.T) {
	r := newRig(t, Function{}, nil)
	message := func(m string) string {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return `{"EventSource":"aws:sns","Sns":{"Type":"Notification","TopicArn":"t","Message":` + string(b) + `}}`
	}
	payload := `{"Records":[` + message(`{"AlarmName":"a","NewStateValue":"ALARM","StateChangeTime":"2026-11-21T08:00:00.000+0000"}`) + `,` + message("nonsense") + `]}`
	if _, err := (&invoker{r.host}).Invoke(t.Context(), []byte(payload)); err != nil {
		t.Fatal(err)
	}
	if len(r.got) != 1 || len(r.dead.payloads) != 1 {
		t.Errorf("%d alarms were handled, %d payloads kept", len(r.got), len(r.dead.payloads))
	}
}

func TestInvoke_PublishesWithinTheDeadlineAndLeavesAMargin(t *testing.T) {
	tick, err := events.New(events.Envelope{ID: "out", Source: "/firedrill/test/test", Time: time.Now()}, events.Tick{At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []time.Duration{2 * time.Second, time.Minute} {
		end := time.Now().Add(left)
		ctx, cancel := context.WithDeadline(t.Context(), end)
		r := newRig(t, Function{}, func(ctx context.Context, _ events.Event) ([]events.Event, error) {
			d, ok := ctx.Deadline()
			if kept, want := end.Sub(d), min(left/10, time.Second); !ok || kept < want/2 || kept > want {
				t.Errorf("with %s left, the margin is %s", left, kept)
			}
			return []events.Event{tick}, nil
		})
		if got, err := (&invoker{r.host}).Invoke(ctx, []byte(scheduled())); err != nil || string(got) != `{"handled":true}` {
			t.Errorf("got %s, %v", got, err)
		}
		if len(r.bus.out) != 1 {
			t.Errorf("%d events were published", len(r.bus.out))
		}
		cancel()
	}
}

func TestInvoke_ALatePayloadIsHandled(t *testing.T) {
	r := newRig(t, Function{}, func(ctx context.Context, _ events.Event) ([]events.Event, error) { return nil, ctx.Err() })
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := (&invoker{r.host}).Invoke(ctx, []byte(scheduled())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an invocation whose time is over: %v", err)
	}
}

func TestRun_ListsEveryMistakeInTheLogAndShowsNoValue(t *testing.T) {
	var out bytes.Buffer
	env := map[string]string{"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "FIREDRILL_BUS": "memory://s3cr3t", "FIREDRILL_MODE": "s3cr3t"}
	var environ []string
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	err := run(t.Context(), process{environ, func(k string) string { return env[k] }, &out}, "start", nil, []setup.Need{{Variable: "FIREDRILL_CATALOG"}})
	if err == nil {
		t.Fatal("it ran")
	}
	for _, name := range []string{"JOURNAL", "BUS", "DEPLOYMENT", "MODE", "CATALOG", "DEADLETTER"} {
		if !strings.Contains(out.String(), `"error":"FIREDRILL_`+name) {
			t.Errorf("the log does not name FIREDRILL_%s:\n%s", name, &out)
		}
	}
	if strings.Contains(out.String(), "s3cr3t") {
		t.Errorf("the log shows a value:\n%s", &out)
	}
}

func TestRun_WithoutARuntime(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), process{nil, func(string) string { return "" }, &out}, "start", nil, nil); err == nil || !strings.Contains(err.Error(), "PORT") {
		t.Errorf("got %v", err)
	}
}

func TestRun_OpensADirectoryAndKeepsRefusedPayloadsThere(t *testing.T) {
	folder := t.TempDir()
	env := []string{"FIREDRILL_JOURNAL=dir://" + folder + "/j", "FIREDRILL_BUS=https://bus.example.com", "FIREDRILL_DEPLOYMENT=t", "FIREDRILL_DEADLETTER=dir://" + folder + "/dead"}
	getenv := func(k string) string { return map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"}[k] }
	var out bytes.Buffer
	h, r, _, err := open(t.Context(), process{env, getenv, &out}, "start", func(context.Context, *setup.Setup) (Function, error) { return Function{}, nil }, nil)
	if err != nil || r.name != "lambda" {
		t.Fatalf("%s, %v", r.name, err)
	}
	if _, err := (&invoker{h}).Invoke(t.Context(), []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "dead", "*.payload"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if data, err := os.ReadFile(files[0]); err != nil || string(data) != "nonsense" {
		t.Errorf("%s, %v", data, err)
	}
}
