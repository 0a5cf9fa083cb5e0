package wecom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// repeats is for how long WeCom drops a message that it has had before, at most four hours: our deliveries may be repeated late.
const repeats = 4 * 60 * 60 // seconds

// appRate keeps below what a member gets from one app: 30 a minute and 1000 an hour, and WeCom drops the rest without a word. Somebody
// who is reached by several addresses may still get more.
func appRate() wire.Rate { return wire.Rate{Every: 4 * time.Second, Burst: 10} }

// robotRate keeps below 20 a minute.
func robotRate() wire.Rate { return wire.Rate{Every: 4 * time.Second, Burst: 4} }

// config is what a Sender is made from.
type config struct {
	base    *url.URL
	agents  map[string]int // the app's id by the company's, 0 where only robots send
	secrets []secret.Text
	robots  map[string]secret.Text // keys by name
}

// Sender posts as the company's app, and through group robots. Messages cannot be changed later, and have no threads.
type Sender struct {
	c      config
	wire   *wire.Client
	tokens map[string]*wire.Tokens // by the company's id
}

var (
	_ chat.Sender   = (*Sender)(nil)
	_ chat.Answerer = (*Sender)(nil)
)

func newSender(c config, w *wire.Client, now func() time.Time) *Sender {
	return &Sender{c: c, wire: w, tokens: newTokens(c, w, now)}
}

// String hides the secrets.
func (Sender) String() string { return "[wecom sender]" }

// GoString hides the secrets.
func (Sender) GoString() string { return "[wecom sender]" }

// LogValue hides the secrets.
func (Sender) LogValue() slog.Value { return slog.StringValue("[wecom sender]") }

// Capabilities says that presses on an app's cards come back. A robot's messages show the commands instead of buttons.
func (s *Sender) Capabilities(to chat.Address) chat.Capabilities {
	p, err := parsePlace(to)
	return chat.Capabilities{Buttons: err == nil && p.robot == ""}
}

// Update returns chat.ErrUnsupported: a card changes only in the answer to a press.
func (s *Sender) Update(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("update")
}

// Reply returns chat.ErrUnsupported: there are no threads.
func (s *Sender) Reply(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("reply to")
}

func unsupported(what string) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s a wecom message: %w", what, chat.ErrUnsupported)}
}

// Post sends the message. What can be pressed is a card; what does not fit on the card is sent as markdown before it. A card's id is its
// task_id, which is derived from the message's, and a repeated message is dropped by WeCom for four hours.
func (s *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	p, err := s.place(to)
	if err != nil {
		return chat.Posted{}, err
	}
	posted := chat.Posted{To: to.String()}
	if p.robot != "" {
		return posted, s.robot(ctx, to, p, m)
	}
	card, fits := newCard(m, taskID(m.ID, to))
	if card == nil || !fits {
		if posted.ID, err = s.app(ctx, to, p, markdown(m, maxMarkdown, whole)); err != nil || card == nil {
			return posted, err
		}
	}
	if _, err := s.app(ctx, to, p, body{Type: "template_card", Card: card}); err != nil {
		return chat.Posted{}, err
	}
	posted.ID = card.TaskID
	return posted, nil
}

// Say answers one person in the conversation with the app. It may be shown twice when it is said twice: an answer that says the same as one
// before it must not be dropped.
func (s *Sender) Say(ctx context.Context, say chat.Saying) error {
	p, err := s.place(say.To)
	if err != nil {
		return err
	}
	if say.User != "" {
		p = place{corp: p.corp, users: say.User}
	}
	if !userID(p.users) {
		return badAddress(say.To, "an answer goes to one member")
	}
	text := strings.TrimSpace(say.Text)
	if mode := "[" + say.Mode + "] "; say.Mode != "" && !strings.HasPrefix(text, mode) {
		text = mode + text
	}
	to := chat.Address{Platform: chat.WeCom, Place: p.corp + "/" + p.users}
	b := body{Type: "text", Text: &content{cutText(escape(text))}, again: true}
	_, err = s.app(ctx, to, p, b)
	return err
}

// place reads an address and refuses what this deployment has no credentials for.
func (s *Sender) place(to chat.Address) (place, error) {
	p, err := parsePlace(to)
	if err != nil {
		return place{}, err
	}
	deny := func(why string) error {
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("post to %s: %s", to, why)}
	}
	agent, known := s.c.agents[p.corp]
	_, robot := s.c.robots[p.robot]
	switch {
	case !known:
		return place{}, deny("this deployment does not send to that company: add its id to " + varTenants)
	case p.robot != "" && !robot:
		return place{}, deny("there is no robot of that name: add name=key to " + varRobots)
	case p.robot == "" && agent == 0:
		return place{}, deny("only robots are set up here: set " + varAgent + " and " + varSecrets + " to send as the app")
	}
	return p, nil
}

// body is a message in the API's words.
type body struct {
	To       string    `json:"touser,omitempty"`
	Party    string    `json:"toparty,omitempty"`
	Tag      string    `json:"totag,omitempty"`
	Type     string    `json:"msgtype"`
	Agent    int       `json:"agentid,omitempty"`
	Text     *content  `json:"text,omitempty"`
	Markdown *content  `json:"markdown,omitempty"`
	Card     *cardBody `json:"template_card,omitempty"`
	Check    int       `json:"enable_duplicate_check,omitempty"`
	Interval int       `json:"duplicate_check_interval,omitempty"`

	again bool // it may be sent again with the same words
}

type content struct {
	Text string `json:"content"`
}

// app sends one message as the app. A token that WeCom no longer takes is fetched again, once.
func (s *Sender) app(ctx context.Context, to chat.Address, p place, b body) (string, error) {
	b.To, b.Party, b.Tag, b.Agent = p.users, p.party, p.tag, s.c.agents[p.corp]
	if !b.again {
		b.Check, b.Interval = 1, repeats
	}
	c := wire.Call{What: "post to " + to.String(), Key: to.Key(), Rate: appRate()}
	tokens := s.tokens[p.corp]
	var r struct {
		outcome
		ID string `json:"msgid"`
	}
	for again := false; ; again = true {
		token, err := tokens.Get(ctx)
		if err != nil {
			return "", err
		}
		r.Code = nil
		c.URL = s.c.base.JoinPath("cgi-bin/message/send").String() + "?" + url.Values{"access_token": {token.Reveal()}}.Encode()
		if _, err := s.wire.JSON(ctx, c, b, &r); err != nil {
			return "", err
		}
		if again || !badToken(r.outcome) {
			break
		}
		tokens.Drop(token)
	}
	return r.ID, failed(s.wire, c, r.outcome)
}

// robot posts to a group. There is nothing that a robot can be told, and nothing that folds a message which is sent twice.
func (s *Sender) robot(ctx context.Context, to chat.Address, p place, m chat.Message) error {
	c := wire.Call{What: "post to " + to.String(), Key: to.Key(), Rate: robotRate()}
	c.URL = s.c.base.JoinPath("cgi-bin/webhook/send").String() + "?" + url.Values{"key": {s.c.robots[p.robot].Reveal()}}.Encode()
	var r outcome
	if _, err := s.wire.JSON(ctx, c, markdown(m, maxRobot, inGroup), &r); err != nil {
		return err
	}
	return failed(s.wire, c, r)
}

// taskID is unique for a message and a place, and the same when the message is sent again: letters, digits and "_-@", at most 128 bytes.
func taskID(id string, to chat.Address) string {
	sum := sha256.Sum256([]byte(id + "\n" + to.Key()))
	readable := slices.DeleteFunc([]byte(id), func(c byte) bool { return !alnum(c) && c != '_' && c != '-' })
	return string(readable[:min(len(readable), 64)]) + "@" + hex.EncodeToString(sum[:12])
}
