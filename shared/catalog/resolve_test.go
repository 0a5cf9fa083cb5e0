package catalog_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestResolve_defaults(t *testing.T) {
	p := plan(t, load(t, "testdata/full.yaml"), "everything")
	before, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	params, block, err := catalog.Resolve(p, map[string]any{"plain": "x"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "parameters", params, map[string]any{"text": "a b", "plain": "x", "many": 3, "part": 0.5, "yes": false, "span": "90s", "key": "secret:oos/key"})
	values := block["parameters"].(map[string]any)
	equal(t, "the template's own", values["targets"], map[string]any{"Type": "ResourceIds", "max": "many"})
	for _, own := range []string{"1", "count", "date", "nothing", "on", "ratio", "targets"} {
		delete(values, own)
	}
	equal(t, "block", values, map[string]any{"Text": "a b, x", "Many": 3, "Part": 0.5, "Yes": false, "Span": "90s", "Key": "secret:oos/key",
		"Shell": "echo ${HOME} 3x $5"})
	if after, err := json.Marshal(p); err != nil || string(after) != string(before) {
		t.Error("the plan was changed")
	}
}

func TestResolve_types(t *testing.T) {
	p := plan(t, load(t, "testdata/full.yaml"), "everything")
	for _, c := range []struct {
		name, parameter string
		given, want     any // want is a text of the error if it begins with "!"
	}{
		{"int from chat", "many", "5", 5},
		{"int from JSON", "many", 5.0, 5},
		{"int from a JSON number", "many", json.Number("1"), 1},
		{"int with a fraction", "many", 1.5, `!parameter many: "1.5" is not a whole number`},
		{"int in words", "many", "three", `!parameter many: "three" is not a whole number`},
		{"int too small", "many", 0, "!parameter many: 0 is less than 1"},
		{"int too big", "many", "6", "!parameter many: 6 is more than 5"},
		{"int not in the list", "many", "4", "!parameter many: 4 is not one of 1, 3, 5"},
		{"int that JSON would bend", "many", "9007199254740993", "!is not a whole number"},
		{"int from a list", "many", []any{1}, "!is not a whole number"},
		{"number from chat", "part", "0.25", 0.25},
		{"number too big", "part", 1.01, "!parameter part: 1.01 is more than 1"},
		{"number that is none", "part", "NaN", `!parameter part: "NaN" is not a number`},
		{"bool from chat", "yes", "Yes", true},
		{"bool from JSON", "yes", true, true},
		{"bool in another language", "yes", "да", `!parameter yes: "да" is neither true nor false`},
		{"duration", "span", "2m", "2m"},
		{"duration without unit", "span", "2", `!parameter span: "2" is not a duration; write 2s or 2m`},
		{"duration in words", "span", "30 minutes", `!parameter span: "30 minutes" is not a duration; write 30m`},
		{"duration too short", "span", "5s", "!parameter span: 5s is less than 10 seconds"},
		{"duration too long", "span", "1h", "!parameter span: 1h is more than 600 seconds"},
		{"string", "plain", "搜索 🔍", "搜索 🔍"},
		{"string from a JSON number", "plain", 12.0, "12"},
		{"string that does not match", "text", "A1", `!parameter text: "A1" does not match [a-z ]+`},
		{"string of which a part matches", "text", "a\nb", `!does not match`},
		{"secret", "key", "secret:other", "secret:other"},
		{"secret in plain", "key", "hunter2", "!parameter key: takes a reference such as secret:name, never the secret itself"},
		{"reference inside a value stays as it is", "plain", "${many}", "${many}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := map[string]any{"plain": "x", c.parameter: c.given}
			got, block, err := catalog.Resolve(p, given)
			if text, wrong := c.want.(string); wrong && strings.HasPrefix(text, "!") {
				if err == nil || !strings.Contains(err.Error(), text[1:]) || strings.Contains(err.Error(), "hunter2") || got != nil || block != nil {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got[c.parameter], c.want) {
				t.Errorf("got %#v, %v", got[c.parameter], err)
			}
		})
	}
}

func TestResolve_undeclared(t *testing.T) {
	c := load(t, "testdata/full.yaml")
	for _, one := range []struct {
		name, plan string
		given      map[string]any
		want       string
	}{
		{"FIS takes none", "weekly", map[string]any{"seconds": "5"},
			`weekly has no parameter "seconds": FIS takes no parameters at all; put them in the experiment template`},
		{"a plan without parameters", "mesh", map[string]any{"seconds": "5"}, `mesh has no parameter "seconds": it declares none`},
		{"a slip of the pen", "everything", map[string]any{"plain": "x", "spam": "5"},
			`everything has no parameter "spam": it declares key, many, part, plain, span, text, yes; did you mean span?`},
		{"missing", "everything", nil, "parameter plain has no default: give plain=…"},
		{"all mistakes at once", "everything", map[string]any{"zz": 1, "many": 9},
			"everything has no parameter \"zz\": it declares key, many, part, plain, span, text, yes\nparameter many: 9 is more than 5\nparameter plain has no default: give plain=…"},
	} {
		t.Run(one.name, func(t *testing.T) {
			_, _, err := catalog.Resolve(plan(t, c, one.plan), one.given)
			if err == nil || err.Error() != one.want {
				t.Errorf("got  %v\nwant %s", err, one.want)
			}
		})
	}
}

func TestResolve_secretsMustBeKnown(t *testing.T) {
	p := plan(t, load(t, "testdata/full.yaml"), "everything")
	given := map[string]any{"plain": "x"}
	if _, _, err := catalog.Resolve(p, given, func(name string) bool { return name == "oos/key" }); err != nil {
		t.Error(err)
	}
	_, _, err := catalog.Resolve(p, given, nil, func(string) bool { return false })
	if err == nil || err.Error() != "parameter key: no secret is called secret:oos/key" {
		t.Error(err)
	}
}

// TestResolve_afterTheJournal resolves a plan that went through JSON, as it does when a journal embeds it.
func TestResolve_afterTheJournal(t *testing.T) {
	p := plan(t, load(t, "testdata/design/drills.yaml"), "cart-cpu")
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again drill.Plan
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	params, block, err := catalog.Resolve(again, map[string]any{"seconds": "240"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "seconds", params["seconds"], 240)
	groups := block["groups"].([]any)[0].(map[string]any)
	equal(t, "duration", groups["actions"], map[string]any{"1": map[string]any{"duration": 240}})
}
