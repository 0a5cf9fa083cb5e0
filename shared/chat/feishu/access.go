package feishu

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end a token is no longer used. Feishu gives a new one in the last 30 minutes of the old, and takes
// both.
const margin = 10 * time.Minute

// access keeps the app's tenant_access_token, which lasts for two hours
// (https://open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal).
type access struct {
	base    string
	app     string
	secrets []secret // newest first
	wire    *wire.Client
	now     func() time.Time

	gate  chan struct{} // holds one: whoever is inside may look and fetch, all others wait for the outcome
	token secret
	until time.Time
}

func newAccess(base, app string, secrets []secret, c *wire.Client, now func() time.Time) *access {
	return &access{base: base, app: app, secrets: secrets, wire: c, now: now, gate: make(chan struct{}, 1)}
}

// get returns a token other than the stale one, and fetches it where there is none.
func (a *access) get(ctx context.Context, stale string) (secret, error) {
	select {
	case a.gate <- struct{}{}:
		defer func() { <-a.gate }()
	case <-ctx.Done():
		return secret{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: %w", a.what(), ctx.Err())}
	}
	if a.token.text != "" && a.token.text != stale && a.now().Before(a.until) {
		return a.token, nil
	}
	return a.fetch(ctx)
}

func (a *access) what() string { return "get an access token for feishu app " + a.app }

// fetch asks with each secret until one is taken: the newest may not be the app's yet, or an old one no more.
func (a *access) fetch(ctx context.Context) (secret, error) {
	a.token = secret{}
	var last error
	for _, s := range a.secrets {
		body, err := encode(map[string]string{"app_id": a.app, "app_secret": s.text})
		if err != nil {
			return secret{}, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: %w", a.what(), err)}
		}
		call := wire.Call{URL: a.base + "/open-apis/auth/v3/tenant_access_token/internal", Body: body, What: a.what(), Key: "feishu token"}
		r, code, err := send(ctx, a.wire, call)
		if err == nil && r.Token != "" {
			a.token = secret{text: r.Token}
			a.until = a.now().Add(lasting(time.Duration(r.Expire) * time.Second))
			return a.token, nil
		}
		if err == nil {
			err = &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: there is none in the reply", a.what())}
		}
		if last = err; code == 0 || chat.CodeOf(err) == chat.Throttled {
			break // it did not even look at the secret
		}
	}
	return secret{}, last
}

// lasting is how long a token is used that lasts for d. Short ones, which Feishu gives when an older token is about to end, are used for half
// of their time.
func lasting(d time.Duration) time.Duration {
	if d <= 2*margin {
		return max(d, 0) / 2
	}
	return d - margin
}
