package events

import "time"

// About is what every fact says of its drill. Rev is the journal entry that the fact belongs to; the whole state
// stands there.
type About struct {
	Drill       string      `json:"drill"`
	Plan        string      `json:"plan"`
	Title       string      `json:"title,omitempty"`
	Service     string      `json:"service,omitempty"`
	Environment string      `json:"environment,omitempty"`
	Account     string      `json:"account,omitempty"`
	Region      string      `json:"region,omitempty"`
	Run         string      `json:"run,omitempty"`
	Mode        string      `json:"mode"` // SANDBOX or LIVE
	Status      string      `json:"status"`
	Actor       string      `json:"actor,omitempty"`
	Rev         int         `json:"rev"`
	At          time.Time   `json:"at"`
	Escalation  *Escalation `json:"escalation,omitempty"`
}

// Escalation says that a deadline passed and a person should look.
type Escalation struct {
	Level     int    `json:"level"` // 1 and up
	Reason    string `json:"reason"`
	LastError string `json:"last_error,omitempty"`
	Do        string `json:"do,omitempty"` // the vendor's own command line that does by hand what we could not
	Runbook   string `json:"runbook,omitempty"`
}

// Head anchors the journal outside its bucket: the entry before this fact's own.
type Head struct {
	Rev    int    `json:"rev"`
	SHA256 string `json:"sha256"`
}

// The facts. Each says what happened to a drill, in the past tense.
type (
	// Refused says that a drill will not start; Check names the guard that said no.
	Refused struct {
		About
		Check  string `json:"check"`
		Reason string `json:"reason"`
	}
	// Requested says that a drill was asked for and recorded.
	Requested struct {
		About
		Parameters map[string]any `json:"parameters,omitempty"`
	}
	// Waiting says that the drill waits for a person.
	Waiting struct {
		About
		Gate    string   `json:"gate"`
		Kind    string   `json:"kind"`
		Name    string   `json:"name,omitempty"`
		Choices []string `json:"choices,omitempty"`
	}
	// Approved says that enough people agreed to start.
	Approved struct {
		About
		By []string `json:"by"`
	}
	// Started says that the service runs the experiment.
	Started struct{ About }
	// Progressed says what moved: steps at most once in 30 s, and at once what people answered, what came of it, and what waits no more.
	Progressed struct {
		About
		Changes []string `json:"changes,omitempty"`
	}
	// Stopping says that a stop was asked for and is being carried out.
	Stopping struct {
		About
		Reason string `json:"reason,omitempty"`
		By     string `json:"by"`
	}
	// Stopped says that the service confirmed the end of the injection.
	Stopped struct {
		About
		RequestedAt time.Time `json:"requested_at,omitzero"`
		StoppedAt   time.Time `json:"stopped_at"`
		Evidence    []string  `json:"evidence,omitempty"`
	}
	// Completed says that the run ended by itself.
	Completed struct{ About }
	// Failed says that the run, or its start, failed.
	Failed struct {
		About
		Reason string `json:"reason"`
	}
	// Restored says that recovery is done, with evidence.
	Restored struct {
		About
		RestoredAt time.Time `json:"restored_at"`
		Evidence   []string  `json:"evidence"`
	}
	// Concluded carries the verdict, once.
	Concluded struct {
		About
		Verdict string `json:"verdict"`
		Summary string `json:"summary"`
		Head    Head   `json:"head"`
		Report  string `json:"report,omitempty"`
	}
	// Amended carries a later correction; the first verdict stays.
	Amended struct {
		About
		Verdict string `json:"verdict"`
		Summary string `json:"summary"`
		By      string `json:"by"`
	}
	// Attached says that late evidence was added to a concluded drill.
	Attached struct {
		About
		What     string   `json:"what"`
		Evidence []string `json:"evidence,omitempty"`
	}
	// Announced says that the schedule is going to start a drill. It is no entry's fact: the drill has its id, and no journal yet.
	Announced struct {
		About
		Parameters map[string]any `json:"parameters,omitempty"`
		StartsAt   time.Time      `json:"starts_at"`
		StopOn     []string       `json:"stop_on,omitempty"`
		Targets    string         `json:"targets,omitempty"`
		AtMost     string         `json:"at_most,omitempty"` // how long it runs before a stop is asked for
	}
)

// EventType returns the type that the payload travels under.
func (Refused) EventType() string    { return TypeRefused }
func (Requested) EventType() string  { return TypeRequested }
func (Waiting) EventType() string    { return TypeWaiting }
func (Approved) EventType() string   { return TypeApproved }
func (Started) EventType() string    { return TypeStarted }
func (Progressed) EventType() string { return TypeProgressed }
func (Stopping) EventType() string   { return TypeStopping }
func (Stopped) EventType() string    { return TypeStopped }
func (Completed) EventType() string  { return TypeCompleted }
func (Failed) EventType() string     { return TypeFailed }
func (Restored) EventType() string   { return TypeRestored }
func (Concluded) EventType() string  { return TypeConcluded }
func (Amended) EventType() string    { return TypeAmended }
func (Announced) EventType() string  { return TypeAnnounced }
func (Attached) EventType() string   { return TypeAttached }

// Validate reports every missing or wrong field.
func (p About) Validate() error {
	return check(need("drill", p.Drill), need("plan", p.Plan), need("status", p.Status), needTime("at", p.At), oneOf("mode", p.Mode, "SANDBOX", "LIVE"))
}

// Validate reports every missing or wrong field.
func (p Refused) Validate() error {
	return check(p.About.Validate(), need("check", p.Check), need("reason", p.Reason))
}

// Validate reports every missing or wrong field.
func (p Waiting) Validate() error {
	return check(p.About.Validate(), need("gate", p.Gate), need("kind", p.Kind))
}

// Validate reports every missing or wrong field.
func (p Stopping) Validate() error { return check(p.About.Validate(), need("by", p.By)) }

// Validate reports every missing or wrong field.
func (p Stopped) Validate() error {
	return check(p.About.Validate(), needTime("stopped_at", p.StoppedAt))
}

// Validate reports every missing or wrong field.
func (p Failed) Validate() error { return check(p.About.Validate(), need("reason", p.Reason)) }

// Validate reports every missing or wrong field.
func (p Restored) Validate() error {
	return check(p.About.Validate(), needTime("restored_at", p.RestoredAt), needAny("evidence", len(p.Evidence)))
}

// Validate reports every missing or wrong field.
func (p Approved) Validate() error { return check(p.About.Validate(), needAny("by", len(p.By))) }

// Validate reports every missing or wrong field.
func (p Concluded) Validate() error {
	return check(p.About.Validate(), verdict(p.Verdict), need("summary", p.Summary))
}

// Validate reports every missing or wrong field.
func (p Amended) Validate() error {
	return check(p.About.Validate(), verdict(p.Verdict), need("by", p.By))
}

// Validate reports every missing or wrong field.
func (p Attached) Validate() error { return check(p.About.Validate(), need("what", p.What)) }

// Validate reports every missing or wrong field.
func (p Announced) Validate() error {
	return check(p.About.Validate(), needTime("starts_at", p.StartsAt))
}
