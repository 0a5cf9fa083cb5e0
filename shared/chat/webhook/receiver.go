package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

// maxBody is the most bytes that a request may have.
const maxBody = 64 << 10

// Receiver takes commands by signed webhook. The signature covers the body: whoever signs is trusted to say which person of
// which tenant typed the command.
type Receiver struct {
	Secrets []Secret // any of them may have signed
	Tenants []string // whose people may send; none: whomever the one who signs names
}

// ParseTenants reads a comma-separated list; "" is none.
func ParseTenants(list string) ([]string, error) {
	tenants := secret.List(list)
	for _, t := range tenants {
		if !namePattern().MatchString(t) {
			return nil, fmt.Errorf("%q is no tenant: want letters, digits and . _ @ + -", t)
		}
	}
	return tenants, nil
}

var _ chat.Receiver = (*Receiver)(nil)

// Request is the body that the generic webhook takes.
type Request struct {
	Text    string `json:"text"`   // the command, with or without /drill
	User    string `json:"user"`   // who typed it: an id that does not change, not a name
	Tenant  string `json:"tenant"` // of which team or company
	Channel string `json:"channel,omitempty"`
	Type    string `json:"type,omitempty"` // must be empty: our own outgoing messages have one
}

// Reply is what every request is answered with.
type Reply struct {
	Text   string   `json:"text"`
	Events []string `json:"events,omitempty"` // ids of the commands that were published
	Drill  string   `json:"drill,omitempty"`  // the drill that the command is about, where it is known
}

// Receive verifies a request and reads the command in it.
func (v *Receiver) Receive(r chat.Request) (chat.Incoming, error) {
	switch {
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "send a signed POST"), nil
	case chat.Once(r.Header, HeaderSignature) == "":
		return chat.Incoming{}, chat.ErrAuth // the cheapest refusal first
	case len(r.Body) > maxBody:
		return refuse(http.StatusRequestEntityTooLarge, "the request is too large"), nil
	}
	id, err := Verify(r.Header, r.Body, v.Secrets, r.Now)
	if err != nil {
		return chat.Incoming{}, chat.ErrAuth
	}
	req, problem := decode(r.Body)
	if problem != "" {
		return refuse(http.StatusBadRequest, problem), nil
	}
	if len(v.Tenants) > 0 && !slices.Contains(v.Tenants, req.Tenant) {
		return chat.Incoming{}, chat.ErrAuth
	}
	return chat.Incoming{
		ID: id, From: chat.Principal{Platform: chat.Webhook, Tenant: req.Tenant, User: req.User},
		Text: req.Text, Channel: req.Tenant + "/" + req.Channel, Says: true,
		Answer: func(a chat.Answer) chat.Response {
			return respond(http.StatusOK, Reply{Text: a.Text, Events: a.Events, Drill: a.Drill})
		},
	}, nil
}

func refuse(status int, text string) chat.Incoming {
	r := respond(status, Reply{Text: text})
	return chat.Incoming{Response: &r}
}

func respond(status int, reply Reply) chat.Response {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(reply) // texts always encode
	return chat.Response{Status: status, Type: "application/json; charset=utf-8", Body: b.Bytes()}
}

// namePattern keeps actors unambiguous: platform:tenant/user has one colon and one slash of ours.
var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$`) })

// decode reads a body that was verified. The problem is for the sender; it repeats nothing of the body.
func decode(body []byte) (Request, string) {
	var req Request
	if !utf8.Valid(body) {
		return req, "the body is not UTF-8"
	}
	if !chat.Unambiguous(body) {
		return req, "the body is not one JSON object in which each name stands once"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, `the body is not as expected: send {"text": "/drill status", "user": "alice", "tenant": "acme"}, with "channel" if you like, and nothing else`
	}
	switch {
	case req.Type != "":
		return req, "this is no command: leave type out"
	case !namePattern().MatchString(req.User):
		return req, "user: send the id of the person who typed the command: letters, digits and . _ @ + -"
	case !namePattern().MatchString(req.Tenant):
		return req, "tenant: send the id of the team: letters, digits and . _ @ + -"
	}
	return req, ""
}
