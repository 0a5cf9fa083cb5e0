package cfg

import (
	"slices"
	"time"
)

// createFromTemplate answers CreateTaskFromTemplate.
func (s *Service) createFromTemplate(p *params, now time.Time) (obj, *apiError) {
	p.need("TemplateId", "TaskConfig")
	id, config := p.int("TemplateId"), p.object("TaskConfig")
	config.need("TaskGroupsConfig")
	p.adopt(config)
	if p.err != nil {
		return nil, p.err
	}
	tpl := s.template(id)
	if tpl == nil {
		return nil, fail("InvalidParameterValue", "The template %d does not exist.", id)
	}
	if tpl.disabled {
		return nil, fail("UnsupportedOperation", "The template %d is disabled.", id)
	}
	groups := config.objects("TaskGroupsConfig")
	if len(groups) != len(tpl.stages) {
		return nil, fail("InvalidParameterValue", "The template %d has %d action groups, TaskGroupsConfig has %d.", id, len(tpl.stages), len(groups))
	}
	t := &task{template: tpl.id, title: tpl.title, desc: tpl.desc, mode: tpl.mode, pause: tpl.pause, deal: tpl.deal}
	config.override(t)
	t.tags = readTags(config, "Tags")
	for n, st := range tpl.stages {
		g, err := s.stageGroup(st, groups[n])
		if err != nil {
			return nil, err
		}
		t.groups = append(t.groups, g)
	}
	p.adopt(config)
	if p.err != nil {
		return nil, p.err
	}
	if t.deal != 0 {
		t.policy = &policy{status: policyIdle, rule: tpl.rule, deal: t.deal}
	}
	tpl.used++
	return s.add(t, now)
}

// override puts the task's own settings over the template's.
func (p *params) override(t *task) {
	if v := p.str("TaskTitle"); v != "" {
		t.title = v
	}
	if v := p.str("TaskDescription"); v != "" {
		t.desc = v
	}
	for name, to := range map[string]*int{"TaskMode": &t.mode, "PolicyDealType": &t.deal} {
		if !p.has(name) {
			continue
		}
		*to = int(p.int(name))
		if *to != 1 && *to != 2 {
			p.wrong(fail("InvalidParameterValue", "The parameter `%s` must be 1 or 2.", name))
		}
	}
	p.overridePause(t)
}

func (p *params) overridePause(t *task) {
	if !p.has("TaskPauseDuration") {
		return
	}
	t.pause = int(p.int("TaskPauseDuration"))
	if t.pause < 0 || t.pause > maxSeconds/60 {
		p.wrong(fail("InvalidParameterValue", "The parameter `TaskPauseDuration` must be minutes, and at most a week."))
	}
}

func readTags(p *params, name string) []tag {
	var tags []tag
	for _, o := range p.objects(name) {
		o.need("TagKey", "TagValue")
		tags = append(tags, tag{o.str("TagKey"), o.str("TagValue")})
		p.adopt(o)
	}
	return tags
}

// stageGroup makes a task's group from a template's stage and the caller's TaskGroupConfig.
func (s *Service) stageGroup(st stage, c *params) (*group, *apiError) {
	c.need("TaskGroupInstances")
	g := &group{title: st.title, desc: st.desc, mode: st.mode, objectType: st.objectType, objects: c.strs("TaskGroupInstances")}
	if v := c.str("TaskGroupTitle"); v != "" {
		g.title = v
	}
	if v := c.str("TaskGroupDescription"); v != "" {
		g.desc = v
	}
	if c.has("TaskGroupMode") {
		g.mode = int(c.int("TaskGroupMode"))
	}
	for _, p := range st.steps {
		g.actions = append(g.actions, &action{spec: s.spec(p.action), general: p.general, custom: p.custom,
			random: p.random, recover: p.recover, execute: p.execute})
	}
	for _, o := range c.objects("TaskGroupActionsConfig") {
		order := int(o.int("TaskGroupActionOrder"))
		general, custom := o.str("TaskGroupActionGeneralConfiguration"), o.str("TaskGroupActionCustomConfiguration")
		c.adopt(o)
		if order < 1 || order > len(g.actions) {
			continue // a wrong order is silently not matched
		}
		a := g.actions[order-1]
		a.general, a.custom = orElse(general, a.general), orElse(custom, a.custom)
	}
	if c.err != nil {
		return nil, c.err
	}
	return g, check(g)
}

func orElse(v, fallback string) string {
	if v == "" {
		return fallback
	}
	return v
}

// check refuses a group without instances, with broken settings, or with an action that the account may not use.
func check(g *group) *apiError {
	if len(g.objects) == 0 || slices.Contains(g.objects, "") {
		return fail("InvalidParameterValue", "The action group %q has no instances.", g.title)
	}
	for _, a := range g.actions {
		if a.spec.barred {
			return fail("UnsupportedOperation", "The action %d is not open to this account.", a.spec.id)
		}
		if !validConfig(a.general) || !validConfig(a.custom) {
			return fail("InvalidParameterValue", "The configuration of the action %d is not a JSON object.", a.spec.id)
		}
		for _, f := range a.spec.fields {
			if v := setting(a.custom, f.name); f.required && f.value == "" && (v == nil || v == "") {
				return fail("InvalidParameterValue", "The action %d needs the custom parameter `%s`.", a.spec.id, f.name)
			}
		}
	}
	return nil
}

// createFromAction answers CreateTaskFromAction.
func (s *Service) createFromAction(p *params, now time.Time) (obj, *apiError) {
	p.need("TaskActionId", "TaskInstances")
	tags := readTags(p, "TaskTags")
	t, err := s.fromActions(p, []*params{p})
	if err != nil {
		return nil, err
	}
	t.tags = tags
	return s.add(t, now)
}

// createFromMultiAction answers CreateTaskFromMultiAction.
func (s *Service) createFromMultiAction(p *params, now time.Time) (obj, *apiError) {
	p.need("TaskInstances", "TaskAction")
	t, err := s.fromActions(p, p.objects("TaskAction"))
	if err != nil {
		return nil, err
	}
	return s.add(t, now)
}

// fromActions makes a manual task of one group from actions of the library; a recovery partner comes along.
func (s *Service) fromActions(p *params, list []*params) (*task, *apiError) {
	t := &task{mode: manualMode, pause: 60, title: p.str("TaskTitle"), desc: p.str("TaskDescription")}
	g := &group{mode: 1, objects: p.strs("TaskInstances")}
	p.overridePause(t)
	for _, o := range list {
		o.need("TaskActionId")
		id := o.int("TaskActionId")
		general, custom := o.str("TaskActionGeneralConfiguration"), o.str("TaskActionCustomConfiguration")
		p.adopt(o)
		if p.err != nil {
			return nil, p.err
		}
		sp := s.spec(id)
		if sp == nil {
			return nil, fail("InvalidParameterValue", "The action %d does not exist.", id)
		}
		g.actions = append(g.actions, &action{spec: sp, general: orElse(general, firstGeneral), custom: sp.defaults(custom)})
	}
	if p.err != nil {
		return nil, p.err
	}
	if len(g.actions) == 0 {
		return nil, fail("InvalidParameterValue", "TaskAction is empty.")
	}
	s.link(g)
	g.title, g.objectType = g.actions[0].spec.name, g.actions[0].spec.objectType
	t.title = orElse(t.title, g.title)
	t.groups = []*group{g}
	return t, check(g)
}

// link adds missing recovery partners and numbers the RandomId triples.
func (s *Service) link(g *group) {
	for _, a := range g.actions {
		a.random = s.ids.random
		s.ids.random++
	}
	for _, a := range slices.Clone(g.actions) {
		if a.spec.partner == 0 {
			continue
		}
		at := slices.IndexFunc(g.actions, func(r *action) bool { return r.spec.id == a.spec.partner && r.execute == 0 })
		if at < 0 {
			g.actions = append(g.actions, &action{spec: s.spec(a.spec.partner), general: plainGeneral, custom: "{}", random: s.ids.random})
			s.ids.random++
			at = len(g.actions) - 1
		}
		a.recover, g.actions[at].execute = g.actions[at].random, a.random
	}
}

// add numbers the task and its parts, and stores it.
func (s *Service) add(t *task, now time.Time) (obj, *apiError) {
	t.id, t.status, t.created, t.updated = s.ids.task, taskNew, now, now
	s.ids.task++
	for n, g := range t.groups {
		g.id, g.order, g.created, g.updated = s.ids.group, n+1, now, now
		s.ids.group++
		for m, a := range g.actions {
			a.id, a.order, a.status, a.created, a.updated = s.ids.action, m+1, actionNew, now, now
			s.ids.action++
		}
	}
	s.tasks = append(s.tasks, t)
	return obj{"TaskId": t.id}, nil
}
