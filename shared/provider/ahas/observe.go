package ahas

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// The vendor's words.
const (
	stateReady    = "READY"
	stateRunning  = "RUNNING"
	stateSuspend  = "SUSPEND"
	stateStopping = "STOPPING"
	stateFinished = "FINISHED"

	resultSuccess    = "SUCCESS"
	resultFailed     = "FAILED"
	resultRejected   = "REJECTED"
	resultError      = "ERROR"
	resultStopped    = "STOPPED"
	resultStopFailed = "SOPPED_FAILED" // sic

	phasePrepare = "PREPARE"
	phaseAttack  = "ATTACK"
	phaseCheck   = "CHECK"
	phaseRecover = "RECOVER"

	checkWaiting = "USER_CHECK_STATE_WAITING"
)

// hostsOf is what is known of an activity's hosts. read is false where the service was not asked or did not answer.
type hostsOf struct {
	hosts []hostItem
	read  bool
	err   error
}

// Observe reads the task, and the hosts of every activity that has begun. Hosts that cannot be read do not fail the
// observation: their step says so, and a recovery is then not called done.
func (d *Driver) Observe(ctx context.Context, run driver.Run) (driver.Observation, error) {
	t, err := d.getTask(ctx, run)
	if err != nil {
		return driver.Observation{}, err
	}
	hosts := d.hosts(ctx, run, t)
	if ctx.Err() != nil {
		return driver.Observation{}, fmt.Errorf("read hosts of ahas task %s: %w", run.ID, ctx.Err())
	}
	return observation(run, t, hosts), nil
}

// hosts reads the hosts of the activities, the last ones first, because the recoveries matter most. Once the service
// throttles or fails, the rest is left for the next reading.
func (d *Driver) hosts(ctx context.Context, run driver.Run, t taskReply) map[aliyun.Text]hostsOf {
	out := map[aliyun.Text]hostsOf{}
	var down error
	for _, a := range slices.Backward(t.Activities) {
		if !a.begun() || a.TaskID == "" {
			continue
		}
		if down != nil {
			out[a.TaskID] = hostsOf{err: down}
			continue
		}
		rep, err := d.getActivity(ctx, run, string(a.TaskID))
		out[a.TaskID] = hostsOf{hosts: rep.Hosts, read: err == nil, err: err}
		switch d.Code(err) {
		case driver.Throttled, driver.Unavailable, driver.Denied, driver.Expired:
			down = err
		}
	}
	return out
}

// begun reports whether the activity was ever started. A word that we do not know counts as begun.
func (a activityItem) begun() bool {
	switch {
	case a.RunResult == resultRejected:
		return false
	case a.State == stateReady:
		return a.StartTime > 0
	}
	return true
}

// injects reports whether the activity can put a fault in effect. A phase that we do not know might.
func (a activityItem) injects() bool {
	switch a.Phase {
	case phasePrepare, phaseCheck, phaseRecover:
		return false
	}
	return true
}

func (a activityItem) waits() bool { return a.CheckState == checkWaiting }

// observation maps a reading of the service to our words.
func observation(run driver.Run, t taskReply, hosts map[aliyun.Text]hostsOf) driver.Observation {
	o := driver.Observation{
		Run: run, Vendor: vendorState(t), StartedAt: aliyun.Millis(t.StartTime),
		Injected: slices.ContainsFunc(t.Activities, func(a activityItem) bool { return a.injects() && a.begun() }),
		Report:   driver.Report{State: "none"},
	}
	ended := t.State == stateFinished
	attack := ""
	for i, a := range t.Activities {
		s := step(i, a, ended, hosts[a.TaskID])
		if s.Kind == drill.FaultStep {
			attack = s.ID
		}
		if s.Kind == drill.RecoveryStep {
			s.Recovers = attack
		}
		o.Steps = append(o.Steps, s)
		if end := aliyun.Millis(a.EndTime); ended && end.After(o.EndedAt) {
			o.EndedAt = end
		}
		if !ended && a.waits() {
			o.Gates = append(o.Gates, gate(s))
		}
	}
	r := judge(t, hosts, o.Injected)
	o.Quiet, o.Restoration, o.Evidence = r.quiet, r.state, r.evidence
	o.Phase, o.Reason = phase(t, len(o.Gates) > 0, r)
	return o
}

func vendorState(t taskReply) string {
	if t.Result == "" || t.State != stateFinished {
		return string(t.State)
	}
	return string(t.State + "/" + t.Result)
}

// phase says where the run stands. A run whose stop failed is Unknown, not ended: the fault may be in effect, and only
// a person can tell.
func phase(t taskReply, waiting bool, r recovery) (drill.Phase, string) {
	switch t.State {
	case stateReady:
		return drill.PhasePending, ""
	case stateRunning:
		if waiting {
			return drill.PhaseWaiting, ""
		}
		return drill.PhaseRunning, ""
	case stateStopping:
		return drill.PhaseStopping, ""
	case stateSuspend:
		return drill.PhaseUnknown, "AHAS has suspended the run: see the console"
	case stateFinished:
		return finalPhase(t, r)
	}
	return drill.PhaseUnknown, fmt.Sprintf("AHAS sends a state that is not documented: %q", t.State)
}

func finalPhase(t taskReply, r recovery) (drill.Phase, string) {
	switch t.Result {
	case resultSuccess:
		if r.state == drill.RestoreFailed {
			return drill.PhaseFailed, "AHAS reports success, but " + r.why
		}
		return drill.PhaseCompleted, ""
	case resultStopped, resultRejected:
		return drill.PhaseStopped, r.why
	case resultFailed:
		return drill.PhaseFailed, because("AHAS reports that the run did not go as expected", r.why)
	case resultError:
		return drill.PhaseFailed, because("AHAS reports that the run broke off", r.why)
	case resultStopFailed:
		return drill.PhaseUnknown, because("AHAS could not stop the run: the fault may still be in effect", r.why)
	}
	return drill.PhaseUnknown, fmt.Sprintf("AHAS sends a result that is not documented: %q", t.Result)
}

func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// step is one activity in our words. Its id is the activity task's: that is what a gate and a move name.
func step(i int, a activityItem, ended bool, h hostsOf) driver.Step {
	s := driver.Step{
		ID: string(a.TaskID), Name: blank(a.ActivityName), Kind: kind(a.Phase), State: stepState(a, ended), Vendor: vendorStep(a),
		StartedAt: aliyun.Millis(a.StartTime), EndedAt: aliyun.Millis(a.EndTime),
	}
	if s.ID == "" {
		s.ID = fmt.Sprintf("activity-%d", i+1)
	}
	if s.Name == "" {
		s.Name = orElse(string(a.Phase), "activity")
	}
	if h.err != nil {
		s.Message = "its hosts could not be read"
	}
	for _, host := range h.hosts {
		s.Targets = append(s.Targets, target(a, host))
		if msg := blank(host.ErrorMessage); msg != "" && s.Message == "" {
			s.Message = cut(string(host.HostIP) + ": " + msg)
		}
	}
	return s
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func kind(phase aliyun.Text) drill.StepKind {
	switch phase {
	case phasePrepare:
		return drill.WaitStep
	case phaseCheck:
		return drill.CheckStep
	case phaseRecover:
		return drill.RecoveryStep
	}
	return drill.FaultStep
}

func vendorStep(a activityItem) string {
	var words []string
	for _, w := range []aliyun.Text{a.State, a.RunResult, a.CheckState} {
		if blank(w) != "" {
			words = append(words, blank(w))
		}
	}
	return orElse(strings.Join(words, "/"), "none")
}

func stepState(a activityItem, ended bool) drill.StepState {
	switch a.State {
	case stateReady:
		if ended && !a.begun() {
			return drill.StepSkipped
		}
		if ended {
			return resultState(a.RunResult)
		}
		return drill.StepPending
	case stateRunning:
		return drill.StepRunning
	case stateStopping:
		return drill.StepStopping
	case stateFinished:
		if a.waits() && !ended {
			return drill.StepReady
		}
		return resultState(a.RunResult)
	}
	return drill.StepUnknown
}

func resultState(result aliyun.Text) drill.StepState {
	switch result {
	case resultSuccess:
		return drill.StepDone
	case resultFailed, resultError, resultStopFailed:
		return drill.StepFailed
	case resultRejected:
		return drill.StepSkipped
	case resultStopped:
		return drill.StepCancelled
	}
	return drill.StepUnknown
}

// target is one host of an activity: its error, or what a check reports.
func target(a activityItem, h hostItem) drill.Target {
	t := drill.Target{ID: orElse(blank(h.HostIP), blank(h.ExpID)), Message: cut(blank(h.ErrorMessage))}
	switch h.State {
	case stateReady:
		t.State = drill.StepPending
	case stateRunning:
		t.State = drill.StepRunning
	case stateFinished:
		t.State = resultState(h.Result)
	default:
		t.State = drill.StepUnknown
	}
	if t.Message == "" && a.Phase == phaseCheck {
		t.Message = cut(blank(h.Data))
	}
	return t
}

// cut bounds a vendor's text: journal entries are small.
func cut(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// gate is where a person is asked. Continuing counts as a success of the step, whatever its own result was.
func gate(s driver.Step) driver.Gate {
	return driver.Gate{
		Step: s.ID, Name: s.Name, Kind: drill.ManualGate, OpenedAt: s.EndedAt,
		Choices: []driver.Choice{
			{Action: drill.Execute, Label: "continue: the step counts as passed"},
			{Action: drill.Cancel, Label: "end the run and recover"},
		},
	}
}
