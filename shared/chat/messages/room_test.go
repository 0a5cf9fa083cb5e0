package messages

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// wordy is a drill that was stopped and about which everybody said too much.
func wordy(status drill.Status) *drill.Drill {
	long := strings.Repeat("很长的原因 ", 300)
	d := state(status)
	d.Actor, d.Reason, d.DryRun = "slack:T/"+long, long, true
	d.Parameters = map[string]any{"seconds": 60, "note": long}
	d.Plan.Unbounded = long
	d.Stop = &drill.StopState{RequestedAt: at.Add(-time.Minute), By: "slack:T/" + long, Reason: long}
	d.Restored = drill.Restored{State: drill.RestoreFailed}
	for range 20 {
		d.Steps = append(d.Steps, drill.Step{Name: long, State: drill.StepRunning, Targets: []drill.Target{{ID: long, Message: long}}})
		d.Restored.Evidence = append(d.Restored.Evidence, long)
		d.Stop.Evidence = append(d.Stop.Evidence, long)
	}
	d.Gates = []drill.Gate{{ID: "1@2", Name: long, Kind: drill.ManualGate}, {ID: "2@2", Name: long, Kind: drill.ManualGate}}
	if status != drill.Stopping {
		d.Stop.StoppedAt = at
	}
	d.Verdict = &drill.Verdict{Verdict: drill.Expected, Summary: long, By: drill.ByRules}
	d.Amendments = []drill.Verdict{{Verdict: drill.Unexpected, Summary: long, By: "slack:T/BOB", At: at}}
	return d
}

// TestMessages_TheThreeFactsAreInNobodysWay: whatever others wrote is shortened first, and the facts stand where no platform cuts.
func TestMessages_TheThreeFactsAreInNobodysWay(t *testing.T) {
	long := strings.Repeat("很长的原因 ", 250)
	escalated := func(s drill.Status) events.About {
		a := about(s)
		a.Escalation = &events.Escalation{Level: 1, Reason: long, LastError: long, Do: "aws fis stop-experiment --id EXP1", Runbook: "https://wiki.example.com/x"}
		return a
	}
	o := func(s drill.Status, l Lang) Options { return Options{State: wordy(s), Lang: l, Oncall: "slack:T/S1"} }
	tell := func(p events.Payload) func(drill.Status, Lang) chat.Message {
		return func(s drill.Status, l Lang) chat.Message {
			m, err := For(fact(t, p), o(s, l))
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
	}
	many := strings.Split(strings.Repeat(long+"\n", 11)+long, "\n")
	for name, c := range map[string]struct {
		status drill.Status
		make   func(drill.Status, Lang) chat.Message
	}{
		"root, stopping":  {drill.Stopping, func(s drill.Status, l Lang) chat.Message { return Root(wordy(s), Options{Lang: l}) }},
		"root, stopped":   {drill.Stopped, func(s drill.Status, l Lang) chat.Message { return Root(wordy(s), Options{Lang: l}) }},
		"root, concluded": {drill.Concluded, func(s drill.Status, l Lang) chat.Message { return Root(wordy(s), Options{Lang: l}) }},
		"stopping":        {drill.Stopping, tell(events.Stopping{About: escalated(drill.Stopping), By: long, Reason: long})},
		"stopped":         {drill.Stopped, tell(events.Stopped{About: about(drill.Stopped), RequestedAt: at, StoppedAt: at, Evidence: many})},
		"restored":        {drill.Stopped, tell(events.Restored{About: about(drill.Stopped), RestoredAt: at, Evidence: many})},
		"failed":          {drill.Failed, tell(events.Failed{About: about(drill.Failed), Reason: long})},
		"completed":       {drill.Completed, tell(events.Completed{About: about(drill.Completed)})},
		"progressed":      {drill.Completed, tell(events.Progressed{About: escalated(drill.Completed), Changes: many})},
		"concluded":       {drill.Concluded, tell(events.Concluded{About: about(drill.Concluded), Verdict: "unexpected", Summary: long})},
	} {
		for lang, facts := range map[words.Lang][]string{words.English: {"1. Stop requested: 20", "2. Stopped at the service: ", "3. Restored: "}, words.Chinese: {"1. 请求停止：20", "2. 云服务停止：", "3. 恢复："}} {
			m := c.make(c.status, lang)
			if n := utf8.RuneCountInString(m.Text); n > maxText || !utf8.ValidString(m.Text) {
				t.Errorf("%s, %s: %d runes", name, lang, n)
			}
			begin := []rune(m.Text)
			begin = begin[:min(len(begin), 1600)]
			for _, f := range facts {
				if !strings.Contains(string(begin), f) {
					t.Errorf("%s, %s: no %q at the beginning of\n%s", name, lang, f, m.Text)
				}
			}
			if m.Level != chat.Urgent || m.Mention == "" {
				continue
			}
			if k := m.Fields; !k[0].Keep || !k[1].Keep || k[2].Keep || k[0].Value != "aws fis stop-experiment --id EXP1" || k[1].Value != "https://wiki.example.com/x" {
				t.Errorf("%s, %s: the fields begin with %+v", name, lang, k[:3])
			}
		}
	}
}

func TestRoot_ShowsTheVerdictThatStands(t *testing.T) {
	d := state(drill.Concluded)
	d.Verdict = &drill.Verdict{Verdict: drill.Expected, Summary: "all held", By: drill.ByRules}
	if m := Root(d, Options{}); !strings.Contains(m.Text, "Verdict: expected.\n") || !strings.HasSuffix(m.Text, "\nall held") || m.Level != chat.Info {
		t.Errorf("%s\n%s", m.Level, m.Text)
	}
	d.Amendments = []drill.Verdict{{Verdict: drill.Inconclusive}, {Verdict: drill.Unexpected, Summary: "two orders were lost", By: "slack:T/BOB", At: at}}
	m := Root(d, Options{})
	if !strings.Contains(m.Text, "Verdict: UNEXPECTED, as amended by slack:T/BOB at 2026-11-24 09:05:10 +00:00; first verdict: expected.") ||
		!strings.HasSuffix(m.Text, "\ntwo orders were lost") || strings.Contains(m.Text, "all held") || m.Level != chat.Warning {
		t.Errorf("%s\n%s", m.Level, m.Text)
	}
	if m = Root(d, Options{Lang: words.Chinese}); !strings.Contains(m.Text, "结论：不符合预期，由 slack:T/BOB 于 2026-11-24 09:05:10 +00:00 修订；首次结论：符合预期。") {
		t.Error(m.Text)
	}
}

// TestRootAndApproval_SayWhatWasAsked: an approver sees what the approval binds.
func TestRootAndApproval_SayWhatWasAsked(t *testing.T) {
	d, _ := waiting()
	d.DryRun, d.Plan.Unbounded = true, "OOS has no run limit"
	d.Parameters = map[string]any{"seconds": 60}
	d.Preview = &drill.Previewed{Proved: "targets", Targets: make([]drill.Target, 14)}
	for i := range d.Preview.Targets {
		d.Preview.Targets[i].ID = "i-" + string(rune('a'+i))
	}
	card, _ := Card(d, "start@4", Options{})
	told, err := For(fact(t, events.Waiting{About: about(drill.Waiting), Gate: "start@4", Kind: "approval", Choices: []string{"approve", "reject"}}), Options{State: d})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]chat.Message{"root": Root(d, Options{}), "card": card, "fact": told} {
		got := show(m)
		for _, want := range []string{"Dry run: nothing will be injected.", "| Parameters | seconds=60", "| Known limits | OOS has no run limit"} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%s: %d times %q in\n%s", name, strings.Count(got, want), want, got)
			}
		}
		if want := "| Targets | i-a, i-b, i-c, i-d, i-e, i-f, i-g, i-h, i-i, i-j, i-k, i-l, … and 2 more"; name != "root" && !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", name, want, got)
		}
	}
}

func TestProgressed_WhatDidNotWorkIsAWarning(t *testing.T) {
	d := state(drill.Waiting)
	d.Answers = []drill.Answered{{Move: drill.Move{Action: drill.Execute, Step: "2"}, Error: "denied"}}
	for _, c := range []struct {
		changes []string
		want    chat.Level
	}{{[]string{d.Answers[0].Problem()}, chat.Warning}, {[]string{"step cpu is running"}, chat.Info}} {
		m, err := For(fact(t, events.Progressed{About: about(drill.Waiting), Changes: c.changes}), Options{State: d})
		if err != nil || m.Level != c.want {
			t.Errorf("%v: %s, %v", c.changes, m.Level, err)
		}
	}
}

// TestFor_SpeaksTheRoomsLanguageAndZone: the journal is in English and UTC, a room need not be.
func TestFor_SpeaksTheRoomsLanguageAndZone(t *testing.T) {
	d := state(drill.Waiting)
	d.Plan.Approval.Need = 1
	refused := events.Refused{About: about(drill.Waiting), Check: "gate", Reason: "already answered: slack:T/BOB approved it at 2026-11-24T09:00:00Z"}
	late := about(drill.Running)
	late.Escalation = &events.Escalation{Level: 1, Reason: "it is late in state running"}
	for _, c := range []struct {
		lang Lang
		zone string
		fact events.Payload
		want string
	}{
		{words.English, "Europe/Berlin", refused, `The check "gate" said no: already answered: slack:T/BOB approved it at 2026-11-24 10:00:00 +01:00`},
		{words.Chinese, "Asia/Shanghai", refused, `检查项 "关卡" 未通过：已有人处理：slack:T/BOB 已于 2026-11-24 17:00:00 +08:00 批准`},
		{words.Chinese, "Asia/Shanghai", events.Progressed{About: about(drill.Waiting), Changes: []string{"approved by slack:T/BOB (1 of 2)"}}, "- slack:T/BOB 已批准（1 / 2）"},
		{words.Chinese, "Asia/Shanghai", events.Progressed{About: late, Changes: []string{"x"}}, "| 原因 | 在“运行中”状态超时"},
		{words.Chinese, "Asia/Shanghai", events.Failed{About: about(drill.Failed), Reason: "no call to the service was ever made"}, "从未向云服务发出过请求"},
		{words.Chinese, "Asia/Shanghai", events.Announced{About: about("announced"), StartsAt: at, Targets: "1 to 12"}, "| 目标 | 1 至 12 个"},
		{words.Chinese, "Asia/Shanghai", events.Announced{About: about("announced"), StartsAt: at}, "如不希望开始，请冻结该计划"},
	} {
		m, err := For(fact(t, c.fact), Options{State: d, Lang: c.lang, Zone: berlin(t, c.zone)})
		if got := show(m); err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%v, no %q in\n%s", err, c.want, got)
		}
	}
}
