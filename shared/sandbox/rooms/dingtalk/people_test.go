package dingtalk_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/dingtalk"
)

// heard keeps what was sent to it.
type heard struct {
	*http.Request
	body   map[string]any
	answer string
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	h.Request, h.body = r, nil
	_ = json.Unmarshal(raw, &h.body)
	_, _ = io.WriteString(w, h.answer)
}

func TestPeople_AreHeardAsTheVendorTellsIt(t *testing.T) {
	k := newClock()
	if _, err := dingtalk.New(k.now).Say(t.Context(), rooms.Saying{Person: "alice", Channel: channel, Text: "x"}); err == nil {
		t.Error("heard by nobody")
	}
	r := dingtalk.New(k.now)
	h := &heard{}
	r.Connect(h)
	env := r.Env("http://127.0.0.1:1/d")
	out, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: channel, Text: "status"})
	if err != nil || out.Status != 200 || out.Text != "" || !bytes.Contains(out.Body, []byte("senderStaffId")) {
		t.Fatalf("heard %+v, %v", out, err)
	}
	key, ts := env["FIREDRILL_DINGTALK_APP_SECRETS"], h.Header.Get("timestamp")
	if h.URL.Path != "/chat/dingtalk" || h.Header.Get("sign") != hash(key, ts+"\n"+key) || ts != strconv.FormatInt(k.now().UnixMilli(), 10) {
		t.Errorf("got %s %v", h.URL, h.Header)
	}
	if h.body["text"].(map[string]any)["content"] != " status" || h.body["isInAtList"] != true || h.body["senderStaffId"] != "alice" || h.body["conversationType"] != "2" ||
		h.body["conversationId"] != "cidDrills01==" || !strings.HasPrefix(h.body["sessionWebhook"].(string), "http://127.0.0.1:1/d/robot/sendBySession?session=") {
		t.Errorf("got %v", h.body)
	}
	c := &client{t: t, api: r.API()}
	hook := strings.TrimPrefix(h.body["sessionWebhook"].(string), "http://127.0.0.1:1/d")
	if _, out := c.do("POST", hook, `{"msgtype":"markdown","markdown":{"title":"t","text":"@alice [x](https://x.example) \\*y\\* <font color=red>z</font>"}}`); out["errcode"] != float64(0) {
		t.Errorf("answer: %v", out)
	}
	seen := r.Messages(channel, "bob")
	if len(seen) != 2 || seen[0].Text != "@Firedrill status" || seen[0].From != "Alice" || seen[1].Text != "@alice x *y* z" || !seen[1].Bot || seen[1].Buttons[0].URL != "https://x.example" {
		t.Errorf("seen %+v", seen)
	}
	k.add(91 * time.Minute)
	if _, out := c.do("POST", hook, `{"msgtype":"text","text":{"content":"x"}}`); out["errcode"] != float64(300001) {
		t.Errorf("later: %v", out)
	}
	if _, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: "dingtalk:dingdrill/cidDirect-alice", Text: "list"}); err != nil || h.body["conversationType"] != "1" || h.body["isInAtList"] != nil {
		t.Errorf("alone: %v, %v", h.body, err)
	}
	for _, bad := range []rooms.Saying{{Person: "eve", Channel: channel}, {Person: "alice", Channel: "dingtalk:dingdrill/cidDirect-bob"}, {Person: "alice", Channel: "dingtalk:other/cidDrills01=="}, {Person: "alice", Channel: "dingtalk:dingdrill/robot:ops"}} {
		if _, err := r.Say(t.Context(), bad); err == nil {
			t.Errorf("%+v was heard", bad)
		}
	}
}

func TestPress_OfALinkMakesThePersonSayIt(t *testing.T) {
	r := dingtalk.New(newClock().now)
	h := &heard{}
	r.Connect(h)
	c := open(t, r)
	const param = `{"title":"t","text":"### x\n\n[A](dtmd://dingtalkclient/sendMessage?content=press%201.a) [B](dtmd://dingtalkclient/sendMessage?content=press%201.b) [D](https://x.example)","singleTitle":"A","singleURL":"dtmd://dingtalkclient/sendMessage?content=press%201.a"}`
	if status, out := c.do("POST", group, send(param, "msgKey", "sampleActionCard")); status != 200 {
		t.Fatal(out)
	}
	m := r.Messages(channel, "bob")[0]
	if m.Text != "x\nA B D" || len(m.Buttons) != 3 || m.Buttons[0].Label != "A" || m.Buttons[1].Label != "B" || m.Buttons[2].URL != "https://x.example" {
		t.Fatalf("seen %+v", m)
	}
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: channel, Message: m.ID, Button: 1}); err != nil || h.body["text"].(map[string]any)["content"] != " press 1.b" || h.body["senderStaffId"] != "bob" {
		t.Errorf("got %v, %v", h.body, err)
	}
	if all := r.Messages(channel, "carol"); all[1].Text != "@Firedrill press 1.b" || all[1].From != "Bob" {
		t.Errorf("seen %+v", all)
	}
	for _, bad := range []rooms.Pressing{{Person: "bob", Button: 2, Message: m.ID}, {Person: "bob", Button: 3, Message: m.ID}, {Person: "bob", Button: -1, Message: m.ID}, {Person: "bob", Message: "x"}, {Person: "eve", Message: m.ID}} {
		bad.Channel = channel
		if _, err := r.Press(t.Context(), bad); err == nil {
			t.Errorf("%+v did something", bad)
		}
	}
}

func card(more ...string) string {
	o := map[string]any{
		"cardTemplateId": "firedrill-sandbox.schema", "outTrackId": "t1", "callbackType": "HTTP", "callbackRouteKey": "firedrill", "openSpaceId": "dtv1.card//IM_GROUP.cidDrills01==",
		"imGroupOpenDeliverModel": map[string]any{"robotCode": "dingbotdrill"},
		"cardData": map[string]any{"cardParamMap": map[string]string{
			"title": "T", "body": "**b**  \n  c [L](dtmd://dingtalkclient/sendMessage?content=x)", "state": "",
			"buttons": `[{"text":"Go","color":"blue","event":{"type":"sendCardRequest","params":{"actionId":"b0","params":{"t":"1.x"}}}},{"text":"No","color":"red","event":{"type":"sendCardRequest","params":{"actionId":"b1","params":{"t":"1.y"}}}}]`,
		}},
	}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	raw, _ := json.Marshal(o)
	return string(raw)
}

func TestCards_AreMadeChangedAndPressed(t *testing.T) {
	const create, change = "/v1.0/card/instances/createAndDeliver", "/v1.0/card/instances"
	r := dingtalk.NewCards(newClock().now)
	h := &heard{answer: `{"cardUpdateOptions":{"updateCardDataByKey":true},"cardData":{"cardParamMap":{"state":"done by bob","buttons":"[]"}}}`}
	r.Connect(h)
	c := open(t, r)
	for name, body := range map[string]string{
		"another template": card("cardTemplateId", "x"), "too long an id": card("outTrackId", strings.Repeat("x", 65)), "another route": card("callbackRouteKey", "x"), "the other way": card("callbackType", "STREAM"),
	} {
		if status, out := c.do("POST", create, body); status != 400 {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	if status, out := c.do("POST", create, strings.Replace(card(), `"state":""`, `"state":1`, 1)); status != 400 {
		t.Errorf("a number: %d %v", status, out)
	}
	_, out := c.do("POST", create, card("openSpaceId", "dtv1.card//IM_GROUP.x"))
	if raw, _ := json.Marshal(out); !strings.Contains(string(raw), `"errorMsg":"chat is not exist"`) {
		t.Errorf("an unknown group: %s", raw)
	}
	for range 2 {
		if status, out := c.do("POST", create, card()); status != 200 {
			t.Fatal(out)
		}
	}
	seen := r.Messages(channel, "bob")
	if len(seen) != 1 || seen[0].ID != "t1" || seen[0].Text != "T\nb\nc L" || len(seen[0].Buttons) != 2 || seen[0].Buttons[0].Style != "primary" || seen[0].Buttons[1].Style != "danger" || seen[0].Edits != 0 {
		t.Fatalf("seen %+v", seen)
	}
	if status, out := c.do("PUT", change, `{"outTrackId":"t1","cardData":{"cardParamMap":{"title":"U"}},"cardUpdateOptions":{"updateCardDataByKey":true}}`); status != 200 || out["success"] != true {
		t.Errorf("change: %v", out)
	}
	if status, out := c.do("PUT", change, `{"outTrackId":"t2"}`); status != 400 || out["code"] != "param.cardNotExist" {
		t.Errorf("an unknown card: %v", out)
	}
	got, err := r.Press(t.Context(), rooms.Pressing{Person: "bob", Channel: channel, Message: "t1", Button: 1})
	ts := h.Header.Get("x-ddpaas-signature-timestamp")
	if err != nil || got.Status != 200 || h.Header.Get("x-ddpaas-signature") != hash(r.Env("")["FIREDRILL_DINGTALK_CARD_SECRETS"], ts) {
		t.Fatalf("pressed: %v, %v", h.Header, err)
	}
	if raw, _ := json.Marshal(h.body); string(raw) != `{"content":"{\"cardPrivateData\":{\"actionIds\":[\"b1\"],\"params\":{\"t\":\"1.y\"}}}","corpId":"dingdrill","outTrackId":"t1","type":"actionCallback","userId":"bob"}` {
		t.Errorf("got %s", raw)
	}
	if m := r.Messages(channel, "bob")[0]; m.Text != "U\nb\nc L\ndone by bob" || len(m.Buttons) != 0 || m.Edits != 2 {
		t.Errorf("seen %+v", m)
	}
	h.body = nil
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "alice", Channel: channel, Message: "t1", Button: 1}); err != nil || h.body["userId"] != "alice" {
		t.Errorf("a press on the card as it was: %v, %v", h.body, err)
	}
	if _, err := r.Press(t.Context(), rooms.Pressing{Person: "alice", Channel: channel, Message: "t1", Button: 1, Seen: 2}); err == nil {
		t.Error("a button was pressed that is gone")
	}
}

func TestMessages_AreKeptWithinBounds(t *testing.T) {
	r := dingtalk.New(newClock().now)
	r.Connect(&heard{})
	stamps := map[string]bool{}
	for i := range 520 {
		h, err := r.Say(t.Context(), rooms.Saying{Person: "alice", Channel: channel, Text: strconv.Itoa(i)})
		if err != nil {
			t.Fatal(err)
		}
		stamps[h.Request.Header.Get("timestamp")] = true
	}
	seen := r.Messages(channel, "alice")
	if len(seen) != 500 || seen[499].Text != "@Firedrill 519" {
		t.Errorf("%d are kept", len(seen))
	}
	if len(stamps) != 520 {
		t.Errorf("%d times were signed for 520 messages", len(stamps))
	}
}
