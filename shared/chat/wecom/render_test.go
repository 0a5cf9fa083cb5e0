package wecom_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/drill"
)

// sent posts a message and returns the contents as WeCom got them.
func sent(t *testing.T, place string, m chat.Message) []map[string]any {
	t.Helper()
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}, pathRobot: {`{"errcode":0}`}})
	if _, err := w.Post(t.Context(), to(corp+place), m); err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, r := range append(w.requests(pathSend), w.requests(pathRobot)...) {
		out = append(out, r.json)
	}
	return out
}

func markdownOf(t *testing.T, m map[string]any) string {
	t.Helper()
	inner, ok := m["markdown"].(map[string]any)
	if !ok {
		t.Fatalf("no markdown: %v", m)
	}
	return inner["content"].(string)
}

func TestRender_NothingInATextMeansAnything(t *testing.T) {
	for name, c := range map[string]struct{ text, markdown, card string }{
		"a mention":              {"ask <@bob>", "ask ＜@bob>", "ask ＜@bob>"},
		"everybody":              {"@all @ALL @All", "@\u200ball @\u200bALL @\u200bAll", "@\u200ball @\u200bALL @\u200bAll"},
		"everybody in Chinese":   {"@所有人", "@\u200b所有人", "@\u200b所有人"},
		"a link":                 {"[x](https://evil.example)", "[x］(https://evil.example)", "[x](https://evil.example)"},
		"a link of HTML":         {`<a href="https://evil.example">x</a>`, `＜a href="https://evil.example">x＜/a>`, `＜a href="https://evil.example">x＜/a>`},
		"a colour":               {`</font><font color="warning">x`, `＜/font>＜font color="warning">x`, `＜/font>＜font color="warning">x`},
		"emphasis":               {"**x** *y* `z`", "＊＊x＊＊ ＊y＊ ｀z｀", "**x** *y* `z`"},
		"a heading and a quote":  {"# x\n  > y\na # b > c", "＃ x\n＞ y\na # b > c", "# x\n  > y\na # b > c"},
		"text that turns around": {"a\u202egpj.exe\u2066b", "agpj.exeb", "agpj.exeb"},
		"control characters":     {"a\x00\x1b[31mb\r\nc", "a  [31mb\nc", "a  [31mb\nc"},
		"bytes that are no text": {"a\xff\xfeb", "ab", "ab"},
		"what must stay":         {"1 - a_b <= c & d \"e\" 中 🔥", "1 - a_b ＜= c & d \"e\" 中 🔥", "1 - a_b ＜= c & d \"e\" 中 🔥"},
	} {
		t.Run(name, func(t *testing.T) {
			m := plainMessage()
			m.Text = c.text
			if got := markdownOf(t, sent(t, "/@all", m)[0]); !strings.Contains(got, "</font>\n"+c.markdown+"\n>**Drill:**") {
				t.Errorf("markdown %q, want %q", got, c.markdown)
			}
			m = pressable()
			m.Text = c.text
			card := sent(t, "/@all", m)[0]["template_card"].(map[string]any)
			if got := card["sub_title_text"]; got != c.card {
				t.Errorf("card %q, want %q", got, c.card)
			}
		})
	}
}

func TestRender_EveryPlaceIsEscaped(t *testing.T) {
	const evil = "<@all>`](http://x)*\n# "
	m := chat.Message{ID: evil, Mode: "LIVE", Level: chat.Urgent, Title: evil, Text: evil, Fields: []chat.Field{{Name: evil, Value: evil}, {Name: "a", Value: evil}}, Mention: evil, Link: "javascript:alert(1)",
		Buttons: []chat.Button{{Label: evil, Command: evil}, {Label: evil, Command: "x", Token: "t"}}}
	for _, place := range []string{"/@all", "/robot:drills"} {
		for _, one := range sent(t, place, m) {
			for _, s := range texts(one) {
				if strings.Contains(s, "<@") || strings.Contains(s, "@all") || strings.Contains(s, "javascript") {
					t.Errorf("%s: %q", place, s)
				}
				if one["msgtype"] == "markdown" && (strings.Contains(s, "](") || strings.Count(s, "`")%2 != 0 || strings.Contains(s, "\n# ")) {
					t.Errorf("%s: %q", place, s)
				}
			}
		}
	}
}

// texts lists every text of a JSON value but a task's id.
func texts(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			out = append(out, texts(one)...)
		}
	case map[string]any:
		for name, one := range v {
			if name != "task_id" && name != "touser" {
				out = append(out, texts(one)...)
			}
		}
	}
	return out
}

func TestRender_AnAddressEndsNoMarkdown(t *testing.T) {
	for link, want := range map[string]string{
		"https://x.example/a(b)":             "[Details](https://x.example/a%28b%29)",
		"https://x.example/a b":              "[Details](https://x.example/a%20b)",
		"http://127.0.0.1:8080/r/k7m2?t=1.a": "[Details](http://127.0.0.1:8080/r/k7m2?t=1.a)",
		"":                                   "",
		"javascript:alert(1)":                "",
		"https://x.example/" + strings.Repeat("a", 1100): "",
		"https://x.example/>)[y](https://evil.example":   "[Details](https://x.example/%3E%29%5By%5D%28https://evil.example)",
	} {
		m := plainMessage()
		m.Link = link
		got := markdownOf(t, sent(t, "/@all", m)[0])
		if _, last, _ := strings.Cut(got, "checkout)"); strings.TrimSpace(last) != want {
			t.Errorf("%.60s: %q, want %q", link, last, want)
		}
	}
}

func TestRender_FitsAndKeepsCharactersWhole(t *testing.T) {
	chars := map[string]string{"Latin": "a", "Chinese": "演", "an emoji": "🔥", "a family": "👩‍👩‍👧", "mixed": "a演🔥"}
	for name, char := range chars {
		for _, n := range []int{100, 341, 342, 512, 683, 2048, 5000} {
			m := plainMessage()
			m.Text = strings.Repeat(char, n)
			m.Title = "[SANDBOX] " + strings.Repeat(char, 400)
			m.Mention, m.Level = "bob", chat.Urgent
			m.Buttons = []chat.Button{{Label: m.Text, Command: "stop " + m.Text}, {Label: "Status", Command: "status k7m2"}}
			for i := range 12 {
				m.Fields = append(m.Fields, chat.Field{Name: "Field", Value: strings.Repeat(char, 30*i)})
			}
			for place, limit := range map[string]int{"/@all": 2048, "/robot:drills": 4096} {
				got := markdownOf(t, sent(t, place, m)[0])
				if len(got) > limit || !utf8.ValidString(got) || strings.Contains(got, "\ufffd") {
					t.Errorf("%s × %d at %s: %d bytes", name, n, place, len(got))
				}
				if !strings.Contains(got, "[SANDBOX]") || !strings.Contains(got, "k7m2 (checkout)") || !strings.HasSuffix(got, "(https://drills.example.com/r/k7m2)") || strings.Count(got, "**")%2 != 0 || n > 700 && !strings.Contains(got, "…") {
					t.Errorf("%s × %d at %s: %s", name, n, place, got)
				}
			}
		}
	}
}

func TestSay_FitsAndSaysThatItWasCut(t *testing.T) {
	for _, char := range []string{"a", "演", "🔥"} {
		w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
		if err := w.Say(t.Context(), chat.Saying{To: to(corp + "/alice"), Text: strings.Repeat(char, 3000)}); err != nil {
			t.Fatal(err)
		}
		got := w.requests(pathSend)[0].json["text"].(map[string]any)["content"].(string)
		if len(got) > 2048 || len(got) < 2040 || !utf8.ValidString(got) || !strings.HasSuffix(got, "(cut / 已截断)") {
			t.Errorf("%d bytes: %q", len(got), got[len(got)-30:])
		}
	}
}

func TestRender_ACardKeepsToTheVendorsSizes(t *testing.T) {
	m := pressable()
	m.Lang, m.Title = "zh", "[SANDBOX] 等待处理："+strings.Repeat("演练", 60)
	m.Buttons[0].Label, m.Buttons[1].Token = strings.Repeat("批准", 20), m.Buttons[2].Token
	for i := range 9 {
		m.Fields = append(m.Fields, chat.Field{Name: "环境", Value: strings.Repeat("中", i*4)})
	}
	got := sent(t, "/@all", m)
	card := got[1]["template_card"].(map[string]any)
	title := card["main_title"].(map[string]any)["title"].(string)
	if n := utf8.RuneCountInString(title); n > 72 || !strings.HasSuffix(title, "…") || card["sub_title_text"] != "详情见上一条消息" {
		t.Errorf("title of %d: %s, %v", n, title, card["sub_title_text"])
	}
	if n := len(card["horizontal_content_list"].([]any)); n != 6 {
		t.Errorf("%d fields", n)
	}
	keys := card["button_list"].([]any)
	if label := keys[0].(map[string]any)["text"].(string); utf8.RuneCountInString(label) > 10 || len(keys) != 2 {
		t.Errorf("%d buttons, the first %q", len(keys), label)
	}
}

// TestRender_KeepsWhatAPersonActsOn: the three facts of a stop, the vendor's command line and the runbook, whatever else was said.
func TestRender_KeepsWhatAPersonActsOn(t *testing.T) {
	for name, long := range map[string]string{"Latin": strings.Repeat("word ", 180), "Chinese": strings.Repeat("很长", 200), "emoji": strings.Repeat("🔥", 250)} {
		d := &drill.Drill{ID: "k7m2q4x9a3bcd", Mode: "LIVE", Status: drill.Stopping, Plan: drill.Plan{Name: "cart-cpu"}}
		d.Stop = &drill.StopState{RequestedAt: now, By: "wecom:ww0123456789abcdef/alice", Reason: long, StoppedAt: now, Evidence: []string{long, long}}
		d.Restored = drill.Restored{State: drill.RestoreFailed, Evidence: []string{long}}
		a := events.About{Drill: d.ID, Plan: "cart-cpu", Title: long, Service: "cfg", Environment: "production", Account: "tx", Region: "ap-guangzhou", Mode: "LIVE", Status: "stopping", Rev: 7, At: now}
		a.Escalation = &events.Escalation{Level: 2, Reason: long, LastError: long, Do: "tccli cfg ModifyTaskRunStatus --region ap-guangzhou --TaskId 4711 --Status 1003", Runbook: "https://wiki.example.com/runbooks/cart"}
		facts := map[string]events.Payload{
			"stopping":   events.Stopping{About: a, By: d.Stop.By, Reason: long},
			"progressed": events.Progressed{About: a, Changes: []string{long, long, long}},
		}
		for kind, p := range facts {
			e, err := events.New(events.Envelope{ID: "e1", Source: "/firedrill/x/poll", Subject: d.ID, Time: now, Sequence: 7}, p)
			if err != nil {
				t.Fatal(err)
			}
			m, err := messages.For(e, messages.Options{State: d, Lang: "zh", Oncall: "bob", Link: "https://drills.example.com/r/k7m2q4x9a3bcd?t=" + strings.Repeat("a", 120)})
			if err != nil {
				t.Fatal(err)
			}
			for place, limit := range map[string]int{"/@all": 2048, "/robot:drills": 4096} {
				got := markdownOf(t, sent(t, place, m)[0])
				if len(got) > limit || !utf8.ValidString(got) {
					t.Errorf("%s, %s at %s: %d bytes", name, kind, place, len(got))
				}
				for _, want := range []string{"1. 请求停止：2026", "2. 云服务停止：2026", "3. 恢复：失败，需人工处理：故障可能仍在生效",
					"tccli cfg ModifyTaskRunStatus --region ap-guangzhou --TaskId 4711 --Status 1003", "https://wiki.example.com/runbooks/cart", "**最近错误："} {
					if !strings.Contains(got, want) {
						t.Errorf("%s, %s at %s lacks %q:\n%s", name, kind, place, want, got)
					}
				}
			}
		}
	}
}
