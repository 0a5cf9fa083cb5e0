package chatops_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	key     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	nextKey = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	first   = "k7m2q4x9a3bcd"
	second  = "k7zzz4x9a3bcd"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// world is everything around the function; each part can be made to fail.
type world struct {
	t         testing.TB
	published []events.Event
	inputs    []string
	publish   error
	// publishCommands fails what is no answer to a person.
	publishCommands error
	looked          bool // asked which buttons were pressed
	input           error
	read            error
	newest          int // how often the index was read
	drills          []*drill.Drill
	clock           time.Time
	log             bytes.Buffer
	threads         map[string]string
	presses         map[string]string
	halted          []string
	denied          []journal.Denial
	policy          access.Policy
	hook            *webhook.Receiver
	handler         http.Handler
	f               *chatops.Function
}

func (w *world) Publish(_ context.Context, out ...events.Event) error {
	if w.publishCommands != nil && out[0].Type() != events.TypeReply {
		return w.publishCommands
	}
	if w.publish == nil {
		w.published = append(w.published, out...)
	}
	return w.publish
}

func (w *world) Plans(context.Context) ([]chatops.Plan, error) {
	limit := 600.0
	return []chatops.Plan{
		{Plan: drill.Plan{Name: "checkout-az-outage", Title: "Checkout survives", Service: drill.FIS, Environment: "production", MaxDuration: drill.Duration(30 * time.Minute),
			Timezone: "Europe/Berlin", StopOn: []string{"checkout-5xx"}, Approval: drill.Approval{Need: 1}}, Next: now.Add(time.Hour)},
		{Plan: drill.Plan{Name: "cart-cpu", Title: "Cart \u202eunder\nload", Service: drill.CFG, Environment: "staging",
			Parameters: map[string]drill.Parameter{"seconds": {Type: "int", Default: 180, Max: &limit}, "note": {Type: "string", Default: "none"}}}},
	}, w.read
}

func (w *world) Active(context.Context) ([]string, error) {
	var ids []string
	for _, d := range w.drills {
		if !d.Status.Ended() {
			ids = append(ids, d.ID)
		}
	}
	return ids, w.read
}

func (w *world) Newest(_ context.Context, prefix string) ([]string, error) {
	w.newest++
	var ids []string
	for _, d := range w.drills {
		if strings.HasPrefix(d.ID, prefix) {
			ids = append(ids, d.ID)
		}
	}
	return ids, w.read
}

func (w *world) Drill(_ context.Context, id string) (*drill.Drill, error) {
	for _, d := range w.drills {
		if d.ID == id {
			return d, w.read
		}
	}
	return nil, errors.Join(w.read, journal.ErrNotFound)
}

func (w *world) Halted(context.Context) ([]string, error) { return w.halted, w.read }

func (w *world) Report(_ context.Context, id string) ([]byte, error) {
	if id == first {
		return []byte("<p>the report</p>"), nil
	}
	return nil, journal.ErrNotFound
}

func (w *world) ThreadDrill(_ context.Context, place, thread string) (string, error) {
	return w.threads[place+" "+thread], nil
}

func (w *world) Pressed(_ context.Context, token, actor string) (string, error) {
	w.looked = true
	return w.presses[token+" "+actor], nil
}

func (w *world) Press(_ context.Context, token, actor, by string) error {
	w.presses[token+" "+actor] = by
	return nil
}

func (w *world) Deny(_ context.Context, d journal.Denial) error {
	w.denied = append(w.denied, d)
	return nil
}

func (w *world) Stop(_ context.Context, p events.Stop) error {
	w.inputs = append(w.inputs, "stop "+p.Drill+" "+p.Actor+" "+p.Reason)
	return w.input
}

func (w *world) Halt(_ context.Context, p events.Halt) error {
	w.inputs = append(w.inputs, "halt "+p.Scope+" "+p.Actor+" "+p.Reason)
	return w.input
}

func (w *world) Approve(_ context.Context, p events.Approve) error {
	if len(w.published) > 0 {
		w.t.Error("published before it was recorded")
	}
	w.inputs = append(w.inputs, "approve "+p.Drill+" "+p.Actor+" "+p.Note)
	return w.input
}

func newWorld(t testing.TB) *world {
	t.Helper()
	secrets, err := webhook.ParseSecrets(key + "," + nextKey)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: now, threads: map[string]string{}, presses: map[string]string{}, hook: &webhook.Receiver{Secrets: secrets, Tenants: []string{"acme"}}}
	w.policy = access.Policy{Bindings: []access.Binding{{Role: "admin", To: "webhook:acme/alice"}}}
	stop := &drill.StopState{RequestedAt: now.Add(-time.Minute), By: "alarm:local/x"}
	w.drills = []*drill.Drill{
		{ID: first, Mode: "SANDBOX", Status: drill.Stopping, Stop: stop, Plan: drill.Plan{Name: "checkout-az-outage", Title: "Checkout",
			Expect: []drill.Claim{{ID: "c1", Claim: "it answers"}, {ID: "c2", Claim: "no order is lost", Ask: "owner"}}}, Claims: make([]drill.ClaimState, 2)},
		{ID: second, Mode: "SANDBOX", Status: drill.Waiting, Plan: drill.Plan{Name: "cart-cpu"}, Gates: []drill.Gate{{ID: "2@5", Choices: []drill.Choice{{Action: drill.Execute}}}}},
	}
	w.f = &chatops.Function{
		Receivers: map[chat.Platform]chat.Receiver{chat.Webhook: w.hook}, Access: func() access.Policy { return w.policy },
		Publisher: w, Reader: w, Inputs: w, Memory: w, Now: func() time.Time { return w.clock },
		Source: "/firedrill/test/chatops", Mode: "SANDBOX", Link: func(id string) string { return "http://127.0.0.1:8080/r/" + id },
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
		Log:     slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	w.handler = w.f.Handler()
	return w
}

// request is a signed request that a test can spoil.
func request(t testing.TB, id, body string) *http.Request {
	t.Helper()
	secrets, err := webhook.ParseSecrets(nextKey)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/chat/webhook", strings.NewReader(body))
	if err := webhook.Sign(r.Header, id, now, []byte(body), secrets); err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) serve(r *http.Request) (int, webhook.Reply, string) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	raw := rec.Body.String()
	var reply webhook.Reply
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil {
		w.t.Fatalf("answer %d is no JSON: %s", rec.Code, raw)
	}
	return rec.Code, reply, raw
}

func body(text string) string {
	b, _ := json.Marshal(map[string]string{"text": text, "user": "alice", "tenant": "acme", "channel": "C1"})
	return string(b)
}

// say sends one command with an id of its own.
func (w *world) say(id, text string) (int, webhook.Reply) {
	w.t.Helper()
	code, reply, _ := w.serve(request(w.t, id, body(text)))
	return code, reply
}

// payload decodes the one event that was published.
func payload[T events.Payload](t *testing.T, w *world) (events.Event, T) {
	t.Helper()
	if len(w.published) != 1 {
		t.Fatalf("%d events published", len(w.published))
	}
	p, err := events.Decode[T](w.published[0])
	if err != nil {
		t.Fatal(err)
	}
	return w.published[0], p
}

func TestStart_BecomesACommandThatExpires(t *testing.T) {
	w := newWorld(t)
	code, reply := w.say("m1", `/drill start cart-cpu seconds=60 note=“two words” dry-run`)
	if code != http.StatusOK {
		t.Fatal(code, reply)
	}
	e, p := payload[events.Start](t, w)
	if p.Plan != "cart-cpu" || p.Actor != "webhook:acme/alice" || !p.DryRun || fmt.Sprint(p.Parameters) != "map[note:two words seconds:60]" {
		t.Errorf("payload %+v", p)
	}
	if !p.ExpiresAt.Equal(now.Add(15*time.Minute)) || e.Subject() != "cart-cpu" || e.Source() != "/firedrill/test/chatops" {
		t.Errorf("event %v", e)
	}
	if len(reply.Events) != 1 || reply.Events[0] != e.ID() || reply.Drill != events.ID("drill", e.Source(), e.ID()) || !strings.HasPrefix(reply.Text, "[SANDBOX] ") {
		t.Errorf("reply %+v", reply)
	}
}

func TestCommands_BecomeEvents(t *testing.T) {
	soon := now.Add(15 * time.Minute)
	const alice = "webhook:acme/alice"
	for text, want := range map[string]events.Payload{
		"advance k7m2":                    events.Advance{Drill: first, Action: "execute", Actor: alice, ExpiresAt: soon},
		"advance K7ZZ 3":                  events.Advance{Drill: second, Step: "3", Action: "execute", Actor: alice, ExpiresAt: soon},
		"skip k7m2 3":                     events.Advance{Drill: first, Step: "3", Action: "skip", Actor: alice, ExpiresAt: soon},
		"retry k7m2":                      events.Advance{Drill: first, Action: "retry", Actor: alice, ExpiresAt: soon},
		"resume k7m2":                     events.Advance{Drill: first, Action: "resume", Actor: alice, ExpiresAt: soon},
		"approve k7zz ok for me":          events.Approve{Drill: second, Note: "ok for me", Actor: alice, ExpiresAt: soon},
		"reject k7zz not now":             events.Reject{Drill: second, Note: "not now", Actor: alice, ExpiresAt: soon},
		"stop k7m2 it's slow":             events.Stop{Drill: first, Reason: "it's slow", Actor: alice},
		"stop all":                        events.Stop{Drill: "all", Actor: alice},
		"stop " + second:                  events.Stop{Drill: second, Actor: alice},
		"halt env/production incident 42": events.Halt{Scope: "environment/production", Reason: "incident 42", Actor: alice},
		"release all over now":            events.Release{Scope: "all", Reason: "over now", Actor: alice},
		"note k7m2 cache was cold":        events.Note{Drill: first, Text: "cache was cold", Actor: alice},
		"answer k7m2 c2 no two lost":      events.Answer{Drill: first, Claim: "c2", Note: "two lost", Actor: alice},
		"conclude k7m2 expected all well": events.Conclude{Drill: first, Verdict: "expected", Summary: "all well", Actor: alice},
	} {
		t.Run(text, func(t *testing.T) {
			w := newWorld(t)
			code, reply := w.say("m1", text)
			if code != http.StatusOK || len(w.published) != 1 || len(reply.Events) != 1 {
				t.Fatalf("answer %d %+v, %d events", code, reply, len(w.published))
			}
			got, wantJSON := w.published[0], new(bytes.Buffer)
			if err := json.NewEncoder(wantJSON).Encode(want); err != nil {
				t.Fatal(err)
			}
			if got.Type() != want.EventType() || string(got.Data()) != strings.TrimSpace(wantJSON.String()) {
				t.Errorf("got %s %s\nwant %s %s", got.Type(), got.Data(), want.EventType(), wantJSON)
			}
		})
	}
}

func TestStop_NeedsNobodyElse(t *testing.T) {
	for _, text := range []string{"stop all", "stop " + first, "halt"} {
		w := newWorld(t)
		w.read, w.publish = errors.New("journal is slow"), errors.New("bus is down")
		code, reply := w.say("m1", text)
		if code != http.StatusOK || len(w.inputs) != 1 || len(reply.Events) != 1 {
			t.Errorf("%s, bus down: %d %+v, inputs %v", text, code, reply, w.inputs)
		}
		w = newWorld(t)
		w.read, w.input = errors.New("journal is slow"), errors.New("journal is down")
		code, reply = w.say("m1", text)
		if code != http.StatusOK || len(w.published) != 1 || len(reply.Events) != 1 {
			t.Errorf("%s, journal down: %d %+v, published %v", text, code, reply, w.published)
		}
		w = newWorld(t)
		w.publish, w.input = errors.New("bus is down: key hunter2"), errors.New("journal is down")
		code, reply = w.say("m1", text)
		if code != http.StatusServiceUnavailable || len(reply.Events) != 0 || strings.Contains(reply.Text, "hunter2") {
			t.Errorf("%s, both down: %d %+v", text, code, reply)
		}
		w.publish, w.input = nil, nil
		if code, _ = w.say("m1", text); code != http.StatusOK || len(w.published) != 1 {
			t.Errorf("%s, sent again: %d, %d events", text, code, len(w.published))
		}
	}
}

func TestStop_AskedForBeforeIsPublishedAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.input = fmt.Errorf("%w: alice asked for the stop", drill.ErrAnswered)
	code, reply := w.say("m1", "stop k7m2")
	if code != http.StatusOK || len(w.published) != 1 || !strings.Contains(reply.Text, "alice asked") {
		t.Errorf("%d %+v, %d events", code, reply, len(w.published))
	}
}

func TestApprove_AnAnswerOfTheJournalEndsIt(t *testing.T) {
	for _, err := range []error{drill.ErrAnswered, drill.ErrForbidden} {
		w := newWorld(t)
		w.input = fmt.Errorf("%w: bob was first", err)
		code, reply := w.say("m1", "approve k7zz")
		if code != http.StatusOK || len(w.published) != 0 || !strings.Contains(reply.Text, "bob was first") || len(reply.Events) != 0 {
			t.Errorf("%v: %d %+v, %d events", err, code, reply, len(w.published))
		}
	}
}

func TestRedelivery_ActsOnce(t *testing.T) {
	w := newWorld(t)
	_, one := w.say("m1", "stop k7m2")
	_, two := w.say("m1", "stop k7m2")
	if len(w.published) != 1 || len(w.inputs) != 1 || one.Events[0] != two.Events[0] || one.Text != two.Text {
		t.Errorf("%d events, inputs %v, replies %+v %+v", len(w.published), w.inputs, one, two)
	}
	other := newWorld(t) // another instance
	_, three := other.say("m1", "stop k7m2")
	if three.Events[0] != one.Events[0] {
		t.Errorf("another instance made another command: %s, %s", three.Events[0], one.Events[0])
	}
	_, four := w.say("m2", "stop k7m2")
	if four.Events[0] == one.Events[0] {
		t.Error("another request has the same command")
	}
	_, five := w.say("m3", "stop all")
	_, six := w.say("m3", "halt all")
	if five.Events[0] == six.Events[0] {
		t.Error("two commands have the same id")
	}
}

func TestUserErrors_AreAnsweredAndNothingIsDone(t *testing.T) {
	for text, want := range map[string]string{
		"strat x":                   `Did you mean "start"`,
		"start checkuot-az-outage":  `did you mean "checkout-az-outage"`,
		"start nothing-like-it-all": "/drill list",
		"start cart-cpu 60":         `"60"`,
		"advance k7":                "2 drills begin with",
		"stop k7":                   first,
		"stop zz":                   "no drill's id begins",
		"status zz":                 "no drill's id begins",
		"plan nope":                 "there is no plan",
		"note k7m2":                 "the text is missing",
	} {
		t.Run(text, func(t *testing.T) {
			w := newWorld(t)
			code, reply := w.say("m1", text)
			if code != http.StatusOK || !strings.Contains(reply.Text, want) {
				t.Errorf("answer %d %q, want %q in it", code, reply.Text, want)
			}
			if len(w.inputs)+len(w.published)+len(reply.Events) != 0 {
				t.Errorf("something was done: %v %v", w.inputs, w.published)
			}
		})
	}
}

func TestReading_AnswersDirectly(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "/drill start NAME",
		"help stop":               "/drill stop ID|all",
		"list":                    "[SANDBOX] 2 plan(s):\ncheckout-az-outage: Checkout survives (fis, production)\ncart-cpu: Cart under load (cfg, staging)",
		"plan cart-cpu":           "seconds=int, default 180, at most 600",
		"plan checkout-az-outage": "needs 1 approval(s)\nstopped by checkout-5xx\nit takes no parameters",
		"next":                    "[SANDBOX] 1 plan(s):\ncheckout-az-outage: 2026-11-24 11:00:00 +01:00",
		"next cart-cpu":           "no schedule starts it",
		"status":                  "[SANDBOX] k7m2q4x9 checkout-az-outage: stopping, Checkout\n[SANDBOX] k7zzz4x9 cart-cpu: waiting",
		"status k7m2":             "stop requested: 2026-11-24 08:59:00 +00:00 by alarm:local/x\nstopped: not confirmed\nrestored: not confirmed",
		"status K7ZZ":             "waits at 2@5: execute",
		"report k7m2":             "http://127.0.0.1:8080/r/" + first + " (the drill is stopping: the report is not final)",
	} {
		t.Run(text, func(t *testing.T) {
			w := newWorld(t)
			code, reply := w.say("m1", text)
			if code != http.StatusOK || !strings.Contains(reply.Text, want) || strings.Contains(reply.Text, "\u202e") {
				t.Errorf("answer %d\n%s\nwant\n%s", code, reply.Text, want)
			}
			if len(w.inputs)+len(w.published) != 0 {
				t.Error("something was done")
			}
		})
	}
	w := newWorld(t)
	w.read = errors.New("hunter2")
	if code, reply := w.say("m1", "status"); code != http.StatusServiceUnavailable || strings.Contains(reply.Text, "hunter2") {
		t.Errorf("journal down: %d %+v", code, reply)
	}
}
