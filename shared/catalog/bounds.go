package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// Bounds of one plan. An event has 64 KiB, and what does not fit cannot be told: a verdict quotes every claim, a request every parameter.
const (
	maxLine       = 200  // characters of a name, a title, an owner
	maxClaim      = 500  // characters of a claim
	maxMatch      = 500  // characters of an alarm's name at its source, and of a label
	maxNote       = 1000 // characters of a reason, and of a pattern
	maxURL        = 2000 // characters
	maxValue      = 4000 // characters of a parameter
	maxClaims     = 50
	maxAlarms     = 50
	maxChannels   = 20
	maxLocks      = 20
	maxLabels     = 50
	maxParameters = 50
	maxEnum       = 100
	maxTold       = 16 << 10  // bytes of all claims of a plan, and of all its parameters, as JSON
	maxBlock      = 128 << 10 // bytes of a service's block, as JSON
)

// Bounds of times.
const (
	minWait     = time.Second
	maxDuration = 24 * time.Hour // FIS ends a run after 12 hours by itself; the others name no limit
	maxWait     = 7 * 24 * time.Hour
)

// maxDurationOf reads a plan's time. One with a mistake counts as the longest that suits every service, so that no driver finds a second one.
func maxDurationOf(v value) time.Duration {
	if d, ok := v.durationFrom(minWait, maxDuration); ok {
		return d
	}
	return maxDuration / 2
}

// atMost reports a list or a mapping that is too long.
func (v value) atMost(most, n int, what string) {
	if n > most {
		v.wrong(fmt.Sprintf("keep at most %d", most), "has %d %s", n, what)
	}
}

// weigh reports what is too large as JSON. Mistakes of its parts have been told already.
func (v value) weigh(what any, most int) {
	b, err := json.Marshal(what)
	if err == nil && len(b) > most {
		v.wrong(fmt.Sprintf("keep it below %d KiB", most>>10), "has %d bytes as JSON", len(b))
	}
}

// brief writes a duration without its empty parts: 24h, 1h30m.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// lock reports a lock's name that the journal could not make a key of: it becomes `lock/name`, with three bytes for each byte that is no
// letter, digit, "-", "_" or ".".
func (v value) lock(name string) {
	const maxKey, maxEscaped = 128, 240
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." || part == ".." {
			v.wrong("remove the / too many", "the lock %q has an empty part", name)
			return
		}
	}
	key, size := "lock/"+name, 0
	for i := range len(key) {
		size++
		if c := rune(key[i]); !plainSign(c) {
			size += 2
		}
	}
	if len(key) > maxKey || size > maxEscaped {
		v.wrong("write exclusive: [ a-short-name ]", "the lock %q is too long to be kept", name)
	}
}

// tellable refuses parameters that a request could not quote.
func tellable(plan drill.Plan, given map[string]any) error {
	b, err := json.Marshal(given)
	if err == nil && len(b) > maxTold {
		return fmt.Errorf("the parameters of %s have %d bytes together, at most %d are allowed", plan.Name, len(b), maxTold)
	}
	return nil
}
