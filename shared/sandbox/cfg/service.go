package cfg

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const (
	version      = "2021-08-20"
	ownerUin     = "100032429988"
	templateTime = "2023-08-01 10:00:00"
)

// ids are the next ids of each kind; they begin where the vendor's own sample does.
type ids struct{ task, group, action, instance, random int64 }

func firstIDs() ids {
	return ids{task: 3256, group: 4684, action: 11395, instance: 24375, random: 300001}
}

// op is one action of the API.
type op struct {
	kind  service.Kind
	serve func(*params, time.Time) (obj, *apiError)
}

// Service is the sandboxed CFG.
type Service struct {
	env       service.Env
	ops       map[string]op
	mu        sync.Mutex
	tasks     []*task
	templates []*template
	library   []*spec
	ids       ids
}

var _ service.Service = (*Service)(nil)

// New returns a CFG sandbox with its templates and no tasks.
func New(env service.Env) *Service {
	s := &Service{env: env, templates: templates(), library: library(), ids: firstIDs()}
	s.ops = map[string]op{
		"CreateTaskFromTemplate":        {service.Create, s.createFromTemplate},
		"CreateTaskFromAction":          {service.Create, s.createFromAction},
		"CreateTaskFromMultiAction":     {service.Create, s.createFromMultiAction},
		"DeleteTask":                    {service.Write, s.deleteTask},
		"DescribeActionFieldConfigList": {service.Read, s.fieldConfigs},
		"DescribeActionLibraryList":     {service.Read, s.actionLibrary},
		"DescribeObjectTypeList":        {service.Read, s.objectTypes},
		"DescribeTask":                  {service.Read, s.describeTask},
		"DescribeTaskExecuteLogs":       {service.Read, s.executeLogs},
		"DescribeTaskList":              {service.Read, s.taskList},
		"DescribeTaskPolicyTriggerLog":  {service.Read, s.triggerLog},
		"DescribeTemplate":              {service.Read, s.describeTemplate},
		"DescribeTemplateList":          {service.Read, s.templateList},
		"ExecuteTask":                   {service.Start, s.execute},
		"ExecuteTaskInstance":           {service.Advance, s.executeInstance},
		"ModifyTaskRunStatus":           {service.Write, s.modifyStatus},
		"TriggerPolicy":                 {service.Stop, s.triggerPolicy},
		"GetCallerIdentity":             {service.Read, s.callerIdentity},
	}
	return s
}

// Name is "cfg".
func (s *Service) Name() string { return "cfg" }

// Recognise knows a Tencent API 3.0 call by its X-TC-Action header.
func (s *Service) Recognise(r *http.Request, body []byte) (service.Call, bool) {
	name := r.Header.Get("X-TC-Action")
	if name == "" && !strings.HasPrefix(r.Header.Get("Authorization"), algorithm+" ") {
		return service.Call{}, false
	}
	p := parse(body)
	c := service.Call{Service: "cfg", Op: name, Kind: service.Read, Key: name + "/" + string(body)}
	if o, ok := s.ops[name]; ok {
		c.Kind = o.kind
	}
	for _, field := range []string{"TaskId", "TemplateId"} {
		if id, ok := number(p.m[field]); ok {
			c.Key = name + "/" + strconv.FormatInt(id, 10)
			break
		}
	}
	switch name {
	case "ModifyTaskRunStatus":
		c.Kind = map[int64]service.Kind{taskRunning: service.Advance, taskPaused: service.Stop}[p.int("Status")]
		if c.Kind == "" {
			c.Kind = service.Write
		}
	case "TriggerPolicy":
		if p.int("TriggerType") == 1 {
			c.Kind = service.Write
		}
	case "ExecuteTaskInstance":
		if s.undoes(p) {
			c.Kind = service.Stop
		}
	}
	return c, true
}

// undoes tells whether the call executes a recovery of a paused task: that is part of stopping it.
func (s *Service) undoes(p *params) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play()
	t := s.task(p.int("TaskId"))
	if t == nil || t.status != taskPaused {
		return false
	}
	_, a := t.find(p.int("TaskActionId"))
	return a != nil && !a.fault()
}

// Serve answers one call.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, body []byte, c service.Call, o service.Options) {
	if err := s.admit(r, body, c); err != nil {
		s.refuse(w, err)
		return
	}
	p := parse(body)
	p.lie = o.Lie
	if p.err != nil {
		s.refuse(w, p.err)
		return
	}
	s.mu.Lock()
	s.play()
	answer, err := s.ops[c.Op].serve(p, s.env.Now())
	s.mu.Unlock()
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.answer(w, answer)
}

// admit checks what every call must bring.
func (s *Service) admit(r *http.Request, body []byte, c service.Call) *apiError {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return fail("UnsupportedProtocol", "Only POST requests with the content type application/json are supported.")
	}
	if err := s.authenticate(r, body); err != nil {
		return err
	}
	if _, ok := s.ops[c.Op]; !ok {
		return fail("InvalidAction", "The request action=%s is invalid or not found.", c.Op)
	}
	want := version
	if c.Op == "GetCallerIdentity" {
		want = "2018-08-13"
	}
	if v := r.Header.Get("X-TC-Version"); v != want {
		return fail("NoSuchVersion", "The version %q of the service does not exist.", v)
	}
	return nil
}

// Fail writes the vendor's shape of a failure: an error in an HTTP 200.
func (s *Service) Fail(w http.ResponseWriter, _ *http.Request, _ service.Call, f service.Failure) {
	if f == service.Throttled {
		s.refuse(w, fail("RequestLimitExceeded", "Your current request times equals to `21` in a second, which exceeds the frequency limit `20` for a second. Please reduce the frequency of calls."))
		return
	}
	s.refuse(w, fail("InternalError", "An internal error has occurred. Retry your request."))
}

func (s *Service) refuse(w http.ResponseWriter, e *apiError) {
	s.answer(w, obj{"Error": obj{"Code": e.code, "Message": e.message}})
}

func (s *Service) answer(w http.ResponseWriter, o obj) {
	o["RequestId"] = s.requestID()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(obj{"Response": o}) // the client has gone if this fails
}

func (s *Service) requestID() string {
	id := s.env.ID(32)
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:32]}, "-")
}

// Tick plays everything that is due. CFG pushes nothing.
func (s *Service) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play()
}

// Runs lists every task there ever was, oldest first.
func (s *Service) Runs() []service.Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play()
	var out []service.Run
	for _, t := range s.tasks {
		run := service.Run{Service: "cfg", ID: strconv.FormatInt(t.id, 10), Template: strconv.FormatInt(t.template, 10), Title: t.title, Mark: t.mark(),
			Status: strconv.Itoa(t.status), Executed: !t.started.IsZero(), Ended: t.status == taskEnded, Created: t.created, Started: t.started, EndedAt: t.ended}
		for _, g := range t.groups {
			for _, a := range g.actions {
				if a.live() {
					run.Live = append(run.Live, a.name())
				}
			}
		}
		out = append(out, run)
	}
	return out
}

// Snapshot is every task as DescribeTask prints it.
func (s *Service) Snapshot() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play()
	tasks := []obj{}
	for _, t := range s.tasks {
		tasks = append(tasks, t.wire())
	}
	b, err := json.Marshal(obj{"tasks": tasks})
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return b
}

// Reset forgets all tasks and keeps the templates.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks, s.ids = nil, firstIDs()
}

func (s *Service) task(id int64) *task {
	for _, t := range s.tasks {
		if t.id == id && !t.deleted {
			return t
		}
	}
	return nil
}

func (s *Service) template(id int64) *template {
	for _, t := range s.templates {
		if t.id == id {
			return t
		}
	}
	return nil
}

func (s *Service) spec(id int64) *spec {
	for _, sp := range s.library {
		if sp.id == id {
			return sp
		}
	}
	return nil
}

// callerIdentity answers STS GetCallerIdentity.
func (s *Service) callerIdentity(*params, time.Time) (obj, *apiError) {
	return obj{"Arn": "qcs::sts:ap-guangzhou:uin/" + ownerUin + ":root", "AccountId": ownerUin, "UserId": ownerUin, "PrincipalId": ownerUin, "Type": "QCSRootAccount"}, nil
}
