package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// spoil empties the newest entry of a drill.
func spoil(t *testing.T, data, id string) {
	t.Helper()
	dir := filepath.Join(data, "journal", "drills", id)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d entries, %v", len(files), err)
	}
	if err := os.WriteFile(filepath.Join(dir, files[0].Name()), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// waiting starts drills that wait for a person, and returns their ids.
func (w *world) waiting(n int) []string {
	w.t.Helper()
	var ids []string
	for range n {
		ids = append(ids, w.ask("cart-empty", "{}"))
	}
	for _, id := range ids {
		w.reaches(id, "waiting")
	}
	return ids
}

// several starts an 'up' whose drills do not exclude one another.
func several(t *testing.T, data string) *world {
	t.Helper()
	catalog := write(t, "drills.yaml", `version: 1
accounts: { tx-sandbox: { cloud: tencent, id: "100032429988", region: ap-guangzhou } }
drills:
  cart-empty: { title: By hand, owner: a, environment: staging, account: tx-sandbox, max_duration: 30m, exclusive: none, cfg: { template: 626, mode: manual, groups: [ { instances: [ ins-cart-a ] } ] } }
`)
	return start(t, func(s *settings, _ *screen) { s.data, s.catalog, s.speed = data, catalog, 20 })
}

// TestEnd_WhatWasAcceptedIsDone: a stop that was answered with 202 a moment before the end is in no journal yet.
func TestEnd_WhatWasAcceptedIsDone(t *testing.T) {
	data := t.TempDir()
	w := several(t, data)
	ids := w.waiting(8)
	for _, id := range ids {
		w.post("command.stop", fmt.Sprintf(`{"drill":%q,"actor":"local:test/ann"}`, id))
	}
	w.stop()
	again := several(t, data)
	for _, id := range ids {
		if d, err := again.s.journal.Load(t.Context(), id); err != nil || d.Stop == nil {
			t.Errorf("drill %s: the stop is lost: %v", id, err)
		}
	}
}

// TestDamage_KeepsNothingElseFromGoingOn: one drill's newest entry is empty. It is stopped all the same, and the others go on.
func TestDamage_KeepsNothingElseFromGoingOn(t *testing.T) {
	data := t.TempDir()
	w := several(t, data)
	ids := w.waiting(3)
	live := func(w *world) (n int) {
		for _, r := range w.s.box.Runs() {
			if r.Status == "1001" || r.Status == "1002" {
				n++
			}
		}
		return n
	}
	if live(w) != 3 {
		t.Fatalf("the case is wrong: %+v", w.s.box.Runs())
	}
	w.stop()
	spoil(t, data, ids[1])
	w = several(t, data)
	w.until("somebody is told", func() bool { return strings.Contains(w.out.String(), "stop --direct "+ids[1]) })
	var all []drillView
	w.do("GET", "/api/drills", "", "").want(t, http.StatusOK).into(t, &all)
	damaged := slices.IndexFunc(all, func(d drillView) bool { return d.ID == ids[1] })
	if len(all) != 3 || damaged < 0 || all[damaged].Status != "damaged" || all[damaged].LastError == "" {
		t.Errorf("listed: %+v", all)
	}
	w.post("command.stop", `{"drill":"all","actor":"local:test/ann"}`)
	w.until("every run is stopped", func() bool { return live(w) == 0 })
	for _, id := range []string{ids[0], ids[2]} {
		w.until(id+" ends", func() bool { d, err := w.s.journal.Load(t.Context(), id); return err == nil && d.Status.Ended() })
	}
	if d, _ := w.s.journal.Load(t.Context(), ids[0]); d.Outcome != drill.Stopped {
		t.Errorf("outcome %s", d.Outcome)
	}
}

// TestCatchUp_LeversAndAlarms: an earlier 'up' had a faster clock. What it halted can be released.
func TestCatchUp_LeversAndAlarms(t *testing.T) {
	data := t.TempDir()
	w := start(t, func(s *settings, _ *screen) { s.data = data })
	w.s.clock.Advance(3 * time.Hour)
	w.post("signal.alarm", fmt.Sprintf(`{"source":"local","name":"checkout-5xx","state":"firing","at":%q}`, time.Now().UTC().Format(time.RFC3339)))
	w.post("command.halt", `{"scope":"plan/loop-echo","actor":"local:test/ann"}`)
	w.s.bus.Idle()
	w.stop()
	w = start(t, func(s *settings, _ *screen) { s.data = data })
	w.post("signal.alarm", fmt.Sprintf(`{"source":"local","name":"checkout-5xx","state":"resolved","at":%q}`, time.Now().UTC().Format(time.RFC3339)))
	w.post("command.release", `{"scope":"plan/loop-echo","reason":"over","actor":"local:test/ann"}`)
	w.s.bus.Idle()
	if id := w.ask("loop-echo", "{}"); w.play(id).Status != "concluded" {
		t.Error("the halt holds")
	}
	if firing, err := w.s.journal.Firing(t.Context()); err != nil || len(firing) != 0 {
		t.Errorf("firing: %+v, %v", firing, err)
	}
}

func TestAudit_ReadsAndWritesNothing(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := cli(t, "audit", "--data", data); code != 1 || !strings.Contains(errs, "there is no record to audit") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(data, "journal")); err == nil {
		t.Error("it made a journal")
	}
}

func TestSend_ADryRunOfAnythingElseIsRefused(t *testing.T) {
	for _, args := range [][]string{{"stop", "all"}, {"halt", "all"}, {"alarm", "x"}, {"x.json"}} {
		code, out, errs := cli(t, append([]string{"send", "--to", "http://127.0.0.1:1", "--dry-run"}, args...)...)
		if code != 2 || out != "" || !strings.Contains(errs, "--dry-run goes with start alone") {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}
