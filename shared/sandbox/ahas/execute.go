package ahas

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

// inNamespace reports whether something of the namespace is meant by a request that may leave it out.
func inNamespace(asked, namespace string) bool { return asked == "" || asked == namespace }

// experiment finds what the request names; a request that gives no namespace means default.
func (s *Service) experiment(id, namespace string) (*experiment, *refusal) {
	if namespace == "" {
		namespace = "default"
	}
	for _, e := range s.experiments {
		if e.id == id && e.namespace == namespace {
			return e, nil
		}
	}
	return nil, noExperiment()
}

func (s *Service) task(q rpc.Request) (*task, *refusal) {
	for _, t := range s.tasks {
		if t.id == q.Get("ExperimentTaskId") && inNamespace(q.Get("NameSpace"), t.exp.namespace) {
			return t, nil
		}
	}
	return nil, noTask()
}

func (s *Service) running(id string) bool {
	return slices.ContainsFunc(s.tasks, func(t *task) bool { return t.exp.id == id && t.state != stateFinished })
}

// runnable refuses a draft and an experiment that runs.
func (s *Service) runnable(e *experiment) *refusal {
	switch {
	case e.state == experimentDraft:
		return isDraft()
	case s.running(e.id):
		return isRunning()
	}
	return nil
}

func (s *Service) execute(q rpc.Request, now time.Time) (reply, *refusal) {
	e, ref := s.experiment(q.Get("ExperimentId"), q.Get("NameSpace"))
	if ref != nil {
		return reply{}, ref
	}
	if ref := s.runnable(e); ref != nil {
		return reply{}, ref
	}
	run, ref := e.with(q.Get("Definition"))
	if ref != nil {
		return reply{}, ref
	}
	t := s.newTask(run, now)
	s.tasks = append(s.tasks, t)
	return reply{fields: map[string]any{"TaskId": t.id}}, nil
}

func (s *Service) checkRunnable(q rpc.Request, _ time.Time) (reply, *refusal) {
	e, ref := s.experiment(q.Get("ExperimentId"), q.Get("NameSpace"))
	if ref != nil {
		return reply{}, ref
	}
	return reply{}, s.runnable(e)
}

func (s *Service) push(q rpc.Request, now time.Time) (reply, *refusal) {
	t, ref := s.task(q)
	switch {
	case ref != nil:
		return reply{}, ref
	case t.state == stateFinished:
		return reply{}, isFinished()
	case t.state == stateStopping:
		return reply{}, isStopping()
	case !t.push(now):
		return reply{}, notPushable()
	}
	return reply{}, nil
}

func (s *Service) finish(q rpc.Request, now time.Time) (reply, *refusal) {
	t, ref := s.task(q)
	switch {
	case ref != nil:
		return reply{}, ref
	case t.state == stateFinished:
		return reply{}, isFinished()
	case t.state == stateStopping:
		return reply{}, isStopping()
	}
	t.cursor = now
	t.stop("演练被终止")
	return reply{}, nil
}

func (s *Service) create(q rpc.Request, now time.Time) (reply, *refusal) {
	e, ref := s.build(q.Get("Definition"))
	if ref != nil {
		return reply{}, ref
	}
	e.name, e.namespace, e.description, e.created = q.Get("Name"), q.Get("NameSpace"), q.Get("Description"), now
	e.tags = repeated(q, "Tags")
	s.experiments = append(s.experiments, e)
	return reply{fields: map[string]any{"ExperimentId": e.id, "HttpStatusCode": 200}}, nil
}
