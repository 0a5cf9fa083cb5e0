package dingtalk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

const (
	// routeKey names the URL that a card's callbacks go to. It is registered once, with the card's secret.
	routeKey = "firedrill"
	// cardPrefix begins the id of every card.
	cardPrefix = "fd-"
)

// deliver posts a card: https://open.dingtalk.com/document/development/create-and-deliver-cards.
func (x *Sender) deliver(ctx context.Context, to chat.Address, channel string, m chat.Message) (string, error) {
	id := cardID(to, m)
	deliver := map[string]any{"robotCode": x.s.codes[0]}
	if users := at(m.Mention).Users; len(users) > 0 {
		names := map[string]string{}
		for _, u := range users {
			names[u] = u
		}
		deliver["atUserIds"] = names
	}
	in := map[string]any{
		"cardTemplateId": x.s.template, "outTrackId": id, "callbackType": "HTTP", "callbackRouteKey": routeKey, "userIdType": 1,
		"cardData":                map[string]any{"cardParamMap": params(channel, m)},
		"openSpaceId":             "dtv1.card//IM_GROUP." + channel,
		"imGroupOpenSpaceModel":   map[string]any{"supportForward": false},
		"imGroupOpenDeliverModel": deliver,
	}
	var out struct {
		Success *bool `json:"success"`
		Result  struct {
			DeliverResults []struct {
				Success *bool `json:"success"`
			} `json:"deliverResults"`
		} `json:"result"`
	}
	call := wire.Call{URL: x.s.api.base + "/v1.0/card/instances/createAndDeliver", What: "post a card to " + to.String(), Key: to.Key(), Rate: robotRate()}
	if err := x.api(ctx, call, in, &out); err != nil {
		return "", err
	}
	ok := out.Success == nil || *out.Success
	for _, r := range out.Result.DeliverResults {
		ok = ok && (r.Success == nil || *r.Success)
	}
	if !ok {
		return "", &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: it was made but not shown: is the robot in the group, and is %s published?", call.What, envTemplate)}
	}
	return id, nil
}

// change replaces what a card shows.
func (x *Sender) change(ctx context.Context, to chat.Address, channel, id string, m chat.Message) error {
	in := map[string]any{
		"outTrackId": id, "cardData": map[string]any{"cardParamMap": params(channel, m)},
		"cardUpdateOptions": map[string]bool{"updateCardDataByKey": true}, "userIdType": 1,
	}
	var out struct {
		Success *bool `json:"success"`
	}
	call := wire.Call{
		Method: http.MethodPut, URL: x.s.api.base + "/v1.0/card/instances", What: "change a card in " + to.String(),
		Key: "dingtalk cards", Rate: callRate(),
	}
	if err := x.api(ctx, call, in, &out); err != nil {
		return err
	}
	if out.Success != nil && !*out.Success {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: it was not changed", call.What)}
	}
	return nil
}

// cardID derives a card's id, at most 64 characters.
func cardID(to chat.Address, m chat.Message) string {
	id := m.ID
	if id == "" {
		id = m.Title + m.At.String()
	}
	return cardPrefix + events.ID("dingtalk card", to.Key(), id)
}

// params are the variables of the card's template. All values are texts.
func params(channel string, m chat.Message) map[string]string {
	out := map[string]string{varState: "", varLevel: string(m.Level), varButtons: buttons(channel, m.Buttons)}
	fit(maxParam, func(scale int) string {
		out[varTitle] = sign(m.Level) + " " + title(m, scale)
		out[varBody] = markdown(m, look{buttons: true, scale: scale})
		return encode(out)
	})
	return out
}

// cardButton is an element of the template's list of buttons.
type cardButton struct {
	Text   string    `json:"text"`
	Color  string    `json:"color"`
	Status string    `json:"status"`
	Event  cardEvent `json:"event"`
}

type cardEvent struct {
	Type   string     `json:"type"`
	Params cardAction `json:"params"`
}

type cardAction struct {
	ID     string            `json:"actionId"`
	Params map[string]string `json:"params"`
}

func buttons(channel string, all []chat.Button) string {
	list := []cardButton{}
	for i, b := range pressable(all) {
		list = append(list, cardButton{
			Text: chat.Line(b.Label, maxLabel), Color: colour(b.Style), Status: "normal",
			Event: cardEvent{Type: "sendCardRequest", Params: cardAction{
				ID: "b" + strconv.Itoa(i), Params: map[string]string{paramToken: b.Token, paramChannel: channel},
			}},
		})
	}
	return encode(list)
}

func colour(s chat.Style) string {
	switch s {
	case chat.Primary:
		return "blue"
	case chat.Danger:
		return "red"
	}
	return "gray"
}
