package ahas

import (
	"fmt"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// recovery is what a reading says about the undoing of the faults.
type recovery struct {
	state    drill.Restoration
	quiet    bool
	evidence []string
	why      string // of a failure
}

// judge reads the RECOVER activities. The run is quiet when the task has ended and each of them has succeeded on each of
// its hosts: a person's "continue" makes an activity count as a success although it failed on a host, so the hosts are
// asked too. While hosts cannot be read the answer is open, and the next reading decides.
func judge(t taskReply, hosts map[aliyun.Text]hostsOf, injected bool) recovery {
	r := recovery{state: drill.RestorePending}
	if t.State != stateFinished {
		return r
	}
	r.say("task %s is %s", t.TaskID, vendorState(t))
	if len(t.Activities) == 0 {
		r.say("the reply lists no activities")
		return r
	}
	if !injected && t.Result != resultStopFailed {
		r.quiet, r.state = true, drill.RestoreNeedless
		r.say("no ATTACK activity has begun")
		return r
	}
	recovers, open := 0, false
	for _, a := range t.Activities {
		if a.Phase != phaseRecover {
			continue
		}
		recovers++
		switch h := hosts[a.TaskID]; {
		case a.State == stateRunning || a.State == stateStopping:
			open = true
			r.say("RECOVER %s is %s", name(a), vendorStep(a))
		case a.State != stateFinished || a.RunResult != resultSuccess:
			r.fail("RECOVER %s is %s", name(a), vendorStep(a))
		case !h.read:
			open = true
			r.say("RECOVER %s is %s; its hosts could not be read", name(a), vendorStep(a))
		default:
			open = !r.hosts(a, h.hosts) || open
		}
	}
	if t.Result == resultStopFailed {
		r.fail("task %s is %s", t.TaskID, vendorState(t))
	}
	switch {
	case r.state == drill.RestoreFailed || open:
	case recovers == 0:
		r.quiet, r.state = true, drill.RestoreUnproven
		r.say("the experiment has no RECOVER activity: AHAS cannot show that the fault is gone")
	default:
		r.quiet, r.state = true, drill.RestoreDone
	}
	return r
}

// hosts judges a RECOVER activity that succeeded as a whole by its hosts. It is false while one of them has not ended:
// the reading of the hosts is older than that of the task.
func (r *recovery) hosts(a activityItem, hosts []hostItem) bool {
	bad, whole := false, true
	for _, h := range hosts {
		if h.State != stateFinished {
			whole = false
			r.say("RECOVER %s on %s is %s", name(a), h.HostIP, h.State)
			continue
		}
		if h.Result == resultSuccess {
			continue
		}
		bad = true
		why := fmt.Sprintf("%s/%s", h.State, h.Result)
		if msg := blank(h.ErrorMessage); msg != "" {
			why += ": " + cut(msg)
		}
		r.fail("RECOVER %s on %s is %s", name(a), h.HostIP, why)
	}
	if !bad && whole {
		r.say("RECOVER %s is %s on %d hosts", name(a), vendorStep(a), len(hosts))
	}
	return whole
}

func (r *recovery) say(format string, args ...any) {
	r.evidence = append(r.evidence, fmt.Sprintf(format, args...))
}

func (r *recovery) fail(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	r.state = drill.RestoreFailed
	r.evidence = append(r.evidence, line)
	if r.why == "" {
		r.why = line
	}
}

func name(a activityItem) string {
	return fmt.Sprintf("%s (%s)", orElse(blank(a.ActivityName), "activity"), a.TaskID)
}
