package words_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestRetell(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"approved by slack:T/BOB (1 of 2)": "slack:T/BOB 已批准（1 / 2）",
		"step cpu is running":              "步骤 cpu：运行中",
		"already answered: slack:T/BOB asked for the stop at 2026-11-24T09:00:00Z":              "已有人处理：slack:T/BOB 已于 2026-11-24 17:00:00 +08:00 请求停止",
		"not allowed: slack:T/A asked for this drill and cannot approve it; somebody else must": "不允许：slack:T/A 是该演练的申请人，不能自己批准；须由他人批准",
		"slack:T/BOB: execute s1 now":                        "slack:T/BOB：执行 s1 now",
		"slack:T/BOB: pause":                                 "slack:T/BOB：暂停",
		"execute s1 did not work: UnauthorizedOperation: no": "执行 s1 未成功：UnauthorizedOperation: no",
		"it is late in state running":                        "在“运行中”状态超时",
		"dry run: nothing was injected":                      "试运行：未注入故障",
		"claim c1 (orders go through) has not held for 1m0s": "断言 c1（orders go through）已有 1m0s 不成立",
		"Checkout: unexpected. stopped by alarm:x/y: 5xx. c1 (up): 2 of 4 samples bad, last 503 in 1s.": "Checkout：不符合预期。由 alarm:x/y 停止：5xx。c1（up）：4 次采样中有 2 次不成立，最近一次 503 in 1s。",
		"Checkout: a drill: expected. c1 (no order is lost): slack:T/B says yes.":                       "Checkout: a drill：符合预期。c1（no order is lost）：slack:T/B 回答“是”。",
		"recovery run r-1 is Failed; step a is done":                                                    "恢复运行 r-1 的状态：Failed; step a is done",
		"a vendor said: this at 2026-11-24T09:00:00.5Z":                                                 "a vendor said: this at 2026-11-24 17:00:00 +08:00",
		"Throttling: Rate exceeded. Try again.":                                                         "Throttling: Rate exceeded. Try again.",
		"running":                                                                                       "running",
		"":                                                                                              "",
	} {
		if got := words.Retell(in, words.Chinese, shanghai); got != want {
			t.Errorf("%q is told as\n%q, want\n%q", in, got, want)
		}
	}
	if got := words.Retell("the approval expired at 2026-11-24T09:00:00Z", words.English, shanghai); got != "the approval expired at 2026-11-24 17:00:00 +08:00" {
		t.Error(got)
	}
	if got := words.Retell("the approval expired at 2026-11-24T09:00:00Z", words.English, nil); got != "the approval expired at 2026-11-24 09:00:00 +00:00" {
		t.Error(got)
	}
}

// TestRetell_WhatTheDrillSays goes through the domain itself: what it says now is in Chinese.
func TestRetell_WhatTheDrillSays(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	d, _ := drill.New(drill.Ask{ID: "k7m2q4x9a3bcd", Mode: "SANDBOX", Actor: "slack:T/ALICE", Plan: drill.Plan{Name: "cart", Approval: drill.Approval{Need: 2}}}, now)
	if _, err := d.AskApproval(now); err != nil {
		t.Fatal(err)
	}
	_, own := d.Approve("slack:T/ALICE", "", now)
	vote, err := d.Approve("slack:T/BOB", "", now)
	if err != nil {
		t.Fatal(err)
	}
	_, twice := d.Approve("slack:T/BOB", "", now)
	_, _, early := d.Answer(drill.Move{Action: drill.Execute}, "slack:T/BOB", "me", now)
	said := []string{own.Error(), vote.What, twice.Error(), early.Error()}
	if _, err := d.AskStop(drill.StopByPerson, "slack:T/BOB", "enough", "", now); err != nil {
		t.Fatal(err)
	}
	_, again := d.AskStop(drill.StopByPerson, "slack:T/CAROL", "", "", now)
	said = append(said, again.Error(), d.Judge(now).Summary)
	for _, s := range said {
		if got := words.Retell(s, words.Chinese, nil); strings.Contains(got, " is ") || strings.Contains(got, " the ") || strings.Contains(got, "already") || got == s {
			t.Errorf("%q is told as %q", s, got)
		}
	}
	if !errors.Is(own, drill.ErrForbidden) {
		t.Error(own)
	}
}

// TestRetell_HasTheChineseOfEveryForm reads what shared/drill and shared/conduct say, and wants each form of it told, or named here as one
// that stands in the journal alone.
func TestRetell_HasTheChineseOfEveryForm(t *testing.T) {
	journalOnly := []string{
		"%s %s done", "%s %s is carried out again", "%s amends: %s", "%s is %s", "%s notes: %s", "%s run %s %s", "%s run: attempt %d begins",
		"%s run: attempt %d failed: %s", "%s run: lookup %d found nothing", "%s run: nothing found; a call to start it may still take effect until %s",
		"%s run: task %s prepared, not executed", "asks %s: does %q hold?", "attached: %s", "concluded: %s", "dry run ended", "escalation %d: %s",
		"found, not known from its reply; adopted", "preview proved %s, %d targets", "recovery run is %s", "refused: %s: %s", "requested by %s",
		"stop asked by %s", "stop call %d", "stopped at the service", "the service is stopping it: %s", "told what moved before", "verdict: %s",
		"waits for %d approval(s)", "the drill is over",
		// no sentence of a drill: parts of one, names, and broken builds
		" %s.", ": %s", "; %s", "%s: %s.", "start %s", "drill: plan does not encode: %s", "duration %q: write it like 90s, 30m or 1h30m",
	}
	seen := map[string]bool{}
	for _, dir := range []string{"../../drill", "../../conduct"} {
		for _, f := range said(t, dir) {
			f = strings.TrimPrefix(f, "%w: ")
			if strings.Trim(strings.NewReplacer("%s", "", "%w", "").Replace(f), " :;,.") == "" || seen[f] {
				continue
			}
			seen[f] = true
			if slices.Contains(journalOnly, f) {
				continue
			}
			text := strings.NewReplacer("%s", "running", "%d", "3", "%q", `"x"`, "%v", "x").Replace(f)
			if got := words.Retell(text, words.Chinese, nil); got == text {
				t.Errorf("%s: no Chinese for %q", dir, f)
			}
		}
	}
	for _, f := range journalOnly {
		if !seen[f] && strings.Trim(strings.ReplaceAll(f, "%s", ""), " :;,.") != "" {
			t.Errorf("nobody says %q any more", f)
		}
	}
	if len(seen) < 100 {
		t.Fatalf("only %d forms found", len(seen))
	}
}

// said returns the texts of a package that have a space in them; what is put together with + has %s for what is no text.
func said(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if _, tag := n.(*ast.Field); tag || !ok {
				return !tag
			}
			if s, ok := sum(e); ok && strings.Contains(s, " ") {
				all = append(all, s)
				return false
			}
			return true
		})
	}
	return all
}

// sum is a text, or what is put together from texts and other things.
func sum(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		a, ok1 := sum(e.X)
		b, ok2 := sum(e.Y)
		return a + b, e.Op == token.ADD && (ok1 || ok2)
	case *ast.BasicLit:
		if s, ok := text(e); ok {
			return s, true
		}
	}
	return "%s", false
}

func ExampleRetell() {
	fmt.Println(words.Retell("already answered: slack:T/BOB chose execute at 2026-11-24T09:00:00Z", words.Chinese, nil))
	// Output: 已有人处理：slack:T/BOB 已于 2026-11-24 09:00:00 +00:00 选择“执行”
}
