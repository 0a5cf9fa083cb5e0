package grammar

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
)

func required(l *lexer, u usage, what string, to *string) step {
	return func() error {
		w, ok, err := l.word()
		if err != nil {
			return err
		}
		if !ok || w == "" {
			return missing(u, what)
		}
		*to = w
		return nil
	}
}

func optional(l *lexer, to *string) step {
	return func() error {
		w, _, err := l.word()
		*to = w
		return err
	}
}

func missing(u usage, what string) error {
	return &Error{Problem: words.Say("%s is missing", words.Say(what)), Fix: words.Say("write /drill %s, for example /drill %s", u.Form, u.Example)}
}

// end refuses words that the verb does not take: they may have been meant to matter.
func end(l *lexer, u usage) step {
	return func() error {
		w, ok, err := l.word()
		if err != nil {
			return err
		}
		if ok {
			return &Error{Token: w, Problem: words.Say("%s takes no such word", u.Verb), Fix: words.Say("write /drill %s", u.Form)}
		}
		return nil
	}
}

// idPattern is a drill's id or its beginning.
var idPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]{1,32}$`) })

// isAll reports whether a word means every drill, or the widest scope.
func isAll(w string) bool {
	switch w {
	case "全部", "所有", "全部演练", "所有演练":
		return true
	}
	return strings.EqualFold(w, All)
}

// noun reports whether a word only says that an id follows.
func noun(w string) bool { return strings.EqualFold(w, "drill") || w == "演练" }

// status takes the conversation's drill where none is named, and all where there is no such drill.
func status(l *lexer, c *Command) step {
	return func() error {
		switch w := l.name(inWord).word; {
		case w == "":
			c.Drill = l.in.Drill
		case isAll(w):
			c.Drill = All
		default:
			c.Drill = strings.ToLower(w)
		}
		return nil
	}
}

// drill reads which drill is meant. In a conversation about one it may be left out.
func drill(l *lexer, c *Command, u usage) step {
	return func() error {
		next := *l
		n := next.name(inWord)
		if noun(n.word) { // stop drill k7m2
			after := next
			m := after.name(inWord)
			if ok, err := l.names(u.Verb, strings.ToLower(m.word)); err != nil || ok {
				n, next = m, after
			}
		}
		id := strings.ToLower(n.word)
		if l.in.Drill != "" {
			if ok, err := l.names(u.Verb, id); err != nil || !ok {
				c.Drill = l.in.Drill
				return err
			}
		}
		doubtful := n.stuck || strings.Contains(n.after, "?") || strings.Contains(n.before, "/")
		switch {
		case id == "":
			return missing(u, "the drill's id")
		case isAll(id) && u.Verb == Stop:
			id = All
		case isAll(id):
			return &Error{Token: n.word, Problem: words.Say("%s takes one drill", u.Verb), Fix: words.Say("write its id, which /drill status shows")}
		case !idPattern().MatchString(id), doubtful && !u.always():
			return &Error{Token: l.peek(), Problem: words.Say("this is no id of a drill"), Fix: words.Say("write the id that /drill status shows, or its first characters")}
		}
		*l, c.Drill = next, id
		return nil
	}
}

// names reports whether a word after the verb stands for a drill or all of them.
func (l *lexer) names(verb Verb, word string) (bool, error) {
	switch {
	case word == "":
		return false, nil
	case isAll(word):
		return l.in.Drill == "" || !slices.Contains([]Verb{Note, Approve, Reject, Answer, Conclude}, verb), nil // "all" begins their text
	case l.in.Drill == "" || l.in.Names == nil:
		return idPattern().MatchString(word), nil
	}
	return l.in.Names(verb, word)
}

// rest takes free text that may be missing. A leading note= or reason= is habit, not text.
func rest(l *lexer, to *string) step {
	return func() error {
		l.skip()
		for _, key := range []string{"note=", "reason=", "summary=", "text="} {
			if len(l.rest) >= len(key) && strings.EqualFold(l.rest[:len(key)], key) {
				l.rest = l.rest[len(key):]
				break
			}
		}
		*to = l.text()
		return nil
	}
}

func said(l *lexer, u usage, what string, to *string) step {
	return func() error {
		if err := rest(l, to)(); err != nil {
			return err
		}
		if *to == "" {
			return missing(u, what)
		}
		return nil
	}
}

// scope reads a scope. It may be missing, and a first word that is none begins the reason: what somebody types in a hurry must halt, and
// a halt of all is the safe reading. A release without one has no such reading: it is left open here.
func scope(l *lexer, c *Command, missing string) step {
	return func() error {
		next, word := *l, l.peek()
		s, ok := asScope(strings.TrimRight(next.name(inScope).word, "."))
		switch {
		case ok:
			*l, c.Scope = next, s
			return nil
		case strings.Contains(word, "/"):
			return &Error{Token: word, Problem: words.Say("this is no scope"), Fix: words.Say("write all, environment/NAME or plan/NAME")}
		}
		c.Scope = missing
		return nil
	}
}

func asScope(word string) (string, bool) {
	kind, name, slash := strings.Cut(word, "/")
	kind = strings.ToLower(kind)
	switch {
	case !slash && isAll(kind):
		return All, true
	case !slash || name == "":
		return "", false
	case kind == "env" || kind == "environment":
		return "environment/" + name, true
	case kind == "plan":
		return "plan/" + name, true
	}
	return "", false
}

func yesNo(l *lexer, c *Command, u usage) step {
	return func() error {
		var w string
		if err := required(l, u, "yes or no", &w)(); err != nil {
			return err
		}
		switch strings.ToLower(w) {
		case "yes", "y", "true", "是", "成立":
			c.Holds = true
		case "no", "n", "false", "否", "不成立":
			c.Holds = false
		default:
			return &Error{Token: w, Problem: words.Say("the answer is neither yes nor no"), Fix: words.Say("write /drill %s", u.Form)}
		}
		return nil
	}
}

func verdict(l *lexer, c *Command, u usage) step {
	return func() error {
		var w string
		if err := required(l, u, "the verdict", &w)(); err != nil {
			return err
		}
		verdicts := []string{"expected", "unexpected", "inconclusive"}
		for _, v := range verdicts {
			if strings.EqualFold(w, v) {
				c.Verdict = v
				return nil
			}
		}
		fix := words.Say("write expected, unexpected or inconclusive")
		if n := Near(w, verdicts); n != "" {
			fix = words.Say("did you mean %q? The verdicts are expected, unexpected and inconclusive", n)
		}
		return &Error{Token: w, Problem: words.Say("this is no verdict"), Fix: fix}
	}
}

var keyPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,31}$`) })

// start reads a plan's name and its parameters. A word that is neither is an error: it may have been meant to make the
// start harmless.
func start(l *lexer, c *Command, u usage) error {
	if err := required(l, u, "the plan's name", &c.Plan)(); err != nil {
		return err
	}
	for n := 2; ; n++ {
		w, ok, err := l.word()
		if err != nil || !ok {
			return err
		}
		if n >= MaxWords {
			return &Error{Token: w, Problem: words.Say("a start takes at most %d words", MaxWords), Fix: words.Say("leave some parameters to their defaults")}
		}
		if isDryRun(w) {
			c.DryRun = true
			continue
		}
		if err := parameter(c, w); err != nil {
			return err
		}
	}
}

func isDryRun(w string) bool {
	switch strings.ToLower(strings.TrimLeft(w, "-")) {
	case "dry-run", "dryrun", "dry_run", "试运行", "演练预览":
		return true
	}
	return false
}

func parameter(c *Command, w string) error {
	key, value, found := strings.Cut(w, "=")
	switch {
	case found && isDryRun(key):
		return &Error{Token: w, Problem: words.Say("dry-run takes no value"), Fix: words.Say("write dry-run alone")}
	case strings.HasPrefix(w, "-"):
		return &Error{Token: w, Problem: words.Say("there are no flags"), Fix: words.Say("write parameters as key=value, and dry-run as a word")}
	case !found:
		fix := words.Say("write parameters as key=value; quote a value that has spaces")
		if Near(w, []string{"dry-run"}) != "" {
			fix = words.Say(`did you mean "dry-run"? Nothing was started`)
		}
		return &Error{Token: w, Problem: words.Say("start takes no such word"), Fix: fix}
	case !keyPattern().MatchString(key):
		return &Error{Token: chat.Cut(key, 40), Problem: words.Say("this is no name of a parameter"), Fix: words.Say("names begin with a letter and have letters, digits, _ . and -, at most 32 of them")}
	}
	if _, twice := c.Parameters[key]; twice {
		return &Error{Token: key, Problem: words.Say("this parameter stands twice"), Fix: words.Say("write it once")}
	}
	if c.Parameters == nil {
		c.Parameters = map[string]string{}
	}
	c.Parameters[key] = value
	return nil
}
