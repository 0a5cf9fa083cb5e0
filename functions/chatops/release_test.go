package chatops_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

func TestRelease_WithoutAScopeIsTheOneThatIsHalted(t *testing.T) {
	for name, c := range map[string]struct {
		halted     []string
		text, want string
		scope      string
	}{
		"nothing halted":          {nil, "release the fire is out", "nothing is halted", ""},
		"one halted":              {[]string{"environment/production"}, "release the fire is out", "release of environment/production asked for", "environment/production"},
		"two halted":              {[]string{"all", "plan/cart-cpu"}, "release the fire is out", "several scopes are halted: all, plan/cart-cpu", ""},
		"an environment's name":   {[]string{"all"}, "release production it is over", "may be a scope or the reason", ""},
		"a plan's name":           {[]string{"all"}, "release cart-cpu is fine", "may be a scope or the reason", ""},
		"a scope, and two halted": {[]string{"all", "plan/cart-cpu"}, "release all over", "release of all asked for", "all"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := room(t)
			w.halted = c.halted
			_, text := w.as(p, "BOB", "1", c.text, "")
			if !strings.Contains(text, c.want) || (len(w.published) == 1) != (c.scope != "") {
				t.Fatalf("%s, %d events", text, len(w.published))
			}
			if c.scope != "" {
				if _, e := payload[events.Release](t, w); e.Scope != c.scope || e.Reason == "" {
					t.Errorf("%+v", e)
				}
			}
			if _, text := w.as(p, "EVE", "2", c.text, ""); !strings.Contains(text, "slack:T/EVE") {
				t.Errorf("a stranger: %s", text)
			}
		})
	}
}
