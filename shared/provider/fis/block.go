package fis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	maxRun      = 12 * time.Hour // FIS ends an experiment after 12 hours
	maxID       = 64             // characters of a template's id
	maxTags     = 50             // on an experiment
	ownTags     = 12             // kept free for ours, those of a conclusion among them
	maxTagKey   = 128
	maxTagValue = 256
)

// block is a plan's block, read.
type block struct {
	template string
	mode     types.ActionsMode
	tags     map[string]string
}

// mistakes collects what is wrong with a block.
type mistakes []error

func (m *mistakes) add(field, format string, args ...any) {
	*m = append(*m, fmt.Errorf("fis.%s: %s", field, fmt.Sprintf(format, args...)))
}

// Check validates the plan's block, and that the run is bounded in time. It returns every mistake joined.
func (d *Driver) Check(r driver.Request) error {
	var m mistakes
	readBlock(r.Block, &m)
	switch {
	case r.Timeout <= 0:
		m = append(m, errors.New("max_duration: the plan is not bounded: set it to 12h or less"))
	case r.Timeout > maxRun:
		m = append(m, fmt.Errorf("max_duration: %s is longer than FIS lets an experiment run: set it to 12h or less", r.Timeout))
	}
	return m.join()
}

func (m mistakes) join() error {
	if len(m) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", driver.ErrInvalid, errors.Join(m...))
}

// readBlock reads every field and notes every mistake.
func readBlock(in map[string]any, m *mistakes) block {
	out := block{mode: types.ActionsModeRunAll}
	for _, field := range slices.Sorted(maps.Keys(in)) {
		switch v := in[field]; field {
		case "template":
			out.template, _ = v.(string)
		case "targets":
			readBounds(v, m)
		case "actionsMode":
			out.mode = readMode(field, v, m)
		case "experimentOptions":
			out.mode = readOptions(v, in, m)
		case "tags":
			out.tags = readTags(v, m)
		default:
			m.add(field, "%s", advice(field))
		}
	}
	switch t := out.template; {
	case t == "":
		m.add("template", "required: the id of an experiment template, such as EXTa1b2c3d4e5f6g7")
	case len(t) > maxID || strings.ContainsAny(t, " \t\r\n/"):
		m.add("template", "%q is not the id of an experiment template: it has at most %d characters, no space and no slash", t, maxID)
	}
	return out
}

// advice says what to do about a field that StartExperiment does not take.
func advice(field string) string {
	switch field {
	case "experimentTemplateId":
		return "write template instead"
	case "clientToken":
		return "remove it: the token is derived from the drill"
	case "parameters", "actions", "stopConditions", "roleArn", "logConfiguration", "experimentReportConfiguration", "description":
		return "remove it: FIS takes this from the experiment template alone, so change the template or make another"
	case "emptyTargetResolutionMode", "accountTargeting":
		return "remove it: it is an option of the experiment template, not of a run"
	}
	return "unknown field: use template, targets, actionsMode, experimentOptions or tags"
}

func readMode(field string, v any, m *mistakes) types.ActionsMode {
	s, _ := v.(string)
	mode := types.ActionsMode(s)
	if !slices.Contains(mode.Values(), mode) {
		m.add(field, "%v is not a mode: use run-all or skip-all", v)
		return types.ActionsModeRunAll
	}
	return mode
}

func readOptions(v any, in map[string]any, m *mistakes) types.ActionsMode {
	const field = "experimentOptions"
	options, ok := v.(map[string]any)
	if !ok {
		m.add(field, "must be a map such as { actionsMode: skip-all }")
		return types.ActionsModeRunAll
	}
	if _, twice := in["actionsMode"]; twice {
		m.add(field, "remove it: actionsMode is given beside it")
	}
	mode := types.ActionsModeRunAll
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if name == "actionsMode" {
			mode = readMode(field+"."+name, options[name], m)
			continue
		}
		m.add(field+"."+name, "%s", advice(name))
	}
	return mode
}

func readBounds(v any, m *mistakes) {
	bounds, ok := v.(map[string]any)
	if !ok {
		m.add("targets", "must be a map such as { min: 1, max: 12 }")
		return
	}
	limit := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(bounds)) {
		n, whole := wholeNumber(bounds[name])
		switch {
		case name != "min" && name != "max":
			m.add("targets."+name, "unknown field: use min and max")
		case !whole || n < 0:
			m.add("targets."+name, "%v is not a whole number of 0 or more", bounds[name])
		default:
			limit[name] = n
		}
	}
	if top, given := limit["max"]; given && top < limit["min"] {
		m.add("targets", "max %d is less than min %d", top, limit["min"])
	}
}

// wholeNumber reads the kinds of number that YAML and JSON give.
func wholeNumber(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	case uint64:
		return int(n), n <= 1<<31
	case float64:
		return int(n), n == float64(int(n))
	}
	return 0, false
}

func readTags(v any, m *mistakes) map[string]string {
	given, ok := v.(map[string]any)
	if !ok {
		m.add("tags", "must be a map of names to texts")
		return nil
	}
	if len(given) > maxTags-ownTags {
		m.add("tags", "%d are too many: %d at most, the rest is kept for our own", len(given), maxTags-ownTags)
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(given)) {
		s, isText := given[k].(string)
		low := strings.ToLower(k)
		switch {
		case !isText:
			m.add("tags."+k, "must be a text: put it in quotes")
		case strings.HasPrefix(low, "aws:"), strings.HasPrefix(low, tagPrefix):
			m.add("tags."+k, "names that begin with aws: or %s are reserved", tagPrefix)
		case k != tagText(k, maxTagKey) || s != tagText(s, maxTagValue):
			m.add("tags."+k, "a name has at most %d and a value %d characters: letters, numbers, spaces and _ . : / = + - @", maxTagKey, maxTagValue)
		default:
			out[k] = s
		}
	}
	return out
}
