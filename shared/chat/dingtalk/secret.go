package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// The headers that DingTalk signs with: the first two of a robot's messages, the others of a card's callbacks.
const (
	headerTime     = "timestamp"
	headerSign     = "sign"
	headerCardTime = "x-ddpaas-signature-timestamp"
	headerCardSign = "x-ddpaas-signature"
)

// tolerance is how far a signature's time may be from ours. The vendor allows an hour for robots and says nothing for cards.
const tolerance = 5 * time.Minute

const hidden = "[dingtalk secret]"

// secret is a key or an access token. Every way to print it hides it.
type secret struct{ text string }

// String hides the secret.
func (secret) String() string { return hidden }

// GoString hides the secret.
func (secret) GoString() string { return hidden }

// LogValue hides the secret.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret.
func (secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// mac makes a signature of a time.
type mac func(s secret, timestamp string) []byte

// robotMAC is the signature of a robot's messages, and of what we send to a custom robot.
func robotMAC(s secret, timestamp string) []byte { return hash(s, timestamp+"\n"+s.text) }

// cardMAC is the signature of a card's callbacks.
func cardMAC(s secret, timestamp string) []byte { return hash(s, timestamp) }

func hash(s secret, message string) []byte {
	m := hmac.New(sha256.New, []byte(s.text))
	m.Write([]byte(message))
	return m.Sum(nil)
}

// verify checks the signature of a time with any of the secrets and returns it. Every failure is chat.ErrAuth.
func verify(h http.Header, timeName, signName string, secrets []secret, sum mac, now time.Time) ([sha256.Size]byte, error) {
	none := [sha256.Size]byte{}
	ts, sign := one(h, timeName), one(h, signName)
	if !fresh(ts, now) || len(sign) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return none, chat.ErrAuth
	}
	got, err := base64.StdEncoding.Strict().DecodeString(sign)
	if err != nil || len(got) != sha256.Size {
		return none, chat.ErrAuth
	}
	ok := false
	for _, s := range secrets { // all of them, so that it takes the same time whichever it was
		if s.text != "" && hmac.Equal(got, sum(s, ts)) {
			ok = true
		}
	}
	if !ok {
		return none, chat.ErrAuth
	}
	return [sha256.Size]byte(got), nil
}

// one returns a header that must stand exactly once, however its name is written: two could be read differently by two readers.
func one(h http.Header, name string) string {
	value, n := "", 0
	for k, values := range h {
		if !strings.EqualFold(k, name) {
			continue
		}
		if n += len(values); len(values) > 0 {
			value = values[0]
		}
	}
	if n != 1 {
		return ""
	}
	return value
}

// fresh reports whether a time in milliseconds is close to ours.
func fresh(ts string, now time.Time) bool {
	if len(ts) != 13 || strings.Trim(ts, "0123456789") != "" {
		return false
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	if err != nil {
		return false
	}
	age := now.Sub(time.UnixMilli(n))
	return age <= tolerance && age >= -tolerance
}
