package dingtalk

import (
	"encoding/json"
	"slices"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

// The names of a card's variables. They are part of the template that docs/chat/dingtalk.md describes.
const (
	varTitle   = "title"   // one line
	varBody    = "body"    // markdown
	varState   = "state"   // what became of a press
	varLevel   = "level"   // info, warning, urgent
	varButtons = "buttons" // a JSON array
)

// The names of a button's parameters, which come back when it is pressed.
const (
	paramToken   = "t"
	paramChannel = "c" // the callback does not say in which conversation the card stands
)

// card reads a press on a card's button: https://open.dingtalk.com/document/development/event-callback-card.
func (v *Receiver) card(r chat.Request) (chat.Incoming, error) {
	sign, err := verify(r.Header, headerCardTime, headerCardSign, v.cards, cardMAC, r.Now)
	if err != nil {
		return chat.Incoming{}, err
	}
	o := parse(r.Body)
	tenant, user, id := o.text("corpId"), o.text("userId"), o.text("outTrackId")
	if !slices.Contains(v.tenants, tenant) || !valid(user) || !valid(id) {
		return chat.Incoming{}, chat.ErrAuth
	}
	if err := v.admit(sign, r); err != nil {
		return chat.Incoming{}, err
	}
	params := o.object("content").object("cardPrivateData").object("params")
	t := params.text(paramToken)
	if o.text("type") != "actionCallback" || !isToken(t) {
		return chat.Incoming{Response: callback(nil)}, nil
	}
	in := chat.Incoming{
		// The callback has no id of its own. With the time that was signed, pressing again is something new, and a redelivery is not.
		ID:   events.ID("dingtalk card", id, user, t, one(r.Header, headerCardTime)),
		From: chat.Principal{Platform: chat.DingTalk, Tenant: tenant, User: user}, Token: t, Message: id,
		Answer: func(a chat.Answer) chat.Response {
			if a.Done == "" {
				return *callback(nil)
			}
			return *callback(map[string]string{varState: chat.Line(a.Done, 200), varButtons: "[]"})
		},
	}
	if c := params.text(paramChannel); valid(c) {
		in.Channel = tenant + "/" + c
	}
	return in, nil
}

// callback answers a card's callback: the variables that are to change, for all who see the card.
func callback(change map[string]string) *chat.Response {
	answer := map[string]any{}
	if change != nil {
		answer["cardUpdateOptions"] = map[string]bool{"updateCardDataByKey": true}
		answer["cardData"] = map[string]any{"cardParamMap": change}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		body = []byte("{}") // strings and booleans always marshal
	}
	return &chat.Response{Type: "application/json", Body: body}
}
