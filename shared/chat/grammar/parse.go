package grammar

import (
	"strings"

	"github.com/firedrill/firedrill/shared/chat/words"
)

const (
	// MaxText is the most bytes that a command may have. A stop or a halt may have more: what is too much of its reason is cut.
	MaxText = 2048
	// MaxWords is the most words that a start may have.
	MaxWords = 32
)

// All is the word for every drill, and for the widest scope.
const All = "all"

// Command is what somebody asks for. Only the fields of its verb are set.
type Command struct {
	Verb       Verb
	Plan       string            // plan, start, next
	Drill      string            // an id or the beginning of one, as typed but in lower case; "all" with stop
	Parameters map[string]string // start
	DryRun     bool              // start
	Step       string            // advance and its siblings; "" for the open gate's own
	Scope      string            // halt, release: all, environment/<name>, plan/<name>; "" with release: the one scope that is halted
	Claim      string            // answer
	Holds      bool              // answer
	Verdict    string            // conclude
	Text       string            // reason, note, summary
	Topic      string            // help: a verb, or ""
}

// Mutates reports whether the command changes anything.
func (c Command) Mutates() bool {
	switch c.Verb {
	case List, Plan, Status, Next, Report, Help:
		return false
	}
	return true
}

// Context is where a command was said.
type Context struct {
	// Drill is the one that the conversation is about, such as that of a thread; "" for none. A command that leaves the drill's id out
	// means this one.
	Drill string
	// Names reports whether a word stands for a drill, so that what begins a remark is not taken for an id. nil takes any word for one
	// that could be an id.
	Names func(word string) bool
}

// Parse reads a command that was said nowhere in particular.
func Parse(text string) (Command, error) { return ParseIn(text, Context{}) }

// ParseIn reads a command, with or without a leading "/drill". No words at all ask for help. Every error is an *Error.
func ParseIn(text string, in Context) (Command, error) {
	long := len(text) > MaxText
	if long {
		text = strings.ToValidUTF8(text[:MaxText], "")
	}
	l := newLexer(text)
	l.in = in
	u, err := verb(l)
	if err != nil {
		return Command{}, err
	}
	if long && u.Verb != Stop && u.Verb != Halt {
		return Command{}, &Error{Problem: words.Say("the command is longer than %d bytes", MaxText), Fix: words.Say("say it in fewer words")}
	}
	c := Command{Verb: u.Verb}
	if err := args(l, &c, u); err != nil {
		return Command{}, err
	}
	return c, nil
}

func verb(l *lexer) (usage, error) {
	if w := strings.ToLower(strings.TrimPrefix(l.peek(), "/")); w == "drill" || w == "firedrill" {
		_, _, _ = l.word() // peek has read it
	}
	w, ok, err := l.word()
	if err != nil {
		return usage{}, err
	}
	if !ok {
		w = string(Help)
	}
	u, ok := find(w)
	if ok {
		return u, nil
	}
	fix := words.Say("write /drill help for the list")
	if n := Near(w, everyWord()); n != "" {
		near, _ := find(n)
		fix = words.Say("did you mean %q? It is used like this: /drill %s", n, near.Form)
	}
	return usage{}, &Error{Token: w, Problem: words.Say("no such command"), Fix: fix}
}

// args reads what follows the verb.
func args(l *lexer, c *Command, u usage) error {
	switch c.Verb {
	case List:
		return all(end(l, u))
	case Plan:
		return all(required(l, u, "the plan's name", &c.Plan), end(l, u))
	case Next:
		return all(optional(l, &c.Plan), end(l, u))
	case Help:
		return all(optional(l, &c.Topic))
	case Start:
		return start(l, c, u)
	case Status:
		return all(status(l, c), lower(&c.Drill), end(l, u))
	case Report, Pause, Resume:
		return all(drill(l, c, u), end(l, u))
	case Execute, Skip, Retry, Cancel, Complete:
		return all(drill(l, c, u), optional(l, &c.Step), end(l, u))
	case Approve, Reject:
		return all(drill(l, c, u), rest(l, &c.Text))
	case Stop:
		return all(drill(l, c, u), rest(l, &c.Text))
	case Halt:
		return all(scope(l, c, All), rest(l, &c.Text))
	case Release:
		return all(scope(l, c, ""), said(l, u, "a reason", &c.Text))
	case Note:
		return all(drill(l, c, u), said(l, u, "the text", &c.Text))
	case Answer:
		return all(drill(l, c, u), required(l, u, "the claim, such as c1", &c.Claim), yesNo(l, c, u), rest(l, &c.Text))
	}
	return all(drill(l, c, u), verdict(l, c, u), said(l, u, "a summary", &c.Text))
}

// step reads one argument when it is called; all calls them in order up to the first that fails.
type step func() error

func all(steps ...step) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}
