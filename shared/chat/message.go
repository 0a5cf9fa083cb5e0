package chat

import "time"

// Level says how urgent a message is.
type Level string

// The levels of a message.
const (
	Info    Level = "info"
	Warning Level = "warning" // somebody is asked for something, or something did not go as planned
	Urgent  Level = "urgent"  // an escalation: a person must act
)

// Message is one message in words of no platform. All texts are plain: a Sender escapes what its platform would
// interpret. Mode stands at the front of Title too, so that no platform can leave it out.
type Message struct {
	ID      string    // derived, the same when the message is sent again: receivers may fold on it
	Mode    string    // SANDBOX or LIVE
	Level   Level     //
	Lang    string    // en or zh
	Title   string    // one line
	Text    string    // some lines, "" for none
	Fields  []Field   // in the order in which they are shown
	Buttons []Button  // what may be done now
	Thread  string    // messages with the same key belong together: the drill's id
	Link    string    // where to read more, "" for none
	Mention string    // whom to call, in the platform's own words; set on escalations
	At      time.Time // of the fact, not of the sending
}

// Field is a name and a value.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Keep  bool   `json:"-"` // a person must have it whole: where a platform takes little, everything else is shortened first
}

// Style says how a button looks.
type Style string

// The styles of a button.
const (
	Plain   Style = ""
	Primary Style = "primary"
	Danger  Style = "danger"
)

// Button is one thing that may be done. Command is what a person types for it where there are no buttons, without the
// leading /drill. Token is what a press carries: signed, bound to what is asked, and good once; "" on platforms that take no
// presses. The other fields say what the token is for.
type Button struct {
	Label   string `json:"label"`
	Command string `json:"command"`
	Style   Style  `json:"style,omitempty"`
	Token   string `json:"-"`
	Act     Act    `json:"-"`
}

// Act is what a press asks for: a verb of package grammar, a drill's whole id, and what exactly it is about.
type Act struct {
	Verb  string
	Drill string
	Of    string // token.Of the gate, claim or plan
}

// Posted points at a message that a platform took. Platforms that give no id leave ID empty.
type Posted struct {
	To     string `json:"to"` // the address, as written
	ID     string `json:"id,omitempty"`
	Thread string `json:"thread,omitempty"` // what Incoming.Thread says of words in this message's thread
}
