package dingtalk

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// apart stands between two characters that together would be markup. It has no width.
const apart = "\u200b"

// hardBreak ends a line within a paragraph. The vendor asks for two spaces on either side of the line break
// (https://open.dingtalk.com/document/orgapp/robot-message-type).
const hardBreak = "  \n  "

// escape returns a line as it is shown, whatever it holds: nothing in it becomes a link, a picture, a tag, a heading or a mention. A web
// address stays one; any other kind of address, such as dtmd:, which would send a text in the name of whoever taps it, does not.
func escape(line string) string {
	var b strings.Builder
	trimmed := strings.TrimLeft(line, " \t")
	b.WriteString(strings.Repeat("\u00a0", min(len(line)-len(trimmed), 8))) // four spaces would make it code
	if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ">") || trimmed != "" && strings.Trim(trimmed, "-=+ ") == "" {
		b.WriteString(`\`)
	}
	for i, word := range strings.Split(trimmed, " ") {
		if i > 0 {
			b.WriteByte(' ')
		}
		if address := strings.ToLower(word); strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
			b.WriteString(webEscaper().Replace(word))
			continue
		}
		escapeWord(&b, word)
	}
	return b.String()
}

func escapeWord(b *strings.Builder, word string) {
	for i, r := range word {
		before, _ := utf8.DecodeLastRuneInString(word[:i])
		rest := word[i+utf8.RuneLen(r):]
		after, _ := utf8.DecodeRuneInString(rest)
		switch {
		case strings.ContainsRune("\\`*~", r), r == '_' && !(letter(before) && letter(after)):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@', r == '<', r == '!' && after == '[', r == ']' && strings.ContainsRune("([:", after), r == ':' && strings.HasPrefix(rest, "//") && !web(word[:i]):
			b.WriteRune(r)
			b.WriteString(apart)
		default:
			b.WriteRune(r)
		}
	}
}

// web reports whether a text ends in a scheme of the web.
func web(s string) bool {
	s = strings.ToLower(s)
	return strings.HasSuffix(s, "http") || strings.HasSuffix(s, "https")
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// webEscaper replaces what markdown would read in a web address by what means the same there.
func webEscaper() *strings.Replacer {
	return strings.NewReplacer("<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D", "(", "%28", ")", "%29", "`", "%60", "*", "%2A", `\`, "%5C", "~", "%7E", "@", "%40", `"`, "%22", "|", "%7C")
}

// lines escapes a text of several lines.
func lines(text string) string {
	var all []string
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		all = append(all, escape(strings.TrimRight(line, " \t")))
	}
	return strings.Join(all, hardBreak)
}

// code shows a command as it is typed.
func code(command string) string { return "`" + strings.ReplaceAll(command, "`", "'") + "`" }

// link returns a markdown link, and only its label where the address is none of the web.
func link(label, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return escape(label)
	}
	return "[" + escape(label) + "](" + webEscaper().Replace(address) + ")"
}

// cut returns at most n bytes of s. What was cut is shown by an ellipsis.
func cut(s string, n int) string {
	const ellipsis = "…"
	if len(s) <= n {
		return s
	}
	if n < len(ellipsis) {
		return ""
	}
	n -= len(ellipsis)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ellipsis
}
