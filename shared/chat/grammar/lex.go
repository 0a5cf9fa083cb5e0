package grammar

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
)

// lexer reads words from the front of a text. What is left can be taken as free text at any time, so that an apostrophe
// in a note is never an open quote.
type lexer struct {
	rest string
	in   Context
}

func newLexer(text string) *lexer { return &lexer{rest: strings.TrimSpace(chat.Clean(text))} }

func (l *lexer) skip() {
	l.rest = strings.TrimLeftFunc(l.rest, func(r rune) bool { return space(r) || invisible(r) })
}

// word returns the next word, false at the end. A quote opens only at the beginning of a word or after "=", and inside double quotes
// \" and \\ stand for themselves.
func (l *lexer) word() (string, bool, error) {
	l.skip()
	if l.rest == "" {
		return "", false, nil
	}
	var b strings.Builder
	open := true // a quote may begin here
	begin := l.rest
	for l.rest != "" {
		r, size := utf8.DecodeRuneInString(l.rest)
		q := quote(r)
		switch {
		case space(r):
			return b.String(), true, nil
		case q != 0 && open:
			l.rest = l.rest[size:]
			if !l.quoted(&b, q) {
				return "", false, &Error{Token: chat.Cut(begin, 40), Problem: words.Say("this quote is never closed"), Fix: words.Say("close it, or leave it out")}
			}
			open = false
			continue
		case !invisible(r):
			s := fold(r)
			b.WriteString(s)
			open = s == "="
		}
		l.rest = l.rest[size:]
	}
	return b.String(), true, nil
}

// quoted reads up to the closing quote of the same kind.
func (l *lexer) quoted(b *strings.Builder, q rune) bool {
	for l.rest != "" {
		r, size := utf8.DecodeRuneInString(l.rest)
		l.rest = l.rest[size:]
		if quote(r) == q {
			return true
		}
		if r == '\\' && q == '"' && l.rest != "" && (l.rest[0] == '"' || l.rest[0] == '\\') {
			b.WriteByte(l.rest[0])
			l.rest = l.rest[1:]
			continue
		}
		b.WriteRune(r)
	}
	return false
}

// text returns all that is left, as it was written, without one pair of quotes around the whole.
func (l *lexer) text() string {
	l.skip()
	t := strings.TrimRightFunc(l.rest, func(r rune) bool { return space(r) || invisible(r) && !unicode.Is(unicode.Variation_Selector, r) })
	l.rest = ""
	first, n := utf8.DecodeRuneInString(t)
	last, m := utf8.DecodeLastRuneInString(t)
	if len(t) >= n+m && n > 0 && quote(first) == '"' && quote(last) == '"' && !strings.ContainsFunc(t[n:len(t)-m], func(r rune) bool { return quote(r) == '"' }) {
		t = t[n : len(t)-m]
	}
	return t
}

// unread reports whether a word follows.
func (l *lexer) unread() bool {
	l.skip()
	return l.rest != ""
}

// peek returns the next word without taking it; "" at the end or where the word cannot be read.
func (l *lexer) peek() string {
	c := *l
	w, _, err := c.word()
	if err != nil {
		return ""
	}
	return w
}

// name is a word that is a verb, an id or a scope, with the marks around it: people quote it, put it in brackets, and go on after a comma.
type name struct {
	before, after string
	word          string
	stuck         bool // letters follow at once, as in 停止 k7m2太慢了
}

// name takes the next word up to a mark. Those in keep are part of it.
func (l *lexer) name(keep string) name {
	word := func(r rune) bool { return !space(r) && !mark(r, keep) }
	n := name{before: l.run(func(r rune) bool { return space(r) || mark(r, "@\\") })}
	n.word = l.run(func(r rune) bool { return word(r) && !unicode.Is(unicode.Han, r) })
	if n.word == "" {
		n.word = l.run(word)
	}
	r, _ := utf8.DecodeRuneInString(l.rest)
	n.stuck = l.rest != "" && word(r)
	n.after = l.run(func(r rune) bool { return mark(r, "@\\") })
	return n
}

// run takes runes for as long as they are wanted.
func (l *lexer) run(wanted func(r rune) bool) string {
	var b strings.Builder
	for l.rest != "" {
		r, size := utf8.DecodeRuneInString(l.rest)
		if !invisible(r) {
			if !wanted(r) {
				break
			}
			b.WriteString(fold(r))
		}
		l.rest = l.rest[size:]
	}
	return b.String()
}

// mark reports whether a rune is a punctuation mark or a sign, and none of those in keep.
func mark(r rune, keep string) bool {
	if r != '—' && r != '―' { // two hyphens once folded, and yet they end a word
		r, _ = utf8.DecodeRuneInString(fold(r))
	}
	return (unicode.IsPunct(r) || unicode.IsSymbol(r)) && !strings.ContainsRune(keep, r)
}

func space(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) }

// invisible runes take part in no word.
func invisible(r rune) bool {
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// quote returns a straight double or single quote for what opens or closes a quotation, 0 for anything else.
func quote(r rune) rune {
	switch r {
	case '"', '“', '”', '„', '‟', '＂':
		return '"'
	case '\'', '‘', '’', '‚', '‛', '＇':
		return '\''
	}
	return 0
}

// fold writes full-width letters, digits and signs as ASCII, and every dash as a hyphen.
func fold(r rune) string {
	switch {
	case r == '—' || r == '―':
		return "--"
	case r == '\u2212', r >= utf8.RuneSelf && unicode.Is(unicode.Pd, r):
		return "-"
	case '\uff01' <= r && r <= '\uff5e':
		r -= 0xfee0
	}
	if quote(r) == '\'' {
		return "'"
	}
	if quote(r) == '"' {
		return `"`
	}
	return string(r)
}
