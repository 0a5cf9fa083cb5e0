package cfg

import (
	"slices"
	"strings"
	"time"
)

// taskList answers DescribeTaskList, newest first.
func (s *Service) taskList(p *params, _ time.Time) (obj, *apiError) {
	limit, offset := p.page()
	match := p.taskFilter()
	if p.err != nil {
		return nil, p.err
	}
	items := []obj{}
	for _, t := range slices.Backward(s.tasks) {
		if t.deleted || !match(t) {
			continue
		}
		items = append(items, obj{"TaskId": t.id, "TaskTitle": t.title, "TaskDescription": t.desc, "TaskTag": "", "TaskStatus": t.status,
			"TaskCreateTime": stamp(t.created), "TaskUpdateTime": stamp(t.updated), "TaskPreCheckStatus": 0, "TaskPreCheckSuccess": false,
			"TaskExpect": orNull(t.expect), "ApplicationId": "", "ApplicationName": "", "VerifyId": nil, "TaskStatusType": t.kind, "ArchId": "",
			"ArchName": "", "TaskSource": 0, "Tags": orEmpty(t.tags)})
	}
	return obj{"TaskList": cutPage(items, limit, offset), "Total": len(items)}, nil
}

// taskFilter reads the conditions of DescribeTaskList; all of them must hold.
func (p *params) taskFilter() func(*task) bool {
	title, status := p.str("TaskTitle"), p.int("TaskStatus")
	statuses, ids, keys := p.ints("TaskStatusList"), p.ints("TaskId"), p.strs("TaskTag")
	tags := readTags(p, "Tags")
	since := map[string]func(*task) time.Time{
		"TaskStartTime":  func(t *task) time.Time { return t.started },
		"TaskUpdateTime": func(t *task) time.Time { return t.updated },
	}
	from := map[string]time.Time{}
	for name := range since {
		if text := p.str(name); text != "" {
			at, err := time.ParseInLocation(time.DateTime, text, beijing())
			if err != nil {
				p.wrong(fail("InvalidParameterValue", "The parameter `%s` is not a time like 2006-01-02 15:04:05.", name))
			}
			from[name] = at
		}
	}
	return func(t *task) bool {
		for name, at := range from {
			if since[name](t).Before(at) {
				return false
			}
		}
		return strings.Contains(t.title, title) && (status == 0 || int(status) == t.status) &&
			(len(statuses) == 0 || slices.Contains(statuses, int64(t.status))) && (len(ids) == 0 || slices.Contains(ids, t.id)) &&
			!slices.ContainsFunc(tags, func(g tag) bool { return !slices.Contains(t.tags, g) }) &&
			!slices.ContainsFunc(keys, func(k string) bool { return !slices.ContainsFunc(t.tags, func(g tag) bool { return g.Key == k }) })
	}
}

// templateList answers DescribeTemplateList.
func (s *Service) templateList(p *params, _ time.Time) (obj, *apiError) {
	limit, offset := p.page()
	title, used, ids := p.str("Title"), p.int("IsUsed"), p.ints("TemplateIdList")
	if p.err != nil {
		return nil, p.err
	}
	items := []obj{}
	for _, t := range s.templates {
		if !strings.Contains(t.title, title) || len(ids) > 0 && !slices.Contains(ids, t.id) || used != 0 && used != t.isUsed() {
			continue
		}
		items = append(items, obj{"TemplateId": t.id, "TemplateTitle": t.title, "TemplateDescription": t.desc, "TemplateTag": "", "TemplateIsUsed": t.isUsed(),
			"TemplateCreateTime": templateTime, "TemplateUpdateTime": templateTime, "TemplateUsedNum": t.used, "TemplateSource": 0})
	}
	return obj{"TemplateList": cutPage(items, limit, offset), "Total": len(items)}, nil
}

func (t *template) isUsed() int64 {
	if t.disabled {
		return 2
	}
	return 1
}

// describeTemplate answers DescribeTemplate.
func (s *Service) describeTemplate(p *params, _ time.Time) (obj, *apiError) {
	p.need("TemplateId")
	t := s.template(p.int("TemplateId"))
	if p.err != nil {
		return nil, p.err
	}
	if t == nil {
		return nil, fail("InvalidParameterValue", "The template %d does not exist.", p.int("TemplateId"))
	}
	groups := []obj{}
	for n, st := range t.stages {
		groups = append(groups, s.stageWire(t.id*100+int64(n), n+1, st))
	}
	var guard any
	if t.deal != 0 {
		guard = obj{"TemplatePolicyIdList": []string{}, "TemplatePolicyRule": t.rule, "TemplatePolicyDealType": t.deal}
	}
	return obj{"Template": obj{
		"TemplateId": t.id, "TemplateTitle": t.title, "TemplateDescription": t.desc, "TemplateTag": "", "TemplateIsUsed": t.isUsed(),
		"TemplateCreateTime": templateTime, "TemplateUpdateTime": templateTime, "TemplateMode": t.mode, "TemplatePauseDuration": t.pause,
		"TemplateOwnerUin": ownerUin, "TemplateRegionId": 1, "TemplateGroups": groups, "TemplateMonitors": []obj{}, "TemplatePolicy": guard,
		"Tags": []tag{}, "TemplateSource": 0, "ApmServiceList": []obj{}, "AlarmPolicy": []string{}, "PolicyDealType": t.deal,
		"TemplateScenario": []obj{}, "TemplatePurpose": []obj{},
	}}, nil
}

func (s *Service) stageWire(id int64, order int, st stage) obj {
	actions := []obj{}
	for m, p := range st.steps {
		sp := s.spec(p.action)
		actions = append(actions, obj{"TemplateGroupActionId": id*100 + int64(m), "ActionId": p.action, "Order": m + 1, "GeneralConfiguration": p.general,
			"CustomConfiguration": p.custom, "CreateTime": templateTime, "UpdateTime": templateTime, "ActionTitle": sp.name, "RandomId": p.random,
			"RecoverId": orNull(p.recover), "ExecuteId": orNull(p.execute), "ActionApiType": sp.apiType, "ActionAttribute": sp.attribute,
			"ActionType": "Platform", "ActionRisk": sp.risk, "FailurePerformance": sp.desc})
	}
	return obj{"TemplateGroupId": id, "TemplateGroupActions": actions, "Title": st.title, "Description": st.desc, "Order": order, "Mode": st.mode,
		"ObjectTypeId": st.objectType, "CreateTime": templateTime, "UpdateTime": templateTime}
}

// fieldConfigs answers DescribeActionFieldConfigList.
func (s *Service) fieldConfigs(p *params, _ time.Time) (obj, *apiError) {
	p.need("ActionIds", "ObjectTypeId")
	ids, object := p.ints("ActionIds"), p.int("ObjectTypeId")
	if p.err != nil {
		return nil, p.err
	}
	common, custom, offline := []obj{}, []obj{}, []obj{}
	for _, id := range ids {
		sp := s.spec(id)
		if sp == nil || sp.objectType != object {
			return nil, fail("InvalidParameterValue", "The action %d does not exist for the object type %d.", id, object)
		}
		common = append(common, sp.fieldsWire(generalFields()))
		custom = append(custom, sp.fieldsWire(sp.fields))
		if sp.retires != "" {
			offline = append(offline, obj{"ResourceId": id, "ResourceDeleteTime": sp.retires, "ResourceDeleteMessage": "The action will be withdrawn."})
		}
	}
	return obj{"Common": common, "Results": custom, "ResourceOffline": offline}, nil
}

func (sp *spec) fieldsWire(fields []field) obj {
	detail := []obj{}
	for _, f := range fields {
		detail = append(detail, f.wire())
	}
	return obj{"ActionId": sp.id, "ActionName": sp.name, "ConfigDetail": detail}
}

// actionLibrary answers DescribeActionLibraryList.
func (s *Service) actionLibrary(p *params, _ time.Time) (obj, *apiError) {
	limit, offset := p.page()
	p.need("ObjectType")
	object, attributes, ids := p.int("ObjectType"), p.ints("Attribute"), p.ints("ActionIds")
	title := ""
	for _, f := range p.objects("Filters") {
		if values := f.strs("Values"); f.str("Keyword") == "a_title" && len(values) > 0 {
			title = values[0]
		}
		p.adopt(f)
	}
	if p.err != nil {
		return nil, p.err
	}
	items := []obj{}
	for _, sp := range s.library {
		if sp.objectType != object || len(ids) > 0 && !slices.Contains(ids, sp.id) || !strings.Contains(sp.name, title) ||
			len(attributes) > 0 && !slices.Contains(attributes, int64(sp.attribute)) {
			continue
		}
		items = append(items, obj{"ActionName": sp.name, "Desc": sp.desc, "ActionType": "Platform", "CreateTime": templateTime, "Creator": "CFG",
			"UpdateTime": templateTime, "RiskDesc": sp.risk, "ActionId": sp.id, "AttributeId": sp.attribute, "RelationActionId": sp.partner,
			"ActionCommand": "", "ActionCommandType": sp.apiType, "ActionContent": "", "ResourceType": "", "ActionDetail": sp.desc, "IsAllowed": !sp.barred,
			"ActionBestCase": "", "ObjectType": objectNames()[sp.objectType], "MetricIdList": []int{}, "IsNewAction": false, "ObjectTypeId": sp.objectType})
	}
	return obj{"Results": cutPage(items, limit, offset), "Total": len(items)}, nil
}

// objectTypes answers DescribeObjectTypeList.
func (s *Service) objectTypes(p *params, _ time.Time) (obj, *apiError) {
	if n := p.int("SupportType"); p.err == nil && (n < 0 || n > 2) {
		p.wrong(fail("InvalidParameterValue", "SupportType must be 0, 1 or 2."))
	}
	if p.err != nil {
		return nil, p.err
	}
	list := []obj{}
	for _, o := range []struct {
		id           int64
		level, field string
		layer        int
	}{{1, "Compute", "InstanceId", 2}, {2, "Database", "InstanceId", 3}} {
		list = append(list, obj{"ObjectTypeId": o.id, "ObjectTypeTitle": objectNames()[o.id], "ObjectTypeLevelOne": o.level,
			"ObjectTypeParams":    obj{"Key": o.field, "Fields": []obj{{"Key": o.field, "Header": "ID", "Transfer": nil, "JsonParse": nil}}},
			"ObjectTypeJsonParse": nil, "ObjectHasNewAction": false, "ObjectPlatformName": objectNames()[o.id], "ObjectSupportType": 1,
			"ArchLayer": o.layer, "IsArchSvg": false})
	}
	return obj{"ObjectTypeList": list}, nil
}
