package drill

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that reads and writes as text ("90s", "30m") in JSON and YAML.
type Duration time.Duration

// D returns the duration in the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the duration as "30m0s".
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the duration as "30m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "90s", "30m", "1h30m".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("duration %q: write it like 90s, 30m or 1h30m", b)
	}
	*d = Duration(v)
	return nil
}

// Production is the environment of a plan that names none: the strictest.
const Production = "production"

// Plan is what may be run, resolved: defaults applied, accounts, alarms and channels looked up. A drill embeds
// its plan in its first entry, and a running drill never reads the catalogue again.
type Plan struct {
	Name        string               `json:"name"`
	Title       string               `json:"title"`
	Owner       string               `json:"owner,omitempty"`
	Runbook     string               `json:"runbook,omitempty"` // URL, shown on every escalation
	Environment string               `json:"environment"`
	Disabled    bool                 `json:"disabled,omitempty"`
	Service     Service              `json:"service"`
	Account     Account              `json:"account"`
	Block       map[string]any       `json:"block"` // the service's block as written, "${name}" not yet replaced
	Parameters  map[string]Parameter `json:"parameters,omitempty"`
	MaxDuration Duration             `json:"max_duration"`
	Unbounded   string               `json:"unbounded,omitempty"` // why the service itself sets no limit to the run
	Window      string               `json:"window,omitempty"`    // "Mon-Fri 10:00-16:00"
	Timezone    string               `json:"timezone,omitempty"`
	Exclusive   []string             `json:"exclusive,omitempty"` // names of locks; "none" for no lock
	Schedule    *Schedule            `json:"schedule,omitempty"`
	StopOn      []string             `json:"stop_on,omitempty"` // names of alarms
	Alarms      map[string]Alarm     `json:"alarms,omitempty"`  // those of stop_on, resolved
	Notify      []Channel            `json:"notify,omitempty"`
	Expect      []Claim              `json:"expect,omitempty"`
	Approval    Approval             `json:"approval,omitzero"`
	Targets     Bounds               `json:"targets,omitzero"`
}

// Approver returns the role that must approve the start: what the approval names, the one called like the owner where it says owner, and
// approver where it says nothing. "" is the owner of a plan that has none.
func (p Plan) Approver() string {
	switch p.Approval.From {
	case "":
		return "approver"
	case "owner":
		return p.Owner
	}
	return p.Approval.From
}

// Account is an identity in a cloud.
type Account struct {
	Name        string `json:"name"`
	Cloud       string `json:"cloud"` // aws, aliyun, tencent
	ID          string `json:"id,omitempty"`
	Region      string `json:"region,omitempty"`
	Role        string `json:"role,omitempty"`
	Credentials string `json:"credentials,omitempty"` // a reference such as secret:tencent, never a value
}

// Parameter is a value that a person or a schedule may set at start.
type Parameter struct {
	Type    string   `json:"type"` // string, int, number, bool, duration, secret
	Default any      `json:"default,omitempty"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Enum    []any    `json:"enum,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	Title   string   `json:"title,omitempty"`
}

// Schedule starts a drill by the clock.
type Schedule struct {
	Cron     string   `json:"cron"`
	Timezone string   `json:"timezone,omitempty"`
	Announce Duration `json:"announce,omitempty"`
	Missed   string   `json:"missed,omitempty"` // skip (default) or run
}

// Alarm is what a stop_on name stands for; exactly one of its sources is set.
type Alarm struct {
	Name    string            `json:"name"`
	Source  string            `json:"source"`           // cloudwatch, alertmanager, cloudmonitor, tcop, any
	Match   string            `json:"match,omitempty"`  // the alarm's name at its source
	Labels  map[string]string `json:"labels,omitempty"` // all must be equal
	Account string            `json:"account,omitempty"`
}

// Channel is where a drill's messages go.
type Channel struct {
	Name     string `json:"name"`
	To       string `json:"to"`
	Lang     string `json:"lang,omitempty"` // en, zh
	Timezone string `json:"timezone,omitempty"`
	Oncall   string `json:"oncall,omitempty"`
}

// Claim is one expectation: measured by an HTTP probe or asked of a person.
type Claim struct {
	ID        string   `json:"id"` // c1, c2, … in the order of the catalogue
	Claim     string   `json:"claim"`
	HTTP      string   `json:"http,omitempty"`
	Status    int      `json:"status,omitempty"` // 0 means 200
	Within    Duration `json:"within,omitempty"`
	StopAfter Duration `json:"stop_after,omitempty"` // stop the drill when the claim has not held for so long
	Ask       string   `json:"ask,omitempty"`        // who is asked; set for asked claims
	Deadline  Duration `json:"deadline,omitempty"`   // for an answer, from the run's end; 0 means AskedDeadline
}

// Approval says who must agree before a start.
type Approval struct {
	Need    int      `json:"need"`
	From    string   `json:"from,omitempty"`
	Self    bool     `json:"self,omitempty"`
	Expires Duration `json:"expires,omitempty"`
}

// Bounds limit how many targets a run may have; zero values do not limit.
type Bounds struct {
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
}
