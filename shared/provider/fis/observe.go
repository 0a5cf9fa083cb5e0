package fis

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Observe reads the experiment.
func (d *Driver) Observe(ctx context.Context, run driver.Run) (driver.Observation, error) {
	e, err := d.get(ctx, run.ID)
	if err != nil {
		return driver.Observation{}, err
	}
	return observation(run, e), nil
}

func (d *Driver) get(ctx context.Context, id string) (*types.Experiment, error) {
	return call(ctx, d, read, "get fis experiment "+id, func(ctx context.Context) (*types.Experiment, error) {
		out, err := d.fis.GetExperiment(ctx, &fis.GetExperimentInput{Id: aws.String(id)})
		if err != nil {
			return nil, err
		}
		if out.Experiment == nil {
			return nil, fmt.Errorf("the reply holds no experiment")
		}
		return out.Experiment, nil
	})
}

// observation maps an experiment to our words. It never fails: what it does not know becomes unknown.
func observation(run driver.Run, e *types.Experiment) driver.Observation {
	o := driver.Observation{
		Run: run, Phase: phaseOf(e.State), Vendor: "none", Restoration: drill.RestorePending,
		StartedAt: aws.ToTime(e.StartTime), EndedAt: aws.ToTime(e.EndTime), Report: reportOf(e),
	}
	if o.StartedAt.IsZero() {
		o.StartedAt = aws.ToTime(e.CreationTime)
	}
	if e.State != nil {
		o.Vendor, o.Reason = string(e.State.Status), reason(e.State)
		if o.Vendor == "" {
			o.Vendor = "none"
		}
		if haltedByCondition(e.State) {
			o.StoppedBy = "condition"
		}
	}
	o.Steps = steps(e)
	settle(&o, e)
	return o
}

// phaseOf maps the status of an experiment.
func phaseOf(s *types.ExperimentState) drill.Phase {
	if s == nil {
		return drill.PhaseUnknown
	}
	switch s.Status {
	case types.ExperimentStatusPending, types.ExperimentStatusInitiating:
		return drill.PhasePending
	case types.ExperimentStatusRunning:
		return drill.PhaseRunning
	case types.ExperimentStatusStopping:
		return drill.PhaseStopping
	case types.ExperimentStatusStopped, types.ExperimentStatusCancelled:
		return drill.PhaseStopped
	case types.ExperimentStatusCompleted:
		return drill.PhaseCompleted
	case types.ExperimentStatusFailed:
		return drill.PhaseFailed
	}
	return drill.PhaseUnknown
}

// stepStateOf maps the status of an action.
func stepStateOf(s *types.ExperimentActionState) drill.StepState {
	if s == nil {
		return drill.StepUnknown
	}
	switch s.Status {
	case types.ExperimentActionStatusPending:
		return drill.StepPending
	case types.ExperimentActionStatusInitiating, types.ExperimentActionStatusRunning:
		return drill.StepRunning
	case types.ExperimentActionStatusStopping:
		return drill.StepStopping
	case types.ExperimentActionStatusCompleted:
		return drill.StepDone
	case types.ExperimentActionStatusStopped, types.ExperimentActionStatusCancelled:
		return drill.StepCancelled
	case types.ExperimentActionStatusFailed:
		return drill.StepFailed
	case types.ExperimentActionStatusSkipped:
		return drill.StepSkipped
	}
	return drill.StepUnknown
}

func reason(s *types.ExperimentState) string {
	text := aws.ToString(s.Reason)
	if s.Error == nil {
		return text
	}
	parts := []string{text}
	for name, v := range map[string]*string{"code": s.Error.Code, "location": s.Error.Location, "account": s.Error.AccountId} {
		if aws.ToString(v) != "" {
			parts = append(parts, name+" "+aws.ToString(v))
		}
	}
	slices.Sort(parts[1:])
	return strings.TrimSpace(strings.Join(parts, "; "))
}

// haltedByCondition goes by the one reason that AWS writes when an alarm ends an experiment: there is no field for it.
func haltedByCondition(s *types.ExperimentState) bool {
	ending := s.Status == types.ExperimentStatusStopping || s.Status == types.ExperimentStatusStopped
	return ending && strings.Contains(strings.ToLower(aws.ToString(s.Reason)), "halted by stop condition")
}

// steps are the experiment's actions in the order in which they can run.
func steps(e *types.Experiment) []driver.Step {
	depth := depths(e.Actions)
	names := slices.SortedFunc(maps.Keys(e.Actions), func(a, b string) int {
		return cmp.Or(cmp.Compare(depth[a], depth[b]), compareTimes(e.Actions[a].StartTime, e.Actions[b].StartTime), cmp.Compare(a, b))
	})
	out := make([]driver.Step, 0, len(names))
	for _, name := range names {
		a := e.Actions[name]
		s := driver.Step{
			ID: name, Name: name, Kind: kindOf(a), State: stepStateOf(a.State), Vendor: "none", Targets: targets(a, e),
			StartedAt: aws.ToTime(a.StartTime), EndedAt: aws.ToTime(a.EndTime),
		}
		if a.State != nil {
			s.Vendor, s.Message = string(a.State.Status), aws.ToString(a.State.Reason)
		}
		out = append(out, s)
	}
	return out
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// depths counts, for each action, how many come before it one after the other. A circle, which FIS would not take,
// ends after as many rounds as there are actions.
func depths(actions map[string]types.ExperimentAction) map[string]int {
	depth := map[string]int{}
	for range actions {
		for name, a := range actions {
			for _, before := range a.StartAfter {
				if _, ok := actions[before]; ok && before != name {
					depth[name] = min(max(depth[name], depth[before]+1), len(actions))
				}
			}
		}
	}
	return depth
}

// kindOf tells waits and checks from faults: whatever is not known to be harmless is a fault.
func kindOf(a types.ExperimentAction) drill.StepKind {
	switch aws.ToString(a.ActionId) {
	case "aws:fis:wait":
		return drill.WaitStep
	case "aws:cloudwatch:assert-alarm-state":
		return drill.CheckStep
	}
	return drill.FaultStep
}

// targets names what an action acts on: the resources where the experiment lists them, else the target's own name.
func targets(a types.ExperimentAction, e *types.Experiment) []drill.Target {
	var out []drill.Target
	for _, key := range slices.Sorted(maps.Keys(a.Targets)) {
		name := a.Targets[key]
		t, ok := e.Targets[name]
		if !ok || len(t.ResourceArns) == 0 {
			about := strings.TrimSpace(aws.ToString(t.ResourceType) + " " + aws.ToString(t.SelectionMode))
			out = append(out, drill.Target{ID: name, Message: about})
			continue
		}
		for _, arn := range t.ResourceArns {
			out = append(out, drill.Target{ID: arn, Message: aws.ToString(t.ResourceType)})
		}
	}
	return out
}
