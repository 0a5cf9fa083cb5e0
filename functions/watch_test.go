package functions

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const bob = "local:test/bob"

func (r *rig) fault(f sandbox.Fault) string {
	r.Helper()
	id, err := r.box.AddFault(f)
	if err != nil {
		r.Fatal(err)
	}
	return id
}

func TestAdvance_ByHandThroughTheWholeRun(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("by-hand", nil)
		for range 30 {
			d := r.load(id)
			if d.Status.Ended() {
				break
			}
			if len(d.Gates) > 0 {
				e := r.event(events.Advance{Drill: id, Gate: d.Gates[0].ID, Action: string(d.Gates[0].Choices[0].Action), Actor: bob})
				for i := range 2 { // delivered twice
					out, err := r.give("advance", e)
					if err != nil || i == 1 && len(out) > 0 {
						t.Errorf("delivery %d: %s, %v", i, words(out), err)
					}
				}
				out, err := r.give("advance", r.event(events.Advance{Drill: id, Gate: d.Gates[0].ID, Action: "execute", Actor: "local:test/carol"}))
				if err != nil || !strings.Contains(r.refusal(out).Reason, bob) {
					t.Errorf("a second answer: %s, %v", words(out), err)
				}
			}
			r.drain()
			r.tick()
		}
		d := r.load(id)
		if d.Outcome != drill.Completed || len(d.Answers) < 2 {
			t.Fatalf("outcome %s after %d answers:\n%s", d.Outcome, len(d.Answers), r.timeline(id))
		}
		for _, s := range d.Steps {
			if s.State != drill.StepDone {
				t.Errorf("step %s is %s", s.Name, s.State)
			}
		}
	})
}

func TestAdvance_WhatFISCannot(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		e := r.event(events.Advance{Drill: id, Action: "pause", Actor: bob})
		if _, err := r.give("advance", e); err != nil {
			t.Errorf("what a service cannot do is delivered again: %v", err)
		}
		if !strings.Contains(r.timeline(id), "cannot pause") {
			t.Errorf("nobody is told:\n%s", r.timeline(id))
		}
		out, err := r.give("advance", r.event(events.Advance{Drill: id, Action: "execute", Actor: bob}))
		if err != nil || !strings.Contains(r.refusal(out).Reason, "no gate is open") {
			t.Errorf("%s, %v", words(out), err)
		}
	})
}

// TestAdvance_AnAnswerWhoseReplyWasLost: the push went through, the reply did not come back; a later tick settles it, and nothing is pushed twice.
func TestAdvance_AnAnswerWhoseReplyWasLost(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("by-hand", nil)
		d := r.until(id, 5, func(d *drill.Drill) bool { return len(d.Gates) > 0 })
		lost := r.fault(sandbox.Fault{Fault: sandbox.LoseReply, Kind: service.Advance})
		gate := d.Gates[0]
		_, err := r.give("advance", r.event(events.Advance{Drill: id, Gate: gate.ID, Action: string(gate.Choices[0].Action), Actor: bob}))
		if err == nil {
			t.Error("no error: nobody delivers it again")
		}
		r.drain()
		r.box.RemoveFault(lost)
		d = r.until(id, 10, func(d *drill.Drill) bool { return d.Answers[0].Done || d.Answers[0].Error != "" })
		if d.Answers[0].Error != "" || len(d.Answers) != 1 {
			t.Errorf("answers %+v", d.Answers)
		}
		n := 0
		for _, q := range r.box.Requests() {
			if q.Op == "ExecuteTaskInstance" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d pushes at the service", n)
		}
	})
}

func TestAdvance_ManyAtOnceIsOnePush(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("by-hand", nil)
		d := r.until(id, 5, func(d *drill.Drill) bool { return len(d.Gates) > 0 })
		p := events.Advance{Drill: id, Gate: d.Gates[0].ID, Action: string(d.Gates[0].Choices[0].Action), Actor: bob}
		var wg sync.WaitGroup
		for range 10 {
			e := r.event(p)
			wg.Go(func() {
				for _, f := range r.funcs {
					if f.Name == "advance" {
						_, _ = f.Handle(r.Context(), e)
					}
				}
			})
		}
		wg.Wait()
		n := 0
		for _, q := range r.box.Requests() {
			if q.Op == "ExecuteTaskInstance" {
				n++
			}
		}
		if d := r.load(id); n != 1 || len(d.Answers) != 1 {
			t.Errorf("%d pushes, %d answers", n, len(d.Answers))
		}
	})
}

func TestPoll_StateEventOfARunThatIsNotOurs(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		rev, calls := r.load(id).Rev, len(r.box.Requests())
		for _, p := range []events.State{{Service: "fis", Run: "EXPunknown"}, {Service: "oos", Run: r.load(id).RunID()}} {
			out, err := r.give("poll", r.event(p))
			if err != nil || len(out) > 0 {
				t.Errorf("%s, %v", words(out), err)
			}
		}
		if r.load(id).Rev != rev || len(r.box.Requests()) != calls {
			t.Error("a state event of a stranger caused work")
		}
		time.Sleep(17 * time.Minute)
		r.box.Tick()
		if _, err := r.give("poll", r.event(events.State{Service: "fis", Run: r.load(id).RunID()})); err != nil {
			t.Error(err)
		}
		if d := r.load(id); d.Outcome != drill.Completed {
			t.Errorf("our own run's event did not make poll look: %s", d.Status)
		}
	})
}

// TestPoll_LostFactsAreFoundByTheNextTick: what poll said never arrived; a later tick says it again and the drill is concluded.
func TestPoll_LostFactsAreFoundByTheNextTick(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		time.Sleep(17 * time.Minute)
		r.box.Tick()
		for _, f := range r.funcs {
			if f.Name == "poll" {
				out, err := f.Handle(r.Context(), r.event(events.Tick{At: time.Now()}))
				if err != nil || !strings.Contains(words(out), "completed") {
					t.Fatalf("%s, %v", words(out), err)
				}
			}
		}
		if d := r.load(id); d.Status != drill.Completed {
			t.Fatalf("status %s", d.Status)
		}
		r.until(id, 3, is(drill.Concluded))
		seen := map[string]bool{}
		for _, e := range r.said {
			seen[strings.Split(e.Type(), ".")[3]] = true
		}
		for _, want := range []string{"requested", "started", "completed", "restored", "concluded"} {
			if !seen[want] {
				t.Errorf("%s was never published", want)
			}
		}
	})
}

func TestPoll_TheMarkerGoesWhenEverythingIsOut(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		r.until(id, 30, is(drill.Concluded))
		r.tick()
		r.tick()
		if ids, err := r.journal.ActiveIDs(r.Context()); err != nil || len(ids) > 0 {
			t.Fatalf("active %v, %v", ids, err)
		}
		if out := r.tick(); len(out) > 0 {
			t.Errorf("an idle tick says %s", words(out))
		}
		out := r.send(events.Conclude{Drill: id, Verdict: "expected", Summary: "seen again", Actor: bob})
		out = append(out, r.tick()...)
		out = append(out, r.tick()...)
		for _, w := range []string{"requested", "started", "completed", "concluded"} {
			if strings.Contains(words(out), w) {
				t.Errorf("an amendment publishes the old facts again: %s", words(out))
				break
			}
		}
		if d := r.load(id); len(d.Amendments) != 1 || d.Verdict.Verdict != drill.Inconclusive || !strings.Contains(words(out), "amended") {
			t.Errorf("verdict %s, amendments %v, said %s", d.Verdict.Verdict, d.Amendments, words(out))
		}
		if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) != 1 {
			t.Errorf("active %v: who woke it may still be about to append", ids)
		}
		time.Sleep(journal.AwakeFor)
		if out := r.tick(); len(out) > 0 {
			t.Errorf("an idle tick says %s", words(out))
		}
		if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) > 0 {
			t.Errorf("active %v", ids)
		}
	})
}

// TestConclude_AnAmendmentWhoseAuthorDiesIsToldAllTheSame: it was decided while the drill was active, and appended when nobody looked any more.
func TestConclude_AnAmendmentWhoseAuthorDiesIsToldAllTheSame(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		r.until(id, 30, is(drill.Concluded))
		r.tick()
		r.tick()
		by := journal.By{Actor: bob, Cause: "cmd-27", Source: "/firedrill/test/conclude"}
		_, out, err := r.journal.Update(r.Context(), id, by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.Amend(drill.Verdict{Verdict: drill.Expected, Summary: "seen again", By: bob}, now)
		})
		if err != nil || len(out) != 1 {
			t.Fatal(out, err) // its author is dead now: nothing was published
		}
		if said := words(r.tick()); !strings.Contains(said, "amended") {
			t.Errorf("the next tick says %s", said)
		}
	})
}

// TestPoll_ADeadlineDoesNotWaitForTheService: max_duration is over while the service cannot be read.
func TestPoll_ADeadlineDoesNotWaitForTheService(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("short", nil)
		r.until(id, 3, is(drill.Running))
		down := r.fault(sandbox.Fault{Fault: sandbox.ErrorBefore, Service: "fis", Kind: service.Read})
		for range 6 {
			time.Sleep(time.Minute)
			_, _ = r.give("poll", r.event(events.Tick{At: time.Now()})) // errors: the service is down
		}
		d := r.load(id)
		if d.Stop == nil || d.Stop.Kind != drill.StopByDeadline {
			t.Fatalf("max_duration passed and nobody asked for a stop:\n%s", r.timeline(id))
		}
		_, _ = r.give("poll", r.event(events.Tick{At: time.Now()}))
		if r.live("fis") != 0 {
			t.Error("the stop was never sent")
		}
		r.box.RemoveFault(down)
		if d := r.until(id, 10, func(d *drill.Drill) bool { return d.Status.Ended() }); d.Outcome != drill.Stopped {
			t.Errorf("outcome %s", d.Outcome)
		}
	})
}

func TestPoll_OverdueIsStoppedInTheSameTick(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("short", nil)
		r.until(id, 8, func(d *drill.Drill) bool { return d.Stop != nil })
		if r.live("fis") != 0 {
			t.Errorf("asked, and not sent:\n%s", r.timeline(id))
		}
	})
}

func TestPoll_AClaimThatDoesNotHoldStopsTheDrill(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		bad := time.Now().Add(3 * time.Minute)
		r.samples = func(c drill.Claim) drill.Sample {
			return drill.Sample{Claim: c.ID, At: time.Now(), Good: time.Now().Before(bad), Detail: "503"}
		}
		id := r.start("claimed", nil)
		d := r.until(id, 12, func(d *drill.Drill) bool { return d.Stop != nil })
		if d.Stop.Kind != drill.StopByClaim || d.Stop.By != "claim:c1" || r.live("fis") != 0 {
			t.Errorf("stop %+v", d.Stop)
		}
		if gone := d.Stop.RequestedAt.Sub(bad); gone < 90*time.Second || gone > 4*time.Minute {
			t.Errorf("stopped %s after the claim broke, stop_after is 90s", gone)
		}
		r.until(id, 60, is(drill.Concluded))
		if v := r.load(id).Verdict; v.Verdict != drill.Unexpected {
			t.Errorf("verdict %s: %s", v.Verdict, v.Summary)
		}
	})
}

func TestPoll_AHaltWhoseEventWasLostIsObeyed(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		_, err := guard.SetLever(r.Context(), r.journal, guard.Lever{Scope: "all", Engaged: true, Actor: bob, At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		r.tick()
		if d := r.load(id); d.Stop == nil || d.Stop.Kind != drill.StopByHalt || r.live("fis") != 0 {
			t.Errorf("stop %+v, %d live", d.Stop, r.live("fis"))
		}
	})
}

func TestConclude_AnswersVerdictsAndDuplicates(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("claimed", nil)
		out := r.send(events.Conclude{Drill: id, Verdict: "expected", Summary: "too early", Actor: bob})
		if no := r.refusal(out); !strings.Contains(no.Reason, "running") {
			t.Errorf("a verdict while it runs: %s", no.Reason)
		}
		r.until(id, 30, is(drill.Concluding))
		e := r.event(events.Answer{Drill: id, Claim: "c2", Holds: true, Actor: bob})
		_ = r.Publish(r.Context(), e)
		r.drain()
		d := r.load(id)
		if d.Status != drill.Concluded || d.Verdict.Verdict != drill.Expected {
			t.Fatalf("status %s, verdict %+v:\n%s", d.Status, d.Verdict, r.timeline(id))
		}
		if out, err := r.give("conclude", e); err != nil || len(out) > 0 {
			t.Errorf("the answer delivered again: %s, %v", words(out), err)
		}
		out = r.send(events.Answer{Drill: id, Claim: "c2", Holds: false, Actor: "local:test/carol"})
		if no := r.refusal(out); !strings.Contains(no.Reason, "bob answered yes") {
			t.Errorf("a second answer: %s", no.Reason)
		}
		note := r.event(events.Note{Drill: id, Text: "引号 \" 🛒", Actor: bob})
		for range 2 {
			if _, err := r.give("conclude", note); err != nil {
				t.Error(err)
			}
		}
		if d := r.load(id); len(d.Notes) != 1 || d.Notes[0].Text != "引号 \" 🛒" {
			t.Errorf("notes %v", d.Notes)
		}
	})
}

func TestConclude_ManyAtOnceIsOneVerdict(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := r.start("claimed", nil)
		r.until(id, 30, is(drill.Concluding))
		time.Sleep(time.Hour)
		var wg sync.WaitGroup
		var mu sync.Mutex
		concluded := map[string]bool{}
		for i := range 10 {
			e := r.event(events.Conclude{Drill: id, Verdict: []string{"expected", "unexpected"}[i%2], Summary: fmt.Sprint("by ", i), Actor: bob})
			wg.Go(func() {
				for _, f := range r.funcs {
					if f.Name != "conclude" {
						continue
					}
					out, err := f.Handle(r.Context(), e)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					for _, o := range out {
						if o.Type() == events.TypeConcluded {
							concluded[o.ID()] = true
						}
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(concluded) != 1 || r.load(id).Verdict == nil {
			t.Errorf("%d verdicts:\n%s", len(concluded), r.timeline(id))
		}
	})
}

func TestPoll_AMarkerWithoutADrillIsForgotten(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		if err := r.journal.PutMarker(r.Context(), journal.Marker{Drill: "never", Plan: "p", Service: "fis"}); err != nil {
			t.Fatal(err)
		}
		r.tick()
		if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) != 1 {
			t.Errorf("forgotten too early: %v", ids)
		}
		time.Sleep(time.Hour)
		r.tick()
		if ids, _ := r.journal.ActiveIDs(r.Context()); len(ids) != 0 {
			t.Errorf("kept for ever: %v", ids)
		}
	})
}

// TestPoll_ALostMarkerIsWrittenAgain: nothing but the marker leads a tick, an alarm or a halt to a drill. The sweep finds the run.
func TestPoll_ALostMarkerIsWrittenAgain(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		if err := r.store.Delete(r.Context(), "active/"+id); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			time.Sleep(time.Minute)
			r.tick()
		}
		r.send(events.Stop{Drill: "all", Actor: bob})
		if d := r.until(id, 5, func(d *drill.Drill) bool { return d.Status.Ended() }); d.Outcome != drill.Stopped || r.live("fis") != 0 {
			t.Errorf("%s, %d live", d.Outcome, r.live("fis"))
		}
	})
}

// TestPoll_TheLimitOfARunThatWasFoundLate: the reply is lost, and nobody looks for nine minutes. The plan's five count from the beginning.
func TestPoll_TheLimitOfARunThatWasFoundLate(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		r.fault(sandbox.Fault{Fault: sandbox.LoseReply, Service: "fis", Kind: service.Start, Times: 1})
		e := r.event(events.Start{Plan: "short", Actor: bob})
		_, _ = r.give("start", e)
		r.drain()
		began := time.Now()
		time.Sleep(9 * time.Minute)
		d := r.until(events.ID("drill", "/test", e.ID()), 5, func(d *drill.Drill) bool { return d.Status.Ended() })
		if d.Outcome != drill.Stopped || d.Stop.Kind != drill.StopByDeadline || time.Since(began) > 13*time.Minute {
			t.Errorf("%s, %+v, after %s", d.Outcome, d.Stop, time.Since(began))
		}
		if off := d.StartedAt.Sub(began).Abs(); off > time.Minute {
			t.Errorf("began at %s, the drill says %s", began, d.StartedAt)
		}
	})
}

// TestAbort_AHaltThatWasReleased: it comes after the release that was given later. Whoever gave it is told, for clocks differ.
func TestAbort_AHaltThatWasReleased(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		r.send(events.Halt{Scope: "all", Actor: bob})
		time.Sleep(time.Minute)
		r.send(events.Release{Scope: "all", Reason: "over", Actor: bob})
		late := r.event(events.Halt{Scope: "all", Actor: bob})
		late.SetTime(time.Now().Add(-5 * time.Second))
		out, err := r.give("abort", late)
		if err != nil || !strings.Contains(r.refusal(out).Reason, "give it again") {
			t.Errorf("%s, %v", words(out), err)
		}
	})
}
