package slack

import (
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// interaction reads a press (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload). Other interactions, and
// presses of buttons that only open a page, are acknowledged and nothing else.
func (r *Receiver) interaction(raw []byte, at time.Time) (chat.Incoming, error) {
	o, err := parseObject(raw)
	if err != nil {
		return chat.Incoming{}, unreadable(err.Error())
	}
	team, user := o.in("team"), o.in("user")
	from := origin{app: o.text("api_app_id"), team: team.text("id"), enterprise: o.in("enterprise").text("id")}
	if from.enterprise == "" {
		from.enterprise = team.text("enterprise_id")
	}
	tenant, err := r.pin(from)
	if err != nil {
		return chat.Incoming{}, err
	}
	if !r.member(from, user.text("team_id")) {
		return chat.Incoming{}, chat.ErrAuth
	}
	actions := o.list("actions")
	if o.text("type") != "block_actions" || len(actions) == 0 || actions[0].text("type") != "button" || actions[0].text("value") == "" {
		return nothing(), nil
	}
	return r.pressed(o, actions[0], chat.Principal{Platform: chat.Slack, Tenant: tenant, User: user.text("id")}, at)
}

func (r *Receiver) pressed(o, action object, who chat.Principal, at time.Time) (chat.Incoming, error) {
	container, message := o.in("container"), o.in("message")
	channel := o.in("channel").text("id")
	if channel == "" {
		channel = container.text("channel_id")
	}
	trigger, pressed := o.text("trigger_id"), action.text("action_ts")
	switch {
	case !isID(who.User):
		return chat.Incoming{}, unreadable("the press has no user")
	case !isID(channel):
		return chat.Incoming{}, unreadable("the press has no channel")
	case !isMark(trigger) || !isMark(pressed):
		return chat.Incoming{}, unreadable("the press has no trigger_id or no action_ts")
	}
	in := chat.Incoming{
		ID:      who.Tenant + "|" + trigger + "|" + pressed,
		From:    who,
		Token:   action.text("value"),
		Channel: who.Tenant + "/" + channel,
		Thread:  mark(or(container.text("thread_ts"), message.text("thread_ts"))),
		Message: mark(or(container.text("message_ts"), message.text("ts"))),
		Direct:  direct(channel),
		Answer:  acknowledge,
	}
	if in.ReplyURL = r.replies.take(o.text("response_url")); in.ReplyURL != "" {
		in.ReplyUntil = at.Add(replyTime)
	}
	return in, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
