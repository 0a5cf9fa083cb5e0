package catalog

import (
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// claims reads expect. Ids are c1, c2, … in the order of the list.
func claims(v value) []drill.Claim {
	var out []drill.Claim
	var texts []string
	for i, item := range v.items() {
		c := claim(item)
		c.ID = fmt.Sprintf("c%d", i+1)
		out, texts = append(out, c), append(texts, c.Claim)
	}
	v.atMost(maxClaims, len(out), "claims")
	v.weigh(texts, maxTold)
	return out
}

func claim(v value) drill.Claim {
	var c drill.Claim
	fields := v.fields(kindClaim)
	if f, ok := fields["claim"]; ok {
		c.Claim, _ = f.lineUpTo(maxClaim)
	} else if v.fits() {
		v.wrong("write what must hold, such as claim: checkout answers", "claim is missing")
	}
	http, measured := fields["http"]
	ask, asked := fields["ask"]
	switch {
	case measured && asked:
		ask.wrong("make two claims of it", "stands beside http")
	case measured:
		c.HTTP, _ = http.url()
	case asked:
		c.Ask, _ = ask.line()
	case v.fits():
		v.wrong("write http: https://…, or ask: owner", "nothing says how the claim is measured")
	}
	if f, ok := fields["status"]; ok {
		c.Status, _ = f.integer(100, 599)
	}
	c.Within, c.StopAfter, c.Deadline = span3(fields)
	for _, name := range []string{"status", "within", "stop_after"} {
		if f, ok := fields[name]; ok && !measured {
			f.wrong("remove it", "only a claim with http has this")
		}
	}
	if f, ok := fields["deadline"]; ok && !asked {
		f.wrong("remove it", "only a claim with ask has this")
	}
	return c
}

func span3(fields map[string]value) (within, stopAfter, deadline drill.Duration) {
	for name, to := range map[string]*drill.Duration{"within": &within, "stop_after": &stopAfter, "deadline": &deadline} {
		low, high := minWait, maxDuration
		switch name {
		case "within":
			low = time.Millisecond
		case "deadline":
			high = maxWait
		}
		if f, ok := fields[name]; ok {
			d, _ := f.durationFrom(low, high)
			*to = drill.Duration(d)
		}
	}
	return within, stopAfter, deadline
}
