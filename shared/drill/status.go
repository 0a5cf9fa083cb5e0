package drill

import (
	"errors"
	"fmt"
)

// Status is where a drill stands.
type Status string

// The states of a drill. Refused and Concluded are final.
const (
	Requested  Status = "requested"
	Previewing Status = "previewing"
	Waiting    Status = "waiting"
	Starting   Status = "starting"
	Running    Status = "running"
	Stopping   Status = "stopping"
	Stopped    Status = "stopped"
	Completed  Status = "completed"
	Failed     Status = "failed"
	Concluding Status = "concluding"
	Concluded  Status = "concluded"
	Refused    Status = "refused"
)

// ErrTransition marks a change that the state machine does not allow.
var ErrTransition = errors.New("illegal transition")

// legal is the state machine: what may follow what.
var legal = map[Status][]Status{
	Requested:  {Previewing, Waiting, Starting, Stopping, Refused, Completed},
	Previewing: {Waiting, Starting, Stopping, Refused, Completed},
	Waiting:    {Starting, Running, Stopping, Refused, Stopped, Completed, Failed},
	Starting:   {Running, Waiting, Stopping, Refused, Stopped, Completed, Failed},
	Running:    {Waiting, Stopping, Stopped, Completed, Failed},
	Stopping:   {Stopped, Completed, Failed},
	Stopped:    {Concluding, Concluded},
	Completed:  {Concluding, Concluded},
	Failed:     {Concluding, Concluded},
	Concluding: {Concluded},
}

// Legal reports whether a drill may go from one status to the other.
func Legal(from, to Status) bool {
	for _, s := range legal[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Final reports whether nothing follows the status.
func (s Status) Final() bool { return s == Refused || s == Concluded }

// Ended reports whether the service's run is over: what remains is to restore and to conclude.
func (s Status) Ended() bool {
	switch s {
	case Stopped, Completed, Failed, Concluding, Concluded, Refused:
		return true
	}
	return false
}

// Live reports whether a run exists or may exist at the service.
func (s Status) Live() bool {
	switch s {
	case Starting, Running, Stopping:
		return true
	}
	return false
}

// to moves the drill on, or says which two states do not fit.
func (d *Drill) to(s Status) error {
	if !Legal(d.Status, s) {
		return fmt.Errorf("%w: drill %s is %s and cannot become %s", ErrTransition, d.ID, d.Status, s)
	}
	d.Status = s
	return nil
}
