package wecom

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

const (
	// lateness is how much older than its delivery a message may be: WeCom tries three times, five seconds each.
	lateness = 10 * time.Minute
	maxNonce = 64
)

// Receiver reads the callback of the company's app. It makes no call, and is safe for concurrent use.
type Receiver struct {
	agents map[string]string // the app's id by the company's
	tokens []secret.Text     // newest first
	keys   []aesKey          // newest first; every key is tried with every token, since the two are changed one at a time
}

var _ chat.Receiver = (*Receiver)(nil)

// String hides the tokens and keys.
func (Receiver) String() string { return "[wecom receiver]" }

// GoString hides the tokens and keys.
func (Receiver) GoString() string { return "[wecom receiver]" }

// LogValue hides the tokens and keys.
func (Receiver) LogValue() slog.Value { return slog.StringValue("[wecom receiver]") }

// call is a request whose signature holds.
type call struct {
	now       time.Time
	timestamp string
	nonce     string
	token     secret.Text
	key       aesKey
	corp      string
}

// Receive verifies a request and reads what a member said to the app, or pressed.
func (r *Receiver) Receive(q chat.Request) (chat.Incoming, error) {
	c, plain, ok := r.open(q)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if q.Method == http.MethodGet { // the console checks the URL: it wants the bytes, and nothing else
		if bytes.HasPrefix(bytes.TrimSpace(plain), []byte("<")) { // a message, caught on its way, and sent for its text
			return chat.Incoming{}, chat.ErrAuth
		}
		return chat.Incoming{Response: &chat.Response{Type: "text/plain; charset=utf-8", Body: plain}}, nil
	}
	m, err := parse(plain)
	if err != nil {
		return chat.Incoming{}, err
	}
	if !r.ours(c, m) {
		return chat.Incoming{}, chat.ErrAuth
	}
	return incoming(c, m)
}

// open does all that must hold before anything is read: cheap things first.
func (r *Receiver) open(q chat.Request) (call, []byte, bool) {
	sum, ts, nonce := one(q.Query, "msg_signature"), one(q.Query, "timestamp"), one(q.Query, "nonce")
	if !fresh(ts, q.Now, chat.Tolerance) || !plainNonce(nonce) {
		return call{}, nil, false
	}
	text, ok := "", false
	switch q.Method {
	case http.MethodGet:
		text = one(q.Query, "echostr")
		ok = isBase64(text)
	case http.MethodPost:
		text, ok = encrypted(q.Body)
	}
	if !ok {
		return call{}, nil, false
	}
	token, ok := signed(r.tokens, sum, ts, nonce, text)
	if !ok {
		return call{}, nil, false
	}
	for _, key := range r.keys {
		plain, corp, opened := key.open(text)
		if _, pinned := r.agents[corp]; opened && pinned {
			return call{now: q.Now, timestamp: ts, nonce: nonce, token: token, key: key, corp: corp}, plain, true
		}
	}
	return call{}, nil, false
}

// ours pins the company and the app. CreateTime is looked at besides the timestamp, because what is signed is joined with nothing between
// its parts: with timestamp and nonce exchanged, an old request would have a good signature at the time that its nonce happens to name.
func (r *Receiver) ours(c call, m message) bool {
	return m["ToUserName"] == c.corp && m["AgentID"] == r.agents[c.corp] && fresh(m["CreateTime"], c.now, lateness)
}

// one returns a parameter that must stand exactly once: two could be read differently by two readers.
func one(q url.Values, name string) string {
	if v := q[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

func fresh(ts string, now time.Time, old time.Duration) bool {
	if len(ts) != 10 || !digits(ts, 10) {
		return false
	}
	n, err := strconv.ParseInt(ts, 10, 64)
	age := now.Sub(time.Unix(n, 0))
	return err == nil && age <= old && age >= -chat.Tolerance
}

func plainNonce(s string) bool {
	return s != "" && len(s) <= maxNonce && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f || !alnum(byte(r)) })
}

func incoming(c call, m message) (chat.Incoming, error) {
	switch {
	case m["MsgType"] == "text":
		return said(c, m)
	case m["MsgType"] == "event" && m["Event"] == "template_card_event":
		return pressed(c, m)
	}
	return chat.Incoming{Response: &chat.Response{}}, nil // pictures, locations, people who come and go
}

func said(c call, m message) (chat.Incoming, error) {
	user, id := m["FromUserName"], m["MsgId"]
	if !userID(user) || !digits(id, 20) {
		return chat.Incoming{}, errUnreadable
	}
	return chat.Incoming{
		ID: id, From: chat.Principal{Platform: chat.WeCom, Tenant: c.corp, User: user}, Text: strings.TrimSpace(m["Content"]),
		Channel: c.corp + "/" + user, Message: id, Direct: true, Says: true,
		Answer: func(a chat.Answer) chat.Response { return c.text(user, a.Text) },
	}, nil
}

func pressed(c call, m message) (chat.Incoming, error) {
	user, key := m["FromUserName"], m["EventKey"]
	if !userID(user) || key == "" || len(key) > 1024 {
		return chat.Incoming{}, errUnreadable
	}
	return chat.Incoming{
		ID: user + "|" + m["CreateTime"] + "|" + key, From: chat.Principal{Platform: chat.WeCom, Tenant: c.corp, User: user}, Token: key,
		Channel: c.corp + "/" + user, Message: m["TaskId"], Direct: true,
		Answer: func(a chat.Answer) chat.Response { return c.button(user, a.Done) },
	}, nil
}
