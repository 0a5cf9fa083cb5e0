package wire

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/secret"
)

const tokenMargin = 5 * time.Minute

// issuer gives tokens that are numbered, each after a while.
type issuer struct {
	life  time.Duration
	takes time.Duration
	fail  error

	mu    sync.Mutex
	given int
}

func (i *issuer) fetch(ctx context.Context) (secret.Text, time.Duration, error) {
	i.mu.Lock()
	i.given++
	n := i.given
	i.mu.Unlock()
	select {
	case <-ctx.Done():
		return secret.Text{}, 0, &chat.Error{Code: chat.Unavailable, Err: ctx.Err()}
	case <-time.After(i.takes):
	}
	if i.fail != nil {
		return secret.Text{}, 0, i.fail
	}
	return secret.New("t" + strconv.Itoa(n)), i.life, nil
}

func (i *issuer) tokens() *Tokens {
	return NewTokens(TokenOptions{What: "access token of x", Margin: tokenMargin, Now: time.Now, Fetch: i.fetch})
}

// all asks many times at once and counts what came back: tokens by their text, errors by theirs.
func all(ctx context.Context, k *Tokens, n int) map[string]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	for range n {
		wg.Go(func() {
			token, err := k.Get(ctx)
			text := token.Reveal()
			if err != nil {
				text = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			got[text]++
		})
	}
	wg.Wait()
	return got
}

func TestTokens_OneFetchesForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Second}
		k := i.tokens()
		if i.given != 0 {
			t.Error("one is fetched before anybody asked")
		}
		if got := all(t.Context(), k, 50); got["t1"] != 50 || i.given != 1 {
			t.Errorf("%v, %d fetched", got, i.given)
		}
	})
}

func TestTokens_AFailureIsAnsweredToAllAndKeptForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Second, fail: &chat.Error{Code: chat.Denied, Err: errors.New("wrong secret")}}
		k := i.tokens()
		if got := all(t.Context(), k, 50); got["wrong secret"] != 50 || i.given != 1 {
			t.Errorf("%v, %d fetched", got, i.given)
		}
		i.fail = nil
		if got := all(t.Context(), k, 50); got["t2"] != 50 || i.given != 2 {
			t.Errorf("afterwards: %v, %d fetched", got, i.given)
		}
	})
}

func TestTokens_WhoWaitsFetchesWhereTheOtherHadNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: 10 * time.Second}
		k := i.tokens()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := make(chan error, 1)
		go func() {
			_, err := k.Get(short)
			first <- err
		}()
		synctest.Wait() // it is fetching
		if got := all(t.Context(), k, 20); got["t2"] != 20 || i.given != 2 {
			t.Errorf("%v, %d fetched", got, i.given)
		}
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the first: %v", err)
		}
	})
}

func TestTokens_NobodyWaitsLongerThanTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: 10 * time.Second}
		k := i.tokens()
		go func() { _, _ = k.Get(t.Context()) }()
		synctest.Wait()
		begin := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := k.Get(short)
		if !errors.Is(err, context.DeadlineExceeded) || !chat.Retryable(err) || err.Error() != "access token of x: context deadline exceeded" || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		time.Sleep(time.Minute)
		if token, err := k.Get(t.Context()); token.Reveal() != "t1" || err != nil || i.given != 1 {
			t.Errorf("whoever fetched has nothing of it: %v, %d fetched", err, i.given)
		}
	})
}

func TestTokens_OneThatIsRefusedIsFetchedOnceForAllWhoHadIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Second}
		k := i.tokens()
		old, err := k.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				time.Sleep(time.Duration(n) * 200 * time.Millisecond) // some before the new one is there, some long after
				k.Drop(old)
				if token, err := k.Get(t.Context()); token.Reveal() != "t2" || err != nil {
					t.Errorf("%q, %v", token.Reveal(), err)
				}
			})
		}
		wg.Wait()
		if i.given != 2 {
			t.Errorf("%d fetched", i.given)
		}
	})
}

func TestTokens_AreUsedUntilShortlyBeforeTheirEnd(t *testing.T) {
	for name, c := range map[string]struct {
		life, after time.Duration
		fetched     int
	}{
		"well before":       {2 * time.Hour, 2*time.Hour - tokenMargin - time.Second, 1},
		"at the margin":     {2 * time.Hour, 2*time.Hour - tokenMargin, 2},
		"a short one":       {8 * time.Minute, 4*time.Minute - time.Second, 1},
		"a short one's end": {8 * time.Minute, 4 * time.Minute, 2},
		"one that is over":  {0, 0, 2},
		"a negative one":    {-time.Hour, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{life: c.life}
				k := i.tokens()
				if token, err := k.Get(t.Context()); token.Reveal() != "t1" || err != nil {
					t.Fatalf("%v, %v", token, err)
				}
				time.Sleep(c.after)
				if _, err := k.Get(t.Context()); err != nil || i.given != c.fetched {
					t.Errorf("%d fetched, %v", i.given, err)
				}
			})
		})
	}
}

func TestTokens_AFetchThatPanicsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{life: time.Hour, takes: time.Second}
		k := NewTokens(TokenOptions{Now: time.Now, Fetch: func(ctx context.Context) (secret.Text, time.Duration, error) {
			token, life, err := i.fetch(ctx)
			if token.Reveal() == "t1" {
				panic("broken")
			}
			return token, life, err
		}})
		go func() {
			defer func() { _ = recover() }()
			_, _ = k.Get(t.Context())
		}()
		synctest.Wait() // it is fetching
		if got := all(t.Context(), k, 20); got["t2"] != 20 || i.given != 2 {
			t.Errorf("%v, %d fetched", got, i.given)
		}
	})
}
