package simulate

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// script is calm but for what its functions say.
type script struct {
	calm
	turn  int
	fates func(c *call) fate
}

// pick takes turns, so that instances that are at work together interleave.
func (s *script) pick(n int) int {
	s.turn += 7
	return s.turn % n
}

func (s *script) call(c *call) fate {
	if s.fates == nil {
		return fate{}
	}
	return s.fates(c)
}

// stage is a world with a checker and a tick every minute.
type stage struct {
	*World
	c   *checker
	ctx context.Context
}

func newStage(t *testing.T, s drill.Service, by *script) *stage {
	t.Helper()
	w := New(t, Options{Seed: 1, Catalog: catalogOf(t, s, false), Services: Only(s), Decider: by, Timeout: 10 * time.Minute})
	st := &stage{w, newChecker(w), context.WithoutCancel(t.Context())}
	var tick func()
	tick = func() {
		w.Box.Tick()
		st.c.Step()
		w.post(w.Event(events.Tick{At: time.Now().Truncate(time.Minute)}))
		w.Sched.At(time.Now().Add(time.Minute), "tick", tick)
	}
	tick()
	return st
}

// say posts an event after a while.
func (s *stage) say(in time.Duration, copies int, e events.Event) {
	s.Sched.At(time.Now().Add(in), "say", func() {
		for range copies {
			s.post(e)
		}
	})
}

// play goes on until every drill is over, and returns the drill of a start command.
func (s *stage) play(t *testing.T, start events.Event) *drill.Drill {
	t.Helper()
	begin := time.Now()
	s.Sched.Run(func() bool {
		return !s.Sched.Busy() && time.Since(begin) > 2*time.Minute && (s.c.Over(s.ctx) || time.Since(begin) > time.Hour)
	})
	if s.Sched.broken == nil {
		s.c.End(s.ctx)
	}
	s.Sched.Close()
	id := DrillOf(start)
	if s.Sched.broken != nil {
		t.Fatalf("%v\n%s", s.Sched.broken, s.Timeline(s.ctx, id))
	}
	d, err := s.Journal.Load(s.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + s.Timeline(s.ctx, id))
	return d
}

// longPlans run for minutes on each service.
func longPlans() map[drill.Service]string {
	return map[drill.Service]string{drill.FIS: "fis-long", drill.CFG: "cfg-long", drill.OOS: "oos-restart", drill.AHAS: "ahas-cpu"}
}

// each runs a case on every service, in a bubble of its own.
func each(t *testing.T, run func(t *testing.T, s drill.Service, plan string)) {
	for _, s := range drill.Services() {
		t.Run(string(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, s, longPlans()[s]) })
		})
	}
}

func executed(s *stage) (out []service.Run) {
	for _, r := range s.Box.Runs() {
		if r.Executed && !r.Preview && r.Template != "start-node" {
			out = append(out, r)
		}
	}
	return out
}

func TestCase_TheSameStartTwentyTimesAtOnceAndAgainLater(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		st := newStage(t, s, &script{})
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 20, e)
		st.say(40*time.Second, 5, e)
		st.say(20*time.Minute, 5, e)
		st.play(t, e)
		if n := len(executed(st)); n != 1 || len(st.c.order) != 1 {
			t.Errorf("%d runs and %d drills, want one of each", n, len(st.c.order))
		}
	})
}

func TestCase_AReplyLostAfterCommitIsAdoptedAndTheTimelineShowsTheGap(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		lost := false
		st := newStage(t, s, &script{fates: func(c *call) fate {
			if c.sort != vendorStart || lost {
				return fate{}
			}
			lost = true
			return fate{act: loseReply}
		}})
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		d := st.play(t, e)
		line := st.Timeline(st.ctx, d.ID)
		if len(executed(st)) != 1 || !d.Run(drill.Main).Adopted || !strings.Contains(line, "attempt 1 failed") || !strings.Contains(line, "adopted") {
			t.Errorf("%d runs, adopted %v", len(executed(st)), d.Run(drill.Main).Adopted)
		}
	})
}

func TestCase_AnAlarmWhileTheStartIsInFlightEndsStopped(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		held := false
		st := newStage(t, s, &script{fates: func(c *call) fate {
			if c.sort != vendorStart || held {
				return fate{}
			}
			held = true
			return fate{act: slowReply, lasts: 8 * time.Second}
		}})
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		st.say(4*time.Second, 1, st.Event(events.Alarm{Source: "alertmanager", Name: "StopMe", Labels: map[string]string{"alertname": "StopMe"}, ID: "one", State: "firing", At: time.Now()}))
		d := st.play(t, e)
		if d.Outcome != drill.Stopped || d.Stop.Kind != drill.StopByAlarm || len(executed(st)) != 1 {
			t.Errorf("outcome %s, %d runs", d.Outcome, len(executed(st)))
		}
	})
}

func TestCase_AStopBeforeTheRunExistsLetsItNeverStart(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		frozen := false
		st := newStage(t, s, &script{fates: func(c *call) fate {
			if frozen || c.inst.to.Name != "start" || c.op != "list" || c.key != "alarms/" {
				return fate{}
			}
			frozen = true // start stands still at its guards
			return fate{act: freezeAfter, lasts: 20 * time.Second}
		}})
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		st.say(5*time.Second, 1, st.Event(events.Stop{Drill: DrillOf(e), Actor: "local:acme/bob"}))
		d := st.play(t, e)
		if d.Outcome != drill.Stopped || len(executed(st)) != 0 {
			t.Errorf("outcome %s, %d runs", d.Outcome, len(executed(st)))
		}
	})
}

func TestCase_AStopThatLiesIsNeverCalledStopped(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		if s == drill.OOS {
			plan = "oos-approve" // waits for a person: it does not end by itself while the stop lies
		}
		st := newStage(t, s, &script{})
		id, err := st.Box.AddFault(sandbox.Fault{Fault: sandbox.Lie})
		if err != nil {
			t.Fatal(err)
		}
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		st.say(30*time.Second, 1, st.Event(events.Stop{Drill: DrillOf(e), Actor: "local:acme/bob"}))
		honest := time.Now().Add(8 * time.Minute)
		st.Sched.At(honest, "honest", func() {
			if got := st.c.heads[DrillOf(e)]; got.Status != drill.Stopping || got.Escalations == 0 || got.StopCalls < 3 {
				t.Errorf("while the stop lies: %s, %d escalations, %d calls", got.Status, got.Escalations, got.StopCalls)
			}
			st.Box.RemoveFault(id)
		})
		d := st.play(t, e)
		if d.Outcome != drill.Stopped || d.Stop.RequestedAt.IsZero() || d.Stop.StoppedAt.Before(honest) {
			t.Errorf("outcome %s, asked %s, stopped %s", d.Outcome, d.Stop.RequestedAt, d.Stop.StoppedAt)
		}
	})
}

func TestCase_ALostCompletionEventIsFoundByTheNextTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, drill.FIS, &script{})
		for i := range st.Funcs { // the bus loses what the service pushes
			if st.Funcs[i].Name == "poll" {
				st.Funcs[i].Types = []string{events.TypeTick}
			}
		}
		e := st.Event(events.Start{Plan: "fis-fail", Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		d := st.play(t, e)
		if late := d.EndedAt.Sub(d.StartedAt); d.Outcome != drill.Failed || late > time.Minute {
			t.Errorf("outcome %s after %s", d.Outcome, late)
		}
	})
}

func TestCase_AStartThatArrivesLateIsFoundBeforeAnyoneSaysThatItNeverRan(t *testing.T) {
	each(t, func(t *testing.T, s drill.Service, plan string) {
		held := false
		late := lateness(s) - 2*time.Minute // a minute before the signature is too old
		st := newStage(t, s, &script{fates: func(c *call) fate {
			if c.sort != vendorStart || held {
				return fate{}
			}
			held = true
			return fate{act: slow, lasts: late}
		}})
		e := st.Event(events.Start{Plan: plan, Actor: "local:acme/alice"})
		st.say(time.Second, 1, e)
		st.say(5*time.Second, 1, st.Event(events.Stop{Drill: DrillOf(e), Actor: "local:acme/bob", Reason: "enough"}))
		st.Sched.At(time.Now().Add(late), "before it arrives", func() {
			if d := st.c.heads[DrillOf(e)]; d.Status != drill.Stopping || !strings.Contains(st.Timeline(st.ctx, d.ID), "may still take effect until") {
				t.Errorf("while the call is on its way: %s\n%s", d.Status, st.Timeline(st.ctx, d.ID))
			}
		})
		d := st.play(t, e)
		if d.Outcome != drill.Stopped || len(executed(st)) != 1 || !d.Run(drill.Main).Adopted || d.Stop.StoppedAt.Before(executed(st)[0].Started) {
			t.Errorf("outcome %s, %d runs, stopped at %s", d.Outcome, len(executed(st)), d.Stop.StoppedAt)
		}
	})
}

func TestCase_AnAnswerThatArrivesLateSetsNothingGoingAfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, begin := false, time.Now()
		st := newStage(t, drill.CFG, &script{fates: func(c *call) fate {
			if c.inst.to.Name != "advance" || c.sort != vendorWrite || held || time.Since(begin) < time.Minute {
				return fate{}
			}
			held = true
			return fate{act: slow, lasts: 4 * time.Minute}
		}})
		e := st.Event(events.Start{Plan: "cfg-long", Actor: "local:acme/alice"})
		id := DrillOf(e)
		st.say(time.Second, 1, e)
		st.say(3*time.Second, 1, st.Event(events.Advance{Drill: id, Action: "pause", Actor: "local:acme/bob"}))
		st.say(65*time.Second, 1, st.Event(events.Advance{Drill: id, Action: "resume", Actor: "local:acme/bob"}))
		st.say(90*time.Second, 1, st.Event(events.Stop{Drill: id, Actor: "local:acme/bob", Reason: "enough"}))
		d := st.play(t, e)
		if d.Outcome != drill.Stopped || !held || d.Stop.StoppedAt.Sub(d.Stop.RequestedAt) < 4*time.Minute {
			t.Errorf("outcome %s, asked at %s, stopped at %s", d.Outcome, d.Stop.RequestedAt, d.Stop.StoppedAt)
		}
	})
}

func TestCase_ALookThatFailsAtALaterAttemptDoesNotRefuseWhileTheFirstCallIsOnItsWay(t *testing.T) {
	for _, s := range []drill.Service{drill.FIS, drill.CFG, drill.OOS} {
		t.Run(string(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				held, failed, begin := false, 0, time.Now()
				st := newStage(t, s, &script{fates: func(c *call) fate {
					switch {
					case c.sort == vendorStart && !held:
						held = true
						return fate{act: slow, lasts: 3 * time.Minute}
					case c.inst.to.Name == "start" && strings.HasPrefix(c.key, "registers/lever") && time.Since(begin) > time.Minute && time.Since(begin) < 170*time.Second:
						failed++
						return fate{act: failBefore}
					}
					return fate{}
				}})
				e := st.Event(events.Start{Plan: longPlans()[s], Actor: "local:acme/alice"})
				st.say(time.Second, 1, e)
				d := st.play(t, e)
				if failed == 0 || len(executed(st)) != 1 || d.RunID() == "" || d.Refusal != nil {
					t.Errorf("%d looks failed, %d runs, run %q, refusal %v", failed, len(executed(st)), d.RunID(), d.Refusal)
				}
			})
		})
	}
}
