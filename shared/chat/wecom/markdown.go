package wecom

import (
	"net/url"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxMarkdown = 2048 // bytes, as the app
	maxRobot    = 4096 // bytes, as a robot
	maxLink     = 1024 // bytes of an address; a longer one is left out
	maxTitle    = 140  // characters
)

// reach says who reads a message, and with it what they can do about it.
type reach int

const (
	whole   reach = iota // in the conversation with the app
	inGroup              // a robot's group: presses and words do not come back from there
)

// words are the few that are ours and not the message's.
type words struct{ colon, link, send, act, above string }

func wordsOf(lang string) words {
	if strings.HasPrefix(lang, "zh") {
		return words{"：", "查看详情", "请私聊发送给应用：", "请处理：", "详情见上一条消息"}
	}
	return words{": ", "Details", "Send to the app, one to one:", "Please act: ", "The details stand in the message above."}
}

// line is a name and what is said of it.
type line struct{ front, text string }

func (l line) size() int { return len(l.front) + len(l.text) + 1 }

// markdown renders a message as far as the bytes go: the title, whom it calls, the commands and the link in any case. Of what is left, the
// beginning of the text may take half before the fields that must be kept, which hold what to do by hand; then come the other fields, and
// the rest of the text.
func markdown(m chat.Message, limit int, r reach) body {
	w := wordsOf(m.Lang)
	tail := join(fit(commands(m, r), limit/4), called(m.Mention, r), linked(m.Link, w))
	top := heading(m)
	room := limit - len(top) - len(tail) - len("\n\n\n\n")
	var must, more []line
	size := 0
	for _, f := range m.Fields {
		l := line{">**" + escapeMarkdown(chat.Line(f.Name, 40)) + strings.TrimSpace(w.colon) + "** ", escapeMarkdown(chat.Line(f.Value, 1000))}
		if f.Keep {
			must = append(must, l)
			continue
		}
		more, size = append(more, l), size+l.size()
	}
	least := len(squeeze(m.Text, room/2))
	kept := share(must, room-least)
	room -= len(kept)
	text := squeeze(m.Text, max(room-size, room/3, least))
	return body{Type: "markdown", Markdown: &content{join(top, text, kept, share(more, room-len(text)), tail)}}
}

// squeeze shortens a text to n bytes: first what stands indented below a line, such as the evidence of a fact; then the longest lines; and
// only then its end.
func squeeze(s string, n int) string {
	out := shorter(s, n, n)
	for _, most := range []struct{ below, line int }{{600, 900}, {300, 900}, {120, 600}, {120, 300}, {60, 150}, {0, 150}, {0, 100}} {
		if len(out) <= n {
			return out
		}
		out = shorter(s, most.below, most.line)
	}
	return cut(out, n)
}

// shorter escapes a text and cuts each of its lines, those that are indented to less; to 0 bytes is to leave them out.
func shorter(s string, below, most int) string {
	var lines []string
	for l := range strings.SplitSeq(s, "\n") {
		n := most
		if strings.HasPrefix(l, " ") {
			n = below
		}
		lines = append(lines, cut(escapeMarkdown(l), n))
	}
	return strings.TrimSpace(join(lines...))
}

// share gives all lines room in n bytes together: the short ones stay whole, and the long ones share what is left.
func share(lines []line, n int) string {
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return lines[a].size() - lines[b].size() })
	out := make([]string, len(lines))
	for k, i := range order {
		l := lines[i]
		if text := cut(l.text, n/(len(order)-k)-len(l.front)-1); text != "" {
			out[i] = l.front + text
			n -= len(out[i]) + 1
		}
	}
	return join(out...)
}

// heading shows the level by its colour. Of the three that there are, one is red enough for what a person must act on.
func heading(m chat.Message) string {
	title := escapeMarkdown(chat.Line(m.Title, maxTitle))
	switch m.Level {
	case chat.Urgent:
		return `### 🚨 <font color="warning">` + title + "</font>"
	case chat.Warning:
		return "### ⚠️ " + title
	}
	return `### <font color="info">` + title + "</font>"
}

// commands are what a person types where nothing can be pressed.
func commands(m chat.Message, r reach) []line {
	var keys []cardKey
	if r == whole {
		keys = cardButtons(m.Buttons)
	}
	w := wordsOf(m.Lang)
	var lines []line
	for _, b := range typed(m.Buttons, keys) {
		if len(lines) == 0 && r == inGroup {
			lines = append(lines, line{text: w.send})
		}
		command := strings.NewReplacer("`", "｀", "](", "］(").Replace(escape(chat.Line(b.Command, 200)))
		lines = append(lines, line{text: escapeMarkdown(chat.Line(b.Label, 40)) + w.colon + "`/drill " + command + "`"})
	}
	return lines
}

// called is the line that calls somebody. Only a robot's markdown knows mentions; the app's messages reach people one to one anyway.
func called(mention string, r reach) string {
	ids := members(mention)
	switch {
	case len(ids) > 0 && r == inGroup:
		return "<@" + strings.Join(ids, "> <@") + ">"
	case len(ids) > 0:
		return "📣 " + strings.Join(ids, ", ")
	case mention != "":
		return "📣 " + escapeMarkdown(chat.Line(mention, 100))
	}
	return ""
}

// members reads whom to call: alice, @alice, wecom:company/alice, several with "|", "," or spaces between. Anything else is nobody.
func members(mention string) []string {
	var ids []string
	for _, s := range strings.FieldsFunc(mention, func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		if _, place, isAddress := strings.Cut(s, ":"); isAddress {
			_, s, _ = strings.Cut(place, "/")
		}
		s = strings.TrimPrefix(s, "@")
		if !userID(s) || strings.EqualFold(s, "all") || len(ids) == 20 {
			return nil
		}
		ids = append(ids, s)
	}
	return ids
}

func linked(link string, w words) string {
	if u := address(link); u != "" {
		return "[" + w.link + "](" + u + ")"
	}
	return ""
}

// address returns a web address in a form that ends no markdown, "" for anything else.
func address(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	s := strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D", " ", "%20", "`", "%60", "*", "%2A").Replace(u.String())
	if len(s) > maxLink {
		return ""
	}
	return s
}

// fit returns as many whole lines as n bytes hold, and the beginning of the one after them.
func fit(lines []line, n int) string {
	var out []string
	for _, l := range lines {
		left := n - len(l.front)
		if len(l.text) > left {
			if text := cut(l.text, left); l.front != "" && len(text) > len("…") {
				out = append(out, l.front+text)
			}
			break
		}
		out = append(out, l.front+l.text)
		n -= len(l.front) + len(l.text) + 1
	}
	return strings.Join(out, "\n")
}

// join puts what is not empty on lines of its own.
func join(parts ...string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, "\n")
}
