package feishu

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// hookPrefix begins the place of a custom bot in an address.
const hookPrefix = "hook:"

// hook is a custom bot of one group. Its id is a credential: whoever has it can post.
type hook struct {
	id     secret
	secret secret // "" where the bot wants no signature
}

// postHook sends a card as a custom bot, which is told of no id and so can be neither changed nor answered. Feishu takes 100 in a minute
// and 5 in a second of each.
func (s *Sender) postHook(ctx context.Context, to chat.Address, tenant, name string, m chat.Message) (chat.Posted, error) {
	what := "post to " + to.String()
	h, ok := s.hooks[name]
	if !ok {
		return chat.Posted{}, &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: there is no custom bot of this name in %s", what, envHooks)}
	}
	body, err := fit(m, page{tenant: tenant}, maxHook, func(c object) (any, error) {
		request := object{"msg_type": "interactive", "card": c}
		if h.secret.text != "" {
			at := strconv.FormatInt(s.now().Unix(), 10)
			request["timestamp"], request["sign"] = at, hookSign(at, h.secret)
		}
		return request, nil
	})
	if err != nil {
		return chat.Posted{}, refused(what, err)
	}
	_, _, err = send(ctx, s.wire, wire.Call{
		URL: s.base + "/open-apis/bot/v2/hook/" + h.id.text, Body: body, What: what,
		Key: "feishu hook " + name, Rate: wire.Rate{Every: 650 * time.Millisecond, Burst: 3},
	})
	if err != nil {
		return chat.Posted{}, err
	}
	return chat.Posted{To: to.String()}, nil
}
