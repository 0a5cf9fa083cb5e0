package slack

import (
	"strings"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// Slack counts characters and does not say which kind. We count UTF-16 units, of which an emoji has two: never too few.
func units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}

// escapes are the characters that Slack reads as the begin of a mention or a link. There are no others: everything else in mrkdwn
// changes how a text looks, which is why texts of others stand in objects that interpret nothing.
func escaped(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	}
	return ""
}

// cut returns at most n units of s; an ellipsis, which counts, shows that there was more.
func cut(s string, n int) string { return shorten(s, n, func(rune) string { return "" }) }

// cutEscaped returns s escaped, in at most n units. It never cuts an escape in two.
func cutEscaped(s string, n int) string { return shorten(s, n, escaped) }

func shorten(s string, n int, replace func(rune) string) string {
	var b strings.Builder
	used, end := 0, 0 // end is where the ellipsis would stand
	for _, r := range s {
		size, text := units(r), replace(r)
		if text != "" {
			size = len(text)
		}
		if used+size > n {
			if n <= 0 {
				return ""
			}
			return b.String()[:end] + "…"
		}
		if text == "" {
			b.WriteRune(r)
		} else {
			b.WriteString(text)
		}
		if used += size; used < n {
			end = b.Len()
		}
	}
	return b.String()
}

// width counts a text's units.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += units(r)
	}
	return n
}

// line is one line of somebody's words; a text object must not be empty.
func line(s string, n int) string {
	if s = cut(chat.Line(s, n), n); s == "" {
		return "–"
	}
	return s
}

// pieces splits a text into parts of at most n units, at line breaks where there are any.
func pieces(s string, n int) []string {
	var all []string
	for width(s) > n {
		end := 0
		for used := 0; end < len(s); {
			r, size := utf8.DecodeRuneInString(s[end:])
			if used += units(r); used > n {
				break
			}
			end += size
		}
		if i := strings.LastIndexByte(s[:end], '\n'); i > 0 {
			end = i
		}
		all = append(all, s[:end])
		s = strings.TrimPrefix(s[end:], "\n")
	}
	return append(all, s)
}

// part is a piece of a text: words, or a link.
type part struct {
	text string
	url  bool
}

// links finds the web addresses in a text. The sign that ends a sentence is no part of them.
func links(s string) []part {
	var all []part
	add := func(p part) {
		if p.text != "" {
			all = append(all, p)
		}
	}
	for s != "" {
		i := strings.Index(s, "https://")
		if j := strings.Index(s, "http://"); i < 0 || j >= 0 && j < i {
			i = j
		}
		if i < 0 {
			break
		}
		end := strings.IndexFunc(s[i:], func(r rune) bool { return r <= ' ' || r == '<' || r == '>' || r == '"' || r == '|' || r > '~' })
		if end < 0 {
			end = len(s) - i
		}
		u := strings.TrimRight(s[i:i+end], ".,;:!?')]}*_~`")
		bare := strings.HasSuffix(u, ":/") || strings.HasSuffix(u, "//") || strings.HasSuffix(u, "http") || strings.HasSuffix(u, "https")
		add(part{text: s[:i]})
		add(part{text: u, url: !bare})
		s = s[i+len(u):]
	}
	add(part{text: s})
	return all
}

// isLink reports whether a value is a web address and nothing else.
func isLink(s string) bool {
	p := links(s)
	return len(p) == 1 && p[0].url && len(s) <= 2000
}

// linkTo writes a link in mrkdwn. A bar would end the address.
func linkTo(u, label string) string {
	u = strings.ReplaceAll(cutEscaped(u, 2500), "|", "%7C")
	if label == "" {
		return "<" + u + ">"
	}
	return "<" + u + "|" + cutEscaped(label, 200) + ">"
}
