package drill

import "time"

// Act is what a drill needs next. Each function performs only the acts that it has rights to.
type Act string

// The acts, with the functions that perform them.
const (
	ActStart    Act = "start"    // start: guards, preview, approval, intent, call
	ActExpire   Act = "expire"   // start: the request, preview or approval is out of time
	ActLookup   Act = "lookup"   // start, poll: look for the run of an intent whose lease is over
	ActObserve  Act = "observe"  // poll, abort: read the run
	ActStop     Act = "stop"     // abort, poll: the next move towards stopped
	ActOverdue  Act = "overdue"  // poll: max_duration is over, ask for a stop
	ActRestore  Act = "restore"  // poll: the run is over, its faults are not undone
	ActRecover  Act = "recover"  // poll: start or look up the recovery run
	ActAdvance  Act = "advance"  // advance: carry out a recorded answer
	ActConclude Act = "conclude" // conclude
	ActEscalate Act = "escalate" // poll: a deadline passed
	ActAttend   Act = "attend"   // poll, conclude: something is pending after the end
)

// Next says what a drill needs now, from its state alone. A handler reads the state, does its part, records, and asks again.
func Next(d *Drill, now time.Time) []Act {
	var acts []Act
	late := !d.Deadline.IsZero() && now.After(d.Deadline)
	switch d.Status {
	case Requested, Previewing:
		if late {
			return []Act{ActExpire}
		}
		return []Act{ActStart}
	case Waiting:
		if d.AwaitsApproval() {
			return approvalActs(d, late)
		}
		acts = liveActs(d, late, now)
	case Running:
		acts = liveActs(d, late, now)
	case Starting:
		if d.LookupDue(Main, now) || d.Runs[Main] == nil {
			acts = append(acts, ActLookup)
		}
		if late {
			acts = append(acts, ActEscalate)
		}
	case Stopping:
		acts = stoppingActs(d, late, now)
	case Stopped, Completed, Failed:
		acts = endedActs(d, late, now)
	case Concluding:
		if d.ReadyToConclude(now) {
			acts = append(acts, ActConclude)
		}
	}
	if len(d.Pending) > 0 {
		acts = append(acts, ActAttend)
	}
	return acts
}

func approvalActs(d *Drill, late bool) []Act {
	switch {
	case late:
		return []Act{ActExpire}
	case d.Approvals.Approved:
		return []Act{ActStart}
	}
	return nil
}

func liveActs(d *Drill, late bool, now time.Time) []Act {
	acts := []Act{ActObserve}
	if _, open := d.OpenAnswer("", now); open {
		acts = append(acts, ActAdvance)
	}
	if late {
		acts = append(acts, ActOverdue)
	}
	return acts
}

func stoppingActs(d *Drill, late bool, now time.Time) []Act {
	var acts []Act
	r := d.Runs[Main]
	switch {
	case r != nil && r.ID != "":
		acts = append(acts, ActStop, ActObserve)
	case r != nil && r.Prepared != "" && !now.Before(r.Intent.Until):
		acts = append(acts, ActObserve) // executed after all, it is adopted, and then stopped
	case d.LookupDue(Main, now):
		acts = append(acts, ActLookup)
	}
	if late {
		acts = append(acts, ActEscalate)
	}
	return acts
}

func endedActs(d *Drill, late bool, now time.Time) []Act {
	if d.Restored.State.Decided() {
		return []Act{ActConclude}
	}
	var acts []Act
	switch {
	case d.Restored.State == RestorePending && d.Recovers && d.Runs[Main].Restoration == RestoreUnproven:
		acts = append(acts, ActRecover)
	default:
		acts = append(acts, ActRestore, ActObserve)
	}
	if late {
		acts = append(acts, ActEscalate)
	}
	return acts
}
