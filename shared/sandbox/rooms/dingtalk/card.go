package dingtalk

import (
	"encoding/json"
	"net/http"
	"strings"
)

const maxTrackID = 64

// cardSend is what an interactive card is made or changed with.
type cardSend struct {
	TemplateID string `json:"cardTemplateId"`
	TrackID    string `json:"outTrackId"`
	Callback   string `json:"callbackType"`
	RouteKey   string `json:"callbackRouteKey"`
	Data       struct {
		Params map[string]string `json:"cardParamMap"`
	} `json:"cardData"`
	Space   string `json:"openSpaceId"`
	Deliver *struct {
		RobotCode string            `json:"robotCode"`
		At        map[string]string `json:"atUserIds"`
	} `json:"imGroupOpenDeliverModel"`
	Options struct {
		ByKey bool `json:"updateCardDataByKey"`
	} `json:"cardUpdateOptions"`
}

// createCard is https://open.dingtalk.com/document/development/create-and-deliver-cards. The same card again is the same card.
func (r *Room) createCard(_ *http.Request, body []byte) reply {
	var in cardSend
	if json.Unmarshal(body, &in) != nil {
		return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid: cardParamMap takes texts.")
	}
	switch {
	case !r.cards || in.TemplateID != template:
		return refuse(http.StatusBadRequest, "param.templateNotExist", "卡片模板不存在")
	case in.TrackID == "" || len(in.TrackID) > maxTrackID:
		return refuse(http.StatusBadRequest, "param.outTrackIdInvalid", "outTrackId")
	case in.Callback != "HTTP" || in.RouteKey != routeKey:
		return refuse(http.StatusBadRequest, "param.callbackRouteKeyNotExist", "callbackRouteKey")
	case in.Deliver == nil || in.Deliver.RobotCode != robotCode:
		return refuse(http.StatusBadRequest, "param.robotCodeInvalid", "robotCode")
	}
	talk, ok := strings.CutPrefix(in.Space, "dtv1.card//IM_GROUP.")
	delivered := map[string]any{"spaceId": talk, "spaceType": "IM_GROUP", "success": ok && talk == group}
	if !ok || talk != group {
		delivered["errorMsg"] = "chat is not exist"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if talk == group && r.byCard[in.TrackID] == nil {
		if ok, _ := r.robotMay(group); !ok {
			return refuse(http.StatusTooManyRequests, "send.too.fast", "发送速度太快")
		}
		r.byCard[in.TrackID] = r.add(&message{id: in.TrackID, talk: group, from: robotName, bot: true, card: in.Data.Params, called: len(in.Deliver.At) > 0})
	}
	return reply{status: http.StatusOK, body: map[string]any{"success": true, "result": map[string]any{"outTrackId": in.TrackID, "deliverResults": []any{delivered}}}}
}

// updateCard is https://open.dingtalk.com/document/development/interactive-card-update-interface.
func (r *Room) updateCard(_ *http.Request, body []byte) reply {
	var in cardSend
	if json.Unmarshal(body, &in) != nil {
		return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid: cardParamMap takes texts.")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.byCard[in.TrackID]
	if m == nil {
		return refuse(http.StatusBadRequest, "param.cardNotExist", "卡片不存在")
	}
	m.change(in.Data.Params, in.Options.ByKey)
	return reply{status: http.StatusOK, body: map[string]any{"success": true, "result": true}}
}

// change sets a card's variables: only those that are named, or all. The variables themselves are not written to: somebody may
// be looking.
func (m *message) change(params map[string]string, byKey bool) {
	next := map[string]string{}
	if byKey {
		for k, v := range m.card {
			next[k] = v
		}
	}
	for k, v := range params {
		next[k] = v
	}
	m.past, m.card = append(m.past, m.card), next
}

// cardButton is an element of the list that the template's buttons are made of.
type cardButton struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Event struct {
		Type   string `json:"type"`
		Params struct {
			ActionID string            `json:"actionId"`
			Params   map[string]string `json:"params"`
			URL      string            `json:"url"`
		} `json:"params"`
	} `json:"event"`
}

func (m *message) cardButtons() []cardButton {
	var all []cardButton
	if json.Unmarshal([]byte(m.card["buttons"]), &all) != nil {
		return nil
	}
	return all
}
