package feishu

import (
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

// meaning is what a code of Feishu's means to us, in words that say what to do. Feishu's own words are not repeated: they may hold what
// was sent.
type meaning struct {
	code  chat.Code
	words string
	after time.Duration // with Throttled, where the reply does not say how long
	token bool          // the access token is not taken: a new one may be
}

// meaningOf reads a code (https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code and the page of each call).
func meaningOf(code int) (meaning, bool) {
	switch code {
	case 99991661, 99991663, 99991664, 99991668, 99991671, 99991677:
		return meaning{code: chat.Denied, token: true, words: "the access token is not accepted: check that FIREDRILL_FEISHU_APP_ID and FIREDRILL_FEISHU_APP_SECRETS are of this app"}, true
	case 99991400, 230020:
		return meaning{code: chat.Throttled, after: time.Second, words: "it takes no more messages for now"}, true
	case 11232, 11233:
		return meaning{code: chat.Throttled, after: 10 * time.Second, words: "it takes no more messages for now; full and half hours are the worst times"}, true
	case 230049, 1500, 2200, 55001:
		return meaning{code: chat.Unavailable, words: "it has a fault of its own"}, true
	}
	if m, ok := denied(code); ok {
		return m, true
	}
	return invalid(code)
}

// denied are the codes that a person mends, in Feishu or in the setup.
func denied(code int) (meaning, bool) {
	words := ""
	switch code {
	case 230002:
		words = "the bot is not in this chat: add it in the chat's settings"
	case 230006:
		words = "the app has no bot: switch the capability on and publish a version"
	case 230013, 230029:
		words = "the person is outside of the app's availability, or has left"
	case 230018, 230035:
		words = "the chat's settings do not let the bot post"
	case 230027, 99991672, 99991679:
		words = "the app lacks a permission: add im:message:send_as_bot and publish a version"
	case 99991662, 10003, 10013, 10014, 10015:
		words = "the app's credentials are not accepted: check FIREDRILL_FEISHU_APP_ID and FIREDRILL_FEISHU_APP_SECRETS"
	case 230071, 230011, 230110:
		words = "the message is not ours, was recalled, or is deleted"
	case 19001:
		words = "there is no such custom bot: check its id in FIREDRILL_FEISHU_HOOKS"
	case 19021:
		words = "the custom bot does not take the signature: check its secret in FIREDRILL_FEISHU_HOOKS, and the clock"
	case 19022:
		words = "the custom bot does not take messages from our address: add it to the bot's list"
	case 19024:
		words = "the custom bot wants a keyword that is not in the message: use a signature instead"
	}
	return meaning{code: chat.Denied, words: words}, words != ""
}

// invalid are the codes of messages that will not be taken as they are, however often they are sent.
func invalid(code int) (meaning, bool) {
	words := ""
	switch code {
	case 230001, 9499, 99992402:
		words = "it does not take the request as it is"
	case 99992354:
		words = "there is no such message"
	case 230025, 19036:
		words = "the message is too large"
	case 230022, 230028:
		words = "the company's rules do not let this text through"
	case 230031, 230054, 230072, 230075:
		words = "the message is too old, or of a kind that cannot be changed"
	case 230099:
		words = "it cannot show the card"
	}
	return meaning{code: chat.Invalid, words: words}, words != ""
}
