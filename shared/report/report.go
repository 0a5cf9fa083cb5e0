package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// Version is the format version of a Report. A changed meaning of a field is a new version; a new field is not.
const Version = 1

// Report is all that is known of one drill at one rev of its journal. The names of its JSON fields are stable; times are
// RFC 3339 in UTC and left out while they are not known.
type Report struct {
	V           int             `json:"v"`
	Drill       string          `json:"drill"`
	Mode        string          `json:"mode"`  // SANDBOX or LIVE
	AsOf        time.Time       `json:"as_of"` // when the newest entry was written
	Plan        Plan            `json:"plan"`
	Parameters  map[string]any  `json:"parameters,omitempty"`
	Actor       string          `json:"actor"`
	Slot        string          `json:"slot,omitempty"` // of the schedule that asked for it
	DryRun      bool            `json:"dry_run,omitempty"`
	Status      drill.Status    `json:"status"`
	Outcome     drill.Status    `json:"outcome,omitempty"` // how the run ended: stopped, completed or failed
	Reason      string          `json:"reason,omitempty"`
	Refusal     *drill.Refusal  `json:"refusal,omitempty"`
	RequestedAt time.Time       `json:"requested_at"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	EndedAt     time.Time       `json:"ended_at,omitzero"`
	ConcludedAt time.Time       `json:"concluded_at,omitzero"`
	Runs        []Run           `json:"runs"`
	Steps       []Step          `json:"steps"`
	Facts       []Fact          `json:"facts"` // requested, stopped, restored of a stop; restored alone for a run that nobody stopped
	Gates       []Gate          `json:"gates"`
	Verdict     *drill.Verdict  `json:"verdict,omitempty"` // the first one; it stays
	Amendments  []drill.Verdict `json:"amendments"`        // later corrections, oldest first
	Claims      []Claim         `json:"claims"`
	Approval    *Approval       `json:"approval,omitempty"`
	Preview     *Preview        `json:"preview,omitempty"`
	Notes       []drill.Remark  `json:"notes"`
	Attachments []Attachment    `json:"attachments"`
	Pending     []drill.Pending `json:"pending"` // what is still waited for
	Escalations int             `json:"escalations,omitempty"`
	LastError   string          `json:"last_error,omitempty"`
	Timeline    []Moment        `json:"timeline"`
	Journal     Journal         `json:"journal"`

	zone *time.Location // of the page; nil means UTC
}

// Plan is what was run.
type Plan struct {
	Name        string        `json:"name"`
	Title       string        `json:"title"`
	Owner       string        `json:"owner,omitempty"`
	Runbook     string        `json:"runbook,omitempty"`
	Environment string        `json:"environment"`
	Service     drill.Service `json:"service"`
	Account     string        `json:"account,omitempty"` // its name in the catalogue
	AccountID   string        `json:"account_id,omitempty"`
	Region      string        `json:"region,omitempty"`
	StopOn      []string      `json:"stop_on,omitempty"` // names of alarms
}

// Run is one of the drill's runs at the service.
type Run struct {
	Role     drill.Role   `json:"role"` // main, preview or recovery
	ID       string       `json:"id,omitempty"`
	Vendor   string       `json:"vendor,omitempty"` // the service's own status, verbatim
	Attempts int          `json:"attempts"`         // times that somebody set out to start it
	Adopted  bool         `json:"adopted,omitempty"`
	Never    bool         `json:"never,omitempty"` // it is sure that it was never started
	Injected bool         `json:"injected,omitempty"`
	Evidence []string     `json:"evidence,omitempty"`
	Report   drill.Report `json:"report,omitzero"` // the service's own report
}

// Step is one action of the run. Start and End are the service's own times; where it gave none, they are those of the first
// entry that shows the step begun or ended, and Seen is true. A step that is not known to have ended has no End.
type Step struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Kind     drill.StepKind  `json:"kind"`
	State    drill.StepState `json:"state"`
	Vendor   string          `json:"vendor,omitempty"`
	Targets  []drill.Target  `json:"targets,omitempty"`
	Attempt  int             `json:"attempt,omitempty"`
	Start    time.Time       `json:"started_at,omitzero"`
	End      time.Time       `json:"ended_at,omitzero"`
	Seen     bool            `json:"seen,omitempty"`
	Message  string          `json:"message,omitempty"`
	Recovers string          `json:"recovers,omitempty"`
}

// FactName names one of the three facts of a stop.
type FactName string

// The facts of a stop, in order.
const (
	StopRequested FactName = "stop_requested"
	StoppedAt     FactName = "stopped"
	RestoredAt    FactName = "restored"
)

// FactState says how a fact stands.
type FactState string

// The states of a fact. Only yes says that it came true.
const (
	Yes      FactState = "yes"
	NotYet   FactState = "not_yet"  // it may still come true
	No       FactState = "no"       // it will not: the run ended in another way, or recovery failed
	Needless FactState = "needless" // nothing was injected, so there is nothing to restore
	Unproven FactState = "unproven" // the service cannot say
)

// Fact is one of the three facts of a stop. At is set only when State is yes or needless.
type Fact struct {
	Name     FactName  `json:"name"`
	State    FactState `json:"state"`
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"`
	Why      string    `json:"why,omitempty"`
	Evidence []string  `json:"evidence,omitempty"`
}

// Gate is a point where the drill waited for a person. Closed is the time of the entry that no longer shows it open.
type Gate struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Kind    drill.GateKind `json:"kind"`
	Opened  time.Time      `json:"opened_at"`
	Closed  time.Time      `json:"closed_at,omitzero"`
	Answers []Answer       `json:"answers,omitempty"`
}

// Answer is what a person chose at a gate.
type Answer struct {
	Action drill.Action `json:"action"`
	Step   string       `json:"step,omitempty"`
	Actor  string       `json:"actor"`
	At     time.Time    `json:"at"`
	Note   string       `json:"note,omitempty"`
	Done   bool         `json:"done"`            // carried out
	Error  string       `json:"error,omitempty"` // why it was not
}

// Claim is one expectation and how it turned out.
type Claim struct {
	ID     string       `json:"id"`
	Claim  string       `json:"claim"`
	Asked  string       `json:"asked,omitempty"`  // who was asked, for an asked claim
	Probe  string       `json:"probe,omitempty"`  // what was measured, for a measured one
	Result string       `json:"result"`           // held, broken or unknown
	Why    string       `json:"why"`              // the samples or the answer in words
	Good   int          `json:"good,omitempty"`   // samples that were good
	Bad    int          `json:"bad,omitempty"`    // samples that were not
	Answer *drill.Reply `json:"answer,omitempty"` // of an asked claim
}

// Approval is the agreement before the start.
type Approval struct {
	Need     int          `json:"need"`
	Approved bool         `json:"approved"`
	Opened   time.Time    `json:"opened_at"`
	Expires  time.Time    `json:"expires_at"`
	Votes    []drill.Vote `json:"votes"`
}

// Preview is what was known of the targets before the start.
type Preview struct {
	Proved  string         `json:"proved"`
	Targets []drill.Target `json:"targets"`
	Notes   []string       `json:"notes,omitempty"`
	Run     string         `json:"run,omitempty"`
	At      time.Time      `json:"at"`
}

// Attachment is evidence that came after the end.
type Attachment struct {
	What     string    `json:"what"`
	Evidence []string  `json:"evidence,omitempty"`
	At       time.Time `json:"at"`
}

// Moment is one entry of the journal in a line.
type Moment struct {
	Rev    int          `json:"rev"`
	At     time.Time    `json:"at"`
	Actor  string       `json:"actor"`
	Change string       `json:"change"`
	Status drill.Status `json:"status"` // after the change
	Cause  string       `json:"cause,omitempty"`
}

// Journal anchors the report: the rev and the sum of the entry that it was made from.
type Journal struct {
	Rev     int    `json:"rev"`
	SHA256  string `json:"sha256"`
	Whole   bool   `json:"whole"`             // every entry holds the sum of the one before
	Problem string `json:"problem,omitempty"` // where the chain breaks first
}

// In returns the report with the page's times in another zone; the JSON keeps UTC. nil means UTC.
func (r Report) In(zone *time.Location) Report {
	r.zone = zone
	return r
}

// JSON writes the report as indented JSON.
func JSON(w io.Writer, r Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
