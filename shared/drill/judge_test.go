package drill

import (
	"strings"
	"testing"
	"time"
)

func withClaims(claims ...Claim) func(*Plan) { return func(p *Plan) { p.Expect = claims } }

var (
	measured = Claim{ID: "c1", Claim: "checkout answers", HTTP: "http://x", StopAfter: Duration(time.Minute)}
	askedOf  = Claim{ID: "c2", Claim: "no order is lost", Ask: "owner"}
)

func hit(o *Observation) {
	o.Steps = []Step{step(StepDone, func(s *Step) { s.Targets = []Target{{ID: "i-1"}} })}
}

// TestJudge holds every rule of DESIGN section 7.
func TestJudge(t *testing.T) {
	good := func(d *Drill) { d.Measure(Sample{Claim: "c1", At: at(2), Good: true, Detail: "200"}) }
	bad := func(d *Drill) { d.Measure(Sample{Claim: "c1", At: at(2), Detail: "503"}) }
	yes := func(d *Drill) { _, _ = d.AnswerClaim("c2", true, "bob", "", at(2)) }
	no := func(d *Drill) { _, _ = d.AnswerClaim("c2", false, "bob", "", at(2)) }
	stop := func(k StopKind) func(*Drill) {
		return func(d *Drill) { _, _ = d.AskStop(k, "x:y", "because", "", at(2.5)) }
	}
	see := func(o Observation) func(*Drill) { return func(d *Drill) { _, _ = d.Observe(o, at(3)) } }
	completed, stopped := see(seen(PhaseCompleted, quiet, hit)), see(seen(PhaseStopped, quiet, hit))
	both, one, none := []Claim{measured, askedOf}, []Claim{measured}, []Claim(nil)
	tests := []struct {
		name   string
		claims []Claim
		do     []func(*Drill)
		want   string
		says   string
	}{
		{"a claim did not hold", one, []func(*Drill){bad, completed}, Unexpected, "checkout answers"},
		{"a person says no", both, []func(*Drill){good, no, completed}, Unexpected, "says no"},
		{"one claim failed and one is unanswered", both, []func(*Drill){bad, completed}, Unexpected, "nobody answered"},
		{"stopped by its alarm", one, []func(*Drill){good, stop(StopByAlarm), stopped}, Unexpected, "stopped by x:y: because"},
		{"stopped by a claim", one, []func(*Drill){good, stop(StopByClaim), stopped}, Unexpected, "stopped by"},
		{"stopped by the service's own condition", one, []func(*Drill){good, see(seen(PhaseStopped, quiet, hit, func(o *Observation) { o.StoppedBy = "condition" }))}, Unexpected, "stopped by service:cfg"},
		{"an alarm asked for a stop and it ran to its end", one, []func(*Drill){good, stop(StopByAlarm), completed}, Unexpected, "to its end although"},
		{"a recovery failed", one, []func(*Drill){good, see(seen(PhaseCompleted, hit, func(o *Observation) {
			o.Quiet, o.Restoration, o.Evidence = true, RestoreFailed, []string{"step 4 failed"}
		}))}, Unexpected, "step 4 failed"},
		{"stopped by a person", one, []func(*Drill){good, stop(StopByPerson), stopped}, Inconclusive, "stopped by"},
		{"stopped by its deadline", one, []func(*Drill){good, stop(StopByDeadline), stopped}, Inconclusive, "stopped by"},
		{"stopped by a halt", one, []func(*Drill){good, stop(StopByHalt), stopped}, Inconclusive, "stopped by"},
		{"stopped by a freeze", one, []func(*Drill){good, stop(StopByFreeze), stopped}, Inconclusive, "stopped by"},
		{"stopped in the vendor's console", one, []func(*Drill){good, stopped}, Inconclusive, "stopped by service:cfg"},
		{"a person asked for a stop and it ran to its end", one, []func(*Drill){good, stop(StopByPerson), completed}, Inconclusive, "to its end although"},
		{"the run failed", one, []func(*Drill){good, see(seen(PhaseFailed, quiet, hit))}, Inconclusive, "the run failed"},
		{"no target was hit", one, []func(*Drill){good, see(seen(PhaseCompleted, quiet, func(o *Observation) { o.Steps = []Step{step(StepDone)} }))}, Inconclusive, "no target"},
		{"every fault was skipped", one, []func(*Drill){good, see(seen(PhaseCompleted, quiet, func(o *Observation) {
			o.Steps = []Step{step(StepSkipped, func(s *Step) { s.Targets = []Target{{ID: "i"}} })}
		}))}, Inconclusive, "skipped"},
		{"nothing was injected", one, []func(*Drill){good, see(seen(PhaseCompleted, quiet, func(o *Observation) { o.Injected = false }))}, Inconclusive, "nothing was injected"},
		{"nobody measured", one, []func(*Drill){completed}, Inconclusive, "not measured"},
		{"nobody answered", both, []func(*Drill){good, completed}, Inconclusive, "nobody answered"},
		{"the plan claims nothing", none, []func(*Drill){completed}, Inconclusive, "claims nothing"},
		{"all claims held", both, []func(*Drill){good, yes, completed}, Expected, "bob says yes"},
		{"a claim recovered within stop_after", one, []func(*Drill){good, func(d *Drill) {
			d.Measure(Sample{Claim: "c1", At: at(2.2), Detail: "503"})
			d.Measure(Sample{Claim: "c1", At: at(2.5), Good: true, Detail: "200"})
		}, completed}, Expected, "held again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t, withClaims(tt.claims...))
			for _, f := range tt.do {
				f(d)
			}
			if !d.Status.Ended() {
				t.Fatalf("the case is wrong: the drill is %s", d.Status)
			}
			v := d.Judge(at(4))
			if v.Verdict != tt.want || v.By != ByRules {
				t.Errorf("verdict %s, want %s: %v", v.Verdict, tt.want, v.Reasons)
			}
			if !strings.Contains(v.Summary, tt.says) || !strings.Contains(v.Summary, "购物车") {
				t.Errorf("summary %q does not say %q", v.Summary, tt.says)
			}
		})
	}
	t.Run("a dry run", func(t *testing.T) {
		d := asked(withClaims(measured))
		d.DryRun = true
		good(d)
		publishable(t, ok(t)(d.EndDryRun(at(1))))
		if v := d.Judge(at(2)); v.Verdict != Inconclusive || !strings.Contains(v.Summary, "dry run") {
			t.Errorf("%s: %s", v.Verdict, v.Summary)
		}
	})
}

func TestClaims_LongestBadStreakAndStopAfter(t *testing.T) {
	d := running(t, withClaims(measured))
	sample := func(minute float64, good bool) bool {
		return d.Measure(Sample{Claim: "c1", At: at(minute), Good: good})
	}
	flips := []bool{sample(1, true), sample(2, true), sample(3, false), sample(3.5, false)}
	if want := []bool{true, false, true, false}; flips[0] != want[0] || flips[1] != want[1] || flips[2] != want[2] || flips[3] != want[3] {
		t.Errorf("flips %v", flips)
	}
	if _, broken := d.BrokenClaim(); broken {
		t.Error("broken after 30 s, stop_after is 60 s")
	}
	sample(4, false)
	if c, broken := d.BrokenClaim(); !broken || c.ID != "c1" {
		t.Error("not broken after 60 s")
	}
	if sample(3.9, true) {
		t.Error("a sample from before counts")
	}
	if !sample(4.5, true) {
		t.Error("good again is no flip")
	}
	if _, broken := d.BrokenClaim(); broken {
		t.Error("still broken though it holds again")
	}
	st := d.Claims[0]
	if st.Longest.D() != 90*time.Second || st.Good != 3 || st.Bad != 3 || !st.BadSince.IsZero() {
		t.Errorf("state %+v", st)
	}
	if held, known, _ := d.holds(0); held || !known {
		t.Error("a claim that was bad for longer than stop_after held")
	}
	if d.Measure(Sample{Claim: "c9", At: at(9)}) || d.Measure(Sample{Claim: "c1"}) {
		t.Error("a sample of no claim, or of no time, counts")
	}
}

func TestAnswerClaim(t *testing.T) {
	claims := withClaims(measured, askedOf)
	tests := []struct {
		name  string
		claim string
		edit  func(d *Drill)
		err   error
		says  string
	}{
		{"a claim that is not there", "c7", nil, ErrForbidden, "c1, c2"},
		{"a measured claim", "c1", nil, ErrForbidden, "measured"},
		{"answered before", "c2", func(d *Drill) { d.Claims[1].Answer = &Reply{Holds: true, Actor: "carol", At: at(1)} }, ErrAnswered, "carol answered yes"},
		{"after the conclusion", "c2", func(d *Drill) { d.Status = Concluded }, ErrAnswered, "amend"},
		{"by its id, in capitals", "C2", nil, nil, ""},
		{"by its text", "no order is lost", nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t, claims)
			if tt.edit != nil {
				tt.edit(d)
			}
			_, err := d.AnswerClaim(tt.claim, false, "bob", "", at(2))
			if tt.err != nil {
				wantErr(t, err, tt.err, tt.says)
				return
			}
			if err != nil || d.Claims[1].Answer == nil || d.Claims[1].Answer.Holds {
				t.Errorf("answer %+v, error %v", d.Claims[1].Answer, err)
			}
		})
	}
}

// TestUnanswered_CountsFromWhenPeopleWereAsked: a restoration may take longer than the deadline; people still get their time.
func TestUnanswered_CountsFromWhenPeopleWereAsked(t *testing.T) {
	d := running(t, withClaims(askedOf))
	ok(t)(d.Observe(seen(PhaseCompleted, quiet), at(3)))
	c := ok(t)(d.BeginConclude(at(60)))
	publishable(t, c)
	if facts(c) != "waiting" || d.ReadyToConclude(at(60)) {
		t.Fatalf("facts %q: nobody is asked", facts(c))
	}
	if d = reload(t, d); len(d.Unanswered(at(89))) != 1 || d.ReadyToConclude(at(89)) {
		t.Error("the answer is due before its time")
	}
	if !d.ReadyToConclude(at(90)) {
		t.Error("it waits for ever")
	}
	ok(t)(d.AnswerClaim("c2", true, "bob", "", at(61)))
	if !d.ReadyToConclude(at(61)) {
		t.Error("it waits although everybody answered")
	}
}

func TestVerdict_OnceAndAmended(t *testing.T) {
	d := running(t)
	_, err := d.Decide(Verdict{Verdict: Expected}, at(2))
	wantErr(t, err, ErrTransition, "running")
	d = concluding(t)
	_, err = d.Conclude(true, "", at(5))
	wantErr(t, err, ErrTransition, "no verdict")
	ok(t)(d.Decide(Verdict{Verdict: Unexpected, Summary: "orders were lost", By: "bob"}, at(5)))
	_, err = d.Decide(Verdict{Verdict: Expected}, at(6))
	wantErr(t, err, ErrAnswered, "unexpected", "bob")
	_, err = d.Amend(Verdict{Verdict: Expected}, at(6))
	wantErr(t, err, ErrTransition, "concluding")
	publishable(t, ok(t)(d.Conclude(true, "/r/d1", at(7))))
	c := ok(t)(d.Amend(Verdict{Verdict: Expected, Summary: "they were found", By: "carol"}, at(8)))
	publishable(t, c)
	if d.Verdict.Verdict != Unexpected || len(d.Amendments) != 1 || facts(c) != "amended" {
		t.Errorf("verdict %s, amendments %v, facts %q", d.Verdict.Verdict, d.Amendments, facts(c))
	}
}

func TestPending_KeepsActiveAndIsSettledOnce(t *testing.T) {
	d := concluding(t)
	d.Runs[Main].Report = Report{State: "pending"}
	ok(t)(d.Decide(d.Judge(at(40)), at(40)))
	ok(t)(d.Conclude(false, "", at(40)))
	if len(d.Pending) != 2 || !d.Active() {
		t.Fatalf("pending %v", d.Pending)
	}
	before := *d.Verdict
	for _, p := range append([]Pending(nil), d.Pending...) {
		publishable(t, d.Settle(p, p.What+" is there", []string{"https://x"}, at(50)))
		if c := d.Settle(p, p.What+" is there", nil, at(51)); c.What != "" || len(c.Facts) > 0 {
			t.Errorf("settled twice: %q", c.What)
		}
	}
	if d.Active() || len(d.Attached) != 2 || d.Verdict.Verdict != before.Verdict {
		t.Errorf("active %v, attached %v", d.Active(), d.Attached)
	}
}

func TestAddStray_Once(t *testing.T) {
	d := concluded(t)
	publishable(t, d.AddStray("run-9", at(50)))
	if c := d.AddStray("run-9", at(51)); c.What != "" || len(d.Pending) != 1 {
		t.Errorf("noted twice: %v", d.Pending)
	}
	d.AddStray("run-10", at(52))
	if len(d.Pending) != 2 {
		t.Errorf("pending %v", d.Pending)
	}
}
