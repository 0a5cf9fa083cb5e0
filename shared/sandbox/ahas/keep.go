package ahas

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// keptVersion is the version of the kept state's form.
const keptVersion = 1

var _ service.Keeper = (*Service)(nil)

// keptState is the whole state. Each kept type has the fields of the type that it keeps, under the same names.
type keptState struct {
	Experiments []keptExperiment // those that were made at run time
	Tasks       []keptTask
}

type keptExperiment struct {
	ID, Name, Description string
	Namespace             string
	State                 string
	RunMode               string
	Duration              time.Duration
	Tags                  []string
	Created               time.Time
	Groups                []keptGroup
}

type keptGroup struct {
	ID, Name, AppName string
	AppGroups, Hosts  []string
	Flows             []keptFlow
}

type keptFlow struct {
	ID      string
	Prepare []keptActivity
	Attack  keptActivity
	Check   []keptActivity
	Recover []keptActivity
}

type keptActivity struct {
	ID, Name, AppCode string
	UserCheck         bool
	Arguments         map[string]string
	Takes             time.Duration
	Fails             []string
}

type keptTask struct {
	ID              string
	Exp             keptExperiment // with the run's overrides
	State, Result   string
	Message         string
	Created, Ended  time.Time
	Cursor          time.Time
	Activities      []keptActivityTask // in the order in which the experiment runs them
	Stopped, Failed bool
}

type keptActivityTask struct {
	ID                   string
	State, Result, Check string
	Started, Ended       time.Time
	Hosts                []keptHostTask
}

type keptHostTask struct {
	IP, ExpID      string
	State, Result  string
	Data, Message  string
	Started, Ended time.Time
	InEffect       bool
}

// Save returns the experiments that were made at run time, and all tasks.
func (s *Service) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out keptState
	own := library()
	for _, e := range s.experiments {
		if !slices.ContainsFunc(own, func(o *experiment) bool { return o.id == e.id }) {
			out.Experiments = append(out.Experiments, e.keep())
		}
	}
	for _, t := range s.tasks {
		out.Tasks = append(out.Tasks, t.keep())
	}
	return service.Pack(s.Name(), keptVersion, out)
}

func (e *experiment) keep() keptExperiment {
	out := keptExperiment{
		ID: e.id, Name: e.name, Description: e.description, Namespace: e.namespace, State: e.state, RunMode: e.runMode,
		Duration: e.duration, Tags: e.tags, Created: e.created,
	}
	for _, g := range e.groups {
		k := keptGroup{ID: g.id, Name: g.name, AppName: g.appName, AppGroups: g.appGroups, Hosts: g.hosts}
		for _, f := range g.flows {
			k.Flows = append(k.Flows, keptFlow{
				ID: f.id, Prepare: keepAll(f.prepare), Attack: f.attack.keep(), Check: keepAll(f.check), Recover: keepAll(f.recover),
			})
		}
		out.Groups = append(out.Groups, k)
	}
	return out
}

func (t *task) keep() keptTask {
	out := keptTask{
		ID: t.id, Exp: t.exp.keep(), State: t.state, Result: t.result, Message: t.message, Created: t.created, Ended: t.ended,
		Cursor: t.cursor, Stopped: t.stopped, Failed: t.failed,
	}
	for _, a := range t.activities {
		k := keptActivityTask{ID: a.id, State: a.state, Result: a.result, Check: a.check, Started: a.started, Ended: a.ended}
		for _, h := range a.hosts {
			k.Hosts = append(k.Hosts, keptHostTask{h.ip, h.expID, h.state, h.result, h.data, h.message, h.started, h.ended, h.inEffect})
		}
		out.Activities = append(out.Activities, k)
	}
	return out
}

// Load takes up what Save returned. The library is that of this version; a task keeps the experiment that it was made from.
func (s *Service) Load(data []byte) error {
	var in keptState
	if err := service.Unpack(data, s.Name(), keptVersion, &in); err != nil {
		return err
	}
	experiments, seen := library(), map[string]bool{}
	for _, e := range experiments {
		seen[e.id] = true
	}
	for _, k := range in.Experiments {
		if seen[k.ID] || k.ID == "" {
			return fmt.Errorf("load the state of %s: the experiment %q is there twice, or has no id", s.Name(), k.ID)
		}
		seen[k.ID] = true
		experiments = append(experiments, k.experiment())
	}
	var tasks []*task
	for _, k := range in.Tasks {
		t, err := k.task()
		if err == nil && (seen[t.id] || t.id == "") {
			err = errors.New("it is there twice, or has no id")
		}
		if err != nil {
			return fmt.Errorf("load the state of %s: task %q: %w", s.Name(), k.ID, err)
		}
		seen[t.id] = true
		tasks = append(tasks, t)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.experiments, s.tasks = experiments, tasks
	return nil
}

func (k keptExperiment) experiment() *experiment {
	e := &experiment{
		id: k.ID, name: k.Name, description: k.Description, namespace: k.Namespace, state: k.State, runMode: k.RunMode,
		duration: k.Duration, tags: k.Tags, created: k.Created,
	}
	for _, kg := range k.Groups {
		g := &flowGroup{id: kg.ID, name: kg.Name, appName: kg.AppName, appGroups: kg.AppGroups, hosts: kg.Hosts}
		for _, f := range kg.Flows {
			g.flows = append(g.flows, &flow{id: f.ID, prepare: loadAll(f.Prepare), attack: f.Attack.activity(), check: loadAll(f.Check), recover: loadAll(f.Recover)})
		}
		e.groups = append(e.groups, g)
	}
	return e
}

func (k keptTask) task() (*task, error) {
	t := &task{
		id: k.ID, exp: k.Exp.experiment(), state: k.State, result: k.Result, message: k.Message, created: k.Created, ended: k.Ended,
		cursor: k.Cursor, stopped: k.Stopped, failed: k.Failed,
	}
	if !slices.Contains([]string{stateReady, stateRunning, stateStopping, stateFinished}, t.state) {
		return nil, fmt.Errorf("it has the state %q", t.state)
	}
	steps := t.exp.order()
	if len(steps) != len(k.Activities) {
		return nil, fmt.Errorf("it has %d activities, its experiment has %d", len(k.Activities), len(steps))
	}
	for n, ka := range k.Activities {
		a := &activityTask{step: steps[n], id: ka.ID, state: ka.State, result: ka.Result, check: ka.Check, started: ka.Started, ended: ka.Ended}
		if !slices.Contains([]string{stateReady, stateRunning, stateFinished}, a.state) {
			return nil, fmt.Errorf("its activity %q has the state %q", a.id, a.state)
		}
		for _, h := range ka.Hosts {
			a.hosts = append(a.hosts, &hostTask{h.IP, h.ExpID, h.State, h.Result, h.Data, h.Message, h.Started, h.Ended, h.InEffect})
		}
		t.activities = append(t.activities, a)
	}
	return t, nil
}

func keepAll(list []*activity) []keptActivity {
	var out []keptActivity
	for _, a := range list {
		out = append(out, a.keep())
	}
	return out
}

func loadAll(list []keptActivity) []*activity {
	var out []*activity
	for _, k := range list {
		out = append(out, k.activity())
	}
	return out
}

func (a *activity) keep() keptActivity {
	return keptActivity{a.id, a.name, a.appCode, a.userCheck, a.arguments, a.takes, a.fails}
}

func (k keptActivity) activity() *activity {
	return &activity{k.ID, k.Name, k.AppCode, k.UserCheck, k.Arguments, k.Takes, k.Fails}
}
