package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// lastStart is when the last drill is asked for.
const lastStart = 4 * time.Minute

// fairTicks bounds how many fair minutes all drills have to end.
const fairTicks = 75

// Seed is one simulation.
type Seed struct {
	N       uint64
	Service drill.Service
	Catalog *catalog.Catalog
	Harm    Harm
	Log     *slog.Logger
}

// play is a seed being played.
type play struct {
	seed   Seed
	w      *World
	c      *checker
	chaos  *chaos
	rng    *rand.Rand
	begin  time.Time
	starts []time.Time
	drills []string
	lies   bool
	ctx    context.Context
}

// Result is what a seed came to.
type Result struct {
	Err       error
	Schedule  func(brief bool) string
	Timelines string
	Decisions int
	Drills    int
	Ended     map[drill.Status]int   // by outcome
	Stops     map[drill.StopKind]int // by who asked
}

// Play plays one seed. It must be called inside a synctest bubble of its own.
func Play(t testing.TB, seed Seed) Result {
	t.Helper()
	p := &play{seed: seed, begin: time.Now(), chaos: newChaos(seed.N, time.Now()), rng: rand.New(rand.NewPCG(seed.N, 0x5ce4e)), ctx: t.Context()}
	p.chaos.late = lateness(seed.Service)
	every := []time.Duration{0, 0, 15 * time.Second}[p.rng.IntN(3)]
	timeout := []time.Duration{time.Minute, 10 * time.Minute}[p.rng.IntN(2)]
	p.w = New(t, Options{Seed: seed.N, Catalog: seed.Catalog, Services: Only(seed.Service), Decider: p.chaos, Timeout: timeout, Every: every, Harm: seed.Harm, Log: seed.Log})
	p.c = newChecker(p.w)
	p.c.lying = func() bool { return p.lies }
	p.script()
	p.tick()
	over := false
	p.w.Sched.Run(func() bool {
		if !p.chaos.fair() || p.w.Sched.Busy() {
			return false
		}
		over = p.c.Over(p.ctx)
		return over || time.Since(p.chaos.end) > fairTicks*time.Minute
	})
	if over {
		p.aftermath()
	}
	if p.w.Sched.broken == nil {
		p.c.End(p.ctx)
	}
	r := p.result()
	p.w.Sched.Close()
	return r
}

func (p *play) result() Result {
	r := Result{Err: p.w.Sched.broken, Schedule: p.w.Sched.Schedule, Decisions: len(p.w.Sched.trace), Drills: len(p.c.order), Ended: map[drill.Status]int{}, Stops: map[drill.StopKind]int{}}
	for _, id := range p.c.order {
		d := p.c.heads[id]
		out := d.Outcome
		if out == "" {
			out = d.Status
		}
		r.Ended[out]++
		if d.Stop != nil {
			r.Stops[d.Stop.Kind]++
		}
		if r.Err != nil {
			r.Timelines += fmt.Sprintf("drill %s of plan %s:\n%s", id, d.Plan.Name, p.w.Timeline(p.ctx, id))
		}
	}
	return r
}

// tick sends a tick every minute, and looks at the invariants.
func (p *play) tick() {
	p.w.Box.Tick()
	if p.chaos.fair() {
		p.c.Fair(p.ctx, p.chaos.end.Add(p.chaos.frozen+time.Minute))
	} else {
		p.c.Step()
	}
	p.w.post(p.w.Event(events.Tick{At: time.Now().Truncate(time.Minute)}))
	p.w.Sched.At(time.Now().Add(time.Minute), "tick", p.tick)
}

// aftermath delivers what was hours late, with a few ticks after it: nothing may begin anew.
func (p *play) aftermath() {
	before := len(p.c.order)
	var last time.Time
	for _, d := range p.w.Sched.queue {
		if d.at.After(last) {
			last = d.at
		}
	}
	if last.IsZero() {
		return
	}
	p.w.Sched.agenda = nil
	p.w.Sched.Run(func() bool { return time.Now().After(last) && !p.w.Sched.Busy() })
	stop := time.Now().Add(10 * time.Minute)
	p.tick()
	p.w.Sched.Run(func() bool {
		return time.Now().After(stop) && !p.w.Sched.Busy() && p.c.Over(p.ctx) || time.Since(stop) > fairTicks*time.Minute
	})
	for _, id := range p.c.order[before:] {
		if d := p.c.heads[id]; d.RunID() != "" && d.Slot == "" && d.RequestedAt.Sub(p.begin) > lastStart+drill.RequestExpiry {
			p.w.Sched.Break("drill %s was started by an event that was hours late", id)
		}
	}
}

// within is a time of the chaos: any, or close to a start.
func (p *play) within() time.Time {
	if p.chance(60) {
		at := p.starts[p.rng.IntN(len(p.starts))]
		return at.Add(time.Duration(p.rng.Int64N(int64([]time.Duration{time.Second, 4 * time.Second, 40 * time.Second}[p.rng.IntN(3)]))))
	}
	return p.begin.Add(time.Duration(p.rng.Int64N(int64(p.chaos.end.Sub(p.begin)))))
}

func (p *play) chance(percent int) bool { return p.rng.IntN(100) < percent }

// say posts an event at a time.
func (p *play) say(at time.Time, what string, payload events.Payload) {
	p.w.Sched.At(at, what, func() { p.w.post(p.w.Event(payload)) })
}

// script puts on the agenda what people, schedules and monitors do.
func (p *play) script() {
	plans := p.seed.Catalog.Plans()
	for range 1 + p.rng.IntN(3) {
		p.start(plans[p.rng.IntN(len(plans))])
	}
	if p.chance(45) {
		p.alarm("stop-me")
	}
	if p.seed.Service == drill.FIS && p.chance(30) {
		p.boxAlarm()
	}
	if p.chance(20) {
		p.halt(plans[p.rng.IntN(len(plans))].Name)
	}
	if p.chance(30) {
		p.lie()
	}
	p.w.Sched.At(p.begin.Add(20*time.Second), "people look", p.people)
}

// start asks for a drill, by an event that is delivered many times.
func (p *play) start(plan drill.Plan) {
	at := p.begin.Add(time.Duration(p.rng.Int64N(int64(lastStart))))
	p.starts = append(p.starts, at)
	dry := p.chance(5)
	copies := []int{1, 1, 2, 20}[p.rng.IntN(4)]
	again := p.chance(30)
	stop := p.chance(40)
	p.w.Sched.At(at, "start "+plan.Name, func() {
		e := p.w.Event(events.Start{Plan: plan.Name, Actor: "local:acme/alice", DryRun: dry})
		p.drills = append(p.drills, DrillOf(e))
		for range copies {
			p.w.post(e)
		}
		if again {
			p.w.Sched.At(time.Now().Add(time.Duration(p.rng.Int64N(int64(40*time.Minute)))), "the same start again", func() { p.w.post(e) })
		}
		if stop {
			in := time.Duration(p.rng.Int64N(int64([]time.Duration{2 * time.Second, 30 * time.Second, 4 * time.Minute}[p.rng.IntN(3)])))
			p.say(time.Now().Add(in), "stop", events.Stop{Drill: DrillOf(e), Actor: "local:acme/bob", Reason: "enough"})
		}
	})
}

func (p *play) alarm(name string) {
	at := p.within()
	id := fmt.Sprint("occurrence-", p.rng.IntN(1000))
	fires := events.Alarm{Source: "alertmanager", Name: "StopMe", Labels: map[string]string{"alertname": "StopMe"}, ID: id, State: "firing", At: at}
	p.say(at, "alarm "+name+" fires", fires)
	if p.chance(40) {
		p.say(at.Add(time.Minute), "alarm "+name+" fires still", fires)
	}
	if p.chance(60) {
		till := at.Add(time.Duration(1+p.rng.IntN(300)) * time.Second)
		p.say(till, "alarm "+name+" is over", events.Alarm{Source: "alertmanager", Name: "StopMe", Labels: map[string]string{"alertname": "StopMe"}, ID: id, State: "resolved", At: till})
	}
}

// boxAlarm raises the alarm that is a stop condition of an FIS template.
func (p *play) boxAlarm() {
	at := p.within()
	set := func(state string) func() {
		return func() {
			if _, err := p.w.Box.SetAlarm("checkout-5xx", state, "simulated"); err != nil {
				p.w.Sched.Break("set alarm: %v", err)
			}
		}
	}
	p.w.Sched.At(at, "checkout-5xx fires", set("firing"))
	p.w.Sched.At(at.Add(time.Duration(1+p.rng.IntN(200))*time.Second), "checkout-5xx is over", set("resolved"))
}

func (p *play) halt(plan string) {
	at := p.within()
	scope := []string{"all", "environment/staging", "plan/" + plan}[p.rng.IntN(3)]
	p.say(at, "halt", events.Halt{Scope: scope, Reason: "incident", Actor: "local:acme/carol"})
	if p.chance(60) {
		p.say(at.Add(time.Duration(1+p.rng.IntN(600))*time.Second), "release", events.Release{Scope: scope, Reason: "over", Actor: "local:acme/carol"})
	}
}

// lie makes the services' stops lie for a while.
func (p *play) lie() {
	at := p.within()
	p.w.Sched.At(at, "stops lie", func() {
		id, err := p.w.Box.AddFault(sandbox.Fault{Fault: sandbox.Lie})
		if err != nil {
			p.w.Sched.Break("lie: %v", err)
			return
		}
		p.lies = true
		left := max(p.chaos.end.Sub(at), time.Second)
		p.w.Sched.At(at.Add(time.Duration(p.rng.Int64N(int64(left)))), "stops are honest", func() {
			p.w.Box.RemoveFault(id)
			p.lies = false
		})
	})
}

// people look at their drills now and then, and answer what waits for them: sometimes twice, sometimes late, sometimes not at all.
func (p *play) people() {
	for _, id := range p.drills {
		d, err := p.w.Journal.Load(p.ctx, id)
		if err != nil || d.Status.Final() {
			continue
		}
		p.answer(d)
	}
	if !p.chaos.fair() {
		p.w.Sched.At(time.Now().Add(time.Duration(10+p.rng.IntN(80))*time.Second), "people look", p.people)
	}
}

func (p *play) answer(d *drill.Drill) {
	who := []string{"local:acme/alice", "local:acme/bob", "local:acme/dora"}[p.rng.IntN(3)]
	for _, g := range d.Gates {
		if !p.chance(60) || len(g.Choices) == 0 {
			continue
		}
		c := g.Choices[p.rng.IntN(len(g.Choices))]
		var say events.Payload = events.Advance{Drill: d.ID, Gate: g.ID, Step: c.Step, Action: string(c.Action), Actor: who}
		switch c.Action {
		case drill.ApproveRun:
			say = events.Approve{Drill: d.ID, Gate: g.ID, Actor: who}
		case drill.RejectRun:
			if p.chance(70) {
				say = events.Approve{Drill: d.ID, Gate: g.ID, Actor: who}
				break
			}
			say = events.Reject{Drill: d.ID, Gate: g.ID, Actor: who}
		}
		p.w.post(p.w.Event(say))
		if p.chance(25) {
			p.say(time.Now().Add(time.Duration(p.rng.IntN(60))*time.Second), "answers twice", say)
		}
	}
	if d.Status == drill.Concluding && p.chance(50) {
		p.w.post(p.w.Event(events.Answer{Drill: d.ID, Claim: "c1", Holds: p.chance(80), Actor: who}))
	}
	if d.Status == drill.Concluding && p.chance(10) {
		p.w.post(p.w.Event(events.Conclude{Drill: d.ID, Verdict: drill.Unexpected, Summary: "by hand", Actor: who}))
	}
}
