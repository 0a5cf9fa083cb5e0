package cfg

import (
	"fmt"
	"time"
)

// play moves every task on to now, one due moment at a time and in order.
func (s *Service) play() {
	now := s.env.Now()
	for _, t := range s.tasks {
		for {
			at, do := s.due(t)
			if do == nil || at.After(now) {
				break
			}
			do(at)
		}
	}
}

// due is the next thing that happens to the task by itself.
func (s *Service) due(t *task) (time.Time, func(time.Time)) {
	var first time.Time
	var next func(time.Time)
	offer := func(at time.Time, do func(time.Time)) {
		if next == nil || at.Before(first) {
			first, next = at, do
		}
	}
	for _, g := range t.groups {
		for _, a := range g.actions {
			for _, i := range a.instances {
				if i.live && !i.liveUntil.IsZero() {
					offer(i.liveUntil, func(time.Time) { i.live = false })
				}
			}
			if a.status == actionExecuting {
				offer(a.due, func(at time.Time) { s.finish(t, g, a, at) })
			}
			if t.status == taskRunning && !t.rollback && a.status == actionWaiting && !a.due.IsZero() {
				offer(later(a.due, t.pauseFrom), func(at time.Time) { s.beginAlone(t, g, a, at) })
			}
		}
	}
	if t.status == taskRunning && t.pause > 0 {
		offer(t.pauseFrom.Add(time.Duration(t.pause)*time.Minute), func(at time.Time) {
			t.log(at, "TaskPauseDuration is over: paused")
			s.pauseTask(t, at)
		})
	}
	return first, next
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// beginAlone is automatic mode beginning an action; the same fault twice on an instance fails.
func (s *Service) beginAlone(t *task, g *group, a *action, at time.Time) {
	other := s.sameFault(choice{t: t, g: g, a: a})
	if other == "" {
		s.begin(t, a, nil, at)
		return
	}
	for _, i := range a.instances {
		if i.status == instanceNew {
			a.over(i, typeFailed, at)
		}
	}
	t.log(at, fmt.Sprintf("action %d %s: the same fault is in effect on %s", a.id, a.name(), other))
	s.close(t, g, a, at)
}

// begin executes an action on the chosen instances (nil: on all that have not been).
func (s *Service) begin(t *task, a *action, chosen map[int64]bool, at time.Time) {
	executes, inEffect := a.lasts()
	if a.status != actionExecuting {
		a.attempts++
	}
	if a.started.IsZero() {
		a.started = at
	}
	a.status, a.kind, a.ended, a.updated = actionExecuting, typeNone, time.Time{}, at
	a.due = at.Add(executes)
	for _, i := range a.instances {
		again := i.status == instanceOver && i.kind == typeFailed
		if i.status != instanceNew && !again || chosen != nil && !chosen[i.id] {
			continue
		}
		i.status, i.kind, i.started, i.ended, i.updated = instanceExecuting, typeNone, at, time.Time{}, at
		i.live, i.liveUntil = a.fault(), time.Time{}
		if i.live && inEffect > 0 {
			i.liveUntil = at.Add(inEffect)
		}
		t.log(at, fmt.Sprintf("action %d %s on %s: executing", a.id, a.name(), i.object))
	}
	if a.fault() && t.policy != nil && t.policy.status == policyFired {
		s.applyPolicy(t, at) // "while triggered, manually continued fault actions get the policy applied again"
	}
}

// finish ends an executing action and moves its group on.
func (s *Service) finish(t *task, g *group, a *action, at time.Time) {
	stumbles := a.spec.stumbles && a.attempts == 1
	for n, i := range a.instances {
		if i.status != instanceExecuting {
			continue
		}
		kind := typeGood
		if stumbles && n == len(a.instances)-1 {
			kind = typeFailed
		}
		a.over(i, kind, at)
		if kind == typeGood && !a.fault() {
			g.relieve(a, i.object)
		}
		t.log(at, fmt.Sprintf("action %d %s on %s: %s", a.id, a.name(), i.object, map[int]string{typeGood: "success", typeFailed: "failed: agent did not answer"}[kind]))
	}
	a.due = time.Time{}
	if a.left() > 0 { // only some instances were executed
		a.status, a.updated = actionWaiting, at
		return
	}
	s.close(t, g, a, at)
}

// close gives an action its result once every instance is over.
func (s *Service) close(t *task, g *group, a *action, at time.Time) {
	a.status, a.kind, a.ended, a.updated, a.due = actionOver, a.result(), at, at, time.Time{}
	if t.rollback {
		s.rollOn(t, at, !a.fault() && a.kind != typeGood)
		return
	}
	if a.kind == typeFailed {
		t.mode = manualMode
		for _, other := range g.actions {
			if other.status == actionWaiting {
				other.due = time.Time{}
			}
		}
		return
	}
	s.next(t, g, a, at)
}

// next lets the first action after a that has not begun wait for execution.
func (s *Service) next(t *task, g *group, a *action, at time.Time) {
	for _, n := range g.actions {
		if n.status == actionWaiting || n.status == actionExecuting {
			return
		}
	}
	for _, n := range g.actions {
		if n.order <= a.order || n.status != actionNew {
			continue
		}
		n.status, n.updated = actionWaiting, at
		if t.mode == autoMode {
			after, _ := seconds(a.general, "AfterTimeWait")
			pre, _ := seconds(n.general, "PreTimeWait")
			n.due = at.Add(after + pre)
		}
		return
	}
}

func (a *action) left() int {
	n := 0
	for _, i := range a.instances {
		if i.status == instanceNew {
			n++
		}
	}
	return n
}

func (a *action) result() int {
	counts := map[int]int{}
	for _, i := range a.instances {
		counts[i.kind]++
	}
	switch {
	case counts[typeFailed] > 0:
		return typeFailed
	case counts[typeTerminated] > 0:
		return typeTerminated
	case counts[typeSkips] == len(a.instances):
		return typeSkips
	}
	return typeGood
}

// over ends the action on an instance. A fault without a recovery is over with it.
func (a *action) over(i *instance, kind int, at time.Time) {
	i.status, i.kind, i.ended, i.updated = instanceOver, kind, at, at
	i.live = i.live && a.recover != 0
}

// relieve ends the fault of the recovery r on one object.
func (g *group) relieve(r *action, object string) {
	f := g.partner(r.execute)
	if f == nil {
		return
	}
	for _, i := range f.instances {
		i.live = i.live && i.object != object
	}
}

// cut ends an executing action before its time.
func (a *action) cut(at time.Time) {
	for _, i := range a.instances {
		if i.status == instanceExecuting {
			a.over(i, typeTerminated, at)
		}
	}
	a.status, a.kind, a.ended, a.updated, a.due = actionOver, typeTerminated, at, at, time.Time{}
}

func (s *Service) pauseTask(t *task, at time.Time) {
	t.status, t.updated, t.rollback = taskPaused, at, false
}

// applyPolicy does what a triggered guardrail does.
func (s *Service) applyPolicy(t *task, at time.Time) {
	if t.policy.deal == dealPause {
		s.pauseTask(t, at)
		return
	}
	t.rollback = true
	for _, g := range t.groups {
		for _, a := range g.actions {
			if a.fault() && a.status == actionExecuting {
				a.cut(at)
			}
		}
	}
	s.rollOn(t, at, false)
}

// rollOn runs the next pending recovery of a triggered guardrail, or pauses when there is none or one went wrong.
func (s *Service) rollOn(t *task, at time.Time, wrong bool) {
	if t.recovering() {
		return
	}
	for _, g := range t.groups {
		for _, a := range g.actions {
			if !wrong && g.pendingRecovery(a) {
				t.log(at, fmt.Sprintf("guardrail runs action %d %s", a.id, a.name()))
				s.begin(t, a, nil, at)
				return
			}
		}
	}
	s.pauseTask(t, at)
}

// pendingRecovery tells whether the action is a recovery that has not begun, of a fault that has.
func (g *group) pendingRecovery(a *action) bool {
	f := g.partner(a.execute)
	return !a.fault() && a.status != actionOver && a.status != actionExecuting && f != nil && f.begun()
}

func (t *task) recovering() bool {
	for _, g := range t.groups {
		for _, a := range g.actions {
			if !a.fault() && a.status == actionExecuting {
				return true
			}
		}
	}
	return false
}
