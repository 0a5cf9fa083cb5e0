package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// ProgressEvery coalesces progressed facts.
const ProgressEvery = 30 * time.Second

// Observe takes in one reading of a run. It returns an empty change when nothing moved. The reading must have been made
// against this very rev; after a conflict it is thrown away and made again.
func (d *Drill) Observe(o Observation, now time.Time) (Change, error) {
	o = trim(o)
	role := o.Run.Role
	r := d.run(role)
	if o.Phase == PhasePrepared && r.ID != "" {
		return Change{}, nil // a stale reading: the task was executed since
	}
	before := *r
	r.Phase, r.Vendor, r.Quiet = o.Phase, o.Vendor, o.Quiet
	r.Injected = r.Injected || o.Injected
	r.Restoration, r.Evidence = o.Restoration, o.Evidence
	if o.Report.State != "" {
		r.Report = o.Report
	}
	if role == Recovery {
		return d.observeRecovery(before, o, now)
	}
	changes := append(d.adoptPrepared(o, now), d.mergeSteps(o.Steps)...)
	if d.Status.Ended() {
		d.Gates = nil // nobody is asked any more
		return d.observeEnded(before, o, changes, now)
	}
	return d.observeLive(before, o, changes, now)
}

// adoptPrepared takes the recorded task as the main run when it is seen to have been executed, though nobody recorded that.
func (d *Drill) adoptPrepared(o Observation, now time.Time) []string {
	r := d.run(Main)
	if r.ID != "" || r.Prepared == "" || r.Prepared != o.Run.ID || o.Phase == PhasePrepared || o.Phase == PhaseUnknown {
		return nil
	}
	r.ID, r.Adopted, d.StartedAt = r.Prepared, true, now
	if !o.StartedAt.IsZero() {
		d.StartedAt = o.StartedAt
	}
	return []string{fmt.Sprintf("main run %s found executed; adopted", r.ID)}
}

func (d *Drill) observeLive(before RunState, o Observation, changes []string, now time.Time) (Change, error) {
	c := Change{}
	var opened, closed []Gate
	if d.Status == Stopping {
		d.Gates = nil // nobody is asked any more
	} else {
		opened, closed = d.mergeGates(o.Gates, now)
	}
	if o.StoppedBy == "condition" && d.Stop == nil || (o.Phase == PhaseStopping || o.Phase == PhaseStopped) && d.Stop == nil {
		if err := d.stopFromOutside(o, &c, now); err != nil {
			return Change{}, err
		}
	}
	if ended, err := d.settle(o, &c, now); ended || err != nil {
		return c, err
	}
	turned, err := d.follow(&c, opened, closed, now)
	if err != nil {
		return Change{}, err
	}
	changes = append(append(changes, d.began(o, now)...), turned...)
	told := d.tell(&c, changes, len(turned) > 0, now)
	if before.Phase != o.Phase || before.Vendor != o.Vendor {
		changes = append([]string{fmt.Sprintf("%s is %s", d.Plan.Service, o.Vendor)}, changes...)
	}
	for _, s := range some(changes) {
		c.add(s)
	}
	if told && c.What == "" {
		c.add("told what moved before")
	}
	return c, nil
}

// tell says what moved, in one fact: at once, or as soon as ProgressEvery is over since the last time. Until then it is owed, and told with
// a later reading even if nothing moves any more. An entry that tells progress already leaves it owed too.
func (d *Drill) tell(c *Change, moved []string, atOnce bool, now time.Time) bool {
	d.Owed = append(d.Owed, moved...)
	if n := len(d.Owed) - maxLines; n > 0 {
		d.Owed, d.OwedMore = slices.Clone(d.Owed[n:]), d.OwedMore+n
	}
	told := slices.ContainsFunc(c.Facts, func(p events.Payload) bool { return p.EventType() == events.TypeProgressed })
	if len(d.Owed) == 0 || told || !atOnce && now.Sub(d.ProgressedAt) < ProgressEvery {
		return false
	}
	lines := d.Owed
	if d.OwedMore > 0 {
		lines = append(slices.Clone(lines), fmt.Sprintf("and %d more", d.OwedMore))
	}
	c.Facts = append(c.Facts, events.Progressed{About: d.about(now), Changes: lines})
	d.ProgressedAt, d.Owed, d.OwedMore = now, nil, 0
	return true
}

// follow moves a live drill between running and waiting. It returns what people must be told at once, where no fact about a gate that
// opened tells them: that a gate is no more, or that the drill runs on.
func (d *Drill) follow(c *Change, opened, closed []Gate, now time.Time) (turned []string, err error) {
	if d.Status == Stopping {
		return nil, nil
	}
	want := Running
	if len(d.Gates) > 0 {
		want = Waiting
	}
	for _, g := range closed {
		turned = append(turned, "waits no more: "+orElse(g.Name, g.ID))
	}
	if d.Status != want {
		if err := d.to(want); err != nil {
			return nil, err
		}
		if len(turned) == 0 {
			turned = append(turned, "the drill is "+string(want))
		}
	}
	for _, g := range opened {
		var choices []string
		for _, ch := range g.Choices {
			if !slices.Contains(choices, string(ch.Action)) {
				choices = append(choices, string(ch.Action))
			}
		}
		c.add(fmt.Sprintf("waits: %s", g.Name))
		c.Facts = append(c.Facts, events.Waiting{About: d.about(now), Gate: g.ID, Kind: string(g.Kind), Name: g.Name, Choices: choices})
	}
	if len(opened) > 0 {
		return nil, nil
	}
	return turned, nil
}

// began takes the service's word for when the run began: max_duration counts from then, though the start was seen late. Clocks differ, but
// no run is older than the intent to start it.
func (d *Drill) began(o Observation, now time.Time) []string {
	r, at := d.run(Main), o.StartedAt
	if at.IsZero() || at.After(now) || r.ID == "" {
		return nil
	}
	if at.Before(r.Intent.Since) {
		at = r.Intent.Since
	}
	if off := at.Sub(d.StartedAt); off.Abs() < startSlack || off > 0 && !r.Adopted {
		return nil
	}
	d.StartedAt = at
	if d.Stop == nil {
		d.Deadline = at.Add(d.Plan.MaxDuration.D())
	}
	return []string{"the service says that it began at " + at.UTC().Format(time.RFC3339)}
}

// settle ends the drill when the reading says that the run is over.
func (d *Drill) settle(o Observation, c *Change, now time.Time) (bool, error) {
	var e Change
	var err error
	restored := d.restoration(o, now)
	switch {
	case o.Phase == PhaseCompleted:
		e, err = d.end(Completed, o.Reason, restored, now)
	case o.Phase == PhaseFailed:
		e, err = d.end(Failed, orElse(o.Reason, "the service reports "+o.Vendor), restored, now)
	case d.Stop != nil && o.Phase == PhasePrepared:
		return d.settlePrepared(o, c, now)
	case d.Stop != nil && o.Quiet && paused(o) && !d.Unsettled(askedAt(o, now)).IsZero():
		d.holdStop(c, askedAt(o, now))
		return false, nil
	case d.Stop != nil && o.Quiet && (o.Phase == PhaseStopped || paused(o)):
		e, err = d.endStopped(o.Evidence, restored, now)
	case o.Restoration == RestoreFailed && (o.Phase == PhaseStopped || o.Phase == PhaseUnknown || d.Stop != nil && paused(o)):
		e, err = d.end(Failed, "the run is over and its recovery failed ("+o.Vendor+"): the fault may still be in effect", restored, now)
	default:
		return false, nil
	}
	c.add(e.What)
	c.Facts = append(c.Facts, e.Facts...)
	return true, err
}

// holdStop tells, once, why a paused run is not called stopped yet: a late answer could set it going again.
func (d *Drill) holdStop(c *Change, now time.Time) {
	if d.Stop.Held {
		return
	}
	d.Stop.Held = true
	what := "the run is paused, and not called stopped yet: an answer got no reply and could set it going again until " + d.Unsettled(now).Format(time.RFC3339)
	c.add(what)
	c.Facts = append(c.Facts, events.Progressed{About: d.about(now), Changes: []string{what}})
}

// settlePrepared ends the stop of a task that was never executed. One reading may be stale: two that are far enough apart decide.
func (d *Drill) settlePrepared(o Observation, c *Change, now time.Time) (bool, error) {
	at := askedAt(o, now)
	if !d.LookupDue(Main, at) {
		return false, nil
	}
	n := d.FoundNothing(Main, at)
	c.add(n.What)
	c.Facts = append(c.Facts, n.Facts...)
	if !d.NeverStarted(Main) {
		return false, nil
	}
	e, err := d.SettleNever("task "+o.Run.ID+" is prepared and was never executed", now)
	c.add(e.What)
	c.Facts = append(c.Facts, e.Facts...)
	return true, err
}

// askedAt is when the reading was begun: what happened after that it may not show, however late it is recorded.
func askedAt(o Observation, now time.Time) time.Time {
	if o.Asked.IsZero() {
		return now
	}
	return o.Asked
}

func paused(o Observation) bool {
	return o.Phase == PhaseWaiting && slices.ContainsFunc(o.Gates, func(g Gate) bool { return g.Kind == PausedGate })
}

// restoration is what the drill makes of a reading's restoration: a run that cannot prove it waits for the recovery run, if there is one.
func (d *Drill) restoration(o Observation, now time.Time) Restored {
	state := o.Restoration
	if state == "" {
		state = RestorePending
	}
	if state == RestoreUnproven && d.Recovers && d.run(Main).Injected {
		state = RestorePending
	}
	r := Restored{State: state, Evidence: o.Evidence}
	if state == RestoreDone && len(o.Evidence) == 0 {
		r.Evidence = []string{"the service reports " + o.Vendor}
	}
	if state == RestoreDone || state == RestoreNeedless {
		r.At = now
	}
	return r
}

// end closes the run with its outcome.
func (d *Drill) end(outcome Status, reason string, r Restored, now time.Time) (Change, error) {
	if err := d.to(outcome); err != nil {
		return Change{}, err
	}
	d.Outcome, d.Reason, d.EndedAt, d.EndedRev = outcome, reason, now, d.Rev+1
	d.Restored, d.Gates, d.Owed, d.OwedMore = r, nil, nil, 0
	d.Deadline = now.Add(StopDeadline)
	c := Change{What: string(outcome)}
	if reason != "" {
		c.What += ": " + reason
	}
	if outcome == Failed {
		c.Facts = append(c.Facts, events.Failed{About: d.about(now), Reason: orElse(reason, "the run failed")})
	} else {
		c.Facts = append(c.Facts, events.Completed{About: d.about(now)})
	}
	d.addRestored(&c, now)
	return c, nil
}

// endStopped closes a run that was stopped: the second fact.
func (d *Drill) endStopped(evidence []string, r Restored, now time.Time) (Change, error) {
	if err := d.to(Stopped); err != nil {
		return Change{}, err
	}
	d.Outcome, d.EndedAt, d.EndedRev = Stopped, now, d.Rev+1
	d.Stop.StoppedAt, d.Stop.Evidence = now, evidence
	d.Restored, d.Gates, d.Owed, d.OwedMore = r, nil, nil, 0
	d.Deadline = now.Add(StopDeadline)
	c := Change{What: "stopped at the service", Facts: []events.Payload{events.Stopped{About: d.about(now), RequestedAt: d.Stop.RequestedAt, StoppedAt: now, Evidence: evidence}}}
	d.addRestored(&c, now)
	return c, nil
}

func (d *Drill) addRestored(c *Change, now time.Time) {
	if d.Restored.State != RestoreDone {
		return
	}
	c.add("restored")
	c.Facts = append(c.Facts, events.Restored{About: d.about(now), RestoredAt: d.Restored.At, Evidence: d.Restored.Evidence})
}

// observeEnded takes in readings after the end: the restoration and the vendor's report.
func (d *Drill) observeEnded(before RunState, o Observation, changes []string, now time.Time) (Change, error) {
	c := Change{}
	for _, s := range some(changes) {
		c.add(s)
	}
	if before.Vendor != o.Vendor {
		c.add(fmt.Sprintf("%s is %s", d.Plan.Service, o.Vendor))
	}
	if d.Restored.State.Decided() {
		return c, nil
	}
	decided := false
	if r := d.restoration(o, now); r.State != d.Restored.State {
		d.Restored, decided = r, true
		what := "restoration: " + string(r.State)
		c.add(what)
		if r.State == RestoreDone {
			c.Facts = append(c.Facts, events.Restored{About: d.about(now), RestoredAt: r.At, Evidence: r.Evidence})
			d.Owed, d.OwedMore = nil, 0
			return c, nil
		}
		changes = append(changes, what)
	}
	if d.tell(&c, changes, decided, now) && c.What == "" {
		c.add("told what moved before")
	}
	return c, nil
}

// observeRecovery takes in a reading of the recovery run, which decides the restoration.
func (d *Drill) observeRecovery(before RunState, o Observation, now time.Time) (Change, error) {
	c := Change{}
	if before.Vendor != o.Vendor {
		c.add("recovery run is " + o.Vendor)
	}
	if d.Restored.State.Decided() || !o.Phase.Final() {
		return c, nil
	}
	if o.Restoration == RestoreDone {
		d.Restored = Restored{State: RestoreDone, At: now, Evidence: append(slices.Clone(o.Evidence), "recovery run "+o.Run.ID+" is "+o.Vendor)}
		c.add("restored")
		c.Facts = append(c.Facts, events.Restored{About: d.about(now), RestoredAt: now, Evidence: d.Restored.Evidence})
		return c, nil
	}
	return d.FailRestoration("recovery run "+o.Run.ID+" is "+o.Vendor, orElse(o.Reason, strings.Join(o.Evidence, "; ")), o.ByHand, now), nil
}

// FailRestoration decides that the faults could not be undone by us: a person must act. problem is what the service said, and do its own
// command line that undoes them by hand; both may be "".
func (d *Drill) FailRestoration(why, problem, do string, now time.Time) Change {
	why = clip(why, maxText)
	d.Restored = Restored{State: RestoreFailed, Evidence: []string{why}}
	d.LastError = clip(orElse(problem, why), maxText)
	c := Change{What: "restoration failed: " + why}
	d.escalate(&c, why, do, now)
	return c
}

// And joins what two changes of one entry leave.
func (c Change) And(more Change) Change {
	c.add(more.What)
	c.Facts = append(slices.Clip(c.Facts), more.Facts...)
	return c
}

func (c *Change) add(s string) {
	switch {
	case s == "":
	case c.What == "":
		c.What = s
	default:
		c.What += "; " + s
	}
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}
