package cfg

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	logLines     = 1000
	logTailLines = 20
)

// Observe reads the task, and the end of its log where a step has failed.
func (d *Driver) Observe(ctx context.Context, run driver.Run) (driver.Observation, error) {
	id, err := taskID(run)
	if err != nil {
		return driver.Observation{}, err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	if err != nil {
		return driver.Observation{}, err
	}
	o := observation(run, reply)
	if slices.ContainsFunc(o.Steps, func(s drill.Step) bool { return s.State == drill.StepFailed }) {
		o.Outputs = d.logTail(ctx, id)
	}
	return o, nil
}

// logTail is the end of the task's log, for people who must decide about a failed step. A reading is not lost for want of it.
func (d *Driver) logTail(ctx context.Context, task int64) string {
	lines, err := d.api.DescribeTaskExecuteLogs(ctx, task, logLines, 0)
	if err != nil {
		return "the task's log could not be read: " + string(codeOf(err))
	}
	return strings.Join(lines[max(len(lines)-logTailLines, 0):], "\n")
}

// observation is a task in our words. It makes no calls and takes any reply.
func observation(run driver.Run, reply TaskReply) driver.Observation {
	t := reply.Task.sorted()
	o := driver.Observation{Run: run, Vendor: fmt.Sprintf("%d/%d", t.TaskStatus, t.TaskStatusType), StartedAt: at(t.TaskStartTime), Report: report(reply.ReportInfo)}
	for _, g := range t.TaskGroups {
		for n := range g.TaskGroupActions {
			o.Steps = append(o.Steps, g.step(n, t.TaskStatus == taskRunning && t.byHand(g)))
		}
	}
	f := t.faults()
	o.Injected = f.begun > 0
	o.Gates = t.gates()
	o.Phase = t.phase(o.Gates)
	o.Reason = t.reason(o.Phase)
	o.Quiet = len(f.live) == 0 && t.calm()
	o.Restoration, o.Evidence = t.restoration(f)
	if o.Phase.Final() {
		o.EndedAt = t.endedAt(o.Steps)
	}
	return o
}

// sorted puts groups and actions in their order.
func (t Task) sorted() Task {
	t.TaskGroups = slices.Clone(t.TaskGroups)
	slices.SortStableFunc(t.TaskGroups, func(a, b TaskGroup) int { return cmp.Compare(a.TaskGroupOrder, b.TaskGroupOrder) })
	for i := range t.TaskGroups {
		g := &t.TaskGroups[i]
		g.TaskGroupActions = slices.Clone(g.TaskGroupActions)
		slices.SortStableFunc(g.TaskGroupActions, func(a, b TaskGroupAction) int { return cmp.Compare(a.TaskGroupActionOrder, b.TaskGroupActionOrder) })
	}
	return t
}

// gates are what the task waits for. Executing, skipping and retrying are open only while the task is not paused.
func (t Task) gates() []driver.Gate {
	switch t.TaskStatus {
	case taskPaused:
		return []driver.Gate{{Kind: drill.PausedGate, Name: "the task is paused", Choices: []driver.Choice{{Action: drill.ResumeRun}}}}
	case taskRunning:
	default:
		return nil
	}
	if t.triggered() && t.recovering() {
		return nil
	}
	var gates []driver.Gate
	for _, g := range t.TaskGroups {
		for n, a := range g.TaskGroupActions {
			gate := driver.Gate{Step: a.TaskGroupActionId.String(), Name: a.name()}
			switch {
			case a.TaskGroupActionStatus == actionWaiting && t.byHand(g):
				gate.Kind = drill.ManualGate
				gate.Choices = []driver.Choice{{Action: drill.Execute}, {Action: drill.Skip}}
			case g.blocks(n):
				gate.Kind = drill.FailedGate
				gate.Choices = []driver.Choice{{Action: drill.Skip}}
				if a.IsExecuteRedo {
					gate.Choices = []driver.Choice{{Action: drill.Retry}, {Action: drill.Skip}}
				}
			default:
				continue
			}
			gates = append(gates, gate)
		}
	}
	return gates
}

// triggered tells whether the guardrail has been triggered and not recovered. The Chinese words are documented; what they
// are in English is not.
func (t Task) triggered() bool {
	if t.TaskPolicy == nil {
		return false
	}
	s := strings.ToLower(string(t.TaskPolicy.TaskPolicyStatus))
	return s == "已触发" || strings.Contains(s, "triggered") && !strings.Contains(s, "not ") && !strings.Contains(s, "un")
}

// recovering tells whether a recovery action is executing.
func (t Task) recovering() bool {
	return t.any(func(a TaskGroupAction) bool { return a.recovery() && a.TaskGroupActionStatus == actionExecuting })
}

func (t Task) any(is func(TaskGroupAction) bool) bool {
	return slices.ContainsFunc(t.TaskGroups, func(g TaskGroup) bool { return slices.ContainsFunc(g.TaskGroupActions, is) })
}

// through tells whether every action has ended. A task without actions is not.
func (t Task) through() bool {
	return t.any(TaskGroupAction.ended) && !t.any(func(a TaskGroupAction) bool { return !a.ended() })
}

func (t Task) phase(gates []driver.Gate) drill.Phase {
	switch t.TaskStatus {
	case taskNew:
		return drill.PhasePrepared
	case taskRunning:
		return t.runningPhase(gates)
	case taskPaused:
		return drill.PhaseWaiting
	case taskEnded:
		terminated := t.any(func(a TaskGroupAction) bool { return a.TaskGroupActionStatusType == typeTerminated })
		if !t.through() || terminated {
			return drill.PhaseStopped
		}
		return t.outcome()
	}
	return drill.PhaseUnknown
}

func (t Task) runningPhase(gates []driver.Gate) drill.Phase {
	switch {
	case t.triggered() && (t.recovering() || t.through()):
		return drill.PhaseStopping
	case len(gates) > 0:
		return drill.PhaseWaiting
	case t.through():
		return t.outcome()
	}
	return drill.PhaseRunning
}

// outcome of a task whose actions have all ended. One that leaves a fault in effect, because its recovery was skipped or
// failed, has failed.
func (t Task) outcome() drill.Phase {
	if len(t.faults().live) > 0 || t.any(func(a TaskGroupAction) bool {
		return a.ended() && a.TaskGroupActionStatusType != typeSuccess && a.TaskGroupActionStatusType != typeSkip
	}) {
		return drill.PhaseFailed
	}
	return drill.PhaseCompleted
}

func (t Task) reason(p drill.Phase) string {
	switch {
	case p == drill.PhaseUnknown:
		return fmt.Sprintf("the service reports a task status that we do not know: %d", t.TaskStatus)
	case p == drill.PhaseFailed:
		return t.failure()
	}
	return ""
}

// failure names the actions that failed and the faults that were left in effect.
func (t Task) failure() string {
	var names []string
	for _, g := range t.TaskGroups {
		for _, a := range g.TaskGroupActions {
			if a.ended() && a.TaskGroupActionStatusType != typeSuccess && a.TaskGroupActionStatusType != typeSkip {
				names = append(names, a.name())
			}
		}
	}
	var parts []string
	if len(names) > 0 {
		parts = append(parts, "failed: "+strings.Join(names, ", "))
	}
	if live := t.faults().live; len(live) > 0 {
		parts = append(parts, "not undone: "+strings.Join(live, ", "))
	}
	return strings.Join(parts, "; ")
}

// calm tells whether no fault can begin by itself.
func (t Task) calm() bool {
	known := !t.any(func(a TaskGroupAction) bool {
		return a.TaskGroupActionStatus < actionNew || a.TaskGroupActionStatus > actionEnded
	})
	switch t.TaskStatus {
	case taskNew, taskPaused, taskEnded:
		return known
	case taskRunning:
		return known && t.through()
	}
	return false
}

func (t Task) endedAt(steps []drill.Step) time.Time {
	last := at(t.TaskEndTime)
	if t.TaskStatus == taskEnded && !last.IsZero() {
		return last
	}
	last = at(t.TaskStartTime)
	for _, s := range steps {
		if s.EndedAt.After(last) {
			last = s.EndedAt
		}
	}
	return last
}

// faults sums the task's faults up.
type faults struct {
	begun    int
	live     []string // begun and not undone
	beyond   []string // live, and their recovery has ended without undoing them: nobody but a person can help
	evidence []string // undone by their recovery, or ended well where there is none
	unproven []string // evidence: ended otherwise, and there is no recovery
}

func (t Task) faults() faults {
	var f faults
	for _, g := range t.TaskGroups {
		for n, a := range g.TaskGroupActions {
			if a.recovery() || !a.begun() {
				continue
			}
			f.begun++
			r := g.undoneBy(n)
			live, unproven := a.left(r)
			switch {
			case len(live) > 0:
				f.live = append(f.live, a.on(live))
				if r != nil && r.ended() && (a.ended() || !r.good()) && !r.again() || t.TaskStatus == taskEnded {
					f.beyond = append(f.beyond, a.on(live))
				}
			case len(unproven) > 0:
				why := "ended without success and has no recovery"
				if a.TaskGroupActionRecoverId != 0 {
					why = "names a recovery that is not there"
				}
				f.unproven = append(f.unproven, fmt.Sprintf("action %s %s %s (%s): the service does not say whether it is undone", a.TaskGroupActionId, a.on(unproven), why, a.vendor()))
			case r != nil:
				f.evidence = append(f.evidence, fmt.Sprintf("action %s %s undid %s (%s)", r.TaskGroupActionId, r.name(), a.name(), r.vendor()))
			default:
				f.evidence = append(f.evidence, fmt.Sprintf("action %s %s ended by itself (%s)", a.TaskGroupActionId, a.name(), a.vendor()))
			}
		}
	}
	return f
}

// restoration says how far the undoing has come, and by what evidence.
func (t Task) restoration(f faults) (drill.Restoration, []string) {
	status := fmt.Sprintf("task %s is %d", t.TaskId, t.TaskStatus)
	switch {
	case !t.calm() && len(f.beyond) == 0:
		return drill.RestorePending, nil
	case f.begun == 0:
		return drill.RestoreNeedless, []string{status + ", no fault action has begun"}
	case len(f.beyond) > 0:
		return drill.RestoreFailed, []string{status + ", not undone: " + strings.Join(f.live, ", ")}
	case len(f.live) > 0:
		return drill.RestorePending, nil
	case len(f.unproven) > 0:
		return drill.RestoreUnproven, slices.Concat([]string{status}, f.unproven, f.evidence)
	}
	return drill.RestoreDone, slices.Concat([]string{status}, f.evidence)
}

// report is the service's own report. Only a person can export one, in the console.
func report(i *ReportInfo) driver.Report {
	switch {
	case i != nil && i.Stage == 1:
		return driver.Report{State: "pending"}
	case i != nil && i.Stage == 2 && !bool(i.Expired) && i.CosUrl != "":
		return driver.Report{State: "ready", URL: string(i.CosUrl)}
	}
	return driver.Report{State: "none"}
}

// Report reads the state of the task's own report.
func (d *Driver) Report(ctx context.Context, run driver.Run) (driver.Report, error) {
	o, err := d.Observe(ctx, run)
	return o.Report, err
}
