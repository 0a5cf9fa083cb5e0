package rooms

import (
	"slices"
	"time"
)

// Counts are when things happened of late, by kind. The caller holds the room's lock.
type Counts map[string][]time.Time

// Within counts one more of a kind, unless there were limit of them in the span before now.
func (c Counts) Within(kind string, limit int, span time.Duration, now time.Time) bool {
	left := slices.DeleteFunc(c[kind], func(at time.Time) bool { return now.Sub(at) >= span })
	if len(left) < limit {
		c[kind] = append(left, now)
		return true
	}
	c[kind] = left
	return false
}
