// Package storetest is the suite that every journal store must pass, and the benchmarks that compare them.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

// writers is how many goroutines race for one key. It is what one crowded drill can see, and bounded for real stores.
const writers = 50

type testCase struct {
	name string
	run  func(t *testing.T, f *fixture)
}

// Run puts a store through the suite. Each case opens a store of its own, which must be empty.
func Run(t *testing.T, open func(t *testing.T) journal.Store) {
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"store", storeCases()},
		{"entries", entryCases()},
		{"unreliable store", faultCases()},
		{"hash chain", chainCases()},
		{"markers", markerCases()},
		{"index", indexCases()},
		{"registers", registerCases()},
		{"alarms", alarmCases()},
		{"identity and objects", objectCases()},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(t, newFixture(open(t))) })
			}
		})
	}
}

// fixture is one store with a clock that only moves by hand and nonces that never repeat.
type fixture struct {
	store  journal.Store
	clock  *clock
	nonces atomic.Int64
}

func newFixture(store journal.Store) *fixture {
	return &fixture{store: store, clock: &clock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}}
}

// journal opens a journal over the fixture's store, as another instance would.
func (f *fixture) journal() *journal.Journal { return f.over(f.store) }

func (f *fixture) over(store journal.Store) *journal.Journal {
	return journal.Open(store, journal.Options{Now: f.clock.Now, Mode: "SANDBOX",
		Nonce: func() string { return fmt.Sprintf("nonce-%d", f.nonces.Add(1)) }})
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time, which stands still.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func change(rev int, what string) journal.Entry {
	state, err := json.Marshal(map[string]any{"status": what, "n": rev})
	if err != nil {
		panic(err) // cannot be: a map of plain values
	}
	return journal.Entry{Rev: rev, Cause: "event-1", Actor: "slack:T1/U1", Change: what, Drill: state}
}

// write appends revs 1 to n and returns them.
func write(t *testing.T, j *journal.Journal, drill string, n int) []journal.Entry {
	t.Helper()
	var all []journal.Entry
	for rev := 1; rev <= n; rev++ {
		e, err := j.Append(t.Context(), drill, change(rev, fmt.Sprintf("change %d", rev)))
		must(t, err)
		all = append(all, e)
	}
	return all
}

// race runs f in many goroutines that begin together, and waits for all.
func race(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-begin
			f(i)
		})
	}
	ready.Wait()
	close(begin)
	done.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want one that is %v", err, want)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s is %v, want %v", what, got, want)
	}
}

func equalSlices[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s is %v, want %v", what, got, want)
	}
}

func get(t *testing.T, s journal.Store, key string) string {
	t.Helper()
	data, err := s.Get(t.Context(), key)
	must(t, err)
	return string(data)
}

// listAll returns the keys under a prefix in byte order.
func listAll(t *testing.T, s journal.Store, prefix string) []string {
	t.Helper()
	keys, err := s.List(t.Context(), prefix, "", 0)
	must(t, err)
	return keys
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
