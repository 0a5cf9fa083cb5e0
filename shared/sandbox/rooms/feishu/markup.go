package feishu

import "strings"

// shown turns Feishu's markup into what a person sees: mentions become names, links their texts, and other marks vanish. It knows as much
// of it as messages use.
func shown(s string, name func(id string) string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "<[*~")
		if i < 0 {
			i = len(s)
		}
		b.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		out, n := mark(s, name)
		b.WriteString(out)
		s = s[n:]
	}
	return b.String()
}

// mark reads one mark at the beginning of s, and returns what is seen of it and how long it is.
func mark(s string, name func(id string) string) (string, int) {
	switch {
	case strings.HasPrefix(s, "**"), strings.HasPrefix(s, "~~"):
		return "", 2
	case strings.HasPrefix(s, "<at "):
		return mentioned(s, name)
	case s[0] == '[':
		text, rest, found := strings.Cut(s[1:], "](")
		url, _, closed := strings.Cut(rest, ")")
		if found && closed && !strings.ContainsAny(text, "[\n") {
			return shown(text, name), len(text) + len(url) + 4
		}
	case s[0] == '<':
		tag, _, closed := strings.Cut(s[1:], ">")
		word, _, _ := strings.Cut(strings.TrimPrefix(tag, "/"), " ")
		if closed && strings.Contains(" b i u s a font text_tag ", " "+word+" ") {
			return "", len(tag) + 2
		}
	}
	return s[:1], 1
}

// mentioned reads <at id=ou_x></at> of cards and <at user_id="ou_x">name</at> of texts.
func mentioned(s string, name func(id string) string) (string, int) {
	tag, rest, opened := strings.Cut(s, ">")
	inner, _, closed := strings.Cut(rest, "</at>")
	_, id, found := strings.Cut(tag, "id=")
	if !opened || !closed || !found {
		return s[:1], 1
	}
	id = strings.Trim(id, `"' /`)
	n := len(tag) + 1 + len(inner) + len("</at>")
	if id == "all" {
		return "@everyone", n
	}
	return "@" + name(id), n
}
