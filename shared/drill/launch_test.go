package drill

import (
	"strings"
	"testing"
	"time"
)

func TestIntend_OneAuthorAtATime(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", []string{"old"}, 0, at(0)))
	if d.Status != Starting || !d.MayCall(Main, "a", at(0)) || d.MayCall(Main, "b", at(0)) {
		t.Fatalf("status %s, a %v, b %v", d.Status, d.MayCall(Main, "a", at(0)), d.MayCall(Main, "b", at(0)))
	}
	if d.MayCall(Main, "a", at(0).Add(LaunchLease-CallTimeout+1)) {
		t.Error("a call may outlive the lease")
	}
	_, err := d.Intend(Main, "b", nil, 0, at(0.5))
	wantErr(t, err, ErrTransition, "another")
	ok(t)(d.Intend(Main, "b", []string{"newer"}, 0, at(1)))
	r := d.Run(Main)
	if r.Intent.Attempt != 2 || !r.Intent.Since.Equal(at(0)) || strings.Join(r.Intent.Seen, "") != "old" {
		t.Errorf("second intent %+v: what was there before the first one counts", r.Intent)
	}
	if d.MayCall(Main, "a", at(1)) {
		t.Error("the first author may still call")
	}
	ok(t)(d.SetRun(Main, "run-1", false, at(1)))
	_, err = d.Intend(Main, "c", nil, 0, at(9))
	wantErr(t, err, ErrTransition, "run-1")
}

func TestMayCall_NotOnceAStopIsAsked(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 0, at(0)))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.1)))
	if d.MayCall(Main, "a", at(0.1)) {
		t.Error("a stopped drill may still be started")
	}
}

func TestGiveUp_OthersMayLookAtOnce(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 0, at(0)))
	_, err := d.GiveUp(Main, "b", "x", true, at(0.1))
	wantErr(t, err, ErrTransition)
	ok(t)(d.GiveUp(Main, "a", "connection refused", true, at(0.1)))
	if !d.LookupDue(Main, at(0.1)) || d.MayCall(Main, "a", at(0.1)) || d.LastError != "connection refused" {
		t.Errorf("lookup due %v, may call %v, error %q", d.LookupDue(Main, at(0.1)), d.MayCall(Main, "a", at(0.1)), d.LastError)
	}
}

func TestNeverStarted_NeedsTwoLookupsApart(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 0, at(0)))
	if d.LookupDue(Main, at(0.9)) {
		t.Error("looked up while the author may call")
	}
	d.FoundNothing(Main, at(1))
	if c := d.FoundNothing(Main, at(1.2)); c.What != "" || d.NeverStarted(Main) {
		t.Error("a lookup right after the first one counts")
	}
	d.FoundNothing(Main, at(1).Add(LookupGap))
	if !d.NeverStarted(Main) {
		t.Error("two lookups apart prove nothing")
	}
	publishable(t, ok(t)(d.SettleNever("two lookups found nothing", at(2))))
	if d.Status != Failed || d.Restored.State != RestoreNeedless || d.LookupDue(Main, at(9)) {
		t.Errorf("status %s, restored %s", d.Status, d.Restored.State)
	}
}

func TestSetRun(t *testing.T) {
	intended := func(t *testing.T) *Drill { d := asked(); ok(t)(d.Intend(Main, "a", nil, 0, at(0))); return d }
	tests := []struct {
		name   string
		drill  func(t *testing.T) *Drill
		status Status
		stray  bool
	}{
		{"while it starts", intended, Running, false},
		{"after a stop was asked", func(t *testing.T) *Drill {
			d := intended(t)
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.1)))
			return d
		}, Stopping, false},
		{"after it was refused", func(t *testing.T) *Drill { d := intended(t); ok(t)(d.Refuse("service", "no", at(0.1))); return d }, Refused, true},
		{"after it was settled as never started", func(t *testing.T) *Drill { d := intended(t); ok(t)(d.SettleNever("nothing", at(2))); return d }, Failed, true},
		{"a second one", func(t *testing.T) *Drill { d := intended(t); ok(t)(d.SetRun(Main, "run-0", false, at(0.1))); return d }, Running, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.drill(t)
			c := ok(t)(d.SetRun(Main, "run-1", true, at(3)))
			publishable(t, c)
			if d.Status != tt.status || (len(d.Pending) == 1) != tt.stray {
				t.Fatalf("status %s, pending %v", d.Status, d.Pending)
			}
			if tt.stray && (d.RunID() == "run-1" || !d.Active() || facts(c) != "attached") {
				t.Errorf("run %s, active %v, facts %q", d.RunID(), d.Active(), facts(c))
			}
			if again, err := d.SetRun(Main, "run-1", true, at(4)); err == nil && again.What != "" {
				t.Errorf("the same run again is a change: %q", again.What)
			}
		})
	}
}

func TestSetPrepared_OnlyTheFirstCounts(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 0, at(0)))
	ok(t)(d.SetPrepared(Main, "task-1"))
	ok(t)(d.SetPrepared(Main, "task-1"))
	_, err := d.SetPrepared(Main, "task-2")
	wantErr(t, err, ErrTransition, "task-1", "task-2")
	if d.Ref(Main).ID != "task-1" || d.RunID() != "" {
		t.Errorf("ref %q, run %q", d.Ref(Main).ID, d.RunID())
	}
}

func TestRefuse_OnlyBeforeARun(t *testing.T) {
	for _, s := range statuses() {
		d := &Drill{ID: "d1", Status: s}
		_, err := d.Refuse("halt", strings.Repeat("x", 9000), at(0))
		if want := Legal(s, Refused); (err == nil) != want {
			t.Errorf("from %s: %v", s, err)
		}
		if err == nil && len(d.Refusal.Reason) > maxText {
			t.Errorf("the reason has %d bytes", len(d.Refusal.Reason))
		}
	}
}

func TestPreview_Bounds(t *testing.T) {
	targets := func(n int) []Target { return make([]Target, n) }
	tests := []struct {
		name   string
		bounds Bounds
		seen   *Previewed
		says   string
	}{
		{"too few", Bounds{Min: 2}, &Previewed{Proved: "targets", Targets: targets(1)}, "at least 2"},
		{"too many", Bounds{Max: 2}, &Previewed{Proved: "targets", Targets: targets(3)}, "at most 2"},
		{"none at all", Bounds{Min: 1, Max: 2}, &Previewed{Proved: "targets"}, "0 targets"},
		{"just right", Bounds{Min: 1, Max: 2}, &Previewed{Proved: "targets", Targets: targets(2)}, ""},
		{"no bounds", Bounds{}, &Previewed{Proved: "targets", Targets: targets(99)}, ""},
		{"the service names no targets", Bounds{Min: 1}, &Previewed{Proved: "syntax"}, ""},
		{"no preview", Bounds{Min: 1}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := asked(func(p *Plan) { p.Targets = tt.bounds })
			d.Preview = tt.seen
			if got := d.OutOfBounds(); (got == "") != (tt.says == "") || !strings.Contains(got, tt.says) {
				t.Errorf("%q, want %q", got, tt.says)
			}
		})
	}
}

func TestNew_DeadlineOfACommand(t *testing.T) {
	if d := asked(); d.Deadline != at(15) {
		t.Errorf("default deadline %v", d.Deadline)
	}
	d, c := New(Ask{ID: "d", Mode: "LIVE", Plan: plan(), Actor: "x", ExpiresAt: at(3)}, at(0))
	publishable(t, c)
	if d.Deadline != at(3) {
		t.Errorf("deadline %v", d.Deadline)
	}
}

func TestGiveUp_AnOpenOutcomeKeepsTheLease(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 0, at(0)))
	ok(t)(d.GiveUp(Main, "a", "connection reset", false, at(0.1)))
	if d.LookupDue(Main, at(0.5)) || !d.LookupDue(Main, at(1)) {
		t.Error("the call may still take effect: nobody may look before the lease is over")
	}
}

func TestNeverStarted_NotWhileACallMayStillTakeEffect(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, 6*time.Minute, at(0)))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.5)))
	ok(t)(d.GiveUp(Main, "a", "no reply", false, at(0.6)))
	c := d.FoundNothing(Main, at(1))
	publishable(t, c)
	if facts(c) != "progressed" || !strings.Contains(c.What, "until 2026-11-24T10:07:00Z") {
		t.Errorf("people are told %q with %s", c.What, facts(c))
	}
	for m := 1.5; m < 7; m += 0.5 {
		if c := d.FoundNothing(Main, at(m)); c.What != "" || d.NeverStarted(Main) || !d.LookupDue(Main, at(m)) {
			t.Fatalf("minute %v: %q, never %v, due %v", m, c.What, d.NeverStarted(Main), d.LookupDue(Main, at(m)))
		}
	}
	d.FoundNothing(Main, at(7))
	if d.NeverStarted(Main) || d.LookupDue(Main, at(7.4)) {
		t.Error("one lookup proves it")
	}
	d.FoundNothing(Main, at(7.5))
	if !d.NeverStarted(Main) || !d.Unsettled(at(7.5)).IsZero() {
		t.Error("two lookups after the last possible call prove nothing")
	}
}

func TestSettles(t *testing.T) {
	intended := func(t *testing.T) *Drill {
		d := asked()
		ok(t)(d.Intend(Main, "a", nil, 6*time.Minute, at(0)))
		return d
	}
	tests := []struct {
		name  string
		drill func(t *testing.T) *Drill
		want  time.Time
	}{
		{"nobody knows what became of the author", intended, at(7)},
		{"no reply", func(t *testing.T) *Drill { d := intended(t); ok(t)(d.GiveUp(Main, "a", "x", false, at(0.5))); return d }, at(7)},
		{"declined", func(t *testing.T) *Drill { d := intended(t); ok(t)(d.GiveUp(Main, "a", "x", true, at(0.5))); return d }, at(0.5)},
		{"a second attempt is declined, the first one's call is open", func(t *testing.T) *Drill {
			d := intended(t)
			ok(t)(d.Intend(Main, "b", nil, 6*time.Minute, at(2)))
			ok(t)(d.GiveUp(Main, "b", "x", true, at(2.1)))
			return d
		}, at(7)},
		{"a second attempt has no reply either", func(t *testing.T) *Drill {
			d := intended(t)
			ok(t)(d.Intend(Main, "b", nil, 6*time.Minute, at(2)))
			return d
		}, at(9)},
		{"the first was declined, and so is the second", func(t *testing.T) *Drill {
			d := intended(t)
			ok(t)(d.GiveUp(Main, "a", "x", true, at(0.5)))
			ok(t)(d.Intend(Main, "b", nil, 6*time.Minute, at(2)))
			ok(t)(d.GiveUp(Main, "b", "x", true, at(2.1)))
			return d
		}, at(2.1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := reload(t, tt.drill(t))
			if got := d.Run(Main).Intent.Settles(); !got.Equal(tt.want) {
				t.Errorf("settles at %s, want %s", got, tt.want)
			}
		})
	}
}

func TestObserve_APausedRunIsNotCalledStoppedWhileAnAnswerMaySetItGoing(t *testing.T) {
	still := func(o *Observation) {
		o.Gates = []Gate{{Name: "paused", Kind: PausedGate, Choices: []Choice{{Action: ResumeRun}}}}
		quiet(o)
	}
	tests := []struct {
		name   string
		action Action
		settle func(d *Drill)
		minute float64
		want   Status
	}{
		{"no reply", ResumeRun, nil, 4, Stopping},
		{"no reply, and its time is over", ResumeRun, nil, 10.1, Stopped},
		{"done", ResumeRun, func(d *Drill) { d.SettleAnswer(0, "", at(3)) }, 4, Stopped},
		{"did not work", ResumeRun, func(d *Drill) { d.SettleAnswer(0, "no", at(3)) }, 4, Stopped},
		{"done at the second try, the first had no reply", ResumeRun, func(d *Drill) { d.Answers[0].Tries = 2; d.SettleAnswer(0, "", at(3)) }, 4, Stopping},
		{"a pause sets nothing going", PauseRun, nil, 4, Stopped},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t)
			d.Run(Main).Intent.Late = Duration(6 * time.Minute)
			ok(t)(d.Observe(seen(PhaseWaiting, still), at(2)))
			if _, _, err := d.Answer(Move{Action: tt.action}, "bob", "me", at(3)); err != nil {
				t.Fatal(err)
			}
			if tt.settle != nil {
				tt.settle(d)
			}
			ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(3.5)))
			first := ok(t)(d.Observe(seen(PhaseWaiting, still), at(tt.minute)))
			publishable(t, first)
			if d.Status != tt.want {
				t.Fatalf("%s after %q, want %s", d.Status, first.What, tt.want)
			}
			if tt.want != Stopping {
				return
			}
			if !strings.Contains(first.What, "not called stopped yet") || facts(first) != "progressed" {
				t.Errorf("people are told %q with %s", first.What, facts(first))
			}
			if c := ok(t)(d.Observe(seen(PhaseWaiting, still), at(tt.minute+0.5))); strings.Contains(c.What, "stopped yet") {
				t.Errorf("told twice: %q", c.What)
			}
		})
	}
}
