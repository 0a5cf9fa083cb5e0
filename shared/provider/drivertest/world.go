package drivertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// World is one sandbox service behind an in-memory transport, on a clock that moves only when told to.
type World struct {
	Harness Harness
	Service service.Service

	t      *testing.T
	mu     sync.Mutex
	now    time.Time
	ids    int
	firing map[string]bool
	pushed [][]byte
	faults []*Fault
	calls  []service.Call
	held   chan struct{}
}

// NewWorld makes a World for the harness.
func NewWorld(t *testing.T, h Harness) *World {
	t.Helper()
	w := &World{
		Harness: h.withDefaults(), t: t, firing: map[string]bool{}, held: make(chan struct{}, 64),
		now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC),
	}
	w.Service = h.Service(service.Env{
		Now: w.Now, Real: time.Now, Alarm: w.alarm, Emit: w.emit, ID: w.id, AccessKey: AccessKey, Secret: Secret,
	})
	return w
}

// Now is the sandbox's clock.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Advance moves the sandbox's clock and plays what falls due.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.Service.Tick()
}

// SetAlarm raises or clears an alarm.
func (w *World) SetAlarm(name string, firing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.firing[name] = firing
}

// Pushed lists what the service pushed so far.
func (w *World) Pushed() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pushed)
}

// Calls lists the calls that reached the service or a fault so far.
func (w *World) Calls() []service.Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// Held delivers one value for each call that a Hold fault has caught.
func (w *World) Held() <-chan struct{} { return w.held }

func (w *World) alarm(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.firing[name]
}

func (w *World) emit(_ string, payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pushed = append(w.pushed, payload)
}

func (w *World) id(n int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	sum := sha256.Sum256(fmt.Append(nil, "drivertest", w.ids))
	s := hex.EncodeToString(sum[:])
	return strings.Repeat(s, n/len(s)+1)[:n]
}

// Config is what the World's drivers are opened with.
func (w *World) Config() driver.Config {
	return driver.Config{
		Account: w.Harness.Account, Region: w.Harness.Region, Endpoint: w.Harness.Endpoint, Root: Root,
		Transport: w, Timeout: 20 * time.Second,
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: AccessKey, Secret: Secret}, nil
		},
	}
}

// Open opens a driver on the World; each change may alter its configuration first.
func (w *World) Open(changes ...func(*driver.Config)) driver.Driver {
	w.t.Helper()
	c := w.Config()
	for _, change := range changes {
		change(&c)
	}
	d, err := w.Harness.Open(c)
	if err != nil {
		w.t.Fatalf("open driver: %v", err)
	}
	return d
}

// Request makes a complete request for the block; n tells drills apart.
func (w *World) Request(n int, block map[string]any) driver.Request {
	id := fmt.Sprintf("drill-%05d", n)
	return driver.Request{
		Drill: id, Role: drill.Main, Token: id + "/" + string(drill.Main), Root: Root,
		Plan: "conformance", Title: "Conformance of the driver", Account: w.Harness.Account, Region: w.Harness.Region,
		Block: maps.Clone(block), Timeout: time.Hour, Actor: "test:suite/person", Mode: "SANDBOX", Since: w.Now(),
	}
}

// Truth is the sandbox's own record of the run.
func (w *World) Truth(run driver.Run) service.Run {
	w.t.Helper()
	for _, r := range w.Service.Runs() {
		if r.ID == run.ID {
			return r
		}
	}
	w.t.Fatalf("the sandbox has no run %q", run.ID)
	return service.Run{}
}

// Executed lists the runs that were executed and inject something: previews and inert runs are left out.
func (w *World) Executed() []service.Run {
	var out []service.Run
	for _, r := range w.Service.Runs() {
		if r.Executed && !r.Preview {
			out = append(out, r)
		}
	}
	return out
}
