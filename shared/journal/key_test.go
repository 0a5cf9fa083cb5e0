package journal

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInvert_sortsNewestFirst(t *testing.T) {
	numbers := []int64{0, 1, 2, 9, 10, 11, 99, 100, 999_999, 1_000_000, maxInvert - 1, maxInvert}
	var keys []string
	for _, n := range numbers {
		key := invert(n)
		if back, ok := revert(key); !ok || back != n || len(key) != 10 {
			t.Errorf("%d becomes %q and then %d", n, key, back)
		}
		if key >= pastDigits {
			t.Errorf("%q sorts after %q", key, pastDigits)
		}
		keys = append(keys, key)
	}
	slices.Reverse(keys)
	if !slices.IsSorted(keys) {
		t.Fatalf("keys of falling numbers are %v", keys)
	}
	for _, bad := range []string{"", "1", "12345678901", "-000000001", "+000000001", " 000000001", "00000x0001"} {
		if _, ok := revert(bad); ok {
			t.Errorf("%q was read as a number", bad)
		}
	}
}

func TestInvertTime_sortsNewestFirst(t *testing.T) {
	times := []time.Time{time.Unix(0, 0), time.Unix(0, 1), time.Unix(1, 0), time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		time.Date(2026, 11, 21, 10, 0, 0, 1, time.UTC), time.Unix(0, math.MaxInt64)}
	last := pastDigits
	for _, at := range times {
		key := invertTime(at)
		if back, ok := revertTime(key); !ok || !back.Equal(at) {
			t.Errorf("%s becomes %q and then %s", at, key, back)
		}
		if key >= last {
			t.Errorf("%s does not sort before the earlier time", at)
		}
		last = key
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"lever/all", "lock/production/checkout", "订单 🔥", "..", "a%2Fb", "a/../b", ".hidden", "a\x00b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		segment, err := escape("name", name)
		if err != nil {
			return
		}
		if segment == "" || segment[0] == '.' || len(segment) > maxEscaped {
			t.Fatalf("%q becomes %q", name, segment)
		}
		if at := strings.IndexFunc(segment, func(r rune) bool { return r > 127 || r != '%' && !plain(byte(r)) }); at >= 0 {
			t.Fatalf("%q becomes %q, which is not plain", name, segment)
		}
		if back, err := unescape(segment); err != nil || back != name {
			t.Fatalf("%q becomes %q and then %q, error %v", name, segment, back, err)
		}
	})
}
