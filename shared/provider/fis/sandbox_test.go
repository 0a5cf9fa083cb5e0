package fis

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
)

func bench(t *testing.T) (*drivertest.Bench, *Driver) {
	t.Helper()
	b := drivertest.NewBench(t, drivertest.NewWorld(t, harness()))
	return b, b.D.(*Driver)
}

func with(template string) map[string]any { return map[string]any{"template": template} }

// preview calls Preview until it is done.
func preview(t *testing.T, b *drivertest.Bench, d *Driver, r driver.Request) driver.Preview {
	t.Helper()
	for range 50 {
		p, err := d.Preview(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if p.Done {
			return p
		}
		b.W.Advance(time.Second)
	}
	t.Fatal("the preview never was done")
	return driver.Preview{}
}

func TestPreview_refusals(t *testing.T) {
	b, d := bench(t)
	p := preview(t, b, d, b.W.Request(1, with("EXTempty0000000001")))
	if !strings.Contains(p.Refusal, "InvalidTarget") || !strings.Contains(p.Refusal, "targets/instances") || len(p.Targets) != 0 {
		t.Errorf("a template without targets: %+v", p)
	}
	if err := d.Halt(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	if p := preview(t, b, d, b.W.Request(2, with("EXTa1b2c3d4e5f6g7"))); !strings.Contains(p.Refusal, "cancelled") {
		t.Errorf("under the lever: %+v", p)
	}
	_, err := d.Preview(t.Context(), b.W.Request(3, with("EXTnope")))
	b.Wants(err, driver.NotFound)
}

func TestPreview_targetsAndNotes(t *testing.T) {
	b, d := bench(t)
	r := b.W.Request(1, with("EXTa1b2c3d4e5f6g7"))
	p := preview(t, b, d, r)
	if p.Refusal != "" || len(p.Targets) != 4 || !strings.HasPrefix(p.Targets[0].ID, "arn:aws:") || p.Run.Role != drill.Preview {
		t.Errorf("%+v", p)
	}
	if !slices.ContainsFunc(p.Notes, func(s string) bool { return strings.Contains(s, "COUNT(1) at random") }) {
		t.Errorf("notes %q", p.Notes)
	}
	if n := len(b.W.Service.Runs()); n != 1 {
		t.Errorf("one preview made %d experiments", n)
	}
	if found, err := d.Lookup(t.Context(), r); err != nil || len(found) != 0 {
		t.Errorf("lookup of the main run finds %v, %v", found, err)
	}
	if main := b.Begin(r); main.ID == p.Run.ID {
		t.Error("the main run is the preview")
	}
}

func TestStart_otherParametersConflict(t *testing.T) {
	b, d := bench(t)
	r := b.W.Request(1, with("EXTwait00000000001"))
	b.Begin(r)
	r.Block = with("EXTlong00000000001")
	_, err := d.Start(t.Context(), r)
	b.Wants(err, driver.Conflict)
}

func TestStart_quota(t *testing.T) {
	b, d := bench(t)
	for i := range 5 {
		b.Begin(b.W.Request(i, with("EXTlong00000000001")))
	}
	_, err := d.Start(t.Context(), b.W.Request(5, with("EXTlong00000000001")))
	b.Wants(err, driver.Quota)
}

func TestLookup_onlyThisRunOfThisJournal(t *testing.T) {
	b, d := bench(t)
	r := b.W.Request(1, with("EXTwait00000000001"))
	run := b.Begin(r)
	other, preview, seen := r, r, r
	other.Root, preview.Role, seen.Seen = "another-root", drill.Preview, []string{run.ID}
	for name, r := range map[string]driver.Request{"another root": other, "another role": preview, "seen before": seen} {
		if found, err := d.Lookup(t.Context(), r); err != nil || len(found) != 0 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

func TestReport_comesAfterTheEnd(t *testing.T) {
	b, d := bench(t)
	run := b.Begin(b.W.Request(1, with("EXTreport000000001")))
	b.Until(run, "ended", func(o driver.Observation) bool { return o.Phase.Final() })
	if rep, err := d.Report(t.Context(), run); err != nil || rep.State != "pending" {
		t.Errorf("%+v, %v", rep, err)
	}
	b.W.Advance(2 * time.Minute)
	if rep, err := d.Report(t.Context(), run); err != nil || rep.State != "ready" || !strings.HasPrefix(rep.URL, "s3://drill-reports/fis/"+run.ID) {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestObserve_stopConditionOfTheService(t *testing.T) {
	b, _ := bench(t)
	run := b.Begin(b.W.Request(1, with("EXTalarm0000000001")))
	b.Until(run, "injecting", func(o driver.Observation) bool { return o.Injected })
	b.W.SetAlarm("checkout-5xx", true)
	b.W.Advance(time.Second)
	o := b.Until(run, "quiet", func(o driver.Observation) bool { return o.Quiet })
	if o.Phase != drill.PhaseStopped || o.StoppedBy != "condition" || o.Restoration != drill.RestoreDone {
		t.Errorf("%+v", o)
	}
}

func TestObserve_azOutageNeverGoesBackwards(t *testing.T) {
	b, _ := bench(t)
	run := b.Begin(b.W.Request(1, with("EXTa1b2c3d4e5f6g7")))
	rank := map[drill.StepState]int{drill.StepPending: 0, drill.StepRunning: 1, drill.StepDone: 2}
	last := map[string]int{}
	o := b.Until(run, "ended", func(o driver.Observation) bool {
		for _, s := range o.Steps {
			now, known := rank[s.State]
			if !known || now < last[s.ID] {
				t.Errorf("step %s went from %d to %s", s.ID, last[s.ID], s.State)
			}
			last[s.ID] = now
		}
		return o.Phase.Final()
	})
	var order []string
	for _, s := range o.Steps {
		order = append(order, s.ID)
	}
	if fmt.Sprint(order) != "[cut-network no-capacity stop-instances]" || o.Restoration != drill.RestoreDone || len(o.Evidence) != 4 {
		t.Errorf("steps %v, restoration %s, evidence %q", order, o.Restoration, o.Evidence)
	}
}

func TestTemplates_allPages(t *testing.T) {
	page := func(from, to int, next string) string {
		var list []string
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprintf(`{"id":"EXT%d","description":"number %d","tags":{}}`, i, i))
		}
		return `{"experimentTemplates":[` + strings.Join(list, ",") + `]` + next + `}`
	}
	d, v := answering(t, ok(page(0, 100, `,"nextToken":"p2"`)), ok(page(100, 101, "")))
	all, err := d.Templates(t.Context())
	if err != nil || len(all) != 101 || len(v.got) != 2 || all[100].ID != "EXT100" || all[100].Name != "number 100" || all[100].Block["template"] != "EXT100" {
		t.Errorf("%d templates in %d requests, %v", len(all), len(v.got), err)
	}
}
