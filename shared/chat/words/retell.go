package words

import (
	"regexp"
	"strings"
	"sync"
	"time"
)

// Retell says in a language what the journal says in English. The sentences of drills are known by their forms; what has no form, such as a
// vendor's words, stays as it is. Instants are shown in the zone, with their offset; nil means UTC.
func Retell(s string, l Lang, zone *time.Location) string {
	if l == Chinese {
		s, _ = retell(s, 0)
	}
	if zone == nil {
		zone = time.UTC
	}
	return instants().ReplaceAllStringFunc(s, func(at string) string {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return at
		}
		return t.In(zone).Format("2006-01-02 15:04:05 -07:00")
	})
}

var instants = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)`)
})

// Word says one known word in a language: a state, an action, a verdict. Any other stays as it is.
func Word(s string, l Lang) string {
	if w, ok := knownWords()[s]; ok && l == Chinese {
		return w
	}
	return s
}

// form is the form of a sentence: what stands between its arguments, and its Chinese, where $1 is the first argument as it is, @1 is one
// that may be a sentence itself, &1 may be several, each with a full stop but the last, and #1 must be a known word.
type form struct {
	between []string
	verbs   []string // %d takes a number alone
	chinese string
}

// forms are read from their table once.
var forms = sync.OnceValue(func() []form {
	var all []form
	for _, s := range sentences() {
		all = append(all, form{between: verbs().Split(s[0], -1), verbs: verbs().FindAllString(s[0], -1), chinese: s[1]})
	}
	return all
})

var verbs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%[sdqv]`) })

// deepest is how many sentences may stand in one another.
const deepest = 4

// retell returns the Chinese of a sentence, of a known word, or of several sentences, and whether there is any.
func retell(s string, depth int) (string, bool) {
	if w, ok := knownWords()[s]; ok && depth > 0 {
		return w, true
	}
	if depth > deepest {
		return s, false
	}
	for _, f := range forms() {
		if args, ok := f.match(s); ok {
			if said, ok := f.say(args, depth); ok {
				return said, true
			}
		}
	}
	return several(s, "; ", "；", depth)
}

// several retells sentences that stand in a row. One that is not known is taken for the rest of the one before it.
func several(s, between, chinese string, depth int) (string, bool) {
	parts := strings.Split(s, between)
	if len(parts) == 1 {
		return s, false
	}
	var out strings.Builder
	known := false
	for i, p := range parts {
		said, ok := retell(p, depth+1)
		switch {
		case i == 0:
		case ok:
			out.WriteString(chinese)
		default:
			out.WriteString(between)
		}
		out.WriteString(said)
		known = known || ok
	}
	return out.String(), known
}

// match finds the arguments of a sentence of this form.
func (f form) match(s string) ([]string, bool) {
	first, last := f.between[0], f.between[len(f.between)-1]
	if len(f.between) == 1 {
		return nil, s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return nil, false
	}
	s = s[len(first) : len(s)-len(last)]
	var args []string
	for _, b := range f.between[1 : len(f.between)-1] {
		arg, rest, ok := strings.Cut(s, b)
		if !ok {
			return nil, false
		}
		args, s = append(args, arg), rest
	}
	args = append(args, s)
	for i, arg := range args {
		if arg == "" || f.verbs[i] == "%d" && strings.Trim(arg, "0123456789") != "" {
			return nil, false
		}
	}
	return args, true
}

// say fills the arguments in. It cannot where one of them is not the word that it must be.
func (f form) say(args []string, depth int) (string, bool) {
	ok := true
	said := holes().ReplaceAllStringFunc(f.chinese, func(hole string) string {
		arg := args[hole[1]-'1']
		switch hole[0] {
		case '@':
			arg, _ = retell(arg, depth+1)
		case '&':
			if said, ok := several(arg, ". ", "。", depth); ok {
				return said
			}
			arg, _ = retell(arg, depth+1)
		case '#':
			w, known := knownWords()[arg]
			if !known {
				ok = false
			}
			return w
		}
		return arg
	})
	return said, ok
}

var holes = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[$@&#][1-9]`) })
