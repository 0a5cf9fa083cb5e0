package events

import "time"

// Reply is what one person is told about what they typed or pressed, on platforms where the acknowledgement cannot say it
// (chat.reply). Subject: the drill's id, or the verb where it is about none.
type Reply struct {
	To      string    `json:"to"`                // where it was said: an address as in a catalogue
	User    string    `json:"user"`              // to whom: platform:tenant/user
	Thread  string    `json:"thread,omitempty"`  // in which thread
	Message string    `json:"message,omitempty"` // what is answered, by the platform's id
	Text    string    `json:"text"`
	Mode    string    `json:"mode"`           // SANDBOX or LIVE
	URL     string    `json:"url,omitempty"`  // where one answer may be posted: sealed, for it is a credential
	Until   time.Time `json:"until,omitzero"` // until when it may
	At      time.Time `json:"at"`             // of what is answered
}

// EventType returns the type that the payload travels under.
func (Reply) EventType() string { return TypeReply }

// Validate reports every missing or wrong field.
func (p Reply) Validate() error {
	return check(need("to", p.To), short("to", p.To), need("user", p.User), short("user", p.User), short("thread", p.Thread),
		short("message", p.Message), need("text", p.Text), need("mode", p.Mode), short("mode", p.Mode), short("url", p.URL), needTime("at", p.At))
}
