package ahas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

const (
	ownerID = "1234567890123456" // the sandbox's account
	maxSize = 100
)

// repeated reads a list parameter: Tags.1, Tags.2 and so on.
func repeated(q rpc.Request, name string) []string {
	var out []string
	for i := 1; q.Get(name+"."+strconv.Itoa(i)) != ""; i++ {
		out = append(out, q.Get(name+"."+strconv.Itoa(i)))
	}
	return out
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// page cuts the page that the request wants and says where it lies.
func page[T any](q rpc.Request, all []T) ([]T, map[string]any) {
	number, size := 1, 10
	if n, err := strconv.Atoi(q.Get("Page")); err == nil {
		number = n
	}
	if n, err := strconv.Atoi(q.Get("Size")); err == nil {
		size = min(n, maxSize)
	}
	from := min((number-1)*size, len(all))
	to := min(from+size, len(all))
	return all[from:to], map[string]any{
		"Pages": (len(all) + size - 1) / size, "PageSize": size, "CurrentPage": number, "Total": len(all),
	}
}

func (s *Service) getTask(q rpc.Request, _ time.Time) (reply, *refusal) {
	t, ref := s.task(q)
	if ref != nil {
		return reply{}, ref
	}
	m := t.fields()
	m["HttpStatusCode"] = 200
	return reply{fields: m, plain: true}, nil
}

// fields is the task as GetExperimentTask answers it: there is no EndTime.
func (t *task) fields() map[string]any {
	activities := []any{}
	for _, a := range t.activities {
		m := a.fields(t)
		m["TaskId"], m["CheckState"] = a.id, a.check
		activities = append(activities, m)
	}
	return map[string]any{
		"TaskId": t.id, "ExperimentId": t.exp.id, "ExperimentName": t.exp.name, "Namespace": t.exp.namespace,
		"State": t.state, "Result": t.result, "StartTime": millis(t.created), "Activities": activities,
	}
}

// fields is what the activity shows in both places where it is answered.
func (a *activityTask) fields(t *task) map[string]any {
	return map[string]any{
		"ExperimentTaskId": t.id, "ActivityId": a.activity.id, "ActivityName": a.activity.name, "Phase": a.phase,
		"State": a.state, "RunResult": a.result, "StartTime": millis(a.started), "EndTime": millis(a.ended),
	}
}

func (s *Service) getActivity(q rpc.Request, _ time.Time) (reply, *refusal) {
	t, ref := s.task(q)
	if ref != nil {
		return reply{}, ref
	}
	for _, a := range t.activities {
		if a.id != q.Get("ActivityTaskId") {
			continue
		}
		m := a.fields(t)
		m["HttpStatusCode"], m["Hosts"] = 200, a.hostFields()
		return reply{fields: m, plain: true}, nil
	}
	return reply{}, noActivity()
}

func (a *activityTask) hostFields() []any {
	hosts := []any{}
	for _, h := range a.hosts {
		hosts = append(hosts, map[string]any{
			"HostIp": h.ip, "TaskId": a.id, "ExpId": h.expID, "State": h.state, "Result": h.result, "Data": h.data,
			"ErrorMessage": h.message, "StartTime": millis(h.started), "EndTime": millis(h.ended),
		})
	}
	return hosts
}

// listTasks answers the tasks of an experiment, newest first.
func (s *Service) listTasks(q rpc.Request, _ time.Time) (reply, *refusal) {
	e, ref := s.experiment(q.Get("ExperimentId"), q.Get("Namespace"))
	if ref != nil {
		return reply{}, ref
	}
	var tasks []*task
	for _, t := range slices.Backward(s.tasks) {
		if t.exp.id == e.id {
			tasks = append(tasks, t)
		}
	}
	cut, m := page(q, tasks)
	list := []any{}
	for _, t := range cut {
		list = append(list, map[string]any{
			"TaskId": t.id, "ExperimentId": t.exp.id, "ExperimentName": t.exp.name, "Namespace": t.exp.namespace,
			"State": t.state, "Result": t.result, "CurrentPhase": t.phase(), "Message": t.message,
			"StartTime": millis(t.created), "EndTime": millis(t.ended),
			"Creator": map[string]any{"UserId": ownerID, "SubUserId": ""},
			"ExtInfo": map[string]any{"SchedulerConfig": map[string]any{"FixedTime": "", "CronExpression": ""}},
		})
	}
	m["ExperimentTasks"], m["HttpStatusCode"] = list, 200
	return reply{fields: m}, nil
}

// status is the experiment's state as lists show it, and the result of its last task.
func (s *Service) status(e *experiment) (state, result string) {
	for _, t := range slices.Backward(s.tasks) {
		if t.exp.id != e.id {
			continue
		}
		if t.state != stateFinished {
			return stateRunning, ""
		}
		return e.state, t.result
	}
	return e.state, ""
}

func (s *Service) experimentFields(e *experiment) map[string]any {
	state, result := s.status(e)
	return map[string]any{
		"ExperimentId": e.id, "Name": e.name, "State": state, "Result": result, "CreateTime": millis(e.created),
		"Creator": ownerID, "Permission": 7, "Tags": append([]string{}, e.tags...), "MiniApps": e.apps(),
	}
}

func (s *Service) inNamespace(namespace string) []*experiment {
	if namespace == "" {
		namespace = "default"
	}
	var out []*experiment
	for _, e := range slices.Backward(s.experiments) {
		if e.namespace == namespace {
			out = append(out, e)
		}
	}
	return out
}

func (s *Service) listExperiments(q rpc.Request, _ time.Time) (reply, *refusal) {
	var found []*experiment
	for _, e := range s.inNamespace(q.Get("Namespace")) {
		if s.matches(e, q) {
			found = append(found, e)
		}
	}
	cut, m := page(q, found)
	list := []any{}
	for _, e := range cut {
		list = append(list, s.experimentFields(e))
	}
	m["ExperimentList"], m["HttpStatusCode"] = list, 200
	return reply{fields: m}, nil
}

func (s *Service) matches(e *experiment, q rpc.Request) bool {
	state, result := s.status(e)
	if key := q.Get("SearchKey"); key != "" && !strings.Contains(e.name, key) && e.id != key {
		return false
	}
	if want := q.Get("State"); want != "" && want != state {
		return false
	}
	if want := repeated(q, "Results"); len(want) > 0 && !slices.Contains(want, result) {
		return false
	}
	for _, tag := range repeated(q, "Tags") {
		if !slices.Contains(e.tags, tag) {
			return false
		}
	}
	return true
}

func (s *Service) listMetas(q rpc.Request, _ time.Time) (reply, *refusal) {
	cut, m := page(q, s.inNamespace(q.Get("NameSpace")))
	list := []any{}
	for _, e := range cut {
		state, _ := s.status(e)
		list = append(list, map[string]any{
			"ExperimentId": e.id, "Name": e.name, "State": state, "CreateTime": millis(e.created), "Tags": append([]string{}, e.tags...),
		})
	}
	m["Content"] = list
	return reply{fields: m}, nil
}

// getMeta answers CreateTime as a string, unlike every list.
func (s *Service) getMeta(q rpc.Request, _ time.Time) (reply, *refusal) {
	e, ref := s.experiment(q.Get("ExperimentId"), q.Get("NameSpace"))
	if ref != nil {
		return reply{}, ref
	}
	state, _ := s.status(e)
	return reply{fields: map[string]any{
		"ExperimentId": e.id, "Name": e.name, "State": state, "CreateTime": fmt.Sprint(millis(e.created)), "Tags": append([]string{}, e.tags...),
	}}, nil
}

func (s *Service) regions(rpc.Request, time.Time) (reply, *refusal) {
	list := []any{}
	for _, id := range []string{
		"cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-zhangjiakou", "cn-shenzhen", "cn-hongkong", "ap-southeast-1", "eu-central-1", "cn-public",
	} {
		list = append(list, map[string]any{"RegionId": id, "RegionName": id})
	}
	return reply{fields: map[string]any{"Regions": list}}, nil
}
