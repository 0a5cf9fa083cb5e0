package oos

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

// startedView is the Execution of a StartExecution reply, with objects where the page says String, as in its sample.
func startedView(e *execution) map[string]any {
	return map[string]any{
		"CurrentTasks": []any{}, "CreatedDate": date(e.Created), "UpdateDate": date(e.Updated), "ExecutedBy": e.ExecutedBy, "ExecutionId": e.ID,
		"IsParent": false, "Mode": e.Mode, "LoopMode": e.LoopMode, "Outputs": map[string]any{}, "Parameters": orEmpty(e.Params),
		"RamRole": e.role(), "SafetyCheck": e.Safety, "StartDate": date(e.Started), "Status": started, "Tags": orEmpty(e.Tags),
		"TemplateId": e.Template.ID, "TemplateName": e.TemplateName, "TemplateVersion": e.TemplateVersion, "Description": e.Description,
	}
}

func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func (e *execution) role() string {
	if e.Template.body.RamRole == "" {
		return "OOSServiceRole"
	}
	return e.Template.body.RamRole
}

// view is an execution in a list.
func (e *execution) view() map[string]any {
	counters := map[string]int{"Total": len(e.Template.body.Tasks), "Success": 0, "Failed": 0}
	for _, t := range e.Tasks {
		if t.Parent == "" && (t.Status == success || t.Status == failed) {
			counters[t.Status]++
		}
	}
	v := startedView(e)
	delete(v, "CreatedDate")
	v["CreateDate"], v["EndDate"] = date(e.Created), date(e.End)
	v["Status"], v["StatusMessage"], v["StatusReason"] = e.Status, e.Message, ""
	v["WaitingStatus"] = "" // the vendor's samples leave it empty
	v["Outputs"] = jsonText(map[string]any{})
	v["Counters"], v["Category"], v["ResourceStatus"] = counters, "Other", ""
	v["ParentExecutionId"], v["ResourceGroupId"] = e.Parent, e.ResourceGroup
	v["CurrentTasks"] = e.currentTasks()
	return v
}

func (e *execution) currentTasks() []any {
	if e.current == nil {
		return []any{}
	}
	return []any{map[string]any{"TaskName": e.current.Name, "TaskAction": e.current.Action, "TaskExecutionId": e.current.ID}}
}

func (t *taskRun) view(e *execution) map[string]any {
	loop := map[string]any{}
	if t.def.Loop != nil && t.Parent == "" {
		loop["Items"] = t.def.Loop.Items
		loop["RateControl"] = t.def.Loop.RateControl
	}
	extra := map[string]any{}
	if t.Note != "" {
		extra["NotifyNote"] = t.Note
	}
	return map[string]any{
		"TaskExecutionId": t.ID, "TaskName": t.Name, "TaskAction": t.Action, "Status": t.Status, "StatusMessage": t.Message,
		"ExecutionId": e.ID, "ChildExecutionId": "", "ParentTaskExecutionId": t.Parent, "Loop": loop, "LoopItem": t.LoopItem,
		"LoopBatchNumber": t.Batch, "Properties": jsonText(orEmpty(t.Props)), "Outputs": "{}", "ExtraData": extra, "TemplateId": e.Template.ID,
		"CreateDate": date(t.Created), "StartDate": date(t.Started), "UpdateDate": date(t.Updated), "EndDate": date(t.Ended),
	}
}

// page cuts a list at MaxResults and names the item that the next page begins after.
func page[T any](q rpc.Request, all []T, id func(T) string, least int) ([]T, map[string]any, *rpc.Error) {
	size := 50
	if v := q.Get("MaxResults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > 100 {
			return nil, nil, invalid("MaxResults", fmt.Sprintf("The specified parameter MaxResults must be between %d and 100.", least))
		}
		size = n
	}
	from := 0
	if v := q.Get("NextToken"); v != "" {
		last, err := base64.RawURLEncoding.DecodeString(v)
		at := slices.IndexFunc(all, func(x T) bool { return id(x) == string(last) })
		if err != nil || at < 0 {
			return nil, nil, invalid("NextToken", "The specified parameter NextToken is not valid.")
		}
		from = at + 1
	}
	rest := all[from:]
	next := ""
	if len(rest) > size {
		rest = rest[:size]
		next = base64.RawURLEncoding.EncodeToString([]byte(id(rest[size-1])))
	}
	return rest, map[string]any{"MaxResults": size, "NextToken": next, "TotalCount": len(all)}, nil
}

func (s *Service) listExecutions(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	want, refusal := tags(q)
	if refusal == nil {
		refusal = knownStatus(q)
	}
	if refusal != nil {
		return nil, refusal
	}
	var all []*execution
	for _, e := range s.executions {
		if e.matches(q, want) {
			all = append(all, e)
		}
	}
	if refusal := sortExecutions(q, all); refusal != nil {
		return nil, refusal
	}
	rows, out, refusal := page(q, all, func(e *execution) string { return e.ID }, 10)
	if refusal != nil {
		return nil, refusal
	}
	list := make([]any, 0, len(rows))
	for _, e := range rows {
		list = append(list, e.view())
	}
	out["Executions"] = list
	return out, nil
}

// knownStatus refuses a filter by a status that is not among those that the vendor documents for it.
func knownStatus(q rpc.Request) *rpc.Error {
	_, refusal := oneOf(q, "Status", "", running, started, success, failed, waiting, cancelled, "Pending", "Skipped")
	return refusal
}

// matches applies the filters of ListExecutions.
func (e *execution) matches(q rpc.Request, want map[string]string) bool {
	if e.Region != q.Get("RegionId") || !strings.Contains(e.TemplateName, q.Get("TemplateName")) {
		return false
	}
	for name, have := range map[string]string{
		"ExecutionId": e.ID, "Status": e.Status, "Mode": e.Mode, "ParentExecutionId": e.Parent, "ExecutedBy": e.ExecutedBy,
		"RamRole": e.role(), "ResourceGroupId": e.ResourceGroup, "Category": "Other",
	} {
		if v := q.Get(name); v != "" && v != have {
			return false
		}
	}
	for k, v := range want {
		if e.Tags[k] != v {
			return false
		}
	}
	return between(e.Started, q.Get("StartDateAfter"), q.Get("StartDateBefore")) && between(e.End, q.Get("EndDateAfter"), q.Get("EndDateBefore"))
}

func between(t time.Time, after, before string) bool {
	if a, err := time.Parse(time.RFC3339, after); err == nil && (t.IsZero() || t.Before(a)) {
		return false
	}
	if b, err := time.Parse(time.RFC3339, before); err == nil && (t.IsZero() || t.After(b)) {
		return false
	}
	return true
}

func sortExecutions(q rpc.Request, all []*execution) *rpc.Error {
	field, refusal := oneOf(q, "SortField", "StartDate", "StartDate", "EndDate", "Status")
	if refusal != nil {
		return refusal
	}
	order, refusal := oneOf(q, "SortOrder", "Descending", "Ascending", "Descending")
	if refusal != nil {
		return refusal
	}
	slices.SortStableFunc(all, func(a, b *execution) int {
		c := a.Started.Compare(b.Started)
		switch field {
		case "EndDate":
			c = a.End.Compare(b.End)
		case "Status":
			c = strings.Compare(a.Status, b.Status)
		}
		if c == 0 {
			c = a.order - b.order
		}
		if order == "Descending" {
			c = -c
		}
		return c
	})
	return nil
}

func (s *Service) listTaskExecutions(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	if refusal := knownStatus(q); refusal != nil {
		return nil, refusal
	}
	var e *execution
	if q.Get("ExecutionId") != "" {
		var refusal *rpc.Error
		if e, refusal = s.named(q); refusal != nil {
			return nil, refusal
		}
	}
	type row struct {
		t *taskRun
		e *execution
	}
	var all []row
	for _, x := range s.executions {
		if (e != nil && x != e) || x.Region != q.Get("RegionId") {
			continue
		}
		for _, t := range x.Tasks {
			if t.matches(q) && (t.Parent == "" || q.Get("ParentTaskExecutionId") != "" || strings.EqualFold(q.Get("IncludeChildTaskExecution"), "true")) {
				all = append(all, row{t, x})
			}
		}
	}
	if order, refusal := oneOf(q, "SortOrder", "Descending", "Ascending", "Descending"); refusal != nil {
		return nil, refusal
	} else if order == "Descending" {
		slices.Reverse(all)
	}
	rows, out, refusal := page(q, all, func(r row) string { return r.t.ID }, 20)
	if refusal != nil {
		return nil, refusal
	}
	list := make([]any, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.t.view(r.e))
	}
	out["TaskExecutions"] = list
	return out, nil
}

func (t *taskRun) matches(q rpc.Request) bool {
	for name, have := range map[string]string{
		"TaskExecutionId": t.ID, "TaskName": t.Name, "TaskAction": t.Action, "Status": t.Status, "ParentTaskExecutionId": t.Parent,
	} {
		if v := q.Get(name); v != "" && v != have {
			return false
		}
	}
	return true
}

func (s *Service) listExecutionLogs(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	e, refusal := s.named(q)
	if refusal != nil {
		return nil, refusal
	}
	type row struct {
		l logLine
		n int
	}
	var all []row
	for i, l := range e.Logs {
		if v := q.Get("LogType"); v != "" && v != l.Type {
			continue
		}
		if v := q.Get("TaskExecutionId"); v != "" && v != l.Task {
			continue
		}
		all = append(all, row{l, i})
	}
	rows, out, refusal := page(q, all, func(r row) string { return strconv.Itoa(r.n) }, 20)
	if refusal != nil {
		return nil, refusal
	}
	list := make([]any, 0, len(rows))
	for _, r := range rows {
		list = append(list, map[string]any{"Timestamp": date(r.l.At), "LogType": r.l.Type, "Message": r.l.Message, "TaskExecutionId": r.l.Task})
	}
	out["ExecutionLogs"], out["IsTruncated"] = list, false
	return out, nil
}

func (t template) view() map[string]any {
	sum := sha256.Sum256([]byte(t.Content))
	return map[string]any{
		"TemplateId": t.ID, "TemplateName": t.Name, "TemplateVersion": t.Version, "TemplateFormat": "YAML", "Description": t.body.Description,
		"ShareType": "Private", "TemplateType": "Automation", "Category": "Other", "HasTrigger": false, "Hash": hex.EncodeToString(sum[:]),
		"CreatedBy": "root(13092000)", "UpdatedBy": "root(13092000)", "CreatedDate": "2019-05-16T10:26:14Z", "UpdatedDate": "2019-05-16T10:26:14Z",
		"Tags": map[string]any{}, "TotalExecutionCount": 0, "Popularity": 0,
	}
}

func (s *Service) listTemplates(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	var all []template
	for _, t := range s.templates {
		latest, refusal := s.findTemplate(t.Name, "")
		if refusal == nil && latest.Version == t.Version && strings.Contains(t.Name, q.Get("TemplateName")) && q.Get("ShareType") != "Public" {
			all = append(all, t)
		}
	}
	rows, out, refusal := page(q, all, func(t template) string { return t.Name }, 10)
	if refusal != nil {
		return nil, refusal
	}
	list := make([]any, 0, len(rows))
	for _, t := range rows {
		list = append(list, t.view())
	}
	out["Templates"] = list
	return out, nil
}

func (s *Service) getTemplate(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	if q.Get("TemplateName") == "" {
		return nil, rpc.MissingParameter("TemplateName")
	}
	t, refusal := s.findTemplate(q.Get("TemplateName"), q.Get("TemplateVersion"))
	if refusal != nil {
		return nil, refusal
	}
	return map[string]any{"Content": t.Content, "Template": t.view()}, nil
}

func (s *Service) getExecutionTemplate(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	e, refusal := s.named(q)
	if refusal != nil {
		return nil, refusal
	}
	return map[string]any{"Content": e.Template.Content, "Template": e.Template.view()}, nil
}

func (s *Service) validateTemplateContent(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	if q.Get("Content") == "" {
		return nil, rpc.MissingParameter("Content")
	}
	b, refusal := parseTemplate(q.Get("Content"))
	if refusal != nil {
		return nil, refusal
	}
	list := make([]any, 0, len(b.Tasks))
	for _, t := range b.Tasks {
		list = append(list, map[string]any{"Name": t.Name, "Type": t.Action, "Properties": jsonText(orEmpty(t.Properties)), "Outputs": "{}", "Description": t.Description})
	}
	return map[string]any{"Tasks": list, "Parameters": jsonText(b.Parameters), "Outputs": jsonText(orEmpty(b.Outputs)), "RamRole": b.RamRole}, nil
}

func (s *Service) listExecutionRiskyTasks(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	if q.Get("TemplateName") == "" {
		return nil, rpc.MissingParameter("TemplateName")
	}
	t, refusal := s.findTemplate(q.Get("TemplateName"), q.Get("TemplateVersion"))
	if refusal != nil {
		return nil, refusal
	}
	list := []any{}
	for _, x := range t.body.Tasks {
		if x.risky() {
			list = append(list, map[string]any{"Service": x.service(), "API": x.api(), "Task": []string{x.Name}, "Template": []string{t.Name}})
		}
	}
	return map[string]any{"RiskyTasks": list}, nil
}
