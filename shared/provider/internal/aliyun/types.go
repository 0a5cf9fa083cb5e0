package aliyun

import (
	"time"

	"github.com/firedrill/firedrill/shared/provider/internal/lenient"
)

// The types of the fields of replies, which take any JSON value.
type (
	Text         = lenient.Text
	Number       = lenient.Number
	Flag         = lenient.Flag
	Map          = lenient.Map
	List[T any]  = lenient.List[T]
	Whole[T any] = lenient.Whole[T]
	One[T any]   = lenient.One[T]
)

// Time reads the vendor's times: 2006-01-02T15:04:05Z, with or without seconds, fraction or zone. What cannot be read
// is the zero time.
func Time(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999-0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// Millis reads milliseconds since 1970; 0 is the zero time.
func Millis(ms Number) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}
