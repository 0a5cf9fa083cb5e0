package drivertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

func previewer(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Previewer)
	r := w.Request(1, w.Harness.Blocks.Long)
	r.Role, r.Token = drill.Preview, r.Drill+"/"+string(drill.Preview)
	var p driver.Preview
	for i := 0; !p.Done; i++ {
		var err error
		if p, err = d.Preview(t.Context(), r); b.Clean(err) != nil {
			t.Fatalf("preview: %v", err)
		}
		if i > 100 {
			t.Fatalf("the preview never is done: %+v", p)
		}
		w.Advance(w.Harness.Step)
	}
	if !slices.Contains([]string{"targets", "runnable", "syntax"}, p.Proved) || p.Refusal != "" {
		t.Errorf("preview of a good plan: %+v", p)
	}
	if p.Proved == "targets" && len(p.Targets) == 0 {
		t.Errorf("targets were proved and none is named: %+v", p)
	}
	w.Advance(w.Harness.Longest)
	if runs := w.Executed(); len(runs) > 0 {
		t.Errorf("the preview executed %v", runs)
	}
}

func reporter(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Reporter)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Short))
	b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	rep, err := d.Report(t.Context(), run)
	if b.Clean(err) != nil || !slices.Contains([]string{"pending", "ready", "none"}, rep.State) {
		t.Errorf("report %+v, %v", rep, err)
	}
	if rep.State == "ready" && rep.URL == "" {
		t.Errorf("the report is ready and nowhere: %+v", rep)
	}
}

func halter(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Halter)
	_, run := b.Live(1)
	for range 2 {
		if err := b.Clean(d.Halt(t.Context(), "全部停止 \"now\"")); err != nil {
			t.Fatalf("halt: %v", err)
		}
	}
	b.Until(run, "stopped", func(o driver.Observation) bool { return o.Phase == drill.PhaseStopped && o.Quiet })
	if blocked, err := b.D.Start(t.Context(), b.Ready(w.Request(2, w.Harness.Blocks.Long))); err == nil {
		o := b.Until(blocked, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
		if o.Injected || o.Phase == drill.PhaseCompleted {
			t.Errorf("a run started under the halt: %+v", o)
		}
	}
	for range 2 {
		if err := b.Clean(d.Release(t.Context())); err != nil {
			t.Fatalf("release: %v", err)
		}
	}
	b.Live(3)
}

func finder(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Finder)
	r, run := b.Live(1)
	found, err := d.Find(t.Context())
	if b.Clean(err) != nil || len(found) != 1 {
		t.Fatalf("found %+v, %v, want one run", found, err)
	}
	f := found[0]
	if f.Run.ID != run.ID || f.Run.Role != run.Role || f.Drill != r.Drill || (f.Root != "" && f.Root != Root) || !f.Live {
		t.Errorf("found %+v, want run %s of drill %s", f, run.ID, r.Drill)
	}
	b.StopAll(run, r)
	found, err = d.Find(t.Context())
	if b.Clean(err) != nil || slices.ContainsFunc(found, func(f driver.Found) bool { return f.Live }) {
		t.Errorf("found %+v, %v after the run has ended", found, err)
	}
}

func lister(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Lister)
	list, err := d.Templates(t.Context())
	if b.Clean(err) != nil || len(list) == 0 {
		t.Fatalf("templates %v, %v", list, err)
	}
	for _, tpl := range list {
		if tpl.ID == "" || tpl.Name == "" {
			t.Errorf("template without id or name: %+v", tpl)
		}
		if err := b.D.Check(w.Request(1, tpl.Block)); err != nil {
			t.Errorf("the block of %s does not pass check: %v", tpl.ID, err)
		}
	}
}

func recoverer(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Recoverer)
	if _, ok := d.Recovery(w.Request(1, w.Harness.Blocks.Short)); ok && w.Harness.Blocks.Short["recovery"] == nil {
		t.Error("a block without a recovery has one")
	}
	main := w.Request(1, w.Harness.Blocks.Recover)
	rec, ok := d.Recovery(main)
	if !ok || rec.Role != drill.Recovery || rec.Token == main.Token || rec.Drill != main.Drill {
		t.Fatalf("recovery %+v, %t", rec, ok)
	}
	if !strings.Contains(d.RecoverByHand(rec), " --") {
		t.Errorf("by hand: %q is no command", d.RecoverByHand(rec))
	}
	run := b.Begin(rec)
	o := b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	if o.Phase != drill.PhaseCompleted {
		t.Errorf("the recovery ended %s", o.Phase)
	}
}
