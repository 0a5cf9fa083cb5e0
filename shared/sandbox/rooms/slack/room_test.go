package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/slack"
)

const drills = "slack:T0DRILL/C0DRILLS"

// clock is one that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 24, 9, 5, 11, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// site is a room behind a server.
type site struct {
	*slack.Room
	*clock
	url   string
	token string
}

func open(t testing.TB) *site {
	t.Helper()
	c := newClock()
	s := &site{Room: slack.New(c.now), clock: c}
	server := httptest.NewServer(s.API())
	t.Cleanup(server.Close)
	s.url = server.URL
	_, s.token, _ = strings.Cut(s.Env(server.URL)["FIREDRILL_SLACK_BOT_TOKENS"], "=")
	return s
}

// call calls a method; each is a second after the one before, so that no rate is in the way.
func (s *site) call(t testing.TB, method string, in map[string]any) (map[string]any, *http.Response) {
	t.Helper()
	s.add(4 * time.Second)
	return s.post(t, "/api/"+method, "Bearer "+s.token, in)
}

func (s *site) post(t testing.TB, path, auth string, in any) (map[string]any, *http.Response) {
	t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodPost, s.url+path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", auth)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	out := map[string]any{}
	if json.Unmarshal(body, &out) != nil {
		out["text"] = string(body)
	}
	return out, res
}

func section(text string) []any {
	return []any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": text}}}
}

func buttons(n int, change func(i int, b map[string]any)) []any {
	var all []any
	for i := range n {
		b := map[string]any{"type": "button", "action_id": fmt.Sprint("a", i), "value": fmt.Sprint("v", i), "text": map[string]any{"type": "plain_text", "text": "Go"}}
		if change != nil {
			change(i, b)
		}
		all = append(all, b)
	}
	return []any{map[string]any{"type": "actions", "elements": all}}
}

func TestAPI_RefusesWhatSlackRefuses(t *testing.T) {
	text := func(n int) string { return strings.Repeat("演", n) }
	many := func(n int) []any {
		var all []any
		for range n {
			all = append(all, map[string]any{"type": "divider"})
		}
		return all
	}
	for name, c := range map[string]struct {
		method string
		in     map[string]any
		want   string
	}{
		"an unknown method":      {"chat.explode", nil, "unknown_method"},
		"no channel":             {"chat.postMessage", map[string]any{"text": "x"}, "channel_not_found"},
		"an unknown channel":     {"chat.postMessage", map[string]any{"channel": "C0NONE", "text": "x"}, "channel_not_found"},
		"no text":                {"chat.postMessage", map[string]any{"channel": "C0DRILLS"}, "no_text"},
		"blocks that are none":   {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": "x"}, "invalid_blocks_format"},
		"an unknown block":       {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": []any{map[string]any{"type": "video2"}}}, "invalid_blocks"},
		"51 blocks":              {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": many(51)}, "invalid_blocks"},
		"a section too long":     {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": section(text(3001))}, "invalid_blocks"},
		"an empty section":       {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": section("")}, "invalid_blocks"},
		"all of it too long":     {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": append(append(append(append(section(text(2900)), section(text(2900))...), section(text(2900))...), section(text(2900))...), section(text(2900))...)}, "msg_blocks_too_long"},
		"26 buttons":             {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": buttons(26, nil)}, "invalid_blocks"},
		"the same action twice":  {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": buttons(2, func(_ int, b map[string]any) { b["action_id"] = "a" })}, "invalid_blocks"},
		"a button's long value":  {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": buttons(1, func(_ int, b map[string]any) { b["value"] = text(2001) })}, "invalid_blocks"},
		"a button's long label":  {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": buttons(1, func(_ int, b map[string]any) { b["text"] = map[string]any{"type": "plain_text", "text": text(76)} })}, "invalid_blocks"},
		"a button's odd style":   {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": buttons(1, func(_ int, b map[string]any) { b["style"] = "" })}, "invalid_blocks"},
		"a header in mrkdwn":     {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": []any{map[string]any{"type": "header", "text": map[string]any{"type": "mrkdwn", "text": "x"}}}}, "invalid_blocks"},
		"a header too long":      {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "blocks": []any{map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": text(151)}}}}, "invalid_blocks"},
		"a thread of nothing":    {"chat.postMessage", map[string]any{"channel": "C0DRILLS", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"},
		"an edit of nothing":     {"chat.update", map[string]any{"channel": "C0DRILLS", "ts": "1.000001", "text": "x"}, "message_not_found"},
		"an edit nowhere":        {"chat.update", map[string]any{"channel": "C0NONE", "ts": "1.000001", "text": "x"}, "channel_not_found"},
		"a whisper to nobody":    {"chat.postEphemeral", map[string]any{"channel": "C0DRILLS", "text": "x"}, "user_not_in_channel"},
		"a whisper to a foreign": {"chat.postEphemeral", map[string]any{"channel": "D0ALICE", "user": "U0BOB", "text": "x"}, "user_not_in_channel"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if out, res := s.call(t, c.method, c.in); out["ok"] != false || out["error"] != c.want || res.StatusCode != http.StatusOK {
				t.Errorf("got %v, %d", out, res.StatusCode)
			}
			if n := len(s.Messages(drills, "U0BOB")); n != 0 {
				t.Errorf("%d messages were kept", n)
			}
		})
	}
}

func TestAPI_WantsTheToken(t *testing.T) {
	s := open(t)
	for auth, want := range map[string]string{"": "not_authed", "Bearer xoxb-wrong": "invalid_auth", "Basic x": "invalid_auth"} {
		if out, res := s.post(t, "/api/chat.postMessage", auth, map[string]any{"channel": "C0DRILLS", "text": "x"}); out["error"] != want || res.StatusCode != http.StatusOK {
			t.Errorf("%q: got %v", auth, out)
		}
	}
	res, err := http.PostForm(s.url+"/api/chat.postMessage", url.Values{"token": {s.token}, "channel": {"C0DRILLS"}, "text": {"x"}, "blocks": {`[{"type":"divider"}]`}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), `"ok":true`) {
		t.Errorf("a form: got %s", body)
	}
	if out, _ := s.call(t, "auth.test", nil); out["team_id"] != "T0DRILL" || out["user_id"] != "U0BOT" {
		t.Errorf("auth.test: got %v", out)
	}
}

func TestAPI_KeepsToItsRates(t *testing.T) {
	s := open(t)
	auth := "Bearer " + s.token
	throttled := func(path string, in map[string]any) string {
		out, res := s.post(t, path, auth, in)
		if res.StatusCode == http.StatusTooManyRequests && out["error"] == "ratelimited" {
			return res.Header.Get("Retry-After")
		}
		return ""
	}
	post := map[string]any{"channel": "C0DRILLS", "text": "x"}
	for i := range 3 {
		if throttled("/api/chat.postMessage", post) != "" {
			t.Errorf("message %d was throttled", i)
		}
	}
	if got := throttled("/api/chat.postMessage", post); got != "1" {
		t.Errorf("the fourth at once: Retry-After %q", got)
	}
	if got := throttled("/api/chat.postMessage", map[string]any{"channel": "D0ALICE", "text": "x"}); got != "" {
		t.Errorf("another channel: Retry-After %q", got)
	}
	s.add(time.Second)
	if throttled("/api/chat.postMessage", post) != "" {
		t.Error("a second later it is throttled still")
	}
	edit := map[string]any{"channel": "C0DRILLS", "ts": s.Messages(drills, "U0BOB")[0].ID, "text": "y"}
	_, _ = throttled("/api/chat.update", edit), throttled("/api/chat.update", edit)
	if got := throttled("/api/chat.update", edit); got != "3" {
		t.Errorf("the third edit at once: Retry-After %q", got)
	}
}

func TestAPI_EditsItsOwnMessagesAlone(t *testing.T) {
	s := open(t)
	s.Connect(http.NotFoundHandler())
	if _, err := s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: drills, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	theirs := s.Messages(drills, "U0BOB")[0].ID
	if out, _ := s.call(t, "chat.update", map[string]any{"channel": "C0DRILLS", "ts": theirs, "text": "x"}); out["error"] != "cant_update_message" {
		t.Errorf("a person's message: got %v", out)
	}
	out, _ := s.call(t, "chat.postMessage", map[string]any{"channel": "C0DRILLS", "text": "one", "blocks": append(section("one"), buttons(1, nil)...)})
	ts := out["ts"]
	if out, _ := s.call(t, "chat.update", map[string]any{"channel": "C0DRILLS", "ts": ts, "text": strings.Repeat("x", 4001)}); out["error"] != "msg_too_long" {
		t.Errorf("a long text: got %v", out)
	}
	if out, _ := s.call(t, "chat.update", map[string]any{"channel": "C0DRILLS", "ts": ts, "text": "two"}); out["ok"] != true {
		t.Errorf("got %v", out)
	}
	if m := s.Messages(drills, "U0BOB")[1]; m.Text != "one" || len(m.Buttons) != 1 || m.Edits != 1 {
		t.Errorf("blocks that are not named stay: got %+v", m)
	}
	if out, _ := s.call(t, "chat.update", map[string]any{"channel": "C0DRILLS", "ts": ts, "text": "two", "blocks": section("two")}); out["ts"] != ts {
		t.Errorf("got %v", out)
	}
	if m := s.Messages(drills, "U0BOB")[1]; m.Text != "two" || len(m.Buttons) != 0 || m.ID != ts {
		t.Errorf("got %+v", m)
	}
	out, _ = s.call(t, "chat.postEphemeral", map[string]any{"channel": "C0DRILLS", "user": "U0BOB", "text": "psst"})
	if out, _ := s.call(t, "chat.update", map[string]any{"channel": "C0DRILLS", "ts": out["message_ts"], "text": "x"}); out["error"] != "message_not_found" {
		t.Errorf("a message for one person: got %v", out)
	}
}

func TestAPI_KeepsTheNewestMessages(t *testing.T) {
	s := open(t)
	for i := range 510 {
		s.call(t, "chat.postMessage", map[string]any{"channel": "C0DRILLS", "text": fmt.Sprint("n", i)})
	}
	m := s.Messages(drills, "U0BOB")
	if len(m) != 500 || m[0].Text != "n10" || m[499].Text != "n509" {
		t.Errorf("%d messages, %q to %q", len(m), m[0].Text, m[len(m)-1].Text)
	}
	for i := 1; i < len(m); i++ {
		if m[i].ID <= m[i-1].ID {
			t.Fatalf("ts %s after %s", m[i].ID, m[i-1].ID)
		}
	}
}

func TestTrouble_FailsAsSlackFails(t *testing.T) {
	s := open(t)
	in := map[string]any{"channel": "C0DRILLS", "text": "x"}
	s.Trouble(rooms.Trouble{Kind: "throttled", Times: 1, After: 7 * time.Second})
	if out, res := s.call(t, "chat.postMessage", in); res.StatusCode != 429 || res.Header.Get("Retry-After") != "7" || out["error"] != "ratelimited" {
		t.Errorf("throttled: %v, %d", out, res.StatusCode)
	}
	s.Trouble(rooms.Trouble{Kind: "error", Times: 2})
	for range 2 {
		if out, res := s.call(t, "chat.postMessage", in); res.StatusCode != 200 || out["error"] != "internal_error" {
			t.Errorf("error: %v, %d", out, res.StatusCode)
		}
	}
	s.Trouble(rooms.Trouble{Kind: "down", Times: 1})
	if _, res := s.call(t, "chat.postMessage", in); res.StatusCode != 503 {
		t.Errorf("down: %d", res.StatusCode)
	}
	if n := len(s.Messages(drills, "U0BOB")); n != 0 {
		t.Errorf("%d messages", n)
	}
	s.Trouble(rooms.Trouble{Kind: "lost", Times: 1})
	req, _ := http.NewRequest(http.MethodPost, s.url+"/api/chat.postMessage", strings.NewReader(`{"channel":"C0DRILLS","text":"x"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.token)
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		t.Errorf("lost: got %d", res.StatusCode)
	}
	if n := len(s.Messages(drills, "U0BOB")); n != 1 {
		t.Errorf("lost: %d messages, it was taken", n)
	}
	if out, _ := s.call(t, "chat.postMessage", in); out["ok"] != true {
		t.Errorf("afterwards: %v", out)
	}
}

func TestMessages_AreWhatPeopleSee(t *testing.T) {
	s := open(t)
	blocks := []any{
		map[string]any{"type": "header", "text": map[string]any{"type": "plain_text", "text": "🚨 Title <b> & *x*"}},
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "*Bold* _it_ ~gone~ `co*de` <!subteam^S0CHK> <@U0BOB> <#C0DRILLS> <https://a.example|here> a &lt; b a_b_c"}},
		map[string]any{"type": "section", "fields": []any{map[string]any{"type": "mrkdwn", "text": "*Asked for by*"}, map[string]any{"type": "plain_text", "text": "alice"}, map[string]any{"type": "mrkdwn", "text": "*Gate*"}}},
		map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "*By hand*\n```aws --id *1*```"}},
		map[string]any{"type": "rich_text", "elements": []any{map[string]any{"type": "rich_text_section", "elements": []any{map[string]any{"type": "text", "text": "see "}, map[string]any{"type": "link", "url": "https://b.example"}}}}},
		map[string]any{"type": "divider"},
		map[string]any{"type": "context", "elements": []any{map[string]any{"type": "plain_text", "text": "SANDBOX"}, map[string]any{"type": "mrkdwn", "text": "<https://c.example>"}}},
		map[string]any{"type": "actions", "elements": []any{map[string]any{"type": "button", "action_id": "a", "style": "danger", "value": "v", "text": map[string]any{"type": "plain_text", "text": "Stop"}}, map[string]any{"type": "button", "action_id": "b", "url": "https://d.example", "text": map[string]any{"type": "plain_text", "text": "Open"}}}},
	}
	out, _ := s.call(t, "chat.postMessage", map[string]any{"channel": "C0DRILLS", "text": "x", "blocks": blocks})
	if out["ok"] != true {
		t.Fatal(out)
	}
	m := s.Messages(drills, "U0BOB")[0]
	want := "🚨 Title <b> & *x*\nBold it gone co*de @S0CHK @bob #drills here (https://a.example) a < b a_b_c\nAsked for by  alice\nGate\nBy hand\naws --id *1*\nsee https://b.example\n———\nSANDBOX  https://c.example"
	if m.Text != want {
		t.Errorf("got\n%s\nwant\n%s", m.Text, want)
	}
	if len(m.Buttons) != 2 || m.Buttons[0] != (rooms.Button{Label: "Stop", Style: "danger"}) || m.Buttons[1].URL != "https://d.example" || !m.Urgent || !m.Bot || m.From != "Firedrill" {
		t.Errorf("got %+v", m)
	}
	s.call(t, "chat.postEphemeral", map[string]any{"channel": "C0DRILLS", "user": "U0BOB", "text": "only you"})
	if a, b := s.Messages(drills, "U0ALICE"), s.Messages(drills, "U0BOB"); len(a) != 1 || len(b) != 2 || b[1].Private != "U0BOB" {
		t.Errorf("alice sees %d, bob sees %+v", len(a), b)
	}
	if s.Messages("slack:T0DRILL/D0BOB", "U0ALICE") != nil || s.Messages("slack:T0OTHER/C0DRILLS", "U0ALICE") != nil || s.Messages("x", "U0ALICE") != nil {
		t.Error("a channel of others is shown")
	}
}

func TestHooks_TakeFiveAnswersInHalfAnHour(t *testing.T) {
	s := open(t)
	var hook string
	s.Connect(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		form, _ := url.ParseQuery(string(body))
		hook = strings.TrimPrefix(form.Get("response_url"), s.url)
	}))
	say := func() {
		if _, err := s.Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Text: "/drill status"}); err != nil {
			t.Fatal(err)
		}
	}
	say()
	for i := range 6 {
		out, res := s.post(t, hook, "", map[string]any{"text": fmt.Sprint("answer ", i)})
		if taken := i < 5; taken != (res.StatusCode == 200) || !taken && (res.StatusCode != 404 || out["error"] != "used_url") {
			t.Errorf("answer %d: %v, %d", i, out, res.StatusCode)
		}
	}
	if m := s.Messages(drills, "U0BOB"); len(m) != 5 || m[0].Private != "U0BOB" || m[4].Text != "answer 4" {
		t.Errorf("got %+v", m)
	}
	say()
	s.add(31 * time.Minute)
	if out, res := s.post(t, hook, "", map[string]any{"text": "late"}); res.StatusCode != 404 || out["error"] != "expired_url" {
		t.Errorf("late: %v, %d", out, res.StatusCode)
	}
	if _, res := s.post(t, "/response/none", "", map[string]any{"text": "x"}); res.StatusCode != 404 {
		t.Errorf("unknown: %d", res.StatusCode)
	}
	say()
	s.post(t, hook, "", map[string]any{"text": "to all", "response_type": "in_channel"})
	if m := s.Messages(drills, "U0ALICE"); len(m) != 1 || m[0].Text != "to all" {
		t.Errorf("alice sees %+v", m)
	}
}
