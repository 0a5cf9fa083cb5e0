package feishu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// pace is four in a second: Feishu takes five, of all bots in a chat together.
const pace = 250 * time.Millisecond

// reply is what every call is answered with. Old custom bots say StatusCode instead of code.
type reply struct {
	Code   *int `json:"code"`
	Status *int `json:"StatusCode"`
	Data   struct {
		Message string `json:"message_id"`
		Root    string `json:"root_id"`
	} `json:"data"`
	Token  string `json:"tenant_access_token"`
	Expire int64  `json:"expire"` // seconds
}

func (r reply) code() (int, bool) {
	switch {
	case r.Code != nil && *r.Code != 0:
		return *r.Code, true
	case r.Status != nil:
		return *r.Status, true
	}
	return 0, r.Code != nil
}

// send makes one call without a token. It returns Feishu's code with the error, 0 when there is none.
func send(ctx context.Context, c *wire.Client, call wire.Call) (reply, int, error) {
	res, failed := c.Do(ctx, call)
	if failed != nil && len(res.Body) == 0 {
		return reply{}, 0, failed
	}
	var r reply
	err := json.Unmarshal(res.Body, &r)
	code, said := r.code()
	switch {
	case err != nil || !said:
		if failed != nil {
			return reply{}, 0, failed
		}
		return reply{}, 0, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply is not what Feishu describes", call.What)}
	case code == 0:
		return r, 0, failed
	}
	return reply{}, code, judge(c, call, res, failed, code)
}

// judge makes the error of a code. Statuses say less: Feishu answers most failures with 400, and those of custom bots with 200.
func judge(c *wire.Client, call wire.Call, res wire.Result, failed error, code int) error {
	m, known := meaningOf(code)
	if !known {
		m = meaning{code: chat.Unavailable, words: "it answered with a code that is not known here"}
		if failed != nil {
			m.code = chat.CodeOf(failed)
		}
	}
	if res.Status == http.StatusTooManyRequests {
		m.code = chat.Throttled
	}
	if res.Status >= http.StatusInternalServerError {
		m.code = chat.Unavailable
	}
	err := fmt.Errorf("%s: %s (code %d)", call.What, m.words, code)
	if m.code != chat.Throttled {
		var e *chat.Error
		after := time.Duration(0)
		if errors.As(failed, &e) {
			after = e.RetryAfter
		}
		return &chat.Error{Code: m.code, RetryAfter: after, Err: err}
	}
	return c.Throttled(call, pauseOf(res, max(m.after, time.Second)), err)
}

// pauseOf reads how long to stay away: Feishu's own header in seconds, or the usual one.
func pauseOf(res wire.Result, otherwise time.Duration) time.Duration {
	for _, name := range []string{"X-Ogw-Ratelimit-Reset", "Retry-After"} {
		if n, err := strconv.ParseInt(res.Header.Get(name), 10, 32); err == nil && n > 0 {
			return time.Duration(n) * time.Second
		}
	}
	return otherwise
}

// call makes one call as the app. A token that is no longer taken is replaced once.
func (s *Sender) call(ctx context.Context, call wire.Call) (reply, error) {
	stale := ""
	for {
		token, err := s.access.get(ctx, stale)
		if err != nil {
			return reply{}, err
		}
		call.Header = http.Header{
			"Content-Type":  {"application/json; charset=utf-8"},
			"Authorization": {"Bearer " + token.text},
		}
		r, code, err := send(ctx, s.wire, call)
		if m, _ := meaningOf(code); err == nil || !m.token || stale != "" {
			return r, err
		}
		stale = token.text
	}
}
