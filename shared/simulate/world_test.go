package simulate

import (
	"os"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// shipped is the catalogue that comes along, with the simulator's people bound besides.
func shipped(t testing.TB) *catalog.Catalog {
	t.Helper()
	text, err := os.ReadFile("../../drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const main = "version: 1\ninclude: [ shipped.yaml ]\n" + people
	c, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(main)}, "shipped.yaml": {Data: text}}, "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWorld_EveryServiceCompletes(t *testing.T) {
	cat := shipped(t)
	for _, plan := range []string{"smoke-wait", "checkout-az-outage", "loop-echo", "order-delay"} {
		t.Run(plan, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := New(t, Options{Seed: 1, Catalog: cat})
				id := w.Start(t.Context(), t, plan, nil)
				d := w.Until(t.Context(), t, id, 60, func(d *drill.Drill) bool { return d.Status.Final() })
				t.Log("\n" + w.Timeline(t.Context(), id))
				if d.Outcome != drill.Completed {
					t.Errorf("outcome %q, want completed", d.Outcome)
				}
			})
		})
	}
}
