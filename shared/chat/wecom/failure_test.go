package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func secrets() []string {
	return []string{"hunter2", appSecret, robotKey, token, key, "/cgi-bin", "access_token"}
}

func noSecret(t *testing.T, shown string) {
	t.Helper()
	for _, s := range secrets() {
		if strings.Contains(shown, s) {
			t.Errorf("shows %q: %s", s, shown)
		}
	}
}

func failure(code int) string {
	return fmt.Sprintf(`{"errcode":%d,"errmsg":"no: hunter2, hint: [16], from ip: 203.0.113.7, more info at https://x"}`, code)
}

func TestPost_ReadsTheErrorInAReplyOf200(t *testing.T) {
	for reply, c := range map[string]struct {
		code chat.Code
		says string
	}{
		failure(-1):       {chat.Unavailable, "busy"},
		failure(45009):    {chat.Throttled, "too often"},
		failure(45033):    {chat.Throttled, "too often"},
		failure(60020):    {chat.Denied, "(203.0.113.7)"},
		failure(81013):    {chat.Invalid, "可见范围"},
		failure(93000):    {chat.Denied, "FIREDRILL_WECOM_ROBOTS"},
		failure(301002):   {chat.Denied, "FIREDRILL_WECOM_AGENT"},
		failure(40001):    {chat.Denied, "FIREDRILL_WECOM_APP_SECRETS"},
		failure(50003):    {chat.Denied, "switched off"},
		failure(45002):    {chat.Invalid, "too large"},
		failure(40058):    {chat.Invalid, "e=40058"},
		`{}`:              {chat.Unavailable, "no errcode"},
		`{"errmsg":"ok"}`: {chat.Unavailable, "no errcode"},
		`<html>`:          {chat.Unavailable, "JSON"},
		`503`:             {chat.Unavailable, "503"},
		`429`:             {chat.Throttled, "429"},
		`403`:             {chat.Denied, "403"},
		`302`:             {chat.Denied, "redirects"},
	} {
		t.Run(reply, func(t *testing.T) {
			w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {reply}, pathRobot: {reply}})
			for _, place := range []string{"/@all", "/robot:drills"} {
				posted, err := w.Post(t.Context(), to(corp+place), plainMessage())
				if err == nil || chat.CodeOf(err) != c.code || posted.ID != "" {
					t.Fatalf("%s: %+v, %v (%s)", place, posted, err, chat.CodeOf(err))
				}
				if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), place) {
					t.Errorf("%s: %v", place, err)
				}
				noSecret(t, err.Error()+fmt.Sprintf("%+v", err))
			}
			if n := len(w.requests(pathSend)); n != 1 {
				t.Errorf("%d calls: one was repeated", n)
			}
		})
	}
}

func TestPost_ReadsTheErrorOfTheToken(t *testing.T) {
	for reply, want := range map[string]chat.Code{
		failure(40013): chat.Denied, failure(60020): chat.Denied, failure(-1): chat.Unavailable, failure(45009): chat.Throttled, failure(40001): chat.Denied, "503": chat.Unavailable, `{"errcode":0}`: chat.Unavailable,
	} {
		w := serve(t, map[string][]string{pathToken: {reply}, pathSend: {okSend}})
		_, err := w.Post(t.Context(), everyone(), plainMessage())
		if chat.CodeOf(err) != want || err == nil || len(w.requests(pathSend)) != 0 {
			t.Errorf("%s: %v (%s)", reply, err, chat.CodeOf(err))
			continue
		}
		noSecret(t, err.Error())
	}
}

func TestPost_NobodyThere(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}}, "FIREDRILL_ENDPOINT_WECOM", "http://127.0.0.1:1")
	_, err := w.Post(t.Context(), everyone(), plainMessage())
	if chat.CodeOf(err) != chat.Unavailable {
		t.Fatal(err)
	}
	noSecret(t, err.Error())
	_, err = w.Post(t.Context(), to(corp+"/robot:drills"), plainMessage())
	if chat.CodeOf(err) != chat.Unavailable {
		t.Fatal(err)
	}
	noSecret(t, err.Error())
}

func TestPost_WaitsAsLongAsItIsTold(t *testing.T) {
	for reply, wait := range map[string]time.Duration{"429 30": 30 * time.Second, failure(45009): time.Minute} {
		w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {reply, okSend}})
		_, err := w.Post(t.Context(), everyone(), plainMessage())
		var e *chat.Error
		if !errors.As(err, &e) || e.Code != chat.Throttled || e.RetryAfter != wait {
			t.Fatalf("%s: %#v", reply, err)
		}
		w.now = w.now.Add(wait - time.Second)
		if _, err := w.Post(t.Context(), everyone(), plainMessage()); chat.CodeOf(err) != chat.Throttled || len(w.requests(pathSend)) != 1 {
			t.Errorf("%s: called too early: %v", reply, err)
		}
		if err := w.Say(t.Context(), chat.Saying{To: to(corp + "/alice"), Text: "x"}); err != nil {
			t.Errorf("%s: another destination: %v", reply, err)
		}
		w.now = w.now.Add(time.Second)
		if _, err := w.Post(t.Context(), everyone(), plainMessage()); err != nil {
			t.Errorf("%s: after the wait: %v", reply, err)
		}
	}
}

// WeCom drops what is more than 30 a minute for a member, and says nothing; a robot's 21st is an error.
func TestPost_KeepsToTheRates(t *testing.T) {
	for place, limit := range map[string]int{"/@all": 30, "/robot:drills": 20} {
		w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}, pathRobot: {`{"errcode":0}`}})
		sent := 0
		for w.now.Before(now.Add(time.Minute)) && sent < 100 {
			if _, err := w.Post(t.Context(), to(corp+place), plainMessage()); err != nil {
				t.Fatal(place, err)
			}
			sent++
		}
		if sent > limit || sent < limit/2 || len(w.waits) == 0 {
			t.Errorf("%s: %d in a minute, %d waits", place, sent, len(w.waits))
		}
	}
}

func TestToken_IsFetchedOnceAndAgainNearItsEnd(t *testing.T) {
	second := strings.Replace(okToken, "access-1", "access-2", 1)
	w := serve(t, map[string][]string{pathToken: {okToken, second}, pathSend: {okSend}})
	post := func() {
		t.Helper()
		if _, err := w.Post(t.Context(), everyone(), plainMessage()); err != nil {
			t.Fatal(err)
		}
	}
	post()
	w.now = now.Add(7200*time.Second - 301*time.Second)
	post()
	if n := len(w.requests(pathToken)); n != 1 {
		t.Errorf("%d tokens before the margin", n)
	}
	w.now = now.Add(7200*time.Second - 299*time.Second)
	post()
	sends := w.requests(pathSend)
	if n := len(w.requests(pathToken)); n != 2 || sends[2].query != "access_token=hunter2-access-2" {
		t.Errorf("%d tokens within the margin, %+v", n, sends[2])
	}
}

func TestToken_IsFetchedAgainWhenWeComNoLongerTakesIt(t *testing.T) {
	second := strings.Replace(okToken, "access-1", "access-2", 1)
	for _, code := range []int{40014, 42001, 41001} {
		w := serve(t, map[string][]string{pathToken: {okToken, second}, pathSend: {failure(code), okSend}})
		if posted, err := w.Post(t.Context(), everyone(), plainMessage()); err != nil || posted.ID != "m1" {
			t.Fatal(code, posted, err)
		}
		if sends := w.requests(pathSend); len(sends) != 2 || len(w.requests(pathToken)) != 2 || sends[1].query != "access_token=hunter2-access-2" || sends[0].body != sends[1].body {
			t.Errorf("%d: %+v", code, sends)
		}
		w = serve(t, map[string][]string{pathToken: {okToken}, pathSend: {failure(code)}})
		_, err := w.Post(t.Context(), everyone(), plainMessage())
		if chat.CodeOf(err) != chat.Unavailable || len(w.requests(pathSend)) != 2 || len(w.requests(pathToken)) != 2 {
			t.Errorf("%d for ever: %v, %d calls", code, err, len(w.requests(pathSend)))
		}
		noSecret(t, err.Error())
	}
}

func TestToken_IsFetchedByOneOfMany(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := w.Say(t.Context(), chat.Saying{To: to(fmt.Sprintf("%s/user%d", corp, i)), Text: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(w.requests(pathToken)); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

func TestToken_TriesTheOlderSecretWhileItIsChanged(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {failure(40001), okToken}, pathSend: {okSend}}, "FIREDRILL_WECOM_APP_SECRETS", "hunter2-the-new-secret-9876543210,"+appSecret)
	if _, err := w.Post(t.Context(), everyone(), plainMessage()); err != nil {
		t.Fatal(err)
	}
	if got := w.requests(pathToken); len(got) != 2 || !strings.Contains(got[0].query, "9876543210") || !strings.Contains(got[1].query, appSecret) {
		t.Errorf("got %+v", got)
	}
}

func TestToken_WaitingForItEndsWithTheContext(t *testing.T) {
	w := serve(t, map[string][]string{pathToken: {okToken}, pathSend: {okSend}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Post(ctx, everyone(), plainMessage()); !errors.Is(err, context.Canceled) || !chat.Retryable(err) {
		t.Error(err)
	}
}
