package drill

import (
	"strings"
	"testing"
)

func TestIntend_OneAuthorAtATime(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", []string{"old"}, at(0)))
	if d.Status != Starting || !d.MayCall(Main, "a", at(0)) || d.MayCall(Main, "b", at(0)) {
		t.Fatalf("status %s, a %v, b %v", d.Status, d.MayCall(Main, "a", at(0)), d.MayCall(Main, "b", at(0)))
	}
	if d.MayCall(Main, "a", at(0).Add(LaunchLease-CallTimeout+1)) {
		t.Error("a call may outlive the lease")
	}
	_, err := d.Intend(Main, "b", nil, at(0.5))
	wantErr(t, err, ErrTransition, "another")
	ok(t)(d.Intend(Main, "b", []string{"newer"}, at(1)))
	r := d.Run(Main)
	if r.Intent.Attempt != 2 || !r.Intent.Since.Equal(at(0)) || strings.Join(r.Intent.Seen, "") != "old" {
		t.Errorf("second intent %+v: what was there before the first one counts", r.Intent)
	}
	if d.MayCall(Main, "a", at(1)) {
		t.Error("the first author may still call")
	}
	ok(t)(d.SetRun(Main, "run-1", false, at(1)))
	_, err = d.Intend(Main, "c", nil, at(9))
	wantErr(t, err, ErrTransition, "run-1")
}

func TestMayCall_NotOnceAStopIsAsked(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, at(0)))
	ok(t)(d.AskStop(StopByPerson, "bob", "", "", at(0.1)))
	if d.MayCall(Main, "a", at(0.1)) {
		t.Error("a stopped drill may still be started")
	}
}

func TestGiveUp_OthersMayLookAtOnce(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, at(0)))
	_, err := d.GiveUp(Main, "b", "x", true, at(0.1))
	wantErr(t, err, ErrTransition)
	ok(t)(d.GiveUp(Main, "a", "connection refused", true, at(0.1)))
	if !d.LookupDue(Main, at(0.1)) || d.MayCall(Main, "a", at(0.1)) || d.LastError != "connection refused" {
		t.Errorf("lookup due %v, may call %v, error %q", d.LookupDue(Main, at(0.1)), d.MayCall(Main, "a", at(0.1)), d.LastError)
	}
}

func TestNeverStarted_NeedsTwoLookupsApart(t *testing.T) {
	d := asked()
	ok(t)(d.Intend(Main, "a", nil, at(0)))
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
	intended := func(t *testing.T) *Drill { d := asked(); ok(t)(d.Intend(Main, "a", nil, at(0))); return d }
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
	ok(t)(d.Intend(Main, "a", nil, at(0)))
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
	ok(t)(d.Intend(Main, "a", nil, at(0)))
	ok(t)(d.GiveUp(Main, "a", "connection reset", false, at(0.1)))
	if d.LookupDue(Main, at(0.5)) || !d.LookupDue(Main, at(1)) {
		t.Error("the call may still take effect: nobody may look before the lease is over")
	}
}
