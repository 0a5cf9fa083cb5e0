package slack

import (
	"strings"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// shown is a message as people see it.
func (r *Room) shown(m *message) rooms.Message {
	out := rooms.Message{
		ID: m.ts, Thread: m.thread, From: r.name(m.from), Bot: m.from == bot, Text: r.seen(m.text, m.blocks), Private: m.private, Edits: len(m.past), At: m.at,
	}
	for _, e := range m.buttons() {
		b := rooms.Button{Label: e.plain(), URL: e.URL}
		b.Style, _ = e.Style.(string)
		out.Buttons = append(out.Buttons, b)
	}
	out.Urgent = out.Bot && (calls(m) || strings.Contains(out.Text, "🚨"))
	return out
}

// asSeen is a message as it was after so many edits.
func (m *message) asSeen(edits int) *message {
	if edits < 0 || edits >= len(m.past) {
		return m
	}
	return &m.past[edits]
}

// buttons are those of a message in the order in which they stand.
func (m *message) buttons() []element {
	var all []element
	for _, b := range m.blocks {
		if b.Type == "actions" {
			all = append(all, b.Elements...)
		}
	}
	return all
}

// calls reports whether a message makes somebody's phone ring.
func calls(m *message) bool {
	texts := []string{m.text}
	for _, b := range m.blocks {
		if b.Text != nil && b.Text.Type == "mrkdwn" {
			texts = append(texts, b.Text.Text)
		}
	}
	for _, t := range texts {
		if strings.Contains(t, "<!") || strings.Contains(t, "<@") {
			return true
		}
	}
	return false
}

// seen is what is read of a message: its blocks where it has some, else its text.
func (r *Room) seen(text string, blocks []block) string {
	if len(blocks) == 0 {
		return r.markup(text)
	}
	var lines []string
	for _, b := range blocks {
		if s := r.block(b); s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "\n")
}

func (r *Room) block(b block) string {
	var lines []string
	switch b.Type {
	case "header", "section":
		if b.Text != nil {
			lines = append(lines, r.words(*b.Text))
		}
		for i := 0; i < len(b.Fields); i += 2 { // two columns
			row := []string{r.words(b.Fields[i])}
			if i+1 < len(b.Fields) {
				row = append(row, r.words(b.Fields[i+1]))
			}
			lines = append(lines, strings.Join(row, "  "))
		}
	case "context":
		var row []string
		for _, e := range b.Elements {
			row = append(row, r.words(words{Type: e.Type, Text: e.plain()}))
		}
		lines = append(lines, strings.Join(row, "  "))
	case "rich_text":
		for _, e := range b.Elements {
			lines = append(lines, r.rich(e))
		}
	case "divider":
		lines = append(lines, "———")
	}
	return strings.Join(lines, "\n")
}

func (r *Room) rich(e element) string {
	switch e.Type {
	case "text":
		return e.plain()
	case "link":
		return link(e.URL, e.plain())
	case "user":
		return "@" + r.name(e.User)
	case "usergroup":
		return "@" + e.Group
	case "broadcast":
		return "@" + e.Range
	case "emoji":
		return ":" + e.Name + ":"
	}
	var parts []string
	for _, in := range e.Elements {
		parts = append(parts, r.rich(in))
	}
	return strings.Join(parts, "")
}

func (r *Room) words(w words) string {
	if w.Type == "mrkdwn" {
		return r.markup(w.Text)
	}
	return w.Text
}

// markup shows mrkdwn: references become names, and the signs of bold, italic, struck out and code vanish.
func (r *Room) markup(s string) string {
	var b strings.Builder
	parts := strings.Split(s, "`")
	for i, part := range parts {
		switch {
		case i%2 == 1 && i == len(parts)-1: // it has no partner
			b.WriteString("`" + r.references(unstyled(part)))
		case i%2 == 1: // code: nothing but references is read in it
			b.WriteString(r.references(part))
		default:
			b.WriteString(r.references(unstyled(part)))
		}
	}
	return b.String()
}

// unstyled takes pairs of *, _ and ~ around words away.
func unstyled(s string) string {
	for _, sign := range []byte("*_~") {
		for from := 0; ; {
			open, end := pair(s, sign, from)
			if open < 0 {
				break
			}
			s = s[:open] + s[open+1:end] + s[end+1:]
			from = end - 1
		}
	}
	return s
}

// pair finds the next two signs that stand around words of one line.
func pair(s string, sign byte, from int) (open, end int) {
	for i := from; i < len(s); i++ {
		if s[i] != sign || i > 0 && !edge(s[i-1]) || i+1 == len(s) || edge(s[i+1]) {
			continue
		}
		for j := i + 2; j < len(s) && s[j] != '\n'; j++ {
			if s[j] == sign && s[j-1] != ' ' && (j+1 == len(s) || edge(s[j+1])) {
				return i, j
			}
		}
	}
	return -1, -1
}

func edge(c byte) bool { return strings.IndexByte(" \n\t.,:;!?()*_~", c) >= 0 }

// references reads <…> and the three escapes.
func (r *Room) references(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "<")
		in, after, closed := strings.Cut(rest, ">")
		if !found || !closed {
			break
		}
		b.WriteString(before)
		b.WriteString(r.reference(in))
		s = after
	}
	b.WriteString(s)
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(b.String())
}

func (r *Room) reference(in string) string {
	target, label, _ := strings.Cut(in, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return "@" + r.name(target[1:])
	case strings.HasPrefix(target, "#"):
		if c := r.channels[target[1:]]; c != nil {
			return "#" + c.name
		}
		return "#private"
	case strings.HasPrefix(target, "!subteam^"):
		if label != "" {
			return label
		}
		return "@" + strings.TrimPrefix(target, "!subteam^")
	case strings.HasPrefix(target, "!date^"):
		return label
	case strings.HasPrefix(target, "!"):
		return "@" + target[1:]
	}
	return link(target, label)
}

// link is what people read of a link, and where it leads: they see that when they point at it.
func link(url, label string) string {
	if label == "" || label == url {
		return url
	}
	return label + " (" + url + ")"
}
