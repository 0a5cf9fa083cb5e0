package dingtalk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/dingtalk"
)

const channel = "dingtalk:dingdrill/cidDrills01=="

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

// client calls the room's API as anybody could.
type client struct {
	t     *testing.T
	api   http.Handler
	token string
}

func (c *client) do(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("x-acs-dingtalk-access-token", c.token)
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, req)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil && w.Body.String() != "null" {
		c.t.Fatalf("%s: %s", path, w.Body)
	}
	return w.Code, out
}

func open(t *testing.T, r *dingtalk.Room) *client {
	t.Helper()
	c := &client{t: t, api: r.API()}
	env := r.Env("http://127.0.0.1:1")
	_, out := c.do("POST", "/v1.0/oauth2/accessToken", fmt.Sprintf(`{"appKey":%q,"appSecret":%q}`, env["FIREDRILL_DINGTALK_APP_KEY"], env["FIREDRILL_DINGTALK_APP_SECRETS"]))
	c.token, _ = out["accessToken"].(string)
	if c.token == "" {
		t.Fatalf("no token: %v", out)
	}
	return c
}

func send(param string, more ...string) string {
	o := map[string]any{"robotCode": "dingbotdrill", "openConversationId": "cidDrills01==", "msgKey": "sampleMarkdown", "msgParam": param}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	raw, _ := json.Marshal(o)
	return string(raw)
}

const group, oto = "/v1.0/robot/groupMessages/send", "/v1.0/robot/oToMessages/batchSend"

func TestAPI_RefusesWhatTheVendorRefuses(t *testing.T) {
	r := dingtalk.New(newClock().now)
	c := open(t, r)
	for name, row := range map[string]struct {
		path, body, code string
		status           int
	}{
		"a wrong secret":      {"/v1.0/oauth2/accessToken", `{"appKey":"dingappdrill","appSecret":"x"}`, "invalidClientIdOrSecret", 400},
		"no JSON":             {group, `{`, "Invalidbody", 400},
		"another robot":       {group, send(`{"title":"t","text":"x"}`, "robotCode", "x"), "invalidParameter.robotCode.notExsit", 400},
		"an unknown group":    {group, send(`{"title":"t","text":"x"}`, "openConversationId", "x"), "invalid.openConversationId", 400},
		"an unknown kind":     {group, send(`{"title":"t","text":"x"}`, "msgKey", "x"), "invalidParameter.msgKey.invalid", 400},
		"six buttons":         {group, send(`{"title":"t","text":"x"}`, "msgKey", "sampleActionCard7"), "invalidParameter.msgKey.invalid", 400},
		"parameters of none":  {group, send(`x`), "invalidParameter.msgParam.invalid", 400},
		"no title":            {group, send(`{"text":"x"}`), "miss.param.markdownTotitle", 400},
		"no text":             {group, send(`{"title":"x"}`), "miss.param.markdownTotext", 400},
		"a button of none":    {group, send(`{"title":"x","text":"x","actionTitle1":"a","actionURL1":"b"}`, "msgKey", "sampleActionCard2"), "miss.param.actionCard", 400},
		"too large":           {group, send(`{"title":"x","text":"` + strings.Repeat("演", 5000) + `"}`), "invalidParameter.msgParam.tooLong", 400},
		"to nobody":           {oto, send(`{"title":"t","text":"x"}`), "MissinguserIds", 400},
		"a card, and no card": {"/v1.0/card/instances/createAndDeliver", `{}`, "param.templateNotExist", 400},
		"no such path":        {"/v1.0/robot/none", `{}`, "InvalidAction.NotFound", 404},
	} {
		status, out := c.do("POST", row.path, row.body)
		if status != row.status || out["code"] != row.code {
			t.Errorf("%s: %d %v, want %s", name, status, out, row.code)
		}
	}
	for _, bad := range []string{"", "guessed"} {
		other := &client{t: t, api: c.api, token: bad}
		if status, out := other.do("POST", group, send(`{"title":"t","text":"x"}`)); status != 400 || out["code"] != "InvalidAuthentication" {
			t.Errorf("the token %q: %d %v", bad, status, out)
		}
	}
	r.Expire()
	if _, out := c.do("POST", group, send(`{"title":"t","text":"x"}`)); out["code"] != "InvalidAuthentication" {
		t.Errorf("a token that is no longer good: %v", out)
	}
	if len(r.Messages(channel, "alice")) != 0 {
		t.Error("something was posted")
	}
}

func TestAPI_LimitsHowOften(t *testing.T) {
	k := newClock()
	c := open(t, dingtalk.New(k.now))
	const body = `{"title":"t","text":"x"}`
	for i := range 20 {
		if status, out := c.do("POST", group, send(body)); status != 200 || out["processQueryKey"] == "" {
			t.Fatalf("%d: %d %v", i, status, out)
		}
	}
	if status, out := c.do("POST", group, send(body)); status != 403 || out["code"] != "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi" {
		t.Errorf("the 21st in a second: %d %v", status, out)
	}
	k.add(2 * time.Second)
	if status, out := c.do("POST", group, send(body)); status != 429 || out["code"] != "send.too.fast" {
		t.Errorf("the 21st in a minute: %d %v", status, out)
	}
	k.add(2 * time.Minute)
	if status, _ := c.do("POST", group, send(body)); status != 429 {
		t.Errorf("the block is over after two minutes: %d", status)
	}
	k.add(9 * time.Minute)
	if status, out := c.do("POST", group, send(body)); status != 200 {
		t.Errorf("after the block: %d %v", status, out)
	}
}

func custom(r *dingtalk.Room, at time.Time) string {
	entry := strings.TrimPrefix(r.Env("http://127.0.0.1:1")["FIREDRILL_DINGTALK_ROBOTS"], "ops=")
	token, key, _ := strings.Cut(entry, ":")
	ts := strconv.FormatInt(at.UnixMilli(), 10)
	return "/robot/send?" + url.Values{"access_token": {token}, "timestamp": {ts}, "sign": {hash(key, ts+"\n"+key)}}.Encode()
}

func TestAPI_OfCustomRobotsAnswersInA200(t *testing.T) {
	k := newClock()
	r := dingtalk.New(k.now)
	c := &client{t: t, api: r.API()}
	const body = `{"msgtype":"markdown","markdown":{"title":"t","text":"### **x**"},"at":{"atUserIds":["alice"]},"msgUuid":"u1"}`
	good := custom(r, k.now())
	for name, row := range map[string]struct {
		path, body string
		code       float64
	}{
		"no token":       {"/robot/send", body, 40035},
		"another token":  {"/robot/send?access_token=x", body, 300005},
		"an old time":    {custom(r, k.now().Add(-61*time.Minute)), body, 310000},
		"no signature":   {strings.Split(good, "&sign")[0] + "&timestamp=" + strconv.FormatInt(k.now().UnixMilli(), 10), body, 310000},
		"another kind":   {good, `{"msgtype":"picture"}`, 400105},
		"no text":        {good, `{"msgtype":"markdown","markdown":{"title":"t"}}`, 40035},
		"too large":      {good, `{"msgtype":"text","text":{"content":"` + strings.Repeat("x", 20001) + `"}}`, 460101},
		"an old session": {"/robot/sendBySession?session=x", body, 300001},
	} {
		if status, out := c.do("POST", row.path, row.body); status != 200 || out["errcode"] != row.code {
			t.Errorf("%s: %d %v, want %v", name, status, out, row.code)
		}
	}
	if _, out := c.do("GET", good, ""); out["errcode"] != float64(43002) {
		t.Errorf("not posted: %v", out)
	}
	for range 2 { // the second is the same again
		if _, out := c.do("POST", good, body); out["errcode"] != float64(0) {
			t.Fatalf("refused: %v", out)
		}
	}
	seen := r.Messages("dingtalk:dingdrill/robot:ops", "alice")
	if len(seen) != 1 || seen[0].Text != "x" || !seen[0].Urgent {
		t.Errorf("seen: %+v", seen)
	}
	codes := map[float64]int{}
	for i := range 25 {
		_, out := c.do("POST", good, strings.Replace(body, "u1", "n"+strconv.Itoa(i), 1))
		codes[out["errcode"].(float64)]++
	}
	if codes[0] != 19 || codes[130101] != 1 || codes[410100] != 5 {
		t.Errorf("25 more: %v", codes)
	}
}

func TestTrouble_FailsAsTheVendorFails(t *testing.T) {
	k := newClock()
	r := dingtalk.New(k.now)
	c := open(t, r)
	body := send(`{"title":"t","text":"x"}`)
	for kind, want := range map[string][2]string{
		"throttled": {"403", "Forbidden.AccessDenied.QpsLimitForApi"}, "error": {"200", "system.err"}, "down": {"503", ""}, "lost": {"504", ""},
	} {
		r.Trouble(rooms.Trouble{Kind: kind, Times: 1})
		before := len(r.Messages(channel, "alice"))
		status, out := c.do("POST", group, body)
		code, _ := out["code"].(string)
		if strconv.Itoa(status) != want[0] || code != want[1] {
			t.Errorf("%s: %d %v", kind, status, out)
		}
		if taken := len(r.Messages(channel, "alice")) > before; taken != (kind == "lost") {
			t.Errorf("%s: taken is %v", kind, taken)
		}
		if status, _ := c.do("POST", group, body); status != 200 {
			t.Errorf("%s: it goes on", kind)
		}
	}
	for kind, want := range map[string]float64{"throttled": 130101, "error": -1} {
		r.Trouble(rooms.Trouble{Kind: kind, Times: 1})
		if _, out := c.do("POST", custom(r, k.now()), `{"msgtype":"text","text":{"content":"x"}}`); out["errcode"] != want {
			t.Errorf("%s: %v", kind, out)
		}
	}
}
