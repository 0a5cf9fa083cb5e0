package feishu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

const maxSaid = 20 << 10 // bytes of an answer: Feishu takes 150 KB, nobody reads them

// Sender posts cards as an app bot and as custom bots. It makes one attempt a call, but for an access token that has run out. Every way
// to print it hides its secrets.
type Sender struct {
	base    string
	tenants []string
	access  *access // nil without an app
	hooks   map[string]hook
	wire    *wire.Client
	now     func() time.Time
}

var (
	_ chat.Sender   = (*Sender)(nil)
	_ chat.Answerer = (*Sender)(nil)
)

// String hides the secrets.
func (*Sender) String() string { return "feishu sender" }

// GoString hides the secrets.
func (*Sender) GoString() string { return "feishu sender" }

// LogValue hides the secrets.
func (*Sender) LogValue() slog.Value { return slog.StringValue("feishu sender") }

// Capabilities are those of the app bot. A custom bot, at feishu:tenant/hook:name, has none: Update, Reply and Say return
// chat.ErrUnsupported, and buttons are shown as what to type.
func (s *Sender) Capabilities(to chat.Address) chat.Capabilities {
	_, place, _ := strings.Cut(to.Place, "/")
	app := s.access != nil && !strings.HasPrefix(place, hookPrefix)
	return chat.Capabilities{Update: app, Reply: app, Buttons: app}
}

// Post sends a card. The same message is taken once an hour for each chat.
func (s *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	what := "post to " + to.String()
	tenant, place, err := s.place(to, what)
	if err != nil {
		return chat.Posted{}, err
	}
	if name, is := strings.CutPrefix(place, hookPrefix); is {
		return s.postHook(ctx, to, tenant, name, m)
	}
	body, err := fit(m, page{tenant: tenant, presses: true}, maxCard, func(c object) (any, error) {
		return message("interactive", c, object{"receive_id": place, "uuid": dedupe(m.ID, place)})
	})
	if err != nil {
		return chat.Posted{}, refused(what, err)
	}
	r, err := s.call(ctx, s.to(place, wire.Call{URL: s.base + "/open-apis/im/v1/messages?receive_id_type=chat_id", Body: body, What: what}))
	if err != nil {
		return chat.Posted{}, err
	}
	return s.posted(to, r, "", what)
}

// Update replaces the card, also where it was changed meanwhile.
func (s *Sender) Update(ctx context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	what := "update a message in " + p.To
	tenant, _, err := s.app(p.To, what)
	if err != nil {
		return chat.Posted{}, err
	}
	if !validID(p.ID) {
		return chat.Posted{}, refused(what, errors.New("which message is not known"))
	}
	body, err := fit(m, page{tenant: tenant, presses: true}, maxCard, func(c object) (any, error) { return message("", c, object{}) })
	if err != nil {
		return chat.Posted{}, refused(what, err)
	}
	call := wire.Call{Method: http.MethodPatch, URL: s.base + "/open-apis/im/v1/messages/" + p.ID, Body: body, What: what}
	if _, err := s.call(ctx, s.to(p.ID, call)); err != nil { // the limit of edits is each message's own
		return chat.Posted{}, err
	}
	return p, nil
}

// Reply sends a card into the thread of a message.
func (s *Sender) Reply(ctx context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	what := "reply in " + p.To
	tenant, place, err := s.app(p.To, what)
	if err != nil {
		return chat.Posted{}, err
	}
	root := p.Thread
	if !validID(root) {
		root = p.ID
	}
	if !validID(root) {
		return chat.Posted{}, refused(what, errors.New("to which message is not known"))
	}
	body, err := fit(m, page{tenant: tenant, presses: true}, maxCard, func(c object) (any, error) {
		return message("interactive", c, object{"reply_in_thread": true, "uuid": dedupe(m.ID, place, root)})
	})
	if err != nil {
		return chat.Posted{}, refused(what, err)
	}
	r, err := s.call(ctx, s.to(place, wire.Call{URL: s.replyURL(root), Body: body, What: what}))
	if err != nil {
		return chat.Posted{}, err
	}
	to, err := chat.ParseAddress(p.To)
	if err != nil {
		return chat.Posted{}, refused(what, err)
	}
	return s.posted(to, r, root, what)
}

// Say answers the message in which somebody asked, in its thread if it stands in one. Feishu has no answer for one person's eyes
// only in a group.
func (s *Sender) Say(ctx context.Context, w chat.Saying) error {
	what := "answer in " + w.To.String()
	_, place, err := s.app(w.To.Key(), what)
	if err != nil {
		return err
	}
	text := literal(w.Text)
	if tag := "[" + w.Mode + "]"; w.Mode != "" && !strings.HasPrefix(text, tag) {
		text = tag + " " + text
	}
	more := object{"uuid": dedupe(w.ID, place)}
	target := s.base + "/open-apis/im/v1/messages?receive_id_type=chat_id"
	switch {
	case validID(w.Message):
		target, more["reply_in_thread"] = s.replyURL(w.Message), w.Thread != ""
	case validID(w.Thread):
		target, more["reply_in_thread"] = s.replyURL(w.Thread), true
	default:
		more["receive_id"] = place
	}
	request, err := message("text", object{"text": cut(text, maxSaid)}, more)
	if err != nil {
		return refused(what, err)
	}
	body, err := encode(request)
	if err != nil {
		return refused(what, err)
	}
	_, err = s.call(ctx, s.to(place, wire.Call{URL: target, Body: body, What: what}))
	return err
}

func (s *Sender) replyURL(id string) string {
	return s.base + "/open-apis/im/v1/messages/" + id + "/reply"
}

// to gives a call its destination's rate.
func (s *Sender) to(destination string, c wire.Call) wire.Call {
	c.Key, c.Rate = "feishu "+destination, wire.Rate{Every: pace}
	return c
}

// message adds to a request what is posted: content is JSON in a text.
func message(kind string, content object, request object) (any, error) {
	text, err := encode(content)
	if err != nil {
		return nil, err
	}
	request["content"] = string(text)
	if kind != "" {
		request["msg_type"] = kind
	}
	if request["uuid"] == "" {
		delete(request, "uuid")
	}
	return request, nil
}

// posted reads where a message went. In a thread the root is what Feishu says it is, which later words name.
func (s *Sender) posted(to chat.Address, r reply, root, what string) (chat.Posted, error) {
	if !validID(r.Data.Message) {
		return chat.Posted{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply names no message", what)}
	}
	p := chat.Posted{To: to.String(), ID: r.Data.Message, Thread: r.Data.Message}
	if root != "" {
		p.Thread = root
		if validID(r.Data.Root) {
			p.Thread = r.Data.Root
		}
	}
	return p, nil
}

// app reads an address that only the app bot can serve.
func (s *Sender) app(to, what string) (tenant, place string, err error) {
	a, err := chat.ParseAddress(to)
	if err != nil {
		return "", "", refused(what, err)
	}
	if tenant, place, err = s.place(a, what); err != nil {
		return "", "", err
	}
	if strings.HasPrefix(place, hookPrefix) {
		return "", "", refused(what, fmt.Errorf("a custom bot only posts: %w", chat.ErrUnsupported))
	}
	return tenant, place, nil
}

// place reads an address and checks that it is one of ours.
func (s *Sender) place(to chat.Address, what string) (tenant, place string, err error) {
	tenant, place, _ = strings.Cut(to.Place, "/")
	isHook := strings.HasPrefix(place, hookPrefix)
	switch {
	case to.Platform != chat.Feishu || !validID(tenant) || !isHook && !validID(place):
		return "", "", refused(what, fmt.Errorf("%w: write feishu:tenant_key/chat_id or feishu:tenant_key/hook:name", chat.ErrAddress))
	case len(s.tenants) > 0 && !slices.Contains(s.tenants, tenant):
		return "", "", &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: its tenant is not in %s", what, envTenants)}
	case !isHook && s.access == nil:
		return "", "", &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: there is no app to send as: set %s and %s", what, envApp, envSecrets)}
	}
	return tenant, place, nil
}

func refused(what string, err error) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: %w", what, err)}
}
