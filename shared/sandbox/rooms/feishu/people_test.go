package feishu_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

func TestMessages_ShowsMarkupAsPeopleSeeIt(t *testing.T) {
	r, _, v := start(t)
	v.text("<at user_id=\"ou_bob\">Bob</at> **see** [the page](https://x.example) <b>now</b> 1 < 2 <at user_id=\"all\"></at>")
	v.card(map[string]any{
		"header": map[string]any{"template": "red", "title": map[string]any{"tag": "plain_text", "content": "**not bold** <at id=all></at>"}},
		"elements": []any{
			map[string]any{"tag": "markdown", "content": "<at id=ou_alice></at> **bold** ~~gone~~ <font color='red'>red</font>"},
			map[string]any{"tag": "hr"},
			map[string]any{"tag": "div", "fields": []any{map[string]any{"text": map[string]any{"tag": "lark_md", "content": "a <at id=all></at>"}}}},
			map[string]any{"tag": "action", "actions": []any{
				map[string]any{"tag": "button", "type": "danger", "text": map[string]any{"tag": "plain_text", "content": "Stop"}, "value": map[string]any{"t": "x"}},
				map[string]any{"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "Read"}, "url": "https://x.example"},
			}},
			map[string]any{"tag": "note", "elements": []any{map[string]any{"tag": "plain_text", "content": "note"}}},
		},
	})
	m := r.Messages(channel, "ou_alice")
	if len(m) != 2 || m[0].Text != "@Bob see the page now 1 < 2 @everyone" || !m[0].Bot || m[0].From != "Firedrill" {
		t.Fatalf("got %+v", m)
	}
	if want := "**not bold** <at id=all></at>\n@Alice bold gone red\na @everyone\nnote"; m[1].Text != want || !m[1].Urgent {
		t.Errorf("got %q", m[1].Text)
	}
	if want := []rooms.Button{{Label: "Stop", Style: "danger"}, {Label: "Read", URL: "https://x.example"}}; fmt.Sprint(m[1].Buttons) != fmt.Sprint(want) {
		t.Errorf("got %+v", m[1].Buttons)
	}
}

func TestMessages_KeepsTheNewest500(t *testing.T) {
	r, c, v := start(t)
	for i := range 505 {
		c.move(time.Second)
		if got := code(v.text(fmt.Sprint(i))); got != "200/0" {
			t.Fatal(got)
		}
	}
	m := r.Messages(channel, "")
	if len(m) != 500 || m[0].Text != "5" || m[499].Text != "504" {
		t.Errorf("%d messages, %q to %q", len(m), m[0].Text, m[len(m)-1].Text)
	}
}

func TestSay_RefusesWhatNobodyCanSay(t *testing.T) {
	r, _, _ := start(t)
	say := func(s rooms.Saying) error {
		_, err := r.Say(t.Context(), s)
		return err
	}
	if say(rooms.Saying{Person: "ou_alice", Channel: channel, Text: "x"}) == nil {
		t.Error("nobody is connected")
	}
	r.Connect(http.NotFoundHandler())
	for name, s := range map[string]rooms.Saying{
		"an unknown person":        {Person: "ou_eve", Channel: channel, Text: "x"},
		"an unknown channel":       {Person: "ou_alice", Channel: "feishu:2ed263bf32cf1651/oc_x", Text: "x"},
		"another company":          {Person: "ou_alice", Channel: "feishu:other/oc_drills", Text: "x"},
		"no address":               {Person: "ou_alice", Channel: "x", Text: "x"},
		"somebody else's talk":     {Person: "ou_alice", Channel: "feishu:2ed263bf32cf1651/oc_p2p_bob", Text: "x"},
		"a thread that is nowhere": {Person: "ou_alice", Channel: channel, Thread: "om_x", Text: "x"},
		"nothing":                  {Person: "ou_alice", Channel: channel, Text: " "},
	} {
		if say(s) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if h, err := r.Press(t.Context(), rooms.Pressing{Person: "ou_alice", Channel: channel, Message: "om_x"}); err == nil {
		t.Errorf("pressed nothing: %+v", h)
	}
	if _, err := r.Challenge(t.Context()); err == nil {
		t.Error("a challenge that is not answered")
	}
}

func TestPress_ShowsWhatFeishuShows(t *testing.T) {
	r, hands, v := start(t)
	button := map[string]any{"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "Go"}, "value": map[string]any{"t": "x"}}
	card := simple("x", true)
	card["elements"] = []any{map[string]any{"tag": "action", "actions": []any{button}}}
	posted := id(v.card(card))
	changed := jsonText(map[string]any{"card": map[string]any{"type": "raw", "data": simple("changed", true)}})
	for _, c := range []struct {
		name   string
		status int
		body   string
		took   time.Duration
		want   string
	}{
		{"a toast", 200, `{"toast":{"type":"success","content":"done"}}`, 0, "done"},
		{"nothing", 200, `{}`, 0, ""},
		{"a failure", 500, ``, 0, "code: 200671"},
		{"no JSON", 200, `x`, 0, "code: 200672"},
		{"an odd toast", 200, `{"toast":{"type":"loud","content":"x"}}`, 0, "code: 200672"},
		{"a card no card", 200, `{"card":{"type":"raw","data":{}}}`, 0, "code: 200673"},
		{"after 4 seconds", 200, `{}`, 4 * time.Second, "code: 200341"},
		{"a changed card", 200, changed, 0, ""},
	} {
		r.Connect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			hands.move(c.took)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		h, err := r.Press(t.Context(), rooms.Pressing{Person: "ou_bob", Channel: channel, Message: posted, Button: 0})
		if err != nil || !strings.HasSuffix(h.Text, c.want) || c.want == "" && h.Text != "" {
			t.Errorf("%s: %+v, %v", c.name, h, err)
		}
	}
	if m := r.Messages(channel, "")[0]; m.Text != "changed\ntext" || m.Edits != 1 {
		t.Errorf("the card: %+v", m)
	}
	if h, err := r.Press(t.Context(), rooms.Pressing{Person: "ou_bob", Channel: channel, Message: posted}); err != nil || h.Request == nil {
		t.Errorf("a press on the card as it was: %+v, %v", h, err)
	}
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "ou_bob", Channel: channel, Message: posted, Seen: 2}); err == nil {
		t.Error("a button was pressed that is gone")
	}
}

func TestPress_OpensLinksAndFindsItsButton(t *testing.T) {
	r, _, v := start(t)
	card := simple("x", true)
	card["elements"] = []any{map[string]any{"tag": "action", "actions": []any{
		map[string]any{"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "None"}},
		map[string]any{"tag": "button", "text": map[string]any{"tag": "plain_text", "content": "Read"}, "url": "https://x.example"},
	}}}
	posted := id(v.card(card))
	press := func(n int) (rooms.Heard, error) {
		return r.Press(t.Context(), rooms.Pressing{Person: "ou_bob", Channel: channel, Message: posted, Button: n})
	}
	if h, err := press(1); err != nil || h.Text != "https://x.example" || h.Status != 0 {
		t.Errorf("a link: %+v, %v", h, err)
	}
	for _, n := range []int{-1, 0, 2} {
		if h, err := press(n); err == nil {
			t.Errorf("button %d: %+v", n, h)
		}
	}
}
