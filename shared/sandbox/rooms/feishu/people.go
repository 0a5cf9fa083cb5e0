package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// deadline is how long Feishu waits for an answer to a callback.
const deadline = 3 * time.Second

// Say lets a person type a message. In the group only what mentions the bot reaches it, so a mention is put in front where there
// is none. "@Bob" mentions Bob.
func (r *Room) Say(ctx context.Context, s rooms.Saying) (rooms.Heard, error) {
	r.mu.Lock()
	m, mentions, err := r.typed(s)
	if err != nil {
		r.mu.Unlock()
		return rooms.Heard{}, err
	}
	content, err := json.Marshal(map[string]string{"text": m.text})
	if err != nil {
		r.mu.Unlock()
		return rooms.Heard{}, fmt.Errorf("say: %w", err)
	}
	m.text = spoken(m.text, mentions)
	r.add(m)
	at := strconv.FormatInt(m.at.UnixMilli(), 10)
	said := map[string]any{
		"message_id": m.id, "create_time": at, "update_time": at, "chat_id": m.chat, "chat_type": r.chats[m.chat].kind,
		"message_type": "text", "content": string(content),
	}
	if len(mentions) > 0 {
		said["mentions"] = mentions
	}
	if m.root != "" {
		said["root_id"], said["parent_id"], said["thread_id"] = m.root, m.root, r.threadOf(m)
	}
	plain, err := r.event("im.message.receive_v1", map[string]any{"message": said, "sender": map[string]any{
		"sender_id":   map[string]any{"open_id": s.Person, "union_id": "on_" + strings.TrimPrefix(s.Person, "ou_"), "user_id": nil},
		"sender_type": "user", "tenant_key": tenant,
	}})
	r.mu.Unlock()
	if err != nil {
		return rooms.Heard{}, err
	}
	h, _, err := r.deliver(ctx, plain, true)
	return h, err // the person sees nothing of the acknowledgement
}

// typed makes the message that the client sends: keys for mentions, and what they stand for.
func (r *Room) typed(s rooms.Saying) (*message, []map[string]any, error) {
	c, err := r.conversation(s.Channel)
	if err != nil {
		return nil, nil, err
	}
	p, ok := r.person(s.Person)
	if strings.TrimSpace(s.Text) == "" {
		return nil, nil, errors.New("there is nothing to say")
	}
	if !ok || c.kind == "p2p" && c.id != "oc_p2p_"+strings.ToLower(p.Name) {
		return nil, nil, fmt.Errorf("there is nobody %q in this channel", s.Person)
	}
	m := &message{chat: c.id, from: p.ID, kind: "text", text: s.Text}
	if s.Thread != "" {
		to := r.messages[s.Thread]
		if to == nil || to.chat != c.id {
			return nil, nil, errors.New("there is no such message to answer")
		}
		m.root, m.inThread = rootOf(to), true
	}
	if c.kind == "group" && !strings.Contains(m.text, "@"+botName) {
		m.text = "@" + botName + " " + m.text
	}
	var mentions []map[string]any
	for _, one := range append([]rooms.Person{{ID: botID, Name: botName}}, r.People()...) {
		if !strings.Contains(m.text, "@"+one.Name) {
			continue
		}
		key := "@_user_" + strconv.Itoa(len(mentions)+1)
		m.text = strings.ReplaceAll(m.text, "@"+one.Name, key)
		mentions = append(mentions, map[string]any{
			"key": key, "name": one.Name, "tenant_key": tenant,
			"id": map[string]any{"open_id": one.ID, "union_id": "on_" + strings.TrimPrefix(one.ID, "ou_"), "user_id": ""},
		})
	}
	return m, mentions, nil
}

// spoken is how the message is shown: with names for keys. The last keys first, because @_user_1 begins @_user_10.
func spoken(text string, mentions []map[string]any) string {
	for _, m := range slices.Backward(mentions) {
		text = strings.ReplaceAll(text, m["key"].(string), "@"+m["name"].(string))
	}
	return text
}

// Press lets a person press a button of a card. A toast is what they are shown; a button with an address opens it and sends nothing.
func (r *Room) Press(ctx context.Context, p rooms.Pressing) (rooms.Heard, error) {
	r.mu.Lock()
	b, m, err := r.pressable(p)
	if err != nil || b.URL != "" {
		r.mu.Unlock()
		return rooms.Heard{Text: b.URL}, err
	}
	plain, err := r.event("card.action.trigger", map[string]any{
		"operator": map[string]any{"tenant_key": tenant, "open_id": p.Person, "union_id": "on_" + strings.TrimPrefix(p.Person, "ou_"), "user_id": ""},
		"token":    r.next("c-"), "host": "im_message",
		"action":  map[string]any{"value": b.value, "tag": "button", "name": "", "timezone": "Asia/Shanghai"},
		"context": map[string]any{"open_message_id": m.id, "open_chat_id": m.chat},
	})
	r.mu.Unlock()
	if err != nil {
		return rooms.Heard{}, err
	}
	h, reply, err := r.deliver(ctx, plain, true)
	if err != nil {
		return h, err
	}
	h.Text = r.answered(m, h, reply.Body)
	return h, nil
}

func (r *Room) pressable(p rooms.Pressing) (button, *message, error) {
	c, err := r.conversation(p.Channel)
	if err != nil {
		return button{}, nil, err
	}
	if _, ok := r.person(p.Person); !ok {
		return button{}, nil, fmt.Errorf("there is nobody %q in this channel", p.Person)
	}
	m := r.messages[p.Message]
	if m == nil || m.chat != c.id {
		return button{}, nil, errors.New("there is no such message in this channel")
	}
	seen := *m
	if p.Seen >= 0 && p.Seen < len(m.past) {
		seen.card = m.past[p.Seen]
	}
	buttons := seen.view(r.name).pressed
	if p.Button < 0 || p.Button >= len(buttons) {
		return button{}, nil, fmt.Errorf("the message has %d buttons", len(buttons))
	}
	b := buttons[p.Button]
	if b.URL == "" && (m.from != botID || b.value == nil) {
		return button{}, nil, errors.New("a press on this button goes nowhere: custom bots take none")
	}
	return b, m, nil
}

// answered does what the answer to a callback says, and returns what the person is shown.
func (r *Room) answered(m *message, h rooms.Heard, body []byte) string {
	var a struct {
		Toast *struct {
			Type    string `json:"type"`
			Content string `json:"content"`
		} `json:"toast"`
		Card *struct {
			Type string          `json:"type"`
			Data json.RawMessage `json:"data"`
		} `json:"card"`
	}
	const failed = "Something went wrong. Please try again later. code: "
	switch {
	case h.Took > deadline:
		return failed + "200341"
	case h.Status != http.StatusOK:
		return failed + "200671"
	case json.Unmarshal(body, &a) != nil:
		return failed + "200672"
	case a.Toast != nil && !slices.Contains([]string{"", "info", "success", "error", "warning"}, a.Toast.Type):
		return failed + "200672"
	}
	if a.Card != nil {
		card, f := parseCard(a.Card.Data)
		if f != nil || a.Card.Type != "raw" {
			return failed + "200673"
		}
		r.mu.Lock()
		m.change(card)
		r.mu.Unlock()
	}
	if a.Toast == nil {
		return ""
	}
	return a.Toast.Content
}

// Challenge checks the request URL as Feishu does when it is saved: an encrypted challenge, not signed, which must come back.
func (r *Room) Challenge(ctx context.Context) (rooms.Heard, error) {
	r.mu.Lock()
	want := r.next("")
	r.mu.Unlock()
	plain, err := json.Marshal(map[string]string{"challenge": want, "token": verifyToken, "type": "url_verification"})
	if err != nil {
		return rooms.Heard{}, fmt.Errorf("challenge: %w", err)
	}
	h, reply, err := r.deliver(ctx, plain, false)
	if err != nil {
		return h, err
	}
	var a struct {
		Challenge string `json:"challenge"`
	}
	if h.Status != http.StatusOK || json.Unmarshal(reply.Body, &a) != nil || a.Challenge != want {
		return h, errors.New("the request URL is not taken: it must answer 200 with the challenge")
	}
	return h, nil
}
