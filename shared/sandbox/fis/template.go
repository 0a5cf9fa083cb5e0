package fis

import (
	"encoding/json"
	"maps"
	"regexp"
	"strconv"
	"time"
)

// template is an experiment template. It is never changed once it is made, save for its tags.
type template struct {
	id, description, role string
	region                string // "" for a shipped one, which is in every region
	targets               map[string]targetJSON
	actions               map[string]planned
	conditions            []conditionJSON
	emptyMode             string
	log                   json.RawMessage
	report                *reportConfigurationJSON
	tags                  map[string]string
	created               time.Time
}

func (t *template) in(region string) bool { return t.region == "" || t.region == region }

// planned is one action of a template, with what the sandbox plays for it.
type planned struct {
	id, description string
	parameters      map[string]string
	targets         map[string]string
	after           []string
	breaks          time.Duration // when it fails, counted from its start; 0: it does not
	breaksWith      string
}

// fault tells whether the action injects something.
func (p planned) fault() bool {
	return p.id != "aws:fis:wait" && p.id != "aws:cloudwatch:assert-alarm-state"
}

// holds is how long the action lasts before its rollback.
func (p planned) holds() time.Duration {
	for _, name := range []string{"duration", "startInstancesAfterDuration"} {
		if d, ok := isoDuration(p.parameters[name]); ok {
			return d
		}
	}
	return instant
}

// rollback is how long the undoing takes; instant faults, and what is no fault, have none.
func (p planned) rollback() time.Duration {
	if p.fault() && p.holds() > instant {
		return undoing
	}
	return 0
}

var durationPattern = regexp.MustCompile(`^PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?$`)

// isoDuration reads the part of ISO 8601 durations that FIS uses: PT1H2M3S.
func isoDuration(s string) (time.Duration, bool) {
	m := durationPattern.FindStringSubmatch(s)
	if m == nil || s == "PT" {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // an absent part is zero
		d += time.Duration(n) * unit
	}
	return d, true
}

func templateArn(region, id string) string {
	return "arn:aws:fis:" + region + ":" + AccountID + ":experiment-template/" + id
}

func (t *template) json(region string) templateJSON {
	zero := 0
	out := templateJSON{
		ID: t.id, Arn: templateArn(region, t.id), Description: t.description, Targets: t.targets, Actions: map[string]actionJSON{},
		StopConditions: t.conditions, CreationTime: at(t.created), LastUpdateTime: at(t.created), RoleArn: t.role, Tags: maps.Clone(t.tags),
		LogConfiguration: t.log, AccountsCount: &zero, ReportConfiguration: t.report,
		ExperimentOptions: &optionsJSON{AccountTargeting: "single-account", EmptyTargetResolutionMode: t.emptyMode},
	}
	for name, a := range t.actions {
		out.Actions[name] = actionJSON{ActionID: a.id, Description: a.description, Parameters: a.parameters, Targets: a.targets, StartAfter: a.after}
	}
	return out
}

// summary is the template as lists show it.
func (t *template) summary(region string) templateJSON {
	full := t.json(region)
	return templateJSON{
		ID: full.ID, Arn: full.Arn, Description: full.Description, CreationTime: full.CreationTime,
		LastUpdateTime: full.LastUpdateTime, Tags: full.Tags,
	}
}
