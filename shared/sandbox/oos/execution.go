package oos

import (
	"encoding/json"
	"fmt"
	"time"
)

// The vendor's words.
const (
	started   = "Started"
	running   = "Running"
	waiting   = "Waiting"
	success   = "Success"
	failed    = "Failed"
	cancelled = "Cancelled"
	skipped   = "Skipped"

	automatic    = "Automatic"
	failurePause = "FailurePause"
	debugMode    = "Debug"

	confirmRisky = "ConfirmEveryHighRiskAction"
	skipCheck    = "Skip"
)

// gate is why an execution waits for a person.
type gate string

const (
	noGate      gate = ""
	approveGate gate = "approve"
	pauseGate   gate = "pause"
	riskGate    gate = "risk"
	failedGate  gate = "failed"
	batchGate   gate = "batch"
	debugGate   gate = "debug"
)

// execution is one run of a template.
type execution struct {
	ID, Region, Token              string
	Template                       template `json:"-"`
	TemplateName, TemplateVersion  string
	Params                         map[string]any
	Tags                           map[string]string
	Mode, LoopMode, Safety         string
	Description, ResourceGroup     string
	Parent, ExecutedBy             string
	Status, Message                string
	Gate                           gate
	Created, Started, Updated, End time.Time
	Tasks                          []*taskRun
	Logs                           []logLine
	next                           int       // index of the next task of the template
	current                        *taskRun  // running, or waiting for a person
	due                            time.Time // when something happens next by itself; zero: never
	fingerprint                    string    // of the request, to tell a repeated one from another with its token
	approvals                      int
	order                          int
}

// taskRun is one task execution.
type taskRun struct {
	ID, Name, Action string
	Status, Message  string
	Parent, LoopItem string
	Batch            int
	Attempt          int
	Note             string
	Props            map[string]any
	Created, Started time.Time
	Updated, Ended   time.Time
	Confirmed        bool
	def              task
	batches          int // of a loop, done so far
}

type logLine struct {
	At                  time.Time
	Type, Message, Task string
}

func (e *execution) final() bool {
	return e.Status == success || e.Status == failed || e.Status == cancelled
}

func (e *execution) log(at time.Time, t *taskRun, format string, args ...any) {
	l := logLine{At: at, Type: "System", Message: fmt.Sprintf(format, args...)}
	if t != nil {
		l.Task = t.ID
	}
	e.Logs = append(e.Logs, l)
}

// set changes the status.
func (e *execution) set(status string, at time.Time) {
	e.Status, e.Updated = status, at
}

func (t *taskRun) set(status string, at time.Time) {
	t.Status, t.Updated = status, at
	switch status {
	case success, failed, cancelled, skipped:
		t.Ended = at
	}
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
