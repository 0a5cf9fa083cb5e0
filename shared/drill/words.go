package drill

import "time"

// Service names a managed fault-injection service. Packages and catalogue blocks are named after it.
type Service string

// The services that Firedrill drives.
const (
	FIS  Service = "fis"  // AWS Fault Injection Service
	AHAS Service = "ahas" // Alibaba AHAS fault drill
	OOS  Service = "oos"  // Alibaba Operation Orchestration Service
	CFG  Service = "cfg"  // Tencent Chaotic Fault Generator
)

// Services lists every service in the order that pages and help texts show them.
func Services() []Service { return []Service{FIS, AHAS, OOS, CFG} }

// Role tells what a service's run is for within one drill.
type Role string

// The roles of a drill's runs.
const (
	Main     Role = "main"     // the experiment itself
	Preview  Role = "preview"  // a real run that injects nothing, to resolve targets (FIS skip-all)
	Recovery Role = "recovery" // a run that undoes the main one where the service has no rollback (OOS)
)

// Run points at one run in a service. ID is the service's own id, always as a string; ids of
// AHAS have 19 digits and must never pass through a float64.
type Run struct {
	Service Service `json:"service"`
	Account string  `json:"account,omitempty"` // name of the account in the catalogue
	Region  string  `json:"region,omitempty"`
	ID      string  `json:"id"`
	Role    Role    `json:"role"`
}

// StepKind is what a step does, in our words.
type StepKind string

// The kinds of step.
const (
	FaultStep    StepKind = "fault"
	RecoveryStep StepKind = "recovery"
	WaitStep     StepKind = "wait"
	ApprovalStep StepKind = "approval"
	CheckStep    StepKind = "check"
)

// StepState is how far a step has come. A step only moves forward, save for a retry, which opens
// a new attempt of it.
type StepState string

// The states of a step, in order of progress.
const (
	StepPending   StepState = "pending"   // not reached
	StepReady     StepState = "ready"     // waits for a person
	StepRunning   StepState = "running"   //
	StepStopping  StepState = "stopping"  //
	StepDone      StepState = "done"      // ended as the service wanted
	StepFailed    StepState = "failed"    //
	StepSkipped   StepState = "skipped"   //
	StepCancelled StepState = "cancelled" // ended by a stop
	StepUnknown   StepState = "unknown"   // a vendor's code that we do not know
)

// Final reports whether the step has ended.
func (s StepState) Final() bool {
	switch s {
	case StepDone, StepFailed, StepSkipped, StepCancelled:
		return true
	}
	return false
}

// Step is one action of a service's run.
type Step struct {
	ID        string    `json:"id"` // stable within the run
	Name      string    `json:"name"`
	Kind      StepKind  `json:"kind"`
	State     StepState `json:"state"`
	Vendor    string    `json:"vendor,omitempty"` // the vendor's own state, verbatim
	Targets   []Target  `json:"targets,omitempty"`
	Attempt   int       `json:"attempt,omitempty"` // 1 and up where the service counts retries
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Message   string    `json:"message,omitempty"`
	Recovers  string    `json:"recovers,omitempty"` // id of the fault step that this recovery step undoes
}

// Target is one resource that a step acts on.
type Target struct {
	ID      string    `json:"id"`
	State   StepState `json:"state,omitempty"`
	Message string    `json:"message,omitempty"`
}

// GateKind is why a drill waits for a person.
type GateKind string

// The kinds of gate.
const (
	ApprovalGate GateKind = "approval" // approval before start, or the service's own approval task
	ManualGate   GateKind = "manual"   // a step that is advanced by hand
	FailedGate   GateKind = "failed"   // a failed step: retry or skip
	PausedGate   GateKind = "paused"   // the run is paused as a whole
	DebugGate    GateKind = "debug"    // OOS debug mode: choose the next task
	RiskGate     GateKind = "risk"     // OOS safety check: confirm a risky action
)

// Action is what a person may ask for at a gate.
type Action string

// The actions of command.advance, and the two answers to an approval.
const (
	Execute    Action = "execute"
	Skip       Action = "skip"
	Retry      Action = "retry"
	Cancel     Action = "cancel"
	Complete   Action = "complete"
	PauseRun   Action = "pause"
	ResumeRun  Action = "resume"
	ApproveRun Action = "approve"
	RejectRun  Action = "reject"
)

// Gate is a point where a drill waits for a person. A driver sets Step, Kind, Choices and Name;
// the drill gives the gate its ID (step + the rev at which it opened).
type Gate struct {
	ID       string    `json:"id"`
	Step     string    `json:"step,omitempty"`
	Name     string    `json:"name,omitempty"`
	Kind     GateKind  `json:"kind"`
	Choices  []Choice  `json:"choices"`
	OpenedAt time.Time `json:"opened_at,omitzero"`
}

// Choice is one thing that can be done at a gate. Step is set where the choice is about another step
// than the gate's (OOS debug mode: which task to run next).
type Choice struct {
	Action Action `json:"action"`
	Step   string `json:"step,omitempty"`
	Label  string `json:"label,omitempty"`
}

// Move is an answer to a gate, resolved and ready for the driver.
type Move struct {
	Gate       string         `json:"gate"`
	Action     Action         `json:"action"`
	Step       string         `json:"step,omitempty"`
	Targets    []string       `json:"targets,omitempty"` // empty: all targets of the step
	Parameters map[string]any `json:"parameters,omitempty"`
	Result     string         `json:"result,omitempty"` // OOS CompleteExecution: the final status
	Note       string         `json:"note,omitempty"`
}

// Phase is where a service's run stands, in our words.
type Phase string

// The phases of a run. Unknown means that the vendor sent a code we do not know: not final, keep looking.
const (
	PhasePrepared  Phase = "prepared"  // exists, was never executed, injects nothing (CFG between Prepare and Start)
	PhasePending   Phase = "pending"   // accepted, not yet running
	PhaseRunning   Phase = "running"   //
	PhaseWaiting   Phase = "waiting"   // at least one gate is open
	PhaseStopping  Phase = "stopping"  //
	PhaseStopped   Phase = "stopped"   // ended early, by anyone
	PhaseCompleted Phase = "completed" //
	PhaseFailed    Phase = "failed"    //
	PhaseUnknown   Phase = "unknown"   //
)

// Final reports whether the run has ended at the service.
func (p Phase) Final() bool {
	return p == PhaseStopped || p == PhaseCompleted || p == PhaseFailed
}

// Restoration says how far the undoing of the faults has come.
type Restoration string

// The states of a restoration. All but pending are decided.
const (
	RestorePending  Restoration = "pending"  // faults may be live, or recovery is under way
	RestoreDone     Restoration = "done"     // every recovery ended well: evidence says which
	RestoreNeedless Restoration = "needless" // nothing was ever injected
	RestoreFailed   Restoration = "failed"   // a recovery step failed: a person must act
	RestoreUnproven Restoration = "unproven" // the run ended and the service cannot say more (OOS without a recovery template)
)

// Decided reports whether nothing more can be learnt from the service about the restoration.
func (r Restoration) Decided() bool { return r != RestorePending && r != "" }

// Observation is one reading of a run at its service.
type Observation struct {
	Run         Run         `json:"run"`
	Asked       time.Time   `json:"asked,omitzero"` // when the reading was begun, by the reader's clock
	Phase       Phase       `json:"phase"`
	Vendor      string      `json:"vendor"` // the vendor's own status, verbatim
	Reason      string      `json:"reason,omitempty"`
	StoppedBy   string      `json:"stopped_by,omitempty"` // "condition" when the service's own stop condition ended it; else ""
	Steps       []Step      `json:"steps,omitempty"`
	Gates       []Gate      `json:"gates,omitempty"`
	Injected    bool        `json:"injected"`           // at least one fault step has begun
	Quiet       bool        `json:"quiet"`              // the service shows that no fault is being injected any more (see Stop in driver)
	Restoration Restoration `json:"restoration"`        // meaningful once Quiet or final
	Evidence    []string    `json:"evidence,omitempty"` // what in the vendor's reply supports Quiet and Restoration, one short line each
	StartedAt   time.Time   `json:"started_at,omitzero"`
	EndedAt     time.Time   `json:"ended_at,omitzero"`
	Outputs     string      `json:"outputs,omitempty"`
	Report      Report      `json:"report,omitzero"`
	ByHand      string      `json:"by_hand,omitempty"` // of a recovery run: the vendor's own command line that undoes the faults; set by the reader
}

// Report is a service's own report of a run.
type Report struct {
	State string `json:"state"` // "pending", "ready", "none"
	URL   string `json:"url,omitempty"`
}
