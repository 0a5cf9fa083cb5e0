package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// Measures of the timeline, in units of its viewBox.
const (
	chartWidth = 1000.0
	labelWidth = 230.0
	rightEdge  = 985.0
	laneHeight = 17.0
	rowHeight  = 26.0
	barHeight  = 14.0
	charWidth  = 6.3 // of a Latin letter at 12 px, a little generous
)

// chart is the timeline, laid out: every number is ready to be written into the SVG.
type chart struct {
	Height   float64
	Top      float64 // of the first row
	Bottom   float64 // of the last row
	Title    string
	Desc     string
	Zone     string
	Ticks    []tick
	Lane     []segment // what the drill's status was, over time
	Rows     []row
	Marks    []mark
	NoSteps  float64 // where to say that there are no steps; 0 for not at all
	OpenEnds bool
}

type tick struct {
	X     float64
	Label string
}

type segment struct {
	X, Width float64
	Class    string
	Tip      string
	Text     string // "" where it does not fit
}

type row struct {
	Y      float64 // top of the row
	Name   string  // shortened to fit
	Tip    string
	Bar    bool
	X      float64
	Width  float64
	Class  string
	Open   bool // the step is not known to have ended
	Note   string
	NoteX  float64
	Anchor string
}

type mark struct {
	X      float64
	LabelX float64
	LabelY float64
	Anchor string
	Class  string
	Label  string
	Tip    string
}

// layout places everything. It is pure: the same report gives the same picture.
func layout(r Report) chart {
	s := newScale(r)
	c := chart{Zone: s.zoneName(), Title: "Timeline of drill " + r.Drill, Ticks: s.ticks()}
	c.Marks = marks(r, s)
	lanes := placeLabels(c.Marks)
	c.Top = 10 + float64(lanes)*laneHeight
	y := c.Top
	c.Lane = statusLane(r, s)
	y += rowHeight
	for _, st := range r.Steps {
		w := stepRow(st, s, y)
		c.OpenEnds = c.OpenEnds || w.Open
		c.Rows = append(c.Rows, w)
		y += rowHeight
	}
	if len(r.Steps) == 0 {
		c.NoSteps = y
		y += rowHeight
	}
	c.Bottom = y
	c.Height = y + 44
	c.Desc = describe(r, s)
	return c
}

func statusLane(r Report, s scale) []segment {
	var out []segment
	for i := 0; i < len(r.Timeline); {
		m := r.Timeline[i]
		k := i
		for k < len(r.Timeline) && r.Timeline[k].Status == m.Status {
			k++
		}
		until := s.until
		if k < len(r.Timeline) {
			until = r.Timeline[k].At
		}
		i = k
		if !until.After(s.from) || !m.At.Before(s.until) {
			continue
		}
		x, end := s.x(m.At), s.x(until)
		g := segment{X: x, Width: max(end-x, 2), Class: statusClass(m.Status), Tip: string(m.Status) + " from " + s.clock(m.At)}
		if textWidth(string(m.Status))+8 < g.Width {
			g.Text = string(m.Status)
		}
		out = append(out, g)
	}
	return out
}

func statusClass(s drill.Status) string {
	switch s {
	case drill.Running:
		return "st-run"
	case drill.Waiting:
		return "st-wait"
	case drill.Stopping, drill.Stopped:
		return "st-stop"
	case drill.Completed, drill.Concluding, drill.Concluded:
		return "st-good"
	case drill.Failed, drill.Refused:
		return "st-bad"
	}
	return "st-idle"
}

func stepRow(st Step, s scale, y float64) row {
	w := row{Y: y, Name: shorten(st.Name, labelWidth-22), Anchor: "start"}
	w.Tip = st.Name + " (" + kindWord(st.Kind) + "): " + string(st.State)
	if st.Start.IsZero() {
		w.Note, w.NoteX = string(st.State), s.x(s.from)+4
		if st.State == drill.StepPending {
			w.Note = "not reached"
		}
		w.Class = "faint"
		return w
	}
	w.Bar, w.Class = true, kindClass(st.Kind)+" is-"+stateClass(st.State)
	end := st.End
	w.Open = end.IsZero()
	if w.Open {
		end = s.until
		w.Note = string(st.State) + ", not known to have ended"
	} else {
		w.Note = strings.TrimSpace(string(st.State) + " " + took(st))
	}
	w.X = s.x(st.Start)
	w.Width = max(s.x(end)-w.X, 3)
	w.Tip += ", from " + s.clock(st.Start)
	if !w.Open {
		w.Tip += " to " + s.clock(end)
	}
	if st.Seen {
		w.Tip += " (as seen by Firedrill)"
	}
	w.place()
	return w
}

// place puts the note right of the bar, left of it, or inside.
func (w *row) place() {
	need := textWidth(w.Note) + 10
	switch {
	case w.X+w.Width+need < rightEdge:
		w.NoteX, w.Anchor = w.X+w.Width+6, "start"
	case w.X-need > labelWidth:
		w.NoteX, w.Anchor = w.X-6, "end"
	default:
		w.NoteX, w.Anchor = w.X+w.Width-6, "inside"
	}
}

func kindClass(k drill.StepKind) string {
	switch k {
	case drill.FaultStep, drill.RecoveryStep, drill.WaitStep, drill.ApprovalStep, drill.CheckStep:
		return string(k)
	}
	return "other"
}

func kindWord(k drill.StepKind) string { return orElse(string(k), "other") }

func stateClass(s drill.StepState) string {
	switch s {
	case drill.StepPending, drill.StepReady, drill.StepRunning, drill.StepStopping, drill.StepDone, drill.StepFailed, drill.StepSkipped, drill.StepCancelled:
		return string(s)
	}
	return "unknown"
}

// marks are the vertical lines: gates that opened, and the facts of a stop that came true.
func marks(r Report, s scale) []mark {
	var out []mark
	add := func(at time.Time, class, label string) {
		if at.IsZero() || at.Before(s.from) || at.After(s.until) {
			return
		}
		out = append(out, mark{X: s.x(at), Class: class, Label: shorten(label, 260), Tip: label + " at " + s.clock(at)})
	}
	for _, g := range r.Gates {
		add(g.Opened, "gate", "waits: "+g.Name)
	}
	for _, f := range r.Facts {
		if f.State != Yes {
			continue
		}
		add(f.At, map[FactName]string{StopRequested: "requested", StoppedAt: "stopped", RestoredAt: "restored"}[f.Name], factWord(f.Name))
	}
	slices.SortStableFunc(out, func(a, b mark) int { return cmp.Compare(a.X, b.X) })
	return out
}

// placeLabels gives every mark's label a lane in which it overlaps no other, and returns how many lanes there are. Labels that point
// left come first, the latest on top; then those that point right, the earliest on top: so no line runs through a label.
func placeLabels(ms []mark) int {
	var left, right []*mark
	for i := range ms {
		m := &ms[i]
		m.LabelX, m.Anchor = m.X+4, "start"
		if pointsLeft(*m, ms) {
			m.LabelX, m.Anchor = m.X-4, "end"
			left = append(left, m)
			continue
		}
		right = append(right, m)
	}
	slices.Reverse(left)
	var lanes [][][2]float64
	for _, m := range append(left, right...) {
		w := textWidth(m.Label) + 8
		from, to := m.X, m.X+w
		if m.Anchor == "end" {
			from, to = m.X-w, m.X
		}
		lane := 0
		for lane < len(lanes) && overlaps(lanes[lane], from, to) {
			lane++
		}
		if lane == len(lanes) {
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], [2]float64{from, to})
		m.LabelY = 20 + float64(lane)*laneHeight
	}
	return len(lanes)
}

// pointsLeft reports whether a label stands left of its line: where it would leave the picture, or run through another line, on the right.
func pointsLeft(m mark, ms []mark) bool {
	until := m.X + textWidth(m.Label) + 8
	if until > rightEdge {
		return true
	}
	fits := m.X-textWidth(m.Label)-8 > labelWidth
	return fits && slices.ContainsFunc(ms, func(o mark) bool { return o.X > m.X && o.X < until })
}

func overlaps(spans [][2]float64, from, to float64) bool {
	for _, s := range spans {
		if from < s[1]+6 && s[0] < to+6 {
			return true
		}
	}
	return false
}
