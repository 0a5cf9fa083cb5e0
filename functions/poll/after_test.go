package poll

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// TestReported_TellsNobodyTheServicesAddress: it may be signed, and whoever reads a message could use it.
func TestReported_TellsNobodyTheServicesAddress(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	j := journal.Open(memory.New(), journal.Options{Now: func() time.Time { return now }, Nonce: func() string { return "n" }, Mode: "LIVE"})
	d, asked := drill.New(drill.Ask{ID: "k7m2q4x9a3bcd", Mode: "LIVE", Actor: "local:x/alice", Plan: drill.Plan{Name: "cart", Service: drill.CFG}}, now)
	d.Runs = map[drill.Role]*drill.RunState{drill.Main: {ID: "4711", Report: drill.Report{State: "pending"}}}
	p := drill.Pending{What: "report", Run: "4711", Until: now.Add(time.Hour)}
	d.Pending = []drill.Pending{p}
	if _, err := j.Begin(t.Context(), d, asked, journal.By{Source: "/firedrill/x/start"}); err != nil {
		t.Fatal(err)
	}
	v := &visit{f: &Function{Journal: j}, d: d, by: journal.By{Actor: "poll", Source: "/firedrill/x/poll"}}
	const address = "https://report-1250000000.cos.ap-guangzhou.myqcloud.com/4711.pdf?q-signature=hunter2"
	if err := v.reported(t.Context(), p, drill.Report{State: "ready", URL: address}); err != nil {
		t.Fatal(err)
	}
	if len(v.out) != 1 || strings.Contains(string(v.out[0].Data()), "cos.") || !strings.Contains(string(v.out[0].Data()), "the service's report is ready; see the drill's report") {
		t.Errorf("said %v", v.out)
	}
	if d, err := j.Load(t.Context(), d.ID); err != nil || d.Run(drill.Main).Report.URL != address || len(d.Pending) != 0 || len(d.Attached) != 1 {
		t.Errorf("kept %+v, %v", d, err)
	}
}
