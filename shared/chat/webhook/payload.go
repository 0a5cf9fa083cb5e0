package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// TypeMessage is the type in every body that we send. The receiving side refuses it, so that a message of ours that is sent back
// to us is never read as a command.
const TypeMessage = "dev.firedrill.message.v1"

// Payload is the body that a webhook receives.
type Payload struct {
	Type    string        `json:"type"`
	ID      string        `json:"id"`
	Mode    string        `json:"mode"`  // SANDBOX or LIVE
	Level   chat.Level    `json:"level"` // info, warning, urgent
	Lang    string        `json:"lang,omitempty"`
	Title   string        `json:"title"`
	Text    string        `json:"text,omitempty"`
	Fields  []chat.Field  `json:"fields,omitempty"`
	Buttons []chat.Button `json:"buttons,omitempty"`
	Thread  string        `json:"thread,omitempty"` // the drill's id: group by it
	Link    string        `json:"link,omitempty"`
	Mention string        `json:"mention,omitempty"`
	At      time.Time     `json:"at"`
	Updates string        `json:"updates,omitempty"` // id of the message that this one replaces
}

func encode(m chat.Message, updates string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(Payload{
		Type: TypeMessage, ID: m.ID, Mode: m.Mode, Level: m.Level, Lang: m.Lang, Title: m.Title, Text: m.Text, Fields: m.Fields,
		Buttons: m.Buttons, Thread: m.Thread, Link: m.Link, Mention: m.Mention, At: m.At, Updates: updates,
	})
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return b.Bytes(), nil
}
