package dingtalk_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestReceive_ReadsWhatSomebodySaid(t *testing.T) {
	in, err := receiver(t).Receive(robotRequest(appSecret, now, said("  /drill start az ")))
	if err != nil {
		t.Fatal(err)
	}
	if in.Response != nil || in.ID != "msg01" || in.From.String() != "dingtalk:dingdrill/alice" || in.Text != "/drill start az" || in.Token != "" ||
		in.Channel != tenant+"/"+group || in.Thread != "" || in.Message != "msg01" || in.Direct || in.Says {
		t.Errorf("got %+v", in)
	}
	if in.ReplyURL != "https://oapi.dingtalk.com/robot/sendBySession?session=hunter2" || !in.ReplyUntil.Equal(now.Add(90*time.Minute)) {
		t.Errorf("reply %q until %s", in.ReplyURL, in.ReplyUntil)
	}
	if a := in.Answer(chat.Answer{Text: "x"}); a.Status != 0 || len(a.Body) != 0 {
		t.Errorf("answer %+v", a)
	}
}

func TestReceive_ReadsEveryFormOfText(t *testing.T) {
	rich := map[string]any{"richText": []any{map[string]any{"text": "note k7m2 "}, map[string]any{"type": "picture"}, map[string]any{"text": "all fine"}}}
	for name, c := range map[string]struct{ body, text, token string }{
		"a mention that was left in":   {said("@Firedrill  status k7m2"), "status k7m2", ""},
		"nothing but a mention":        {said(" @Firedrill"), "", ""},
		"two mentions":                 {said("@Firedrill\u2005@bob stop all"), "stop all", ""},
		"rich text":                    {said("", "msgtype", "richText", "text", "", "content", rich), "note k7m2 all fine", ""},
		"several lines":                {said("note k7m2 a\nb"), "note k7m2 a\nb", ""},
		"a button":                     {said(" press " + press), "", press},
		"a button, with the mention":   {said("@Firedrill Press " + press), "", press},
		"press and something else":     {said("press the button"), "press the button", ""},
		"press and no token":           {said("press a/b"), "press a/b", ""},
		"press and far too long":       {said("press " + strings.Repeat("a", 81)), "press " + strings.Repeat("a", 81), ""},
		"alone with the robot":         {said("list", "conversationType", "1", "isInAtList", ""), "list", ""},
		"a key that is nearly another": {said("list", "senderstaffid", "bob"), "list", ""},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := receiver(t).Receive(robotRequest(appSecret, now, c.body))
			if err != nil || in.Response != nil || in.Text != c.text || in.Token != c.token || in.From.User != "alice" {
				t.Errorf("got %+v, %v", in, err)
			}
			if in.Direct != (name == "alone with the robot") {
				t.Errorf("direct is %v", in.Direct)
			}
		})
	}
}

func TestReceive_AnswersWhatIsNoCommand(t *testing.T) {
	for name, r := range map[string]chat.Request{
		"a picture":               robotRequest(appSecret, now, said("", "msgtype", "picture", "text", "")),
		"a recording":             robotRequest(appSecret, now, said("", "msgtype", "audio", "content", map[string]any{"recognition": "stop all"})),
		"rich text of no form":    robotRequest(appSecret, now, said("", "msgtype", "richText", "content", "x")),
		"the robot's own":         robotRequest(appSecret, now, said("x", "senderId", "$:LWCP_v1:$bot")),
		"not said to us":          robotRequest(appSecret, now, said("lunch?", "isInAtList", false)),
		"a card's other callback": cardRequest(cardSecret, now, pressed(press, "type", "dynamicData")),
		"a card's other button":   cardRequest(cardSecret, now, pressed("")),
		"a card's foreign button": cardRequest(cardSecret, now, pressed("a b")),
		"a card with no content":  cardRequest(cardSecret, now, pressed(press, "content", "[]")),
	} {
		in, err := receiver(t).Receive(r)
		if err != nil || in.Response == nil || in.Response.Status != 0 {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
	_, err := receiver(t).Receive(robotRequest(appSecret, now, said("", "text", "")))
	if err == nil || errors.Is(err, chat.ErrAuth) {
		t.Errorf("a message without text: %v", err)
	}
}

func TestReceive_ReadsAPressOnACard(t *testing.T) {
	v := receiver(t)
	in, err := v.Receive(cardRequest(cardSecret, now, pressed(press)))
	if err != nil {
		t.Fatal(err)
	}
	if in.Response != nil || in.ID == "" || in.From.String() != "dingtalk:dingdrill/bob" || in.Token != press || in.Text != "" ||
		in.Channel != tenant+"/"+group || in.Message != "fd-abc" || in.ReplyURL != "" || in.Says {
		t.Errorf("got %+v", in)
	}
	a := in.Answer(chat.Answer{Text: "Approved.", Done: "approved by bob"})
	const want = `{"cardData":{"cardParamMap":{"buttons":"[]","state":"approved by bob"}},"cardUpdateOptions":{"updateCardDataByKey":true}}`
	if string(a.Body) != want || a.Type != "application/json" {
		t.Errorf("answer %s", a.Body)
	}
	if a := in.Answer(chat.Answer{Text: "Not yours.", Failed: true}); string(a.Body) != "{}" {
		t.Errorf("a refusal changes the card: %s", a.Body)
	}
	again, err := v.Receive(cardRequest(cardSecret, now, pressed(press)))
	if err != nil || again.ID != in.ID {
		t.Errorf("delivered again: %v, %v", again.ID, err)
	}
	later, err := v.Receive(cardRequest(cardSecret, now.Add(time.Second), pressed(press)))
	if err != nil || later.ID == in.ID {
		t.Errorf("pressed again: %v, %v", later.ID, err)
	}
}

// with returns the request with one change.
func with(r chat.Request, change func(r *chat.Request)) chat.Request {
	r.Header = r.Header.Clone()
	change(&r)
	return r
}

func untrusted(good, card chat.Request) map[string]chat.Request {
	return map[string]chat.Request{
		"nothing at all":          {Now: now},
		"not posted":              with(good, func(r *chat.Request) { r.Method = http.MethodGet }),
		"no time":                 with(good, func(r *chat.Request) { r.Header.Del("timestamp") }),
		"no signature":            with(good, func(r *chat.Request) { r.Header.Del("sign") }),
		"two times":               with(good, func(r *chat.Request) { r.Header.Add("timestamp", r.Header.Get("timestamp")) }),
		"two signatures":          with(good, func(r *chat.Request) { r.Header.Add("sign", r.Header.Get("sign")) }),
		"two ways to write one":   with(good, func(r *chat.Request) { r.Header["sign"] = r.Header["Sign"] }),
		"both kinds of signature": with(good, func(r *chat.Request) { r.Header.Set("x-ddpaas-signature", card.Header.Get("x-ddpaas-signature")) }),
		"forged":                  robotRequest("guessed", now, said("stop all")),
		"signed with nothing":     robotRequest("", now, said("stop all")),
		"a signature cut short":   with(good, func(r *chat.Request) { r.Header.Set("sign", r.Header.Get("sign")[:20]) }),
		"a signature of no form":  with(good, func(r *chat.Request) { r.Header.Set("sign", strings.Repeat("!", 44)) }),
		"six minutes old":         robotRequest(appSecret, now.Add(-6*time.Minute), said("stop all")),
		"from the future":         robotRequest(appSecret, now.Add(6*time.Minute), said("stop all")),
		"another time":            with(good, func(r *chat.Request) { r.Header.Set("timestamp", strconv.FormatInt(now.UnixMilli()+1, 10)) }),
		"seconds":                 with(good, func(r *chat.Request) { r.Header.Set("timestamp", strconv.FormatInt(now.Unix(), 10)) }),
		"truncated":               with(good, func(r *chat.Request) { r.Body = r.Body[:len(r.Body)-1] }),
		"something after it":      with(good, func(r *chat.Request) { r.Body = append(append([]byte{}, r.Body...), " {}"...) }),
		"empty":                   with(good, func(r *chat.Request) { r.Body = nil }),
		"a list":                  with(good, func(r *chat.Request) { r.Body = []byte("[]") }),
		"another tenant":          robotRequest(appSecret, now, said("stop all", "senderCorpId", "dingother", "chatbotCorpId", "dingother")),
		"a guest's tenant":        robotRequest(appSecret, now, said("stop all", "senderCorpId", "dingother")),
		"another robot's tenant":  robotRequest(appSecret, now, said("stop all", "chatbotCorpId", "dingother")),
		"no tenant":               robotRequest(appSecret, now, said("stop all", "senderCorpId", "", "chatbotCorpId", "")),
		"tenant under a near key": robotRequest(appSecret, now, said("stop all", "senderCorpId", "", "sendercorpid", tenant)),
		"another robot":           robotRequest(appSecret, now, said("stop all", "robotCode", "dingother")),
		"no robot":                robotRequest(appSecret, now, said("stop all", "robotCode", "")),
		"nobody we know":          robotRequest(appSecret, now, said("stop all", "senderStaffId", "")),
		"nobody there can be":     robotRequest(appSecret, now, said("stop all", "senderStaffId", "a b")),
		"no message id":           robotRequest(appSecret, now, said("stop all", "msgId", "")),
		"no conversation":         robotRequest(appSecret, now, said("stop all", "conversationId", "")),
		"the card's key":          robotRequest(cardSecret, now, said("stop all")),
		"card: forged":            cardRequest("guessed", now, pressed(press)),
		"card: the app's key":     cardRequest(appSecret, now, pressed(press)),
		"card: six minutes old":   cardRequest(cardSecret, now.Add(-6*time.Minute), pressed(press)),
		"card: from the future":   cardRequest(cardSecret, now.Add(6*time.Minute), pressed(press)),
		"card: another tenant":    cardRequest(cardSecret, now, pressed(press, "corpId", "dingother")),
		"card: nobody":            cardRequest(cardSecret, now, pressed(press, "userId", "")),
		"card: no card":           cardRequest(cardSecret, now, pressed(press, "outTrackId", "")),
		"card: truncated":         with(card, func(r *chat.Request) { r.Body = r.Body[:20] }),
		"card: two signatures":    with(card, func(r *chat.Request) { r.Header.Add("x-ddpaas-signature", "x") }),
		"card: no time":           with(card, func(r *chat.Request) { r.Header.Del("x-ddpaas-signature-timestamp") }),
	}
}

func TestReceive_RefusesWhatItCannotTrustWithOneAnswer(t *testing.T) {
	good, card := robotRequest(appSecret, now, said("stop all")), cardRequest(cardSecret, now, pressed(press))
	v := receiver(t)
	for name, r := range untrusted(good, card) {
		in, err := v.Receive(r)
		if err == nil || !errors.Is(err, chat.ErrAuth) || err.Error() != chat.ErrAuth.Error() || in.Answer != nil || in.Response != nil {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
	for name, r := range map[string]chat.Request{"the same unchanged": good, "card": card} {
		if _, err := v.Receive(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReceive_TakesASignatureForOneBodyAlone(t *testing.T) {
	v := receiver(t)
	first := robotRequest(appSecret, now, said("status"))
	for i := range 2 {
		if _, err := v.Receive(first); err != nil {
			t.Fatalf("delivery %d: %v", i+1, err)
		}
	}
	var again map[string]any
	if err := json.Unmarshal(first.Body, &again); err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(again, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"another message":     said("stop all", "msgId", "msg02"),
		"another person":      said("status", "senderStaffId", "bob", "msgId", "msg03"),
		"the same id":         said("stop all"),
		"written differently": string(indented),
	} {
		if _, err := v.Receive(robotRequest(appSecret, now, body)); !errors.Is(err, chat.ErrAuth) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Receive(robotRequest(appSecret, now.Add(time.Millisecond), said("stop all", "msgId", "msg02"))); err != nil {
		t.Errorf("another signature: %v", err)
	}
	click := cardRequest(cardSecret, now, pressed(press))
	if _, err := v.Receive(click); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Receive(cardRequest(cardSecret, now, pressed(press, "userId", "mallory"))); !errors.Is(err, chat.ErrAuth) {
		t.Errorf("a press of somebody else's: %v", err)
	}
}

func TestReceive_TakesOldSecretsAndHeadersHoweverWritten(t *testing.T) {
	if _, err := receiver(t).Receive(robotRequest(oldSecret, now, said("list"))); err != nil {
		t.Errorf("the secret before: %v", err)
	}
	lower := robotRequest(appSecret, now, said("list"))
	lower.Header = http.Header{"timestamp": lower.Header["Timestamp"], "sign": lower.Header["Sign"]}
	if _, err := receiver(t).Receive(lower); err != nil {
		t.Errorf("lower-case names: %v", err)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(said("list 演练 🔥")))
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	in, err := receiver(t).Receive(robotRequest(appSecret, now, string(raw)))
	if err != nil || in.Text != "list 演练 🔥" {
		t.Errorf("a body that came in base64: %q, %v", in.Text, err)
	}
}

func TestReceive_RepliesToDingTalkAlone(t *testing.T) {
	local := []string{"FIREDRILL_ENDPOINT_DINGTALK", "http://127.0.0.1:8081/d", "FIREDRILL_ENDPOINT_DINGTALK_OAPI", "http://127.0.0.1:8081/d"}
	for _, c := range []struct {
		url   string
		local bool
		want  bool
	}{
		{"https://oapi.dingtalk.com/robot/sendBySession?session=x", false, true},
		{"https://api.dingtalk.com/x", false, true},
		{"https://OAPI.dingtalk.com/x", false, true},
		{"http://oapi.dingtalk.com/x", false, false},
		{"https://oapi.dingtalk.com:8443/x", false, false},
		{"https://oapi.dingtalk.com.evil.example/x", false, false},
		{"https://evil.example/oapi.dingtalk.com", false, false},
		{"https://u:p@oapi.dingtalk.com/x", false, false},
		{"https://oapi.dingtalk.com@evil.example/x", false, false},
		{"http://169.254.169.254/latest", false, false},
		{"http://127.0.0.1:8081/d/robot/sendBySession", false, false},
		{"http://127.0.0.1:8081/d/robot/sendBySession", true, true},
		{"http://127.0.0.1:22/x", true, false},
		{"https://oapi.dingtalk.com/x", true, false},
		{"//oapi.dingtalk.com/x", false, false},
		{"", false, false},
		{"https://oapi.dingtalk.com/" + strings.Repeat("x", 3000), false, false},
	} {
		var more []string
		if c.local {
			more = local
		}
		in, err := receiver(t, more...).Receive(robotRequest(appSecret, now, said("list", "sessionWebhook", c.url)))
		if err != nil || (in.ReplyURL == c.url && c.url != "") != c.want {
			t.Errorf("%.60s (local %v): got %q, %v", c.url, c.local, in.ReplyURL, err)
		}
		if in.ReplyURL == "" && !in.ReplyUntil.IsZero() {
			t.Errorf("%.60s: good until %s", c.url, in.ReplyUntil)
		}
	}
	in, err := receiver(t).Receive(robotRequest(appSecret, now, said("list", "sessionWebhookExpiredTime", "")))
	if err != nil || !in.ReplyUntil.Equal(now.Add(time.Hour)) {
		t.Errorf("a URL that does not say: %s, %v", in.ReplyUntil, err)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(said("start az")), []byte("x"), true)
	f.Add([]byte(said("press "+press)), []byte(""), true)
	f.Add([]byte(pressed(press)), []byte("y"), false)
	f.Add([]byte(`{"text":{"content":null},"content":"{\"richText\":1}"}`), []byte("\xff"), true)
	f.Fuzz(func(t *testing.T, body, sign []byte, robot bool) {
		make, key := cardRequest, cardSecret
		if robot {
			make, key = robotRequest, appSecret
		}
		in, err := receiver(t).Receive(make(key, now, string(body)))
		if err == nil && in.Response == nil && (in.From.Tenant != tenant || in.From.User == "" || in.ID == "" || in.Answer == nil) {
			t.Errorf("accepted %+v", in)
		}
		forged := make("not the key", now, string(body))
		for _, name := range []string{"Sign", "X-Ddpaas-Signature"} {
			if forged.Header.Get(name) != "" && len(sign) > 0 {
				forged.Header.Set(name, string(sign))
			}
		}
		if _, err := receiver(t).Receive(forged); !errors.Is(err, chat.ErrAuth) {
			t.Errorf("unsigned: %v", err)
		}
	})
}
