package functions

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
	"github.com/firedrill/firedrill/shared/access"
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

// rig is a deployment in one process: the real functions over a journal and the sandbox, on the bubble's clock. Events go to the
// functions one after the other, so that a test sees exactly what each one does.
type rig struct {
	testing.TB
	box     *sandbox.Sandbox
	store   *memory.Store
	journal *journal.Journal
	funcs   []bundle.Function
	said    []events.Event // everything that was published
	queue   []events.Event
	ids     atomic.Uint64
	samples func(c drill.Claim) drill.Sample
}

// options change a rig before its functions are wired.
type options struct {
	catalog   *catalog.Catalog
	access    func() access.Policy // nil: the catalogue's, and everything for the people of other tests
	transport func(http.RoundTripper) http.RoundTripper
	patience  func(context.Context) <-chan struct{}
	store     journal.Store // nil: memory
}

func shipped(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse(os.DirFS(".."), "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func written(t testing.TB, yaml string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(yaml)}}, "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bubble runs a test over a rig in virtual time.
func bubble(t *testing.T, edit func(*options), f func(r *rig)) {
	t.Helper()
	o := options{catalog: shipped(t)}
	if edit != nil {
		edit(&o)
	}
	synctest.Test(t, func(t *testing.T) {
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		f(newRig(t, o))
	})
}

func newRig(t testing.TB, o options) *rig {
	t.Helper()
	r := &rig{TB: t, store: memory.New()}
	r.box = sandbox.New(sandbox.Options{Real: time.Now, ID: r.hex})
	var store journal.Store = r.store
	if o.store != nil {
		store = o.store
	}
	nonce := func() string { return r.hex(20) }
	r.journal = journal.Open(store, journal.Options{Now: time.Now, Nonce: nonce, Mode: "SANDBOX"})
	root, err := r.journal.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rt := r.box.Transport()
	if o.transport != nil {
		rt = o.transport(rt)
	}
	if o.access == nil {
		o.access = trusting(o.catalog)
	}
	if o.patience == nil {
		o.patience = func(context.Context) <-chan struct{} { return nil }
	}
	r.samples = func(c drill.Claim) drill.Sample {
		return drill.Sample{Claim: c.ID, At: time.Now(), Good: true, Detail: "200 in 1ms"}
	}
	r.funcs = bundle.Functions(bundle.Options{
		Deployment: "test", Mode: "SANDBOX", Journal: r.journal, Services: services(rt, root), Catalog: func() *catalog.Catalog { return o.catalog }, Access: o.access,
		Now: time.Now, Wait: pause, Nonce: nonce, Patience: o.patience, Prober: r, Reporter: r,
		Link: func(id string) string { return "/r/" + id }, Log: slog.New(slog.DiscardHandler),
	})
	return r
}

// trusting binds the people of tests that are not about who may do what.
func trusting(c *catalog.Catalog) func() access.Policy {
	return func() access.Policy {
		return c.Access().With(access.Binding{Role: "admin", To: "local:test/*"}, access.Binding{Role: "admin", To: "a:b/c"}, access.Binding{Role: "approver", To: "b:c/d"})
	}
}

func services(rt http.RoundTripper, root string) *provider.Services {
	openers := map[drill.Service]driver.Opener{drill.FIS: fis.Open, drill.CFG: cfg.Open, drill.OOS: oos.Open, drill.AHAS: ahas.Open}
	return provider.New(provider.Options{Openers: openers, Wait: pause, Config: func(_ drill.Service, a drill.Account) (driver.Config, error) {
		return driver.Config{Account: a.Name, AccountID: a.ID, Region: a.Region, Endpoint: "http://127.0.0.1:8081", Root: root, Transport: rt,
			Credentials: func(context.Context) (driver.Credentials, error) {
				return driver.Credentials{AccessKey: sandbox.DefaultAccessKey, Secret: sandbox.DefaultSecret}, nil
			}}, nil
	}})
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (r *rig) hex(n int) string { return fmt.Sprintf("%0*x", n, r.ids.Add(1))[:n] }

// Measure implements the prober.
func (r *rig) Measure(_ context.Context, c drill.Claim) drill.Sample { return r.samples(c) }

// Keep implements the reporter.
func (r *rig) Keep(context.Context, *drill.Drill) error { return nil }

// Publish implements function.Publisher.
func (r *rig) Publish(_ context.Context, out ...events.Event) error {
	r.said, r.queue = append(r.said, out...), append(r.queue, out...)
	return nil
}

func (r *rig) event(p events.Payload) events.Event {
	r.Helper()
	e, err := events.New(events.Envelope{ID: "cmd-" + r.hex(12), Source: "/test", Subject: "x", Time: time.Now()}, p)
	if err != nil {
		r.Fatal(err)
	}
	return e
}

// give hands one event to one function and publishes what comes of it.
func (r *rig) give(name string, e events.Event) ([]events.Event, error) {
	r.Helper()
	for _, f := range r.funcs {
		if f.Name == name {
			return function.Publishing(f.Handle, r, r.journal)(r.Context(), e)
		}
	}
	r.Fatalf("there is no function %s", name)
	return nil, nil
}

// drain delivers what was published to whoever subscribes, until nothing is left. An error here fails the test.
func (r *rig) drain() {
	r.Helper()
	for n := 0; len(r.queue) > 0; n++ {
		if n > 500 {
			r.Fatal("events go round in circles")
		}
		e := r.queue[0]
		r.queue = r.queue[1:]
		for _, f := range r.funcs {
			for _, typ := range f.Types {
				if typ != e.Type() {
					continue
				}
				if _, err := r.give(f.Name, e); err != nil {
					r.Errorf("%s, %s: %v", f.Name, e.Type(), err)
				}
			}
		}
	}
}

// send publishes a command or signal, delivers everything that follows, and returns what was said meanwhile.
func (r *rig) send(p events.Payload) []events.Event {
	r.Helper()
	before := len(r.said)
	_ = r.Publish(r.Context(), r.event(p))
	r.drain()
	return r.said[before+1:]
}

// tick lets a minute pass.
func (r *rig) tick() []events.Event {
	r.Helper()
	time.Sleep(time.Minute)
	r.box.Tick()
	return r.send(events.Tick{At: time.Now().Truncate(time.Minute)})
}

// start asks for a drill and returns its id.
func (r *rig) start(plan string, parameters map[string]any) string {
	r.Helper()
	e := r.event(events.Start{Plan: plan, Actor: "local:test/alice", Parameters: parameters})
	_ = r.Publish(r.Context(), e)
	r.drain()
	return events.ID("drill", "/test", e.ID())
}

func (r *rig) load(id string) *drill.Drill {
	r.Helper()
	d, err := r.journal.Load(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// until ticks until the drill satisfies ok.
func (r *rig) until(id string, minutes int, ok func(*drill.Drill) bool) *drill.Drill {
	r.Helper()
	for range minutes {
		if d := r.load(id); ok(d) {
			return d
		}
		r.tick()
	}
	r.Fatalf("not within %d minutes:\n%s", minutes, r.timeline(id))
	return nil
}

func is(s drill.Status) func(*drill.Drill) bool {
	return func(d *drill.Drill) bool { return d.Status == s }
}

func (r *rig) timeline(id string) string {
	entries, err := r.journal.Entries(r.Context(), id)
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

// words names events by the last part of their type.
func words(out []events.Event) string {
	var names []string
	for _, e := range out {
		names = append(names, strings.Split(e.Type(), ".")[3])
	}
	return strings.Join(names, " ")
}

// refusal returns the one refusal among the events.
func (r *rig) refusal(out []events.Event) events.Refused {
	r.Helper()
	for _, e := range out {
		if e.Type() == events.TypeRefused {
			p, err := events.Decode[events.Refused](e)
			if err != nil {
				r.Fatal(err)
			}
			return p
		}
	}
	r.Fatalf("nothing was refused: %s", words(out))
	return events.Refused{}
}

// live counts the runs of a service that go on and were not told to stop.
func (r *rig) live(service string) int {
	n := 0
	for _, run := range r.box.Runs() {
		if run.Service == service && run.Executed && !run.Ended && !run.Preview && run.Status != "stopping" {
			n++
		}
	}
	return n
}

// runs counts the executed runs of a service, ended or not.
func (r *rig) runs(service string) int {
	n := 0
	for _, run := range r.box.Runs() {
		if run.Service == service && run.Executed && !run.Preview {
			n++
		}
	}
	return n
}

func newMemory() *memory.Store { return memory.New() }
