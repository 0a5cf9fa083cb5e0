package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// Say types a message. A "/" at the front makes it a slash command, which nobody else sees and which Slack takes nowhere but outside
// of threads; everything else is said to the bot by a mention, or by itself in a direct message.
func (r *Room) Say(ctx context.Context, s rooms.Saying) (rooms.Heard, error) {
	p, err := r.person(s.Person)
	if err != nil {
		return rooms.Heard{}, err
	}
	text := strings.TrimSpace(s.Text)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.at(s.Channel)
	switch {
	case c == nil, c.person != "" && c.person != p.ID:
		return rooms.Heard{}, fmt.Errorf("%s is in no such channel: %s", p.Name, s.Channel)
	case text == "":
		return rooms.Heard{}, errors.New("nothing was typed")
	case s.Thread != "" && c.find(s.Thread) == nil:
		return rooms.Heard{}, errors.New("the thread's message is not there")
	}
	if strings.HasPrefix(text, "/") {
		return r.slash(ctx, c, p, s.Thread, text)
	}
	if c.person == "" && !strings.Contains(strings.ToLower(text), "@"+handle) {
		text = "@" + botName + " " + text
	}
	m := r.add(c, &message{from: p.ID, text: r.encoded(text), thread: c.root(s.Thread)})
	body, err := json.Marshal(r.event(c, m))
	if err != nil {
		return rooms.Heard{}, err
	}
	heard, _, err := r.send(ctx, "application/json", body)
	return heard, err
}

// slash sends a slash command (https://docs.slack.dev/interactivity/implementing-slash-commands) and shows what comes back.
func (r *Room) slash(ctx context.Context, c *channel, p rooms.Person, thread, text string) (rooms.Heard, error) {
	name, rest, _ := strings.Cut(text, " ")
	switch {
	case name != command:
		return rooms.Heard{Text: name + " is not a valid command."}, nil
	case thread != "":
		return rooms.Heard{Text: name + " is not supported in threads. Sorry!"}, nil
	}
	trigger := r.trigger()
	// Slack's own order. The app does not ask for references in the text; the three escapes are there all the same.
	body := form("token", oldToken, "team_id", team, "team_domain", domain, "channel_id", c.id, "channel_name", c.name, "user_id", p.ID, "user_name", p.Name,
		"command", name, "text", escape(strings.TrimSpace(rest)), "api_app_id", app, "is_enterprise_install", "false",
		"response_url", r.hook(hook{channel: c.id, user: p.ID}), "trigger_id", trigger)
	heard, answer, err := r.send(ctx, "application/x-www-form-urlencoded", []byte(body))
	if err != nil {
		return heard, err
	}
	if heard.Status != http.StatusOK {
		heard.Text = name + ` failed with the error "dispatch_failed"`
		return heard, nil
	}
	return r.answered(c, p, heard, answer), nil
}

// answered shows the body of an acknowledgement: JSON, or a text.
func (r *Room) answered(c *channel, p rooms.Person, heard rooms.Heard, answer rooms.Answer) rooms.Heard {
	in := arguments{Text: string(answer.Body)}
	if strings.HasPrefix(answer.Type, "application/json") {
		in = arguments{}
		if json.Unmarshal(answer.Body, &in) != nil {
			heard.Text = command + ` failed with the error "invalid_response"`
			return heard
		}
	}
	if in.Text == "" && in.Blocks == nil {
		return heard // Slack shows nothing
	}
	m, no := r.draft(in)
	if no != nil {
		heard.Text = command + ` failed with the error "invalid_response"`
		return heard
	}
	if in.Response != "in_channel" {
		m.private = p.ID
	}
	r.add(c, m)
	heard.Text = r.seen(m.text, m.blocks)
	return heard
}

// Press presses a button, and says yes where Slack asks whether one is sure. A button that opens a page is told to the app too.
func (r *Room) Press(ctx context.Context, s rooms.Pressing) (rooms.Heard, error) {
	p, err := r.person(s.Person)
	if err != nil {
		return rooms.Heard{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.at(s.Channel)
	if c == nil || c.person != "" && c.person != p.ID {
		return rooms.Heard{}, fmt.Errorf("%s is in no such channel: %s", p.Name, s.Channel)
	}
	m := c.find(s.Message)
	if m == nil || m.private != "" && m.private != p.ID {
		return rooms.Heard{}, fmt.Errorf("%s sees no such message: %s", p.Name, s.Message)
	}
	m = m.asSeen(s.Seen)
	if buttons := m.buttons(); s.Button < 0 || s.Button >= len(buttons) {
		return rooms.Heard{}, fmt.Errorf("the message has %d buttons", len(buttons))
	}
	payload, err := json.Marshal(r.action(c, m, p, s.Button))
	if err != nil {
		return rooms.Heard{}, err
	}
	heard, _, err := r.send(ctx, "application/x-www-form-urlencoded", []byte(form("payload", string(payload))))
	if err == nil && heard.Status != http.StatusOK {
		heard.Text = "The button could not be pressed: the app did not take it."
	}
	return heard, err
}

// form writes pairs in their order.
func form(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(parts, "&")
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// encoded is typed text as Slack keeps it: @bob is <@U0BOB>, #drills <#C0DRILLS|drills>, a web address stands in < and >.
func (r *Room) encoded(s string) string {
	var b strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 {
			end = len(s)
		}
		b.WriteString(r.word(s[:end]))
		s = s[end:]
		gap := strings.IndexFunc(s, func(c rune) bool { return !unicode.IsSpace(c) })
		if gap < 0 {
			gap = len(s)
		}
		b.WriteString(s[:gap])
		s = s[gap:]
	}
	return b.String()
}

func (r *Room) word(w string) string {
	body := strings.TrimRight(w, ".,:;!?)")
	tail := escape(w[len(body):])
	low := strings.ToLower(body)
	switch {
	case low == "@"+handle:
		return "<@" + bot + ">" + tail
	case low == "@here", low == "@channel", low == "@everyone":
		return "<!" + low[1:] + ">" + tail
	case low == "#"+drillsAs:
		return "<#" + drills + "|" + drillsAs + ">" + tail
	case strings.HasPrefix(low, "https://"), strings.HasPrefix(low, "http://"):
		return "<" + escape(body) + ">" + tail
	}
	for _, p := range r.People() {
		if low == "@"+p.Name {
			return "<@" + p.ID + ">" + tail
		}
	}
	return escape(w)
}
