// Package secret keeps what nobody may see: signing keys, access tokens and reply URLs of chat platforms.
package secret

import (
	"log/slog"
	"strings"
)

// hidden is what every secret is shown as.
const hidden = "[secret]"

// Text is a secret. Every way to print it hides it; its zero value is empty, and signs and opens nothing. Two of the same text are equal
// by ==, which is no comparison for what comes from outside: that takes constant time.
type Text struct{ text string }

// New returns a text as a secret.
func New(text string) Text { return Text{text} }

// Reveal returns the text itself, for where it is used and never for what is shown or logged.
func (t Text) Reveal() string { return t.text }

// String hides the text.
func (Text) String() string { return hidden }

// GoString hides the text.
func (Text) GoString() string { return hidden }

// LogValue hides the text.
func (Text) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the text.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// List splits a comma-separated list as it stands in the environment, newest first, and leaves out what is empty: an empty secret can never
// verify anything. Whoever finds a mistake in an entry names its place in the list, from 1 on, and never the entry.
func List(s string) []string {
	var all []string
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
