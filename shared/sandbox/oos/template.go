package oos

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

//go:embed templates/*.yaml
var shipped embed.FS

// template is one version of a template.
type template struct {
	ID, Name, Version, Content string
	body                       templateBody
}

// templateBody is the vendor's template language, as far as the sandbox plays it. JSON is read as YAML.
type templateBody struct {
	FormatVersion string               `yaml:"FormatVersion"`
	Description   string               `yaml:"Description"`
	Parameters    map[string]parameter `yaml:"Parameters"`
	RamRole       string               `yaml:"RamRole"`
	Tasks         []task               `yaml:"Tasks"`
	Outputs       map[string]any       `yaml:"Outputs"`
}

type parameter struct {
	Type          string   `yaml:"Type"`
	Description   string   `yaml:"Description"`
	Default       any      `yaml:"Default"`
	AllowedValues []string `yaml:"AllowedValues"`
}

type task struct {
	Name        string         `yaml:"Name"`
	Action      string         `yaml:"Action"`
	Description string         `yaml:"Description"`
	Properties  map[string]any `yaml:"Properties"`
	Loop        *loop          `yaml:"Loop"`
}

type loop struct {
	Items       []any `yaml:"Items"`
	RateControl struct {
		Mode        string `yaml:"Mode"`
		Concurrency int    `yaml:"Concurrency"`
		MaxErrors   int    `yaml:"MaxErrors"`
	} `yaml:"RateControl"`
}

// Ids of the templates that the vendor's own samples name; the others are derived from the name.
func templateID(name string) string {
	if name == "loop-echo" {
		return "t-1bd341007f"
	}
	sum := sha256.Sum256([]byte(name))
	return "t-" + hex.EncodeToString(sum[:5])
}

// shippedTemplates parses the shipped templates once per process; nobody changes them.
var shippedTemplates = sync.OnceValue(loadTemplates)

// loadTemplates reads the shipped templates. A file is named NAME.yaml for version v1, or NAME.vN.yaml.
func loadTemplates() []template {
	files, err := shipped.ReadDir("templates")
	if err != nil {
		panic(err) // the build is broken
	}
	var out []template
	for _, f := range files {
		content, err := shipped.ReadFile("templates/" + f.Name())
		if err != nil {
			panic(err)
		}
		name, version := strings.TrimSuffix(f.Name(), ".yaml"), "v1"
		if i := strings.LastIndex(name, ".v"); i > 0 {
			name, version = name[:i], name[i+1:]
		}
		body, bad := parseTemplate(string(content))
		if bad != nil {
			panic(f.Name() + ": " + bad.Message)
		}
		out = append(out, template{ID: templateID(name), Name: name, Version: version, Content: string(content), body: body})
	}
	return out
}

var taskName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,199}$`)

// parseTemplate reads and validates a template as ValidateTemplateContent does.
func parseTemplate(content string) (templateBody, *rpc.Error) {
	var b templateBody
	if err := yaml.Unmarshal([]byte(content), &b); err != nil {
		return b, invalidTemplate("The template is neither valid YAML nor valid JSON.")
	}
	if b.FormatVersion != "OOS-2019-06-01" {
		return b, invalidTemplate("FormatVersion must be OOS-2019-06-01.")
	}
	if len(b.Tasks) == 0 {
		return b, invalidTemplate("Tasks must not be empty.")
	}
	seen := map[string]bool{}
	for _, t := range b.Tasks {
		switch {
		case !taskName.MatchString(t.Name):
			return b, invalidTemplate(fmt.Sprintf("The task name %q is not valid.", t.Name))
		case seen[t.Name]:
			return b, invalidTemplate(fmt.Sprintf("The task name %s is used twice.", t.Name))
		case !strings.HasPrefix(t.Action, "ACS::"):
			return b, invalidTemplate(fmt.Sprintf("The action %q of task %s does not exist.", t.Action, t.Name))
		}
		if t.Action == "ACS::Sleep" && !strings.Contains(fmt.Sprint(t.Properties["Duration"]), "{{") {
			if _, ok := isoDuration(fmt.Sprint(t.Properties["Duration"])); !ok {
				return b, invalidTemplate(fmt.Sprintf("The Duration of task %s must be between 1 minute and 4 hours.", t.Name))
			}
		}
		seen[t.Name] = true
	}
	return b, nil
}

func invalidTemplate(reason string) *rpc.Error {
	return rpc.Refuse(http.StatusBadRequest, "TemplateValidationError", reason)
}

func noTemplate(name string) *rpc.Error {
	return rpc.Refuse(http.StatusNotFound, "EntityNotExists.Template", fmt.Sprintf("The specified template %s does not exist.", name))
}

// findTemplate returns the version, or the latest one if version is empty.
func (s *Service) findTemplate(name, version string) (template, *rpc.Error) {
	var got []template
	for _, t := range s.templates {
		if t.Name == name && (version == "" || t.Version == version) {
			got = append(got, t)
		}
	}
	if len(got) == 0 {
		return template{}, noTemplate(name)
	}
	return slices.MaxFunc(got, func(a, b template) int {
		if len(a.Version) != len(b.Version) {
			return len(a.Version) - len(b.Version)
		}
		return strings.Compare(a.Version, b.Version)
	}), nil
}

// bind checks the given parameters against those of the template and fills in the defaults.
func (b templateBody) bind(given map[string]any) (map[string]any, *rpc.Error) {
	for _, k := range sortedKeys(given) {
		if _, ok := b.Parameters[k]; !ok {
			return nil, rpc.Refuse(http.StatusBadRequest, "UnknownExecutionParameter", fmt.Sprintf("The parameter {%s} was not defined in template.", k))
		}
	}
	out := map[string]any{}
	for _, k := range sortedKeys(b.Parameters) {
		p := b.Parameters[k]
		v, ok := given[k]
		switch {
		case !ok && p.Default == nil:
			return nil, rpc.Refuse(http.StatusBadRequest, "MissingExecutionParameter", fmt.Sprintf("The parameter {%s} was not provided in template.", k))
		case !ok:
			v = p.Default
		}
		if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, fmt.Sprint(v)) {
			return nil, invalidTemplate(fmt.Sprintf("The parameter %s must be one of %s.", k, strings.Join(p.AllowedValues, ", ")))
		}
		out[k] = v
	}
	return out, nil
}

// api is the last word of what a task calls: StopInstance.
func (t task) api() string {
	if strings.EqualFold(t.Action, "ACS::ExecuteAPI") {
		return fmt.Sprint(t.Properties["API"])
	}
	return t.Action[strings.LastIndex(t.Action, ":")+1:]
}

// service is the product that a task calls, in lower case.
func (t task) service() string {
	if strings.EqualFold(t.Action, "ACS::ExecuteAPI") {
		return strings.ToLower(fmt.Sprint(t.Properties["Service"]))
	}
	parts := strings.Split(t.Action, "::")
	if len(parts) == 3 {
		return strings.ToLower(parts[1])
	}
	return ""
}

// risky tells whether the safety check asks for a confirmation: by the user guide, tasks that delete, release or stop.
func (t task) risky() bool {
	if t.service() == "" {
		return false
	}
	for _, verb := range []string{"Delete", "Release", "Stop", "Terminate"} {
		if strings.HasPrefix(t.api(), verb) {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
