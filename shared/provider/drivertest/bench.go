package drivertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Bench is a World with a driver on it, and the moves and checks that cases share.
type Bench struct {
	T *testing.T
	W *World
	D driver.Driver
}

// NewBench opens a driver on the World.
func NewBench(t *testing.T, w *World, changes ...func(*driver.Config)) *Bench {
	t.Helper()
	return &Bench{T: t, W: w, D: w.Open(changes...)}
}

// Clean fails the case if the error's text holds a secret, and returns the error.
func (b *Bench) Clean(err error) error {
	b.T.Helper()
	if err == nil {
		return nil
	}
	for _, s := range []string{Secret, SessionToken, "Signature=", "SecurityToken="} {
		if strings.Contains(err.Error(), s) {
			b.T.Errorf("the error holds %q: %v", s, err)
		}
	}
	return err
}

// Wants fails the case unless the error has one of the codes.
func (b *Bench) Wants(err error, codes ...driver.Code) {
	b.T.Helper()
	b.Clean(err)
	if err == nil {
		b.T.Fatalf("no error, want code %v", codes)
	}
	got := b.D.Code(err)
	for _, c := range codes {
		if got == c {
			return
		}
	}
	b.T.Fatalf("code %q for %q, want %v", got, err, codes)
}

// Ready does what comes before Start: it notes the runs that exist and makes the inert run, where the service needs that.
func (b *Bench) Ready(r driver.Request) driver.Request {
	b.T.Helper()
	if s, ok := b.D.(driver.Seer); ok {
		seen, err := s.Seen(b.T.Context(), r)
		if b.Clean(err) != nil {
			b.T.Fatalf("seen: %v", err)
		}
		r.Seen = seen
	}
	if p, ok := b.D.(driver.Preparer); ok {
		run, err := p.Prepare(b.T.Context(), r)
		if b.Clean(err) != nil {
			b.T.Fatalf("prepare: %v", err)
		}
		r.Prepared = &run
	}
	return r
}

// Begin starts the request's run from nothing and checks the run that comes back.
func (b *Bench) Begin(r driver.Request) driver.Run {
	b.T.Helper()
	run, err := b.D.Start(b.T.Context(), b.Ready(r))
	if b.Clean(err) != nil {
		b.T.Fatalf("start: %v", err)
	}
	if run.ID == "" || run.Role != r.Role || run.Account != r.Account || run.Region != r.Region || run.Service == "" {
		b.T.Fatalf("start returned an incomplete run: %+v", run)
	}
	return run
}

// See observes the run and compares what the driver says with what is so.
func (b *Bench) See(run driver.Run) driver.Observation {
	b.T.Helper()
	o, err := b.D.Observe(b.T.Context(), run)
	if b.Clean(err) != nil {
		b.T.Fatalf("observe %s: %v", run.ID, err)
	}
	truth := b.W.Truth(run)
	if len(truth.Live) > 0 && (o.Quiet || o.Phase.Final()) {
		b.T.Fatalf("phase %s, quiet %t, while %v is live", o.Phase, o.Quiet, truth.Live)
	}
	if len(truth.Live) > 0 && !o.Injected {
		b.T.Fatalf("not injected, while %v is live", truth.Live)
	}
	if o.Quiet && len(o.Evidence) == 0 {
		b.T.Fatalf("quiet without evidence: %+v", o)
	}
	if o.Restoration == drill.RestoreDone && !o.Quiet {
		b.T.Fatalf("restored but not quiet: %+v", o)
	}
	if o.Run.ID != run.ID || o.Vendor == "" {
		b.T.Fatalf("the observation does not say of which run or what the vendor said: %+v", o)
	}
	return o
}

// Until observes and moves the clock until ok holds.
func (b *Bench) Until(run driver.Run, what string, ok func(driver.Observation) bool) driver.Observation {
	b.T.Helper()
	var o driver.Observation
	for waited := time.Duration(0); waited <= b.W.Harness.Longest; waited += b.W.Harness.Step {
		if o = b.See(run); ok(o) {
			return o
		}
		b.W.Advance(b.W.Harness.Step)
	}
	b.T.Fatalf("run %s never was %s within %s; last seen %+v", run.ID, what, b.W.Harness.Longest, o)
	return o
}

// turn lets the run end where the service takes one run of a template at a time.
func (b *Bench) turn(run driver.Run) {
	b.T.Helper()
	if b.W.Harness.Can.OneAtATime {
		b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	}
}

// Live starts the long run and waits until its fault is in effect.
func (b *Bench) Live(n int) (driver.Request, driver.Run) {
	b.T.Helper()
	r := b.W.Request(n, b.W.Harness.Blocks.Long)
	run := b.Begin(r)
	b.Until(run, "injecting", func(o driver.Observation) bool {
		return o.Injected && len(b.W.Truth(run).Live) > 0
	})
	return r, run
}

// StopOnce asks once for a stop.
func (b *Bench) StopOnce(run driver.Run, r driver.Request) error {
	b.T.Helper()
	return b.Clean(b.D.Stop(b.T.Context(), run, b.stop(r)))
}

// StopAll does what abort and poll do: it stops and observes by turns until the run is quiet and its restoration decided.
func (b *Bench) StopAll(run driver.Run, r driver.Request) driver.Observation {
	b.T.Helper()
	return b.Until(run, "quiet and restored", func(o driver.Observation) bool {
		if o.Quiet && o.Restoration.Decided() {
			return true
		}
		if err := b.StopOnce(run, r); err != nil {
			b.T.Fatalf("stop %s: %v", run.ID, err)
		}
		return false
	})
}

func (b *Bench) stop(r driver.Request) driver.Stop {
	return driver.Stop{Reason: "the suite says so", By: r.Actor, At: b.W.Now(), Block: r.Block}
}

// within fails the case if f takes longer than d of real time.
func (b *Bench) within(d time.Duration, f func()) {
	b.T.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	limit, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	select {
	case <-done:
	case <-limit.Done():
		b.T.Fatalf("took longer than %s", d)
	}
}
