package oos

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/drill"
)

// openFault is a fault of a template that nothing has undone yet.
type openFault struct {
	act
	step   string
	ids    []string
	blade  bool     // the task's command created experiments of chaosblade
	blades []string // those of them that are left
}

// mended reads the tasks in the order in which they ran and says what undid each fault; false if one of them is left. What counts is a
// task that undoes this kind of fault on these targets, or a WaitFor or CheckFor that saw them well again. A task that merely
// ran after the fault has shown nothing.
func mended(history []attempt) (evidence []string, all bool) {
	var open []openFault
	for _, a := range history {
		s := stepOf(a, drill.Main)
		done := s.State == drill.StepDone
		f := openFault{act: actOf(a.task), step: s.ID, ids: ids(a, !begun(s))}
		switch {
		case begun(s):
			f.blade, f.blades = len(created(f.command, false)) > 0, created(f.command, done)
			if f.blade && len(f.blades) == 0 {
				evidence = append(evidence, "the command of task "+s.ID+" destroyed what it had created and ended with Success")
				continue
			}
			open = append(open, f)
		case done:
			undone := undoneBy(f, open)
			left := slices.DeleteFunc(slices.Clone(open), undone)
			switch {
			case len(left) == len(open):
			case f.asserts():
				evidence = append(evidence, "task "+s.ID+" of the template saw the targets well again and ended with Success")
			default:
				evidence = append(evidence, "task "+s.ID+" of the template undid the fault and ended with Success")
			}
			open = left
		}
	}
	for _, f := range open {
		evidence = append(evidence, "no task of the template has shown that the fault of task "+f.step+" is gone")
	}
	return evidence, len(open) == 0
}

// undoneBy tells of an open fault whether the task undid it, or saw that it is gone. It strikes the experiments that the task
// destroyed by name.
func undoneBy(by openFault, open []openFault) func(openFault) bool {
	gone, blades := destroyed(by.command), 0
	for i, f := range open {
		if by.covers(f) {
			open[i].blades = slices.DeleteFunc(f.blades, func(x string) bool { return slices.Contains(gone, x) })
		}
		if slices.ContainsFunc(f.ids, func(id string) bool { return slices.Contains(by.ids, id) }) {
			blades += len(open[i].blades)
		}
	}
	one := blades == 1 && slices.Contains(gone, byUID) // an id tells no kind: it is clear only where one experiment is left
	return func(f openFault) bool {
		switch {
		case !by.covers(f):
			return false
		case f.blade:
			return len(f.blades) == 0 || one
		}
		return f.endedBy(by.act) || f.seenWell(by.act)
	}
}

// covers reports whether the task was about each of the fault's targets, as far as both name any.
func (by openFault) covers(f openFault) bool {
	return len(f.ids) > 0 && !slices.ContainsFunc(f.ids, func(id string) bool { return !slices.Contains(by.ids, id) })
}

// act is what a task calls.
type act struct {
	action, service, verb, noun string // ACS::ExecuteAPI, ecs, Stop, Instance
	command                     string
	desired                     []string
}

// endedBy tells whether the other call is of the kind that undoes this one: StartInstance after StopInstance.
func (a act) endedBy(o act) bool {
	if a.verb == "Run" && o.verb == "Run" {
		return len(created(a.command, false)) > 0 && bladeCall().MatchString(o.command)
	}
	if a.asserts() || o.asserts() || a.service != o.service || a.noun != o.noun || a.noun == "" {
		return false
	}
	switch o.verb {
	case "Start":
		return a.verb == "Stop"
	case "Resume":
		return a.verb == "Suspend" || a.verb == "Pause"
	case "Enable":
		return a.verb == "Disable"
	case "Unlock":
		return a.verb == "Lock"
	case "Restore", "Recover":
		return a.verb == "Delete"
	}
	return false
}

// seenWell tells whether the other task asserts that what this one took down is up. The state of an instance says nothing of a
// command that ran on it, save of a load that ends with its command.
func (a act) seenWell(o act) bool {
	if !o.asserts() || a.service != o.service || len(o.desired) == 0 || slices.ContainsFunc(o.desired, func(v string) bool { return !well(v) }) {
		return false
	}
	switch a.verb {
	case "Stop", "Reboot", "Restart", "Suspend", "Pause":
		return a.noun != "" && strings.HasPrefix(o.noun, a.noun)
	case "Run":
		return strings.HasPrefix(o.noun, "Instance") && foreground(a.command)
	}
	return false
}

func (a act) asserts() bool { return a.action == "ACS::WaitFor" || a.action == "ACS::CheckFor" }

func well(v string) bool {
	return slices.ContainsFunc([]string{"Running", "Available", "Active", "Normal", "Healthy", "InService", "OK"}, func(x string) bool { return strings.EqualFold(x, v) })
}

// foreground tells whether the command is a load that lasts as long as the command itself.
func foreground(command string) bool {
	return strings.HasPrefix(strings.TrimSpace(command), "stress") && !strings.ContainsAny(command, "&;|\n")
}

func actOf(t taskExecution) act {
	p := properties(t)
	a := act{action: string(t.TaskAction), command: command(p), desired: idsIn(p["DesiredValues"])}
	api := apiOf(t)
	if parts := strings.Split(a.action, "::"); len(parts) == 3 {
		a.service = strings.ToLower(parts[1])
	} else {
		a.service = strings.ToLower(fmt.Sprint(p["Service"]))
	}
	if a.asserts() {
		api = fmt.Sprint(p["API"])
	}
	end := 1 + strings.IndexFunc(api[min(1, len(api)):], func(r rune) bool { return r >= 'A' && r <= 'Z' })
	if end > 0 {
		a.verb, a.noun = api[:end], strings.TrimSuffix(api[end:], "s")
	}
	return a
}

// ids lists the targets of a task by what its properties name, of a loop those of its items. Of a task that mended, only the items
// that ended well count: a loop may end with Success although some did not.
func ids(a attempt, well bool) []string {
	if len(a.items) == 0 {
		return named(a.task)
	}
	var out []string
	for _, t := range a.items {
		if well && stepState(string(t.Status)) != drill.StepDone {
			continue
		}
		found := named(t)
		if len(found) == 0 && t.LoopItem != "" {
			found = []string{string(t.LoopItem)}
		}
		out = append(out, found...)
	}
	return out
}

// bladeCall finds chaosblade's calls in a command: create and destroy, whole or abbreviated, with what they are about.
var bladeCall = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`blade\s+(create|c|destroy|d)\s+([^;&|\n)]*)`) })

// byUID stands for the experiment of a destroy that names an id.
const byUID = "id"

// created lists the experiments that a command leaves in effect; those that it destroyed again count as gone if it ended well.
func created(command string, endedWell bool) []string {
	var out []string
	for _, m := range bladeCall().FindAllStringSubmatch(command, -1) {
		if strings.HasPrefix(m[1], "c") {
			out = append(out, experimentOf(m[2]))
		}
	}
	if !endedWell {
		return out
	}
	gone := destroyed(command)
	if len(out) == 1 && slices.Contains(gone, byUID) {
		return nil
	}
	return slices.DeleteFunc(out, func(x string) bool { return slices.Contains(gone, x) })
}

// destroyed lists the experiments that a command which ended with Success has surely destroyed: those of its last statement, whose
// success is the command's own. A statement in the background, or one that is handed to another program, shows nothing.
func destroyed(command string) []string {
	last := strings.NewReplacer("2>&1", "", "&>", ">", "&&", "\x00").Replace(strings.TrimRight(command, " \t\r\n;"))
	last = last[strings.LastIndexAny(last, ";\n")+1:]
	if strings.ContainsAny(last, "|&") {
		return nil
	}
	var out []string
	for part := range strings.SplitSeq(last, "\x00") {
		m := bladeCall().FindStringSubmatchIndex(part)
		if m == nil || !strings.HasPrefix(part[m[2]:m[3]], "d") {
			continue
		}
		if before := strings.TrimPrefix(strings.TrimSpace(part[:m[0]]), "sudo "); strings.ContainsAny(before, " \t\"'") {
			continue
		}
		out = append(out, experimentOf(part[m[4]:m[5]]))
	}
	return out
}

// experimentOf names what a call of chaosblade is about: "cpu fullload".
func experimentOf(args string) string {
	var words []string
	for _, w := range strings.Fields(args) {
		if strings.HasPrefix(w, "-") || strings.HasPrefix(w, ">") {
			break
		}
		words = append(words, w)
	}
	if len(words) < 2 || strings.ContainsAny(words[0], "$`") {
		return byUID
	}
	return strings.Join(words, " ")
}
