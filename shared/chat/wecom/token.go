package wecom

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end an access token is no longer used. It lives for two hours.
const margin = 5 * time.Minute

// tokens keeps one access token for each company. It is fetched when it is first needed, by one caller at a time: the others wait for it.
type tokens struct {
	base    *url.URL
	secrets []secret
	wire    *wire.Client
	now     func() time.Time

	mu    sync.Mutex
	corps map[string]*access
}

// access is one company's token. Whoever holds turn may look at the rest.
type access struct {
	turn  chan struct{}
	token string
	until time.Time
}

func (t *tokens) of(corp string) *access {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.corps[corp]
	if a == nil {
		a = &access{turn: make(chan struct{}, 1)}
		t.corps[corp] = a
	}
	return a
}

// get returns a token that is not stale, which is one that WeCom has just refused; "" for none.
func (t *tokens) get(ctx context.Context, corp, stale string) (string, error) {
	a := t.of(corp)
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return "", &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("access token of wecom:%s: %w", corp, ctx.Err())}
	}
	defer func() { <-a.turn }()
	if a.token != "" && a.token != stale && t.now().Before(a.until) {
		return a.token, nil
	}
	token, life, err := t.fetch(ctx, corp)
	if err != nil {
		return "", err
	}
	a.token, a.until = token, t.now().Add(max(life-margin, life/2))
	return token, nil
}

// fetch tries the secrets from the newest on: while a secret is being changed, only one of them is good.
func (t *tokens) fetch(ctx context.Context, corp string) (string, time.Duration, error) {
	what := "access token of wecom:" + corp
	err := error(&chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: set %s to send as the app", what, varSecrets)})
	for _, s := range t.secrets {
		q := url.Values{"corpid": {corp}, "corpsecret": {s.text}}
		call := wire.Call{Method: http.MethodGet, URL: t.base.JoinPath("cgi-bin/gettoken").String() + "?" + q.Encode(), What: what, Key: "wecom token " + corp}
		var r struct {
			outcome
			Token string `json:"access_token"`
			Life  int    `json:"expires_in"` // seconds
		}
		if _, err := t.wire.JSON(ctx, call, nil, &r); err != nil {
			return "", 0, err
		}
		if err = failed(t.wire, call, r.outcome); err == nil && r.Token != "" {
			return r.Token, time.Duration(max(r.Life, 0)) * time.Second, nil
		}
		if err == nil {
			err = &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply has no token", what)}
		}
		if !badSecret(r.outcome) {
			return "", 0, err
		}
	}
	return "", 0, err
}
