package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// scale maps times to places on the axis, and writes them in the viewer's zone.
type scale struct {
	from, until time.Time
	zone        *time.Location
}

// newScale spans the run: from its start, or from the request when nothing started, to its end and restoration, or to the newest
// entry while it goes on. What comes before and after is in the list of moments.
func newScale(r Report) scale {
	s := scale{from: r.RequestedAt, until: r.AsOf, zone: r.zone}
	if s.zone == nil {
		s.zone = time.UTC
	}
	if !r.StartedAt.IsZero() {
		s.from = r.StartedAt
	}
	if !r.EndedAt.IsZero() {
		s.until = r.EndedAt
	}
	for _, st := range r.Steps {
		s.take(st.Start)
		s.take(st.End)
		if !st.Start.IsZero() && st.End.IsZero() {
			s.take(r.AsOf)
		}
	}
	for _, f := range r.Facts {
		if f.State == Yes {
			s.take(f.At)
		}
	}
	if d := s.until.Sub(s.from); d < time.Second {
		s.until = s.from.Add(time.Second)
	}
	pad := s.until.Sub(s.from) / 50
	s.from, s.until = s.from.Add(-pad), s.until.Add(pad)
	return s
}

func (s *scale) take(t time.Time) {
	switch {
	case t.IsZero():
	case t.Before(s.from):
		s.from = t
	case t.After(s.until):
		s.until = t
	}
}

// x is the place of a time, held within the axis.
func (s scale) x(t time.Time) float64 {
	span := float64(s.until.Sub(s.from))
	at := float64(t.Sub(s.from)) / span
	return labelWidth + min(max(at, 0), 1)*(rightEdge-labelWidth)
}

var tickSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// ticks are at most nine round times.
func (s scale) ticks() []tick {
	span := s.until.Sub(s.from)
	step := 24 * time.Hour * (1 + span/(9*24*time.Hour))
	for _, d := range tickSteps {
		if span/d < 9 {
			step = d
			break
		}
	}
	layout := "15:04"
	switch {
	case step < time.Minute:
		layout = "15:04:05"
	case step >= 24*time.Hour || s.from.In(s.zone).YearDay() != s.until.In(s.zone).YearDay():
		layout = "Jan 2 15:04"
	}
	_, offset := s.from.In(s.zone).Zone()
	local := time.Duration(offset) * time.Second
	first := s.from.Add(local).Truncate(step).Add(step - local)
	var out []tick
	for t := first; t.Before(s.until); t = t.Add(step) {
		out = append(out, tick{X: s.x(t), Label: t.In(s.zone).Format(layout)})
	}
	return out
}

// zoneName is "UTC (+00:00)" or "Asia/Shanghai (+08:00)"; both offsets where the clocks change in between.
func (s scale) zoneName() string {
	a, b := s.from.In(s.zone).Format("-07:00"), s.until.In(s.zone).Format("-07:00")
	if a != b {
		return fmt.Sprintf("%s (%s, then %s)", s.zone, a, b)
	}
	return fmt.Sprintf("%s (%s)", s.zone, a)
}

func (s scale) clock(t time.Time) string { return t.In(s.zone).Format("15:04:05") }

// short writes a duration for people: "450ms", "12s", "3m 05s", "2h 10m".
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
}

// runeWidth guesses how wide a letter is drawn; wide scripts and pictures take two places.
func runeWidth(r rune) float64 {
	switch {
	case unicode.Is(unicode.Mn, r), r == 0x200d, r >= 0xfe00 && r <= 0xfe0f:
		return 0
	case r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f000):
		return 2 * charWidth
	}
	return charWidth
}

func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		w += runeWidth(r)
	}
	return w
}

// shorten cuts a text to a width and marks the cut; line breaks become spaces.
func shorten(s string, width float64) string {
	s = strings.Join(strings.Fields(s), " ")
	if textWidth(s) <= width {
		return s
	}
	w := charWidth
	for i, r := range s {
		if w += runeWidth(r); w > width {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}
