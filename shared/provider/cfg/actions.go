package cfg

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/firedrill/firedrill/shared/provider/internal/lenient"
)

// ActionConfig changes the configuration of one action of a template's group. The configurations are JSON objects.
type ActionConfig struct {
	TaskGroupActionOrder                int64  `json:"TaskGroupActionOrder"` // from 1; a wrong one is silently not matched
	TaskGroupActionGeneralConfiguration string `json:",omitempty"`
	TaskGroupActionCustomConfiguration  string `json:",omitempty"`
}

// GroupConfig chooses the instances of one action group, in the template's order.
type GroupConfig struct {
	TaskGroupInstances     []string
	TaskGroupTitle         string         `json:",omitempty"`
	TaskGroupDescription   string         `json:",omitempty"`
	TaskGroupMode          int64          `json:",omitempty"`
	TaskGroupActionsConfig []ActionConfig `json:",omitempty"`
	Extra                  map[string]any `json:"-"` // sent as it is, beside the fields above
}

// MarshalJSON adds Extra.
func (g GroupConfig) MarshalJSON() ([]byte, error) {
	type plain GroupConfig
	return merge(plain(g), g.Extra)
}

// TaskConfig is what CreateTaskFromTemplate changes of its template; what is left out is the template's.
type TaskConfig struct {
	TaskTitle         string `json:",omitempty"`
	TaskDescription   string `json:",omitempty"`
	TaskGroupsConfig  []GroupConfig
	TaskMode          int64          `json:",omitempty"`
	TaskPauseDuration int64          `json:",omitempty"` // minutes
	Tags              []Tag          `json:",omitempty"`
	PolicyDealType    int64          `json:",omitempty"`
	Extra             map[string]any `json:"-"`
}

// MarshalJSON adds Extra.
func (t TaskConfig) MarshalJSON() ([]byte, error) {
	type plain TaskConfig
	return merge(plain(t), t.Extra)
}

// FromTemplate is the request of CreateTaskFromTemplate.
type FromTemplate struct {
	TemplateId int64
	TaskConfig TaskConfig
}

// FromAction is the request of CreateTaskFromAction.
type FromAction struct {
	TaskActionId                   int64 // an action of the library
	TaskInstances                  []string
	TaskTitle                      string         `json:",omitempty"`
	TaskDescription                string         `json:",omitempty"`
	TaskActionGeneralConfiguration string         `json:",omitempty"`
	TaskActionCustomConfiguration  string         `json:",omitempty"`
	TaskPauseDuration              int64          `json:",omitempty"`
	TaskTags                       []Tag          `json:",omitempty"`
	Extra                          map[string]any `json:"-"`
}

// MarshalJSON adds Extra.
func (f FromAction) MarshalJSON() ([]byte, error) {
	type plain FromAction
	return merge(plain(f), f.Extra)
}

// MultiAction is one action of CreateTaskFromMultiAction.
type MultiAction struct {
	TaskActionId                   int64
	TaskActionGeneralConfiguration string `json:",omitempty"`
	TaskActionCustomConfiguration  string `json:",omitempty"`
}

// FromMultiAction is the request of CreateTaskFromMultiAction, which takes no tags.
type FromMultiAction struct {
	TaskInstances     []string
	TaskTitle         string         `json:",omitempty"`
	TaskDescription   string         `json:",omitempty"`
	TaskPauseDuration int64          `json:",omitempty"`
	TaskAction        []MultiAction  `json:",omitempty"`
	Extra             map[string]any `json:"-"`
}

// MarshalJSON adds Extra.
func (f FromMultiAction) MarshalJSON() ([]byte, error) {
	type plain FromMultiAction
	return merge(plain(f), f.Extra)
}

// merge lays the plain fields over extra ones: a field of ours is never replaced.
func merge(plain any, extra map[string]any) ([]byte, error) {
	b, err := json.Marshal(plain)
	if err != nil || len(extra) == 0 {
		return b, err
	}
	all := maps.Clone(extra)
	ours := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &ours); err != nil {
		return nil, err
	}
	for k, v := range ours {
		all[k] = v
	}
	return json.Marshal(all)
}

type taskRef struct{ TaskId int64 }

// CreateTaskFromTemplate makes a task that injects nothing until ExecuteTask. Limit 10 a second.
// https://www.tencentcloud.com/document/product/1235/64605
func (c *Client) CreateTaskFromTemplate(ctx context.Context, in FromTemplate) (int64, error) {
	return c.create(ctx, "CreateTaskFromTemplate", in)
}

// CreateTaskFromAction makes a task of one action. Limit 20 a second.
func (c *Client) CreateTaskFromAction(ctx context.Context, in FromAction) (int64, error) {
	return c.create(ctx, "CreateTaskFromAction", in)
}

// CreateTaskFromMultiAction makes a task of several actions on the same instances.
func (c *Client) CreateTaskFromMultiAction(ctx context.Context, in FromMultiAction) (int64, error) {
	return c.create(ctx, "CreateTaskFromMultiAction", in)
}

func (c *Client) create(ctx context.Context, action string, in any) (int64, error) {
	var out struct{ TaskId Num }
	err := c.call(ctx, action, true, in, &out)
	return int64(out.TaskId), err
}

// DeleteTask deletes a task that does not run. Limit 10 a second.
func (c *Client) DeleteTask(ctx context.Context, task int64) error {
	return c.call(ctx, "DeleteTask", true, taskRef{task}, nil)
}

// FieldConfigs is the reply of DescribeActionFieldConfigList: Common fields belong to the general configuration,
// Results to the custom one.
type FieldConfigs struct {
	Common          []FieldConfig
	Results         []FieldConfig
	ResourceOffline lenient.List[ResourceOffline]
	RequestId       Text
}

// DescribeActionFieldConfigList reads the parameters of actions. Limit 20 a second.
func (c *Client) DescribeActionFieldConfigList(ctx context.Context, actions []int64, objectType int64) (FieldConfigs, error) {
	in := struct {
		ActionIds    []int64
		ObjectTypeId int64
	}{actions, objectType}
	var out FieldConfigs
	return out, c.call(ctx, "DescribeActionFieldConfigList", false, in, &out)
}

// Filter narrows a list.
type Filter struct {
	Keyword string
	Values  []string
}

// LibraryQuery is the request of DescribeActionLibraryList.
type LibraryQuery struct {
	Limit, Offset int64
	ObjectType    int64
	Filters       []Filter `json:",omitempty"`
	Attribute     []int64  `json:",omitempty"`
	ActionIds     []int64  `json:",omitempty"`
}

// DescribeActionLibraryList lists actions of the library, and their number. Limit 100 a second.
func (c *Client) DescribeActionLibraryList(ctx context.Context, q LibraryQuery) ([]LibraryAction, int64, error) {
	var out struct {
		Results []LibraryAction
		Total   Num
	}
	err := c.call(ctx, "DescribeActionLibraryList", false, q, &out)
	return out.Results, int64(out.Total), err
}

// DescribeObjectTypeList lists kinds of resource: 0 of the whole platform, 1 known to CFG, 2 known to applications.
func (c *Client) DescribeObjectTypeList(ctx context.Context, support int64) ([]ObjectType, error) {
	var out struct{ ObjectTypeList []ObjectType }
	err := c.call(ctx, "DescribeObjectTypeList", false, struct{ SupportType int64 }{support}, &out)
	return out.ObjectTypeList, err
}

// TaskReply is the reply of DescribeTask.
type TaskReply struct {
	Task       Task
	ReportInfo *ReportInfo
	RequestId  Text
}

// DescribeTask reads one task. Its id is the one that was asked for. Limit 20 a second.
func (c *Client) DescribeTask(ctx context.Context, task int64) (TaskReply, error) {
	var out TaskReply
	err := c.call(ctx, "DescribeTask", false, taskRef{task}, &out)
	out.Task.TaskId = Num(task)
	return out, err
}

// DescribeTaskExecuteLogs reads limit lines of a task's log from line offset on. Limit 20 a second.
func (c *Client) DescribeTaskExecuteLogs(ctx context.Context, task, limit, offset int64) ([]string, error) {
	var out struct{ LogMessage lenient.List[Text] }
	err := c.call(ctx, "DescribeTaskExecuteLogs", false, struct{ TaskId, Limit, Offset int64 }{task, limit, offset}, &out)
	var lines []string
	for _, l := range out.LogMessage {
		lines = append(lines, string(l))
	}
	return lines, err
}

// TaskQuery is the request of DescribeTaskList. Limit is at most 100.
type TaskQuery struct {
	Limit, Offset  int64
	TaskTitle      string   `json:",omitempty"`
	TaskTag        []string `json:",omitempty"`
	TaskStatus     int64    `json:",omitempty"`
	TaskStatusList []int64  `json:",omitempty"`
	TaskStartTime  string   `json:",omitempty"`
	TaskEndTime    string   `json:",omitempty"`
	TaskUpdateTime string   `json:",omitempty"`
	Tags           []Tag    `json:",omitempty"`
	Filters        []Filter `json:",omitempty"`
	TaskId         []int64  `json:",omitempty"`
}

// DescribeTaskList lists tasks, and their number. Limit 100 a second.
func (c *Client) DescribeTaskList(ctx context.Context, q TaskQuery) ([]TaskListItem, int64, error) {
	var out struct {
		TaskList []TaskListItem
		Total    Num
	}
	err := c.call(ctx, "DescribeTaskList", false, q, &out)
	return out.TaskList, int64(out.Total), err
}

// DescribeTaskPolicyTriggerLog reads how a task's guardrail was triggered; pages start at 1. Limit 20 a second.
func (c *Client) DescribeTaskPolicyTriggerLog(ctx context.Context, task, page, size int64) ([]TriggerLog, error) {
	var out struct{ TriggerLogs []TriggerLog }
	err := c.call(ctx, "DescribeTaskPolicyTriggerLog", false, struct{ TaskId, Page, PageSize int64 }{task, page, size}, &out)
	return out.TriggerLogs, err
}

// DescribeTemplate reads one template. Limit 20 a second.
func (c *Client) DescribeTemplate(ctx context.Context, template int64) (Template, error) {
	var out struct{ Template Template }
	err := c.call(ctx, "DescribeTemplate", false, struct{ TemplateId int64 }{template}, &out)
	return out.Template, err
}

// TemplateQuery is the request of DescribeTemplateList. Limit is at most 100.
type TemplateQuery struct {
	Limit, Offset  int64
	Title          string  `json:",omitempty"`
	IsUsed         int64   `json:",omitempty"`
	Tags           []Tag   `json:",omitempty"`
	TemplateIdList []int64 `json:",omitempty"`
}

// DescribeTemplateList lists templates, and their number. Limit 100 a second.
func (c *Client) DescribeTemplateList(ctx context.Context, q TemplateQuery) ([]TemplateListItem, int64, error) {
	var out struct {
		TemplateList []TemplateListItem
		Total        Num
	}
	err := c.call(ctx, "DescribeTemplateList", false, q, &out)
	return out.TemplateList, int64(out.Total), err
}

// ExecuteTask starts a task that is in status 1001. Limit 10 a second.
func (c *Client) ExecuteTask(ctx context.Context, task int64) error {
	return c.call(ctx, "ExecuteTask", true, taskRef{task}, nil)
}

// The types of ExecuteTaskInstance.
const (
	ExecuteInstance = 2
	SkipInstance    = 3
	RetryInstance   = 5
)

// InstanceCall is the request of ExecuteTaskInstance. With IsOperateAll the vendor ignores TaskInstanceIds.
type InstanceCall struct {
	TaskId          int64
	TaskActionId    int64 // TaskGroupActionId of DescribeTask
	TaskInstanceIds []int64
	IsOperateAll    bool
	ActionType      int64
	TaskGroupId     int64
}

// ExecuteTaskInstance executes, skips or retries an action, or some of its instances. Limit 10 a second.
func (c *Client) ExecuteTaskInstance(ctx context.Context, in InstanceCall) error {
	if in.TaskInstanceIds == nil {
		in.TaskInstanceIds = []int64{}
	}
	return c.call(ctx, "ExecuteTaskInstance", true, in, nil)
}

// RunStatus is the request of ModifyTaskRunStatus: 1002 resumes, 1003 pauses, 1004 ends and needs IsExpect and Summary.
type RunStatus struct {
	TaskId                int64
	Status                int64
	Summary               string `json:",omitempty"`
	IsExpect              *bool  `json:",omitempty"`
	Issue                 string `json:",omitempty"`
	Record                string `json:",omitempty"`
	IncludeRecordInReport int64  `json:",omitempty"`
}

// ModifyTaskRunStatus pauses, resumes or ends a task. Limit 10 a second.
func (c *Client) ModifyTaskRunStatus(ctx context.Context, in RunStatus) error {
	return c.call(ctx, "ModifyTaskRunStatus", true, in, nil)
}

// TriggerPolicy triggers a task's guardrail (0) or says that the matter is over (1). Limit 20 a second.
func (c *Client) TriggerPolicy(ctx context.Context, task int64, name, content string, kind int64) (bool, error) {
	in := struct {
		TaskId        int64
		Name, Content string
		TriggerType   int64
	}{task, name, content, kind}
	var out struct{ Success Flag }
	err := c.call(ctx, "TriggerPolicy", true, in, &out)
	return bool(out.Success), err
}

// GetCallerIdentity reads the account id from Tencent's STS.
func (c *Client) GetCallerIdentity(ctx context.Context) (string, error) {
	var out struct{ AccountId Text }
	err := c.send(ctx, "sts", "2018-08-13", "GetCallerIdentity", false, struct{}{}, &out)
	return string(out.AccountId), err
}
