package dingtalk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// maxParam is the most bytes that a robot's message may have.
const maxParam = 15000

// maxButtons is how many an action card has: sampleActionCard5 is the largest.
const maxButtons = 5

// customPrefix begins the channel of an address that names a custom robot.
const customPrefix = "robot:"

// robotRate keeps to 20 messages in any minute, which is what a robot may send to a group; one that sends more is blocked for ten
// minutes. Eight at once leave twelve for the minute that follows.
func robotRate() wire.Rate { return wire.Rate{Every: 5 * time.Second, Burst: 8} }

// callRate keeps below the 20 calls in a second that an app may make to one API.
func callRate() wire.Rate { return wire.Rate{Every: 100 * time.Millisecond, Burst: 5} }

// Sender posts to DingTalk: as the app's robot to dingtalk:<corp id>/<openConversationId>, and as a custom robot to
// dingtalk:<corp id>/robot:<name>. Messages can be changed only where they are interactive cards; there are no threads. It is safe
// for concurrent use.
type Sender struct {
	wire   *wire.Client
	now    func() time.Time
	s      *settings
	tokens *wire.Tokens
}

var (
	_ chat.Sender   = (*Sender)(nil)
	_ chat.Answerer = (*Sender)(nil)
)

func newSender(s *settings, c *wire.Client, now func() time.Time) *Sender {
	x := &Sender{wire: c, now: now, s: s}
	if s.app {
		x.tokens = newTokens(c, s, now)
	}
	return x
}

// String hides the secrets.
func (*Sender) String() string { return "dingtalk sender" }

// GoString hides the secrets.
func (*Sender) GoString() string { return "dingtalk sender" }

// LogValue hides the secrets.
func (*Sender) LogValue() slog.Value { return slog.StringValue("dingtalk sender") }

// Capabilities says that the buttons of the app's robot come back, and that cards can be changed. Custom robots can do neither.
func (x *Sender) Capabilities(to chat.Address) chat.Capabilities {
	_, channel, _ := strings.Cut(to.Place, "/")
	app := x.s.app && !strings.HasPrefix(channel, customPrefix)
	return chat.Capabilities{Update: app && x.s.template != "", Buttons: app}
}

// Post sends a message. The ID of a card is derived from the message's, so that it is the same card when it is sent again; that of
// any other message is DingTalk's, which can be used to recall it and for nothing else.
func (x *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	p := chat.Posted{To: to.String()}
	channel, err := x.channel(to)
	if err != nil {
		return chat.Posted{}, err
	}
	switch name, custom := strings.CutPrefix(channel, customPrefix); {
	case custom:
		err = x.customSend(ctx, to, name, m)
	case !x.s.app:
		err = &chat.Error{Code: chat.Denied, Err: fmt.Errorf("post to %s: there is no app to send as: set %s, or write the address of a custom robot", to, envKey)}
	case x.s.template != "":
		p.ID, err = x.deliver(ctx, to, channel, m)
	default:
		p.ID, err = x.groupSend(ctx, to, channel, m)
	}
	if err != nil {
		return chat.Posted{}, err
	}
	return p, nil
}

// Update changes a card. Of any other message it returns chat.ErrUnsupported.
func (x *Sender) Update(ctx context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	to, err := chat.ParseAddress(p.To)
	if err != nil {
		return chat.Posted{}, &chat.Error{Code: chat.Invalid, Err: err}
	}
	channel, err := x.channel(to)
	if err != nil {
		return chat.Posted{}, err
	}
	if !x.Capabilities(to).Update || !strings.HasPrefix(p.ID, cardPrefix) {
		return chat.Posted{}, unsupported("change a message that is no card")
	}
	if err := x.change(ctx, to, channel, p.ID, m); err != nil {
		return chat.Posted{}, err
	}
	return p, nil
}

// Reply returns chat.ErrUnsupported: there are no threads.
func (x *Sender) Reply(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("reply in a thread")
}

func unsupported(what string) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("dingtalk: %s: %w", what, chat.ErrUnsupported)}
}

// channel returns the second part of an address of one of our tenants.
func (x *Sender) channel(to chat.Address) (string, error) {
	tenant, channel, found := strings.Cut(to.Place, "/")
	if to.Platform != chat.DingTalk || !found || channel == "" {
		return "", &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s: write dingtalk:<corp id>/<openConversationId> or dingtalk:<corp id>/robot:<name>", chat.ErrAddress, to)}
	}
	if len(x.s.tenants) > 0 && !slices.Contains(x.s.tenants, tenant) {
		return "", &chat.Error{Code: chat.Denied, Err: fmt.Errorf("post to %s: its corp id is none of %s", to, envTenants)}
	}
	return channel, nil
}

// groupSend posts as the app's robot: https://open.dingtalk.com/document/orgapp/the-robot-sends-a-group-message.
func (x *Sender) groupSend(ctx context.Context, to chat.Address, channel string, m chat.Message) (string, error) {
	key, param := appMessage(m)
	in := map[string]string{"robotCode": x.s.codes[0], "openConversationId": channel, "msgKey": key, "msgParam": param}
	var out struct {
		ProcessQueryKey string `json:"processQueryKey"`
	}
	call := wire.Call{URL: x.s.api.base + "/v1.0/robot/groupMessages/send", What: "post to " + to.String(), Key: to.Key(), Rate: robotRate()}
	if err := x.api(ctx, call, in, &out); err != nil {
		return "", err
	}
	if out.ProcessQueryKey == "" {
		return "", &chat.Error{Code: chat.Unavailable, Err: errors.New(call.What + ": its reply does not say that it was taken")}
	}
	return out.ProcessQueryKey, nil
}

// appMessage returns the kind of message and its parameters. Buttons make it an action card; they are links in the text as well,
// because not every client sends what a card's button holds.
func appMessage(m chat.Message) (key, param string) {
	buttons := pressable(m.Buttons)
	card := len(buttons) > 0 && len(buttons) <= maxButtons
	param = fit(maxParam, func(scale int) string {
		p := map[string]string{"title": title(m, scale), "text": markdown(m, look{heading: true, links: true, buttons: card, scale: scale})}
		switch {
		case !card:
			key = "sampleMarkdown"
		case len(buttons) == 1:
			key = "sampleActionCard"
			p["singleTitle"], p["singleURL"] = chat.Line(buttons[0].Label, maxLabel), pressLink(buttons[0].Token)
		default:
			key = "sampleActionCard" + strconv.Itoa(len(buttons))
			for i, b := range buttons {
				n := strconv.Itoa(i + 1)
				p["actionTitle"+n], p["actionURL"+n] = chat.Line(b.Label, maxLabel), pressLink(b.Token)
			}
		}
		return encode(p)
	})
	return key, param
}

// api makes a call with an access token. One that DingTalk does not take is fetched anew, once.
func (x *Sender) api(ctx context.Context, call wire.Call, in, out any) error {
	for again := false; ; again = true {
		token, err := x.tokens.Get(ctx)
		if err != nil {
			return err
		}
		call.Header = http.Header{"X-Acs-Dingtalk-Access-Token": {token.Reveal()}}
		res, err := x.wire.JSON(ctx, call, in, nil)
		if err = failure(x.wire, call, res, err); errors.Is(err, errToken) {
			x.tokens.Drop(token)
			if !again {
				continue
			}
		}
		if err != nil {
			return err
		}
		if json.Unmarshal(res.Body, out) != nil {
			return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply is not the JSON that it should be", call.What)}
		}
		return nil
	}
}

// encode writes JSON without the escapes that are for browsers: they would count against the limits.
func encode(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "" // texts always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}
