package chat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// ErrAuth is the one answer to a request that cannot be trusted, whatever the reason: it does not help anybody to find out why.
var ErrAuth = errors.New("the request cannot be trusted")

// Principal is who did something in chat: a platform, a tenant of it (workspace, company), and a user id that never changes. Names
// are no part of it.
type Principal struct {
	Platform Platform
	Tenant   string
	User     string
}

// String returns the principal as an actor: platform:tenant/user.
func (p Principal) String() string { return string(p.Platform) + ":" + p.Tenant + "/" + p.User }

// Request is what a platform sent: the bytes as they came, before any parsing. Header names are canonical, whatever the runtime
// made of them.
type Request struct {
	Method string
	Header http.Header
	Query  url.Values
	Body   []byte
	Now    time.Time // the clock that signatures are checked against
}

// Response is the HTTP answer to a request.
type Response struct {
	Status int    // 0 means 200
	Type   string // Content-Type, "" for no body
	Body   []byte
}

// Receiver is a platform's inbound side. It must be safe for concurrent use, makes no call to anybody, and looks at nothing in a
// request before its signature holds.
type Receiver interface {
	// Receive verifies a request and reads what somebody did. What cannot be trusted is an error that wraps ErrAuth; any other error
	// is a genuine request that cannot be read, and its text may be shown.
	Receive(r Request) (Incoming, error)
}

// Incoming is what somebody did in chat: typed a command, or pressed a button.
type Incoming struct {
	// Response is set where there is nothing to do but to answer: a handshake, a probe, an event that is no command.
	Response *Response

	ID      string    // the platform's own id of the occurrence: the same when it is delivered again
	From    Principal // never empty where Response is nil
	Text    string    // the command as typed, without the mention of the bot; "" with Token
	Token   string    // of the button that was pressed
	Channel string    // place of the conversation as in an Address: tenant/channel
	Thread  string    // root of the thread that it was said in, as in Posted.Thread; "" outside of threads
	Message string    // id of the message that it was said in, or whose button was pressed, as in Posted.ID
	Direct  bool      // said to the bot alone

	ReplyURL   string    // where one answer may be posted, "" for none; a secret
	ReplyUntil time.Time // until when

	// Says reports whether Answer's text reaches the person. Where it does not, the answer is posted later.
	Says bool
	// Answer makes the acknowledgement. It is never nil where Response is nil.
	Answer func(Answer) Response
}

// Answer is what a person is told about what they did.
type Answer struct {
	Text   string   // plain text: the platform's receiver escapes it
	Failed bool     // nothing was done
	Drill  string   // the drill that it is about, where it is known
	Events []string // ids of the commands that were published
	Done   string   // for a pressed button: what became of it in a few words, such as "approved by U1"; "" leaves the card as it is
}

// Saying is an answer that is posted after the acknowledgement.
type Saying struct {
	To      Address   // the conversation
	Thread  string    // as Incoming had it
	Message string    // as Incoming had it
	User    string    // to whom: the id alone
	Text    string    // plain
	Mode    string    // SANDBOX or LIVE
	URL     string    // the reply URL, "" for none or when it is too late for it
	ID      string    // derived, the same when it is said again
	At      time.Time // of what is answered
}

// Answerer is a Sender that can tell one person something where they asked, as privately as the platform allows.
type Answerer interface {
	Say(ctx context.Context, s Saying) error
}
