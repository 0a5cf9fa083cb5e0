package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

const (
	appSecret  = "app-secret-hunter2"
	hookSecret = "hook-secret-hunter2"
	accessOne  = "t-hunter2-1"
	tokenPath  = "/open-apis/auth/v3/tenant_access_token/internal"
	sendPath   = "/open-apis/im/v1/messages"
	hookPath   = "/open-apis/bot/v2/hook/hook-id-hunter2"
)

// api is a server that answers as it is told, and notes what it was asked.
type api struct {
	*httptest.Server

	mu      sync.Mutex
	answers map[string][]answered // by path, one after the other; the last one stays
	got     []asked
	at      time.Time
	waited  []time.Duration
}

type answered struct {
	status int
	body   string
	header http.Header
}

type asked struct {
	method, path, auth, kind string
	body                     map[string]any
	raw                      string
}

func ok(id string) answered {
	return answered{status: 200, body: `{"code":0,"msg":"success","data":{"message_id":"` + id + `","root_id":""}}`}
}

func tokenOf(value string, expire int) answered {
	return answered{status: 200, body: fmt.Sprintf(`{"code":0,"msg":"ok","tenant_access_token":%q,"expire":%d}`, value, expire)}
}

func failing(status, code int) answered {
	return answered{status: status, body: fmt.Sprintf(`{"code":%d,"msg":"hunter2 in a reply"}`, code)}
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{at: now, answers: map[string][]answered{
		tokenPath: {tokenOf(accessOne, 7200)}, sendPath: {ok("om_posted")}, sendPath + "/om_root/reply": {ok("om_reply")},
		sendPath + "/om_posted": {{status: 200, body: `{"code":0,"msg":"success","data":{}}`}},
		hookPath:                {{status: 200, body: `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`}},
	}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

// ServeHTTP gives the next answer for the path.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	one := asked{method: r.Method, path: r.URL.RequestURI(), auth: r.Header.Get("Authorization"), kind: r.Header.Get("Content-Type"), raw: string(raw)}
	_ = json.Unmarshal(raw, &one.body)
	a.mu.Lock()
	a.got = append(a.got, one)
	next := answered{status: 404, body: "404 page not found"}
	if list := a.answers[r.URL.Path]; len(list) > 0 {
		if next = list[0]; len(list) > 1 {
			a.answers[r.URL.Path] = list[1:]
		}
	}
	a.mu.Unlock()
	for name, v := range next.header {
		w.Header()[name] = v
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func (a *api) calls(prefix string) []asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	var some []asked
	for _, one := range a.got {
		if strings.HasPrefix(one.path, prefix) {
			some = append(some, one)
		}
	}
	return some
}

func (a *api) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

func (a *api) move(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = a.at.Add(d)
}

func (a *api) wait(_ context.Context, d time.Duration) error {
	a.move(d)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waited = append(a.waited, d)
	return nil
}

func (a *api) env() map[string]string {
	return map[string]string{
		envApp: "cli_drill", envSecrets: appSecret, envTenants: tenant, envHooks: "alerts=hook-id-hunter2:" + hookSecret + ",open=hook-id-2", envEndpoint: a.URL,
	}
}

func (a *api) sender(t *testing.T, env map[string]string) *Sender {
	t.Helper()
	s, err := Outbound(func(name string) string { return env[name] }, wire.Options{Loopback: true, Now: a.now, Wait: a.wait})
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	return s
}

func group() chat.Address {
	return chat.Address{Platform: chat.Feishu, Place: tenant + "/oc_drills"}
}

func hookAddress(name string) chat.Address {
	return chat.Address{Platform: chat.Feishu, Place: tenant + "/hook:" + name}
}

func posted() chat.Posted {
	return chat.Posted{To: group().String(), ID: "om_posted", Thread: "om_root"}
}

func waiting() chat.Message {
	return chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "en", Title: "[SANDBOX] Waiting: <at id=all></at> **x**", Text: "a & b <at id=all></at>\n[x](https://evil.example)",
		Fields:  []chat.Field{{Name: "Drill", Value: "k7"}},
		Buttons: []chat.Button{{Label: "Approve", Command: "approve k7", Style: chat.Primary, Token: "1.approve.t"}, {Label: "Stop", Command: "stop k7", Style: chat.Danger}},
		Link:    "https://firedrill.example/r/k7?t=x", Mention: "feishu:" + tenant + "/ou_oncall",
	}
}

// shown is the card that waiting makes.
const shown = `{"config":{"update_multi":true,"wide_screen_mode":true},"elements":[` +
	`{"content":"<at id=ou_oncall></at>","tag":"markdown"},` +
	`{"tag":"div","text":{"content":"a & b <at id=all></at>\n[x](https://evil.example)","tag":"plain_text"}},` +
	`{"tag":"hr"},` +
	`{"columns":[{"elements":[{"tag":"div","text":{"content":"Drill","tag":"plain_text","text_color":"grey"}}],"tag":"column","weight":1,"width":"weighted"},` +
	`{"elements":[{"tag":"div","text":{"content":"k7","tag":"plain_text"}}],"tag":"column","weight":4,"width":"weighted"}],"flex_mode":"none","tag":"column_set"},` +
	`{"actions":[{"tag":"button","text":{"content":"Approve","tag":"plain_text"},"type":"primary","value":{"t":"1.approve.t"}},` +
	`{"tag":"button","text":{"content":"Open the report","tag":"plain_text"},"type":"default","url":"https://firedrill.example/r/k7?t=x"}],"tag":"action"},` +
	`{"elements":[{"content":"SANDBOX · Firedrill · or mention the bot and type: approve k7 | stop k7","tag":"plain_text"}],"tag":"note"}],` +
	`"header":{"template":"orange","title":{"content":"[SANDBOX] Waiting: <at id=all></at> **x**","tag":"plain_text"}}}`

func TestPost_IsThisRequest(t *testing.T) {
	a := newAPI(t)
	p, err := a.sender(t, a.env()).Post(t.Context(), group(), waiting())
	if err != nil || p != (chat.Posted{To: "feishu:" + tenant + "/oc_drills", ID: "om_posted", Thread: "om_posted"}) {
		t.Fatalf("%+v, %v", p, err)
	}
	tokens := a.calls(tokenPath)
	if len(tokens) != 1 || tokens[0].method != "POST" || tokens[0].raw != `{"app_id":"cli_drill","app_secret":"`+appSecret+`"}` || tokens[0].auth != "" {
		t.Errorf("token: %+v", tokens)
	}
	got := a.calls(sendPath)
	if len(got) != 1 || got[0].method != "POST" || got[0].path != sendPath+"?receive_id_type=chat_id" || got[0].auth != "Bearer "+accessOne || got[0].kind != "application/json; charset=utf-8" {
		t.Fatalf("got %+v", got)
	}
	b := got[0].body
	if uuid, _ := b["uuid"].(string); len(b) != 4 || b["receive_id"] != "oc_drills" || b["msg_type"] != "interactive" || len(uuid) == 0 || len(uuid) > 50 {
		t.Errorf("body %v", b)
	}
	if b["content"] != shown {
		t.Errorf("card\n%s\nwant\n%s", b["content"], shown)
	}
}

func TestPost_FoldsOnTheMessageAndThePlace(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	uuid := func(to chat.Address, id string) any {
		m := waiting()
		m.ID = id
		if _, err := s.Post(t.Context(), to, m); err != nil {
			t.Fatal(err)
		}
		got := a.calls(sendPath)
		return got[len(got)-1].body["uuid"]
	}
	other := chat.Address{Platform: chat.Feishu, Place: tenant + "/oc_other"}
	one := uuid(group(), "fd_1")
	if uuid(group(), "fd_1") != one || uuid(group(), "fd_2") == one || uuid(other, "fd_1") == one || uuid(group(), "") != nil {
		t.Error("uuids")
	}
}

func TestReplyAndUpdate_AreTheseRequests(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	p, err := s.Reply(t.Context(), posted(), waiting())
	if err != nil || p != (chat.Posted{To: group().String(), ID: "om_reply", Thread: "om_root"}) {
		t.Fatalf("%+v, %v", p, err)
	}
	got := a.calls(sendPath + "/om_root/reply")
	if len(got) != 1 || got[0].method != "POST" || got[0].body["reply_in_thread"] != true || got[0].body["msg_type"] != "interactive" || got[0].body["uuid"] == nil || got[0].body["content"] != shown {
		t.Errorf("reply %+v", got)
	}
	if p, err = s.Update(t.Context(), posted(), waiting()); err != nil || p != posted() {
		t.Fatalf("%+v, %v", p, err)
	}
	got = a.calls(sendPath + "/om_posted")
	if len(got) != 1 || got[0].method != "PATCH" || len(got[0].body) != 1 || got[0].body["content"] != shown || got[0].auth != "Bearer "+accessOne {
		t.Errorf("update %+v", got)
	}
	if len(a.calls(tokenPath)) != 1 {
		t.Error("the token was not kept")
	}
	if p, err := s.Reply(t.Context(), chat.Posted{To: group().String(), ID: "om_root"}, waiting()); err != nil || p.Thread != "om_root" {
		t.Errorf("without a thread: %+v, %v", p, err)
	}
}

func TestSay_AnswersWhereItWasAsked(t *testing.T) {
	for name, c := range map[string]struct {
		w          chat.Saying
		path, want string
	}{
		"a message":             {chat.Saying{Message: "om_root", Text: "hi", ID: "s1"}, sendPath + "/om_root/reply", `{"content":"{\"text\":\"hi\"}","msg_type":"text","reply_in_thread":false,"uuid":"*"}`},
		"a message in a thread": {chat.Saying{Message: "om_root", Thread: "om_x", Text: "hi", Mode: "SANDBOX"}, sendPath + "/om_root/reply", `{"content":"{\"text\":\"[SANDBOX] hi\"}","msg_type":"text","reply_in_thread":true}`},
		"a thread":              {chat.Saying{Thread: "om_root", Text: "[LIVE] hi", Mode: "LIVE"}, sendPath + "/om_root/reply", `{"content":"{\"text\":\"[LIVE] hi\"}","msg_type":"text","reply_in_thread":true}`},
		"the chat":              {chat.Saying{Text: "hi"}, sendPath + "?receive_id_type=chat_id", `{"content":"{\"text\":\"hi\"}","msg_type":"text","receive_id":"oc_drills"}`},
		"a bad id":              {chat.Saying{Message: "../../x", Text: "hi"}, sendPath + "?receive_id_type=chat_id", `{"content":"{\"text\":\"hi\"}","msg_type":"text","receive_id":"oc_drills"}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			c.w.To = group()
			if err := a.sender(t, a.env()).Say(t.Context(), c.w); err != nil {
				t.Fatal(err)
			}
			got := a.calls(sendPath)[0]
			raw := got.raw
			if uuid, is := got.body["uuid"].(string); is {
				raw = strings.Replace(raw, uuid, "*", 1)
			}
			if got.path != c.path || got.method != "POST" || raw != c.want {
				t.Errorf("%s %s\n%s", got.method, got.path, raw)
			}
		})
	}
}

func TestHook_IsSignedAndOnlyPosts(t *testing.T) {
	if got := hookSign("1599360473", secret{text: "demo"}); got != "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=" {
		t.Errorf("the vendor's vector: %s", got)
	}
	a := newAPI(t)
	s := a.sender(t, a.env())
	p, err := s.Post(t.Context(), hookAddress("alerts"), waiting())
	if err != nil || p != (chat.Posted{To: hookAddress("alerts").String()}) {
		t.Fatalf("%+v, %v", p, err)
	}
	got := a.calls(hookPath)
	if len(got) != 1 || got[0].auth != "" || got[0].body["msg_type"] != "interactive" || got[0].body["timestamp"] != "1795860000" && got[0].body["timestamp"] != stampOf(now) ||
		got[0].body["sign"] != hookSign(stampOf(now), secret{text: hookSecret}) || len(got[0].body) != 4 {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(got[0].raw, `"value"`) || !strings.Contains(got[0].raw, "approve k7 | stop k7") || !strings.Contains(got[0].raw, `"url"`) {
		t.Errorf("buttons: %s", got[0].raw)
	}
	if len(a.calls(tokenPath)) != 0 {
		t.Error("a token was fetched for a custom bot")
	}
	a.answers["/open-apis/bot/v2/hook/hook-id-2"] = []answered{{status: 200, body: `{"Extra":null,"StatusCode":0,"StatusMessage":"success"}`}}
	if _, err := s.Post(t.Context(), hookAddress("open"), waiting()); err != nil {
		t.Errorf("an old reply: %v", err)
	}
	if got := a.calls("/open-apis/bot/v2/hook/hook-id-2"); len(got) != 1 || got[0].body["sign"] != nil {
		t.Errorf("not signed: %+v", got)
	}
	if _, err := s.Post(t.Context(), hookAddress("other"), waiting()); chat.CodeOf(err) != chat.Denied {
		t.Errorf("an unknown bot: %v", err)
	}
	old := chat.Posted{To: hookAddress("alerts").String()}
	_, err1 := s.Update(t.Context(), old, waiting())
	_, err2 := s.Reply(t.Context(), old, waiting())
	err3 := s.Say(t.Context(), chat.Saying{To: hookAddress("alerts"), Text: "x"})
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, chat.ErrUnsupported) || chat.Retryable(err) {
			t.Errorf("got %v", err)
		}
	}
}
