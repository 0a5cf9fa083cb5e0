package slack

import (
	"time"
	"unicode/utf8"
)

// Rates and sizes from https://docs.slack.dev/apis/web-api/rate-limits and the pages of the methods.
const (
	postEvery    = time.Second // a message a second in a channel
	postBurst    = 3
	editEvery    = 3 * time.Second // of one message
	editBurst    = 2
	tier3Every   = time.Minute / 50 // chat.update
	tier3Burst   = 50
	tier4Every   = time.Minute / 100 // chat.postEphemeral
	tier4Burst   = 100
	maxText      = 40000 // characters; more is cut off
	maxTextAfter = 4000  // of chat.update; more is an error
)

func (r *Room) postMessage(in arguments) any {
	c := r.channels[in.Channel]
	if c == nil {
		c = r.channels[directOf(in.Channel)] // a person stands for the conversation with them
	}
	if c == nil || in.Channel == "" {
		return refusal("channel_not_found")
	}
	if wait := c.posts.take(r.now(), postEvery, postBurst); wait > 0 {
		return throttle(wait)
	}
	m, no := r.draft(in)
	if no != nil {
		return no
	}
	if in.Thread != "" && c.find(in.Thread) == nil {
		return refusal("thread_not_found")
	}
	m.thread = c.root(in.Thread)
	r.add(c, m)
	return result{"ok": true, "channel": c.id, "ts": m.ts, "message": r.told(c, m)}
}

func (r *Room) update(in arguments) any {
	c := r.channels[in.Channel]
	if c == nil {
		return refusal("channel_not_found")
	}
	old := c.find(in.TS)
	switch {
	case old == nil || old.private != "":
		return refusal("message_not_found")
	case old.from != bot:
		return refusal("cant_update_message")
	case utf8.RuneCountInString(in.Text) > maxTextAfter:
		return refusal("msg_too_long")
	}
	now := r.now()
	if wait := max(old.edits.take(now, editEvery, editBurst), r.edits.take(now, tier3Every, tier3Burst)); wait > 0 {
		return throttle(wait)
	}
	m, no := r.draft(in)
	if no != nil {
		return no
	}
	old.change(m, in)
	return result{"ok": true, "channel": c.id, "ts": old.ts, "text": old.text, "message": r.told(c, old)}
}

// change puts a draft in a message's place. Blocks that are not named stay.
func (m *message) change(draft *message, in arguments) {
	m.past, m.text = append(m.past, *m), draft.text
	if in.Blocks != nil {
		m.blocks, m.raw = draft.blocks, draft.raw
	}
}

func (r *Room) postEphemeral(in arguments) any {
	c := r.channels[in.Channel]
	if c == nil {
		return refusal("channel_not_found")
	}
	if _, err := r.person(in.User); err != nil || c.person != "" && c.person != in.User {
		return refusal("user_not_in_channel")
	}
	if wait := r.whispers.take(r.now(), tier4Every, tier4Burst); wait > 0 {
		return throttle(wait)
	}
	m, no := r.draft(in)
	if no != nil {
		return no
	}
	m.private, m.thread = in.User, c.root(in.Thread)
	r.add(c, m)
	return result{"ok": true, "message_ts": m.ts}
}

// draft checks text and blocks, and makes a message of them that has no ts yet.
func (r *Room) draft(in arguments) (*message, any) {
	blocks, raw, no := r.checked(in.Blocks)
	if no != nil {
		return nil, no
	}
	if in.Text == "" && len(blocks) == 0 {
		return nil, refusal("no_text")
	}
	text := []rune(in.Text)
	return &message{from: bot, text: string(text[:min(len(text), maxText)]), blocks: blocks, raw: raw}, nil
}

// root returns the message whose thread it is, whichever of its messages was named.
func (c *channel) root(ts string) string {
	if m := c.find(ts); m != nil && m.thread != "" {
		return m.thread
	}
	return ts
}

// told is a message as Slack tells apps of it.
func (r *Room) told(c *channel, m *message) map[string]any {
	out := map[string]any{"type": "message", "user": m.from, "ts": m.ts, "text": m.text, "team": team}
	if m.from == bot {
		out["bot_id"], out["app_id"] = botID, app
	}
	if m.raw != nil {
		out["blocks"] = m.raw
	}
	if thread := c.threaded(m); thread != "" {
		out["thread_ts"] = thread
	}
	if len(m.past) > 0 {
		out["edited"] = map[string]any{"user": botID, "ts": m.ts}
	}
	return out
}
