package dingtalk

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

const maxID = 256 // bytes of any id that we take over

// Receiver is the inbound side: a robot's messages in HTTP mode, and the callbacks of cards. It is safe for concurrent use.
type Receiver struct {
	secrets []secret // of the app: they sign the robot's messages
	cards   []secret // of the card callbacks
	tenants []string
	robots  []string // robot codes
	hosts   []string // where replies may be posted
	local   bool     // the endpoints are on this machine: so may be the reply URLs
	seen    *memory
}

var _ chat.Receiver = (*Receiver)(nil)

// String hides the secrets.
func (*Receiver) String() string { return "dingtalk receiver" }

// GoString hides the secrets.
func (*Receiver) GoString() string { return "dingtalk receiver" }

// LogValue hides the secrets.
func (*Receiver) LogValue() slog.Value { return slog.StringValue("dingtalk receiver") }

// Receive verifies what DingTalk sent and reads it. The signature covers a time alone, so whatever does not show that it comes from a
// tenant and a robot of ours is chat.ErrAuth too, even if it is no JSON at all.
func (v *Receiver) Receive(r chat.Request) (chat.Incoming, error) {
	card := one(r.Header, headerCardSign) != ""
	robot := one(r.Header, headerSign) != ""
	if r.Method != http.MethodPost || card == robot {
		return chat.Incoming{}, chat.ErrAuth
	}
	if card {
		return v.card(r)
	}
	return v.message(r)
}

// admit is the last check: it is made when all else about the request is right, so that nothing else fills the memory.
func (v *Receiver) admit(sign [32]byte, r chat.Request) error {
	if !v.seen.admit(sign, r.Body, r.Now) {
		return chat.ErrAuth
	}
	return nil
}

// replyURL returns a reply URL that points at DingTalk, "" for any other.
func (v *Receiver) replyURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > 2048 || u.User != nil || u.Opaque != "" {
		return ""
	}
	if !slices.Contains(v.hosts, strings.ToLower(u.Host)) {
		return ""
	}
	if u.Scheme != "https" && (!v.local || u.Scheme != "http") {
		return ""
	}
	return raw
}

// object is a JSON object read by the exact names of its members: encoding/json alone would take "senderstaffid" for
// "senderStaffId". All that is checked and all that is used is read from the same object.
type object map[string]json.RawMessage

func parse(raw []byte) object {
	var o object
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

// text returns a member that is a string, "" for any other.
func (o object) text(name string) string {
	var s string
	if json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}

// no reports whether a member is false; one that is missing is not.
func (o object) no(name string) bool { return string(bytes.TrimSpace(o[name])) == "false" }

// object returns a member that is an object, or the text of one: DingTalk writes both.
func (o object) object(name string) object {
	if s := o.text(name); s != "" {
		return parse([]byte(s))
	}
	return parse(o[name])
}

// time returns a member that is a time in milliseconds, the zero time for any other.
func (o object) time(name string) time.Time {
	var n int64
	if json.Unmarshal(o[name], &n) != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// valid reports whether an id can be part of an address or of an actor.
func valid(id string) bool {
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\u00a0' || r == '\ufffd' })
}
