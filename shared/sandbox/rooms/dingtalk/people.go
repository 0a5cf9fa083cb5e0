package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// sessionLife is how long a reply URL is good.
const sessionLife = 90 * time.Minute

// Say lets a person say something to the robot: in the group they mention it, alone with it they need not.
func (r *Room) Say(ctx context.Context, s rooms.Saying) (rooms.Heard, error) {
	p, ok := r.known(s.Person)
	talk, named := talkOf(s.Channel)
	switch {
	case !ok:
		return rooms.Heard{}, fmt.Errorf("say: nobody is called %q", s.Person)
	case !named || talk != group && talk != direct+s.Person:
		return rooms.Heard{}, fmt.Errorf("say: %s is no place where the robot hears %s", s.Channel, s.Person)
	}
	return r.say(ctx, p, talk, s.Text)
}

func (r *Room) say(ctx context.Context, p rooms.Person, talk, text string) (rooms.Heard, error) {
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "@"+robotName))
	r.mu.Lock()
	said := &message{talk: talk, from: p.Name, text: text}
	if talk == group {
		said.text = "@" + robotName + " " + text
	}
	r.add(said)
	body, err := json.Marshal(r.event(p, said, text))
	ts := r.stamp()
	r.mu.Unlock()
	if err != nil {
		return rooms.Heard{}, fmt.Errorf("say: %w", err)
	}
	heard, _, err := r.send(ctx, http.Header{"Timestamp": {ts}, "Sign": {sign(appSecret, ts+"\n"+appSecret)}}, body)
	return heard, err
}

// event is what the robot is told: https://open.dingtalk.com/document/orgapp/receive-message. The mention is taken out of the text, the
// space behind it is not. The lock is held.
func (r *Room) event(p rooms.Person, m *message, text string) map[string]any {
	for id, s := range r.sessions {
		if !r.now().Before(s.until) {
			delete(r.sessions, id)
		}
	}
	if len(r.sessions) >= maxNumber {
		clear(r.sessions)
	}
	id := r.id("session")
	until := r.now().Add(sessionLife)
	r.sessions[id] = session{talk: m.talk, until: until}
	e := map[string]any{
		"conversationId": m.talk, "chatbotCorpId": corp, "chatbotUserId": robotID, "msgId": m.id, "senderNick": p.Name, "isAdmin": false,
		"senderStaffId": p.ID, "sessionWebhookExpiredTime": until.UnixMilli(), "createAt": m.at.UnixMilli(), "senderCorpId": corp,
		"conversationType": "1", "senderId": "$:LWCP_v1:$" + p.ID, "sessionWebhook": r.base + "/robot/sendBySession?session=" + id,
		"text": map[string]string{"content": text}, "msgtype": "text", "robotCode": robotCode,
	}
	if m.talk == group {
		e["conversationType"], e["conversationTitle"], e["isInAtList"] = "2", "Drills", true
		e["atUsers"] = []map[string]string{{"dingtalkId": robotID}}
		e["text"] = map[string]string{"content": " " + text}
	}
	return e
}

// Press lets a person press a button. One that is a link of DingTalk's own makes them say its text.
func (r *Room) Press(ctx context.Context, p rooms.Pressing) (rooms.Heard, error) {
	person, ok := r.known(p.Person)
	if !ok {
		return rooms.Heard{}, fmt.Errorf("press: nobody is called %q", p.Person)
	}
	m, b, err := r.find(p)
	switch {
	case err != nil:
		return rooms.Heard{}, err
	case b.says != "":
		return r.say(ctx, person, m.talk, b.says)
	case b.action == nil:
		return rooms.Heard{}, errors.New("press: this button only opens a page")
	}
	return r.callback(ctx, person, m, b.action)
}

func (r *Room) find(p rooms.Pressing) (*message, shown, error) {
	talk, _ := talkOf(p.Channel)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range []string{talk, direct + p.Person} {
		for _, m := range r.talks[t] {
			if m.id != p.Message {
				continue
			}
			seen := *m
			if p.Seen >= 0 && p.Seen < len(m.past) {
				seen.card = m.past[p.Seen]
			}
			if all := seen.choices(); p.Button >= 0 && p.Button < len(all) {
				return m, all[p.Button], nil
			}
			return nil, shown{}, errors.New("press: the message has no such button")
		}
	}
	return nil, shown{}, errors.New("press: there is no such message")
}

// callback is https://open.dingtalk.com/document/development/event-callback-card. What the answer says is shown at once.
func (r *Room) callback(ctx context.Context, p rooms.Person, m *message, b *cardButton) (rooms.Heard, error) {
	content, err := json.Marshal(map[string]any{"cardPrivateData": map[string]any{"actionIds": []string{b.Event.Params.ActionID}, "params": b.Event.Params.Params}})
	if err != nil {
		return rooms.Heard{}, fmt.Errorf("press: %w", err)
	}
	body, err := json.Marshal(map[string]any{"type": "actionCallback", "outTrackId": m.id, "corpId": corp, "userId": p.ID, "content": string(content)})
	if err != nil {
		return rooms.Heard{}, fmt.Errorf("press: %w", err)
	}
	r.mu.Lock()
	ts := r.stamp()
	r.mu.Unlock()
	heard, answer, err := r.send(ctx, http.Header{"X-Ddpaas-Signature-Timestamp": {ts}, "X-Ddpaas-Signature": {sign(cardSecret, ts)}}, body)
	if err != nil {
		return heard, err
	}
	var in struct {
		Options struct {
			ByKey bool `json:"updateCardDataByKey"`
		} `json:"cardUpdateOptions"`
		Data *struct {
			Params map[string]string `json:"cardParamMap"`
		} `json:"cardData"`
	}
	if heard.Status == http.StatusOK && json.Unmarshal(answer.Body, &in) == nil && in.Data != nil {
		r.mu.Lock()
		m.change(in.Data.Params, in.Options.ByKey)
		r.mu.Unlock()
	}
	return heard, nil
}

// send delivers an event, once.
func (r *Room) send(ctx context.Context, h http.Header, body []byte) (rooms.Heard, rooms.Answer, error) {
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/chat/dingtalk", bytes.NewReader(body))
	if err != nil {
		return rooms.Heard{}, rooms.Answer{}, fmt.Errorf("dingtalk room: %w", err)
	}
	req.Header = h
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return rooms.Deliver(to, req, body, r.now)
}
