package dingtalk_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	adapter "github.com/firedrill/firedrill/shared/chat/dingtalk"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/token/tokentest"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/dingtalk"
)

func hash(key, message string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// side is our side, as small as it can be: it keeps what came in, and answers presses.
type side struct {
	receiver *adapter.Receiver
	now      func() time.Time
	in       []chat.Incoming
	done     string
}

func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in, err := s.receiver.Receive(chat.Request{Method: r.Method, Header: r.Header, Query: r.URL.Query(), Body: body, Now: s.now()})
	switch {
	case errors.Is(err, chat.ErrAuth):
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case in.Response == nil:
		s.in = append(s.in, in)
		_, _ = w.Write(in.Answer(chat.Answer{Text: "done", Done: s.done}).Body)
	}
}

// connect joins a room to our receiver and sender over HTTP.
func connect(t *testing.T, r *dingtalk.Room, k *clock) (*side, *adapter.Sender) {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/d", r.API()))
	t.Cleanup(server.Close)
	env := r.Env(server.URL + "/d")
	get := func(name string) string { return env[name] }
	in, err := adapter.Inbound(get)
	if err != nil || in == nil {
		t.Fatalf("inbound: %v", err)
	}
	out, err := adapter.Outbound(get, wire.Options{Loopback: true, Now: k.now, Wait: func(_ context.Context, d time.Duration) error { k.add(d); return nil }})
	if err != nil || out == nil {
		t.Fatalf("outbound: %v", err)
	}
	s := &side{receiver: in, now: k.now}
	r.Connect(s)
	return s, out
}

func approval(t *testing.T, keys token.Keys, now time.Time) chat.Message {
	t.Helper()
	m := chat.Message{ID: "f1", Mode: "SANDBOX", Level: chat.Warning, Title: "[SANDBOX] Waiting: Checkout", Text: "note by [mallory](dtmd://dingtalkclient/sendMessage?content=stop%20all): @all <b>"}
	for _, b := range []chat.Button{{Label: "Approve", Style: chat.Primary, Command: "approve k7m2"}, {Label: "Reject", Style: chat.Danger, Command: "reject k7m2"}} {
		press, err := keys.Press(token.Press{Verb: strings.ToLower(b.Label), Drill: "k7m2q4x9a3bcd", Of: token.Of("g1"), Until: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		b.Token = press
		m.Buttons = append(m.Buttons, b)
	}
	return m
}

func TestAdapter_WithARobot(t *testing.T) {
	k := newClock()
	r := dingtalk.New(k.now)
	s, out := connect(t, r, k)
	keys := tokentest.New()
	to, err := chat.ParseAddress(channel)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: channel, Text: "/drill list"})
	if err != nil || heard.Status != 200 || len(s.in) != 1 {
		t.Fatalf("heard %+v, %v", heard, err)
	}
	in := s.in[0]
	if in.From.String() != r.People()[0].Who || in.Text != "/drill list" || "dingtalk:"+in.Channel != channel || in.ReplyURL == "" {
		t.Errorf("came in: %+v", in)
	}
	if err := out.Say(t.Context(), chat.Saying{To: to, User: in.From.User, Text: "Nothing *yet*.", Mode: "SANDBOX", URL: in.ReplyURL}); err != nil {
		t.Fatal(err)
	}
	p, err := out.Post(t.Context(), to, approval(t, keys, k.now()))
	if err != nil || p.ID == "" {
		t.Fatalf("posted %+v, %v", p, err)
	}
	seen := r.Messages(channel, "bob")
	if n := len(seen); n != 3 || seen[1].Text != "@alice [SANDBOX] Nothing *yet*." || seen[2].ID != p.ID || len(seen[2].Buttons) != 2 ||
		seen[2].Text != "🟠 [SANDBOX] Waiting: Checkout\nnote by [mallory](dtmd://dingtalkclient/sendMessage?content=stop%20all): @all <b>\nIf the buttons do nothing, tap here: Approve · Reject" {
		t.Fatalf("seen %+v", seen)
	}
	heard, err = r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: channel, Message: p.ID, Button: 0})
	if err != nil || heard.Status != 200 || len(s.in) != 2 {
		t.Fatalf("pressed: %+v, %v", heard, err)
	}
	if press, err := keys.OpenPress(s.in[1].Token, k.now()); err != nil || press.Verb != "approve" || s.in[1].From.User != "bob" || s.in[1].Text != "" {
		t.Errorf("pressed %+v by %s, %v", press, s.in[1].From, err)
	}
	forged := heard.Request.Clone(t.Context())
	forged.Body = io.NopCloser(strings.NewReader(strings.Replace(string(heard.Body), `"bob"`, `"mallory"`, 1)))
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, forged); w.Code != http.StatusUnauthorized {
		t.Errorf("the same signature for another person: %d", w.Code)
	}
	if err := out.Say(t.Context(), chat.Saying{To: to, User: "bob", Text: "For you.", Mode: "SANDBOX"}); err != nil {
		t.Fatal(err)
	}
	bob, carol := r.Messages(channel, "bob"), r.Messages(channel, "carol")
	if last := bob[len(bob)-1]; last.Private != "bob" || last.Text != "[SANDBOX] For you." || len(carol) != len(bob)-1 {
		t.Errorf("bob sees %+v, carol %d messages", last, len(carol))
	}
	r.Expire()
	if _, err := out.Post(t.Context(), to, chat.Message{ID: "f2", Title: "x"}); err != nil {
		t.Errorf("after its token was forgotten: %v", err)
	}
	if _, err := out.Post(t.Context(), chat.Address{Platform: chat.DingTalk, Place: "dingdrill/robot:ops"}, chat.Message{ID: "f3", Title: "x", Link: "https://x.example/r"}); err != nil {
		t.Errorf("as a custom robot: %v", err)
	}
}

func TestAdapter_WithCards(t *testing.T) {
	k := newClock()
	r := dingtalk.NewCards(k.now)
	s, out := connect(t, r, k)
	s.done = "approved by bob"
	keys := tokentest.New()
	to, err := chat.ParseAddress(channel)
	if err != nil {
		t.Fatal(err)
	}
	m := approval(t, keys, k.now())
	r.Trouble(rooms.Trouble{Kind: "lost", Times: 1})
	if _, err := out.Post(t.Context(), to, m); chat.CodeOf(err) != chat.Unavailable {
		t.Fatalf("lost: %v", err)
	}
	p, err := out.Post(t.Context(), to, m)
	if err != nil {
		t.Fatal(err)
	}
	if seen := r.Messages(channel, "bob"); len(seen) != 1 || seen[0].Buttons[0].Style != "primary" || seen[0].Buttons[1].Style != "danger" || len(seen[0].Buttons) != 2 {
		t.Fatalf("seen %+v", seen)
	}
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: channel, Message: p.ID, Button: 0}); err != nil {
		t.Fatal(err)
	}
	in := s.in[0]
	if press, err := keys.OpenPress(in.Token, k.now()); err != nil || press.Verb != "approve" || in.From.User != "bob" || in.Message != p.ID || "dingtalk:"+in.Channel != channel {
		t.Errorf("pressed %+v, %+v, %v", press, in, err)
	}
	seen := r.Messages(channel, "carol")[0]
	if !strings.HasSuffix(seen.Text, "\napproved by bob") || len(seen.Buttons) != 0 || seen.Edits != 1 {
		t.Errorf("seen %+v", seen)
	}
	m.Text, m.Buttons = "It runs.", nil
	if _, err := out.Update(t.Context(), p, m); err != nil {
		t.Fatal(err)
	}
	if seen := r.Messages(channel, "carol"); len(seen) != 1 || seen[0].Text != "🟠 [SANDBOX] Waiting: Checkout\nIt runs." {
		t.Errorf("seen %+v", seen)
	}
	if _, err := out.Reply(t.Context(), p, m); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("reply: %v", err)
	}
}

func TestAdapter_ToldOfTrouble(t *testing.T) {
	for _, c := range []struct {
		kind string
		code chat.Code
	}{{"throttled", chat.Throttled}, {"error", chat.Unavailable}, {"down", chat.Unavailable}, {"lost", chat.Unavailable}} {
		for _, address := range []string{channel, "dingtalk:dingdrill/robot:ops"} {
			k := newClock()
			r := dingtalk.New(k.now)
			_, out := connect(t, r, k)
			to, err := chat.ParseAddress(address)
			if err != nil {
				t.Fatal(err)
			}
			r.Trouble(rooms.Trouble{Kind: c.kind, Times: 1, After: 20 * time.Second})
			_, err = out.Post(t.Context(), to, chat.Message{ID: "f1", Title: "x"})
			if chat.CodeOf(err) != c.code || err == nil {
				t.Errorf("%s at %s: %v", c.kind, address, err)
			}
			k.add(2 * time.Minute)
			if _, err := out.Post(t.Context(), to, chat.Message{ID: "f1", Title: "x"}); err != nil {
				t.Errorf("%s at %s, then: %v", c.kind, address, err)
			}
		}
	}
}
