package catalog

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// named reads a section whose entries have names, from all files. A name that comes twice is a mistake with both
// places; an entry with a mistake is left out and remembered, so that what refers to it is not called a mistake too.
func named[T any](l *loader, section string, one func(entry) (T, bool)) map[string]T {
	out := map[string]T{}
	first := map[string]value{}
	for _, v := range l.sections[section] {
		for _, e := range v.entries() {
			if there, twice := first[e.name]; twice {
				e.key.wrong("rename one of them", "is here a second time, first at %s", there.place())
				delete(out, e.name)
				l.wrong[e.field] = true
				continue
			}
			first[e.name] = e.key
			before := len(l.problems)
			checkName(e)
			got, ok := one(e)
			if !ok || len(l.problems) > before {
				l.wrong[e.field] = true
				continue
			}
			out[e.name] = got
		}
	}
	return out
}

// list reads a section that is a list, from all files.
func list[T any](l *loader, section string, one func(value) (T, bool)) []T {
	var out []T
	for _, v := range l.sections[section] {
		for _, item := range v.items() {
			if got, ok := one(item); ok {
				out = append(out, got)
			}
		}
	}
	return out
}

// kept reads a section that nothing acts on yet: mappings of several files become one, lists are joined.
func (l *loader) kept(section string) any {
	var out any
	places := map[string]value{}
	for _, v := range l.sections[section] {
		switch got := v.plain(nil).(type) {
		case map[string]any:
			all, ok := out.(map[string]any)
			if out == nil {
				all, ok = map[string]any{}, true
			}
			if !ok {
				v.wrong("write a list here too", "is a list in another file")
				continue
			}
			for _, e := range v.entries() {
				if there, twice := places[e.name]; twice {
					e.key.wrong("rename one of them", "is here a second time, first at %s", there.place())
				}
				places[e.name] = e.key
				all[e.name] = got[e.name]
			}
			out = all
		case []any:
			all, ok := out.([]any)
			if out != nil && !ok {
				v.wrong("write a mapping here too", "is a mapping in another file")
				continue
			}
			out = append(all, got...)
		case nil:
		default:
			v.wrong("write a mapping or a list", "%s where a mapping or a list is wanted", v.shown())
		}
	}
	return out
}

const maxName = 64

// checkName holds names to what fits into keys, URLs and chat commands.
func checkName(e entry) {
	if e.key.node.Kind != yaml.ScalarNode {
		return
	}
	if !plainName(e.name) {
		e.key.wrong("use letters, digits, - and _, and the title for the rest", "the name %s does not begin with a letter or digit, is longer than %d, or has other signs", strconv.Quote(e.name), maxName)
	}
}

// environment reads the name of an environment, which locks, levers and chat commands carry.
func (v value) environment() string {
	s, ok := v.line()
	if ok && !plainName(s) {
		v.wrong("use letters, digits, - and _, such as staging", "%s is not the name of an environment", v.shown())
	}
	return s
}

func plainName(s string) bool {
	if s == "" || len(s) > maxName || !alphanumeric(rune(s[0])) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !plainSign(r) })
}

// plainSign reports whether a sign stands for itself in names and keys.
func plainSign(r rune) bool { return alphanumeric(r) || r == '-' || r == '_' || r == '.' }

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// reference reads "secret:name": where a secret lies, never the secret. The value is not printed.
func (v value) reference() (string, bool) {
	s, ok := v.lineUpTo(maxMatch)
	if ok && !secret(s) {
		v.wrong("write secret:name", "is not a reference to a secret")
		return "", false
	}
	return s, ok
}

func secret(s string) bool {
	name, ok := strings.CutPrefix(s, "secret:")
	return ok && name != "" && len(name) <= 256 && !strings.ContainsFunc(name, func(r rune) bool {
		return !alphanumeric(r) && !strings.ContainsRune("-_./", r)
	})
}

// missing reports a field that must be there, at the name of what it should be in.
func (e entry) missing(field, fix string) {
	e.key.wrong(fix, "%s is missing", field)
}

// known looks a name up in a section, and reports one that is not there.
func known[T any](l *loader, section string, all map[string]T, v value, name string) (T, bool) {
	got, ok := all[name]
	if ok || l.wrong[section+"."+name] {
		return got, ok
	}
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	fix := instead(name, names)
	if fix == "" {
		fix = fmt.Sprintf("add it under %s", section)
	}
	v.wrong(fix, "%s is not in %s", strconv.Quote(name), section)
	return got, false
}
