package dingtalk

import (
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

// The most bytes of each part of a message, before it is made smaller to fit.
const (
	maxTitle = 480
	maxText  = 8000
	maxValue = 3000
	maxLabel = 60
)

// look says how a message is shown in one place.
type look struct {
	heading bool // the title is part of the text
	links   bool // buttons that carry a token are links in the text
	buttons bool // and there are real ones as well
	scale   int  // parts are this much smaller than they may be
}

// words are what this package says itself.
type words struct{ call, details, fallback, tap, typed string }

func wordsOf(lang string) words {
	if lang == "zh" {
		return words{call: "📣 值班", details: "查看详情", fallback: "按钮无反应时点这里：", tap: "点击：", typed: "@机器人 输入："}
	}
	return words{call: "📣 On call", details: "Details", fallback: "If the buttons do nothing, tap here: ", tap: "Tap: ", typed: "Or say to the robot: "}
}

// sign returns the mark of a level, which is all the colour there is.
func sign(l chat.Level) string {
	switch l {
	case chat.Urgent:
		return "🔴"
	case chat.Warning:
		return "🟠"
	}
	return "🔵"
}

// title is the line that notifications and lists of conversations show. It is plain text there.
func title(m chat.Message, scale int) string {
	if t := cut(chat.Line(m.Title, maxTitle), maxTitle/scale); t != "" {
		return t
	}
	return "Firedrill"
}

// markdown renders a message: https://open.dingtalk.com/document/orgapp/robot-message-type.
func markdown(m chat.Message, k look) string {
	w := wordsOf(m.Lang)
	var blocks []string
	add := func(s string) {
		if s != "" {
			blocks = append(blocks, s)
		}
	}
	if k.heading {
		add("### " + sign(m.Level) + " " + escape(title(m, k.scale)))
	}
	if text := strings.TrimSpace(chat.Clean(m.Text)); text != "" {
		add(lines(cut(text, maxText/k.scale)))
	}
	add(fields(m.Fields, k.scale))
	add(choices(m.Buttons, w, k))
	if m.Mention != "" {
		add("**" + w.call + "** " + escape(chat.Line(strings.Join(whom(m.Mention), " "), maxValue/k.scale)))
	}
	if m.Link != "" {
		add(link(w.details, m.Link))
	}
	return strings.Join(blocks, "\n\n")
}

// fields are one line each, together at most maxText bytes.
func fields(all []chat.Field, scale int) string {
	var shown []string
	left := maxText / scale
	for _, f := range all {
		line := "**" + escape(cut(chat.Line(f.Name, maxLabel), maxLabel*4)) + "** " + escape(cut(chat.Line(f.Value, maxValue), maxValue/scale))
		if left -= len(line); left < 0 {
			shown = append(shown, "…")
			break
		}
		shown = append(shown, line)
	}
	return strings.Join(shown, hardBreak)
}

// choices are the links that press a button, and the commands that do the same where a button carries no token.
func choices(all []chat.Button, w words, k look) string {
	var taps, types []string
	for _, b := range all {
		label := escape(chat.Line(b.Label, maxLabel))
		switch {
		case b.Token != "" && k.links:
			taps = append(taps, "["+label+"]("+pressLink(b.Token)+")")
		case b.Token == "" || !k.buttons:
			types = append(types, code(chat.Line(b.Command, 200)))
		}
	}
	var parts []string
	if len(taps) > 0 {
		intro := w.tap
		if k.buttons {
			intro = w.fallback
		}
		parts = append(parts, "> "+intro+strings.Join(taps, " · "))
	}
	if len(types) > 0 {
		parts = append(parts, "> "+w.typed+strings.Join(types, " · "))
	}
	return strings.Join(parts, "\n\n")
}

// pressLink is a link that makes whoever taps it send "press <token>" to the robot, in their own name:
// https://open.dingtalk.com/document/orgapp/dingtalk-chatbot-for-one-on-one-query.
func pressLink(token string) string {
	return "dtmd://dingtalkclient/sendMessage?content=" + strings.ReplaceAll(url.QueryEscape(pressWord+" "+token), "+", "%20")
}

// pressable are the buttons that carry a token.
func pressable(all []chat.Button) []chat.Button {
	var some []chat.Button
	for _, b := range all {
		if b.Token != "" {
			some = append(some, b)
		}
	}
	return some
}

// whom reads a mention: user ids or mobile numbers, separated by spaces or commas, each with or without the address's beginning
// "dingtalk:corp/".
func whom(mention string) []string {
	var ids []string
	for _, s := range strings.FieldsFunc(mention, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		s = strings.TrimPrefix(s, string(chat.DingTalk)+":")
		if i := strings.LastIndexByte(s, '/'); i >= 0 {
			s = s[i+1:]
		}
		if s = strings.TrimLeft(s, "@"); valid(s) {
			ids = append(ids, s)
		}
	}
	return ids
}

// fit renders with less and less until it fits; the last attempt is returned in any case.
func fit(limit int, render func(scale int) string) string {
	out := ""
	for scale := 1; scale <= 32; scale *= 2 {
		if out = render(scale); len(out) <= limit {
			break
		}
	}
	return out
}
