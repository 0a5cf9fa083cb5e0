package functions

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/journal"
)

// silent is a bus and a room that cost nothing.
type silent struct{}

func (silent) Publish(context.Context, ...events.Event) error { return nil }

func (silent) Post(_ context.Context, to chat.Address, _ chat.Message) (chat.Posted, error) {
	return chat.Posted{To: to.String(), ID: "1"}, nil
}

func (silent) Update(_ context.Context, p chat.Posted, _ chat.Message) (chat.Posted, error) {
	return p, nil
}

func (silent) Reply(_ context.Context, p chat.Posted, _ chat.Message) (chat.Posted, error) {
	return p, nil
}

func (silent) Capabilities(chat.Address) chat.Capabilities { return chat.Capabilities{} }

// BenchmarkEvent measures what one event costs each function besides I/O: reading the platform's payload, the handler over a journal in
// memory, encoding what follows, the log. cpu-us/op is the process's own time on its processors, the collector's included, so that what else the
// machine does is not in it.
func BenchmarkEvent(b *testing.B) {
	for name, one := range eventsOf(b) {
		b.Run(name, func(b *testing.B) {
			do := one(b)
			var from, to syscall.Rusage
			b.ReportAllocs()
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &from) // it cannot fail
			for b.Loop() {
				do()
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &to)
			used := to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano()
			b.ReportMetric(float64(used)/1000/float64(b.N), "cpu-us/op")
		})
	}
}

// eventsOf returns an ordinary event for each function, and the dearest that calls no service.
func eventsOf(b *testing.B) map[string]func(*testing.B) func() {
	var ended drill.Drill
	ready := func(b *testing.B) *rig {
		r := newRig(b, options{catalog: shipped(b)})
		p := shipped(b).Plans()[0]
		d, c := drill.New(drill.Ask{ID: "k7m2q4x9a3bcd", Mode: "SANDBOX", Plan: p, Block: p.Block, Actor: "a:b/c"}, time.Now())
		d.Status = drill.Concluded
		if _, err := r.journal.Commit(b.Context(), d, c, journal.By{Actor: "a:b/c", Cause: "bench", Source: "/bench"}); err != nil {
			b.Fatal(err)
		}
		ended = *d
		return r
	}
	handled := func(name string, payload func(r *rig) []byte) func(*testing.B) func() {
		return func(b *testing.B) func() { r := ready(b); return r.over(name, payload(r)) }
	}
	command := func(p events.Payload) func(r *rig) []byte {
		return func(r *rig) []byte { return bridged(r.event(p)) }
	}
	at := time.Date(2026, 11, 24, 3, 7, 0, 0, time.UTC) // nothing is due, no orphans are looked for
	return map[string]func(*testing.B) func(){
		"start, a tick":                  handled("start", func(*rig) []byte { return cloudtest.Tick(cloudtest.Rule, at) }),
		"start, a command it refuses":    handled("start", command(events.Start{Plan: "no-such-plan", Actor: "a:b/c"})),
		"poll, a tick":                   handled("poll", func(*rig) []byte { return cloudtest.Tick(cloudtest.Rule, at) }),
		"abort, an alarm nobody names":   handled("abort", command(events.Alarm{Source: "cloudwatch", Name: "other", State: "resolved", At: at})),
		"abort, a stop that is too late": handled("abort", command(events.Stop{Drill: "k7m2q4x9a3bcd", Actor: "a:b/c"})),
		"advance, an answer too late":    handled("advance", command(events.Approve{Drill: "k7m2q4x9a3bcd", Actor: "b:c/d"})),
		"conclude, a fact again":         handled("conclude", func(r *rig) []byte { return bridged(completed(r, &ended)) }),
		"notify, a fact":                 func(b *testing.B) func() { return told(ready(b), &ended) },
		"chatops, a status":              func(b *testing.B) func() { return asked(ready(b), shipped(b)) },
	}
}

func completed(r *rig, d *drill.Drill) events.Event {
	return r.event(events.Completed{About: events.About{Drill: d.ID, Plan: d.Plan.Name, Mode: "SANDBOX", Status: string(drill.Completed), At: time.Now()}})
}

// over returns a call that does all that a host does with a payload.
func (r *rig) over(name string, payload []byte) func() {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	for _, f := range r.funcs {
		if f.Name == name {
			return r.calls(function.Logging(function.Publishing(f.Handle, silent{}, r.journal), log, time.Now), payload)
		}
	}
	r.Fatalf("there is no function %s", name)
	return nil
}

func (r *rig) calls(h function.Handler, payload []byte) func() {
	return func() {
		in, err := inbound.AWS(payload)
		if err != nil {
			r.Fatal(err)
		}
		for _, e := range in {
			if err := events.Check(e); err != nil {
				r.Fatal(err)
			}
			if _, err := h(r.Context(), e); err != nil {
				r.Fatal(err)
			}
		}
	}
}

func told(r *rig, d *drill.Drill) func() {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	f := &notify.Function{Journal: r.journal, Senders: chat.New(nil, silent{}), Link: func(string) string { return "" }, Now: time.Now, Wait: pause, Log: log}
	return r.calls(function.Logging(f.Handle, log, time.Now), bridged(completed(r, d)))
}

func asked(r *rig, plans *catalog.Catalog) func() {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	secrets, err := webhook.ParseSecrets(cloudtest.InSecret)
	if err != nil {
		r.Fatal(err)
	}
	policy := access.Policy{}.With(access.Binding{Role: "viewer", To: "webhook:acme/alice"})
	h := (&chatops.Function{
		Receivers: map[chat.Platform]chat.Receiver{chat.Webhook: &webhook.Receiver{Secrets: secrets}}, Access: func() access.Policy { return policy },
		Publisher: silent{}, Reader: &chatops.Shelf{Journal: r.journal, Catalog: func() *catalog.Catalog { return plans }, Now: time.Now},
		Memory: r.journal, Now: time.Now, Source: "/firedrill/test/chatops", Mode: "SANDBOX", Log: log,
	}).Handler()
	const body = `{"text":"/drill status","user":"alice","tenant":"acme"}`
	n := 0
	return func() {
		n++
		request := httptest.NewRequest(http.MethodPost, "/chat/webhook", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		if err := webhook.Sign(request.Header, fmt.Sprint("msg-", n), time.Now(), []byte(body), secrets); err != nil {
			r.Fatal(err)
		}
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, request); w.Code != http.StatusOK {
			r.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
