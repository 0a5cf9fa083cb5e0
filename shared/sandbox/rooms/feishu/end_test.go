package feishu_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	adapter "github.com/firedrill/firedrill/shared/chat/feishu"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/feishu"
)

// side is our side: it receives with the real receiver and notes what it heard.
type side struct {
	t     *testing.T
	clock *clock
	in    *adapter.Receiver

	mu    sync.Mutex
	heard []chat.Incoming
	fails []error
}

// ServeHTTP answers as the function does: 401 for what cannot be trusted.
func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	if r.URL.Path != "/chat/feishu" {
		s.t.Errorf("sent to %s", r.URL.Path)
	}
	in, err := s.in.Receive(chat.Request{Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, Now: s.clock.now()})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.fails = append(s.fails, err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if in.Response == nil {
		s.heard = append(s.heard, in)
		answer := in.Answer(chat.Answer{Text: "Approved: thank you", Done: "approved"})
		in.Response = &answer
	}
	w.Header().Set("Content-Type", in.Response.Type)
	w.WriteHeader(in.Response.Status)
	_, _ = w.Write(in.Response.Body)
}

func (s *side) last() chat.Incoming {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.heard) == 0 {
		s.t.Fatal("nothing was heard")
	}
	return s.heard[len(s.heard)-1]
}

// join connects a room with the real receiver and the real sender.
func join(t *testing.T) (*feishu.Room, *clock, *side, *adapter.Sender) {
	t.Helper()
	c := newClock()
	r := feishu.New(c.now)
	server := httptest.NewServer(r.API())
	t.Cleanup(server.Close)
	env := r.Env(server.URL)
	for name := range env {
		if !slices.Contains(adapter.Variables(), name) {
			t.Errorf("%s is none of the adapter's variables", name)
		}
	}
	get := func(name string) string { return env[name] }
	in, err := adapter.Inbound(get)
	if err != nil || in == nil {
		t.Fatal(err)
	}
	out, err := adapter.Outbound(get, wire.Options{Loopback: true, Now: c.now, Wait: func(_ context.Context, d time.Duration) error {
		c.move(d)
		return nil
	}})
	if err != nil || out == nil {
		t.Fatal(err)
	}
	s := &side{t: t, clock: c, in: in}
	r.Connect(s)
	return r, c, s, out
}

func address(t *testing.T) chat.Address {
	t.Helper()
	a, err := chat.ParseAddress(channel)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func root() chat.Message {
	return chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "en", Title: "[SANDBOX] Waiting: AZ <at id=all></at>", Text: "Needs approval\nby **two**",
		Fields:  []chat.Field{{Name: "Drill", Value: "k7m2 (az-failover)"}},
		Buttons: []chat.Button{{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: "1.approve.t"}, {Label: "Reject", Command: "reject k7m2", Style: chat.Danger, Token: "1.reject.t"}},
		Thread:  "k7m2q4x9a3bcd", Link: "https://firedrill.example/r/k7m2",
	}
}

func TestEndToEnd_ADrillInAThread(t *testing.T) {
	r, _, s, out := join(t)
	posted, err := out.Post(t.Context(), address(t), root())
	if err != nil {
		t.Fatal(err)
	}
	progress := chat.Message{ID: "fd_2", Mode: "SANDBOX", Level: chat.Urgent, Title: "[SANDBOX] ESCALATION 1", Mention: "feishu:2ed263bf32cf1651/ou_bob"}
	replied, err := out.Reply(t.Context(), posted, progress)
	if err != nil || replied.Thread != posted.ID {
		t.Fatalf("%+v, %v", replied, err)
	}
	h, err := r.Say(t.Context(), rooms.Saying{Person: "ou_alice", Channel: channel, Thread: replied.ID, Text: "status, please ask @Bob"})
	if err != nil || h.Status != http.StatusOK || h.Text != "" {
		t.Fatalf("%+v, %v", h, err)
	}
	in := s.last()
	if in.Thread != posted.Thread || in.Text != "status, please ask @Bob" || in.From.String() != "feishu:2ed263bf32cf1651/ou_alice" || "feishu:"+in.Channel != channel {
		t.Errorf("heard %+v", in)
	}
	saying := chat.Saying{To: address(t), Thread: in.Thread, Message: in.Message, User: in.From.User, Text: "It waits.\n<at user_id=\"all\"></at>", Mode: "SANDBOX", ID: "s1"}
	for range 2 {
		if err := out.Say(t.Context(), saying); err != nil {
			t.Fatal(err)
		}
	}
	changed := root()
	changed.Title, changed.Buttons, changed.Level = "[SANDBOX] Approved", nil, chat.Info
	if p, err := out.Update(t.Context(), posted, changed); err != nil || p != posted {
		t.Fatalf("%+v, %v", p, err)
	}
	seen := r.Messages(channel, "ou_carol")
	if len(seen) != 4 {
		t.Fatalf("got %d messages: %+v", len(seen), seen)
	}
	for i, want := range []struct {
		from, thread, text string
		edited, urgent     bool
	}{
		{"Firedrill", "", "[SANDBOX] Approved\nNeeds approval\nby **two**\nDrill  k7m2 (az-failover)\nSANDBOX · Firedrill", true, false},
		{"Firedrill", posted.ID, "[SANDBOX] ESCALATION 1\n@Bob\nSANDBOX · Firedrill", false, true},
		{"Alice", posted.ID, "@Firedrill status, please ask @Bob", false, false},
		{"Firedrill", posted.ID, "[SANDBOX] It waits.\n＜at user_id=\"all\">＜/at>", false, false},
	} {
		got := seen[i]
		if got.From != want.from || got.Thread != want.thread || got.Text != want.text || got.Edits > 0 != want.edited || got.Urgent != want.urgent {
			t.Errorf("message %d: %+v\nwant %+v", i, got, want)
		}
	}
}

func TestEndToEnd_APressAndItsReplay(t *testing.T) {
	r, c, s, out := join(t)
	posted, err := out.Post(t.Context(), address(t), root())
	if err != nil {
		t.Fatal(err)
	}
	shown := r.Messages(channel, "ou_bob")[0]
	if shown.ID != posted.ID || len(shown.Buttons) != 3 || shown.Buttons[1].Label != "Reject" || shown.Buttons[1].Style != "danger" || shown.Buttons[2].URL != root().Link {
		t.Fatalf("shown %+v", shown)
	}
	if !strings.HasPrefix(shown.Text, "[SANDBOX] Waiting: AZ <at id=all></at>\n") || !strings.Contains(shown.Text, "approve k7m2 | reject k7m2") {
		t.Errorf("shown %q", shown.Text)
	}
	h, err := r.Press(t.Context(), rooms.Pressing{Person: "ou_bob", Channel: channel, Message: posted.ID, Button: 0})
	if err != nil || h.Text != "Approved: thank you" {
		t.Fatalf("%+v, %v", h, err)
	}
	first := s.last()
	if first.Token != "1.approve.t" || first.Message != posted.ID || first.From.User != "ou_bob" || !first.Says || first.Text != "" {
		t.Errorf("heard %+v", first)
	}
	s.ServeHTTP(httptest.NewRecorder(), h.Request)
	if second := s.last(); second.ID != first.ID || len(s.heard) != 2 {
		t.Errorf("sent again: %+v", second)
	}
	c.move(6 * time.Minute)
	body, err := h.Request.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	old := h.Request.Clone(t.Context())
	old.Body = body
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, old); w.Code != http.StatusUnauthorized || len(s.heard) != 2 {
		t.Errorf("six minutes later: %d", w.Code)
	}
}

func TestEndToEnd_TheHandshakeDirectWordsAndTheCustomBot(t *testing.T) {
	r, _, s, out := join(t)
	if h, err := r.Challenge(t.Context()); err != nil || h.Status != http.StatusOK {
		t.Errorf("challenge: %+v, %v", h, err)
	}
	if _, err := r.Say(t.Context(), rooms.Saying{Person: "ou_mallory", Channel: "feishu:2ed263bf32cf1651/oc_p2p_mallory", Text: "stop all"}); err != nil {
		t.Fatal(err)
	}
	if in := s.last(); !in.Direct || in.Text != "stop all" || in.Thread != "" {
		t.Errorf("heard %+v", in)
	}
	if err := out.Say(t.Context(), chat.Saying{To: chat.Address{Platform: chat.Feishu, Place: s.last().Channel}, Message: s.last().Message, Text: "Nothing runs."}); err != nil {
		t.Fatal(err)
	}
	if m := r.Messages("feishu:2ed263bf32cf1651/oc_p2p_mallory", "ou_mallory"); len(m) != 2 || m[1].Text != "Nothing runs." || m[1].Thread != "" {
		t.Errorf("got %+v", m)
	}
	hook := chat.Address{Platform: chat.Feishu, Place: "2ed263bf32cf1651/hook:alerts"}
	if p, err := out.Post(t.Context(), hook, root()); err != nil || p.ID != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	m := r.Messages(channel, "ou_carol")
	if len(m) != 1 || m[0].From != "Firedrill alerts" || !m[0].Bot || len(m[0].Buttons) != 1 || m[0].Buttons[0].URL == "" {
		t.Errorf("got %+v", m)
	}
}

func TestEndToEnd_TroubleAndTokensThatEnd(t *testing.T) {
	r, c, _, out := join(t)
	for kind, want := range map[string]chat.Code{"throttled": chat.Throttled, "error": chat.Unavailable, "down": chat.Unavailable, "lost": chat.Unavailable} {
		r.Trouble(rooms.Trouble{Kind: kind, Times: 1, After: 3 * time.Second})
		m := root()
		m.ID = "fd_" + kind
		_, err := out.Post(t.Context(), address(t), m)
		if chat.CodeOf(err) != want || !chat.Retryable(err) || strings.Contains(err.Error(), "room-") {
			t.Errorf("%s: %v", kind, err)
		}
		c.move(4 * time.Second)
		if _, err := out.Post(t.Context(), address(t), m); err != nil {
			t.Errorf("%s, the second time: %v", kind, err)
		}
	}
	if n := len(r.Messages(channel, "")); n != 4 {
		t.Errorf("%d messages: one was posted twice, or lost", n)
	}
	r.Revoke()
	m := root()
	m.ID = "fd_revoked"
	if _, err := out.Post(t.Context(), address(t), m); err != nil {
		t.Errorf("after all tokens were revoked: %v", err)
	}
	c.move(3 * time.Hour)
	m.ID = "fd_later"
	if _, err := out.Post(t.Context(), address(t), m); err != nil {
		t.Errorf("three hours later: %v", err)
	}
}

func TestEndToEnd_TwentyAtOnceKeepToTheRate(t *testing.T) {
	r, _, _, out := join(t)
	posted, err := out.Post(t.Context(), address(t), root())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 19 {
		m := root()
		m.ID = "fd_many_" + string(rune('a'+i))
		if _, err := out.Reply(t.Context(), posted, m); err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
	}
	if n := len(r.Messages(channel, "")); n != 20 {
		t.Errorf("%d messages", n)
	}
}
