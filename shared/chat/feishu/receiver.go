package feishu

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

const (
	maxHandshake = 4 << 10 // bytes of a body that is not signed
	maxChallenge = 1 << 10 // bytes
	maxNonce     = 128     // bytes
)

// Receiver is Feishu's inbound side, for one app and the tenants that it is pinned to. Every way to print it hides its secrets.
type Receiver struct {
	app     string
	keys    []secret.Text // encrypt keys, newest first
	tokens  []secret.Text // verification tokens, newest first
	tenants []string
}

var _ chat.Receiver = (*Receiver)(nil)

// String hides the secrets.
func (*Receiver) String() string { return "feishu receiver" }

// GoString hides the secrets.
func (*Receiver) GoString() string { return "feishu receiver" }

// LogValue hides the secrets.
func (*Receiver) LogValue() slog.Value { return slog.StringValue("feishu receiver") }

// payload is what an encrypted body holds: a handshake, or an event of schema 2.0.
type payload struct {
	Type      string          `json:"type"`
	Token     string          `json:"token"`
	Challenge string          `json:"challenge"`
	Header    header          `json:"header"`
	Event     json.RawMessage `json:"event"`
}

type header struct {
	ID     string `json:"event_id"`
	Type   string `json:"event_type"`
	Token  string `json:"token"`
	App    string `json:"app_id"`
	Tenant string `json:"tenant_key"`
}

// Receive verifies a request over its raw bytes and reads what somebody did. Whatever cannot be trusted is chat.ErrAuth: no
// signature, a wrong or an old one, a body that is not exactly one encrypted value, a wrong verification token, app or tenant.
func (r *Receiver) Receive(q chat.Request) (chat.Incoming, error) {
	s, ok := read(q.Header)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if s.signature == "" {
		return r.handshake(q.Body)
	}
	key, ok := r.signer(s, q)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	p, ok := open(key, q.Body)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if p.Type == "url_verification" {
		return r.challenge(p)
	}
	if !among(r.tokens, p.Header.Token) || p.Header.App != r.app || !r.pinned(p.Header.Tenant) {
		return chat.Incoming{}, chat.ErrAuth
	}
	return r.event(p)
}

// stamp is the three headers of a signed request.
type stamp struct{ timestamp, nonce, signature string }

// read takes each header at most once, whatever its case: of two, one reader might take the one and another the other.
func read(h http.Header) (stamp, bool) {
	var s stamp
	into := map[string]*string{
		"x-lark-request-timestamp": &s.timestamp, "x-lark-request-nonce": &s.nonce, "x-lark-signature": &s.signature,
	}
	for name, values := range h {
		to := into[strings.ToLower(name)]
		if to == nil {
			continue
		}
		if len(values) != 1 || *to != "" || values[0] == "" {
			return stamp{}, false
		}
		*to = values[0]
	}
	if s.signature != "" && (s.timestamp == "" || s.nonce == "" || len(s.nonce) > maxNonce) {
		return stamp{}, false
	}
	return s, true
}

// signer returns the key that signed the request. All keys are tried, in constant time each.
func (r *Receiver) signer(s stamp, q chat.Request) (secret.Text, bool) {
	got, err := hex.DecodeString(s.signature)
	if err != nil || !fresh(s.timestamp, q.Now) {
		return secret.Text{}, false
	}
	var by secret.Text
	for _, key := range r.keys {
		want := signature(s.timestamp, s.nonce, key, q.Body)
		if subtle.ConstantTimeCompare(got, want[:]) == 1 {
			by = key
		}
	}
	return by, by.Reveal() != "" // an empty key signs nothing
}

// fresh takes exactly ten digits. Timestamp and nonce are signed as one text: were the length free, digits could move between them
// and make an old request look new. Feishu names no window: it is ours.
func fresh(timestamp string, now time.Time) bool {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || len(timestamp) != 10 || n < 0 || timestamp[0] == '+' {
		return false
	}
	return chat.Fresh(time.Unix(n, 0), now)
}

// open reads {"encrypt": "…"}, which must be all there is, and what is in it.
func open(key secret.Text, body []byte) (payload, bool) {
	var outer map[string]json.RawMessage
	if !chat.Unambiguous(body) || json.Unmarshal(body, &outer) != nil || len(outer) != 1 {
		return payload{}, false
	}
	var text string
	if json.Unmarshal(outer["encrypt"], &text) != nil {
		return payload{}, false
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return payload{}, false
	}
	plain, ok := decrypt(key, sealed)
	if !ok || !chat.Unambiguous(plain) {
		return payload{}, false
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return payload{}, false
	}
	return p, true
}

// handshake answers the one request that Feishu does not sign. Its secret is the verification token inside; all that anybody gets
// for it is what they sent.
func (r *Receiver) handshake(body []byte) (chat.Incoming, error) {
	if len(body) == 0 || len(body) > maxHandshake {
		return chat.Incoming{}, chat.ErrAuth
	}
	for _, key := range r.keys {
		if p, ok := open(key, body); ok && p.Type == "url_verification" {
			return r.challenge(p)
		}
	}
	return chat.Incoming{}, chat.ErrAuth
}

func (r *Receiver) challenge(p payload) (chat.Incoming, error) {
	if !among(r.tokens, p.Token) || p.Challenge == "" || len(p.Challenge) > maxChallenge {
		return chat.Incoming{}, chat.ErrAuth
	}
	return chat.Incoming{Response: answer(map[string]string{"challenge": p.Challenge})}, nil
}

func (r *Receiver) pinned(tenant string) bool {
	return tenant != "" && slices.Contains(r.tenants, tenant)
}

// answer is a reply of status 200. Feishu wants JSON in it, if only an empty object.
func answer(v any) *chat.Response {
	body, err := encode(v)
	if err != nil {
		body = []byte("{}")
	}
	return &chat.Response{Status: http.StatusOK, Type: "application/json; charset=utf-8", Body: body}
}

// nothing acknowledges what is no command.
func nothing() chat.Incoming { return chat.Incoming{Response: answer(struct{}{})} }
