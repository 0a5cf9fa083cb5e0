package grammar

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/chat"
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
	return &Error{Problem: what + " is missing", Fix: "write /drill " + u.Form + ", for example /drill " + u.Example}
}

// end refuses words that the verb does not take: they may have been meant to matter.
func end(l *lexer, u usage) step {
	return func() error {
		w, ok, err := l.word()
		if err != nil {
			return err
		}
		if ok {
			return &Error{Token: w, Problem: fmt.Sprintf("%s takes no such word", u.Verb), Fix: "write /drill " + u.Form}
		}
		return nil
	}
}

func lower(s *string) step {
	return func() error {
		*s = strings.ToLower(*s)
		return nil
	}
}

// idPattern is a drill's id or its beginning.
var idPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]{1,32}$`) })

func drill(l *lexer, c *Command, u usage) step {
	return func() error {
		if err := required(l, u, "the drill's id", &c.Drill)(); err != nil {
			return err
		}
		typed := c.Drill
		c.Drill = strings.ToLower(c.Drill)
		switch {
		case c.Drill == All && u.Verb != Stop:
			return &Error{Token: typed, Problem: fmt.Sprintf("%s takes one drill", u.Verb), Fix: "write its id, which /drill status shows"}
		case !idPattern().MatchString(c.Drill):
			return &Error{Token: typed, Problem: "this is no id of a drill", Fix: "write the id that /drill status shows, or its first characters"}
		}
		return nil
	}
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

// scope reads a scope. For a halt it may be missing, and a first word that is none begins the reason: what somebody types in a
// hurry must halt, and a halt of all is the safe reading.
func scope(l *lexer, c *Command, must bool) step {
	return func() error {
		word := l.peek()
		s, ok := asScope(word)
		switch {
		case ok:
			c.Scope = s
			_, _, err := l.word()
			return err
		case must && word == "":
			return &Error{Problem: "the scope is missing", Fix: "write /drill release all reason, or environment/NAME or plan/NAME in place of all"}
		case must, strings.Contains(word, "/"):
			return &Error{Token: word, Problem: "this is no scope", Fix: "write all, environment/NAME or plan/NAME"}
		}
		c.Scope = All
		return nil
	}
}

func asScope(word string) (string, bool) {
	kind, name, slash := strings.Cut(word, "/")
	kind = strings.ToLower(kind)
	switch {
	case !slash && kind == All:
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
			return &Error{Token: w, Problem: "the answer is neither yes nor no", Fix: "write /drill " + u.Form}
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
		fix := "write expected, unexpected or inconclusive"
		if n := Near(w, verdicts); n != "" {
			fix = fmt.Sprintf("did you mean %q? The verdicts are expected, unexpected and inconclusive", n)
		}
		return &Error{Token: w, Problem: "this is no verdict", Fix: fix}
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
			return &Error{Token: w, Problem: fmt.Sprintf("a start takes at most %d words", MaxWords), Fix: "leave some parameters to their defaults"}
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
		return &Error{Token: w, Problem: "dry-run takes no value", Fix: "write dry-run alone"}
	case !found && strings.HasPrefix(w, "-"):
		return &Error{Token: w, Problem: "there are no flags", Fix: "write parameters as key=value, and dry-run as a word"}
	case !found:
		fix := "write parameters as key=value; quote a value that has spaces"
		if Near(w, []string{"dry-run"}) != "" {
			fix = `did you mean "dry-run"? Nothing was started`
		}
		return &Error{Token: w, Problem: "start takes no such word", Fix: fix}
	case !keyPattern().MatchString(key):
		return &Error{Token: chat.Cut(key, 40), Problem: "this is no name of a parameter", Fix: "names begin with a letter and have letters, digits, _ . and -, at most 32 of them"}
	}
	if _, twice := c.Parameters[key]; twice {
		return &Error{Token: key, Problem: "this parameter stands twice", Fix: "write it once"}
	}
	if c.Parameters == nil {
		c.Parameters = map[string]string{}
	}
	c.Parameters[key] = value
	return nil
}
