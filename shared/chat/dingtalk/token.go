package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end an access token is no longer used.
const margin = 5 * time.Minute

// newTokens keep the app's access token, which any of its secrets may get; the one that did is tried first the next time:
// https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app.
func newTokens(c *wire.Client, s *settings, now func() time.Time) *wire.Tokens {
	works := 0 // only one fetches at a time
	return wire.NewTokens(wire.TokenOptions{What: "dingtalk access token", Margin: margin, Now: now, Fetch: func(ctx context.Context) (secret.Text, time.Duration, error) {
		var last error
		for i := range s.secrets {
			n := (works + i) % len(s.secrets)
			token, life, err := fetch(ctx, c, s, s.secrets[n])
			if err == nil {
				works = n
			}
			if last = err; !errors.Is(err, errSecret) {
				return token, life, err
			}
		}
		return secret.Text{}, 0, last
	}})
}

// fetch asks for an access token. Its errors hold neither the token nor the app's secret; one that DingTalk does not take is errSecret: while it is
// being changed, only one of the list is good.
func fetch(ctx context.Context, c *wire.Client, s *settings, appSecret secret.Text) (secret.Text, time.Duration, error) {
	call := wire.Call{URL: s.api.base + "/v1.0/oauth2/accessToken", What: "fetch a dingtalk access token", Key: "dingtalk token"}
	res, err := c.JSON(ctx, call, map[string]string{"appKey": s.key, "appSecret": appSecret.Reveal()}, nil)
	if err = failure(c, call, res, err); err != nil {
		return secret.Text{}, 0, err
	}
	var out struct {
		AccessToken string `json:"accessToken"`
		ExpireIn    int64  `json:"expireIn"` // seconds
	}
	if json.Unmarshal(res.Body, &out) != nil || !valid(out.AccessToken) || out.ExpireIn <= 0 {
		return secret.Text{}, 0, &chat.Error{Code: chat.Unavailable, Err: errors.New(call.What + ": its reply holds none")}
	}
	return secret.New(out.AccessToken), time.Duration(min(out.ExpireIn, 24*60*60)) * time.Second, nil
}
