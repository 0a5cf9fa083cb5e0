package slack

import (
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
)

// budget is how much of each part a card shows; what does not fit the whole is made again with less.
type budget struct{ text, value, fields int }

func budgets() []budget {
	return []budget{{6000, 1500, 24}, {3000, 500, 16}, {1200, 120, 10}, {300, 40, 4}}
}

const (
	wide     = 120 // units of a value that gets lines of its own
	maxName  = 60
	maxTyped = 600
	maxLink  = 1000
)

// card is a message as blocks: title, whom it calls, text, a table of fields, buttons, and a small line with the mode and the link.
func card(m chat.Message, team string) []block {
	var blocks []block
	for _, r := range budgets() {
		blocks = layout(m, team, r)
		if len(blocks) <= maxBlocks && size(blocks) <= maxTotal {
			break
		}
	}
	return blocks
}

func layout(m chat.Message, team string, r budget) []block {
	title := plain(cut(icon(m.Level)+line(m.Title, maxHeader), maxHeader))
	blocks := []block{{Type: "header", Text: &title}}
	if call := mention(m.Mention, team); call != "" {
		blocks = append(blocks, section(mrkdwn(call)))
	}
	blocks = append(blocks, prose(m.Text, r.text)...)
	blocks = append(blocks, table(m.Fields, r)...)
	buttons, typed := actions(m)
	if len(buttons) > 0 {
		blocks = append(blocks, block{Type: "actions", Elements: buttons})
	}
	if foot := footer(m, typed); len(foot) > 0 {
		blocks = append(blocks, block{Type: "context", Elements: foot})
	}
	return blocks
}

func icon(l chat.Level) string {
	switch l {
	case chat.Urgent:
		return "🚨 "
	case chat.Warning:
		return "⚠️ "
	}
	return ""
}

// prose shows a text in which nothing is interpreted. Where there is a link in it, the text is rich, so that one can follow it.
func prose(s string, most int) []block {
	s = strings.Trim(cut(chat.Clean(s), most), "\n")
	if strings.TrimSpace(s) == "" {
		return nil
	}
	var blocks []block
	for _, p := range pieces(s, maxSection) {
		parts := links(p)
		switch {
		case strings.TrimSpace(p) == "":
		case len(parts) == 1 && !parts[0].url:
			blocks = append(blocks, section(plain(p)))
		default:
			line := rich{Type: "rich_text_section"}
			for _, one := range parts {
				if one.url {
					line.Elements = append(line.Elements, rich{Type: "link", URL: one.text})
					continue
				}
				line.Elements = append(line.Elements, rich{Type: "text", Text: one.text})
			}
			blocks = append(blocks, block{Type: "rich_text", Elements: []any{line}})
		}
	}
	return blocks
}

// table shows names on the left and values on the right. A command line or a long value gets lines of its own, to be copied.
func table(fields []chat.Field, r budget) []block {
	var blocks []block
	var cells []words
	flush := func() {
		if len(cells) > 0 {
			blocks = append(blocks, block{Type: "section", Fields: cells})
		}
		cells = nil
	}
	for i, f := range fields {
		if i == r.fields {
			break
		}
		name := "*" + bold(f.Name) + "*"
		value := line(f.Value, min(r.value, maxCell))
		switch {
		case isLink(value):
			cells = append(cells, mrkdwn(name), mrkdwn(linkTo(value, "")))
		case width(value) > wide || command(value):
			flush()
			blocks = append(blocks, section(mrkdwn(name+"\n```"+fenced(value)+"```")))
		default:
			cells = append(cells, mrkdwn(name), plain(value))
		}
		if len(cells) == maxCells {
			flush()
		}
	}
	flush()
	return blocks
}

// bold takes the signs out of a name that would end the bold text.
func bold(name string) string {
	return cutEscaped(strings.NewReplacer("*", "∗", "_", " ", "~", "∼", "`", "'", ":", "").Replace(line(name, maxName)), 2*maxName)
}

// command recognises a command line: somebody will copy it.
func command(s string) bool { return strings.Contains(s, " --") }

// fenced is a text inside of a code block, where nothing but its end is interpreted.
func fenced(s string) string {
	return cutEscaped(strings.ReplaceAll(s, "```", "'''"), maxSection-4*maxName)
}

// mention calls people or groups: slack:T1/S1, slack:T1/U1, or the id alone. What is no id of this workspace is shown and calls nobody.
func mention(s, team string) string {
	var all []string
	for one := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r <= ' ' }) {
		id := strings.TrimPrefix(one, string(chat.Slack)+":")
		if t, rest, found := strings.Cut(id, "/"); found && t == team {
			id = rest
		}
		switch {
		case isID(id) && strings.HasPrefix(id, "S"):
			all = append(all, "<!subteam^"+id+">")
		case isID(id) && (strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W")):
			all = append(all, "<@"+id+">")
		default:
			all = append(all, "`"+strings.ReplaceAll(cutEscaped(chat.Line(one, 80), 200), "`", "'")+"`")
		}
		if len(all) == 10 {
			break
		}
	}
	return strings.Join(all, " ")
}

// actions returns the buttons, and the commands of those that carry no token: these can only be typed.
func actions(m chat.Message) (buttons []any, typed []string) {
	for i, b := range m.Buttons {
		if b.Token == "" || len(b.Token) > maxToken || len(buttons) == maxButtons {
			if b.Command != "" {
				typed = append(typed, "`/drill "+strings.ReplaceAll(cutEscaped(chat.Line(b.Command, 100), 200), "`", "'")+"`")
			}
			continue
		}
		one := button{Type: "button", ID: fmt.Sprintf("firedrill_%d", i), Text: plain(line(b.Label, maxLabel)), Value: b.Token}
		if b.Style == chat.Primary || b.Style == chat.Danger {
			one.Style = string(b.Style)
		}
		if b.Style == chat.Danger && !stops(b.Act.Verb) {
			one.Confirm = sure(b, phrases(m.Lang))
		}
		buttons = append(buttons, one)
	}
	return buttons, typed
}

// stops are the verbs that are never asked about twice: a stop is always safe, and waits for nobody.
func stops(verb string) bool { return verb == "stop" || verb == "halt" }

func sure(b chat.Button, p phrase) *confirm {
	what := b.Label
	if b.Command != "" {
		what += ": " + b.Command
	}
	return &confirm{Title: plain(p.sure), Text: plain(line(what, 120)), Confirm: plain(line(b.Label, 30)), Deny: plain(p.no), Style: "danger"}
}

// footer is the small line below: the mode, where to read more, what to type.
func footer(m chat.Message, typed []string) []any {
	var foot []any
	p := phrases(m.Lang)
	switch mode := chat.Line(m.Mode, 40); mode {
	case "SANDBOX":
		foot = append(foot, plain("🧪 SANDBOX · "+p.sandbox))
	case "LIVE":
		foot = append(foot, plain("🔴 LIVE"))
	case "":
	default:
		foot = append(foot, plain(mode))
	}
	if isLink(m.Link) && len(m.Link) <= maxLink {
		foot = append(foot, mrkdwn(linkTo(m.Link, p.open)))
	}
	if len(typed) > 0 {
		text := p.typed
		for _, one := range typed {
			if len(text)+len(one) > maxTyped {
				break
			}
			text += " " + one
		}
		foot = append(foot, mrkdwn(text))
	}
	return foot
}

// phrase is what a card says of its own.
type phrase struct{ open, typed, sure, no, sandbox string }

func phrases(lang string) phrase {
	if lang == "zh" {
		return phrase{open: "打开演练", typed: "可以输入：", sure: "确定吗？", no: "取消", sandbox: "不会触及真实系统"}
	}
	return phrase{open: "Open the drill", typed: "You can type:", sure: "Are you sure?", no: "Cancel", sandbox: "nothing real is touched"}
}

// notice is the text beside the blocks: what a notification shows and a screen reader reads.
func notice(m chat.Message, team string) string {
	text := line(m.Title, maxHeader)
	if s := strings.TrimSpace(chat.Clean(m.Text)); s != "" {
		text += "\n" + s
	}
	text = fallback(text)
	if call := mention(m.Mention, team); call != "" {
		text = call + " " + text
	}
	return text
}

// fallback is a text for the place where Slack reads mrkdwn.
func fallback(s string) string { return cutEscaped(chat.Clean(s), maxNotice) }

// answerBlocks shows what a person is told. It is theirs alone, and plain.
func answerBlocks(text string) []block {
	blocks := prose(text, 9000)
	if size(blocks) > maxTotal {
		blocks = prose(text, 3000)
	}
	if len(blocks) == 0 {
		blocks = []block{section(plain("–"))}
	}
	return blocks
}
