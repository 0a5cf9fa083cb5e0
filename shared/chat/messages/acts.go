package messages

import (
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/drill"
)

// The verbs of buttons that are no verbs of package grammar: the answers to a claim.
const (
	Yes grammar.Verb = "yes"
	No  grammar.Verb = "no"
)

// OfGate is what a button at a gate is about. At the approval before a start that is also the hash of what was asked: plan, parameters and
// targets.
func OfGate(d *drill.Drill, gate string) string {
	if a := d.Approvals; a != nil && a.Gate == gate {
		return token.Of("gate", gate, a.Hash)
	}
	return token.Of("gate", gate)
}

// OfClaim is what an answer to a claim is about.
func OfClaim(id string) string { return token.Of("claim", id) }

// OfPlan is what a button about a plan is about.
func OfPlan(name string) string { return token.Of("plan", name) }

// ofDrill is what a stop is about.
func ofDrill() string { return token.Of("drill") }

// Done says what became of a button that was pressed, in a few words for the card.
func Done(l Lang, verb string, holds bool) string {
	k := key("done." + verb)
	if verb == string(grammar.Answer) {
		k = "done.no"
		if holds {
			k = "done.yes"
		}
	}
	if s, ok := table(l)[k]; ok {
		return s
	}
	return table(l)["done"]
}

// act adds a button. The words are its label and what is typed for it.
func (w *writer) act(k key, style chat.Style, a chat.Act, command ...string) {
	a.Drill = w.about.Drill
	w.buttons = append(w.buttons, chat.Button{Label: w.words[k], Command: strings.Join(command, " "), Style: style, Act: a})
}

// stopButton is on every message of a drill that can still be stopped.
func (w *writer) stopButton() {
	w.act("stop", chat.Danger, chat.Act{Verb: string(grammar.Stop), Of: ofDrill()}, "stop", w.id())
}

// answers adds the two answers to a claim.
func (w *writer) answers(claim string) {
	w.act("yes", chat.Primary, chat.Act{Verb: string(Yes), Of: OfClaim(claim)}, "answer", w.id(), claim, "yes")
	w.act("no", chat.Plain, chat.Act{Verb: string(No), Of: OfClaim(claim)}, "answer", w.id(), claim, "no")
}

// choice adds a button for one answer to a gate. Choices that the table does not know can still be typed.
func (w *writer) choice(gate, choice string) {
	if _, ok := w.words[key(choice)]; !ok {
		return
	}
	verb, style := choice, chat.Plain
	approval := choice == string(drill.ApproveRun) || choice == string(drill.RejectRun)
	switch drill.Action(choice) {
	case drill.Execute:
		verb, style = string(grammar.Execute), chat.Primary
	case drill.ApproveRun:
		style = chat.Primary
	case drill.RejectRun:
		style = chat.Danger
	}
	command := []string{verb, w.id()}
	if step := w.step(gate); step != "" && !approval {
		command = append(command, step)
	}
	w.act(key(choice), style, chat.Act{Verb: verb, Of: OfGate(w.state, gate)}, command...)
}

// step names the gate's step in a command, where it can be typed as one word.
func (w *writer) step(gate string) string {
	for _, g := range w.state.Gates {
		if g.ID == gate && len(w.state.Gates) > 1 && !strings.ContainsAny(g.Step, " \t\"'=") {
			return g.Step
		}
	}
	return ""
}
