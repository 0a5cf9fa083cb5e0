package messages

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

var update = flag.Bool("update", false, "rewrite golden files")

const id = "k7m2q4x9a3bcd"

var at = time.Date(2026, 11, 24, 9, 5, 10, 250e6, time.UTC)

func about(status drill.Status) events.About {
	return events.About{
		Drill: id, Plan: "checkout-az-outage", Title: "结账服务在失去一个可用区后仍可用 \"AZ-b\" 🔥", Service: "fis", Environment: "production",
		Account: "aws-prod", Region: "us-east-1", Run: "EXPa1b2c3d4e5f6g7", Mode: "SANDBOX", Status: string(status), Actor: "slack:T123/U456", Rev: 7, At: at,
	}
}

func state(status drill.Status) *drill.Drill {
	return &drill.Drill{
		ID: id, Mode: "SANDBOX", Status: status, Deadline: at.Add(30 * time.Minute),
		Plan: drill.Plan{Name: "checkout-az-outage", Title: "Checkout", Runbook: "https://wiki.example.com/checkout-az"},
	}
}

func stopState(stopped, restored bool) *drill.Drill {
	d := state(drill.Stopping)
	d.Stop = &drill.StopState{RequestedAt: at.Add(-time.Minute), By: "alarm:cloudwatch/checkout-5xx", Reason: "5xx above 5%"}
	if stopped {
		d.Status, d.Stop.StoppedAt, d.Stop.Evidence = drill.Stopped, at, []string{"experiment is stopped"}
		d.Restored.State = drill.RestorePending
	}
	if restored {
		d.Restored = drill.Restored{State: drill.RestoreDone, At: at.Add(time.Second), Evidence: []string{"action restore-network completed"}}
	}
	return d
}

type tale struct {
	name  string
	fact  events.Payload
	state *drill.Drill
}

// tales has every fact, and the cases that must not be told as one another.
func tales() []tale {
	waiting := state(drill.Waiting)
	waiting.Approvals = &drill.Approvals{Gate: "start@4", Need: 2, Votes: []drill.Vote{{Actor: "a"}}, ExpiresAt: at.Add(time.Hour)}
	waiting.Preview = &drill.Previewed{Proved: "targets", Targets: []drill.Target{{ID: "i-1"}, {ID: "i-2"}}}
	two := state(drill.Waiting)
	two.Gates = []drill.Gate{{ID: "3@9", Step: "3"}, {ID: "4@9", Step: "4"}}
	dry := state(drill.Requested)
	dry.DryRun, dry.Plan.Unbounded = true, "OOS has no run limit"
	broken := stopState(true, false)
	broken.Restored = drill.Restored{State: drill.RestoreFailed, Evidence: []string{"recovery action 13 failed"}}
	needless := state(drill.Completed)
	needless.Restored = drill.Restored{State: drill.RestoreNeedless, At: at, Evidence: []string{"dry run: nothing was injected"}}
	unproven := state(drill.Failed)
	unproven.Restored = drill.Restored{State: drill.RestoreUnproven}
	amended := state(drill.Concluded)
	amended.Verdict = &drill.Verdict{Verdict: drill.Expected}
	late := about(drill.Stopping)
	late.Escalation = &events.Escalation{Level: 2, Reason: "not stopped 5 minutes after it was asked", LastError: "StopExperiment: ThrottlingException",
		Do: "aws fis stop-experiment --id EXPa1b2c3d4e5f6g7 --region us-east-1", Runbook: "https://wiki.example.com/checkout-az"}
	answer := events.About{Drill: id, Plan: "-", Mode: "LIVE", Status: "unchanged", Actor: "slack:T123/U456", At: at}
	return []tale{
		{"refused", events.Refused{About: about(drill.Refused), Check: "window", Reason: "outside of Mon-Fri 10:00-16:00 Europe/Berlin"}, state(drill.Refused)},
		{"refused, an answer to somebody", events.Refused{About: answer, Check: "drill", Reason: "there is no drill \"x\""}, nil},
		{"requested", events.Requested{About: about(drill.Requested), Parameters: map[string]any{"seconds": 60, "note": "a\nb <!channel>"}}, state(drill.Requested)},
		{"requested, dry run", events.Requested{About: about(drill.Requested)}, dry},
		{"waiting for approval", events.Waiting{About: about(drill.Waiting), Gate: "start@4", Kind: "approval", Name: "start checkout-az-outage", Choices: []string{"approve", "reject"}}, waiting},
		{"waiting at one of two steps", events.Waiting{About: about(drill.Waiting), Gate: "4@9", Kind: "failed", Name: "network loss", Choices: []string{"retry", "skip", "frobnicate"}}, two},
		{"waiting at a step, no state", events.Waiting{About: about(drill.Waiting), Gate: "4@9", Kind: "manual", Name: "network loss", Choices: []string{"execute", "skip"}}, nil},
		{"waiting for an answer", events.Waiting{About: about(drill.Concluding), Gate: "c2", Kind: "claim", Name: "no order is lost", Choices: []string{"yes", "no"}}, state(drill.Concluding)},
		{"approved", events.Approved{About: about(drill.Waiting), By: []string{"slack:T123/U456", "slack:T123/U789"}}, state(drill.Waiting)},
		{"started", events.Started{About: about(drill.Running)}, state(drill.Running)},
		{"progressed", events.Progressed{About: about(drill.Running), Changes: []string{"step stop instances is running", "step wait is done"}}, state(drill.Running)},
		{"stopping, nothing confirmed", events.Stopping{About: about(drill.Stopping), Reason: "5xx above 5%", By: "alarm:cloudwatch/checkout-5xx"}, stopState(false, false)},
		{"stopping, no state", events.Stopping{About: about(drill.Stopping), Reason: "slow", By: "webhook:acme/alice"}, nil},
		{"stopping, escalated", events.Stopping{About: late, Reason: "5xx above 5%", By: "alarm:cloudwatch/checkout-5xx"}, stopState(false, false)},
		{"stopping, escalated, no state", events.Stopping{About: late, Reason: "slow", By: "webhook:acme/alice"}, nil},
		{"stopped, not restored", events.Stopped{About: about(drill.Stopped), RequestedAt: at.Add(-time.Minute), StoppedAt: at, Evidence: []string{"experiment is stopped"}}, stopState(true, false)},
		{"stopped, no state", events.Stopped{About: about(drill.Stopped), RequestedAt: at.Add(-time.Minute), StoppedAt: at, Evidence: []string{"experiment is stopped"}}, nil},
		{"stopped, recovery failed", events.Stopped{About: about(drill.Stopped), RequestedAt: at.Add(-time.Minute), StoppedAt: at}, broken},
		{"completed", events.Completed{About: about(drill.Completed)}, needless},
		{"completed, no state", events.Completed{About: about(drill.Completed)}, nil},
		{"failed", events.Failed{About: about(drill.Failed), Reason: "TargetResolutionFailed"}, unproven},
		{"restored after a stop", events.Restored{About: about(drill.Stopped), RestoredAt: at.Add(time.Second), Evidence: []string{"action restore-network completed"}}, stopState(true, true)},
		{"restored, no state", events.Restored{About: about(drill.Completed), RestoredAt: at, Evidence: []string{"every action ended"}}, nil},
		{"concluded", events.Concluded{About: about(drill.Concluded), Verdict: "unexpected", Summary: "Checkout: unexpected. stopped by alarm:cloudwatch/checkout-5xx.",
			Head: events.Head{Rev: 6, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}, Report: "http://127.0.0.1:8080/r/" + id}, stopState(true, true)},
		{"amended", events.Amended{About: about(drill.Concluded), Verdict: "unexpected", Summary: "two orders were lost after all", By: "slack:T123/U789"}, amended},
		{"attached", events.Attached{About: about(drill.Concluded), What: "report", Evidence: []string{"fis report: s3://reports/x.pdf"}}, state(drill.Concluded)},
	}
}

func fact(t testing.TB, p events.Payload) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{ID: "e1", Source: "/firedrill/home/poll", Subject: id, Time: at, Sequence: 7}, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func berlin(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func show(m chat.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nlevel %s, lang %s, thread %s, link %q, mention %q\n", m.Title, m.Level, m.Lang, m.Thread, m.Link, m.Mention)
	if m.Text != "" {
		b.WriteString(m.Text + "\n")
	}
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "| %s | %s\n", f.Name, f.Value)
	}
	for _, c := range m.Buttons {
		fmt.Fprintf(&b, "[%s] %s\n", c.Label, c.Command)
	}
	return b.String()
}

func TestFor_Goldens(t *testing.T) {
	for lang, zone := range map[Lang]string{words.English: "Europe/Berlin", words.Chinese: "Asia/Shanghai"} {
		var b strings.Builder
		for _, c := range tales() {
			m, err := For(fact(t, c.fact), Options{State: c.state, Lang: lang, Zone: berlin(t, zone), Oncall: "slack:T123/S0CHK", Link: "https://fd.example.com/d/" + id, ID: "fd_1"})
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			fmt.Fprintf(&b, "== %s\n%s\n", c.name, show(m))
		}
		path := filepath.Join("testdata", string(lang)+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != string(want) {
			t.Errorf("%s differs; run with -update and look at it:\n%s", path, got)
		}
	}
}

func TestFor_EveryFactHasATextInBothLanguages(t *testing.T) {
	told := map[string]bool{}
	for _, c := range tales() {
		told[c.fact.EventType()] = true
	}
	if len(told) != 14 {
		t.Errorf("%d types of fact are covered, want 14", len(told))
	}
}

func TestTables_HaveTheSameTextsAndVerbs(t *testing.T) {
	verb := regexp.MustCompile(`%[a-z%]`)
	en, zh := english(), chinese()
	for k, text := range en {
		other, ok := zh[k]
		if !ok {
			t.Errorf("%s is missing in Chinese", k)
		}
		if a, b := verb.FindAllString(text, -1), verb.FindAllString(other, -1); !slices.Equal(a, b) {
			t.Errorf("%s: verbs %v and %v", k, a, b)
		}
	}
	for k := range zh {
		if _, ok := en[k]; !ok {
			t.Errorf("%s is missing in English", k)
		}
	}
}

func TestFor_ShowsTheModeFirstInEveryMessage(t *testing.T) {
	for _, c := range tales() {
		for _, lang := range []Lang{words.English, words.Chinese, "fr"} {
			m, err := For(fact(t, c.fact), Options{State: c.state, Lang: lang})
			if err != nil {
				t.Fatal(err)
			}
			if m.Mode == "" || !strings.HasPrefix(m.Title, "["+m.Mode+"] ") {
				t.Errorf("%s: title %q, mode %q", c.name, m.Title, m.Mode)
			}
		}
	}
}

func TestFor_NeverConfirmsWhatIsNotConfirmed(t *testing.T) {
	confirmed := regexp.MustCompile(`(?m)^3\. Restored: 2026|^Restored: 2026`)
	stopped := regexp.MustCompile(`(?m)^2\. Stopped at the service: 2026`)
	for _, c := range tales() {
		m, err := For(fact(t, c.fact), Options{State: c.state})
		if err != nil {
			t.Fatal(err)
		}
		_, isRestored := c.fact.(events.Restored)
		_, isStopped := c.fact.(events.Stopped)
		if confirmed.MatchString(m.Text) && !isRestored && (c.state == nil || c.state.Restored.State != drill.RestoreDone) {
			t.Errorf("%s claims a restoration:\n%s", c.name, m.Text)
		}
		if stopped.MatchString(m.Text) && !isStopped && (c.state == nil || c.state.Stop == nil || c.state.Stop.StoppedAt.IsZero()) {
			t.Errorf("%s claims a stop:\n%s", c.name, m.Text)
		}
	}
	done := stopState(true, false)
	done.Restored = drill.Restored{State: drill.RestoreDone} // no time
	m, err := For(fact(t, events.Stopped{About: about(drill.Stopped), StoppedAt: at}), Options{State: done})
	if err != nil || confirmed.MatchString(m.Text) || !strings.Contains(m.Text, "3. Restored: not confirmed") {
		t.Errorf("a restoration without a time is told as confirmed: %v\n%s", err, m.Text)
	}
}

func TestFor_IsSafeAndShort(t *testing.T) {
	long := strings.Repeat("🔥注意 ", 400)
	a := about(drill.Running)
	a.Title = "line one\nline two \u202egnp.exe\u0000 " + long
	changes := make([]string, 60)
	for i := range changes {
		changes[i] = fmt.Sprintf("step %d\nis running %s", i, long)
	}
	m, err := For(fact(t, events.Progressed{About: a, Changes: changes[:10]}), Options{Lang: words.Chinese})
	if err != nil {
		t.Fatal(err)
	}
	if n := utf8.RuneCountInString(m.Title); n > maxTitle || strings.ContainsAny(m.Title, "\n\u202e\u0000") {
		t.Errorf("title has %d runes: %q", n, m.Title)
	}
	if n := utf8.RuneCountInString(m.Text); n > maxText || !utf8.ValidString(m.Text) || strings.Count(m.Text, "\n") > 20 {
		t.Errorf("text has %d runes:\n%s", n, m.Text)
	}
	few, err := For(fact(t, events.Progressed{About: about(drill.Running), Changes: strings.Fields(strings.Repeat("x ", 60))}), Options{})
	if err != nil || !strings.Contains(few.Text, "and 48 more") {
		t.Errorf("what was left out is not counted: %v\n%s", err, few.Text)
	}
}

func TestFor_RefusesWhatIsNoFact(t *testing.T) {
	tick, err := events.New(events.Envelope{ID: "t", Source: "/x", Time: at}, events.Tick{At: at})
	if err != nil {
		t.Fatal(err)
	}
	broken := fact(t, events.Started{About: about(drill.Running)})
	if err := broken.SetData("application/json", map[string]any{"drill": 5}); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]events.Event{"a tick": tick, "a broken fact": broken, "nothing": {}} {
		if _, err := For(e, Options{}); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
