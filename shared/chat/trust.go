package chat

import (
	"net/http"
	"strings"
	"time"
)

// Tolerance is how far the time that a request was signed at may be from ours, in both directions.
const Tolerance = 5 * time.Minute

// Fresh reports whether what was signed at that time may still be taken now.
func Fresh(at, now time.Time) bool {
	age := now.Sub(at)
	return age <= Tolerance && age >= -Tolerance
}

// Once returns a header that must stand exactly once, however its name is written: two could be read differently by two readers. It is ""
// for one that is not there, is empty, or stands there twice.
func Once(h http.Header, name string) string {
	value, n := "", 0
	for key, values := range h {
		if !strings.EqualFold(key, name) {
			continue
		}
		if n += len(values); len(values) > 0 {
			value = values[0]
		}
	}
	if n != 1 {
		return ""
	}
	return value
}
