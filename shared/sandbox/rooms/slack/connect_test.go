package slack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	adapter "github.com/firedrill/firedrill/shared/chat/slack"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// host is what a function's HTTP side does, as small as it gets: verify, answer, remember.
type host struct {
	receiver chat.Receiver
	now      func() time.Time
	answer   chat.Answer

	mu    sync.Mutex
	heard []chat.Incoming
}

func (h *host) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	in, err := h.receiver.Receive(chat.Request{Method: q.Method, Header: q.Header, Query: q.URL.Query(), Body: body, Now: h.now()})
	var res chat.Response
	switch {
	case errors.Is(err, chat.ErrAuth):
		res = chat.Response{Status: http.StatusUnauthorized}
	case err != nil:
		res = chat.Response{Status: http.StatusBadRequest}
	case in.Response != nil:
		res = *in.Response
	default:
		h.mu.Lock()
		h.heard = append(h.heard, in)
		h.mu.Unlock()
		res = in.Answer(h.answer)
	}
	if res.Type != "" {
		w.Header().Set("Content-Type", res.Type)
	}
	if res.Status != 0 {
		w.WriteHeader(res.Status)
	}
	_, _ = w.Write(res.Body)
}

func (h *host) last(t *testing.T) chat.Incoming {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.heard) == 0 {
		t.Fatal("nothing was heard")
	}
	return h.heard[len(h.heard)-1]
}

func connect(t *testing.T) (*site, *host, *adapter.Sender) {
	t.Helper()
	s := open(t)
	env := s.Env(s.url)
	get := func(name string) string { return env[name] }
	for name := range env {
		if !slices.Contains(adapter.Variables(), name) {
			t.Errorf("%s is read by nobody", name)
		}
	}
	receiver, err := adapter.Inbound(get)
	if err != nil || receiver == nil {
		t.Fatal(receiver, err)
	}
	wait := func(_ context.Context, d time.Duration) error { s.add(d); return nil }
	sender, err := adapter.Outbound(get, wire.Options{Loopback: true, Now: s.now, Wait: wait})
	if err != nil || sender == nil {
		t.Fatal(sender, err)
	}
	h := &host{receiver: receiver, now: s.now, answer: chat.Answer{Text: "Accepted k7m2 <!here> *x*"}}
	s.Connect(h)
	return s, h, sender
}

func waiting() chat.Message {
	return chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Title: "[SANDBOX] Waiting: checkout <!channel>", Text: "Needs approval <@U0CAROL>\nsee https://wiki.example.com/az",
		Fields:  []chat.Field{{Name: "Asked for by", Value: "slack:T0DRILL/U0ALICE"}, {Name: "By hand", Value: "aws fis stop-experiment --id EXP1"}},
		Buttons: []chat.Button{{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: "1.approve.k7m2.a.b.c"}, {Label: "Stop", Command: "stop k7m2", Style: chat.Danger, Token: "1.stop.k7m2.a.b.c"}},
		Link:    "https://fd.example.com/d/k7m2", Thread: "k7m2",
	}
}

func TestConnect_ADrillFromEndToEnd(t *testing.T) {
	s, h, out := connect(t)
	to, err := chat.ParseAddress(drills)
	if err != nil {
		t.Fatal(err)
	}
	root, err := out.Post(t.Context(), to, waiting())
	if err != nil {
		t.Fatal(err)
	}
	reply, err := out.Reply(t.Context(), root, chat.Message{Mode: "SANDBOX", Level: chat.Urgent, Title: "[SANDBOX] ESCALATION 1", Mention: "slack:T0DRILL/U0BOB"})
	if err != nil || reply.Thread != root.ID || root.Thread != root.ID {
		t.Fatal(root, reply, err)
	}
	seen := s.Messages(drills, "U0BOB")
	want := "⚠️ [SANDBOX] Waiting: checkout <!channel>\nNeeds approval <@U0CAROL>\nsee https://wiki.example.com/az\nAsked for by  slack:T0DRILL/U0ALICE\nBy hand\naws fis stop-experiment --id EXP1\n" +
		"🧪 SANDBOX · nothing real is touched  Open the drill (https://fd.example.com/d/k7m2)"
	if len(seen) != 2 || seen[0].Text != want || seen[0].Urgent || len(seen[0].Buttons) != 2 || seen[0].Buttons[1] != (rooms.Button{Label: "Stop", Style: "danger"}) {
		t.Fatalf("got %+v\nwant %s", seen, want)
	}
	if seen[1].Thread != root.ID || !seen[1].Urgent || !strings.Contains(seen[1].Text, "@bob") {
		t.Errorf("reply %+v", seen[1])
	}

	heard, err := s.Press(t.Context(), rooms.Pressing{Person: "U0BOB", Channel: drills, Message: root.ID, Button: 0})
	if err != nil || heard.Status != http.StatusOK || heard.Text != "" {
		t.Fatal(heard, err)
	}
	in := h.last(t)
	if in.Token != "1.approve.k7m2.a.b.c" || in.From.String() != "slack:T0DRILL/U0BOB" || in.Message != root.ID || in.Thread != root.Thread || in.Channel != to.Place || in.ReplyURL == "" {
		t.Errorf("pressed %+v", in)
	}
	if err := out.Say(t.Context(), chat.Saying{To: to, Thread: in.Thread, Message: in.Message, User: in.From.User, Text: "Approved.", Mode: "SANDBOX", URL: in.ReplyURL}); err != nil {
		t.Fatal(err)
	}
	approved := waiting()
	approved.Title, approved.Buttons = "[SANDBOX] Approved by bob", nil
	if _, err = out.Update(t.Context(), root, approved); err != nil {
		t.Fatal(err)
	}
	seen = s.Messages(drills, "U0BOB")
	if len(seen) != 3 || seen[0].Edits != 1 || len(seen[0].Buttons) != 0 || !strings.Contains(seen[0].Text, "Approved by bob") || seen[2].Text != "[SANDBOX] Approved." || seen[2].Private != "U0BOB" {
		t.Errorf("got %+v", seen)
	}
	if n := len(s.Messages(drills, "U0CAROL")); n != 2 {
		t.Errorf("carol sees %d", n)
	}

	if _, err := s.Press(t.Context(), rooms.Pressing{Person: "U0CAROL", Channel: drills, Message: root.ID, Button: 1}); err != nil {
		t.Fatal(err)
	}
	if in := h.last(t); in.Token != "1.stop.k7m2.a.b.c" || in.From.User != "U0CAROL" {
		t.Errorf("a press on what carol still sees: %+v", in)
	}
	if _, err := s.Press(t.Context(), rooms.Pressing{Person: "U0CAROL", Channel: drills, Message: root.ID, Button: 1, Seen: 1}); err == nil {
		t.Error("the button that is gone was pressed by who sees that it is gone")
	}
}

func TestConnect_WhatIsTypedIsHeard(t *testing.T) {
	s, h, out := connect(t)
	to, _ := chat.ParseAddress(drills)
	root, err := out.Post(t.Context(), to, waiting())
	if err != nil {
		t.Fatal(err)
	}
	heard, err := s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: drills, Text: `/drill start az note="a < b & @bob"`})
	if err != nil || heard.Text != "Accepted k7m2 <!here> *x*" {
		t.Errorf("got %+v, %v", heard, err)
	}
	if in := h.last(t); in.Text != `start az note="a < b & @bob"` || !in.Says || in.From.User != "U0ALICE" || in.Channel != to.Place {
		t.Errorf("got %+v", in)
	}
	if seen := s.Messages(drills, "U0ALICE"); seen[len(seen)-1].Private != "U0ALICE" {
		t.Errorf("got %+v", seen)
	}
	heard, err = s.Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Thread: root.ID, Text: "stop reason=\"@alice sees <5xx> at https://a.example/x?y=1&z=2\""})
	if err != nil || heard.Text != "" || heard.Status != http.StatusOK {
		t.Errorf("got %+v, %v", heard, err)
	}
	in := h.last(t)
	if in.Text != `stop reason="@alice sees <5xx> at https://a.example/x?y=1&z=2"` || in.Thread != root.Thread || in.Says || in.Direct {
		t.Errorf("got %+v", in)
	}
	if err := out.Say(t.Context(), chat.Saying{To: to, Thread: in.Thread, Message: in.Message, User: in.From.User, Text: "Stopping."}); err != nil {
		t.Error(err)
	}
	if seen := s.Messages(drills, "U0BOB"); seen[len(seen)-1].Private != "U0BOB" || seen[len(seen)-1].Thread != root.ID {
		t.Errorf("got %+v", seen)
	}
	if _, err = s.Say(t.Context(), rooms.Saying{Person: "U0CAROL", Channel: "slack:T0DRILL/D0CAROL", Text: "status"}); err != nil {
		t.Error(err)
	}
	in = h.last(t)
	if in.Text != "status" || !in.Direct || in.Channel != "T0DRILL/D0CAROL" {
		t.Errorf("got %+v", in)
	}
	if err := out.Say(t.Context(), chat.Saying{To: chat.Address{Platform: chat.Slack, Place: in.Channel}, User: in.From.User, Text: "Nothing runs."}); err != nil {
		t.Error(err)
	}
	if seen := s.Messages("slack:T0DRILL/D0CAROL", "U0CAROL"); len(seen) != 2 || seen[1].Text != "Nothing runs." || seen[1].Private != "" {
		t.Errorf("got %+v", seen)
	}
}

func TestConnect_SentAgainLaterOrChanged(t *testing.T) {
	s, h, _ := connect(t)
	for _, text := range []string{"/drill status", "status"} {
		heard, err := s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: drills, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		first := h.last(t).ID
		again := func(body []byte) int {
			q := heard.Request.Clone(t.Context())
			q.Body = io.NopCloser(bytes.NewReader(body))
			w := &status{}
			h.ServeHTTP(w, q)
			return w.code
		}
		if code := again(heard.Body); code != 200 || h.last(t).ID != first {
			t.Errorf("%s: sent again: %d, %s then %s", text, code, first, h.last(t).ID)
		}
		if code := again(bytes.Replace(heard.Body, []byte("U0ALICE"), []byte("U0BOB12"), 1)); code != 401 {
			t.Errorf("%s: changed: %d", text, code)
		}
		s.add(6 * time.Minute)
		if code := again(heard.Body); code != 401 {
			t.Errorf("%s: six minutes later: %d", text, code)
		}
	}
}

type status struct{ code int }

func (w *status) Header() http.Header         { return http.Header{} }
func (w *status) WriteHeader(code int)        { w.code = code }
func (w *status) Write(b []byte) (int, error) { return len(b), nil }

func TestConnect_UsedUpReplyURLAndTrouble(t *testing.T) {
	s, h, out := connect(t)
	to, _ := chat.ParseAddress(drills)
	root, err := out.Post(t.Context(), to, waiting())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Press(t.Context(), rooms.Pressing{Person: "U0BOB", Channel: drills, Message: root.ID, Button: 1}); err != nil {
		t.Fatal(err)
	}
	in := h.last(t)
	for range 7 { // two more than the URL takes
		if err := out.Say(t.Context(), chat.Saying{To: to, User: in.From.User, Text: "x", URL: in.ReplyURL}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Messages(drills, "U0BOB")); n != 8 {
		t.Errorf("bob sees %d", n)
	}
	for kind, want := range map[string]chat.Code{"throttled": chat.Throttled, "error": chat.Unavailable, "down": chat.Unavailable, "lost": chat.Unavailable} {
		s.Trouble(rooms.Trouble{Kind: kind, Times: 1, After: 9 * time.Second})
		_, err := out.Post(t.Context(), to, waiting())
		var e *chat.Error
		if !errors.As(err, &e) || e.Code != want || want == chat.Throttled && e.RetryAfter != 9*time.Second {
			t.Errorf("%s: %v", kind, err)
		}
		s.add(10 * time.Second)
	}
}

func TestConnect_ManyMessagesAndEditsAreNotThrottled(t *testing.T) {
	s, _, out := connect(t)
	to, _ := chat.ParseAddress(drills)
	root, err := out.Post(t.Context(), to, waiting())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if _, err := out.Reply(t.Context(), root, chat.Message{Title: "progress"}); err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
		if _, err := out.Update(t.Context(), root, waiting()); err != nil {
			t.Fatalf("edit %d: %v", i, err)
		}
	}
	if n := len(s.Messages(drills, "U0BOB")); n != 31 {
		t.Errorf("%d messages", n)
	}
}

func TestConnect_PeopleMayTypeAtOnce(t *testing.T) {
	s, h, out := connect(t)
	to, _ := chat.ParseAddress(drills)
	root, err := out.Post(t.Context(), to, waiting())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, p := range s.People() {
		all.Go(func() {
			for range 10 {
				if _, err := s.Say(t.Context(), rooms.Saying{Person: p.ID, Channel: drills, Text: "/drill status"}); err != nil {
					t.Error(err)
				}
				if _, err := s.Press(t.Context(), rooms.Pressing{Person: p.ID, Channel: drills, Message: root.ID, Button: 1}); err != nil {
					t.Error(err)
				}
				s.Messages(drills, p.ID)
			}
		})
	}
	all.Wait()
	ids := map[string]bool{}
	for _, in := range h.heard {
		ids[in.ID] = true
	}
	if len(ids) != 80 {
		t.Errorf("%d occurrences with ids of their own, want 80", len(ids))
	}
}
