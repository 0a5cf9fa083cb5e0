package drivertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

func startCases() []testCase {
	return []testCase{
		{"a template that does not exist or a bad block starts nothing", startBad, nil},
		{"a short run completes", startCompletes, nil},
		{"start repeated with the same request makes one run", startRepeated, func(b *Bench) bool { return b.W.Harness.Can.Token }},
		{"requests that differ only in the drill make two runs", startTwoDrills, nil},
		{"lookup before a start finds nothing", lookupBefore, nil},
		{"lookup changes nothing", lookupReads, nil},
		{"a failing step is shown", startFailing, func(b *Bench) bool { return b.W.Harness.Blocks.Failing != nil }},
		{"titles of any script are carried", startTitles, nil},
	}
}

func (b *Bench) lookup(r driver.Request) []driver.Run {
	b.T.Helper()
	runs, err := b.D.Lookup(b.T.Context(), r)
	if b.Clean(err) != nil {
		b.T.Fatalf("lookup: %v", err)
	}
	for _, run := range runs {
		if run.ID == "" || run.Role != r.Role || run.Account != r.Account || run.Region != r.Region {
			b.T.Fatalf("lookup returned an incomplete run: %+v", run)
		}
	}
	return runs
}

func startBad(t *testing.T, w *World) {
	b := NewBench(t, w)
	_, err := b.D.Start(t.Context(), w.Request(1, w.Harness.Blocks.Bad))
	b.Wants(err, driver.Invalid, driver.NotFound)
	if n := len(w.Executed()); n != 0 {
		t.Errorf("%d runs were executed", n)
	}
}

func startCompletes(t *testing.T, w *World) {
	b := NewBench(t, w)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Short))
	o := b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	if o.Phase != drill.PhaseCompleted || !o.Quiet || !o.Restoration.Decided() {
		t.Fatalf("phase %s, quiet %t, restoration %q: want completed, quiet, decided", o.Phase, o.Quiet, o.Restoration)
	}
	if len(o.Steps) == 0 || o.StartedAt.IsZero() || o.EndedAt.Before(o.StartedAt) {
		t.Errorf("steps %v, started %s, ended %s", o.Steps, o.StartedAt, o.EndedAt)
	}
	seen := map[string]bool{}
	for _, s := range o.Steps {
		if s.ID == "" || s.Name == "" || s.Kind == "" || s.Vendor == "" || seen[s.ID] {
			t.Errorf("step without id, name, kind or vendor state, or one seen twice: %+v", s)
		}
		seen[s.ID] = true
		if !s.State.Final() {
			t.Errorf("step %s is %s in a completed run", s.ID, s.State)
		}
	}
}

func startRepeated(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := w.Request(1, w.Harness.Blocks.Short)
	first := b.Begin(r)
	for range 3 {
		again, err := b.D.Start(t.Context(), r)
		if b.Clean(err) != nil {
			t.Fatalf("start again: %v", err)
		}
		if again != first {
			t.Errorf("start again gave %+v, first was %+v", again, first)
		}
	}
	if n := len(w.Executed()); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
}

func startTwoDrills(t *testing.T, w *World) {
	b := NewBench(t, w)
	one, two := w.Request(1, w.Harness.Blocks.Short), w.Request(2, w.Harness.Blocks.Short)
	first := b.Begin(one)
	b.turn(first)
	two = b.Ready(two)
	second, err := b.D.Start(t.Context(), two)
	if b.Clean(err) != nil {
		t.Fatalf("start the second drill: %v", err)
	}
	if first.ID == second.ID {
		t.Fatalf("both drills got run %s", first.ID)
	}
	if found := b.lookup(two); len(found) != 1 || found[0].ID != second.ID {
		t.Errorf("lookup of the second finds %v, want %s", found, second.ID)
	}
}

func lookupBefore(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := w.Request(1, w.Harness.Blocks.Short)
	if s, ok := b.D.(driver.Seer); ok {
		seen, err := s.Seen(t.Context(), r)
		if err != nil {
			t.Fatalf("seen: %v", err)
		}
		r.Seen = seen
	}
	if found := b.lookup(r); len(found) != 0 {
		t.Errorf("lookup finds %v before anything was started", found)
	}
}

func lookupReads(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	if _, err := b.D.Start(t.Context(), r); err != nil {
		t.Fatalf("start: %v", err)
	}
	before := len(w.Calls())
	b.lookup(r)
	for _, c := range w.Calls()[before:] {
		if c.Kind != "read" {
			t.Errorf("lookup called %s, a %s", c.Op, c.Kind)
		}
	}
}

func startFailing(t *testing.T, w *World) {
	b := NewBench(t, w)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Failing))
	o := b.Until(run, "failed", func(o driver.Observation) bool {
		for _, g := range o.Gates {
			if g.Kind == drill.FailedGate {
				return true
			}
		}
		return o.Phase == drill.PhaseFailed
	})
	failed := false
	for _, s := range o.Steps {
		failed = failed || s.State == drill.StepFailed
	}
	if !failed {
		t.Errorf("no step is failed: %+v", o.Steps)
	}
}

func startTitles(t *testing.T, w *World) {
	b := NewBench(t, w)
	titles := []string{
		"结账服务在可用区故障下存活", `He said "stop" & <went> 'home' \ 50%`, "🔥🚒 fire drill 👩🏽‍🚒",
		strings.Repeat("很长的标题", 100), "two\nlines\tand a tab", "",
	}
	for i, title := range titles {
		r := w.Request(i, w.Harness.Blocks.Short)
		r.Title, r.Drill = title, fmt.Sprintf("title-%d", i)
		r.Token = r.Drill + "/" + string(r.Role)
		r = b.Ready(r)
		run, err := b.D.Start(t.Context(), r)
		if b.Clean(err) != nil {
			t.Fatalf("title %q: %v", title, err)
		}
		if found := b.lookup(r); len(found) != 1 || found[0].ID != run.ID {
			t.Errorf("title %q: lookup finds %v, want %s", title, found, run.ID)
		}
		b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	}
}
