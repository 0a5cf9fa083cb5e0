package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// The headers of a signed request.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	version       = "v1,"
	maxSignatures = 16
	maxID         = 256 // bytes
	minSecret     = 24  // bytes, by the standard
	maxSecret     = 64
)

// ErrAuth is the one answer to a request that cannot be trusted, whatever the reason.
var ErrAuth = errors.New("the request is not signed as it must be")

// Secret is a key of Standard Webhooks. Every way to print it hides it.
type Secret struct{ key []byte }

// ParseSecret reads "whsec_" and 24 to 64 bytes in base64; the prefix may be missing. Its errors do not repeat the text.
func ParseSecret(s string) (Secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(s), "whsec_"))
	if err != nil {
		return Secret{}, errors.New("webhook secret: want whsec_ and base64")
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, fmt.Errorf("webhook secret: it has %d bytes, want %d to %d", len(key), minSecret, maxSecret)
	}
	return Secret{key: key}, nil
}

// ParseSecrets reads a comma-separated list, newest first, as it stands in the environment. An empty list is an error: nothing
// could be verified or signed with it.
func ParseSecrets(list string) ([]Secret, error) {
	var secrets []Secret
	for i, s := range strings.Split(list, ",") {
		if strings.TrimSpace(s) == "" {
			continue
		}
		secret, err := ParseSecret(s)
		if err != nil {
			return nil, fmt.Errorf("number %d: %w", i+1, err)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil, errors.New("webhook secrets: none given")
	}
	return secrets, nil
}

// String hides the secret.
func (Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Sign sets the three headers on h, with one signature for each secret, so that the receiver may change to the new one
// in its own time.
func Sign(h http.Header, id string, at time.Time, body []byte, secrets []Secret) error {
	if len(secrets) == 0 {
		return errors.New("sign webhook: no secret")
	}
	if !validID(id) {
		return errors.New("sign webhook: the id is empty, too long, or has a dot or a character that no header takes")
	}
	ts := strconv.FormatInt(at.Unix(), 10)
	var sigs []string
	for _, s := range secrets {
		if len(s.key) == 0 {
			return errors.New("sign webhook: empty secret")
		}
		sigs = append(sigs, version+base64.StdEncoding.EncodeToString(s.mac(id, ts, body)))
	}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, ts)
	h.Set(HeaderSignature, strings.Join(sigs, " "))
	return nil
}

// Verify checks the raw body of a request against any of the secrets, in constant time, and returns its webhook-id. The
// timestamp must be within five minutes of now. Every failure is ErrAuth; no secret at all is one too.
func Verify(h http.Header, body []byte, secrets []Secret, now time.Time) (string, error) {
	id, ts, header := chat.Once(h, HeaderID), chat.Once(h, HeaderTimestamp), chat.Once(h, HeaderSignature)
	if !validID(id) || !fresh(ts, now) || header == "" {
		return "", ErrAuth
	}
	sigs := strings.Fields(header)
	if len(sigs) > maxSignatures {
		return "", ErrAuth
	}
	ok := false
	for _, s := range secrets {
		if len(s.key) == 0 {
			continue
		}
		want := s.mac(id, ts, body)
		for _, sig := range sigs {
			text, isV1 := strings.CutPrefix(sig, version)
			got, err := base64.StdEncoding.DecodeString(text)
			if isV1 && err == nil && hmac.Equal(got, want) {
				ok = true
			}
		}
	}
	if !ok {
		return "", ErrAuth
	}
	return id, nil
}

func (s Secret) mac(id, ts string, body []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(id + "." + ts + "."))
	m.Write(body)
	return m.Sum(nil)
}

func fresh(ts string, now time.Time) bool {
	n, err := strconv.ParseInt(ts, 10, 64)
	if err != nil || len(ts) > 12 || strings.HasPrefix(ts, "+") {
		return false
	}
	return chat.Fresh(time.Unix(n, 0), now)
}

// validID takes what the standard takes. A dot would let a signature stand for two different requests.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '.' {
			return false
		}
	}
	return true
}
