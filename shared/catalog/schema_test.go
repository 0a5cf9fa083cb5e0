package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("drills.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("drills.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance reads a YAML file as an editor does.
func instance(t *testing.T, file string) any {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(content, &v); err != nil {
		t.Skipf("not YAML for the library either: %v", err)
	}
	text, err := json.Marshal(texts(v))
	if err != nil {
		t.Skipf("not JSON: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// texts makes keys texts, as JSON wants them.
func texts(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for k, one := range v {
			out[written(k)] = texts(one)
		}
		return out
	case map[string]any:
		for k, one := range v {
			v[k] = texts(one)
		}
	case []any:
		for i, one := range v {
			v[i] = texts(one)
		}
	}
	return v
}

func TestSchema_takesGoodFiles(t *testing.T) {
	s := compiled(t)
	files := []string{"shipped/drills.yaml", "testdata/full.yaml"}
	design, err := filepath.Glob("testdata/design/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	teams, err := filepath.Glob("testdata/design/teams/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Concat(files, design, teams) {
		t.Run(file, func(t *testing.T) {
			if err := s.Validate(instance(t, file)); err != nil {
				t.Error(err)
			}
		})
	}
}

// blind are the mistakes that a schema cannot see, as they need a look at two places or at the world.
func blind() []string {
	return []string{
		"account-cloud-does-not-fit", "account-unknown", "alarm-account-does-not-fit",
		"alarm-unknown", "aliases-without-end", "approval-unknown-role",
		"binding-twice", "binding-twice-in-one-environment", "binding-unknown-role", "channel-unknown", "claim-http-with-password",
		"cron-backwards", "cron-never", "deep", "freeze-backwards", "freeze-unknown-plan", "include-circle", "include-missing",
		"include-twice-the-same-drill", "number-too-long", "parameter-default-not-in-enum",
		"parameter-default-too-big", "parameter-min-above-max", "parameter-of-fis", "parameter-pattern",
		"parameter-without-value-for-the-schedule", "reference-not-closed", "reference-not-declared", "second-document", "targets-backwards", "timezone",
		"version-missing", "window-empty", "yaml-type",
	}
}

func TestSchema_refusesBrokenFiles(t *testing.T) {
	s := compiled(t)
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			err := s.Validate(instance(t, file))
			if sees := !slices.Contains(blind(), name); sees != (err != nil) {
				t.Errorf("the schema says %v; that it sees the mistake is %v", err, sees)
			}
		})
	}
}

// TestSchema_knowsWhatGoKnows holds the fields of the schema and those of the code together.
func TestSchema_knowsWhatGoKnows(t *testing.T) {
	var doc struct {
		Defs map[string]struct {
			Properties           map[string]json.RawMessage
			AdditionalProperties any
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds() {
		def, ok := doc.Defs[string(k)]
		if !ok {
			t.Errorf("the schema has no %s", k)
			continue
		}
		inSchema, inCode := slices.Sorted(maps.Keys(def.Properties)), slices.Sorted(slices.Values(k.keys()))
		if !slices.Equal(inSchema, inCode) {
			t.Errorf("%s: the schema knows %v, the code %v", k, inSchema, inCode)
		}
		if def.AdditionalProperties != false {
			t.Errorf("%s: the schema takes unknown fields, the code does not", k)
		}
	}
	for _, service := range []string{"fis", "ahas", "oos", "cfg"} {
		if def := doc.Defs[service]; def.AdditionalProperties != false || len(def.Properties) == 0 {
			t.Errorf("%s: the schema must know fields of the service and refuse others, as its driver does", service)
		}
	}
}

// TestSchema_describesEveryField keeps the editor's help complete.
func TestSchema_describesEveryField(t *testing.T) {
	var doc struct {
		Defs map[string]struct{ Properties map[string]map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	described := func(p map[string]any) bool {
		if _, ok := p["description"]; ok {
			return true
		}
		_, ok := p["$ref"]
		return ok
	}
	for kind, def := range doc.Defs {
		for field, p := range def.Properties {
			if !described(p) {
				t.Errorf("%s.%s has no description", kind, field)
			}
		}
	}
}
