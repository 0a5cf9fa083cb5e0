package wecom

import (
	"strings"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// tooLong ends a text that was cut. It is for both languages: what was said does not tell which one the person reads.
const tooLong = "\n… (cut / 已截断)"

// escape makes a text mean nothing to WeCom but itself. A "<" would begin a mention of somebody, a link or a colour in texts and in markdown
// alike, so it becomes the full-width sign, which looks the same and which our grammar reads as the plain one. "@all" gets an invisible
// character, so that nobody can call everybody through us.
func escape(s string) string {
	return apart(strings.ReplaceAll(chat.Clean(s), "<", "＜"), everybody, "@所有人")
}

// apart puts a zero-width space behind the first character of each word in s, whatever the case.
func apart(s string, words ...string) string {
	for _, w := range words {
		var b strings.Builder
		for rest := s; ; {
			i := indexFold(rest, w)
			if i < 0 {
				b.WriteString(rest)
				break
			}
			b.WriteString(rest[:i+1] + "\u200b")
			rest = rest[i+1:]
		}
		s = b.String()
	}
	return s
}

// indexFold is strings.Index without regard to the case. w begins with an ASCII character.
func indexFold(s, w string) int {
	for i := 0; i+len(w) <= len(s); i++ {
		if s[i] == w[0] && strings.EqualFold(s[i:i+len(w)], w) {
			return i
		}
	}
	return -1
}

// escapeMarkdown is escape for markdown, which knows no escape character: what marks something up is replaced by the full-width sign that
// looks like it. Links are broken up between their halves.
func escapeMarkdown(s string) string {
	s = strings.NewReplacer("`", "｀", "*", "＊", "](", "］(").Replace(escape(s))
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		body := strings.TrimLeft(line, " \t")
		switch {
		case strings.HasPrefix(body, "#"):
			body = "＃" + body[1:]
		case strings.HasPrefix(body, ">"):
			body = "＞" + body[1:]
		}
		lines = append(lines, body)
	}
	return strings.Join(lines, "\n")
}

// cut returns at most n bytes of s, whole characters alone. What was cut is shown by an ellipsis, which counts.
func cut(s string, n int) string {
	const dots = "…"
	if len(s) <= n {
		return s
	}
	if n < len(dots) {
		return ""
	}
	return strings.TrimRight(s[:boundary(s, n-len(dots))], " \n\u200b\u200d") + dots
}

// cutText cuts a text to what WeCom takes, and says so.
func cutText(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.TrimRight(s[:boundary(s, maxText-len(tooLong))], " \n\u200b\u200d") + tooLong
}

// boundary is the last place up to n where a character begins.
func boundary(s string, n int) int {
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// width counts in the vendor's unit for cards, 字: a Chinese character is 2, a Latin one 1.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r == '\u200b' || r == '\u200d' || r == '\ufe0f':
		case r < 0x1100:
			n++
		default:
			n += 2
		}
	}
	return n
}
