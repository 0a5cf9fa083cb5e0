package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
)

// margin is how long before its end an access token is no longer used.
const margin = 5 * time.Minute

// tokens fetches the app's access token when it is first needed and keeps it until shortly before it ends:
// https://open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app. However many ask at once, one fetches.
type tokens struct {
	wire   *wire.Client
	url    string
	key    string
	secret secret
	now    func() time.Time

	mu     sync.Mutex
	value  secret
	until  time.Time
	flight *flight
}

// flight is a fetch under way.
type flight struct {
	done  chan struct{}
	value secret
	err   error
}

// get returns an access token. Its errors hold neither the token nor the app's secret.
func (t *tokens) get(ctx context.Context) (secret, error) {
	for {
		t.mu.Lock()
		if t.value.text != "" && t.now().Before(t.until) {
			v := t.value
			t.mu.Unlock()
			return v, nil
		}
		f := t.flight
		if f == nil {
			f = &flight{done: make(chan struct{})}
			t.flight = f
			t.mu.Unlock()
			t.fetch(ctx, f)
			return f.value, f.err
		}
		t.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return secret{}, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("dingtalk access token: %w", ctx.Err())}
		}
		// The one who fetched may have run out of time where we have some left.
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) || ctx.Err() != nil {
			return f.value, f.err
		}
	}
}

// drop forgets a token that DingTalk says is no good, unless there is a newer one already.
func (t *tokens) drop(bad secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == bad {
		t.value = secret{}
	}
}

func (t *tokens) fetch(ctx context.Context, f *flight) {
	value, life, err := t.ask(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	f.value, f.err = value, err
	t.flight = nil
	if err == nil {
		t.value, t.until = value, t.now().Add(max(life-margin, life/2))
	}
	close(f.done)
}

func (t *tokens) ask(ctx context.Context) (secret, time.Duration, error) {
	call := wire.Call{URL: t.url + "/v1.0/oauth2/accessToken", What: "fetch a dingtalk access token", Key: "dingtalk token"}
	res, err := t.wire.JSON(ctx, call, map[string]string{"appKey": t.key, "appSecret": t.secret.text}, nil)
	if err = failure(t.wire, call, res, err); err != nil {
		return secret{}, 0, err
	}
	var out struct {
		AccessToken string `json:"accessToken"`
		ExpireIn    int64  `json:"expireIn"` // seconds
	}
	if json.Unmarshal(res.Body, &out) != nil || !valid(out.AccessToken) || out.ExpireIn <= 0 {
		return secret{}, 0, &chat.Error{Code: chat.Unavailable, Err: errors.New(call.What + ": its reply holds none")}
	}
	return secret{out.AccessToken}, time.Duration(min(out.ExpireIn, 24*60*60)) * time.Second, nil
}
