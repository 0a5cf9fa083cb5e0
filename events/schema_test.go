package events

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T, r row) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	for _, name := range []string{"about.v1.json", r.file()} {
		b, err := fs.ReadFile(Schemas, "schema/"+name)
		if err != nil {
			t.Fatalf("every type needs a schema: %v", err)
		}
		if err := c.AddResource("https://firedrill.dev/schema/"+name, document(t, b)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://firedrill.dev/schema/" + r.file())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func document(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// property is what the test reads of a schema's property.
type property struct {
	Description string
	Enum        []string
}

// properties returns the schema's properties, and what it requires, those of about included.
func properties(t *testing.T, file string) (map[string]property, []string) {
	t.Helper()
	var s struct {
		Ref        string              `json:"$ref"`
		Required   []string            `json:"required"`
		Properties map[string]property `json:"properties"`
		Additional bool                `json:"additionalProperties"`
	}
	b, err := fs.ReadFile(Schemas, "schema/"+file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if !s.Additional {
		t.Errorf("%s closes itself to later fields", file)
	}
	props, required := map[string]property{}, s.Required
	if s.Ref != "" {
		p, r := properties(t, s.Ref)
		props, required = p, append(required, r...)
	}
	for name, p := range s.Properties {
		props[name] = p
	}
	return props, required
}

// jsonFields returns the JSON names of a struct's fields, and whether each is written even when empty.
func jsonFields(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = !strings.Contains(options, "omit")
	}
	return out
}
