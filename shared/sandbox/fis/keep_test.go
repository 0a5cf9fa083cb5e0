package fis

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/keeptest"
)

// again is a new lab that goes on from what l's service saved.
func (l *lab) again(t *testing.T) *lab {
	t.Helper()
	data, err := l.s.Save()
	if err != nil {
		t.Fatal(err)
	}
	other := newLab(t)
	other.now, other.ids = l.now.Add(-time.Hour), 0 // it opened before, and knows nothing yet
	if err := other.s.Load(data); err != nil {
		t.Fatal(err)
	}
	other.now, other.real, other.ids = l.now, l.real, l.ids
	for k, v := range l.firing {
		other.firing[k] = v
	}
	for name, pair := range map[string][2]any{
		"templates": {l.s.templates, other.s.templates}, "experiments": {l.s.experiments, other.s.experiments},
		"by id": {l.s.byID, other.s.byID}, "tokens": {l.s.tokens, other.s.tokens}, "levers": {l.s.levers, other.s.levers},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s differ after Load", name)
		}
	}
	return other
}

const ownTemplate = `{"clientToken":"tpl","description":"own","roleArn":"arn:aws:iam::123456789012:role/r","stopConditions":[{"source":"none"}],
	"logConfiguration":{"logSchemaVersion":2},"experimentReportConfiguration":{"outputs":{"s3Configuration":{"bucketName":"b"}},"postExperimentDuration":"PT20S"},
	"targets":{"t":{"resourceType":"aws:ec2:instance","resourceTags":{"app":"checkout"},"selectionMode":"COUNT(2)"}},
	"actions":{"stop":{"actionId":"aws:ec2:stop-instances","parameters":{"startInstancesAfterDuration":"PT20S"},"targets":{"Instances":"t"}},
	"then":{"actionId":"aws:fis:wait","parameters":{"duration":"PT5S"},"startAfter":["stop"]}}}`

// story is what happens to a lab, one thing after another; each thing answers with what a caller sees of it.
func story() []func(*lab) string {
	call := func(method, target, body string) func(*lab) string {
		return func(l *lab) string { return l.call(method, target, body).raw }
	}
	start := func(token, template string) func(*lab) string {
		return func(l *lab) string {
			id := template
			for _, t := range l.s.sortedTemplates() {
				if t.description == template {
					id = t.id
				}
			}
			return l.call("POST", "/experiments", fmt.Sprintf(`{"clientToken":%q,"experimentTemplateId":%q,"tags":{"firedrill:drill":%q}}`, token, id, token)).raw
		}
	}
	nth := func(n int, method, suffix string) func(*lab) string {
		return func(l *lab) string { return l.call(method, "/experiments/"+l.s.experiments[n].id+suffix, "").raw }
	}
	pass := func(seconds int) func(*lab) string {
		return func(l *lab) string { l.pass(seconds); return "" }
	}
	return []func(*lab) string{
		start("one", "EXTa1b2c3d4e5f6g7"), pass(1), pass(3), nth(0, "GET", ""), nth(0, "GET", "/resolvedTargets"), pass(20),
		start("one", "EXTa1b2c3d4e5f6g7"), // the same token: the same experiment
		call("POST", "/experimentTemplates", ownTemplate), call("POST", "/experimentTemplates", ownTemplate),
		start("own", "own"), pass(8), nth(1, "DELETE", ""), pass(2), nth(1, "GET", ""), pass(40),
		start("breaks", "EXTfail00000000001"), pass(13), pass(30),
		start("alarmed", "EXTalarm0000000001"), pass(10),
		func(l *lab) string { l.firing[alarm] = true; l.pass(1); return "" }, pass(2), pass(10),
		func(l *lab) string { l.firing[alarm] = false; return "" },
		call("DELETE", "/experimentTemplates/EXTlong00000000001", ""),
		call("GET", "/experimentTemplates/EXTlong00000000001", ""),
		func(l *lab) string {
			return l.call("POST", "/tags/arn:aws:fis:us-east-1:123456789012:experiment-template%2FEXTwait00000000001", `{"tags":{"mine":"yes"}}`).raw
		},
		call("GET", "/experimentTemplates", ""),
		start("own", "own"), start("last", "EXTreport000000001"), pass(6),
		call("PATCH", "/safetyLevers/default/state", `{"state":{"status":"engaged","reason":"enough"}}`), pass(2),
		call("GET", "/safetyLevers/default", ""), pass(30), call("GET", "/safetyLevers/default", ""),
		start("late", "EXTwait00000000001"), pass(5), pass(120), call("GET", "/experiments", ""),
	}
}

func TestKeep_a_service_that_was_loaded_goes_on_like_the_one_that_was_saved(t *testing.T) {
	l := newLab(t)
	others := []*lab{l.again(t)} // saved after no step, after one, and so on
	pushed := []int{0}           // how much had been pushed when each was saved
	for n, step := range story() {
		want, state, runs := step(l), string(l.s.Snapshot()), l.s.Runs()
		for cut, other := range others {
			if got := step(other); got != want {
				t.Fatalf("saved after %d steps: step %d answers %s, want %s", cut, n+1, got, want)
			}
			if got := string(other.s.Snapshot()); got != state {
				t.Fatalf("saved after %d steps: after step %d the state is %s, want %s", cut, n+1, got, state)
			}
			if got := other.s.Runs(); !reflect.DeepEqual(got, runs) {
				t.Fatalf("saved after %d steps: after step %d the runs are %+v, want %+v", cut, n+1, got, runs)
			}
		}
		others = append(others, l.again(t))
		pushed = append(pushed, len(l.events))
	}
	for cut, other := range others {
		if want, got := l.events[pushed[cut]:], other.events; len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("saved after %d steps: pushed %v, want %v", cut, got, want)
		}
	}
}

func TestKeep_the_story_passes_through_every_status(t *testing.T) {
	l, seen := newLab(t), map[string]bool{}
	for _, step := range story() {
		step(l)
		for _, e := range l.s.experiments {
			seen[e.status] = true
		}
		seen["lever "+l.s.lever("eu-central-1").status] = true
	}
	for _, want := range []string{pending, running, stopping, stopped, completed, failed, cancelled, "lever " + engaging, "lever " + engaged} {
		if !seen[want] {
			t.Errorf("nothing was ever %s", want)
		}
	}
}

func TestKeep_no_field_is_forgotten(t *testing.T) {
	keeptest.Fields[template, keptTemplate](t)
	keeptest.Fields[planned, keptPlanned](t)
	keeptest.Fields[experiment, keptExperiment](t, "order")
	keeptest.Fields[action, keptAction](t, "planned", "name")
	keeptest.Fields[token, keptToken](t)
	keeptest.Fields[lever, keptLever](t)
	keeptest.Fields[Service, keptState](t, "env", "mu", "byID", "outbox")
}

// told is a lab's service after the story, saved.
func told(tb testing.TB, steps int) []byte {
	l := newLab(&testing.T{})
	for _, step := range story()[:steps] {
		step(l)
	}
	data, err := l.s.Save()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestKeep_damaged_data_are_refused(t *testing.T) {
	good := told(t, len(story()))
	keeptest.Refuses(t, func() keeptest.Service { return newLab(t).s }, good)
	for what, edit := range map[string][2]string{
		"a status nobody knows":      {`"Status":"completed"`, `"Status":"done"`},
		"a template that is missing": {`"Tpl":"EXTa1b2c3d4e5f6g7"`, `"Tpl":"EXTnone"`},
		"a lever nobody knows":       {`"Levers":{"eu-central-1":{"Status":"engaged"`, `"Levers":{"eu-central-1":{"Status":"stuck"`},
		"an action too many":         {`"Actions":{"cut-network":{"Status"`, `"Actions":{"more":{},"cut-network":{"Status"`},
		"a report of no template":    {`"Report":"","ReportDue":"0001-`, `"Report":"","ReportDue":"2026-`},
		"a token of no experiment":   {`"experiment eu-central-1 one":{"ID":"EXP`, `"experiment eu-central-1 one":{"ID":"EXPX`},
	} {
		bad := strings.Replace(string(good), edit[0], edit[1], 1)
		if bad == string(good) {
			t.Fatalf("%s: %s is not in %s", what, edit[0], good)
		}
		if err := newLab(t).s.Load([]byte(bad)); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func FuzzKeep(f *testing.F) {
	keeptest.Fuzz(f, func() keeptest.Service { return newLab(&testing.T{}).s }, told(f, 1), told(f, 12), told(f, len(story())))
}
