package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

func render(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(t.Context(), &b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var tag = regexp.MustCompile(`<[a-zA-Z!/][^>]*>`)

// tags are the elements of a page without their texts: hostile text must not change them.
func tags(page string) []string {
	var out []string
	for _, s := range tag.FindAllString(page, -1) {
		out = append(out, strings.Fields(strings.Trim(s, "<>"))[0])
	}
	return out
}

const hostile = `<script>alert(1)</script> "quotes" 'single' </title></svg></style>--> 购物车 🛒👩‍🚒 & &amp; {{.}} ${x} `

func hostilePlan(text string) drill.Plan {
	p := checkout()
	p.Title, p.Owner, p.Runbook = text, text, "javascript:alert(1)"
	p.Expect = []drill.Claim{{ID: "c1", Claim: text, Ask: text}}
	return p
}

func hostileStory(t *testing.T, text string) Report {
	st := step("s1", drill.StepKind(text), drill.StepState(text), 4, -1)
	st.Name, st.Message, st.Targets = text, text, []drill.Target{{ID: text, State: drill.StepState(text), Message: text}}
	s := tell(t, hostilePlan(text)).runs("EXP1").sees(time.Second, drill.Observation{
		Phase: drill.PhaseWaiting, Vendor: text, Injected: true, Steps: []drill.Step{st},
		Gates:  []drill.Gate{{Step: "s1", Name: text, Kind: drill.FailedGate, Choices: []drill.Choice{{Action: drill.Retry}}}},
		Report: drill.Report{State: "ready", URL: "javascript:alert(2)"},
	})
	s.then(time.Second, "local:console/you", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.AddNote(text, text, now), nil })
	return s.stop(time.Second, drill.StopByPerson, text, text).report()
}

func TestHTML_hostileText(t *testing.T) {
	plain := tags(render(t, hostileStory(t, "harmless")))
	for name, text := range map[string]string{"markup, quotes, CJK and emoji": hostile, "four kilobytes": strings.Repeat(hostile, 40)} {
		t.Run(name, func(t *testing.T) {
			page := render(t, hostileStory(t, text))
			if strings.Contains(page, "<script") || strings.Contains(page, `href="javascript:`) {
				t.Error("text became markup")
			}
			if got := tags(page); !slices.Equal(got, plain) {
				t.Errorf("the page has %d tags, with harmless text %d: text became markup", len(got), len(plain))
			}
			if !strings.Contains(page, "购物车 🛒👩‍🚒 &amp; &amp;amp; {{.}}") {
				t.Error("the text is not there as it was written")
			}
			wellFormed(t, page)
		})
	}
}

// wellFormed reads the picture as XML: an SVG that is not well formed is dropped by strict readers.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	from, until := strings.Index(page, "<svg"), strings.LastIndex(page, "</svg>")
	if from < 0 || until < from {
		t.Fatal("the page has no picture")
	}
	dec := xml.NewDecoder(strings.NewReader(page[from : until+len("</svg>")]))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the picture is not well formed: %v", err)
		}
	}
}

func TestHTML_loadsNothing(t *testing.T) {
	outside := regexp.MustCompile(`(?i)<(script|link|iframe|img|object|embed|base|form)\b|\bsrc=|@import|url\(|\bon[a-z]+=|\sstyle=`)
	for name, s := range scenes(t) {
		t.Run(name, func(t *testing.T) {
			page := render(t, s.report())
			if m := outside.FindString(page); m != "" {
				t.Errorf("the page holds %q", m)
			}
			wellFormed(t, page)
		})
	}
}

func TestHTML_hundredSteps(t *testing.T) {
	var steps []drill.Step
	for i := range 100 {
		steps = append(steps, step(fmt.Sprintf("step %d", i), drill.FaultStep, drill.StepDone, i*30, i*30+45))
	}
	s := tell(t, checkout()).runs("EXP1").sees(time.Hour, drill.Observation{Phase: drill.PhaseCompleted, Vendor: "completed", Restoration: drill.RestoreDone, Steps: steps})
	page := render(t, s.report())
	if n := strings.Count(page, `<rect class="bar fault`); n != 100 {
		t.Errorf("%d bars, want 100", n)
	}
	c := layout(s.report())
	if len(c.Ticks) < 3 || len(c.Ticks) > 9 {
		t.Errorf("%d ticks on the axis", len(c.Ticks))
	}
	for i, w := range c.Rows {
		if w.X < labelWidth || w.X+w.Width > rightEdge+0.01 {
			t.Errorf("bar %d lies from %.1f to %.1f, outside the axis", i, w.X, w.X+w.Width)
		}
	}
}

func TestBuild_stepsThatNeverEnded(t *testing.T) {
	s := tell(t, checkout()).runs("EXP1").sees(time.Second, drill.Observation{
		Phase: drill.PhaseRunning, Vendor: "running", Injected: true,
		Steps: []drill.Step{step("runs", drill.FaultStep, drill.StepRunning, 2, 60), step("odd", drill.FaultStep, drill.StepUnknown, 2, 60), step("later", drill.FaultStep, drill.StepPending, -1, -1)},
	})
	r := s.stop(time.Minute, drill.StopByPerson, "local:console/you", "").report()
	for _, st := range r.Steps {
		if !st.End.IsZero() {
			t.Errorf("step %s is %s and has an end, %s", st.Name, st.State, st.End)
		}
	}
	c := layout(r)
	if !c.Rows[0].Open || !c.Rows[1].Open || c.Rows[2].Bar {
		t.Errorf("rows %+v: want two with an open end and one without a bar", c.Rows)
	}
	if page := render(t, r); strings.Count(page, "not known to have ended") < 2 {
		t.Error("the page does not say that the step is not known to have ended")
	}
}

func TestBuild_timesThatTheServiceLeftOut(t *testing.T) {
	r := byHand(t).report()
	fault := r.Steps[0]
	began, ended := at(t, r, "1002/1"), at(t, r, "completed")
	if !fault.Seen || !fault.Start.Equal(began) || !fault.End.Equal(ended) {
		t.Errorf("step from %s to %s, seen %v; want %s to %s as seen", fault.Start, fault.End, fault.Seen, began, ended)
	}
}

// at is the time of the first entry whose change holds the words.
func at(t *testing.T, r Report, words string) time.Time {
	t.Helper()
	for _, m := range r.Timeline {
		if strings.Contains(m.Change, words) {
			return m.At
		}
	}
	t.Fatalf("no entry says %q", words)
	return time.Time{}
}

func TestBuild_factsOfAStop(t *testing.T) {
	all := scenes(t)
	for name, want := range map[string]string{
		"just requested": "",
		"running":        "",
		"refused":        "",
		"a stop that the service has not confirmed": "stop_requested yes, stopped not_yet, restored not_yet",
		"stopped by its alarm, then amended":        "stop_requested yes, stopped yes, restored yes",
		"stopped before it started":                 "stop_requested yes, stopped yes, restored needless",
		"advanced by hand to its end":               "restored yes",
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range all[name].report().Facts {
				got = append(got, fmt.Sprintf("%s %s", f.Name, f.State))
				if (f.State == Yes || f.State == Needless) == f.At.IsZero() {
					t.Errorf("%s is %s at %s", f.Name, f.State, f.At)
				}
			}
			if s := strings.Join(got, ", "); s != want {
				t.Errorf("facts are %q, want %q", s, want)
			}
		})
	}
}

func TestBuild_stopThatCameTooLate(t *testing.T) {
	s := scenes(t)["a stop that the service has not confirmed"].sees(time.Second, drill.Observation{
		Phase: drill.PhaseCompleted, Vendor: "completed", Restoration: drill.RestoreFailed, Evidence: []string{"recovery failed"},
	})
	r := s.report()
	if f := r.Facts[1]; f.State != No || !f.At.IsZero() {
		t.Errorf("the run completed, yet %s is %s at %s", f.Name, f.State, f.At)
	}
	if f := r.Facts[2]; f.State != No {
		t.Errorf("recovery failed, yet %s is %s", f.Name, f.State)
	}
	if page := render(t, r); !strings.Contains(page, "a person must act") || strings.Contains(page, `class="label t-stopped"`) {
		t.Error("the page must call for a person and mark no stop")
	}
}

func TestBuild_brokenChain(t *testing.T) {
	entries := scenes(t)["running"].entries()
	entries[1].SHA256 = strings.Repeat("0", 64)
	r, err := Build(entries)
	if err != nil {
		t.Fatal(err)
	}
	if r.Journal.Whole || !strings.Contains(r.Journal.Problem, "rev 3") {
		t.Errorf("journal is %+v, want it broken at rev 3", r.Journal)
	}
	if !strings.Contains(render(t, r), "broken:") {
		t.Error("the page does not say that the chain is broken")
	}
}

func TestBuild_wrongInput(t *testing.T) {
	if _, err := Build(nil); err == nil {
		t.Error("no entries gave a report")
	}
	entries := scenes(t)["running"].entries()
	entries[0].Drill = json.RawMessage(`"x"`)
	if _, err := Build(entries); err == nil {
		t.Error("an entry without a drill gave a report")
	}
}

func TestIn_viewersZone(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	r := scenes(t)["stopped by its alarm, then amended"].report()
	page := render(t, r.In(zone))
	for _, want := range []string{"times in Asia/Shanghai (+08:00)", "2026-11-21 18:00:02 +08:00", ">18:00:10<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var record bytes.Buffer
	if err := JSON(&record, r.In(zone)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(record.String(), "+08:00") {
		t.Error("the record is not in UTC")
	}
}

func TestJSON_canBeReadBack(t *testing.T) {
	r := byHand(t).report()
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	var back Report
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&back); err != nil {
		t.Fatal(err)
	}
	if back.Steps[0].Start != r.Steps[0].Start || back.Journal != r.Journal || len(back.Timeline) != len(r.Timeline) {
		t.Error("the record does not hold what it was made from")
	}
}
