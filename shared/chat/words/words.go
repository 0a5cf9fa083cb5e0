// Package words is how Firedrill speaks English and Chinese: a text stands in the code in English, and a table has its Chinese.
package words

import (
	"fmt"
	"strings"
)

// Lang is a language that people are spoken to in.
type Lang string

// The languages. Anything else reads as English.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// LangOf returns the language that a channel asks for: "zh", "zh-CN" and "zh_Hans" are Chinese, all else is English.
func LangOf(s string) Lang {
	s = strings.ToLower(s)
	if s == "zh" || strings.HasPrefix(s, "zh-") || strings.HasPrefix(s, "zh_") {
		return Chinese
	}
	return English
}

// Phrase is a text in no language yet: a format in English and its arguments, which may be phrases too.
type Phrase struct {
	Format string
	Args   []any
}

// Told is a sentence of the journal as an argument of a phrase.
type Told string

// Say makes a phrase.
func Say(format string, args ...any) Phrase { return Phrase{Format: format, Args: args} }

// Empty reports whether there is no text.
func (p Phrase) Empty() bool { return p.Format == "" }

// String is the phrase in English.
func (p Phrase) String() string { return p.In(English, nil) }

// In is the phrase in a language: the table gives the Chinese of an English format. What the table lacks stays English.
func (p Phrase) In(l Lang, chinese map[string]string) string {
	format := p.Format
	if l == Chinese {
		if s, ok := chinese[format]; ok {
			format = s
		}
	}
	if len(p.Args) == 0 {
		return format
	}
	args := make([]any, len(p.Args))
	for i, a := range p.Args {
		switch inner := a.(type) {
		case Phrase:
			args[i] = inner.In(l, chinese)
		case Told:
			args[i] = Retell(string(inner), l, nil)
		default:
			args[i] = a
		}
	}
	return fmt.Sprintf(format, args...)
}
