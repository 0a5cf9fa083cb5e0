package aliyun

import (
	"testing"
	"time"
)

func TestTime_ReadsTheVendorsLayouts(t *testing.T) {
	want := time.Date(2019, 5, 27, 9, 29, 0, 0, time.UTC)
	for _, s := range []string{"2019-05-27T09:29:00Z", "2019-05-27T09:29Z", "2019-05-27T17:29:00+08:00", "2019-05-27T09:29:00"} {
		if got := Time(s); !got.Equal(want) {
			t.Errorf("%q reads as %s", s, got)
		}
	}
	if !Time("soon").IsZero() || !Time("").IsZero() || !Millis(0).IsZero() || Millis(1558949340000) != want {
		t.Error("nonsense has a time, or milliseconds are wrong")
	}
}
