package functions

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const fisPlan = "one-instance" // a quarter of an hour long, stops on alarm checkout-5xx

// lab adds plans to a rig that last longer than those of the shipped catalogue.
func lab(t testing.TB) func(*options) {
	cat := written(t, `version: 1
defaults: { environment: staging, max_duration: 30m }
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
  tx:  { cloud: tencent, id: "100032429988", region: ap-guangzhou }
alarms:
  checkout-5xx: { cloudwatch: checkout-5xx, account: aws }
drills:
  one-instance: { title: One instance stops, owner: a, account: aws, fis: { template: EXTlong00000000001 }, stop_on: [ checkout-5xx ] }
  many: { title: One of many, owner: e, account: aws, exclusive: none, fis: { template: EXTlong00000000001 } }
  many-by-hand: { title: One of many, owner: e, account: tx, exclusive: none, cfg: { template: 626, mode: manual, groups: [ { instances: [ ins-cart-a ] } ] } }
  short: { title: One instance stops, owner: b, account: aws, max_duration: 5m, fis: { template: EXTlong00000000001 } }
  claimed:
    { title: One instance stops, owner: c, account: aws, fis: { template: EXTlong00000000001 },
      expect: [ { claim: it answers, http: "https://x.example.com/", stop_after: 90s }, { claim: nobody notices, ask: owner } ] }
  by-hand: { title: By hand, owner: d, account: tx, cfg: { template: 626, mode: manual, on_stop: rollback, groups: [ { instances: [ ins-cart-a ] } ] } }
`)
	return func(o *options) { o.catalog = cat }
}

// underWay starts the FIS plan and returns when its run is live.
func underWay(r *rig) string {
	r.Helper()
	id := r.start(fisPlan, nil)
	r.until(id, 5, func(d *drill.Drill) bool { return d.Status == drill.Running && d.Run(drill.Main).Injected })
	return id
}

func firing(at time.Time) events.Alarm {
	return events.Alarm{Source: "local", Name: "checkout-5xx", State: "firing", At: at}
}

func TestAbort_NothingToStop(t *testing.T) {
	stop := func(id string) events.Stop {
		return events.Stop{Drill: id, Reason: "smoke", Actor: "local:test/bob"}
	}
	t.Run("an unknown drill", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			out, err := r.give("abort", r.event(stop("nosuchdrill12")))
			if err != nil || !strings.Contains(r.refusal(out).Reason, "nosuchdrill12") {
				t.Errorf("%s, %v", words(out), err)
			}
		})
	})
	t.Run("a finished drill", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			id := r.start("loop-echo", nil)
			r.until(id, 20, func(d *drill.Drill) bool { return d.Status.Final() })
			out, err := r.give("abort", r.event(stop(id)))
			if err != nil || !strings.Contains(r.refusal(out).Reason, "has ended") {
				t.Errorf("%s, %v", words(out), err)
			}
		})
	})
	t.Run("a drill that has not started", func(t *testing.T) {
		bubble(t, nil, func(r *rig) {
			id := r.start("checkout-az-outage-production", nil)
			r.until(id, 5, is(drill.Waiting))
			out := r.send(stop(id))
			if d := r.load(id); d.Outcome != drill.Stopped || d.Restored.State != drill.RestoreNeedless || r.runs("fis") != 0 {
				t.Errorf("status %s, restored %s, %d runs; said %s", d.Status, d.Restored.State, r.runs("fis"), words(out))
			}
			r.send(events.Approve{Drill: id, Actor: "local:test/bob"})
			if r.runs("fis") != 0 {
				t.Error("an approval that came late started it")
			}
		})
	})
}

func TestAbort_ByAlarmAndDuplicates(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		e := r.event(firing(time.Now()))
		for range 3 {
			if _, err := r.give("abort", e); err != nil {
				t.Error(err)
			}
		}
		if n := r.live("fis"); n != 0 {
			t.Errorf("%d runs go on after the alarm", n)
		}
		d := r.until(id, 20, func(d *drill.Drill) bool { return !d.Stop.StoppedAt.IsZero() })
		if d.Stop.Kind != drill.StopByAlarm || d.Stop.By != "alarm:local/checkout-5xx" {
			t.Errorf("stop %+v", d.Stop)
		}
		if d := r.load(r.start(fisPlan, nil)); d.Status != drill.Refused {
			t.Errorf("another starts while the alarm fires: %s", d.Status)
		}
	})
}

func TestAbort_LateAlarms(t *testing.T) {
	tests := []struct {
		name     string
		resolved bool
		stops    bool
	}{
		{"hours old, resolved since", true, false},
		{"hours old, fires still", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, lab(t), func(r *rig) {
				then := time.Now()
				if tt.resolved {
					p := firing(then.Add(time.Hour))
					p.State = "resolved"
					r.send(p)
				}
				time.Sleep(5 * time.Hour)
				id := underWay(r)
				r.send(firing(then))
				if d := r.load(id); (d.Stop != nil) != tt.stops {
					t.Errorf("stop %+v", d.Stop)
				}
			})
		})
	}
}

func TestAbort_HaltOfAScopeStopsItsDrills(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		fis, cfg := underWay(r), r.start("by-hand", nil)
		r.until(cfg, 3, func(d *drill.Drill) bool { return d.RunID() != "" })
		r.send(events.Halt{Scope: "plan/" + fisPlan, Actor: "local:test/bob"})
		if d := r.load(fis); d.Stop == nil || d.Stop.Kind != drill.StopByHalt {
			t.Errorf("stop %+v", d.Stop)
		}
		if d := r.load(cfg); d.Stop != nil {
			t.Errorf("a drill of another plan was stopped: %+v", d.Stop)
		}
		r.send(events.Stop{Drill: "all", Actor: "local:test/bob"})
		if d := r.load(cfg); d.Stop == nil || d.Stop.Kind != drill.StopByPerson {
			t.Errorf("stop all left it: %+v", d.Stop)
		}
	})
}

// TestAbort_AfterChatRecordedTheStop: chatops appends the stop first; the command that follows must call the service at once.
func TestAbort_AfterChatRecordedTheStop(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		_, _, err := r.journal.Update(r.Context(), id, journal.By{Actor: "slack:x/bob", Source: "/test"}, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.AskStop(drill.StopByPerson, "slack:x/bob", "", "", now)
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.give("abort", r.event(events.Stop{Drill: id, Actor: "slack:x/bob"})); err != nil {
			t.Fatal(err)
		}
		if n := r.live("fis"); n != 0 {
			t.Error("the run goes on until the next tick")
		}
	})
}

// broken refuses to create entries once it is told to.
type broken struct {
	journal.Store
	on *bool
}

func (b broken) Create(ctx context.Context, key string, data []byte) error {
	if *b.on && strings.HasPrefix(key, "drills/") {
		return errors.New("the disk is full")
	}
	return b.Store.Create(ctx, key, data)
}

// TestAbort_AJournalThatCannotBeWrittenStopsNoStop: the service is told even then, and the stop is recorded once the journal is back.
func TestAbort_AJournalThatCannotBeWrittenStopsNoStop(t *testing.T) {
	on := false
	mem := newMemory()
	bubble(t, func(o *options) { lab(t)(o); o.store = broken{mem, &on} }, func(r *rig) {
		id := underWay(r)
		on = true
		e := r.event(firing(time.Now()))
		if _, err := r.give("abort", e); err == nil {
			t.Error("no error: nobody delivers the alarm again")
		}
		if n := r.live("fis"); n != 0 {
			t.Error("the run goes on because the journal is full")
		}
		on = false
		if _, err := r.give("abort", e); err != nil {
			t.Error(err)
		}
		r.drain()
		if d := r.until(id, 20, func(d *drill.Drill) bool { return d.Status.Ended() }); d.Outcome != drill.Stopped || d.Stop.Kind != drill.StopByAlarm {
			t.Errorf("outcome %s, stop %+v", d.Outcome, d.Stop)
		}
	})
}

func TestAbort_ALieIsNeverBelieved(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		lie, err := r.box.AddFault(sandbox.Fault{Fault: sandbox.Lie, Kind: service.Stop})
		if err != nil {
			t.Fatal(err)
		}
		r.send(events.Stop{Drill: id, Actor: "local:test/bob"})
		for range 4 {
			r.tick()
			if d := r.load(id); d.Status != drill.Stopping || r.live("fis") == 0 {
				r.Fatalf("status %s while the service lies, %d live:\n%s", d.Status, r.live("fis"), r.timeline(id))
			}
		}
		r.tick()
		r.tick()
		if d := r.load(id); d.Escalations == 0 {
			t.Errorf("no escalation after the deadline:\n%s", r.timeline(id))
		}
		r.box.RemoveFault(lie)
		d := r.until(id, 10, func(d *drill.Drill) bool { return d.Status.Ended() })
		if d.Outcome != drill.Stopped || d.Stop.StoppedAt.Before(d.Stop.RequestedAt.Add(5*time.Minute)) {
			t.Errorf("outcome %s, stop %+v", d.Outcome, d.Stop)
		}
	})
}

// rewriting answers with a word of the future.
type rewriting struct {
	http.RoundTripper
	from, to string
	on       *bool
}

func (t rewriting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil || !*t.on {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(t.from), []byte(t.to))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

func TestPoll_UnknownVendorStatus(t *testing.T) {
	on := false
	wrap := func(o *options) {
		lab(t)(o)
		o.transport = func(rt http.RoundTripper) http.RoundTripper {
			return rewriting{rt, `"status":"running"`, `"status":"quantum-flux"`, &on}
		}
	}
	bubble(t, wrap, func(r *rig) {
		id := underWay(r)
		on = true
		r.tick()
		if d := r.load(id); d.Status != drill.Running || !strings.Contains(r.timeline(id), "quantum-flux") {
			t.Errorf("status %s:\n%s", d.Status, r.timeline(id))
		}
		on = false
		r.until(id, 30, func(d *drill.Drill) bool { return d.Outcome == drill.Completed })
	})
}
