package functions

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	theOperator = "slack:T1/U0ALICE" // an operator of staging, and of nothing else
	theApprover = "slack:T1/U0BOB"   // an approver everywhere
	theViewer   = "slack:T1/U0CAROL" // a viewer everywhere
	theOwner    = "slack:T1/U0DAVE"  // of the team that owns a plan
	theOther    = "slack:T1/U0ERIN"  // an approver of staging
	stranger    = "slack:T1/U0MAL"   // in the room, and bound to nothing
)

// guarded is a catalogue in which people differ, and the policy that the functions go by: a test may take it away.
func guarded(t testing.TB, policy *access.Policy) func(*options) {
	cat := written(t, `version: 1
defaults: { environment: staging, max_duration: 30m }
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
  tx:  { cloud: tencent, id: "100032429988", region: ap-guangzhou }
roles: { team-shop: { may: [ approve, reject, note ] } }
bindings:
  - { role: operator, to: "`+theOperator+`", environments: [ staging ] }
  - { role: approver, to: "`+theApprover+`" }
  - { role: viewer, to: [ "`+theViewer+`", "`+theOwner+`" ] }
  - { role: team-shop, to: "`+theOwner+`" }
  - { role: approver, to: "`+theOther+`", environments: [ staging ] }
drills:
  plain: { title: Plain, owner: a, account: aws, exclusive: none, fis: { template: EXTlong00000000001 } }
  other: { title: Other, owner: a, account: aws, exclusive: none, fis: { template: EXTlong00000000001 } }
  prod: { title: Production, owner: a, environment: production, account: aws, exclusive: none, approval: { need: 0 }, fis: { template: EXTlong00000000001 } }
  agreed: { title: Agreed, owner: a, account: aws, exclusive: none, approval: { need: 1 }, fis: { template: EXTlong00000000001 } }
  twice: { title: Twice agreed, owner: a, account: aws, exclusive: none, approval: { need: 2 }, fis: { template: EXTlong00000000001 } }
  owned: { title: Owned, owner: team-shop, account: aws, exclusive: none, approval: { need: 1, from: owner }, fis: { template: EXTlong00000000001 } }
  by-hand: { title: By hand, owner: d, account: tx, exclusive: none, cfg: { template: 626, mode: manual, on_stop: rollback, groups: [ { instances: [ ins-cart-a ] } ] },
    expect: [ { claim: nobody notices, ask: owner } ] }
`)
	*policy = cat.Access()
	return func(o *options) { o.catalog, o.access = cat, func() access.Policy { return *policy } }
}

// as asks for a drill.
func (r *rig) as(actor, plan string) (events.Event, string) {
	r.Helper()
	e := r.event(events.Start{Plan: plan, Actor: actor})
	return e, events.ID("drill", "/test", e.ID())
}

// begin starts a plan and returns its drill once it is in the status.
func (r *rig) begin(actor, plan string, want drill.Status) string {
	r.Helper()
	e, id := r.as(actor, plan)
	_ = r.Publish(r.Context(), e)
	r.drain()
	r.until(id, 10, is(want))
	return id
}

// declined gives a command twice to a function, and wants the same refusal both times, and nothing else.
func (r *rig) declined(name string, p events.Payload, says string) {
	r.Helper()
	e := r.event(p)
	var ids []string
	for range 2 {
		out, err := r.give(name, e)
		if err != nil {
			r.Fatal(err)
		}
		no := r.refusal(out)
		if no.Check != guard.CheckAccess || !strings.Contains(no.Reason, says) || len(out) != 1 {
			r.Errorf("%T: %s: %s (%s), want %q", p, no.Check, no.Reason, words(out), says)
		}
		ids = append(ids, out[0].ID())
	}
	if ids[0] != ids[1] {
		r.Errorf("%T: delivered again it is another refusal", p)
	}
}

// repeated gives a command again that was carried out, after its actor has lost every right.
func (r *rig) repeated(name string, e events.Event, policy *access.Policy) {
	r.Helper()
	was := *policy
	*policy = access.Policy{}
	defer func() { *policy = was }()
	if out, err := r.give(name, e); err != nil || strings.Contains(words(out), "refused") {
		r.Errorf("%s delivered again: %s, %v", e.Type(), words(out), err)
	}
}

func TestAccess_Start(t *testing.T) {
	tests := []struct{ name, actor, plan, says string }{
		{"a stranger", stranger, "plain", "Give an admin this id to bind to a role: " + stranger},
		{"a viewer", theViewer, "plain", "that takes operator, and you (" + theViewer + ") are viewer"},
		{"an operator of another environment", theOperator, "prod", "you may not start in production"},
		{"a role that does not name it", theOwner, "plain", "are team-shop and viewer"},
		{"an alarm", "alarm:cloudwatch/x", "plain", "no person"},
		{"the schedule of another plan", "schedule:other", "plain", "the schedule of other starts nothing else"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var policy access.Policy
			bubble(t, guarded(t, &policy), func(r *rig) {
				r.declined("start", events.Start{Plan: tt.plan, Actor: tt.actor}, tt.says)
				if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) > 0 || len(r.box.Runs()) > 0 {
					t.Errorf("it left drills %v, runs %v", ids, r.box.Runs())
				}
			})
		})
	}
	for actor, plan := range map[string]string{theOperator: "plain", theApprover: "prod", "schedule:plain": "plain"} {
		t.Run(actor+" may", func(t *testing.T) {
			var policy access.Policy
			bubble(t, guarded(t, &policy), func(r *rig) {
				e, id := r.as(actor, plan)
				_ = r.Publish(r.Context(), e)
				r.drain()
				r.until(id, 5, is(drill.Running))
				r.repeated("start", e, &policy)
				if n := r.runs("fis"); n != 1 {
					t.Errorf("%d runs", n)
				}
			})
		})
	}
}

func TestAccess_ApprovalOfTheStart(t *testing.T) {
	var policy access.Policy
	t.Run("who may not", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "agreed", drill.Waiting)
			for _, actor := range []string{stranger, theViewer, theOperator, theOwner, "schedule:agreed"} {
				r.declined("advance", events.Approve{Drill: id, Actor: actor}, "you may not approve in staging")
				r.declined("advance", events.Reject{Drill: id, Actor: actor}, "you may not reject in staging")
			}
			r.declined("advance", events.Advance{Drill: id, Action: "execute", Actor: stranger}, "you may not advance in staging")
			if d := r.load(id); len(d.Approvals.Votes) > 0 || d.Status != drill.Waiting {
				t.Errorf("%s, votes %+v", d.Status, d.Approvals.Votes)
			}
			e := r.event(events.Approve{Drill: id, Actor: theOther})
			_ = r.Publish(r.Context(), e)
			r.drain()
			if d := r.load(id); d.Status != drill.Running {
				t.Errorf("approved and %s", d.Status)
			}
			r.repeated("advance", e, &policy)
		})
	})
	t.Run("the owner's role", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "owned", drill.Waiting)
			r.declined("advance", events.Approve{Drill: id, Actor: theApprover}, "that takes team-shop, and you ("+theApprover+") are approver")
			r.send(events.Approve{Drill: id, Actor: theOwner})
			if d := r.load(id); d.Status != drill.Running {
				t.Errorf("approved and %s", d.Status)
			}
		})
	})
	t.Run("two of two, and each is told", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "twice", drill.Waiting)
			out := r.send(events.Approve{Drill: id, Actor: theApprover})
			if p, err := events.Decode[events.Progressed](out[0]); err != nil || p.Changes[0] != "approved by "+theApprover+" (1 of 2)" {
				t.Errorf("%s, %+v, %v", words(out), p, err)
			}
			r.declined("advance", events.Approve{Drill: id, Actor: stranger}, "nothing is bound")
			r.send(events.Approve{Drill: id, Actor: theOther})
			if d := r.load(id); d.Status != drill.Running {
				t.Errorf("approved and %s", d.Status)
			}
		})
	})
}

// counted appends a vote without asking who votes, as somebody might who does not know the policy.
func (r *rig) counted(id, actor string) []events.Event {
	r.Helper()
	_, out, err := r.journal.Update(r.Context(), id, journal.By{Actor: actor, Source: "/test/chatops"}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Approve(actor, "", now)
	})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// TestAccess_VotesThatWereCountedWithoutARight never start a drill, whoever counted them.
func TestAccess_VotesThatWereCountedWithoutARight(t *testing.T) {
	var policy access.Policy
	t.Run("the only one", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "agreed", drill.Waiting)
			_ = r.Publish(r.Context(), r.counted(id, stranger)...)
			r.drain()
			for range 3 {
				r.tick()
			}
			if d := r.load(id); d.Status != drill.Waiting || d.Approvals.Approved || len(d.Gates) != 1 || len(r.box.Runs()) > 1 {
				t.Fatalf("%s, %+v, %d runs:\n%s", d.Status, d.Approvals, len(r.box.Runs()), r.timeline(id))
			}
			r.declined("advance", events.Approve{Drill: id, Actor: stranger}, "nothing is bound")
			r.send(events.Approve{Drill: id, Actor: theApprover})
			if d := r.load(id); d.Status != drill.Running || len(d.Approvals.Votes) != 1 {
				t.Errorf("%s by %+v", d.Status, d.Approvals.Votes)
			}
		})
	})
	t.Run("the first of two", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "twice", drill.Waiting)
			r.counted(id, stranger)
			if out := r.send(events.Approve{Drill: id, Actor: theApprover}); strings.Contains(words(out), "approved") {
				t.Errorf("it is said to be approved: %s", words(out))
			}
			if d := r.load(id); d.Status != drill.Waiting || len(d.Approvals.Votes) != 1 || d.Approvals.Votes[0].Actor != theApprover {
				t.Fatalf("%s by %+v", d.Status, d.Approvals.Votes)
			}
			r.send(events.Approve{Drill: id, Actor: theOther})
			if d := r.load(id); d.Status != drill.Running {
				t.Errorf("approved by two and %s", d.Status)
			}
		})
	})
	t.Run("a right that was taken away before the start", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "agreed", drill.Waiting)
			out := r.counted(id, theOther)
			policy = access.Policy{Bindings: policy.Bindings[:3]}
			_ = r.Publish(r.Context(), out...)
			r.drain()
			if d := r.load(id); d.Status != drill.Waiting || d.Approvals.Approved {
				t.Errorf("%s, %+v", d.Status, d.Approvals)
			}
		})
	})
	t.Run("one that counts is counted once", func(t *testing.T) {
		bubble(t, guarded(t, &policy), func(r *rig) {
			id := r.begin(theOperator, "agreed", drill.Waiting)
			out := r.counted(id, theApprover)
			if more := r.send(events.Approve{Drill: id, Actor: theApprover}); strings.Contains(words(more), "refused") {
				t.Errorf("the command that follows is refused: %s", words(more))
			}
			_ = r.Publish(r.Context(), out...)
			r.drain()
			if d := r.load(id); d.Status != drill.Running {
				t.Errorf("approved and %s", d.Status)
			}
		})
	})
}

func TestAccess_AnswersToGates(t *testing.T) {
	var policy access.Policy
	bubble(t, guarded(t, &policy), func(r *rig) {
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		for _, actor := range []string{stranger, theViewer, theOwner} {
			for _, action := range []string{"execute", "skip", "pause"} {
				r.declined("advance", events.Advance{Drill: id, Action: action, Actor: actor}, "you may not ")
			}
		}
		if d := r.load(id); len(d.Answers) > 0 {
			t.Fatalf("answers %+v", d.Answers)
		}
		e := r.event(events.Advance{Drill: id, Action: "execute", Actor: theOperator})
		_ = r.Publish(r.Context(), e)
		r.drain()
		if d := r.load(id); len(d.Answers) != 1 || !d.Answers[0].Done {
			t.Errorf("answers %+v", d.Answers)
		}
		r.repeated("advance", e, &policy)
	})
}

// TestAccess_AnAnswerThatWasLeftIsCarriedOut although its actor has lost the right meanwhile: it was asked about when it was recorded.
func TestAccess_AnAnswerThatWasLeftIsCarriedOut(t *testing.T) {
	var policy access.Policy
	bubble(t, guarded(t, &policy), func(r *rig) {
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		_, _, err := r.journal.Update(r.Context(), id, journal.By{Actor: theOperator, Cause: "cmd-1", Source: "/test"}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			c, _, err := d.Answer(drill.Move{Action: drill.Execute}, theOperator, "somebody who died", now)
			return c, err
		})
		if err != nil {
			t.Fatal(err)
		}
		policy = access.Policy{}
		d := r.until(id, 5, func(d *drill.Drill) bool { return len(d.Answers) == 1 && d.Answers[0].Done })
		if !strings.Contains(r.timeline(id), "is carried out again") {
			t.Errorf("answers %+v:\n%s", d.Answers, r.timeline(id))
		}
		gate := d.Answers[0].Gate
		r.declined("advance", events.Advance{Drill: id, Gate: gate, Action: "execute", Actor: theOperator}, "nothing is bound")
	})
}

func TestAccess_Conclusions(t *testing.T) {
	var policy access.Policy
	bubble(t, guarded(t, &policy), func(r *rig) {
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		r.send(events.Stop{Drill: id, Actor: stranger})
		d := r.until(id, 20, is(drill.Concluding))
		for _, actor := range []string{stranger, theViewer, "alarm:x/y"} {
			r.declined("conclude", events.Note{Drill: id, Text: "x", Actor: actor}, "you may not note in staging")
			r.declined("conclude", events.Answer{Drill: id, Claim: "c1", Holds: true, Actor: actor}, "you may not answer in staging")
			r.declined("conclude", events.Conclude{Drill: id, Verdict: "expected", Summary: "x", Actor: actor}, "you may not conclude in staging")
		}
		if now := r.load(id); now.Rev != d.Rev {
			t.Errorf("it was changed:\n%s", r.timeline(id))
		}
		for _, p := range []events.Payload{
			events.Note{Drill: id, Text: "the cache was cold", Actor: theOwner}, events.Answer{Drill: id, Claim: "c1", Holds: true, Actor: theOperator},
		} {
			e := r.event(p)
			_ = r.Publish(r.Context(), e)
			r.drain()
			r.repeated("conclude", e, &policy)
		}
		if d := r.load(id); len(d.Notes) != 1 || d.Claims[0].Answer == nil {
			t.Errorf("notes %+v, claims %+v", d.Notes, d.Claims)
		}
	})
}

// TestAccess_AVerdictOfAStranger moves nothing on, and they are told: also where the drill has just ended and nobody has looked yet.
func TestAccess_AVerdictOfAStranger(t *testing.T) {
	var policy access.Policy
	bubble(t, guarded(t, &policy), func(r *rig) {
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		_, _ = r.give("abort", r.event(events.Stop{Drill: id, Actor: stranger}))
		for range 20 {
			time.Sleep(time.Minute)
			r.box.Tick()
			if _, err := r.give("poll", r.event(events.Tick{At: time.Now()})); err != nil {
				t.Fatal(err)
			}
			if d := r.load(id); d.Status.Ended() && d.Restored.State.Decided() {
				break
			}
		}
		d := r.load(id)
		if !d.ReadyToConclude(time.Now()) {
			t.Fatalf("it is %s", d.Status)
		}
		r.declined("conclude", events.Conclude{Drill: id, Verdict: "expected", Summary: "x", Actor: stranger}, "you may not conclude")
		if now := r.load(id); now.Rev != d.Rev {
			t.Errorf("it was changed:\n%s", r.timeline(id))
		}
	})
}

func TestAccess_Levers(t *testing.T) {
	var policy access.Policy
	tests := []struct {
		name string
		p    events.Payload
		says string // "" for yes
	}{
		{"a stranger halts", events.Halt{Scope: "all", Actor: stranger}, "you may not halt: nothing is bound"},
		{"a viewer halts", events.Halt{Scope: "all", Actor: theViewer}, "that takes operator"},
		{"an operator of somewhere else halts", events.Halt{Scope: "environment/production", Actor: theOperator}, ""},
		{"a stranger releases", events.Release{Scope: "all", Reason: "x", Actor: stranger}, "you may not release: nothing is bound"},
		{"an operator releases", events.Release{Scope: "plan/plain", Reason: "x", Actor: theOperator}, "that takes approver"},
		{"an approver of one environment releases all", events.Release{Scope: "all", Reason: "x", Actor: theOther}, "you may not release"},
		{"another environment", events.Release{Scope: "environment/production", Reason: "x", Actor: theOther}, "you may not release in production"},
		{"a plan of another environment", events.Release{Scope: "plan/prod", Reason: "x", Actor: theOther}, "you may not release in production"},
		{"a plan that is not there", events.Release{Scope: "plan/gone", Reason: "x", Actor: theOther}, "you may not release"},
		{"a plan of theirs", events.Release{Scope: "plan/plain", Reason: "x", Actor: theOther}, ""},
		{"their environment", events.Release{Scope: "environment/staging", Reason: "x", Actor: theOther}, ""},
		{"an approver releases all", events.Release{Scope: "all", Reason: "x", Actor: theApprover}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, guarded(t, &policy), func(r *rig) {
				scope, halts := "", false
				switch p := tt.p.(type) {
				case events.Halt:
					scope, halts = p.Scope, true
				case events.Release:
					scope = p.Scope
					r.send(events.Halt{Scope: scope, Actor: theApprover})
					time.Sleep(time.Second)
				}
				if tt.says != "" {
					r.declined("abort", tt.p, tt.says)
				} else if out, err := r.give("abort", r.event(tt.p)); err != nil || len(out) > 0 {
					t.Errorf("%s, %v", words(out), err)
				}
				levers, err := guard.Levers(r.Context(), r.journal)
				if want := halts == (tt.says == ""); err != nil || (len(levers) == 1) != want {
					t.Errorf("the lever of %s is engaged: %v, %v; want %v", scope, levers, err, want)
				}
			})
		})
	}
}

// TestAccess_WhereNobodyCanTell: a stop is never asked about, a halt is taken, everything else is refused.
func TestAccess_WhereNobodyCanTell(t *testing.T) {
	var policy access.Policy
	unread := func(context.Context) (access.Policy, bool) { return policy, false }
	bubble(t, guarded(t, &policy), func(r *rig) {
		log := slog.New(slog.DiscardHandler)
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		give := func(h func(context.Context, events.Event) ([]events.Event, error), p events.Payload) []events.Event {
			t.Helper()
			out, err := h(r.Context(), r.event(p))
			if err != nil {
				t.Error(err)
			}
			return out
		}
		refused := func(out []events.Event) {
			t.Helper()
			if no := r.refusal(out); no.Check != guard.CheckAccess || !strings.Contains(no.Reason, "could not be read") {
				t.Errorf("%s: %s", no.Check, no.Reason)
			}
		}
		a := &advance.Function{Journal: r.journal, Access: unread, Now: time.Now, Nonce: func() string { return r.hex(20) }, Mode: "SANDBOX", Source: "/test", Log: log}
		refused(give(a.Handle, events.Advance{Drill: id, Action: "execute", Actor: theApprover}))
		c := &conclude.Function{Journal: r.journal, Access: unread, Now: time.Now, Mode: "SANDBOX", Source: "/test", Log: log}
		refused(give(c.Handle, events.Note{Drill: id, Text: "x", Actor: theApprover}))
		b := &abort.Function{Journal: r.journal, Access: unread, Now: time.Now, Nonce: a.Nonce, Mode: "SANDBOX", Source: "/test", Log: log}
		give(b.Handle, events.Halt{Scope: "plan/plain", Actor: stranger})
		refused(give(b.Handle, events.Release{Scope: "plan/plain", Reason: "x", Actor: theApprover}))
		if levers, err := guard.Levers(r.Context(), r.journal); err != nil || len(levers) != 1 {
			t.Errorf("levers %+v, %v", levers, err)
		}
	})
}

// TestAccess_AStopAsksNobody: whoever could be told from a stranger stops, and abort does not even look at the policy.
func TestAccess_AStopAsksNobody(t *testing.T) {
	var policy access.Policy
	looked := false
	edit := func(o *options) {
		guarded(t, &policy)(o)
		o.access = func() access.Policy { looked = true; return policy }
	}
	bubble(t, edit, func(r *rig) {
		id := r.begin(theOperator, "by-hand", drill.Waiting)
		looked = false
		for _, p := range []events.Payload{events.Stop{Drill: id, Actor: stranger}, firing(time.Now())} {
			if _, err := r.give("abort", r.event(p)); err != nil {
				t.Error(err)
			}
		}
		if d := r.load(id); d.Stop == nil || d.Stop.By != stranger {
			t.Errorf("stop %+v", d.Stop)
		}
		if looked {
			t.Error("a stop waited for the policy")
		}
	})
}
