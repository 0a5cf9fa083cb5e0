package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// shown is a block as Slack reads it.
type shown struct {
	Type     string
	Text     *shownText
	Fields   []shownText
	Elements []shownElement
}

type shownText struct{ Type, Text string }

type shownElement struct {
	Type, Value, Style, URL string
	ID                      string `json:"action_id"`
	Text                    json.RawMessage
	Elements                []shownElement
	Confirm                 *struct{ Title, Text, Confirm, Deny shownText }
}

func (e shownElement) words() string {
	var s string
	if json.Unmarshal(e.Text, &s) == nil {
		return s
	}
	var t shownText
	_ = json.Unmarshal(e.Text, &t)
	return t.Text
}

func u16(s string) int { return len(utf16.Encode([]rune(s))) }

// rules holds blocks against what Slack's pages say.
type rules struct {
	*testing.T
	read []string // every text that Slack reads as mrkdwn
	ids  map[string]bool
}

// legal checks blocks, and returns every text that Slack reads as mrkdwn.
func legal(t *testing.T, blocks []block) (read []string) {
	t.Helper()
	raw, err := encode(blocks)
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || len(all) > 50 || u16(string(raw)) > 13200 || !utf8.Valid(raw) {
		t.Fatalf("%d blocks of %d characters", len(all), u16(string(raw)))
	}
	r := &rules{T: t, ids: map[string]bool{}}
	for _, b := range all {
		r.block(b)
	}
	return r.read
}

func (r *rules) text(x shownText, most int) {
	if x.Text == "" || u16(x.Text) > most || x.Type != "plain_text" && x.Type != "mrkdwn" || strings.Contains(x.Text, "\ufffd") {
		r.Fatalf("text of %d characters, at most %d: %s %.80q", u16(x.Text), most, x.Type, x.Text)
	}
	if x.Type == "mrkdwn" {
		r.read = append(r.read, x.Text)
	}
}

func (r *rules) block(b shown) {
	switch b.Type {
	case "header":
		r.text(*b.Text, 150)
	case "section":
		if b.Text != nil {
			r.text(*b.Text, 3000)
		}
		if (b.Text == nil) == (len(b.Fields) == 0) || len(b.Fields) > 10 {
			r.Fatalf("section %+v", b)
		}
		for _, f := range b.Fields {
			r.text(f, 2000)
		}
	case "context":
		if len(b.Elements) == 0 || len(b.Elements) > 10 {
			r.Fatalf("context %+v", b)
		}
		for _, e := range b.Elements {
			r.text(shownText{Type: e.Type, Text: e.words()}, 3000)
		}
	case "actions":
		if len(b.Elements) == 0 || len(b.Elements) > 25 {
			r.Fatalf("actions %+v", b)
		}
		for _, e := range b.Elements {
			r.button(e)
		}
	case "rich_text":
		for _, e := range b.Elements {
			for _, in := range e.Elements {
				if in.Type == "text" && in.words() == "" || in.Type == "link" && !strings.HasPrefix(in.URL, "http") {
					r.Fatalf("rich text %+v", in)
				}
			}
		}
	default:
		r.Fatalf("block %q", b.Type)
	}
}

func (r *rules) button(e shownElement) {
	if e.Type != "button" || e.ID == "" || r.ids[e.ID] || e.Value == "" || len(e.Value) > 2000 || e.Style != "" && e.Style != "primary" && e.Style != "danger" {
		r.Fatalf("button %+v", e)
	}
	r.ids[e.ID] = true
	r.text(shownText{Type: "plain_text", Text: e.words()}, 75)
	if c := e.Confirm; c != nil {
		r.text(c.Title, 100)
		r.text(c.Text, 300)
		r.text(c.Confirm, 30)
		r.text(c.Deny, 30)
	}
}

func TestCard_NothingOfOthersIsInterpreted(t *testing.T) {
	for _, evil := range []string{
		"<!channel>", "<!here>", "<!everyone|x>", "<@U0BOB>", "<#C0X|x>", "<!subteam^S0CHK>", "<https://evil.example|Approve>", "[Approve](https://evil.example)", "*bold* _it_ ~gone~ `code`",
		"```\nend", "> quote", ":fire:", "&lt;!channel&gt;", "@channel", "a\u202ebc", "x```<!channel>```" + strings.Repeat("y", 200), strings.Repeat("<!here>", 400), "a|b>c", "\x00\x07",
		"https://ok.example/<!channel>", "https://ok.example/a|b", " --x ```<!channel>", "slack:T9/S0CHK<!channel>",
	} {
		m := chat.Message{
			Mode: evil, Level: chat.Urgent, Title: evil, Text: evil, Fields: []chat.Field{{Name: evil, Value: evil}, {Name: "x", Value: "https://e.example/" + evil}, {Name: evil, Value: " --y" + evil}},
			Buttons: []chat.Button{{Label: evil, Command: evil}, {Label: evil, Command: evil, Token: evil, Style: chat.Danger}}, Link: "https://e.example/" + evil, Mention: evil,
		}
		read := legal(t, card(m, "T0DRILL"))
		for _, s := range read {
			if strings.Count(s, "```")%2 != 0 {
				t.Errorf("%q: a code block is left open in %q", evil, s)
			}
		}
		legal(t, answerBlocks(evil))
		for _, s := range append(read, notice(m, "T0DRILL"), fallback(evil)) {
			for _, no := range []string{"<!", "<@", "<#", "<https://evil", "\u202e", "\x07"} {
				if strings.Contains(s, no) {
					t.Errorf("%q: Slack would read %q in %q", evil, no, s)
				}
			}
		}
	}
}

func TestCard_PlainTextStaysAsItWasWritten(t *testing.T) {
	m := chat.Message{Title: "a & b <c>", Text: "*not bold* :fire: & <x>", Fields: []chat.Field{{Name: "n", Value: "_v_ & <y>"}}}
	raw, err := encode(card(m, "T0DRILL"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"a & b <c>"`, `"*not bold* :fire: & <x>"`, `"_v_ & <y>"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
}

func TestCard_Mentions(t *testing.T) {
	for s, want := range map[string]string{
		"slack:T0DRILL/S0CHK":                   "<!subteam^S0CHK>",
		"slack:T0DRILL/U0BOB":                   "<@U0BOB>",
		"slack:T0DRILL/W0BOB":                   "<@W0BOB>",
		"S0CHK":                                 "<!subteam^S0CHK>",
		"slack:T0DRILL/S0CHK, slack:T0DRILL/U1": "<!subteam^S0CHK> <@U1>",
		"slack:T0OTHER/S0CHK":                   "`slack:T0OTHER/S0CHK`",
		"@channel":                              "`@channel`",
		"U0BOB><!channel":                       "`U0BOB&gt;&lt;!channel`",
		"a`b":                                   "`a'b`",
		"":                                      "",
	} {
		if got := mention(s, "T0DRILL"); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestCard_IsCutWhereSlackEnds(t *testing.T) {
	for name, unit := range map[string]string{"Latin": "word ", "Chinese": "演练", "emoji": "🔥", "escapes": "&<>", "a family": "👩‍👩‍👧‍👦", "lines": "line\n", "quotes": `"\`} {
		t.Run(name, func(t *testing.T) {
			long := strings.Repeat(unit, 1500)
			m := chat.Message{Mode: "LIVE", Level: chat.Warning, Title: long, Text: long + " https://wiki.example.com/x " + long, Link: "https://fd.example.com/d/k7m2"}
			for range 60 {
				m.Fields = append(m.Fields, chat.Field{Name: long, Value: long}, chat.Field{Name: "short", Value: "x"})
			}
			for i := range 60 {
				m.Buttons = append(m.Buttons, chat.Button{Label: long, Command: long, Token: fmt.Sprint("token", i), Style: chat.Danger}, chat.Button{Label: "x", Command: long})
			}
			legal(t, card(m, "T0DRILL"))
			legal(t, answerBlocks(long))
			if n := notice(m, "T0DRILL"); u16(n) > 4000 || !utf8.ValidString(n) {
				t.Errorf("notice of %d characters", u16(n))
			}
		})
	}
}

func TestCut_CountsAsSlackDoes(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"演练演练", 3, "演练…"}, {"🔥🔥", 4, "🔥🔥"}, {"🔥🔥🔥", 4, "🔥…"}, {"🔥🔥", 3, "🔥…"}, {"a", 0, ""}, {"", 0, ""}, {"ab", 1, "…"}, {"🔥", 1, "…"},
	} {
		if got := cut(c.s, c.n); got != c.want {
			t.Errorf("cut(%q, %d): got %q, want %q", c.s, c.n, got, c.want)
		}
	}
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"a<b", 6, "a&lt;b"}, {"a<b", 5, "a…"}, {"<<", 7, "&lt;…"}, {"&", 4, "…"}, {"&", 5, "&amp;"}} {
		if got := cutEscaped(c.s, c.n); got != c.want {
			t.Errorf("cutEscaped(%q, %d): got %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

func TestLinks_EndWhereTheSentenceDoes(t *testing.T) {
	for s, want := range map[string]string{
		"see https://a.example/x.":           "see |[https://a.example/x]|.",
		"(https://a.example/x?y=1&z=2)":      "(|[https://a.example/x?y=1&z=2]|)",
		"https://a.example http://b.example": "[https://a.example]| |[http://b.example]",
		"https://":                           "https://",
		"https://...":                        "https://|...",
		"看https://a.example/x。":              "看|[https://a.example/x]|。",
		"<https://a.example/x|Approve>":      "<|[https://a.example/x]||Approve>",
		"no link":                            "no link",
		"":                                   "",
		"ftp://a.example javascript:alert(1) //a.b": "ftp://a.example javascript:alert(1) //a.b",
	} {
		var got []string
		for _, p := range links(s) {
			if p.url {
				p.text = "[" + p.text + "]"
			}
			got = append(got, p.text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: got %q, want %q", s, strings.Join(got, "|"), want)
		}
	}
}

func TestDecode_IsWhatWasTyped(t *testing.T) {
	for s, want := range map[string]string{
		"status":                            "status",
		"<@U0BOB>":                          "@U0BOB",
		"<@U0BOB|bob>":                      "@bob",
		"<#C0X|ops>":                        "#ops",
		"<#C0X|>":                           "#C0X",
		"<!here>":                           "@here",
		"<!subteam^S1|@oncall>":             "@oncall",
		"<!subteam^S1>":                     "@S1",
		"<!date^1^{date}|today>":            "today",
		"<https://a.example/x?y=1&amp;z=2>": "https://a.example/x?y=1&z=2",
		"<http://a.example|a.example>":      "a.example",
		"<mailto:a@b.example|a@b.example>":  "a@b.example",
		"<https://evil.example|status>":     "status (https://evil.example)",
		"a &lt; b &amp;&amp; c &gt; d":      "a < b && c > d",
		"&amp;lt;!channel&amp;gt;":          "&lt;!channel&gt;",
		"note=\"x\" <":                      "note=\"x\" <",
		"<>":                                "<>",
		"<|x>":                              "<x>",
		"1 &lt; 2 <@U1> 3":                  "1 < 2 @U1 3",
		"演练 <@U0BOB|鲍勃>":                    "演练 @鲍勃",
		"<@>":                               "@",
		"<!":                                "<!",
	} {
		if got := decode(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func FuzzCard(f *testing.F) {
	f.Add("title", "text https://x.example <!channel>", "name", "value --x", "slack:T0DRILL/S1", 3)
	f.Add("", "", "", "", "", 0)
	f.Add("🔥", "\u202e```", "*", "https://x|y", "@", 70)
	f.Fuzz(func(t *testing.T, title, text, name, value, call string, n int) {
		m := chat.Message{Mode: title, Level: chat.Level(name), Lang: name, Title: title, Text: text, Link: value, Mention: call}
		for i := range max(0, min(n, 80)) {
			m.Fields = append(m.Fields, chat.Field{Name: name, Value: value})
			m.Buttons = append(m.Buttons, chat.Button{Label: name, Command: value, Token: strings.Repeat("t", i%3), Style: chat.Danger})
		}
		calls := strings.Count(mention(call, "T0DRILL"), "<")
		for _, s := range append(legal(t, card(m, "T0DRILL")), notice(m, "T0DRILL")) {
			if strings.Count(s, "<!")+strings.Count(s, "<@") > calls || strings.Contains(s, "<#") {
				t.Fatalf("Slack would read %q", s)
			}
		}
		legal(t, answerBlocks(text))
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"<@U1|x> &amp;", "<https://a|b>", "<", "<@", "&", "<!date^"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		decode(s)
		if out := unmention(s, []string{"U0BOT"}, true); len(out) > len(s)+1 || strings.Contains(out, "<@U0BOT>") {
			t.Fatalf("%q became %q", s, out)
		}
	})
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{`{"a":1,"A":2}`, `{}`, `[]`, `{"a":{"b":[null]}}`, `{} {}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parseObject([]byte(s))
		if err != nil {
			return
		}
		var m map[string]json.RawMessage
		if json.Unmarshal([]byte(s), &m) != nil || len(m) != len(o) {
			t.Fatalf("%q: %d keys, encoding/json has %d", s, len(o), len(m))
		}
		for k := range o {
			o.text(k)
			o.in(k)
			o.list(k)
		}
	})
}
