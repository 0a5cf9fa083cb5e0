package feishu_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/feishu"
)

const channel = "feishu:2ed263bf32cf1651/oc_drills"

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// vendor is a client of the room's API that knows nothing of our sender.
type vendor struct {
	t     *testing.T
	base  string
	env   map[string]string
	token string
}

func start(t *testing.T) (*feishu.Room, *clock, *vendor) {
	t.Helper()
	c := newClock()
	r := feishu.New(c.now)
	s := httptest.NewServer(r.API())
	t.Cleanup(s.Close)
	v := &vendor{t: t, base: s.URL, env: r.Env(s.URL)}
	v.login()
	return r, c, v
}

func (v *vendor) login() {
	v.t.Helper()
	out := v.do(http.MethodPost, "/open-apis/auth/v3/tenant_access_token/internal", map[string]any{
		"app_id": v.env["FIREDRILL_FEISHU_APP_ID"], "app_secret": v.env["FIREDRILL_FEISHU_APP_SECRETS"],
	})
	if v.token, _ = out["tenant_access_token"].(string); v.token == "" {
		v.t.Fatalf("no token: %v", out)
	}
}

// do calls and adds the reply's status and headers to its JSON.
func (v *vendor) do(method, path string, in any) map[string]any {
	v.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, bytes.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if v.token != "" {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return map[string]any{"lost": err.Error()}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	out := map[string]any{}
	if len(raw) > 0 && json.Unmarshal(raw, &out) != nil {
		out["text"] = string(raw)
	}
	out["status"], out["reset"] = res.StatusCode, res.Header.Get("x-ogw-ratelimit-reset")
	return out
}

func (v *vendor) text(s string) map[string]any {
	return v.do(http.MethodPost, "/open-apis/im/v1/messages?receive_id_type=chat_id", map[string]any{"receive_id": "oc_drills", "msg_type": "text", "content": jsonText(map[string]any{"text": s})})
}

func (v *vendor) card(card any) map[string]any {
	return v.do(http.MethodPost, "/open-apis/im/v1/messages?receive_id_type=chat_id", map[string]any{"receive_id": "oc_drills", "msg_type": "interactive", "content": jsonText(card)})
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func id(out map[string]any) string {
	data, _ := out["data"].(map[string]any)
	s, _ := data["message_id"].(string)
	return s
}

func code(out map[string]any) string { return fmt.Sprintf("%v/%v", out["status"], out["code"]) }

func simple(title string, multi bool) map[string]any {
	return map[string]any{
		"config":   map[string]any{"update_multi": multi},
		"header":   map[string]any{"template": "blue", "title": map[string]any{"tag": "plain_text", "content": title}},
		"elements": []any{map[string]any{"tag": "div", "text": map[string]any{"tag": "plain_text", "content": "text"}}},
	}
}

func TestAPI_RefusesWhatFeishuRefuses(t *testing.T) {
	const send, internal = "/open-apis/im/v1/messages?receive_id_type=chat_id", "/open-apis/auth/v3/tenant_access_token/internal"
	body := func(change map[string]any) map[string]any {
		b := map[string]any{"receive_id": "oc_drills", "msg_type": "text", "content": `{"text":"x"}`}
		for k, v := range change {
			b[k] = v
		}
		return b
	}
	unknown := map[string]any{"elements": []any{map[string]any{"tag": "marquee"}}}
	for name, c := range map[string]struct {
		token, method, path string
		in                  any
		want                string
	}{
		"no token":            {"-", "POST", send, body(nil), "400/9.9991661e+07"},
		"a made-up token":     {"t-x", "POST", send, body(nil), "400/9.9991663e+07"},
		"a wrong app":         {"", "POST", internal, map[string]any{"app_id": "cli_x", "app_secret": "x"}, "200/10003"},
		"a wrong secret":      {"", "POST", internal, map[string]any{"app_id": "cli_drill", "app_secret": "x"}, "200/10014"},
		"no kind of receiver": {"", "POST", "/open-apis/im/v1/messages", body(nil), "400/9.9992402e+07"},
		"no receiver":         {"", "POST", send, body(map[string]any{"receive_id": ""}), "400/230001"},
		"an unknown chat":     {"", "POST", send, body(map[string]any{"receive_id": "oc_other"}), "400/230002"},
		"an unknown type":     {"", "POST", send, body(map[string]any{"msg_type": "sticker"}), "400/230001"},
		"content as object":   {"", "POST", send, body(map[string]any{"content": map[string]any{"text": "x"}}), "400/9499"},
		"content no JSON":     {"", "POST", send, body(map[string]any{"content": "x"}), "400/230001"},
		"a text too large":    {"", "POST", send, body(map[string]any{"content": jsonText(map[string]any{"text": strings.Repeat("x", 150<<10)})}), "400/230025"},
		"a card too large":    {"", "POST", send, body(map[string]any{"msg_type": "interactive", "content": jsonText(simple(strings.Repeat("x", 30<<10), true))}), "400/230025"},
		"an empty card":       {"", "POST", send, body(map[string]any{"msg_type": "interactive", "content": "{}"}), "400/230099"},
		"an unknown element":  {"", "POST", send, body(map[string]any{"msg_type": "interactive", "content": jsonText(unknown)}), "400/230099"},
		"a long uuid":         {"", "POST", send, body(map[string]any{"uuid": strings.Repeat("u", 51)}), "400/9.9992402e+07"},
		"a reply to nothing":  {"", "POST", "/open-apis/im/v1/messages/om_x/reply", body(nil), "400/9.9992354e+07"},
		"an edit of nothing":  {"", "PATCH", "/open-apis/im/v1/messages/om_x", map[string]any{"content": jsonText(simple("x", true))}, "400/9.9992354e+07"},
		"no JSON":             {"", "POST", send, "x", "400/9499"},
		"an unknown path":     {"", "POST", "/open-apis/im/v2/messages", body(nil), "404/<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, v := start(t)
			if c.token != "" {
				v.token = strings.TrimPrefix(c.token, "-")
			}
			if out := v.do(c.method, c.path, c.in); code(out) != c.want {
				t.Errorf("got %v, want %s", out, c.want)
			}
			if m := r.Messages(channel, ""); len(m) != 0 {
				t.Errorf("it was posted: %+v", m)
			}
		})
	}
}

func TestAPI_EditsOnlyOwnSharedCards(t *testing.T) {
	r, c, v := start(t)
	r.Connect(http.NotFoundHandler())
	if _, err := r.Say(t.Context(), rooms.Saying{Person: "ou_alice", Channel: channel, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	foreign := r.Messages(channel, "")[0].ID
	edit := func(id string, card any) string {
		c.move(time.Second)
		return code(v.do(http.MethodPatch, "/open-apis/im/v1/messages/"+id, map[string]any{"content": jsonText(card)}))
	}
	words, alone, card := id(v.text("x")), id(v.card(simple("a", false))), id(v.card(simple("b", true)))
	for name, got := range map[string][2]string{
		"somebody else's":         {edit(foreign, simple("x", true)), "400/230071"},
		"a text":                  {edit(words, simple("x", true)), "400/230001"},
		"a card for one":          {edit(alone, simple("x", true)), "400/230099"},
		"a card no longer shared": {edit(card, simple("x", false)), "400/230099"},
		"its own card":            {edit(card, simple("changed", true)), "200/0"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %s, want %s", name, got[0], got[1])
		}
	}
	last := r.Messages(channel, "")[3]
	if last.ID != card || last.Edits != 1 || last.Text != "changed\ntext" {
		t.Errorf("edited: %+v", last)
	}
	c.move(15 * 24 * time.Hour)
	v.login()
	if got := edit(card, simple("x", true)); got != "400/230031" {
		t.Errorf("after 15 days: %s", got)
	}
}

func TestAPI_LimitsAsFeishuDoes(t *testing.T) {
	r, c, v := start(t)
	for i := range 5 {
		if got := code(v.text("x")); got != "200/0" {
			t.Fatalf("message %d: %s", i, got)
		}
	}
	if got := code(v.text("x")); got != "400/230020" {
		t.Errorf("the sixth in a second: %s", got)
	}
	c.move(time.Second)
	card := id(v.card(simple("x", true)))
	for range 5 {
		v.do(http.MethodPatch, "/open-apis/im/v1/messages/"+card, map[string]any{"content": jsonText(simple("y", true))})
	}
	if got := code(v.do(http.MethodPatch, "/open-apis/im/v1/messages/"+card, map[string]any{"content": jsonText(simple("y", true))})); got != "400/230020" {
		t.Errorf("the sixth edit in a second: %s", got)
	}
	for range 60 {
		v.do(http.MethodPatch, "/open-apis/im/v1/messages/om_x", map[string]any{})
	}
	if out := v.text("x"); code(out) != "429/9.99914e+07" || out["reset"] == "" {
		t.Errorf("over 50 calls in a second: %v", out)
	}
	c.move(time.Minute)
	if got := code(v.text("x")); got != "200/0" || len(r.Messages(channel, "")) != 7 {
		t.Errorf("a minute later: %s, %d messages", got, len(r.Messages(channel, "")))
	}
}

func TestAPI_TakesAUUIDOnceAnHour(t *testing.T) {
	r, c, v := start(t)
	send := func() string {
		return id(v.do(http.MethodPost, "/open-apis/im/v1/messages?receive_id_type=chat_id", map[string]any{"receive_id": "oc_drills", "msg_type": "text", "content": `{"text":"x"}`, "uuid": "u1"}))
	}
	first, second := send(), send()
	c.move(time.Hour)
	third := send()
	if first == "" || first != second || third == first || len(r.Messages(channel, "")) != 2 {
		t.Errorf("%s, %s, %s: %d messages", first, second, third, len(r.Messages(channel, "")))
	}
}

func TestAPI_GivesTokensThatEnd(t *testing.T) {
	r, c, v := start(t)
	first := v.token
	c.move(80 * time.Minute)
	if v.login(); v.token != first {
		t.Error("a new token, and the old one had 40 minutes left")
	}
	c.move(20 * time.Minute)
	if v.login(); v.token == first {
		t.Error("the old token, with 20 minutes left")
	}
	second := v.token
	v.token = first
	if got := code(v.text("x")); got != "200/0" {
		t.Errorf("the old one while it lasts: %s", got)
	}
	c.move(21 * time.Minute)
	if got := code(v.text("x")); got != "400/9.9991663e+07" {
		t.Errorf("the old one after its end: %s", got)
	}
	v.token = second
	if r.Revoke(); code(v.text("x")) != "400/9.9991663e+07" {
		t.Error("a token that was revoked")
	}
}

func TestHook_AnswersWith200AndACode(t *testing.T) {
	r, _, v := start(t)
	path := "/open-apis/bot/v2/hook/5f0c2b7e-71a4-4f0e-9d2b-3c6a1e8d4b90"
	for name, c := range map[string]struct {
		path string
		in   any
		want string
	}{
		"another bot": {"/open-apis/bot/v2/hook/x", map[string]any{}, "200/19001"},
		"no JSON":     {path, "x", "200/9499"},
		"no sign":     {path, map[string]any{"msg_type": "text", "content": map[string]any{"text": "x"}}, "200/19021"},
		"too large":   {path, map[string]any{"msg_type": "text", "content": map[string]any{"text": strings.Repeat("x", 20<<10)}}, "200/9499"},
		"an old sign": {path, map[string]any{"timestamp": "1599360473", "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="}, "200/19021"},
	} {
		if got := code(v.do(http.MethodPost, c.path, c.in)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if len(r.Messages(channel, "")) != 0 {
		t.Error("something was posted")
	}
}

func TestTrouble(t *testing.T) {
	r, c, v := start(t)
	r.Trouble(rooms.Trouble{Kind: "throttled", Times: 1, After: 7 * time.Second})
	if out := v.text("x"); code(out) != "429/9.99914e+07" || out["reset"] != "7" {
		t.Errorf("throttled: %v", out)
	}
	r.Trouble(rooms.Trouble{Kind: "error", Times: 2})
	if a, b := code(v.text("x")), code(v.card(simple("x", true))); a != "200/2200" || b != a {
		t.Errorf("error: %s, %s", a, b)
	}
	r.Trouble(rooms.Trouble{Kind: "down", Times: 1})
	if got := code(v.text("x")); got != "503/<nil>" {
		t.Errorf("down: %s", got)
	}
	if len(r.Messages(channel, "")) != 0 {
		t.Error("something was posted")
	}
	c.move(time.Second)
	r.Trouble(rooms.Trouble{Kind: "lost", Times: 1})
	if out := v.text("x"); out["lost"] == nil || len(r.Messages(channel, "")) != 1 {
		t.Errorf("lost: %v, %d messages", out, len(r.Messages(channel, "")))
	}
	if got := code(v.text("x")); got != "200/0" {
		t.Errorf("afterwards: %s", got)
	}
}
