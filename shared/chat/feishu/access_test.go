package feishu

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestAccess_ATokenThatIsNoLongerTakenIsReplacedOnce(t *testing.T) {
	for _, code := range []int{99991661, 99991663, 99991664} {
		a := newAPI(t)
		a.answers[tokenPath] = []answered{tokenOf(accessOne, 7200), tokenOf("t-hunter2-2", 7200)}
		a.answers[sendPath] = []answered{failing(400, code), ok("om_2")}
		p, err := a.sender(t, a.env()).Post(t.Context(), group(), waiting())
		got := a.calls(sendPath)
		if err != nil || p.ID != "om_2" || len(got) != 2 || got[1].auth != "Bearer t-hunter2-2" || got[0].raw != got[1].raw {
			t.Errorf("%d: %+v, %v, %d calls", code, p, err, len(got))
		}
	}
	a := newAPI(t)
	a.answers[sendPath] = []answered{failing(200, 99991663)}
	_, err := a.sender(t, a.env()).Post(t.Context(), group(), waiting())
	if chat.CodeOf(err) != chat.Denied || len(a.calls(sendPath)) != 2 || len(a.calls(tokenPath)) != 2 || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("never taken: %v, %d and %d calls", err, len(a.calls(sendPath)), len(a.calls(tokenPath)))
	}
}

func TestAccess_IsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		expire  int
		after   time.Duration
		fetched int
	}{
		"well before":      {7200, 109 * time.Minute, 1},
		"in the margin":    {7200, 111 * time.Minute, 2},
		"a short one":      {600, 4 * time.Minute, 1},
		"a short one, old": {600, 6 * time.Minute, 2},
		"one that is over": {0, 0, 2},
		"a negative one":   {-5, 0, 2},
	} {
		a := newAPI(t)
		a.answers[tokenPath] = []answered{tokenOf(accessOne, c.expire)}
		s := a.sender(t, a.env())
		for range 2 {
			if _, err := s.Post(t.Context(), group(), waiting()); err != nil {
				t.Fatal(name, err)
			}
			a.move(c.after)
		}
		if n := len(a.calls(tokenPath)); n != c.fetched {
			t.Errorf("%s: fetched %d times", name, n)
		}
	}
}

func TestAccess_TriesEachSecretAndSaysWhatToDo(t *testing.T) {
	a := newAPI(t)
	env := a.env()
	env[envSecrets] = "new-secret-hunter2, " + appSecret
	a.answers[tokenPath] = []answered{failing(200, 10014), tokenOf(accessOne, 7200)}
	if _, err := a.sender(t, env).Post(t.Context(), group(), waiting()); err != nil || len(a.calls(tokenPath)) != 2 {
		t.Errorf("the older of two: %v", err)
	}
	for name, c := range map[string]struct {
		answer answered
		calls  int
		want   chat.Code
	}{
		"wrong secrets":    {failing(200, 10014), 2, chat.Denied},
		"wrong secret 400": {failing(400, 10014), 2, chat.Denied},
		"a wrong app":      {failing(200, 10003), 2, chat.Denied},
		"no token":         {answered{status: 200, body: `{"code":0}`}, 1, chat.Unavailable},
		"throttled":        {failing(429, 99991400), 1, chat.Throttled},
		"down":             {answered{status: 503}, 1, chat.Unavailable},
		"no JSON":          {answered{status: 200, body: "hunter2"}, 1, chat.Unavailable},
	} {
		a := newAPI(t)
		env[envEndpoint] = a.URL
		a.answers[tokenPath] = []answered{c.answer}
		_, err := a.sender(t, env).Post(t.Context(), group(), waiting())
		if chat.CodeOf(err) != c.want || len(a.calls(tokenPath)) != c.calls || len(a.calls(sendPath)) != 0 {
			t.Errorf("%s: %v (%s), %d calls", name, err, chat.CodeOf(err), len(a.calls(tokenPath)))
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "cli_drill") || c.want == chat.Denied && !strings.Contains(err.Error(), envSecrets) {
			t.Errorf("%s: error %q", name, err)
		}
	}
}

func TestAccess_ManyAtOnceFetchOnce(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			to := chat.Address{Platform: chat.Feishu, Place: tenant + "/oc_" + string(rune('a'+i))}
			if _, err := s.Post(t.Context(), to, waiting()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(a.calls(tokenPath)); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.access.gate <- struct{}{}
	if _, err := s.access.get(ctx, ""); !chat.Retryable(err) {
		t.Errorf("nobody waits for ever: %v", err)
	}
}
