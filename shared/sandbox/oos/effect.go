package oos

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault is something that an execution did to a resource and that is not undone yet.
type fault struct {
	Kind, Target string
	Execution    string
	Since        time.Time
	Until        time.Time `json:",omitzero"` // ends by itself
}

func (f fault) name() string { return f.Kind + " " + f.Target }

func (f fault) live(now time.Time) bool { return f.Until.IsZero() || now.Before(f.Until) }

var (
	commandTimeout = regexp.MustCompile(`--timeout[ =](\d+)`)
	commandSleep   = regexp.MustCompile(`\bsleep (\d+)`)
)

// inject plays what a task does to its targets when it begins.
func (s *Service) inject(e *execution, t *taskRun, at time.Time) {
	add := func(kind string, until time.Time) {
		for _, id := range t.targets() {
			s.faults = append(s.faults, fault{Kind: kind, Target: id, Execution: e.ID, Since: at, Until: until})
		}
	}
	switch api := t.def.api(); {
	case api == "StopInstance", api == "StopInstances":
		add("stopped", time.Time{})
	case api == "DeleteInstance", api == "DeleteInstances":
		add("released", time.Time{})
	case api == "RebootInstance", api == "RebootInstances":
		add("rebooting", at.Add(t.duration()))
	case api == "RunCommand" && strings.Contains(t.command(), "blade create"):
		until := time.Time{}
		if d, ok := t.timeout(); ok {
			until = at.Add(d)
		}
		add("blade", until)
	case t.foreground():
		add("stress", at.Add(t.duration()))
	}
}

// foreground tells whether the fault is the command itself, which ends with its task.
func (t *taskRun) foreground() bool {
	return t.def.api() == "RunCommand" && strings.Contains(t.command(), "stress-ng ")
}

// timeout reads a command's own --timeout.
func (t *taskRun) timeout() (time.Duration, bool) {
	m := commandTimeout.FindStringSubmatch(t.command())
	if m == nil {
		return 0, false
	}
	n, _ := strconv.Atoi(m[1])
	return time.Duration(n) * time.Second, true
}

// kill ends the foreground commands of an execution: stopping the task stops the command.
func (s *Service) kill(e *execution) {
	s.faults = slices.DeleteFunc(s.faults, func(f fault) bool { return f.Kind == "stress" && f.Execution == e.ID })
}

// undo plays what a task mends when it ends well.
func (s *Service) undo(t *taskRun) {
	kind := ""
	switch api := t.def.api(); {
	case api == "StartInstance", api == "StartInstances":
		kind = "stopped"
	case api == "RunCommand" && strings.Contains(t.command(), "blade destroy"):
		kind = "blade"
	}
	targets := t.targets()
	s.faults = slices.DeleteFunc(s.faults, func(f fault) bool { return f.Kind == kind && slices.Contains(targets, f.Target) })
}

// verdict tells whether a task that has run its time ends well; the message says why not.
func (s *Service) verdict(t *taskRun, at time.Time) (string, bool) {
	switch t.def.api() {
	case "WaitFor", "CheckFor":
		if !slices.Contains(texts(t.Props["DesiredValues"]), "Running") {
			return "", true
		}
		for _, f := range s.faults {
			if f.live(at) && f.Kind != "blade" && slices.Contains(t.targets(), f.Target) {
				return fmt.Sprintf("CheckForError: the property of %s is Stopped, the desired values are [Running].", f.Target), false
			}
		}
	case "RunCommand":
		if strings.Contains(t.command(), "exit 1") {
			return "RunCommandError: the command ended with exit code 1.", false
		}
	}
	return "", true
}

// live lists the faults of an execution that are in effect.
func (s *Service) live(id string, now time.Time) []string {
	var out []string
	for _, f := range s.faults {
		if f.Execution == id && f.live(now) && !slices.Contains(out, f.name()) {
			out = append(out, f.name())
		}
	}
	return out
}

// targets lists the instances that the task names.
func (t *taskRun) targets() []string {
	params, _ := t.Props["Parameters"].(map[string]any)
	var out []string
	for _, from := range []map[string]any{t.Props, params} {
		for _, k := range []string{"InstanceId", "instanceId", "InstanceIds", "instanceIds"} {
			if v, ok := from[k]; ok {
				out = append(out, texts(v)...)
			}
		}
	}
	return out
}

func (t *taskRun) command() string {
	v, ok := t.Props["commandContent"]
	if !ok {
		v = t.Props["CommandContent"]
	}
	return fmt.Sprint(v)
}

// duration is how long the task runs on the sandbox's clock.
func (t *taskRun) duration() time.Duration {
	switch t.def.api() {
	case "Sleep":
		if d, ok := isoDuration(fmt.Sprint(t.Props["Duration"])); ok {
			return d
		}
		return time.Minute
	case "RebootInstance", "RebootInstances":
		return 20 * time.Second
	case "StopInstance", "StopInstances", "StartInstance", "StartInstances", "Template":
		return 5 * time.Second
	case "WaitFor":
		return 3 * time.Second
	}
	if d, ok := t.timeout(); ok && t.foreground() {
		return d
	}
	if m := commandSleep.FindStringSubmatch(t.command()); m != nil && t.def.api() == "RunCommand" {
		n, _ := strconv.Atoi(m[1])
		return 2*time.Second + time.Duration(n)*time.Second
	}
	return 2 * time.Second
}

var isoPattern = regexp.MustCompile(`^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$`)

// isoDuration reads the Duration of ACS::Sleep, which must be between a minute and four hours.
func isoDuration(s string) (time.Duration, bool) {
	m := isoPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1])
		d += time.Duration(n) * unit
	}
	return d, d >= time.Minute && d <= 4*time.Hour
}

// texts reads a value that is a string, a list, or a string that holds a JSON list.
func texts(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, fmt.Sprint(x))
		}
		return out
	case string:
		var list []string
		if json.Unmarshal([]byte(v), &list) == nil {
			return list
		}
	}
	return []string{fmt.Sprint(v)}
}

var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z0-9_:.]+)\s*\}\}`)

// fill puts parameters and the loop's item into a value of a template.
func fill(v any, params map[string]any, item string) any {
	switch v := v.(type) {
	case string:
		return placeholder.ReplaceAllStringFunc(v, func(m string) string {
			name := placeholder.FindStringSubmatch(m)[1]
			if name == "ACS::TaskLoopItem" {
				return item
			}
			if p, ok := params[name]; ok {
				return fmt.Sprint(p)
			}
			return m
		})
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fill(v[i], params, item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = fill(v[k], params, item)
		}
		return out
	}
	return v
}
