// Package simulate runs the real handlers, drivers and SDKs against the sandbox and a journal in memory, inside one bubble of virtual
// time (testing/synctest), with faults at every store, bus and vendor call. It is linked into tests only.
package simulate

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// Mode is what simulated drills carry.
const Mode = "SANDBOX"

// Openers are the four drivers.
func Openers() map[drill.Service]driver.Opener {
	return map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.CFG: cfg.Open, drill.OOS: oos.Open, drill.AHAS: ahas.Open}
}

// World is a deployment in one process: journal, sandbox, functions and a queue of events. Its time is the bubble's.
type World struct {
	Box     *sandbox.Sandbox
	Store   *memory.Store
	Journal *journal.Journal
	Funcs   []bundle.Function
	Facts   []events.Event // every fact that was published, in order
	queue   []delivery
	ids     atomic.Uint64
	seed    uint64
	log     *slog.Logger
}

// delivery is one event on its way to one function.
type delivery struct {
	to      bundle.Function
	event   events.Event
	attempt int
}

// Options shape a world.
type Options struct {
	Seed      uint64
	Catalog   *catalog.Catalog
	Log       *slog.Logger
	Transport func(http.RoundTripper) http.RoundTripper // wraps the way to the sandbox
}

// New makes a world. It must be called inside a synctest bubble.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{Store: memory.New(), seed: o.Seed, log: o.Log}
	w.Box = sandbox.New(sandbox.Options{Real: time.Now, ID: w.hex})
	w.Journal = journal.Open(w.Store, journal.Options{Now: time.Now, Nonce: func() string { return w.hex(20) }, Mode: Mode})
	rt := w.Box.Transport()
	if o.Transport != nil {
		rt = o.Transport(rt)
	}
	root, err := w.Journal.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.Funcs = bundle.Functions(bundle.Options{
		Deployment: "sim", Mode: Mode, Journal: w.Journal, Catalog: func() *catalog.Catalog { return o.Catalog }, Services: services(rt, root),
		Now: time.Now, Wait: wait, Nonce: func() string { return w.hex(20) }, Patience: func(context.Context) <-chan struct{} { return nil },
		Prober: NoProber{}, Reporter: NoReporter{}, Link: func(id string) string { return "/r/" + id }, Log: o.Log,
	})
	return w
}

func services(rt http.RoundTripper, root string) *provider.Services {
	return provider.New(provider.Options{Openers: Openers(), Wait: wait, Config: func(_ drill.Service, a drill.Account) (driver.Config, error) {
		return driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Endpoint: "http://127.0.0.1:8081", Root: root, Transport: rt,
			Credentials: func(context.Context) (driver.Credentials, error) {
				return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
			}}, nil
	}})
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// hex returns n hexadecimal digits that depend on the seed and the call's number alone.
func (w *World) hex(n int) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%d", w.seed, w.ids.Add(1))
	r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	b := make([]byte, (n+1)/2)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(b)[:n]
}

// NoProber measures nothing: every sample is good.
type NoProber struct{}

// Measure returns a good sample.
func (NoProber) Measure(_ context.Context, c drill.Claim) drill.Sample {
	return drill.Sample{Claim: c.ID, At: time.Now(), Good: true, Detail: "200 in 1ms"}
}

// NoReporter keeps no report.
type NoReporter struct{}

// Keep does nothing.
func (NoReporter) Keep(context.Context, *drill.Drill) error { return nil }

// Publish queues events for the functions that subscribe to them.
func (w *World) Publish(_ context.Context, out ...events.Event) error {
	for _, e := range out {
		if events.Sequence(e) > 0 {
			w.Facts = append(w.Facts, e)
		}
		for _, f := range w.Funcs {
			for _, t := range f.Types {
				if t == e.Type() {
					w.queue = append(w.queue, delivery{to: f, event: e})
				}
			}
		}
	}
	return nil
}

// Drain delivers everything that is queued, and what follows from it.
func (w *World) Drain(ctx context.Context, t testing.TB) {
	t.Helper()
	for n := 0; len(w.queue) > 0; n++ {
		if n > 2000 {
			t.Fatal("events go round in circles")
		}
		d := w.queue[0]
		w.queue = w.queue[1:]
		h := function.Publishing(d.to.Handle, w, w.Journal)
		if _, err := h(ctx, d.event); err != nil && d.attempt < 2 {
			w.log.Info("again", "function", d.to.Name, "type", d.event.Type(), "error", err)
			d.attempt++
			w.queue = append(w.queue, d)
		}
	}
}

// Send publishes a command or signal and delivers what follows. It returns the event's id.
func (w *World) Send(ctx context.Context, t testing.TB, p events.Payload) string {
	t.Helper()
	id := "cmd-" + w.hex(12)
	e, err := events.New(events.Envelope{ID: id, Source: "/test", Time: time.Now()}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Publish(ctx, e); err != nil {
		t.Fatal(err)
	}
	w.Drain(ctx, t)
	return id
}

// Tick sends the minute's tick and delivers what follows.
func (w *World) Tick(ctx context.Context, t testing.TB) {
	t.Helper()
	w.Box.Tick()
	w.Send(ctx, t, events.Tick{At: time.Now().Truncate(time.Minute)})
}

// Start asks for a drill and returns its id.
func (w *World) Start(ctx context.Context, t testing.TB, plan string, params map[string]any) string {
	t.Helper()
	return events.ID("drill", "/test", w.Send(ctx, t, events.Start{Plan: plan, Actor: "test:acme/alice", Parameters: params}))
}

// Until ticks every minute until the drill satisfies ok, at most n times.
func (w *World) Until(ctx context.Context, t testing.TB, id string, n int, ok func(*drill.Drill) bool) *drill.Drill {
	t.Helper()
	for range n {
		d, err := w.Journal.Load(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if ok(d) {
			return d
		}
		time.Sleep(time.Minute)
		w.Tick(ctx, t)
	}
	t.Fatalf("after %d ticks:\n%s", n, w.Timeline(ctx, id))
	return nil
}

// Timeline prints a drill's entries.
func (w *World) Timeline(ctx context.Context, id string) string {
	entries, err := w.Journal.Entries(ctx, id)
	if err != nil {
		return err.Error()
	}
	s := ""
	for _, e := range entries {
		d, err := e.State()
		if err != nil {
			return err.Error()
		}
		s += fmt.Sprintf("%3d %s %-10s %s: %s\n", e.Rev, e.At.Format("15:04:05"), d.Status, e.Actor, e.Change)
	}
	return s
}
