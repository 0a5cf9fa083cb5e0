package catalog

import (
	"math"

	"go.yaml.in/yaml/v3"
)

// exact is the largest whole number that survives JSON readers which use a float64.
const exact = 1 << 53

// plain returns the value as JSON knows it: map[string]any, []any, string, int, float64, bool, nil. each, if it is not
// nil, is called with every text. What JSON cannot hold is a mistake.
func (v value) plain(each func(value, string)) any {
	switch v.node.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for _, e := range v.entries() {
			out[e.name] = e.plain(each)
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range v.items() {
			out = append(out, item.plain(each))
		}
		return out
	}
	return v.scalar(each)
}

func (v value) scalar(each func(value, string)) any {
	switch v.node.ShortTag() {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		if each != nil {
			each(v, v.node.Value)
		}
		return v.node.Value
	case "!!bool":
		b, _ := v.boolean()
		return b
	case "!!int", "!!float":
		return v.number()
	}
	v.wrong("write a text, a number, true or false", "the YAML type %s is not known here", v.node.ShortTag())
	return nil
}

func (v value) number() any {
	var n any
	if err := v.node.Decode(&n); err != nil {
		v.wrong("put it in quotes", "%s is not a number", v.shown())
		return nil
	}
	switch n := n.(type) {
	case int:
		if n > -exact && n < exact {
			return n
		}
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			v.wrong("write a finite number", "%s is not a number that JSON can hold", v.shown())
			return nil
		}
		if v.node.ShortTag() == "!!float" {
			return n
		}
	}
	v.wrong("put it in quotes", "%s has too many digits for a number", v.shown())
	return nil
}
