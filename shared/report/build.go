package report

import (
	"errors"
	"fmt"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// Build folds a drill's entries, oldest first, into a report. The state is the newest entry's; times that the service did not
// give are read off the earlier ones. A broken chain is not an error but part of the report; entries that hold no drill are.
func Build(entries []journal.Entry) (Report, error) {
	if len(entries) == 0 {
		return Report{}, errors.New("build report: the drill has no entries")
	}
	states := make([]*drill.Drill, len(entries))
	for i, e := range entries {
		d, err := e.State()
		if err != nil {
			return Report{}, fmt.Errorf("build report: %w", err)
		}
		states[i] = d
	}
	head := entries[len(entries)-1]
	d := states[len(states)-1]
	r := Report{
		V: Version, Drill: d.ID, Mode: orElse(d.Mode, head.Mode), AsOf: head.At.UTC(), Plan: plan(d.Plan), Parameters: d.Parameters, Actor: d.Actor,
		Slot: d.Slot, DryRun: d.DryRun, Status: d.Status, Outcome: d.Outcome, Reason: d.Reason, Refusal: d.Refusal,
		RequestedAt: d.RequestedAt.UTC(), StartedAt: d.StartedAt.UTC(), EndedAt: d.EndedAt.UTC(), ConcludedAt: d.ConcludedAt.UTC(),
		Runs: runs(d), Steps: foldSteps(entries, states), Facts: facts(d), Gates: foldGates(entries, states),
		Verdict: d.Verdict, Amendments: list(d.Amendments), Claims: claims(d), Approval: approval(d), Preview: preview(d),
		Notes: list(d.Notes), Attachments: attachments(d), Pending: list(d.Pending), Escalations: d.Escalations, LastError: d.LastError,
		Timeline: timeline(entries, states), Journal: anchor(d.ID, entries),
	}
	return r, nil
}

// list returns s, or an empty list for none: the JSON says [] rather than null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func plan(p drill.Plan) Plan {
	return Plan{
		Name: p.Name, Title: orElse(p.Title, p.Name), Owner: p.Owner, Runbook: p.Runbook, Environment: orElse(p.Environment, drill.Production),
		Service: p.Service, Account: p.Account.Name, AccountID: p.Account.ID, Region: p.Account.Region, StopOn: p.StopOn,
	}
}

func runs(d *drill.Drill) []Run {
	out := []Run{}
	for _, role := range []drill.Role{drill.Preview, drill.Main, drill.Recovery} {
		r := d.Run(role)
		if r == nil {
			continue
		}
		out = append(out, Run{
			Role: role, ID: d.Ref(role).ID, Vendor: r.Vendor, Attempts: r.Intent.Attempt, Adopted: r.Adopted, Never: r.Never, Injected: r.Injected,
			Evidence: r.Evidence, Report: r.Report,
		})
	}
	return out
}

func claims(d *drill.Drill) []Claim {
	out := []Claim{}
	for i, c := range d.Plan.Expect {
		if i >= len(d.Claims) {
			out = append(out, Claim{ID: c.ID, Claim: c.Claim, Asked: c.Ask, Probe: c.HTTP, Result: "unknown", Why: "nothing is recorded"})
			continue
		}
		held, known, why := d.ClaimOutcome(i)
		result := "unknown"
		switch {
		case known && held:
			result = "held"
		case known:
			result = "broken"
		}
		if !known && d.Verdict == nil {
			why = "not measured yet"
			if c.Ask != "" {
				why = "not answered yet"
			}
		}
		s := d.Claims[i]
		out = append(out, Claim{ID: c.ID, Claim: c.Claim, Asked: c.Ask, Probe: c.HTTP, Result: result, Why: why, Good: s.Good, Bad: s.Bad, Answer: s.Answer})
	}
	return out
}

func approval(d *drill.Drill) *Approval {
	a := d.Approvals
	if a == nil {
		return nil
	}
	return &Approval{Need: a.Need, Approved: a.Approved, Opened: a.OpenedAt.UTC(), Expires: a.ExpiresAt.UTC(), Votes: list(a.Votes)}
}

func preview(d *drill.Drill) *Preview {
	p := d.Preview
	if p == nil {
		return nil
	}
	return &Preview{Proved: p.Proved, Targets: list(p.Targets), Notes: p.Notes, Run: p.Run, At: p.At.UTC()}
}

func attachments(d *drill.Drill) []Attachment {
	out := []Attachment{}
	for _, a := range d.Attached {
		out = append(out, Attachment{What: a.What, Evidence: a.Evidence, At: a.At.UTC()})
	}
	return out
}

func timeline(entries []journal.Entry, states []*drill.Drill) []Moment {
	out := make([]Moment, len(entries))
	for i, e := range entries {
		out[i] = Moment{Rev: e.Rev, At: e.At.UTC(), Actor: e.Actor, Change: e.Change, Status: states[i].Status, Cause: e.Cause}
	}
	return out
}

func anchor(id string, entries []journal.Entry) Journal {
	head := entries[len(entries)-1]
	j := Journal{Rev: head.Rev, SHA256: head.SHA256, Whole: true}
	if err := journal.VerifyEntries(id, entries); err != nil {
		j.Whole, j.Problem = false, err.Error()
	}
	return j
}
