package fis

import (
	"encoding/json"
	"fmt"
	"strings"
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
	switch id := aws.ToString(a.ActionId); {
	case id == "aws:ec2:stop-instances":
		return stayStopped(s, a)
	case id == "aws:ssm:send-command":
		return unprovenCommand(s, a)
	case !rollsBack(id):
		return fmt.Sprintf("action %s (%s) has no rollback that we know of: what undoes the fault is outside FIS", s.ID, id)
	}
	return ""
}

// rollsBack tells whether AWS documents that the action is in effect for its duration, and that FIS then ends it. What is new
// to us is not among them, nor is what FIS starts and others undo: restarts, failovers, terminations, killed processes, power
// cuts, custom resources of Kubernetes and automations. https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
func rollsBack(id string) bool {
	switch id {
	case "aws:arc:start-zonal-autoshift",
		"aws:directconnect:virtual-interface-disconnect",
		"aws:dsql:cluster-connection-failure",
		"aws:dynamodb:global-table-pause-replication",
		"aws:ebs:pause-volume-io", "aws:ebs:volume-io-latency",
		"aws:ec2:api-insufficient-instance-capacity-error", "aws:ec2:asg-insufficient-instance-capacity-error",
		"aws:ecs:task-cpu-stress", "aws:ecs:task-io-stress",
		"aws:ecs:task-network-blackhole-port", "aws:ecs:task-network-latency", "aws:ecs:task-network-packet-loss",
		"aws:eks:pod-cpu-stress", "aws:eks:pod-io-stress", "aws:eks:pod-memory-stress",
		"aws:eks:pod-network-blackhole-port", "aws:eks:pod-network-latency", "aws:eks:pod-network-packet-loss",
		"aws:fis:inject-api-internal-error", "aws:fis:inject-api-throttle-error", "aws:fis:inject-api-unavailable-error",
		"aws:kinesis:stream-expired-iterator-exception", "aws:kinesis:stream-provisioned-throughput-exception",
		"aws:lambda:invocation-add-delay", "aws:lambda:invocation-error", "aws:lambda:invocation-http-integration-response",
		"aws:network:disrupt-connectivity", "aws:network:disrupt-vpc-endpoint",
		"aws:network:route-table-disrupt-cross-region-connectivity", "aws:network:transit-gateway-disrupt-cross-region-connectivity",
		"aws:s3:bucket-pause-replication":
		return true
	}
	return false
}

// stayStopped says why stopped instances may not run again.
func stayStopped(s driver.Step, a types.ExperimentAction) string {
	switch {
	case a.Parameters["startInstancesAfterDuration"] == "":
		return fmt.Sprintf("action %s leaves its instances stopped: it has no startInstancesAfterDuration", s.ID)
	case strings.EqualFold(a.Parameters["completeIfInstancesTerminated"], "true"):
		return fmt.Sprintf("action %s ends well without its instances if they were terminated: it has completeIfInstancesTerminated", s.ID)
	}
	return ""
}

// unprovenCommand says why a command on instances may not be undone. AWS's own documents for FIS end by themselves after their
// DurationSeconds and undo what they did when they are cancelled; one that kills a process undoes nothing. FIS watches a
// document for the action's duration alone: https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html
func unprovenCommand(s driver.Step, a types.ExperimentAction) string {
	owner, name, _ := strings.Cut(a.Parameters["documentArn"], ":document/")
	part := strings.Split(owner, ":")
	if len(part) != 5 || part[4] != "" || !strings.HasPrefix(name, "AWSFIS-Run-") || name == "AWSFIS-Run-Kill-Process" {
		return fmt.Sprintf("action %s runs a document with no rollback that we know of (%s): what undoes the fault is outside FIS", s.ID, a.Parameters["documentArn"])
	}
	if s.State != drill.StepDone {
		return "" // FIS cancelled it
	}
	var parameters map[string]any
	_ = json.Unmarshal([]byte(a.Parameters["documentParameters"]), &parameters) // no duration then
	runs, err := time.ParseDuration(strings.Trim(fmt.Sprint(parameters["DurationSeconds"]), "[]") + "s")
	watched, err2 := time.ParseDuration(strings.ToLower(strings.TrimPrefix(a.Parameters["duration"], "PT")))
	if err != nil || err2 != nil || runs > watched {
		return fmt.Sprintf("action %s ended before its document did, or may have: DurationSeconds is longer than duration, or one of them cannot be read", s.ID)
	}
	return ""
}
