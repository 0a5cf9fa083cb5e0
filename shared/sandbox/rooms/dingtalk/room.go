package dingtalk

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// The organisation.
const (
	corp       = "dingdrill"
	appKey     = "dingappdrill"
	appSecret  = "sandbox-dingtalk-app-secret"
	robotCode  = "dingbotdrill"
	robotName  = "Firedrill"
	robotID    = "$:LWCP_v1:$robot"
	group      = "cidDrills01=="
	customName = "ops"
	customID   = "robot:" + customName
	customKey  = "SECsandboxdingtalkcustomrobot"
	customPass = "sandboxdingtalkaccesstoken"
	template   = "firedrill-sandbox.schema"
	cardSecret = "sandbox-dingtalk-card-secret"
	routeKey   = "firedrill" // registered for the card's callbacks
	direct     = "cidDirect-"
)

const (
	maxKept   = 500 // messages in a conversation
	maxNumber = 1000
)

// Room is DingTalk. It is safe for concurrent use.
type Room struct {
	now   func() time.Time
	cards bool

	mu       sync.Mutex
	base     string
	to       http.Handler
	seq      int
	signed   int64 // the last time that was signed: no two requests have the same
	talks    map[string][]*message
	byCard   map[string]*message
	seen     map[string]bool // msgUuid
	access   map[string]time.Time
	sessions map[string]session
	counts   rooms.Counts
	blocked  map[string]time.Time
	trouble  rooms.Trouble
}

var _ rooms.Room = (*Room)(nil)

// session is a reply URL.
type session struct {
	talk  string
	until time.Time
}

// message is one in a conversation, as its sender wrote it.
type message struct {
	seq     int
	id      string
	talk    string
	from    string
	bot     bool
	text    string // markdown if by a bot
	buttons []button
	card    map[string]string   // variables of an interactive card
	called  bool                // somebody was mentioned
	past    []map[string]string // the variables before each edit
	at      time.Time
}

// button is one of an action card.
type button struct{ label, url string }

// New returns an organisation without card templates.
func New(now func() time.Time) *Room { return newRoom(now, false) }

// NewCards returns an organisation with a template of interactive cards.
func NewCards(now func() time.Time) *Room { return newRoom(now, true) }

func newRoom(now func() time.Time, cards bool) *Room {
	return &Room{
		now: now, cards: cards, talks: map[string][]*message{}, byCard: map[string]*message{}, seen: map[string]bool{},
		access: map[string]time.Time{}, sessions: map[string]session{}, counts: rooms.Counts{}, blocked: map[string]time.Time{},
	}
}

// Platform is dingtalk.
func (r *Room) Platform() chat.Platform { return chat.DingTalk }

// Env connects Firedrill to the room; base is where API is served.
func (r *Room) Env(base string) map[string]string {
	r.mu.Lock()
	r.base = base
	r.mu.Unlock()
	env := map[string]string{
		"FIREDRILL_DINGTALK_APP_KEY":       appKey,
		"FIREDRILL_DINGTALK_APP_SECRETS":   appSecret,
		"FIREDRILL_DINGTALK_ROBOT_CODES":   robotCode,
		"FIREDRILL_DINGTALK_TENANTS":       corp,
		"FIREDRILL_DINGTALK_ROBOTS":        customName + "=" + customPass + ":" + customKey,
		"FIREDRILL_ENDPOINT_DINGTALK":      base,
		"FIREDRILL_ENDPOINT_DINGTALK_OAPI": base,
	}
	if r.cards {
		env["FIREDRILL_DINGTALK_CARD_TEMPLATE"] = template
		env["FIREDRILL_DINGTALK_CARD_SECRETS"] = cardSecret
	}
	return env
}

// Connect says where what people do is sent.
func (r *Room) Connect(to http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// People are the organisation's members.
func (r *Room) People() []rooms.Person {
	var all []rooms.Person
	for _, p := range [][3]string{{"alice", "Alice", "operator"}, {"bob", "Bob", "approver"}, {"carol", "Carol", "viewer"}, {"mallory", "Mallory", "stranger"}} {
		all = append(all, rooms.Person{ID: p[0], Name: p[1], Who: "dingtalk:" + corp + "/" + p[0], Role: p[2]})
	}
	return all
}

// Channels is the group that the robot is in.
func (r *Room) Channels() []rooms.Channel {
	return []rooms.Channel{{Address: "dingtalk:" + corp + "/" + group, Name: "Drills"}}
}

// Trouble makes calls fail, those for an access token aside.
func (r *Room) Trouble(t rooms.Trouble) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trouble = t
}

// Expire makes DingTalk forget all access tokens that it gave.
func (r *Room) Expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.access)
}

// Messages returns what a person sees of a channel. What the robot said to them alone stands in a chat of its own on DingTalk; here it
// stands among the others, marked as private.
func (r *Room) Messages(channel, person string) []rooms.Message {
	talk, ok := talkOf(channel)
	if !ok || strings.HasPrefix(talk, direct) && talk != direct+person {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.talks[talk])
	if talk == group {
		all = append(all, r.talks[direct+person]...)
	}
	slices.SortFunc(all, func(a, b *message) int { return cmp.Compare(a.seq, b.seq) })
	var seen []rooms.Message
	for _, m := range all {
		seen = append(seen, m.view(person))
	}
	return seen
}

// talkOf returns the conversation that an address names.
func talkOf(address string) (string, bool) {
	talk, ok := strings.CutPrefix(address, "dingtalk:"+corp+"/")
	return talk, ok && talk != ""
}

// add puts a message into a conversation; the lock is held.
func (r *Room) add(m *message) *message {
	r.seq++
	m.seq, m.at = r.seq, r.now()
	if m.id == "" {
		m.id = r.id("msg")
	}
	talk := append(r.talks[m.talk], m)
	if n := len(talk) - maxKept; n > 0 {
		for _, old := range talk[:n] {
			delete(r.byCard, old.id)
		}
		talk = slices.Clone(talk[n:])
	}
	r.talks[m.talk] = talk
	return m
}

// id makes up an id; the lock is held.
func (r *Room) id(prefix string) string {
	r.seq++
	return prefix + strconv.Itoa(1000000+r.seq) + "=="
}

// stamp is a time in milliseconds that was never signed before; the lock is held.
func (r *Room) stamp() string {
	r.signed = max(r.signed+1, r.now().UnixMilli())
	return strconv.FormatInt(r.signed, 10)
}

// known reports whether somebody is a member.
func (r *Room) known(person string) (rooms.Person, bool) { return rooms.Find(r.People(), person) }
