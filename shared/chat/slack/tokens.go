package slack

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// anyTeam is the key of a token that is not bound to a workspace.
const anyTeam = ""

// tokens are bot tokens by workspace, newest first. Every way to print them hides them.
type tokens struct{ by map[string][]token }

// token is one bot token.
type token struct{ text string }

func (tokens) String() string              { return "[tokens]" }
func (tokens) GoString() string            { return "[tokens]" }
func (tokens) LogValue() slog.Value        { return slog.StringValue("[tokens]") }
func (token) String() string               { return hidden }
func (token) GoString() string             { return hidden }
func (token) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (token) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// of returns the tokens for a workspace, and after them those for any.
func (t tokens) of(team string) []token { return slices.Concat(t.by[team], t.by[anyTeam]) }

// parseTokens reads "T1=xoxb-…, T2=xoxb-…" or one token for all. Its errors do not repeat the text.
func parseTokens(list string) (tokens, error) {
	t := tokens{by: map[string][]token{}}
	for i, s := range entries(list) {
		team, text, found := strings.Cut(s, "=")
		if !found {
			team, text = anyTeam, s
		}
		team, text = strings.TrimSpace(team), strings.TrimSpace(text)
		switch {
		case found && !isTenant(team):
			return tokens{}, fmt.Errorf("number %d: before the = stands a workspace, such as T0123456", i+1)
		case strings.HasPrefix(text, "xoxe"):
			return tokens{}, fmt.Errorf("number %d is a token that expires: turn token rotation off (OAuth & Permissions), and install the app again", i+1)
		case !strings.HasPrefix(text, "xoxb-") || !printable(text):
			return tokens{}, fmt.Errorf("number %d is no bot token: copy the one that begins with xoxb- under OAuth & Permissions", i+1)
		}
		t.by[team] = append(t.by[team], token{text: text})
	}
	if len(t.by) == 0 {
		return tokens{}, errors.New("none given: copy the Bot User OAuth Token under OAuth & Permissions")
	}
	return t, nil
}

func printable(s string) bool {
	return len(s) >= 12 && len(s) <= 512 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isTenant takes the id of a workspace or of an organisation.
func isTenant(s string) bool {
	return isID(s) && (strings.HasPrefix(s, "T") || strings.HasPrefix(s, "E"))
}
