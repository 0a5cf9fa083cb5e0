// Package rooms is the sandbox of chat: what every platform's fake is to the local command, to tests and to the console.
//
// A Room is one platform, in a folder of its own (rooms/slack, …), written from the vendor's page and not from our own adapters. On
// one side it is the vendor's API, which our senders post to; on the other are people in channels, who type and press buttons. What
// they do reaches our chatops function as the vendor would send it, signed.
package rooms

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// Room is one platform's fake. It must be safe for concurrent use.
type Room interface {
	// Platform is the one that it stands for.
	Platform() chat.Platform
	// Env is the environment that connects Firedrill to it; base is where API is served, without a slash at the end.
	Env(base string) map[string]string
	// API is the vendor's API, with the vendor's own paths below base.
	API() http.Handler
	// Connect says where what people do is sent: our HTTP side, its path being /chat/<platform>.
	Connect(to http.Handler)
	// People are who may act, and Channels where.
	People() []Person
	Channels() []Channel
	// Say lets a person type a message, as the platform wants it typed: where it needs a mention of the bot, Say adds it.
	Say(ctx context.Context, s Saying) (Heard, error)
	// Press lets a person press a button of a message.
	Press(ctx context.Context, p Pressing) (Heard, error)
	// Messages returns what a person sees of a channel, oldest first: the messages to all, and those to that person alone.
	Messages(channel, person string) []Message
	// Trouble makes the API fail the next times calls, as the vendor fails.
	Trouble(t Trouble)
}

// Person is somebody on the platform.
type Person struct {
	ID   string `json:"id"`   // the platform's stable id
	Name string `json:"name"` // shown
	Who  string `json:"who"`  // the actor: platform:tenant/id
	Role string `json:"role"` // what they are here to show: operator, approver, viewer, stranger
}

// Find returns the person with an id.
func Find(people []Person, id string) (Person, bool) {
	i := slices.IndexFunc(people, func(p Person) bool { return p.ID == id })
	if i < 0 {
		return Person{}, false
	}
	return people[i], true
}

// Channel is a place.
type Channel struct {
	Address string `json:"address"` // as in a catalogue: slack:T…/C…
	Name    string `json:"name"`
}

// Saying is something typed.
type Saying struct {
	Person  string `json:"person"`
	Channel string `json:"channel"`          // the address
	Thread  string `json:"thread,omitempty"` // id of the message whose thread it is typed in
	Text    string `json:"text"`
}

// Pressing is a button pressed.
type Pressing struct {
	Person  string `json:"person"`
	Channel string `json:"channel"`
	Message string `json:"message"`
	Button  int    `json:"button"` // its place in Message.Buttons
	// Seen is Message.Edits as the person saw it. Who is slower than an edit presses what they see, which the message may have no more.
	Seen int `json:"seen,omitempty"`
}

// Heard is how our side answered.
type Heard struct {
	Status int           `json:"status"`
	Text   string        `json:"text,omitempty"` // what the person is shown at once, to them alone
	Took   time.Duration `json:"-"`
	// Request is what was sent, so that a test may send it again, later, or changed.
	Request *http.Request `json:"-"`
	Body    []byte        `json:"-"`
}

// Message is a message as people see it.
type Message struct {
	ID      string    `json:"id"`
	Thread  string    `json:"thread,omitempty"` // id of the message in whose thread it stands
	From    string    `json:"from"`             // a person's name, or the bot's
	Bot     bool      `json:"bot"`
	Text    string    `json:"text"` // as shown, without markup
	Buttons []Button  `json:"buttons,omitempty"`
	Private string    `json:"private,omitempty"` // the one person who sees it
	Edits   int       `json:"edits,omitempty"`   // how often it was edited
	Urgent  bool      `json:"urgent,omitempty"`
	At      time.Time `json:"at"`
}

// Button is a button as people see it.
type Button struct {
	Label string `json:"label"`
	Style string `json:"style,omitempty"` // primary, danger
	URL   string `json:"url,omitempty"`   // of one that only opens a page
}

// Trouble is a failure of the vendor's API.
type Trouble struct {
	Kind  string        // throttled, error (an error code in a reply of 200), down (503), lost (taken, and the reply is lost)
	Times int           // how many calls
	After time.Duration // with throttled: Retry-After
}

// Next takes one failure off those that were asked for, and returns it. Its Kind is "" when none is left. The caller holds the room's lock.
func (t *Trouble) Next() Trouble {
	if t.Times <= 0 {
		return Trouble{}
	}
	t.Times--
	return *t
}
