package fis

import (
	"encoding/json"
	"strings"
	"time"
)

// How long things take that no template says.
const (
	queued    = 1 * time.Second  // pending to initiating
	resolving = 2 * time.Second  // initiating to running
	starting  = 1 * time.Second  // an action's own initiating
	instant   = 2 * time.Second  // an action without a duration
	undoing   = 4 * time.Second  // a rollback
	closing   = 1 * time.Second  // the end of a run in which nothing runs
	reporting = 10 * time.Second // making a report
)

const halted = "Experiment halted by stop condition."

// play moves everything on to the present. Alarms are asked for without the lock, because whoever answers may hold
// one of its own.
func (s *Service) play() {
	now := s.env.Now()
	s.mu.Lock()
	s.playDue(now)
	watched := map[string]bool{}
	for _, e := range s.experiments {
		for _, c := range e.tpl.conditions {
			if c.Value != "" && e.status == running && e.mode == runAll {
				watched[c.Value] = false
			}
		}
	}
	s.mu.Unlock()
	if len(watched) == 0 {
		return
	}
	for arn := range watched {
		watched[arn] = s.env.Alarm(arn) || s.env.Alarm(arn[strings.LastIndex(arn, ":")+1:])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.experiments {
		for _, c := range e.tpl.conditions {
			if watched[c.Value] && e.status == running {
				s.halt(e, now, halted, stopped, halted)
			}
		}
	}
	s.playDue(now)
}

func (s *Service) playDue(now time.Time) {
	for _, e := range s.experiments {
		for s.step(e, now) {
		}
	}
	s.settleLevers()
}

// step plays the experiment's earliest change that is due, and tells whether there was one.
func (s *Service) step(e *experiment, now time.Time) bool {
	when, turn := e.due, func(t time.Time) { s.turn(e, t) }
	earlier := func(t time.Time) bool { return !t.IsZero() && (when.IsZero() || t.Before(when)) }
	for _, name := range e.order {
		if a := e.actions[name]; earlier(a.due) {
			when, turn = a.due, func(t time.Time) { s.turnAction(e, a, t) }
		}
	}
	if earlier(e.reportDue) {
		when, turn = e.reportDue, e.turnReport
	}
	if when.IsZero() || when.After(now) {
		return false
	}
	turn(when)
	return true
}

// turn makes the change of the experiment's own status that has fallen due.
func (s *Service) turn(e *experiment, when time.Time) {
	e.due = time.Time{}
	switch e.status {
	case pending:
		if s.lever(e.region).status != disengaged {
			s.cancel(e, when)
			return
		}
		s.change(e, when, initiating, "Experiment is initiating.")
		e.due = when.Add(resolving)
	case initiating:
		s.begin(e, when)
	case running:
		s.end(e, when, completed, "Experiment completed.")
	case stopping:
		s.end(e, when, e.endsAs, e.endReason)
	}
}

// begin resolves the targets and starts the first actions.
func (s *Service) begin(e *experiment, when time.Time) {
	for name, t := range e.tpl.targets {
		arns := resolve(t, e.region)
		for _, arn := range arns {
			e.resolved = append(e.resolved, resolvedJSON{ResourceType: t.ResourceType, TargetName: name, Information: map[string]string{"arn": arn}})
		}
		if len(arns) == 0 && (e.tpl.emptyMode != "skip" || len(t.ResourceArns) > 0) {
			e.err = &errorJSON{AccountID: AccountID, Code: "InvalidTarget", Location: "targets/" + name}
		}
	}
	sortResolved(e.resolved)
	if e.err != nil {
		e.stopActions(when)
		s.end(e, when, failed, "Target resolution returned empty set.")
		return
	}
	s.change(e, when, running, "Experiment is running.")
	for _, name := range e.order {
		if a := e.actions[name]; e.mode == skipAll || e.targetless(a) {
			a.finish(when, skipped, "Action was skipped.")
		}
	}
	e.advance(when)
}

// targetless tells whether one of the action's targets resolved to nothing.
func (e *experiment) targetless(a *action) bool {
	for _, target := range a.targets {
		found := false
		for _, r := range e.resolved {
			found = found || r.TargetName == target
		}
		if !found {
			return true
		}
	}
	return false
}

// advance starts the actions whose turn it is, and lets the experiment end when there are none left.
func (e *experiment) advance(when time.Time) {
	left := false
	for _, name := range e.order {
		a := e.actions[name]
		if a.status == pending && e.status == running && e.ready(a) {
			a.status, a.reason, a.started, a.due = initiating, "Action is initiating.", when, when.Add(starting)
		}
		left = left || !final(a.status)
	}
	if !left && e.due.IsZero() {
		e.due = when.Add(closing)
	}
}

func (e *experiment) ready(a *action) bool {
	for _, name := range a.after {
		if before := e.actions[name]; before != nil && !final(before.status) {
			return false
		}
	}
	return true
}

// turnAction makes the change of an action's status that has fallen due.
func (s *Service) turnAction(e *experiment, a *action, when time.Time) {
	a.due = time.Time{}
	switch {
	case a.status == initiating:
		a.status, a.reason, a.live = running, "Action is running.", a.fault()
		a.due = when.Add(a.holds())
		if a.breaks > 0 {
			a.due = when.Add(a.breaks)
		}
		return
	case a.status == stopping:
		a.finish(when, stopped, "Action was stopped.")
	case a.breaks > 0:
		a.finish(when, failed, a.breaksWith)
		e.err = &errorJSON{AccountID: AccountID, Code: "DependentServiceFailure", Location: "actions/" + a.name}
		s.halt(e, when, "Experiment is stopping because an action failed.", failed, "Action "+a.name+" failed: "+a.breaksWith)
		return
	case !a.undoing && a.rollback() > 0:
		a.undoing, a.due = true, when.Add(a.rollback())
		return
	default:
		a.finish(when, completed, "Action was completed.")
	}
	e.advance(when)
}

func (a *action) finish(when time.Time, status, reason string) {
	a.status, a.reason, a.live, a.due, a.ended = status, reason, false, time.Time{}, when
	if status == cancelled || status == skipped {
		a.started, a.ended = time.Time{}, time.Time{}
	}
}

// halt stops a run that has not ended: what runs is rolled back, what has not begun is cancelled.
func (s *Service) halt(e *experiment, when time.Time, reason, endsAs, endReason string) {
	if final(e.status) || e.status == stopping {
		return
	}
	e.due, e.endsAs, e.endReason = time.Time{}, endsAs, endReason
	e.stopActions(when)
	s.change(e, when, stopping, reason)
	e.advance(when)
}

func (e *experiment) stopActions(when time.Time) {
	for _, name := range e.order {
		a := e.actions[name]
		switch a.status {
		case pending, initiating:
			a.finish(when, cancelled, "Action was cancelled.")
		case running:
			a.status, a.reason = stopping, "Action is stopping."
			if !a.undoing {
				a.due = when.Add(a.rollback())
			}
		}
	}
}

// cancel ends a run that the safety lever keeps from starting.
func (s *Service) cancel(e *experiment, when time.Time) {
	e.stopActions(when)
	if e.report != "" {
		e.report = cancelled
	}
	e.status, e.reason, e.ended, e.due = cancelled, "Experiment was cancelled because the safety lever is engaged.", when, time.Time{}
}

func (s *Service) end(e *experiment, when time.Time, status, reason string) {
	s.change(e, when, status, reason)
	e.ended = when
	if e.report == pending {
		post, _ := isoDuration(e.tpl.report.Post) // checked when the template was made
		e.reportDue = when.Add(post)
	}
}

func (e *experiment) turnReport(when time.Time) {
	if e.report == pending {
		e.report, e.reportDue = running, when.Add(reporting)
		return
	}
	e.report, e.reportDue = completed, time.Time{}
}

// change sets the status and queues the event that EventBridge would deliver.
func (s *Service) change(e *experiment, when time.Time, status, reason string) {
	type state struct {
		Status string `json:"status"`
		Reason string `json:"reason"`
	}
	old := state{e.status, e.reason}
	e.status, e.reason = status, reason
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": s.requestID(), "detail-type": "FIS Experiment State Change", "source": "aws.fis",
		"account": AccountID, "time": when.UTC().Format(time.RFC3339), "region": e.region, "resources": []string{e.arn()},
		"detail": map[string]any{
			"experiment-id": e.id, "experiment-template-id": e.tpl.id, "new-state": state{status, reason}, "old-state": old,
		},
	})
	if err == nil {
		s.outbox = append(s.outbox, event)
	}
}
