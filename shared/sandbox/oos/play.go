package oos

import (
	"fmt"
	"time"
)

// play moves every execution on to now, in the order in which things happen, so that what one execution does to a
// node is seen by another at the right moment.
func (s *Service) play(now time.Time) {
	for {
		var first *execution
		for _, e := range s.active {
			if e.due.IsZero() || e.due.After(now) {
				continue
			}
			if first == nil || e.due.Before(first.due) || (e.due.Equal(first.due) && e.order < first.order) {
				first = e
			}
		}
		if first == nil {
			return
		}
		s.step(first, first.due)
	}
}

// step plays the one thing that is due.
func (s *Service) step(e *execution, at time.Time) {
	e.due = time.Time{}
	switch {
	case e.Status == started && e.Mode == debugMode:
		s.wait(e, nil, debugGate, at)
	case e.Status == started:
		s.begin(e, at)
	case e.current != nil:
		s.finishTask(e, e.current, at)
	}
}

// begin starts the next task, or ends the execution if there is none.
func (s *Service) begin(e *execution, at time.Time) {
	if e.next >= len(e.Template.body.Tasks) {
		s.end(e, success, "", at)
		return
	}
	t := s.newTask(e, e.Template.body.Tasks[e.next], "", nil, at)
	e.next++
	s.enter(e, t, at)
}

func (s *Service) newTask(e *execution, def task, item string, parent *taskRun, at time.Time) *taskRun {
	props, _ := fill(def.Properties, e.Params, item).(map[string]any)
	t := &taskRun{
		Name: def.Name, Action: def.Action, Props: props, def: def, LoopItem: item,
		Status: "Pending", Created: at, Updated: at, Attempt: 1,
	}
	if parent != nil {
		t.Parent = parent.ID
	}
	for _, o := range e.Tasks {
		if o.Name == def.Name && o.Parent == "" && parent == nil {
			t.Attempt++
		}
	}
	t.ID = fmt.Sprintf("task-exec-%s#%d", s.env.ID(20), t.Attempt)
	e.Tasks = append(e.Tasks, t)
	return t
}

// enter begins a task, or waits for a person before it.
func (s *Service) enter(e *execution, t *taskRun, at time.Time) {
	e.current, e.approvals = t, 0
	switch {
	case t.Action == "ACS::Approve":
		t.Started = at
		s.wait(e, t, approveGate, at)
	case t.Action == "ACS::Pause":
		t.Started = at
		s.wait(e, t, pauseGate, at)
	case e.Safety == confirmRisky && t.def.risky() && !t.Confirmed:
		s.wait(e, t, riskGate, at)
	default:
		t.Started = at
		t.set(running, at)
		e.set(running, at)
		e.Gate = noGate
		e.log(at, t, "Task %s is running.", t.Name)
		if t.def.Loop == nil {
			s.inject(e, t, at)
		} else {
			s.beginBatch(e, t, at)
		}
		e.due = at.Add(t.duration())
	}
}

// wait leaves the execution to a person. t is nil between two tasks.
func (s *Service) wait(e *execution, t *taskRun, g gate, at time.Time) {
	e.current, e.Gate, e.due = t, g, time.Time{}
	e.set(waiting, at)
	if t != nil && g != failedGate {
		t.set(waiting, at)
	}
	name := "the next task"
	if t != nil {
		name = "task " + t.Name
	}
	e.log(at, t, "Waiting for a person at %s (%s).", name, g)
}

// beginBatch starts the next batch of a loop.
func (s *Service) beginBatch(e *execution, t *taskRun, at time.Time) {
	size := max(t.def.Loop.RateControl.Concurrency, 1)
	from := t.batches * size
	for _, item := range t.def.Loop.Items[min(from, len(t.def.Loop.Items)):min(from+size, len(t.def.Loop.Items))] {
		c := s.newTask(e, t.def, fmt.Sprint(item), t, at)
		c.Batch, c.Started = t.batches+1, at
		c.set(running, at)
		s.inject(e, c, at)
	}
	t.batches++
}

// finishTask ends the current task, or the current batch of its loop.
func (s *Service) finishTask(e *execution, t *taskRun, at time.Time) {
	message, good := "", true
	for _, c := range append(e.children(t), t) {
		if c.Status != running || (c == t && t.def.Loop != nil) {
			continue
		}
		if message, good = s.verdict(c, at); !good {
			c.Message = message
			c.set(failed, at)
			break
		}
		s.undo(c)
		if c != t {
			c.set(success, at)
		}
	}
	if !good {
		s.failTask(e, t, message, at)
		return
	}
	if t.def.Loop != nil && t.batches*max(t.def.Loop.RateControl.Concurrency, 1) < len(t.def.Loop.Items) {
		s.nextBatch(e, t, at)
		return
	}
	t.set(success, at)
	e.log(at, t, "Task %s ended with Success.", t.Name)
	s.goOn(e, at)
}

func (s *Service) nextBatch(e *execution, t *taskRun, at time.Time) {
	pause := e.LoopMode == "EveryBatchPause" || (e.LoopMode == "FirstBatchPause" && t.batches == 1)
	if pause {
		s.wait(e, t, batchGate, at)
		return
	}
	s.beginBatch(e, t, at)
	e.due = at.Add(t.duration())
}

// goOn is what follows a task: the next one, or in debug mode a person's choice.
func (s *Service) goOn(e *execution, at time.Time) {
	e.current = nil
	if e.Mode == debugMode {
		s.wait(e, nil, debugGate, at)
		return
	}
	s.begin(e, at)
}

func (s *Service) failTask(e *execution, t *taskRun, message string, at time.Time) {
	t.Message = message
	t.set(failed, at)
	e.log(at, t, "Task %s ended with Failed: %s", t.Name, message)
	switch e.Mode {
	case failurePause:
		s.wait(e, t, failedGate, at)
	case debugMode:
		s.wait(e, nil, debugGate, at)
	default:
		s.end(e, failed, message, at)
	}
}

// end makes the execution final. Its faults stay as they are.
func (s *Service) end(e *execution, status, message string, at time.Time) {
	s.kill(e)
	for _, t := range e.Tasks {
		if t.Ended.IsZero() {
			t.set(cancelled, at)
		}
	}
	e.set(status, at)
	e.Message, e.End, e.due, e.current, e.Gate = message, at, time.Time{}, nil, noGate
	e.log(at, nil, "Execution ended with %s.", status)
	delete(s.active, e.ID)
	if status != cancelled {
		s.announce(e, at)
	}
}

func (e *execution) children(t *taskRun) []*taskRun {
	var out []*taskRun
	for _, c := range e.Tasks {
		if c.Parent == t.ID {
			out = append(out, c)
		}
	}
	return out
}
