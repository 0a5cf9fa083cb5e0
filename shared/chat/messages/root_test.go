package messages

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// states are drills in every state, with a stop and without.
func states() map[string]*drill.Drill {
	out := map[string]*drill.Drill{"stopping": stopState(false, false), "stopped": stopState(true, false), "restored": stopState(true, true)}
	for _, s := range []drill.Status{drill.Requested, drill.Previewing, drill.Waiting, drill.Starting, drill.Running, drill.Completed, drill.Failed, drill.Concluding, drill.Concluded, drill.Refused} {
		out[string(s)] = state(s)
	}
	return out
}

func TestRoot_AlwaysShowsModeStateAndTheThreeFacts(t *testing.T) {
	for name, d := range states() {
		for lang, facts := range map[words.Lang][]string{words.English: {"1. Stop requested:", "2. Stopped at the service:", "3. Restored:"}, words.Chinese: {"1. 请求停止：", "2. 云服务停止：", "3. 恢复："}} {
			m := Root(d, Options{Lang: lang})
			if !strings.HasPrefix(m.Title, "[SANDBOX] ") || !strings.Contains(m.Title, table(lang)[key("state."+string(d.Status))]+": Checkout") {
				t.Errorf("%s, %s: title %q", name, lang, m.Title)
			}
			for _, f := range facts {
				if strings.Count(m.Text, f) != 1 {
					t.Errorf("%s, %s: %q stands %d times in\n%s", name, lang, f, strings.Count(m.Text, f), m.Text)
				}
			}
			stop := false
			for _, b := range m.Buttons {
				stop = stop || b.Act.Verb == "stop" && b.Act.Drill == id && b.Style == chat.Danger
			}
			if stop == d.Status.Ended() {
				t.Errorf("%s: a button to stop: %v", name, stop)
			}
		}
	}
}

func TestRoot_CallsNothingConfirmedThatIsNot(t *testing.T) {
	for name, want := range map[string]string{
		"stopping": "2. Stopped at the service: not confirmed\n3. Restored: not confirmed",
		"stopped":  "2. Stopped at the service: 2026-11-24 09:05:10 +00:00\n   Evidence: experiment is stopped\n3. Restored: not confirmed",
		"restored": "3. Restored: 2026-11-24 09:05:11 +00:00",
	} {
		if m := Root(states()[name], Options{}); !strings.Contains(m.Text, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, m.Text, want)
		}
	}
}

// waiting is a drill that waits for approval, and at a step.
func waiting() (approval, step *drill.Drill) {
	approval = state(drill.Waiting)
	approval.Approvals = &drill.Approvals{Gate: "start@4", Hash: "h1", Need: 2, ExpiresAt: at.Add(time.Hour)}
	approval.Gates = []drill.Gate{{ID: "start@4", Kind: drill.ApprovalGate, Choices: []drill.Choice{{Action: drill.ApproveRun}, {Action: drill.RejectRun}}}}
	step = state(drill.Waiting)
	step.Runs = map[drill.Role]*drill.RunState{drill.Main: {ID: "EXP1"}}
	step.Gates = []drill.Gate{{ID: "2@9", Step: "2", Name: "network loss", Kind: "manual", Choices: []drill.Choice{{Action: drill.Execute}, {Action: drill.Skip}}}}
	return approval, step
}

func TestCard_OpenItHasButtonsAndAnsweredItHasNone(t *testing.T) {
	approval, step := waiting()
	m, ok := Card(approval, "start@4", Options{})
	if !ok || len(m.Buttons) != 3 || m.Buttons[0].Act != (chat.Act{Verb: "approve", Drill: id, Of: token.Of("gate", "start@4", "h1")}) || m.Buttons[0].Command != "approve k7m2q4x9" {
		t.Errorf("%+v, %v", m.Buttons, ok)
	}
	approval.Gates = nil
	approval.Approvals.Votes = []drill.Vote{{Actor: "slack:T/BOB", At: at, Note: "go <!channel>"}, {Actor: "slack:T/CAROL", At: at}}
	if m, ok = Card(approval, "start@4", Options{}); !ok || len(m.Buttons) != 0 || !strings.Contains(m.Text, "Approved by slack:T/BOB at 2026-11-24 09:05:10 +00:00.\n   go <!channel>\nApproved by slack:T/CAROL") {
		t.Errorf("%+v, %v", m, ok)
	}
	if m, _ = Card(step, "2@9", Options{Lang: words.Chinese}); len(m.Buttons) != 3 || m.Buttons[0].Label != "执行" || m.Buttons[0].Act.Verb != "advance" {
		t.Errorf("%+v", m.Buttons)
	}
	step.Gates = nil
	step.Answers = []drill.Answered{{Move: drill.Move{Gate: "2@9", Action: drill.Execute}, Actor: "slack:T/ALICE", At: at, Error: "the task is locked"}}
	if m, ok = Card(step, "2@9", Options{}); !ok || len(m.Buttons) != 0 || !strings.Contains(m.Text, "slack:T/ALICE chose Advance at") || !strings.Contains(m.Text, "did not work: the task is locked") {
		t.Errorf("%+v, %v", m, ok)
	}
	if _, ok = Card(step, "never@1", Options{}); ok {
		t.Error("a gate that never was")
	}
}

func TestCard_OfAClaim(t *testing.T) {
	d := state(drill.Concluding)
	d.Plan.Expect, d.Claims = []drill.Claim{{ID: "c2", Claim: "no order is lost"}}, []drill.ClaimState{{ID: "c2"}}
	m, ok := Card(d, "c2", Options{})
	if !ok || len(m.Buttons) != 2 || m.Buttons[1].Act.Verb != string(No) || m.Buttons[1].Act.Of != OfClaim("c2") {
		t.Errorf("%+v, %v", m, ok)
	}
	d.Claims[0].Answer = &drill.Reply{Actor: "slack:T/BOB", At: at}
	if m, _ = Card(d, "c2", Options{}); len(m.Buttons) != 0 || !strings.Contains(m.Text, "It does NOT hold, said slack:T/BOB at") {
		t.Errorf("%+v", m)
	}
	d.Claims[0].Answer, d.Status = nil, drill.Concluded
	if m, _ = Card(d, "c2", Options{}); len(m.Buttons) != 0 || !strings.Contains(m.Text, "Nobody answered in time") {
		t.Errorf("%+v", m)
	}
}

func TestFor_AnAnnouncement(t *testing.T) {
	a := about("announced")
	a.Rev = 0
	e := fact(t, events.Announced{About: a, StartsAt: at.Add(30 * time.Minute), Targets: "1 to 12", StopOn: []string{"checkout-5xx"}, AtMost: "30m0s", Parameters: map[string]any{"b": 1, "a": "x"}})
	m, err := For(e, Options{Oncall: "slack:T/S1"})
	if err != nil || !strings.Contains(m.Text, "starts it at 2026-11-24 09:35:10 +00:00") || len(m.Buttons) != 1 || m.Buttons[0].Command != "halt plan/checkout-az-outage" || m.Buttons[0].Act.Of != OfPlan("checkout-az-outage") {
		t.Errorf("%+v, %v", m, err)
	}
	got := map[string]string{}
	for _, f := range m.Fields {
		got[f.Name] = f.Value
	}
	for name, want := range map[string]string{"Targets": "1 to 12", "Runs at most": "30m0s", "Stopped by": "checkout-5xx", "On call": "slack:T/S1", "Parameters": "a=x b=1"} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func TestProgressed_ShowsEachTargetsState(t *testing.T) {
	d := state(drill.Running)
	d.Steps = []drill.Step{{ID: "1", Name: "cpu", State: drill.StepRunning, Targets: []drill.Target{{ID: "ins-a", State: drill.StepRunning}, {ID: "ins-b", State: drill.StepFailed, Message: "agent offline"}}}, {ID: "2", Name: "done", State: drill.StepDone, Targets: []drill.Target{{ID: "ins-c"}}}}
	m, err := For(fact(t, events.Progressed{About: about(drill.Running), Changes: []string{"step cpu is running"}}), Options{State: d})
	if err != nil || !strings.Contains(m.Text, "- step cpu is running\n   ins-a: running\n   ins-b: failed, agent offline") || strings.Contains(m.Text, "ins-c") {
		t.Errorf("%s, %v", m.Text, err)
	}
}

func TestDone_InBothLanguages(t *testing.T) {
	for _, c := range []struct {
		lang  words.Lang
		verb  string
		holds bool
		want  string
	}{{words.English, "approve", false, "Sent"}, {words.Chinese, "approve", false, "已提交"}, {words.English, "answer", true, "Answered yes"}, {words.Chinese, "answer", false, "已答：否"}, {words.English, "frobnicate", false, "Sent"}} {
		if got := Done(c.lang, c.verb, c.holds); got != c.want {
			t.Errorf("%s %s: %q", c.lang, c.verb, got)
		}
	}
}
