package drivertest

import (
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func stopCases() []testCase {
	return []testCase{
		{"a stop of a running run ends quiet and restored, with evidence", stopRunning, nil},
		{"a stop repeated is harmless", stopTwice, nil},
		{"a stop of an ended run succeeds", stopEnded, nil},
		{"a stop that lies is not believed", stopLies, nil},
	}
}

func stopRunning(t *testing.T, w *World) {
	b := NewBench(t, w)
	r, run := b.Live(1)
	o := b.StopAll(run, r)
	if o.Restoration != w.Harness.Restored {
		t.Errorf("restoration %q, want %q", o.Restoration, w.Harness.Restored)
	}
	if o.Phase == drill.PhaseCompleted {
		t.Errorf("a stopped run is called completed")
	}
	if live := w.Truth(run).Live; len(live) > 0 {
		t.Errorf("%v is live after the stop", live)
	}
	w.Advance(w.Harness.Longest)
	if live := w.Truth(run).Live; len(live) > 0 {
		t.Errorf("%v became live after the stop", live)
	}
}

func stopTwice(t *testing.T, w *World) {
	b := NewBench(t, w)
	r, run := b.Live(1)
	for range 3 {
		if err := b.StopOnce(run, r); err != nil {
			t.Fatalf("stop: %v", err)
		}
	}
	b.StopAll(run, r)
	if err := b.StopOnce(run, r); err != nil {
		t.Errorf("stop of a stopped run: %v", err)
	}
}

func stopEnded(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := w.Request(1, w.Harness.Blocks.Short)
	run := b.Begin(r)
	b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	if err := b.StopOnce(run, r); err != nil {
		t.Errorf("stop: %v", err)
	}
	if o := b.See(run); o.Phase != drill.PhaseCompleted {
		t.Errorf("phase %s after the stop, want completed", o.Phase)
	}
}

func stopLies(t *testing.T, w *World) {
	b := NewBench(t, w)
	r, run := b.Live(1)
	w.Break(Fault{Effect: Lie, Kind: service.Stop})
	if err := b.StopOnce(run, r); err != nil {
		t.Logf("the stop that lied was found out at once: %v", err)
	}
	if o := b.See(run); o.Quiet || o.Phase.Final() { // See compares with the truth as well
		t.Errorf("phase %s, quiet %t after a stop that did nothing", o.Phase, o.Quiet)
	}
	w.Heal()
	b.StopAll(run, r)
}
