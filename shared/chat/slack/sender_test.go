package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/slack"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

const botToken = "xoxb-hunter2-made-up"

// call is a request as Slack got it.
type call struct {
	path, auth, contentType string
	body                    map[string]any
	raw                     string
}

// fake is a server that answers what it is told, one after the other, the last one for ever.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []call
	answers []string // bodies; one that begins with a digit is a status
	header  http.Header
}

func newFake(t testing.TB, answers ...string) *fake {
	f := &fake{answers: answers}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	c := call{path: r.URL.Path, auth: r.Header.Get("Authorization"), contentType: r.Header.Get("Content-Type"), raw: string(raw)}
	_ = json.Unmarshal(raw, &c.body)
	f.calls = append(f.calls, c)
	answer := `{"ok":true,"channel":"C0DRILLS","ts":"1795511111.000100"}`
	if len(f.answers) > 0 {
		answer = f.answers[0]
		if len(f.answers) > 1 {
			f.answers = f.answers[1:]
		}
	}
	for k, v := range f.header {
		w.Header()[k] = v
	}
	var status int
	if _, err := fmt.Sscanf(answer, "%d", &status); err == nil {
		w.WriteHeader(status)
		answer = "hunter2"
	}
	_, _ = io.WriteString(w, answer)
}

type outbound struct {
	*slack.Sender
	waits []time.Duration
	clock time.Time
}

func sender(t testing.TB, f *fake, pairs ...string) *outbound {
	t.Helper()
	out := &outbound{clock: now}
	o := wire.Options{Loopback: true, Now: func() time.Time { return out.clock }, Wait: func(_ context.Context, d time.Duration) error {
		out.waits, out.clock = append(out.waits, d), out.clock.Add(d)
		return nil
	}}
	var err error
	out.Sender, err = slack.Outbound(env(append([]string{"FIREDRILL_SLACK_BOT_TOKENS", "T0DRILL=" + botToken, "FIREDRILL_ENDPOINT_SLACK", f.URL}, pairs...)...), o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	drills  = chat.Address{Platform: chat.Slack, Place: "T0DRILL/C0DRILLS"}
	root    = chat.Posted{To: "slack:T0DRILL/C0DRILLS", ID: "1795511111.000100", Thread: "1795511111.000100"}
	message = chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "en", Title: "[SANDBOX] Waiting: checkout <b> & 'AZ-b' 🔥", Text: "Needs approval\nsee https://wiki.example.com/az?a=1&b=2.",
		Fields:  []chat.Field{{Name: "Gate", Value: "start@4"}, {Name: "By hand", Value: "aws fis stop-experiment --id EXP1 --region us-east-1"}, {Name: "Runbook", Value: "https://wiki.example.com/az"}},
		Buttons: []chat.Button{{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: "1.approve.k7m2.a.b.c"}, {Label: "Reject", Command: "reject k7m2", Style: chat.Danger, Token: "1.reject.k7m2.a.b.c", Act: chat.Act{Verb: "reject"}}, {Label: "Stop", Command: "stop k7m2", Style: chat.Danger, Token: "1.stop.k7m2.a.b.c", Act: chat.Act{Verb: "stop"}}, {Label: "Note", Command: "note k7m2 x"}},
		Thread:  "k7m2q4x9a3bcd", Link: "https://fd.example.com/d/k7m2", Mention: "slack:T0DRILL/S0CHK", At: now,
	}
)

const wantPost = `{"channel":"C0DRILLS","text":"<!subteam^S0CHK> [SANDBOX] Waiting: checkout &lt;b&gt; &amp; 'AZ-b' 🔥\nNeeds approval\nsee https://wiki.example.com/az?a=1&amp;b=2.","blocks":[` +
	`{"type":"header","text":{"type":"plain_text","text":"⚠️ [SANDBOX] Waiting: checkout <b> & 'AZ-b' 🔥","emoji":false}},` +
	`{"type":"section","text":{"type":"mrkdwn","text":"<!subteam^S0CHK>"}},` +
	`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"Needs approval\nsee "},{"type":"link","url":"https://wiki.example.com/az?a=1&b=2"},{"type":"text","text":"."}]}]},` +
	`{"type":"section","fields":[{"type":"mrkdwn","text":"*Gate*"},{"type":"plain_text","text":"start@4","emoji":false}]},` +
	"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*By hand*\\n```aws fis stop-experiment --id EXP1 --region us-east-1```\"}}," +
	`{"type":"section","fields":[{"type":"mrkdwn","text":"*Runbook*"},{"type":"mrkdwn","text":"<https://wiki.example.com/az>"}]},` +
	`{"type":"actions","elements":[` +
	`{"type":"button","action_id":"firedrill_0","text":{"type":"plain_text","text":"Approve","emoji":false},"value":"1.approve.k7m2.a.b.c","style":"primary"},` +
	`{"type":"button","action_id":"firedrill_1","text":{"type":"plain_text","text":"Reject","emoji":false},"value":"1.reject.k7m2.a.b.c","style":"danger","confirm":{"title":{"type":"plain_text","text":"Are you sure?","emoji":false},"text":{"type":"plain_text","text":"Reject: reject k7m2","emoji":false},"confirm":{"type":"plain_text","text":"Reject","emoji":false},"deny":{"type":"plain_text","text":"Cancel","emoji":false},"style":"danger"}},` +
	`{"type":"button","action_id":"firedrill_2","text":{"type":"plain_text","text":"Stop","emoji":false},"value":"1.stop.k7m2.a.b.c","style":"danger"}]},` +
	`{"type":"context","elements":[{"type":"plain_text","text":"🧪 SANDBOX · nothing real is touched","emoji":false},{"type":"mrkdwn","text":"<https://fd.example.com/d/k7m2|Open the drill>"},` +
	"{\"type\":\"mrkdwn\",\"text\":\"You can type: `/drill note k7m2 x`\"}]}]," +
	`"unfurl_links":false,"unfurl_media":false}` + "\n"

func TestPost_IsExactlyThis(t *testing.T) {
	f := newFake(t)
	p, err := sender(t, f).Post(t.Context(), drills, message)
	if err != nil {
		t.Fatal(err)
	}
	if p != root {
		t.Errorf("posted %+v", p)
	}
	c := f.calls[0]
	if c.path != "/api/chat.postMessage" || c.auth != "Bearer "+botToken || c.contentType != "application/json; charset=utf-8" || len(f.calls) != 1 {
		t.Errorf("got %+v", c)
	}
	if c.raw != wantPost {
		t.Errorf("got\n%s\nwant\n%s", c.raw, wantPost)
	}
}

func TestReplyAndUpdate_NameTheMessage(t *testing.T) {
	f := newFake(t, `{"ok":true,"channel":"C0DRILLS","ts":"1795511112.000200"}`)
	s := sender(t, f)
	reply, err := s.Reply(t.Context(), root, message)
	if err != nil || reply.ID != "1795511112.000200" || reply.Thread != root.ID || reply.To != root.To {
		t.Errorf("reply %+v, %v", reply, err)
	}
	again, err := s.Reply(t.Context(), reply, message)
	if err != nil || again.Thread != root.ID {
		t.Errorf("reply to a reply %+v, %v", again, err)
	}
	updated, err := s.Update(t.Context(), root, message)
	if err != nil || updated != root {
		t.Errorf("updated %+v, %v", updated, err)
	}
	if c := f.calls[0]; c.body["thread_ts"] != root.ID || c.path != "/api/chat.postMessage" {
		t.Errorf("reply sent %s", c.raw)
	}
	if c := f.calls[1]; c.body["thread_ts"] != root.ID {
		t.Errorf("reply to a reply sent %s", c.raw)
	}
	if c := f.calls[2]; c.path != "/api/chat.update" || c.body["ts"] != root.ID || c.body["thread_ts"] != nil || c.body["unfurl_links"] != nil || c.body["blocks"] == nil {
		t.Errorf("update sent %s", c.raw)
	}
}

func TestPost_ToAPersonReturnsTheConversation(t *testing.T) {
	f := newFake(t, `{"ok":true,"channel":"D0ALICE","ts":"1795511112.000200"}`)
	p, err := sender(t, f).Post(t.Context(), chat.Address{Platform: chat.Slack, Place: "T0DRILL/U0ALICE"}, message)
	if err != nil || p.To != "slack:T0DRILL/D0ALICE" {
		t.Errorf("posted %+v, %v", p, err)
	}
}

func TestPost_ClassifiesErrorsInRepliesOf200(t *testing.T) {
	for code, want := range map[string]chat.Code{
		"ratelimited": chat.Throttled, "rate_limited": chat.Throttled, "message_limit_exceeded": chat.Throttled,
		"invalid_auth": chat.Denied, "not_authed": chat.Denied, "account_inactive": chat.Denied, "token_revoked": chat.Denied, "token_expired": chat.Denied,
		"not_in_channel": chat.Denied, "channel_not_found": chat.Denied, "is_archived": chat.Denied, "missing_scope": chat.Denied, "no_permission": chat.Denied,
		"restricted_action": chat.Denied, "restricted_action_read_only_channel": chat.Denied, "ekm_access_denied": chat.Denied, "cant_update_message": chat.Denied, "edit_window_closed": chat.Denied,
		"msg_too_long": chat.Invalid, "msg_blocks_too_long": chat.Invalid, "no_text": chat.Invalid, "invalid_blocks": chat.Invalid, "message_not_found": chat.Invalid, "invalid_arguments": chat.Invalid,
		"internal_error": chat.Unavailable, "fatal_error": chat.Unavailable, "service_unavailable": chat.Unavailable, "request_timeout": chat.Unavailable, "something_new": chat.Unavailable, "": chat.Unavailable,
		"<!channel> hunter2": chat.Unavailable,
	} {
		body, _ := json.Marshal(map[string]any{"ok": false, "error": code})
		f := newFake(t, string(body))
		s := sender(t, f)
		_, err := s.Post(t.Context(), drills, message)
		if err == nil || chat.CodeOf(err) != want || len(f.calls) != 1 {
			t.Errorf("%q: got %v (%s), %d calls", code, err, chat.CodeOf(err), len(f.calls))
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "slack:T0DRILL/C0DRILLS") {
			t.Errorf("%q: error %v", code, err)
		}
		if retry := want == chat.Throttled || want == chat.Unavailable; chat.Retryable(err) != retry {
			t.Errorf("%q: retryable is %v", code, !retry)
		}
	}
}

func TestPost_NamesTheScopeThatIsMissing(t *testing.T) {
	f := newFake(t, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"commands"}`)
	_, err := sender(t, f).Post(t.Context(), drills, message)
	if err == nil || !strings.Contains(err.Error(), "chat:write") {
		t.Errorf("got %v", err)
	}
}

func TestPost_ThrottledInAReplyOf200IsKeptTo(t *testing.T) {
	f := newFake(t, `{"ok":false,"error":"ratelimited"}`, `{"ok":true,"ts":"1.1","channel":"C0DRILLS"}`)
	f.header = http.Header{"Retry-After": {"20"}}
	s := sender(t, f)
	_, err := s.Post(t.Context(), drills, message)
	var e *chat.Error
	if !errors.As(err, &e) || e.Code != chat.Throttled || e.RetryAfter != 20*time.Second {
		t.Fatalf("got %v", err)
	}
	s.clock = s.clock.Add(10 * time.Second)
	if _, err = s.Post(t.Context(), drills, message); chat.CodeOf(err) != chat.Throttled || len(f.calls) != 1 {
		t.Errorf("called too early: %v, %d calls", err, len(f.calls))
	}
	other := chat.Address{Platform: chat.Slack, Place: "T0DRILL/C0OTHER"}
	if _, err = s.Post(t.Context(), other, message); err != nil {
		t.Errorf("another channel waits too: %v", err)
	}
	s.clock = s.clock.Add(10 * time.Second)
	if _, err = s.Post(t.Context(), drills, message); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestPost_ClassifiesStatuses(t *testing.T) {
	for status, want := range map[string]chat.Code{"429": chat.Throttled, "500": chat.Unavailable, "503": chat.Unavailable, "403": chat.Denied, "302": chat.Denied} {
		f := newFake(t, status)
		f.header = http.Header{"Retry-After": {"7"}, "Location": {"/elsewhere"}}
		_, err := sender(t, f).Post(t.Context(), drills, message)
		var e *chat.Error
		if !errors.As(err, &e) || e.Code != want || len(f.calls) != 1 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, %d calls", status, err, len(f.calls))
		} else if want == chat.Throttled && e.RetryAfter != 7*time.Second {
			t.Errorf("%s: retry after %s", status, e.RetryAfter)
		}
	}
	for _, answer := range []string{"<html>hunter2</html>", "", `{"ok":true}`, `{"ok":"yes"}`} {
		f := newFake(t, answer)
		if _, err := sender(t, f).Post(t.Context(), drills, message); chat.CodeOf(err) != chat.Unavailable || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v", answer, err)
		}
	}
}

func TestPost_KeepsToSlacksRate(t *testing.T) {
	f := newFake(t)
	s := sender(t, f)
	for range 3 {
		if _, err := s.Post(t.Context(), drills, message); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.waits) != 2 || s.waits[0] != time.Second || s.waits[1] != time.Second {
		t.Errorf("messages waited %v", s.waits)
	}
	s.waits = nil
	for range 2 {
		if _, err := s.Update(t.Context(), root, message); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.waits) != 1 || s.waits[0] != 3*time.Second {
		t.Errorf("edits waited %v", s.waits)
	}
	s.waits = nil
	other := root
	other.ID = "1795511999.000100"
	if _, err := s.Update(t.Context(), other, message); err != nil || len(s.waits) != 0 {
		t.Errorf("another message waited %v, %v", s.waits, err)
	}
}

func TestTokens_TheNextOneIsTriedOnce(t *testing.T) {
	f := newFake(t, `{"ok":false,"error":"token_revoked"}`, `{"ok":true,"ts":"1.1","channel":"C0DRILLS"}`)
	s := sender(t, f, "FIREDRILL_SLACK_BOT_TOKENS", "T0DRILL=xoxb-hunter2-new, T0DRILL=xoxb-hunter2-old, T0OTHER=xoxb-hunter2-other")
	if _, err := s.Post(t.Context(), drills, message); err != nil || len(f.calls) != 2 || f.calls[0].auth != "Bearer xoxb-hunter2-new" || f.calls[1].auth != "Bearer xoxb-hunter2-old" || len(s.waits) != 0 {
		t.Errorf("got %v, %+v, waits %v", err, f.calls, s.waits)
	}
	f = newFake(t, `{"ok":false,"error":"invalid_auth"}`)
	_, err := sender(t, f, "FIREDRILL_SLACK_BOT_TOKENS", "T0DRILL=xoxb-hunter2-new,xoxb-hunter2-any").Post(t.Context(), drills, message)
	if chat.CodeOf(err) != chat.Denied || len(f.calls) != 2 || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "FIREDRILL_SLACK_BOT_TOKENS") {
		t.Errorf("got %v, %d calls", err, len(f.calls))
	}
	f = newFake(t, `{"ok":false,"error":"not_in_channel"}`)
	if _, err = sender(t, f, "FIREDRILL_SLACK_BOT_TOKENS", "xoxb-hunter2-a1,xoxb-hunter2-b2").Post(t.Context(), drills, message); len(f.calls) != 1 {
		t.Errorf("another error was tried again: %v", err)
	}
}

func TestPost_WhereItCannotGo(t *testing.T) {
	f := newFake(t)
	s := sender(t, f)
	for place, want := range map[string]chat.Code{
		"T0OTHER/C0DRILLS": chat.Denied, "T0DRILL/#drills": chat.Invalid, "T0DRILL/": chat.Invalid, "x/C0DRILLS": chat.Invalid, "T0DRILL/C0DRILLS/..": chat.Invalid,
	} {
		if _, err := s.Post(t.Context(), chat.Address{Platform: chat.Slack, Place: place}, message); chat.CodeOf(err) != want || err == nil {
			t.Errorf("%s: got %v (%s)", place, err, chat.CodeOf(err))
		}
	}
	if _, err := s.Post(t.Context(), chat.Address{Platform: chat.Feishu, Place: "T0DRILL/C0DRILLS"}, message); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("another platform: %v", err)
	}
	for _, p := range []chat.Posted{{}, {To: root.To}, {To: root.To, ID: "a b"}, {To: "feishu:T0DRILL/C0DRILLS", ID: "1.1"}} {
		if _, err := s.Update(t.Context(), p, message); chat.CodeOf(err) != chat.Invalid || err == nil {
			t.Errorf("update %+v: %v", p, err)
		}
		if _, err := s.Reply(t.Context(), p, message); chat.CodeOf(err) != chat.Invalid || err == nil {
			t.Errorf("reply %+v: %v", p, err)
		}
	}
	if len(f.calls) != 0 {
		t.Errorf("%d calls", len(f.calls))
	}
}

func TestSay_ByTheReplyURL(t *testing.T) {
	for name, answer := range map[string]string{"text": "ok", "JSON": `{"ok":true}`} {
		f := newFake(t, answer)
		err := sender(t, f).Say(t.Context(), chat.Saying{To: drills, User: "U0BOB", Text: "Already <!here> approved", Mode: "SANDBOX", Thread: "1.2", URL: f.URL + "/response/hunter2"})
		if err != nil || len(f.calls) != 1 {
			t.Fatalf("%s: %v, %d calls", name, err, len(f.calls))
		}
		c := f.calls[0]
		if c.path != "/response/hunter2" || c.auth != "" || c.body["response_type"] != "ephemeral" || c.body["replace_original"] != false || c.body["thread_ts"] != "1.2" ||
			c.body["text"] != "[SANDBOX] Already &lt;!here&gt; approved" {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}

func TestSay_AnotherWayWhereTheReplyURLIsUsedUp(t *testing.T) {
	for _, answer := range []string{"404", "410", "400", `{"ok":false,"error":"used_url"}`, `{"ok":false,"error":"expired_url"}`} {
		f := newFake(t, answer, `{"ok":true,"message_ts":"1.1"}`)
		err := sender(t, f).Say(t.Context(), chat.Saying{To: drills, User: "U0BOB", Text: "x", Thread: "1.2", URL: f.URL + "/response/hunter2"})
		if err != nil || len(f.calls) != 2 {
			t.Fatalf("%s: %v, %d calls", answer, err, len(f.calls))
		}
		if c := f.calls[1]; c.path != "/api/chat.postEphemeral" || c.body["user"] != "U0BOB" || c.body["channel"] != "C0DRILLS" || c.body["thread_ts"] != "1.2" {
			t.Errorf("%s: got %+v", answer, c)
		}
	}
	f := newFake(t, "503")
	err := sender(t, f).Say(t.Context(), chat.Saying{To: drills, User: "U0BOB", Text: "x", URL: f.URL + "/response/hunter2"})
	if chat.CodeOf(err) != chat.Unavailable || len(f.calls) != 1 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v, %d calls", err, len(f.calls))
	}
}

func TestSay_AReplyURLThatTakesNoneForNowHoldsNobodyBack(t *testing.T) {
	for _, answer := range []string{"429", `{"ok":false,"error":"ratelimited"}`} {
		f := newFake(t, answer, `{"ok":true,"message_ts":"1.1"}`)
		f.header = http.Header{"Retry-After": {"600"}}
		s := sender(t, f)
		other := chat.Address{Platform: chat.Slack, Place: "T0DRILL/C0OTHER"}
		for _, to := range []chat.Address{drills, drills, other} {
			if err := s.Say(t.Context(), chat.Saying{To: to, User: "U0BOB", Text: "x", URL: f.URL + "/response/hunter2"}); err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
		}
		var paths []string
		for _, c := range f.calls {
			paths = append(paths, c.path)
		}
		const url, method = "/response/hunter2", "/api/chat.postEphemeral"
		if !slices.Equal(paths, []string{url, method, method, url}) {
			t.Errorf("%s: %v", answer, paths)
		}
		f.answers = []string{answer}
		if err := s.Say(t.Context(), chat.Saying{To: drills, User: "U0BOB", Text: "x", URL: f.URL + "/response/hunter2"}); chat.CodeOf(err) != chat.Throttled {
			t.Errorf("neither way is open: %v", err)
		}
	}
}

func TestSay_WithoutAReplyURL(t *testing.T) {
	for name, c := range map[string]struct {
		place, url, method string
	}{
		"in a channel":      {"T0DRILL/C0DRILLS", "", "/api/chat.postEphemeral"},
		"in a conversation": {"T0DRILL/D0BOB", "", "/api/chat.postMessage"},
		"a foreign URL":     {"T0DRILL/C0DRILLS", "https://evil.example/hunter2", "/api/chat.postEphemeral"},
		"a metadata URL":    {"T0DRILL/C0DRILLS", "https://169.254.169.254/latest", "/api/chat.postEphemeral"},
	} {
		f := newFake(t)
		err := sender(t, f).Say(t.Context(), chat.Saying{To: chat.Address{Platform: chat.Slack, Place: c.place}, User: "U0BOB", Text: "x", URL: c.url})
		if err != nil || len(f.calls) != 1 || f.calls[0].path != c.method {
			t.Errorf("%s: %v, %+v", name, err, f.calls)
		}
	}
	f := newFake(t)
	if err := sender(t, f).Say(t.Context(), chat.Saying{To: drills, Text: "x"}); chat.CodeOf(err) != chat.Invalid || len(f.calls) != 0 {
		t.Errorf("to nobody: %v", err)
	}
}

func TestCapabilities_AreAllThere(t *testing.T) {
	if c := sender(t, newFake(t)).Capabilities(drills); !c.Update || !c.Reply || !c.Buttons {
		t.Errorf("got %+v", c)
	}
}

func TestPost_EndsWithItsContext(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}))
	defer server.Close()
	defer close(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := sender(t, &fake{Server: server}).Post(ctx, drills, message)
	if !errors.Is(err, context.DeadlineExceeded) || !chat.Retryable(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
