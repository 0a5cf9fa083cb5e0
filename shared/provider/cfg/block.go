package cfg

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// What a block asks to do on a stop.
const (
	onStopRollback = "rollback"
	onStopPause    = "pause"
)

// override changes one action of a template's group, by its order.
type override struct {
	order           int64
	general, custom map[string]any
}

// groupBlock is one entry of groups.
type groupBlock struct {
	instances []string
	actions   []override
	extra     map[string]any
}

// actionBlock is one action of the library.
type actionBlock struct {
	id              int64
	general, custom map[string]any
}

// block is a plan's cfg block, read.
type block struct {
	template           int64
	actions            []actionBlock
	single             bool // `action`: CreateTaskFromAction, which takes tags
	mode, deal         int64
	onStop             string
	groups             []groupBlock
	instances          []string
	title, description string
	pauseAfter         int64
	objectType         int64
	tags               []Tag
	least, most        int64 // targets: how many resources the run may have; 0 for no bound
	extra              map[string]any
}

// reader reads a block and collects every mistake with its field and its fix.
type reader struct{ mistakes []error }

func (r *reader) wrong(field, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

// parseBlock reads a plan's cfg block. Keys that begin with a capital are the vendor's own and are passed on as they are.
func parseBlock(m map[string]any) (block, error) {
	r := &reader{}
	b := block{extra: map[string]any{}}
	for _, key := range sortedKeys(m) {
		r.field(&b, key, m[key])
	}
	r.shape(&b, m)
	r.within(b)
	if len(r.mistakes) > 0 {
		return b, fmt.Errorf("%w: %w", driver.ErrInvalid, errors.Join(r.mistakes...))
	}
	return b, nil
}

func (r *reader) field(b *block, key string, v any) {
	switch key {
	case "template":
		b.template = r.id(key, v)
	case "action":
		b.single = true
		b.actions = []actionBlock{{id: r.id(key, v)}}
	case "actions":
		b.actions = r.actions(key, v)
	case "general", "custom": // read with action, in shape
	case "mode":
		b.mode = r.choice(key, v, map[string]int64{"manual": 1, "auto": 2})
	case "on_stop":
		b.deal = r.choice(key, v, map[string]int64{onStopRollback: 1, onStopPause: 2})
		b.onStop, _ = v.(string)
	case "groups":
		b.groups = r.groups(key, v)
	case "instances":
		b.instances = r.instances(key, v)
	case "title":
		b.title = r.text(key, v)
	case "description":
		b.description = r.text(key, v)
	case "pause_after":
		if b.pauseAfter = r.id(key, v); b.pauseAfter > 0 && b.pauseAfter > 7*24*60 {
			r.wrong(key, "%d minutes are more than a week: give the minutes after which the service pauses the task", b.pauseAfter)
		}
	case "object_type":
		b.objectType = r.id(key, v)
	case "targets":
		b.least, b.most = r.bounds(key, v)
	case "tags":
		b.tags = r.tags(key, v)
	default:
		if vendorField(key) {
			r.near(key, key, "template", "action", "actions", "general", "custom", "mode", "on_stop", "groups", "instances", "title", "description",
				"pause_after", "object_type", "tags", "targets")
			b.extra[key] = v
			return
		}
		r.wrong(key, "not a field of a cfg block: use template, action or actions, mode, on_stop, groups, instances, title, description, pause_after, object_type, tags, targets, or a vendor field with a capital letter")
	}
}

// shape checks how the fields go together.
func (r *reader) shape(b *block, m map[string]any) {
	kinds := 0
	for _, k := range []string{"template", "action", "actions"} {
		if _, ok := m[k]; ok {
			kinds++
		}
	}
	if kinds != 1 {
		r.wrong("template", "a cfg block has exactly one of template, action and actions; this one has %d", kinds)
	}
	_, fromTemplate := m["template"]
	if fromTemplate {
		r.templateShape(b, m)
		return
	}
	for _, k := range []string{"mode", "on_stop", "groups"} {
		if _, ok := m[k]; ok && kinds == 1 && !(k == "on_stop" && b.onStop == onStopPause) {
			r.wrong(k, "only tasks made from a template have it (the API takes it nowhere else): remove it or use template")
		}
	}
	if _, ok := m["tags"]; ok && !b.single && kinds == 1 {
		r.wrong("tags", "CreateTaskFromMultiAction takes no tags: remove them")
	}
	if _, ok := m["instances"]; !ok {
		r.wrong("instances", "list the resources to act on, e.g. [ ins-a, ins-b ]")
	}
	if b.single && kinds == 1 {
		b.actions[0].general, b.actions[0].custom = r.object("general", m["general"]), r.object("custom", m["custom"])
	}
}

// within checks the number of resources against targets: a plan names every one of them, so there is nothing to resolve.
func (r *reader) within(b block) {
	n := int64(len(b.instances))
	if b.template != 0 {
		n = 0
		for _, g := range b.groups {
			n += int64(len(g.instances))
		}
	}
	if b.least > 0 && n < b.least || b.most > 0 && n > b.most {
		r.wrong("targets", "the plan names %d resources, targets allows %d to %d: change one of them", n, b.least, b.most)
	}
}

func (r *reader) templateShape(b *block, m map[string]any) {
	_, groups := m["groups"]
	_, instances := m["instances"]
	switch {
	case groups == instances:
		r.wrong("groups", "list the instances of each action group of the template, or instances for a template with one group")
	case instances:
		b.groups = []groupBlock{{instances: b.instances}}
	}
	for _, k := range []string{"general", "custom"} {
		if _, ok := m[k]; ok {
			r.wrong(k, "put it under groups[].actions.<order>, e.g. groups: [ { instances: [ ins-a ], actions: { 1: { %s: { … } } } } ]", k)
		}
	}
}

// near refuses a vendor's field that is one of ours in another spelling: it would be passed on, and change nothing.
func (r *reader) near(field, key string, ours ...string) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	for _, own := range ours {
		if plain(key) == plain(own) {
			r.wrong(field, "did you mean %s?", own)
		}
	}
}

func vendorField(key string) bool { return key != "" && key[0] >= 'A' && key[0] <= 'Z' }

func (r *reader) instances(field string, v any) []string {
	list, ok := v.([]any)
	if strs, yes := v.([]string); yes {
		for _, s := range strs {
			list = append(list, s)
		}
		ok = true
	}
	if !ok || len(list) == 0 {
		r.wrong(field, "must be a list of resource ids, e.g. [ ins-a, ins-b ]")
		return nil
	}
	var out []string
	for i, e := range list {
		s, ok := instanceText(e)
		switch {
		case !ok || s == "":
			r.wrong(fmt.Sprintf("%s[%d]", field, i), "must be a resource id such as ins-a, or for TKE an object with ClusterId")
		case slices.Contains(out, s):
			r.wrong(fmt.Sprintf("%s[%d]", field, i), "%s is listed twice", s)
		}
		out = append(out, s)
	}
	return out
}

// instanceText is the instance as the vendor wants it: TKE nodes and pods are JSON in a string.
func instanceText(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return strings.TrimSpace(s), true
	}
	m, ok := stringKeys(v)
	if !ok || m["ClusterId"] == nil {
		return "", false
	}
	b, err := json.Marshal(m)
	return string(b), err == nil
}

func (r *reader) tags(field string, v any) []Tag {
	m, ok := stringKeys(v)
	if !ok {
		r.wrong(field, "must be an object of keys and values")
		return nil
	}
	var out []Tag
	for _, k := range sortedKeys(m) {
		if k == tagDrill || k == tagRoot {
			r.wrong(field+"."+k, "is set by Firedrill: remove it")
		}
		out = append(out, Tag{Text(k), Text(fmt.Sprint(m[k]))})
	}
	return out
}

func (r *reader) object(field string, v any) map[string]any {
	if v == nil {
		return nil
	}
	m, ok := stringKeys(v)
	if !ok {
		r.wrong(field, "must be an object of fields")
	}
	return m
}

func (r *reader) id(field string, v any) int64 {
	n, ok := integer(v)
	if !ok || n < 1 {
		r.wrong(field, "must be a positive number, e.g. 626")
	}
	return n
}

func (r *reader) text(field string, v any) string {
	s, ok := v.(string)
	if !ok {
		r.wrong(field, "must be text")
	}
	return s
}

func (r *reader) choice(field string, v any, values map[string]int64) int64 {
	s, _ := v.(string)
	n, ok := values[s]
	if !ok {
		r.wrong(field, "must be one of %s", strings.Join(sortedKeys(values), ", "))
	}
	return n
}
