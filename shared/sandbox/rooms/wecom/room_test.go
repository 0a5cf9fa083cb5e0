package wecom_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	room "github.com/firedrill/firedrill/shared/sandbox/rooms/wecom"
)

const (
	corp = "wwdrill0000000001"
	all  = "wecom:" + corp + "/@all"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func start() *clock { return &clock{time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)} }

// api is a room served over HTTP, as anybody's client would use it.
type api struct {
	t     *testing.T
	base  string
	token string
}

func serve(t *testing.T, r *room.Room) *api {
	t.Helper()
	server := httptest.NewServer(r.API())
	t.Cleanup(server.Close)
	a := &api{t: t, base: server.URL}
	env := r.Env(server.URL)
	q := url.Values{"corpid": {env["FIREDRILL_WECOM_TENANTS"]}, "corpsecret": {env["FIREDRILL_WECOM_APP_SECRETS"]}}
	a.token, _ = a.call("GET", "/cgi-bin/gettoken?"+q.Encode(), "")["access_token"].(string)
	if a.token == "" {
		t.Fatal("no token")
	}
	return a
}

func (a *api) call(method, path, body string) map[string]any {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return map[string]any{"lost": true}
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	out := map[string]any{}
	if res.StatusCode != http.StatusOK {
		return map[string]any{"status": res.StatusCode, "after": res.Header.Get("Retry-After")}
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		a.t.Fatalf("%v: %s", err, raw)
	}
	return out
}

func (a *api) send(body string) map[string]any {
	a.t.Helper()
	return a.call("POST", "/cgi-bin/message/send?access_token="+a.token, body)
}

func text(to, content string) string {
	return fmt.Sprintf(`{"touser":%q,"msgtype":"text","agentid":1000002,"text":{"content":%q}}`, to, content)
}

func cardJSON(task string, more string) string {
	return `{"touser":"@all","msgtype":"template_card","agentid":1000002,"template_card":{"card_type":"button_interaction","source":{"desc":"Firedrill","desc_color":2},"main_title":{"title":"Title"},"sub_title_text":"Sub","task_id":"` + task + `",` +
		`"horizontal_content_list":[{"keyname":"Drill","value":"k7m2"}],"card_action":{"type":1,"url":"https://x.example/r"},"button_list":[{"text":"Yes","style":1,"key":"t1"},{"text":"No","style":3,"key":"t2"}]` + more + `}}`
}

func TestAPI_ChecksWhatTheVendorChecks(t *testing.T) {
	a := serve(t, room.New(start().now))
	robot := "/cgi-bin/webhook/send?key=5a4db0c5-0000-4000-8000-000000000001"
	send := "/cgi-bin/message/send?access_token=" + a.token
	for name, c := range map[string]struct {
		path, body string
		code       float64
	}{
		"no company":               {"/cgi-bin/gettoken?corpsecret=x", "", 41002},
		"no secret":                {"/cgi-bin/gettoken?corpid=x", "", 41004},
		"another company":          {"/cgi-bin/gettoken?corpid=x&corpsecret=x", "", 40013},
		"a wrong secret":           {"/cgi-bin/gettoken?corpid=" + corp + "&corpsecret=x", "", 40001},
		"no token":                 {"/cgi-bin/message/send", text("@all", "x"), 41001},
		"a wrong token":            {"/cgi-bin/message/send?access_token=x", text("@all", "x"), 40014},
		"no JSON":                  {send, "{", 47001},
		"no app":                   {send, `{"touser":"@all","msgtype":"text","text":{"content":"x"}}`, 41011},
		"another app":              {send, `{"touser":"@all","msgtype":"text","agentid":1,"text":{"content":"x"}}`, 301002},
		"nobody":                   {send, text("", "x"), 82001},
		"unknown people":           {send, text("dave|eve", "x"), 81013},
		"an unknown department":    {send, `{"toparty":"7","msgtype":"text","agentid":1000002,"text":{"content":"x"}}`, 81013},
		"an unknown kind":          {send, `{"touser":"@all","msgtype":"dance","agentid":1000002}`, 40008},
		"nothing to say":           {send, text("@all", ""), 44004},
		"too much markdown":        {send, `{"touser":"@all","msgtype":"markdown","agentid":1000002,"markdown":{"content":"` + strings.Repeat("a", 2049) + `"}}`, 45002},
		"as much as goes":          {send, `{"touser":"@all","msgtype":"markdown","agentid":1000002,"markdown":{"content":"` + strings.Repeat("a", 2048) + `"}}`, 0},
		"a task with odd signs":    {send, cardJSON("a.b", ""), 40058},
		"no task":                  {send, cardJSON("", ""), 40058},
		"two buttons of one key":   {send, strings.Replace(cardJSON("t", ""), "t2", "t1", 1), 40058},
		"a button without a text":  {send, strings.Replace(cardJSON("t", ""), "Yes", "", 1), 40058},
		"a card with no title":     {send, strings.NewReplacer("Title", "", "Sub", "").Replace(cardJSON("t", "")), 40058},
		"a card of another kind":   {send, strings.Replace(cardJSON("t", ""), "button_interaction", "x", 1), 40058},
		"a page that is none":      {send, strings.Replace(cardJSON("t", ""), "https://x.example/r", "x", 1), 40058},
		"a good card":              {send, cardJSON("fresh", ""), 0},
		"the same task again":      {send, cardJSON("once", `,"x":1`), 40058},
		"an unknown response code": {"/cgi-bin/message/update_template_card?access_token=" + a.token, `{"agentid":1000002,"response_code":"x","button":{"replace_name":"y"}}`, 40058},
		"another robot":            {"/cgi-bin/webhook/send?key=x", text("", "x"), 93000},
		"too much for a robot":     {robot, `{"msgtype":"markdown","markdown":{"content":"` + strings.Repeat("a", 4097) + `"}}`, 45002},
		"a robot's buttons":        {robot, cardJSON("r", ""), 40058},
	} {
		if name == "the same task again" {
			a.send(cardJSON("once", ""))
		}
		out := a.call("POST", c.path, c.body)
		if out["errcode"] != c.code || out["errmsg"] == "" {
			t.Errorf("%s: %v, want %v", name, out, c.code)
		}
	}
}

func TestAPI_AccessTokensEnd(t *testing.T) {
	c := start()
	a := serve(t, room.New(c.now))
	if out := a.send(text("@all", "x")); out["errcode"] != 0.0 {
		t.Fatal(out)
	}
	c.at = c.at.Add(2 * time.Hour)
	if out := a.send(text("@all", "x")); out["errcode"] != 42001.0 {
		t.Error(out)
	}
}

func TestAPI_LimitsAsTheVendorDoes(t *testing.T) {
	c := start()
	r := room.New(c.now)
	a := serve(t, r)
	for i := range 35 {
		if out := a.send(text("alice", fmt.Sprint(i))); out["errcode"] != 0.0 {
			t.Fatal(out)
		}
	}
	if n := len(r.Messages(all, "alice")); n != 30 {
		t.Errorf("alice sees %d", n)
	}
	robot := "/cgi-bin/webhook/send?key=5a4db0c5-0000-4000-8000-000000000001"
	for i := range 21 {
		if out := a.call("POST", robot, text("", "x")); (out["errcode"] == 45009.0) != (i == 20) {
			t.Fatal(i, out)
		}
	}
	c.at = c.at.Add(time.Minute)
	if out := a.call("POST", robot, text("", "x")); out["errcode"] != 0.0 {
		t.Error(out)
	}
	a.send(text("alice", "later"))
	if n := len(r.Messages(all, "alice")); n != 31 {
		t.Errorf("alice sees %d a minute later", n)
	}
	if n := len(r.Messages("wecom:"+corp+"/robot:drills", "bob")); n != 21 {
		t.Errorf("the group sees %d", n)
	}
}

func TestAPI_DropsWhatIsSentTwice(t *testing.T) {
	c := start()
	r := room.New(c.now)
	a := serve(t, r)
	once := strings.Replace(text("bob", "x"), `"agentid"`, `"enable_duplicate_check":1,"duplicate_check_interval":14400,"agentid"`, 1)
	first, second := a.send(once), a.send(once)
	if first["msgid"] != second["msgid"] || len(r.Messages(all, "bob")) != 1 {
		t.Error(first, second)
	}
	if a.send(text("bob", "x")); len(r.Messages(all, "bob")) != 2 {
		t.Error("dropped without being asked to")
	}
	c.at = c.at.Add(4 * time.Hour)
	a = serve(t, r)
	if a.send(once); len(r.Messages(all, "bob")) != 3 {
		t.Error("dropped after four hours")
	}
}

func TestTrouble_FailsAsTheVendorFails(t *testing.T) {
	r := room.New(start().now)
	a := serve(t, r)
	for _, c := range []struct {
		trouble rooms.Trouble
		want    string
	}{
		{rooms.Trouble{Kind: "throttled", Times: 1}, "errcode:45009"},
		{rooms.Trouble{Kind: "throttled", Times: 1, After: 30 * time.Second}, "map[after:30 status:429]"},
		{rooms.Trouble{Kind: "error", Times: 1}, "errcode:-1"},
		{rooms.Trouble{Kind: "down", Times: 1}, "status:503"},
		{rooms.Trouble{Kind: "lost", Times: 1}, "lost:true"},
	} {
		before := len(r.Messages(all, "carol"))
		r.Trouble(c.trouble)
		if out := fmt.Sprint(a.send(text("carol", c.want))); !strings.Contains(out, c.want) {
			t.Errorf("%+v: %s", c.trouble, out)
		}
		if lost := c.trouble.Kind == "lost"; lost != (len(r.Messages(all, "carol")) == before+1) {
			t.Errorf("%+v: %d messages", c.trouble, len(r.Messages(all, "carol")))
		}
		if out := a.send(text("carol", "after "+c.want)); out["errcode"] != 0.0 {
			t.Errorf("after it: %v", out)
		}
	}
}

func TestMessages_AreWhatAPersonSees(t *testing.T) {
	r := room.New(start().now)
	a := serve(t, r)
	a.send(`{"touser":"@all","msgtype":"markdown","agentid":1000002,"markdown":{"content":"### 🚨 <font color=\"warning\">Title</font>\n>**Drill:** a_b <@bob>\n` + "`/drill stop`" + `\n[Details](https://x.example/r)"}}`)
	a.send(cardJSON("task-1", ""))
	a.send(text("bob", `only <a href="x">you</a>`))
	a.send(`{"totag":"1","msgtype":"text","agentid":1000002,"text":{"content":"` + strings.Repeat("演", 700) + `"}}`)
	a.call("POST", "/cgi-bin/webhook/send?key=5a4db0c5-0000-4000-8000-000000000001", `{"msgtype":"markdown","markdown":{"content":"hi <@bob>"}}`)
	got := r.Messages(all, "bob")
	if len(got) != 4 {
		t.Fatalf("bob sees %+v", got)
	}
	if m := got[0]; m.Text != "🚨 Title\nDrill: a_b <@bob>\n/drill stop" || !m.Urgent || !m.Bot || m.Private != "" || fmt.Sprint(m.Buttons) != "[{Details  https://x.example/r}]" {
		t.Errorf("markdown: %+v", m)
	}
	if m := got[1]; m.Text != "Firedrill\nTitle\nSub\nDrill: k7m2" || !m.Urgent || fmt.Sprint(m.Buttons) != "[{Yes primary } {No danger } {↗  https://x.example/r}]" {
		t.Errorf("card: %+v", m)
	}
	if m := got[2]; m.Text != "only you" || m.Private != "bob" || m.Urgent {
		t.Errorf("text: %+v", m)
	}
	if m := got[3]; len(m.Text) != 2046 || m.Private != "" {
		t.Errorf("a long text: %d bytes", len(m.Text))
	}
	if n := len(r.Messages(all, "alice")); n != 3 {
		t.Errorf("alice sees %d", n)
	}
	if got := r.Messages("wecom:"+corp+"/robot:drills", "carol"); len(got) != 1 || got[0].Text != "hi @Bob" {
		t.Errorf("group: %+v", got)
	}
	for _, c := range [][2]string{{all, "nobody"}, {"wecom:" + corp + "/bob", "alice"}, {"wecom:x/@all", "bob"}} {
		if got := r.Messages(c[0], c[1]); got != nil {
			t.Errorf("%v: %+v", c, got)
		}
	}
}

func TestMessages_AreBounded(t *testing.T) {
	c := start()
	r := room.New(c.now)
	a := serve(t, r)
	a.call("POST", "/cgi-bin/webhook/send?key=5a4db0c5-0000-4000-8000-000000000001", text("", "group"))
	for i := range 510 {
		c.at = c.at.Add(8 * time.Second)
		if out := a.send(text("bob", fmt.Sprint(i))); out["errcode"] != 0.0 {
			t.Fatal(out)
		}
	}
	got := r.Messages(all, "bob")
	if len(got) != 500 || got[499].Text != "509" || len(r.Messages("wecom:"+corp+"/robot:drills", "bob")) != 1 {
		t.Errorf("%d messages", len(got))
	}
}

func TestUpdateCard_TakesACodeOnceAndFor72Hours(t *testing.T) {
	c := start()
	r := room.New(c.now)
	a := serve(t, r)
	update := func(code any) any {
		return a.call("POST", "/cgi-bin/message/update_template_card?access_token="+a.token, fmt.Sprintf(`{"userids":["bob"],"agentid":1000002,"response_code":%q,"button":{"replace_name":"done"}}`, code))["errcode"]
	}
	code := a.send(cardJSON("a", ""))["response_code"]
	if got := update(code); got != 0.0 {
		t.Fatal(got)
	}
	if m := r.Messages(all, "bob")[0]; m.Edits != 1 || !strings.HasSuffix(m.Text, "\n[done]") || len(m.Buttons) != 1 {
		t.Errorf("bob: %+v", m)
	}
	if m := r.Messages(all, "alice")[0]; m.Edits != 0 || len(m.Buttons) != 3 {
		t.Errorf("alice: %+v", m)
	}
	if got := update(code); got != 40058.0 {
		t.Errorf("twice: %v", got)
	}
	code = a.send(cardJSON("b", ""))["response_code"]
	c.at = c.at.Add(73 * time.Hour)
	a = serve(t, r)
	if got := update(code); got != 40058.0 {
		t.Errorf("late: %v", got)
	}
}

func TestSay_RefusesWhatNobodyCanDo(t *testing.T) {
	r := room.New(start().now)
	if _, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "x"}); err == nil {
		t.Error("not connected: no error")
	}
	r.Connect(http.NotFoundHandler())
	for name, s := range map[string]rooms.Saying{
		"a stranger":      {Person: "dave", Channel: all},
		"a thread":        {Person: "alice", Channel: all, Thread: "x"},
		"a group":         {Person: "alice", Channel: "wecom:" + corp + "/robot:drills"},
		"another's place": {Person: "alice", Channel: "wecom:" + corp + "/bob"},
	} {
		if _, err := r.Say(t.Context(), s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "x"}); err != nil || heard.Status != 404 || heard.Text != "" {
		t.Errorf("%+v, %v", heard, err)
	}
}

func TestSay_IsDeliveredAsTheVendorDelivers(t *testing.T) {
	r := room.New(start().now)
	var seen *http.Request
	var body []byte
	r.Connect(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		seen = req
		body, _ = io.ReadAll(req.Body)
		_, _ = w.Write([]byte("success"))
	}))
	heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "/drill list ]]> 演练"})
	if err != nil || heard.Status != 200 || heard.Text != "" || !bytes.Equal(heard.Body, body) {
		t.Fatalf("%+v, %v", heard, err)
	}
	q := seen.URL.Query()
	if seen.Method != http.MethodPost || seen.URL.Path != "/chat/wecom" || len(q) != 3 || len(q.Get("msg_signature")) != 40 || q.Get("timestamp") != "1795856400" || q.Get("nonce") == "" {
		t.Errorf("%s %s", seen.Method, seen.URL)
	}
	var e struct{ ToUserName, AgentID, Encrypt string }
	if err := xml.Unmarshal(body, &e); err != nil || e.ToUserName != corp || e.AgentID != "1000002" || e.Encrypt == "" {
		t.Errorf("%s: %v", body, err)
	}
	again, _ := io.ReadAll(heard.Request.Body)
	if !bytes.Equal(again, body) || heard.Request.URL.String() != seen.URL.String() {
		t.Error("the request that is kept differs")
	}
	if got := r.Messages(all, "alice"); len(got) != 1 || got[0].From != "Alice" || got[0].Bot || got[0].Private != "alice" || got[0].Text != "/drill list ]]> 演练" {
		t.Errorf("%+v", got)
	}
	if got := r.Messages(all, "bob"); len(got) != 0 {
		t.Errorf("bob sees %+v", got)
	}
}

func TestSay_ReportsAnAnswerThatWeComCouldNotRead(t *testing.T) {
	r := room.New(start().now)
	for _, answer := range []string{"hello", "<xml></xml>", "<xml><Encrypt>AAAA</Encrypt><MsgSignature>x</MsgSignature><TimeStamp>1</TimeStamp><Nonce>1</Nonce></xml>"} {
		r.Connect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		if heard, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: all, Text: "x"}); err == nil || heard.Status != 200 {
			t.Errorf("%s: %+v", answer, heard)
		}
	}
}

func TestRoom_SaysWhoIsThere(t *testing.T) {
	var r rooms.Room = room.New(start().now)
	if r.Platform() != chat.WeCom || len(r.Channels()) != 1 || r.Channels()[0].Address != all {
		t.Errorf("%v", r.Channels())
	}
	var got []string
	for _, p := range r.People() {
		got = append(got, p.Who+"="+p.Role)
	}
	if want := "wecom:" + corp + "/alice=operator wecom:" + corp + "/bob=approver wecom:" + corp + "/carol=viewer wecom:" + corp + "/mallory=stranger"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
	if _, err := chat.ParseAddress(r.Channels()[0].Address); err != nil {
		t.Error(err)
	}
	if _, err := r.Press(context.Background(), rooms.Pressing{Person: "alice", Channel: all, Message: "x"}); err == nil {
		t.Error("pressed nothing")
	}
}
