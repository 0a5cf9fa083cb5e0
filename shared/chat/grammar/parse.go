package grammar

import (
	"strings"
	"unicode/utf8"

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
	// Names reports whether a word after the verb stands for a drill, so that what begins a remark is not taken for an id. It gets the word
	// in lower case without the marks around it. nil takes any word for one that could be an id. An error ends the reading and is returned
	// as it is.
	Names func(v Verb, word string) (bool, error)
}

// Parse reads a command that was said nowhere in particular.
func Parse(text string) (Command, error) { return ParseIn(text, Context{}) }

// ParseIn reads a command, with or without a leading "/drill". No words at all ask for help. Every error is an *Error, save for those of
// Names. Where the verb could be read, it is returned with the error.
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
		return Command{Verb: u.Verb}, &Error{Problem: words.Say("the command is longer than %d bytes", MaxText), Fix: words.Say("say it in fewer words")}
	}
	c := Command{Verb: u.Verb}
	if err := args(l, &c, u); err != nil {
		return Command{Verb: u.Verb}, err
	}
	return c, nil
}

// Marks that are part of a verb, an id, a scope.
const (
	inWord  = "-/@\\"
	inScope = "-/@\\_."
)

// verb reads the verb. What is left of a mention may stand in front, such as ": ". Stop, halt and what only reads are taken out of any
// marks; the other verbs are not, for "ok, but wait" and "approve?" are no approval.
func verb(l *lexer) (usage, error) {
	next, plain := *l, true
	n := next.name(inWord)
	if w := strings.ToLower(n.word); w == "drill" || w == "firedrill" {
		*l, plain = next, n.plain()
	}
	if u, ok := find(l.peek()); ok && (plain || u.always()) {
		_, _, _ = l.word() // peek has read it
		return u, nil
	}
	next = *l
	n = next.name(inWord)
	if n.word == "" && !next.unread() {
		n.word = string(Help)
	}
	u, ok := find(n.word)
	if !ok {
		u, next.rest, ok = joined(n.word, next.rest)
	}
	if ok && (plain && n.plain() || u.always()) {
		*l = next
		return u, nil
	}
	w, _, err := l.word()
	if err != nil {
		return usage{}, err
	}
	return usage{}, unknown(w)
}

// unknown is the error about a word that is no verb.
func unknown(w string) *Error {
	l := newLexer(w)
	fix := words.Say("write /drill help for the list")
	if near := Near(l.name(inWord).word, everyWord()); near != "" {
		u, _ := find(near)
		fix = words.Say("did you mean %q? It is used like this: /drill %s", near, u.Form)
	}
	return &Error{Token: w, Problem: words.Say("no such command"), Fix: fix}
}

// always reports whether the verb is taken whatever marks are around it.
func (u usage) always() bool {
	return u.Verb == Stop || u.Verb == Halt || !Command{Verb: u.Verb}.Mutates()
}

// plain reports whether nothing but the rest of a mention, a slash and a colon are around a verb.
func (n name) plain() bool {
	left := strings.TrimFunc(n.before, func(r rune) bool { return space(r) || strings.ContainsRune(",:;!./、。", r) })
	return left == "" && (n.after == "" || n.after == ":") && !n.stuck
}

// joined reads a stop or a halt in Chinese whose next word follows without a space, as in 停止全部.
func joined(word, rest string) (usage, string, bool) {
	for _, u := range table() {
		if u.Verb != Stop && u.Verb != Halt {
			continue
		}
		for _, w := range u.also {
			object, ok := strings.CutPrefix(word, w)
			if ok && w[0] >= utf8.RuneSelf && (isAll(object) || u.Verb == Stop && (noun(object) || idPattern().MatchString(strings.ToLower(object)))) {
				return u, object + " " + rest, true
			}
		}
	}
	return usage{}, rest, false
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
		return all(status(l, c), end(l, u))
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
