package oos

import (
	"context"
	"slices"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// gates says for whom a waiting execution waits. The vendor does not document the values of WaitingStatus, so the kind is
// told from the current task's action, its state and the mode.
func (d *Driver) gates(ctx context.Context, r reading) ([]driver.Gate, error) {
	var out []driver.Gate
	for _, a := range waitingAttempts(r) {
		if g, ok := gateOf(a, r.execution); ok {
			out = append(out, g)
		}
	}
	if len(out) > 0 || r.execution.Mode != modeDebug {
		return out, nil
	}
	g, err := d.debugGate(ctx, r)
	return append(out, g), err
}

// waitingAttempts are the tasks that the execution names as current, or else those whose own status is Waiting, or, where a
// failure holds it up, the last one that failed.
func waitingAttempts(r reading) []attempt {
	var out []attempt
	for _, c := range r.execution.CurrentTasks {
		if i := slices.IndexFunc(r.attempts, func(a attempt) bool { return a.task.TaskExecutionId == c.TaskExecutionId }); i >= 0 {
			out = append(out, r.attempts[i])
			continue
		}
		if c.TaskExecutionId != "" {
			out = append(out, attempt{task: taskExecution{TaskExecutionId: c.TaskExecutionId, TaskName: c.TaskName, TaskAction: c.TaskAction, Status: "Waiting"}, n: 1})
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, a := range r.attempts {
		if a.task.Status == "Waiting" {
			out = append(out, a)
		}
	}
	if last := len(r.attempts) - 1; len(out) == 0 && r.execution.Mode == modeFailure && last >= 0 && failedIn(r.attempts[last]) {
		out = append(out, r.attempts[last])
	}
	return out
}

func failedIn(a attempt) bool {
	return a.task.Status == "Failed" || slices.ContainsFunc(a.items, func(t taskExecution) bool { return t.Status == "Failed" })
}

func gateOf(a attempt, e execution) (driver.Gate, bool) {
	t := a.task
	step := string(t.name())
	g := driver.Gate{Step: step, Name: step, OpenedAt: aliyun.Time(string(t.StartDate))}
	action := string(t.TaskAction)
	switch {
	case action == "ACS::Approve", strings.HasPrefix(action, "ACS::Approve::"):
		g.Kind, g.Choices = drill.ApprovalGate, choices(drill.ApproveRun, drill.RejectRun)
	case action == "ACS::Pause":
		g.Kind, g.Choices = drill.ManualGate, choices(drill.Execute, drill.Cancel)
	case strings.HasSuffix(action, "Trigger"):
		return g, false
	case e.Mode == modeFailure && failedIn(a):
		g.Kind, g.Choices = drill.FailedGate, choices(drill.Retry, drill.Skip)
	case e.Mode == modeDebug:
		return g, false // between tasks: the debug gate
	case len(a.items) > 0 && (e.LoopMode == "FirstBatchPause" || e.LoopMode == "EveryBatchPause"):
		g.Kind, g.Choices = drill.PausedGate, choices(drill.ResumeRun, drill.Cancel)
	case e.SafetyCheck != checkSkip:
		g.Kind, g.Choices = drill.RiskGate, choices(drill.ApproveRun, drill.RejectRun)
	default:
		g.Kind, g.Choices = drill.ManualGate, choices(drill.Execute, drill.Cancel)
	}
	return g, true
}

func choices(actions ...drill.Action) []driver.Choice {
	var out []driver.Choice
	for _, a := range actions {
		out = append(out, driver.Choice{Action: a})
	}
	return out
}

// debugGate offers each task of the template, those that have not run first, and to complete the execution.
func (d *Driver) debugGate(ctx context.Context, r reading) (driver.Gate, error) {
	g := driver.Gate{Kind: drill.DebugGate, Name: "choose the next task", OpenedAt: aliyun.Time(string(r.execution.UpdateDate))}
	ran := map[string]bool{}
	for _, a := range r.attempts {
		ran[string(a.task.name())] = true
	}
	names, err := d.taskNames(ctx, string(r.execution.ExecutionId))
	if err != nil {
		return g, err
	}
	var fresh, again []driver.Choice
	for _, name := range names {
		c := driver.Choice{Action: drill.Execute, Step: name, Label: "run " + name}
		if ran[name] {
			c.Label = "run " + name + " again"
			again = append(again, c)
			continue
		}
		fresh = append(fresh, c)
	}
	g.Choices = append(fresh, driver.Choice{Action: drill.Complete, Label: "end the execution"})
	g.Choices = append(g.Choices, again...)
	return g, nil
}

// taskNames lists the tasks of the template that the execution runs. If the template may not be read or cannot be understood
// there are none, and a person can still complete the execution.
func (d *Driver) taskNames(ctx context.Context, id string) ([]string, error) {
	req := oos.CreateGetExecutionTemplateRequest()
	req.ExecutionId = id
	var out struct{ Content aliyun.Text }
	err := d.read(ctx, req, &out)
	switch d.Code(err) {
	case driver.OK:
	case driver.Denied, driver.NotFound, driver.Invalid:
		return nil, nil
	default:
		return nil, err
	}
	t, err := parseTemplate(string(out.Content))
	if err != nil {
		return nil, nil
	}
	var names []string
	for _, x := range t.Tasks {
		names = append(names, x.Name)
	}
	return names, nil
}
