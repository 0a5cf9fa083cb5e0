// Package driver is what a managed fault-injection service must do to be drilled with Firedrill.
//
// Implementers live in shared/provider/<service>; users call the portable type in shared/provider, which does
// retry, backoff, tracing and error wrapping once. A driver makes exactly one attempt per call, honours ctx,
// keeps no state between calls, and must be safe for concurrent use.
package driver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// The words of the domain that cross this interface.
type (
	Run         = drill.Run
	Step        = drill.Step
	Gate        = drill.Gate
	Choice      = drill.Choice
	Move        = drill.Move
	Observation = drill.Observation
	Report      = drill.Report
)

// Request asks for one run. Every field comes from the drill's journal, so the same drill always
// makes the same request.
type Request struct {
	Drill string // id of the drill
	Role  drill.Role
	Token string // "<drill>/<role>": unique per run wanted, the same for every attempt at it
	Root  string // identity of the journal; tags and titles carry it where the service has room
	Plan  string
	Title string // may hold CJK, quotes, emoji; the driver cuts it to the vendor's limit

	Account, Region string
	Block           map[string]any // the plan's block for this service, parameters already put in; unknown fields are the vendor's
	Timeout         time.Duration  // the longest the run may last
	Actor           string
	Mode            string // SANDBOX or LIVE

	Prepared *Run      // CFG: the inert task that Prepare made and the journal recorded; Start executes only this one
	Seen     []string  // run ids that existed before the intent was written (services without token and tag)
	Since    time.Time // when the intent was written
	Again    bool      // Start: the service declined a call just before; it may have carried that one out all the same
}

// Stop says why and how a run is to be stopped.
type Stop struct {
	Reason string
	By     string
	At     time.Time      // when the stop was asked for
	Block  map[string]any // the plan's block: what to do on stop
}

// Conclusion is written into the service's own record of the run.
type Conclusion struct {
	Drill    string
	Verdict  string // expected, unexpected, inconclusive
	Expected bool
	Summary  string
	Issue    string
	Record   string
	Link     string // the report
}

// Preview says what a preview proved.
type Preview struct {
	Proved  string // "targets", "runnable", "syntax"
	Done    bool   // false: Run is under way, call Preview again with the same request
	Run     *Run   // a preview that is itself a run (FIS skip-all)
	Targets []drill.Target
	Notes   []string // risky tasks, warnings
	Refusal string   // set when the service says that the run would not work; a reason a person can act on
}

// Template is one thing that could be run, for discover.
type Template struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Block       map[string]any `json:"block"` // a ready block for drills.yaml
}

// Driver drives one service in one account and region.
type Driver interface {
	// Check validates the plan's block without I/O. It returns every mistake joined, each naming its field.
	Check(r Request) error
	// Start starts the run, or for a Preparer executes r.Prepared. Called again with the same request it must
	// not start a second run where the service has a token; otherwise the caller guarantees a single call.
	Start(ctx context.Context, r Request) (Run, error)
	// Lookup finds the runs that Start made for this request, read-only: by token, tag or title, minus r.Seen.
	Lookup(ctx context.Context, r Request) ([]Run, error)
	// Observe reads the run. Unknown vendor codes become PhaseUnknown or StepUnknown, never an error or a panic.
	Observe(ctx context.Context, run Run) (Observation, error)
	// Stop makes one next move towards Quiet and restored; it is called again, after each Observe, until
	// Observation.Quiet holds and Restoration is decided. It returns nil if the run has already ended.
	Stop(ctx context.Context, run Run, s Stop) error
	// Code classifies an error that this driver returned.
	Code(err error) Code
}

// Preparer creates a run that injects nothing until Start executes it. Services without a token use it (CFG).
type Preparer interface {
	Prepare(ctx context.Context, r Request) (Run, error)
}

// Seer lists the newest run ids of the request's experiment, so that the intent can record what was there before (AHAS).
type Seer interface {
	Seen(ctx context.Context, r Request) ([]string, error)
}

// Advancer answers a gate. It re-reads the run first and returns ErrNotNow (via Code NotNow) unless exactly the move's step waits.
type Advancer interface {
	Advance(ctx context.Context, run Run, m Move) error
}

// Pauser pauses and resumes a run as a whole.
type Pauser interface {
	Pause(ctx context.Context, run Run) error
	Resume(ctx context.Context, run Run) error
}

// Concluder writes the conclusion into the service's own record. It is idempotent.
type Concluder interface {
	Conclude(ctx context.Context, run Run, c Conclusion) error
}

// Previewer says what would happen without injecting anything.
type Previewer interface {
	Preview(ctx context.Context, r Request) (Preview, error)
}

// Reporter reads the state of the service's own report.
type Reporter interface {
	Report(ctx context.Context, run Run) (Report, error)
}

// Halter stops everything in the account and region and blocks new runs, other teams' included.
type Halter interface {
	Halt(ctx context.Context, reason string) error
	Release(ctx context.Context) error
}

// Found is a run that carries our mark.
type Found struct {
	Run   Run
	Drill string // id of the drill that its mark names
	Root  string // identity of the journal that its mark names; "" if the service has no room for it
	Live  bool   // not ended
}

// Finder lists the live runs that carry our mark: orphans are found with it.
type Finder interface {
	Find(ctx context.Context) ([]Found, error)
}

// Lister lists the account's templates.
type Lister interface {
	Templates(ctx context.Context) ([]Template, error)
}

// Recoverer derives the request of the recovery run from a plan's block; ok is false if the plan names none (OOS). RecoverByHand gives
// the vendor's own command line that starts such a request by hand, "" if no line can.
type Recoverer interface {
	Recovery(r Request) (Request, bool)
	RecoverByHand(r Request) string
}

// Identifier reads the id of the account that the credentials belong to.
type Identifier interface {
	Identity(ctx context.Context) (string, error)
}

// Handbook gives the vendor's own command line that stops a run by hand, shown on every escalation.
type Handbook interface {
	ByHand(run Run) string
}

// Facts is what a driver says about itself, without I/O.
type Facts struct {
	Service       drill.Service
	Cannot        []string // what it cannot promise, a sentence each, shown by `firedrill check`
	Permissions   []string // every vendor action that this driver can call, e.g. fis:StartExperiment
	LookupIsExact bool     // Lookup goes by token or tag: what it does not find is not there
	// SignedFor is how long after a request was signed the service still accepts it, as the vendor documents: what was given up can
	// arrive so late, and no later. 0 is not known.
	SignedFor time.Duration
}

// What bounds a late call where a driver says nothing, and what is added to all of them.
const (
	longestSigned = 15 * time.Minute // the longest validity of a signature among the vendors
	commitTime    = time.Minute      // from accepting a request to showing its effect, and the difference of two clocks
)

// Late is how long after a call was given up it may still take effect at the service. Nobody may say before that it did not.
func (f Facts) Late() time.Duration {
	if f.SignedFor == 0 {
		return longestSigned + commitTime
	}
	return f.SignedFor + commitTime
}

// Describer is implemented by every driver.
type Describer interface {
	Facts() Facts
}

// Code is the class of an error. Callers decide by it, never by text.
type Code string

// The classes of error.
const (
	OK          Code = ""
	NotFound    Code = "not-found"   // the run or template does not exist
	Conflict    Code = "conflict"    // exists already, or is being changed
	Throttled   Code = "throttled"   // try again, slower
	Denied      Code = "denied"      // credentials or permissions
	Expired     Code = "expired"     // temporary credentials ran out: fetch new ones, try again
	Invalid     Code = "invalid"     // the request is wrong: a person must change the plan
	Quota       Code = "quota"       // a limit is reached: wait for a run to end
	NotNow      Code = "not-now"     // not legal in the present state: read again and decide
	Unavailable Code = "unavailable" // the service failed and nothing was done, or the call only reads
	Uncertain   Code = "uncertain"   // nobody knows whether the call took effect: look before doing it again
	Unknown     Code = "unknown"
)

// Sentinel errors that drivers may wrap; Code must classify them too.
var (
	ErrNotNow      = errors.New("not now")
	ErrInvalid     = errors.New("invalid")
	ErrUnsupported = errors.New("not supported by this service")
)

// Credentials are what signs a call. Token is set for temporary ones.
type Credentials struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
}

// Config opens a driver.
type Config struct {
	Account, Region string // name in the catalogue; region of the service
	AccountID       string // expected id of the account, "" if not known
	Endpoint        string // "" for the vendor's own; else a URL such as http://127.0.0.1:8081
	Root            string // identity of the journal
	Credentials     func(ctx context.Context) (Credentials, error)
	Transport       http.RoundTripper // shared among all drivers; nil for http.DefaultTransport
	Timeout         time.Duration     // of one call; 0 for 10 s
	Now             func() time.Time  // for signatures; nil for the real clock
}

// Opener opens a driver; each driver package has one called Open.
type Opener func(Config) (Driver, error)
