package dingtalk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// Say answers one person: at the reply URL that came with what they said, where others of a group see it too, and otherwise in their own
// chat with the robot. A reply URL that DingTalk no longer takes is not the end of it.
func (x *Sender) Say(ctx context.Context, s chat.Saying) error {
	if s.URL != "" {
		err := x.session(ctx, s)
		if err == nil {
			return nil
		}
		if c := chat.CodeOf(err); c != chat.Denied && c != chat.Invalid || !valid(s.User) || !x.s.app {
			return err
		}
	}
	return x.direct(ctx, s)
}

// session posts to a reply URL: https://open.dingtalk.com/document/orgapp/robot-reply-and-send-messages.
func (x *Sender) session(ctx context.Context, s chat.Saying) error {
	out := webMessage{Type: "markdown", At: mentioned{Mobiles: []string{}, Users: []string{}}}
	if s.ID != "" {
		out.UUID = events.ID("dingtalk answer", s.To.Key(), s.ID)
	}
	call := ""
	if valid(s.User) {
		out.At.Users = append(out.At.Users, s.User)
		call = "@" + s.User + " "
	}
	fit(maxParam, func(scale int) string {
		out.Markdown = &webText{Title: title(chat.Message{Title: answer(s, true)}, scale), Text: call + lines(cut(answer(s, false), maxText/scale))}
		return encode(out)
	})
	return x.web(ctx, wire.Call{URL: s.URL, What: "answer in " + s.To.String(), Key: "session " + s.To.Key(), Rate: robotRate()}, out)
}

// direct posts to one person's chat with the robot:
// https://open.dingtalk.com/document/orgapp/chatbots-send-one-on-one-chat-messages-in-batches.
func (x *Sender) direct(ctx context.Context, s chat.Saying) error {
	what := "answer " + string(chat.DingTalk) + " user " + s.User
	switch {
	case !valid(s.User):
		return &chat.Error{Code: chat.Invalid, Err: errors.New("answer on dingtalk: there is neither a reply URL nor a user to answer")}
	case !x.s.app:
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: there is no app to answer as: set %s", what, envKey)}
	}
	param := fit(maxParam, func(scale int) string {
		return encode(map[string]string{"title": title(chat.Message{Title: answer(s, true)}, scale), "text": lines(cut(answer(s, false), maxText/scale))})
	})
	in := map[string]any{"robotCode": x.s.codes[0], "userIds": []string{s.User}, "msgKey": "sampleMarkdown", "msgParam": param}
	var out struct {
		Invalid []string `json:"invalidStaffIdList"`
		Slowed  []string `json:"flowControlledStaffIdList"`
	}
	call := wire.Call{URL: x.s.api.base + "/v1.0/robot/oToMessages/batchSend", What: what, Key: "dingtalk user " + s.User, Rate: robotRate()}
	if err := x.api(ctx, call, in, &out); err != nil {
		return err
	}
	if slices.Contains(out.Slowed, s.User) {
		return x.wire.Throttled(call, pauseRobot, fmt.Errorf("%s: the robot sends to them too often", what))
	}
	if slices.Contains(out.Invalid, s.User) {
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: the robot may not write to them: let them be in the app's visible range", what)}
	}
	return nil
}

// answer is the text with the mode at its front, and its first line alone for notifications.
func answer(s chat.Saying, first bool) string {
	text := strings.TrimSpace(chat.Clean(s.Text))
	if mode := "[" + s.Mode + "]"; s.Mode != "" && !strings.HasPrefix(text, mode) {
		text = mode + " " + text
	}
	if first {
		text, _, _ = strings.Cut(text, "\n")
	}
	return text
}
