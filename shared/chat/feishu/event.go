package feishu

import (
	"encoding/json"
	"fmt"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxToken = 512 // bytes of a button's token; ours have 80
	maxToast = 300 // runes: a toast is one short line
)

// said is an event im.message.receive_v1 (https://open.feishu.cn/document/server-docs/im-v1/message/events/receive).
type said struct {
	Sender struct {
		ID struct {
			Open string `json:"open_id"`
		} `json:"sender_id"`
		Type   string `json:"sender_type"`
		Tenant string `json:"tenant_key"`
	} `json:"sender"`
	Message struct {
		ID       string    `json:"message_id"`
		Root     string    `json:"root_id"`
		Parent   string    `json:"parent_id"`
		Chat     string    `json:"chat_id"`
		ChatType string    `json:"chat_type"`
		Type     string    `json:"message_type"`
		Content  string    `json:"content"`
		Mentions []mention `json:"mentions"`
	} `json:"message"`
}

// pressed is a callback card.action.trigger (https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-callback-communication).
type pressed struct {
	Operator struct {
		Open   string `json:"open_id"`
		Tenant string `json:"tenant_key"`
	} `json:"operator"`
	Action struct {
		Value json.RawMessage `json:"value"` // an object, or any text; ours is {"t": token}
	} `json:"action"`
	Context struct {
		Message string `json:"open_message_id"`
		Chat    string `json:"open_chat_id"`
	} `json:"context"`
}

// event reads an event that can be trusted. Events of other types are acknowledged: an app may be subscribed to more than we read.
func (r *Receiver) event(p payload) (chat.Incoming, error) {
	switch p.Header.Type {
	case "im.message.receive_v1":
		var e said
		if err := json.Unmarshal(p.Event, &e); err != nil {
			return chat.Incoming{}, unreadable("message")
		}
		return r.said(p.Header, e)
	case "card.action.trigger":
		var e pressed
		if err := json.Unmarshal(p.Event, &e); err != nil {
			return chat.Incoming{}, unreadable("press of a button")
		}
		return r.pressed(p.Header, e)
	}
	return nothing(), nil
}

func unreadable(what string) error {
	return fmt.Errorf("feishu: the %s is not in the form that Feishu describes, and cannot be read", what)
}

func (r *Receiver) said(h header, e said) (chat.Incoming, error) {
	m := e.Message
	if e.Sender.Type != "user" {
		return nothing(), nil // a bot's words, ours among them
	}
	from, ok := r.principal(h, e.Sender.Tenant, e.Sender.ID.Open)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if !validID(from.User) || !validID(m.ID) || !validID(m.Chat) {
		return chat.Incoming{}, unreadable("message")
	}
	raw, ok, err := content(m.Type, m.Content)
	if err != nil {
		return chat.Incoming{}, unreadable("message")
	}
	text, ours := typed(raw, m.Mentions)
	direct := m.ChatType == "p2p"
	if !ok || !direct && !ours {
		return nothing(), nil
	}
	return chat.Incoming{
		ID:   m.ID, // a message that is delivered again may get another event id
		From: from, Text: text, Channel: h.Tenant + "/" + m.Chat, Thread: root(m.Root, m.Parent), Message: m.ID, Direct: direct,
		Answer: func(chat.Answer) chat.Response { return *answer(struct{}{}) },
	}, nil
}

// root is the message that a thread hangs on. In a thread root_id and parent_id are both it; of a quote that is quoted again root_id
// is. thread_id (omt_…) names a thread in a way that no answer to a posted message does, so that it would match nothing.
func root(rootID, parent string) string {
	for _, id := range []string{rootID, parent} {
		if validID(id) {
			return id
		}
	}
	return ""
}

// principal checks the tenant of the person too: in a group with people from outside it differs from the app's.
func (r *Receiver) principal(h header, tenant, user string) (chat.Principal, bool) {
	if tenant == "" {
		tenant = h.Tenant
	}
	return chat.Principal{Platform: chat.Feishu, Tenant: tenant, User: user}, r.pinned(tenant)
}

func (r *Receiver) pressed(h header, e pressed) (chat.Incoming, error) {
	from, ok := r.principal(h, e.Operator.Tenant, e.Operator.Open)
	if !ok {
		return chat.Incoming{}, chat.ErrAuth
	}
	if !validID(from.User) || !validID(h.ID) || !validID(e.Context.Message) || !validID(e.Context.Chat) {
		return chat.Incoming{}, unreadable("press of a button")
	}
	var value struct {
		Token string `json:"t"`
	}
	if json.Unmarshal(e.Action.Value, &value) != nil || value.Token == "" {
		return nothing(), nil // a control that is none of ours
	}
	if len(value.Token) > maxToken {
		return chat.Incoming{}, unreadable("press of a button")
	}
	return chat.Incoming{
		ID: h.ID, From: from, Token: value.Token, Channel: h.Tenant + "/" + e.Context.Chat, Message: e.Context.Message,
		Says: true, Answer: toast,
	}, nil
}

// toast shows the answer to whoever pressed. The card is left as it is: what was on it is not known here, and whoever posted it
// updates it.
func toast(a chat.Answer) chat.Response {
	kind, text := "success", a.Text
	if a.Failed {
		kind = "error"
	}
	if text == "" {
		text = a.Done
	}
	if text == "" {
		return *answer(struct{}{})
	}
	return *answer(map[string]any{"toast": map[string]string{"type": kind, "content": chat.Line(text, maxToast)}})
}
