package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
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
		file + `:10:97: drills.three.fis.tempo: unknown field: use template, targets, actionsMode, experimentOptions or tags`,
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

// TestCheck_nothingHidesTheMistakesOfABlock: each mistake is found beside the others, and once.
func TestCheck_nothingHidesTheMistakesOfABlock(t *testing.T) {
	const blocks = `  oos: { owner: o, account: l, oos: { template: "", loopMode: Whatever } }
  cfg: { owner: o, account: t, cfg: { template: -1, mode: hand, instances: [ a, a ] } }
  ahas: { owner: o, account: l, ahas: { experiment: 1234567890123456789, definition: { param: [ {} ] } } }
  fis: { owner: o, account: a, max_duration: 13h, fis: { template: "a b", experimentOptions: { actionsMode: none } } }
`
	of := []string{
		"8:49: drills.oos.oos.template: is missing", "8:63: drills.oos.oos.loopMode: is not a field",
		"9:49: drills.cfg.cfg.template: must be a positive number", "9:59: drills.cfg.cfg.mode: must be one of auto, manual", "9:81: drills.cfg.cfg.instances[1]: a is listed twice",
		"10:53: drills.ahas.ahas.experiment: 1234567890123456789 has too many digits", "10:97: drills.ahas.ahas.definition.param[0].groupId: missing",
		"11:46: drills.fis.max_duration: 13h0m0s is longer than FIS", "11:68: drills.fis.fis.template: \"a b\" is not the id", "11:109: drills.fis.fis.experimentOptions.actionsMode: none is not a mode",
	}
	for name, c := range map[string]struct {
		text string
		more []string
	}{
		"nothing besides":               {head + blocks, nil},
		"a mistake in defaults":         {strings.Replace(head, "timezone: UTC", "zone: UTC", 1) + blocks, []string{"2:13: defaults.zone: unknown field"}},
		"a mistake in the time":         {strings.Replace(head, "max_duration: 10m", "max_duration: 10", 1) + blocks, []string{`2:63: defaults.max_duration: 10 is not a duration`}},
		"a mistake in include":          {head + blocks + "include: [ nowhere.yaml ]\n", []string{"12:12: include[0]: no file matches"}},
		"a mistake in freezes":          {head + blocks + "freezes: [ { name: f } ]\n", []string{"12:12: freezes[0]: from is missing", "12:12: freezes[0]: until is missing"}},
		"a mistake in bindings":         {head + blocks + "bindings: [ { role: king, to: \"slack:T/U\" } ]\n", []string{"12:21: bindings[0].role: the role \"king\" is not known"}},
		"a channel that is not there":   {head + strings.Replace(blocks, "{ owner: o, account: l, oos", "{ notify: [ gone ], account: l, oos", 1), []string{`8:20: drills.oos.notify[0]: "gone" is not in channels`}},
		"a parameter with no such type": {head + strings.Replace(blocks, "owner: o, account: t", "parameters: { p: { type: x } }, account: t", 1), []string{"9:35: drills.cfg.parameters.p.type: \"x\" is not one of"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "drills.yaml", c.text)
			_, out, _ := cli(t, "check", "--catalog", file)
			want := append(slices.Clone(of), c.more...)
			for _, w := range want {
				if _, message, _ := strings.Cut(w, " "); !strings.Contains(out, message) {
					t.Errorf("no %s", message)
				}
			}
			if n := strings.Count(out, "\n"); n != len(want) {
				t.Errorf("%d mistakes, want %d:\n%s", n, len(want), out)
			}
			if name != "nothing besides" {
				return
			}
			for _, w := range want {
				if !strings.Contains(out, file+":"+w) {
					t.Errorf("no %s in\n%s", w, out)
				}
			}
		})
	}
}

func TestCheck_aReferenceThatIsNotDeclaredIsToldOnce(t *testing.T) {
	file := write(t, "drills.yaml", head+`  one: { owner: o, account: t, cfg: { template: "${id}", instances: [ a ] } }`+"\n")
	if _, out, _ := cli(t, "check", "--catalog", file); strings.Count(out, "\n") != 1 || !strings.Contains(out, "drills.one.cfg.template: ${id} is not declared") {
		t.Error(out)
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
	if code != 1 || !strings.Contains(out, wrong+":13:34: drills.required.cfg.mode: must be ") || strings.Contains(out, "has no default") {
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
