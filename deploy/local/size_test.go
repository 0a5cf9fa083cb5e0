package main

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/bundle"
)

// many is a catalogue of n plans; every second one has a schedule.
func many(n int) string {
	var b strings.Builder
	b.WriteString(strings.Split(small, "  wait:")[0])
	for i := range n {
		fmt.Fprintf(&b, "  plan-%04d:\n    title: Number %d of many 演练 🔥\n    owner: team-%d\n    account: aws-sandbox\n    fis: { template: EXTwait00000000001 }\n", i, i, i)
		if i%2 == 0 {
			fmt.Fprintf(&b, "    schedule: { cron: \"%d %d * * TUE\", timezone: Europe/Berlin }\n", i%60, i%24)
		}
	}
	return b.String()
}

func TestUp_aThousandPlans(t *testing.T) {
	w := start(t, func(set *settings, _ *screen) { set.catalog = write(t, "drills.yaml", many(1000)) })
	var plans []planView
	w.do("GET", "/api/plans", "", "").want(t, 200).into(t, &plans)
	if len(plans) != 1000 || plans[999].Name != "plan-0999" || plans[998].Next == nil {
		t.Fatalf("%d plans", len(plans))
	}
	v := w.play(w.ask("plan-0500", "{}"))
	if v.Plan != "plan-0500" || v.Outcome != "completed" {
		t.Errorf("plan %s, outcome %s", v.Plan, v.Outcome)
	}
	code, out, errs := cli(t, "check", "--catalog", w.s.set.catalog)
	if code != 0 || !strings.Contains(out, "1000 plans, no mistakes") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// idle is a system with a thousand plans that runs nothing by itself.
func idle(b *testing.B) *system {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "drills.yaml")
	if err := os.WriteFile(file, []byte(many(1000)), 0o644); err != nil {
		b.Fatal(err)
	}
	s, err := newSystem(b.Context(), settings{sandboxAddr: "127.0.0.1:0", data: dir, catalog: file, speed: 1, every: time.Minute, log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = s.boxListener.Close()
		s.keeper.close()
	})
	return s
}

// BenchmarkPlans is one GET /api/plans of a catalogue of a thousand plans.
func BenchmarkPlans(b *testing.B) {
	s := idle(b)
	for b.Loop() {
		w := httptest.NewRecorder()
		s.getPlans(w, httptest.NewRequest("GET", "/api/plans", nil))
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkTick is what start does in a minute in which nothing of a thousand plans is due.
func BenchmarkTick(b *testing.B) {
	s := idle(b)
	var start bundle.Function
	for _, f := range s.functions() {
		if f.Name == "start" {
			start = f
		}
	}
	at := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC) // a Wednesday: nothing is due
	s.clock.Advance(at.Sub(s.clock.Now()))
	e, err := events.New(events.Envelope{ID: "tick", Source: "/test", Time: at}, events.Tick{At: at})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out, err := start.Handle(b.Context(), e)
		if err != nil || len(out) > 0 {
			b.Fatalf("%d events, %v", len(out), err)
		}
	}
}

// BenchmarkLook is what following an unchanged catalogue costs, once a second.
func BenchmarkLook(b *testing.B) {
	s := idle(b)
	f := &follower{s: s, path: s.set.catalog, files: s.catalog.Load().Files()}
	f.seen = f.look()
	for b.Loop() {
		if f.look() != f.seen {
			b.Fatal("it changed")
		}
	}
}

// BenchmarkLoad is what reading it costs when it has changed.
func BenchmarkLoad(b *testing.B) {
	s := idle(b)
	for b.Loop() {
		if _, _, err := openCatalog(s.set.catalog); err != nil {
			b.Fatal(err)
		}
	}
}
