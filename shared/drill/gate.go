package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// AnswerLease is how long the handler that carries out an answer keeps others from doing it too.
const AnswerLease = 60 * time.Second

// Answer records an answer to a gate before it is carried out. A missing gate means the one open gate. The answer must be
// one of the gate's choices; pause and resume need no gate.
func (d *Drill) Answer(m Move, actor, by string, now time.Time) (Change, Answered, error) {
	if d.Status != Running && d.Status != Waiting || d.AwaitsApproval() {
		return Change{}, Answered{}, fmt.Errorf("%w: drill %s is %s and waits at no step", ErrAnswered, d.ID, d.Status)
	}
	if m.Action != PauseRun {
		g, err := d.gate(m)
		if err != nil {
			return Change{}, Answered{}, err
		}
		if m.Gate = g.ID; m.Step == "" {
			m.Step = g.Step
		}
		if err := allowed(g, m); err != nil {
			return Change{}, Answered{}, err
		}
	}
	for _, a := range d.Answers {
		whole := m.Gate != "" && a.Gate == m.Gate && len(a.Targets) == 0
		left := !a.Done && a.Gate == m.Gate && a.Action == m.Action && slices.Equal(a.Targets, m.Targets)
		if a.Error == "" && (whole || left) {
			return Change{}, a, fmt.Errorf("%w: %s chose %s at %s", ErrAnswered, a.Actor, a.Action, a.At.Format(time.RFC3339))
		}
	}
	a := Answered{Move: m, Actor: actor, At: now, Lease: Lease{By: by, Until: now.Add(AnswerLease)}, Tries: 1}
	d.Answers = append(d.Answers, a)
	return d.told(strings.TrimSpace(fmt.Sprintf("%s: %s %s", actor, m.Action, strings.TrimSpace(m.Step+" "+m.Note))), now), a, nil
}

func (d *Drill) gate(m Move) (Gate, error) {
	if m.Gate != "" {
		for _, g := range d.Gates {
			if g.ID == m.Gate {
				return g, nil
			}
		}
		for _, a := range d.Answers {
			if a.Gate == m.Gate {
				return Gate{}, fmt.Errorf("%w: %s chose %s at %s", ErrAnswered, a.Actor, a.Action, a.At.Format(time.RFC3339))
			}
		}
		return Gate{}, fmt.Errorf("%w: gate %q is not open; open now: %s", ErrAnswered, m.Gate, d.gateNames())
	}
	var match []Gate
	for _, g := range d.Gates {
		if m.Step == "" || g.Step == m.Step || g.Name == m.Step || offers(g, m.Step) {
			match = append(match, g)
		}
	}
	switch len(match) {
	case 1:
		return match[0], nil
	case 0:
		return Gate{}, fmt.Errorf("%w: no gate is open for step %q; open now: %s", ErrAnswered, m.Step, d.gateNames())
	}
	return Gate{}, fmt.Errorf("%w: several gates are open, name one: %s", ErrForbidden, d.gateNames())
}

func offers(g Gate, step string) bool {
	for _, c := range g.Choices {
		if c.Step == step {
			return true
		}
	}
	return false
}

func allowed(g Gate, m Move) error {
	var can []string
	for _, c := range g.Choices {
		if c.Action == m.Action {
			return nil
		}
		can = append(can, string(c.Action))
	}
	return fmt.Errorf("%w: gate %s cannot %s; it can %s", ErrForbidden, g.ID, m.Action, strings.Join(can, ", "))
}

func (d *Drill) gateNames() string {
	if len(d.Gates) == 0 {
		return "none"
	}
	names := make([]string, len(d.Gates))
	for i, g := range d.Gates {
		names[i] = g.ID
	}
	return strings.Join(names, ", ")
}

// OpenAnswer returns the answer that is recorded but not yet carried out, if its lease is free for by.
func (d *Drill) OpenAnswer(by string, now time.Time) (int, bool) {
	own, left := -1, -1
	for i, a := range d.Answers {
		switch {
		case a.Done || a.Error != "":
		case by != "" && a.Lease.By == by:
			own = i
		case !now.Before(a.Lease.Until) && left < 0:
			left = i
		}
	}
	if own >= 0 {
		return own, true
	}
	return max(left, 0), left >= 0
}

// LeaseAnswer takes the right to carry out an answer that its handler left; ok is false while another holds it, or when it is settled.
func (d *Drill) LeaseAnswer(i int, by string, now time.Time) (c Change, ok bool) {
	a := &d.Answers[i]
	switch {
	case a.Done || a.Error != "":
		return Change{}, false
	case a.Lease.By == by:
		return Change{}, true
	case now.Before(a.Lease.Until):
		return Change{}, false
	}
	a.Lease, a.Tries = Lease{By: by, Until: now.Add(AnswerLease)}, a.Tries+1
	return Change{What: fmt.Sprintf("%s %s is carried out again", a.Action, a.Step)}, true
}

// SettleAnswer records how an answer went; a problem opens the gate again, and people are told.
func (d *Drill) SettleAnswer(i int, problem string, now time.Time) Change {
	a := &d.Answers[i]
	problem = clip(problem, maxText)
	a.Done, a.Error = problem == "", problem
	if problem != "" {
		return d.told(a.Problem(), now)
	}
	return Change{What: fmt.Sprintf("%s %s done", a.Action, a.Step)}
}

// Problem says that the answer did not work, and why; "" for one that did, or that is not settled.
func (a Answered) Problem() string {
	if a.Error == "" {
		return ""
	}
	return fmt.Sprintf("%s did not work: %s", strings.TrimSpace(string(a.Action)+" "+a.Step), a.Error)
}

// told is a change that people are told about as it is.
func (d *Drill) told(what string, now time.Time) Change {
	return Change{What: what, Facts: []events.Payload{events.Progressed{About: d.about(now), Changes: []string{clip(what, 2*maxText)}}}}
}
