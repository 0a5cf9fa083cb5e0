package feishu

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const perSecond = 5 // messages of a chat, and edits of a message

func bad(code int, msg string) *fault {
	return &fault{status: http.StatusBadRequest, code: code, msg: msg}
}

func badParameter(what string) *fault {
	return bad(230001, "Your request contains an invalid request parameter, ext="+what)
}

// request is the body of sending, replying and editing.
type request struct {
	Receiver string `json:"receive_id"`
	Kind     string `json:"msg_type"`
	Content  string `json:"content"`
	UUID     string `json:"uuid"`
	InThread bool   `json:"reply_in_thread"`
}

func read(body []byte) (request, *fault) {
	var q request
	if err := json.Unmarshal(body, &q); err != nil {
		return q, bad(9499, "Bad Request")
	}
	if len(q.UUID) > 50 {
		return q, bad(99992402, "field validation failed: the max len of uuid is 50")
	}
	return q, nil
}

// create sends a message to a chat or, by an open_id, to a person.
func (r *Room) create(req *http.Request, body []byte) (any, *fault) {
	q, f := read(body)
	if f != nil {
		return nil, f
	}
	id := q.Receiver
	switch req.URL.Query().Get("receive_id_type") {
	case "chat_id":
	case "open_id":
		p, ok := r.person(id)
		if !ok {
			return nil, bad(230013, "Bot has NO availability to this user.")
		}
		id = "oc_p2p_" + strings.ToLower(p.Name)
	default:
		return nil, bad(99992402, "field validation failed: receive_id_type is optional, options: [open_id,user_id,union_id,email,chat_id]")
	}
	if !strings.HasPrefix(id, "oc_") {
		return nil, badParameter("invalid receive_id.")
	}
	if r.chats[id] == nil {
		return nil, bad(230002, "Bot/User can NOT be out of the chat.")
	}
	return r.post(q, &message{chat: id, from: botID})
}

// reply sends a message as the answer to another. In a thread, or with reply_in_thread, it stands in the thread of the root.
func (r *Room) reply(req *http.Request, body []byte) (any, *fault) {
	q, f := read(body)
	if f != nil {
		return nil, f
	}
	to := r.messages[req.PathValue("id")]
	if to == nil {
		return nil, unknown()
	}
	root := rootOf(to)
	inThread := q.InThread || to.inThread || r.threadOf(to) != ""
	return r.post(q, &message{chat: to.chat, from: botID, root: root, inThread: inThread})
}

func unknown() *fault {
	return bad(99992354, "The request you send is not a valid {open_message_id} or not exists")
}

func rootOf(m *message) string {
	if m.root != "" {
		return m.root
	}
	return m.id
}

// post keeps a message that is new, small enough, and not one too many.
func (r *Room) post(q request, m *message) (any, *fault) {
	now := r.now()
	for k, o := range r.taken {
		if now.Sub(o.at) >= time.Hour {
			delete(r.taken, k)
		}
	}
	key := m.chat + "/" + q.UUID
	if o, ok := r.taken[key]; ok && q.UUID != "" && r.messages[o.id] != nil {
		return r.data(r.messages[o.id]), nil
	}
	if f := m.fill(q.Kind, q.Content); f != nil {
		return nil, f
	}
	c := r.chats[m.chat]
	if c.posts.count(now, time.Second) >= perSecond {
		return nil, bad(230020, "This operation triggers the frequency limit.")
	}
	c.posts.add(now, time.Second)
	r.add(m)
	if q.UUID != "" && len(r.taken) < 10*keep {
		r.taken[key] = once{id: m.id, at: now}
	}
	return r.data(m), nil
}

// fill reads content, which is JSON in a text.
func (m *message) fill(kind, content string) *fault {
	switch kind {
	case "text":
		var c struct {
			Text string `json:"text"`
		}
		if json.Unmarshal([]byte(content), &c) != nil || c.Text == "" {
			return badParameter("text content is empty or not json.")
		}
		if len(content) > maxTextBytes {
			return bad(230025, "The length of the message content reaches its limit.")
		}
		m.kind, m.text, m.card = kind, c.Text, nil
	case "interactive":
		card, f := parseCard([]byte(content))
		if f != nil {
			return f
		}
		m.kind, m.card, m.text = kind, card, ""
	default:
		return badParameter("invalid msg_type.")
	}
	return nil
}

// patch replaces a card that the app sent, at most 14 days ago and not as often as it likes.
func (r *Room) patch(req *http.Request, body []byte) (any, *fault) {
	q, f := read(body)
	if f != nil {
		return nil, f
	}
	m, now := r.messages[req.PathValue("id")], r.now()
	switch {
	case m == nil:
		return nil, unknown()
	case m.from != botID:
		return nil, bad(230071, "The operator is not the sender of the message.")
	case m.kind != "interactive":
		return nil, badParameter("This message is NOT a card.")
	case now.Sub(m.at) > 14*24*time.Hour:
		return nil, bad(230031, "The message is sent over 14 days ago, can not be updated.")
	case m.edits.count(now, time.Second) >= perSecond:
		return nil, bad(230020, "This operation triggers the frequency limit.")
	}
	card, f := parseCard([]byte(q.Content))
	if f == nil && (!shared(m.card) || !shared(card)) {
		f = bad(230099, "Failed to create card content, ext=only a shared card can be updated: update_multi")
	}
	if f != nil {
		return nil, f
	}
	m.edits.add(now, time.Second)
	m.change(card)
	return map[string]any{}, nil
}

// change puts another card in the message.
func (m *message) change(card map[string]any) { m.past, m.card = append(m.past, m.card), card }

// data is what a call returns of a message.
func (r *Room) data(m *message) map[string]any {
	d := map[string]any{
		"message_id": m.id, "chat_id": m.chat, "msg_type": m.kind, "deleted": false, "updated": len(m.past) > 0,
		"create_time": strconv.FormatInt(m.at.UnixMilli(), 10),
		"sender":      map[string]any{"id": appID, "id_type": "app_id", "sender_type": "app", "tenant_key": tenant},
	}
	if m.root != "" {
		d["root_id"], d["parent_id"] = m.root, m.root
	}
	if t := r.threadOf(m); t != "" {
		d["thread_id"] = t
	}
	return d
}

// threadOf is the id of the thread that a message stands in, or that hangs on it.
func (r *Room) threadOf(m *message) string {
	root := r.messages[m.root]
	if m.inThread && root != nil {
		return root.thread
	}
	return m.thread
}
