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

// attempts groups task executions by task, in the order in which the tasks were first reached.
func attempts(all []taskExecution) []attempt {
	var out []attempt
	at := map[aliyun.Text]int{}
	parents := map[aliyun.Text]bool{}
	for _, t := range all {
		parents[t.TaskExecutionId] = true
	}
	for _, t := range all {
		if t.ParentTaskExecutionId != "" && parents[t.ParentTaskExecutionId] {
			continue
		}
		if i, seen := at[t.name()]; seen {
			out[i].task, out[i].n = t, out[i].n+1
			continue
		}
		at[t.name()] = len(out)
		out = append(out, attempt{task: t, n: 1})
	}
	for i := range out {
		for _, t := range all {
			if t.ParentTaskExecutionId == out[i].task.TaskExecutionId && t.ParentTaskExecutionId != "" {
				out[i].items = append(out[i].items, t)
			}
		}
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

// steps turns the task executions into steps. In a recovery run every step that would be a fault is a recovery.
func steps(list []attempt, role drill.Role) []driver.Step {
	var out []driver.Step
	fault := ""
	for _, a := range list {
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
		switch s.Kind {
		case drill.FaultStep:
			fault = s.ID
		case drill.RecoveryStep:
			s.Recovers = fault
		}
		out = append(out, s)
	}
	return out
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

// kindOf tells what a task does from its action and the API or command that it calls.
func kindOf(t taskExecution) drill.StepKind {
	action := string(t.TaskAction)
	p := properties(t)
	verb := action[strings.LastIndex(action, ":")+1:]
	if strings.EqualFold(action, "ACS::ExecuteAPI") || strings.EqualFold(action, "ACS::AtomicExecuteAPI") {
		verb = fmt.Sprint(p["API"])
	}
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
	case verb == "RunCommand" && strings.Contains(command(p), "blade destroy"):
		return drill.RecoveryStep
	case has("Describe", "List", "Get", "Query", "Check"):
		return drill.CheckStep
	case has("Start", "Resume", "Recover", "Restore", "Enable", "Unlock"):
		return drill.RecoveryStep
	}
	return drill.FaultStep
}

func properties(t taskExecution) map[string]any {
	var p map[string]any
	if json.Unmarshal([]byte(t.Properties), &p) != nil {
		return nil
	}
	return p
}

func command(p map[string]any) string {
	for _, k := range []string{"commandContent", "CommandContent"} {
		if s, ok := p[k].(string); ok {
			return s
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
	p := properties(a.task)
	inner, _ := p["Parameters"].(map[string]any)
	for _, from := range []map[string]any{p, inner} {
		for _, k := range []string{"InstanceId", "instanceId", "InstanceIds", "instanceIds"} {
			for _, id := range idsIn(from[k]) {
				out = append(out, drill.Target{ID: id, State: stepState(string(a.task.Status))})
			}
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
