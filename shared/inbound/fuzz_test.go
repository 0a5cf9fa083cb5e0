package inbound_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/inbound"
)

// fuzz checks of any bytes: an error is final, an event is one that the contract takes, and the same bytes make the same ids.
func fuzz(f *testing.F, prefix []string, read func([]byte) ([]events.Event, error)) {
	f.Helper()
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		for _, p := range prefix {
			if !file.IsDir() && strings.HasPrefix(file.Name(), p) {
				f.Add(sample(f, file.Name()))
			}
		}
	}
	_, own := ourStart(f)
	f.Add(own)
	f.Fuzz(func(t *testing.T, b []byte) {
		es, err := read(b)
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			t.Fatalf("error is not final: %v", err)
		}
		again, _ := read(b)
		if len(again) != len(es) {
			t.Fatalf("%d events, then %d", len(es), len(again))
		}
		for i, e := range es {
			raw, err := e.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := events.Parse(raw); err != nil {
				t.Fatalf("event is not one of ours: %v\n%s", err, raw)
			}
			if e.ID() != again[i].ID() {
				t.Fatal("ids differ")
			}
		}
	})
}

func FuzzAWS(f *testing.F)     { fuzz(f, []string{"aws"}, inbound.AWS) }
func FuzzAliyun(f *testing.F)  { fuzz(f, []string{"aliyun", "cloudmonitor", "arms"}, inbound.Aliyun) }
func FuzzTencent(f *testing.F) { fuzz(f, []string{"tencent", "tcop"}, inbound.Tencent) }

func FuzzAlertmanager(f *testing.F) {
	fuzz(f, []string{"alertmanager", "arms"}, func(b []byte) ([]events.Event, error) { return inbound.Alarm("alertmanager", "", b) })
}

func FuzzCloudMonitor(f *testing.F) {
	fuzz(f, []string{"cloudmonitor"}, func(b []byte) ([]events.Event, error) {
		return inbound.Alarm("cloudmonitor", "application/x-www-form-urlencoded", b)
	})
}

func FuzzCloudWatch(f *testing.F) {
	fuzz(f, []string{"aws-alarm"}, func(b []byte) ([]events.Event, error) { return inbound.Alarm("cloudwatch", "text/plain", b) })
}

func FuzzTCOP(f *testing.F) {
	fuzz(f, []string{"tcop"}, func(b []byte) ([]events.Event, error) { return inbound.Alarm("tcop", "application/json", b) })
}

func FuzzGeneric(f *testing.F) {
	fuzz(f, []string{"generic"}, func(b []byte) ([]events.Event, error) { return inbound.Alarm("generic", "application/json", b) })
}
