package dingtalk

import (
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// shown is a button as a person sees it, and what pressing it does: it says a text, calls back with parameters, or opens a page.
type shown struct {
	rooms.Button
	says   string
	action *cardButton
}

// view is the message as a person sees it.
func (m *message) view(person string) rooms.Message {
	text, _ := m.plain()
	v := rooms.Message{ID: m.id, From: m.from, Bot: m.bot, Text: text, Edits: len(m.past), At: m.at}
	v.Urgent = m.called || m.bot && strings.Contains(strings.SplitN(text, "\n", 2)[0], "🔴")
	if strings.HasPrefix(m.talk, direct) {
		v.Private = person
	}
	for _, b := range m.choices() {
		v.Buttons = append(v.Buttons, b.Button)
	}
	return v
}

// plain returns the text without markup, and the links in it.
func (m *message) plain() (string, []button) {
	if !m.bot {
		return m.text, nil
	}
	if m.card == nil {
		return read(m.text)
	}
	text, links := read(m.card["body"])
	parts := []string{m.card["title"], text}
	if s := m.card["state"]; s != "" {
		parts = append(parts, s)
	}
	// The template's text does not follow links that send a text.
	var pages []button
	for _, l := range links {
		if said(l.url) == "" {
			pages = append(pages, l)
		}
	}
	return strings.TrimSpace(strings.Join(parts, "\n")), pages
}

// choices are all that can be pressed: the buttons first, then the links that are not among them.
func (m *message) choices() []shown {
	var all []shown
	for _, b := range m.cardButtons() {
		style := map[string]string{"blue": "primary", "red": "danger"}[b.Color]
		one := shown{Button: rooms.Button{Label: b.Text, Style: style}, action: &b}
		if b.Event.Type != "sendCardRequest" {
			one.action, one.URL = nil, b.Event.Params.URL
		}
		all = append(all, one)
	}
	_, links := m.plain()
	seen := map[string]bool{}
	for _, b := range append(append([]button{}, m.buttons...), links...) {
		if seen[b.url] {
			continue
		}
		seen[b.url] = true
		one := shown{Button: rooms.Button{Label: b.label}, says: said(b.url)}
		if one.says == "" {
			one.URL = b.url
		}
		all = append(all, one)
	}
	return all
}

// said returns the text that a link of DingTalk's own sends, "" for any other link.
func said(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "dtmd" || u.Host != "dingtalkclient" || u.Path != "/sendMessage" {
		return ""
	}
	return u.Query().Get("content")
}

// read turns markdown into what is seen of it: https://open.dingtalk.com/document/orgapp/robot-message-type.
func read(markdown string) (string, []button) {
	var lines []string
	var links []button
	for line := range strings.SplitSeq(markdown, "\n") {
		line = strings.Trim(line, " ")
		line = strings.TrimLeft(strings.TrimPrefix(line, ">"), " ")
		if head := strings.TrimLeft(line, "#"); len(line) > len(head) && strings.HasPrefix(head, " ") {
			line = strings.TrimSpace(head)
		}
		text, more := inline(line)
		links = append(links, more...)
		text = strings.NewReplacer("\u200b", "", "\u00a0", " ").Replace(text)
		if strings.TrimSpace(text) != "" {
			lines = append(lines, strings.TrimRight(text, " "))
		}
	}
	return strings.Join(lines, "\n"), links
}

// inline reads one line: links, pictures, code, emphasis, tags, and backslashes that take the meaning from what follows.
func inline(line string) (string, []button) {
	var b strings.Builder
	var links []button
	for line != "" {
		if label, address, rest, ok := linked(line); ok {
			text, _ := inline(label)
			b.WriteString(text)
			if line[0] != '!' {
				links = append(links, button{text, address})
			}
			line = rest
			continue
		}
		text, n := span(line)
		b.WriteString(text)
		line = line[n:]
	}
	return b.String(), links
}

// span reads the next piece of a line that begins with no link: what is seen of it, and how many bytes it has.
func span(line string) (string, int) {
	switch {
	case line[0] == '\\' && len(line) > 1 && strings.IndexByte("\\`*_{}[]()#+-.!~><=|", line[1]) >= 0:
		return line[1:2], 2
	case strings.HasPrefix(line, "**"), strings.HasPrefix(line, "~~"):
		return "", 2
	case line[0] == '`':
		if code, _, ok := strings.Cut(line[1:], "`"); ok {
			return code, len(code) + 2
		}
	case line[0] == '<' && len(line) > 1 && (line[1] == '/' || line[1]|0x20 >= 'a' && line[1]|0x20 <= 'z'):
		if i := strings.IndexByte(line, '>'); i > 0 {
			return "", i + 1
		}
	}
	return line[:1], 1
}

// linked reads a link or a picture at the beginning of a line.
func linked(line string) (label, address, rest string, ok bool) {
	s, ok := strings.CutPrefix(strings.TrimPrefix(line, "!"), "[")
	if !ok {
		return "", "", "", false
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ']':
			if address, rest, ok = strings.Cut(s[i+1:], ")"); ok && strings.HasPrefix(address, "(") {
				return s[:i], address[1:], rest, true
			}
			return "", "", "", false
		}
	}
	return "", "", "", false
}
