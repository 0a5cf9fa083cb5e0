package dingtalk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxParam  = 15000 // bytes of msgParam
	maxCustom = 20000 // bytes of a custom robot's message
)

// appSend is what the app's robot is told to send.
type appSend struct {
	RobotCode          string   `json:"robotCode"`
	OpenConversationID string   `json:"openConversationId"`
	UserIDs            []string `json:"userIds"`
	MsgKey             string   `json:"msgKey"`
	MsgParam           string   `json:"msgParam"`
}

// sendGroup is https://open.dingtalk.com/document/orgapp/the-robot-sends-a-group-message. The vendor gives no number for how often; it is
// that of custom robots here.
func (r *Room) sendGroup(_ *http.Request, body []byte) reply {
	var in appSend
	if json.Unmarshal(body, &in) != nil {
		return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid.")
	}
	m, bad := r.appMessage(in)
	switch {
	case bad != nil:
		return *bad
	case in.OpenConversationID != group:
		return refuse(http.StatusBadRequest, "invalid.openConversationId", "无效的openConversationId")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok, _ := r.robotMay(group); !ok {
		return refuse(http.StatusTooManyRequests, "send.too.fast", "发送速度太快")
	}
	m.id, m.talk = r.id("pqk"), group
	r.add(m)
	return reply{status: http.StatusOK, body: map[string]string{"processQueryKey": m.id}}
}

// sendDirect is https://open.dingtalk.com/document/orgapp/chatbots-send-one-on-one-chat-messages-in-batches.
func (r *Room) sendDirect(_ *http.Request, body []byte) reply {
	var in appSend
	if json.Unmarshal(body, &in) != nil {
		return refuse(http.StatusBadRequest, "Invalidbody", "Specified parameter body is not valid.")
	}
	m, bad := r.appMessage(in)
	switch {
	case bad != nil:
		return *bad
	case len(in.UserIDs) == 0:
		return refuse(http.StatusBadRequest, "MissinguserIds", "userIds is mandatory for this action.")
	case len(in.UserIDs) > 20:
		return refuse(http.StatusBadRequest, "invalidParameter.userIds.overMax", "userIds超过最大数量")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	invalid, slowed := []string{}, []string{}
	id := r.id("pqk")
	for _, user := range in.UserIDs {
		if _, ok := r.known(user); !ok {
			invalid = append(invalid, user)
			continue
		}
		if ok, _ := r.robotMay(direct + user); !ok {
			slowed = append(slowed, user)
			continue
		}
		one := *m
		one.id, one.talk = id, direct+user
		r.add(&one)
	}
	return reply{status: http.StatusOK, body: map[string]any{"processQueryKey": id, "invalidStaffIdList": invalid, "flowControlledStaffIdList": slowed}}
}

// appMessage reads what the app's robot sends: https://open.dingtalk.com/document/orgapp/types-of-messages-sent-by-robots.
func (r *Room) appMessage(in appSend) (*message, *reply) {
	bad := func(code, message string) (*message, *reply) {
		out := refuse(http.StatusBadRequest, code, message)
		return nil, &out
	}
	var p map[string]string
	switch {
	case in.RobotCode != robotCode:
		return bad("invalidParameter.robotCode.notExsit", "错误描述: robot 不存在；解决方案:请确认 robotCode 是否正确；")
	case len(in.MsgParam) > maxParam:
		return bad("invalidParameter.msgParam.tooLong", "msgParam过长")
	case json.Unmarshal([]byte(in.MsgParam), &p) != nil:
		return bad("invalidParameter.msgParam.invalid", "错误描述:msgParam格式不正确;解决方案:请使用json格式;")
	}
	return parameters(in.MsgKey, p)
}

// parameters reads one kind of message.
func parameters(key string, p map[string]string) (*message, *reply) {
	bad := func(code, message string) (*message, *reply) {
		out := refuse(http.StatusBadRequest, code, message)
		return nil, &out
	}
	m := &message{from: robotName, bot: true, text: p["text"]}
	number, isCard := strings.CutPrefix(key, "sampleActionCard")
	switch {
	case key == "sampleText":
		if m.text = p["content"]; m.text == "" {
			return bad("miss.param.textTocontent", "错误描述:参数 content 缺失")
		}
		return m, nil
	case key == "sampleMarkdown":
	case isCard && number == "":
		m.buttons = []button{{p["singleTitle"], p["singleURL"]}}
	case isCard && slices.Contains([]string{"2", "3", "4", "5"}, number):
		for i := range int(number[0] - '0') {
			m.buttons = append(m.buttons, button{p[fmt.Sprintf("actionTitle%d", i+1)], p[fmt.Sprintf("actionURL%d", i+1)]})
		}
	default:
		return bad("invalidParameter.msgKey.invalid", "错误描述: 不支持类型 "+key)
	}
	switch {
	case p["title"] == "":
		return bad("miss.param.markdownTotitle", "错误描述:参数 markdown --》 title 缺失，或者参数格式不正确")
	case m.text == "":
		return bad("miss.param.markdownTotext", "错误描述:参数 markdown --》 text 缺失，或者参数格式不正确")
	case slices.ContainsFunc(m.buttons, func(b button) bool { return b.label == "" || b.url == "" }):
		return bad("miss.param.actionCard", "错误描述:参数 actionCard 缺失")
	}
	return m, nil
}

// webSend is what custom robots and reply URLs are told to send.
type webSend struct {
	MsgType  string                                               `json:"msgtype"`
	MsgUUID  string                                               `json:"msgUuid"`
	Text     struct{ Content string }                             `json:"text"`
	Markdown struct{ Title, Text string }                         `json:"markdown"`
	Card     struct{ Title, Text, SingleTitle, SingleURL string } `json:"actionCard"`
	At       struct {
		AtUserIDs []string `json:"atUserIds"`
		AtMobiles []string `json:"atMobiles"`
		IsAtAll   bool     `json:"isAtAll"`
	} `json:"at"`
}

// sendCustom is https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages.
func (r *Room) sendCustom(req *http.Request, body []byte) reply {
	q := req.URL.Query()
	ms, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	age := r.now().Sub(time.UnixMilli(ms))
	switch {
	case q.Get("access_token") == "":
		return fail(40035, "缺少参数 access_token")
	case q.Get("access_token") != customPass:
		return fail(300005, "token is not exist")
	case err != nil || age > time.Hour || age < -time.Hour:
		return fail(310000, "invalid timestamp")
	case q.Get("sign") != sign(customKey, q.Get("timestamp")+"\n"+customKey):
		return fail(310000, "sign not match")
	}
	m, in, bad := webMessage(body)
	if bad != nil {
		return *bad
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.MsgUUID != "" && r.seen[in.MsgUUID] {
		return fail(0, "ok")
	}
	if ok, blocked := r.robotMay(customID); blocked {
		return fail(410100, "发送速度太快而限流")
	} else if !ok {
		return fail(130101, "send too fast, exceed 20 times per minute")
	}
	if len(r.seen) >= maxNumber {
		clear(r.seen)
	}
	if in.MsgUUID != "" {
		r.seen[in.MsgUUID] = true
	}
	m.talk = customID
	r.add(m)
	return fail(0, "ok")
}

// sendSession is https://open.dingtalk.com/document/orgapp/robot-reply-and-send-messages.
func (r *Room) sendSession(req *http.Request, body []byte) reply {
	m, _, bad := webMessage(body)
	if bad != nil {
		return *bad
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sessions[req.URL.Query().Get("session")]
	if !ok || !r.now().Before(s.until) {
		return fail(300001, "session is not exist")
	}
	if ok, _ := r.robotMay("session " + s.talk); !ok {
		return fail(130101, "send too fast, exceed 20 times per minute")
	}
	m.talk = s.talk
	r.add(m)
	return fail(0, "ok")
}

func webMessage(body []byte) (*message, webSend, *reply) {
	var in webSend
	bad := func(code int, message string) (*message, webSend, *reply) {
		out := fail(code, message)
		return nil, in, &out
	}
	if json.Unmarshal(body, &in) != nil {
		return bad(40035, "缺少参数 json")
	}
	if len(body) > maxCustom {
		return bad(460101, "message too long, exceed 20000 bytes")
	}
	m := &message{from: robotName, bot: true, called: in.At.IsAtAll || len(in.At.AtMobiles)+len(in.At.AtUserIDs) > 0}
	title := "x"
	switch in.MsgType {
	case "text":
		m.text = in.Text.Content
	case "markdown":
		title, m.text = in.Markdown.Title, in.Markdown.Text
	case "actionCard":
		title, m.text = in.Card.Title, in.Card.Text
		m.buttons = []button{{in.Card.SingleTitle, in.Card.SingleURL}}
	default:
		return bad(400105, "错误描述: 不支持类型 msgType:"+in.MsgType)
	}
	if title == "" || m.text == "" || slices.ContainsFunc(m.buttons, func(b button) bool { return b.label == "" || b.url == "" }) {
		return bad(40035, "缺少参数")
	}
	return m, in, nil
}

// sign is how DingTalk signs, and wants it.
func sign(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}
