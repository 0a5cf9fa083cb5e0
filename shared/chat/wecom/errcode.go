package wecom

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// quiet is how long we leave the API alone after it said that it is asked too often: its limits are by the minute, and it names no time.
const quiet = time.Minute

// outcome is what all replies have. Failures come with status 200 too.
type outcome struct {
	Code    *int   `json:"errcode"` // a reply without it is not WeCom's
	Message string `json:"errmsg"`
}

// failed classifies a reply; nil is success. See https://developer.work.weixin.qq.com/document/path/90313. Of errmsg only the address of this
// machine is repeated: it may hold what was sent.
func failed(w *wire.Client, c wire.Call, r outcome) error {
	if r.Code == nil {
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply has no errcode: is this WeCom's API?", c.What)}
	}
	fail := func(code chat.Code, why string) error {
		return &chat.Error{Code: code, Err: fmt.Errorf("%s: errcode %d: %s", c.What, *r.Code, why)}
	}
	switch code := *r.Code; code {
	case 0:
		return nil
	case -1:
		return fail(chat.Unavailable, "WeCom is busy")
	case 45009, 45011, 45033, 45047:
		return w.Throttled(c, quiet, fmt.Errorf("%s: errcode %d: it is asked too often", c.What, code))
	case 40014, 41001, 42001:
		return fail(chat.Unavailable, "it does not take the access token that it has just given out")
	case 60020:
		return fail(chat.Denied, fmt.Sprintf("calls from this address%s are not allowed: add the fixed egress IP to the app's 企业可信IP", from(r.Message)))
	default:
		if why, known := denials()[code]; known {
			return fail(chat.Denied, why)
		}
		if why, known := faults()[code]; known {
			return fail(chat.Invalid, why)
		}
		return fail(chat.Invalid, "not accepted as it is; the code is explained at https://open.work.weixin.qq.com/devtool/query?e="+fmt.Sprint(code))
	}
}

// denials are for a person to mend in the console or in the environment.
func denials() map[int]string {
	return map[int]string{
		40001:  "the app's Secret is wrong: compare " + varSecrets + " with the app's page",
		40013:  "there is no such company: compare " + varTenants + " with 我的企业",
		40056:  "there is no such app: compare " + varAgent + " with the app's page",
		40091:  "the app's Secret is wrong: compare " + varSecrets + " with the app's page",
		41004:  "no Secret was sent: set " + varSecrets,
		48002:  "the app may not use this part of the API",
		50001:  "the callback's domain is not trusted: see 网页授权及JS-SDK on the app's page",
		50003:  "the app is switched off: enable it in the console",
		60011:  "the app may not see whom this is for: widen its 可见范围",
		93000:  "the robot was removed from its group, or its key is wrong: compare " + varRobots + " with the webhook address",
		93004:  "the robot is switched off",
		93008:  "the robot is not in the group any more",
		301002: "the Secret belongs to another app: compare " + varAgent + " and " + varSecrets + " with the app's page",
	}
}

// faults are for a person to mend in the catalogue, or for us.
func faults() map[int]string {
	return map[int]string{
		40003: "there is no such member",
		40008: "WeCom does not know this kind of message",
		44004: "the message is empty",
		45002: "the message is too large",
		46004: "there is no such member",
		60111: "there is no such member",
		81013: "none of those whom this is for exists, or none is in the app's 可见范围",
		82001: "it names nobody whom this is for",
	}
}

// badSecret reports whether another secret of the list may do.
func badSecret(r outcome) bool {
	return r.Code != nil && (*r.Code == 40001 || *r.Code == 40091 || *r.Code == 42013)
}

// badToken reports whether the access token is no longer good.
func badToken(r outcome) bool {
	return r.Code != nil && (*r.Code == 40014 || *r.Code == 41001 || *r.Code == 42001)
}

// from finds the address in "… from ip: 203.0.113.7, more info at …".
func from(message string) string {
	_, rest, found := strings.Cut(message, "from ip: ")
	text, _, _ := strings.Cut(rest, ",")
	ip, err := netip.ParseAddr(strings.TrimSpace(text))
	if !found || err != nil {
		return ""
	}
	return " (" + ip.String() + ")"
}
