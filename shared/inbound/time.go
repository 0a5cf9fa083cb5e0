package inbound

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// china is UTC+8 without daylight saving, in which TCOP writes its local times.
func china() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// layouts are those that vendors use besides RFC 3339. The ones without a zone come last.
func layouts() []string {
	return []string{
		time.RFC3339Nano,
		"2006-01-02T15:04:05.999999999-0700", // CloudWatch: +0000, no colon
		"2006-01-02T15:04Z07:00",             // OOS: no seconds
		"20060102T150405.999-0700",           // CloudMonitor
		"20060102T150405-0700",
		"2006-01-02 15:04:05 -0700 MST",
	}
}

// parseTime reads a time in any of the forms that vendors write: RFC 3339, their own layouts, or Unix seconds or milliseconds. A
// local time without a zone is read in zone, and refused if that is nil.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) >= 9 && len(s) <= 14 {
		return fromUnix(n, s)
	}
	for _, l := range layouts() {
		if t, err := time.Parse(l, s); err == nil {
			return inRange(t, s)
		}
	}
	if named, ok := namedZone(s); ok {
		return inRange(named, s)
	}
	if zone != nil {
		for _, l := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
			if t, err := time.ParseInLocation(l, s, zone); err == nil {
				return inRange(t, s)
			}
		}
	}
	return time.Time{}, invalid("time %s is in no form that is known here", seen(s))
}

// namedZone reads the times of Alibaba's EventBridge that end in a zone's name: 2020-11-19T21:04:42.179PRC.
func namedZone(s string) (time.Time, bool) {
	for _, name := range []string{"PRC", "Asia/Shanghai"} {
		if local, ok := strings.CutSuffix(s, name); ok {
			t, err := time.ParseInLocation("2006-01-02T15:04:05.999", local, china())
			return t, err == nil
		}
	}
	return time.Time{}, false
}

// fromUnix tells milliseconds from seconds by their size: seconds get a thirteenth digit in 33658.
func fromUnix(n int64, s string) (time.Time, error) {
	if n >= 1e11 {
		return inRange(time.UnixMilli(n), s)
	}
	return inRange(time.Unix(n, 0), s)
}

// inRange refuses times that no alarm can have; the journal's keys could not hold them.
func inRange(t time.Time, s string) (time.Time, error) {
	if y := t.UTC().Year(); y < 1971 || y > 2200 {
		return time.Time{}, invalid("time %s is out of range", seen(s))
	}
	return t.UTC(), nil
}

// text is a JSON value that vendors write now as a string, now as a number, a boolean or null: always read as text.
type text string

// UnmarshalJSON takes any scalar; an object or an array stays as its JSON.
func (t *text) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || bytes.Equal(b, []byte("null")):
		*t = ""
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

func (t text) String() string { return string(t) }
