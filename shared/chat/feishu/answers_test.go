package feishu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestSender_ClassifiesEveryAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer answered
		want   chat.Code
	}{
		"frequency, 200":          {failing(200, 99991400), chat.Throttled},
		"frequency, 400":          {failing(400, 99991400), chat.Throttled},
		"frequency, 429":          {failing(429, 99991400), chat.Throttled},
		"429 and nothing":         {answered{status: 429}, chat.Throttled},
		"429 with another code":   {failing(429, 1), chat.Throttled},
		"too many in the chat":    {failing(400, 230020), chat.Throttled},
		"bot not in the chat":     {failing(400, 230002), chat.Denied},
		"no bot":                  {failing(400, 230006), chat.Denied},
		"no permission":           {failing(400, 99991672), chat.Denied},
		"somebody else's message": {failing(400, 230071), chat.Denied},
		"a bad parameter":         {failing(400, 230001), chat.Invalid},
		"too large":               {failing(400, 230025), chat.Invalid},
		"a bad card":              {failing(200, 230099), chat.Invalid},
		"no such message":         {failing(400, 99992354), chat.Invalid},
		"an unknown code, 200":    {failing(200, 424242), chat.Unavailable},
		"an unknown code, 400":    {failing(400, 424242), chat.Invalid},
		"an unknown code, 403":    {failing(403, 424242), chat.Denied},
		"a fault, 200":            {failing(200, 2200), chat.Unavailable},
		"a fault, 500":            {failing(500, 230001), chat.Unavailable},
		"503":                     {answered{status: 503, body: "<html>hunter2"}, chat.Unavailable},
		"404":                     {answered{status: 404, body: "404 page not found"}, chat.Denied},
		"200 and no JSON":         {answered{status: 200, body: "<html>hunter2"}, chat.Unavailable},
		"200 and nothing":         {answered{status: 200}, chat.Unavailable},
		"200 and no code":         {answered{status: 200, body: `{"data":{"message_id":"om_1"}}`}, chat.Unavailable},
		"200 and no message":      {answered{status: 200, body: `{"code":0,"data":{}}`}, chat.Unavailable},
		"400 and code 0":          {answered{status: 400, body: `{"code":0}`}, chat.Invalid},
		"a redirect":              {answered{status: 302, header: http.Header{"Location": {"/again"}}}, chat.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.answers[sendPath] = []answered{c.answer}
			_, err := a.sender(t, a.env()).Post(t.Context(), group(), waiting())
			retry := c.want == chat.Throttled || c.want == chat.Unavailable
			if err == nil || chat.CodeOf(err) != c.want || chat.Retryable(err) != retry {
				t.Fatalf("got %v (%s)", err, chat.CodeOf(err))
			}
			if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "oc_drills") {
				t.Errorf("error %q", err)
			}
			if n := len(a.calls(sendPath)); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestHook_ClassifiesFailuresIn200(t *testing.T) {
	for code, want := range map[int]chat.Code{19001: chat.Denied, 19021: chat.Denied, 19022: chat.Denied, 19024: chat.Denied, 9499: chat.Invalid, 11232: chat.Throttled, 5: chat.Unavailable} {
		a := newAPI(t)
		a.answers[hookPath] = []answered{failing(200, code)}
		_, err := a.sender(t, a.env()).Post(t.Context(), hookAddress("alerts"), waiting())
		if chat.CodeOf(err) != want || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "hook:alerts") {
			t.Errorf("%d: %v (%s)", code, err, chat.CodeOf(err))
		}
	}
	a := newAPI(t)
	a.answers[hookPath] = []answered{{status: 200, body: `{"StatusCode":19021,"StatusMessage":"hunter2"}`}}
	if _, err := a.sender(t, a.env()).Post(t.Context(), hookAddress("alerts"), waiting()); chat.CodeOf(err) != chat.Denied {
		t.Errorf("an old reply: %v", err)
	}
}

func TestSender_KeepsAwayAsLongAsItIsTold(t *testing.T) {
	for name, h := range map[string]http.Header{"feishu's header": {"X-Ogw-Ratelimit-Reset": {"52"}}, "the usual one": {"Retry-After": {"52"}}} {
		for _, status := range []int{429, 400, 200} {
			a := newAPI(t)
			limit := failing(status, 99991400)
			limit.header = h
			a.answers[sendPath] = []answered{limit, ok("om_2")}
			s := a.sender(t, a.env())
			_, err := s.Post(t.Context(), group(), waiting())
			var e *chat.Error
			if !errors.As(err, &e) || e.Code != chat.Throttled || e.RetryAfter != 52*time.Second {
				t.Fatalf("%s, %d: %#v", name, status, err)
			}
			a.move(51 * time.Second)
			if _, err := s.Post(t.Context(), group(), waiting()); chat.CodeOf(err) != chat.Throttled || len(a.calls(sendPath)) != 1 {
				t.Errorf("%s, %d: called too early: %v", name, status, err)
			}
			a.move(2 * time.Second)
			if _, err := s.Post(t.Context(), group(), waiting()); err != nil {
				t.Errorf("%s, %d: afterwards: %v", name, status, err)
			}
		}
	}
}

func TestSender_KeepsToItsOwnRate(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	for range 5 {
		if _, err := s.Post(t.Context(), group(), waiting()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Update(t.Context(), posted(), waiting()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(a.waited); got != "[250ms 250ms 250ms 250ms]" {
		t.Errorf("waited %s: each chat has its own rate, and each message for its edits", got)
	}
	still := newAPI(t)
	s = still.sender(t, still.env())
	var err error
	sent := 0
	for ; err == nil && sent < 50; sent++ {
		_, err = s.Post(t.Context(), group(), waiting())
		still.mu.Lock()
		still.at = now // nobody waits: all come at once
		still.mu.Unlock()
	}
	if chat.CodeOf(err) != chat.Throttled || sent > 25 {
		t.Errorf("after %d: %v", sent, err)
	}
}

func TestSender_NeverShowsASecret(t *testing.T) {
	a := newAPI(t)
	s := a.sender(t, a.env())
	r := receiver()
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s %v %#v %v", s, s, s, s, r, r, r, r, secret{text: "hunter2"}, secret{text: "hunter2"}, s.LogValue().String()+r.LogValue().String())
	js, err := json.Marshal([]any{s, r, secret{text: "hunter2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, hide := range []string{"hunter2", testKey, testToken} {
		if strings.Contains(printed+string(js), hide) {
			t.Errorf("%q in %s %s", hide, printed, js)
		}
	}
	a.Close()
	_, err = s.Post(t.Context(), hookAddress("alerts"), waiting())
	if chat.CodeOf(err) != chat.Unavailable || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "/hook/") {
		t.Errorf("got %v", err)
	}
}
