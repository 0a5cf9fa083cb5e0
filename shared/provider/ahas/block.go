package ahas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// block is a plan's ahas block, read.
type block struct {
	experiment string
	namespace  string // "" leaves it to the service
	region     string // AhasRegionId
	definition string // JSON, "" for none
}

var idPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{1,20}$`) })

func fields() []string { return []string{"experiment", "region", "namespace", "definition"} }

// Check validates the plan's block without I/O and lists every mistake.
func (d *Driver) Check(r driver.Request) error {
	_, err := d.block(r)
	return err
}

// block reads the request's block.
func (d *Driver) block(r driver.Request) (block, error) {
	var b block
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("ahas."+format, args...)) }

	b.experiment = readID(r.Block, "experiment", mistake)
	b.namespace = readText(r.Block, "namespace", mistake)
	b.region = readText(r.Block, "region", mistake)
	home := d.region(r.Region)
	if b.region != "" && b.region != home {
		mistake("region: %q is not the account's region %q: the run could be started but not read; use an account of that region", b.region, home)
	}
	b.region = home
	if v := r.Block["definition"]; v != nil {
		b.definition = readDefinition(v, mistake)
	}
	for _, name := range unknown(r.Block, fields()) {
		mistake("%s: AHAS has no such field: use %s, or put overrides into definition.param", name, strings.Join(fields(), ", "))
	}
	if len(wrong) > 0 {
		return block{}, fmt.Errorf("%w: %w", driver.ErrInvalid, errors.Join(wrong...))
	}
	return b, nil
}

func unknown(m map[string]any, known []string) []string {
	var out []string
	for name := range m {
		if !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func readText(m map[string]any, name string, mistake func(string, ...any)) string {
	v, set := m[name]
	if !set || v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok || strings.TrimSpace(s) == "" {
		mistake("%s: want a text", name)
	}
	return strings.TrimSpace(s)
}

// readID refuses a number: 19 digits do not survive as one.
func readID(m map[string]any, name string, mistake func(string, ...any)) string {
	switch v := m[name].(type) {
	case nil:
		mistake(`%s: missing: want the id of the experiment in quotes, such as "1234567890123456789"`, name)
	case string:
		if id := strings.TrimSpace(v); idPattern().MatchString(id) {
			return id
		}
		mistake(`%s: %q is no id: want digits only, such as "1234567890123456789"`, name, v)
	case int, int64, uint64, float64, json.Number:
		mistake("%s: a number loses digits: put the id in quotes", name)
	default:
		mistake("%s: want the id of the experiment in quotes", name)
	}
	return ""
}

// readDefinition accepts an object or JSON text. Text goes to the service as it is written; an object is encoded with
// its arguments as strings, which is all that the service takes.
func readDefinition(v any, mistake func(string, ...any)) string {
	text, isText := v.(string)
	def, ok := v.(map[string]any)
	if isText {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&def); err != nil || def == nil {
			mistake("definition: want a JSON object: {\"param\": [...]}")
			return ""
		}
		if _, err := d.Token(); err != io.EOF {
			mistake("definition: text after the JSON object")
			return ""
		}
		ok = true
	}
	if !ok {
		mistake("definition: want an object or JSON text")
		return ""
	}
	out := checkDefinition(def, isText, mistake)
	if isText {
		return text
	}
	return encode(out)
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// checkDefinition checks the parts that the vendor documents and returns a copy with the arguments as strings. Fields
// that it does not know are the vendor's and are kept.
func checkDefinition(def map[string]any, strict bool, mistake func(string, ...any)) map[string]any {
	out := copied(def)
	raw, set := def["param"]
	if !set {
		mistake("definition.param: missing: want a list of overrides, one per flow group; leave definition out to override nothing")
		return out
	}
	list, ok := raw.([]any)
	if !ok {
		mistake("definition.param: want a list")
		return out
	}
	params := make([]any, len(list))
	for i, item := range list {
		params[i] = checkParam(fmt.Sprintf("definition.param[%d]", i), item, strict, mistake)
	}
	out["param"] = params
	return out
}

func checkParam(at string, item any, strict bool, mistake func(string, ...any)) any {
	p, ok := item.(map[string]any)
	if !ok {
		mistake("%s: want an object", at)
		return item
	}
	out := copied(p)
	wantID(at, p, "groupId", true, mistake)
	if v, set := p["appName"]; set {
		if _, ok := v.(string); !ok {
			mistake("%s.appName: want a text", at)
		}
	}
	for _, name := range []string{"hosts", "appGroups"} {
		if v, set := p[name]; set && !texts(v) {
			mistake("%s.%s: want a list of texts with at least one", at, name)
		}
	}
	for _, typo := range []string{"activieyParam", "activityParams"} {
		if _, set := p[typo]; set {
			mistake("%s.%s: the service reads activityParam", at, typo)
		}
	}
	v, set := p["activityParam"]
	if !set {
		return out
	}
	list, ok := v.([]any)
	if !ok {
		mistake("%s.activityParam: want a list", at)
		return out
	}
	acts := make([]any, len(list))
	for j, a := range list {
		acts[j] = checkActivity(fmt.Sprintf("%s.activityParam[%d]", at, j), a, strict, mistake)
	}
	out["activityParam"] = acts
	return out
}

func checkActivity(at string, item any, strict bool, mistake func(string, ...any)) any {
	a, ok := item.(map[string]any)
	if !ok {
		mistake("%s: want an object", at)
		return item
	}
	out := copied(a)
	wantID(at, a, "flowId", false, mistake)
	if v, set := a["appCode"]; set {
		if s, ok := v.(string); !ok || s == "" {
			mistake("%s.appCode: want a text such as chaos.cpu.fullload", at)
		}
	}
	v, set := a["arguments"]
	if !set {
		return out
	}
	args, ok := v.(map[string]any)
	if !ok {
		mistake("%s.arguments: want an object of texts", at)
		return out
	}
	fixed := map[string]any{}
	for name, value := range args {
		s, ok := scalar(value)
		if _, isText := value.(string); !ok || (strict && !isText) {
			mistake("%s.arguments.%s: want a text", at, name)
		}
		fixed[name] = s
	}
	out["arguments"] = fixed
	return out
}

func wantID(at string, m map[string]any, name string, need bool, mistake func(string, ...any)) {
	v, set := m[name]
	if !set {
		if need {
			mistake("%s.%s: missing: want the id in quotes", at, name)
		}
		return
	}
	if s, ok := v.(string); !ok || strings.TrimSpace(s) == "" {
		mistake("%s.%s: want the id in quotes: 19 digits do not survive as a number", at, name)
	}
}

func texts(v any) bool {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return false
	}
	return !slices.ContainsFunc(list, func(v any) bool { s, ok := v.(string); return !ok || s == "" })
}

// scalar writes a plain value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case json.Number:
		return v.String(), true
	case float64:
		if math.IsNaN(v) || math.Abs(v) >= 1<<53 {
			return "", false
		}
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

func copied(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
