package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/catalog"
)

// TestSchema_saysWhatCheckSays holds the editors' schema and `check`, drivers included, to one answer.
func TestSchema_saysWhatCheckSays(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(catalog.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("drills.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("drills.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for line, good := range schemaCases() {
		t.Run(line, func(t *testing.T) {
			text := base(line)
			code, out, errs := cli(t, "check", "--catalog", write(t, "drills.yaml", text))
			if (code == 0) != good {
				t.Errorf("check takes it: %v, want %v\n%s%s", code == 0, good, out, errs)
			}
			var v any
			if err := yaml.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			asJSON, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			one, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(one); (err == nil) != good {
				t.Errorf("the schema takes it: %v, want %v\n%.400v", err == nil, good, err)
			}
		})
	}
}

// base puts a line where it belongs: a block, a section of the catalogue, or a field of a plan.
func base(line string) string {
	const plan = "  one: { owner: o, account: %a, %l }\n"
	name, _, _ := strings.Cut(line, ":")
	accounts := map[string]string{"fis": "a", "ahas": "l", "oos": "l", "cfg": "t"}
	switch account, block := accounts[name]; {
	case block:
		parameters := "parameters: { p: { default: x }, n: { type: int, default: 3 } }, "
		if name == "fis" {
			parameters = ""
		}
		return head + strings.NewReplacer("%a", account, "%l", parameters+line).Replace(plan)
	case name == "accounts":
		return strings.Replace(head, "accounts:", "accounts:\n  x: "+strings.TrimPrefix(line, "accounts:"), 1) + strings.NewReplacer("%a", "l", "%l", "oos: { template: t }").Replace(plan)
	case name == "freezes", name == "holidays", name == "channels":
		return head + strings.NewReplacer("%a", "l", "%l", "oos: { template: t }").Replace(plan) + line + "\n"
	}
	return head + strings.NewReplacer("%a", "l", "%l", "oos: { template: t }, "+line).Replace(plan)
}

// schemaCases are lines of a catalogue, and whether they are right.
func schemaCases() map[string]bool {
	return map[string]bool{
		`oos: { template: 5 }`:             true,
		`oos: { template: t, version: 3 }`: true,
		`oos: { template: t, version: v3, mode: FailurePause, loop_mode: EveryBatchPause, tags: { a: b }, unbounded: why }`: true,
		`oos: { template: "${p}", mode: Automatic, safety_check: Skip }`:                                                    true,
		`oos: { template: t, mode: Debug, safety_check: Skip }`:                                                             false,
		`oos: { template: t, mode: Foo }`:                                                                                   false,
		`oos: { template: t, safety_check: foo }`:                                                                           false,
		`oos: { template: t, loop_mode: foo }`:                                                                              false,
		`oos: { template: t, loopMode: Automatic }`:                                                                         false,
		`oos: { template: t, ClientToken: x }`:                                                                              false,
		`oos: { template: t, targets: { Type: ResourceIds } }`:                                                              false,
		`oos: { template: t, targets: { max: 3 } }`:                                                                         true,
		`oos: { template: t, targets: {} }`:                                                                                 false,
		`oos: { template: t, recovery: null }`:                                                                              true,
		`oos: { template: t, recovery: {} }`:                                                                                false,
		`oos: { template: t, recovery: { template: u, parameters: { a: 1 } } }`:                                             true,
		`oos: { template: t, recovery: { template: u, loop_mode: Automatic } }`:                                             false,
		`oos: { template: t, recovery: { template: u, inherit: { a: 1 } } }`:                                                false,
		`oos: { template: t, template_url: "https://x" }`:                                                                   false,
		`oos: { template_url: "https://x" }`:                                                                                true,
		`oos: { template_url: "http://x" }`:                                                                                 false,
		`oos: { template_url: "https://x", version: v1 }`:                                                                   false,
		`oos: { template_content: "{}" }`:                                                                                   true,
		`oos: { parameters: { a: b } }`:                                                                                     false,
		`oos: { template: t, parameters: null }`:                                                                            true,
		`ahas: { experiment: "1234567890123456789" }`:                                                                       true,
		`ahas: { experiment: "1", definition: null, namespace: null }`:                                                      true,
		`ahas: { experiment: "1", definition: { param: [ { groupId: "1", Own: x } ] } }`:                                    true,
		`ahas: { experiment: "1", definition: '{"param":[]}' }`:                                                             true,
		`ahas: { experiment: "1", definition: {} }`:                                                                         false,
		`ahas: { experiment: abc }`:                                                                                         false,
		`ahas: { experiment: 12 }`:                                                                                          false,
		`ahas: { experiment: "1", foo: 1 }`:                                                                                 false,
		`ahas: { namespace: x }`:                                                                                            false,
		`fis: { template: EXT1, tags: { a: b }, actionsMode: skip-all }`:                                                    true,
		`fis: { template: EXT1, experimentOptions: { actionsMode: run-all } }`:                                              true,
		`fis: { template: EXT1, experimentOptions: { foo: run-all } }`:                                                      false,
		`fis: { template: EXT1, actionsMode: foo }`:                                                                         false,
		`fis: { template: EXT1, foo: 1 }`:                                                                                   false,
		`fis: { template: EXT1, clientToken: x }`:                                                                           false,
		`fis: { template: a/b }`:                                                                                            false,
		`fis: { actionsMode: run-all }`:                                                                                     false,
		`fis: { template: EXT1, targets: { min: 1, max: 2 } }`:                                                              true,
		`cfg: { template: 1, mode: manual, on_stop: rollback, instances: [ a ] }`:                                           true,
		`cfg: { template: "1", groups: [ { instances: [ a, b ], actions: { "1": { x: "${n}" } }, Own: 1 } ], TaskOwn: 1 }`: true,
		`cfg: { template: "${n}", pause_after: "${n}", instances: [ "${p}" ] }`:                                            true,
		`cfg: { template: 1, instances: [ a ], OnStop: pause }`:                                                            false,
		`cfg: { template: 1, instances: [ a ], Mode: auto }`:                                                               false,
		`cfg: { template: 1, groups: [ { instances: [ a ], Actions: {} } ] }`:                                              false,
		`cfg: { template: 0, instances: [ a ] }`:                                                                           false,
		`cfg: { template: 1 }`:                                                                                             false,
		`cfg: { template: 1, instances: [ a ], groups: [ { instances: [ a ] } ] }`:                                         false,
		`cfg: { template: 1, groups: [ {} ] }`:                                                                             false,
		`cfg: { template: 1, groups: [ { instances: [ a ], own: 1 } ] }`:                                                   false,
		`cfg: { template: 1, instances: [] }`:                                                                              false,
		`cfg: { template: 1, instances: [ a, a ] }`:                                                                        false,
		`cfg: { template: 1, instances: [ a ], mode: hand }`:                                                               false,
		`cfg: { template: 1, instances: [ a ], on_stop: foo }`:                                                             false,
		`cfg: { template: 1, instances: [ a ], foo: 1 }`:                                                                   false,
		`cfg: { template: 1, instances: [ a ], custom: { a: 1 } }`:                                                         false,
		`cfg: { template: 1, action: 2, instances: [ a ] }`:                                                                false,
		`cfg: { action: 462, instances: [ a ], custom: { a: 1 }, on_stop: pause, tags: { a: b } }`:                         true,
		`cfg: { action: 462, instances: [ a ], on_stop: rollback }`:                                                        false,
		`cfg: { action: 462, instances: [ a ], mode: auto }`:                                                               false,
		`cfg: { action: 462 }`:                                                                                             false,
		`cfg: { actions: [ 462, { id: 463, custom: { a: 1 } } ], instances: [ a ] }`:                                       true,
		`cfg: { actions: [ 462 ], instances: [ a ], tags: { a: b } }`:                                                      false,
		`cfg: { actions: [ {} ], instances: [ a ] }`:                                                                       false,
		`cfg: { actions: [], instances: [ a ] }`:                                                                           false,
		`cfg: { actions: [ 1 ], instances: [ a ], general: { a: 1 } }`:                                                     true,
		`accounts: { cloud: aws, id: "12345678901", region: r }`:                                                           false,
		`accounts: { cloud: aws, id: "1234567890123", region: r }`:                                                         false,
		`accounts: { cloud: aliyun, id: "1234567890123", region: r }`:                                                      true,
		`parameters: { a: { type: int, default: 5, min: 1 } }`:                                                             true,
		`parameters: { a: { type: int, default: "5" } }`:                                                                   false,
		`parameters: { a: { type: int, enum: [ "5" ] } }`:                                                                  false,
		`parameters: { a: { type: int, pattern: "5" } }`:                                                                   false,
		`parameters: { a: { type: number, default: 0.5 } }`:                                                                true,
		`parameters: { a: { default: x, pattern: "x*" } }`:                                                                 true,
		`parameters: { a: { default: 5 } }`:                                                                                false,
		`parameters: { a: { min: 5 } }`:                                                                                    false,
		`parameters: { a: { type: string, max: 5 } }`:                                                                      false,
		`parameters: { a: { type: bool, default: true } }`:                                                                 true,
		`parameters: { a: { type: bool, default: "true" } }`:                                                               false,
		`parameters: { a: { type: duration, default: 90s, max: 2m } }`:                                                     true,
		`parameters: { a: { type: duration, default: 90, max: 2m } }`:                                                      false,
		`parameters: { a: { type: duration, min: 5 } }`:                                                                    false,
		`parameters: { a: { type: secret, default: "secret:x" } }`:                                                         true,
		`parameters: { a: { type: secret, default: x } }`:                                                                  false,
		`schedule: { cron: "*/5,7 0-8/2 L,15W JAN-mar MON#2,fril" }`:                                                       true,
		`schedule: { cron: "*/5,7 0-8/2 1,15 JAN-mar MON#2,friL" }`:                                                        true,
		`schedule: { cron: "0 10 ? * 7" }`:                                                                                 true,
		`schedule: { cron: "0 10 * * 8" }`:                                                                                 false,
		`schedule: { cron: "0 10 1,2,,3 * *" }`:                                                                            false,
		`schedule: { cron: "60 10 * * *" }`:                                                                                false,
		`schedule: { cron: "0 24 * * *" }`:                                                                                 false,
		`schedule: { cron: "0 10 0 * *" }`:                                                                                 false,
		`schedule: { cron: "0 10 * 13 *" }`:                                                                                false,
		`schedule: { cron: "0/60 10 * * *" }`:                                                                              false,
		`title: "a\nb"`:                                                                                                    false,
		`title: " "`:                                                                                                       false,
		`title: 演练`:                                                                                                        true,
		`runbook: "HTTPS://x"`:                                                                                             true,
		`runbook: "https:x"`:                                                                                               false,
		`expect: [ { claim: c, http: "HTTPS://x" } ]`:                                                                      true,
		`expect: [ { claim: c, http: "ftp://x" } ]`:                                                                        false,
		`expect: [ { claim: "a\tb", ask: o } ]`:                                                                            false,
		`window: "Mon-Fri 22:00-24:00"`:                                                                                    true,
		`window: "24:00-25:00"`:                                                                                            false,
		`channels: { c: { to: "email:x" } }`:                                                                               false,
		`channels: { c: { to: "slack:T1" } }`:                                                                              false,
		`channels: { c: { to: "Slack:T1/C1" } }`:                                                                           true,
		`channels: { c: { to: " local:x" } }`:                                                                              false,
		`channels: { c: { to: "local:" } }`:                                                                                true,
		`channels: { c: { to: "log:x" } }`:                                                                                 true,
		`channels: { c: { to: "local:a b" } }`:                                                                             false,
		`channels: { c: { to: "webhook:https://x/y", oncall: "slack:T1" } }`:                                               false,
		`channels: { c: { to: "webhook:ftp://x/y" } }`:                                                                     false,
		`freezes: [ { name: f, from: 2027-11-09T00:00, until: "2027-11-09 23:59" } ]`:                                      true,
		`freezes: [ { name: f, from: "2027-11-09T00:00:00.5+08:00", until: "2027-11-10" } ]`:                               true,
		`freezes: [ { name: f, from: 2027-11-09T00:00, until: 2027-11-09T24:00 } ]`:                                        false,
		`freezes: [ { name: f, from: 2027-11-09T00:00, until: 2027-13-09T00:00 } ]`:                                        false,
		`freezes: [ { name: f, from: 2027-11-09T00:00, until: "2027-11-10 10:00:00" } ]`:                                   false,
		`holidays: [ { name: h, date: "2027-11-32" } ]`:                                                                    false,
	}
}
