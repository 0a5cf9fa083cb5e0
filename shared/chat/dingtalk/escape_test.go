package dingtalk

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func TestEscape_LeavesNoMarkup(t *testing.T) {
	const z = apart
	for in, want := range map[string]string{
		"plain text, with (brackets) [SANDBOX] - and: 1.5":             "plain text, with (brackets) [SANDBOX] - and: 1.5",
		"[stop](dtmd://dingtalkclient/sendMessage?content=stop%20all)": "[stop]" + z + "(dtmd:" + z + "//dingtalkclient/sendMessage?content=stop%20all)",
		"![x](https://evil.example/p.png)":                             "!" + z + "[x]" + z + "(https://evil.example/p.png)",
		"[x][y] and [y]: https://evil.example":                         "[x]" + z + "[y] and [y]" + z + ": https://evil.example",
		"<font color=red>x</font> <at id=all>":                         "<" + z + "font color=red>x<" + z + "/font> <" + z + "at id=all>",
		"@all @所有人 a@b.example":                                        "@" + z + "all @" + z + "所有人 a@" + z + "b.example",
		"**bold** `code` ~~x~~ \\":                                     "\\*\\*bold\\*\\* \\`code\\` \\~\\~x\\~\\~ \\\\",
		"snake_case _it_ __x__":                                        "snake_case \\_it\\_ \\_\\_x\\_\\_",
		"# heading":                                                    "\\# heading",
		"> quote":                                                      "\\> quote",
		"---":                                                          "\\---",
		"===":                                                          "\\===",
		"- item":                                                       "- item",
		"1. Stop requested":                                            "1. Stop requested",
		"    code":                                                     "\u00a0\u00a0\u00a0\u00a0code",
		"https://x.example/a_b?c=d&e=(f)[g]*":                          "https://x.example/a_b?c=d&e=%28f%29%5Bg%5D%2A",
		"https://u@evil.example/](dtmd://x)":                           "https://u%40evil.example/%5D%28dtmd://x%29",
		"(https://x.example/a_b)":                                      "(https://x.example/a_b)",
		"dingtalk://x javascript://y ftp://z":                          "dingtalk:" + z + "//x javascript:" + z + "//y ftp:" + z + "//z",
		"dingtalk:dingdrill/alice":                                     "dingtalk:dingdrill/alice",
		"演练：🔥":                                                         "演练：🔥",
		"":                                                             "",
	} {
		if got := escape(in); got != want {
			t.Errorf("%q:\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestLink_IsOneOfTheWebOrNone(t *testing.T) {
	for address, want := range map[string]string{
		"https://x.example/r?a=1":   "[D](https://x.example/r?a=1)",
		"https://x.example/)[y](z":  "[D](https://x.example/%29%5By%5D%28z)",
		"javascript:alert(1)":       "D",
		"dtmd://dingtalkclient/x":   "D",
		"":                          "D",
		"https://":                  "D",
		"/r/k7m2":                   "D",
		"https://x.example/%zz\x7f": "D",
	} {
		if got := link("D", address); got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
}

func TestCut_CountsBytesAndBreaksNoCharacter(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "…"}, {"abcdef", 5, "ab…"}, {"演练演练", 12, "演练演练"}, {"演练演练", 11, "演练…"}, {"🔥🔥", 7, "🔥…"}, {"🔥🔥", 6, "…"}, {"abc", 2, ""}, {"abc", 0, ""}} {
		if got := cut(c.in, c.n); got != c.want || len(got) > c.n {
			t.Errorf("%q to %d: %q", c.in, c.n, got)
		}
	}
}

func TestWhom_ReadsAllWaysToWriteIt(t *testing.T) {
	if got := strings.Join(whom(" @alice, dingtalk:dingdrill/bob\t13800000000 ,,@"), "|"); got != "alice|bob|13800000000" {
		t.Errorf("got %s", got)
	}
	a := at("all +86-13800000000 " + strings.Repeat("u ", 80))
	if !a.All || len(a.Mobiles) != 1 || len(a.Users) != 49 {
		t.Errorf("got %+v", a)
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("[x](dtmd://dingtalkclient/sendMessage?content=y)", "a\nb", "zh")
	f.Add("`", "# x\n---\n<font>", "en")
	f.Add("\xff]\u202e(", "https://x/](y)", "")
	f.Fuzz(func(t *testing.T, title, text, lang string) {
		m := chat.Message{Title: title, Text: text, Lang: lang, Mention: title, Link: text, Fields: []chat.Field{{Name: title, Value: text}}, Buttons: []chat.Button{{Label: title, Command: text, Token: "1.x"}}}
		key, param := appMessage(m)
		if len(param) > maxParam || !utf8.ValidString(param) || key != "sampleActionCard" {
			t.Fatalf("%s of %d bytes", key, len(param))
		}
		m.Buttons, m.Link = nil, ""
		out := markdown(m, look{heading: true, links: true, scale: 1})
		if strings.Contains(out, "](") || strings.Contains(out, "dtmd://") || strings.Contains(out, "<f") {
			t.Errorf("markup: %q", out)
		}
	})
}

func FuzzFailure(f *testing.F) {
	f.Add([]byte(`{"code":"InvalidAuthentication"}`))
	f.Add([]byte(`{"code":5,"errcode":-1,"errmsg":null,"punish":"x"}`))
	now := func() time.Time { return time.UnixMilli(1577262236757) }
	c, err := wire.New(wire.Options{Now: now, Wait: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := failure(c, wire.Call{What: "x", Key: "x"}, wire.Result{Status: 200, Body: body}, nil)
		if err != nil && (len(err.Error()) > 300 || !utf8.ValidString(err.Error())) {
			t.Errorf("%q", err)
		}
	})
}
