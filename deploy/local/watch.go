package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// watch prints one line per change of a drill, or every fact as JSON.
func (s *system) watch(ctx context.Context, facts <-chan events.Event, sc screen) {
	shown := map[string]int{} // the newest rev per drill: facts may come late and twice
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-facts:
			if events.Sequence(e) == 0 && e.Type() != events.TypeRefused {
				continue
			}
			if sc.json {
				if b, err := json.Marshal(e); err == nil {
					fmt.Fprintln(sc.out, string(b))
				}
				continue
			}
			rev := events.Sequence(e)
			if line := s.line(ctx, e); line != "" && (rev == 0 || rev > shown[e.Subject()]) {
				shown[e.Subject()] = max(rev, shown[e.Subject()])
				fmt.Fprintf(sc.out, "%s  %s\n", s.clock.Now().Format("15:04:05"), line)
			}
		}
	}
}

// line is a drill's state in one line.
func (s *system) line(ctx context.Context, e events.Event) string {
	if e.Type() == events.TypeRefused {
		p, err := events.Decode[events.Refused](e)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("%-8s %-24s refused (%s): %s", short(p.Drill), p.Plan, p.Check, p.Reason)
	}
	d, err := s.journal.LoadAt(ctx, e.Subject(), events.Sequence(e))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%-8s %-24s %-10s %s", short(d.ID), d.Plan.Name, d.Status, progress(d))
}

func short(id string) string { return id[:min(len(id), 6)] }

// progress is what there is to say about a drill besides its status.
func progress(d *drill.Drill) string {
	var parts []string
	if n := len(d.Steps); n > 0 {
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
		parts = append(parts, fmt.Sprintf("%d/%d steps", done, n))
		if len(now) > 0 {
			parts = append(parts, "now "+strings.Join(now, ", "))
		}
	}
	for _, g := range d.Gates {
		parts = append(parts, "waits: "+g.Name+" ("+g.ID+")")
	}
	if st := d.Stop; st != nil {
		parts = append(parts, "stop asked "+st.RequestedAt.Format("15:04:05")+" by "+st.By)
		if !st.StoppedAt.IsZero() {
			parts = append(parts, "stopped "+st.StoppedAt.Format("15:04:05"))
		}
	}
	if !d.Restored.At.IsZero() {
		parts = append(parts, "restored "+d.Restored.At.Format("15:04:05"))
	}
	if d.Status == drill.Concluding {
		for _, c := range d.Plan.Expect {
			if _, st, _ := d.ClaimFor(c.ID); c.Ask != "" && st.Answer == nil {
				parts = append(parts, fmt.Sprintf("asks: does %q hold?", c.Claim))
			}
		}
	}
	if d.Verdict != nil {
		parts = append(parts, "verdict "+d.Verdict.Verdict)
	}
	if d.Escalations > 0 {
		parts = append(parts, fmt.Sprintf("escalated %d times", d.Escalations))
	}
	return strings.Join(parts, " · ")
}
