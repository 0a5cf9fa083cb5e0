package slack

import (
	"net/http"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

const maxChallenge = 1024 // bytes

// event reads what comes from the Events API (https://docs.slack.dev/apis/events-api).
func (r *Receiver) event(raw []byte) (chat.Incoming, error) {
	o, err := parseObject(raw)
	if err != nil {
		return chat.Incoming{}, unreadable(err.Error())
	}
	if o.text("type") == "url_verification" { // it names no workspace: the signature is what it has
		return challenge(o.text("challenge"))
	}
	from := origin{app: o.text("api_app_id"), team: o.text("team_id"), enterprise: o.first("enterprise_id", "context_enterprise_id")}
	tenant, err := r.pin(from)
	if err != nil {
		return chat.Incoming{}, err
	}
	e, bots := o.in("event"), bots(o)
	if o.text("type") != "event_callback" || !wanted(e, bots) {
		return nothing(), nil
	}
	if !r.ours(from, o, e) {
		return chat.Incoming{}, chat.ErrAuth
	}
	return spoken(o, e, tenant, bots)
}

func challenge(text string) (chat.Incoming, error) {
	if text == "" || len(text) > maxChallenge {
		return chat.Incoming{}, unreadable("url_verification without a challenge")
	}
	return chat.Incoming{Response: &chat.Response{Status: http.StatusOK, Type: "text/plain; charset=utf-8", Body: []byte(text)}}, nil
}

// bots are the ids of our own bot, as far as the event says them.
func bots(o object) []string {
	var ids []string
	for _, a := range o.list("authorizations") {
		if id := a.text("user_id"); a.flag("is_bot") && id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// wanted reports whether an event is a person's words to the bot. Words of bots, its own ones first of all, are none. A mention in a
// direct message comes as a message, and a message in a channel as a mention: each is taken once.
func wanted(e object, bots []string) bool {
	user := e.text("user")
	if user == "" || user == "USLACKBOT" || slices.Contains(bots, user) || e.text("bot_id") != "" {
		return false
	}
	in := e.text("channel_type") == "im" || direct(e.text("channel"))
	switch e.text("type") {
	case "app_mention":
		return !in
	case "message":
		sub := e.text("subtype")
		return in && (sub == "" || sub == "thread_broadcast")
	}
	return false
}

// ours reports whether the words are those of a member: a channel may be shared with another company.
func (r *Receiver) ours(from origin, o, e object) bool {
	known := false
	for _, key := range []string{"team", "user_team", "source_team"} {
		if team := e.text(key); team != "" {
			if !r.member(from, team) {
				return false
			}
			known = true
		}
	}
	return known || !o.flag("is_ext_shared_channel")
}

// spoken reads one message. It is acknowledged with nothing: what Slack does with a body here is to ignore it.
func spoken(o, e object, tenant string, bots []string) (chat.Incoming, error) {
	user, channel, ts, id := e.text("user"), e.text("channel"), e.text("ts"), o.text("event_id")
	switch {
	case !isID(user):
		return chat.Incoming{}, unreadable("the message has no user")
	case !isID(channel):
		return chat.Incoming{}, unreadable("the message has no channel")
	case !isMark(ts) || !isMark(id):
		return chat.Incoming{}, unreadable("the message has no ts or no event_id")
	}
	mention := e.text("type") == "app_mention"
	return chat.Incoming{
		ID:      id,
		From:    chat.Principal{Platform: chat.Slack, Tenant: tenant, User: user},
		Text:    strings.TrimSpace(decode(unmention(e.text("text"), bots, mention || len(bots) == 0))),
		Channel: tenant + "/" + channel,
		Thread:  mark(e.text("thread_ts")),
		Message: ts,
		Direct:  direct(channel),
		Answer:  acknowledge,
	}, nil
}

// mark returns an id of Slack's, or "" for what is none.
func mark(s string) string {
	if !isMark(s) {
		return ""
	}
	return s
}
