package messages

import (
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
)

func (w *writer) stopping(p events.Stopping) {
	w.about, w.level = p.About, chat.Warning
	w.line("stopping.text", chat.Line(p.By, maxName))
	w.three(stop{requested: w.requestedAt(p), by: p.By, reason: p.Reason})
}

// requestedAt is when the stop was asked for. An escalated fact is later than that, so without the state its own time
// says nothing.
func (w *writer) requestedAt(p events.Stopping) time.Time {
	if w.state.Stop == nil && p.Escalation == nil {
		return p.At
	}
	return time.Time{}
}

func (w *writer) stopped(p events.Stopped) {
	w.about, w.level = p.About, chat.Warning
	w.three(stop{requested: p.RequestedAt, stopped: p.StoppedAt, evidence: p.Evidence})
}

func (w *writer) restored(p events.Restored) {
	w.about = p.About
	if w.state.Stop != nil {
		w.three(stop{restored: p.RestoredAt, restoredBy: p.Evidence})
		return
	}
	w.line("end.restored", w.time(p.RestoredAt))
	w.evidence(p.Evidence)
}

func (w *writer) completed(p events.Completed) {
	w.about = p.About
	w.line("completed.text")
	w.ended()
}

func (w *writer) failed(p events.Failed) {
	w.about, w.level = p.About, chat.Warning
	w.ended()
	w.line("failed.text", w.told(p.Reason, maxValue))
}

// ended says how far the restoration has come, and all three facts where there was a stop. Without the state it says nothing.
func (w *writer) ended() {
	switch {
	case w.o.State == nil:
	case w.state.Stop != nil:
		w.three(stop{})
	default:
		w.line("end.restored", w.restoration(stop{}))
		w.evidence(w.state.Restored.Evidence)
	}
}

// stop is what a fact itself says of a stop. The state's words come first.
type stop struct {
	requested, stopped, restored time.Time
	by, reason                   string
	evidence, restoredBy         []string
}

// three shows a stop as three facts. What is not on record is called unconfirmed, whatever else is known: a run that is over is not
// thereby stopped, and a run that is stopped is not thereby restored.
func (w *writer) three(s stop) {
	if st := w.state.Stop; st != nil {
		s.requested, s.by, s.reason = st.RequestedAt, st.By, st.Reason
		if !st.StoppedAt.IsZero() {
			s.stopped, s.evidence = st.StoppedAt, st.Evidence
		}
	}
	if s.by == "" {
		w.line("stop.unnamed", w.time(s.requested))
	} else {
		w.line("stop.requested", w.time(s.requested), chat.Line(s.by, maxName))
	}
	if s.reason != "" {
		w.line("stop.reason", w.told(s.reason, maxDetail))
	}
	stopped := w.words["unconfirmed"]
	if !s.stopped.IsZero() {
		stopped = w.time(s.stopped)
	}
	w.line("stop.stopped", stopped)
	w.evidence(s.evidence)
	w.line("stop.restored", w.restoration(s))
	if s.restoredBy == nil {
		s.restoredBy = w.state.Restored.Evidence
	}
	w.evidence(s.restoredBy)
}

// restoration is the third fact. It is confirmed only with a time.
func (w *writer) restoration(s stop) string {
	if !s.restored.IsZero() {
		return w.time(s.restored)
	}
	switch r := w.state.Restored; {
	case r.State == drill.RestoreDone && !r.At.IsZero():
		return w.time(r.At)
	case r.State == drill.RestoreNeedless:
		return w.words["restore.needless"]
	case r.State == drill.RestoreFailed:
		w.level = chat.Urgent
		return w.words["restore.failed"]
	case r.State == drill.RestoreUnproven:
		return w.words["restore.unproven"]
	}
	return w.words["unconfirmed"]
}

// evidence is one line below its fact, however much there is.
func (w *writer) evidence(items []string) {
	if len(items) == 0 {
		return
	}
	shown := items[:min(len(items), maxItems)]
	var lines []string
	for _, s := range shown {
		lines = append(lines, w.told(s, maxItem))
	}
	w.line("evidence", chat.Cut(strings.Join(lines, "; "), maxDetail))
	if n := len(items) - len(shown); n > 0 {
		w.line("more", n)
	}
}
