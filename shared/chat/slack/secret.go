package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

// The headers of a signed request (https://docs.slack.dev/authentication/verifying-requests-from-slack).
const (
	headerTimestamp = "X-Slack-Request-Timestamp" // seconds
	headerSignature = "X-Slack-Signature"
	version         = "v0"
)

const (
	minSecret = 24 // characters; Slack's have 32
	maxSecret = 256
)

// parseSecrets reads a comma-separated list, newest first. Its errors do not repeat the text.
func parseSecrets(list string) ([]secret.Text, error) {
	var secrets []secret.Text
	for i, s := range secret.List(list) {
		switch {
		case strings.HasPrefix(s, "xox"):
			return nil, fmt.Errorf("number %d is a token; the Signing Secret stands under Basic Information > App Credentials", i+1)
		case len(s) < minSecret || len(s) > maxSecret || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, fmt.Errorf("number %d is no Signing Secret: copy the 32 characters under Basic Information > App Credentials", i+1)
		}
		secrets = append(secrets, secret.New(s))
	}
	if len(secrets) == 0 {
		return nil, errors.New("none given: copy the Signing Secret under Basic Information > App Credentials")
	}
	return secrets, nil
}

// signed checks the raw body against every secret, in constant time each, and returns when Slack signed it. What is cheap to see
// is looked at first: a flood without headers costs no hashing.
func signed(q chat.Request, secrets []secret.Text) (time.Time, bool) {
	ts, sig := chat.Once(q.Header, headerTimestamp), chat.Once(q.Header, headerSignature)
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
		if s.Reveal() != "" && hmac.Equal(got, mac(s, ts, q.Body)) {
			ok = true
		}
	}
	return at, ok
}

// mac is the signature of a body. A secret's characters are the key: they are not decoded.
func mac(s secret.Text, ts string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(s.Reveal()))
	m.Write([]byte(version + ":" + ts + ":"))
	m.Write(body)
	return m.Sum(nil)
}

// every returns all values of a header, in whatever case its name is written.
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
	return at, chat.Fresh(at, now)
}
