package wecom

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// The company and its app. The secrets are made up, and good in the sandbox alone.
const (
	corp      = "wwdrill0000000001"
	agent     = 1000002
	appSecret = "sandbox-secret-of-the-app-0123456789-ABCDEF"
	token     = "sandboxTokenOfTheCallback"
	aesKey    = "sandboxsandboxsandboxsandboxsandboxsandboxA"
	robotName = "drills"
	robotKey  = "5a4db0c5-0000-4000-8000-000000000001"
	botName   = "Firedrill"

	everybody = "@all"
	kept      = 500 // messages of the app, and of the robot
)

// Room is the fake. Make one with New.
type Room struct {
	now func() time.Time

	mu      sync.Mutex
	to      http.Handler
	trouble rooms.Trouble
	seq     int64
	access  pass
	posts   []*post            // newest last
	sent    map[string]receipt // by what was sent, for the duplicate check
	tasks   map[string]bool    // ids of cards, which must differ
	codes   map[string]*code   // response codes
	counts  rooms.Counts
}

var _ rooms.Room = (*Room)(nil)

// pass is an access token.
type pass struct {
	token string
	until time.Time
}

// receipt is what was answered to a message.
type receipt struct {
	id string
	at time.Time
}

// code lets its owner change a card once, for 72 hours.
type code struct {
	post *post
	at   time.Time
	used bool
}

// post is one message as it was delivered.
type post struct {
	id      string
	task    string
	from    string // "" for the app or the robot
	robot   bool
	only    string // the one person whom it was for
	reached map[string]bool
	shown   shown
	at      time.Time
	done    map[string]string // by person: what stands in the place of the buttons
}

// New returns a room on a clock.
func New(now func() time.Time) *Room {
	return &Room{now: now, sent: map[string]receipt{}, tasks: map[string]bool{}, codes: map[string]*code{}, counts: rooms.Counts{}}
}

// Platform is WeCom.
func (r *Room) Platform() chat.Platform { return chat.WeCom }

// Env returns the variables that connect Firedrill to the room.
func (r *Room) Env(base string) map[string]string {
	return map[string]string{
		"FIREDRILL_WECOM_TENANTS":     corp,
		"FIREDRILL_WECOM_AGENT":       strconv.Itoa(agent),
		"FIREDRILL_WECOM_APP_SECRETS": appSecret,
		"FIREDRILL_WECOM_TOKENS":      token,
		"FIREDRILL_WECOM_AES_KEYS":    aesKey,
		"FIREDRILL_WECOM_ROBOTS":      robotName + "=" + robotKey,
		"FIREDRILL_ENDPOINT_WECOM":    base,
	}
}

// Connect says where callbacks go: path /chat/wecom.
func (r *Room) Connect(to http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// People are the members of the company.
func (r *Room) People() []rooms.Person {
	who := func(id, name, role string) rooms.Person {
		return rooms.Person{ID: id, Name: name, Who: "wecom:" + corp + "/" + id, Role: role}
	}
	return []rooms.Person{who("alice", "Alice", "operator"), who("bob", "Bob", "approver"), who("carol", "Carol", "viewer"), who("mallory", "Mallory", "stranger")}
}

// Channels has one: everybody's conversation with the app.
func (r *Room) Channels() []rooms.Channel {
	return []rooms.Channel{{Address: address(everybody), Name: "应用 " + botName}}
}

func address(target string) string { return "wecom:" + corp + "/" + target }

// Messages returns what a person sees: in their conversation with the app, whatever part of it was for all, or in the robot's group.
func (r *Room) Messages(channel, person string) []rooms.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	group := channel == address("robot:"+robotName)
	if !group && channel != address(everybody) && channel != address(person) || !r.known(person) {
		return nil
	}
	var out []rooms.Message
	for _, p := range r.posts {
		if p.robot == group && (group || p.reached[person]) {
			out = append(out, r.view(p, person))
		}
	}
	return out
}

// view is a message as that person has it: what became of a press is shown to who pressed.
func (r *Room) view(p *post, person string) rooms.Message {
	m := rooms.Message{
		ID: p.id, From: botName, Bot: p.from == "", Text: p.shown.text, Buttons: slices.Clone(p.shown.buttons), Private: p.only, Urgent: p.shown.urgent, At: p.at,
	}
	if p.from != "" {
		m.From = r.name(p.from)
	}
	if done := p.done[person]; done != "" {
		m.Edits = 1
		m.Text += "\n[" + done + "]"
		m.Buttons = slices.DeleteFunc(m.Buttons, func(b rooms.Button) bool { return b.URL == "" })
	}
	return m
}

// Trouble makes the next calls of the API fail. With throttled, After is a gateway's Retry-After; without it, it is WeCom's own errcode 45009.
func (r *Room) Trouble(t rooms.Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = t
}

func (r *Room) known(id string) bool {
	_, ok := rooms.Find(r.People(), id)
	return ok
}

func (r *Room) name(id string) string {
	if p, ok := rooms.Find(r.People(), id); ok {
		return p.Name
	}
	return id
}

// next numbers whatever needs a number.
func (r *Room) next() int64 {
	r.seq++
	return r.seq
}

// add keeps a message, and forgets the oldest of its kind.
func (r *Room) add(p *post) {
	r.posts = append(r.posts, p)
	n := 0
	for _, one := range r.posts {
		if one.robot == p.robot {
			n++
		}
	}
	if n > kept {
		i := slices.IndexFunc(r.posts, func(one *post) bool { return one.robot == p.robot })
		r.posts = slices.Delete(r.posts, i, i+1)
	}
}
