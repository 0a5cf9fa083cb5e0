package feishu

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end a token is no longer used. Feishu gives a new one in the last 30 minutes of the old, and takes
// both. Short ones, which it gives when an older token is about to end, are used for half of their time.
const margin = 10 * time.Minute

// access gets the app's tenant_access_token, which lasts for two hours
// (https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal).
type access struct {
	base    string
	app     string
	secrets []secret.Text // newest first
	wire    *wire.Client
	tokens  *wire.Tokens
}

func newAccess(base, app string, secrets []secret.Text, c *wire.Client, now func() time.Time) *access {
	a := &access{base: base, app: app, secrets: secrets, wire: c}
	a.tokens = wire.NewTokens(wire.TokenOptions{What: a.what(), Margin: margin, Now: now, Fetch: a.fetch})
	return a
}

func (a *access) what() string { return "get an access token for feishu app " + a.app }

// fetch asks with each secret until one is taken: the newest may not be the app's yet, or an old one no more.
func (a *access) fetch(ctx context.Context) (secret.Text, time.Duration, error) {
	var last error
	for _, s := range a.secrets {
		body, err := encode(map[string]string{"app_id": a.app, "app_secret": s.Reveal()})
		if err != nil {
			return secret.Text{}, 0, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: %w", a.what(), err)}
		}
		call := wire.Call{URL: a.base + "/open-apis/auth/v3/tenant_access_token/internal", Body: body, What: a.what(), Key: "feishu token"}
		r, code, err := send(ctx, a.wire, call)
		if err == nil && r.Token != "" {
			return secret.New(r.Token), time.Duration(r.Expire) * time.Second, nil
		}
		if err == nil {
			err = &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: there is none in the reply", a.what())}
		}
		if last = err; code == 0 || chat.CodeOf(err) == chat.Throttled {
			break // it did not even look at the secret
		}
	}
	return secret.Text{}, 0, last
}
