package messages

import (
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/drill"
)

// read decodes a fact and hands it to the one text for it.
func read[T events.Payload](e events.Event, write func(T)) error {
	p, err := events.Decode[T](e)
	if err != nil {
		return err
	}
	write(p)
	return nil
}

// fact knows every type of fact.
func (w *writer) fact(e events.Event) error {
	switch e.Type() {
	case events.TypeRefused:
		return read(e, w.refused)
	case events.TypeRequested:
		return read(e, w.requested)
	case events.TypeWaiting:
		return read(e, w.waiting)
	case events.TypeApproved:
		return read(e, w.approved)
	case events.TypeStarted:
		return read(e, w.started)
	case events.TypeProgressed:
		return read(e, w.progressed)
	case events.TypeStopping:
		return read(e, w.stopping)
	case events.TypeStopped:
		return read(e, w.stopped)
	case events.TypeCompleted:
		return read(e, w.completed)
	case events.TypeFailed:
		return read(e, w.failed)
	case events.TypeRestored:
		return read(e, w.restored)
	case events.TypeConcluded:
		return read(e, w.concluded)
	case events.TypeAmended:
		return read(e, w.amended)
	case events.TypeAttached:
		return read(e, w.attached)
	case events.TypeAnnounced:
		return read(e, w.announced)
	}
	return fmt.Errorf("%w: type %q is no fact of a drill", events.ErrInvalid, e.Type())
}

func (w *writer) refused(p events.Refused) {
	w.about, w.level = p.About, chat.Warning
	text := key("refused.text")
	if p.Status != string(drill.Refused) {
		text = "refused.answer" // a command was declined; the drill is what it was
	}
	w.line(text, w.check(p.Check), w.told(p.Reason, maxValue))
	w.field("field.actor", chat.Line(p.Actor, maxItem))
}

// check names a guard.
func (w *writer) check(name string) string {
	if s, ok := w.words[key("check."+name)]; ok {
		return s
	}
	return chat.Line(name, maxItem)
}

func (w *writer) requested(p events.Requested) {
	w.about = p.About
	w.line("requested.text", chat.Line(p.Actor, maxItem))
	w.asked(p.Parameters)
	w.stopButton()
}

// asked is what was asked for: what an approval binds, and what nothing limits.
func (w *writer) asked(parameters map[string]any) {
	if w.state.DryRun {
		w.line("requested.dry")
	}
	w.field("field.parameters", chat.Line(pairs(parameters), maxValue))
	w.field("field.notes", chat.Line(w.state.Plan.Unbounded, maxDetail))
}

func (w *writer) waiting(p events.Waiting) {
	w.about, w.level = p.About, chat.Warning
	name := chat.Line(p.Name, maxItem)
	if name == "" {
		name = p.Gate
	}
	switch {
	case p.Kind == "claim":
		w.line("claim.text", name)
		w.answers(p.Gate)
		return
	case p.Kind == string(drill.ApprovalGate):
		if a := w.state.Approvals; a != nil && a.Gate == p.Gate {
			name = w.say("approval.start", chat.Line(p.Plan, maxItem))
		}
		w.line("approval.text", name)
		w.votes(p.Gate)
		if a := w.state.Approvals; a != nil && a.Gate == p.Gate {
			w.asked(w.state.Parameters)
			w.previewed()
		}
	default:
		w.line("gate.text", name, w.gateKind(p.Kind))
	}
	for _, c := range p.Choices {
		w.choice(p.Gate, c)
	}
	w.stopButton()
	w.field("field.gate", chat.Line(p.Gate, maxItem))
}

func (w *writer) gateKind(kind string) string {
	if s, ok := w.words[key("kind."+kind)]; ok {
		return s
	}
	return chat.Line(kind, maxItem)
}

// votes says how many agreed, when the gate is the one before the start.
func (w *writer) votes(gate string) {
	if w.state.Preview != nil && w.state.Preview.Proved == "targets" {
		w.line("preview.text", len(w.state.Preview.Targets))
	}
	if a := w.state.Approvals; a != nil && a.Gate == gate {
		w.line("approval.votes", len(a.Votes), a.Need, w.time(a.ExpiresAt))
	}
}

// previewed names the targets that the preview found.
func (w *writer) previewed() {
	p := w.state.Preview
	if p == nil {
		return
	}
	var ids []string
	for _, t := range p.Targets[:min(len(p.Targets), maxItems)] {
		ids = append(ids, chat.Line(t.ID, maxItem))
	}
	if n := len(p.Targets) - len(ids); n > 0 {
		ids = append(ids, w.say("more", n))
	}
	w.field("field.targets", chat.Line(strings.Join(ids, ", "), maxValue))
}

func (w *writer) approved(p events.Approved) {
	w.about = p.About
	w.line("approved.text", chat.Line(strings.Join(p.By, ", "), maxValue))
	w.stopButton()
}

func (w *writer) started(p events.Started) {
	w.about = p.About
	w.line("started.text")
	if !w.state.Deadline.IsZero() && w.state.Status == drill.Running {
		w.line("started.until", w.time(w.state.Deadline))
	}
	w.field("field.notes", chat.Line(w.state.Plan.Unbounded, maxValue))
	w.stopButton()
}

func (w *writer) progressed(p events.Progressed) {
	w.about = p.About
	if w.state.Restored.State == drill.RestoreFailed {
		w.ended()
	}
	w.list(p.Changes)
	w.targets()
	if slices.ContainsFunc(w.state.Answers, func(a drill.Answered) bool { return a.Error != "" && slices.Contains(p.Changes, a.Problem()) }) {
		w.level = chat.Warning // a message of its own: what did not work is not written over
	}
	if w.state.Restored.State == drill.RestoreFailed {
		w.level = chat.Urgent
	}
	if !drill.Status(p.Status).Ended() {
		w.stopButton()
	}
}

func (w *writer) concluded(p events.Concluded) {
	w.about = p.About
	if p.Verdict == drill.Unexpected {
		w.level = chat.Warning
	}
	w.ended()
	w.lines = append(w.lines, w.told(p.Summary, maxSummary))
	w.field("field.verdict", w.words[key(p.Verdict)])
	if p.Head.Rev > 0 {
		w.field("field.head", w.say("head.text", p.Head.Rev, chat.Line(p.Head.SHA256, 128)))
	}
	w.field("field.report", chat.Line(p.Report, maxValue))
	if p.Report != "" {
		w.link = p.Report
	}
}

func (w *writer) amended(p events.Amended) {
	w.about, w.level = p.About, chat.Warning
	w.line("amended.text", chat.Line(p.By, maxItem), w.words[key(p.Verdict)])
	if v := w.state.Verdict; v != nil {
		w.line("amended.first", w.words[key(v.Verdict)])
	}
	if p.Summary != "" {
		w.lines = append(w.lines, w.told(p.Summary, maxSummary))
	}
}

func (w *writer) attached(p events.Attached) {
	w.about = p.About
	w.line("attached.text", w.told(p.What, maxValue))
	w.list(p.Evidence)
}

func (w *writer) announced(p events.Announced) {
	w.about = p.About
	w.line("announced.text", w.time(p.StartsAt))
	w.field("field.targets", w.told(p.Targets, maxValue))
	w.field("field.bound", chat.Line(p.AtMost, maxItem))
	w.field("field.parameters", chat.Line(pairs(p.Parameters), maxValue))
	w.field("field.alarms", chat.Line(strings.Join(p.StopOn, ", "), maxValue))
	w.field("field.oncall", chat.Line(w.o.Oncall, maxValue))
	w.line("announced.halt")
	scope := "plan/" + p.Plan
	w.act("halt", chat.Danger, chat.Act{Verb: string(grammar.Halt), Of: OfPlan(p.Plan)}, "halt", scope)
}

// pairs writes parameters as they are typed.
func pairs(parameters map[string]any) string {
	var kv []string
	for k, v := range parameters {
		kv = append(kv, fmt.Sprintf("%s=%v", k, v))
	}
	slices.Sort(kv)
	return strings.Join(kv, " ")
}
