package fis

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// keptVersion is the version of the kept state's form.
const keptVersion = 2

var _ service.Keeper = (*Service)(nil)

// keptState is the whole state. Each kept type has the fields of the type that it keeps, under the same names.
type keptState struct {
	Templates   []keptTemplate // those that are listed, and those that experiments were made from
	Gone        []string       // shipped templates that were deleted
	Experiments []keptExperiment
	Tokens      map[string]keptToken
	Levers      map[string]keptLever
}

type keptToken struct{ ID, Params string }

type keptLever struct{ Status, Reason string }

type keptTemplate struct {
	ID, Description, Role string
	Region                string
	Targets               map[string]targetJSON
	Actions               map[string]keptPlanned
	Conditions            []conditionJSON
	EmptyMode             string
	Log                   json.RawMessage `json:",omitempty"`
	Report                *reportConfigurationJSON
	Tags                  map[string]string
	Created               time.Time
	Listed                bool
}

type keptPlanned struct {
	ID, Description string
	Parameters      map[string]string
	Targets         map[string]string
	After           []string
	Breaks          time.Duration
	BreaksWith      string
}

type keptExperiment struct {
	ID, Region     string
	Tpl            string // id of the template
	Tags           map[string]string
	Mode           string
	Status, Reason string
	Err            *errorJSON
	Created, Ended time.Time
	Due            time.Time
	EndsAs         string
	EndReason      string
	Actions        map[string]keptAction
	Resolved       []resolvedJSON
	Report         string
	ReportDue      time.Time
}

type keptAction struct {
	Status, Reason string
	Started, Ended time.Time
	Due            time.Time
	Live           bool
	Undoing        bool
}

// Save returns templates, experiments, client tokens and the safety lever.
func (s *Service) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := keptState{Tokens: map[string]keptToken{}, Levers: map[string]keptLever{}}
	all := maps.Clone(s.templates)
	for _, e := range s.experiments {
		all[e.tpl.id] = e.tpl
		out.Experiments = append(out.Experiments, e.keep())
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out.Templates = append(out.Templates, all[id].keep(s.templates[id] != nil))
	}
	for _, t := range shipped(time.Time{}) {
		if s.templates[t.id] == nil {
			out.Gone = append(out.Gone, t.id)
		}
	}
	for k, t := range s.tokens {
		out.Tokens[k] = keptToken{t.id, t.params}
	}
	for region, l := range s.levers {
		out.Levers[region] = keptLever{l.status, l.reason}
	}
	return service.Pack(s.Name(), keptVersion, out)
}

func (t *template) keep(listed bool) keptTemplate {
	out := keptTemplate{
		ID: t.id, Description: t.description, Role: t.role, Region: t.region, Targets: t.targets, Actions: map[string]keptPlanned{}, Conditions: t.conditions,
		EmptyMode: t.emptyMode, Log: t.log, Report: t.report, Tags: t.tags, Created: t.created, Listed: listed,
	}
	for name, p := range t.actions {
		out.Actions[name] = keptPlanned{p.id, p.description, p.parameters, p.targets, p.after, p.breaks, p.breaksWith}
	}
	return out
}

func (e *experiment) keep() keptExperiment {
	out := keptExperiment{
		ID: e.id, Region: e.region, Tpl: e.tpl.id, Tags: e.tags, Mode: e.mode, Status: e.status, Reason: e.reason, Err: e.err,
		Created: e.created, Ended: e.ended, Due: e.due, EndsAs: e.endsAs, EndReason: e.endReason, Actions: map[string]keptAction{},
		Resolved: e.resolved, Report: e.report, ReportDue: e.reportDue,
	}
	for name, a := range e.actions {
		out.Actions[name] = keptAction{a.status, a.reason, a.started, a.ended, a.due, a.live, a.undoing}
	}
	return out
}

// Load takes up what Save returned. Shipped templates are those of this version, with the tags that they had.
func (s *Service) Load(data []byte) error {
	var in keptState
	if err := service.Unpack(data, s.Name(), keptVersion, &in); err != nil {
		return err
	}
	l := loaded{all: map[string]*template{}, listed: map[string]*template{}, byID: map[string]*experiment{}}
	err := l.templates(in)
	for _, k := range in.Experiments {
		if err == nil {
			err = l.experiment(k)
		}
	}
	tokens := map[string]token{}
	for k, t := range in.Tokens {
		if err == nil && l.byID[t.ID] == nil && k[:min(len(k), 11)] == "experiment " {
			err = fmt.Errorf("a client token names the experiment %q, which is not there", t.ID)
		}
		tokens[k] = token{t.ID, t.Params}
	}
	levers := map[string]lever{}
	for region, l := range in.Levers {
		if err == nil && l.Status != engaged && l.Status != engaging && l.Status != disengaged {
			err = fmt.Errorf("the safety lever of %s has the status %q", region, l.Status)
		}
		levers[region] = lever{l.Status, l.Reason}
	}
	if err != nil {
		return fmt.Errorf("load the state of %s: %w", s.Name(), err)
	}
	l.ship(in.Gone, s.env.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	s.templates, s.experiments, s.byID, s.tokens = l.listed, l.experiments, l.byID, tokens
	s.levers = levers
	return nil
}

// loaded is a state while it is being read.
type loaded struct {
	all, listed map[string]*template
	experiments []*experiment
	byID        map[string]*experiment
}

func (l *loaded) templates(in keptState) error {
	for _, k := range in.Templates {
		if k.ID == "" || l.all[k.ID] != nil {
			return fmt.Errorf("the template %q is there twice, or has no id", k.ID)
		}
		t := &template{
			id: k.ID, description: k.Description, role: k.Role, region: k.Region, targets: k.Targets, actions: map[string]planned{}, conditions: k.Conditions,
			emptyMode: k.EmptyMode, log: k.Log, report: k.Report, tags: k.Tags, created: k.Created,
		}
		for name, p := range k.Actions {
			t.actions[name] = planned{p.ID, p.Description, p.Parameters, p.Targets, p.After, p.Breaks, p.BreaksWith}
		}
		l.all[t.id] = t
		if k.Listed {
			l.listed[t.id] = t
		}
	}
	return nil
}

// ship puts the shipped templates in place of the kept ones of the same id.
func (l *loaded) ship(gone []string, now time.Time) {
	for _, t := range shipped(now) {
		if slices.Contains(gone, t.id) {
			continue
		}
		if old := l.listed[t.id]; old != nil {
			t.tags, t.created = old.tags, old.created
		}
		l.listed[t.id] = t
	}
}

func (l *loaded) experiment(k keptExperiment) error {
	t := l.all[k.Tpl]
	switch {
	case k.ID == "" || l.byID[k.ID] != nil:
		return fmt.Errorf("the experiment %q is there twice, or has no id", k.ID)
	case t == nil:
		return fmt.Errorf("the template %q of experiment %s is not there", k.Tpl, k.ID)
	case !final(k.Status) && !slices.Contains([]string{pending, initiating, running, stopping}, k.Status):
		return fmt.Errorf("experiment %s has the status %q", k.ID, k.Status)
	case k.Status == stopping && !final(k.EndsAs):
		return fmt.Errorf("experiment %s stops and would end as %q", k.ID, k.EndsAs)
	case (k.Report != "" || !k.ReportDue.IsZero()) && t.report == nil:
		return fmt.Errorf("experiment %s has a report, its template has none", k.ID)
	case len(k.Actions) != len(t.actions):
		return fmt.Errorf("experiment %s has %d actions, its template has %d", k.ID, len(k.Actions), len(t.actions))
	case k.Tags == nil:
		return fmt.Errorf("experiment %s has no tags, not even none", k.ID)
	}
	e := &experiment{
		id: k.ID, region: k.Region, tpl: t, tags: k.Tags, mode: k.Mode, status: k.Status, reason: k.Reason, err: k.Err,
		created: k.Created, ended: k.Ended, due: k.Due, endsAs: k.EndsAs, endReason: k.EndReason, actions: map[string]*action{},
		order: slices.Sorted(maps.Keys(k.Actions)), resolved: k.Resolved, report: k.Report, reportDue: k.ReportDue,
	}
	for name, a := range k.Actions {
		p, ok := t.actions[name]
		if !ok {
			return fmt.Errorf("experiment %s has an action %q, its template has none", k.ID, name)
		}
		e.actions[name] = &action{
			planned: p, name: name, status: a.Status, reason: a.Reason, started: a.Started, ended: a.Ended, due: a.Due, live: a.Live, undoing: a.Undoing,
		}
	}
	l.experiments, l.byID[e.id] = append(l.experiments, e), e
	return nil
}
