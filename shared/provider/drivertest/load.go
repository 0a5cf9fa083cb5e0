package drivertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func loadCases() []testCase {
	return []testCase{
		{"four drills at once on one driver do not meet", parallel, nil},
		{"lookup finds the oldest of 101 runs", manyRuns, func(b *Bench) bool { return b.W.Harness.Can.Pages }},
	}
}

func parallel(t *testing.T, w *World) {
	b := NewBench(t, w)
	var wg sync.WaitGroup
	ids := make([]string, 4)
	for i := range ids {
		r := b.Ready(w.Request(i, w.Harness.Blocks.Short)) // one at a time: Seer's promise is about one intent at once
		run, err := b.D.Start(t.Context(), r)
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		ids[i] = run.ID
		wg.Go(func() { poll(t, b, r, run) })
		b.turn(run)
	}
	for range 20 {
		w.Advance(w.Harness.Step)
	}
	wg.Wait()
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("runs %v are not four", ids)
	}
}

func poll(t *testing.T, b *Bench, r driver.Request, run driver.Run) {
	for range 10 {
		if o, err := b.D.Observe(t.Context(), run); err != nil || o.Run.ID != run.ID {
			t.Errorf("observe %s: %+v, %v", run.ID, o.Run, err)
		}
		if found, err := b.D.Lookup(t.Context(), r); err != nil || !slices.ContainsFunc(found, func(f driver.Run) bool { return f.ID == run.ID }) {
			t.Errorf("lookup %s: %v, %v", run.ID, found, err)
		}
	}
}

func manyRuns(t *testing.T, w *World) {
	b := NewBench(t, w)
	oldest := b.Ready(w.Request(0, w.Harness.Blocks.Short))
	first, err := b.D.Start(t.Context(), oldest)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	w.Advance(w.Harness.Longest)
	for i := range 100 {
		r := b.Ready(w.Request(i+1, w.Harness.Blocks.Short))
		r.Title = fmt.Sprintf("number %d", i+1)
		if _, err := b.D.Start(t.Context(), r); err != nil {
			t.Fatalf("start %d: %v", i+1, err)
		}
		w.Advance(w.Harness.Longest)
	}
	if found := b.lookup(oldest); len(found) != 1 || found[0].ID != first.ID {
		t.Errorf("lookup of the oldest finds %v, want %s", found, first.ID)
	}
}
