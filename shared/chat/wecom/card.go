package wecom

import (
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

// What a card shows well, in 字 as width counts them: the vendor advises it, and folds the rest.
// See https://developer.work.weixin.qq.com/document/path/90236.
const (
	cardTitle  = 72  // main_title.title, 36 字
	cardText   = 320 // sub_title_text, 160 字
	cardName   = 10  // keyname, 5 字
	cardValue  = 60  // value, 30 字
	cardLabel  = 20  // a button's text, 10 字
	cardFields = 6
	cardKeys   = 6
)

// The styles of a button. The vendor numbers them 1 to 4 and shows them in a picture alone: 1 is the default and stands out.
const (
	stylePrimary = 1
	styleDanger  = 3
	stylePlain   = 4
)

// cardBody is a template_card of the kind button_interaction.
type cardBody struct {
	Type   string      `json:"card_type"`
	Source cardSource  `json:"source"`
	Title  cardHead    `json:"main_title"`
	Text   string      `json:"sub_title_text,omitempty"`
	Fields []cardField `json:"horizontal_content_list,omitempty"`
	Action *cardAction `json:"card_action,omitempty"`
	TaskID string      `json:"task_id"`
	Keys   []cardKey   `json:"button_list"`
}

type cardSource struct {
	Text   string `json:"desc"`
	Colour int    `json:"desc_color"` // 0 grey, 1 black, 2 red, 3 green
}

type cardHead struct {
	Text string `json:"title"`
}

type cardField struct {
	Name  string `json:"keyname"`
	Value string `json:"value"`
}

type cardAction struct {
	Type int    `json:"type"` // 1 opens the address
	URL  string `json:"url"`
}

type cardKey struct {
	Text  string `json:"text"`
	Style int    `json:"style"`
	Key   string `json:"key"`
}

// newCard renders a message that has something to press, and reports whether all of it is on the card; nil for one that has nothing.
func newCard(m chat.Message, task string) (*cardBody, bool) {
	c := &cardBody{
		Type: "button_interaction", TaskID: task, Source: cardSource{join2("Firedrill", m.Mode), colour(m.Level)},
		Title: cardHead{escape(chat.Line(m.Title, maxTitle))}, Keys: cardButtons(m.Buttons),
	}
	if len(c.Keys) == 0 {
		return nil, true
	}
	if u := address(m.Link); u != "" {
		c.Action = &cardAction{Type: 1, URL: u}
	}
	w := wordsOf(m.Lang)
	lines := []string{strings.TrimSpace(escape(m.Text))}
	for _, f := range m.Fields {
		name, value := escape(chat.Line(f.Name, 40)), escape(chat.Line(f.Value, 1000))
		if len(c.Fields) < cardFields && width(name) <= cardName && width(value) <= cardValue {
			c.Fields = append(c.Fields, cardField{name, value})
			continue
		}
		lines = append(lines, name+w.colon+value)
	}
	for _, b := range typed(m.Buttons, c.Keys) {
		lines = append(lines, escape(chat.Line(b.Label, 40)+w.colon+"/drill "+chat.Line(b.Command, 200)))
	}
	if m.Mention != "" {
		lines = append(lines, w.act+escape(chat.Line(m.Mention, 100)))
	}
	c.Text = join(lines...)
	fits := width(c.Title.Text) <= cardTitle && width(c.Text) <= cardText
	if !fits {
		c.Title.Text, c.Text = cutWidth(c.Title.Text, cardTitle), w.above
	}
	return c, fits
}

// cardButtons takes the first buttons that carry a token; keys must differ.
func cardButtons(buttons []chat.Button) []cardKey {
	var keys []cardKey
	seen := map[string]bool{}
	for _, b := range buttons {
		if b.Token == "" || seen[b.Token] || len(keys) == cardKeys {
			continue
		}
		seen[b.Token] = true
		keys = append(keys, cardKey{cutWidth(escape(chat.Line(b.Label, 40)), cardLabel), style(b.Style), b.Token})
	}
	return keys
}

// typed are the buttons that found no place on the card: a person types their commands.
func typed(buttons []chat.Button, keys []cardKey) []chat.Button {
	placed := map[string]bool{}
	for _, k := range keys {
		placed[k.Key] = true
	}
	var rest []chat.Button
	for _, b := range buttons {
		if b.Command != "" && !placed[b.Token] {
			rest = append(rest, b)
		}
	}
	return rest
}

func style(s chat.Style) int {
	switch s {
	case chat.Primary:
		return stylePrimary
	case chat.Danger:
		return styleDanger
	}
	return stylePlain
}

func colour(l chat.Level) int {
	switch l {
	case chat.Urgent:
		return 2
	case chat.Warning:
		return 1
	}
	return 3
}

// cutWidth returns at most n of width of s.
func cutWidth(s string, n int) string {
	if width(s) <= n {
		return s
	}
	for i := range s {
		if width(s[:i]) > n-2 {
			return strings.TrimRight(chat.Cut(s, len([]rune(s[:i]))), " ")
		}
	}
	return s
}

func join2(a, b string) string {
	if b == "" {
		return a
	}
	return a + " · " + b
}
