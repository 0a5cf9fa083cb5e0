package wecom

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end an access token is no longer used. It lives for two hours.
const margin = 5 * time.Minute

// newTokens keep one access token for each company.
func newTokens(c config, w *wire.Client, now func() time.Time) map[string]*wire.Tokens {
	all := map[string]*wire.Tokens{}
	for corp := range c.agents {
		what := "access token of wecom:" + corp
		all[corp] = wire.NewTokens(wire.TokenOptions{What: what, Margin: margin, Now: now, Fetch: func(ctx context.Context) (secret.Text, time.Duration, error) {
			return c.fetch(ctx, w, corp, what)
		}})
	}
	return all
}

// fetch tries the secrets from the newest on: while a secret is being changed, only one of them is good.
func (c config) fetch(ctx context.Context, w *wire.Client, corp, what string) (secret.Text, time.Duration, error) {
	err := error(&chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: set %s to send as the app", what, varSecrets)})
	for _, s := range c.secrets {
		q := url.Values{"corpid": {corp}, "corpsecret": {s.Reveal()}}
		call := wire.Call{Method: http.MethodGet, URL: c.base.JoinPath("cgi-bin/gettoken").String() + "?" + q.Encode(), What: what, Key: "wecom token " + corp}
		var r struct {
			outcome
			Token string `json:"access_token"`
			Life  int    `json:"expires_in"` // seconds
		}
		if _, err := w.JSON(ctx, call, nil, &r); err != nil {
			return secret.Text{}, 0, err
		}
		if err = failed(w, call, r.outcome); err == nil && r.Token != "" {
			return secret.New(r.Token), time.Duration(r.Life) * time.Second, nil
		}
		if err == nil {
			err = &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply has no token", what)}
		}
		if !badSecret(r.outcome) {
			return secret.Text{}, 0, err
		}
	}
	return secret.Text{}, 0, err
}
