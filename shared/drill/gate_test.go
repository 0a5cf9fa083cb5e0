package drill

import (
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

func approval(t *testing.T, need int, self bool) *Drill {
	t.Helper()
	d := asked(func(p *Plan) { p.Approval = Approval{Need: need, Self: self} })
	publishable(t, ok(t)(d.AskApproval(at(0))))
	return d
}

func TestApprove(t *testing.T) {
	type vote struct {
		actor string
		at    float64
		err   error
		says  string
	}
	tests := []struct {
		name     string
		need     int
		self     bool
		edit     func(d *Drill)
		votes    []vote
		approved bool
	}{
		{"the requester's own does not count", 1, false, nil, []vote{{"local:x/alice", 1, ErrForbidden, "somebody else"}}, false},
		{"the requester's own counts where the plan says so", 1, true, nil, []vote{{"local:x/alice", 1, nil, ""}}, true},
		{"one person twice", 2, false, nil, []vote{{"bob", 1, nil, ""}, {"bob", 2, ErrAnswered, "1 of 2"}}, false},
		{"two of two", 2, false, nil, []vote{{"bob", 1, nil, ""}, {"carol", 2, nil, ""}}, true},
		{"two of three", 3, false, nil, []vote{{"bob", 1, nil, ""}, {"carol", 2, nil, ""}}, false},
		{"after it was approved", 1, false, nil, []vote{{"bob", 1, nil, ""}, {"carol", 2, ErrAnswered, "bob"}}, true},
		{"too late", 1, false, nil, []vote{{"bob", 31, ErrAnswered, "expired"}}, false},
		{"the plan changed", 1, false, func(d *Drill) { d.Block["template"] = 627.0 }, []vote{{"bob", 1, ErrForbidden, "changed"}}, false},
		{"the parameters changed", 1, false, func(d *Drill) { d.Parameters = map[string]any{"seconds": 600} }, []vote{{"bob", 1, ErrForbidden, "changed"}}, false},
		{"the targets changed", 1, false, func(d *Drill) { d.Preview = &Previewed{Targets: []Target{{ID: "i-1"}}} }, []vote{{"bob", 1, ErrForbidden, "changed"}}, false},
		{"it was refused meanwhile", 1, false, func(d *Drill) { d.Status = Refused }, []vote{{"bob", 1, ErrAnswered, "refused"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := approval(t, tt.need, tt.self)
			if tt.edit != nil {
				tt.edit(d)
			}
			for _, v := range tt.votes {
				c, err := d.Approve(v.actor, "", at(v.at))
				if v.err != nil {
					wantErr(t, err, v.err, v.says)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				publishable(t, c)
				d = reload(t, d) // the hash survives the journal
			}
			if d.Approvals.Approved != tt.approved {
				t.Errorf("approved: %v", d.Approvals.Approved)
			}
		})
	}
}

// TestApprove_SaysHowFarItIs: a card shows each vote, not only the last one.
func TestApprove_SaysHowFarItIs(t *testing.T) {
	d := approval(t, 3, false)
	for i, want := range []string{"approved by bob (1 of 3)", "approved by carol (2 of 3)"} {
		c := ok(t)(d.Approve([]string{"bob", "carol"}[i], "", at(1)))
		p, is := c.Facts[0].(events.Progressed)
		if !is || len(c.Facts) != 1 || !slices.Equal(p.Changes, []string{want}) || c.What != want || p.Status != string(Waiting) {
			t.Errorf("vote %d says %+v", i+1, c)
		}
		publishable(t, c)
	}
	c := ok(t)(d.Approve("dave", "", at(2)))
	if p, is := c.Facts[0].(events.Approved); !is || !slices.Equal(p.By, []string{"bob", "carol", "dave"}) {
		t.Errorf("the last vote says %+v", c.Facts)
	}
}

func TestStrike(t *testing.T) {
	all := func(string) bool { return true }
	notBob := func(actor string) bool { return actor != "bob" }
	voted := func(need int, actors ...string) func(*testing.T) *Drill {
		return func(t *testing.T) *Drill {
			d := approval(t, need, false)
			for _, a := range actors {
				ok(t)(d.Approve(a, "", at(1)))
			}
			return d
		}
	}
	tests := []struct {
		name     string
		drill    func(*testing.T) *Drill
		may      func(string) bool
		facts    string
		approved bool
		votes    int
	}{
		{"all may", voted(2, "bob", "carol"), all, "", true, 2},
		{"nobody voted", voted(1), notBob, "", false, 0},
		{"the only vote", voted(1, "bob"), notBob, "progressed waiting", false, 0},
		{"one of two", voted(2, "carol", "bob"), notBob, "progressed waiting", false, 1},
		{"one before it was enough", voted(2, "bob"), notBob, "progressed", false, 0},
		{"it waits for no approval", func(*testing.T) *Drill { return asked() }, notBob, "", false, 0},
		{"it has started", func(t *testing.T) *Drill {
			d := voted(1, "bob")(t)
			ok(t)(d.Intend(Main, "me", nil, 0, at(2)))
			return d
		}, notBob, "", true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.drill(t)
			c := d.Strike(tt.may, at(3))
			publishable(t, c)
			if got := facts(c); got != tt.facts || (c.What == "") != (tt.facts == "") {
				t.Errorf("facts %q, %q", got, c.What)
			}
			if d.Approvals == nil {
				return
			}
			if d.Approvals.Approved != tt.approved || len(d.Approvals.Votes) != tt.votes {
				t.Errorf("approved %v by %+v", d.Approvals.Approved, d.Approvals.Votes)
			}
			if again := d.Strike(tt.may, at(3)); again.What != "" || len(again.Facts) > 0 {
				t.Errorf("a second time it says %+v", again)
			}
		})
	}
	t.Run("others may approve it still, until the question expires", func(t *testing.T) {
		d := voted(1, "bob")(t)
		d.Strike(notBob, at(3))
		if !d.AwaitsApproval() || len(d.Gates) != 1 || d.Gates[0].ID != d.Approvals.Gate || !d.Deadline.Equal(d.Approvals.ExpiresAt) {
			t.Fatalf("gates %+v, deadline %s", d.Gates, d.Deadline)
		}
		if got := Next(d, at(31)); !slices.Equal(got, []Act{ActExpire}) {
			t.Errorf("after the question expired it needs %v", got)
		}
		ok(t)(d.Approve("carol", "", at(4)))
		if !d.Approvals.Approved {
			t.Error("not approved")
		}
	})
}

func TestPlan_Approver(t *testing.T) {
	for _, c := range []struct{ from, owner, want string }{
		{"", "team", "approver"}, {"owner", "team", "team"}, {"owner", "", ""}, {"admin", "team", "admin"}, {"game-master", "team", "game-master"},
	} {
		if got := (Plan{Owner: c.owner, Approval: Approval{From: c.from}}).Approver(); got != c.want {
			t.Errorf("from %q of owner %q is %q, want %q", c.from, c.owner, got, c.want)
		}
	}
}

func TestHash_OrderOfTargetsDoesNotMatter(t *testing.T) {
	d := asked()
	d.Preview = &Previewed{Targets: []Target{{ID: "i-1"}, {ID: "i-2"}}}
	h := d.Hash()
	d.Preview.Targets = []Target{{ID: "i-2", State: StepDone}, {ID: "i-1"}}
	if d.Hash() != h {
		t.Error("the same targets in another order have another hash")
	}
	d.Preview.Targets = d.Preview.Targets[:1]
	if d.Hash() == h {
		t.Error("fewer targets have the same hash")
	}
}

func manual(step string, choices ...Action) Gate {
	g := Gate{Step: step, Name: "step " + step, Kind: ManualGate}
	for _, a := range choices {
		g.Choices = append(g.Choices, Choice{Action: a})
	}
	return g
}

func open(t *testing.T, d *Drill, now float64, gates ...Gate) Change {
	t.Helper()
	c := ok(t)(d.Observe(seen(PhaseWaiting, func(o *Observation) { o.Gates = gates }), at(now)))
	publishable(t, c)
	d.Rev++
	return c
}

func TestAnswer(t *testing.T) {
	one := []Gate{manual("s1", Execute, Skip)}
	two := append(one, manual("s2", Execute))
	tests := []struct {
		name  string
		gates []Gate
		move  Move
		err   error
		says  string
		gate  string
	}{
		{"no gate is open", nil, Move{Action: Execute}, ErrAnswered, "none", ""},
		{"two are open and none is named", two, Move{Action: Execute}, ErrForbidden, "s1@4, s2@4", ""},
		{"a gate that was never there", one, Move{Gate: "s9@1", Action: Execute}, ErrAnswered, "s9@1", ""},
		{"a choice that it does not have", one, Move{Action: Retry}, ErrForbidden, "execute, skip", ""},
		{"a step that waits nowhere", one, Move{Action: Execute, Step: "s7"}, ErrAnswered, "s7", ""},
		{"the one open gate", one, Move{Action: Execute}, nil, "", "s1@4"},
		{"one of two by its step", two, Move{Action: Execute, Step: "s2"}, nil, "", "s2@4"},
		{"one of two by its name", two, Move{Action: Skip, Step: "step s1"}, nil, "", "s1@4"},
		{"one of two by its id", two, Move{Gate: "s2@4", Action: Execute}, nil, "", "s2@4"},
		{"a pause needs no gate", nil, Move{Action: PauseRun}, nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := running(t)
			open(t, d, 2, tt.gates...)
			_, a, err := d.Answer(tt.move, "bob", "me", at(3))
			if tt.err != nil {
				wantErr(t, err, tt.err, tt.says)
				if len(d.Answers) > 0 {
					t.Error("a refused answer was kept")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a.Gate != tt.gate {
				t.Errorf("gate %q, want %q", a.Gate, tt.gate)
			}
		})
	}
}

func TestAnswer_OnlyWhileItRuns(t *testing.T) {
	for _, s := range statuses() {
		if s == Running || s == Waiting {
			continue
		}
		d := running(t)
		d.Status = s
		_, _, err := d.Answer(Move{Action: PauseRun}, "bob", "me", at(3))
		wantErr(t, err, ErrAnswered, string(s))
	}
	_, _, err := approval(t, 1, false).Answer(Move{Action: Execute}, "bob", "me", at(1))
	wantErr(t, err, ErrAnswered)
}

func TestAnswer_TheSecondIsToldWhoWasFirst(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute, Skip))
	if _, _, err := d.Answer(Move{Action: Execute}, "bob", "a1", at(3)); err != nil {
		t.Fatal(err)
	}
	_, _, err := d.Answer(Move{Action: Skip}, "carol", "a2", at(3))
	wantErr(t, err, ErrAnswered, "bob", "execute")
	d.SettleAnswer(0, "", at(3))
	ok(t)(d.Observe(seen(PhaseRunning), at(3.1)))
	_, _, err = d.Answer(Move{Gate: "s1@4", Action: Skip}, "carol", "a2", at(4))
	wantErr(t, err, ErrAnswered, "bob", "execute")
}

func TestAnswer_AProblemOpensTheGateAgain(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute))
	_, _, err := d.Answer(Move{Action: Execute}, "bob", "a1", at(3))
	if err != nil {
		t.Fatal(err)
	}
	d.SettleAnswer(0, "denied: "+strings.Repeat("x", 5000), at(3))
	if n := len(d.Answers[0].Error); n > maxText {
		t.Errorf("the problem has %d bytes", n)
	}
	if _, _, err = d.Answer(Move{Action: Execute}, "bob", "a1", at(4)); err != nil {
		t.Errorf("a second try: %v", err)
	}
}

func TestAnswer_OfOtherTargetsIsNotASecondAnswer(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute))
	for _, target := range []string{"ins-a", "ins-b"} {
		if _, _, err := d.Answer(Move{Action: Execute, Targets: []string{target}}, "bob", "me", at(3)); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestGate_OpensAnewAfterARetryThatFailedAgain: between two looks a retry may run and fail again; the gate must not stay answered.
func TestGate_OpensAnewAfterARetryThatFailedAgain(t *testing.T) {
	failed := Gate{Step: "s1", Name: "burn", Kind: FailedGate, Choices: []Choice{{Action: Retry}, {Action: Skip}}}
	d := running(t)
	open(t, d, 2, failed)
	first := d.Gates[0].ID
	if _, _, err := d.Answer(Move{Action: Retry}, "bob", "a1", at(3)); err != nil {
		t.Fatal(err)
	}
	d.SettleAnswer(0, "", at(3))
	open(t, d, 3.2, failed)
	if d.Gates[0].ID != first {
		t.Error("a reading right after the answer may be stale: the gate must not open anew")
	}
	c := open(t, d, 4.1, failed)
	if d.Gates[0].ID == first || !strings.Contains(facts(c), "waiting") {
		t.Fatalf("the gate is still %s, facts %q: nobody can answer it", first, facts(c))
	}
	if _, _, err := d.Answer(Move{Action: Skip}, "carol", "a2", at(5)); err != nil {
		t.Error(err)
	}
}

func TestOpenAnswer_OwnFirstAndOneHandlerAtATime(t *testing.T) {
	d := running(t)
	open(t, d, 2, manual("s1", Execute), manual("s2", Execute))
	for i, step := range []string{"s1", "s2"} {
		if _, _, err := d.Answer(Move{Action: Execute, Step: step}, "bob", []string{"a1", "a2"}[i], at(3+float64(i)*2)); err != nil {
			t.Fatal(err)
		}
	}
	if i, open := d.OpenAnswer("a2", at(5)); !open || i != 1 {
		t.Errorf("a2 carries out answer %d, %v; its own is 1", i, open)
	}
	if i, open := d.OpenAnswer("", at(5)); !open || i != 0 {
		t.Errorf("left: %d, %v; answer 0 was left", i, open)
	}
	if _, ok := d.LeaseAnswer(0, "a3", at(5)); !ok || d.Answers[0].Tries != 2 {
		t.Errorf("leased %v, tries %d", ok, d.Answers[0].Tries)
	}
	if _, ok := d.LeaseAnswer(0, "a4", at(5)); ok {
		t.Error("two handlers carry out one answer")
	}
	d.SettleAnswer(0, "", at(3))
	if _, ok := d.LeaseAnswer(0, "a3", at(9)); ok {
		t.Error("a settled answer is carried out again")
	}
}

// TestAnswer_LeftOnesAreNotRecordedTwice: poll sends an answer again that its handler left.
func TestAnswer_LeftOnesAreNotRecordedTwice(t *testing.T) {
	for _, m := range []Move{{Action: PauseRun}, {Action: Execute, Targets: []string{"ins-a"}}} {
		d := running(t)
		open(t, d, 2, manual("s1", Execute))
		_, first, err := d.Answer(m, "bob", "a1", at(3))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = d.Answer(first.Move, "bob", "a2", at(9))
		wantErr(t, err, ErrAnswered, "bob")
		d.SettleAnswer(0, "", at(3))
		if m.Action == PauseRun {
			if _, _, err := d.Answer(m, "bob", "a2", at(10)); err != nil {
				t.Errorf("a second pause, later: %v", err)
			}
		}
	}
}
