package notify_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/local"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

const requested = "[SANDBOX] Requested: Checkout"

func TestNotify_OneBadDestinationKeepsNoOtherBack(t *testing.T) {
	for name, c := range map[string]struct {
		fail    error
		retried bool
	}{
		"it is down":      {&chat.Error{Code: chat.Unavailable, Err: errors.New("503")}, true},
		"it is throttled": {&chat.Error{Code: chat.Throttled, Err: errors.New("429")}, true},
		"it refuses":      {&chat.Error{Code: chat.Denied, Err: errors.New("404")}, false},
		"it is broken":    {errors.New("nobody knows"), true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, channel("bad", "local:bad"), channel("good", "local:good"))
			b.out.fail["local:bad"] = c.fail
			if err := b.handle(b.facts[0]); (err != nil) != c.retried {
				t.Errorf("error %v", err)
			}
			b.want("post local:good " + requested)
			b.out.fail = nil
			if err := b.handle(b.facts[0]); err != nil {
				t.Fatal(err)
			}
			b.want("post local:good "+requested, "post local:bad "+requested)
		})
	}
}

func TestNotify_ADestinationThatCannotBeUsedIsLoggedOnce(t *testing.T) {
	b := newBench(t, channel("x", "webhook:ftp://hunter2/"), channel("good", "local:good"))
	if err := b.handle(b.facts[0]); err != nil {
		t.Errorf("a retry cannot mend it: %v", err)
	}
	b.want("post local:good " + requested)
	if !strings.Contains(b.log.String(), `"code":"invalid"`) || strings.Contains(b.log.String(), "hunter2") {
		t.Errorf("log: %s", b.log)
	}
}

func TestNotify_DeliveredAgainIsPostedOnce(t *testing.T) {
	b := newBench(t, channel("a", "local:a"), channel("b", "local:b"))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := b.handle(b.facts[0]); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := b.handle(b.facts[0]); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.out.all(), "\n") + 1; got != 2 {
		t.Errorf("%d messages:\n%s", got, b.out.all())
	}
}

func TestNotify_ADeliveryThatCannotBeRecordedIsNotAnError(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	b.j.put = errors.New("disk full")
	if err := b.handle(b.facts[0]); err != nil {
		t.Errorf("sending it again would not help: %v", err)
	}
	b.want("post local:a " + requested)
	if !strings.Contains(b.log.String(), "may come twice") {
		t.Errorf("log: %s", b.log)
	}
}

func TestNotify_WhenTheJournalCannotSayWhatWasDeliveredItWaits(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	b.j.object = errors.New("timeout")
	if err := b.handle(b.facts[0]); err == nil {
		t.Error("no error")
	}
	b.want("")
}

func TestNotify_UnreadableDrillGoesToTheDefaultChannelsAndIsRetried(t *testing.T) {
	b := newBench(t, channel("a", "local:a"), channel("default", "local:default"))
	b.f.Channels = []drill.Channel{channel("default", "local:default")}
	b.j.load = errors.New("timeout")
	if err := b.handle(b.facts[0]); err == nil {
		t.Error("no error: the plan's channels would never get it")
	}
	b.want("post local:default " + requested)
	b.j.load = nil
	if err := b.handle(b.facts[0]); err != nil {
		t.Fatal(err)
	}
	b.want("post local:default "+requested, "post local:a "+requested)
}

func TestNotify_UnknownDrill(t *testing.T) {
	refused, err := events.New(events.Envelope{ID: "r1", Source: "/firedrill/test/start", Subject: "nosuchdrill00", Time: now},
		events.Refused{About: events.About{Drill: "nosuchdrill00", Plan: "chekout", Mode: "SANDBOX", Status: "refused", At: now}, Check: "catalogue", Reason: "there is no plan"})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, channel("a", "local:a"))
	if err := b.handle(refused); err != nil {
		t.Errorf("no default channel: %v", err)
	}
	b.want("")
	b.f.Channels = []drill.Channel{channel("default", "local:default")}
	if err := b.handle(refused); err != nil {
		t.Fatal(err)
	}
	b.want("post local:default [SANDBOX] Refused: chekout")
}

func TestNotify_AnAnswerWithoutARevGoesToTheDrillsChannels(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	answer, err := events.New(events.Envelope{ID: "r1", Source: "/firedrill/test/advance", Subject: b.drill.ID, Time: now},
		events.Refused{About: events.About{Drill: b.drill.ID, Plan: "-", Mode: "SANDBOX", Status: "unchanged", At: now}, Check: "gate", Reason: "already answered"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.handle(answer); err != nil {
		t.Fatal(err)
	}
	b.want("post local:a [SANDBOX] Refused: Checkout")
}

func TestNotify_WhatIsNoFactIsDropped(t *testing.T) {
	tick, err := events.New(events.Envelope{ID: "t", Source: "/x", Time: now}, events.Tick{At: now})
	if err != nil {
		t.Fatal(err)
	}
	broken := tick.Clone()
	broken.SetType(events.TypeStarted)
	path := tick.Clone()
	path.SetType(events.TypeStarted)
	if err := path.SetData("application/json", events.About{Drill: "../../x", Plan: "p", Mode: "LIVE", Status: "running", At: now}); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, channel("a", "local:a"))
	for _, e := range []events.Event{tick, broken, path, {}} {
		if err := b.handle(e); err != nil {
			t.Errorf("%s: %v", e.Type(), err)
		}
	}
	b.want("")
}

func TestNotify_TellsTheStateOfTheFactNotOfToday(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	var text string
	b.f.Senders = chat.New(nil, sendFunc(func(m chat.Message) { text = m.Text }))
	stopping := b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		if _, err := d.Intend(drill.Main, "me", nil, 0, now); err != nil {
			return drill.Change{}, err
		}
		if _, err := d.SetRun(drill.Main, "EXP1", false, now); err != nil {
			return drill.Change{}, err
		}
		return d.AskStop(drill.StopByPerson, "webhook:acme/alice", "slow", "me", now)
	})
	b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		return d.Observe(drill.Observation{Run: drill.Run{Role: drill.Main, ID: "EXP1"}, Phase: drill.PhaseStopped, Vendor: "stopped", Quiet: true, Restoration: drill.RestoreDone}, now)
	})
	if err := b.handle(stopping[len(stopping)-1]); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "2. Stopped at the service: not confirmed") || !strings.Contains(text, "1. Stop requested: 2026-11-24 10:00:00 +01:00 by webhook:acme/alice") {
		t.Errorf("text:\n%s", text)
	}
}

type sendFunc func(chat.Message)

func (f sendFunc) Post(_ context.Context, _ chat.Address, m chat.Message) (chat.Posted, error) {
	f(m)
	return chat.Posted{}, nil
}
func (f sendFunc) Update(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, chat.ErrUnsupported
}
func (f sendFunc) Reply(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, chat.ErrUnsupported
}
func (f sendFunc) Capabilities(chat.Address) chat.Capabilities { return chat.Capabilities{} }

// progressed makes a progress fact of a rev that exists.
func (b *bench) progressed(id string, at time.Time, e *events.Escalation) events.Event {
	b.t.Helper()
	ev, err := events.New(events.Envelope{ID: id, Source: "/firedrill/test/poll", Subject: b.drill.ID, Time: at, Sequence: 1},
		events.Progressed{About: events.About{Drill: b.drill.ID, Plan: "checkout", Title: "Checkout", Mode: "SANDBOX", Status: "running", Rev: 1, At: at, Escalation: e}, Changes: []string{id}})
	if err != nil {
		b.t.Fatal(err)
	}
	return ev
}

// step appends a rev that tells the progress of steps.
func (b *bench) step(at time.Time) events.Event {
	b.t.Helper()
	return b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		d.ProgressedAt = at
		about := events.About{Drill: d.ID, Plan: "checkout", Title: "Checkout", Mode: "SANDBOX", Status: "running", Rev: d.Rev + 1, At: at}
		return drill.Change{What: "progress", Facts: []events.Payload{events.Progressed{About: about, Changes: []string{"step is running"}}}}, nil
	})[0]
}

func TestNotify_OfProgressOnlyWhatIsOlderIsLeftOut(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	old := b.step(now.Add(-time.Hour))
	b.all([]events.Event{
		b.step(now),
		b.step(now.Add(10 * time.Second)),
		old, // hours late
		b.progressed("stuck", now.Add(5*time.Second), &events.Escalation{Level: 1, Reason: "stuck"}),
		b.progressed("vote", now.Add(-time.Minute), nil), // late too, and no step
	})
	const line = "post local:a [SANDBOX] Progress: Checkout"
	b.want(line, line, "post local:a [SANDBOX] ESCALATION 1: Progress: Checkout", line)
}

func TestNotify_ProgressOfStepsIsOneMessageAndNoOther(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	b.out.can = chat.Capabilities{Reply: true, Update: true}
	b.all(b.facts)
	b.all([]events.Event{b.step(now)})
	b.all([]events.Event{b.progressed("vote", now.Add(time.Second), nil)})
	b.all([]events.Event{b.step(now.Add(30 * time.Second))})
	b.all([]events.Event{b.step(now.Add(-time.Hour))}) // too old to be told; the first message is edited all the same
	const reply, edit = "reply 1 local:a [SANDBOX] Progress: Checkout", "update 1 local:a " + requested
	b.want("post local:a "+requested, reply, edit, reply, "update 2 local:a [SANDBOX] Progress: Checkout", edit, edit)
}

func TestNotify_WhatTheDomainTellsOfStepsReplacesWhatItToldBefore(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	b.out.can = chat.Capabilities{Reply: true, Update: true}
	b.all(b.facts)
	b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		return d.Intend(drill.Main, "me", nil, 0, now)
	})
	b.all(b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		return d.SetRun(drill.Main, "EXP1", false, now)
	}))
	before := len(b.out.got)
	for i, state := range []drill.StepState{drill.StepPending, drill.StepRunning, drill.StepDone} {
		at := now.Add(time.Duration(i+1) * time.Minute)
		b.all(b.change(func(d *drill.Drill, _ time.Time) (drill.Change, error) {
			return d.Observe(drill.Observation{
				Run: drill.Run{Role: drill.Main, ID: "EXP1"}, Phase: drill.PhaseRunning, Vendor: "running",
				Steps: []drill.Step{{ID: "1", Name: "cut", Kind: drill.FaultStep, State: state}},
			}, at)
		}))
	}
	var progress []string
	for _, line := range b.out.got[before:] {
		if strings.Contains(line, "Progress:") {
			progress = append(progress, strings.Fields(line)[0])
		}
	}
	if len(progress) < 2 || strings.Count(strings.Join(progress, " "), "reply") != 1 {
		t.Errorf("%v", b.out.got)
	}
}

func TestNotify_OverARealWebhook(t *testing.T) {
	secrets, err := webhook.ParseSecrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	var ids sync.Map
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids.Store(r.Header.Get(webhook.HeaderID), true)
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	sender, err := webhook.New(webhook.Options{Secrets: secrets, Now: func() time.Time { return now }, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, channel("hook", "webhook:"+server.URL+"/hunter2"), channel("console", "log:"))
	var console bytes.Buffer
	b.f.Senders = chat.New(map[chat.Platform]chat.Sender{chat.Webhook: sender, chat.Local: local.New(&console)}, nil)
	if err := b.handle(b.facts[0]); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("first: %v", err)
	}
	for range 2 {
		if err := b.handle(b.facts[0]); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if calls.Load() != 2 || n != 1 {
		t.Errorf("%d calls with %d ids, want 2 with 1", calls.Load(), n)
	}
	if got := strings.Count(console.String(), requested); got != 1 {
		t.Errorf("console has it %d times:\n%s", got, console.String())
	}
	if strings.Contains(b.log.String(), "hunter2") {
		t.Errorf("log shows a secret: %s", b.log)
	}
}
