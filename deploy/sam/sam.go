// Package sam reads template.yaml, for the tests that hold it and the Go code together.
package sam

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a template with its tags resolved as far as a test needs it: parameters to their values, and resources to names that
// tell what they are. A condition holds as the test says.
type Template struct {
	Values    map[string]string // of parameters and pseudo parameters; the rest of what !Ref and !Sub name stays "<Name>"
	Holds     map[string]bool   // conditions; all others do not hold
	Resources map[string]Resource
	Globals   map[string]any // variables that every function has
}

// Resource is one resource.
type Resource struct {
	Type       string
	Properties map[string]any
}

// Statement is one statement of a policy.
type Statement struct {
	Actions, Resources []string
	Condition          map[string]any
}

// Rule is one rule of EventBridge that calls a function.
type Rule struct {
	Function, Name string
	Queue          string // that stands between the rule and the function; "" for none
	Bus            string // "" for the account's own
	Schedule       string // "" for a pattern
	Pattern        map[string]any
}

// Load reads the template. values are those of parameters that have no default, or another; holds names the conditions that hold.
func Load(path string, values map[string]string, holds ...string) (*Template, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, values, holds...)
}

// Parse is Load for bytes.
func Parse(data []byte, values map[string]string, holds ...string) (*Template, error) {
	var doc struct {
		Parameters map[string]struct {
			Default yaml.Node `yaml:"Default"`
		} `yaml:"Parameters"`
		Globals struct {
			Function yaml.Node `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	t := &Template{Values: map[string]string{"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::StackName": "firedrill"},
		Holds: map[string]bool{}, Resources: map[string]Resource{}}
	for name, p := range doc.Parameters {
		t.Values[name] = p.Default.Value
	}
	maps.Copy(t.Values, values)
	for _, name := range holds {
		t.Holds[name] = true
	}
	globals, _ := t.value(&doc.Globals.Function).(map[string]any)
	t.Globals, _ = dig(globals, "Environment", "Variables").(map[string]any)
	for name, r := range doc.Resources {
		properties, _ := t.value(&r.Properties).(map[string]any)
		t.Resources[name] = Resource{r.Type, properties}
	}
	return t, nil
}

// none is what !Ref AWS::NoValue leaves: no property at all.
type none struct{}

func (t *Template) value(n *yaml.Node) any {
	switch n.Tag {
	case "!Ref":
		return t.ref(n.Value)
	case "!Sub":
		return t.sub(n.Value)
	case "!GetAtt":
		return t.sub("${" + n.Value + "}")
	case "!If":
		if t.Holds[n.Content[0].Value] {
			return t.value(n.Content[1])
		}
		return t.value(n.Content[2])
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if v := t.value(n.Content[i+1]); v != (none{}) {
				out[n.Content[i].Value] = v
			}
		}
		return out
	case yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			if v := t.value(item); v != (none{}) {
				out = append(out, v)
			}
		}
		return out
	}
	return n.Value
}

func (t *Template) ref(name string) any {
	if name == "AWS::NoValue" {
		return none{}
	}
	return t.sub("${" + name + "}")
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

func (t *Template) sub(text string) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[2 : len(m)-1]
		if v, ok := t.Values[name]; ok {
			return v
		}
		return "<" + name + ">"
	})
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// texts makes a list of one text or of many.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			out = append(out, texts(item)...)
		}
		return out
	}
	return nil
}

// OfType lists the names of the resources of one type.
func (t *Template) OfType(kind string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t.Resources)) {
		if t.Resources[name].Type == kind {
			out = append(out, name)
		}
	}
	return out
}

// Functions lists the functions, in lower case as their folders are.
func (t *Template) Functions() []string {
	var out []string
	for _, name := range t.OfType("AWS::Serverless::Function") {
		out = append(out, strings.ToLower(name))
	}
	return out
}

func (t *Template) function(name string) map[string]any {
	return t.Resources[strings.ToUpper(name[:1])+name[1:]].Properties
}

// Property returns a property of a function, by its path; nil if there is none.
func (t *Template) Property(function string, path ...string) any {
	return dig(t.function(function), path...)
}

// Env returns the variables of a function.
func (t *Template) Env(function string) map[string]string {
	out := map[string]string{}
	own, _ := t.Property(function, "Environment", "Variables").(map[string]any)
	for _, from := range []map[string]any{t.Globals, own} {
		for name, v := range from {
			out[name], _ = v.(string)
		}
	}
	return out
}

// RoleOf returns the name of a function's role.
func (t *Template) RoleOf(function string) string {
	return named(t.Property(function, "Role"))
}

// Grants returns what a role may do. A role with anything else than inline policies, or with a statement that does not allow, is an error: a
// test could not read it.
func (t *Template) Grants(role string) ([]Statement, error) {
	r, ok := t.Resources[role]
	if !ok || r.Type != "AWS::IAM::Role" {
		return nil, fmt.Errorf("%q is no role of the template", role)
	}
	for name := range r.Properties {
		if !slices.Contains([]string{"Description", "AssumeRolePolicyDocument", "Policies", "MaxSessionDuration", "RoleName"}, name) {
			return nil, fmt.Errorf("%s has %s, which is not looked at here", role, name)
		}
	}
	policies, _ := r.Properties["Policies"].([]any)
	var out []Statement
	for _, p := range policies {
		list, _ := dig(p, "PolicyDocument", "Statement").([]any)
		for _, one := range list {
			s, _ := one.(map[string]any)
			if s["Effect"] != "Allow" || s["NotAction"] != nil || s["NotResource"] != nil {
				return nil, fmt.Errorf("%s has a statement that is not a plain Allow", role)
			}
			condition, _ := s["Condition"].(map[string]any)
			out = append(out, Statement{texts(s["Action"]), texts(s["Resource"]), condition})
		}
	}
	return out, nil
}

// Queues lists the queues that a function is fed from.
func (t *Template) Queues(function string) []string {
	var out []string
	list, _ := t.Property(function, "Events").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if dig(list[name], "Type") == "SQS" {
			out = append(out, named(dig(list[name], "Properties", "Queue")))
		}
	}
	return out
}

// named is the resource whose ARN a property is; "" for none.
func named(v any) string {
	arn, _ := v.(string)
	return strings.TrimSuffix(strings.TrimPrefix(arn, "<"), ".Arn>")
}

// Rules lists the rules that call functions, be it by way of a queue.
func (t *Template) Rules() []Rule {
	var out []Rule
	for _, f := range t.Functions() {
		list, _ := t.Property(f, "Events").(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if dig(list[name], "Type") == "SQS" {
				continue
			}
			r := Rule{Function: f, Name: name}
			r.Bus, _ = dig(list[name], "Properties", "EventBusName").(string)
			r.Schedule, _ = dig(list[name], "Properties", "Schedule").(string)
			r.Pattern, _ = dig(list[name], "Properties", "Pattern").(map[string]any)
			out = append(out, r)
		}
		for _, q := range t.Queues(f) {
			out = append(out, t.into(q, f)...)
		}
	}
	return out
}

// into lists the rules whose events stand on a queue for a function.
func (t *Template) into(queue, function string) []Rule {
	var out []Rule
	for _, name := range t.OfType("AWS::Events::Rule") {
		p := t.Resources[name].Properties
		targets, _ := p["Targets"].([]any)
		for _, target := range targets {
			if named(dig(target, "Arn")) != queue {
				continue
			}
			r := Rule{Function: function, Name: name, Queue: queue}
			r.Bus, _ = p["EventBusName"].(string)
			r.Pattern, _ = p["EventPattern"].(map[string]any)
			out = append(out, r)
		}
	}
	return out
}

// Texts returns one of a pattern's lists.
func (r Rule) Texts(path ...string) []string { return texts(dig(r.Pattern, path...)) }
