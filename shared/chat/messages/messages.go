package messages

import (
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// The most runes of each part of a message. They fit every platform. A text is cut from its end, so what must be seen stands at its
// beginning, and what others wrote has a ceiling of its own.
const (
	maxTitle   = 140
	maxText    = 2400
	maxSummary = 1200
	maxValue   = 900
	maxError   = 600
	maxDetail  = 300 // a reason, or all evidence of one fact
	maxItem    = 200
	maxName    = 80 // of a person, an alarm, a step
	maxItems   = 12
	shortID    = 8
)

// Options are what a message needs besides the fact.
type Options struct {
	State  *drill.Drill   // as of the fact's rev; nil when it cannot be read
	Lang   Lang           //
	Zone   *time.Location // nil means UTC
	Oncall string         // called on escalations
	Link   string         // page of the drill, "" for none
	ID     string         // id of the message
}

// writer gathers one message.
type writer struct {
	o       Options
	words   map[key]string
	state   *drill.Drill // never nil: empty when unknown
	about   events.About
	lines   []string
	fields  []chat.Field
	buttons []chat.Button
	level   chat.Level
	link    string
}

// For returns the message for a fact. An event that is no fact, or that does not validate, is an error that wraps
// events.ErrInvalid.
func For(fact events.Event, o Options) (chat.Message, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	w := &writer{o: o, words: table(o.Lang), state: o.State, level: chat.Info, link: o.Link}
	if w.state == nil {
		w.state = &drill.Drill{}
	}
	if err := w.fact(fact); err != nil {
		return chat.Message{}, err
	}
	return w.message(kind(fact.Type())), nil
}

// kind returns the name of a fact: "started" of dev.firedrill.drill.started.v1.
func kind(eventType string) key {
	parts := strings.Split(eventType, ".")
	if len(parts) != 5 {
		return ""
	}
	return key(parts[3])
}

func (w *writer) message(k key) chat.Message {
	head := w.words[k]
	mention := ""
	if e := w.about.Escalation; e != nil {
		head = w.say("escalated", e.Level) + ": " + head
		w.level, mention = chat.Urgent, w.o.Oncall
		w.escalation(e)
	}
	w.where()
	title := w.title()
	return chat.Message{
		ID: w.o.ID, Mode: w.about.Mode, Level: w.level, Lang: string(words.LangOf(string(w.o.Lang))),
		Title:  chat.Line(fmt.Sprintf("[%s] %s: %s", w.about.Mode, head, title), maxTitle),
		Text:   chat.Cut(strings.Join(w.lines, "\n"), maxText),
		Fields: w.fields, Buttons: w.buttons, Thread: w.about.Drill, Link: w.link, Mention: mention, At: w.about.At,
	}
}

// title names the drill. An answer to somebody carries no title and no plan of its own.
func (w *writer) title() string {
	for _, s := range []string{w.about.Title, w.state.Plan.Title, w.state.Plan.Name, w.about.Plan} {
		if s = strings.TrimSpace(s); s != "" && s != "-" {
			return s
		}
	}
	return w.about.Drill
}

// escalation puts first all that a person needs who has to take over.
func (w *writer) escalation(e *events.Escalation) {
	rest := w.fields
	w.fields = nil
	w.field("field.do", chat.Line(e.Do, maxValue))
	runbook := e.Runbook
	if runbook == "" {
		runbook = w.state.Plan.Runbook
	}
	w.field("field.runbook", chat.Line(runbook, maxValue))
	for i := range w.fields {
		w.fields[i].Keep = true
	}
	w.field("field.reason", w.told(e.Reason, maxDetail))
	w.field("field.error", chat.Line(e.LastError, maxError))
	w.fields = append(w.fields, rest...)
}

// where adds what every message says of its drill.
func (w *writer) where() {
	a := w.about
	name := a.Drill
	if a.Plan != "-" {
		name += " (" + a.Plan + ")"
	}
	w.field("field.drill", chat.Line(name, maxValue))
	parts := []string{a.Service, a.Environment, strings.TrimSpace(a.Account + " " + a.Region)}
	if a.Run != "" {
		parts = append(parts, w.say("where.run", a.Run))
	}
	w.field("field.where", chat.Line(join(parts, " · "), maxValue))
	w.field("field.time", w.time(a.At))
}

// say fills in one text of the table.
func (w *writer) say(k key, args ...any) string {
	if len(args) == 0 {
		return w.words[k]
	}
	return fmt.Sprintf(w.words[k], args...)
}

func (w *writer) line(k key, args ...any) { w.lines = append(w.lines, w.say(k, args...)) }

func (w *writer) field(k key, value string) {
	if value != "" {
		w.fields = append(w.fields, chat.Field{Name: w.words[k], Value: value})
	}
}

// told is one line of what the journal says, in the language and the zone of the channel.
func (w *writer) told(s string, most int) string {
	return chat.Line(words.Retell(s, w.o.Lang, w.o.Zone), most)
}

// list adds lines of the journal, not too many of them.
func (w *writer) list(items []string) {
	for i, s := range items {
		if i == maxItems {
			w.line("more", len(items)-i)
			return
		}
		w.lines = append(w.lines, "- "+w.told(s, maxItem))
	}
}

// time shows an instant in the channel's zone, with its offset.
func (w *writer) time(t time.Time) string {
	if t.IsZero() {
		return w.words["unknown.time"]
	}
	return t.In(w.o.Zone).Format("2006-01-02 15:04:05 -07:00")
}

// id is the drill's id as commands take it.
func (w *writer) id() string {
	r := []rune(w.about.Drill)
	return string(r[:min(shortID, len(r))])
}

func join(parts []string, sep string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, sep)
}
