package simulate

import (
	"flag"
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
		{"without the second look", Harm{NoSecondLook: true}, nil, ""},
		{"without leases", Harm{FastClock: true}, nil, ""},
		{"without the nonce", Harm{AnyExists: true}, nil, ""},
		{"without the marker", Harm{NoMarker: true}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
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
			found := 0
			for n := uint64(1); n <= *searchFlag && found < 6; n++ {
				if caught(n) {
					found++
				}
			}
			for _, n := range c.known {
				if caught(n) {
					return
				}
			}
			if found == 0 {
				t.Error("no seed shows what this safeguard is for")
			}
		})
	}
}
