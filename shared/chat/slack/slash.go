package slack

import (
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// slash reads a slash command (https://docs.slack.dev/interactivity/implementing-slash-commands). Slack takes none in threads.
func (r *Receiver) slash(form map[string]string, at time.Time) (chat.Incoming, error) {
	from := origin{app: form["api_app_id"], team: form["team_id"], enterprise: form["enterprise_id"]}
	tenant, err := r.pin(from)
	if err != nil {
		return chat.Incoming{}, err
	}
	switch {
	case form["command"] == "":
		return chat.Incoming{}, unreadable("neither a command, a press nor an event")
	case !isID(form["user_id"]):
		return chat.Incoming{}, unreadable("the command has no user_id")
	case !isID(form["channel_id"]):
		return chat.Incoming{}, unreadable("the command has no channel_id")
	case !isMark(form["trigger_id"]):
		return chat.Incoming{}, unreadable("the command has no trigger_id")
	}
	in := chat.Incoming{
		ID:      tenant + "|" + form["trigger_id"],
		From:    chat.Principal{Platform: chat.Slack, Tenant: tenant, User: form["user_id"]},
		Text:    strings.TrimSpace(decode(form["text"])),
		Channel: tenant + "/" + form["channel_id"],
		Direct:  direct(form["channel_id"]),
		Says:    true,
		Answer:  whisper,
	}
	if in.ReplyURL = r.replies.take(form["response_url"]); in.ReplyURL != "" {
		in.ReplyUntil = at.Add(replyTime)
	}
	return in, nil
}

// direct reports whether a conversation is between one person and the bot.
func direct(channel string) bool { return strings.HasPrefix(channel, "D") }

// whisper shows the answer to the person alone.
func whisper(a chat.Answer) chat.Response {
	text := a.Text
	if a.Failed {
		text = "⚠️ " + text
	}
	body, err := encode(said{Type: "ephemeral", Text: fallback(text), Blocks: answerBlocks(text)})
	if err != nil { // it holds nothing that cannot be encoded
		return chat.Response{Status: 200}
	}
	return chat.Response{Status: 200, Type: "application/json; charset=utf-8", Body: body}
}
