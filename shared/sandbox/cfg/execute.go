package cfg

import (
	"fmt"
	"slices"
	"time"
)

// execute answers ExecuteTask: instance rows come into being, and each group's first action waits.
func (s *Service) execute(p *params, now time.Time) (obj, *apiError) {
	t, err := s.wanted(p, "InvalidParameter")
	if err != nil {
		return nil, err
	}
	if t.status != taskNew {
		return nil, fail("UnsupportedOperation", "The task %d is in status %d and cannot be executed.", t.id, t.status)
	}
	t.status, t.started, t.updated, t.pauseFrom = taskRunning, now, now, now
	t.log(now, fmt.Sprintf("task %d is executed", t.id))
	for _, g := range t.groups {
		for _, a := range g.actions {
			for _, object := range g.objects {
				a.instances = append(a.instances, &instance{id: s.ids.instance, object: object, status: instanceNew, created: now, updated: now})
				s.ids.instance++
			}
		}
		s.next(t, g, &action{}, now)
	}
	return obj{}, nil
}

// wanted finds the task that the request names.
func (s *Service) wanted(p *params, missing string) (*task, *apiError) {
	p.need("TaskId")
	id := p.int("TaskId")
	if p.err != nil {
		return nil, p.err
	}
	if t := s.task(id); t != nil {
		return t, nil
	}
	return nil, fail(missing, "The task %d does not exist.", id)
}

// choice is a checked ExecuteTaskInstance request.
type choice struct {
	t      *task
	g      *group
	a      *action
	chosen map[int64]bool // nil: all instances
	kind   int64
}

// executeInstance answers ExecuteTaskInstance: 1 and 2 execute, 3 skips, 5 tries again.
func (s *Service) executeInstance(p *params, now time.Time) (obj, *apiError) {
	c, err := s.choose(p)
	if err != nil {
		return nil, err
	}
	if p.lie && !c.a.fault() {
		return obj{}, nil
	}
	switch c.kind {
	case 1, 2:
		err = s.run(c, now)
	case 3:
		err = s.skip(c, now)
	case 5:
		err = s.retry(c, now)
	default:
		err = fail("InvalidParameterValue", "ActionType %d is not supported.", c.kind)
	}
	return obj{}, err
}

func (s *Service) choose(p *params) (choice, *apiError) {
	p.need("TaskId", "TaskActionId", "TaskInstanceIds", "IsOperateAll", "ActionType", "TaskGroupId")
	t, err := s.wanted(p, "ResourceNotFound")
	if err != nil {
		return choice{}, err
	}
	all, groupID, actionID := p.bool("IsOperateAll"), p.int("TaskGroupId"), p.int("TaskActionId")
	c := choice{t: t, kind: p.int("ActionType")}
	if c.g, c.a = t.find(actionID); c.a == nil || c.g.id != groupID {
		return c, fail("InvalidParameterValue", "The task %d has no action %d in a group %d.", t.id, actionID, groupID)
	}
	if p.err == nil && !all { // with IsOperateAll the ids are ignored, whatever they are
		c.chosen = map[int64]bool{}
		for _, id := range p.ints("TaskInstanceIds") {
			if !slices.ContainsFunc(c.a.instances, func(i *instance) bool { return i.id == id }) {
				p.wrong(fail("InvalidParameterValue", "The action %d has no instance %d.", actionID, id))
			}
			c.chosen[id] = true
		}
		if len(c.chosen) == 0 {
			p.wrong(fail("InvalidParameterValue", "TaskInstanceIds is empty and IsOperateAll is false."))
		}
	}
	if p.err != nil {
		return c, p.err
	}
	if t.status != taskRunning && t.status != taskPaused {
		return c, fail("OperationDenied", "The task %d is in status %d.", t.id, t.status)
	}
	return c, nil
}

// run executes a waiting action; while the task is paused, only a recovery whose fault has begun.
func (s *Service) run(c choice, now time.Time) *apiError {
	recovers := c.g.pendingRecovery(c.a)
	stopped := c.t.status == taskPaused
	if stopped && !recovers || !stopped && c.a.status != actionWaiting || c.t.rollback {
		return fail("OperationDenied", "The action %d is in status %d of a task in status %d and does not wait for execution.", c.a.id, c.a.status, c.t.status)
	}
	if err := c.untouched(); err != nil {
		return err
	}
	if other := s.sameFault(c); other != "" {
		return fail("ResourceUnavailable", "The same fault is in effect on the instance %s.", other)
	}
	if f := c.g.partner(c.a.execute); !c.a.fault() && f != nil && f.status == actionExecuting {
		f.cut(now)
	}
	s.begin(c.t, c.a, c.chosen, now)
	return nil
}

// untouched refuses instances that have been executed already.
func (c choice) untouched() *apiError {
	for _, i := range c.a.instances {
		if c.chosen[i.id] && i.status != instanceNew {
			return fail("OperationDenied", "The instance %d is in status %d.", i.id, i.status)
		}
	}
	return nil
}

// on tells whether the object is among the chosen ones.
func (c choice) on(object string) bool {
	return slices.ContainsFunc(c.a.instances, func(i *instance) bool { return i.object == object && (c.chosen == nil || c.chosen[i.id]) })
}

// sameFault names an instance on which the same fault is in effect: the vendor allows one at a time.
func (s *Service) sameFault(c choice) string {
	if !c.a.fault() || c.a.spec.id == 12 { // an empty operation gets in nobody's way
		return ""
	}
	for _, t := range s.tasks {
		for _, g := range t.groups {
			for _, a := range g.actions {
				if a == c.a || a.spec.id != c.a.spec.id {
					continue
				}
				for _, i := range a.instances {
					if i.live && c.on(i.object) {
						return i.object
					}
				}
			}
		}
	}
	return ""
}

// skip passes over a waiting or failed action, or over some instances of a waiting one.
func (s *Service) skip(c choice, now time.Time) *apiError {
	failed := c.a.status == actionOver && c.a.kind == typeFailed
	if c.t.status != taskRunning || c.a.status != actionWaiting && !failed {
		return fail("OperationDenied", "The action %d is in status %d of a task in status %d and cannot be skipped.", c.a.id, c.a.status, c.t.status)
	}
	if err := c.untouched(); err != nil && !failed {
		return err
	}
	for _, i := range c.a.instances {
		if i.status == instanceNew && (c.chosen == nil || c.chosen[i.id]) || failed && i.kind == typeFailed {
			c.a.over(i, typeSkips, now)
			c.t.log(now, fmt.Sprintf("action %d %s on %s: skipped", c.a.id, c.a.name(), i.object))
		}
	}
	if c.a.left() > 0 {
		return nil
	}
	s.close(c.t, c.g, c.a, now)
	if failed {
		c.a.kind = typeSkips
	}
	return nil
}

// retry executes the failed instances of a failed action again.
func (s *Service) retry(c choice, now time.Time) *apiError {
	if !c.a.redo() {
		return fail("OperationDenied", "The action %d did not fail, or cannot be retried.", c.a.id)
	}
	if c.t.status == taskPaused && c.a.fault() {
		return fail("OperationDenied", "The task %d is paused.", c.t.id)
	}
	for _, i := range c.a.instances {
		if c.chosen[i.id] && i.kind != typeFailed {
			return fail("OperationDenied", "The instance %d did not fail.", i.id)
		}
	}
	s.begin(c.t, c.a, c.chosen, now)
	return nil
}

// redo is IsExecuteRedo.
func (a *action) redo() bool { return a.status == actionOver && a.kind == typeFailed }

// modifyStatus answers ModifyTaskRunStatus.
func (s *Service) modifyStatus(p *params, now time.Time) (obj, *apiError) {
	p.need("TaskId", "Status")
	t, err := s.wanted(p, "InvalidParameterValue")
	if err != nil {
		return nil, err
	}
	status := int(p.int("Status"))
	if status == taskEnded {
		p.need("IsExpect", "Summary")
	}
	expect, summary, issue, record := p.bool("IsExpect"), p.str("Summary"), p.str("Issue"), p.str("Record")
	if p.err != nil {
		return nil, p.err
	}
	live := t.status == taskRunning || t.status == taskPaused
	switch {
	case status == taskPaused && t.status == taskRunning:
		if !p.lie {
			t.log(now, "task is paused")
			s.pauseTask(t, now)
		}
	case status == taskRunning && t.status == taskPaused:
		t.log(now, "task is resumed")
		s.resume(t, now)
	case status == taskEnded && live:
		t.summary, t.issue, t.record, t.expect = summary, issue, record, 2
		if expect {
			t.expect = 1
		}
		s.end(t, now)
	case status < taskNew || status > taskEnded:
		return nil, fail("InvalidParameterValue", "The status %d is not supported.", status)
	default:
		return nil, fail("OperationDenied", "The task %d is in status %d and cannot go to %d.", t.id, t.status, status)
	}
	return obj{}, nil
}

// resume carries on; a group that a recovery has overtaken gets its next action back.
func (s *Service) resume(t *task, now time.Time) {
	t.status, t.updated, t.pauseFrom = taskRunning, now, now
	for _, g := range t.groups {
		var last *action
		for _, a := range g.actions {
			if a.status == actionOver && a.kind != typeFailed && a.fault() {
				last = a
			}
		}
		if last != nil {
			s.next(t, g, last, now)
		}
	}
}

// end is 1004: terminal. What executes is terminated; faults that were not recovered stay.
func (s *Service) end(t *task, now time.Time) {
	t.status, t.kind, t.ended, t.updated, t.rollback = taskEnded, typeGood, now, now, false
	for _, g := range t.groups {
		for _, a := range g.actions {
			switch {
			case a.status == actionExecuting:
				a.cut(now)
				t.kind = typeTerminated
			case a.status != actionOver:
				t.kind = typeTerminated
			}
		}
	}
	t.log(now, "task is ended")
}

// triggerPolicy answers TriggerPolicy: 0 triggers the guardrail, 1 says that the matter is over.
func (s *Service) triggerPolicy(p *params, now time.Time) (obj, *apiError) {
	p.need("TaskId", "Name", "Content", "TriggerType")
	t, err := s.wanted(p, "InvalidParameterValue")
	if err != nil {
		return nil, err
	}
	l := trigger{name: p.str("Name"), content: p.str("Content"), kind: int(p.int("TriggerType")), at: now}
	if p.err != nil {
		return nil, p.err
	}
	if t.policy == nil || t.status != taskRunning && t.status != taskPaused {
		return nil, fail("UnsupportedOperation", "The task %d has no guardrail, or does not run.", t.id)
	}
	if l.kind != 0 && l.kind != 1 {
		return nil, fail("InvalidParameterValue", "The trigger type %d is not supported.", l.kind)
	}
	answer := obj{"TaskId": t.id, "Success": true}
	if p.lie && l.kind == 0 {
		return answer, nil
	}
	t.triggers, t.updated = append(t.triggers, l), now
	if l.kind == 1 {
		t.policy.status = policyRecovered
		return answer, nil
	}
	t.policy.status = policyFired
	t.log(now, "guardrail is triggered: "+l.name)
	if t.status == taskRunning && !t.rollback {
		s.applyPolicy(t, now)
	}
	return answer, nil
}

// deleteTask answers DeleteTask; a task that runs cannot be deleted.
func (s *Service) deleteTask(p *params, _ time.Time) (obj, *apiError) {
	t, err := s.wanted(p, "FailedOperation")
	if err != nil {
		return nil, err
	}
	if t.status == taskRunning || t.status == taskPaused {
		return nil, fail("FailedOperation", "The task %d is in progress.", t.id)
	}
	t.deleted = true
	return obj{}, nil
}
