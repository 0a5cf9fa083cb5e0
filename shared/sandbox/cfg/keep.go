package cfg

import (
	"fmt"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// keptVersion is the version of the kept state's form.
const keptVersion = 2

var _ service.Keeper = (*Service)(nil)

// keptState is the whole state. Each kept type has the fields of the type that it keeps, under the same names.
type keptState struct {
	Tasks []keptTask
	Used  map[int64]int // how many tasks each template made
	IDs   keptIDs
}

type keptIDs struct{ Task, Group, Action, Instance, Random int64 }

type keptTask struct {
	ID, Template     int64
	Title, Desc      string
	Mode, Pause      int
	Deal             int
	Tags             []tag
	Policy           *keptPolicy
	Rollback         bool
	Status, Kind     int
	Expect           int
	Summary, Issue   string
	Record           string
	Created, Updated time.Time
	Started, Ended   time.Time
	PauseFrom        time.Time
	Groups           []keptGroup
	Logs             []string
	Triggers         []keptTrigger
	Deleted          bool
}

type keptPolicy struct {
	Status, Rule string
	Deal         int
}

type keptTrigger struct {
	Name, Content string
	Kind          int
	At            time.Time
}

type keptGroup struct {
	ID               int64
	Title, Desc      string
	Order, Mode      int
	ObjectType       int64
	Objects          []string
	Created, Updated time.Time
	Actions          []keptAction
}

type keptAction struct {
	ID                       int64
	Spec                     int64 // id of the action in the library
	Order                    int
	General, Custom          string
	Status, Kind             int
	Random, Recover, Execute int64
	Created, Updated         time.Time
	Started, Ended           time.Time
	Attempts                 int
	Due                      time.Time
	Instances                []keptInstance
}

type keptInstance struct {
	ID               int64
	Object           string
	Status, Kind     int
	Created, Updated time.Time
	Started, Ended   time.Time
	Live             bool
	LiveUntil        time.Time
}

// Save returns the tasks, the counters of ids, and how often each template was used.
func (s *Service) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := keptState{Used: map[int64]int{}, IDs: keptIDs{s.ids.task, s.ids.group, s.ids.action, s.ids.instance, s.ids.random}}
	for _, t := range s.tasks {
		out.Tasks = append(out.Tasks, t.keep())
	}
	for _, t := range s.templates {
		out.Used[t.id] = t.used
	}
	return service.Pack(s.Name(), keptVersion, out)
}

func (t *task) keep() keptTask {
	out := keptTask{
		ID: t.id, Template: t.template, Title: t.title, Desc: t.desc, Mode: t.mode, Pause: t.pause, Deal: t.deal, Tags: t.tags,
		Rollback: t.rollback, Status: t.status, Kind: t.kind, Expect: t.expect, Summary: t.summary,
		Issue: t.issue, Record: t.record, Created: t.created, Updated: t.updated, Started: t.started, Ended: t.ended,
		PauseFrom: t.pauseFrom, Logs: t.logs, Deleted: t.deleted,
	}
	if p := t.policy; p != nil {
		out.Policy = &keptPolicy{p.status, p.rule, p.deal}
	}
	for _, g := range t.triggers {
		out.Triggers = append(out.Triggers, keptTrigger{g.name, g.content, g.kind, g.at})
	}
	for _, g := range t.groups {
		out.Groups = append(out.Groups, g.keep())
	}
	return out
}

func (g *group) keep() keptGroup {
	out := keptGroup{
		ID: g.id, Title: g.title, Desc: g.desc, Order: g.order, Mode: g.mode, ObjectType: g.objectType, Objects: g.objects,
		Created: g.created, Updated: g.updated,
	}
	for _, a := range g.actions {
		k := keptAction{
			ID: a.id, Spec: a.spec.id, Order: a.order, General: a.general, Custom: a.custom, Status: a.status, Kind: a.kind,
			Random: a.random, Recover: a.recover, Execute: a.execute, Created: a.created, Updated: a.updated, Started: a.started,
			Ended: a.ended, Attempts: a.attempts, Due: a.due,
		}
		for _, i := range a.instances {
			k.Instances = append(k.Instances, keptInstance{i.id, i.object, i.status, i.kind, i.created, i.updated, i.started, i.ended, i.live, i.liveUntil})
		}
		out.Actions = append(out.Actions, k)
	}
	return out
}

// Load takes up what Save returned. Templates and the library are those of this version.
func (s *Service) Load(data []byte) error {
	var in keptState
	if err := service.Unpack(data, s.Name(), keptVersion, &in); err != nil {
		return err
	}
	next := &loaded{library: s, ids: firstIDs()}
	var tasks []*task
	for _, k := range in.Tasks {
		t, err := next.task(k)
		if err != nil {
			return fmt.Errorf("load the state of %s: %w", s.Name(), err)
		}
		tasks = append(tasks, t)
	}
	have, need := ids{in.IDs.Task, in.IDs.Group, in.IDs.Action, in.IDs.Instance, in.IDs.Random}, next.ids
	if have.task < need.task || have.group < need.group || have.action < need.action || have.instance < need.instance || have.random < need.random {
		return fmt.Errorf("load the state of %s: its counters would give ids that are taken", s.Name())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks, s.ids = tasks, have
	for _, t := range s.templates {
		t.used = in.Used[t.id]
	}
	return nil
}

// loaded reads tasks and counts the ids that are taken.
type loaded struct {
	library *Service
	ids     ids // the lowest ids that are free
}

// take notes that an id is taken; ids grow in the order in which they are given.
func take(next *int64, id int64) error {
	if id < *next || id > 1<<53 {
		return fmt.Errorf("the id %d is there twice, or out of order", id)
	}
	*next = id + 1
	return nil
}

func (l *loaded) task(k keptTask) (*task, error) {
	if err := take(&l.ids.task, k.ID); err != nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	if k.Status < taskNew || k.Status > taskEnded || k.Pause < 0 || k.Pause > maxSeconds/60 {
		return nil, fmt.Errorf("task %d has the status %d and the pause %d", k.ID, k.Status, k.Pause)
	}
	t := &task{
		id: k.ID, template: k.Template, title: k.Title, desc: k.Desc, mode: k.Mode, pause: k.Pause, deal: k.Deal, tags: k.Tags,
		rollback: k.Rollback, status: k.Status, kind: k.Kind, expect: k.Expect, summary: k.Summary,
		issue: k.Issue, record: k.Record, created: k.Created, updated: k.Updated, started: k.Started, ended: k.Ended,
		pauseFrom: k.PauseFrom, logs: k.Logs, deleted: k.Deleted,
	}
	if p := k.Policy; p != nil {
		t.policy = &policy{p.Status, p.Rule, p.Deal}
	}
	for _, g := range k.Triggers {
		t.triggers = append(t.triggers, trigger{g.Name, g.Content, g.Kind, g.At})
	}
	for _, kg := range k.Groups {
		g, err := l.group(kg)
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", k.ID, err)
		}
		t.groups = append(t.groups, g)
	}
	return t, nil
}

func (l *loaded) group(k keptGroup) (*group, error) {
	if err := take(&l.ids.group, k.ID); err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	g := &group{
		id: k.ID, title: k.Title, desc: k.Desc, order: k.Order, mode: k.Mode, objectType: k.ObjectType, objects: k.Objects,
		created: k.Created, updated: k.Updated,
	}
	for _, ka := range k.Actions {
		a, err := l.action(ka)
		if err != nil {
			return nil, err
		}
		g.actions = append(g.actions, a)
	}
	return g, nil
}

func (l *loaded) action(k keptAction) (*action, error) {
	if err := take(&l.ids.action, k.ID); err != nil {
		return nil, fmt.Errorf("action: %w", err)
	}
	sp := l.library.spec(k.Spec)
	if sp == nil {
		return nil, fmt.Errorf("action %d: the library has no action %d", k.ID, k.Spec)
	}
	l.ids.random = max(l.ids.random, k.Random+1)
	if k.Status < actionNew || k.Status > actionOver {
		return nil, fmt.Errorf("action %d has the status %d", k.ID, k.Status)
	}
	a := &action{
		id: k.ID, spec: sp, order: k.Order, general: k.General, custom: k.Custom, status: k.Status, kind: k.Kind, random: k.Random,
		recover: k.Recover, execute: k.Execute, created: k.Created, updated: k.Updated, started: k.Started, ended: k.Ended,
		attempts: k.Attempts, due: k.Due,
	}
	for _, i := range k.Instances {
		if i.Status < instanceNew || i.Status > instanceOver {
			return nil, fmt.Errorf("instance %d has the status %d", i.ID, i.Status)
		}
		l.ids.instance = max(l.ids.instance, i.ID+1)
		a.instances = append(a.instances, &instance{i.ID, i.Object, i.Status, i.Kind, i.Created, i.Updated, i.Started, i.Ended, i.Live, i.LiveUntil})
	}
	return a, nil
}
