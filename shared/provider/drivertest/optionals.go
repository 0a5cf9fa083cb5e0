package drivertest

import (
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

func optionalCases() []testCase {
	return []testCase{
		{"describer: facts are complete", describer, nil},
		{"identifier: the account has an id", identifier, has[driver.Identifier]},
		{"preparer: an inert run injects nothing", preparer, has[driver.Preparer]},
		{"seer: a new run is seen", seer, has[driver.Seer]},
		{"advancer: a manual run is led to its end", advancer, hasManual},
		{"advancer: a gate that is not open is refused", advancerNotNow, hasManual},
		{"pauser: a run is paused and resumed", pauser, has[driver.Pauser]},
		{"concluder: a conclusion is written twice without harm", concluder, has[driver.Concluder]},
		{"previewer: a preview injects nothing", previewer, has[driver.Previewer]},
		{"reporter: a report has a state", reporter, has[driver.Reporter]},
		{"halter: a halt stops the run and blocks new ones until release", halter, has[driver.Halter]},
		{"finder: live runs carry the drill and the root", finder, has[driver.Finder]},
		{"lister: templates come with blocks that pass check", lister, has[driver.Lister]},
		{"recoverer: the recovery is a run of its own", recoverer, hasRecovery},
	}
}

func hasManual(b *Bench) bool { return has[driver.Advancer](b) && b.W.Harness.Blocks.Manual != nil }

func hasRecovery(b *Bench) bool { return has[driver.Recoverer](b) && b.W.Harness.Blocks.Recover != nil }

func describer(t *testing.T, w *World) {
	b := NewBench(t, w)
	d, ok := b.D.(driver.Describer)
	if !ok {
		t.Fatal("every driver is a driver.Describer")
	}
	f := d.Facts()
	if f.Service == "" || len(f.Permissions) == 0 {
		t.Errorf("facts %+v lack the service or the permissions", f)
	}
	if f.SignedFor <= 0 || f.Late() <= f.SignedFor {
		t.Errorf("facts say that a signature is valid for %s and a call at most %s late", f.SignedFor, f.Late())
	}
}

func identifier(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Identifier)
	id, err := d.Identity(t.Context())
	if b.Clean(err) != nil || id == "" {
		t.Errorf("identity %q, %v", id, err)
	}
}

func preparer(t *testing.T, w *World) {
	b := NewBench(t, w)
	r := b.Ready(w.Request(1, w.Harness.Blocks.Short))
	w.Advance(w.Harness.Longest)
	if o := b.See(*r.Prepared); o.Phase != drill.PhasePrepared || o.Injected {
		t.Errorf("phase %s, injected %t, want prepared and nothing injected", o.Phase, o.Injected)
	}
	if n := len(w.Executed()); n != 0 {
		t.Fatalf("prepare executed %d runs", n)
	}
	if found := b.lookup(r); len(found) != 1 || found[0].ID != r.Prepared.ID {
		t.Errorf("lookup finds %v, want the inert run %s", found, r.Prepared.ID)
	}
	run, err := b.D.Start(t.Context(), r)
	if b.Clean(err) != nil || run.ID != r.Prepared.ID {
		t.Fatalf("start gave %+v, %v, want the prepared run", run, err)
	}
	if n := len(w.Executed()); n != 1 {
		t.Errorf("%d runs were executed, want 1", n)
	}
}

func seer(t *testing.T, w *World) {
	b := NewBench(t, w)
	s := b.D.(driver.Seer)
	r := w.Request(1, w.Harness.Blocks.Short)
	run := b.Begin(r)
	seen, err := s.Seen(t.Context(), r)
	if b.Clean(err) != nil || len(seen) != 1 || seen[0] != run.ID {
		t.Errorf("seen %v, %v, want %s", seen, err, run.ID)
	}
	r.Seen = seen
	if found := b.lookup(r); len(found) != 0 {
		t.Errorf("lookup finds %v, which was seen before", found)
	}
}

func advancer(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Advancer)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Manual))
	answered := 0
	o := b.Until(run, "completed", func(o driver.Observation) bool {
		if len(o.Gates) == 0 || o.Phase.Final() {
			return o.Phase.Final()
		}
		g := o.Gates[0]
		if len(g.Choices) == 0 || o.Phase != drill.PhaseWaiting {
			t.Fatalf("gate %+v in phase %s", g, o.Phase)
		}
		if err := b.Clean(d.Advance(t.Context(), run, moveFor(g))); err != nil {
			t.Fatalf("advance %+v: %v", g, err)
		}
		answered++
		return false
	})
	if answered == 0 || o.Phase != drill.PhaseCompleted {
		t.Errorf("%d gates were answered, phase %s", answered, o.Phase)
	}
}

func moveFor(g driver.Gate) driver.Move {
	m := driver.Move{Gate: g.ID, Action: g.Choices[0].Action, Step: g.Step, Note: "朕已阅 \"ok\" 👍"}
	if g.Choices[0].Step != "" {
		m.Step = g.Choices[0].Step
	}
	return m
}

func advancerNotNow(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Advancer)
	run := b.Begin(w.Request(1, w.Harness.Blocks.Manual))
	o := b.Until(run, "waiting", func(o driver.Observation) bool { return len(o.Gates) > 0 })
	m := moveFor(o.Gates[0])
	m.Step = "no-such-step"
	b.Wants(d.Advance(t.Context(), run, m), driver.NotNow, driver.Invalid, driver.NotFound)
	if again := b.See(run); len(again.Gates) == 0 || again.Gates[0].Step != o.Gates[0].Step {
		t.Errorf("the gate moved: %+v", again.Gates)
	}
}

func pauser(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Pauser)
	r, run := b.Live(1)
	if err := b.Clean(d.Pause(t.Context(), run)); err != nil {
		t.Fatalf("pause: %v", err)
	}
	b.Until(run, "paused", func(o driver.Observation) bool { return o.Phase == drill.PhaseWaiting })
	if err := b.Clean(d.Resume(t.Context(), run)); err != nil {
		t.Fatalf("resume: %v", err)
	}
	b.Until(run, "running again", func(o driver.Observation) bool { return o.Phase == drill.PhaseRunning })
	b.StopAll(run, r)
}

func concluder(t *testing.T, w *World) {
	b := NewBench(t, w)
	d := b.D.(driver.Concluder)
	r := w.Request(1, w.Harness.Blocks.Short)
	run := b.Begin(r)
	b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	c := driver.Conclusion{
		Drill: r.Drill, Verdict: "expected", Expected: true, Summary: "一切正常 \"quoted\" 🔥 & <done>",
		Issue: "无", Record: "checked twice", Link: "https://example.com/r/" + r.Drill,
	}
	for range 2 {
		if err := b.Clean(d.Conclude(t.Context(), run, c)); err != nil {
			t.Fatalf("conclude: %v", err)
		}
	}
	if o := b.See(run); o.Phase != drill.PhaseCompleted {
		t.Errorf("phase %s after the conclusion", o.Phase)
	}
}
