package fis

import (
	"maps"
	"slices"
	"strings"
)

type templateReply struct {
	Template templateJSON `json:"experimentTemplate"`
}

func (s *Service) createTemplate(in *input) (any, *failure) {
	b := &in.body
	if f := checkToken(b.ClientToken); f != nil {
		return nil, f
	}
	switch {
	case b.Description == nil:
		return nil, missing("description")
	case b.RoleArn == "":
		return nil, missing("roleArn")
	case b.StopConditions == nil:
		return nil, missing("stopConditions")
	case b.Actions == nil:
		return nil, missing("actions")
	}
	params := paramsHash(b.Description, b.RoleArn, b.StopConditions, b.Actions, b.Targets, b.Tags)
	key := "template " + in.region + " " + b.ClientToken
	if used, ok := s.tokens[key]; ok {
		if used.params != params || s.templates[used.id] == nil {
			return nil, conflict("The client token was used for an experiment template with other parameters.")
		}
		return templateReply{s.templates[used.id].json(in.region)}, nil
	}
	t, f := s.templateOf(in)
	if f != nil {
		return nil, f
	}
	s.templates[t.id] = t
	s.tokens[key] = token{t.id, params}
	return templateReply{t.json(in.region)}, nil
}

// templateOf checks the parts of a template as FIS does before it takes one.
func (s *Service) templateOf(in *input) (*template, *failure) {
	b := &in.body
	if f := checkTags(b.Tags); f != nil {
		return nil, f
	}
	t := &template{
		id: "EXT" + s.env.ID(15), region: in.region, description: *b.Description, role: b.RoleArn, targets: b.Targets, actions: map[string]planned{},
		conditions: b.StopConditions, emptyMode: "fail", log: b.LogConfiguration, report: b.ReportConfiguration,
		tags: maps.Clone(b.Tags), created: s.env.Now(),
	}
	if b.ExperimentOptions != nil && b.ExperimentOptions.EmptyTargetResolutionMode != "" {
		t.emptyMode = b.ExperimentOptions.EmptyTargetResolutionMode
	}
	for _, c := range b.StopConditions {
		if c.Source != none && (c.Source != "aws:cloudwatch:alarm" || !strings.HasPrefix(c.Value, "arn:")) {
			return nil, invalid("Stop condition source %q with value %q is not valid.", c.Source, c.Value)
		}
	}
	for name, a := range b.Actions {
		if a.ActionID == "" {
			return nil, missing("actions." + name + ".actionId")
		}
		for _, target := range a.Targets {
			if _, ok := b.Targets[target]; !ok {
				return nil, invalid("Action %s refers to the target %s, which is not in the template.", name, target)
			}
		}
		for _, before := range a.StartAfter {
			if _, ok := b.Actions[before]; !ok {
				return nil, invalid("Action %s starts after %s, which is not in the template.", name, before)
			}
		}
		if d, given := a.Parameters["duration"]; given {
			if _, ok := isoDuration(d); !ok {
				return nil, invalid("Action %s has the invalid duration %s.", name, d)
			}
		}
		t.actions[name] = planned{id: a.ActionID, description: a.Description, parameters: a.Parameters, targets: a.Targets, after: a.StartAfter}
	}
	return t, nil
}

// template finds a template of the request's region.
func (s *Service) template(in *input, id string) (*template, *failure) {
	t := s.templates[id]
	if t == nil || !t.in(in.region) {
		return nil, notFound("Experiment template", id)
	}
	return t, nil
}

func (s *Service) getTemplate(in *input) (any, *failure) {
	t, f := s.template(in, in.path["id"])
	if f != nil {
		return nil, f
	}
	return templateReply{t.json(in.region)}, nil
}

func (s *Service) deleteTemplate(in *input) (any, *failure) {
	t, f := s.template(in, in.path["id"])
	if f != nil {
		return nil, f
	}
	delete(s.templates, t.id)
	return templateReply{t.json(in.region)}, nil
}

func (s *Service) listTemplates(in *input) (any, *failure) {
	all := slices.DeleteFunc(s.sortedTemplates(), func(t *template) bool { return !t.in(in.region) })
	from, to, next, f := in.page(len(all))
	if f != nil {
		return nil, f
	}
	list := []templateJSON{}
	for _, t := range all[from:to] {
		list = append(list, t.summary(in.region))
	}
	return struct {
		Templates []templateJSON `json:"experimentTemplates"`
		NextToken string         `json:"nextToken,omitempty"`
	}{list, next}, nil
}
