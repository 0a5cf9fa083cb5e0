package drill

import (
	"strings"
	"testing"
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
	d.SettleAnswer(0, "")
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
	d.SettleAnswer(0, "denied: "+strings.Repeat("x", 5000))
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
	d.SettleAnswer(0, "")
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
	d.SettleAnswer(0, "")
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
		d.SettleAnswer(0, "")
		if m.Action == PauseRun {
			if _, _, err := d.Answer(m, "bob", "a2", at(10)); err != nil {
				t.Errorf("a second pause, later: %v", err)
			}
		}
	}
}
