package feishu

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxCard    = 28 << 10 // bytes of a request: Feishu takes 30 KB
	maxHook    = 18 << 10 // bytes of a custom bot's: 20 KB
	maxTitle   = 600      // bytes
	maxLabel   = 60       // bytes
	maxFields  = 20
	maxButtons = 10
)

// size is how many bytes a text and a value may have.
type size struct{ text, value int }

// object is one element of a card.
type object = map[string]any

// page is what a card is made for.
type page struct {
	tenant  string // only people of it are called
	presses bool   // a press comes back to us
}

// fit makes the card, and shorter ones until the whole request is small enough: what it comes to in bytes is known only when
// it is encoded twice, as JSON in JSON.
func fit(m chat.Message, p page, limit int, wrap func(card object) (any, error)) ([]byte, error) {
	for s := (size{text: 9000, value: 3000}); ; s = (size{text: s.text / 2, value: s.value / 2}) {
		request, err := wrap(card(m, p, s))
		if err != nil {
			return nil, err
		}
		body, err := encode(request)
		if err != nil {
			return nil, err
		}
		if len(body) <= limit {
			return body, nil
		}
		if s.value < 16 {
			return nil, fmt.Errorf("the card has %d bytes, at most %d are allowed", len(body), limit)
		}
	}
}

// card lays a message out in JSON 1.0 (https://open.feishu.cn/document/uAjLw4CM/ukzMukzMukzM/feishu-cards/card-json-structure). Whatever
// others wrote stands in plain_text.
func card(m chat.Message, p page, s size) object {
	elements := []object{}
	add := func(more ...object) { elements = append(elements, more...) }
	if m.Mention != "" {
		add(call(m.Mention, p.tenant))
	}
	if text := words(m.Text, s.text); strings.TrimSpace(text) != "" {
		add(object{"tag": "div", "text": plain(text)})
	}
	if len(m.Fields) > 0 && len(elements) > 0 {
		add(object{"tag": "hr"})
	}
	for _, f := range m.Fields[:min(len(m.Fields), maxFields)] {
		add(row(f, s.value))
	}
	pressable, commands := buttons(m, p)
	if len(pressable) > 0 {
		add(object{"tag": "action", "actions": pressable})
	}
	add(footer(m, commands, s.value))
	return object{
		"config":   object{"update_multi": true, "wide_screen_mode": true},
		"header":   object{"template": colour(m.Level), "title": plain(line(m.Title, maxTitle))},
		"elements": elements,
	}
}

func plain(s string) object { return object{"tag": "plain_text", "content": s} }

// row shows a field as a grey name and a value beside it.
func row(f chat.Field, n int) object {
	name := plain(line(f.Name, maxLabel))
	name["text_color"] = "grey"
	column := func(weight int, text object) object {
		return object{"tag": "column", "width": "weighted", "weight": weight, "elements": []object{{"tag": "div", "text": text}}}
	}
	return object{"tag": "column_set", "flex_mode": "none", "columns": []object{column(1, name), column(4, plain(words(f.Value, n)))}}
}

func colour(l chat.Level) string {
	switch l {
	case chat.Urgent:
		return "red"
	case chat.Warning:
		return "orange"
	}
	return "blue"
}

// call mentions a person of the tenant: the one place where Feishu interprets a text, which holds an id and nothing else. Whoever else
// is to be called is named in plain text.
func call(who, tenant string) object {
	id := strings.TrimPrefix(who, string(chat.Feishu)+":"+tenant+"/")
	if strings.HasPrefix(id, "ou_") && validID(id) {
		return object{"tag": "markdown", "content": "<at id=" + id + "></at>"}
	}
	return object{"tag": "div", "text": plain("@ " + line(who, 200))}
}

// buttons returns those that can be pressed, and what to type for each command.
func buttons(m chat.Message, p page) (pressable []object, commands []string) {
	for _, b := range m.Buttons[:min(len(m.Buttons), maxButtons)] {
		if p.presses && b.Token != "" {
			pressable = append(pressable, object{
				"tag": "button", "type": style(b.Style), "text": plain(line(b.Label, maxLabel)), "value": object{"t": b.Token},
			})
		}
		if c := line(b.Command, 200); c != "" {
			commands = append(commands, c)
		}
	}
	if u, err := url.Parse(m.Link); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		pressable = append(pressable, object{"tag": "button", "type": "default", "text": plain(phrase(m.Lang, "Open the report", "查看报告")), "url": m.Link})
	}
	return pressable, commands
}

func style(s chat.Style) string {
	if s == chat.Primary || s == chat.Danger {
		return string(s)
	}
	return "default"
}

// footer says what runs here, and what to type where a button does not help.
func footer(m chat.Message, commands []string, n int) object {
	text := strings.TrimPrefix(line(m.Mode, maxLabel)+" · Firedrill", " · ")
	if len(commands) > 0 {
		text += phrase(m.Lang, " · or mention the bot and type: ", " · 也可以 @机器人 输入：") + strings.Join(commands, " | ")
	}
	return object{"tag": "note", "elements": []object{plain(cut(text, max(n, 200)))}}
}

func phrase(lang, en, zh string) string {
	if lang == "zh" {
		return zh
	}
	return en
}
