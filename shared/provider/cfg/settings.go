package cfg

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

func (r *reader) groups(field string, v any) []groupBlock {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(field, "must be a list with one entry for each action group of the template")
		return nil
	}
	var out []groupBlock
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		m, ok := stringKeys(e)
		if !ok {
			r.wrong(at, "must be { instances: [ … ], actions: { … } }")
			continue
		}
		g := groupBlock{extra: map[string]any{}}
		if _, ok := m["instances"]; !ok {
			r.wrong(at+".instances", "list the resources of this action group")
		}
		for _, k := range sortedKeys(m) {
			switch {
			case k == "instances":
				g.instances = r.instances(at+"."+k, m[k])
			case k == "actions":
				g.actions = r.overrides(at+"."+k, m[k])
			case vendorField(k):
				r.near(at+"."+k, k, "instances", "actions")
				g.extra[k] = m[k]
			default:
				r.wrong(at+"."+k, "not a field of a group: use instances, actions, or a vendor field with a capital letter")
			}
		}
		out = append(out, g)
	}
	return out
}

// overrides reads { 1: { duration: 60 } } and { 1: { general: {…}, custom: {…} } }.
func (r *reader) overrides(field string, v any) []override {
	m, ok := stringKeys(v)
	if !ok {
		r.wrong(field, "must map an action's order, from 1, to the fields that change")
		return nil
	}
	var out []override
	for _, k := range sortedKeys(m) {
		order, err := strconv.ParseInt(k, 10, 64)
		if err != nil || order < 1 {
			r.wrong(field+"."+k, "must be an action's order in its group, from 1: the service silently ignores another one")
			continue
		}
		o := override{order: order}
		o.general, o.custom = r.settings(field+"."+k, m[k])
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b override) int { return int(a.order - b.order) })
	return out
}

// settings splits an action's fields into general and custom ones.
func (r *reader) settings(field string, v any) (general, custom map[string]any) {
	m, ok := stringKeys(v)
	if !ok {
		r.wrong(field, "must be an object of fields, e.g. { duration: 60 }")
		return nil, nil
	}
	general, custom = map[string]any{}, map[string]any{}
	for _, k := range sortedKeys(m) {
		switch k {
		case "id":
		case "general", "custom":
			into := map[string]map[string]any{"general": general, "custom": custom}[k]
			for name, value := range r.object(field+"."+k, m[k]) {
				into[name] = value
			}
		case "AliasTitle", "PreTimeWait", "AfterTimeWait", "ActionTimeout":
			general[k] = m[k]
		default:
			custom[k] = m[k]
		}
	}
	r.waits(field, general)
	return general, custom
}

// waits checks the general fields that the service bounds to a day.
func (r *reader) waits(field string, general map[string]any) {
	for _, k := range []string{"PreTimeWait", "AfterTimeWait", "ActionTimeout"} {
		v, ok := general[k]
		if !ok {
			continue
		}
		if n, ok := integer(v); !ok || n < 0 || n > 86400 {
			r.wrong(field+"."+k, "must be seconds from 0 to 86400")
		}
	}
}

func (r *reader) actions(field string, v any) []actionBlock {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(field, "must be a list such as [ { id: 462, custom: { interfaces: eth0 } } ]")
		return nil
	}
	var out []actionBlock
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		if n, ok := integer(e); ok {
			e = map[string]any{"id": n}
		}
		m, ok := stringKeys(e)
		if !ok {
			r.wrong(at, "must be an action's id or { id: 462, custom: { … } }")
			continue
		}
		a := actionBlock{id: r.id(at+".id", m["id"])}
		a.general, a.custom = r.settings(at, m)
		out = append(out, a)
	}
	return out
}

// bounds reads { min: 1, max: 12 }.
func (r *reader) bounds(field string, v any) (least, most int64) {
	m := r.object(field, v)
	for _, k := range sortedKeys(m) {
		n, ok := integer(m[k])
		switch {
		case k != "min" && k != "max":
			r.wrong(field+"."+k, "not a bound: use min and max")
		case !ok || n < 0:
			r.wrong(field+"."+k, "must be a number of resources")
		case k == "min":
			least = n
		default:
			most = n
		}
	}
	return least, most
}

// integer reads whole numbers of any type that YAML, JSON or a substituted parameter may bring.
func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int:
		return int64(x), true
	case int64:
		return x, true
	case uint64:
		return int64(x), x <= math.MaxInt64
	case float64:
		return int64(x), x == math.Trunc(x) && math.Abs(x) < 1<<53
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(x), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// stringKeys reads an object; YAML may have decoded its keys as numbers.
func stringKeys(v any) (map[string]any, bool) {
	switch m := v.(type) {
	case map[string]any:
		return m, true
	case map[any]any:
		out := make(map[string]any, len(m))
		for k, v := range m {
			out[fmt.Sprint(k)] = v
		}
		return out, true
	}
	return nil, false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
