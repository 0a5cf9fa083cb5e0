package oos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Advance answers a gate. It reads the execution first, because a notification has no token and could hit the next task.
func (d *Driver) Advance(ctx context.Context, run driver.Run, m driver.Move) error {
	_, r, err := d.see(ctx, run)
	if err != nil {
		return fmt.Errorf("read oos execution %s before %s: %w", run.ID, m.Action, err)
	}
	req, err := d.notification(ctx, r, m)
	if err != nil {
		return fmt.Errorf("%s in oos execution %s: %w", m.Action, run.ID, err)
	}
	kind := req.NotifyType
	err = d.write(ctx, req, nil)
	switch d.Code(err) {
	case driver.OK:
		return nil
	case driver.Invalid, driver.Unknown, driver.Conflict: // perhaps somebody was faster: the vendor has no code for it
		if _, now, again := d.see(ctx, run); again == nil {
			if _, gone := d.notification(ctx, now, m); errors.Is(gone, driver.ErrNotNow) {
				return fmt.Errorf("%s in oos execution %s: %w: %w", kind, run.ID, driver.ErrNotNow, err)
			}
		}
	}
	return fmt.Errorf("%s in oos execution %s: %w", kind, run.ID, err)
}

// notification makes the request that carries the move, or says why it does not fit what waits now.
func (d *Driver) notification(ctx context.Context, r reading, m driver.Move) (*oos.NotifyExecutionRequest, error) {
	req := oos.CreateNotifyExecutionRequest()
	req.ExecutionId, req.NotifyNote = string(r.execution.ExecutionId), cut(m.Note, 200)
	if m.Action == drill.Cancel && r.execution.Mode == modeDebug {
		return req, d.cancelTask(req, r, m)
	}
	if r.execution.Status != "Waiting" {
		return nil, fmt.Errorf("%w: the execution is %s and waits for nobody", driver.ErrNotNow, r.execution.Status)
	}
	open, err := d.gates(ctx, r)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(open, func(g driver.Gate) bool {
		return slices.ContainsFunc(g.Choices, func(c driver.Choice) bool { return c.Action == m.Action && fits(g, c, m) })
	})
	if at < 0 || (m.Step == "" && len(open) > 1) {
		return nil, fmt.Errorf("%w: no task waits for %s at step %q", driver.ErrNotNow, m.Action, m.Step)
	}
	g := open[at]
	if g.Kind == drill.DebugGate {
		return req, fillDebug(req, m)
	}
	req.NotifyType = notifyType(m.Action)
	return req, fillTask(req, r, g.Step, m)
}

// fits tells whether the move means this choice at this gate.
func fits(g driver.Gate, c driver.Choice, m driver.Move) bool {
	if c.Step != "" {
		return m.Step == c.Step
	}
	return m.Step == "" || m.Step == g.Step
}

func notifyType(a drill.Action) string {
	switch a {
	case drill.Retry:
		return "RetryTask"
	case drill.Skip:
		return "SkipTask"
	case drill.RejectRun, drill.Cancel:
		return "Reject"
	}
	return "Approve"
}

// fillTask names the task execution that waits, and those of the targets if the move is about some of them only.
func fillTask(req *oos.NotifyExecutionRequest, r reading, step string, m driver.Move) error {
	for _, a := range waitingAttempts(r) {
		if string(a.task.name()) != step {
			continue
		}
		if len(m.Targets) == 0 {
			req.TaskExecutionId = string(a.task.TaskExecutionId)
			return nil
		}
		var ids []string
		for _, t := range a.items {
			if slices.Contains(m.Targets, string(t.LoopItem)) {
				ids = append(ids, string(t.TaskExecutionId))
			}
		}
		if len(ids) != len(m.Targets) {
			return fmt.Errorf("%w: step %s has no such targets", driver.ErrInvalid, step)
		}
		text, err := json.Marshal(ids)
		req.TaskExecutionIds = string(text)
		return err
	}
	return fmt.Errorf("%w: step %s does not wait", driver.ErrNotNow, step)
}

// fillDebug makes the two answers of debug mode between tasks.
func fillDebug(req *oos.NotifyExecutionRequest, m driver.Move) error {
	if m.Action == drill.Complete {
		req.NotifyType, req.ExecutionStatus = "CompleteExecution", m.Result
		if m.Result == "" {
			req.ExecutionStatus = "Success"
		}
		if !slices.Contains([]string{"Success", "Failed", "Cancelled"}, req.ExecutionStatus) {
			return fmt.Errorf("%w: result %q is not Success, Failed or Cancelled", driver.ErrInvalid, m.Result)
		}
		return nil
	}
	req.NotifyType, req.TaskName = "ExecuteTask", m.Step
	if len(m.Parameters) == 0 {
		return nil
	}
	text, err := json.Marshal(m.Parameters)
	if err != nil {
		return fmt.Errorf("parameters: %w: %w", driver.ErrInvalid, err)
	}
	req.Parameters = string(text)
	return nil
}

// cancelTask ends the task that runs in debug mode; it needs no gate.
func (d *Driver) cancelTask(req *oos.NotifyExecutionRequest, r reading, m driver.Move) error {
	req.NotifyType = "CancelTask"
	for _, c := range r.execution.CurrentTasks {
		if m.Step == "" || m.Step == string(c.TaskName) {
			req.TaskExecutionId = string(c.TaskExecutionId)
			return nil
		}
	}
	return fmt.Errorf("%w: task %q does not run", driver.ErrNotNow, m.Step)
}
