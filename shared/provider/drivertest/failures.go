package drivertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func checkCases() []testCase {
	return []testCase{
		{"check lists every mistake", checkLists, nil},
		{"check accepts the good blocks", checkAccepts, nil},
		{"check does no I/O", checkStays, nil},
	}
}

func checkLists(t *testing.T, w *World) {
	b := NewBench(t, w)
	err := b.D.Check(w.Request(1, w.Harness.Blocks.Bad))
	b.Wants(err, driver.Invalid)
	for _, field := range w.Harness.BadFields {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("the error does not name %q: %v", field, err)
		}
	}
	if err := b.D.Check(w.Request(1, nil)); err == nil {
		t.Error("an empty block passes")
	}
}

func checkAccepts(t *testing.T, w *World) {
	b, blocks := NewBench(t, w), w.Harness.Blocks
	for name, block := range map[string]map[string]any{
		"short": blocks.Short, "long": blocks.Long, "failing": blocks.Failing, "manual": blocks.Manual, "recover": blocks.Recover,
	} {
		if block == nil {
			continue
		}
		if err := b.D.Check(w.Request(1, block)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func checkStays(t *testing.T, w *World) {
	b := NewBench(t, w)
	_ = b.D.Check(w.Request(1, w.Harness.Blocks.Short))
	_ = b.D.Check(w.Request(1, w.Harness.Blocks.Bad))
	if calls := w.Calls(); len(calls) > 0 {
		t.Errorf("check called %v", calls)
	}
}

func failureCases() []testCase {
	return []testCase{
		{"a run that does not exist is not found", unknownRun, nil},
		{"a throttled call is throttled and made once", throttled, nil},
		{"a wrong secret is denied and starts nothing", wrongSecret, nil},
		{"credentials that cannot be had are an error", noCredentials, nil},
		{"a session token stays out of errors", sessionToken, nil},
		{"a 5xx on a read is unavailable", readFails, nil},
		{"a 5xx after the start took effect is uncertain and lookup finds the run", startFailsAfter, nil},
		{"a lost reply to a start is uncertain and lookup finds exactly one run", startReplyLost, nil},
		{"a lost reply to a stop is uncertain and the run ends", stopReplyLost, nil},
		{"a cancelled context ends a held call", heldCall, nil},
		{"a driver's own timeout ends a held call", heldCallTimesOut, nil},
		{"an unknown vendor status is unknown and not final", unknownStatus, nil},
	}
}

func unknownRun(t *testing.T, w *World) {
	b := NewBench(t, w)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Short))
	run.ID = w.Harness.UnknownID
	_, err := b.D.Observe(t.Context(), run)
	b.Wants(err, driver.NotFound)
	if err := b.D.Stop(t.Context(), run, b.stop(w.Request(1, w.Harness.Blocks.Short))); err != nil {
		b.Wants(err, driver.NotFound)
	}
}

func throttled(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	w.Break(Fault{Effect: Throttle})
	before := len(w.Calls())
	_, err := b.D.Start(t.Context(), r)
	b.Wants(err, driver.Throttled)
	if made := len(w.Calls()) - before; made != 1 {
		t.Errorf("%d calls, want one attempt: %v", made, w.Calls()[before:])
	}
	w.Heal()
	run, err := b.D.Start(t.Context(), r)
	if err != nil {
		t.Fatalf("start after throttling: %v", err)
	}
	w.Break(Fault{Effect: Throttle})
	before = len(w.Calls())
	_, err = b.D.Observe(t.Context(), run)
	b.Wants(err, driver.Throttled)
	if made := len(w.Calls()) - before; made != 1 {
		t.Errorf("%d reads, want one attempt", made)
	}
}

func wrongSecret(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	liar := NewBench(t, w, func(c *driver.Config) {
		c.Credentials = func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: AccessKey, Secret: "not-" + Secret}, nil
		}
	})
	_, err := liar.D.Start(t.Context(), r)
	liar.Wants(err, driver.Denied)
	if n := len(w.Executed()); n != 0 {
		t.Errorf("%d runs were executed", n)
	}
}

func noCredentials(t *testing.T, w *World) {
	broken := errors.New("no credentials today")
	b := NewBench(t, w, func(c *driver.Config) {
		c.Credentials = func(context.Context) (driver.Credentials, error) { return driver.Credentials{}, broken }
	})
	_, err := b.D.Observe(t.Context(), driver.Run{ID: w.Harness.UnknownID})
	b.Wants(err, driver.Denied, driver.Unavailable, driver.Expired)
	if !errors.Is(err, broken) {
		t.Errorf("the cause is lost: %v", err)
	}
	if n := len(w.Calls()); n != 0 {
		t.Errorf("%d calls were made without credentials", n)
	}
}

func sessionToken(t *testing.T, w *World) {
	b := NewBench(t, w, func(c *driver.Config) {
		c.Credentials = func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: AccessKey, Secret: Secret, Token: SessionToken}, nil
		}
	})
	for _, e := range []Effect{NoDial, Throttle, FailFirst} {
		w.Break(Fault{Effect: e})
		_, err := b.D.Observe(t.Context(), driver.Run{ID: w.Harness.UnknownID})
		b.Wants(err, driver.Unavailable, driver.Throttled)
		w.Heal()
	}
}

func readFails(t *testing.T, w *World) {
	b := NewBench(t, w)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Short))
	for _, e := range []Effect{FailFirst, NoDial, LoseReply} {
		w.Break(Fault{Effect: e})
		_, err := b.D.Observe(t.Context(), run)
		b.Wants(err, driver.Unavailable)
		w.Heal()
	}
	b.See(run)
}

func startFailsAfter(t *testing.T, w *World) { startLost(t, w, FailAfter) }

func startReplyLost(t *testing.T, w *World) { startLost(t, w, LoseReply) }

func startLost(t *testing.T, w *World, e Effect) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	w.Break(Fault{Effect: e, Kind: service.Start, Times: 1})
	_, err := b.D.Start(t.Context(), r)
	b.Wants(err, driver.Uncertain)
	if n := len(w.Executed()); n != 1 {
		t.Fatalf("%d runs were executed, want 1", n)
	}
	found := b.lookup(r)
	if len(found) != 1 || found[0].ID != w.Executed()[0].ID {
		t.Fatalf("lookup finds %v, want the run %s", found, w.Executed()[0].ID)
	}
	b.See(found[0])
}

func stopReplyLost(t *testing.T, w *World) {
	b := NewBench(t, w)
	r, run := b.Live(1)
	w.Break(Fault{Effect: LoseReply, Kind: service.Stop, Times: 1})
	b.Wants(b.StopOnce(run, r), driver.Uncertain)
	b.StopAll(run, r)
}

func heldCall(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	w.Break(Fault{Effect: Hold, Kind: service.Start})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-w.Held(); cancel() }()
	var err error
	b.within(5*time.Second, func() { _, err = b.D.Start(ctx, r) })
	b.Wants(err, driver.Uncertain)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error hides the cancelled context: %v", err)
	}
	w.Heal()
	if found := b.lookup(r); len(found) != 1 {
		t.Errorf("lookup finds %v, want the one run", found)
	}
}

func heldCallTimesOut(t *testing.T, w *World) {
	b := NewBench(t, w, func(c *driver.Config) { c.Timeout = 100 * time.Millisecond })
	run := b.Begin(w.Request(1, w.Harness.Blocks.Short))
	w.Break(Fault{Effect: Hold})
	var err error
	b.within(5*time.Second, func() { _, err = b.D.Observe(t.Context(), run) })
	b.Wants(err, driver.Unavailable)
}

func unknownStatus(t *testing.T, w *World) {
	if w.Harness.Unknown == nil {
		t.Fatal("the harness has no Unknown")
	}
	b := NewBench(t, w)
	_, run := b.Live(1)
	w.Break(Fault{Effect: Rewrite, Kind: service.Read, Body: w.Harness.Unknown})
	o, err := b.D.Observe(t.Context(), run)
	if b.Clean(err) != nil {
		t.Fatalf("an unknown status is an error: %v", err)
	}
	unknown := o.Phase == "unknown"
	for _, s := range o.Steps {
		unknown = unknown || s.State == "unknown"
	}
	if !unknown || o.Phase.Final() || o.Quiet {
		t.Errorf("phase %q, quiet %t, steps %+v: want unknown, not final, not quiet", o.Phase, o.Quiet, o.Steps)
	}
}
