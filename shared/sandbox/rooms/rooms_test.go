package rooms_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// deliver sends "hello" to a handler, on a clock that each look moves by a second.
func deliver(ctx context.Context, t *testing.T, h http.HandlerFunc) (rooms.Heard, rooms.Answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://firedrill.example/chat/x?a=b", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Sign", "s")
	at := time.Unix(1795856400, 0)
	heard, answer, err := rooms.Deliver(h, req, []byte("hello"), func() time.Time { at = at.Add(time.Second); return at })
	if err != nil {
		t.Fatal(err)
	}
	return heard, answer
}

func TestDeliver_NobodyIsConnected(t *testing.T) {
	if _, _, err := rooms.Deliver(nil, &http.Request{}, nil, time.Now); err == nil {
		t.Error("no error")
	}
}

func TestDeliver_KeepsTheAnswerAsAServerWould(t *testing.T) {
	for name, c := range map[string]struct {
		do     http.HandlerFunc
		status int
		want   rooms.Answer
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, 200, rooms.Answer{}},
		"a body alone": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "a")
			_, _ = io.WriteString(w, "b")
		}, 200, rooms.Answer{Type: "text/plain", Body: []byte("ab")}},
		"the first status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401); w.WriteHeader(200) }, 401, rooms.Answer{}},
		"a status too late": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			w.WriteHeader(500)
		}, 200, rooms.Answer{Body: []byte("a")}},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			if n, err := w.Write(make([]byte, 1<<20)); n != 0 || err == nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		}, 200, rooms.Answer{Body: []byte("a")}},
	} {
		heard, answer := deliver(t.Context(), t, c.do)
		if heard.Status != c.status || heard.Took != time.Second || string(heard.Body) != "hello" || answer.Type != c.want.Type || string(answer.Body) != string(c.want.Body) {
			t.Errorf("%s: %+v, %+v", name, heard, answer)
		}
	}
}

func TestDeliver_TheRequestCanBeSentAgain(t *testing.T) {
	var got []string
	h := func(_ http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil || q.Context().Err() != nil {
			t.Error(err, q.Context().Err())
		}
		got = append(got, q.Method+" "+q.URL.Path+"?"+q.URL.RawQuery+" "+q.Header.Get("X-Sign")+" "+string(body))
		q.Header.Set("X-Sign", "changed by who heard it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	heard, _ := deliver(ctx, t, h)
	cancel()
	h(nil, heard.Request)
	if len(got) != 2 || got[0] != got[1] || got[0] != "POST /chat/x?a=b s hello" {
		t.Errorf("%q", got)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("it was not cancelled")
	}
}

func TestTrouble_IsUsedUp(t *testing.T) {
	trouble := rooms.Trouble{Kind: "throttled", Times: 2, After: time.Second}
	for i, want := range []string{"throttled", "throttled", "", ""} {
		if got := trouble.Next(); got.Kind != want || (got.After == time.Second) != (want != "") {
			t.Errorf("%d: %+v", i, got)
		}
	}
}

func TestCounts_EachKindForItself(t *testing.T) {
	c, now := rooms.Counts{}, time.Unix(1795856400, 0)
	for i, want := range []bool{true, true, false, false} {
		if got := c.Within("a", 2, time.Minute, now.Add(time.Duration(i)*time.Second)); got != want {
			t.Errorf("%d: got %v", i, got)
		}
	}
	if !c.Within("b", 2, time.Minute, now) {
		t.Error("another kind")
	}
	if c.Within("a", 2, time.Minute, now.Add(time.Minute-1)) || !c.Within("a", 2, time.Minute, now.Add(time.Minute)) || c.Within("a", 2, time.Minute, now.Add(time.Minute)) {
		t.Error("one of two leaves the minute")
	}
}

func TestFind(t *testing.T) {
	people := []rooms.Person{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}
	if p, ok := rooms.Find(people, "b"); !ok || p.Name != "B" {
		t.Errorf("%+v, %v", p, ok)
	}
	if p, ok := rooms.Find(people, "c"); ok || p != (rooms.Person{}) {
		t.Errorf("%+v, %v", p, ok)
	}
}
