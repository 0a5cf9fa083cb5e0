package wecom_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/token/tokentest"
	"github.com/firedrill/firedrill/shared/chat/wecom"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	room "github.com/firedrill/firedrill/shared/sandbox/rooms/wecom"
)

// side is our side: the real receiver behind HTTP, which answers what answer says.
type side struct {
	t        *testing.T
	receiver *wecom.Receiver
	now      func() time.Time

	mu     sync.Mutex
	heard  []chat.Incoming
	answer chat.Answer
}

func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in, err := s.receiver.Receive(chat.Request{Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, Now: s.now()})
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, chat.ErrAuth) {
			status = http.StatusUnauthorized
		}
		http.Error(w, err.Error(), status)
		return
	}
	out := in.Response
	if out == nil {
		s.mu.Lock()
		s.heard = append(s.heard, in)
		answered := in.Answer(s.answer)
		s.mu.Unlock()
		out = &answered
	}
	if out.Type != "" {
		w.Header().Set("Content-Type", out.Type)
	}
	if out.Status != 0 {
		w.WriteHeader(out.Status)
	}
	_, _ = w.Write(out.Body)
}

func together(t *testing.T) (*room.Room, *side, *wecom.Sender, *clock) {
	t.Helper()
	c := start()
	r := room.New(c.now)
	server := httptest.NewServer(r.API())
	t.Cleanup(server.Close)
	env := r.Env(server.URL)
	get := func(name string) string { return env[name] }
	in, err1 := wecom.Inbound(get)
	out, err2 := wecom.Outbound(get, wire.Options{Loopback: true, Now: c.now, Wait: func(_ context.Context, d time.Duration) error {
		c.at = c.at.Add(d)
		return nil
	}})
	if err := errors.Join(err1, err2); err != nil || in == nil || out == nil {
		t.Fatal(in, out, err)
	}
	for _, name := range wecom.Variables() {
		if env[name] == "" {
			t.Errorf("the room leaves out %s", name)
		}
	}
	s := &side{t: t, receiver: in, now: c.now}
	r.Connect(s)
	return r, s, out, c
}

func last(t *testing.T, r *room.Room, person string) rooms.Message {
	t.Helper()
	got := r.Messages(all, person)
	if len(got) == 0 {
		t.Fatalf("%s sees nothing", person)
	}
	return got[len(got)-1]
}

func TestTogether_ACommandIsAnsweredToWhoTypedIt(t *testing.T) {
	r, ours, _, _ := together(t)
	if err := r.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours.answer = chat.Answer{Text: "Started k7m2 <@all>."}
	heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "/drill start checkout “two words” 🔥"})
	if err != nil || heard.Status != 200 || heard.Text != "Started k7m2 ＜@\u200ball>." {
		t.Fatalf("%+v, %v", heard, err)
	}
	in := ours.heard[0]
	if in.Text != "/drill start checkout “two words” 🔥" || in.From.String() != "wecom:"+corp+"/alice" || in.Channel != corp+"/alice" || !in.Direct || !in.Says {
		t.Fatalf("%+v", in)
	}
	if m := last(t, r, "alice"); m.Text != heard.Text || m.Private != "alice" || !m.Bot || len(r.Messages(all, "bob")) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestTogether_ACardIsPressed(t *testing.T) {
	r, ours, out, c := together(t)
	keys := tokentest.New()
	press, err := keys.Press(token.Press{Verb: "approve", Drill: "abcdefghijkl2", Of: token.Of("gate"), Until: c.at.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	posted, err := out.Post(t.Context(), chat.Address{Platform: chat.WeCom, Place: corp + "/@all"}, chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "en", Title: "[SANDBOX] Waiting: checkout", Text: "Needs approval.", Thread: "abcdefghijkl2", Link: "http://127.0.0.1:8080/r/k7m2",
		Fields: []chat.Field{{Name: "Drill", Value: "k7m2"}}, Buttons: []chat.Button{{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: press}},
	})
	if err != nil {
		t.Fatal(err)
	}
	card := last(t, r, "bob")
	if card.Text != "Firedrill · SANDBOX\n[SANDBOX] Waiting: checkout\nNeeds approval.\nDrill: k7m2" || len(card.Buttons) != 2 || card.Buttons[0].Label != "Approve" || card.Private != "" {
		t.Fatalf("%+v", card)
	}
	ours.answer = chat.Answer{Text: "ok", Done: "approved by bob"}
	heard, err := r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: all, Message: card.ID})
	if err != nil || heard.Text != "approved by bob" {
		t.Fatalf("%+v, %v", heard, err)
	}
	if in := ours.heard[0]; in.Token != press || in.From.User != "bob" || in.Message != posted.ID || in.Thread != posted.Thread || in.Says {
		t.Errorf("%+v", in)
	}
	if m := last(t, r, "bob"); m.Edits != 1 || !strings.HasSuffix(m.Text, "\n[approved by bob]") || len(m.Buttons) != 1 {
		t.Errorf("bob: %+v", m)
	}
	if m := last(t, r, "carol"); m.Edits != 0 || len(m.Buttons) != 2 {
		t.Errorf("carol: %+v", m)
	}
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: all, Message: card.ID}); err == nil {
		t.Error("pressed twice")
	}
	ours.answer = chat.Answer{Text: "You may not.", Failed: true}
	if heard, err = r.Press(t.Context(), rooms.Pressing{Person: "mallory", Channel: all, Message: posted.ID}); err != nil || heard.Text != "" || heard.Status != 200 {
		t.Errorf("%+v, %v", heard, err)
	}
	if err := out.Say(t.Context(), chat.Saying{To: chat.Address{Platform: chat.WeCom, Place: ours.heard[1].Channel}, User: "mallory", Text: "You may not.", Mode: "SANDBOX"}); err != nil {
		t.Fatal(err)
	}
	if m := last(t, r, "mallory"); m.Text != "[SANDBOX] You may not." || m.Private != "mallory" || len(last(t, r, "bob").Text) == len(m.Text) {
		t.Errorf("%+v", m)
	}
}

func TestTogether_WhatWasHeardCannotBeUsedAgain(t *testing.T) {
	r, ours, _, c := together(t)
	heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "stop all"})
	if err != nil {
		t.Fatal(err)
	}
	send := func(req *http.Request) int {
		w := httptest.NewRecorder()
		ours.ServeHTTP(w, req)
		return w.Code
	}
	if got := send(heard.Request); got != 200 || len(ours.heard) != 2 || ours.heard[0].ID != ours.heard[1].ID {
		t.Errorf("the same at once: %d, %d heard", got, len(ours.heard))
	}
	c.at = c.at.Add(6 * time.Minute)
	again := heard.Request.Clone(t.Context())
	again.Body = io.NopCloser(strings.NewReader(string(heard.Body)))
	if got := send(again); got != 401 {
		t.Errorf("six minutes later: %d", got)
	}
	q := again.URL.Query() // as if the nonce were the time
	q.Set("timestamp", heard.Request.URL.Query().Get("nonce"))
	q.Set("nonce", heard.Request.URL.Query().Get("timestamp"))
	again.URL.RawQuery = q.Encode()
	again.Body = io.NopCloser(strings.NewReader(string(heard.Body)))
	if got := send(again); got != 401 {
		t.Errorf("with time and nonce exchanged: %d", got)
	}
}

func TestTogether_TroubleIsClassified(t *testing.T) {
	r, _, out, c := together(t)
	to := chat.Address{Platform: chat.WeCom, Place: corp + "/@all"}
	m := chat.Message{ID: "fd_2", Mode: "SANDBOX", Title: "[SANDBOX] x", Text: "y"}
	for kind, want := range map[string]chat.Code{"error": chat.Unavailable, "down": chat.Unavailable, "lost": chat.Unavailable} {
		m.ID, m.Text = "fd_"+kind, kind
		if _, err := out.Post(t.Context(), to, chat.Message{ID: "warm", Title: "[SANDBOX] warm " + kind}); err != nil { // the token is there
			t.Fatal(err)
		}
		r.Trouble(rooms.Trouble{Kind: kind, Times: 1})
		if _, err := out.Post(t.Context(), to, m); chat.CodeOf(err) != want || err == nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := out.Post(t.Context(), to, m); err != nil {
			t.Errorf("%s, again: %v", kind, err)
		}
		if got := strings.Count(texts(r.Messages(all, "bob")), "\n"+kind); got != 1 {
			t.Errorf("%s: bob sees it %d times", kind, got)
		}
	}
	r.Trouble(rooms.Trouble{Kind: "throttled", Times: 1, After: 20 * time.Second})
	_, err := out.Post(t.Context(), to, m)
	var e *chat.Error
	if !errors.As(err, &e) || e.Code != chat.Throttled || e.RetryAfter != 20*time.Second {
		t.Errorf("throttled: %v", err)
	}
	c.at = c.at.Add(2 * time.Hour) // the token has ended at the room
	if _, err := out.Post(t.Context(), to, chat.Message{ID: "late", Title: "[SANDBOX] late"}); err != nil {
		t.Error(err)
	}
	if _, err := out.Post(t.Context(), chat.Address{Platform: chat.WeCom, Place: corp + "/robot:drills"}, m); err != nil || len(r.Messages("wecom:"+corp+"/robot:drills", "bob")) != 1 {
		t.Error(err)
	}
	if _, err := out.Post(t.Context(), chat.Address{Platform: chat.WeCom, Place: corp + "/dave"}, m); chat.CodeOf(err) != chat.Invalid {
		t.Error(err)
	}
}

func texts(messages []rooms.Message) string {
	var b strings.Builder
	for _, m := range messages {
		b.WriteString(m.Text + "\n")
	}
	return b.String()
}
