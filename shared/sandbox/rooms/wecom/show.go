package wecom

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// shown is a message as people see it.
type shown struct {
	text    string
	urgent  bool           // something of it is red
	buttons []rooms.Button // those that come back first, then those that open a page
	keys    []string       // what a press carries
}

// card is a template_card, as far as the room shows it.
type card struct {
	Type   string `json:"card_type"`
	Source struct {
		Desc   string `json:"desc"`
		Colour int    `json:"desc_color"`
	} `json:"source"`
	Title struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"main_title"`
	Sub    string `json:"sub_title_text"`
	Fields []struct {
		Name  string `json:"keyname"`
		Value string `json:"value"`
	} `json:"horizontal_content_list"`
	Action *struct {
		Type int    `json:"type"`
		URL  string `json:"url"`
	} `json:"card_action"`
	TaskID string `json:"task_id"`
	Keys   []struct {
		Type  int    `json:"type"`
		Text  string `json:"text"`
		Style int    `json:"style"`
		Key   string `json:"key"`
		URL   string `json:"url"`
	} `json:"button_list"`
}

// check reads a message as WeCom does, and returns what people see of it. limit is the most bytes of markdown.
func (m message) check(limit int) (shown, error) {
	switch m.Type {
	case "text":
		if m.Text == nil || m.Text.Content == "" {
			return shown{}, bad(44004, "empty content")
		}
		text := m.Text.Content
		if len(text) > maxText {
			text = strings.ToValidUTF8(text[:maxText], "")
		}
		return shown{text: anchors(text)}, nil
	case "markdown":
		if m.Markdown == nil || m.Markdown.Content == "" {
			return shown{}, bad(44004, "empty content")
		}
		if len(m.Markdown.Content) > limit {
			return shown{}, bad(45002, "markdown.content exceed max length")
		}
		return showMarkdown(m.Markdown.Content), nil
	case "template_card":
		if m.Card == nil {
			return shown{}, bad(44004, "empty content")
		}
		return m.Card.check()
	}
	return shown{}, bad(40008, "invalid message type")
}

func (c *card) check() (shown, error) {
	wrong := func(what string) (shown, error) {
		return shown{}, bad(40058, "invalid Request Parameter: template_card."+what)
	}
	switch {
	case c.Type != "button_interaction" && c.Type != "text_notice":
		return wrong("card_type")
	case c.Title.Title == "" && c.Sub == "":
		return wrong("main_title")
	case len(c.Fields) > 6:
		return wrong("horizontal_content_list")
	case c.Type == "text_notice" && (c.Action == nil || c.Action.Type == 0):
		return wrong("card_action")
	case c.Action != nil && c.Action.Type == 1 && !web(c.Action.URL):
		return wrong("card_action.url")
	case c.Type == "button_interaction" && !taskID(c.TaskID):
		return wrong("task_id")
	case c.Type == "button_interaction" && (len(c.Keys) == 0 || len(c.Keys) > 6):
		return wrong("button_list")
	}
	for _, f := range c.Fields {
		if f.Name == "" {
			return wrong("horizontal_content_list.keyname")
		}
	}
	seen := map[string]bool{}
	for _, k := range c.Keys {
		if k.Text == "" || k.Type == 0 && (k.Key == "" || len(k.Key) > 1024 || seen[k.Key]) || k.Type == 1 && !web(k.URL) {
			return wrong("button_list")
		}
		seen[k.Key] = true
	}
	return c.show(), nil
}

func taskID(s string) bool {
	return s != "" && len(s) <= 128 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-@") == ""
}

func web(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

func (c *card) show() shown {
	s := shown{urgent: c.Source.Colour == 2}
	lines := []string{c.Source.Desc, c.Title.Title, c.Title.Desc, c.Sub}
	for _, f := range c.Fields {
		lines = append(lines, f.Name+": "+f.Value)
	}
	s.text = joined(lines)
	for _, k := range c.Keys {
		if k.Type == 0 {
			s.buttons = append(s.buttons, rooms.Button{Label: k.Text, Style: styles()[k.Style]})
			s.keys = append(s.keys, k.Key)
		}
	}
	for _, k := range c.Keys {
		if k.Type == 1 {
			s.buttons = append(s.buttons, rooms.Button{Label: k.Text, URL: k.URL})
		}
	}
	if c.Action != nil && c.Action.URL != "" { // the whole card opens it
		s.buttons = append(s.buttons, rooms.Button{Label: "↗", URL: c.Action.URL})
	}
	return s
}

// styles names what the vendor numbers. The page has a picture for them and no words.
func styles() map[int]string { return map[int]string{0: "primary", 1: "primary", 3: "danger"} }

// showMarkdown shows the part of markdown that WeCom knows: headings, bold, links, code, quotes and three colours.
func showMarkdown(src string) shown {
	s := shown{urgent: strings.Contains(src, `<font color="warning">`)}
	src = regexp.MustCompile(`</?font[^>]*>`).ReplaceAllString(src, "")
	link := regexp.MustCompile(`\[([^\]\n]*)\]\(([^)\s]*)\)`)
	front := regexp.MustCompile(`^\s*(#{1,6}\s+|>\s?)`)
	var lines []string
	for line := range strings.SplitSeq(src, "\n") {
		line = front.ReplaceAllString(line, "")
		for _, found := range link.FindAllStringSubmatch(line, -1) {
			s.buttons = append(s.buttons, rooms.Button{Label: found[1], URL: found[2]})
		}
		if link.ReplaceAllString(line, "") == "" { // a link alone is a button to us
			continue
		}
		line = link.ReplaceAllString(line, "$1")
		lines = append(lines, strings.NewReplacer("**", "", "`", "").Replace(line))
	}
	s.text = joined(lines)
	return s
}

// anchors shows the links that texts may have.
func anchors(s string) string {
	return regexp.MustCompile(`</?a(\s[^>]*)?>`).ReplaceAllString(s, "")
}

func joined(lines []string) string {
	var filled []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			filled = append(filled, l)
		}
	}
	return strings.Join(filled, "\n")
}
