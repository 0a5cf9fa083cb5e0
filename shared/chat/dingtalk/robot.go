package dingtalk

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
)

// pressWord begins the text that a button of ours lets the person send who taps it; the button's token follows.
const pressWord = "press"

// sessionLife is what is assumed of a reply URL that does not say how long it is good. The vendor's own live for 90 minutes.
const sessionLife = time.Hour

// errNoText says what a message without text means.
var errNoText = errors.New("the message came without its text; DingTalk leaves it out when the organisation's quota of robot messages is used up")

// message reads what somebody said to the robot:
// https://open.dingtalk.com/document/orgapp/receive-message.
func (v *Receiver) message(r chat.Request) (chat.Incoming, error) {
	sign, err := verify(r.Header, headerTime, headerSign, v.secrets, robotMAC, r.Now)
	if err != nil {
		return chat.Incoming{}, err
	}
	o := parse(r.Body)
	tenant, user := o.text("senderCorpId"), o.text("senderStaffId")
	switch {
	case !slices.Contains(v.tenants, tenant), o.text("chatbotCorpId") != tenant, !slices.Contains(v.robots, o.text("robotCode")):
		return chat.Incoming{}, chat.ErrAuth
	case !valid(user): // somebody from outside the organisation has none
		return chat.Incoming{}, chat.ErrAuth
	case !valid(o.text("msgId")), !valid(o.text("conversationId")):
		return chat.Incoming{}, chat.ErrAuth
	}
	if err := v.admit(sign, r); err != nil {
		return chat.Incoming{}, err
	}
	text, ok := said(o)
	group := o.text("conversationType") != "1"
	if !ok || o.text("senderId") != "" && o.text("senderId") == o.text("chatbotUserId") || group && o.no("isInAtList") {
		return chat.Incoming{Response: &chat.Response{}}, nil
	}
	if text == "" && o.text("msgtype") == "text" && o["text"] == nil {
		return chat.Incoming{}, errNoText
	}
	in := chat.Incoming{
		ID: o.text("msgId"), From: chat.Principal{Platform: chat.DingTalk, Tenant: tenant, User: user},
		Text: text, Channel: tenant + "/" + o.text("conversationId"), Message: o.text("msgId"), Direct: !group,
		ReplyURL: v.replyURL(o.text("sessionWebhook")),
		Answer:   func(chat.Answer) chat.Response { return chat.Response{} },
	}
	if t, ok := press(text); ok {
		in.Token, in.Text, in.Message = t, "", "" // nothing says whose button it was
	}
	if in.ReplyURL != "" {
		if in.ReplyUntil = o.time("sessionWebhookExpiredTime"); in.ReplyUntil.IsZero() {
			in.ReplyUntil = r.Now.Add(sessionLife)
		}
	}
	return in, nil
}

// said returns the text of a message without mentions at its front. Pictures, recordings and files are no commands: false.
func said(o object) (string, bool) {
	switch o.text("msgtype") {
	case "text":
		return unmentioned(o.object("text").text("content")), true
	case "richText":
		var parts []object
		if json.Unmarshal(o.object("content")["richText"], &parts) != nil {
			return "", false
		}
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(p.text("text"))
		}
		return unmentioned(b.String()), true
	}
	return "", false
}

// unmentioned removes mentions from the front: DingTalk itself removes the robot's, but not on every client.
func unmentioned(text string) string {
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "@") {
		i := strings.IndexFunc(text, unicode.IsSpace)
		if i < 0 {
			return ""
		}
		text = strings.TrimSpace(text[i:])
	}
	return text
}

// press reads the text that a button lets a person send.
func press(text string) (string, bool) {
	words := strings.Fields(text)
	if len(words) != 2 || !strings.EqualFold(words[0], pressWord) || !isToken(words[1]) {
		return "", false
	}
	return words[1], true
}

// isToken reports whether a word looks like a button's token; whether it is one is for its keys to say.
func isToken(s string) bool {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-"
	return s != "" && len(s) <= token.MaxPress && strings.Trim(s, alphabet) == ""
}
