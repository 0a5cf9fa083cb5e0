package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

func factWord(n FactName) string {
	switch n {
	case StopRequested:
		return "stop requested"
	case StoppedAt:
		return "stopped at the service"
	}
	return "restored"
}

// factMark is a sign beside the word, so that colour is never the only one.
func factMark(s FactState) string {
	switch s {
	case Yes:
		return "✓"
	case No:
		return "✗"
	case Needless:
		return "–"
	case Unproven:
		return "?"
	}
	return "…"
}

// says is what a fact's row tells: the time if it came true, or that it did not.
func (r Report) says(f Fact) string {
	var s string
	switch f.State {
	case Yes:
		s = r.when(f.At)
	case No:
		s = "no"
	case Unproven:
		s = "not proven"
	case Needless:
		s = "not needed"
	default:
		s = "not yet"
	}
	if f.By != "" {
		s += ", by " + f.By
	}
	if f.Why != "" {
		s += ": " + f.Why
	}
	return s
}

// when writes a time in the page's zone with its offset, "" for none.
func (r Report) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return r.local(t).Format("2006-01-02 15:04:05 -07:00")
}

// clock writes the time of day, with the date where it is not the request's, "" for none.
func (r Report) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	layout := "15:04:05"
	if r.local(t).Format(time.DateOnly) != r.local(r.RequestedAt).Format(time.DateOnly) {
		layout = "2006-01-02 15:04:05"
	}
	return r.local(t).Format(layout)
}

func (r Report) local(t time.Time) time.Time {
	if r.zone == nil {
		return t.UTC()
	}
	return t.In(r.zone)
}

// headline is the drill's state in a word for people: the verdict once there is one.
func (r Report) headline() (class, word, text string) {
	v := r.Verdict
	if n := len(r.Amendments); n > 0 {
		v = &r.Amendments[n-1]
	}
	switch {
	case r.Refusal != nil:
		return "bad", "refused", "Nothing was started. The check “" + r.Refusal.Check + "” said no: " + r.Refusal.Reason
	case v == nil && r.Status.Ended():
		return "doubt", string(r.Status), "The run is over; the verdict is still to come."
	case v == nil:
		return "doubt", string(r.Status), "The drill is not over. This page shows it as of " + r.when(r.AsOf) + "."
	}
	return verdictClass(v.Verdict), v.Verdict, v.Summary
}

func verdictClass(v string) string {
	switch v {
	case drill.Expected:
		return "good"
	case drill.Unexpected:
		return "bad"
	}
	return "doubt"
}

func describe(r Report, s scale) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps from %s to %s, times in %s.", len(r.Steps), s.clock(s.from), s.clock(s.until), s.zoneName())
	for _, f := range r.Facts {
		switch f.State {
		case Yes:
			fmt.Fprintf(&b, " %s at %s.", upper(factWord(f.Name)), s.clock(f.At))
		case NotYet:
			fmt.Fprintf(&b, " %s: not yet.", upper(factWord(f.Name)))
		}
	}
	b.WriteString(" The table of steps has the same in words.")
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// parameters are "name=value", by name.
func (r Report) parameters() []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(r.Parameters)) {
		b, err := json.Marshal(r.Parameters[k])
		if err != nil {
			b = []byte("?")
		}
		out = append(out, k+"="+string(b))
	}
	return out
}

// link returns the URL if a browser may be sent there, "" otherwise.
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

// took is how long a step lasted, "" where that is not known: begun and ended were first seen at once, or an end is missing.
func took(st Step) string {
	if st.Start.IsZero() || st.End.IsZero() || st.Seen && st.Start.Equal(st.End) {
		return ""
	}
	return short(st.End.Sub(st.Start))
}

// ends is what the table says of a step's end.
func (r Report) ends(st Step) string {
	switch {
	case !st.End.IsZero():
		return r.clock(st.End)
	case st.Start.IsZero():
		return "–"
	}
	return "not known to have ended"
}

func targets(ts []drill.Target) string {
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = strings.TrimSpace(t.ID + " " + targetState(t))
	}
	return strings.Join(parts, ", ")
}

func targetState(t drill.Target) string {
	s := string(t.State)
	if t.Message != "" {
		s += " (" + t.Message + ")"
	}
	return strings.TrimSpace(s)
}

// unsaidReasons are the first verdict's reasons that the text shown above does not hold already.
func (r Report) unsaidReasons(text string) []string {
	var out []string
	if r.Verdict != nil && len(r.Amendments) == 0 {
		for _, why := range r.Verdict.Reasons {
			if !strings.Contains(text, why) {
				out = append(out, why)
			}
		}
	}
	return out
}

func previewWord(r Report) string {
	s := fmt.Sprintf("proved %s at %s", r.Preview.Proved, r.when(r.Preview.At))
	if n := len(r.Preview.Targets); n > 0 {
		s += fmt.Sprintf(", %d targets:", n)
	}
	return s
}

func num(f float64) string { return fmt.Sprintf("%.1f", f) }
