package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the golden events")

// row binds a type's constant to its payload.
type row struct {
	constant string
	typ      string
	payload  string
	zero     Payload
	decode   func(Event) (Payload, error)
}

func of[T Payload](constant, typ string) row {
	var zero T
	return row{constant, typ, reflect.TypeFor[T]().Name(), zero, func(e Event) (Payload, error) { return Decode[T](e) }}
}

// contract is every type there is; TestContract_everyConstantIsInTheTable holds it complete.
func contract() []row {
	return []row{
		of[Tick]("TypeTick", TypeTick), of[Alarm]("TypeAlarm", TypeAlarm), of[State]("TypeState", TypeState),
		of[Start]("TypeStart", TypeStart), of[Approve]("TypeApprove", TypeApprove), of[Reject]("TypeReject", TypeReject),
		of[Advance]("TypeAdvance", TypeAdvance), of[Stop]("TypeStop", TypeStop), of[Halt]("TypeHalt", TypeHalt),
		of[Release]("TypeRelease", TypeRelease), of[Note]("TypeNote", TypeNote), of[Answer]("TypeAnswer", TypeAnswer),
		of[Conclude]("TypeConclude", TypeConclude),
		of[Refused]("TypeRefused", TypeRefused), of[Requested]("TypeRequested", TypeRequested), of[Waiting]("TypeWaiting", TypeWaiting),
		of[Approved]("TypeApproved", TypeApproved), of[Started]("TypeStarted", TypeStarted), of[Progressed]("TypeProgressed", TypeProgressed),
		of[Stopping]("TypeStopping", TypeStopping), of[Stopped]("TypeStopped", TypeStopped), of[Completed]("TypeCompleted", TypeCompleted),
		of[Failed]("TypeFailed", TypeFailed), of[Restored]("TypeRestored", TypeRestored), of[Concluded]("TypeConcluded", TypeConcluded),
		of[Amended]("TypeAmended", TypeAmended), of[Attached]("TypeAttached", TypeAttached),
		of[Announced]("TypeAnnounced", TypeAnnounced), of[Reply]("TypeReply", TypeReply),
	}
}

// short is the type without its prefix: the name of the schema and of the golden event.
func (r row) file() string { return strings.TrimPrefix(r.typ, prefix) + ".json" }

func TestContract_everyConstantIsInTheTable(t *testing.T) {
	want := constants(t)
	var got []string
	for _, r := range contract() {
		got = append(got, r.constant)
		if r.zero.EventType() != r.typ {
			t.Errorf("%s: payload %s travels under %q, want %q", r.constant, r.payload, r.zero.EventType(), r.typ)
		}
		if !regexp.MustCompile(`^dev\.firedrill\.(signal|command|drill|chat)\.[a-z]+\.v[1-9]$`).MatchString(r.typ) {
			t.Errorf("%s: %q is not dev.firedrill.<group>.<name>.v<N>", r.constant, r.typ)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("the table and the Type constants of the package differ\ntable:     %v\nconstants: %v", got, want)
	}
}

// constants lists the names of the package's Type… constants from its source.
func constants(t *testing.T) []string {
	t.Helper()
	var names []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok != token.CONST {
				return false
			}
			if v, ok := n.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					if strings.HasPrefix(id.Name, "Type") {
						names = append(names, id.Name)
					}
				}
			}
			return true
		})
	}
	return names
}

func TestContract_noFileWithoutAType(t *testing.T) {
	want := []string{}
	for _, r := range contract() {
		want = append(want, r.file())
	}
	slices.Sort(want)
	for dir, extra := range map[string][]string{"schema": {"about.v1.json"}, "testdata": nil} {
		var got []string
		paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if name := filepath.Base(p); !slices.Contains(extra, name) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s holds %v, want one file a type: %v", dir, got, want)
		}
	}
}

func TestContract_catalogueNamesEveryType(t *testing.T) {
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range contract() {
		name := regexp.QuoteMeta(strings.TrimSuffix(strings.TrimPrefix(r.typ, prefix), ".v1"))
		line := regexp.MustCompile(`(?m)^//\t` + name + ` +` + r.payload + ` +\S.* {2,}\S`)
		if !line.Match(b) {
			t.Errorf("doc.go has no line for %s with payload %s, who produces and who consumes it", r.typ, r.payload)
		}
	}
}

func TestContract_payloadSchemaAndGoldenAgree(t *testing.T) {
	for _, r := range contract() {
		t.Run(r.file(), func(t *testing.T) {
			schema := compile(t, r)
			sameFields(t, r)
			golden := readGolden(t, r)
			e, err := Parse(golden)
			if err != nil {
				t.Fatalf("parse golden: %v", err)
			}
			if err := schema.Validate(document(t, e.Data())); err != nil {
				t.Errorf("schema refuses the golden: %v", err)
			}
			again := roundTrip(t, r, e)
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", r.file()), again, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !*update && !bytes.Equal(again, golden) {
				t.Errorf("round trip differs from the golden (rewrite with -update)\ngot:\n%s\nwant:\n%s", again, golden)
			}
			brokenVariants(t, r, schema, e)
		})
	}
}

func readGolden(t *testing.T, r row) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", r.file()))
	if err != nil {
		t.Fatalf("every type needs a golden event: %v", err)
	}
	return b
}

// roundTrip decodes the event, makes it anew from what was decoded, and returns the indented result.
func roundTrip(t *testing.T, r row, e Event) []byte {
	t.Helper()
	p, err := r.decode(e)
	if err != nil {
		t.Fatalf("decode golden: %v", err)
	}
	again, err := New(Envelope{
		ID: e.ID(), Source: e.Source(), Subject: e.Subject(), Time: e.Time(),
		Cause: Cause(e), Sequence: Sequence(e), Traceparent: Traceparent(e),
	}, p)
	if err != nil {
		t.Fatalf("make the golden anew: %v", err)
	}
	b, err := again.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// sameFields holds the schema's properties and the payload's fields equal by name, and what the schema requires among
// the fields that are always written. Every property has a description.
func sameFields(t *testing.T, r row) {
	t.Helper()
	props, required := properties(t, r.file())
	fields := jsonFields(reflect.TypeOf(r.zero))
	for name, always := range fields {
		if _, ok := props[name]; !ok {
			t.Errorf("field %s of %s is not in the schema", name, r.payload)
		}
		if slices.Contains(required, name) && !always {
			t.Errorf("field %s of %s is required by the schema and left out when empty by the payload", name, r.payload)
		}
	}
	for name, p := range props {
		if _, ok := fields[name]; !ok {
			t.Errorf("the schema's property %s is no field of %s", name, r.payload)
		}
		if p.Description == "" {
			t.Errorf("property %s of %s has no description", name, r.file())
		}
	}
}

// brokenVariants breaks the golden's data in every way that is generated here; payload and schema must both refuse.
func brokenVariants(t *testing.T, r row, schema *jsonschema.Schema, golden Event) {
	t.Helper()
	props, required := properties(t, r.file())
	var data map[string]any
	if err := json.Unmarshal(golden.Data(), &data); err != nil {
		t.Fatal(err)
	}
	for _, name := range required {
		refusedByBoth(t, r, schema, golden, "without "+name, without(data, name))
		for _, empty := range []any{nil, "", "  ", []any{}, map[string]any{}} {
			refusedByBoth(t, r, schema, golden, fmt.Sprintf("%s is %#v", name, empty), with(data, name, empty))
		}
	}
	for name, v := range data {
		wrong := any(map[string]any{"wrong": map[string]any{"deep": 1}})
		if _, isObject := v.(map[string]any); isObject {
			wrong = "text"
		}
		refusedByBoth(t, r, schema, golden, name+" of another type", with(data, name, wrong))
	}
	if _, ok := data["scope"]; ok {
		refusedByBoth(t, r, schema, golden, "scope outside its pattern", with(data, "scope", "perhaps"))
	}
	for name, p := range props {
		if strings.Contains(p.Description, "At most 4096 bytes") {
			refusedByBoth(t, r, schema, golden, name+" too long", with(data, name, strings.Repeat("x", maxText+1)))
		}
		if p.Enum != nil {
			err := refusedByBoth(t, r, schema, golden, name+" outside its enumeration", with(data, name, "perhaps"))
			if want := "none of " + strings.Join(p.Enum, ", "); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the payload says %v, the schema %q", name, err, want)
			}
		}
		if !slices.Contains(required, name) {
			takenByBoth(t, r, schema, golden, "without "+name, without(data, name))
		}
	}
}

func without(data map[string]any, name string) map[string]any {
	out := with(data, name, nil)
	delete(out, name)
	return out
}

func with(data map[string]any, name string, v any) map[string]any {
	out := make(map[string]any, len(data))
	for k, old := range data {
		out[k] = old
	}
	out[name] = v
	return out
}

func refusedByBoth(t *testing.T, r row, schema *jsonschema.Schema, golden Event, what string, data map[string]any) error {
	t.Helper()
	byPayload, bySchema := judge(t, r, schema, golden, data)
	if !errors.Is(byPayload, ErrInvalid) {
		t.Errorf("%s: the payload takes it: %v", what, byPayload)
	}
	if bySchema == nil {
		t.Errorf("%s: the schema takes it", what)
	}
	return byPayload
}

func takenByBoth(t *testing.T, r row, schema *jsonschema.Schema, golden Event, what string, data map[string]any) {
	t.Helper()
	if byPayload, bySchema := judge(t, r, schema, golden, data); byPayload != nil || bySchema != nil {
		t.Errorf("%s: the payload says %v, the schema %v", what, byPayload, bySchema)
	}
}

// judge asks payload and schema about the golden with other data.
func judge(t *testing.T, r row, schema *jsonschema.Schema, golden Event, data map[string]any) (byPayload, bySchema error) {
	t.Helper()
	e := golden.Clone()
	if err := e.SetData("application/json", data); err != nil {
		t.Fatal(err)
	}
	_, byPayload = r.decode(e)
	return byPayload, schema.Validate(document(t, e.Data()))
}

func TestContract_laterFieldsArePassedOver(t *testing.T) {
	for _, r := range contract() {
		t.Run(r.file(), func(t *testing.T) {
			e, err := Parse(readGolden(t, r))
			if err != nil {
				t.Fatal(err)
			}
			var data map[string]any
			if err := json.Unmarshal(e.Data(), &data); err != nil {
				t.Fatal(err)
			}
			if err := e.SetData("application/json", with(data, "added_later", []any{1, "二"})); err != nil {
				t.Fatal(err)
			}
			if _, err := r.decode(e); err != nil {
				t.Errorf("the payload refuses a field that it does not know: %v", err)
			}
			if err := compile(t, r).Validate(document(t, e.Data())); err != nil {
				t.Errorf("the schema refuses a field that it does not know: %v", err)
			}
		})
	}
}

func TestContract_emptyPayloadIsRefused(t *testing.T) {
	for _, r := range contract() {
		if _, err := New(Envelope{ID: "1", Source: "/firedrill/test/x", Time: time.Unix(1, 0)}, r.zero); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: an empty payload became an event: %v", r.typ, err)
		}
	}
}
