package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
)

// shownTargets is how many instances Targets names.
const shownTargets = 5

// Targets says for people what a run of the plan may hit, as far as it is known without asking the service: the plan's bounds, or else the
// instances that the block, with its parameters put in, names. It returns "" when nothing is known.
func Targets(plan drill.Plan, block map[string]any) string {
	switch b := plan.Targets; {
	case b.Max > 0 && b.Min == b.Max:
		return fmt.Sprint(b.Max)
	case b.Max > 0 && b.Min > 0:
		return fmt.Sprintf("%d to %d", b.Min, b.Max)
	case b.Max > 0:
		return fmt.Sprintf("at most %d", b.Max)
	case b.Min > 0:
		return fmt.Sprintf("at least %d", b.Min)
	}
	names := instances(block)
	if len(names) == 0 {
		return ""
	}
	more := ""
	if len(names) > shownTargets {
		names, more = names[:shownTargets], fmt.Sprintf(" and %d more", len(names)-shownTargets)
	}
	for i, name := range names {
		if r := []rune(name); len(r) > maxLine {
			names[i] = string(r[:maxLine]) + "…"
		}
	}
	return strings.Join(names, ", ") + more
}

// instances lists what stands under `instances`, wherever that is in a block, each once.
func instances(v any) []string {
	var found []string
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if list, ok := v[key].([]any); ok && key == "instances" {
				found = append(found, words(list)...)
				continue
			}
			found = append(found, instances(v[key])...)
		}
	case []any:
		for _, one := range v {
			found = append(found, instances(one)...)
		}
	}
	var out []string
	for _, name := range found {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func words(list []any) []string {
	var out []string
	for _, one := range list {
		if name, ok := one.(string); ok {
			out = append(out, name)
		}
	}
	return out
}
