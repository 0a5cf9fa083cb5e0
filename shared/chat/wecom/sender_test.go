package wecom_test

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
	"github.com/firedrill/firedrill/shared/chat/wecom"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

const (
	appSecret = "hunter2-secret_of-the-app-0123456789"
	robotKey  = "hunter2a-1111-2222-3333-444444444444"
)

// request is what a server saw.
type request struct {
	method, path, query string
	body                string
	json                map[string]any
}

// fake answers each path with the next of its replies, the last one for ever.
type fake struct {
	t       *testing.T
	mu      sync.Mutex
	replies map[string][]string // "429 30" is a status and a Retry-After
	seen    []request
}

const (
	pathToken = "/cgi-bin/gettoken"
	pathSend  = "/cgi-bin/message/send"
	pathRobot = "/cgi-bin/webhook/send"
	okToken   = `{"errcode":0,"errmsg":"ok","access_token":"hunter2-access-1","expires_in":7200}`
	okSend    = `{"errcode":0,"errmsg":"ok","msgid":"m1","response_code":"rc1"}`
)

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	one := request{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, body: string(body)}
	if len(body) > 0 && json.Unmarshal(body, &one.json) != nil {
		f.t.Errorf("no JSON: %s", body)
	}
	f.seen = append(f.seen, one)
	left := f.replies[r.URL.Path]
	if len(left) == 0 {
		http.NotFound(w, r)
		return
	}
	if len(left) > 1 {
		f.replies[r.URL.Path] = left[1:]
	}
	var status int
	var after string
	if n, _ := fmt.Sscanf(left[0], "%d %s", &status, &after); n >= 1 {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
		return
	}
	fmt.Fprint(w, left[0])
}

func (f *fake) requests(path string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []request
	for _, r := range f.seen {
		if r.path == path {
			out = append(out, r)
		}
	}
	return out
}

// world is a sender, its server, its clock and its waits.
type world struct {
	*wecom.Sender
	*fake
	now   time.Time
	waits []time.Duration
}

func serve(t *testing.T, replies map[string][]string, pairs ...string) *world {
	t.Helper()
	w := &world{fake: &fake{t: t, replies: replies}, now: now}
	server := httptest.NewServer(w.fake)
	t.Cleanup(server.Close)
	vars := append([]string{"FIREDRILL_WECOM_TENANTS", corp, "FIREDRILL_WECOM_AGENT", agent, "FIREDRILL_WECOM_APP_SECRETS", appSecret,
		"FIREDRILL_WECOM_ROBOTS", "drills=" + robotKey, "FIREDRILL_ENDPOINT_WECOM", server.URL}, pairs...)
	s, err := wecom.Outbound(env(vars...), wire.Options{
		Loopback: true, Now: func() time.Time { return w.now },
		Wait: func(_ context.Context, d time.Duration) error {
			w.waits = append(w.waits, d)
			w.now = w.now.Add(d)
			return nil
		},
	})
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	w.Sender = s
	return w
}

func to(place string) chat.Address { return chat.Address{Platform: chat.WeCom, Place: place} }

func everyone() chat.Address { return to(corp + "/@all") }

func plainMessage() chat.Message {
	return chat.Message{
		ID: "fd_1", Mode: "SANDBOX", Level: chat.Info, Lang: "en", Title: "[SANDBOX] Started: Checkout survives", Text: "The service runs it.",
		Fields: []chat.Field{{Name: "Drill", Value: "k7m2 (checkout)"}}, Link: "https://drills.example.com/r/k7m2", Thread: "k7m2", At: now,
	}
}

func pressable() chat.Message {
	m := plainMessage()
	m.Level, m.Title = chat.Warning, "[SANDBOX] Waiting: Checkout survives"
	m.Buttons = []chat.Button{
		{Label: "Approve", Command: "approve k7m2", Style: chat.Primary, Token: "1.approve.abc"},
		{Label: "Stop", Command: "stop k7m2", Style: chat.Danger, Token: "1.stop.abc"},
		{Label: "Skip", Command: "skip k7m2", Token: "1.skip.abc"},
	}
	return m
}

func TestPost_IsMarkdownWhereNothingCanBePressed(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	posted, err := w.Post(t.Context(), everyone(), plainMessage())
	if err != nil || posted != (chat.Posted{To: "wecom:" + corp + "/@all", ID: "m1"}) {
		t.Fatalf("%+v, %v", posted, err)
	}
	if got := w.requests(pathToken); len(got) != 1 || got[0].method != http.MethodGet || got[0].query != "corpid="+corp+"&corpsecret="+appSecret || got[0].body != "" {
		t.Errorf("token: %+v", got)
	}
	got := w.requests(pathSend)
	want := `{"touser":"@all","msgtype":"markdown","agentid":1000002,"markdown":{"content":"### <font color=\"info\">[SANDBOX] Started: Checkout survives</font>\nThe service runs it.\n>**Drill:** k7m2 (checkout)\n[Details](https://drills.example.com/r/k7m2)"},"enable_duplicate_check":1,"duplicate_check_interval":14400}` + "\n"
	if len(got) != 1 || got[0].method != http.MethodPost || got[0].query != "access_token=hunter2-access-1" || got[0].body != want {
		t.Errorf("got %+v\nwant %s", got, want)
	}
}

func TestPost_IsACardWhereSomethingCanBePressed(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	posted, err := w.Post(t.Context(), to(corp+"/alice|bob"), pressable())
	if err != nil {
		t.Fatal(err)
	}
	got := w.requests(pathSend)
	want := `{"touser":"alice|bob","msgtype":"template_card","agentid":1000002,"template_card":{"card_type":"button_interaction","source":{"desc":"Firedrill · SANDBOX","desc_color":1},"main_title":{"title":"[SANDBOX] Waiting: Checkout survives"},"sub_title_text":"The service runs it.","horizontal_content_list":[{"keyname":"Drill","value":"k7m2 (checkout)"}],"card_action":{"type":1,"url":"https://drills.example.com/r/k7m2"},"task_id":"` + posted.ID + `","button_list":[{"text":"Approve","style":1,"key":"1.approve.abc"},{"text":"Stop","style":3,"key":"1.stop.abc"},{"text":"Skip","style":4,"key":"1.skip.abc"}]},"enable_duplicate_check":1,"duplicate_check_interval":14400}` + "\n"
	if len(got) != 1 || got[0].body != want {
		t.Errorf("got %+v\nwant %s", got, want)
	}
	if !strings.HasPrefix(posted.ID, "fd_1@") || len(posted.ID) > 128 || posted.Thread != "" {
		t.Errorf("posted %+v", posted)
	}
	again, err1 := w.Post(t.Context(), to(corp+"/alice|bob"), pressable())
	other, err2 := w.Post(t.Context(), to(corp+"/carol"), pressable())
	odd := pressable()
	odd.ID = strings.Repeat("中/é|", 100) + "x"
	long, err3 := w.Post(t.Context(), to(corp+"/carol"), odd)
	if err := errors.Join(err1, err2, err3); err != nil || again.ID != posted.ID || other.ID == posted.ID || len(long.ID) > 128 ||
		strings.Trim(long.ID, "0123456789abcdefx@") != "" {
		t.Errorf("ids %q, %q, %q, %q: %v", posted.ID, again.ID, other.ID, long.ID, err)
	}
}

func TestPost_TellsTheRestBeforeACardThatIsTooSmall(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	m := pressable()
	m.Fields = append(m.Fields, chat.Field{Name: "By hand", Value: "aws fis stop-experiment --id EXP1 " + strings.Repeat("--more ", 60)})
	for i := range 6 {
		m.Buttons = append(m.Buttons, chat.Button{Label: fmt.Sprint("Step ", i), Command: fmt.Sprint("skip k7m2 s", i), Token: fmt.Sprint("1.skip.", i)})
	}
	posted, err := w.Post(t.Context(), everyone(), m)
	if err != nil {
		t.Fatal(err)
	}
	got := w.requests(pathSend)
	if len(got) != 2 || got[0].json["msgtype"] != "markdown" || got[1].json["msgtype"] != "template_card" {
		t.Fatalf("got %+v", got)
	}
	for _, s := range []string{"aws fis stop-experiment --id EXP1 --more", "Step 5: `/drill skip k7m2 s5`"} {
		if !strings.Contains(got[0].body, s) {
			t.Errorf("%q is missing: %s", s, got[0].body)
		}
	}
	if strings.Contains(got[0].body, "/drill approve") || !strings.Contains(got[1].body, "message above") || !strings.Contains(got[1].body, posted.ID) || strings.Contains(got[1].body, "Step 5") {
		t.Errorf("got %s\n%s", got[0].body, got[1].body)
	}
}

func TestPost_ReachesPlaces(t *testing.T) {
	for place, want := range map[string]string{
		"/@all": `"touser":"@all"`, "/alice": `"touser":"alice"`, "/a.b@c-d_e|bob": `"touser":"a.b@c-d_e|bob"`, "/party:2": `"toparty":"2"`, "/party:2|3": `"toparty":"2|3"`, "/tag:3": `"totag":"3"`,
	} {
		w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
		if _, err := w.Post(t.Context(), to(corp+place), plainMessage()); err != nil {
			t.Errorf("%s: %v", place, err)
		} else if got := w.requests(pathSend); !strings.HasPrefix(got[0].body, "{"+want+`,"msgtype"`) {
			t.Errorf("%s: %s", place, got[0].body)
		}
	}
}

func TestPost_RefusesOtherPlaces(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	for place, want := range map[string]chat.Code{
		"wwother0000000001/@all": chat.Denied, corp + "/robot:other": chat.Denied, corp + "/": chat.Invalid, corp + "/@ALL": chat.Invalid, corp + "/@all|bob": chat.Invalid, corp + "/party:x": chat.Invalid,
		corp + "/tag:": chat.Invalid, corp + "/alice||bob": chat.Invalid, corp + "/room:1": chat.Invalid, corp + "/robot:": chat.Invalid, corp + "/robot:a/b": chat.Invalid, "": chat.Invalid,
		corp + "/" + strings.Repeat("a|", 1000) + "a": chat.Invalid,
	} {
		if _, err := w.Post(t.Context(), to(place), plainMessage()); chat.CodeOf(err) != want || err == nil {
			t.Errorf("%.60s: %v (%s)", place, err, chat.CodeOf(err))
		}
	}
	if _, err := w.Post(t.Context(), chat.Address{Platform: chat.Slack, Place: corp + "/@all"}, plainMessage()); chat.CodeOf(err) != chat.Invalid {
		t.Error(err)
	}
	if n := len(w.requests(pathSend)) + len(w.requests(pathToken)); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestPost_ThroughARobot(t *testing.T) {
	w := serve(t, map[string][]string{pathRobot: {`{"errcode":0,"errmsg":"ok"}`}})
	m := pressable()
	m.Level, m.Lang, m.Mention = chat.Urgent, "zh", "wecom:"+corp+"/bob|@carol"
	posted, err := w.Post(t.Context(), to(corp+"/robot:drills"), m)
	if err != nil || posted != (chat.Posted{To: "wecom:" + corp + "/robot:drills"}) {
		t.Fatalf("%+v, %v", posted, err)
	}
	got := w.requests(pathRobot)
	want := `{"msgtype":"markdown","markdown":{"content":"### 🚨 <font color=\"warning\">[SANDBOX] Waiting: Checkout survives</font>\nThe service runs it.\n>**Drill：** k7m2 (checkout)\n请私聊发送给应用：\nApprove：` + "`/drill approve k7m2`" + `\nStop：` + "`/drill stop k7m2`" + `\nSkip：` + "`/drill skip k7m2`" + `\n<@bob> <@carol>\n[查看详情](https://drills.example.com/r/k7m2)"}}` + "\n"
	if len(got) != 1 || got[0].query != "key="+robotKey || got[0].body != want {
		t.Errorf("got  %+v\nwant %s", got, want)
	}
}

func TestSay_TellsOneMember(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	say := chat.Saying{To: to(corp + "/alice"), User: "alice", Text: "No <@bob>, that is not yours.", Mode: "SANDBOX", ID: "s1"}
	if err := w.Say(t.Context(), say); err != nil {
		t.Fatal(err)
	}
	say.To, say.User, say.Text = everyone(), "bob", "[SANDBOX] again"
	if err := w.Say(t.Context(), say); err != nil {
		t.Fatal(err)
	}
	got := w.requests(pathSend)
	if len(got) != 2 || got[0].body != `{"touser":"alice","msgtype":"text","agentid":1000002,"text":{"content":"[SANDBOX] No ＜@bob>, that is not yours."}}`+"\n" ||
		got[1].body != `{"touser":"bob","msgtype":"text","agentid":1000002,"text":{"content":"[SANDBOX] again"}}`+"\n" {
		t.Errorf("got %+v", got)
	}
	for _, bad := range []chat.Saying{{To: everyone(), Text: "x"}, {To: to(corp + "/alice"), User: "@all"}, {To: to(corp + "/robot:drills")}, {To: to(corp + "/a|b")}} {
		if err := w.Say(t.Context(), bad); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestUpdateAndReply_AreNotOffered(t *testing.T) {
	w := serve(t, nil)
	if c := w.Capabilities(everyone()); c != (chat.Capabilities{Buttons: true}) {
		t.Errorf("the app claims %+v", c)
	}
	if c := w.Capabilities(to(corp + "/robot:drills")); c != (chat.Capabilities{}) {
		t.Errorf("a robot claims %+v", c)
	}
	_, err1 := w.Update(t.Context(), chat.Posted{}, plainMessage())
	_, err2 := w.Reply(t.Context(), chat.Posted{}, plainMessage())
	if !errors.Is(err1, chat.ErrUnsupported) || !errors.Is(err2, chat.ErrUnsupported) || chat.Retryable(err1) {
		t.Errorf("got %v, %v", err1, err2)
	}
}
