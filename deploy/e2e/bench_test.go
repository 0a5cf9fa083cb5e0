package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
)

const (
	warmCalls = 20 // of one process
	plans     = `
version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts: { aws: { cloud: aws, id: "123456789012", region: us-east-1 } }
drills: { a: { title: A, owner: sre, account: aws, fis: { template: EXTwait00000000001 } } }
`
)

// contender is a bootstrap under the emulator, and what it is called with.
type contender struct {
	name, path string
	env        []string
	payload    []byte
	cold, warm []time.Duration
}

// BenchmarkEmulator calls each function and a hello that loads the TLS roots, cold and warm, under AWS's emulator. They take turns, so that what
// else the machine does is the same for all. Each is given an event that it handles without a call of AWS; the journal is a folder.
func BenchmarkEmulator(b *testing.B) {
	rie := variable(b, "FIREDRILL_TEST_RIE")
	all := contenders(b)
	for b.Loop() {
		for _, c := range all {
			e := startEmulator(b, rie, c.name, c.path, c.env)
			for n := range 1 + warmCalls {
				begin := time.Now()
				if _, err := e.invoke(c.payload); err != nil {
					b.Fatalf("%v\n%s", err, e.log())
				}
				if took := time.Since(begin); n == 0 {
					c.cold = append(c.cold, took)
				} else {
					c.warm = append(c.warm, took)
				}
			}
			e.stop()
		}
	}
	for _, c := range all {
		cold, warm, base := median(c.cold), median(c.warm), all[0]
		b.ReportMetric(cold, c.name+"_cold_ms")
		b.ReportMetric(warm, c.name+"_warm_ms")
		b.ReportMetric(cold/median(base.cold), c.name+"_cold_x")
		b.ReportMetric(warm/median(base.warm), c.name+"_warm_x")
	}
}

func median(d []time.Duration) float64 {
	slices.SortFunc(d, cmp.Compare)
	return float64(d[len(d)/2]) / float64(time.Millisecond)
}

func contenders(b *testing.B) []*contender {
	b.Helper()
	folder := b.TempDir()
	bus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	b.Cleanup(bus.Close)
	if err := os.WriteFile(filepath.Join(folder, "drills.yaml"), []byte(plans), 0o600); err != nil {
		b.Fatal(err)
	}
	hello, err := lambdatest.Build("github.com/firedrill/firedrill/shared/host/lambdatest/hello", filepath.Join(folder, "hello"))
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 3, 7, 0, 0, time.UTC)
	tick := cloudtest.Tick(cloudtest.Rule, at)
	about := events.About{Drill: "k7m2q4x9a3bcd", Plan: "a", Mode: "SANDBOX", Status: "completed", At: at}
	payloads := map[string][]byte{
		"start": tick, "poll": tick, "chatops": cloudtest.Request("/chat/webhook", "{}", nil),
		"advance": own(b, events.Approve{Drill: "k7m2q4x9a3bcd", Actor: "webhook:acme/alice"}), "abort": own(b, events.Alarm{Source: "cloudwatch", Name: "other", State: "resolved", At: at}),
		"conclude": own(b, events.Completed{About: about}), "notify": own(b, events.Completed{About: about}),
	}
	all := []*contender{{name: "hello", path: hello.Path, env: []string{"HELLO_ROOTS=wait"}, payload: tick}}
	built := cloudtest.BuildAll(b)
	for _, name := range cloudtest.Names() {
		all = append(all, &contender{name: name, path: built[name].Path, payload: payloads[name], env: cloudtest.Environment(folder, name, bus.URL, "http://127.0.0.1:9")})
	}
	return all
}

// own is an event of ours as a rule of its bus hands it over.
func own(b *testing.B, p events.Payload) []byte {
	b.Helper()
	e, err := events.New(events.Envelope{ID: "e1", Source: "/firedrill/bench/x", Subject: "k7m2q4x9a3bcd", Time: time.Now()}, p)
	if err != nil {
		b.Fatal(err)
	}
	detail, err := e.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Appendf(nil, `{"version":"0","id":"1","detail-type":%q,"source":"firedrill","account":"123456789012","time":"2026-11-24T03:07:00Z","region":"us-east-1","resources":[],"detail":%s}`,
		e.Type(), json.RawMessage(detail))
}
