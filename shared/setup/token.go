package setup

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	minToken = 24
	maxToken = 512
)

// Tokens are bearer tokens, any of which opens. Every way to print them hides them.
type Tokens struct{ sums [][sha256.Size]byte }

// ParseTokens reads a comma-separated list. Its errors do not repeat it.
func ParseTokens(list string) (Tokens, error) {
	var t Tokens
	for i, s := range strings.Split(list, ",") {
		s = strings.TrimSpace(s)
		switch {
		case s == "":
			continue
		case len(s) < minToken || len(s) > maxToken:
			return Tokens{}, fmt.Errorf("number %d: it has %d bytes, want %d to %d", i+1, len(s), minToken, maxToken)
		}
		t.sums = append(t.sums, sha256.Sum256([]byte(s)))
	}
	if len(t.sums) == 0 {
		return Tokens{}, errors.New("none given")
	}
	return t, nil
}

// Open reports whether a token is one of them, in constant time. No token opens an empty list.
func (t Tokens) Open(token string) bool {
	sum := sha256.Sum256([]byte(token))
	ok := 0
	for _, s := range t.sums {
		ok |= subtle.ConstantTimeCompare(s[:], sum[:])
	}
	return ok == 1
}

// String hides the tokens.
func (Tokens) String() string { return "[tokens]" }

// GoString hides the tokens.
func (Tokens) GoString() string { return "[tokens]" }

// LogValue hides the tokens.
func (Tokens) LogValue() slog.Value { return slog.StringValue("[tokens]") }
