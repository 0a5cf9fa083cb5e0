package oos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/internal/rpc"
)

func invalid(name, why string) *rpc.Error {
	return rpc.Refuse(http.StatusBadRequest, "InvalidParameter."+name, why)
}

func oneOf(q rpc.Request, name, def string, allowed ...string) (string, *rpc.Error) {
	v := q.Get(name)
	if v == "" {
		return def, nil
	}
	if !slices.Contains(allowed, v) {
		return "", invalid(name, fmt.Sprintf("The specified parameter %s must be one of %s.", name, strings.Join(allowed, ", ")))
	}
	return v, nil
}

// startExecution checks the request as the vendor documents it, and starts once per client token.
func (s *Service) startExecution(q rpc.Request, now time.Time) (any, *rpc.Error) {
	e, refusal := s.newExecution(q, now)
	if refusal != nil {
		return nil, refusal
	}
	if e.Token != "" {
		if old := s.byToken[e.Region+"/"+e.Token]; old != nil {
			if old.fingerprint != e.fingerprint {
				return nil, rpc.Refuse(http.StatusBadRequest, "IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request.")
			}
			return map[string]any{"Execution": startedView(old)}, nil
		}
	}
	if len(s.active) >= most {
		return nil, rpc.Refuse(http.StatusForbidden, "QuotaExceed", fmt.Sprintf("The Quota (RunningExecution) exceeded (%d).", most))
	}
	e.ID = "exec-" + s.env.ID(20)
	s.executions = append(s.executions, e)
	s.byID[e.ID], s.active[e.ID] = e, e
	if e.Token != "" {
		s.byToken[e.Region+"/"+e.Token] = e
	}
	e.log(now, nil, "Execution of %s %s started in mode %s.", e.TemplateName, e.TemplateVersion, e.Mode)
	s.announce(e, now)
	return map[string]any{"Execution": startedView(e)}, nil
}

// newExecution makes an execution that has no id yet and is not stored.
func (s *Service) newExecution(q rpc.Request, now time.Time) (*execution, *rpc.Error) {
	e := &execution{
		Region: q.Get("RegionId"), Token: q.Get("ClientToken"), Description: q.Get("Description"), ResourceGroup: q.Get("ResourceGroupId"),
		Parent: q.Get("ParentExecutionId"), ExecutedBy: "root(13092000)", Status: started, Created: now, Started: now, Updated: now,
		due: now.Add(time.Second), fingerprint: key(q), order: len(s.executions),
	}
	if len(e.Token) > 64 {
		return nil, invalid("ClientToken", "The specified parameter ClientToken is longer than 64 characters.")
	}
	var refusal *rpc.Error
	if e.Mode, refusal = oneOf(q, "Mode", automatic, automatic, failurePause, debugMode); refusal != nil {
		return nil, refusal
	}
	if e.LoopMode, refusal = oneOf(q, "LoopMode", automatic, automatic, "FirstBatchPause", "EveryBatchPause"); refusal != nil {
		return nil, refusal
	}
	if e.Safety, refusal = oneOf(q, "SafetyCheck", confirmRisky, confirmRisky, skipCheck); refusal != nil {
		return nil, refusal
	}
	if e.Safety == skipCheck && e.Mode != automatic {
		return nil, invalid("SafetyCheck", "The specified parameter SafetyCheck is only valid when Mode is Automatic.")
	}
	if e.Template, refusal = s.chosenTemplate(q); refusal != nil {
		return nil, refusal
	}
	if e.Parent != "" && s.byID[e.Parent] == nil {
		return nil, noExecution(e.Parent)
	}
	e.TemplateName, e.TemplateVersion = e.Template.Name, e.Template.Version
	given, refusal := object(q, "Parameters")
	if refusal != nil {
		return nil, refusal
	}
	if e.Params, refusal = e.Template.body.bind(given); refusal != nil {
		return nil, refusal
	}
	if e.Tags, refusal = tags(q); refusal != nil {
		return nil, refusal
	}
	if r := e.Template.body.RamRole; r != "" && r != "OOSServiceRole" {
		return nil, rpc.Refuse(http.StatusBadRequest, "AssumeRoleFailed", fmt.Sprintf("Assume role failed The role %s does not exist.", r))
	}
	return e, nil
}

// chosenTemplate is the one that the request names or brings along.
func (s *Service) chosenTemplate(q rpc.Request) (template, *rpc.Error) {
	name, content := q.Get("TemplateName"), q.Get("TemplateContent")
	switch {
	case name != "":
		if len(name) > 200 {
			return template{}, invalid("TemplateName", "The specified parameter TemplateName is longer than 200 characters.")
		}
		return s.findTemplate(name, q.Get("TemplateVersion"))
	case content != "":
		b, refusal := parseTemplate(content)
		return template{ID: "", Name: "", Version: "", Content: content, body: b}, refusal
	case q.Get("TemplateURL") != "":
		return template{}, invalid("TemplateURL", "The sandbox fetches no template from outside.")
	}
	return template{}, rpc.MissingParameter("TemplateName")
}

// object reads a parameter that holds a JSON object in a string.
func object(q rpc.Request, name string) (map[string]any, *rpc.Error) {
	v := q.Get(name)
	if v == "" {
		return nil, nil
	}
	var m map[string]any
	if json.Unmarshal([]byte(v), &m) != nil {
		return nil, invalid(name, "The specified parameter "+name+" is not a JSON object.")
	}
	return m, nil
}

func tags(q rpc.Request) (map[string]string, *rpc.Error) {
	m, refusal := object(q, "Tags")
	if refusal != nil {
		return nil, refusal
	}
	if len(m) > 20 {
		return nil, invalid("Tags", "The specified parameter Tags holds more than 20 tags.")
	}
	out := map[string]string{}
	for k, v := range m {
		s, ok := v.(string)
		if !ok || k == "" || len([]rune(k)) > 128 || len([]rune(s)) > 128 || strings.HasPrefix(k, "aliyun") || strings.HasPrefix(k, "acs:") {
			return nil, invalid("Tags", "The specified parameter Tags holds a tag that is not valid.")
		}
		out[k] = s
	}
	return out, nil
}

func noExecution(id string) *rpc.Error {
	return rpc.Refuse(http.StatusNotFound, "EntityNotExists.Execution", fmt.Sprintf("The specified execution %s does not exist.", id))
}

// named finds the execution that the request names, in the request's region.
func (s *Service) named(q rpc.Request) (*execution, *rpc.Error) {
	id := q.Get("ExecutionId")
	if id == "" {
		return nil, rpc.MissingParameter("ExecutionId")
	}
	e := s.byID[id]
	if e == nil || e.Region != q.Get("RegionId") {
		return nil, noExecution(id)
	}
	return e, nil
}

func wrongTime(e *execution, why string) *rpc.Error {
	return rpc.Refuse(http.StatusBadRequest, "InvalidExecutionStatus", fmt.Sprintf("The execution %s is %s: %s", e.ID, e.Status, why))
}

func (s *Service) cancelExecution(q rpc.Request, now time.Time) (any, *rpc.Error) {
	e, refusal := s.named(q)
	if refusal != nil {
		return nil, refusal
	}
	if e.final() {
		return nil, wrongTime(e, "it cannot be cancelled.")
	}
	s.end(e, cancelled, "The execution was cancelled by the user.", now)
	return map[string]any{}, nil
}

func (s *Service) updateExecution(q rpc.Request, now time.Time) (any, *rpc.Error) {
	e, refusal := s.named(q)
	if refusal != nil {
		return nil, refusal
	}
	t, refusal := tags(q)
	if refusal != nil {
		return nil, refusal
	}
	if q.Params.Has("Description") {
		if len([]rune(q.Get("Description"))) > 500 {
			return nil, invalid("Description", "The specified parameter Description is longer than 500 characters.")
		}
		e.Description = q.Get("Description")
	}
	if len(t) > 0 {
		e.Tags = t
	}
	e.Updated = now
	return map[string]any{}, nil
}

// tagResources keeps the tags of templates and parameters; executions cannot be tagged with it.
func (s *Service) tagResources(q rpc.Request, _ time.Time) (any, *rpc.Error) {
	if _, refusal := oneOf(q, "ResourceType", "", "template", "parameter", "secretparameter", "stateconfiguration", "application"); refusal != nil {
		return nil, refusal
	}
	for _, name := range []string{"ResourceType", "ResourceIds", "Tags"} {
		if q.Get(name) == "" {
			return nil, rpc.MissingParameter(name)
		}
	}
	var ids []string
	if json.Unmarshal([]byte(q.Get("ResourceIds")), &ids) != nil || len(ids) == 0 || len(ids) > 50 {
		return nil, invalid("ResourceIds", "The specified parameter ResourceIds must be a JSON list of 1 to 50 ids.")
	}
	t, refusal := tags(q)
	if refusal != nil {
		return nil, refusal
	}
	for _, id := range ids {
		s.tagged[q.Get("ResourceType")+"/"+id] = t
	}
	return map[string]any{}, nil
}
