package wecom

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
)

const (
	hidden   = "[secret]"
	aesChars = 43 // characters of an EncodingAESKey
	aesBytes = 32
)

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
