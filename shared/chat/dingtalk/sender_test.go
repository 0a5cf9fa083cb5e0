package dingtalk_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/dingtalk"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// call is a request that the fake vendor got.
type call struct {
	method, path, token, query string
	body                       map[string]any
}

// vendor answers as it is told and keeps what it got, access tokens aside.
type vendor struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	tokens int
	secret string // that it takes
	tried  []any  // secrets that it was asked with
	reply  func(c call) (status int, body string)
}

const taken = `{"errcode":0,"errmsg":"ok","processQueryKey":"pqk1","success":true,"result":{"outTrackId":"x","deliverResults":[{"success":true}]}}`

func newVendor(t testing.TB) *vendor {
	v := &vendor{secret: appSecret, reply: func(call) (int, string) { return 200, taken }}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		c := call{method: r.Method, path: r.URL.Path, token: r.Header.Get("x-acs-dingtalk-access-token"), query: r.URL.RawQuery}
		_ = json.Unmarshal(raw, &c.body)
		v.mu.Lock()
		defer v.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1.0/oauth2/accessToken" {
			v.tried = append(v.tried, c.body["appSecret"])
			if c.body["appKey"] != "dingappdrill" || c.body["appSecret"] != v.secret {
				w.WriteHeader(400)
				_, _ = io.WriteString(w, `{"code":"invalidClientIdOrSecret","message":"hunter2"}`)
				return
			}
			v.tokens++
			_, _ = io.WriteString(w, `{"accessToken":"tok-hunter2-`+strconv.Itoa(v.tokens)+`","expireIn":7200}`)
			return
		}
		v.calls = append(v.calls, c)
		status, body := v.reply(c)
		if status == 429 {
			w.Header().Set("Retry-After", "30")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) sender(t testing.TB, o wire.Options, more ...string) *dingtalk.Sender {
	t.Helper()
	more = append([]string{
		"FIREDRILL_ENDPOINT_DINGTALK", v.URL, "FIREDRILL_ENDPOINT_DINGTALK_OAPI", v.URL, "FIREDRILL_DINGTALK_ROBOTS", "ops=robot-hunter2:SEC-hunter2",
	}, more...)
	s, err := dingtalk.Outbound(env(more...), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	toGroup  = chat.Address{Platform: chat.DingTalk, Place: tenant + "/" + group}
	toCustom = chat.Address{Platform: chat.DingTalk, Place: tenant + "/robot:ops"}
	cards    = []string{"FIREDRILL_DINGTALK_CARD_TEMPLATE", "tpl.schema"}
)

func message() chat.Message {
	return chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Warning, Lang: "en", Title: "[SANDBOX] Waiting: Checkout survives", Text: "Needs approval.\n- one", At: now,
		Fields:  []chat.Field{{Name: "Drill", Value: "k7m2"}},
		Buttons: []chat.Button{{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: press}, {Label: "Reject", Command: "reject k7m2", Style: chat.Danger, Token: "1.reject.x"}},
		Link:    "https://drills.example.com/r/k7m2?t=a(b)",
	}
}

func last(t *testing.T, v *vendor) call {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.calls) == 0 {
		t.Fatal("nothing was sent")
	}
	return v.calls[len(v.calls)-1]
}

func TestPost_AsTheAppsRobot(t *testing.T) {
	v := newVendor(t)
	s := v.sender(t, options())
	p, err := s.Post(t.Context(), toGroup, message())
	if err != nil || p != (chat.Posted{To: "dingtalk:dingdrill/cidDrills01==", ID: "pqk1"}) {
		t.Fatalf("posted %+v, %v", p, err)
	}
	c := last(t, v)
	if c.method != "POST" || c.path != "/v1.0/robot/groupMessages/send" || c.token != "tok-hunter2-1" || c.body["robotCode"] != code ||
		c.body["openConversationId"] != group || c.body["msgKey"] != "sampleActionCard2" {
		t.Errorf("got %+v", c)
	}
	var param map[string]string
	if err := json.Unmarshal([]byte(c.body["msgParam"].(string)), &param); err != nil {
		t.Fatal(err)
	}
	const tap = "dtmd://dingtalkclient/sendMessage?content=press%20"
	for name, want := range map[string]string{
		"title": "[SANDBOX] Waiting: Checkout survives", "actionTitle1": "Approve", "actionURL1": tap + press, "actionTitle2": "Reject", "actionURL2": tap + "1.reject.x",
		"text": "### 🟠 [SANDBOX] Waiting: Checkout survives\n\nNeeds approval.  \n  - one\n\n**Drill** k7m2\n\n" +
			"> If the buttons do nothing, tap here: [Approve](" + tap + press + ") · [Reject](" + tap + "1.reject.x)\n\n" +
			"[Details](https://drills.example.com/r/k7m2?t=a%28b%29)",
	} {
		if param[name] != want {
			t.Errorf("%s:\n got %q\nwant %q", name, param[name], want)
		}
	}
	for n, want := range map[int]string{0: "sampleMarkdown", 1: "sampleActionCard", 5: "sampleActionCard5", 6: "sampleMarkdown"} {
		m := message()
		m.Buttons = make([]chat.Button, n)
		for i := range m.Buttons {
			m.Buttons[i] = chat.Button{Label: "B", Command: "c", Token: press}
		}
		if _, err := s.Post(t.Context(), toGroup, m); err != nil {
			t.Fatal(err)
		}
		if c := last(t, v); c.body["msgKey"] != want || strings.Count(c.body["msgParam"].(string), "[B](dtmd") != n {
			t.Errorf("%d buttons: %v", n, c.body)
		}
	}
	if c := s.Capabilities(toGroup); c != (chat.Capabilities{Buttons: true}) {
		t.Errorf("it claims %+v", c)
	}
	if _, err := s.Update(t.Context(), p, message()); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("update: %v", err)
	}
	if _, err := s.Reply(t.Context(), p, message()); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("reply: %v", err)
	}
}

func TestPost_AsACustomRobot(t *testing.T) {
	v := newVendor(t)
	s := v.sender(t, options(), cards...)
	m := message()
	if _, err := s.Post(t.Context(), toCustom, m); err != nil {
		t.Fatal(err)
	}
	c := last(t, v)
	ts := strconv.FormatInt(now.UnixMilli(), 10)
	sign := strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(hash("SEC-hunter2", ts+"\nSEC-hunter2"))
	if c.path != "/robot/send" || c.query != "access_token=robot-hunter2&sign="+sign+"&timestamp="+ts || c.body["msgtype"] != "actionCard" || c.token != "" {
		t.Errorf("got %+v", c)
	}
	uuid := c.body["msgUuid"]
	card := c.body["actionCard"].(map[string]any)
	if card["singleURL"] != m.Link || strings.Contains(card["text"].(string), "dtmd:") || !strings.Contains(card["text"].(string), "Or say to the robot: `approve k7m2` · `reject k7m2`") {
		t.Errorf("got %v", card)
	}
	m.Mention, m.Level = "dingtalk:dingdrill/alice, 13800000000", chat.Urgent
	if _, err := s.Post(t.Context(), toCustom, m); err != nil {
		t.Fatal(err)
	}
	c = last(t, v)
	text := c.body["markdown"].(map[string]any)["text"].(string)
	at, _ := json.Marshal(c.body["at"])
	if string(at) != `{"atMobiles":["13800000000"],"atUserIds":["alice"],"isAtAll":false}` || !strings.HasSuffix(text, "\n\n@alice @13800000000") || !strings.HasPrefix(text, "### 🔴 ") {
		t.Errorf("at %s\n%s", at, text)
	}
	if uuid == "" || c.body["msgUuid"] != uuid {
		t.Errorf("the same message has the ids %v and %v", uuid, c.body["msgUuid"])
	}
	if _, err := s.Update(t.Context(), chat.Posted{To: toCustom.String(), ID: "fd-x"}, m); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("update: %v", err)
	}
}

func TestPost_AsACardThatCanBeChanged(t *testing.T) {
	v := newVendor(t)
	s := v.sender(t, options(), cards...)
	if c := s.Capabilities(toGroup); c != (chat.Capabilities{Update: true, Buttons: true}) {
		t.Errorf("it claims %+v", c)
	}
	if c := s.Capabilities(toCustom); c != (chat.Capabilities{}) {
		t.Errorf("a custom robot beside an app claims %+v", c)
	}
	m := message()
	m.Mention = "alice"
	p, err := s.Post(t.Context(), toGroup, m)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(last(t, v).body)
	const button = `[{\"text\":\"Approve\",\"color\":\"blue\",\"status\":\"normal\",\"event\":{\"type\":\"sendCardRequest\",\"params\":{\"actionId\":\"b0\",\"params\":{\"c\":\"cidDrills01==\",\"t\":\"` + press + `\"}}}},` +
		`{\"text\":\"Reject\",\"color\":\"red\",\"status\":\"normal\",\"event\":{\"type\":\"sendCardRequest\",\"params\":{\"actionId\":\"b1\",\"params\":{\"c\":\"cidDrills01==\",\"t\":\"1.reject.x\"}}}}]`
	const params = `{"body":"Needs approval.  \n  - one\n\n**Drill** k7m2\n\n**📣 On call** alice\n\n[Details](https://drills.example.com/r/k7m2?t=a%28b%29)","buttons":"` + button + `","level":"warning","state":"","title":"🟠 [SANDBOX] Waiting: Checkout survives"}`
	want := `{"callbackRouteKey":"firedrill","callbackType":"HTTP","cardData":{"cardParamMap":` + params + `},"cardTemplateId":"tpl.schema",` +
		`"imGroupOpenDeliverModel":{"atUserIds":{"alice":"alice"},"robotCode":"dingbotdrill"},"imGroupOpenSpaceModel":{"supportForward":false},` +
		`"openSpaceId":"dtv1.card//IM_GROUP.cidDrills01==","outTrackId":"` + p.ID + `","userIdType":1}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	again, err := s.Post(t.Context(), toGroup, m)
	if err != nil || again != p || len(p.ID) > 64 {
		t.Errorf("sent again it is %+v, %v", again, err)
	}
	m.Text = "Approved."
	changed, err := s.Update(t.Context(), p, m)
	if err != nil || changed != p {
		t.Fatalf("update: %+v, %v", changed, err)
	}
	if c := last(t, v); c.method != "PUT" || c.path != "/v1.0/card/instances" || c.body["outTrackId"] != p.ID || c.body["cardUpdateOptions"].(map[string]any)["updateCardDataByKey"] != true {
		t.Errorf("got %+v", c)
	}
	for _, body := range []string{`{"success":false}`, `{"success":true,"result":{"deliverResults":[{"success":false,"errorMsg":"x"}]}}`} {
		v.reply = func(call) (int, string) { return 200, body }
		m.ID += "x"
		if _, err := s.Post(t.Context(), toGroup, m); chat.CodeOf(err) != chat.Denied {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := s.Update(t.Context(), chat.Posted{To: toGroup.String(), ID: "pqk1"}, m); !errors.Is(err, chat.ErrUnsupported) {
		t.Errorf("what is no card was changed: %v", err)
	}
}

func TestPost_RefusesAddressesThatAreNotOurs(t *testing.T) {
	v := newVendor(t)
	s := v.sender(t, options())
	for place, want := range map[string]chat.Code{"dingother/cid1": chat.Denied, tenant + "/robot:none": chat.Denied, tenant + "/": chat.Invalid, tenant: chat.Invalid} {
		if _, err := s.Post(t.Context(), chat.Address{Platform: chat.DingTalk, Place: place}, message()); chat.CodeOf(err) != want {
			t.Errorf("%s: %v", place, err)
		}
	}
	if _, err := s.Post(t.Context(), chat.Address{Platform: chat.Slack, Place: "T1/C1"}, message()); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("slack: %v", err)
	}
	if len(v.calls) != 0 {
		t.Errorf("%d calls", len(v.calls))
	}
}

func TestPost_ClassifiesWhatDingTalkSays(t *testing.T) {
	type reply struct {
		status int
		body   string
	}
	code := func(s string) string { return `{"code":"` + s + `","message":"hunter2","requestid":"x"}` }
	errcode := func(n int, s string) string {
		return `{"errcode":` + strconv.Itoa(n) + `,"errmsg":"` + s + ` hunter2"}`
	}
	for to, cases := range map[chat.Address]map[reply]chat.Code{
		toGroup: {
			{403, code("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")}: chat.Throttled, {403, code("Forbidden.AccessDenied.QpsLimitForApi")}: chat.Throttled,
			{429, ""}: chat.Throttled, {429, code("send.too.fast")}: chat.Throttled, {403, code("Forbidden.AccessDenied.ApiCountLimitForOrg")}: chat.Denied,
			{403, code("Forbidden.AccessDenied.AccessTokenPermissionDenied")}: chat.Denied, {400, code("invalidParameter.robotCode.notExsit")}: chat.Denied,
			{400, code("invalidParameter.robotCode.auth")}: chat.Denied, {400, code("resource.unavailable")}: chat.Denied, {400, code("group.disbanded")}: chat.Denied,
			{400, code("invalid.openConversationId")}: chat.Invalid, {400, code("miss.param.markdownTotitle")}: chat.Invalid, {400, code("invalidParameter.msgParam.tooLong")}: chat.Invalid,
			{400, code("something.new")}: chat.Invalid, {500, code("system.err")}: chat.Unavailable, {503, code("ServiceUnavailable")}: chat.Unavailable, {503, "<html>hunter2"}: chat.Unavailable,
			{500, code("something.new")}: chat.Unavailable, {200, code("system.err")}: chat.Unavailable, {200, code("something.new")}: chat.Invalid, {200, "{}"}: chat.Unavailable,
			{200, "<html>"}: chat.Unavailable, {200, `{"status":1111,"wait":5,"source":"x5","punish":"deny"}`}: chat.Throttled, {404, ""}: chat.Denied, {302, ""}: chat.Denied,
			{400, code("InvalidAuthentication")}: chat.Denied,
		},
		toCustom: {
			{200, errcode(310000, "keywords not in content")}: chat.Denied, {200, errcode(310000, "sign not match")}: chat.Denied, {200, errcode(310000, "invalid timestamp")}: chat.Denied,
			{200, errcode(310000, "ip 1.2.3.4 not in whitelist")}: chat.Denied, {200, errcode(300005, "token is not exist")}: chat.Denied, {200, errcode(400102, "bot is stopped")}: chat.Denied,
			{200, errcode(400013, "x")}: chat.Denied, {200, errcode(130101, "send too fast, exceed 20 times per minute")}: chat.Throttled, {200, errcode(410100, "x")}: chat.Throttled,
			{200, errcode(90018, "x")}: chat.Throttled, {200, errcode(90020, "x")}: chat.Denied, {200, errcode(-1, "x")}: chat.Unavailable, {200, errcode(40035, "x")}: chat.Invalid,
			{200, errcode(400105, "x")}: chat.Invalid, {200, errcode(123456, "x")}: chat.Invalid, {200, "{}"}: chat.Unavailable, {200, "<html>"}: chat.Unavailable, {503, ""}: chat.Unavailable,
		},
	} {
		for r, want := range cases {
			v := newVendor(t)
			v.reply = func(call) (int, string) { return r.status, r.body }
			_, err := v.sender(t, options()).Post(t.Context(), to, message())
			var e *chat.Error
			if !errors.As(err, &e) || e.Code != want {
				t.Errorf("%v: got %v, want %s", r, err, want)
				continue
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), v.URL) || !strings.Contains(err.Error(), to.String()) {
				t.Errorf("%v: the error shows too much or too little: %v", r, err)
			}
			if want == chat.Throttled && e.RetryAfter <= 0 {
				t.Errorf("%v: it does not say how long", r)
			}
			if n := len(v.calls); n != 1 && r.body != code("InvalidAuthentication") {
				t.Errorf("%v: %d calls", r, n)
			}
		}
	}
}

func TestPost_StaysAwayAsLongAsAsked(t *testing.T) {
	v := newVendor(t)
	clock := now
	s := v.sender(t, wire.Options{Loopback: true, Now: func() time.Time { return clock }, Wait: noWait})
	v.reply = func(call) (int, string) { return 429, "" }
	var e *chat.Error
	if _, err := s.Post(t.Context(), toGroup, message()); !errors.As(err, &e) || e.RetryAfter != 30*time.Second {
		t.Fatalf("got %v", err)
	}
	v.reply = func(call) (int, string) { return 200, taken }
	clock = now.Add(29 * time.Second)
	if _, err := s.Post(t.Context(), toGroup, message()); chat.CodeOf(err) != chat.Throttled || len(v.calls) != 1 {
		t.Errorf("too early: %v, %d calls", err, len(v.calls))
	}
	if _, err := s.Post(t.Context(), toCustom, message()); err != nil {
		t.Errorf("another destination: %v", err)
	}
	clock = now.Add(31 * time.Second)
	if _, err := s.Post(t.Context(), toGroup, message()); err != nil {
		t.Errorf("then: %v", err)
	}
}

func TestPost_NeverSendsMoreThanTwentyInAnyMinute(t *testing.T) {
	v := newVendor(t)
	clock := now
	var sent []time.Time
	s := v.sender(t, wire.Options{Loopback: true, Now: func() time.Time { return clock }, Wait: func(_ context.Context, d time.Duration) error {
		clock = clock.Add(d)
		return nil
	}})
	for range 60 {
		if _, err := s.Post(t.Context(), toCustom, message()); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, clock)
	}
	for i := range sent {
		n := 0
		for _, at := range sent[i:] {
			if at.Sub(sent[i]) < time.Minute {
				n++
			}
		}
		if n > 20 {
			t.Fatalf("%d in the minute from %s", n, sent[i])
		}
	}
}
