package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// The headers of a signed request (https://docs.slack.dev/authentication/verifying-requests-from-slack).
const (
	headerTimestamp = "X-Slack-Request-Timestamp" // seconds
	headerSignature = "X-Slack-Signature"
	version         = "v0"
)

const (
	tolerance = 5 * time.Minute
	minSecret = 24 // characters; Slack's have 32
	maxSecret = 256
)

// hidden is what every secret is shown as.
const hidden = "[secret]"

// secret is a signing secret: its characters are the key, they are not decoded. Every way to print it hides it.
type secret struct{ key []byte }

func (secret) String() string               { return hidden }
func (secret) GoString() string             { return hidden }
func (secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// parseSecrets reads a comma-separated list, newest first. Its errors do not repeat the text.
func parseSecrets(list string) ([]secret, error) {
	var secrets []secret
	for i, s := range entries(list) {
		switch {
		case strings.HasPrefix(s, "xox"):
			return nil, fmt.Errorf("number %d is a token; the Signing Secret stands under Basic Information > App Credentials", i+1)
		case len(s) < minSecret || len(s) > maxSecret || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, fmt.Errorf("number %d is no Signing Secret: copy the 32 characters under Basic Information > App Credentials", i+1)
		}
		secrets = append(secrets, secret{key: []byte(s)})
	}
	if len(secrets) == 0 {
		return nil, errors.New("none given: copy the Signing Secret under Basic Information > App Credentials")
	}
	return secrets, nil
}

// entries splits a list as it stands in the environment, without empty entries.
func entries(list string) []string {
	var all []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// signed checks the raw body against every secret, in constant time each, and returns when Slack signed it. What is cheap to see
// is looked at first: a flood without headers costs no hashing.
func signed(q chat.Request, secrets []secret) (time.Time, bool) {
	ts, ok1 := one(q.Header, headerTimestamp)
	sig, ok2 := one(q.Header, headerSignature)
	if !ok1 || !ok2 {
		return time.Time{}, false
	}
	at, ok := fresh(ts, q.Now)
	text, isV0 := strings.CutPrefix(sig, version+"=")
	if !ok || !isV0 || len(text) != 2*sha256.Size {
		return time.Time{}, false
	}
	got, err := hex.DecodeString(text)
	if err != nil {
		return time.Time{}, false
	}
	ok = false
	for _, s := range secrets {
		if len(s.key) > 0 && hmac.Equal(got, s.mac(ts, q.Body)) {
			ok = true
		}
	}
	return at, ok
}

func (s secret) mac(ts string, body []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(version + ":" + ts + ":"))
	m.Write(body)
	return m.Sum(nil)
}

// one returns a header that must stand exactly once, in whatever case: two could be read differently by two readers.
func one(h http.Header, name string) (string, bool) {
	all := every(h, name)
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

func every(h http.Header, name string) []string {
	var all []string
	for key, values := range h {
		if strings.EqualFold(key, name) {
			all = append(all, values...)
		}
	}
	return all
}

func fresh(ts string, now time.Time) (time.Time, bool) {
	if ts == "" || len(ts) > 12 || strings.ContainsFunc(ts, func(r rune) bool { return r < '0' || r > '9' }) {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	at := time.Unix(n, 0)
	age := now.Sub(at)
	return at, age <= tolerance && age >= -tolerance
}
