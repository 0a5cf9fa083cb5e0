package slack

import (
	"slices"
	"strings"
)

// decode turns Slack's encoding of a message into what was typed: <@U1|bob> becomes @bob, <#C1|ops> #ops, <!here> @here, a link the
// text that people see. A link whose text says something else keeps its address behind it.
func decode(s string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			break
		}
		b.WriteString(unescape(s[:open]))
		b.WriteString(reference(s[open+1 : open+end]))
		s = s[open+end+1:]
	}
	b.WriteString(unescape(s))
	return b.String()
}

// reference reads what stands between < and >.
func reference(in string) string {
	body, label, _ := strings.Cut(in, "|")
	body, label = unescape(body), unescape(label)
	if body == "" {
		return "<" + label + ">"
	}
	name := label
	if name == "" {
		name = body[1:]
	}
	switch body[0] {
	case '@':
		return "@" + strings.TrimPrefix(name, "@")
	case '#':
		return "#" + strings.TrimPrefix(name, "#")
	case '!':
		if strings.HasPrefix(body, "!date^") {
			return label
		}
		return "@" + strings.TrimPrefix(strings.TrimPrefix(name, "subteam^"), "@")
	}
	switch {
	case label == "":
		return body
	case strings.Contains(body, label):
		return label
	}
	return label + " (" + body + ")"
}

// unescape undoes the three escapes that Slack has, once each: &amp;lt; is what somebody typed as &lt;.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// unmention removes the mentions of the bot from an encoded text. With front, a mention at the front is the bot's, whoever it
// names: not every event says who the bot is.
func unmention(s string, bots []string, front bool) string {
	var b strings.Builder
	for {
		open := strings.Index(s, "<@")
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			break
		}
		id, _, _ := strings.Cut(s[open+2:open+end], "|")
		b.WriteString(s[:open])
		first := front && strings.TrimSpace(b.String()) == ""
		front = false
		if first || slices.Contains(bots, id) {
			b.WriteByte(' ')
		} else {
			b.WriteString(s[open : open+end+1])
		}
		s = s[open+end+1:]
	}
	b.WriteString(s)
	return strings.TrimSpace(b.String()) // a colon behind it is the grammar's: "@firedrill: status" is how people address somebody
}
