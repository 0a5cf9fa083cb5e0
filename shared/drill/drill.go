package drill

import (
	"time"

	"github.com/firedrill/firedrill/events"
)

// Drill is one run of a plan: the whole state, as each journal entry holds it.
type Drill struct {
	ID         string         `json:"id"`
	Mode       string         `json:"mode"` // SANDBOX or LIVE
	Root       string         `json:"root"` // identity of the journal
	Plan       Plan           `json:"plan"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Block      map[string]any `json:"block"` // the plan's block with the parameters put in
	Actor      string         `json:"actor"`
	DryRun     bool           `json:"dry_run,omitempty"`
	Slot       string         `json:"slot,omitempty"`
	Recovers   bool           `json:"recovers,omitempty"` // the plan names a recovery run

	Status      Status     `json:"status"`
	Outcome     Status     `json:"outcome,omitempty"` // how the run ended: stopped, completed or failed; set once
	Reason      string     `json:"reason,omitempty"`
	Refusal     *Refusal   `json:"refusal,omitempty"`
	RequestedAt time.Time  `json:"requested_at"`
	StartedAt   time.Time  `json:"started_at,omitzero"`
	EndedAt     time.Time  `json:"ended_at,omitzero"`
	AskedAt     time.Time  `json:"asked_at,omitzero"` // when people were asked whether the claims hold
	ConcludedAt time.Time  `json:"concluded_at,omitzero"`
	Deadline    time.Time  `json:"deadline,omitzero"` // of the present status; passing it escalates
	Approvals   *Approvals `json:"approvals,omitempty"`
	Preview     *Previewed `json:"preview,omitempty"`

	Runs       map[Role]*RunState `json:"runs,omitempty"`
	Steps      []Step             `json:"steps,omitempty"`
	Gates      []Gate             `json:"gates,omitempty"` // those that are open now
	Answers    []Answered         `json:"answers,omitempty"`
	Stop       *StopState         `json:"stop,omitempty"`
	StopLease  Lease              `json:"stop_lease,omitzero"` // who calls the service's stop now, so that handlers do not pile up
	StopCalls  int                `json:"stop_calls,omitempty"`
	Restored   Restored           `json:"restored,omitzero"`
	Claims     []ClaimState       `json:"claims,omitempty"`
	Verdict    *Verdict           `json:"verdict,omitempty"`
	Amendments []Verdict          `json:"amendments,omitempty"`
	Pending    []Pending          `json:"pending,omitempty"`
	Attached   []Attachment       `json:"attached,omitempty"`
	Notes      []Remark           `json:"notes,omitempty"`

	Escalations  int       `json:"escalations,omitempty"`
	LastError    string    `json:"last_error,omitempty"`
	ProgressedAt time.Time `json:"progressed_at,omitzero"` // when steps were told last
	Owed         []string  `json:"owed,omitempty"`         // what moved since and is not told yet, the newest lines
	OwedMore     int       `json:"owed_more,omitempty"`    // lines before those
	EndedRev     int       `json:"ended_rev,omitempty"`    // the entry whose facts say that the run is over
	Recorded     bool      `json:"recorded,omitempty"`     // the service's own record holds the conclusion

	Rev  int    `json:"-"` // rev of the entry that this state was read from
	Head string `json:"-"` // sha256 of that entry
}

// Refusal names the guard that said no, and a reason that a person can act on.
type Refusal struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

// Approvals is the gate before a start. Votes count only for the hash of what was asked.
type Approvals struct {
	Gate      string    `json:"gate"`
	Hash      string    `json:"hash"`
	Need      int       `json:"need"`
	Votes     []Vote    `json:"votes,omitempty"`
	OpenedAt  time.Time `json:"opened_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Approved  bool      `json:"approved,omitempty"`
}

// Vote is one person's agreement.
type Vote struct {
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"`
}

// Previewed is what the preview proved.
type Previewed struct {
	Proved  string    `json:"proved"`
	Targets []Target  `json:"targets,omitempty"`
	Notes   []string  `json:"notes,omitempty"`
	Run     string    `json:"run,omitempty"`
	At      time.Time `json:"at"`
}

// RunState is one of the drill's runs: the intent to start it, its adoption, and what was last seen.
type RunState struct {
	Intent      Intent      `json:"intent"`
	Prepared    string      `json:"prepared,omitempty"` // id of the inert task that alone may be executed (CFG)
	ID          string      `json:"id,omitempty"`       // "" until known
	Adopted     bool        `json:"adopted,omitempty"`  // found by a lookup, not by the reply of our call
	Phase       Phase       `json:"phase,omitempty"`
	Vendor      string      `json:"vendor,omitempty"`
	Injected    bool        `json:"injected,omitempty"`
	Quiet       bool        `json:"quiet,omitempty"`
	Restoration Restoration `json:"restoration,omitempty"`
	Evidence    []string    `json:"evidence,omitempty"`
	Report      Report      `json:"report,omitzero"`
	Never       bool        `json:"never,omitempty"` // nobody looks for it any more: it was never started, or nobody can say which it is
}

// Intent is the lease under which one author, and nobody else, may call the service.
type Intent struct {
	Attempt int         `json:"attempt"`
	By      string      `json:"by"`
	Until   time.Time   `json:"until"`
	Since   time.Time   `json:"since"`
	Seen    []string    `json:"seen,omitempty"`    // run ids that were there before the intent
	Late    Duration    `json:"late,omitempty"`    // how long after its lease a call may still take effect at the service
	Undone  bool        `json:"undone,omitempty"`  // it is sure that this attempt did nothing
	Open    time.Time   `json:"open,omitzero"`     // until then a call of an earlier attempt may take effect
	Missed  time.Time   `json:"missed,omitzero"`   // a lookup found nothing while a call could still take effect
	Lookups []time.Time `json:"lookups,omitempty"` // those after Settles, with nothing found
}

// Settles is when no call under this intent, or an earlier one, can take effect any more. Before that nobody can say that a run was
// never started: a service may accept a request for as long as its signature is valid, whether or not its sender still waits.
func (i Intent) Settles() time.Time {
	at := i.Until
	if !i.Undone {
		at = at.Add(i.Late.D())
	}
	if at.Before(i.Open) {
		return i.Open
	}
	return at
}

// StopState holds the first two facts of a stop; Restored is the third.
type StopState struct {
	RequestedAt time.Time `json:"requested_at"`
	By          string    `json:"by"`
	Kind        StopKind  `json:"kind"`
	Reason      string    `json:"reason,omitempty"`
	StoppedAt   time.Time `json:"stopped_at,omitzero"`
	Held        bool      `json:"held,omitempty"` // people were told why a paused run is not called stopped yet
	Evidence    []string  `json:"evidence,omitempty"`
}

// Lease names who acts, and until when.
type Lease struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

// StopKind tells why a drill was stopped; the verdict depends on it.
type StopKind string

// The kinds of stop.
const (
	StopByPerson   StopKind = "person"
	StopByAlarm    StopKind = "alarm"
	StopByClaim    StopKind = "claim"    // a claim did not hold for stop_after
	StopByDeadline StopKind = "deadline" // max_duration is over
	StopByHalt     StopKind = "halt"
	StopByFreeze   StopKind = "freeze"
	StopByService  StopKind = "service"   // outside Firedrill: the vendor's console
	StopByRule     StopKind = "condition" // the service's own stop condition
)

// Restored is the third fact of a stop, and the last of any run.
type Restored struct {
	State    Restoration `json:"state,omitempty"`
	At       time.Time   `json:"at,omitzero"`
	Evidence []string    `json:"evidence,omitempty"`
}

// Answered is an answer to a gate: recorded, acted upon, recorded again.
type Answered struct {
	Move
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
	Lease Lease     `json:"lease,omitzero"`  // who carries it out; no call is made after it
	Tries int       `json:"tries,omitempty"` // leases so far: above 1, an earlier call may have gone through
	Cause string    `json:"cause,omitempty"` // id of the command: delivered again, it is the same answer
	Done  bool      `json:"done,omitempty"`
	Error string    `json:"error,omitempty"`
}

// ClaimState is what is known of one claim. Samples lie in objects of their own; here is their sum.
type ClaimState struct {
	ID       string    `json:"id"`
	Good     int       `json:"good,omitempty"`
	Bad      int       `json:"bad,omitempty"`
	During   int       `json:"during,omitempty"`   // samples that were taken while the run was under way
	BadSince time.Time `json:"bad_since,omitzero"` // start of the present bad streak
	Longest  Duration  `json:"longest_bad,omitempty"`
	Last     string    `json:"last,omitempty"`
	LastAt   time.Time `json:"last_at,omitzero"`
	Answer   *Reply    `json:"answer,omitempty"`
}

// Reply is a person's answer to an asked claim.
type Reply struct {
	Holds bool      `json:"holds"`
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
	Note  string    `json:"note,omitempty"`
}

// Verdict is the outcome of a drill.
type Verdict struct {
	Verdict string    `json:"verdict"`
	Summary string    `json:"summary"`
	Reasons []string  `json:"reasons,omitempty"`
	Issue   string    `json:"issue,omitempty"`
	Record  string    `json:"record,omitempty"`
	By      string    `json:"by"` // "rules" or an actor
	At      time.Time `json:"at"`
}

// Pending keeps a drill active after its end.
type Pending struct {
	What  string    `json:"what"` // report, record, stray
	Run   string    `json:"run,omitempty"`
	Until time.Time `json:"until"`
}

// Attachment is late evidence.
type Attachment struct {
	What     string    `json:"what"`
	Evidence []string  `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}

// Remark is a note that a person left.
type Remark struct {
	Actor string    `json:"actor"`
	Text  string    `json:"text"`
	At    time.Time `json:"at"`
}

// Change is what a transition leaves besides the new state: a line for the timeline, and facts to publish.
type Change struct {
	What  string
	Facts []events.Payload
}

// Run returns the state of a role's run, nil if there is none.
func (d *Drill) Run(r Role) *RunState { return d.Runs[r] }

// RunID returns the service's id of the main run, "" if it is not known.
func (d *Drill) RunID() string {
	if r := d.Runs[Main]; r != nil {
		return r.ID
	}
	return ""
}

// Ref returns the pointer to a role's run.
func (d *Drill) Ref(role Role) Run {
	r := Run{Service: d.Plan.Service, Account: d.Plan.Account.Name, Region: d.Plan.Account.Region, Role: role}
	if s := d.Runs[role]; s != nil {
		r.ID = s.ID
		if r.ID == "" {
			r.ID = s.Prepared
		}
	}
	return r
}

// Active reports whether handlers still have work with the drill; its marker is kept as long.
func (d *Drill) Active() bool {
	return !d.Status.Final() || len(d.Pending) > 0
}

// Holds reports whether the drill still holds its locks: until it is over and its restoration is decided.
func (d *Drill) Holds() bool {
	if d.Status == Refused {
		return false
	}
	return !d.Status.Ended() || !d.Restored.State.Decided()
}

// about is what facts of the entry that comes next say of the drill.
func (d *Drill) about(now time.Time) events.About {
	return events.About{
		Drill: d.ID, Plan: d.Plan.Name, Title: d.Plan.Title, Service: string(d.Plan.Service),
		Environment: d.Plan.Environment, Account: d.Plan.Account.Name, Region: d.Plan.Account.Region,
		Run: d.RunID(), Mode: d.Mode, Status: string(d.Status), Actor: d.Actor, Rev: d.Rev + 1, At: now,
	}
}

func (d *Drill) run(role Role) *RunState {
	if d.Runs == nil {
		d.Runs = map[Role]*RunState{}
	}
	if d.Runs[role] == nil {
		d.Runs[role] = &RunState{}
	}
	return d.Runs[role]
}
