package ahas

import (
	"context"
	"fmt"

	api "github.com/aliyun/alibaba-cloud-sdk-go/services/ahas-openapi"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// Advance answers a gate. Execute and approve continue the run, cancel ends it; there is nothing else in AHAS.
//
// The push names no activity: it is sent only if a fresh reading shows that exactly the move's step waits. When its
// outcome is unclear the error is Uncertain, and the caller must read the run again, twice and some seconds apart,
// before it decides whether to push once more: a second push would confirm the next step unseen.
func (d *Driver) Advance(ctx context.Context, run driver.Run, m driver.Move) error {
	switch m.Action {
	case drill.Execute, drill.ApproveRun, drill.Cancel:
	default:
		return fmt.Errorf("%s a step of ahas task %s: %w: AHAS can only continue a waiting step (execute) or end the run (cancel)", m.Action, run.ID, driver.ErrUnsupported)
	}
	if m.Step == "" {
		return fmt.Errorf("advance ahas task %s: the move names no step: %w", run.ID, driver.ErrInvalid)
	}
	t, err := d.getTask(ctx, run)
	if err != nil {
		return err
	}
	if err := onlyWaits(t, m.Step); err != nil {
		return fmt.Errorf("advance ahas task %s: %w", run.ID, err)
	}
	if m.Action == drill.Cancel {
		return d.finish(ctx, run, "")
	}
	return d.push(ctx, run)
}

// onlyWaits refuses unless exactly this activity waits in a running task.
func onlyWaits(t taskReply, step string) error {
	if t.State != stateRunning {
		return fmt.Errorf("the task is %s: %w", vendorState(t), driver.ErrNotNow)
	}
	found, others := false, 0
	for _, a := range t.Activities {
		switch {
		case !a.waits():
		case string(a.TaskID) == step:
			found = true
		default:
			others++
		}
	}
	switch {
	case !found:
		return fmt.Errorf("step %s does not wait: %w", step, driver.ErrNotNow)
	case others > 0:
		return fmt.Errorf("%d other steps wait too and a push cannot say which it means, use the console: %w", others, driver.ErrNotNow)
	}
	return nil
}

func (d *Driver) push(ctx context.Context, run driver.Run) error {
	req := api.CreatePushExperimentTaskRequest()
	d.home(req.GetQueryParams())
	req.ExperimentTaskId, req.AhasRegionId = run.ID, d.region(run.Region)
	var rep envelope
	if err := d.client.Do(ctx, aliyun.Write, req, &rep); err != nil {
		return fmt.Errorf("push ahas task %s: %w", run.ID, err)
	}
	if err := rep.succeeded(req.GetActionName(), aliyun.Write); err != nil {
		return fmt.Errorf("push ahas task %s: %w", run.ID, err)
	}
	return nil
}

// Stop ends the task; the service then runs its RECOVER activities, and only Observe can tell how that went. It returns
// nil if the task is being stopped or has ended.
func (d *Driver) Stop(ctx context.Context, run driver.Run, s driver.Stop) error {
	namespace, _ := s.Block["namespace"].(string)
	return d.finish(ctx, run, namespace)
}

func (d *Driver) finish(ctx context.Context, run driver.Run, namespace string) error {
	if run.ID == "" {
		return fmt.Errorf("finish ahas task: the run has no id: %w", driver.ErrInvalid)
	}
	req := api.CreateFinishExperimentTaskRequest()
	d.home(req.GetQueryParams())
	req.ExperimentTaskId, req.NameSpace, req.AhasRegionId = run.ID, namespace, d.region(run.Region)
	var rep envelope
	err := d.client.Do(ctx, aliyun.Write, req, &rep)
	if err == nil {
		err = rep.succeeded(req.GetActionName(), aliyun.Write)
	}
	if err == nil || hasCode(err, taskFinished, taskFinishedNumber, taskStopping, taskStoppingNumber) {
		return nil
	}
	return fmt.Errorf("finish ahas task %s: %w", run.ID, err)
}
