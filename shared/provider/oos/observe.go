package oos

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// Observe reads the execution, then its task executions, so that an execution that is read as ended has all its tasks.
func (d *Driver) Observe(ctx context.Context, run driver.Run) (driver.Observation, error) {
	o, _, err := d.see(ctx, run)
	if err != nil {
		return driver.Observation{}, fmt.Errorf("observe oos execution %s: %w", run.ID, err)
	}
	if o.Phase == drill.PhaseFailed || o.Phase == drill.PhaseStopped {
		o.Evidence = append(o.Evidence, d.logs(ctx, run.ID, 3)...)
	}
	return o, nil
}

// reading is what Advance needs besides the observation.
type reading struct {
	execution execution
	history   []attempt // every run of a task
	attempts  []attempt // the latest of each
}

func (d *Driver) see(ctx context.Context, run driver.Run) (driver.Observation, reading, error) {
	e, err := d.execution(ctx, run.ID)
	if err != nil {
		return driver.Observation{}, reading{}, err
	}
	list, err := d.tasks(ctx, run.ID)
	if err != nil {
		return driver.Observation{}, reading{}, err
	}
	history := runs(list)
	r := reading{execution: e, history: history, attempts: attempts(history)}
	o := driver.Observation{
		Run: run, Vendor: string(e.Status), Reason: reason(e), Steps: steps(r.attempts, run.Role), Outputs: outputs(e),
		StartedAt: aliyun.Time(string(e.StartDate)), EndedAt: aliyun.Time(string(e.EndDate)), Report: driver.Report{State: "none"},
	}
	if o.StartedAt.IsZero() {
		o.StartedAt = aliyun.Time(string(e.created()))
	}
	if o.Vendor == "" {
		o.Vendor = "none"
	}
	o.Phase = phase(e)
	if o.Phase == drill.PhaseWaiting {
		if o.Gates, err = d.gates(ctx, r); err != nil {
			return driver.Observation{}, reading{}, err
		}
		if len(o.Gates) == 0 { // a trigger waits, no person does
			o.Phase = drill.PhaseRunning
		}
	}
	o.Injected = slices.ContainsFunc(steps(r.history, run.Role), begun)
	judge(&o, r)
	return o, r, nil
}

func phase(e execution) drill.Phase {
	switch e.Status {
	case "Started", "Queued", "Pending":
		return drill.PhasePending
	case "Running":
		return drill.PhaseRunning
	case "Waiting":
		return drill.PhaseWaiting
	case "Cancelling":
		return drill.PhaseStopping
	case "Success":
		return drill.PhaseCompleted
	case "Failed":
		return drill.PhaseFailed
	case "Cancelled":
		return drill.PhaseStopped
	}
	return drill.PhaseUnknown
}

func reason(e execution) string {
	var parts []string
	for _, s := range []aliyun.Text{e.StatusMessage, e.StatusReason} {
		if s != "" && s != "{}" {
			parts = append(parts, string(s))
		}
	}
	return cut(strings.Join(parts, "; "), 500)
}

func outputs(e execution) string {
	if e.Outputs == "{}" {
		return ""
	}
	return cut(string(e.Outputs), 2000)
}

// begun tells whether a fault step may have done something. One that was cancelled before it started has not.
func begun(s driver.Step) bool {
	switch {
	case s.Kind != drill.FaultStep, s.State == drill.StepPending, s.State == drill.StepReady:
		return false
	case s.State == drill.StepCancelled:
		return !s.StartedAt.IsZero()
	}
	return true
}

// judge says what is known about the undoing of the faults, with the evidence for it.
func judge(o *driver.Observation, r reading) {
	e := r.execution
	o.Restoration = drill.RestorePending
	if !o.Phase.Final() {
		return
	}
	o.Quiet = true
	o.Evidence = append(o.Evidence, fmt.Sprintf("execution %s is %s since %s and runs no further task", e.ExecutionId, e.Status, orDash(string(e.EndDate))))
	switch {
	case o.Run.Role == drill.Recovery && o.Phase == drill.PhaseCompleted:
		o.Restoration = drill.RestoreDone
		o.Evidence = append(o.Evidence, fmt.Sprintf("recovery template %s %s ended with Success", e.TemplateName, e.TemplateVersion))
	case o.Run.Role == drill.Recovery:
		o.Restoration = drill.RestoreFailed
	case !o.Injected:
		o.Restoration = drill.RestoreNeedless
		o.Evidence = append(o.Evidence, "no task that injects a fault was begun")
	case o.Phase == drill.PhaseCompleted:
		o.Restoration = drill.RestoreUnproven
		by, all := mended(r.history)
		if all {
			o.Restoration = drill.RestoreDone
		}
		o.Evidence = append(o.Evidence, by...)
	default:
		o.Restoration = drill.RestoreUnproven
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
