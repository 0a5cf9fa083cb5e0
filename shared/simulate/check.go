package simulate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// grace is how long after its deadline a stop may take in a fair world: two ticks.
const grace = 2 * time.Minute

// checker holds the world against the invariants. What it reads it reads past the scheduler.
type checker struct {
	w       *World
	heads   map[string]*drill.Drill // as last appended
	order   []string                // drills in the order of their first entry
	verdict map[string]string
	durable map[string]string // fact id -> what it is, for every fact in an outbox
	sent    map[string]bool   // fact ids that were put on the bus
	starts  int               // calls of ExecuteExperiment that reached the service
	marked  map[string]time.Time
	blocked map[string]string // drill -> the lever or alarm that was durable before its first intent
	lying   func() bool
}

func newChecker(w *World) *checker {
	c := &checker{w: w, heads: map[string]*drill.Drill{}, verdict: map[string]string{}, durable: map[string]string{}, sent: map[string]bool{},
		marked: map[string]time.Time{}, blocked: map[string]string{}, lying: func() bool { return false }}
	w.store.created = c.created
	w.published = func(e events.Event) { c.sent[e.ID()] = true }
	w.wire.sent = func(op, _ string) {
		if op == "ExecuteExperiment" {
			c.starts++
		}
	}
	return c
}

func (c *checker) broken(format string, args ...any) { c.w.Sched.Break(format, args...) }

// created looks at every entry the moment that it is durable.
func (c *checker) created(key string, data []byte) {
	id, ok := strings.CutPrefix(key, "drills/")
	if !ok {
		return
	}
	id, _, _ = strings.Cut(id, "/")
	e, err := journal.DecodeEntry(data)
	if err != nil {
		c.broken("drill %s: %v", id, err)
		return
	}
	d, err := e.State()
	if err != nil {
		c.broken("drill %s: %v", id, err)
		return
	}
	old := c.heads[id]
	if old == nil {
		c.order = append(c.order, id)
	}
	c.heads[id] = d
	c.transition(old, d)
	c.facts(d, e)
	c.ended(old, d)
	c.looked(old, d)
	if d.Verdict != nil {
		v := fmt.Sprint(d.Verdict.Verdict, d.Verdict.By, d.Verdict.Summary)
		if was, known := c.verdict[id]; known && was != v {
			c.broken("drill %s: its verdict changed from %s to %s", id, was, v)
		}
		c.verdict[id] = v
	}
}

func (c *checker) transition(old, d *drill.Drill) {
	switch {
	case old == nil:
		if d.Status != drill.Requested {
			c.broken("drill %s begins as %s", d.ID, d.Status)
		}
		return
	case d.Rev != old.Rev+1:
		c.broken("drill %s: rev %d follows rev %d", d.ID, d.Rev, old.Rev)
	case old.Status == d.Status || drill.Legal(old.Status, d.Status):
	default:
		via := func(s drill.Status) bool { return drill.Legal(old.Status, s) && drill.Legal(s, d.Status) }
		if !via(drill.Stopping) && !via(drill.Running) {
			c.broken("drill %s went from %s to %s", d.ID, old.Status, d.Status)
		}
	}
	if old.RunID() != "" && d.RunID() != old.RunID() {
		c.broken("drill %s: its run changed from %s to %s", d.ID, old.RunID(), d.RunID())
	}
	if old.Outcome != "" && d.Outcome != old.Outcome {
		c.broken("drill %s: its outcome changed from %s to %s", d.ID, old.Outcome, d.Outcome)
	}
}

func (c *checker) facts(d *drill.Drill, e journal.Entry) {
	facts, err := e.Events()
	if err != nil {
		c.broken("drill %s: %v", d.ID, err)
		return
	}
	concluded := 0
	for _, f := range facts {
		if _, twice := c.durable[f.ID()]; twice {
			c.broken("drill %s: fact id %s is used twice", d.ID, f.ID())
		}
		c.durable[f.ID()] = fmt.Sprintf("%s of drill %s, rev %d", f.Type(), d.ID, e.Rev)
		if f.Type() == events.TypeConcluded {
			concluded++
		}
		if f.Type() == events.TypeRestored && (d.Restored.State != drill.RestoreDone || len(d.Restored.Evidence) == 0) {
			c.broken("drill %s: restored without evidence", d.ID)
		}
	}
	if concluded > 0 {
		if _, twice := c.marked["concluded/"+d.ID]; twice {
			c.broken("drill %s is concluded twice", d.ID)
		}
		c.marked["concluded/"+d.ID] = time.Now()
	}
}

// ended holds an entry that says "stopped" or "restored" against the sandbox's truth.
func (c *checker) ended(old, d *drill.Drill) {
	if d.Status == drill.Stopped && (old == nil || old.Status != drill.Stopped) {
		for _, r := range c.runs(d) {
			if d.Plan.Service == drill.OOS {
				if r.ID == d.RunID() && !r.Ended {
					c.broken("drill %s is called stopped while execution %s is %s", d.ID, r.ID, r.Status)
				}
				continue
			}
			if len(r.Live) > 0 {
				c.broken("drill %s is called stopped while %s of run %s (%s) is live", d.ID, strings.Join(r.Live, ", "), r.ID, r.Status)
			}
		}
	}
	if d.Restored.State == drill.RestoreDone && (old == nil || old.Restored.State != drill.RestoreDone) {
		if len(d.Restored.Evidence) == 0 {
			c.broken("drill %s is restored without evidence", d.ID)
		}
		for _, r := range c.runs(d) {
			if len(r.Live) > 0 {
				c.broken("drill %s is called restored while %s of run %s is live", d.ID, strings.Join(r.Live, ", "), r.ID)
			}
		}
	}
}

// looked checks the second look: a lever or alarm that was durable before the intent, and still stands, lets no run begin.
func (c *checker) looked(old, d *drill.Drill) {
	r := d.Run(drill.Main)
	if r == nil || old == nil {
		return
	}
	if o := old.Run(drill.Main); o == nil || o.Intent.Attempt == 0 {
		c.blocked[d.ID] = c.blocker(d)
	}
	if why := c.blocked[d.ID]; why != "" && old.RunID() == "" && r.ID != "" && c.blocker(d) == why {
		c.broken("drill %s: run %s was started although %s before the intent", d.ID, r.ID, why)
	}
}

func (c *checker) blocker(d *drill.Drill) string {
	levers, err := guard.Levers(context.Background(), c.w.Journal)
	if err != nil {
		c.broken("read levers: %v", err)
	}
	for _, l := range levers {
		if l.Covers(d.Plan.Name, d.Plan.Environment) {
			return fmt.Sprintf("%s was halted at %s", l.Scope, l.At)
		}
	}
	firing, err := c.w.Journal.Firing(context.Background())
	if err != nil {
		c.broken("read alarms: %v", err)
	}
	for _, a := range firing {
		if _, ok := d.Plan.StoppedBy(a.Source, a.Name, a.Labels); ok {
			return fmt.Sprintf("alarm %s was firing since %s", a.Name, a.At)
		}
	}
	return ""
}

// runs lists the executed runs of a drill, by the sandbox's own truth. AHAS has no marks: there it is the run that the drill names.
func (c *checker) runs(d *drill.Drill) []service.Run {
	var out []service.Run
	for _, r := range c.w.Box.Runs() {
		if r.Executed && !r.Preview && (marks(r) == d.ID || r.Service == "ahas" && r.ID == d.RunID()) {
			out = append(out, r)
		}
	}
	return out
}

// marks returns the drill that a run's mark names.
func marks(r service.Run) string { return strings.TrimSuffix(strings.TrimPrefix(r.Mark, "[fd:"), "]") }

// recovers reports whether a run is a drill's recovery run.
func recovers(d *drill.Drill, r service.Run) bool {
	rec, ok := d.Block["recovery"].(map[string]any)
	return ok && rec["template"] == r.Template
}

// Step checks what is cheap enough to be checked at every tick.
func (c *checker) Step() {
	tasks, wanted := 0, 0
	for _, r := range c.w.Box.Runs() {
		if r.Service == "ahas" {
			tasks++
			continue
		}
		if r.Executed && c.heads[marks(r)] == nil {
			c.broken("run %s (%s) names no drill: %q", r.ID, r.Status, r.Mark)
		}
	}
	for _, id := range c.order {
		d := c.heads[id]
		if r := d.Run(drill.Main); r != nil && r.Intent.Attempt > 0 {
			wanted++
		}
		mains, recs := 0, 0
		for _, r := range c.runs(d) {
			if recovers(d, r) {
				recs++
				continue
			}
			mains++
			c.after(d, r)
		}
		if mains > 1 || recs > 1 {
			c.broken("drill %s has %d runs and %d recovery runs", id, mains, recs)
		}
	}
	if tasks > wanted || c.starts > wanted && len(c.order) > 0 && c.heads[c.order[0]].Plan.Service == drill.AHAS {
		c.broken("%d AHAS tasks and %d calls to start one for %d drills that began a start", tasks, c.starts, wanted)
	}
}

// after checks that nothing of ours begins once a drill is said to be over.
func (c *checker) after(d *drill.Drill, r service.Run) {
	switch {
	case d.Status == drill.Refused:
		c.broken("drill %s is refused, and run %s is %s", d.ID, r.ID, r.Status)
	case !d.EndedAt.IsZero() && r.Started.After(d.EndedAt):
		c.broken("run %s began %s after drill %s had ended as %s", r.ID, r.Started.Sub(d.EndedAt), d.ID, d.Outcome)
	case d.Outcome == drill.Stopped && d.Plan.Service != drill.OOS && len(r.Live) > 0:
		c.broken("drill %s was called stopped at %s, and %s of run %s is live again", d.ID, d.EndedAt.Format(time.TimeOnly), strings.Join(r.Live, ", "), r.ID)
	}
}

// Fair checks, at a tick of the fair world, that no fault outlives what should have ended it.
func (c *checker) Fair(ctx context.Context, since time.Time) {
	c.Step()
	if c.lying() {
		return
	}
	levers, err := guard.Levers(ctx, c.w.Journal)
	if err != nil {
		c.broken("read levers: %v", err)
	}
	firing, err := c.w.Journal.Firing(ctx)
	if err != nil {
		c.broken("read alarms: %v", err)
	}
	for _, id := range c.order {
		d := c.heads[id]
		at, why := mustEnd(d, levers, firing)
		if why == "" {
			continue
		}
		if at.Before(since) {
			at = since
		}
		if time.Since(at) > drill.StopDeadline+grace {
			c.outlives(d, why, at)
		}
	}
}

// outlives checks each run from when it had to end, or from its beginning where a late call began it after that.
func (c *checker) outlives(d *drill.Drill, why string, at time.Time) {
	for _, r := range c.runs(d) {
		late := time.Since(at)
		if r.Started.After(at) {
			late = time.Since(r.Started)
		}
		over := len(r.Live) == 0 || late <= drill.StopDeadline+grace
		if d.Plan.Service == drill.OOS {
			over = r.Ended || late <= drill.StopDeadline+grace
		}
		if !over {
			c.broken("run %s of drill %s (%s) is still live (%s: %s) %s after %s", r.ID, d.ID, d.Status, r.Status, strings.Join(r.Live, ", "), late.Round(time.Second), why)
		}
	}
}

// mustEnd says since when, and why, no fault of a drill may be live.
func mustEnd(d *drill.Drill, levers []guard.Lever, firing []journal.Alarm) (at time.Time, why string) {
	first := func(t time.Time, w string) {
		if why == "" || t.Before(at) {
			at, why = t, w
		}
	}
	if d.Stop != nil {
		first(d.Stop.RequestedAt, "its stop was asked for")
	}
	if d.Status.Ended() && d.Restored.State != drill.RestorePending && d.Restored.State != drill.RestoreFailed && d.Restored.State != drill.RestoreUnproven {
		first(d.EndedAt, "it ended as "+string(d.Outcome))
	}
	if d.Restored.State == drill.RestoreFailed || d.Restored.State == drill.RestoreUnproven {
		return time.Time{}, "" // said so, and a person was told
	}
	for _, l := range levers {
		if l.Covers(d.Plan.Name, d.Plan.Environment) {
			first(l.At, "the halt of "+l.Scope)
		}
	}
	for _, a := range firing {
		if def, ok := d.Plan.StoppedBy(a.Source, a.Name, a.Labels); ok {
			first(a.SeenAt, "alarm "+def.Name+" was recorded")
		}
	}
	return at, why
}
