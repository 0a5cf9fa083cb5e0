package fis

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// settle says whether anything was injected, whether the faults are gone, and what proves it. FIS completes the
// actions' rollbacks before an experiment becomes stopped, so only an ended experiment is quiet.
func settle(o *driver.Observation, e *types.Experiment) {
	skipped := e.ExperimentOptions != nil && e.ExperimentOptions.ActionsMode == types.ActionsModeSkipAll
	busy, open := "", []string{}
	for _, s := range o.Steps {
		if s.State == drill.StepRunning || s.State == drill.StepStopping || s.State == drill.StepUnknown {
			busy = s.ID
		}
		if s.Kind != drill.FaultStep || skipped || !begun(s) {
			continue
		}
		o.Injected = true
		if why := unproven(s, e.Actions[s.ID]); why != "" {
			open = append(open, why)
		}
	}
	if !o.Phase.Final() || busy != "" {
		return
	}
	o.Quiet = true
	ended := "experiment " + o.Run.ID + " is " + o.Vendor
	if !o.EndedAt.IsZero() {
		ended += " since " + o.EndedAt.UTC().Format(time.RFC3339)
	}
	o.Evidence = append(o.Evidence, ended+", and no action of it is running or stopping")
	switch {
	case !o.Injected:
		o.Restoration = drill.RestoreNeedless
		o.Evidence = append(o.Evidence, "no fault action ever started")
	case len(open) > 0:
		o.Restoration = drill.RestoreUnproven
		o.Evidence = append(o.Evidence, open...)
	default:
		o.Restoration = drill.RestoreDone
		for _, s := range o.Steps {
			if s.Kind == drill.FaultStep && begun(s) {
				o.Evidence = append(o.Evidence, fmt.Sprintf("action %s is %s: FIS ends an action after its rollback", s.ID, s.Vendor))
			}
		}
	}
}

// begun tells whether an action may have injected something. In doubt it has.
func begun(s driver.Step) bool {
	switch s.State {
	case drill.StepPending, drill.StepSkipped:
		return false
	case drill.StepRunning, drill.StepStopping, drill.StepDone, drill.StepUnknown:
		return true
	}
	return s.Vendor != string(types.ExperimentActionStatusCancelled) || !s.StartedAt.IsZero()
}

// unproven says why the end of a fault action does not show that its fault was undone; "" if it does.
func unproven(s driver.Step, a types.ExperimentAction) string {
	if s.State == drill.StepFailed {
		return fmt.Sprintf("action %s failed after it began: FIS does not say whether its rollback was done", s.ID)
	}
	switch id := aws.ToString(a.ActionId); id {
	case "aws:ec2:stop-instances":
		if a.Parameters["startInstancesAfterDuration"] == "" {
			return fmt.Sprintf("action %s leaves its instances stopped: it has no startInstancesAfterDuration", s.ID)
		}
	case "aws:ec2:terminate-instances", "aws:ec2:reboot-instances", "aws:ec2:send-spot-instance-interruptions",
		"aws:eks:terminate-nodegroup-instances", "aws:eks:pod-delete", "aws:ecs:stop-task", "aws:ecs:drain-container-instances",
		"aws:rds:failover-db-cluster", "aws:rds:reboot-db-instances":
		return fmt.Sprintf("action %s (%s) has no rollback: what replaces the resource is outside FIS", s.ID, id)
	}
	return ""
}
