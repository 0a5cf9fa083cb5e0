package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cut returns at most n runes of s. What was cut is shown by an ellipsis, which counts as one of them.
func Cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	i := 0
	for range n - 1 {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s[:i] + "…"
}

// Line returns s as one line that is safe to show: line breaks and control characters become spaces, and characters
// that turn the direction of the text around vanish, as invalid bytes do. It is cut to n runes.
func Line(s string, n int) string {
	return Cut(strings.Join(strings.Fields(Clean(s)), " "), n)
}

// Clean removes from s what could hide or disguise text: invalid UTF-8, control characters other than line break and tab, and
// bidirectional controls. Everything else, emoji included, stays as it is.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r', r == utf8.RuneError, Bidi(r), r == '\ufeff':
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
}

// Bidi reports whether r changes the direction in which text is shown.
func Bidi(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}
