package cfg

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/provider/internal/lenient"
)

// The types of the fields of replies. They take any JSON value: the vendor's samples print some integers as strings, any field
// may be null, and one that is not as documented hides nothing of the others. What cannot be read is the zero value, which no
// status has. The lists of groups, actions and instances are strict: a reading without one of them must not pass for the whole.
type (
	Num  = lenient.Number
	Text = lenient.Text
	Flag = lenient.Flag
)

// Link names an action by its RandomId: 0 is none, and -1 one that cannot be read.
type Link int64

// UnmarshalJSON accepts any JSON value.
func (l *Link) UnmarshalJSON(b []byte) error {
	var n Num
	err := n.UnmarshalJSON(b)
	if *l = Link(n); n == 0 && !slices.Contains([]string{"", "0", "null"}, strings.Trim(string(b), `" `)) {
		*l = -1
	}
	return err
}

// Tag is a resource tag.
type Tag struct {
	TagKey   Text
	TagValue Text
}

// Task is one experiment, https://www.tencentcloud.com/document/product/1235/64610. Any field may be absent.
type Task struct {
	TaskId              Num
	TaskTitle           Text
	TaskDescription     Text
	TaskTag             Text
	TaskStatus          Num // 1001 not started, 1002 executing, 1003 paused, 1004 ended
	TaskStatusType      Num // 0 not ended, 1 success, 2 failed, 3 terminated; not derived from the actions
	TaskProtectStrategy Text
	TaskCreateTime      Text
	TaskUpdateTime      Text
	TaskStartTime       Text
	TaskEndTime         Text
	TaskExpect          Num // 1 as expected, 2 not
	TaskSummary         Text
	TaskIssue           Text
	TaskMode            Num // 1 manual, 2 automatic
	TaskPauseDuration   Num // minutes
	TaskOwnerUin        Text
	TaskRegionId        Num
	TaskRegionName      Text
	TaskPlanId          Num
	TaskPlanTitle       Text
	TaskPlanStartTime   Text
	TaskPlanEndTime     Text
	TaskGroups          []TaskGroup
	TaskMonitors        lenient.List[TaskMonitor]
	TaskPolicy          *TaskPolicy
	PolicyDealType      Num // 1 sequential rollback, 2 pause
	AlarmPolicy         lenient.List[Text]
	Tags                lenient.List[Tag]
	ApplicationId       Text
	ApplicationName     Text
	ApmServiceList      json.RawMessage
	VerifyId            Num
	TaskOrg             lenient.List[TaskOrg]
	TaskArchId          Text
	TaskScenario        json.RawMessage
	TaskPurpose         json.RawMessage
}

// TaskOrg is a person's part in a task.
type TaskOrg struct{ TaskRole, TaskOperator Text }

// TaskMonitor is a metric that the console shows beside a task.
type TaskMonitor struct {
	TaskMonitorId           Num
	MetricId                Num
	TaskMonitorObjectTypeId Num
	MetricName              Text
	MetricChineseName       Text
	InstancesIds            lenient.List[Text]
	Unit                    Text
}

// TaskPolicy is a task's guardrail.
type TaskPolicy struct {
	TaskPolicyIdList   lenient.List[Text]
	TaskPolicyStatus   Text // 未触发 not triggered, 已触发 triggered, 已恢复 recovered
	TaskPolicyRule     Text
	TaskPolicyDealType Num
}

// UnmarshalJSON accepts any JSON value; what is no object reads as an empty one.
func (p *TaskPolicy) UnmarshalJSON(b []byte) error {
	type plain TaskPolicy
	var v plain
	_ = json.Unmarshal(b, &v)
	*p = TaskPolicy(v)
	return nil
}

// TaskGroup is an action group of a task.
type TaskGroup struct {
	TaskGroupId                   Num
	TaskGroupTitle                Text
	TaskGroupDescription          Text
	TaskGroupOrder                Num
	TaskGroupMode                 Num
	ObjectTypeId                  Num
	TaskGroupCreateTime           Text
	TaskGroupUpdateTime           Text
	TaskGroupActions              []TaskGroupAction
	TaskGroupInstanceList         lenient.List[Text]
	TaskGroupSelectedInstanceList lenient.List[Text]
	TaskGroupDiscardInstanceList  lenient.List[Text]
	TaskGroupInstancesExecuteRule lenient.List[ExecuteRule]
}

// ExecuteRule says which instances of a group are executed: 1 all, 2 a percentage, 3 a number.
type ExecuteRule struct {
	TaskGroupInstancesExecuteMode    Num
	TaskGroupInstancesExecutePercent Num
	TaskGroupInstancesExecuteNum     Num
}

// TaskGroupAction is one action of a task's group.
type TaskGroupAction struct {
	TaskGroupActionId                   Num // pass as TaskActionId to ExecuteTaskInstance
	ActionId                            Num
	ActionTitle                         Text
	ActionApiType                       Num
	ActionAttribute                     Num // 1 fault, 2 recovery
	ActionType                          Text
	ActionRisk                          Text
	TaskGroupActionOrder                Num
	TaskGroupActionGeneralConfiguration Text
	TaskGroupActionCustomConfiguration  Text
	TaskGroupActionStatus               Num // 2001 not started, 2002 waiting, 2003 executing, 2004 ended
	TaskGroupActionStatusType           Num // 1 success, 2 failed, 3 terminated, 4 skipped
	TaskGroupActionRandomId             Link
	TaskGroupActionRecoverId            Link // RandomId of the recovery of this fault
	TaskGroupActionExecuteId            Link // RandomId of the fault that this recovery undoes
	TaskGroupActionCreateTime           Text
	TaskGroupActionUpdateTime           Text
	TaskGroupActionStartTime            Text
	TaskGroupActionExecuteTime          Num // seconds
	IsExecuteRedo                       Flag
	TaskGroupInstances                  []TaskGroupInstance
}

// TaskGroupInstance is one instance of an action. Rows exist only after ExecuteTask.
type TaskGroupInstance struct {
	TaskGroupInstanceId          Num
	TaskGroupInstanceObjectId    Text
	TaskGroupInstanceStatus      Num // 3001 not started, 3002 executing, 3003 ended, 3004 preparing
	TaskGroupInstanceStatusType  Num
	TaskGroupInstanceExecuteLog  Text
	TaskGroupInstanceStartTime   Text
	TaskGroupInstanceEndTime     Text
	TaskGroupInstanceCreateTime  Text
	TaskGroupInstanceUpdateTime  Text
	TaskGroupInstanceIsRedo      Flag
	TaskGroupInstanceExecuteTime Num
}

// ReportInfo is the state of a task's exported report; nil means that nobody exported one.
type ReportInfo struct {
	Stage          Num // 0 none, 1 exporting, 2 done, 3 failed
	CreateTime     Text
	ExpirationTime Text
	Expired        Flag
	CosUrl         Text
	Log            Text
	ArchiveStage   Num
	ArchiveTime    Text
	ArchiveUuid    Text
}

// UnmarshalJSON accepts any JSON value; what is no object reads as an empty one.
func (r *ReportInfo) UnmarshalJSON(b []byte) error {
	type plain ReportInfo
	var v plain
	_ = json.Unmarshal(b, &v)
	*r = ReportInfo(v)
	return nil
}

// TaskListItem is one line of DescribeTaskList.
type TaskListItem struct {
	TaskId              Num
	TaskTitle           Text
	TaskDescription     Text
	TaskTag             Text
	TaskStatus          Num
	TaskStatusType      Num
	TaskCreateTime      Text
	TaskUpdateTime      Text
	TaskPreCheckStatus  Num
	TaskPreCheckSuccess Flag
	TaskExpect          Num
	TaskSource          Num
	ApplicationId       Text
	ApplicationName     Text
	VerifyId            Num
	ArchId              Text
	ArchName            Text
	Tags                lenient.List[Tag]
}

// FieldConfig lists the parameters of an action.
type FieldConfig struct {
	ActionId     Num
	ActionName   Text
	ConfigDetail []FieldDetail
}

// FieldDetail is one parameter; Lable is the vendor's spelling. Config, Validate and Visible hold JSON.
type FieldDetail struct {
	Type         Text
	Lable        Text
	Field        Text
	DefaultValue Text
	Config       Text
	Required     Num
	Validate     Text
	Visible      Text
}

// ResourceOffline announces that an action is withdrawn.
type ResourceOffline struct {
	ResourceId            Num
	ResourceDeleteTime    Text
	ResourceDeleteMessage Text
}

// LibraryAction is one action of the action library.
type LibraryAction struct {
	ActionId          Num
	ActionName        Text
	Desc              Text
	ActionType        Text
	AttributeId       Num // 1 fault, 2 recovery
	RelationActionId  Num // the recovery partner, 0 for none
	ActionCommand     Text
	ActionCommandType Num
	ActionContent     Text
	ActionDetail      Text
	RiskDesc          Text
	ResourceType      Text
	ObjectType        Text
	ObjectTypeId      Num
	MetricIdList      lenient.List[Num]
	IsAllowed         *Flag
	IsNewAction       Flag
	ActionBestCase    Text
	Creator           Text
	CreateTime        Text
	UpdateTime        Text
}

// ObjectType is a kind of resource that CFG can act on.
type ObjectType struct {
	ObjectTypeId        Num
	ObjectTypeTitle     Text
	ObjectTypeLevelOne  Text
	ObjectTypeParams    json.RawMessage
	ObjectTypeJsonParse json.RawMessage
	ObjectHasNewAction  Flag
	ObjectPlatformName  Text
	ObjectSupportType   Num
	ArchLayer           Num
	IsArchSvg           Flag
}

// Template is what tasks are made from.
type Template struct {
	TemplateId            Num
	TemplateTitle         Text
	TemplateDescription   Text
	TemplateTag           Text
	TemplateIsUsed        Num // 1 in use, 2 disabled
	TemplateCreateTime    Text
	TemplateUpdateTime    Text
	TemplateMode          Num
	TemplatePauseDuration Num
	TemplateOwnerUin      Text
	TemplateRegionId      Num
	TemplateGroups        []TemplateGroup
	TemplateMonitors      json.RawMessage
	TemplatePolicy        *TemplatePolicy
	Tags                  lenient.List[Tag]
	TemplateSource        Num
	ApmServiceList        json.RawMessage
	AlarmPolicy           lenient.List[Text]
	PolicyDealType        Num
	TemplateScenario      json.RawMessage
	TemplatePurpose       json.RawMessage
}

// TemplatePolicy is a template's guardrail.
type TemplatePolicy struct {
	TemplatePolicyIdList   lenient.List[Text]
	TemplatePolicyRule     Text
	TemplatePolicyDealType Num
}

// UnmarshalJSON accepts any JSON value; what is no object reads as an empty one.
func (p *TemplatePolicy) UnmarshalJSON(b []byte) error {
	type plain TemplatePolicy
	var v plain
	_ = json.Unmarshal(b, &v)
	*p = TemplatePolicy(v)
	return nil
}

// TemplateGroup is an action group of a template.
type TemplateGroup struct {
	TemplateGroupId      Num
	TemplateGroupActions []TemplateAction
	Title                Text
	Description          Text
	Order                Num
	Mode                 Num
	ObjectTypeId         Num
	CreateTime           Text
	UpdateTime           Text
}

// TemplateAction is one action of a template's group.
type TemplateAction struct {
	TemplateGroupActionId Num
	ActionId              Num
	ActionTitle           Text
	Order                 Num
	GeneralConfiguration  Text
	CustomConfiguration   Text
	RandomId              Link
	RecoverId             Link
	ExecuteId             Link
	ActionApiType         Num
	ActionAttribute       Num
	ActionType            Text
	ActionRisk            Text
	FailurePerformance    Text
	CreateTime            Text
	UpdateTime            Text
}

// TemplateListItem is one line of DescribeTemplateList.
type TemplateListItem struct {
	TemplateId          Num
	TemplateTitle       Text
	TemplateDescription Text
	TemplateTag         Text
	TemplateIsUsed      Num
	TemplateCreateTime  Text
	TemplateUpdateTime  Text
	TemplateUsedNum     Num
	TemplateSource      Num
}

// TriggerLog is one triggering of a guardrail; CreatTime is the vendor's spelling.
type TriggerLog struct {
	TaskId      Num
	Name        Text
	TriggerType Num // 0 trigger, 1 recover
	Content     Text
	CreatTime   Text
}
