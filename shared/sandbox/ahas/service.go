package ahas

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const version = "2019-09-01"

// Service is the sandboxed AHAS fault drill.
type Service struct {
	env    service.Env
	verify *rpc.Verifier

	mu          sync.Mutex
	experiments []*experiment // in the order they were made
	tasks       []*task       // in the order they were started
}

var _ service.Service = (*Service)(nil)

// New makes the service with its library of experiments.
func New(env service.Env) *Service {
	return &Service{
		env:         env,
		verify:      &rpc.Verifier{AccessKey: env.AccessKey, Secret: env.Secret, Real: env.Real},
		experiments: library(),
	}
}

// Name returns "ahas".
func (s *Service) Name() string { return "ahas" }

// operation is one action: what it does, which parameter names its resource, and how it is answered.
type operation struct {
	kind service.Kind
	need []string // mandatory parameters; the first one names the resource
	do   func(*Service, rpc.Request, time.Time) (reply, *refusal)
}

// reply is what an action answers beyond the envelope. plain leaves Code and Message out, as some actions do.
type reply struct {
	fields map[string]any
	plain  bool
}

func operations() map[string]operation {
	return map[string]operation{
		"ExecuteExperiment":       {service.Start, []string{"ExperimentId"}, (*Service).execute},
		"PushExperimentTask":      {service.Advance, []string{"ExperimentTaskId"}, (*Service).push},
		"FinishExperimentTask":    {service.Stop, []string{"ExperimentTaskId"}, (*Service).finish},
		"GetExperimentTask":       {service.Read, []string{"ExperimentTaskId"}, (*Service).getTask},
		"GetActivityTask":         {service.Read, []string{"ActivityTaskId", "ExperimentTaskId"}, (*Service).getActivity},
		"CheckExperimentRunnable": {service.Read, []string{"ExperimentId"}, (*Service).checkRunnable},
		"GetExperimentMeta":       {service.Read, []string{"ExperimentId"}, (*Service).getMeta},
		"ListExperimentMetas":     {service.Read, nil, (*Service).listMetas},
		"CreateExperiment":        {service.Create, []string{"Name", "NameSpace", "Definition"}, (*Service).create},
		"DescribeRegions":         {service.Read, nil, (*Service).regions},

		"PageableQueryUserExperiment":               {service.Read, nil, (*Service).listExperiments},
		"PageableQueryExperimentTaskByExperimentId": {service.Read, []string{"ExperimentId"}, (*Service).listTasks},
	}
}

// Recognise tells whether the request is for this service: by version, or by action where the version is not the
// product's.
func (s *Service) Recognise(r *http.Request, body []byte) (service.Call, bool) {
	q, ok := rpc.Parse(r, body)
	if !ok {
		return service.Call{}, false
	}
	op, known := operations()[q.Action]
	if !known && q.Version != version {
		return service.Call{}, false
	}
	if known && q.Action == "DescribeRegions" && q.Version != version {
		return service.Call{}, false // many products have one
	}
	c := service.Call{Service: s.Name(), Op: q.Action, Kind: op.kind, Key: q.Action}
	if !known {
		c.Kind = service.Read
	}
	for _, name := range append(op.need, "Page", "Size") {
		if v := q.Get(name); v != "" && name != "Definition" {
			c.Key += "/" + v
		}
	}
	return c, true
}

// Serve answers as the vendor does: the gateway's errors have an HTTP status, the product's own are HTTP 200 with
// Success=false.
func (s *Service) Serve(w http.ResponseWriter, r *http.Request, body []byte, _ service.Call, o service.Options) {
	id := s.requestID()
	q, ok := rpc.Parse(r, body)
	if !ok {
		rpc.Fail(w, q, id, rpc.NoSuchAction())
		return
	}
	if e := s.verify.Verify(q); e != nil {
		rpc.Fail(w, q, id, e)
		return
	}
	op, e := check(q)
	if e != nil {
		rpc.Fail(w, q, id, e)
		return
	}
	if o.Lie && op.kind == service.Stop {
		rpc.Write(w, q, id, envelope(reply{}, nil))
		return
	}
	s.mu.Lock()
	now := s.env.Now()
	s.play(now)
	rep, ref := op.do(s, q, now)
	s.play(now)
	s.mu.Unlock()
	rpc.Write(w, q, id, envelope(rep, ref))
}

func check(q rpc.Request) (operation, *rpc.Error) {
	if q.Version != version {
		return operation{}, rpc.InvalidVersion()
	}
	op, known := operations()[q.Action]
	if !known {
		return operation{}, rpc.NoSuchAction()
	}
	for _, name := range op.need {
		if q.Get(name) == "" {
			return operation{}, rpc.Missing(name)
		}
	}
	for _, name := range []string{"Page", "Size"} {
		if v := q.Get(name); v != "" {
			if n, err := strconv.Atoi(v); err != nil || n < 1 {
				return operation{}, rpc.Refuse(http.StatusBadRequest, "IllegalArgument", "The specified parameter is invalid.")
			}
		}
	}
	return op, nil
}

// envelope adds what every reply has. Where the vendor's pages print 无 ("none") for Code and Message of a good reply,
// the fields are empty: the vendor's own Node client takes any other Code than 200, OK or Success for a failure.
func envelope(rep reply, ref *refusal) map[string]any {
	m := map[string]any{"Success": ref == nil}
	if ref != nil {
		m["Code"], m["Message"] = ref.code, ref.message
		return m
	}
	for k, v := range rep.fields {
		m[k] = v
	}
	if !rep.plain {
		m["Code"], m["Message"] = "", ""
	}
	return m
}

// Fail writes the vendor's shape of a failure. Replies are JSON unless the query asks for XML.
func (s *Service) Fail(w http.ResponseWriter, r *http.Request, c service.Call, f service.Failure) {
	q, _ := rpc.Parse(r, nil)
	q.Action, q.Host = c.Op, r.Host
	if q.Format == "" {
		q.Format = "JSON"
	}
	e := rpc.Internal()
	if f == service.Throttled {
		e = rpc.Throttled()
	}
	rpc.Fail(w, q, s.requestID(), e)
}

// Tick plays everything that is due. AHAS pushes nothing.
func (s *Service) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play(s.env.Now())
}

func (s *Service) play(now time.Time) {
	for _, t := range s.tasks {
		t.play(now)
	}
}

// Runs lists every task, oldest first.
func (s *Service) Runs() []service.Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play(s.env.Now())
	runs := make([]service.Run, 0, len(s.tasks))
	for _, t := range s.tasks {
		run := service.Run{
			Service: s.Name(), ID: t.id, Template: t.exp.id, Title: t.exp.name, Status: t.state, Executed: true,
			Live: t.live(), Ended: t.state == stateFinished, Created: t.created, EndedAt: t.ended,
		}
		if t.result != "" {
			run.Status += "/" + t.result
		}
		if t.state != stateReady {
			run.Started = t.created.Add(dispatch)
		}
		runs = append(runs, run)
	}
	return runs
}

// Snapshot is every experiment and every task as the vendor would answer them.
func (s *Service) Snapshot() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.play(s.env.Now())
	experiments, tasks := []any{}, []any{}
	for _, e := range s.experiments {
		experiments = append(experiments, s.experimentFields(e))
	}
	for _, t := range s.tasks {
		m := t.fields()
		m["Live"], m["Message"] = t.live(), t.message
		tasks = append(tasks, m)
	}
	b, err := json.Marshal(map[string]any{"experiments": experiments, "tasks": tasks})
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// Reset forgets all tasks and keeps the experiments.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = nil
}

// newID makes an id of 19 digits, which no float64 holds.
func (s *Service) newID() string {
	n, err := strconv.ParseUint(s.env.ID(14), 16, 64)
	if err != nil {
		n = uint64(len(s.tasks))
	}
	return strconv.FormatUint(1_200_000_000_000_000_000+n, 10)
}

func (s *Service) requestID() string {
	h := s.env.ID(32)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
