package dingtalk_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

func TestTokens_AreFetchedOnceKeptAndFetchedAnew(t *testing.T) {
	v := newVendor(t)
	var clock atomic.Int64
	clock.Store(now.Unix())
	s := v.sender(t, wire.Options{Loopback: true, Now: func() time.Time { return time.Unix(clock.Load(), 0) }, Wait: noWait}, cards...)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m := message()
			m.ID += strconv.Itoa(i)
			if _, err := s.Post(context.Background(), toGroup, m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v.tokens != 1 {
		t.Errorf("%d tokens for eight at once", v.tokens)
	}
	post := func() error {
		clock.Add(30)
		_, err := s.Post(context.Background(), toGroup, message())
		return err
	}
	clock.Add(7200 - 5*60 - 40)
	if err := post(); err != nil || v.tokens != 1 {
		t.Errorf("shortly before its end: %d tokens, %v", v.tokens, err)
	}
	if err := post(); err != nil || v.tokens != 2 {
		t.Errorf("too close to its end: %d tokens, %v", v.tokens, err)
	}
	v.reply = func(c call) (int, string) {
		if c.token == "tok-hunter2-2" {
			return 400, `{"code":"InvalidAuthentication","message":"不合法的access_token"}`
		}
		return 200, taken
	}
	if err := post(); err != nil || v.tokens != 3 {
		t.Errorf("no longer good: %d tokens, %v", v.tokens, err)
	}
	v.reply = func(call) (int, string) { return 400, `{"code":"InvalidAuthentication"}` }
	before := len(v.calls)
	if err := post(); chat.CodeOf(err) != chat.Denied || v.tokens != 4 || len(v.calls) != before+2 {
		t.Errorf("never good: %d tokens, %d calls, %v", v.tokens, len(v.calls)-before, err)
	}
}

func TestTokens_TheSecretThatDingTalkTakesIsFoundAndRemembered(t *testing.T) {
	v := newVendor(t)
	clock := now
	s := v.sender(t, wire.Options{Loopback: true, Now: func() time.Time { return clock }, Wait: noWait})
	post := func() error {
		clock = clock.Add(3 * time.Hour) // the token is over
		_, err := s.Post(t.Context(), toGroup, message())
		return err
	}
	v.secret = oldSecret // the new one stands in front of it already
	err1, err2 := post(), post()
	v.secret = appSecret
	err3, err4 := post(), post()
	want := []any{appSecret, oldSecret, oldSecret, oldSecret, appSecret, appSecret}
	if err := errors.Join(err1, err2, err3, err4); err != nil || !slices.Equal(v.tried, want) {
		t.Errorf("tried %v, %v", v.tried, err)
	}
	v.secret = "another"
	if err := post(); chat.CodeOf(err) != chat.Denied || !strings.Contains(err.Error(), "FIREDRILL_DINGTALK_APP_SECRETS") || len(v.tried) != 8 {
		t.Errorf("none is good: %v, tried %v", err, v.tried)
	}
}

func TestTokens_FailWithoutShowingSecrets(t *testing.T) {
	v := newVendor(t)
	_, err := v.sender(t, options(), "FIREDRILL_DINGTALK_APP_SECRETS", "wrong-hunter2").Post(t.Context(), toGroup, message())
	if chat.CodeOf(err) != chat.Denied || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "FIREDRILL_DINGTALK_APP_SECRETS") {
		t.Errorf("got %v", err)
	}
	gone := newVendor(t)
	s := gone.sender(t, options())
	gone.Close()
	if _, err := s.Post(t.Context(), toGroup, message()); chat.CodeOf(err) != chat.Unavailable || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.sender(t, options()).Post(ctx, toGroup, message()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSay_AnswersWhereItWasAskedOrAlone(t *testing.T) {
	v := newVendor(t)
	s := v.sender(t, options())
	saying := chat.Saying{To: toGroup, User: "alice", Text: "Unknown plan: try list.\nOr *help*.", Mode: "SANDBOX", URL: v.URL + "/robot/sendBySession?session=hunter2", ID: "fd_r1"}
	if err := s.Say(t.Context(), saying); err != nil {
		t.Fatal(err)
	}
	c := last(t, v)
	uuid := c.body["msgUuid"]
	if err := s.Say(t.Context(), saying); err != nil || uuid == nil || last(t, v).body["msgUuid"] != uuid {
		t.Errorf("said again it is another message: %v, %v, %v", uuid, last(t, v).body["msgUuid"], err)
	}
	md := c.body["markdown"].(map[string]any)
	at, _ := json.Marshal(c.body["at"])
	if c.path != "/robot/sendBySession" || c.query != "session=hunter2" || md["title"] != "[SANDBOX] Unknown plan: try list." ||
		md["text"] != "@alice [SANDBOX] Unknown plan: try list.  \n  Or \\*help\\*." || string(at) != `{"atMobiles":[],"atUserIds":["alice"],"isAtAll":false}` {
		t.Errorf("got %+v, at %s", c, at)
	}
	saying.URL = ""
	if err := s.Say(t.Context(), saying); err != nil {
		t.Fatal(err)
	}
	c = last(t, v)
	if c.path != "/v1.0/robot/oToMessages/batchSend" || c.body["robotCode"] != code || c.body["msgKey"] != "sampleMarkdown" || len(c.body["userIds"].([]any)) != 1 ||
		c.body["msgParam"] != `{"text":"[SANDBOX] Unknown plan: try list.  \n  Or \\*help\\*.","title":"[SANDBOX] Unknown plan: try list."}` {
		t.Errorf("got %+v", c)
	}
	v.reply = func(c call) (int, string) {
		if c.path == "/robot/sendBySession" {
			return 200, `{"errcode":300001,"errmsg":"token is not exist"}`
		}
		return 200, taken
	}
	saying.URL = v.URL + "/robot/sendBySession?session=hunter2"
	if err := s.Say(t.Context(), saying); err != nil || last(t, v).path != "/v1.0/robot/oToMessages/batchSend" {
		t.Errorf("an old URL: %v, %s", err, last(t, v).path)
	}
	saying.URL = "https://evil.example/hunter2"
	if err := s.Say(t.Context(), saying); err != nil || last(t, v).path != "/v1.0/robot/oToMessages/batchSend" {
		t.Errorf("a foreign URL: %v", err)
	}
	for body, want := range map[string]chat.Code{
		`{"processQueryKey":"x","flowControlledStaffIdList":["alice"]}`: chat.Throttled, `{"processQueryKey":"x","invalidStaffIdList":["alice"]}`: chat.Denied,
	} {
		v := newVendor(t)
		v.reply = func(call) (int, string) { return 200, body }
		if err := v.sender(t, options()).Say(t.Context(), chat.Saying{To: toGroup, User: "alice", Text: "x"}); chat.CodeOf(err) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := s.Say(t.Context(), chat.Saying{To: toGroup, Text: "x"}); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("to nobody: %v", err)
	}
}

func TestPost_FitsWhateverItIsGiven(t *testing.T) {
	for name, text := range map[string]string{"chinese": strings.Repeat("演练", 9000), "emoji": strings.Repeat("🔥👩‍🚒", 5000), "quotes": strings.Repeat("\"\\\n", 20000), "markup": strings.Repeat("*_`<", 9000)} {
		m := message()
		m.Title, m.Text = text, text
		for range 40 {
			m.Fields = append(m.Fields, chat.Field{Name: text, Value: text})
		}
		v := newVendor(t)
		s, c := v.sender(t, options()), v.sender(t, options(), cards...)
		for _, post := range []func() error{
			func() error { _, err := s.Post(t.Context(), toGroup, m); return err },
			func() error { _, err := c.Post(t.Context(), toGroup, m); return err },
			func() error { _, err := s.Post(t.Context(), toCustom, m); return err },
			func() error { return s.Say(t.Context(), chat.Saying{To: toGroup, User: "alice", Text: text}) },
			func() error {
				return s.Say(t.Context(), chat.Saying{To: toGroup, User: "alice", Text: text, URL: v.URL + "/robot/sendBySession"})
			},
		} {
			if err := post(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := last(t, v)
			param, _ := got.body["msgParam"].(string)
			if param == "" {
				raw, _ := json.Marshal(got.body)
				if param = string(raw); strings.Contains(param, "\\u003c") {
					param = strings.ReplaceAll(param, "\\u003c", "<") // the test's own encoder wrote it
				}
			}
			if got.path != "/v1.0/card/instances/createAndDeliver" && len(param) > 15000 || len(param) > 20000 || strings.ContainsRune(param, utf8.RuneError) || len(param) < 2000 {
				t.Errorf("%s to %s: %d bytes", name, got.path, len(param))
			}
		}
	}
}
