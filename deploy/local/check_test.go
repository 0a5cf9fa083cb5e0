package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// head is the beginning of every catalogue here.
const head = `version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts:
  a: { cloud: aws, id: "123456789012", region: us-east-1 }
  l: { cloud: aliyun, id: "1234567890", region: cn-hangzhou }
  t: { cloud: tencent, id: "100032429988", region: ap-guangzhou }
drills:
`

const five = head + `  one: { title: One, owner: team-a, account: a, max_duration: 30 minutes, fis: { template: EXTwait00000000001 } }
  two: { title: Two, owner: team-a, account: nobody, fis: { template: EXTwait00000000001 } }
  three: { title: Three, owner: team-a, account: a, fis: { template: EXTwait00000000001, tempo: 3 } }
  four: { titel: Four, owner: team-a, account: a, fis: { template: EXTwait00000000001 } }
  five: { title: Five, owner: team-a, account: a, stop_on: [ nothing ], fis: { template: EXTwait00000000001 } }
`

func TestCheck_theShippedCatalogue(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"check", "--catalog", filepath.Join("..", "..", "drills.yaml")}} {
		code, out, errs := cli(t, args...)
		if code != 0 || errs != "" || !strings.Contains(out, "plans, no mistakes") {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
		for _, s := range []string{"fis", "ahas", "oos", "cfg"} {
			if !strings.Contains(out, s+" cannot promise: ") {
				t.Errorf("it does not say what %s cannot promise", s)
			}
		}
	}
}

func TestCheck_fiveMistakesAtOnce(t *testing.T) {
	file := write(t, "drills.yaml", five)
	code, out, errs := cli(t, "check", "--catalog", file)
	if code != 1 || !strings.Contains(errs, "has 5 mistake(s)") {
		t.Errorf("exit %d: %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	want := []string{
		file + `:8:63: drills.one.max_duration: "30 minutes" is not a duration; write 30m`,
		file + `:9:46: drills.two.account: "nobody" is not in accounts; known: a, l, t`,
		file + `:10:58: drills.three.fis: fis.tempo: unknown field: use template, targets, actionsMode, experimentOptions or tags`,
		file + `:11:11: drills.four.titel: unknown field "titel"; did you mean title?`,
		file + `:12:62: drills.five.stop_on[0]: "nothing" is not in alarms`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), out)
	}
	for i, w := range want {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("line %d: %s\nwant %s", i+1, lines[i], w)
		}
	}

	code, out, _ = cli(t, "check", "--catalog", file, "--json")
	var got struct {
		Catalog  string
		Plans    int
		Problems []finding
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Catalog != file || len(got.Problems) != 5 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if p := got.Problems[0]; p.File != file || p.Line != 8 || p.Column != 63 || p.Field != "drills.one.max_duration" || p.Message == "" || p.Fix != "write 30m" {
		t.Errorf("the first problem: %+v", p)
	}
}

func TestCheck_hints(t *testing.T) {
	file := write(t, "drills.yaml", head+`  one: { title: One, owner: team-a, account: a, fis: { template: EXTwait00000000001 }, approval: { need: 1 } }
bindings: [ { role: operator, to: [ "slack:T1/S0SRE", "slack:T1/U1" ] } ]
`)
	code, out, errs := cli(t, "check", "--catalog", file)
	if code != 0 || !strings.Contains(out, "1 plans, no mistakes") || strings.Count(out, "\nhint: ") != 2 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{file + `:8:98: drills.one.approval: nobody has the role approver in staging`, file + `:9:37: bindings[0].to[0]: "slack:T1/S0SRE" is a user group`} {
		if !strings.Contains(out, "hint: "+want) {
			t.Errorf("no hint %s in\n%s", want, out)
		}
	}
	code, out, _ = cli(t, "check", "--catalog", file, "--json")
	var got struct{ Problems, Hints []finding }
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got.Problems) != 0 || len(got.Hints) != 2 || got.Hints[1].Line != 9 || got.Hints[1].Fix == "" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	for _, args := range [][]string{{"check"}, {"check", "--catalog", filepath.Join("..", "..", "drills.yaml")}} {
		if _, out, _ := cli(t, args...); strings.Contains(out, "hint: ") {
			t.Errorf("the catalogue that comes along has hints:\n%s", out)
		}
	}
}

func TestCheck_parametersWithoutDefault(t *testing.T) {
	fine := write(t, "fine.yaml", head+`  required:
    title: Required
    owner: team-a
    account: t
    parameters: { seconds: { type: int, min: 10, max: 20 }, who: { pattern: "ins-[a-z]{3}(x|y)+" }, free: {} }
    cfg: { template: 626, mode: manual, groups: [ { instances: [ "${who}", "${free}" ], actions: { 1: { timeout: "${seconds}" } } } ] }
  down:
    title: Down
    owner: team-a
    account: l
    unbounded: each task has a timeout
    parameters: { down: { enum: [ PT10S ] }, node: {}, wait: { type: duration, min: 90s }, key: { type: secret }, half: { type: number, max: 0.5 }, sure: { type: bool } }
    oos: { template: restart-one-node, parameters: { NodeId: "${node}", HoldDown: "${down}", Wait: "${wait}", Key: "${key}", Half: "${half}", Sure: "${sure}" } }
`)
	if code, out, errs := cli(t, "check", "--catalog", fine); code != 0 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	wrong := write(t, "wrong.yaml", head+`  required:
    title: Required
    owner: team-a
    account: t
    parameters: { seconds: { type: int } }
    cfg: { template: none, mode: sideways, groups: [ { instances: [ a ], actions: { 1: { timeout: "${seconds}" } } } ] }
`)
	code, out, _ := cli(t, "check", "--catalog", wrong)
	if code != 1 || !strings.Contains(out, wrong+":13:10: drills.required.cfg: ") || strings.Contains(out, "has no default") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestCheck_whatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ content, text string }{
		"no yaml":       {"drills: [", "not YAML"},
		"nothing":       {"", "drills.yaml"},
		"only a number": {"7", "begin with version: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := cli(t, "check", "--catalog", write(t, "drills.yaml", c.content))
			if code != 1 || !strings.Contains(out, c.text) {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
		})
	}
	code, _, errs := cli(t, "check", "--catalog", "nowhere.yaml")
	if code != 1 || !strings.Contains(errs, "open catalogue: ") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
