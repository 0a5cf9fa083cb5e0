package simulate

import (
	"flag"
	"slices"
	"strings"
	"testing"
)

var searchFlag = flag.Uint64("search", 0, "search so many seeds for those that show a harm, instead of the known ones")

// TestSimulate_Teeth takes one safeguard away at a time: seeds that are known to show the harm must go on showing it.
func TestSimulate_Teeth(t *testing.T) {
	for _, c := range []struct {
		name  string
		harm  Harm
		known []uint64
		shows string // part of the violation
	}{
		{"without the second look", Harm{NoSecondLook: true}, []uint64{158, 313, 546, 840, 1342, 2193}, "before the intent"},
		{"without leases", Harm{FastClock: true}, []uint64{65, 289, 537, 609, 753, 861}, "is no drill's"},
		{"without the nonce", Harm{AnyExists: true}, []uint64{65, 113, 141, 229, 261, 309}, "calls to start one"},
		{"without the marker", Harm{NoMarker: true}, []uint64{1, 2, 3, 9}, "does not end"},
		{"without waiting for late calls", Harm{Hasty: true}, []uint64{13764, 4400}, "had ended as"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			caught := func(n uint64) bool {
				s := seedOf(t, n)
				s.Harm = c.harm
				r := playIn(t, s)
				if r.Err != nil && strings.Contains(r.Err.Error(), c.shows) {
					t.Logf("seed %d shows it: %v", n, r.Err)
					return true
				}
				return false
			}
			if *searchFlag > 0 {
				for n, found := uint64(1), 0; n <= *searchFlag && found < 6; n++ {
					if caught(n) {
						found++
					}
				}
				return
			}
			if slices.ContainsFunc(c.known, caught) {
				return
			}
			t.Log("no known seed shows it any more: the schedules have changed; looking for another")
			for n := uint64(1); n <= 800; n++ {
				if caught(n) {
					return
				}
			}
			t.Error("no seed shows what this safeguard is for; try -args -search 20000")
		})
	}
}
