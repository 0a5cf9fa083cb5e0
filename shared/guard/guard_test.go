package guard_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday

type bench struct {
	*guard.Guard
	journal *journal.Journal
	store   *memory.Store
	freezes []catalog.Freeze
	now     time.Time
}

func open() *bench {
	var n atomic.Int64
	b := &bench{store: memory.New(), now: noon}
	b.journal = journal.Open(b.store, journal.Options{Now: func() time.Time { return b.now }, Mode: "SANDBOX",
		Nonce: func() string { return fmt.Sprintf("nonce-%020d", n.Add(1)) }})
	b.Guard = &guard.Guard{Journal: b.journal, Now: func() time.Time { return b.now }, Freezes: func() []catalog.Freeze { return b.freezes }}
	return b
}

func plan() drill.Plan {
	return drill.Plan{
		Name: "az-outage", Environment: "staging", Service: drill.FIS, Window: "Mon-Fri 10:00-16:00", Timezone: "UTC", Exclusive: []string{"staging/checkout"},
		StopOn: []string{"5xx"}, Alarms: map[string]drill.Alarm{"5xx": {Name: "5xx", Source: "cloudwatch", Match: "checkout-5xx"}},
	}
}

func newDrill(id string, edit ...func(*drill.Plan)) *drill.Drill {
	p := plan()
	for _, f := range edit {
		f(&p)
	}
	d, _ := drill.New(drill.Ask{ID: id, Mode: "SANDBOX", Plan: p, Actor: "a:b/c"}, noon)
	return d
}

// holder writes a drill that runs and takes the locks of the plan.
func (b *bench) holder(t testing.TB, id string) *drill.Drill {
	t.Helper()
	d, c := drill.New(drill.Ask{ID: id, Mode: "SANDBOX", Plan: plan(), Actor: "a:b/c"}, noon)
	if _, err := b.journal.Begin(t.Context(), d, c, journal.By{Actor: "a", Cause: "c", Source: "/t"}); err != nil {
		t.Fatal(err)
	}
	if lock, who, err := guard.AcquireLocks(t.Context(), b.journal, d); err != nil || who != "" {
		t.Fatalf("lock %s is held by %s, %v", lock, who, err)
	}
	return d
}

func (b *bench) alarm(t testing.TB, name, state string, at time.Time) {
	t.Helper()
	if err := b.journal.RecordAlarm(t.Context(), journal.Alarm{Source: "cloudwatch", Name: name, ID: name + state, State: state, At: at}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) lever(t testing.TB, scope string, engaged bool, at time.Time) bool {
	t.Helper()
	changed, err := guard.SetLever(t.Context(), b.journal, guard.Lever{Scope: scope, Engaged: engaged, Reason: "incident 7", Actor: "slack:x/bob", At: at})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func freeze(edit ...func(*catalog.Freeze)) catalog.Freeze {
	f := catalog.Freeze{Name: "singles-day", From: noon.Add(-time.Hour), Until: noon.Add(time.Hour)}
	for _, e := range edit {
		e(&f)
	}
	return f
}

func TestStart_EachCheckRefusesWithItsName(t *testing.T) {
	tests := []struct {
		name  string
		setup func(t *testing.T, b *bench)
		edit  func(*drill.Plan)
		check string
		says  string
	}{
		{"halted", func(t *testing.T, b *bench) { b.lever(t, "all", true, noon) }, nil, guard.CheckHalt, "incident 7"},
		{"disabled", nil, func(p *drill.Plan) { p.Disabled = true }, guard.CheckDisabled, "disabled"},
		{"outside its window", func(_ *testing.T, b *bench) { b.now = noon.Add(5 * time.Hour) }, nil, guard.CheckWindow, "Mon-Fri"},
		{"a weekend", func(_ *testing.T, b *bench) { b.now = noon.AddDate(0, 0, 4) }, nil, guard.CheckWindow, "Mon-Fri"},
		{"a window that nobody can read", nil, func(p *drill.Plan) { p.Window = "sometimes" }, guard.CheckWindow, "could not be made"},
		{"a freeze", func(_ *testing.T, b *bench) { b.freezes = []catalog.Freeze{freeze()} }, nil, guard.CheckFreeze, "singles-day"},
		{"the lock is held", func(t *testing.T, b *bench) { b.holder(t, "other") }, nil, guard.CheckLock, "other"},
		{"its alarm fires", func(t *testing.T, b *bench) { b.alarm(t, "checkout-5xx", "firing", noon) }, nil, guard.CheckAlarm, "5xx"},
		{"the first of many reasons", func(t *testing.T, b *bench) {
			b.lever(t, "all", true, noon)
			b.holder(t, "other")
			b.alarm(t, "checkout-5xx", "firing", noon)
			b.freezes = []catalog.Freeze{freeze()}
		}, func(p *drill.Plan) { p.Disabled = true }, guard.CheckHalt, ""},
		{"another plan's alarm", func(t *testing.T, b *bench) { b.alarm(t, "cart-5xx", "firing", noon) }, nil, "", ""},
		{"its alarm has resolved", func(t *testing.T, b *bench) {
			b.alarm(t, "checkout-5xx", "firing", noon.Add(-time.Minute))
			b.alarm(t, "checkout-5xx", "resolved", noon)
		}, nil, "", ""},
		{"a freeze that is over", func(_ *testing.T, b *bench) { b.freezes = []catalog.Freeze{freeze()}; b.now = noon.Add(time.Hour) }, nil, "", ""},
		{"a freeze of another environment", func(_ *testing.T, b *bench) {
			b.freezes = []catalog.Freeze{freeze(func(f *catalog.Freeze) { f.Environments = []string{"production"} })}
		}, nil, "", ""},
		{"nothing is in the way", nil, nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open()
			if tt.setup != nil {
				tt.setup(t, b)
			}
			if tt.edit == nil {
				tt.edit = func(*drill.Plan) {}
			}
			no := b.Start(t.Context(), newDrill("d1", tt.edit))
			switch {
			case no == nil && tt.check != "":
				t.Fatalf("it may start, want a refusal by %s", tt.check)
			case no != nil && (no.Check != tt.check || !strings.Contains(no.Reason, tt.says)):
				t.Errorf("%s: %s; want %q: %q", no.Check, no.Reason, tt.check, tt.says)
			}
		})
	}
}

// TestStart_WhatCannotBeReadRefuses: levers, locks and alarms are read from a store that fails.
func TestStart_WhatCannotBeReadRefuses(t *testing.T) {
	for part, check := range map[string]string{"registers/lever": guard.CheckHalt, "registers/lock": guard.CheckLock, "drills/": guard.CheckLock, "alarms/": guard.CheckAlarm} {
		for _, op := range []string{"list", "get"} {
			t.Run(op+" of "+part, func(t *testing.T) {
				b := open()
				b.lever(t, "plan/another", true, noon)
				if check == guard.CheckLock {
					b.holder(t, "other")
				}
				b.alarm(t, "cart-5xx", "firing", noon)
				b.store.Before = func(o, key string) error {
					if o == op && strings.HasPrefix(key, part) {
						return errors.New("the store is away")
					}
					return nil
				}
				no := b.Start(t.Context(), newDrill("d1"))
				if no == nil || no.Check != check {
					t.Fatalf("refusal %+v, want one by %s", no, check)
				}
				if !strings.Contains(no.Reason, "the store is away") && no.Check != guard.CheckLock {
					t.Errorf("reason %q", no.Reason)
				}
			})
		}
	}
	t.Run("a lever that is damaged", func(t *testing.T) {
		b := open()
		if err := b.journal.Set(t.Context(), "lever/all", 0, []byte("{torn")); err != nil {
			t.Fatal(err)
		}
		if no := b.Start(t.Context(), newDrill("d1")); no == nil || no.Check != guard.CheckHalt {
			t.Errorf("refusal %+v", no)
		}
	})
}

func TestLook_SeesWhatChangedMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		do    func(t *testing.T, b *bench)
		check string
	}{
		"a halt":                      {func(t *testing.T, b *bench) { b.lever(t, "environment/staging", true, noon) }, guard.CheckHalt},
		"an alarm":                    {func(t *testing.T, b *bench) { b.alarm(t, "checkout-5xx", "firing", noon) }, guard.CheckAlarm},
		"a freeze":                    {func(_ *testing.T, b *bench) { b.freezes = []catalog.Freeze{freeze()} }, guard.CheckFreeze},
		"nothing":                     {func(*testing.T, *bench) {}, ""},
		"its own lock does not count": {func(t *testing.T, b *bench) { b.holder(t, "d1") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := open()
			d := newDrill("d1")
			if no := b.Look(t.Context(), d); no != nil {
				t.Fatalf("refused at first: %+v", no)
			}
			tt.do(t, b)
			no := b.Look(t.Context(), d)
			if (no == nil) != (tt.check == "") || no != nil && no.Check != tt.check {
				t.Errorf("refusal %+v, want one by %q", no, tt.check)
			}
		})
	}
}

func TestLever_CoversItsScope(t *testing.T) {
	for scope, want := range map[string]bool{
		"all": true, "environment/staging": true, "plan/az-outage": true,
		"environment/production": false, "plan/az": false, "environment/": false, "plan/staging": false, "": false, "alles": false,
	} {
		if got := (guard.Lever{Scope: scope}).Covers("az-outage", "staging"); got != want {
			t.Errorf("%q covers: %v", scope, got)
		}
	}
}

func TestLever_EngageReleaseAndOrder(t *testing.T) {
	b := open()
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	steps := []struct {
		engaged bool
		at      time.Time
		changed bool
		stands  bool
	}{
		{false, at(0), true, false},  // it may have overtaken its halt: kept, so that the halt comes too late
		{true, at(-1), false, false}, // the halt that it overtook
		{true, at(1), true, true},
		{true, at(2), false, true}, // engaged already
		{false, at(3), true, false},
		{true, at(2), false, false}, // an old halt, late
		{true, at(5), true, true},
		{false, at(4), false, true}, // an old release, late
		{false, at(6), true, false},
		{true, at(7), true, true},
		{true, at(20), false, true},  // asked for once more
		{false, at(10), false, true}, // given before that, late
		{false, at(21), true, false},
		{false, at(30), false, false}, // released once more
		{true, at(25), false, false},  // given before that, late
	}
	for i, s := range steps {
		if changed := b.lever(t, "all", s.engaged, s.at); changed != s.changed {
			t.Errorf("step %d changed: %v", i, changed)
		}
		levers, err := guard.Levers(t.Context(), b.journal)
		if err != nil || (len(levers) == 1) != s.stands {
			t.Errorf("step %d: levers %v, %v", i, levers, err)
		}
	}
	if l, err := guard.Engaged(t.Context(), b.journal, "all"); l != nil || err != nil {
		t.Errorf("engaged: %+v, %v", l, err)
	}
	b.lever(t, "plan/p", true, at(40))
	if l, err := guard.Engaged(t.Context(), b.journal, "plan/p"); err != nil || l == nil || !l.At.Equal(at(40)) {
		t.Errorf("engaged: %+v, %v", l, err)
	}
	old, err := guard.Outdated(t.Context(), b.journal, guard.Lever{Scope: "all", At: at(29)})
	if err != nil || !old {
		t.Errorf("outdated %v, %v", old, err)
	}
	if old, _ := guard.Outdated(t.Context(), b.journal, guard.Lever{Scope: "all", At: at(31)}); old {
		t.Error("a new halt is outdated")
	}
}

func TestLever_ManyAtOnce(t *testing.T) {
	b := open()
	var wg sync.WaitGroup
	var changed atomic.Int64
	for range 20 {
		wg.Go(func() {
			if b.lever(t, "all", true, noon) {
				changed.Add(1)
			}
		})
	}
	wg.Wait()
	if changed.Load() != 1 {
		t.Errorf("%d of 20 say that they engaged it", changed.Load())
	}
}

func (b *bench) change(t *testing.T, id string, edit journal.Edit) {
	t.Helper()
	if _, _, err := b.journal.Update(t.Context(), id, journal.By{Actor: "a", Cause: "c", Source: "/t"}, edit); err != nil {
		t.Fatal(err)
	}
}

func TestLock_HeldUntilRestoredAndFreedByItself(t *testing.T) {
	b := open()
	holder, next := b.holder(t, "one"), newDrill("two")
	held := func() bool { return b.Lock(t.Context(), next) != nil }
	run := drill.Run{ID: "run-1", Role: drill.Main, Service: drill.FIS}
	ended := drill.Observation{Run: run, Phase: drill.PhaseCompleted, Vendor: "completed", Injected: true, Restoration: drill.RestorePending}
	steps := []struct {
		name string
		edit journal.Edit
		held bool
	}{
		{"requested", nil, true},
		{"starting", func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.Intend(drill.Main, "x", nil, 0, now)
		}, true},
		{"running", func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.SetRun(drill.Main, "run-1", false, now)
		}, true},
		{"completed, faults live", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Observe(ended, now) }, true},
		{"restored", func(d *drill.Drill, now time.Time) (drill.Change, error) {
			ended.Quiet, ended.Restoration = true, drill.RestoreDone
			return d.Observe(ended, now)
		}, false},
	}
	for _, s := range steps {
		if s.edit != nil {
			b.change(t, holder.ID, s.edit)
		}
		if held() != s.held {
			t.Fatalf("%s: held %v", s.name, !s.held)
		}
		if no := b.Lock(t.Context(), holder); s.held && no != nil {
			t.Errorf("%s: its own holder is refused: %+v", s.name, no)
		}
	}
}

func TestLock_OfARefusedDrillIsFree(t *testing.T) {
	b := open()
	b.holder(t, "one")
	b.change(t, "one", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Refuse("halt", "no", now) })
	if no := b.Lock(t.Context(), newDrill("two")); no != nil {
		t.Errorf("%+v", no)
	}
}

func TestLock_NamesNobodyCanFind(t *testing.T) {
	b := open()
	if err := b.journal.Set(t.Context(), "lock/staging/checkout", 0, []byte("ghost")); err != nil {
		t.Fatal(err)
	}
	if no := b.Lock(t.Context(), newDrill("two")); no != nil {
		t.Errorf("a drill that was never written holds a lock: %+v", no)
	}
}

func TestLock_ManyContendersOneWins(t *testing.T) {
	b := open()
	var wins atomic.Int64
	var wg sync.WaitGroup
	for i := range 10 {
		d, c := drill.New(drill.Ask{ID: fmt.Sprint("d", i), Mode: "SANDBOX", Plan: plan(), Actor: "a:b/c"}, noon)
		if _, err := b.journal.Begin(t.Context(), d, c, journal.By{Actor: "a", Cause: "c", Source: "/t"}); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if b.Lock(t.Context(), d) == nil {
				wins.Add(1)
			}
		})
	}
	wg.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d of 10 took the lock", wins.Load())
	}
}

func TestLock_None(t *testing.T) {
	b := open()
	b.holder(t, "one")
	if no := b.Start(t.Context(), newDrill("two", func(p *drill.Plan) { p.Exclusive = []string{"none"} })); no != nil {
		t.Errorf("%+v", no)
	}
}

func TestMustStop(t *testing.T) {
	b := open()
	tests := []struct {
		name  string
		setup func(t *testing.T, b *bench)
		kind  drill.StopKind
		by    string
	}{
		{"a lever of its environment", func(t *testing.T, b *bench) { b.lever(t, "environment/staging", true, noon) }, drill.StopByHalt, "slack:x/bob"},
		{"its alarm, however old", func(t *testing.T, b *bench) { b.alarm(t, "checkout-5xx", "firing", noon.Add(-10*time.Hour)) }, drill.StopByAlarm, "alarm:cloudwatch/5xx"},
		{"a freeze that stops", func(_ *testing.T, b *bench) {
			b.freezes = []catalog.Freeze{freeze(func(f *catalog.Freeze) { f.Running = catalog.RunningStop })}
		}, drill.StopByFreeze, "freeze:singles-day"},
		{"a freeze that lets it finish", func(_ *testing.T, b *bench) { b.freezes = []catalog.Freeze{freeze()} }, "", ""},
		{"another plan's lever", func(t *testing.T, b *bench) { b.lever(t, "plan/x", true, noon) }, "", ""},
		{"an alarm that ended before", func(t *testing.T, b *bench) {
			b.alarm(t, "checkout-5xx", "firing", noon.Add(-2*time.Hour))
			b.alarm(t, "checkout-5xx", "resolved", noon.Add(-time.Hour))
		}, "", ""},
		{"nothing", func(*testing.T, *bench) {}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b = open()
			tt.setup(t, b)
			w, err := b.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			why, must := w.MustStop(newDrill("d1"))
			if must != (tt.kind != "") || why.Kind != tt.kind || why.By != tt.by || must && why.Text == "" {
				t.Errorf("%v %+v", must, why)
			}
		})
	}
}

// TestRead_APartThatFailsHidesNoOther: levers cannot be read, the alarm that fires still stops drills.
func TestRead_APartThatFailsHidesNoOther(t *testing.T) {
	for part, kind := range map[string]drill.StopKind{"registers/": drill.StopByAlarm, "alarms/": drill.StopByHalt} {
		b := open()
		b.lever(t, "all", true, noon)
		b.alarm(t, "checkout-5xx", "firing", noon)
		b.store.Before = func(_, key string) error {
			if strings.HasPrefix(key, part) {
				return errors.New("away")
			}
			return nil
		}
		w, err := b.Read(t.Context())
		if err == nil {
			t.Errorf("%s: no error", part)
		}
		if why, must := w.MustStop(newDrill("d1")); !must || why.Kind != kind {
			t.Errorf("%s: %v %+v", part, must, why)
		}
	}
}
