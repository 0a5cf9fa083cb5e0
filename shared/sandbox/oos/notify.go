package oos

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

// notifyExecution carries a person's answer to an execution that waits for one.
func (s *Service) notifyExecution(q rpc.Request, now time.Time) (any, *rpc.Error) {
	e, refusal := s.named(q)
	if refusal != nil {
		return nil, refusal
	}
	kind := q.Get("NotifyType")
	answers := map[string]func(*execution, rpc.Request, time.Time) *rpc.Error{
		"Approve": s.approve, "Reject": s.reject, "ExecuteTask": s.executeTask, "CancelTask": s.cancelTask,
		"CompleteExecution": s.complete, "RetryTask": s.retryTask, "SkipTask": s.skipTask,
	}
	answer, known := answers[kind]
	switch {
	case kind == "":
		return nil, rpc.MissingParameter("NotifyType")
	case !known:
		return nil, invalid("NotifyType", "The specified parameter NotifyType is not valid.")
	case e.Status != waiting && (kind != "CancelTask" || e.final()):
		return nil, wrongTime(e, kind+" needs an execution that is waiting.")
	}
	if refusal := matches(e, q); refusal != nil {
		return nil, refusal
	}
	if e.current != nil && q.Get("NotifyNote") != "" {
		e.current.Note = q.Get("NotifyNote")
	}
	if refusal := answer(e, q, now); refusal != nil {
		return nil, refusal
	}
	e.Updated = now
	return map[string]any{}, nil
}

// matches checks that the task execution that the request names is the one that waits.
func matches(e *execution, q rpc.Request) *rpc.Error {
	var ids []string
	if v := q.Get("TaskExecutionIds"); v != "" && json.Unmarshal([]byte(v), &ids) != nil {
		return invalid("TaskExecutionIds", "The specified parameter TaskExecutionIds is not a JSON list.")
	}
	if id := q.Get("TaskExecutionId"); id != "" {
		ids = append(ids, id)
	}
	for _, id := range ids {
		if e.current == nil || (e.current.ID != id && !slices.ContainsFunc(e.children(e.current), func(c *taskRun) bool { return c.ID == id })) {
			return wrongTime(e, "the task execution "+id+" does not wait.")
		}
	}
	return nil
}

func answerable(e *execution) bool {
	return slices.Contains([]gate{approveGate, pauseGate, riskGate, batchGate}, e.Gate)
}

func (s *Service) approve(e *execution, _ rpc.Request, now time.Time) *rpc.Error {
	if !answerable(e) {
		return wrongTime(e, "nothing waits for an approval.")
	}
	t := e.current
	switch e.Gate {
	case riskGate:
		t.Confirmed = true
		s.enter(e, t, now)
	case batchGate:
		t.set(running, now)
		e.set(running, now)
		e.Gate = noGate
		s.beginBatch(e, t, now)
		e.due = now.Add(t.duration())
	default:
		e.approvals++
		if need, _ := strconv.Atoi(textOf(t.Props["MinRequiredApprovals"])); e.approvals < need {
			return nil
		}
		t.set(success, now)
		e.log(now, t, "Task %s was approved.", t.Name)
		e.set(running, now)
		e.Gate = noGate
		s.goOn(e, now)
	}
	return nil
}

func textOf(v any) string {
	if t := texts(v); len(t) > 0 {
		return t[0]
	}
	return ""
}

// reject ends the execution as Cancelled, as the vendor's page on ACS::Approve says.
func (s *Service) reject(e *execution, _ rpc.Request, now time.Time) *rpc.Error {
	if !answerable(e) {
		return wrongTime(e, "nothing waits for an approval.")
	}
	e.log(now, e.current, "Task %s was rejected.", e.current.Name)
	s.end(e, cancelled, "The task "+e.current.Name+" was rejected.", now)
	return nil
}

func (s *Service) executeTask(e *execution, q rpc.Request, now time.Time) *rpc.Error {
	name := q.Get("TaskName")
	switch {
	case name == "":
		return rpc.MissingParameter("TaskName")
	case e.Mode != debugMode || e.Gate != debugGate:
		return wrongTime(e, "ExecuteTask needs debug mode and no task under way.")
	}
	more, refusal := object(q, "Parameters")
	if refusal != nil {
		return refusal
	}
	for i, def := range e.Template.body.Tasks {
		if def.Name != name {
			continue
		}
		params := maps.Clone(e.Params)
		if params == nil {
			params = map[string]any{}
		}
		maps.Copy(params, more)
		e.Params, e.next = params, i
		s.begin(e, now)
		return nil
	}
	return invalid("TaskName", "The specified task "+name+" is not part of the template.")
}

func (s *Service) cancelTask(e *execution, _ rpc.Request, now time.Time) *rpc.Error {
	if e.Mode != debugMode || e.current == nil {
		return wrongTime(e, "CancelTask needs debug mode and a task under way.")
	}
	t := e.current
	s.kill(e)
	for _, c := range append(e.children(t), t) {
		if c.Ended.IsZero() {
			c.set(cancelled, now)
		}
	}
	s.wait(e, nil, debugGate, now)
	return nil
}

func (s *Service) complete(e *execution, q rpc.Request, now time.Time) *rpc.Error {
	if e.Mode != debugMode {
		return wrongTime(e, "CompleteExecution needs debug mode.")
	}
	status, refusal := oneOf(q, "ExecutionStatus", success, success, failed, cancelled)
	if refusal != nil {
		return refusal
	}
	s.end(e, status, "", now)
	return nil
}

func (s *Service) retryTask(e *execution, _ rpc.Request, now time.Time) *rpc.Error {
	if e.Gate != failedGate {
		return wrongTime(e, "RetryTask needs a failed task in mode FailurePause.")
	}
	s.enter(e, s.newTask(e, e.current.def, "", nil, now), now)
	return nil
}

func (s *Service) skipTask(e *execution, _ rpc.Request, now time.Time) *rpc.Error {
	if e.Gate != failedGate {
		return wrongTime(e, "SkipTask needs a failed task in mode FailurePause.")
	}
	e.current.set(skipped, now)
	e.set(running, now)
	s.goOn(e, now)
	return nil
}
