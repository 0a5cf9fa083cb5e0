package feishu

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// The company, the app and what they know of each other. All of it is made up.
const (
	tenant      = "2ed263bf32cf1651"
	appID       = "cli_drill"
	appSecret   = "room-app-secret-6f1d2c3b4a5968778695a4b3"
	encryptKey  = "room-encrypt-key-0c1d2e3f4a5b6c7d"
	verifyToken = "room-verification-token-9a8b7c6d"
	botID       = "ou_firedrill_bot"
	botName     = "Firedrill"

	group      = "oc_drills"
	hookName   = "alerts"
	hookID     = "5f0c2b7e-71a4-4f0e-9d2b-3c6a1e8d4b90"
	hookSecret = "room-hook-secret-Zx81kQ"
	hookShown  = "Firedrill alerts"

	keep = 500 // messages of a chat
)

// Room is Feishu's fake. Make one with New.
type Room struct {
	now func() time.Time

	mu       sync.Mutex
	to       http.Handler
	chats    map[string]*conversation
	messages map[string]*message
	taken    map[string]once
	tokens   []issued
	number   int
	trouble  rooms.Trouble
	calls    window
	hook     window
}

var _ rooms.Room = (*Room)(nil)

// conversation is a group, or a person and the bot.
type conversation struct {
	id, kind string // kind: group or p2p
	messages []*message
	posts    window
}

// message is one message as Feishu keeps it.
type message struct {
	id, chat string
	root     string // what it answers, in the end; "" for none
	inThread bool   // it stands in the root's thread, not in the chat as a quote
	thread   string // id of the thread that hangs on it
	from     string // open_id; botID or hookName for bots
	kind     string // text or interactive
	text     string // of kind text, as Feishu keeps it
	card     map[string]any
	past     []map[string]any // the card before each edit
	at       time.Time
	edits    window
}

// once is a message that was sent with a uuid.
type once struct {
	id string
	at time.Time
}

// New returns an empty room on a clock.
func New(now func() time.Time) *Room {
	r := &Room{now: now, chats: map[string]*conversation{}, messages: map[string]*message{}, taken: map[string]once{}}
	r.chats[group] = &conversation{id: group, kind: "group"}
	for _, p := range r.People() {
		id := "oc_p2p_" + strings.ToLower(p.Name)
		r.chats[id] = &conversation{id: id, kind: "p2p"}
	}
	return r
}

// Platform returns chat.Feishu.
func (r *Room) Platform() chat.Platform { return chat.Feishu }

// Env returns the variables of an app and a custom bot whose API is at base.
func (r *Room) Env(base string) map[string]string {
	return map[string]string{
		"FIREDRILL_FEISHU_APP_ID":              appID,
		"FIREDRILL_FEISHU_APP_SECRETS":         appSecret,
		"FIREDRILL_FEISHU_ENCRYPT_KEYS":        encryptKey,
		"FIREDRILL_FEISHU_VERIFICATION_TOKENS": verifyToken,
		"FIREDRILL_FEISHU_TENANTS":             tenant,
		"FIREDRILL_FEISHU_HOOKS":               hookName + "=" + hookID + ":" + hookSecret,
		"FIREDRILL_ENDPOINT_FEISHU":            base,
	}
}

// Connect says where events and callbacks are sent.
func (r *Room) Connect(to http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// People returns the four members of the company.
func (r *Room) People() []rooms.Person {
	var people []rooms.Person
	for _, p := range [][2]string{{"Alice", "operator"}, {"Bob", "approver"}, {"Carol", "viewer"}, {"Mallory", "stranger"}} {
		id := "ou_" + strings.ToLower(p[0])
		people = append(people, rooms.Person{ID: id, Name: p[0], Who: string(chat.Feishu) + ":" + tenant + "/" + id, Role: p[1]})
	}
	return people
}

// Channels returns the group. Its custom bot, feishu:<tenant>/hook:alerts, posts to the same group.
func (r *Room) Channels() []rooms.Channel {
	return []rooms.Channel{{Address: string(chat.Feishu) + ":" + tenant + "/" + group, Name: "drills"}}
}

// Trouble makes the next calls that send or edit fail; those for access tokens do not.
func (r *Room) Trouble(t rooms.Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = t
}

// Messages returns what everybody in the channel sees: Feishu's bots say nothing for one person's eyes only.
func (r *Room) Messages(channel, _ string) []rooms.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.conversation(channel)
	if err != nil {
		return nil
	}
	var seen []rooms.Message
	for _, m := range c.messages {
		v, thread := m.view(r.name), ""
		if m.inThread {
			thread = m.root
		}
		seen = append(seen, rooms.Message{
			ID: m.id, Thread: thread, From: r.name(m.from), Bot: !strings.HasPrefix(m.from, "ou_") || m.from == botID, Text: strings.Join(v.lines, "\n"),
			Buttons: v.buttons(), Edits: len(m.past), Urgent: v.urgent, At: m.at,
		})
	}
	return seen
}

// conversation finds a channel by its address.
func (r *Room) conversation(address string) (*conversation, error) {
	a, err := chat.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	company, place, _ := strings.Cut(a.Place, "/")
	if place == "hook:"+hookName {
		place = group
	}
	if c := r.chats[place]; c != nil && a.Platform == chat.Feishu && company == tenant {
		return c, nil
	}
	return nil, fmt.Errorf("there is no channel %s in this room", a)
}

// name is how a sender is shown.
func (r *Room) name(id string) string {
	switch id {
	case botID:
		return botName
	case hookName:
		return hookShown
	}
	if p, ok := r.person(id); ok {
		return p.Name
	}
	return "unknown user"
}

func (r *Room) person(id string) (rooms.Person, bool) { return rooms.Find(r.People(), id) }

// next makes ids and nonces that never repeat in a room, and are the same in every run.
func (r *Room) next(prefix string) string {
	r.number++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", prefix, r.number))
	return prefix + hex.EncodeToString(sum[:16])
}

// add keeps a message, and of each chat the newest alone.
func (r *Room) add(m *message) {
	c := r.chats[m.chat]
	m.id, m.at = r.next("om_"), r.now()
	if root := r.messages[m.root]; root != nil && m.inThread && root.thread == "" {
		root.thread = r.next("omt_")
	}
	r.messages[m.id] = m
	c.messages = append(c.messages, m)
	for len(c.messages) > keep {
		delete(r.messages, c.messages[0].id)
		c.messages = slices.Delete(c.messages, 0, 1)
	}
}
