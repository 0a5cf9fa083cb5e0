package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
)

// columns is how wide a line on the terminal may be.
const columns = 100

// locked lets several goroutines write whole lines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes p at once.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// watch prints one line per change of a drill, or every fact as a line of JSON.
func (s *system) watch(ctx context.Context, facts <-chan events.Event, sc screen) {
	shown := map[string]change{}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-facts:
			switch {
			case !strings.HasPrefix(e.Type(), "dev.firedrill.drill."):
			case sc.json:
				if b, err := json.Marshal(e); err == nil {
					fmt.Fprintln(sc.out, string(b))
				}
			case e.Source() != catalogueSource: // that one is told in full
				s.show(ctx, e, sc, shown)
			}
		}
	}
}

// change is what was printed last of a drill.
type change struct {
	rev  int
	line string
}

// show prints a fact, unless its drill has been shown at a later state or with the same words: facts may come late and twice.
func (s *system) show(ctx context.Context, e events.Event, sc screen, shown map[string]change) {
	rev, last := events.Sequence(e), shown[e.Subject()]
	if rev > 0 && rev <= last.rev {
		return
	}
	line := s.line(ctx, e)
	if line == "" || line == last.line {
		return
	}
	if rev > 0 {
		shown[e.Subject()] = change{rev, line}
	}
	width := columns
	if e.Type() == events.TypeRefused { // its reason is told in full: for some, no record keeps it
		width = len(line) * 2
	}
	fmt.Fprintln(sc.out, fit(s.clock.Now().Format("15:04:05")+" "+line, width))
}

// line is a drill's state in one line.
func (s *system) line(ctx context.Context, e events.Event) string {
	if events.Sequence(e) == 0 {
		p, err := events.Decode[events.Refused](e)
		if err != nil {
			return ""
		}
		return row(p.Drill, p.Plan, "refused", p.Check+": "+p.Reason)
	}
	d, err := s.journal.LoadAt(ctx, e.Subject(), events.Sequence(e))
	if err != nil {
		return ""
	}
	return row(d.ID, d.Plan.Name, string(d.Status), progress(d))
}

func row(id, plan, status, more string) string {
	return strings.TrimRight(fmt.Sprintf("%s %s %-11s %s", short(id), pad(fit(plan, 24), 24), status, more), " ")
}

func short(id string) string { return id[:min(len(id), 6)] }

// progress is what there is to say about a drill besides its status, the most important first.
func progress(d *drill.Drill) string {
	var parts []string
	if d.Escalations > 0 {
		parts = append(parts, fmt.Sprintf("LOOK, escalated %d times", d.Escalations))
	}
	if d.Verdict != nil {
		return strings.Join(append(parts, "verdict "+d.Verdict.Verdict), " · ")
	}
	for _, g := range d.Gates {
		parts = append(parts, "waits for you: "+g.Name)
	}
	if d.Status == drill.Concluding {
		return strings.Join(append(parts, asked(d)...), " · ")
	}
	if d.Reason != "" {
		parts = append(parts, d.Reason)
	}
	if st := d.Stop; st != nil && st.StoppedAt.IsZero() {
		parts = append(parts, "stop asked "+st.RequestedAt.Format("15:04:05")+" by "+st.By)
	}
	if st := d.Stop; st != nil && !st.StoppedAt.IsZero() {
		parts = append(parts, "stopped "+st.StoppedAt.Format("15:04:05"))
	}
	switch {
	case d.Restored.State == drill.RestoreNeedless && d.Status.Ended() && d.Status != drill.Refused:
		parts = append(parts, "nothing to restore")
	case !d.Restored.At.IsZero():
		parts = append(parts, "restored "+d.Restored.At.Format("15:04:05"))
	}
	if !d.Status.Ended() {
		parts = append(parts, steps(d)...)
	}
	return strings.Join(parts, " · ")
}

// asked lists the claims that wait for an answer.
func asked(d *drill.Drill) []string {
	var out []string
	for _, c := range d.Plan.Expect {
		if _, st, _ := d.ClaimFor(c.ID); c.Ask != "" && st.Answer == nil {
			out = append(out, fmt.Sprintf("does %s hold? %q", c.ID, c.Claim))
		}
	}
	return out
}

func steps(d *drill.Drill) []string {
	if len(d.Steps) == 0 {
		return nil
	}
	done := 0
	var now []string
	for _, st := range d.Steps {
		switch {
		case st.State.Final():
			done++
		case st.State == drill.StepRunning || st.State == drill.StepStopping:
			now = append(now, st.Name)
		}
	}
	out := []string{fmt.Sprintf("%d/%d steps", done, len(d.Steps))}
	if len(now) > 0 {
		out = append(out, "now "+strings.Join(now, ", "))
	}
	return out
}

// fit puts a text on one line of at most width columns.
func fit(s string, width int) string {
	s = strings.NewReplacer("\n", " ", "\t", " ").Replace(chat.Clean(s))
	if span(s) <= width {
		return s
	}
	used := 0
	for i, r := range s {
		if used += runeSpan(r); used > width-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// pad fills a text with blanks up to width columns.
func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-span(s))) }

func span(s string) int {
	n := 0
	for _, r := range s {
		n += runeSpan(r)
	}
	return n
}

// runeSpan is how many columns a terminal gives a character: two for CJK and emoji.
func runeSpan(r rune) int {
	switch {
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
