package drill

import (
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
)

// Timing of a stop.
const (
	StopLease    = 30 * time.Second // how long one handler's Stop call keeps others from calling too
	StopDeadline = 5 * time.Minute  // passing it escalates, and the stop goes on
)

// AskStop is the first fact of a stop. It is legal in every state before the end; before any intent to start it ends the drill
// at once, because then nothing can run. by leases the first Stop call to the caller; "" leaves it to whoever comes next.
func (d *Drill) AskStop(kind StopKind, who, reason, by string, now time.Time) (Change, error) {
	if d.Status.Ended() {
		return Change{}, fmt.Errorf("%w: drill %s has ended: it is %s", ErrAnswered, d.ID, d.Status)
	}
	if d.Status == Stopping {
		return Change{}, fmt.Errorf("%w: %s asked for the stop at %s", ErrAnswered, d.Stop.By, d.Stop.RequestedAt.Format(time.RFC3339))
	}
	if err := d.to(Stopping); err != nil {
		return Change{}, err
	}
	d.Stop = &StopState{RequestedAt: now, By: who, Kind: kind, Reason: reason}
	if by != "" && d.RunID() != "" { // without a run there is no call to lease
		d.StopLease, d.StopCalls = Lease{By: by, Until: now.Add(StopLease)}, 1
	}
	d.Deadline = now.Add(StopDeadline)
	d.Gates = nil
	c := Change{What: "stop asked by " + who, Facts: []events.Payload{events.Stopping{About: d.about(now), Reason: reason, By: who}}}
	if reason != "" {
		c.What += ": " + reason
	}
	if d.Runs[Main] != nil {
		return c, nil
	}
	why := "no call to the service was ever made"
	e, err := d.SettleNever(why, now)
	c.add(e.What)
	c.Facts = append(c.Facts, e.Facts...)
	return c, err
}

// stopFromOutside notes a stop that the service or its console began.
func (d *Drill) stopFromOutside(o Observation, c *Change, now time.Time) error {
	if err := d.to(Stopping); err != nil {
		return err
	}
	kind := StopByService
	if o.StoppedBy == "condition" {
		kind = StopByRule
	}
	by := "service:" + string(d.Plan.Service)
	d.Stop = &StopState{RequestedAt: now, By: by, Kind: kind, Reason: o.Reason}
	d.Deadline, d.Gates = now.Add(StopDeadline), nil
	c.add("the service is stopping it: " + orElse(o.Reason, o.Vendor))
	c.Facts = append(c.Facts, events.Stopping{About: d.about(now), Reason: o.Reason, By: by})
	return nil
}

// LeaseStop takes the right to make the next call that stops or restores; ok is false while another holds it.
func (d *Drill) LeaseStop(by string, now time.Time) (Change, bool) {
	if d.StopLease.By != by && now.Before(d.StopLease.Until) {
		return Change{}, false
	}
	d.StopLease = Lease{By: by, Until: now.Add(StopLease)}
	d.StopCalls++
	return Change{What: fmt.Sprintf("stop call %d", d.StopCalls)}, true
}

// Escalate says that a deadline passed: a person should look, and the work goes on. do is the vendor's own command line.
func (d *Drill) Escalate(reason, do string, now time.Time) Change {
	c := Change{What: fmt.Sprintf("escalation %d: %s", d.Escalations+1, reason)}
	d.escalate(&c, reason, do, now)
	return c
}

func (d *Drill) escalate(c *Change, reason, do string, now time.Time) {
	d.Escalations++
	d.Deadline = now.Add(StopDeadline)
	about := d.about(now)
	about.Escalation = &events.Escalation{Level: d.Escalations, Reason: reason, LastError: d.LastError, Do: do, Runbook: d.Plan.Runbook}
	if d.Status == Stopping {
		c.Facts = append(c.Facts, events.Stopping{About: about, Reason: d.Stop.Reason, By: d.Stop.By})
		return
	}
	c.Facts = append(c.Facts, events.Progressed{About: about, Changes: []string{reason}})
}

// NoteError keeps the last error of a service for the next escalation.
func (d *Drill) NoteError(problem string) Change {
	d.LastError = clip(problem, maxText)
	return Change{What: d.LastError}
}
