package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
	"github.com/firedrill/firedrill/shared/function"
)

// maxInstances bounds how many instances work at once.
const maxInstances = 8

// maxDecisions bounds one simulation.
const maxDecisions = 100_000

// decider says what happens. A chaos decides by a seed, a calm lets everything through in order.
type decider interface {
	// pick says which of n possible things happens next.
	pick(n int) int
	// call says what becomes of a call that was picked.
	call(c *call) fate
	// deliver says when copies of a delivery arrive, counted from now; none means that it is lost.
	deliver(e events.Event, to string) []time.Duration
	// again says when an event is delivered again whose instance failed or died; false means never.
	again(i *instance) (time.Duration, bool)
	// pause is the time that passes before the next decision.
	pause() time.Duration
}

// delivery is one event on its way to one function.
type delivery struct {
	n     int
	to    bundle.Function
	event events.Event
	try   int
	at    time.Time
}

// item is something that happens at a time, by itself.
type item struct {
	n    int
	at   time.Time
	what string
	do   func()
}

// Scheduler decides what happens next in one bubble.
type Scheduler struct {
	decider decider
	timeout time.Duration // of a function
	handler func(i *instance) function.Handler

	mu      sync.Mutex
	parked  []*call
	queue   []*delivery
	agenda  []item
	trace   []line
	count   int // numbers deliveries and items
	started int // numbers instances
	live    []*instance
	late    int // calls that were given up and are still on their way
	poke    chan struct{}
	broken  error // the first violation
}

func newScheduler(d decider, timeout time.Duration) *Scheduler {
	return &Scheduler{decider: d, timeout: timeout, poke: make(chan struct{}, 1)}
}

// cross takes one call of an instance over the boundary. Calls from outside of any instance go straight through.
func (s *Scheduler) cross(ctx context.Context, kind sort, op, key string, do func(ctx context.Context, a act) error) error {
	inst := instanceOf(ctx)
	if s == nil || inst == nil {
		return do(ctx, pass)
	}
	c := &call{inst: inst, ctx: ctx, sort: kind, op: op, key: key, do: do, resume: make(chan struct{})}
	s.park(c)
	if c.err != nil {
		return c.err
	}
	detached := context.WithoutCancel(ctx) // its deadline was looked at when it was let go
	a := c.fate.act
	switch a {
	case throttle, innerBefore, innerAfter, stale:
		return do(detached, a)
	}
	err := do(detached, pass)
	switch a {
	case crashAfter:
		return errCrashed
	case loseReply:
		return errLost
	case slowReply, freezeAfter:
		c.back = true
		s.park(c)
		if c.err != nil {
			return c.err
		}
	}
	return err
}

func (s *Scheduler) park(c *call) {
	s.mu.Lock()
	if c.inst.dead {
		s.mu.Unlock()
		c.err = errCrashed
		return
	}
	c.inst.calls++
	c.n = c.inst.calls
	s.parked = append(s.parked, c)
	s.mu.Unlock()
	s.wake()
	<-c.resume
}

func (s *Scheduler) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// At puts something on the agenda.
func (s *Scheduler) At(at time.Time, what string, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.agenda = append(s.agenda, item{s.count, at, what, do})
}

// Post gives an event to the bus for one function; the decider says when it arrives.
func (s *Scheduler) Post(to bundle.Function, e events.Event) {
	fates := s.decider.deliver(e, to.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(fates) == 0 {
		s.note(nil, "bus", "lost "+short(e), to.Name)
	}
	for _, d := range fates {
		s.enqueue(to, e, 0, d)
	}
}

func (s *Scheduler) enqueue(to bundle.Function, e events.Event, try int, in time.Duration) {
	s.count++
	s.queue = append(s.queue, &delivery{s.count, to, e, try, time.Now().Add(in)})
}

// Run decides until over says that it is enough, or an invariant is broken. over is asked when nothing can move but time.
func (s *Scheduler) Run(over func() bool) {
	for moved := false; ; {
		synctest.Wait() // only then does nobody but this goroutine touch anything
		if s.broken != nil {
			return
		}
		if moved {
			moved = false
			if d := s.decider.pause(); d > 0 {
				time.Sleep(d)
				continue
			}
		}
		if len(s.trace) > maxDecisions {
			s.Break("it goes round in circles")
			return
		}
		s.reap()
		if s.agendaDue() {
			continue
		}
		moves := s.moves()
		if len(moves) == 0 {
			if over() {
				return
			}
			s.idle()
			continue
		}
		i := 0
		if len(moves) > 1 {
			i = s.decider.pick(len(moves))
		}
		moves[i]()
		moved = true
	}
}

// moves lists what may happen now, in an order that depends on nothing but the seed.
func (s *Scheduler) moves() []func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	slices.SortStableFunc(s.parked, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.inst.n, b.inst.n), cmp.Compare(a.op, b.op), cmp.Compare(a.key, b.key), cmp.Compare(a.n, b.n))
	})
	var out []func()
	for _, c := range s.parked {
		if s.ready(c, now) {
			out = append(out, func() { s.decide(c) })
		}
	}
	if len(s.live) >= maxInstances {
		return out
	}
	for _, d := range s.queue {
		if !d.at.After(now) {
			out = append(out, func() { s.begin(d) })
		}
	}
	return out
}

// ready reports whether a parked call may be decided: its instance moves, and it is not held, or its caller gives up.
func (s *Scheduler) ready(c *call, now time.Time) bool {
	if c.inst.frozen.After(now) {
		return false
	}
	at := c.deadline()
	return !c.until.After(now) || !at.IsZero() && !at.After(now)
}

// idle lets time pass until something may happen.
func (s *Scheduler) idle() {
	next := s.next()
	if next.IsZero() {
		next = time.Now().Add(time.Minute)
	}
	t := time.NewTimer(time.Until(next))
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.poke:
	}
}

func (s *Scheduler) next() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for _, c := range s.parked {
		if c.inst.frozen.After(time.Now()) {
			add(c.inst.frozen)
			continue
		}
		add(c.until)
		add(c.deadline())
	}
	for _, d := range s.queue {
		if len(s.live) < maxInstances {
			add(d.at)
		}
	}
	for _, a := range s.agenda {
		add(a.at)
	}
	return first
}

// agendaDue does the first thing on the agenda that is due.
func (s *Scheduler) agendaDue() bool {
	s.mu.Lock()
	first := -1
	for i, a := range s.agenda {
		if !a.at.After(time.Now()) && (first < 0 || a.at.Before(s.agenda[first].at)) {
			first = i
		}
	}
	if first < 0 {
		s.mu.Unlock()
		return false
	}
	a := s.agenda[first]
	s.agenda = slices.Delete(s.agenda, first, first+1)
	s.note(nil, "agenda", a.what, "")
	s.mu.Unlock()
	a.do()
	return true
}

// begin starts an instance for a delivery.
func (s *Scheduler) begin(d *delivery) {
	s.mu.Lock()
	s.queue = slices.DeleteFunc(s.queue, func(o *delivery) bool { return o == d })
	s.started++
	i := &instance{n: s.started, to: d.to, event: d.event, try: d.try}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	i.ctx, i.cancel = context.WithValue(ctx, instanceKey{}, i), cancel
	s.live = append(s.live, i)
	s.note(i, "begin", short(d.event), "")
	s.mu.Unlock()
	h := s.handler(i)
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				i.panic = fmt.Sprint(p)
			}
			s.mu.Lock()
			i.done = true
			s.mu.Unlock()
			s.wake()
		}()
		_, i.err = h(i.ctx, d.event)
	}()
}

// reap takes the instances away that have returned.
func (s *Scheduler) reap() {
	s.mu.Lock()
	var done []*instance
	s.live = slices.DeleteFunc(s.live, func(i *instance) bool {
		if i.done {
			done = append(done, i)
		}
		return i.done
	})
	s.mu.Unlock()
	slices.SortFunc(done, func(a, b *instance) int { return cmp.Compare(a.n, b.n) })
	for _, i := range done {
		switch {
		case i.panic != "":
			s.Break("%s panics on %s: %s", i.to.Name, short(i.event), i.panic)
		case i.err != nil:
			s.redeliver(i, "error: "+i.err.Error())
		default:
			s.mu.Lock()
			s.note(i, "end", short(i.event), "")
			s.mu.Unlock()
		}
	}
}

// Busy reports whether an instance is at work, a call that was given up is on its way, or an event is due.
func (s *Scheduler) Busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) > 0 || len(s.parked) > 0 || s.late > 0 {
		return true
	}
	return slices.ContainsFunc(s.queue, func(d *delivery) bool { return !d.at.After(time.Now()) })
}

// Break records the first violation of an invariant.
func (s *Scheduler) Break(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = fmt.Errorf(format, args...)
		s.note(nil, "VIOLATION", s.broken.Error(), "")
	}
}

// Close lets every instance die, so that the bubble can end.
func (s *Scheduler) Close() {
	s.decider = &calm{}
	for {
		s.mu.Lock()
		live := slices.Clone(s.live)
		s.mu.Unlock()
		if len(live) == 0 {
			break
		}
		for _, i := range live {
			s.kill(i, nil)
		}
		synctest.Wait()
		s.reap()
	}
	s.queue, s.agenda = nil, nil
}
