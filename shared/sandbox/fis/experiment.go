package fis

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// The statuses of experiments and actions.
const (
	pending    = "pending"
	initiating = "initiating"
	running    = "running"
	completed  = "completed"
	stopping   = "stopping"
	stopped    = "stopped"
	failed     = "failed"
	cancelled  = "cancelled"
	skipped    = "skipped"
)

const (
	runAll  = "run-all"
	skipAll = "skip-all"
)

// experiment is one run of a template.
type experiment struct {
	id, region     string
	tpl            *template
	tags           map[string]string
	mode           string // run-all or skip-all
	status, reason string
	err            *errorJSON
	created, ended time.Time
	due            time.Time // when time alone changes the status next; zero: not by time alone
	endsAs         string    // what stopping turns into
	endReason      string
	actions        map[string]*action
	order          []string // names of the actions, sorted
	resolved       []resolvedJSON
	report         string // status of the report; "" without one
	reportDue      time.Time
}

// action is one action of an experiment.
type action struct {
	planned
	name           string
	status, reason string
	started, ended time.Time
	due            time.Time
	live           bool // its fault is in effect or being undone
	undoing        bool
}

func (e *experiment) arn() string {
	return "arn:aws:fis:" + e.region + ":" + AccountID + ":experiment/" + e.id
}

func final(status string) bool {
	switch status {
	case completed, stopped, failed, cancelled, skipped:
		return true
	}
	return false
}

// newExperiment makes an experiment that is pending.
func newExperiment(id, region, mode string, t *template, tags map[string]string, now time.Time) *experiment {
	e := &experiment{
		id: id, region: region, tpl: t, tags: maps.Clone(tags), mode: mode, status: pending, reason: "Experiment is pending.",
		created: now, due: now.Add(queued), actions: map[string]*action{},
	}
	if e.tags == nil {
		e.tags = map[string]string{}
	}
	if t.report != nil && mode == runAll {
		e.report = pending
	}
	for name, p := range t.actions {
		e.actions[name] = &action{planned: p, name: name, status: pending, reason: "Initial state"}
	}
	e.order = slices.Sorted(maps.Keys(e.actions))
	return e
}

func (e *experiment) json() experimentJSON {
	out := experimentJSON{
		ID: e.id, Arn: e.arn(), TemplateID: e.tpl.id, RoleArn: e.tpl.role, State: stateJSON{Status: e.status, Reason: e.reason, Error: e.err},
		Targets: e.tpl.targets, Actions: map[string]actionJSON{}, StopConditions: e.tpl.conditions,
		CreationTime: at(e.created), StartTime: at(e.created), EndTime: at(e.ended), Tags: maps.Clone(e.tags), LogConfiguration: e.tpl.log,
		ExperimentOptions:   optionsJSON{AccountTargeting: "single-account", EmptyTargetResolutionMode: e.tpl.emptyMode, ActionsMode: e.mode},
		ReportConfiguration: e.tpl.report, Report: e.reportJSON(),
	}
	for name, a := range e.actions {
		out.Actions[name] = actionJSON{
			ActionID: a.id, Description: a.description, Parameters: a.parameters, Targets: a.targets, StartAfter: a.after,
			State: &stateJSON{Status: a.status, Reason: a.reason}, StartTime: at(a.started), EndTime: at(a.ended),
		}
	}
	return out
}

func (e *experiment) reportJSON() *reportJSON {
	if e.report == "" {
		return nil
	}
	out := &reportJSON{State: stateJSON{Status: e.report, Reason: "Experiment report is " + e.report + "."}}
	if e.report == completed {
		s3 := e.tpl.report.Outputs.S3
		path := strings.Trim(s3.BucketName+"/"+strings.Trim(s3.Prefix, "/"), "/")
		out.S3Reports = []s3ReportJSON{{Arn: "arn:aws:s3:::" + path + "/" + e.id + "/report.pdf", ReportType: "experiment"}}
	}
	return out
}

// summaryJSON is an experiment as lists show it.
type summaryJSON struct {
	ID                string            `json:"id"`
	Arn               string            `json:"arn"`
	TemplateID        string            `json:"experimentTemplateId"`
	State             stateJSON         `json:"state"`
	CreationTime      *epoch            `json:"creationTime"`
	Tags              map[string]string `json:"tags"`
	ExperimentOptions optionsJSON       `json:"experimentOptions"`
}

func (e *experiment) summary() summaryJSON {
	full := e.json()
	return summaryJSON{
		ID: full.ID, Arn: full.Arn, TemplateID: full.TemplateID, State: full.State, CreationTime: full.CreationTime,
		Tags: full.Tags, ExperimentOptions: full.ExperimentOptions,
	}
}

// truth is the experiment as the sandbox knows it.
func (e *experiment) truth() service.Run {
	r := service.Run{
		Service: "fis", ID: e.id, Template: e.tpl.id, Title: e.tags["Name"], Mark: e.tags["firedrill:drill"], Status: e.status,
		Preview: e.mode == skipAll, Executed: e.status != cancelled, Ended: final(e.status),
		Created: e.created, Started: e.created, EndedAt: e.ended,
	}
	for _, name := range e.order {
		if e.actions[name].live {
			r.Live = append(r.Live, name)
		}
	}
	return r
}
