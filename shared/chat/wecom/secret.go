package wecom

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

const (
	hidden   = "[secret]"
	aesChars = 43 // characters of an EncodingAESKey
	aesBytes = 32
)

// secret is a text that every way to print it hides: a callback's token, an app's secret, a robot's key.
type secret struct{ text string }

// String hides the secret.
func (secret) String() string { return hidden }

// GoString hides the secret.
func (secret) GoString() string { return hidden }

// LogValue hides the secret.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// aesKey is an EncodingAESKey, decoded. Every way to print it hides it.
type aesKey struct{ raw [aesBytes]byte }

// String hides the key.
func (aesKey) String() string { return hidden }

// GoString hides the key.
func (aesKey) GoString() string { return hidden }

// LogValue hides the key.
func (aesKey) LogValue() slog.Value { return slog.StringValue(hidden) }

// parseKey reads the 43 characters that the console shows. They are base64 without the "=" at the end; the last character may carry
// bits that mean nothing, and does in WeCom's own sample.
func parseKey(s string) (aesKey, error) {
	if len(s) != aesChars {
		return aesKey{}, fmt.Errorf("it has %d characters, want the %d of the EncodingAESKey", len(s), aesChars)
	}
	raw, err := base64.StdEncoding.DecodeString(s + "=")
	if err != nil || len(raw) != aesBytes {
		return aesKey{}, errors.New("want the EncodingAESKey: letters and digits alone")
	}
	return aesKey{raw: [aesBytes]byte(raw)}, nil
}

// list splits a comma-separated list, newest first, and leaves out what is empty: an empty secret can never verify anything.
func list(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
