package feishu

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// parseCard reads a card as Feishu would show it, or says what it cannot show.
func parseCard(raw []byte) (map[string]any, *fault) {
	if len(raw) > maxCardBytes {
		return nil, bad(230025, "The length of the message content reaches its limit.")
	}
	var card map[string]any
	if json.Unmarshal(raw, &card) != nil || card == nil {
		return nil, badParameter("content is not a string in json format.")
	}
	head, _ := card["header"].(map[string]any)
	if t, _ := head["template"].(string); t != "" && !slices.Contains(templates(), t) {
		return nil, badCard("unknown template")
	}
	if title, ok := head["title"].(map[string]any); ok && !known(title, "plain_text", "lark_md") {
		return nil, badCard("title is no text")
	}
	elements := elementsOf(card)
	if len(elements) == 0 {
		return nil, badCard("elements is empty")
	}
	for _, e := range elements {
		if why := wrong(e); why != "" {
			return nil, badCard(why)
		}
	}
	return card, nil
}

func badCard(why string) *fault {
	return bad(230099, "Failed to create card content, ext=ErrCode: 200621; ErrMsg: parse card json err, "+why)
}

func templates() []string {
	return strings.Split("blue wathet turquoise green yellow orange red carmine violet purple indigo grey default", " ")
}

// elementsOf returns the elements of a card, of JSON 1.0 or 2.0.
func elementsOf(card map[string]any) []map[string]any {
	if body, ok := card["body"].(map[string]any); ok {
		return objects(body["elements"])
	}
	return objects(card["elements"])
}

func objects(v any) []map[string]any {
	var all []map[string]any
	list, _ := v.([]any)
	for _, e := range list {
		o, _ := e.(map[string]any)
		all = append(all, o)
	}
	return all
}

func known(o map[string]any, tags ...string) bool {
	tag, _ := o["tag"].(string)
	_, isText := o["content"].(string)
	return slices.Contains(tags, tag) && isText
}

// wrong says what Feishu would not take of an element, "" for nothing.
func wrong(e map[string]any) string {
	tag, _ := e["tag"].(string)
	switch tag {
	case "hr":
	case "markdown":
		if !known(e, "markdown") {
			return "markdown has no content"
		}
	case "div":
		text, has := e["text"].(map[string]any)
		if has && !known(text, "plain_text", "lark_md") || !has && e["fields"] == nil {
			return "div has no text"
		}
	case "note":
		return first(objects(e["elements"]), func(o map[string]any) string {
			if !known(o, "plain_text", "lark_md") {
				return "note holds no text"
			}
			return ""
		})
	case "action":
		return first(objects(e["actions"]), wrong)
	case "column_set":
		return first(objects(e["columns"]), func(o map[string]any) string { return first(objects(o["elements"]), wrong) })
	case "button":
		text, _ := e["text"].(map[string]any)
		kind, _ := e["type"].(string)
		if !known(text, "plain_text", "lark_md") || !slices.Contains([]string{"", "default", "primary", "danger", "text"}, kind) {
			return "button has no text or an unknown type"
		}
	default:
		return "unknown tag " + tag
	}
	return ""
}

func first(all []map[string]any, why func(map[string]any) string) string {
	for _, o := range all {
		if w := why(o); w != "" {
			return w
		}
	}
	return ""
}

// shared reports whether all see the same card, and so its changes.
func shared(card map[string]any) bool {
	config, _ := card["config"].(map[string]any)
	multi, _ := config["update_multi"].(bool)
	return multi
}

// view is what a message looks like.
type view struct {
	lines   []string
	pressed []button
	urgent  bool
	name    func(id string) string
}

// button is a button and what a press sends.
type button struct {
	rooms.Button
	value any
}

func (v *view) buttons() []rooms.Button {
	var all []rooms.Button
	for _, b := range v.pressed {
		all = append(all, b.Button)
	}
	return all
}

// view lays the message out. Names are looked up with name, which knows the company's people.
func (m *message) view(name func(id string) string) *view {
	v := &view{name: name}
	if m.kind == "text" {
		v.lines = strings.Split(shown(m.text, name), "\n")
		return v
	}
	head, _ := m.card["header"].(map[string]any)
	v.urgent = head["template"] == "red"
	if title, ok := head["title"].(map[string]any); ok {
		v.lines = append(v.lines, v.text(title))
	}
	for _, e := range elementsOf(m.card) {
		v.element(e)
	}
	return v
}

func (v *view) text(o map[string]any) string {
	s, _ := o["content"].(string)
	if tag, _ := o["tag"].(string); tag == "plain_text" {
		return s
	}
	return shown(s, v.name)
}

func (v *view) say(s string) {
	if s != "" {
		v.lines = append(v.lines, strings.Split(s, "\n")...)
	}
}

func (v *view) element(e map[string]any) {
	switch tag, _ := e["tag"].(string); tag {
	case "markdown":
		v.say(v.text(e))
	case "div":
		if text, ok := e["text"].(map[string]any); ok {
			v.say(v.text(text))
		}
		for _, f := range objects(e["fields"]) {
			if text, ok := f["text"].(map[string]any); ok {
				v.say(v.text(text))
			}
		}
	case "note":
		var parts []string
		for _, o := range objects(e["elements"]) {
			parts = append(parts, v.text(o))
		}
		v.say(strings.Join(parts, " "))
	case "action":
		for _, b := range objects(e["actions"]) {
			v.button(b)
		}
	case "column_set":
		v.columns(objects(e["columns"]))
	case "button":
		v.button(e)
	}
}

// columns stand side by side: a person reads them as one line.
func (v *view) columns(columns []map[string]any) {
	var side []string
	for _, c := range columns {
		inner := &view{name: v.name}
		for _, e := range objects(c["elements"]) {
			inner.element(e)
		}
		side = append(side, strings.Join(inner.lines, "\n"))
		v.pressed = append(v.pressed, inner.pressed...)
	}
	v.say(strings.Join(side, "  "))
}

func (v *view) button(b map[string]any) {
	text, _ := b["text"].(map[string]any)
	style, _ := b["type"].(string)
	if style != "primary" && style != "danger" {
		style = ""
	}
	url, _ := b["url"].(string)
	v.pressed = append(v.pressed, button{Button: rooms.Button{Label: v.text(text), Style: style, URL: url}, value: b["value"]})
}
