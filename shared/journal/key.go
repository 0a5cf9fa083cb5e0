package journal

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	identityKey    = "identity"
	drillPrefix    = "drills/"
	markerPrefix   = "active/"
	indexPrefix    = "index/"
	registerPrefix = "registers/"
	alarmPrefix    = "alarms/"
	objectPrefix   = "objects/"

	maxName    = 128           // bytes of a drill id or a name
	maxEscaped = 240           // bytes of an escaped name: file systems end at 255
	maxInvert  = 9_999_999_999 // largest number that invert takes
	pastDigits = "~"           // sorts after every inverted number
)

// CheckID reports whether a drill id can be part of a key: 1 to 128 letters, digits, "-", "_" and ".", not beginning
// with a dot.
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("drill id is empty")
	case len(id) > maxName:
		return fmt.Errorf("drill id %.20q… has %d bytes, at most %d are allowed", id, len(id), maxName)
	case id[0] == '.':
		return fmt.Errorf("drill id %q begins with a dot", id)
	}
	for i := range len(id) {
		if !plain(id[i]) {
			return fmt.Errorf("drill id %q has the character %q; letters, digits, \"-\", \"_\" and \".\" are allowed", id, id[i:i+1])
		}
	}
	return nil
}

// escape makes one key segment of a name, which may hold slashes and any script: every byte but letters, digits, "-",
// "_" and "." becomes %XX, and so does a leading dot.
func escape(what, name string) (string, error) {
	switch {
	case name == "":
		return "", fmt.Errorf("%s is empty", what)
	case len(name) > maxName:
		return "", fmt.Errorf("%s %.20q… has %d bytes, at most %d are allowed", what, name, len(name), maxName)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%s %q is not UTF-8", what, name)
	}
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%s %q has the part %q, which is not allowed", what, name, part)
		}
	}
	out := escapePrefix(name)
	if len(out) > maxEscaped {
		return "", fmt.Errorf("%s %q is too long: %d bytes as a key, at most %d are allowed", what, name, len(out), maxEscaped)
	}
	return out, nil
}

func escapePrefix(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if !plain(c) || (i == 0 && c == '.') {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unescape(segment string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		if segment[i] != '%' {
			b.WriteByte(segment[i])
			continue
		}
		if i+2 >= len(segment) {
			return "", fmt.Errorf("key segment %q ends within an escape", segment)
		}
		c, err := strconv.ParseUint(segment[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("key segment %q has a bad escape: %w", segment, err)
		}
		b.WriteByte(byte(c))
		i += 2
	}
	return b.String(), nil
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// invert writes n so that greater numbers sort first.
func invert(n int64) string { return fmt.Sprintf("%010d", maxInvert-n) }

func revert(s string) (int64, bool) {
	n, ok := digits(s, 10)
	return maxInvert - n, ok
}

// digits reads exactly width decimal digits.
func digits(s string, width int) (int64, bool) {
	if len(s) != width || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// invertTime writes t, in nanoseconds, so that later times sort first.
func invertTime(t time.Time) string { return fmt.Sprintf("%019d", math.MaxInt64-t.UnixNano()) }

func revertTime(s string) (time.Time, bool) {
	n, ok := digits(s, 19)
	return time.Unix(0, math.MaxInt64-n).UTC(), ok
}

// sequenceKey is the key of one rev in a sequence (a drill's entries or a register).
func sequenceKey(prefix string, rev int) string { return prefix + invert(int64(rev)) }

func entryPrefix(drill string) string { return drillPrefix + drill + "/" }
