package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
)

// play answers every gate and every claim of a drill over HTTP until it is concluded.
func (w *world) play(id string) drillView {
	w.t.Helper()
	said := map[string]bool{}
	var v drillView
	w.until(id+" is concluded", func() (ok bool) {
		if v, ok = w.drill(id); !ok {
			return false
		}
		for _, g := range v.Gates {
			if said[g.ID] {
				continue
			}
			said[g.ID] = true
			choice := g.Choices[0]
			if choice.Action == drill.ApproveRun {
				w.post("command.approve", fmt.Sprintf(`{"drill":%q,"gate":%q,"actor":"local:test/bob"}`, id, g.ID))
				continue
			}
			w.post("command.advance", fmt.Sprintf(`{"drill":%q,"gate":%q,"step":%q,"action":%q,"actor":"local:test/bob"}`, id, g.ID, choice.Step, choice.Action))
		}
		for _, c := range v.Claims {
			if v.Status == string(drill.Concluding) && !said[c.ID] {
				said[c.ID] = true
				w.post("command.answer", fmt.Sprintf(`{"drill":%q,"claim":%q,"holds":true,"actor":"local:test/bob"}`, id, c.ID))
			}
		}
		return v.Status == string(drill.Concluded)
	})
	return v
}

func TestDrill_wholeOverHTTP(t *testing.T) {
	w := start(t)
	for plan, want := range map[string]struct {
		parameters string
		service    string
		gates      bool
		verdict    string
	}{
		"checkout-az-outage-production": {"{}", "fis", true, drill.Expected},
		"cart-cpu":                      {`{"seconds":"30"}`, "cfg", true, drill.Expected},
		"node-restart":                  {`{"down":"PT10S"}`, "oos", true, drill.Expected},
		"payment-cpu":                   {"{}", "ahas", true, drill.Expected},
		"smoke-wait":                    {"{}", "fis", false, drill.Inconclusive}, // it injects nothing, so it proves nothing
	} {
		t.Run(plan, func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, s: w.s, url: w.url, out: w.out}
			v := w.play(w.ask(plan, want.parameters))
			if v.Verdict != want.verdict || v.Outcome != string(drill.Completed) || v.Service != want.service || v.Mode != sandboxMode {
				t.Errorf("verdict %q, outcome %q, service %q, mode %q: %s", v.Verdict, v.Outcome, v.Service, v.Mode, v.Summary)
			}
			if v.RequestedAt == nil || v.StartedAt == nil || v.EndedAt == nil || v.Stop.RestoredAt == nil || v.Stop.RequestedAt != nil {
				t.Errorf("times: requested %v, started %v, ended %v, stop %+v", v.RequestedAt, v.StartedAt, v.EndedAt, v.Stop)
			}
			if len(v.Steps) == 0 || v.Rev != len(v.Timeline) || v.Actor != "local:test/ann" {
				t.Errorf("%d steps, rev %d, %d moments, actor %q", len(v.Steps), v.Rev, len(v.Timeline), v.Actor)
			}
			asked := slices.ContainsFunc(v.Timeline, func(m moment) bool {
				return strings.HasPrefix(m.Actor, "local:test/bob") && !strings.Contains(m.Change, "answers")
			})
			if asked != want.gates {
				t.Errorf("a person moved it on: %v, want %v: %+v", asked, want.gates, v.Timeline)
			}
			runs := 0
			for _, r := range w.s.box.Runs() {
				if r.Service == v.Service && r.ID == v.Run && !r.Preview {
					runs++
				}
			}
			if runs != 1 {
				t.Errorf("the service has %d runs %q, want one", runs, v.Run)
			}
			if err := w.s.journal.Verify(t.Context(), v.ID); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDrill_theSameEventTwentyTimesIsOneDrill(t *testing.T) {
	w := start(t)
	body := structured("once", "command.start", `{"plan":"smoke-wait","actor":"local:test/ann"}`)
	ids := map[string]bool{}
	for range 20 {
		var got struct{ Drill string }
		w.do("POST", "/events", ceJSON, body).want(t, http.StatusAccepted).into(t, &got)
		ids[got.Drill] = true
	}
	if len(ids) != 1 {
		t.Fatalf("%d drill ids, want one", len(ids))
	}
	for id := range ids {
		w.play(id)
	}
	w.do("POST", "/events", ceJSON, body).want(t, http.StatusAccepted)
	w.s.bus.Idle()
	var all []drillView
	w.do("GET", "/api/drills", "", "").want(t, http.StatusOK).into(t, &all)
	runs := 0
	for _, r := range w.s.box.Runs() {
		if !r.Preview {
			runs++
		}
	}
	if len(all) != 1 || runs != 1 {
		t.Errorf("%d drills and %d runs, want one of each", len(all), runs)
	}
}
