package feishu

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
)

// interpreted returns the contents of a card that Feishu interprets.
func interpreted(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, interpreted(e)...)
		}
	case map[string]any:
		if tag := v["tag"]; tag == "markdown" || tag == "lark_md" {
			s, _ := v["content"].(string)
			all = append(all, s)
		}
		for _, e := range v {
			all = append(all, interpreted(e)...)
		}
	}
	return all
}

func TestCard_InterpretsNothingThatOthersWrote(t *testing.T) {
	const evil = "<at id=all></at> <at user_id=\"all\">x</at> **b** [l](https://evil.example) \u202e\u0007 $x"
	m := chat.Message{
		Mode: evil, Title: evil, Text: evil, Fields: []chat.Field{{Name: evil, Value: evil}},
		Buttons: []chat.Button{{Label: evil, Command: evil, Token: "t", Style: "evil"}}, Link: "javascript:alert(1)", Mention: evil, Level: "evil",
	}
	raw, err := encode(card(m, page{tenant: tenant, presses: true}, size{text: 9000, value: 3000}))
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if all := interpreted(c); len(all) != 0 {
		t.Errorf("interpreted: %q", all)
	}
	if s := string(raw); strings.Contains(s, "javascript") || strings.ContainsAny(s, "\u202e\u0007") || strings.Contains(s, `"type":"evil"`) || !strings.Contains(s, `"template":"blue"`) {
		t.Errorf("card %s", s)
	}
}

func TestCall_MentionsOnlyPeopleOfTheTenant(t *testing.T) {
	for who, want := range map[string]string{
		"feishu:" + tenant + "/ou_1":        "<at id=ou_1></at>",
		"ou_1":                              "<at id=ou_1></at>",
		"feishu:other/ou_1":                 "",
		"feishu:" + tenant + "/all":         "",
		"all":                               "",
		"feishu:" + tenant + "/ou_1></at>":  "",
		"slack:T/U1":                        "",
		"feishu:" + tenant + "/ou_1 id=all": "",
		"feishu:" + tenant + "/ou_\u202e1":  "",
		"feishu:" + tenant + "/" + "ou_" + strings.Repeat("x", 200): "",
	} {
		e := call(who, tenant)
		got, _ := e["content"].(string)
		if got != want || want == "" && e["tag"] != "div" {
			t.Errorf("%s: %v", who, e)
		}
	}
}

func TestLiteral_OpensNothing(t *testing.T) {
	for in, want := range map[string]string{
		"plain 演练 🔥":                            "plain 演练 🔥",
		`<at user_id="all">everybody</at>`:      `＜at user_id="all">everybody＜/at>`,
		"[text](https://evil.example)":          "[text] (https://evil.example)",
		"<b>x</b>\r\n\u202ea < b":               "＜b>x＜/b>\na ＜ b",
		"aws fis stop-experiment --id EXP > /x": "aws fis stop-experiment --id EXP > /x",
	} {
		if got := literal(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestCut_ByBytesAndWholeCharacters(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"}, {"abcdef", 5, "ab…"}, {"演练演练", 12, "演练演练"}, {"演练演练", 11, "演练…"}, {"演练演练", 8, "演…"},
		{"🔥🔥", 8, "🔥🔥"}, {"🔥🔥", 7, "🔥…"}, {"🔥🔥", 6, "…"}, {"abcd", 1, "…"}, {"", 0, ""},
	} {
		if got := cut(c.in, c.n); got != c.want || !utf8.ValidString(got) {
			t.Errorf("%q to %d: %q", c.in, c.n, got)
		}
	}
}

func TestPost_FitsTheLimitWithAnyText(t *testing.T) {
	for name, unit := range map[string]string{"letters": "x", "chinese": "演", "emoji": "🔥", "quotes": `"`, "backslashes": `\`, "lines": "a\n", "family": "👨‍👩‍👧"} {
		for to, limit := range map[chat.Address]int{group(): maxCard, hookAddress("alerts"): maxHook} {
			a := newAPI(t)
			m := waiting()
			m.Title, m.Text = strings.Repeat(unit, 5000), strings.Repeat(unit, 50000)
			for range 40 {
				m.Fields = append(m.Fields, chat.Field{Name: strings.Repeat(unit, 500), Value: strings.Repeat(unit, 5000)})
				m.Buttons = append(m.Buttons, chat.Button{Label: strings.Repeat(unit, 500), Command: strings.Repeat(unit, 500), Token: strings.Repeat("t", 80)})
			}
			if _, err := a.sender(t, a.env()).Post(t.Context(), to, m); err != nil {
				t.Errorf("%s to %s: %v", name, to, err)
				continue
			}
			got := append(a.calls(sendPath), a.calls(hookPath)...)[0]
			if len(got.raw) > limit || !utf8.ValidString(got.raw) || !strings.Contains(got.raw, "…") || strings.ContainsRune(got.raw, utf8.RuneError) {
				t.Errorf("%s to %s: %d bytes", name, to, len(got.raw))
			}
		}
	}
	a := newAPI(t)
	if err := a.sender(t, a.env()).Say(t.Context(), chat.Saying{To: group(), Text: strings.Repeat("演", 100000)}); err != nil || len(a.calls(sendPath)[0].raw) > maxSaid+200 {
		t.Errorf("a long answer: %v", err)
	}
}

func TestFit_GivesUpWhereNothingHelps(t *testing.T) {
	if _, err := fit(waiting(), page{}, 10, func(c object) (any, error) { return c, nil }); err == nil {
		t.Error("ten bytes were enough")
	}
	wrong := errors.New("x")
	if _, err := fit(waiting(), page{}, 10, func(object) (any, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

func TestCard_ShowsLevelsAndLanguages(t *testing.T) {
	for level, want := range map[chat.Level]string{chat.Info: "blue", chat.Warning: "orange", chat.Urgent: "red", "": "blue"} {
		if got := colour(level); got != want {
			t.Errorf("%s: %s", level, got)
		}
	}
	raw, err := encode(card(chat.Message{Mode: "LIVE", Lang: "zh", Title: "[LIVE] 已停止", Buttons: []chat.Button{{Label: "停止", Command: "stop k7"}}, Link: "https://x.example"}, page{presses: true}, size{100, 100}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"LIVE · Firedrill · 也可以 @机器人 输入：stop k7", "查看报告", "[LIVE] 已停止"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %q in %s", want, raw)
		}
	}
}
