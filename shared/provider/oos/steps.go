package oos

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// attempt is the latest execution of a task, with those of its loop's items.
type attempt struct {
	task  taskExecution
	items []taskExecution
	n     int // which attempt, from 1
}

// runs lists every execution of a task with those of its loop's items, in the order in which they ran.
func runs(all []taskExecution) []attempt {
	var out []attempt
	at := map[aliyun.Text]int{}
	for _, t := range all {
		at[t.TaskExecutionId] = -1
	}
	n := map[aliyun.Text]int{}
	for _, t := range all {
		if _, item := at[t.ParentTaskExecutionId]; item && t.ParentTaskExecutionId != "" {
			continue
		}
		n[t.name()]++
		at[t.TaskExecutionId] = len(out)
		out = append(out, attempt{task: t, n: n[t.name()]})
	}
	for _, t := range all {
		if i, known := at[t.ParentTaskExecutionId]; known && i >= 0 && t.ParentTaskExecutionId != "" {
			out[i].items = append(out[i].items, t)
		}
	}
	return out
}

// attempts keeps the latest run of each task, in the order in which the tasks were first reached.
func attempts(history []attempt) []attempt {
	var out []attempt
	at := map[aliyun.Text]int{}
	for _, a := range history {
		if i, seen := at[a.task.name()]; seen {
			out[i] = a
			continue
		}
		at[a.task.name()] = len(out)
		out = append(out, a)
	}
	return out
}

// name identifies a task within its template; names are unique there.
func (t taskExecution) name() aliyun.Text {
	if t.TaskName != "" {
		return t.TaskName
	}
	return t.TaskExecutionId
}

// steps turns the task executions into steps.
func steps(list []attempt, role drill.Role) []driver.Step {
	var out []driver.Step
	for i, a := range list {
		s := stepOf(a, role)
		for j := range i {
			if s.Kind == drill.RecoveryStep && out[j].Kind == drill.FaultStep && actOf(list[j].task).endedBy(actOf(a.task)) {
				s.Recovers = out[j].ID
			}
		}
		out = append(out, s)
	}
	return out
}

// stepOf turns a task execution into a step. In a recovery run a step that would be a fault is a recovery.
func stepOf(a attempt, role drill.Role) driver.Step {
	t := a.task
	s := driver.Step{
		ID: string(t.name()), Name: string(t.name()), Kind: kindOf(t), State: stepState(string(t.Status)), Vendor: string(t.Status), Attempt: a.n,
		StartedAt: aliyun.Time(string(t.StartDate)), EndedAt: aliyun.Time(string(t.EndDate)), Message: cut(string(t.StatusMessage), 300), Targets: targets(a),
	}
	if s.Vendor == "" {
		s.Vendor = "none"
	}
	if role == drill.Recovery && s.Kind == drill.FaultStep {
		s.Kind = drill.RecoveryStep
	}
	return s
}

func stepState(status string) drill.StepState {
	switch status {
	case "Started", "Queued", "Pending":
		return drill.StepPending
	case "Running":
		return drill.StepRunning
	case "Waiting":
		return drill.StepReady
	case "Success":
		return drill.StepDone
	case "Failed":
		return drill.StepFailed
	case "Cancelled":
		return drill.StepCancelled
	case "Skipped":
		return drill.StepSkipped
	}
	return drill.StepUnknown
}

// apiOf is what a task calls: StopInstance.
func apiOf(t taskExecution) string {
	action := string(t.TaskAction)
	if strings.EqualFold(action, "ACS::ExecuteAPI") || strings.EqualFold(action, "ACS::AtomicExecuteAPI") {
		return fmt.Sprint(properties(t)["API"])
	}
	return action[strings.LastIndex(action, ":")+1:]
}

// kindOf tells what a task does from its action and the API or command that it calls. A command that creates an experiment of
// chaosblade is a fault, whatever else it does; an execution that it starts may hold any.
func kindOf(t taskExecution) drill.StepKind {
	action, verb := string(t.TaskAction), apiOf(t)
	has := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(x string) bool { return strings.HasPrefix(verb, x) })
	}
	switch {
	case action == "ACS::Approve", action == "ACS::Pause", strings.HasPrefix(action, "ACS::Approve::"):
		return drill.ApprovalStep
	case action == "ACS::Sleep", strings.HasSuffix(action, "Trigger"):
		return drill.WaitStep
	case slices.Contains([]string{"ACS::WaitFor", "ACS::CheckFor", "ACS::Choice", "ACS::SelectTargets", "ACS::Notify"}, action):
		return drill.CheckStep
	case verb == "RunCommand":
		return commandKind(command(properties(t)))
	case verb == "StartExecution":
		return drill.FaultStep
	case has("Describe", "List", "Get", "Query", "Check"):
		return drill.CheckStep
	case has("Start", "Resume", "Recover", "Restore", "Enable", "Unlock"):
		return drill.RecoveryStep
	}
	return drill.FaultStep
}

func commandKind(text string) drill.StepKind {
	calls := bladeCall().FindAllStringSubmatch(text, -1)
	if len(calls) == 0 || slices.ContainsFunc(calls, func(m []string) bool { return strings.HasPrefix(m[1], "c") }) {
		return drill.FaultStep
	}
	return drill.RecoveryStep
}

func properties(t taskExecution) map[string]any {
	var p map[string]any
	if json.Unmarshal([]byte(t.Properties), &p) != nil {
		return nil
	}
	return p
}

func command(p map[string]any) string {
	inner, _ := p["Parameters"].(map[string]any)
	for _, from := range []map[string]any{p, inner} {
		for _, k := range []string{"commandContent", "CommandContent"} {
			if s, ok := from[k].(string); ok {
				return s
			}
		}
	}
	return ""
}

// targets lists the items of a task's loop, or else the instances that its properties name.
func targets(a attempt) []drill.Target {
	var out []drill.Target
	for _, t := range a.items {
		id := string(t.LoopItem)
		if id == "" {
			id = string(t.TaskExecutionId)
		}
		out = append(out, drill.Target{ID: id, State: stepState(string(t.Status)), Message: cut(string(t.StatusMessage), 200)})
	}
	if len(out) > 0 {
		return out
	}
	for _, id := range named(a.task) {
		out = append(out, drill.Target{ID: id, State: stepState(string(a.task.Status))})
	}
	return out
}

// named lists the instances that the properties of a task name.
func named(t taskExecution) []string {
	p := properties(t)
	inner, _ := p["Parameters"].(map[string]any)
	var out []string
	for _, from := range []map[string]any{p, inner} {
		for _, k := range []string{"InstanceId", "instanceId", "InstanceIds", "instanceIds"} {
			out = append(out, idsIn(from[k])...)
		}
	}
	return out
}

// idsIn reads a value that is an id, a list of ids, or a text that holds such a list. What is still a placeholder is left out.
func idsIn(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		var list []any
		if json.Unmarshal([]byte(v), &list) == nil {
			return idsIn(list)
		}
		if v != "" && !strings.Contains(v, "{{") {
			out = append(out, v)
		}
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, idsIn(s)...)
			}
		}
	}
	return out
}
