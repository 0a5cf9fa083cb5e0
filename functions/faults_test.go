package functions

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func plans() map[string]string {
	return map[string]string{"fis": "smoke-wait", "cfg": "cart-cpu", "oos": "loop-echo", "ahas": "payment-cpu"}
}

// TestStart_AReplyThatIsLost: the service did it, nobody heard. The run is found and adopted, and never started twice.
func TestStart_AReplyThatIsLost(t *testing.T) {
	for name, plan := range plans() {
		for _, kind := range []service.Kind{service.Start, service.Create} {
			for _, effect := range []sandbox.Effect{sandbox.LoseReply, sandbox.ErrorAfter} {
				t.Run(name+" "+string(kind)+" "+string(effect), func(t *testing.T) {
					bubble(t, nil, func(r *rig) {
						r.fault(sandbox.Fault{Fault: effect, Service: name, Kind: kind, Times: 1})
						e := r.event(events.Start{Plan: plan, Actor: bob})
						_, _ = r.give("start", e) // an error says: deliver it again
						r.drain()
						id := events.ID("drill", "/test", e.ID())
						r.until(id, 10, func(d *drill.Drill) bool { return d.RunID() != "" || d.Status.Ended() })
						if d := r.load(id); r.runs(name) != 1 || d.RunID() == "" {
							t.Errorf("%d runs, ours is %q:\n%s", r.runs(name), d.RunID(), r.timeline(id))
						}
					})
				})
			}
		}
	}
}

// TestStart_AServiceThatDeclinesForGood ends the drill, with the service's reason, and without a run.
func TestStart_AServiceThatDeclinesForGood(t *testing.T) {
	for name, plan := range plans() {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				for _, k := range []service.Kind{service.Start, service.Create} {
					r.fault(sandbox.Fault{Fault: sandbox.Throttle, Service: name, Kind: k})
				}
				e := r.event(events.Start{Plan: plan, Actor: bob})
				_, _ = r.give("start", e)
				r.drain()
				id := events.ID("drill", "/test", e.ID())
				d := r.until(id, 40, func(d *drill.Drill) bool { return d.Status.Ended() })
				if r.runs(name) != 0 || d.Holds() || !strings.Contains(d.Reason, "throttled") {
					t.Errorf("%s, %q, %d runs", d.Status, d.Reason, r.runs(name))
				}
			})
		})
	}
}

// during calls do when the first request that holds op goes out.
type during struct {
	http.RoundTripper
	path string
	done *atomic.Bool
	do   func()
}

func (t during) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost && req.URL.Path == t.path && !t.done.Swap(true) {
		t.do()
	}
	return t.RoundTripper.RoundTrip(req)
}

// TestStart_AStopDuringTheCall: the alarm arrives while the start is in flight. The run is told to stop at once, without a tick.
func TestStart_AStopDuringTheCall(t *testing.T) {
	var r *rig
	var id string
	var done atomic.Bool
	stop := func() {
		if _, err := r.give("abort", r.event(events.Stop{Drill: id, Actor: bob})); err != nil {
			t.Error(err)
		}
	}
	wrap := func(o *options) {
		lab(t)(o)
		o.transport = func(rt http.RoundTripper) http.RoundTripper { return during{rt, "/experiments", &done, stop} }
	}
	bubble(t, wrap, func(made *rig) {
		r = made
		e := r.event(events.Start{Plan: fisPlan, Actor: "local:test/alice"})
		id = events.ID("drill", "/test", e.ID())
		_ = r.Publish(r.Context(), e)
		r.drain()
		if d := r.load(id); !done.Load() || d.RunID() == "" || d.Stop == nil {
			t.Fatalf("the case is wrong: %s, run %q", d.Status, d.RunID())
		}
		if r.live("fis") != 0 {
			t.Errorf("the run goes on until the next tick:\n%s", r.timeline(id))
		}
		if d := r.until(id, 5, func(d *drill.Drill) bool { return d.Status.Ended() }); d.Outcome != drill.Stopped {
			t.Errorf("outcome %s", d.Outcome)
		}
	})
}

func TestPoll_RecoveryRunUndoesWhatTheServiceCannot(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		id := r.start("node-restart", map[string]any{"down": "PT5M"})
		r.until(id, 5, is(drill.Waiting))
		r.send(events.Approve{Drill: id, Gate: r.load(id).Gates[0].ID, Actor: bob})
		r.tick()
		r.tick()
		r.send(events.Stop{Drill: id, Actor: bob}) // while the node is down
		d := r.until(id, 20, func(d *drill.Drill) bool { return d.Restored.State.Decided() })
		if rec := d.Run(drill.Recovery); rec == nil || rec.ID == "" || d.Restored.State != drill.RestoreDone || len(d.Restored.Evidence) == 0 {
			t.Errorf("restored %+v:\n%s", d.Restored, r.timeline(id))
		}
	})
}

// TestPoll_PendingThings: a stray run is stopped, a report is attached, and the drill rests.
func TestPoll_PendingThings(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("many", nil)
		r.until(id, 30, is(drill.Concluded))
		r.tick()
		stray := r.load(r.start("many", nil)).RunID()
		_, _, err := r.journal.Update(r.Context(), id, journal.By{Actor: "t", Cause: "t", Source: "/t"}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			d.Pending = append(d.Pending, drill.Pending{What: "report", Run: d.RunID(), Until: now.Add(time.Hour)}, drill.Pending{What: "record", Until: now.Add(time.Hour)})
			return d.AddStray(stray, now), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.journal.Wake(r.Context(), r.load(id), r.load(id).Rev-1); err != nil {
			t.Fatal(err)
		}
		d := r.until(id, 10, func(d *drill.Drill) bool { return len(d.Pending) == 0 })
		if len(d.Attached) != 3 || r.live("fis") != 0 {
			t.Errorf("attached %+v, %d live", d.Attached, r.live("fis"))
		}
	})
}

func TestStart_SchedulesOnePerSlot(t *testing.T) {
	cat := written(t, `version: 1
defaults: { environment: staging, max_duration: 10m }
accounts: { aws: { cloud: aws, id: "123456789012", region: us-east-1 } }
drills:
  nightly: { title: Nightly, owner: a, account: aws, schedule: { cron: "30 2 * * *", timezone: UTC }, fis: { template: EXTwait00000000001 } }
`)
	bubble(t, func(o *options) { o.catalog = cat }, func(r *rig) {
		now := time.Now().UTC()
		next := time.Date(now.Year(), now.Month(), now.Day(), 2, 27, 0, 0, time.UTC)
		if next.Before(now) {
			next = next.AddDate(0, 0, 1)
		}
		time.Sleep(time.Until(next))
		for range 20 {
			r.tick()
		}
		items, _, err := r.journal.Recent(r.Context(), 10, "")
		if err != nil || len(items) != 1 || r.runs("fis") != 1 {
			t.Fatalf("%d drills, %d runs, %v", len(items), r.runs("fis"), err)
		}
		if d := r.load(items[0].Drill); d.Actor != "schedule:nightly" || d.Slot == "" {
			t.Errorf("actor %s, slot %q", d.Actor, d.Slot)
		}
		if _, err := r.give("start", r.event(events.Tick{At: next.Add(3 * time.Minute)})); err != nil || r.runs("fis") != 1 {
			t.Errorf("the slot's tick, delivered late: %d runs, %v", r.runs("fis"), err)
		}
	})
}
