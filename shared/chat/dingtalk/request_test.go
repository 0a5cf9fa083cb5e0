package dingtalk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/dingtalk"
)

var now = time.Date(2026, 11, 24, 9, 5, 11, 0, time.UTC)

const (
	appSecret  = "new-app-secret-hunter2"
	oldSecret  = "old-app-secret-hunter2"
	cardSecret = "card-secret-hunter2"
	tenant     = "dingdrill"
	code       = "dingbotdrill"
	group      = "cidDrills01=="
	press      = "1.approve.k7m2q4x9a3bcd.a1b2c3d4.t2x7k1.AAAAAAAAAAAAAAAAAAAAAA"
)

func env(more ...string) func(string) string {
	vars := map[string]string{
		"FIREDRILL_DINGTALK_APP_KEY": "dingappdrill", "FIREDRILL_DINGTALK_APP_SECRETS": appSecret + ", " + oldSecret,
		"FIREDRILL_DINGTALK_ROBOT_CODES": code, "FIREDRILL_DINGTALK_TENANTS": tenant, "FIREDRILL_DINGTALK_CARD_SECRETS": cardSecret,
	}
	for i := 0; i+1 < len(more); i += 2 {
		vars[more[i]] = more[i+1]
	}
	return func(name string) string { return vars[name] }
}

func receiver(t testing.TB, more ...string) *dingtalk.Receiver {
	t.Helper()
	r, err := dingtalk.Inbound(env(more...))
	if err != nil || r == nil {
		t.Fatalf("inbound: %v, %v", r, err)
	}
	return r
}

func hash(key, message string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// robotRequest is a message as DingTalk signs it.
func robotRequest(key string, at time.Time, body string) chat.Request {
	ts := strconv.FormatInt(at.UnixMilli(), 10)
	h := http.Header{}
	h.Add("timestamp", ts)
	h.Add("sign", hash(key, ts+"\n"+key))
	return chat.Request{Method: http.MethodPost, Header: h, Body: []byte(body), Now: now}
}

func cardRequest(key string, at time.Time, body string) chat.Request {
	ts := strconv.FormatInt(at.UnixMilli(), 10)
	h := http.Header{}
	h.Add("x-ddpaas-signature-timestamp", ts)
	h.Add("x-ddpaas-signature", hash(key, ts))
	return chat.Request{Method: http.MethodPost, Header: h, Body: []byte(body), Now: now}
}

// said is the vendor's sample with our ids; pairs of more replace members, with "" they are left out.
func said(text string, more ...any) string {
	o := map[string]any{
		"conversationId": group, "atUsers": []any{map[string]any{"dingtalkId": "$:LWCP_v1:$bot"}}, "chatbotCorpId": tenant,
		"chatbotUserId": "$:LWCP_v1:$bot", "msgId": "msg01", "senderNick": "Alice", "isAdmin": true, "senderStaffId": "alice",
		"sessionWebhookExpiredTime": now.Add(90 * time.Minute).UnixMilli(), "createAt": now.UnixMilli(), "senderCorpId": tenant,
		"conversationType": "2", "senderId": "$:LWCP_v1:$alice", "conversationTitle": "Drills", "isInAtList": true,
		"sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=hunter2", "text": map[string]any{"content": text},
		"msgtype": "text", "robotCode": code,
	}
	for i := 0; i+1 < len(more); i += 2 {
		if o[more[i].(string)] = more[i+1]; more[i+1] == "" {
			delete(o, more[i].(string))
		}
	}
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func pressed(token string, more ...string) string {
	o := map[string]any{
		"type": "actionCallback", "outTrackId": "fd-abc", "corpId": tenant, "userId": "bob",
		"content": fmt.Sprintf(`{"cardPrivateData":{"actionIds":["b0"],"params":{"t":%q,"c":%q}}}`, token, group),
	}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i]] = more[i+1]
	}
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
