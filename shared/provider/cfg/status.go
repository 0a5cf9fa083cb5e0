package cfg

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// The vendor's status codes, complete as of the SDK's release 1.3.166.
const (
	taskNew, taskRunning, taskPaused, taskEnded                  = 1001, 1002, 1003, 1004
	actionNew, actionWaiting, actionExecuting, actionEnded       = 2001, 2002, 2003, 2004
	instanceNew, instanceExecuting, instanceEnded, instanceReady = 3001, 3002, 3003, 3004
	typeNone, typeSuccess, typeFailed, typeTerminated, typeSkip  = 0, 1, 2, 3, 4
	faultAttribute, recoveryAttribute, autoMode, dealRollback    = 1, 2, 2, 1
)

// endStates are the states of an ended action or instance by its StatusType.
var endStates = map[Num]drill.StepState{
	typeSuccess: drill.StepDone, typeFailed: drill.StepFailed, typeTerminated: drill.StepCancelled, typeSkip: drill.StepSkipped,
}

func endState(kind Num) drill.StepState {
	if s, ok := endStates[kind]; ok {
		return s
	}
	return drill.StepUnknown
}

// at reads a time of the vendor's, which has no zone: Beijing time is assumed.
func at(text Text) time.Time {
	t, err := time.ParseInLocation(time.DateTime, string(text), time.FixedZone("UTC+8", 8*60*60))
	if err != nil {
		return time.Time{}
	}
	return t
}

func (a TaskGroupAction) recovery() bool {
	switch {
	case a.ActionAttribute == recoveryAttribute:
		return true
	case a.ActionAttribute == faultAttribute:
		return false
	case a.TaskGroupActionExecuteId != 0:
		return true
	}
	title := strings.ToLower(string(a.ActionTitle))
	for _, word := range []string{"rollback", "recover", "回滚", "恢复"} {
		if strings.Contains(title, word) {
			return true
		}
	}
	return false
}

// begun tells whether the action ever acted on an instance. When in doubt it has.
func (a TaskGroupAction) begun() bool {
	if slices.ContainsFunc(a.TaskGroupInstances, TaskGroupInstance.begun) {
		return true
	}
	switch a.TaskGroupActionStatus {
	case actionNew, actionWaiting:
		return false
	case actionEnded:
		return a.TaskGroupActionStatusType != typeSkip || a.TaskGroupActionStartTime != ""
	}
	return true
}

// vendor is the action's status in the service's numbers.
func (a TaskGroupAction) vendor() string {
	return fmt.Sprintf("%d/%d", a.TaskGroupActionStatus, a.TaskGroupActionStatusType)
}

func (a TaskGroupAction) ended() bool { return a.TaskGroupActionStatus == actionEnded }

func (a TaskGroupAction) executing() bool { return a.TaskGroupActionStatus == actionExecuting }

func (a TaskGroupAction) good() bool {
	return a.ended() && a.TaskGroupActionStatusType == typeSuccess
}

func (a TaskGroupAction) failed() bool {
	return a.ended() && a.TaskGroupActionStatusType == typeFailed
}

// begun tells whether the action ever acted on the instance. When in doubt it has.
func (i TaskGroupInstance) begun() bool {
	if i.TaskGroupInstanceStartTime != "" {
		return true
	}
	switch i.TaskGroupInstanceStatus {
	case instanceNew, instanceReady:
		return false
	case instanceEnded:
		return i.TaskGroupInstanceStatusType != typeSkip
	}
	return true
}

func (i TaskGroupInstance) ended() bool { return i.TaskGroupInstanceStatus == instanceEnded }

func (i TaskGroupInstance) good() bool {
	return i.ended() && i.TaskGroupInstanceStatusType == typeSuccess
}

// touched lists the instances on which an action that has begun did begin. If none says so all of them did, and if there are
// none, one without an id stands for them; then the action's own status is all that is known.
func (a TaskGroupAction) touched() []TaskGroupInstance {
	out := slices.DeleteFunc(slices.Clone(a.TaskGroupInstances), func(i TaskGroupInstance) bool { return !i.begun() })
	if len(out) > 0 {
		return out
	}
	some := TaskGroupInstance{TaskGroupInstanceStatus: instanceExecuting}
	if a.ended() {
		some = TaskGroupInstance{TaskGroupInstanceStatus: instanceEnded, TaskGroupInstanceStatusType: a.TaskGroupActionStatusType}
	}
	for _, i := range a.TaskGroupInstances {
		some.TaskGroupInstanceObjectId = i.TaskGroupInstanceObjectId
		out = append(out, some)
	}
	if len(out) == 0 {
		out = append(out, some)
	}
	return out
}

// undid tells whether the recovery r has undone a fault on the instance i: it ended well there, and did not begin before the
// fault did.
func (r TaskGroupAction) undid(i TaskGroupInstance) bool {
	found := i.TaskGroupInstanceObjectId == "" && r.good()
	for _, own := range r.TaskGroupInstances {
		if i.TaskGroupInstanceObjectId != "" && own.TaskGroupInstanceObjectId != i.TaskGroupInstanceObjectId {
			continue
		}
		began := at(own.TaskGroupInstanceStartTime)
		if !own.good() || !began.IsZero() && began.Before(at(i.TaskGroupInstanceStartTime)) {
			return false
		}
		found = true
	}
	return found
}

// left lists the instances on which the fault a, which has begun, is in effect, and those on which its end proves nothing. Its
// recovery is r, or nil; a fault that names none is over where it ended well.
func (a TaskGroupAction) left(r *TaskGroupAction) (live, unproven []string) {
	for _, i := range a.touched() {
		switch over := i.ended() && !a.executing(); {
		case over && r == nil && i.good() && a.TaskGroupActionRecoverId == 0, over && r != nil && !r.executing() && r.undid(i):
		case over && r == nil:
			unproven = append(unproven, string(i.TaskGroupInstanceObjectId))
		default:
			live = append(live, string(i.TaskGroupInstanceObjectId))
		}
	}
	return live, unproven
}

// on names the action, and the instances meant unless they are all of those that it touched.
func (a TaskGroupAction) on(instances []string) string {
	if len(instances) == len(a.touched()) {
		return a.name()
	}
	return a.name() + " on " + strings.Join(instances, ", ")
}

// again tells whether the action has failed and the service would try it again.
func (a TaskGroupAction) again() bool { return a.failed() && bool(a.IsExecuteRedo) }

// name is the alias or the title.
func (a TaskGroupAction) name() string {
	var general struct{ AliasTitle Text }
	_ = json.Unmarshal([]byte(a.TaskGroupActionGeneralConfiguration), &general) // no alias then
	for _, s := range []Text{general.AliasTitle, a.ActionTitle} {
		if s != "" {
			return string(s)
		}
	}
	return "action " + a.ActionId.String()
}

// undoneBy returns the recovery of fault n of the group, or nil. The links are in RandomId's space.
func (g TaskGroup) undoneBy(n int) *TaskGroupAction {
	f := g.TaskGroupActions[n]
	for i := range g.TaskGroupActions {
		r := &g.TaskGroupActions[i]
		if i == n || !r.recovery() {
			continue
		}
		if r.TaskGroupActionExecuteId > 0 && r.TaskGroupActionExecuteId == f.TaskGroupActionRandomId ||
			f.TaskGroupActionRecoverId > 0 && f.TaskGroupActionRecoverId == r.TaskGroupActionRandomId {
			return r
		}
	}
	return nil
}

// step is the action in our words. Waiting is ready only where a person must move it.
func (g TaskGroup) step(n int, byHand bool) drill.Step {
	a := g.TaskGroupActions[n]
	s := drill.Step{
		ID: a.TaskGroupActionId.String(), Name: a.name(), Kind: drill.FaultStep, State: a.state(byHand),
		Vendor:    a.vendor(),
		StartedAt: at(a.TaskGroupActionStartTime),
	}
	if a.recovery() {
		s.Kind = drill.RecoveryStep
		for m := range g.TaskGroupActions {
			if r := g.undoneBy(m); r != nil && r.TaskGroupActionId == a.TaskGroupActionId {
				s.Recovers = g.TaskGroupActions[m].TaskGroupActionId.String()
			}
		}
	}
	var notes []string
	for _, i := range a.TaskGroupInstances {
		t := drill.Target{ID: string(i.TaskGroupInstanceObjectId), State: i.state()}
		if t.State == drill.StepFailed {
			t.Message = string(i.TaskGroupInstanceExecuteLog)
			notes = append(notes, t.ID+" failed")
		}
		s.Targets = append(s.Targets, t)
		if from := at(i.TaskGroupInstanceStartTime); !from.IsZero() && (s.StartedAt.IsZero() || from.Before(s.StartedAt) && a.TaskGroupActionStartTime == "") {
			s.StartedAt = from
		}
		if to := at(i.TaskGroupInstanceEndTime); a.ended() && to.After(s.EndedAt) {
			s.EndedAt = to
		}
	}
	if len(a.TaskGroupInstances) == 0 { // before ExecuteTask
		for _, id := range g.TaskGroupInstanceList {
			s.Targets = append(s.Targets, drill.Target{ID: string(id), State: drill.StepPending})
		}
	}
	s.Message = strings.Join(notes, "; ")
	return s
}

func (a TaskGroupAction) state(byHand bool) drill.StepState {
	switch a.TaskGroupActionStatus {
	case actionNew:
		return drill.StepPending
	case actionWaiting:
		if byHand {
			return drill.StepReady
		}
		return drill.StepPending
	case actionExecuting:
		return drill.StepRunning
	case actionEnded:
		return endState(a.TaskGroupActionStatusType)
	}
	return drill.StepUnknown
}

func (i TaskGroupInstance) state() drill.StepState {
	switch i.TaskGroupInstanceStatus {
	case instanceNew, instanceReady:
		return drill.StepPending
	case instanceExecuting:
		return drill.StepRunning
	case instanceEnded:
		return endState(i.TaskGroupInstanceStatusType)
	}
	return drill.StepUnknown
}

// byHand tells whether a waiting action of the group waits for a person: in manual mode always, in automatic mode once
// an action has failed or a person has passed over one, for then the service leaves the advance to people.
func (t Task) byHand(g TaskGroup) bool {
	if t.TaskMode != autoMode {
		return true
	}
	for _, a := range g.TaskGroupActions {
		if a.ended() && a.TaskGroupActionStatusType != typeSuccess {
			return true
		}
	}
	return false
}

// blocks tells whether the failed action n is what its group waits for: nothing after it has moved.
func (g TaskGroup) blocks(n int) bool {
	if !g.TaskGroupActions[n].failed() {
		return false
	}
	for _, a := range g.TaskGroupActions[n+1:] {
		if a.TaskGroupActionStatus != actionNew {
			return false
		}
	}
	return true
}
