package slack

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxProbe  = 1024 // bytes
	maxID     = 256  // of ids that Slack makes up
	maxReply  = 2048 // of a reply URL
	replyTime = 29 * time.Minute
)

// Receiver reads what Slack sends to the one Request URL. Its zero value trusts nobody. Every way to print it hides its secrets.
type Receiver struct {
	secrets []secret
	apps    []string // none: the signing secret alone says which
	tenants []string // ids of workspaces and of organisations
	replies replies
}

var _ chat.Receiver = (*Receiver)(nil)

// String hides the secrets.
func (Receiver) String() string { return "[slack receiver]" }

// GoString hides the secrets.
func (Receiver) GoString() string { return "[slack receiver]" }

// LogValue hides the secrets.
func (Receiver) LogValue() slog.Value { return slog.StringValue("[slack receiver]") }

// Receive verifies a request and reads it. What is not signed, too old, or from another app, workspace or company is chat.ErrAuth and
// nothing else. Slack's certificate probe (ssl_check) is answered unsigned, because nothing follows from it.
func (r *Receiver) Receive(q chat.Request) (chat.Incoming, error) {
	if probe(q) {
		return nothing(), nil
	}
	at, ok := signed(q, r.secrets)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if bytes.HasPrefix(bytes.TrimLeft(q.Body, " \t\r\n"), []byte("{")) {
		return r.event(q.Body)
	}
	form, err := parseForm(q.Body)
	if err != nil {
		return chat.Incoming{}, unreadable(err.Error())
	}
	if form["ssl_check"] == "1" {
		return nothing(), nil
	}
	if payload, ok := form["payload"]; ok {
		return r.interaction([]byte(payload), at)
	}
	return r.slash(form, at)
}

// probe recognises an unsigned ssl_check: nothing else stands in it but the token of old.
func probe(q chat.Request) bool {
	if len(q.Body) > maxProbe || len(every(q.Header, headerSignature)) > 0 {
		return false
	}
	form, err := parseForm(q.Body)
	if err != nil {
		return false
	}
	if q.Method == http.MethodGet && len(q.Body) == 0 && len(q.Query["ssl_check"]) == 1 {
		form["ssl_check"] = q.Query.Get("ssl_check")
	}
	_, token := form["token"]
	return form["ssl_check"] == "1" && (len(form) == 1 || len(form) == 2 && token)
}

// origin is where a payload says that it is from.
type origin struct{ app, team, enterprise string }

// pin returns the tenant that a payload is from: the workspace, or the organisation where that is what the deployment knows.
func (r *Receiver) pin(o origin) (string, error) {
	if len(r.apps) > 0 && !slices.Contains(r.apps, o.app) {
		return "", chat.ErrAuth
	}
	for _, id := range []string{o.team, o.enterprise} {
		if id != "" && slices.Contains(r.tenants, id) {
			return id, nil
		}
	}
	return "", chat.ErrAuth
}

// member reports whether somebody of that workspace belongs to us, not to a company that shares a channel with us.
func (r *Receiver) member(o origin, team string) bool {
	return team != "" && (team == o.team || slices.Contains(r.tenants, team))
}

// replies says which reply URLs are Slack's. They come in payloads, are credentials, and are posted to.
type replies struct {
	endpoint *url.URL // nil unless set by hand
}

// take returns the URL, or "" for one that nothing is ever posted to.
func (r replies) take(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxReply || u.Opaque != "" || u.User != nil || u.Fragment != "" {
		return ""
	}
	if u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks.slack-gov.com") {
		return raw
	}
	if r.endpoint != nil && u.Scheme == r.endpoint.Scheme && u.Host == r.endpoint.Host {
		return raw
	}
	return ""
}

// nothing is the answer where there is nothing to do.
func nothing() chat.Incoming { return chat.Incoming{Response: &chat.Response{Status: http.StatusOK}} }

// acknowledge is the answer to events and presses: Slack shows nothing of it.
func acknowledge(chat.Answer) chat.Response { return chat.Response{Status: http.StatusOK} }

func unreadable(why string) error { return fmt.Errorf("slack request: %s", why) }

// isID takes what Slack uses for teams, users and channels. Other signs would make one principal look like another.
func isID(s string) bool {
	return len(s) >= 2 && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// isMark takes other ids that Slack makes up: of events, triggers and messages.
func isMark(s string) bool {
	return s != "" && len(s) <= maxID && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// clip shortens a name of Slack's for an error.
func clip(s string) string { return chat.Line(s, 40) }
