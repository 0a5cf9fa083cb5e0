package ahas

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func TestCheck_ListsEveryMistake(t *testing.T) {
	d := newStage(t).d
	for _, c := range []struct {
		name  string
		block map[string]any
		want  []string
	}{
		{"nothing", nil, []string{"ahas.experiment"}},
		{"the id as a number", map[string]any{"experiment": json.Number("1234567890123456789")}, []string{"quotes"}},
		{"the id as a float", map[string]any{"experiment": 1.2345678901234567e18}, []string{"quotes"}},
		{"the id is a name", map[string]any{"experiment": "cpu"}, []string{"digits"}},
		{"another region", map[string]any{"experiment": "1", "region": "cn-beijing"}, []string{"ahas.region", "cn-hangzhou"}},
		{"unknown fields", map[string]any{"experiment": "1", "hosts": []any{"a"}, "template": 1}, []string{"ahas.hosts", "ahas.template", "definition.param"}},
		{"definition is no object", map[string]any{"experiment": "1", "definition": "[]"}, []string{"ahas.definition"}},
		{"definition is broken", map[string]any{"experiment": "1", "definition": `{"param":[]} x`}, []string{"after the JSON object"}},
		{"definition without param", map[string]any{"experiment": "1", "definition": map[string]any{"params": []any{}}}, []string{"definition.param"}},
		{"five at once", map[string]any{"experiment": true, "namespace": 1, "definition": map[string]any{"param": []any{map[string]any{
			"groupId": 1234567890123456789, "hosts": []any{}, "activieyParam": []any{},
			"activityParam": []any{map[string]any{"flowId": 1, "arguments": map[string]any{"a": []any{}}}},
		}, 7}}}, []string{
			"ahas.experiment", "ahas.namespace", "param[0].groupId", "param[0].hosts", "param[0].activieyParam", "activityParam[0].flowId",
			"activityParam[0].arguments.a", "param[1]",
		}},
		{"number in the arguments of a text", map[string]any{"experiment": "1", "definition": `{"param":[{"groupId":"1","activityParam":[{"arguments":{"cpu_count":1}}]}]}`}, []string{"arguments.cpu_count"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := d.Check(seedRequest(c.block))
			if d.Code(err) != driver.Invalid {
				t.Fatalf("%v is %q", err, d.Code(err))
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("the error lacks %q: %v", w, err)
				}
			}
		})
	}
}

func TestCheck_Accepts(t *testing.T) {
	d := newStage(t).d
	for name, block := range map[string]map[string]any{
		"seed as text":           seedBlock(seedDefinition),
		"the catalogue's sample": {"experiment": cpuFullload, "region": "cn-hangzhou", "definition": map[string]any{"param": []any{}}},
		"fields of the vendor's": seedBlock(map[string]any{"param": []any{map[string]any{"groupId": "1", "scope": "k8s"}}, "x": 1}),
	} {
		if err := d.Check(seedRequest(block)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDefinition(f *testing.F) {
	f.Add(seedDefinition)
	f.Add(`{"param":[{"groupId":1,"hosts":[null],"activityParam":[{"arguments":{"a":1e999}}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, strict := range []bool{true, false} {
			var v any = text
			if !strict && json.Unmarshal([]byte(text), &v) != nil {
				continue
			}
			bad := false
			out := readDefinition(v, func(string, ...any) { bad = true })
			if !bad && !json.Valid([]byte(out)) {
				t.Fatalf("%q became %q", text, out)
			}
		}
	})
}
