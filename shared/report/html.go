package report

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"github.com/firedrill/firedrill/shared/drill"
)

//go:embed report.css
var css string

// HTML writes the report as one self-contained page: no script, nothing loaded from outside. It works under the policy
// default-src 'none'; style-src 'unsafe-inline'; img-src data:.
func HTML(ctx context.Context, w io.Writer, r Report) error {
	if err := page(r).Render(ctx, w); err != nil {
		return fmt.Errorf("write report of drill %s: %w", r.Drill, err)
	}
	return nil
}

// style is our own text, never a drill's.
func style() templ.Component { return templ.Raw("<style>" + css + "</style>") }

func num0(n int) string { return strconv.Itoa(n) }

func firstVerdict(r Report) string {
	if r.Verdict == nil {
		return "none"
	}
	return r.Verdict.Verdict
}

func kinds(r Report) []drill.StepKind {
	var out []drill.StepKind
	for _, s := range r.Steps {
		if !slices.Contains(out, s.Kind) {
			out = append(out, s.Kind)
		}
	}
	return out
}

func factsTitle(r Report) string {
	if len(r.Facts) == 1 {
		return "Restoration"
	}
	return "The stop: three facts"
}

func resultWord(s string) string {
	switch s {
	case "held":
		return "✓ held"
	case "broken":
		return "✗ did not hold"
	}
	return "? not known"
}

func noSteps(r Report) string {
	switch {
	case r.Refusal != nil:
		return "The drill was refused, so no step ever began."
	case r.StartedAt.IsZero() && r.Status.Ended():
		return "The run never started, so there are no steps."
	case r.StartedAt.IsZero():
		return "The run has not started yet."
	}
	return "The service has shown no steps of this run."
}

// stepHint says how the times in the table of steps are to be read.
func stepHint(r Report) string {
	s := "Times in " + newScale(r).zoneName() + "."
	if slices.ContainsFunc(r.Steps, func(st Step) bool { return st.Seen }) {
		s += " Where the service gave no time, the time is that at which Firedrill first saw it."
	}
	return s
}

func approvalWord(r Report) string {
	a := r.Approval
	s := fmt.Sprintf("%d of %d, asked at %s", len(a.Votes), a.Need, r.when(a.Opened))
	if !a.Approved {
		s += ", not given; it expires at " + r.when(a.Expires)
	}
	return s
}

func closedWord(r Report, g Gate) string {
	if g.Closed.IsZero() {
		return "and still open"
	}
	return "to " + r.when(g.Closed)
}

func answerWord(r Report, a Answer) string {
	s := fmt.Sprintf("%s chose %s at %s", a.Actor, a.Action, r.when(a.At))
	switch {
	case a.Error != "":
		s += "; it did not work: " + a.Error
	case !a.Done:
		s += "; not carried out yet"
	}
	if a.Note != "" {
		s += " (" + a.Note + ")"
	}
	return s
}

// arrow is the tip of a bar whose end is not known.
func arrow(w row) string {
	x, top := w.X+w.Width, w.Y+6
	return fmt.Sprintf("M%.1f %.1f l8 %.1f l-8 %.1f z", x, top, barHeight/2, barHeight/2)
}

func amendment(v drill.Verdict) string {
	s := v.Summary
	if v.Issue != "" {
		s += " (issue " + v.Issue + ")"
	}
	if v.Record != "" {
		s += " (record " + v.Record + ")"
	}
	return s
}
