package slack

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// What is in the workspace. The secrets are made up.
const (
	team     = "T0DRILL"
	domain   = "drill"
	app      = "A0DRILL"
	bot      = "U0BOT"
	botID    = "B0BOT"
	botName  = "Firedrill"
	handle   = "firedrill"
	drills   = "C0DRILLS"
	drillsAs = "drills"
	command  = "/drill"
	secret   = "5a4d0c8e1b2f3a4d5c6b7a8f9e0d1c2b"
	token    = "xoxb-made-up-for-the-sandbox"
	oldToken = "made-up-verification-token"
)

const (
	keep     = 500 // messages of a channel
	maxHooks = 1000
	maxBody  = 1 << 20 // bytes of a call
)

// Room is the workspace. It is safe for concurrent use.
type Room struct {
	now func() time.Time

	mu       sync.Mutex
	to       http.Handler
	base     string
	channels map[string]*channel
	hooks    []*hook // oldest first
	trouble  rooms.Trouble
	edits    bucket // of chat.update in the workspace
	whispers bucket // of chat.postEphemeral
	count    int64  // makes ids
}

var _ rooms.Room = (*Room)(nil)

// channel is a conversation: all are in #drills, one person and the bot in a direct one.
type channel struct {
	id, name string
	person   string // of a direct one
	messages []*message
	posts    bucket
	last     int64 // of the newest ts, in microseconds
}

// message is one of the channel's.
type message struct {
	ts, thread string
	from       string // user id
	text       string // as Slack keeps it: mrkdwn
	blocks     []block
	raw        []map[string]any // the blocks as they came, with their ids
	private    string           // the user who alone sees it
	past       []message        // what it was before each edit
	at         time.Time
	edits      bucket
}

// New returns a workspace whose clock is now.
func New(now func() time.Time) *Room {
	r := &Room{now: now, base: "https://hooks.slack.com", channels: map[string]*channel{drills: {id: drills, name: drillsAs}}}
	for _, p := range r.People() {
		id := directOf(p.ID)
		r.channels[id] = &channel{id: id, name: "directmessage", person: p.ID}
	}
	return r
}

func directOf(user string) string { return "D" + strings.TrimPrefix(user, "U") }

// Platform is Slack.
func (r *Room) Platform() chat.Platform { return chat.Slack }

// Env returns the variables that connect Firedrill to the workspace. Reply URLs are below the same base from then on.
func (r *Room) Env(base string) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base = base
	return map[string]string{
		"FIREDRILL_SLACK_SIGNING_SECRETS": secret,
		"FIREDRILL_SLACK_APPS":            app,
		"FIREDRILL_SLACK_TENANTS":         team,
		"FIREDRILL_SLACK_BOT_TOKENS":      team + "=" + token,
		"FIREDRILL_ENDPOINT_SLACK":        base,
	}
}

// Connect says where events, commands and presses are sent: all to /chat/slack.
func (r *Room) Connect(to http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// People are the members of the workspace.
func (r *Room) People() []rooms.Person {
	person := func(id, name, role string) rooms.Person {
		return rooms.Person{ID: id, Name: name, Who: string(chat.Slack) + ":" + team + "/" + id, Role: role}
	}
	return []rooms.Person{
		person("U0ALICE", "alice", "operator"), person("U0BOB", "bob", "approver"),
		person("U0CAROL", "carol", "viewer"), person("U0MALLORY", "mallory", "stranger"),
	}
}

// Channels are the places where all are. A person's direct messages with the bot are at slack:T0DRILL/D0ALICE and so on.
func (r *Room) Channels() []rooms.Channel {
	return []rooms.Channel{{Address: address(drills), Name: "#" + drillsAs}}
}

func address(channel string) string { return string(chat.Slack) + ":" + team + "/" + channel }

// Trouble makes the next calls fail: throttled (429), error (internal_error), down (503), lost (taken, and the connection ends).
func (r *Room) Trouble(t rooms.Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = t
}

// Messages returns what a person sees of a channel.
func (r *Room) Messages(at, person string) []rooms.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.at(at)
	if c == nil || c.person != "" && c.person != person {
		return nil
	}
	var all []rooms.Message
	for _, m := range c.messages {
		if m.private == "" || m.private == person {
			all = append(all, r.shown(m))
		}
	}
	return all
}

// at returns the channel of an address, nil for none.
func (r *Room) at(address string) *channel {
	a, err := chat.ParseAddress(address)
	if err != nil || a.Platform != chat.Slack {
		return nil
	}
	id, found := strings.CutPrefix(a.Place, team+"/")
	if !found {
		return nil
	}
	return r.channels[id]
}

// name returns how a user is shown.
func (r *Room) name(id string) string {
	if id == bot {
		return botName
	}
	if p, ok := rooms.Find(r.People(), id); ok {
		return p.Name
	}
	return id
}

func (r *Room) person(id string) (rooms.Person, error) {
	if p, ok := rooms.Find(r.People(), id); ok {
		return p, nil
	}
	return rooms.Person{}, errors.New("nobody here has the id " + id)
}

// add keeps a message and gives it its ts, which is unique in the channel and tells the order.
func (r *Room) add(c *channel, m *message) *message {
	m.at = r.now()
	c.last = max(c.last+1, m.at.UnixMicro())
	m.ts = fmt.Sprintf("%d.%06d", c.last/1e6, c.last%1e6)
	c.messages = append(c.messages, m)
	if n := len(c.messages) - keep; n > 0 {
		c.messages = slices.Delete(c.messages, 0, n)
	}
	return m
}

func (c *channel) find(ts string) *message {
	for _, m := range c.messages {
		if m.ts == ts {
			return m
		}
	}
	return nil
}

// threaded returns the thread of a message as Slack tells it: replies have their root's ts, and so has a root with replies.
func (c *channel) threaded(m *message) string {
	if m.thread != "" {
		return m.thread
	}
	for _, other := range c.messages {
		if other.thread == m.ts {
			return m.ts
		}
	}
	return ""
}

// next makes a number that no other id has.
func (r *Room) next() int64 {
	r.count++
	return r.count
}

// bucket is a rate: one each so often, and a few at once.
type bucket struct {
	used float64
	at   time.Time
}

// take returns how long to wait, 0 where there is room.
func (b *bucket) take(now time.Time, every time.Duration, burst int) time.Duration {
	if gone := now.Sub(b.at); gone > 0 {
		b.used = max(0, b.used-float64(gone)/float64(every))
	}
	b.at = now
	if b.used+1 > float64(burst) {
		return time.Duration((b.used + 1 - float64(burst)) * float64(every))
	}
	b.used++
	return 0
}
