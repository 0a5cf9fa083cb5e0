package report

import (
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// foldSteps takes the steps of the newest state and fills in the times that the service left out.
func foldSteps(entries []journal.Entry, states []*drill.Drill) []Step {
	newest := states[len(states)-1]
	out := make([]Step, 0, len(newest.Steps))
	for _, s := range newest.Steps {
		f := Step{
			ID: s.ID, Name: orElse(s.Name, s.ID), Kind: s.Kind, State: s.State, Vendor: s.Vendor, Targets: s.Targets, Attempt: s.Attempt,
			Start: s.StartedAt.UTC(), Message: s.Message, Recovers: s.Recovers,
		}
		if s.State.Final() {
			f.End = s.EndedAt.UTC()
		}
		begun, ended := seen(entries, states, s)
		if f.Start.IsZero() && !begun.IsZero() {
			f.Start, f.Seen = begun, true
		}
		if f.End.IsZero() && s.State.Final() && !f.Start.IsZero() {
			f.End, f.Seen = ended, true
		}
		if !f.End.IsZero() && f.End.Before(f.Start) {
			f.End = f.Start
		}
		out = append(out, f)
	}
	return out
}

// seen returns the times of the first entry that shows the step begun, and of the first of the last streak that shows it in
// its final state.
func seen(entries []journal.Entry, states []*drill.Drill, want drill.Step) (begun, ended time.Time) {
	for i, d := range states {
		for _, s := range d.Steps {
			if s.ID != want.ID {
				continue
			}
			if begun.IsZero() && started(s.State) {
				begun = entries[i].At.UTC()
			}
			switch {
			case s.State != want.State:
				ended = time.Time{}
			case ended.IsZero():
				ended = entries[i].At.UTC()
			}
		}
	}
	return begun, ended
}

// started reports whether a step in this state has certainly begun. A skipped or cancelled one may never have.
func started(s drill.StepState) bool {
	switch s {
	case drill.StepRunning, drill.StepStopping, drill.StepDone, drill.StepFailed:
		return true
	}
	return false
}

// foldGates collects every gate that was ever open, with the answers it got.
func foldGates(entries []journal.Entry, states []*drill.Drill) []Gate {
	out := []Gate{}
	at := map[string]int{}
	for i, d := range states {
		open := map[string]bool{}
		for _, g := range d.Gates {
			open[g.ID] = true
			if _, known := at[g.ID]; known {
				continue
			}
			at[g.ID] = len(out)
			opened := g.OpenedAt
			if opened.IsZero() {
				opened = entries[i].At
			}
			out = append(out, Gate{ID: g.ID, Name: orElse(g.Name, orElse(g.Step, string(g.Kind))), Kind: g.Kind, Opened: opened.UTC()})
		}
		for k := range out {
			if out[k].Closed.IsZero() && !open[out[k].ID] {
				out[k].Closed = entries[i].At.UTC()
			}
		}
	}
	newest := states[len(states)-1]
	for _, a := range newest.Answers {
		if k, ok := at[a.Gate]; ok {
			out[k].Answers = append(out[k].Answers, Answer{Action: a.Action, Step: a.Step, Actor: a.Actor, At: a.At.UTC(), Note: a.Note, Done: a.Done, Error: a.Error})
		}
	}
	if a := newest.Approvals; a != nil {
		if k, ok := at[a.Gate]; ok {
			for _, v := range a.Votes {
				out[k].Answers = append(out[k].Answers, Answer{Action: drill.ApproveRun, Actor: v.Actor, At: v.At.UTC(), Note: v.Note, Done: true})
			}
		}
	}
	return out
}

// facts are the three facts of a stop; a run that ended by itself has only the last, and one that never ran has none.
func facts(d *drill.Drill) []Fact {
	restored := restoredFact(d)
	if d.Stop == nil {
		if d.Status == drill.Refused || !d.Status.Ended() {
			return []Fact{}
		}
		return []Fact{restored}
	}
	requested := Fact{Name: StopRequested, State: Yes, At: d.Stop.RequestedAt.UTC(), By: d.Stop.By, Why: d.Stop.Reason}
	return []Fact{requested, stoppedFact(d), restored}
}

// stoppedFact is the second fact. It is yes only when the drill's own state holds the service's confirmation.
func stoppedFact(d *drill.Drill) Fact {
	f := Fact{Name: StoppedAt, State: NotYet}
	switch {
	case d.Outcome == drill.Stopped && !d.Stop.StoppedAt.IsZero():
		f.State, f.At, f.Evidence = Yes, d.Stop.StoppedAt.UTC(), d.Stop.Evidence
	case d.Status.Ended():
		f.State, f.Why = No, "the run had already ended: "+string(d.Outcome)
		if d.Outcome == "" {
			f.Why = "the drill is " + string(d.Status)
		}
	}
	return f
}

func restoredFact(d *drill.Drill) Fact {
	f := Fact{Name: RestoredAt, State: NotYet, Evidence: d.Restored.Evidence}
	switch d.Restored.State {
	case drill.RestoreDone:
		f.State, f.At = Yes, d.Restored.At.UTC()
	case drill.RestoreNeedless:
		f.State, f.At, f.Why = Needless, d.Restored.At.UTC(), "nothing was injected, so there is nothing to restore"
	case drill.RestoreFailed:
		f.State, f.Why = No, "recovery failed: the fault may still be in effect and a person must act"
	case drill.RestoreUnproven:
		f.State, f.Why = Unproven, "the run has ended, and the service cannot show that its faults are undone"
	}
	return f
}
