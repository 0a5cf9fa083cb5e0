package catalog

import (
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/drill"
)

// The types of parameters.
const (
	typeString   = "string"
	typeInt      = "int"
	typeNumber   = "number"
	typeBool     = "bool"
	typeDuration = "duration"
	typeSecret   = "secret"
)

func parameterTypes() []string {
	return []string{typeString, typeInt, typeNumber, typeBool, typeDuration, typeSecret}
}

const fisTakesNone = "FIS takes no parameters at all; put them in the experiment template"

// parameters reads a plan's parameters. One with a mistake is kept, so that its uses are not called mistakes too.
func parameters(v value, service drill.Service) map[string]drill.Parameter {
	out := map[string]drill.Parameter{}
	for _, e := range v.entries() {
		if service == drill.FIS {
			e.key.wrong("remove it", fisTakesNone)
		}
		if !parameterName(e.name) {
			e.key.wrong("use letters, digits and _", "the name %q does not fit into ${name}", e.name)
			continue
		}
		out[e.name] = parameter(e)
	}
	v.atMost(maxParameters, len(out), "parameters")
	defaults := map[string]any{}
	for name, p := range out {
		defaults[name] = p.Default
	}
	v.weigh(defaults, maxTold)
	return out
}

func parameter(e entry) drill.Parameter {
	p := drill.Parameter{Type: typeString}
	before := len(*e.src.problems)
	fields := e.fields(kindParameter)
	if v, ok := fields["type"]; ok {
		if kind, ok := v.choice(parameterTypes()...); ok {
			p.Type = kind
		}
	}
	if v, ok := fields["title"]; ok {
		p.Title, _ = v.line()
	}
	if v, ok := fields["pattern"]; ok {
		p.Pattern = pattern(v, p.Type)
	}
	p.Min, p.Max = bound(fields["min"], p.Type), bound(fields["max"], p.Type)
	if p.Min != nil && p.Max != nil && *p.Min > *p.Max {
		fields["min"].wrong("swap them", "min %s is more than max %s", fields["min"].shown(), fields["max"].shown())
	}
	if len(*e.src.problems) > before {
		return p // the values below cannot be checked
	}
	if v, ok := fields["enum"]; ok {
		var enum []any
		for _, item := range v.items() {
			if got, ok := fitting(item, p); ok {
				enum = append(enum, got)
			}
		}
		if len(enum) == 0 && v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 {
			v.wrong("write the values that may be given", "is empty")
		}
		v.atMost(maxEnum, len(enum), "values")
		p.Enum = enum
	}
	if v, ok := fields["default"]; ok {
		p.Default, _ = fitting(v, p)
	}
	return p
}

// fitting reads a value of the parameter's type within its bounds.
func fitting(v value, p drill.Parameter) (any, bool) {
	if v.node.Kind != yaml.ScalarNode || v.null() {
		v.wrong("write a single value", "%s where a value is wanted", v.shown())
		return nil, false
	}
	raw := v.plain(nil)
	if _, text := raw.(string); text && (p.Type == typeInt || p.Type == typeNumber || p.Type == typeBool) {
		fix := "write a value of type " + p.Type
		if _, _, err := typed(p.Type, raw); err == nil {
			fix = "remove the quotes"
		}
		v.wrong(fix, "%s is a text, not of type %s", v.shown(), p.Type)
		return nil, false
	}
	if _, text := raw.(string); !text && (p.Type == typeString || p.Type == typeSecret) {
		v.wrong("put it in quotes", "is not a text")
		return nil, false
	}
	got, err := convert(p, raw)
	if err != nil {
		v.wrong("write a value that the parameter allows", "%s", err)
		return nil, false
	}
	return got, true
}

// bound reads min or max: a number, for a duration a length of time, which is kept in seconds.
func bound(v value, kind string) *float64 {
	if v.node == nil {
		return nil
	}
	switch kind {
	case typeDuration:
		d, ok := v.duration()
		if !ok {
			return nil
		}
		seconds := d.Seconds()
		return &seconds
	case typeInt, typeNumber:
		var f float64
		tag := v.node.ShortTag()
		if v.node.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || v.node.Decode(&f) != nil || f != f {
			v.wrong("write a number without quotes", "%s is not a number", v.shown())
			return nil
		}
		return &f
	}
	v.wrong("remove it", "only int, number and duration have bounds")
	return nil
}

func pattern(v value, kind string) string {
	s, ok := v.textUpTo(maxNote)
	if !ok {
		return ""
	}
	if kind != typeString {
		v.wrong("remove it", "only a string has a pattern")
		return ""
	}
	if _, err := regexp.Compile(s); err != nil {
		v.wrong("write a regular expression (RE2)", "%s is not a pattern: %s", v.shown(), err)
		return ""
	}
	return s
}

// anchored makes a pattern match the whole value.
func anchored(pattern string) string { return fmt.Sprintf("^(?:%s)$", pattern) }
