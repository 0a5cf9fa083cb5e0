package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// The three verdicts.
const (
	Expected     = "expected"
	Unexpected   = "unexpected"
	Inconclusive = "inconclusive"
)

// ByRules is the author of a verdict that no person gave.
const ByRules = "rules"

// RecordTimeout is how long a conclusion waits for the service's own record; after that it is concluded and the record stays pending.
const RecordTimeout = 10 * time.Minute

// Judge gives the verdict by the rules: a claim that did not hold, the drill's own alarm or a failed recovery make it
// unexpected; what nobody measured or answered, no target, nothing injected or a person's stop make it inconclusive.
func (d *Drill) Judge(now time.Time) Verdict {
	v := Verdict{Verdict: Expected, By: ByRules, At: now}
	unexpected := func(why string) { v.Verdict = Unexpected; v.Reasons = append(v.Reasons, why) }
	doubt := func(why string) {
		if v.Verdict == Expected {
			v.Verdict = Inconclusive
		}
		v.Reasons = append(v.Reasons, why)
	}
	d.judgeStop(unexpected, doubt)
	if d.Restored.State == RestoreFailed {
		unexpected("recovery failed: " + strings.Join(d.Restored.Evidence, "; "))
	}
	d.judgeRun(doubt)
	for i := range d.Plan.Expect {
		switch held, known, why := d.holds(i); {
		case !known:
			doubt(why)
		case !held:
			unexpected(why)
		default:
			v.Reasons = append(v.Reasons, why)
		}
	}
	if len(d.Plan.Expect) == 0 {
		doubt("the plan claims nothing, so nothing was shown")
	}
	v.Summary = d.summary(v)
	return v
}

func (d *Drill) judgeStop(unexpected, doubt func(string)) {
	if d.Stop == nil {
		return
	}
	why := "stopped by " + d.Stop.By
	if d.Outcome == Completed {
		why = "it ran to its end although a stop was asked by " + d.Stop.By
	}
	if d.Stop.Reason != "" {
		why += ": " + d.Stop.Reason
	}
	switch d.Stop.Kind {
	case StopByAlarm, StopByClaim, StopByRule:
		unexpected(why)
	default:
		doubt(why)
	}
}

func (d *Drill) judgeRun(doubt func(string)) {
	if d.DryRun {
		doubt("dry run: nothing was injected")
		return
	}
	if d.Outcome == Failed {
		doubt("the run failed: " + d.Reason)
	}
	faults, skipped, targets := 0, 0, 0
	for _, s := range d.Steps {
		if s.Kind != FaultStep {
			continue
		}
		faults++
		targets += len(s.Targets)
		if s.State == StepSkipped {
			skipped++
		}
	}
	switch {
	case faults > 0 && skipped == faults:
		doubt("every fault was skipped")
	case faults > 0 && targets == 0:
		doubt("no target was hit")
	case d.Run(Main) == nil || !d.Run(Main).Injected:
		doubt("nothing was injected")
	}
}

func (d *Drill) summary(v Verdict) string {
	s := fmt.Sprintf("%s: %s.", orElse(d.Plan.Title, d.Plan.Name), v.Verdict)
	if len(v.Reasons) > 0 {
		s += " " + strings.Join(v.Reasons, ". ") + "."
	}
	return s
}

// ReadyToConclude reports whether nothing more is to be waited for: the run is over, its restoration decided, and every asked
// claim answered or past its deadline.
func (d *Drill) ReadyToConclude(now time.Time) bool {
	if d.Status == Concluding {
		return d.Verdict != nil || len(d.Unanswered(now)) == 0
	}
	return d.Status.Ended() && !d.Status.Final() && d.Restored.State.Decided()
}

// BeginConclude says that the drill is being concluded; people may still answer.
func (d *Drill) BeginConclude(now time.Time) (Change, error) {
	if err := d.to(Concluding); err != nil {
		return Change{}, err
	}
	d.Deadline, d.AskedAt = now.Add(AskedDeadline), now
	c := Change{What: "concluding"}
	for _, q := range d.Unanswered(now) {
		c.add(fmt.Sprintf("asks %s: does %q hold?", q.Ask, q.Claim))
		c.Facts = append(c.Facts, events.Waiting{About: d.about(now), Gate: q.ID, Kind: "claim", Name: q.Claim, Choices: []string{"yes", "no"}})
	}
	return c, nil
}

// Decide fixes the verdict, once, before it is written into the service's own record. A person's comes first; without one the rules decide.
func (d *Drill) Decide(v Verdict, now time.Time) (Change, error) {
	if d.Verdict != nil {
		return Change{}, fmt.Errorf("%w: the verdict is %s, by %s", ErrAnswered, d.Verdict.Verdict, d.Verdict.By)
	}
	if d.Status != Concluding {
		return Change{}, fmt.Errorf("%w: drill %s is %s", ErrTransition, d.ID, d.Status)
	}
	v.At = now
	d.Verdict = &v
	d.Deadline = now.Add(RecordTimeout)
	return Change{What: "verdict: " + v.Verdict}, nil
}

// Conclude ends the drill. recorded says whether the service's own record holds the verdict or has no place for one.
func (d *Drill) Conclude(recorded bool, report string, now time.Time) (Change, error) {
	if d.Verdict == nil {
		return Change{}, fmt.Errorf("%w: drill %s has no verdict", ErrTransition, d.ID)
	}
	if err := d.to(Concluded); err != nil {
		return Change{}, err
	}
	d.ConcludedAt, d.Recorded = now, recorded
	if !recorded {
		d.Pending = append(d.Pending, Pending{What: "record", Run: d.RunID(), Until: now.Add(24 * time.Hour)})
	}
	if r := d.Run(Main); r != nil && r.Report.State == "pending" {
		d.Pending = append(d.Pending, Pending{What: "report", Run: r.ID, Until: now.Add(24 * time.Hour)})
	}
	v := d.Verdict
	return Change{What: "concluded: " + v.Verdict, Facts: []events.Payload{events.Concluded{
		About: d.about(now), Verdict: v.Verdict, Summary: v.Summary, Report: report, Head: events.Head{Rev: d.Rev, SHA256: d.Head}}}}, nil
}

// Amend appends a later correction; the first verdict stays.
func (d *Drill) Amend(v Verdict, now time.Time) (Change, error) {
	if d.Status != Concluded {
		return Change{}, fmt.Errorf("%w: drill %s is %s, not concluded", ErrTransition, d.ID, d.Status)
	}
	v.At = now
	d.Amendments = append(d.Amendments, v)
	return Change{What: fmt.Sprintf("%s amends: %s", v.By, v.Verdict), Facts: []events.Payload{events.Amended{About: d.about(now), Verdict: v.Verdict, Summary: v.Summary, By: v.By}}}, nil
}

// LastVerdict is the verdict that stands: the newest amendment, or else the first one. It is nil before there is any.
func (d *Drill) LastVerdict() *Verdict {
	if n := len(d.Amendments); n > 0 {
		return &d.Amendments[n-1]
	}
	return d.Verdict
}

// Settle closes one pending item, with what was learnt; the verdict stays untouched.
func (d *Drill) Settle(p Pending, what string, evidence []string, now time.Time) Change {
	i := slices.IndexFunc(d.Pending, func(q Pending) bool { return q.What == p.What && q.Run == p.Run })
	if i < 0 {
		return Change{} // settled by somebody else
	}
	d.Pending = slices.Delete(d.Pending, i, i+1)
	d.Attached = append(d.Attached, Attachment{What: what, Evidence: evidence, At: now})
	return Change{What: "attached: " + what, Facts: []events.Payload{events.Attached{About: d.about(now), What: what, Evidence: evidence}}}
}
