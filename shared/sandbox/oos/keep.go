package oos

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// keptVersion is the version of the kept state's form.
const keptVersion = 1

var _ service.Keeper = (*Service)(nil)

// keptState is the whole state. Each kept type has the fields of the type that it keeps, under the same names.
type keptState struct {
	Templates  []keptTemplate // those that executions were made from
	Executions []keptExecution
	Faults     []fault
	Tagged     map[string]map[string]string
}

type keptTemplate struct{ ID, Name, Version, Content string }

type keptExecution struct {
	ID, Region, Token              string
	Template                       int    // index among the templates
	Params                         string // YAML, which tells numbers apart as JSON does not
	Tags                           map[string]string
	Mode, LoopMode, Safety         string
	Description, ResourceGroup     string
	Parent, ExecutedBy             string
	Status, Message                string
	Gate                           gate
	Created, Started, Updated, End time.Time
	Tasks                          []keptTask
	Logs                           []logLine
	Next                           int
	Current                        string // id of a task
	Due                            time.Time
	Fingerprint                    string
	Approvals                      int
}

type keptTask struct {
	ID, Name         string
	Status, Message  string
	Parent, LoopItem string
	Batch            int
	Attempt          int
	Note             string
	Props            string // YAML
	Created, Started time.Time
	Updated, Ended   time.Time
	Confirmed        bool
	Batches          int
}

// Save returns the executions with their templates, the faults in effect, and tags.
func (s *Service) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := keptState{Faults: s.faults, Tagged: s.tagged}
	for _, e := range s.executions {
		k, err := e.keep()
		if err != nil {
			return nil, fmt.Errorf("save the state of %s: execution %s: %w", s.Name(), e.ID, err)
		}
		t := keptTemplate{e.Template.ID, e.Template.Name, e.Template.Version, e.Template.Content}
		if k.Template = slices.Index(out.Templates, t); k.Template < 0 {
			k.Template = len(out.Templates)
			out.Templates = append(out.Templates, t)
		}
		out.Executions = append(out.Executions, k)
	}
	return service.Pack(s.Name(), keptVersion, out)
}

func (e *execution) keep() (keptExecution, error) {
	params, err := yaml.Marshal(e.Params)
	out := keptExecution{
		ID: e.ID, Region: e.Region, Token: e.Token, Params: string(params), Tags: e.Tags, Mode: e.Mode, LoopMode: e.LoopMode, Safety: e.Safety,
		Description: e.Description, ResourceGroup: e.ResourceGroup, Parent: e.Parent, ExecutedBy: e.ExecutedBy, Status: e.Status,
		Message: e.Message, Gate: e.Gate, Created: e.Created, Started: e.Started, Updated: e.Updated, End: e.End, Logs: e.Logs,
		Next: e.next, Due: e.due, Fingerprint: e.fingerprint, Approvals: e.approvals,
	}
	if e.current != nil {
		out.Current = e.current.ID
	}
	for _, t := range e.Tasks {
		props, perr := yaml.Marshal(t.Props)
		if err == nil {
			err = perr
		}
		out.Tasks = append(out.Tasks, keptTask{
			ID: t.ID, Name: t.Name, Status: t.Status, Message: t.Message, Parent: t.Parent, LoopItem: t.LoopItem, Batch: t.Batch,
			Attempt: t.Attempt, Note: t.Note, Props: string(props), Created: t.Created, Started: t.Started, Updated: t.Updated,
			Ended: t.Ended, Confirmed: t.Confirmed, Batches: t.batches,
		})
	}
	return out, err
}

// Load takes up what Save returned. An execution keeps the template that it was made from.
func (s *Service) Load(data []byte) error {
	var in keptState
	if err := service.Unpack(data, s.Name(), keptVersion, &in); err != nil {
		return err
	}
	next := &Service{}
	next.clear()
	var templates []template
	for _, k := range in.Templates {
		body, refusal := parseTemplate(k.Content)
		if refusal != nil {
			return fmt.Errorf("load the state of %s: template %q: %s", s.Name(), k.Name, refusal.Message)
		}
		templates = append(templates, template{ID: k.ID, Name: k.Name, Version: k.Version, Content: k.Content, body: body})
	}
	for _, k := range in.Executions {
		e, err := k.execution(templates)
		if err == nil && (e.ID == "" || next.byID[e.ID] != nil) {
			err = errors.New("it is there twice, or has no id")
		}
		if err != nil {
			return fmt.Errorf("load the state of %s: execution %q: %w", s.Name(), k.ID, err)
		}
		next.enrol(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.executions, s.byID, s.byToken, s.active, s.faults = next.executions, next.byID, next.byToken, next.active, in.Faults
	if in.Tagged != nil {
		s.tagged = in.Tagged
	}
	return nil
}

// enrol adds an execution that was kept.
func (s *Service) enrol(e *execution) {
	e.order = len(s.executions)
	s.executions, s.byID[e.ID] = append(s.executions, e), e
	if !e.final() {
		s.active[e.ID] = e
	}
	if e.Token != "" {
		s.byToken[e.Region+"/"+e.Token] = e
	}
}

func (k keptExecution) execution(templates []template) (*execution, error) {
	if k.Template < 0 || k.Template >= len(templates) {
		return nil, fmt.Errorf("its template %d is not there", k.Template)
	}
	t := templates[k.Template]
	e := &execution{
		ID: k.ID, Region: k.Region, Token: k.Token, Template: t, TemplateName: t.Name, TemplateVersion: t.Version, Tags: k.Tags,
		Mode: k.Mode, LoopMode: k.LoopMode, Safety: k.Safety, Description: k.Description, ResourceGroup: k.ResourceGroup,
		Parent: k.Parent, ExecutedBy: k.ExecutedBy, Status: k.Status, Message: k.Message, Gate: k.Gate, Created: k.Created,
		Started: k.Started, Updated: k.Updated, End: k.End, Logs: k.Logs, next: k.Next, due: k.Due, fingerprint: k.Fingerprint,
		approvals: k.Approvals,
	}
	if err := yaml.Unmarshal([]byte(k.Params), &e.Params); err != nil {
		return nil, fmt.Errorf("its parameters: %w", err)
	}
	if !e.final() && !slices.Contains([]string{started, running, waiting}, e.Status) {
		return nil, fmt.Errorf("it has the status %q", e.Status)
	}
	if e.next < 0 || e.next > len(t.body.Tasks) {
		return nil, fmt.Errorf("it goes on with task %d of %d", e.next, len(t.body.Tasks))
	}
	for _, kt := range k.Tasks {
		r, err := kt.run(t.body.Tasks)
		if err != nil {
			return nil, fmt.Errorf("task %q: %w", kt.ID, err)
		}
		e.Tasks = append(e.Tasks, r)
		if r.ID == k.Current {
			e.current = r
		}
	}
	if k.Current != "" && e.current == nil {
		return nil, fmt.Errorf("its current task %q is not there", k.Current)
	}
	if e.current == nil && !slices.Contains([]gate{noGate, debugGate}, e.Gate) {
		return nil, fmt.Errorf("it waits (%s) at no task", e.Gate)
	}
	if e.Gate == batchGate && e.current.def.Loop == nil {
		return nil, fmt.Errorf("it waits for the next batch of task %s, which has no loop", e.current.Name)
	}
	return e, nil
}

// run makes the task, whose definition is in the template.
func (k keptTask) run(defs []task) (*taskRun, error) {
	i := slices.IndexFunc(defs, func(d task) bool { return d.Name == k.Name })
	if i < 0 || k.ID == "" {
		return nil, fmt.Errorf("the template has no task %q", k.Name)
	}
	def := defs[i]
	t := &taskRun{
		ID: k.ID, Name: k.Name, Action: def.Action, Status: k.Status, Message: k.Message, Parent: k.Parent, LoopItem: k.LoopItem,
		Batch: k.Batch, Attempt: k.Attempt, Note: k.Note, Created: k.Created, Started: k.Started, Updated: k.Updated, Ended: k.Ended,
		Confirmed: k.Confirmed, def: def, batches: k.Batches,
	}
	if err := yaml.Unmarshal([]byte(k.Props), &t.Props); err != nil {
		return nil, fmt.Errorf("its properties: %w", err)
	}
	if l := def.Loop; t.batches < 0 || l == nil && t.batches > 0 || l != nil && t.batches > len(l.Items) {
		return nil, fmt.Errorf("it has done %d batches", t.batches)
	}
	return t, nil
}
