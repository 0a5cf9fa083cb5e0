package ahas

import (
	"encoding/json"
	"time"
)

// hostData is what an activity that worked reports of one host: JSON in a string.
func hostData(a *activityTask, h *hostTask) string {
	v := map[string]any{"code": 200, "success": true}
	switch a.phase {
	case phaseAttack, phaseRecover:
		v["result"] = h.expID
	case phaseCheck:
		v["result"] = map[string]any{"metric": a.activity.appCode, "passed": true}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// hostError is what an activity reports of a host that it did not work on.
func hostError(a *activityTask) string {
	if a.phase == phaseRecover {
		return "expected destroyed, but the real value is Running"
	}
	return a.activity.appCode + ": exec failed on the target, process not found"
}

// newTask makes a task of the experiment.
func (s *Service) newTask(e *experiment, now time.Time) *task {
	t := &task{id: s.newID(), exp: e, state: stateReady, created: now, cursor: now}
	for _, st := range e.order() {
		a := &activityTask{step: st, id: s.newID(), state: stateReady}
		for _, ip := range st.group.hosts {
			a.hosts = append(a.hosts, &hostTask{ip: ip, expID: s.env.ID(16), state: stateReady})
		}
		t.activities = append(t.activities, a)
	}
	return t
}
