package host

import (
	"encoding/json"
	"io"
	"log/slog"
	"testing"

	"github.com/firedrill/firedrill/events"
)

// BenchmarkInvoke is what the host costs for one payload: reading, checking and logging, without the function and without I/O.
func BenchmarkInvoke(b *testing.B) {
	var tick events.Event
	if err := json.Unmarshal([]byte(tickEvent), &tick); err != nil {
		b.Fatal(err)
	}
	for name, payload := range map[string][]byte{
		"scheduled": []byte(scheduled()), "our own event": []byte(own(tickEvent)), "alarm": []byte(alarmed("2026-11-21T08:00:00.000+0000")),
		"batch of ten": batch(b, scheduled(), scheduled(), scheduled(), scheduled(), scheduled(), scheduled(), scheduled(), scheduled(), scheduled(), scheduled()),
	} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, Function{}, nil)
			r.p.Log = newLog(io.Discard, slog.LevelInfo)
			r.host = newHost(r.f, r.p)
			i := &invoker{r.host}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.Invoke(b.Context(), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
