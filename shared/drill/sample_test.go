package drill

import (
	"testing"
	"time"
)

func TestRecount_OnlySamplesUnderFaultProveAClaim(t *testing.T) {
	begin := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	sample := func(seconds int, good, during bool) Sample {
		return Sample{Claim: "c1", At: begin.Add(time.Duration(seconds) * time.Second), Good: good, During: during, Detail: "x"}
	}
	for _, c := range []struct {
		name        string
		samples     []Sample
		held, known bool
		good, bad   int
	}{
		{"none at all", nil, false, false, 0, 0},
		{"only after the end", []Sample{sample(90, true, false)}, false, false, 1, 0},
		{"bad while it ran, good after it", []Sample{sample(0, true, true), sample(15, false, true), sample(90, true, false)}, false, true, 2, 1},
		{"good all along, in any order", []Sample{sample(30, true, true), sample(0, true, true), sample(90, true, false)}, true, true, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &Drill{Status: Completed, Plan: Plan{Expect: []Claim{{ID: "c1", Claim: "it answers", HTTP: "https://x"}}}, Claims: []ClaimState{{ID: "c1", Good: 7}}}
			d.Recount(c.samples)
			held, known, why := d.holds(0)
			if held != c.held || known != c.known || d.Claims[0].Good != c.good || d.Claims[0].Bad != c.bad {
				t.Errorf("held %v, known %v, %d good, %d bad: %s", held, known, d.Claims[0].Good, d.Claims[0].Bad, why)
			}
		})
	}
}
