package catalog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// value is a node of a file, and the field that it is the value of.
type value struct {
	src   *source
	node  *yaml.Node
	field string
}

// entry is one `name: value` of a mapping.
type entry struct {
	name string
	key  value // the name itself, for its place
	value
}

func (v value) wrong(fix, format string, args ...any) {
	v.src.wrong(v.node.Line, v.node.Column, v.field, fmt.Sprintf(format, args...), fix)
}

// place says where the value stands, for a mistake that has two places.
func (v value) place() string {
	return fmt.Sprintf("%s:%d:%d", v.src.file, v.node.Line, v.node.Column)
}

func (v value) null() bool {
	return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null"
}

// fits reports whether the value is a mapping, be it an empty one. If it is not, entries has said so.
func (v value) fits() bool { return v.node.Kind == yaml.MappingNode || v.null() }

// shown is how a value is quoted in a message.
func (v value) shown() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if v.null() {
		return "nothing"
	}
	text := v.node.Value
	if r := []rune(text); len(r) > 60 {
		text = string(r[:60]) + "…"
	}
	if tag := v.node.ShortTag(); tag == "!!int" || tag == "!!float" || tag == "!!bool" {
		return text
	}
	return strconv.Quote(text)
}

// entries returns the mapping's entries in order. A name that comes twice is a mistake; `<<` brings in the entries of
// other mappings, which those written here replace.
func (v value) entries() []entry {
	if v.null() {
		return nil
	}
	if v.node.Kind != yaml.MappingNode {
		v.wrong("write name: value pairs", "%s where a mapping is wanted", v.shown())
		return nil
	}
	seen := make(map[string]value, len(v.node.Content)/2)
	var out, merged []entry
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := value{v.src, v.node.Content[i], v.field}
		if key.node.Kind != yaml.ScalarNode {
			key.wrong("write a plain name", "%s as a key", key.shown())
			continue
		}
		e := entry{key.node.Value, key, value{v.src, v.node.Content[i+1], join(v.field, key.node.Value)}}
		e.key.field = e.field
		if key.node.ShortTag() == "!!merge" {
			merged = append(merged, v.merge(e.value)...)
			continue
		}
		if first, twice := seen[e.name]; twice {
			e.key.wrong("keep one of them", "is here twice, first at %s", first.place())
			continue
		}
		seen[e.name] = e.key
		out = append(out, e)
	}
	for _, e := range merged {
		if _, own := seen[e.name]; !own {
			seen[e.name] = e.key
			out = append(out, e)
		}
	}
	return out
}

// merge returns the entries that `<<: value` brings in.
func (v value) merge(from value) []entry {
	from.field = v.field
	if from.node.Kind != yaml.SequenceNode {
		return from.entries()
	}
	var out []entry
	for _, n := range from.node.Content {
		out = append(out, value{v.src, n, v.field}.entries()...)
	}
	return out
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

// fields returns the mapping's values by name; a name that its kind does not have is a mistake.
func (v value) fields(k kind) map[string]value {
	known := k.keys()
	out := map[string]value{}
	for _, e := range v.entries() {
		if !slices.Contains(known, e.name) {
			e.key.wrong(instead(e.name, known), "unknown field %s", strconv.Quote(e.name))
			continue
		}
		out[e.name] = e.value
	}
	return out
}

// items returns the list's values.
func (v value) items() []value {
	if v.null() {
		return nil
	}
	if v.node.Kind != yaml.SequenceNode {
		fix := "write a list"
		if v.node.Kind == yaml.ScalarNode {
			fix = "write [ " + v.node.Value + " ]"
		}
		v.wrong(fix, "%s where a list is wanted", v.shown())
		return nil
	}
	out := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		out[i] = value{v.src, n, fmt.Sprintf("%s[%d]", v.field, i)}
	}
	return out
}

// text reads a string that is not empty.
func (v value) text() (string, bool) {
	if v.node.Kind != yaml.ScalarNode {
		v.wrong("write a text", "%s where a text is wanted", v.shown())
		return "", false
	}
	switch v.node.ShortTag() {
	case "!!str", "!!timestamp":
	case "!!null":
		v.wrong("write a value or remove the field", "has no value")
		return "", false
	default:
		v.wrong("put it in quotes", "%s is not a text", v.shown())
		return "", false
	}
	if strings.TrimSpace(v.node.Value) == "" {
		v.wrong("write a value or remove the field", "is empty")
		return "", false
	}
	return v.node.Value, true
}

// line reads a text of one line, as short as a name.
func (v value) line() (string, bool) { return v.lineUpTo(maxLine) }

func (v value) lineUpTo(most int) (string, bool) {
	s, ok := v.textUpTo(most)
	if ok && strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		v.wrong("write it on one line", "holds a line break or a control character")
		return "", false
	}
	return s, ok
}

// textUpTo reads a text of at most so many characters.
func (v value) textUpTo(most int) (string, bool) {
	s, ok := v.text()
	if n := utf8.RuneCountInString(s); ok && n > most {
		v.wrong(fmt.Sprintf("write at most %d", most), "has %d characters", n)
		return "", false
	}
	return s, ok
}

// texts reads a list of strings, each once.
func (v value) texts() []string {
	var out []string
	for _, item := range v.words() {
		out = append(out, item.node.Value)
	}
	return out
}

// words is texts with the places.
func (v value) words() []value { return v.linesUpTo(maxLine) }

func (v value) linesUpTo(most int) []value {
	var out []value
	for _, item := range v.items() {
		s, ok := item.lineUpTo(most)
		if !ok {
			continue
		}
		if slices.ContainsFunc(out, func(o value) bool { return o.node.Value == s }) {
			item.wrong("keep one of them", "%s is here twice", item.shown())
			continue
		}
		out = append(out, item)
	}
	return out
}

// choice reads one of the given words.
func (v value) choice(words ...string) (string, bool) {
	s, ok := v.text()
	if ok && !slices.Contains(words, s) {
		fix := "write one of them"
		if near := nearest(s, words); len(near) > 0 {
			fix = "did you mean " + near[0] + "?"
		}
		v.wrong(fix, "%s is not one of %s", v.shown(), strings.Join(words, ", "))
		return "", false
	}
	return s, ok
}

func (v value) boolean() (bool, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!bool" {
		v.wrong("write true or false", "%s is neither true nor false", v.shown())
		return false, false
	}
	var b bool
	if err := v.node.Decode(&b); err != nil {
		v.wrong("write true or false", "%s is neither true nor false", v.shown())
		return false, false
	}
	return b, true
}

// integer reads a whole number between low and high.
func (v value) integer(low, high int) (int, bool) {
	var n int
	if v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!int" || v.node.Decode(&n) != nil {
		v.wrong("write a number without quotes", "%s is not a whole number", v.shown())
		return 0, false
	}
	if n < low || n > high {
		fix := fmt.Sprintf("write a number from %d to %d", low, high)
		if high == math.MaxInt {
			fix = fmt.Sprintf("write %d or more", low)
		}
		v.wrong(fix, "%d is out of bounds", n)
		return 0, false
	}
	return n, true
}

// durationFrom reads a length of time between low and high.
func (v value) durationFrom(low, high time.Duration) (time.Duration, bool) {
	d, ok := v.duration()
	if ok && (d < low || d > high) {
		v.wrong(fmt.Sprintf("write %s to %s", brief(low), brief(high)), "%s is out of bounds", v.node.Value)
		return 0, false
	}
	return d, ok
}

// duration reads a length of time above zero.
func (v value) duration() (time.Duration, bool) {
	if v.node.Kind != yaml.ScalarNode || v.null() {
		v.wrong("write it like 90s, 30m or 1h30m", "%s is not a duration", v.shown())
		return 0, false
	}
	d, err := time.ParseDuration(v.node.Value)
	if err != nil || v.node.ShortTag() == "!!int" {
		v.wrong(rewritten(v.node.Value), "%s is not a duration", v.shown())
		return 0, false
	}
	if d <= 0 {
		v.wrong("write it like 90s, 30m or 1h30m", "%s is not above zero", v.shown())
		return 0, false
	}
	return d, true
}

// rewritten guesses what was meant by a text that is not a duration.
func rewritten(s string) string {
	s = strings.TrimSpace(s)
	unit := strings.TrimLeft(s, "0123456789")
	number := s[:len(s)-len(unit)]
	unit = strings.ToLower(strings.TrimSpace(unit))
	n, err := strconv.Atoi(number)
	if err != nil {
		return "write it like 90s, 30m or 1h30m"
	}
	switch strings.TrimSuffix(unit, "s") {
	case "":
		if unit == "" {
			return fmt.Sprintf("write %ds or %dm", n, n)
		}
		return fmt.Sprintf("write %ds", n)
	case "sec", "second", "秒":
		return fmt.Sprintf("write %ds", n)
	case "m", "min", "minute", "分钟":
		return fmt.Sprintf("write %dm", n)
	case "h", "hr", "hour", "小时":
		return fmt.Sprintf("write %dh", n)
	case "d", "day", "天":
		return fmt.Sprintf("write %dh", n*24)
	}
	return "write it like 90s, 30m or 1h30m"
}
