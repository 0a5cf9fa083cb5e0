package slack

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// How often Slack takes something (https://docs.slack.dev/apis/web-api/rate-limits): a message a second in a channel. An edit of a
// message every three seconds is what keeps within chat.update's 50 a minute.
func everyMessage() wire.Rate { return wire.Rate{Every: time.Second} }
func everyEdit() wire.Rate    { return wire.Rate{Every: 3 * time.Second} }

// Sender posts to Slack, each message once. Every way to print it hides its tokens.
type Sender struct {
	wire     *wire.Client
	now      func() time.Time
	endpoint string
	tokens   tokens
	replies  replies
}

var (
	_ chat.Sender   = (*Sender)(nil)
	_ chat.Answerer = (*Sender)(nil)
)

// String hides the tokens.
func (Sender) String() string { return "[slack sender]" }

// GoString hides the tokens.
func (Sender) GoString() string { return "[slack sender]" }

// LogValue hides the tokens.
func (Sender) LogValue() slog.Value { return slog.StringValue("[slack sender]") }

// Capabilities says that Slack can do all of it.
func (s *Sender) Capabilities(chat.Address) chat.Capabilities {
	return chat.Capabilities{Update: true, Reply: true, Buttons: true}
}

// Post sends the message into a channel. A place that is a person (slack:T1/U1) is their direct message with the app; what is returned
// names that conversation, because only so can the message be changed.
func (s *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	p, err := split(to)
	if err != nil {
		return chat.Posted{}, err
	}
	return s.post(ctx, p, "", m)
}

// Reply sends the message into the thread of one that was posted.
func (s *Sender) Reply(ctx context.Context, to chat.Posted, m chat.Message) (chat.Posted, error) {
	p, err := posted(to)
	if err != nil {
		return chat.Posted{}, err
	}
	return s.post(ctx, p, or(to.Thread, to.ID), m)
}

// Update replaces a message of ours, blocks and all.
func (s *Sender) Update(ctx context.Context, to chat.Posted, m chat.Message) (chat.Posted, error) {
	p, err := posted(to)
	if err != nil {
		return chat.Posted{}, err
	}
	call := wire.Call{What: "update a message in " + p.String(), Key: p.String() + "/" + to.ID, Rate: everyEdit()}
	in := request{Channel: p.channel, TS: to.ID, Text: notice(m, p.team), Blocks: card(m, p.team)}
	if _, err := s.api(ctx, "chat.update", p.team, call, in); err != nil {
		return chat.Posted{}, err
	}
	return chat.Posted{To: to.To, ID: to.ID, Thread: or(to.Thread, to.ID)}, nil
}

func (s *Sender) post(ctx context.Context, p place, thread string, m chat.Message) (chat.Posted, error) {
	call := wire.Call{What: "post to " + p.String(), Key: p.String(), Rate: everyMessage()}
	no := false
	in := request{Channel: p.channel, Thread: thread, Text: notice(m, p.team), Blocks: card(m, p.team), Links: &no, Media: &no}
	out, err := s.api(ctx, "chat.postMessage", p.team, call, in)
	if err != nil {
		return chat.Posted{}, err
	}
	if !isMark(out.TS) {
		return chat.Posted{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: it did not say which message that became", call.What)}
	}
	if p.person() && isID(out.Channel) {
		p.channel = out.Channel
	}
	return chat.Posted{To: p.String(), ID: out.TS, Thread: or(thread, out.TS)}, nil
}

// Say tells one person something: by the reply URL where there is one, else as a message that nobody else sees. In the person's own
// conversation with the app it is a message like any other. A reply URL that takes no more, or none for now, is no failure.
func (s *Sender) Say(ctx context.Context, a chat.Saying) error {
	p, err := split(a.To)
	if err != nil {
		return err
	}
	text := a.Text
	if mode := chat.Line(a.Mode, 40); mode != "" && !strings.HasPrefix(text, "["+mode+"]") {
		text = "[" + mode + "] " + text
	}
	if url := s.replies.take(a.URL); url != "" {
		no := false
		call := wire.Call{URL: url, What: "answer in " + p.String(), Key: "reply " + p.String()}
		in := said{Type: "ephemeral", Text: fallback(text), Blocks: answerBlocks(text), Thread: a.Thread, Replace: &no}
		err := s.respond(ctx, call, in)
		if err == nil || chat.Retryable(err) && chat.CodeOf(err) != chat.Throttled {
			return err
		}
	}
	return s.say(ctx, p, a, text)
}

func (s *Sender) say(ctx context.Context, p place, a chat.Saying, text string) error {
	in := request{Channel: p.channel, Thread: a.Thread, Text: fallback(text), Blocks: answerBlocks(text)}
	if direct(p.channel) {
		call := wire.Call{What: "answer in " + p.String(), Key: p.String(), Rate: everyMessage()}
		_, err := s.api(ctx, "chat.postMessage", p.team, call, in)
		return err
	}
	if !isID(a.User) {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("answer in %s: to nobody", p)}
	}
	in.User = a.User
	// 100 a minute in the whole workspace.
	call := wire.Call{What: "answer in " + p.String(), Key: "say " + p.team, Rate: wire.Rate{Every: 600 * time.Millisecond, Burst: 10}}
	_, err := s.api(ctx, "chat.postEphemeral", p.team, call, in)
	return err
}

// place is a conversation of a workspace.
type place struct{ team, channel string }

// String returns the address.
func (p place) String() string { return string(chat.Slack) + ":" + p.team + "/" + p.channel }

func (p place) person() bool {
	return strings.HasPrefix(p.channel, "U") || strings.HasPrefix(p.channel, "W")
}

func split(to chat.Address) (place, error) {
	team, channel, _ := strings.Cut(to.Place, "/")
	if to.Platform != chat.Slack || !isTenant(team) || !isID(channel) {
		err := fmt.Errorf("%w: %s: write slack:T…/C…, the ids of the workspace and of the channel", chat.ErrAddress, to)
		return place{}, &chat.Error{Code: chat.Invalid, Err: err}
	}
	return place{team: team, channel: channel}, nil
}

func posted(p chat.Posted) (place, error) {
	to, err := chat.ParseAddress(p.To)
	if err != nil {
		return place{}, &chat.Error{Code: chat.Invalid, Err: err}
	}
	if !isMark(p.ID) {
		return place{}, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s: the message has no id", chat.ErrAddress, to)}
	}
	return split(to)
}
