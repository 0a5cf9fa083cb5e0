package cfg

import (
	"slices"
	"time"
)

// describeTask answers DescribeTask.
func (s *Service) describeTask(p *params, _ time.Time) (obj, *apiError) {
	t, err := s.wanted(p, "ResourceNotFound")
	if err != nil {
		return nil, err
	}
	return obj{"Task": t.wire(), "ReportInfo": nil}, nil
}

func (t *task) wire() obj {
	groups := []obj{}
	for _, g := range t.groups {
		groups = append(groups, g.wire())
	}
	return obj{
		"TaskId": t.id, "TaskTitle": t.title, "TaskDescription": t.desc, "TaskTag": "", "TaskStatus": t.status, "TaskStatusType": t.kind,
		"TaskProtectStrategy": nil, "TaskCreateTime": stamp(t.created), "TaskUpdateTime": stamp(t.updated), "TaskStartTime": stamp(t.started),
		"TaskEndTime": stamp(t.ended), "TaskExpect": orNull(t.expect), "TaskSummary": orNull(t.summary), "TaskMode": t.mode, "TaskRegionId": 1,
		"TaskRegionName": "ap-guangzhou", "TaskPauseDuration": t.pause, "TaskOwnerUin": ownerUin, "TaskPlanId": nil, "TaskPlanTitle": nil,
		"TaskPlanStartTime": nil, "TaskPlanEndTime": nil, "ApplicationId": nil, "ApplicationName": "", "AlarmPolicy": []string{}, "ApmServiceList": []obj{},
		"VerifyId": nil, "PolicyDealType": t.deal, "TaskOrg": nil, "TaskIssue": orNull(t.issue), "TaskArchId": "", "TaskScenario": []obj{}, "TaskPurpose": []obj{},
		"TaskGroups": groups, "TaskMonitors": []obj{}, "TaskPolicy": t.policy.wire(), "Tags": orEmpty(t.tags),
	}
}

func (p *policy) wire() any {
	if p == nil {
		return nil
	}
	return obj{"TaskPolicyIdList": []string{}, "TaskPolicyStatus": p.status, "TaskPolicyRule": p.rule, "TaskPolicyDealType": p.deal}
}

func (g *group) wire() obj {
	actions := []obj{}
	for _, a := range g.actions {
		actions = append(actions, a.wire())
	}
	return obj{
		"TaskGroupActions": actions, "TaskGroupId": g.id, "TaskGroupTitle": g.title, "TaskGroupDescription": g.desc, "TaskGroupOrder": g.order,
		"TaskGroupMode": g.mode, "TaskGroupInstanceList": g.objects, "ObjectTypeId": g.objectType, "TaskGroupCreateTime": stamp(g.created),
		"TaskGroupUpdateTime": stamp(g.updated), "TaskGroupInstancesExecuteRule": []obj{{"TaskGroupInstancesExecuteMode": 1}},
		"TaskGroupSelectedInstanceList": g.objects, "TaskGroupDiscardInstanceList": []string{},
	}
}

func (a *action) wire() obj {
	instances := []obj{}
	for _, i := range a.instances {
		instances = append(instances, i.wire(a.redo()))
	}
	var took any
	if !a.ended.IsZero() {
		took = int(a.ended.Sub(a.started) / time.Second)
	}
	return obj{
		"TaskGroupInstances": instances, "TaskGroupActionId": a.id, "ActionId": a.spec.id, "ActionTitle": a.spec.name, "ActionApiType": a.spec.apiType,
		"ActionType": "Platform", "ActionRisk": a.spec.risk, "ActionAttribute": a.spec.attribute, "TaskGroupActionOrder": a.order,
		"TaskGroupActionGeneralConfiguration": a.general, "TaskGroupActionCustomConfiguration": a.custom, "TaskGroupActionStatus": a.status,
		"TaskGroupActionStatusType": a.kind, "TaskGroupActionRandomId": a.random, "TaskGroupActionRecoverId": orNull(a.recover),
		"TaskGroupActionExecuteId": orNull(a.execute), "TaskGroupActionCreateTime": stamp(a.created), "TaskGroupActionUpdateTime": stamp(a.updated),
		"IsExecuteRedo": a.redo(), "TaskGroupActionExecuteTime": took, "TaskGroupActionStartTime": stamp(a.started),
	}
}

func (i *instance) wire(redo bool) obj {
	var took any
	if !i.ended.IsZero() && !i.started.IsZero() {
		took = int(i.ended.Sub(i.started) / time.Second)
	}
	return obj{
		"TaskGroupInstanceId": i.id, "TaskGroupInstanceObjectId": i.object, "TaskGroupInstanceStatus": i.status, "TaskGroupInstanceStatusType": i.kind,
		"TaskGroupInstanceExecuteLog": nil, "TaskGroupInstanceStartTime": stamp(i.started), "TaskGroupInstanceEndTime": stamp(i.ended),
		"TaskGroupInstanceCreateTime": stamp(i.created), "TaskGroupInstanceUpdateTime": stamp(i.updated),
		"TaskGroupInstanceIsRedo": redo && i.kind == typeFailed, "TaskGroupInstanceExecuteTime": took,
	}
}

func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// page reads Limit and Offset.
func (p *params) page() (limit, offset int) {
	p.need("Limit", "Offset")
	limit, offset = int(p.int("Limit")), int(p.int("Offset"))
	if p.err == nil && (limit < 0 || limit > 100 || offset < 0) {
		p.wrong(fail("InvalidParameterValue", "Limit must lie between 0 and 100, and Offset must not be negative."))
	}
	return limit, offset
}

func cutPage[T any](l []T, limit, offset int) []T {
	from := max(min(offset, len(l)), 0)
	return orEmpty(l[from : from+max(min(limit, len(l)-from), 0)])
}

// executeLogs answers DescribeTaskExecuteLogs.
func (s *Service) executeLogs(p *params, _ time.Time) (obj, *apiError) {
	p.need("Limit", "Offset")
	t, err := s.wanted(p, "InvalidParameterValue")
	if err != nil {
		return nil, err
	}
	limit, offset := int(p.int("Limit")), int(p.int("Offset"))
	if p.err == nil && (limit < 0 || offset < 0) {
		p.wrong(fail("InvalidParameterValue", "Limit and Offset must not be negative."))
	}
	return obj{"LogMessage": cutPage(t.logs, limit, offset)}, p.err
}

// triggerLog answers DescribeTaskPolicyTriggerLog, newest first.
func (s *Service) triggerLog(p *params, _ time.Time) (obj, *apiError) {
	p.need("Page", "PageSize")
	t, err := s.wanted(p, "InvalidParameterValue")
	if err != nil {
		return nil, err
	}
	page, size := int(p.int("Page")), int(p.int("PageSize"))
	if p.err == nil && (page < 1 || page > 1<<20 || size < 1 || size > 100) {
		p.wrong(fail("InvalidParameterValue", "Page starts at 1 and PageSize lies between 1 and 100."))
	}
	if p.err != nil {
		return nil, p.err
	}
	logs := []obj{}
	for _, l := range slices.Backward(t.triggers) {
		logs = append(logs, obj{"TaskId": t.id, "Name": l.name, "TriggerType": l.kind, "Content": l.content, "CreatTime": stamp(l.at)})
	}
	return obj{"TriggerLogs": cutPage(logs, size, (page-1)*size)}, nil
}
