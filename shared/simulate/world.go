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
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/ahas"
	"github.com/firedrill/firedrill/shared/provider/cfg"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/fis"
	"github.com/firedrill/firedrill/shared/provider/oos"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Mode is what simulated drills carry.
const Mode = "SANDBOX"

// Openers are the four drivers.
func Openers() map[drill.Service]driver.Opener {
	return map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.CFG: cfg.Open, drill.OOS: oos.Open, drill.AHAS: ahas.Open}
}

// World is a deployment in one process: journal, sandbox, functions and a queue of events. Its time is the bubble's.
type World struct {
	Box       *sandbox.Sandbox
	Store     *memory.Store
	Journal   *journal.Journal
	Funcs     []bundle.Function
	Sched     *Scheduler         // nil: events are handled one after the other, by Drain
	Facts     []events.Event     // every fact that was published, in order
	published func(events.Event) // told of every event that is put on the bus
	store     *store
	wire      *wire
	queue     []delivery
	nonces    atomic.Uint64
	boxIDs    atomic.Uint64
	posts     int
	seed      uint64
	log       *slog.Logger
}

// Options shape a world.
type Options struct {
	Seed     uint64
	Catalog  *catalog.Catalog
	Log      *slog.Logger
	Services []func(service.Env) service.Service // of the sandbox; nil: all four
	Every    time.Duration                       // observe_every
	Decider  decider                             // nil: no scheduler
	Timeout  time.Duration                       // of a function, under a scheduler
	Harm     Harm
}

// New makes a world. It must be called inside a synctest bubble.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{Store: memory.New(), seed: o.Seed, log: o.Log}
	if o.Decider != nil {
		w.Sched = newScheduler(o.Decider, o.Timeout)
	}
	w.Box = sandbox.New(sandbox.Options{Real: time.Now, ID: func(n int) string { return w.hex(&w.boxIDs, n) }, Services: o.Services, Emit: w.pushed})
	w.store = &store{inner: w.Store, sched: w.Sched, harm: o.Harm}
	w.wire = &wire{box: w.Box, inner: w.Box.Transport(), sched: w.Sched, answers: map[string][]answered{}}
	w.Funcs = w.functions(t, o, time.Now)
	if w.Sched != nil {
		fast := w.Funcs
		if o.Harm.FastClock {
			fast = w.functions(t, o, func() time.Time { return time.Now().Add(3 * time.Minute) })
		}
		w.Sched.handler = func(i *instance) function.Handler {
			f := w.Funcs
			if i.n%3 == 0 {
				f = fast
			}
			return function.Publishing(handlerOf(f, i.to.Name), publisher{w}, w.Journal)
		}
	}
	return w
}

func handlerOf(all []bundle.Function, name string) function.Handler {
	for _, f := range all {
		if f.Name == name {
			return f.Handle
		}
	}
	return nil
}

// functions wires the functions over the world's store and wire, with a clock of their own.
func (w *World) functions(t testing.TB, o Options, now func() time.Time) []bundle.Function {
	t.Helper()
	nonce := func() string { return w.hex(&w.nonces, 20) }
	j := journal.Open(w.store, journal.Options{Now: now, Nonce: nonce, Mode: Mode})
	if w.Journal == nil {
		w.Journal = j
	}
	root, err := j.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	patience := func(context.Context) <-chan struct{} { return nil }
	if w.Sched != nil {
		patience = nil // 300 ms of the bubble's time
	}
	return bundle.Functions(bundle.Options{
		Deployment: "sim", Mode: Mode, Journal: j, Catalog: func() *catalog.Catalog { return o.Catalog }, Services: services(w.wire, root, o.Harm),
		Now: now, Wait: wait, Nonce: nonce, Patience: patience, Every: o.Every,
		Prober: NoProber{}, Reporter: NoReporter{}, Link: func(id string) string { return "/r/" + id }, Log: o.Log,
	})
}

// hasty is a driver that thinks that a call which was given up takes no effect any more.
type hasty struct{ *fis.Driver }

// Facts says so.
func (h hasty) Facts() driver.Facts {
	f := h.Driver.Facts()
	f.SignedFor -= f.Late()
	return f
}

func openHasty(c driver.Config) (driver.Driver, error) {
	d, err := fis.Open(c)
	if err != nil {
		return nil, err
	}
	return hasty{d.(*fis.Driver)}, nil
}

func services(rt http.RoundTripper, root string, harm Harm) *provider.Services {
	openers := Openers()
	if harm.Hasty {
		openers[drill.FIS] = openHasty
	}
	return provider.New(provider.Options{Openers: openers, Wait: second, Config: func(_ drill.Service, a drill.Account) (driver.Config, error) {
		return driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Endpoint: "http://127.0.0.1:8081", Root: root, Transport: rt,
			Credentials: func(context.Context) (driver.Credentials, error) {
				return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
			}}, nil
	}})
}

// second waits for one second where a service would wait for a random while.
func second(ctx context.Context, _ time.Duration) error { return wait(ctx, time.Second) }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// hex returns n hexadecimal digits that depend on the seed and the counter alone.
func (w *World) hex(count *atomic.Uint64, n int) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%d", w.seed, count.Add(1))
	r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	b := make([]byte, (n+1)/2)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(b)[:n]
}

// pushed takes in what a platform pushes.
func (w *World) pushed(platform string, payload []byte) {
	read := map[string]func([]byte) ([]events.Event, error){"aws": inbound.AWS, "aliyun": inbound.Aliyun, "tencent": inbound.Tencent}[platform]
	if read == nil {
		return
	}
	got, err := read(payload)
	if err != nil {
		w.log.Warn("not understood", "platform", platform, "error", err)
	}
	w.post(got...)
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
	w.post(out...)
	return nil
}

// post puts events on the bus.
func (w *World) post(out ...events.Event) {
	for _, e := range out {
		if events.Sequence(e) > 0 {
			w.Facts = append(w.Facts, e)
		}
		if w.published != nil {
			w.published(e)
		}
		for _, f := range w.Funcs {
			for _, t := range f.Types {
				switch {
				case t != e.Type():
				case w.Sched != nil:
					w.Sched.Post(f, e)
				default:
					w.queue = append(w.queue, delivery{to: f, event: e})
				}
			}
		}
	}
}

// publisher is the bus under a scheduler.
type publisher struct{ w *World }

// Publish puts events on the bus, unless the bus cannot be reached.
func (p publisher) Publish(ctx context.Context, out ...events.Event) error {
	return p.w.Sched.cross(ctx, publish, "publish", short(out[0]), func(context.Context, act) error {
		p.w.post(out...)
		return nil
	})
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
		if _, err := h(ctx, d.event); err != nil && d.try < 2 {
			w.log.Info("again", "function", d.to.Name, "type", d.event.Type(), "error", err)
			d.try++
			w.queue = append(w.queue, d)
		}
	}
}

// Send publishes a command or signal and delivers what follows. It returns the event's id.
func (w *World) Send(ctx context.Context, t testing.TB, p events.Payload) string {
	t.Helper()
	e := w.Event(p)
	w.post(e)
	w.Drain(ctx, t)
	return e.ID()
}

// Event makes a command or signal with an id of its own.
func (w *World) Event(p events.Payload) events.Event {
	w.posts++
	e, err := events.New(events.Envelope{ID: fmt.Sprintf("cmd-%d", w.posts), Source: "/test", Time: time.Now()}, p)
	if err != nil {
		panic(err) // the simulator's own mistake
	}
	return e
}

// DrillOf returns the id of the drill that a start command makes.
func DrillOf(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) }

// Tick sends the minute's tick and delivers what follows.
func (w *World) Tick(ctx context.Context, t testing.TB) {
	t.Helper()
	w.Box.Tick()
	w.Send(ctx, t, events.Tick{At: time.Now().Truncate(time.Minute)})
}

// Start asks for a drill and returns its id.
func (w *World) Start(ctx context.Context, t testing.TB, plan string, params map[string]any) string {
	t.Helper()
	return events.ID("drill", "/test", w.Send(ctx, t, events.Start{Plan: plan, Actor: "local:acme/alice", Parameters: params}))
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
