package feishu

import (
	"encoding/json"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	userKey = "@_user_"
	maxName = 80 // runes
)

// mention says whom a key such as @_user_1 in a text stands for.
type mention struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Type string `json:"mentioned_type"` // user, bot or app; "" where Feishu does not say
}

// person reports whether it is certain that the mention is not the bot's.
func (m mention) person() bool { return m.Type == "user" }

// bot reports whether it is certain that the mention is a bot's.
func (m mention) bot() bool { return m.Type == "bot" || m.Type == "app" }

// content returns the text of a message, still with keys for mentions; false for types that hold no words.
func content(kind, raw string) (string, bool, error) {
	switch kind {
	case "text":
		var c struct {
			Text string `json:"text"`
		}
		if !chat.Unambiguous([]byte(raw)) {
			return "", false, unreadable("message")
		}
		err := json.Unmarshal([]byte(raw), &c)
		return c.Text, true, err
	case "post":
		text, err := post(raw)
		return text, true, err
	}
	return "", false, nil
}

// post flattens a message with formatting, which is what a client sends as soon as there is a second line or a link.
func post(raw string) (string, error) {
	var p struct {
		Title   string `json:"title"`
		Content [][]struct {
			Tag  string `json:"tag"`
			Text string `json:"text"`
			User string `json:"user_id"` // a mention's key
			Name string `json:"user_name"`
		} `json:"content"`
	}
	if !chat.Unambiguous([]byte(raw)) {
		return "", unreadable("message")
	}
	if err := json.Unmarshal([]byte(raw), &p); err != nil {
		return "", err
	}
	lines := []string{p.Title}
	for _, paragraph := range p.Content {
		var b strings.Builder
		for _, e := range paragraph {
			switch {
			case e.Tag == "at" && strings.HasPrefix(e.User, "@_"):
				b.WriteString(e.User + " ")
			case e.Tag == "at":
				b.WriteString("@" + e.Name + " ")
			default:
				b.WriteString(e.Text)
			}
		}
		lines = append(lines, b.String())
	}
	return strings.TrimSpace(strings.Join(lines, "\n")), nil
}

// typed returns what a person typed, with names for keys and without the bot's own mention, and whether the bot may be meant. Which
// open_id the bot has is not known here: a mention counts as the bot's if Feishu says that it is one, or if it stands in front and
// Feishu does not say that it is a person.
func typed(text string, mentions []mention) (string, bool) {
	by := map[string]mention{}
	ours := false
	for _, m := range mentions {
		by[m.Key] = m
		ours = ours || !m.person()
	}
	var b strings.Builder
	front := true
	for text != "" {
		at := strings.IndexByte(text, '@')
		if at < 0 {
			at = len(text)
		}
		b.WriteString(text[:at])
		front = front && strings.TrimSpace(text[:at]) == ""
		if text = text[at:]; text == "" {
			break
		}
		key := keyAt(text)
		m, known := by[key]
		switch {
		case key == "@_all":
			b.WriteString("@all")
		case !known:
			b.WriteString(key)
		case m.bot(), front && !m.person():
			text = text[len(key):]
			continue
		default:
			b.WriteString("@" + chat.Line(m.Name, maxName))
		}
		front = false
		text = text[len(key):]
	}
	return strings.TrimSpace(b.String()), ours
}

// keyAt returns the key at the beginning of text: @_user_ and digits, @_all, or else as much as can be skipped.
func keyAt(text string) string {
	if strings.HasPrefix(text, "@_all") {
		return "@_all"
	}
	if !strings.HasPrefix(text, userKey) {
		return text[:1]
	}
	n := len(userKey)
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[:n]
}
