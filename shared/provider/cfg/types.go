package cfg

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Num is an integer of a reply. The vendor's samples print some of them as strings, and any of them may be null.
type Num int64

// UnmarshalJSON accepts 12, "12", 12.0, "" and null.
func (n *Num) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `" `)
	if text == "" || text == "null" {
		*n = 0
		return nil
	}
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = Num(v)
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return fmt.Errorf("%q is not an integer", text)
	}
	*n = Num(v)
	return nil
}

// String is the number in decimal.
func (n Num) String() string { return strconv.FormatInt(int64(n), 10) }

// Tag is a resource tag.
type Tag struct {
	TagKey   string
	TagValue string
}

// Task is one experiment, https://www.tencentcloud.com/document/product/1235/64610. Any field may be absent.
type Task struct {
	TaskId              Num
	TaskTitle           string
	TaskDescription     string
	TaskTag             string
	TaskStatus          Num // 1001 not started, 1002 executing, 1003 paused, 1004 ended
	TaskStatusType      Num // 0 not ended, 1 success, 2 failed, 3 terminated; not derived from the actions
	TaskProtectStrategy string
	TaskCreateTime      string
	TaskUpdateTime      string
	TaskStartTime       string
	TaskEndTime         string
	TaskExpect          Num // 1 as expected, 2 not
	TaskSummary         string
	TaskIssue           string
	TaskMode            Num // 1 manual, 2 automatic
	TaskPauseDuration   Num // minutes
	TaskOwnerUin        string
	TaskRegionId        Num
	TaskRegionName      string
	TaskPlanId          Num
	TaskPlanTitle       string
	TaskPlanStartTime   string
	TaskPlanEndTime     string
	TaskGroups          []TaskGroup
	TaskMonitors        []TaskMonitor
	TaskPolicy          *TaskPolicy
	PolicyDealType      Num // 1 sequential rollback, 2 pause
	AlarmPolicy         []string
	Tags                []Tag
	ApplicationId       string
	ApplicationName     string
	ApmServiceList      []json.RawMessage
	VerifyId            Num
	TaskOrg             []TaskOrg
	TaskArchId          string
	TaskScenario        []json.RawMessage
	TaskPurpose         []json.RawMessage
}

// TaskOrg is a person's part in a task.
type TaskOrg struct{ TaskRole, TaskOperator string }

// TaskMonitor is a metric that the console shows beside a task.
type TaskMonitor struct {
	TaskMonitorId           Num
	MetricId                Num
	TaskMonitorObjectTypeId Num
	MetricName              string
	MetricChineseName       string
	InstancesIds            []string
	Unit                    string
}

// TaskPolicy is a task's guardrail.
type TaskPolicy struct {
	TaskPolicyIdList   []string
	TaskPolicyStatus   string // 未触发 not triggered, 已触发 triggered, 已恢复 recovered
	TaskPolicyRule     string
	TaskPolicyDealType Num
}

// TaskGroup is an action group of a task.
type TaskGroup struct {
	TaskGroupId                   Num
	TaskGroupTitle                string
	TaskGroupDescription          string
	TaskGroupOrder                Num
	TaskGroupMode                 Num
	ObjectTypeId                  Num
	TaskGroupCreateTime           string
	TaskGroupUpdateTime           string
	TaskGroupActions              []TaskGroupAction
	TaskGroupInstanceList         []string
	TaskGroupSelectedInstanceList []string
	TaskGroupDiscardInstanceList  []string
	TaskGroupInstancesExecuteRule []ExecuteRule
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
	ActionTitle                         string
	ActionApiType                       Num
	ActionAttribute                     Num // 1 fault, 2 recovery
	ActionType                          string
	ActionRisk                          string
	TaskGroupActionOrder                Num
	TaskGroupActionGeneralConfiguration string
	TaskGroupActionCustomConfiguration  string
	TaskGroupActionStatus               Num // 2001 not started, 2002 waiting, 2003 executing, 2004 ended
	TaskGroupActionStatusType           Num // 1 success, 2 failed, 3 terminated, 4 skipped
	TaskGroupActionRandomId             Num
	TaskGroupActionRecoverId            Num // RandomId of the recovery of this fault
	TaskGroupActionExecuteId            Num // RandomId of the fault that this recovery undoes
	TaskGroupActionCreateTime           string
	TaskGroupActionUpdateTime           string
	TaskGroupActionStartTime            string
	TaskGroupActionExecuteTime          Num // seconds
	IsExecuteRedo                       bool
	TaskGroupInstances                  []TaskGroupInstance
}

// TaskGroupInstance is one instance of an action. Rows exist only after ExecuteTask.
type TaskGroupInstance struct {
	TaskGroupInstanceId          Num
	TaskGroupInstanceObjectId    string
	TaskGroupInstanceStatus      Num // 3001 not started, 3002 executing, 3003 ended, 3004 preparing
	TaskGroupInstanceStatusType  Num
	TaskGroupInstanceExecuteLog  string
	TaskGroupInstanceStartTime   string
	TaskGroupInstanceEndTime     string
	TaskGroupInstanceCreateTime  string
	TaskGroupInstanceUpdateTime  string
	TaskGroupInstanceIsRedo      bool
	TaskGroupInstanceExecuteTime Num
}

// ReportInfo is the state of a task's exported report; nil means that nobody exported one.
type ReportInfo struct {
	Stage          Num // 0 none, 1 exporting, 2 done, 3 failed
	CreateTime     string
	ExpirationTime string
	Expired        bool
	CosUrl         string
	Log            string
	ArchiveStage   Num
	ArchiveTime    string
	ArchiveUuid    string
}

// TaskListItem is one line of DescribeTaskList.
type TaskListItem struct {
	TaskId              Num
	TaskTitle           string
	TaskDescription     string
	TaskTag             string
	TaskStatus          Num
	TaskStatusType      Num
	TaskCreateTime      string
	TaskUpdateTime      string
	TaskPreCheckStatus  Num
	TaskPreCheckSuccess bool
	TaskExpect          Num
	TaskSource          Num
	ApplicationId       string
	ApplicationName     string
	VerifyId            Num
	ArchId              string
	ArchName            string
	Tags                []Tag
}

// FieldConfig lists the parameters of an action.
type FieldConfig struct {
	ActionId     Num
	ActionName   string
	ConfigDetail []FieldDetail
}

// FieldDetail is one parameter; Lable is the vendor's spelling. Config, Validate and Visible hold JSON.
type FieldDetail struct {
	Type         string
	Lable        string
	Field        string
	DefaultValue string
	Config       string
	Required     Num
	Validate     string
	Visible      string
}

// ResourceOffline announces that an action is withdrawn.
type ResourceOffline struct {
	ResourceId            Num
	ResourceDeleteTime    string
	ResourceDeleteMessage string
}

// LibraryAction is one action of the action library.
type LibraryAction struct {
	ActionId          Num
	ActionName        string
	Desc              string
	ActionType        string
	AttributeId       Num // 1 fault, 2 recovery
	RelationActionId  Num // the recovery partner, 0 for none
	ActionCommand     string
	ActionCommandType Num
	ActionContent     string
	ActionDetail      string
	RiskDesc          string
	ResourceType      string
	ObjectType        string
	ObjectTypeId      Num
	MetricIdList      []Num
	IsAllowed         *bool
	IsNewAction       bool
	ActionBestCase    string
	Creator           string
	CreateTime        string
	UpdateTime        string
}

// ObjectType is a kind of resource that CFG can act on.
type ObjectType struct {
	ObjectTypeId        Num
	ObjectTypeTitle     string
	ObjectTypeLevelOne  string
	ObjectTypeParams    json.RawMessage
	ObjectTypeJsonParse json.RawMessage
	ObjectHasNewAction  bool
	ObjectPlatformName  string
	ObjectSupportType   Num
	ArchLayer           Num
	IsArchSvg           bool
}

// Template is what tasks are made from.
type Template struct {
	TemplateId            Num
	TemplateTitle         string
	TemplateDescription   string
	TemplateTag           string
	TemplateIsUsed        Num // 1 in use, 2 disabled
	TemplateCreateTime    string
	TemplateUpdateTime    string
	TemplateMode          Num
	TemplatePauseDuration Num
	TemplateOwnerUin      string
	TemplateRegionId      Num
	TemplateGroups        []TemplateGroup
	TemplateMonitors      []json.RawMessage
	TemplatePolicy        *TemplatePolicy
	Tags                  []Tag
	TemplateSource        Num
	ApmServiceList        []json.RawMessage
	AlarmPolicy           []string
	PolicyDealType        Num
	TemplateScenario      []json.RawMessage
	TemplatePurpose       []json.RawMessage
}

// TemplatePolicy is a template's guardrail.
type TemplatePolicy struct {
	TemplatePolicyIdList   []string
	TemplatePolicyRule     string
	TemplatePolicyDealType Num
}

// TemplateGroup is an action group of a template.
type TemplateGroup struct {
	TemplateGroupId      Num
	TemplateGroupActions []TemplateAction
	Title                string
	Description          string
	Order                Num
	Mode                 Num
	ObjectTypeId         Num
	CreateTime           string
	UpdateTime           string
}

// TemplateAction is one action of a template's group.
type TemplateAction struct {
	TemplateGroupActionId Num
	ActionId              Num
	ActionTitle           string
	Order                 Num
	GeneralConfiguration  string
	CustomConfiguration   string
	RandomId              Num
	RecoverId             Num
	ExecuteId             Num
	ActionApiType         Num
	ActionAttribute       Num
	ActionType            string
	ActionRisk            string
	FailurePerformance    string
	CreateTime            string
	UpdateTime            string
}

// TemplateListItem is one line of DescribeTemplateList.
type TemplateListItem struct {
	TemplateId          Num
	TemplateTitle       string
	TemplateDescription string
	TemplateTag         string
	TemplateIsUsed      Num
	TemplateCreateTime  string
	TemplateUpdateTime  string
	TemplateUsedNum     Num
	TemplateSource      Num
}

// TriggerLog is one triggering of a guardrail; CreatTime is the vendor's spelling.
type TriggerLog struct {
	TaskId      Num
	Name        string
	TriggerType Num // 0 trigger, 1 recover
	Content     string
	CreatTime   string
}
