package ahas

import (
	"fmt"
	"slices"

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

// judge reads the ATTACK and RECOVER activities. The run is restored when the task has ended, each RECOVER has succeeded on each of
// its hosts, and each ATTACK that has begun has a RECOVER of its own behind it that covers its hosts. A person's "continue" makes an
// activity count as a success although it failed on a host, so the hosts are asked. While hosts are not known the answer is open, and
// the next reading decides.
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
	open := false
	for _, a := range t.Activities {
		if a.Phase == phaseRecover && !r.recovered(a, hosts[a.TaskID]) {
			open = true
		}
	}
	if t.Result == resultStopFailed {
		r.fail("task %s is %s", t.TaskID, vendorState(t))
	}
	if r.state == drill.RestoreFailed || open {
		return r
	}
	left, unread := pair(t.Activities, hosts)
	for _, a := range unread {
		r.say("%s %s has begun; its hosts could not be read", a.Phase, name(a))
	}
	if len(unread) > 0 {
		return r
	}
	r.quiet, r.state = true, drill.RestoreDone
	for _, a := range left {
		r.state = drill.RestoreUnproven
		r.say("no RECOVER of its own covers the hosts of %s %s: AHAS cannot show that the fault is gone", a.Phase, name(a))
	}
	return r
}

// recovered judges one RECOVER activity; false means that a later reading decides.
func (r *recovery) recovered(a activityItem, h hostsOf) bool {
	switch {
	case a.State == stateRunning || a.State == stateStopping:
		r.say("RECOVER %s is %s", name(a), vendorStep(a))
		return false
	case a.State != stateFinished || a.RunResult != resultSuccess:
		r.fail("RECOVER %s is %s", name(a), vendorStep(a))
		return true
	case !h.read || len(h.hosts) == 0:
		r.say("RECOVER %s is %s; its hosts could not be read", name(a), vendorStep(a))
		return false
	}
	return r.hosts(a, h.hosts)
}

// pair gives each attack a recovery. The service does not say which activities are one flow's: they come flow after flow or phase after
// phase, so a RECOVER belongs to an attack before it, the one on the same hosts or else the first whose hosts it covers, and undoes
// none but that one. left are the attacks that have begun and have none; unread those whose hosts are not known.
func pair(list []activityItem, hosts map[aliyun.Text]hostsOf) (left, unread []activityItem) {
	for _, a := range list {
		switch h := hosts[a.TaskID]; {
		case a.injects() && a.begun() && (!h.read || len(h.hosts) == 0):
			unread = append(unread, a)
		case a.injects() && a.begun():
			left = append(left, a)
		case a.Phase == phaseRecover:
			by := addresses(h.hosts, false)
			fits := func(exactly bool) int {
				return slices.IndexFunc(left, func(x activityItem) bool {
					want := addresses(hosts[x.TaskID].hosts, true)
					return covers(by, want) && (!exactly || slices.Equal(by, want))
				})
			}
			at := fits(true)
			if at < 0 {
				at = fits(false)
			}
			if at >= 0 {
				left = slices.Delete(left, at, at+1)
			}
		}
	}
	return slices.DeleteFunc(left, func(x activityItem) bool { return len(addresses(hosts[x.TaskID].hosts, true)) == 0 }), unread
}

// addresses lists hosts, sorted, each once; of an attack those that it has reached for.
func addresses(hosts []hostItem, attacked bool) []string {
	var out []string
	for _, h := range hosts {
		if attacked && (h.State == stateReady && h.StartTime <= 0 || h.Result == resultRejected) {
			continue
		}
		out = append(out, orElse(blank(h.HostIP), blank(h.ExpID)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// covers reports whether each of the wanted hosts is among those that were recovered; a host that is not named cannot be told.
func covers(by, want []string) bool {
	return !slices.ContainsFunc(want, func(ip string) bool { return ip == "" || !slices.Contains(by, ip) })
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
