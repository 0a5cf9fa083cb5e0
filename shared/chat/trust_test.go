package chat_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

func TestFresh_IsFiveMinutesInBothDirections(t *testing.T) {
	now := time.Unix(1795856400, 0)
	for age, want := range map[time.Duration]bool{
		0: true, 5 * time.Minute: true, -5 * time.Minute: true, 5*time.Minute + 1: false, -5*time.Minute - 1: false, 24 * time.Hour: false, -24 * time.Hour: false,
	} {
		if chat.Fresh(now.Add(-age), now) != want {
			t.Errorf("%s old: got %v", age, !want)
		}
	}
	if chat.Fresh(time.Time{}, now) || chat.Fresh(time.Unix(1<<40, 0), now) {
		t.Error("a time at no end of the clock is fresh")
	}
}

func TestOnce_TakesAHeaderThatStandsThereOnce(t *testing.T) {
	for name, c := range map[string]struct {
		h    http.Header
		want string
	}{
		"none":                   {nil, ""},
		"another":                {http.Header{"Y": {"a"}}, ""},
		"empty":                  {http.Header{"X-Sign": {""}}, ""},
		"a name alone":           {http.Header{"X-Sign": nil}, ""},
		"two values":             {http.Header{"X-Sign": {"a", "a"}}, ""},
		"two ways to write it":   {http.Header{"X-Sign": {"a"}, "x-sign": {"a"}}, ""},
		"two, of which one none": {http.Header{"X-Sign": {"a"}, "X-SIGN": {""}}, ""},
		"as it is canonical":     {http.Header{"X-Sign": {"a"}, "Y": {"b"}}, "a"},
		"as it came":             {http.Header{"x-sIGN": {"a"}}, "a"},
		"beside a name alone":    {http.Header{"X-Sign": {"a"}, "x-sign": nil}, "a"},
	} {
		if got := chat.Once(c.h, "x-Sign"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
