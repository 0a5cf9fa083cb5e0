package wecom

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// FuzzRender looks at what leaves: it must fit, be text, and call nobody.
func FuzzRender(f *testing.F) {
	f.Add("[SANDBOX] 已停止", "a\n> b <@all> **x**", "名", "值 `](http://x)", "bob", "https://x.example/r?a=(b)", true)
	f.Add(strings.Repeat("🔥", 300), strings.Repeat("演", 3000), "@all", strings.Repeat("a*", 900), "<@all>", "x", false)
	f.Fuzz(func(t *testing.T, title, text, name, value, mention, link string, urgent bool) {
		m := chat.Message{ID: title, Mode: "LIVE", Title: title, Text: text, Mention: mention, Link: link, Lang: "zh"}
		for range 8 {
			m.Fields = append(m.Fields, chat.Field{Name: name, Value: value})
		}
		m.Buttons = []chat.Button{{Label: name, Command: value, Token: "t"}, {Label: value, Command: name}}
		if urgent {
			m.Level = chat.Urgent
		}
		for r, limit := range map[reach]int{whole: maxMarkdown, inGroup: maxRobot} {
			got := markdown(m, limit, r).Markdown.Text
			bare := strings.NewReplacer(`<font color="warning">`, "", `<font color="info">`, "", "</font>", "").Replace(got)
			for _, id := range members(mention) {
				bare = strings.ReplaceAll(bare, "<@"+id+">", "")
			}
			if len(got) > limit || !utf8.ValidString(got) || strings.Contains(bare, "<") || indexFold(got, "@all") >= 0 {
				t.Errorf("%d bytes of %d: %q", len(got), limit, got)
			}
		}
		card, _ := newCard(m, taskID(title, chat.Address{Platform: chat.WeCom, Place: "a/b"}))
		if width(card.Text) > cardText || strings.Contains(card.Text+card.Title.Text+card.Keys[0].Text, "<") || len(card.TaskID) > 128 || !utf8.ValidString(card.Text) || width(card.Keys[0].Text) > cardLabel {
			t.Errorf("%+v", card)
		}
	})
}

// FuzzPlace: what is read as an address holds nothing but ids.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"ww1/@all", "ww1/alice|bob", "ww1/party:2|3", "ww1/tag:1", "ww1/robot:drills", "ww1/", "/", "ww1/@all|bob", "ww1/a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePlace(chat.Address{Platform: chat.WeCom, Place: s})
		if err != nil {
			return
		}
		kinds := 0
		for _, v := range []string{p.users, p.party, p.tag, p.robot} {
			if v != "" {
				kinds++
			}
			if v != everybody && (strings.Trim(v, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.@|") != "" || strings.HasPrefix(v, "@")) {
				t.Errorf("%q: %+v", s, p)
			}
		}
		if kinds != 1 {
			t.Errorf("%q: %+v", s, p)
		}
	})
}

func TestCut_KeepsCharactersWhole(t *testing.T) {
	for _, s := range []string{"abcdef", "演练演练", "🔥🔥🔥", "a演🔥b", "👩‍👩‍👧"} {
		for n := range len(s) + 2 {
			got := cut(s, n)
			if len(got) > n || !utf8.ValidString(got) || n >= len(s) && got != s || n < len(s) && n >= 3 && !strings.HasSuffix(got, "…") {
				t.Errorf("cut(%q, %d) = %q", s, n, got)
			}
			if got := cutWidth(s, n); n > 1 && width(got) > n || !utf8.ValidString(got) {
				t.Errorf("cutWidth(%q, %d) = %q", s, n, got)
			}
		}
	}
}
