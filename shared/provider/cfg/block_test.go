package cfg

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func TestPreview(t *testing.T) {
	for name, c := range map[string]struct {
		block         map[string]any
		refusal, note string
	}{
		"a disabled template":            {yamlish("template", 632, "instances", two), "disabled", ""},
		"too few groups":                 {yamlish("template", 630, "instances", two), "has 2 action groups", ""},
		"an order that is not there":     {yamlish("template", 626, "groups", []any{yamlish("instances", two, "actions", map[any]any{7: yamlish("x", 1)})}), "groups[0].actions.7", ""},
		"an action of another account":   {yamlish("action", 501, "instances", two), "not open to this account", ""},
		"an action that is not there":    {yamlish("action", 4242, "instances", two), "not in the action library", ""},
		"a required field is missing":    {yamlish("action", 466, "custom", yamlish("ip", "192.0.2.1"), "instances", two), "needs the custom field domain", ""},
		"an action that is withdrawn":    {yamlish("action", 502, "instances", two), "", "action 502 is withdrawn at 2027-06-30 00:00:00"},
		"a fault that cannot be undone":  {yamlish("action", 462, "custom", yamlish("interfaces", "eth0"), "instances", two), "", "Network Packet Loss cannot be undone"},
		"an unknown kind of resource":    {yamlish("action", 462, "instances", []any{"gateway-x"}), "", "set object_type"},
		"a good plan":                    {yamlish("template", 627, "instances", two), "", ""},
		"a good plan with two groups":    {yamlish("template", 630, "groups", []any{yamlish("instances", two), yamlish("instances", []any{"cdb-a"})}), "", "MySQL Primary Node Failure cannot be undone"},
		"a changed field of a template":  {yamlish("template", 631, "groups", []any{yamlish("instances", two, "actions", yamlish("1", yamlish("duration", 30)))}), "", ""},
		"a field that the plan empties ": {yamlish("template", 631, "groups", []any{yamlish("instances", two, "actions", yamlish("1", yamlish("domain", "")))}), "custom field domain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			p, err := b.D.(driver.Previewer).Preview(t.Context(), b.W.Request(1, c.block))
			if err != nil || !p.Done || p.Proved != "syntax" {
				t.Fatalf("%+v, %v", p, err)
			}
			if !strings.Contains(p.Refusal, c.refusal) || (c.refusal == "") != (p.Refusal == "") {
				t.Errorf("refusal %q, want %q", p.Refusal, c.refusal)
			}
			if c.note != "" && !strings.Contains(strings.Join(p.Notes, "\n"), c.note) {
				t.Errorf("notes %q, want %q", p.Notes, c.note)
			}
			if c.refusal == "" && len(p.Targets) == 0 {
				t.Error("no targets")
			}
			if got := b.W.Service.Runs(); len(got) > 0 {
				t.Errorf("the preview made %v", got)
			}
		})
	}
	b := newBench(t)
	_, err := b.D.(driver.Previewer).Preview(t.Context(), b.W.Request(1, yamlish("template", 1, "instances", two)))
	b.Wants(err, driver.Invalid, driver.NotFound)
}

func TestCheck_NamesFieldAndFix(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		block map[string]any
		want  []string
	}{
		"nothing":              {yamlish(), []string{"template: a cfg block has exactly one of", "instances: list the resources"}},
		"two kinds":            {yamlish("template", 626, "action", 1, "instances", two), []string{"this one has 2"}},
		"a typo":               {yamlish("template", 626, "instances", two, "on_stopp", "pause"), []string{"on_stopp: not a field"}},
		"ours with a capital":  {yamlish("template", 626, "groups", []any{yamlish("instances", two, "Actions", yamlish())}, "OnStop", "pause", "Mode", "auto"), []string{"OnStop: did you mean on_stop?", "Mode: did you mean mode?", "groups[0].Actions: did you mean actions?"}},
		"wrong values":         {yamlish("template", 0, "instances", two, "mode", "x", "on_stop", 3, "pause_after", "soon", "title", 1), []string{"template: must be a positive number", "mode: must be one of auto, manual", "on_stop: must be one of pause, rollback", "pause_after: must be", "title: must be text"}},
		"both lists":           {yamlish("template", 626, "instances", two, "groups", []any{yamlish("instances", two)}), []string{"groups: list the instances"}},
		"groups":               {yamlish("template", 626, "groups", []any{"x", yamlish("instances", []any{"a", "a", 3}, "colour", 1, "actions", yamlish("0", yamlish(), "1", 4, "2", yamlish("PreTimeWait", -1)))}), []string{"groups[0]: must be", "groups[1].colour", "instances[1]: a is listed twice", "instances[2]: must be a resource id", "actions.0: must be an action's order", "actions.1: must be an object", "actions.2.PreTimeWait: must be seconds"}},
		"template's own":       {yamlish("action", 462, "instances", two, "mode", "auto", "on_stop", "rollback", "groups", []any{yamlish("instances", two)}), []string{"mode: only tasks made from a template", "on_stop: only", "groups: only"}},
		"tags of many actions": {yamlish("actions", []any{462}, "instances", two, "tags", yamlish("a", "b")), []string{"tags: CreateTaskFromMultiAction takes no tags"}},
		"too many resources":   {yamlish("template", 626, "instances", two, "targets", yamlish("min", 1, "max", 1)), []string{"targets: the plan names 2 resources, targets allows 1 to 1"}},
		"odd bounds":           {yamlish("action", 1, "instances", two, "targets", yamlish("min", -1, "about", 3)), []string{"targets.min: must be a number", "targets.about: not a bound"}},
		"our tag":              {yamlish("action", 462, "instances", two, "tags", yamlish("firedrill", "x")), []string{"tags.firedrill: is set by Firedrill"}},
		"actions":              {yamlish("actions", []any{yamlish("custom", 3), "x"}, "instances", two), []string{"actions[0].id: must be", "actions[0].custom: must be an object", "actions[1]: must be"}},
		"longer than the plan": {yamlish("template", 626, "instances", two, "pause_after", 61), []string{"61 minutes are longer than the plan's max_duration of 1h0m0s: set at most 60"}},
		"TKE without cluster":  {yamlish("action", 1, "instances", []any{yamlish("PodName", "p")}), []string{"instances[0]: must be a resource id"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := b.D.Check(b.W.Request(1, c.block))
			b.Wants(err, driver.Invalid)
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
	unbounded := b.W.Request(1, yamlish("template", 626, "instances", two))
	unbounded.Timeout = 0
	if err := b.D.Check(unbounded); err == nil || !strings.Contains(err.Error(), "pause_after: the run has no bound") {
		t.Errorf("unbounded: %v", err)
	}
	unbounded.Block["pause_after"] = 30
	if err := b.D.Check(unbounded); err != nil {
		t.Errorf("bounded by the service: %v", err)
	}
	for _, good := range []map[string]any{
		yamlish("template", "626", "groups", []any{map[any]any{"instances": two, "actions": map[any]any{1: map[any]any{"duration": "180"}}}}),
		yamlish("template", 626.0, "instances", []string{"ins-a"}, "targets", yamlish("min", 1, "max", 12), "TaskArchId", "x", "tags", yamlish("team", 7)),
		yamlish("action", json.Number("462"), "instances", []any{yamlish("ClusterId", "cls-x", "InstanceId", "ins-x", "LanIP", "1.1.1.1")}, "on_stop", "pause"),
	} {
		if err := b.D.Check(b.W.Request(1, good)); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
}

// FuzzParseBlock reads whatever a catalogue may hold: it is never a panic, and what passes makes a request.
func FuzzParseBlock(f *testing.F) {
	f.Add(`{"template":626,"groups":[{"instances":["ins-a"],"actions":{"1":{"duration":60}}}],"mode":"auto","tags":{"a":1}}`)
	f.Add(`{"action":"462","instances":[{"ClusterId":"cls-x"}],"custom":{"interfaces":"eth0"},"TaskArchId":{}}`)
	f.Add(`{"actions":[462,{"id":12,"general":{"PreTimeWait":1}}],"instances":["a"],"targets":{"min":1,"max":2}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		b, err := parseBlock(m)
		if err != nil {
			return
		}
		v := &vendor{reply: `{"Response":{"TaskId":1,"Template":{"TemplateId":1}}}`}
		api, err := NewClient(driver.Config{Credentials: credentials, Transport: v})
		if err != nil {
			t.Fatal(err)
		}
		d := &Driver{api: api, limit: 60}
		if run, err := d.Prepare(t.Context(), driver.Request{Drill: "d1", Block: m}); err != nil || run.ID != "1" {
			t.Errorf("%s: %+v, %v", text, run, err)
		}
		var sent map[string]any
		if err := json.Unmarshal([]byte(v.body), &sent); err != nil || !strings.Contains(v.body, "[fd:d1]") {
			t.Errorf("sent %s: %v", v.body, err)
		}
		b.planned()
	})
}
