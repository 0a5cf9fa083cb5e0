package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// story writes a drill's journal the way the functions do: real transitions, a real store, a clock that the test moves.
type story struct {
	t   *testing.T
	now time.Time
	j   *journal.Journal
	d   *drill.Drill
}

var noon = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func tell(t *testing.T, plan drill.Plan) *story {
	t.Helper()
	s := &story{t: t, now: noon}
	n := 0
	s.j = journal.Open(memory.New(), journal.Options{
		Mode: "SANDBOX", Now: func() time.Time { return s.now },
		Nonce: func() string { n++; return fmt.Sprintf("nonce-%d", n) },
	})
	d, c := drill.New(drill.Ask{
		ID: "k7m2drill0001", Mode: "SANDBOX", Root: "root", Plan: plan, Actor: "local:console/you", Parameters: map[string]any{"seconds": 180},
	}, s.now)
	if _, err := s.j.Begin(t.Context(), d, c, journal.By{Actor: "local:console/you", Cause: "event-1", Source: "/firedrill/test/start"}); err != nil {
		t.Fatal(err)
	}
	s.d = d
	return s
}

// then moves the clock, makes a change and records it.
func (s *story) then(after time.Duration, actor string, edit func(*drill.Drill, time.Time) (drill.Change, error)) *story {
	s.t.Helper()
	s.now = s.now.Add(after)
	c, err := edit(s.d, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.j.Commit(s.t.Context(), s.d, c, journal.By{Actor: actor, Cause: "event", Source: "/firedrill/test/poll"}); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// runs intends the main run and records its id.
func (s *story) runs(id string) *story {
	s.t.Helper()
	s.then(time.Second, "start", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Intend(drill.Main, "start-1", nil, 0, now)
	})
	return s.then(time.Second, "start", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.SetRun(drill.Main, id, false, now) })
}

// sees records one reading of the main run.
func (s *story) sees(after time.Duration, o drill.Observation) *story {
	s.t.Helper()
	return s.then(after, "poll", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		o.Run = d.Ref(drill.Main)
		return d.Observe(o, now)
	})
}

func (s *story) stop(after time.Duration, kind drill.StopKind, who, reason string) *story {
	s.t.Helper()
	return s.then(after, who, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AskStop(kind, who, reason, "abort-1", now)
	})
}

// concludes takes the drill from its end to a verdict by the rules.
func (s *story) concludes() *story {
	s.t.Helper()
	s.then(time.Second, "conclude", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.BeginConclude(now) })
	s.then(time.Minute, "conclude", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Decide(d.Judge(now), now) })
	return s.then(time.Second, "conclude", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Conclude(true, "", now) })
}

func (s *story) entries() []journal.Entry {
	s.t.Helper()
	entries, err := s.j.Entries(s.t.Context(), s.d.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return entries
}

func (s *story) report() Report {
	s.t.Helper()
	r, err := Build(s.entries())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func checkout() drill.Plan {
	return drill.Plan{
		Name: "checkout-az-outage", Title: "Checkout survives the loss of one AZ", Owner: "team-checkout", Environment: "staging", Service: drill.FIS,
		Runbook: "https://wiki.example.com/checkout-az", MaxDuration: drill.Duration(30 * time.Minute), StopOn: []string{"checkout-5xx"},
		Account: drill.Account{Name: "aws-sandbox", Cloud: "aws", ID: "123456789012", Region: "us-east-1"},
		Expect: []drill.Claim{
			{ID: "c1", Claim: "checkout answers", HTTP: "https://shop.example.com/healthz", StopAfter: drill.Duration(time.Minute)},
			{ID: "c2", Claim: "no order is lost", Ask: "owner"},
		},
	}
}

func step(id string, kind drill.StepKind, state drill.StepState, from, until int) drill.Step {
	s := drill.Step{ID: id, Name: id, Kind: kind, State: state, Targets: []drill.Target{{ID: "i-0a1b2c3d", State: state}}}
	if from >= 0 {
		s.StartedAt = noon.Add(time.Duration(from) * time.Second)
	}
	if until >= 0 {
		s.EndedAt = noon.Add(time.Duration(until) * time.Second)
	}
	return s
}

// scenes are the drills whose pages are kept as golden files.
func scenes(t *testing.T) map[string]*story {
	running := func() *story {
		return tell(t, checkout()).runs("EXP8e12abb6e69f997").sees(3*time.Second, drill.Observation{
			Phase: drill.PhaseRunning, Vendor: "running", Injected: true,
			Steps: []drill.Step{step("cut-network", drill.FaultStep, drill.StepRunning, 4, -1), step("stop-instances", drill.FaultStep, drill.StepPending, -1, -1)},
		})
	}
	asked := func() *story {
		return running().stop(40*time.Second, drill.StopByAlarm, "alarm:local/checkout-5xx", "5xx above 5%")
	}
	stopped := asked().sees(6*time.Second, drill.Observation{
		Phase: drill.PhaseStopped, Vendor: "stopped", Quiet: true, Restoration: drill.RestoreDone, Evidence: []string{"action cut-network is stopped: FIS ends an action after its rollback"},
		Report: drill.Report{State: "pending"},
		Steps:  []drill.Step{step("cut-network", drill.FaultStep, drill.StepCancelled, 4, 50), step("stop-instances", drill.FaultStep, drill.StepSkipped, -1, -1)},
	}).then(20*time.Second, "local:console/you", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AnswerClaim("c2", true, "local:console/you", "counted twice", now)
	}).concludes().then(time.Hour, "slack:T1/U7", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Amend(drill.Verdict{Verdict: drill.Inconclusive, Summary: "the alarm was a false one", By: "slack:T1/U7", Issue: "OPS-12"}, now)
	}).then(time.Minute, "poll", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Settle(d.Pending[0], "report", []string{"s3://reports/x.pdf"}, now), nil
	}).then(time.Minute, "slack:T1/U7", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AddNote("slack:T1/U7", "next time at 11:00", now), nil
	})
	return map[string]*story{
		"just requested": tell(t, checkout()),
		"running":        running(),
		"a stop that the service has not confirmed": asked(),
		"stopped by its alarm, then amended":        stopped,
		"advanced by hand to its end":               byHand(t),
		"refused": tell(t, checkout()).then(time.Second, "start", func(d *drill.Drill, now time.Time) (drill.Change, error) {
			return d.Refuse("window", "checkout-az-outage runs Mon-Fri 10:00-16:00; the next window opens 2026-11-23T10:00:00Z", now)
		}),
		"stopped before it started": tell(t, checkout()).stop(time.Second, drill.StopByPerson, "local:console/you", "wrong plan").concludes(),
	}
}

func byHand(t *testing.T) *story {
	plan := drill.Plan{
		Name: "cart-cpu", Title: `购物车在 CPU 高负载下可用 🛒 "Cart" & co`, Environment: "staging", Service: drill.CFG, MaxDuration: drill.Duration(10 * time.Minute),
		Account:  drill.Account{Name: "tx-sandbox", Cloud: "tencent", Region: "ap-guangzhou"},
		Approval: drill.Approval{Need: 1}, Expect: []drill.Claim{{ID: "c1", Claim: "购物车一秒内响应", Ask: "owner"}},
	}
	gate := []drill.Gate{{Step: "11395", Name: "High CPU Load", Kind: drill.ManualGate, Choices: []drill.Choice{{Action: drill.Execute}, {Action: drill.Skip}}}}
	s := tell(t, plan).then(time.Second, "start", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.AskApproval(now) })
	s.then(5*time.Minute, "feishu:tenant/ou_1", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Approve("feishu:tenant/ou_1", "go", now)
	})
	s.runs("3256").sees(2*time.Second, drill.Observation{
		Phase: drill.PhaseWaiting, Vendor: "1002/0", Gates: gate,
		Steps: []drill.Step{step("High CPU Load", drill.FaultStep, drill.StepReady, -1, -1), step("High CPU Load (rollback)", drill.RecoveryStep, drill.StepPending, -1, -1)},
	})
	s.then(20*time.Second, "local:console/you", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		c, _, err := d.Answer(drill.Move{Action: drill.Execute, Note: "on call is watching"}, "local:console/you", "advance-1", now)
		return c, err
	})
	s.then(time.Second, "advance", func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.SettleAnswer(0, "", now), nil })
	s.sees(10*time.Second, drill.Observation{ // this service gives no times
		Phase: drill.PhaseRunning, Vendor: "1002/1", Injected: true,
		Steps: []drill.Step{step("High CPU Load", drill.FaultStep, drill.StepRunning, -1, -1)},
	})
	s.sees(3*time.Minute, drill.Observation{
		Phase: drill.PhaseCompleted, Vendor: "1003/0", Injected: true, Quiet: true, Restoration: drill.RestoreDone, Evidence: []string{"High CPU Load (rollback) is 3 (success) on 2 of 2 instances"},
		Steps: []drill.Step{step("High CPU Load", drill.FaultStep, drill.StepDone, -1, -1), step("High CPU Load (rollback)", drill.RecoveryStep, drill.StepDone, -1, -1)},
	})
	s.then(10*time.Second, "feishu:tenant/ou_1", func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AnswerClaim("c1", true, "feishu:tenant/ou_1", "", now)
	})
	return s.concludes()
}
