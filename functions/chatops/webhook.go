package chatops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat/webhook"
)

// maxBody is the most bytes that a request may have.
const maxBody = 64 << 10

// hook is the generic webhook platform.
type hook struct {
	f    *Function
	seen *seen
	wall func() time.Time
}

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

func (h *hook) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		write(w, http.StatusMethodNotAllowed, Reply{Text: "send a signed POST"})
		return
	}
	if len(r.Header.Values(webhook.HeaderSignature)) == 0 {
		unauthorised(w) // the cheapest refusal first
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		write(w, http.StatusRequestEntityTooLarge, Reply{Text: "the request is too large"})
		return
	case err != nil:
		write(w, http.StatusBadRequest, Reply{Text: "the request could not be read"})
		return
	}
	id, err := webhook.Verify(r.Header, body, h.f.Secrets, h.wall())
	if err != nil {
		h.f.Log.Warn("request refused", "reason", "signature, timestamp or headers")
		unauthorised(w)
		return
	}
	h.verified(w, r, id, body)
}

// verified answers a request that comes from where it says. One that was answered before gets the same answer and does nothing.
func (h *hook) verified(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	req, problem := decode(body)
	if problem != "" {
		write(w, http.StatusBadRequest, Reply{Text: problem})
		return
	}
	if len(h.f.Tenants) > 0 && !slices.Contains(h.f.Tenants, req.Tenant) {
		h.f.Log.Warn("request refused", "reason", "tenant")
		unauthorised(w)
		return
	}
	key := seenKey(id, body)
	if reply, ok := h.seen.get(key, h.wall()); ok {
		write(w, http.StatusOK, reply)
		return
	}
	c := caller{native: id, actor: "webhook:" + req.Tenant + "/" + req.User, origin: "webhook:" + req.Tenant}
	reply, err := h.f.answer(r.Context(), c, req.Text)
	if err != nil {
		h.f.Log.Error("command not taken", "error", err)
		write(w, http.StatusServiceUnavailable, reply)
		return
	}
	if len(reply.Events) > 0 {
		h.seen.put(key, reply, h.wall())
	}
	write(w, http.StatusOK, reply)
}

// namePattern keeps actors unambiguous: platform:tenant/user has one colon and one slash of ours.
var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$`) })

// decode reads a body that was verified. The problem is for the sender; it repeats nothing of the body.
func decode(body []byte) (Request, string) {
	var req Request
	if !utf8.Valid(body) {
		return req, "the body is not UTF-8"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, `the body is not as expected: send {"text": "/drill status", "user": "alice", "tenant": "acme"}, with "channel" if you like, and nothing else`
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, "something follows after the body's JSON"
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

// unauthorised is the one answer to everything that is not trusted: it does not help anybody to find out why.
func unauthorised(w http.ResponseWriter) {
	write(w, http.StatusUnauthorized, Reply{Text: "not authorised"})
}

func write(w http.ResponseWriter, status int, reply Reply) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(reply) // the sender is gone: there is nobody to tell
}
