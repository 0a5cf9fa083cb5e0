package messages

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// aboutOf is what a message made from the state alone says of its drill.
func aboutOf(d *drill.Drill) events.About {
	return events.About{
		Drill: d.ID, Plan: d.Plan.Name, Title: d.Plan.Title, Service: string(d.Plan.Service), Environment: d.Plan.Environment,
		Account: d.Plan.Account.Name, Region: d.Plan.Account.Region, Run: d.RunID(), Mode: d.Mode, Status: string(d.Status), Actor: d.Actor,
		Rev: d.Rev, At: d.RequestedAt,
	}
}

func newWriter(d *drill.Drill, o Options) *writer {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	o.State = d
	return &writer{o: o, words: table(o.Lang), state: d, level: chat.Info, link: o.Link, about: aboutOf(d)}
}

// Root is a drill's first message, as it stands now: the mode, the state, and the three facts of a stop, always all three. It is
// posted once and then edited.
func Root(d *drill.Drill, o Options) chat.Message {
	w := newWriter(d, o)
	w.line("requested.by", chat.Line(d.Actor, maxName), w.time(d.RequestedAt))
	w.asked(d.Parameters)
	v := d.LastVerdict()
	switch {
	case v == nil:
	case v == d.Verdict:
		w.line("root.verdict", w.words[key(v.Verdict)])
	default:
		w.line("root.amended", w.words[key(v.Verdict)], chat.Line(v.By, maxName), w.time(v.At), w.words[key(d.Verdict.Verdict)])
	}
	w.stopFacts()
	w.standing()
	if v != nil && v.Summary != "" {
		w.lines = append(w.lines, w.told(v.Summary, maxSummary))
	}
	w.rootButtons()
	m := w.message(key("state." + string(d.Status)))
	if d.Restored.State == drill.RestoreFailed || v != nil && v.Verdict == drill.Unexpected {
		m.Level = chat.Warning
	}
	m.Link = o.Link
	return m
}

// standing says how far the run has come.
func (w *writer) standing() {
	d := w.state
	if d.Reason != "" {
		w.line("root.reason", w.told(d.Reason, maxDetail))
	}
	for _, g := range d.Gates {
		if d.AwaitsApproval() {
			w.votes(g.ID)
			continue
		}
		w.line("gate.text", chat.Line(g.Name, maxItem), w.gateKind(string(g.Kind)))
	}
	if n := len(d.Steps); n > 0 {
		done, now := 0, []string{}
		for _, s := range d.Steps {
			if s.State.Final() {
				done++
			}
			if s.State == drill.StepRunning || s.State == drill.StepStopping {
				now = append(now, chat.Line(s.Name, maxName))
			}
		}
		w.line("root.steps", done, n)
		if len(now) > 0 {
			w.line("root.now", chat.Cut(strings.Join(now, ", "), maxDetail))
		}
	}
	if !d.Deadline.IsZero() && d.Status == drill.Running {
		w.line("started.until", w.time(d.Deadline))
	}
}

// stopFacts are the three facts of a stop, whether one was asked for or not.
func (w *writer) stopFacts() {
	if w.state.Stop != nil {
		w.three(stop{})
		return
	}
	w.line("stop.none")
	ended := w.state.Status.Ended() && w.state.Status != drill.Refused
	switch {
	case ended && !w.state.EndedAt.IsZero():
		w.line("stop.ended", w.time(w.state.EndedAt))
		w.line("stop.restored", w.restoration(stop{}))
	default:
		w.line("stop.stopped", w.words["no.need"])
		w.line("stop.restored", w.words["no.need"])
	}
}

// rootButtons are what may be done now.
func (w *writer) rootButtons() {
	d := w.state
	for _, g := range d.Gates {
		if len(d.Gates) > 1 {
			break // each has a message of its own
		}
		for _, c := range g.Choices {
			w.choice(g.ID, string(c.Action))
		}
	}
	if !d.Status.Ended() {
		w.stopButton()
	}
}

// Card is the message that asks for an answer to a gate, as it stands now: open with its buttons, or answered, with who and when and no
// live button. ok is false for a gate that the drill never had.
func Card(d *drill.Drill, gate string, o Options) (m chat.Message, ok bool) {
	w := newWriter(d, o)
	w.level = chat.Warning
	if i := slices.IndexFunc(d.Gates, func(g drill.Gate) bool { return g.ID == gate }); i >= 0 {
		g := d.Gates[i]
		p := events.Waiting{About: w.about, Gate: g.ID, Kind: string(g.Kind), Name: g.Name}
		for _, c := range g.Choices {
			p.Choices = append(p.Choices, string(c.Action))
		}
		w.waiting(p)
		return w.message("waiting"), true
	}
	if i := slices.IndexFunc(d.Plan.Expect, func(c drill.Claim) bool { return c.ID == gate }); i >= 0 && i < len(d.Claims) {
		return w.claimCard(d.Plan.Expect[i], d.Claims[i])
	}
	w.level = chat.Info
	answered := w.answered(gate)
	w.stopAnswer()
	m = w.message("answered")
	m.Buttons = nil
	return m, answered
}

// claimCard is a claim that somebody was asked about.
func (w *writer) claimCard(c drill.Claim, s drill.ClaimState) (chat.Message, bool) {
	w.line("claim.text", chat.Line(c.Claim, maxItem))
	if a := s.Answer; a != nil {
		w.level = chat.Info
		w.line("claim.answered", w.words[key(fmt.Sprintf("holds.%t", a.Holds))], chat.Line(a.Actor, maxItem), w.time(a.At))
		return w.message("answered"), true
	}
	if w.state.Status.Final() {
		w.line("claim.late")
		return w.message("answered"), true
	}
	w.answers(c.ID)
	return w.message("waiting"), true
}

// answered says who answered a gate, how and when.
func (w *writer) answered(gate string) bool {
	d, found := w.state, false
	if a := d.Approvals; a != nil && a.Gate == gate {
		found = true
		for _, v := range a.Votes {
			w.line("card.approved", chat.Line(v.Actor, maxItem), w.time(v.At))
			if v.Note != "" {
				w.lines = append(w.lines, "   "+chat.Line(v.Note, maxItem))
			}
		}
		if d.Refusal != nil {
			w.line("refused.text", w.check(d.Refusal.Check), w.told(d.Refusal.Reason, maxValue))
		}
	}
	for _, a := range d.Answers {
		if a.Gate != gate {
			continue
		}
		found = true
		label, ok := w.words[key(a.Action)]
		if !ok {
			label = string(a.Action)
		}
		w.line("card.answered", chat.Line(a.Actor, maxItem), label, w.time(a.At))
		if a.Error != "" {
			w.line("card.problem", chat.Line(a.Error, maxValue))
		}
	}
	return found
}

// stopAnswer says that a gate closed because the drill was stopped.
func (w *writer) stopAnswer() {
	if s := w.state.Stop; s != nil {
		w.line("stopping.text", chat.Line(s.By, maxItem))
	}
}

// targets lists the targets of the steps that are under way, each with its own state.
func (w *writer) targets() {
	n := 0
	for _, s := range w.state.Steps {
		if s.State != drill.StepRunning && s.State != drill.StepStopping && s.State != drill.StepFailed {
			continue
		}
		for _, t := range s.Targets {
			if n++; n > maxItems {
				continue
			}
			line := chat.Line(t.ID, maxItem)
			if said := join([]string{words.Word(string(t.State), w.o.Lang), chat.Line(t.Message, maxItem)}, ", "); said != "" {
				line += ": " + said
			}
			w.lines = append(w.lines, "   "+line)
		}
	}
	if n > maxItems {
		w.line("more", n-maxItems)
	}
}
