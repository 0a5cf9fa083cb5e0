package functions

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

func TestStart_Refusals(t *testing.T) {
	alice := "local:test/alice"
	tests := []struct {
		name  string
		p     events.Start
		check string
		says  string
	}{
		{"a plan that is not there", events.Start{Plan: "smoke-wiat", Actor: alice}, "catalogue", "did you mean smoke-wait?"},
		{"a plan like no other", events.Start{Plan: "支付", Actor: alice}, "catalogue", "no plan \"支付\""},
		{"k=v on a FIS plan", events.Start{Plan: "smoke-wait", Actor: alice, Parameters: map[string]any{"duration": "5m"}}, "catalogue", "FIS"},
		{"a parameter that the plan does not have", events.Start{Plan: "cart-cpu", Actor: alice, Parameters: map[string]any{"second": 60}}, "catalogue", "seconds"},
		{"a parameter beyond its bounds", events.Start{Plan: "cart-cpu", Actor: alice, Parameters: map[string]any{"seconds": 6000}}, "catalogue", "600"},
		{"a command that expired", events.Start{Plan: "smoke-wait", Actor: alice, ExpiresAt: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}, "expired", "ask again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				e := r.event(tt.p)
				out, err := r.give("start", e)
				if err != nil {
					t.Fatal(err)
				}
				no := r.refusal(out)
				if no.Check != tt.check || !strings.Contains(no.Reason, tt.says) {
					t.Errorf("%s: %s; want %s: %s", no.Check, no.Reason, tt.check, tt.says)
				}
				again, err := r.give("start", e)
				if err != nil || len(again) != 1 || again[0].ID() != out[0].ID() {
					t.Errorf("delivered again: %v, %v", words(again), err)
				}
				if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) > 0 || len(r.box.Runs()) > 0 {
					t.Errorf("it left drills %v, runs %v", ids, r.box.Runs())
				}
			})
		})
	}
	t.Run("a command that carries no expiry expires by its time", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			e := r.event(events.Start{Plan: "smoke-wait", Actor: alice})
			time.Sleep(16 * time.Minute)
			out, err := r.give("start", e)
			if err != nil || r.refusal(out).Check != "expired" {
				t.Errorf("%v, %v", words(out), err)
			}
		})
	})
}

// TestStart_TheSameEventManyTimes: twenty at once and one later are one drill and one run.
func TestStart_TheSameEventManyTimes(t *testing.T) {
	for service, plan := range map[string]string{"fis": "smoke-wait", "cfg": "cart-cpu", "oos": "loop-echo", "ahas": "payment-cpu"} {
		t.Run(service, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				e := r.event(events.Start{Plan: plan, Actor: "local:test/alice"})
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						for _, f := range r.funcs {
							if f.Name == "start" {
								if _, err := f.Handle(r.Context(), e); err != nil {
									t.Error(err)
								}
							}
						}
					})
				}
				wg.Wait()
				id := events.ID("drill", "/test", e.ID())
				r.until(id, 5, func(d *drill.Drill) bool { return d.RunID() != "" })
				time.Sleep(20 * time.Minute)
				if _, err := r.give("start", e); err != nil {
					t.Error(err)
				}
				if n := r.runs(service); n != 1 {
					t.Errorf("%d runs:\n%s", n, r.timeline(id))
				}
				if items, _, err := r.journal.Recent(r.Context(), 10, ""); err != nil || len(items) != 1 {
					t.Errorf("%d drills are listed, %v", len(items), err)
				}
			})
		})
	}
}

func TestStart_TitlesInAnyScript(t *testing.T) {
	const yaml = `version: 1
defaults: { environment: staging, max_duration: 10m }
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
  ali: { cloud: aliyun, id: "1234567890", region: cn-hangzhou }
  tx:  { cloud: tencent, id: "100032429988", region: ap-guangzhou }
drills:
  a: { title: '购物车 "5xx" 🛒 ''it''s <b>&amp;</b> 故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练', owner: o, account: aws, fis: { template: EXTwait00000000001 } }
  b: { title: '购物车 "5xx" 🛒 ''it''s <b>&amp;</b> 故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练故障演练', owner: o, account: tx, cfg: { template: 626, mode: manual, groups: [ { instances: [ ins-cart-a ] } ] } }
  c: { title: '购物车 "5xx" 🛒 ''it''s', owner: o, account: ali, unbounded: each task has a timeout, oos: { template: loop-echo } }
  d: { title: '购物车 "5xx" 🛒 ''it''s', owner: o, account: ali, ahas: { experiment: "1234567890123456789" } }
`
	cat := written(t, yaml)
	for _, plan := range []string{"a", "b", "c", "d"} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, func(o *options) { o.catalog = cat }, func(r *rig) {
				id := r.start(plan, nil)
				d := r.until(id, 3, func(d *drill.Drill) bool { return d.RunID() != "" })
				if d.Status == drill.Refused || !strings.Contains(d.Plan.Title, "🛒") {
					t.Errorf("status %s, title %q:\n%s", d.Status, d.Plan.Title, r.timeline(id))
				}
			})
		})
	}
}

func TestStart_HaltBlocksAndReleaseLifts(t *testing.T) {
	for _, scope := range []string{"all", "environment/staging", "plan/smoke-wait"} {
		t.Run(scope, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				r.send(events.Halt{Scope: scope, Reason: "incident 7", Actor: "local:test/bob"})
				d := r.load(r.start("smoke-wait", nil))
				if d.Status != drill.Refused || d.Refusal.Check != "halt" || !strings.Contains(d.Reason, "incident 7") {
					t.Fatalf("status %s, refusal %+v", d.Status, d.Refusal)
				}
				r.send(events.Release{Scope: scope, Reason: "over", Actor: "local:test/carol"})
				if d := r.load(r.start("smoke-wait", nil)); d.Status != drill.Running {
					t.Errorf("after the release: %s %+v", d.Status, d.Refusal)
				}
			})
		})
	}
	t.Run("another environment", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			r.send(events.Halt{Scope: "environment/production", Actor: "local:test/bob"})
			if d := r.load(r.start("smoke-wait", nil)); d.Status != drill.Running {
				t.Errorf("status %s %+v", d.Status, d.Refusal)
			}
		})
	})
}

// TestStart_OldHaltsAndReleasesChangeNothing: delivery is late and repeated; the newest command counts, not the last to arrive.
func TestStart_OldHaltsAndReleasesChangeNothing(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		give := func(e events.Event) {
			if _, err := r.give("abort", e); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
		next := func(p events.Payload) events.Event { time.Sleep(time.Second); return r.event(p) }
		halt := next(events.Halt{Scope: "all", Actor: "b:c/d"})
		release := next(events.Release{Scope: "all", Reason: "over", Actor: "b:c/d"})
		second := next(events.Halt{Scope: "all", Reason: "again", Actor: "b:c/d"})
		give(halt)
		give(release)
		give(second)
		give(release)
		if d := r.load(r.start("smoke-wait", nil)); d.Status != drill.Refused {
			t.Errorf("a release that came twice lifted the next halt: the drill is %s", d.Status)
		}
		give(next(events.Release{Scope: "all", Reason: "over", Actor: "b:c/d"}))
		id := r.start("smoke-wait", nil)
		give(halt)
		if d := r.load(id); d.Status != drill.Running {
			t.Errorf("a halt that was lifted long ago came again and the drill is %s", d.Status)
		}
	})
}

func TestStart_ApprovalByCommand(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		id := r.start("checkout-az-outage-production", nil)
		d := r.until(id, 5, is(drill.Waiting))
		if d.Preview == nil || len(d.Preview.Targets) == 0 {
			t.Errorf("the approval is asked without knowing the targets: %+v", d.Preview)
		}
		out := r.send(events.Approve{Drill: id, Actor: "local:test/alice"})
		if no := r.refusal(out); !strings.Contains(no.Reason, "somebody else") {
			t.Errorf("self-approval: %s", no.Reason)
		}
		if r.runs("fis") > 0 {
			t.Fatal("it runs without an approval")
		}
		out = r.send(events.Approve{Drill: id, Gate: "start@99", Actor: "local:test/bob"})
		r.refusal(out)
		e := r.event(events.Approve{Drill: id, Actor: "local:test/bob"})
		_ = r.Publish(r.Context(), e)
		r.drain()
		if d := r.load(id); d.Status != drill.Running {
			t.Fatalf("approved and %s:\n%s", d.Status, r.timeline(id))
		}
		if out, err := r.give("advance", e); err != nil || len(out) > 0 {
			t.Errorf("the approval delivered again: %s, %v", words(out), err)
		}
	})
	t.Run("rejected", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			id := r.start("checkout-az-outage-production", nil)
			r.until(id, 5, is(drill.Waiting))
			e := r.event(events.Reject{Drill: id, Actor: "local:test/bob", Note: "not on a Friday"})
			_ = r.Publish(r.Context(), e)
			r.drain()
			if d := r.load(id); d.Status != drill.Refused || !strings.Contains(d.Reason, "Friday") {
				t.Errorf("status %s, %s", d.Status, d.Reason)
			}
		})
	})
	t.Run("nobody approves", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			id := r.start("checkout-az-outage-production", nil)
			if d := r.until(id, 40, is(drill.Refused)); d.Refusal.Check != "approval" {
				t.Errorf("refusal %+v", d.Refusal)
			}
		})
	})
	t.Run("a second approver is told who was first", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			id := r.start("checkout-az-outage-production", nil)
			r.until(id, 5, is(drill.Waiting))
			if _, err := r.give("advance", r.event(events.Approve{Drill: id, Actor: "local:test/bob"})); err != nil {
				t.Fatal(err)
			}
			out, err := r.give("advance", r.event(events.Approve{Drill: id, Actor: "local:test/carol"}))
			if err != nil || !strings.Contains(r.refusal(out).Reason, "bob") {
				t.Errorf("%s, %v", words(out), err)
			}
		})
	})
}

func TestStart_CarriesOnWhatWasLeft(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		// The process dies after rev 1: the marker and the entry are there, nothing else.
		p, _ := shipped(t).Plan("smoke-wait")
		d, c := drill.New(drill.Ask{ID: "left1", Mode: "SANDBOX", Root: "r", Plan: p, Block: p.Block, Actor: "a:b/c"}, time.Now())
		by := journal.By{Actor: "a:b/c", Cause: "x", Source: "/test"}
		if err := r.journal.PutMarker(r.Context(), journal.MarkerOf(d)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.journal.Commit(r.Context(), d, c, by); err != nil {
			t.Fatal(err)
		}
		out := r.tick()
		if got := r.load("left1"); got.Status != drill.Running {
			t.Errorf("status %s", got.Status)
		}
		if !strings.Contains(words(out), "requested") {
			t.Errorf("the fact of rev 1 was never published: %s", words(out))
		}
		if items, _, err := r.journal.Recent(r.Context(), 10, ""); err != nil || len(items) != 1 {
			t.Errorf("%d drills are listed, %v", len(items), err)
		}
	})
}
