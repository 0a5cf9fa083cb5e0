package drill

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// Default deadlines of the states before a start.
const (
	RequestExpiry  = 15 * time.Minute // of start, advance and approve commands
	PreviewTimeout = 10 * time.Minute
	ApprovalExpiry = 30 * time.Minute
	AskedDeadline  = 30 * time.Minute // for the answer to an asked claim, after the run's end
)

// ErrAnswered says that somebody was first.
var ErrAnswered = errors.New("already answered")

// ErrForbidden says that this actor may not do that.
var ErrForbidden = errors.New("not allowed")

// Ask is what a new drill is made from.
type Ask struct {
	ID, Mode, Root string
	Plan           Plan
	Parameters     map[string]any
	Block          map[string]any
	Actor          string
	DryRun         bool
	Slot           string
	Recovers       bool
	ExpiresAt      time.Time
}

// New makes a drill that was asked for.
func New(a Ask, now time.Time) (*Drill, Change) {
	d := &Drill{
		ID: a.ID, Mode: a.Mode, Root: a.Root, Plan: a.Plan, Parameters: a.Parameters, Block: a.Block, Actor: a.Actor,
		DryRun: a.DryRun, Slot: a.Slot, Recovers: a.Recovers, Status: Requested, RequestedAt: now, Deadline: a.ExpiresAt,
	}
	if d.Deadline.IsZero() {
		d.Deadline = now.Add(RequestExpiry)
	}
	for _, c := range a.Plan.Expect {
		d.Claims = append(d.Claims, ClaimState{ID: c.ID})
	}
	return d, Change{What: "requested by " + a.Actor, Facts: []events.Payload{events.Requested{About: d.about(now), Parameters: a.Parameters}}}
}

// Refuse ends a drill that has not started, and names the check that said no. From starting only the author of the
// intent may refuse, and only before its call or when the service itself declined it.
func (d *Drill) Refuse(check, reason string, now time.Time) (Change, error) {
	if err := d.to(Refused); err != nil {
		return Change{}, err
	}
	reason = clip(reason, maxText)
	d.Refusal = &Refusal{Check: check, Reason: reason}
	d.Reason = reason
	d.EndedAt = now
	d.Gates = nil
	d.Restored = Restored{State: RestoreNeedless}
	return Change{What: "refused: " + check + ": " + reason, Facts: []events.Payload{events.Refused{About: d.about(now), Check: check, Reason: reason}}}, nil
}

// WantsPreview reports whether the targets must be known before the start: bounds, an approval or a dry run need them.
func (d *Drill) WantsPreview() bool {
	return d.Preview == nil && (d.DryRun || d.Plan.Targets != (Bounds{}) || d.Plan.Approval.Need > 0)
}

// BeginPreview says that the preview is under way.
func (d *Drill) BeginPreview(now time.Time) (Change, error) {
	if err := d.to(Previewing); err != nil {
		return Change{}, err
	}
	d.Deadline = now.Add(PreviewTimeout)
	return Change{What: "previewing"}, nil
}

// SetPreview records what the preview proved.
func (d *Drill) SetPreview(p Previewed, now time.Time) Change {
	p.At = now
	d.Preview = &p
	return Change{What: fmt.Sprintf("preview proved %s, %d targets", p.Proved, len(p.Targets))}
}

// OutOfBounds says why the previewed targets do not fit the plan's bounds, "" if they do or if the preview cannot tell.
func (d *Drill) OutOfBounds() string {
	b := d.Plan.Targets
	if b == (Bounds{}) || d.Preview == nil || d.Preview.Proved != "targets" {
		return ""
	}
	n := len(d.Preview.Targets)
	if b.Min > 0 && n < b.Min {
		return fmt.Sprintf("%d targets, the plan wants at least %d", n, b.Min)
	}
	if b.Max > 0 && n > b.Max {
		return fmt.Sprintf("%d targets, the plan allows at most %d", n, b.Max)
	}
	return ""
}

// EndDryRun completes a drill that was only to show what would happen.
func (d *Drill) EndDryRun(now time.Time) (Change, error) {
	if err := d.to(Completed); err != nil {
		return Change{}, err
	}
	d.Outcome, d.EndedAt, d.EndedRev, d.Reason = Completed, now, d.Rev+1, "dry run"
	d.Restored = Restored{State: RestoreNeedless, At: now, Evidence: []string{"dry run: nothing was injected"}}
	return Change{What: "dry run ended", Facts: []events.Payload{events.Completed{About: d.about(now)}}}, nil
}

// Hash binds an approval to what was asked: plan, parameters and previewed targets.
func (d *Drill) Hash() string {
	var targets []string
	if d.Preview != nil {
		for _, t := range d.Preview.Targets {
			targets = append(targets, t.ID)
		}
	}
	slices.Sort(targets)
	b, err := json.Marshal([]any{d.Plan, d.Parameters, d.Block, targets})
	if err != nil {
		panic("drill: plan does not encode: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// NeedsApproval reports whether people must still agree.
func (d *Drill) NeedsApproval() bool {
	return d.Plan.Approval.Need > 0 && (d.Approvals == nil || !d.Approvals.Approved)
}

// AskApproval opens the gate before the start.
func (d *Drill) AskApproval(now time.Time) (Change, error) {
	if err := d.to(Waiting); err != nil {
		return Change{}, err
	}
	expires := d.Plan.Approval.Expires.D()
	if expires <= 0 {
		expires = ApprovalExpiry
	}
	gate := fmt.Sprintf("start@%d", d.Rev+1)
	d.Approvals = &Approvals{Gate: gate, Hash: d.Hash(), Need: d.Plan.Approval.Need, OpenedAt: now, ExpiresAt: now.Add(expires)}
	return Change{What: fmt.Sprintf("waits for %d approval(s)", d.Approvals.Need), Facts: []events.Payload{d.openStart(now)}}, nil
}

// openStart opens the gate before the start.
func (d *Drill) openStart(now time.Time) events.Waiting {
	a := d.Approvals
	d.Deadline = a.ExpiresAt
	d.Gates = []Gate{{ID: a.Gate, Name: "start " + d.Plan.Name, Kind: ApprovalGate, OpenedAt: a.OpenedAt, Choices: []Choice{{Action: ApproveRun}, {Action: RejectRun}}}}
	return events.Waiting{About: d.about(now), Gate: a.Gate, Kind: string(ApprovalGate), Name: d.Gates[0].Name, Choices: []string{string(ApproveRun), string(RejectRun)}}
}

// AwaitsApproval reports whether the open gate is the one before the start.
func (d *Drill) AwaitsApproval() bool {
	return d.Status == Waiting && d.Approvals != nil && d.RunID() == "" && d.Runs[Main] == nil
}

// Approve counts one vote. The requester's own does not count unless the plan allows it; a second one by the same person changes nothing.
func (d *Drill) Approve(actor, note string, now time.Time) (Change, error) {
	a := d.Approvals
	switch {
	case !d.AwaitsApproval():
		return Change{}, fmt.Errorf("%w: drill %s is %s and waits for no approval", ErrAnswered, d.ID, d.Status)
	case a.Approved:
		return Change{}, fmt.Errorf("%w: %s approved it at %s", ErrAnswered, a.Votes[len(a.Votes)-1].Actor, a.Votes[len(a.Votes)-1].At.Format(time.RFC3339))
	case now.After(a.ExpiresAt):
		return Change{}, fmt.Errorf("%w: the approval expired at %s", ErrAnswered, a.ExpiresAt.Format(time.RFC3339))
	case actor == d.Actor && !d.Plan.Approval.Self:
		return Change{}, fmt.Errorf("%w: %s asked for this drill and cannot approve it; somebody else must", ErrForbidden, actor)
	case a.Hash != d.Hash():
		return Change{}, fmt.Errorf("%w: what was asked has changed since", ErrForbidden)
	}
	if a.VotedBy(actor) {
		return Change{}, fmt.Errorf("%w: you approved already; %d of %d so far", ErrAnswered, len(a.Votes), a.Need)
	}
	a.Votes = append(a.Votes, Vote{Actor: actor, At: now, Note: note})
	if len(a.Votes) < a.Need {
		return d.told(fmt.Sprintf("approved by %s (%d of %d)", actor, len(a.Votes), a.Need), now), nil
	}
	a.Approved = true
	d.Gates, d.Deadline = nil, now.Add(RequestExpiry)
	by := make([]string, 0, len(a.Votes))
	for _, v := range a.Votes {
		by = append(by, v.Actor)
	}
	return Change{What: "approved by " + actor, Facts: []events.Payload{events.Approved{About: d.about(now), By: by}}}, nil
}

// Strike takes out the votes of people who may not approve, and opens the gate again where too few are left: whoever counted them did not
// know what is known here. It changes nothing if all may, or when the drill waits for no approval.
func (d *Drill) Strike(may func(actor string) bool, now time.Time) Change {
	if !d.AwaitsApproval() {
		return Change{}
	}
	a := d.Approvals
	var struck []string
	a.Votes = slices.DeleteFunc(a.Votes, func(v Vote) bool {
		if may(v.Actor) {
			return false
		}
		struck = append(struck, v.Actor)
		return true
	})
	if len(struck) == 0 {
		return Change{}
	}
	c := d.told(fmt.Sprintf("the approval of %s does not count (%d of %d)", strings.Join(struck, ", "), len(a.Votes), a.Need), now)
	if a.Approved && len(a.Votes) < a.Need {
		a.Approved = false
		c.Facts = append(c.Facts, d.openStart(now))
	}
	return c
}

// VotedBy reports whether the actor's agreement is counted already.
func (a *Approvals) VotedBy(actor string) bool {
	return slices.ContainsFunc(a.Votes, func(v Vote) bool { return v.Actor == actor })
}

// AddNote keeps a person's remark.
func (d *Drill) AddNote(actor, text string, now time.Time) Change {
	d.Notes = append(d.Notes, Remark{Actor: actor, Text: text, At: now})
	return Change{What: actor + " notes: " + text}
}
