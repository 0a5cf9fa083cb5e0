package ahas

import (
	"slices"
	"time"
)

// The states of tasks and activities, and their results.
const (
	stateReady    = "READY"
	stateRunning  = "RUNNING"
	stateStopping = "STOPPING"
	stateFinished = "FINISHED"

	resultSuccess    = "SUCCESS"
	resultFailed     = "FAILED"
	resultRejected   = "REJECTED"
	resultStopped    = "STOPPED"
	resultStopFailed = "SOPPED_FAILED" // sic

	checkWaiting = "USER_CHECK_STATE_WAITING"
	checkPassed  = "USER_CHECK_STATE_PASSED"
	checkFailed  = "USER_CHECK_STATE_FAILED"
)

// dispatch is how long a task is READY before its first activity.
const dispatch = time.Second

// task is one run of an experiment.
type task struct {
	id              string
	exp             *experiment // with the run's overrides
	state, result   string
	message         string
	created, ended  time.Time
	cursor          time.Time // when the last thing happened: what follows at once follows then
	activities      []*activityTask
	stopped, failed bool
}

// activityTask is one activity of a task.
type activityTask struct {
	step
	id                   string
	state, result, check string
	started, ended       time.Time
	hosts                []*hostTask
}

// hostTask is an activity on one host.
type hostTask struct {
	ip, expID      string
	state, result  string
	data, message  string
	started, ended time.Time
	inEffect       bool
}

// over reports whether the task goes on past the activity.
func (a *activityTask) over() bool { return a.state == stateFinished && a.check != checkWaiting }

// play does everything that was due by now.
func (t *task) play(now time.Time) {
	for t.state != stateFinished {
		at, do := t.next()
		if do == nil || at.After(now) {
			return
		}
		t.cursor = at
		do()
	}
}

// next says what happens next, and when; do is nil while the task waits for a person.
func (t *task) next() (at time.Time, do func()) {
	at, do = t.due()
	limit := t.created.Add(t.exp.duration)
	if t.state != stateStopping && t.exp.duration > 0 && (do == nil || limit.Before(at)) {
		return limit, func() { t.stop("演练超过自动恢复时间") }
	}
	return at, do
}

func (t *task) due() (time.Time, func()) {
	if t.state == stateReady {
		return t.created.Add(dispatch), func() { t.state = stateRunning }
	}
	a := t.current()
	switch {
	case a == nil:
		return t.cursor, t.end
	case a.state == stateReady:
		return t.cursor, func() { a.begin(t.cursor) }
	case a.state == stateRunning:
		return a.started.Add(a.activity.takes), func() { t.endActivity(a) }
	}
	return time.Time{}, nil // waits for a person
}

// current is the first activity that is not over.
func (t *task) current() *activityTask {
	for _, a := range t.activities {
		if !a.over() {
			return a
		}
	}
	return nil
}

func (a *activityTask) begin(at time.Time) {
	a.state, a.started = stateRunning, at
	for _, h := range a.hosts {
		h.state, h.started = stateRunning, at
		h.inEffect = a.phase == phaseAttack && !slices.Contains(a.activity.fails, h.ip)
	}
}

func (t *task) endActivity(a *activityTask) {
	a.finish(resultSuccess, t.cursor)
	for _, h := range a.hosts {
		if slices.Contains(a.activity.fails, h.ip) {
			h.result, h.message, a.result = resultFailed, hostError(a), resultFailed
			continue
		}
		h.data = hostData(a, h)
		if a.phase == phaseRecover {
			t.restore(a.flow, h.ip)
		}
	}
	if a.activity.userCheck && t.state != stateStopping {
		a.check = checkWaiting
		return
	}
	if a.result == resultFailed {
		t.fail(a)
	}
}

// fail ends a task whose activity did not work: what is left is skipped, RECOVER is run.
func (t *task) fail(a *activityTask) {
	t.failed = true
	if t.message == "" {
		t.message = a.activity.name + "执行失败"
	}
	t.skip()
}

func (a *activityTask) finish(result string, at time.Time) {
	a.state, a.result, a.ended = stateFinished, result, at
	for _, h := range a.hosts {
		h.state, h.result, h.ended = stateFinished, result, at
	}
}

// restore takes a flow's attack off one host.
func (t *task) restore(flow int, ip string) {
	for _, a := range t.activities {
		if a.flow != flow || a.phase != phaseAttack {
			continue
		}
		for _, h := range a.hosts {
			if h.ip == ip {
				h.inEffect = false
			}
		}
	}
}

// skip rejects every activity that was not begun, save those that recover.
func (t *task) skip() {
	for _, a := range t.activities {
		if a.state == stateReady && a.phase != phaseRecover {
			a.state, a.result = stateFinished, resultRejected
			for _, h := range a.hosts {
				h.state, h.result = stateFinished, resultRejected
			}
		}
	}
}

// stop kills what runs, answers what waits with no, skips what is left; the RECOVER activities follow.
func (t *task) stop(why string) {
	t.state, t.stopped, t.message = stateStopping, true, why
	for _, a := range t.activities {
		switch {
		case a.state == stateRunning && a.phase == phaseRecover: // goes on
		case a.state == stateRunning:
			a.finish(resultStopped, t.cursor)
		case a.check == checkWaiting:
			a.check = checkFailed
		}
	}
	t.skip()
}

// push answers the activity that waits with yes: it counts as a success whatever its own result was.
func (t *task) push(at time.Time) bool {
	a := t.current()
	if t.state != stateRunning || a == nil || a.check != checkWaiting {
		return false
	}
	a.check, a.result, t.cursor = checkPassed, resultSuccess, at
	return true
}

func (t *task) end() {
	t.state, t.ended = stateFinished, t.cursor
	bad := slices.ContainsFunc(t.activities, func(a *activityTask) bool { return a.phase == phaseRecover && a.result == resultFailed })
	switch {
	case t.stopped && bad:
		t.result = resultStopFailed
	case t.stopped:
		t.result = resultStopped
	case t.failed || bad:
		t.result = resultFailed
	default:
		t.result = resultSuccess
	}
}

// live names the attacks that are in effect.
func (t *task) live() []string {
	var out []string
	for _, a := range t.activities {
		if slices.ContainsFunc(a.hosts, func(h *hostTask) bool { return h.inEffect }) {
			out = append(out, a.activity.appCode)
		}
	}
	return out
}

// phase is the phase of the current activity, "" once the task has ended.
func (t *task) phase() string {
	if a := t.current(); a != nil && t.state != stateFinished {
		return a.phase
	}
	return ""
}
