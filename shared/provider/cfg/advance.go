package cfg

import (
	"context"
	"fmt"
	"slices"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// kinds are the ActionTypes of the moves that a gate may offer.
var kinds = map[drill.Action]int64{drill.Execute: ExecuteInstance, drill.Skip: SkipInstance, drill.Retry: RetryInstance}

// Advance answers a gate: it executes, skips or retries an action on all its instances, or on those that the move names
// by resource id. It reads the task first and refuses with NotNow unless exactly that action waits for that move.
func (d *Driver) Advance(ctx context.Context, run driver.Run, m driver.Move) error {
	switch m.Action {
	case drill.PauseRun:
		return d.Pause(ctx, run)
	case drill.ResumeRun:
		return d.Resume(ctx, run)
	}
	kind, ok := kinds[m.Action]
	if !ok {
		return fmt.Errorf("%w: cfg cannot %s a step: use execute, skip or retry", driver.ErrUnsupported, m.Action)
	}
	id, err := taskID(run)
	if err != nil {
		return err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	if err != nil {
		return err
	}
	t := reply.Task.sorted()
	if !offers(t.gates(), m) {
		return fmt.Errorf("%w: step %s of cfg task %d does not wait to be moved by %s (task status %d)", driver.ErrNotNow, m.Step, id, m.Action, t.TaskStatus)
	}
	g, a := t.action(m.Step)
	chosen, err := a.choose(m.Targets)
	if err != nil {
		return err
	}
	return d.api.ExecuteTaskInstance(ctx, call(t, g, a, kind, chosen))
}

func offers(gates []driver.Gate, m driver.Move) bool {
	return slices.ContainsFunc(gates, func(g driver.Gate) bool {
		return g.Step == m.Step && slices.ContainsFunc(g.Choices, func(c driver.Choice) bool { return c.Action == m.Action })
	})
}

func (t Task) action(step string) (TaskGroup, TaskGroupAction) {
	for _, g := range t.TaskGroups {
		for _, a := range g.TaskGroupActions {
			if a.TaskGroupActionId.String() == step {
				return g, a
			}
		}
	}
	return TaskGroup{}, TaskGroupAction{}
}

// choose turns resource ids into the ids of this action's instances.
func (a TaskGroupAction) choose(targets []string) ([]int64, error) {
	var out []int64
	for _, target := range targets {
		i := slices.IndexFunc(a.TaskGroupInstances, func(i TaskGroupInstance) bool { return string(i.TaskGroupInstanceObjectId) == target })
		if i < 0 {
			return nil, fmt.Errorf("%w: step %s has no target %s", driver.ErrInvalid, a.name(), target)
		}
		out = append(out, int64(a.TaskGroupInstances[i].TaskGroupInstanceId))
	}
	return out, nil
}

// Pause pauses an executing task (1003). What is executing comes to its end.
func (d *Driver) Pause(ctx context.Context, run driver.Run) error {
	return d.turn(ctx, run, taskRunning, taskPaused)
}

// Resume lets a paused task go on (1002).
func (d *Driver) Resume(ctx context.Context, run driver.Run) error {
	return d.turn(ctx, run, taskPaused, taskRunning)
}

// turn brings a task from one status to another, unless it is there already.
func (d *Driver) turn(ctx context.Context, run driver.Run, from, to int64) error {
	id, err := taskID(run)
	if err != nil {
		return err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	if err != nil {
		return err
	}
	switch int64(reply.Task.TaskStatus) {
	case to:
		return nil
	case from:
		return d.api.ModifyTaskRunStatus(ctx, RunStatus{TaskId: id, Status: to})
	}
	return fmt.Errorf("%w: cfg task %d is in status %d", driver.ErrNotNow, id, reply.Task.TaskStatus)
}
