package dingtalk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// webMessage is what custom robots and reply URLs take.
type webMessage struct {
	Type     string    `json:"msgtype"`
	Markdown *webText  `json:"markdown,omitempty"`
	Card     *webCard  `json:"actionCard,omitempty"`
	At       mentioned `json:"at"`
	UUID     string    `json:"msgUuid,omitempty"` // the same again is not shown again
}

type webText struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

type webCard struct {
	Title       string `json:"title"`
	Text        string `json:"text"`
	SingleTitle string `json:"singleTitle"`
	SingleURL   string `json:"singleURL"`
}

// mentioned is who is called. It says all that can be said, so that no text can call anybody.
type mentioned struct {
	Mobiles []string `json:"atMobiles"`
	Users   []string `json:"atUserIds"`
	All     bool     `json:"isAtAll"`
}

// customSend posts as a custom robot: https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages. A reply that is
// lost and a message that is sent again are one message for as long as DingTalk remembers its msgUuid.
func (x *Sender) customSend(ctx context.Context, to chat.Address, name string, m chat.Message) error {
	r, ok := x.s.robots[name]
	if !ok {
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("post to %s: %s has no robot of that name", to, envRobots)}
	}
	ts := strconv.FormatInt(x.now().UnixMilli(), 10)
	query := url.Values{"access_token": {r.token.text}, "timestamp": {ts}, "sign": {base64.StdEncoding.EncodeToString(robotMAC(r.key, ts))}}
	call := wire.Call{URL: x.s.oapi.base + "/robot/send?" + query.Encode(), What: "post to " + to.String(), Key: to.Key(), Rate: robotRate()}
	return x.web(ctx, call, customMessage(to, m))
}

// web makes a call that needs no access token.
func (x *Sender) web(ctx context.Context, call wire.Call, in webMessage) error {
	var out struct {
		Errcode *int64 `json:"errcode"`
	}
	res, err := x.wire.JSON(ctx, call, in, nil)
	if err = failure(x.wire, call, res, err); err != nil {
		return err
	}
	if json.Unmarshal(res.Body, &out) != nil || out.Errcode == nil {
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply does not say that it was taken", call.What)}
	}
	return nil
}

// customMessage is markdown, with one button where there is a page to open. Whom an escalation calls stands in the text as the vendor wants
// it, which a card's does not allow.
func customMessage(to chat.Address, m chat.Message) webMessage {
	out := webMessage{Type: "markdown", At: at(m.Mention), UUID: events.ID("dingtalk", to.Key(), m.ID)}
	if m.ID == "" {
		out.UUID = ""
	}
	page := link("x", m.Link)
	button := m.Mention == "" && strings.HasPrefix(page, "[")
	if button {
		out.Type = "actionCard"
	}
	fit(maxParam, func(scale int) string {
		k := look{heading: true, scale: scale}
		if !button {
			text := markdown(m, k) + callers(out.At)
			out.Markdown = &webText{Title: title(m, scale), Text: text}
			return encode(out)
		}
		plain := m
		plain.Link = ""
		out.Card = &webCard{Title: title(m, scale), Text: markdown(plain, k), SingleTitle: wordsOf(m.Lang).details, SingleURL: m.Link}
		return encode(out)
	})
	return out
}

// at returns whom a mention calls. Eleven digits are a mobile number, anything else is a user id.
func at(mention string) mentioned {
	out := mentioned{Mobiles: []string{}, Users: []string{}}
	for _, id := range whom(mention) {
		switch digits := strings.TrimPrefix(strings.TrimPrefix(id, "+86"), "-"); {
		case id == "all":
			out.All = true
		case len(digits) == 11 && digits[0] == '1' && strings.Trim(digits, "0123456789") == "":
			out.Mobiles = append(out.Mobiles, digits)
		case len(out.Users)+len(out.Mobiles) < 50: // more is not taken
			out.Users = append(out.Users, id)
		}
	}
	return out
}

// callers writes whom the message calls at its end: only there does a mention take effect.
func callers(m mentioned) string {
	var all []string
	for _, id := range append(append([]string{}, m.Users...), m.Mobiles...) {
		all = append(all, "@"+id)
	}
	if len(all) == 0 {
		return ""
	}
	return "\n\n" + strings.Join(all, " ")
}
