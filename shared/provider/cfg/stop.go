package cfg

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Stop makes the next move towards a paused and recovered task. It never ends the task (1004): that is the conclusion's.
//
// An executing task whose guardrail rolls back gets TriggerPolicy, unless the plan says on_stop: pause; any other is
// paused, and so is one that refuses the trigger. Once paused, each call executes the next pending recovery, or
// tries a failed one again where the service allows it; while one is executing there is nothing to do. A task that was
// never executed, has ended, or has nothing left to undo needs no move. A task that cannot be read gets the trigger and the
// pause all the same, and the error of the reading is returned: what has become of it is not known.
func (d *Driver) Stop(ctx context.Context, run driver.Run, s driver.Stop) error {
	id, err := taskID(run)
	if err != nil {
		return err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	switch {
	case unreadable(err):
		return errors.Join(err, d.haltUnread(ctx, id, s))
	case err != nil:
		return err
	}
	t := reply.Task.sorted()
	switch t.TaskStatus {
	case taskNew, taskEnded:
		return nil
	case taskPaused:
		return d.recoverNext(ctx, t)
	}
	if f := t.faults(); t.TaskStatus == taskRunning && t.through() && len(f.live) == 0 {
		return nil
	}
	return d.halt(ctx, t, s)
}

// halt triggers the guardrail or pauses. An unknown status is paused as well.
func (d *Driver) halt(ctx context.Context, t Task, s driver.Stop) error {
	id := int64(t.TaskId)
	if t.rollsBack() && s.Block["on_stop"] != onStopPause {
		if t.triggered() && t.recovering() {
			return nil
		}
		if !t.triggered() {
			done, err := d.trigger(ctx, id, s)
			if err == nil && done {
				return nil
			}
			if err != nil && !refused(codeOf(err)) {
				return err
			}
		}
	}
	return d.api.ModifyTaskRunStatus(ctx, RunStatus{TaskId: id, Status: taskPaused})
}

// haltUnread triggers the guardrail, which a task without one declines, and pauses whatever came of that: nothing new begins
// then, and a recovery that executes comes to its end.
func (d *Driver) haltUnread(ctx context.Context, id int64, s driver.Stop) error {
	var trigger error
	if s.Block["on_stop"] != onStopPause {
		if _, err := d.trigger(ctx, id, s); !refused(codeOf(err)) {
			trigger = err
		}
	}
	return errors.Join(trigger, d.api.ModifyTaskRunStatus(ctx, RunStatus{TaskId: id, Status: taskPaused}))
}

func (d *Driver) trigger(ctx context.Context, id int64, s driver.Stop) (bool, error) {
	return d.api.TriggerPolicy(ctx, id, cut("Firedrill: stop", 60), cut(stopContent(s), 200), 0)
}

// refused tells whether the service declined for good: nothing was done, and pausing is the way that is left.
func refused(c driver.Code) bool {
	return c == driver.NotNow || c == driver.Invalid || c == driver.NotFound || c == driver.Quota
}

func stopContent(s driver.Stop) string {
	text := "stop"
	if s.Reason != "" {
		text = s.Reason
	}
	if s.By != "" {
		text += " (by " + s.By + ")"
	}
	return text
}

func cut(text string, limit int) string {
	if r := []rune(text); len(r) > limit {
		return string(r[:limit])
	}
	return text
}

// rollsBack tells whether the task has a guardrail that runs the recoveries.
func (t Task) rollsBack() bool {
	if t.TaskPolicy != nil && t.TaskPolicy.TaskPolicyDealType != 0 {
		return t.TaskPolicy.TaskPolicyDealType == dealRollback
	}
	return t.PolicyDealType == dealRollback
}

// recoverNext executes the first pending recovery of a paused task; one at a time.
func (d *Driver) recoverNext(ctx context.Context, t Task) error {
	if t.recovering() {
		return nil
	}
	for _, g := range t.TaskGroups {
		pending := g.pending()
		if len(pending) == 0 {
			continue
		}
		kind := int64(ExecuteInstance)
		if pending[0].failed() {
			kind = RetryInstance
		}
		return d.api.ExecuteTaskInstance(ctx, call(t, g, pending[0], kind, nil))
	}
	return nil
}

// pending lists the recoveries of the group, in order, that are still to succeed and can be executed.
func (g TaskGroup) pending() []TaskGroupAction {
	wanted := map[Num]bool{}
	for n, a := range g.TaskGroupActions {
		r := g.undoneBy(n)
		if a.recovery() || !a.begun() || r == nil || r.ended() && !r.again() {
			continue
		}
		if live, _ := a.left(r); len(live) > 0 {
			wanted[r.TaskGroupActionId] = true
		}
	}
	var out []TaskGroupAction
	for _, a := range g.TaskGroupActions {
		if wanted[a.TaskGroupActionId] {
			out = append(out, a)
		}
	}
	return out
}

// call is the request for an action on the chosen instances; none chosen means all.
func call(t Task, g TaskGroup, a TaskGroupAction, kind int64, chosen []int64) InstanceCall {
	in := InstanceCall{TaskId: int64(t.TaskId), TaskGroupId: int64(g.TaskGroupId), TaskActionId: int64(a.TaskGroupActionId), ActionType: kind, TaskInstanceIds: chosen}
	if len(chosen) == 0 {
		in.IsOperateAll = true
		for _, i := range a.TaskGroupInstances {
			in.TaskInstanceIds = append(in.TaskInstanceIds, int64(i.TaskGroupInstanceId))
		}
	}
	return in
}

// Conclude ends the task with its conclusion (1004), which is final. A task that has ended already, or that was never
// executed and has no record to keep, is left as it is. While a fault can still be undone the conclusion is refused
// with NotNow, because ending a task is not documented to run its recoveries.
func (d *Driver) Conclude(ctx context.Context, run driver.Run, c driver.Conclusion) error {
	id, err := taskID(run)
	if err != nil {
		return err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	if err != nil {
		return err
	}
	t := reply.Task.sorted()
	if t.TaskStatus == taskEnded || t.TaskStatus == taskNew {
		return nil
	}
	if f := t.faults(); len(f.live) > len(f.beyond) {
		return fmt.Errorf("%w: conclude cfg task %d: still in effect: %s; stop the run first", driver.ErrNotNow, id, strings.Join(f.live, ", "))
	}
	summary := c.Summary
	if strings.TrimSpace(summary) == "" {
		summary = "verdict: " + c.Verdict
	}
	record := c.Record
	if c.Link != "" {
		record = strings.TrimSpace(record + "\n" + c.Link)
	}
	err = d.api.ModifyTaskRunStatus(ctx, RunStatus{TaskId: id, Status: taskEnded, IsExpect: &c.Expected, Summary: summary, Issue: c.Issue, Record: record})
	if codeOf(err) != driver.NotNow {
		return err
	}
	reply, seen := d.api.DescribeTask(ctx, id)
	if seen == nil && reply.Task.TaskStatus == taskEnded {
		return nil // another instance concluded it between our look and our call
	}
	return err
}
