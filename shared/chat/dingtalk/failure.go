package dingtalk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// How long to stay away where DingTalk does not say.
const (
	pauseQPS   = time.Second      // calls in a second: https://open.dingtalk.com/document/development/how-to-process-api-throttling-on-the-dingtalk-server
	pauseRobot = time.Minute      // messages in a minute
	pauseBlock = 10 * time.Minute // a robot that sent more than that is blocked for as long
	pauseIP    = 5 * time.Minute  // so is an address that calls too often
)

// errToken marks an access token that DingTalk does not take, errSecret a secret of the app.
var (
	errToken  = errors.New("dingtalk does not take the access token")
	errSecret = errors.New("dingtalk does not take the app's secret")
)

// fault is what replies say went wrong: api.dingtalk.com names it in code, with a status of 4xx or 5xx, and oapi.dingtalk.com
// numbers it in errcode, with 200.
type fault struct {
	Code    json.RawMessage `json:"code"`
	Errcode int64           `json:"errcode"`
	Errmsg  string          `json:"errmsg"`
	Punish  string          `json:"punish"` // the gateway's answer to an address that calls too often
}

// failure classifies a reply and the error that came with it; nil if all is well. It repeats codes but no texts of the reply.
func failure(c *wire.Client, call wire.Call, res wire.Result, err error) error {
	var f fault
	if json.Unmarshal(res.Body, &f) != nil {
		f = fault{}
	}
	name := f.name()
	switch {
	case f.Punish != "":
		return c.Throttled(call, pauseIP, fmt.Errorf("%s: dingtalk refuses this address for a while: it called too often", call.What))
	case f.Errcode != 0:
		return numbered(c, call, f)
	case name == "":
		return err
	}
	k, hint := kindOf(name)
	var asked time.Duration
	if e := (*chat.Error)(nil); errors.As(err, &e) {
		asked = e.RetryAfter
	}
	text := fmt.Errorf("%s: dingtalk says %s%s", call.What, name, hint)
	switch {
	case k == throttledQPS || k == throttledRobot || res.Status == http.StatusTooManyRequests:
		wait := pauseQPS
		if k == throttledRobot {
			wait = pauseRobot
		}
		return c.Throttled(call, max(wait, asked), text)
	case k == badToken:
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%w: %w", text, errToken)}
	case k == badSecret:
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%w: %w", text, errSecret)}
	case k == denied:
		return &chat.Error{Code: chat.Denied, Err: text}
	case k == busy:
		return &chat.Error{Code: chat.Unavailable, RetryAfter: asked, Err: text}
	case err != nil && k == unknown:
		return &chat.Error{Code: chat.CodeOf(err), Err: text}
	}
	return &chat.Error{Code: chat.Invalid, Err: text}
}

// name returns the code as it may be shown: letters, digits, dots and dashes of at most 80 characters.
func (f fault) name() string {
	s := strings.Trim(string(f.Code), `"`)
	if s == "null" || s == "0" {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}, s)
	return chat.Cut(s, 80)
}

// kind is what a code means for us.
type kind int

const (
	unknown kind = iota
	throttledQPS
	throttledRobot
	badToken
	badSecret
	denied
	busy
	invalid
)

// meaning tells codes by a part of them, in lower case.
type meaning struct {
	part string
	kind kind
	hint string
}

// meanings are tried in order.
func meanings() []meaning {
	return []meaning{
		{"qpslimit", throttledQPS, ": too many calls in a second"},
		{"requestoverlimit", throttledQPS, ""},
		{"flowcontrol", throttledQPS, ""},
		{"apicountlimit", denied, ": the organisation has used up its calls of this month"},
		{"send.too.fast", throttledRobot, ": the robot sends too often"},
		{"toofast", throttledRobot, ": the robot sends too often"},
		{"too.many", throttledRobot, ": the robot sends too often"},
		{"invalidclientidorsecret", badSecret, ": check " + envKey + " and " + envSecrets},
		{"invalidauthentication", badToken, ""},
		{"token.invalid", badToken, ""},
		{"token.notexisted", badToken, ""},
		{"permission", denied, ": give the app the permission in the developer console"},
		{"forbidden", denied, ": give the app the permission in the developer console, and check that the robot may send here"},
		{"unauthorized", denied, ": give the app the permission in the developer console"},
		{"robotcode", denied, ": check " + envCodes + "; the robot must belong to the app of " + envKey},
		{"openconversationid", invalid, ": the address names no group that the robot is in"},
		{"disbanded", denied, ": the group is no more"},
		{"stopped", denied, ": the robot or the card's template is switched off"},
		{"resource.unavailable", denied, ": the robot is switched off, or is not in the group"},
		{"template.not", denied, ": check " + envTemplate},
		{"system", busy, ""},
		{"serviceunavailable", busy, ""},
		{"internalerror", busy, ""},
		{"invalid", invalid, ""},
		{"miss", invalid, ""},
		{"param", invalid, ""},
	}
}

func kindOf(name string) (kind, string) {
	name = strings.ToLower(name)
	for _, m := range meanings() {
		if strings.Contains(name, m.part) {
			return m.kind, m.hint
		}
	}
	return unknown, ""
}

// numbered classifies the codes of oapi.dingtalk.com:
// https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages.
func numbered(c *wire.Client, call wire.Call, f fault) error {
	text := func(hint string) error { return fmt.Errorf("%s: dingtalk says %d%s", call.What, f.Errcode, hint) }
	switch f.Errcode {
	case 130101:
		return c.Throttled(call, pauseRobot, text(": the robot sent more than 20 messages in a minute"))
	case 410100:
		return c.Throttled(call, pauseBlock, text(": the robot sent more than 20 messages in a minute and is blocked for a while"))
	case 88, 90018, 90002:
		return c.Throttled(call, pauseQPS, text(": too many calls in a second"))
	case -1:
		return &chat.Error{Code: chat.Unavailable, Err: text(": it is busy")}
	case 310000:
		return &chat.Error{Code: chat.Denied, Err: text(security(f.Errmsg))}
	case 300001, 300005, 400101, 400106:
		return &chat.Error{Code: chat.Denied, Err: text(": there is no such robot, or the reply URL is too old: check " + envRobots)}
	case 400013, 400102:
		return &chat.Error{Code: chat.Denied, Err: text(": the robot is switched off, or the group is no more")}
	case 90020:
		return &chat.Error{Code: chat.Denied, Err: text(": the organisation has used up its calls of this month")}
	case 40014, 42001:
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%w: %w", text(""), errToken)}
	}
	return &chat.Error{Code: chat.Invalid, Err: text("")}
}

// security tells what 310000 is about. Only the hint depends on it: the code is Denied in any case.
func security(message string) string {
	message = strings.ToLower(message)
	switch {
	case strings.Contains(message, "keyword") || strings.Contains(message, "关键词"):
		return ": the robot asks for a keyword; set its security to a signature alone"
	case strings.Contains(message, "sign") || strings.Contains(message, "签名"):
		return ": the signature does not fit; check the secret in " + envRobots
	case strings.Contains(message, "timestamp"):
		return ": our clock and theirs are an hour apart"
	case strings.Contains(message, "whitelist") || strings.Contains(message, "ip"):
		return ": this address is not on the robot's list; set its security to a signature alone"
	}
	return ": the robot's security setting refuses it"
}
