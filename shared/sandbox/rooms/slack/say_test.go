package slack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

func TestSay_WhatSlackSaysItself(t *testing.T) {
	s := open(t)
	s.Connect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }))
	out, _ := s.call(t, "chat.postMessage", map[string]any{"channel": "C0DRILLS", "text": "root"})
	root, _ := out["ts"].(string)
	heard, err := s.Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Thread: root, Text: "/drill stop"})
	if err != nil || !strings.Contains(heard.Text, "/drill is not supported in threads") || heard.Request != nil {
		t.Errorf("got %+v, %v", heard, err)
	}
	heard, err = s.Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Text: "/other x"})
	if err != nil || !strings.Contains(heard.Text, "/other is not a valid command") {
		t.Errorf("got %+v, %v", heard, err)
	}
	for name, saying := range map[string]rooms.Saying{
		"nobody":              {Person: "U0NONE", Channel: drills, Text: "x"},
		"nowhere":             {Person: "U0BOB", Channel: "slack:T0DRILL/C0NONE", Text: "x"},
		"another's direct":    {Person: "U0BOB", Channel: "slack:T0DRILL/D0ALICE", Text: "x"},
		"another platform":    {Person: "U0BOB", Channel: "feishu:T0DRILL/C0DRILLS", Text: "x"},
		"nothing":             {Person: "U0BOB", Channel: drills, Text: " "},
		"a thread of nothing": {Person: "U0BOB", Channel: drills, Thread: "1.1", Text: "x"},
	} {
		if _, err := s.Say(t.Context(), saying); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, press := range map[string]rooms.Pressing{
		"nobody":     {Person: "U0NONE", Channel: drills, Message: root},
		"nowhere":    {Person: "U0BOB", Channel: "slack:T0DRILL/C0NONE", Message: root},
		"no message": {Person: "U0BOB", Channel: drills, Message: "1.1"},
		"no button":  {Person: "U0BOB", Channel: drills, Message: root},
	} {
		if _, err := s.Press(t.Context(), press); err == nil {
			t.Errorf("press, %s: no error", name)
		}
	}
	if _, err := open(t).Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Text: "x"}); err == nil {
		t.Error("nothing connected: no error")
	}
}

func TestSay_ShowsHowTheAppAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		kind, body  string
		text        string
		all, bobSee int
	}{
		"nothing":        {200, "", "", "", 0, 0},
		"text":           {200, "text/plain", "*hi*", "hi", 0, 1},
		"JSON":           {200, "application/json; charset=utf-8", `{"response_type":"ephemeral","text":"a &amp; b"}`, "a & b", 0, 1},
		"JSON for all":   {200, "application/json", `{"response_type":"in_channel","text":"hi"}`, "hi", 1, 1},
		"no JSON":        {200, "application/json", `{`, `/drill failed with the error "invalid_response"`, 0, 0},
		"wrong blocks":   {200, "application/json", `{"text":"x","blocks":[{"type":"header"}]}`, `/drill failed with the error "invalid_response"`, 0, 0},
		"a refusal":      {401, "text/plain", "no", `/drill failed with the error "dispatch_failed"`, 0, 0},
		"a server error": {500, "text/plain", "no", `/drill failed with the error "dispatch_failed"`, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.Connect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			heard, err := s.Say(t.Context(), rooms.Saying{Person: "U0BOB", Channel: drills, Text: "/drill status"})
			if err != nil || heard.Status != c.status || heard.Text != c.text {
				t.Errorf("got %+v, %v", heard, err)
			}
			if a, b := len(s.Messages(drills, "U0ALICE")), len(s.Messages(drills, "U0BOB")); a != c.all || b != c.bobSee {
				t.Errorf("alice sees %d, bob sees %d", a, b)
			}
		})
	}
}

func TestSay_IsWrittenAsSlackWritesIt(t *testing.T) {
	s := open(t)
	var got *http.Request
	var body []byte
	s.Connect(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		got = q
		body, _ = io.ReadAll(q.Body)
	}))
	heard, err := s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: drills, Text: "note k7m2 @bob saw #drills & <x> https://a.example/x?y=1&z=2, @here"})
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Type    string
		TeamID  string `json:"team_id"`
		EventID string `json:"event_id"`
		Event   struct{ Type, User, Text, Channel, Team, TS string }
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	if want := "<@U0BOT> note k7m2 <@U0BOB> saw <#C0DRILLS|drills> &amp; &lt;x&gt; <https://a.example/x?y=1&amp;z=2>, <!here>"; e.Event.Text != want {
		t.Errorf("got %q", e.Event.Text)
	}
	if e.Type != "event_callback" || e.Event.Type != "app_mention" || e.Event.User != "U0ALICE" || e.EventID == "" || got.URL.Path != "/chat/slack" || got.Method != http.MethodPost ||
		got.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.Header.Get("X-Slack-Signature"), "v0=") {
		t.Errorf("got %+v, %+v", e, got)
	}
	again, _ := io.ReadAll(heard.Request.Body)
	if !bytes.Equal(again, body) || !bytes.Equal(heard.Body, body) || heard.Request.Header.Get("X-Slack-Signature") != got.Header.Get("X-Slack-Signature") {
		t.Error("what is kept is not what was sent")
	}
	if m := s.Messages(drills, "U0BOB")[0]; m.Text != "@Firedrill note k7m2 @bob saw #drills & <x> https://a.example/x?y=1&z=2, @here" || m.From != "alice" || m.Bot || m.ID != e.Event.TS {
		t.Errorf("got %+v", m)
	}
	if _, err = s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: "slack:T0DRILL/D0ALICE", Text: "status"}); err != nil || !strings.Contains(string(body), `"channel_type":"im"`) || strings.Contains(string(body), "app_mention") {
		t.Errorf("a direct message: %v, %s", err, body)
	}
	if _, err = s.Say(t.Context(), rooms.Saying{Person: "U0ALICE", Channel: drills, Text: "/drill start az a=b&c"}); err != nil {
		t.Fatal(err)
	}
	form, _ := url.ParseQuery(string(body))
	if form.Get("text") != "start az a=b&amp;c" || form.Get("command") != "/drill" || form.Get("user_id") != "U0ALICE" || form.Get("api_app_id") != "A0DRILL" ||
		!strings.HasPrefix(form.Get("response_url"), s.url+"/response/") || form.Get("trigger_id") == "" || !strings.HasPrefix(string(body), "token=") {
		t.Errorf("got %s", body)
	}
}
