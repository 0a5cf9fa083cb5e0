package cfg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Driver drives CFG in one account and region. It keeps no state.
type Driver struct {
	api             *Client
	account, region string
	root            string
	limit           int
}

var (
	_ driver.Driver     = (*Driver)(nil)
	_ driver.Preparer   = (*Driver)(nil)
	_ driver.Advancer   = (*Driver)(nil)
	_ driver.Pauser     = (*Driver)(nil)
	_ driver.Concluder  = (*Driver)(nil)
	_ driver.Previewer  = (*Driver)(nil)
	_ driver.Reporter   = (*Driver)(nil)
	_ driver.Finder     = (*Driver)(nil)
	_ driver.Lister     = (*Driver)(nil)
	_ driver.Describer  = (*Driver)(nil)
	_ driver.Identifier = (*Driver)(nil)
	_ driver.Handbook   = (*Driver)(nil)
	_ driver.Opener     = Open
)

// Options change a Driver.
type Options struct {
	TitleLimit int // the longest task title in characters, our mark included; 0 for 60. The vendor documents none.
}

// Open opens the driver.
func Open(c driver.Config) (driver.Driver, error) { return Options{}.Open(c) }

// Open opens the driver with these options.
func (o Options) Open(c driver.Config) (driver.Driver, error) {
	api, err := NewClient(c)
	if err != nil {
		return nil, err
	}
	limit := o.TitleLimit
	if limit <= 0 {
		limit = 60
	}
	return &Driver{api: api, account: c.Account, region: c.Region, root: c.Root, limit: limit}, nil
}

// Facts says what the driver may call and what CFG cannot promise.
func (d *Driver) Facts() driver.Facts {
	return driver.Facts{
		Service: drill.CFG,
		Cannot: []string{
			"CFG has no idempotency token: a task is made inert first, and only the recorded task is executed.",
			"CFG pushes no events: the state is polled.",
			"A fault without a recovery action cannot be undone: a stop waits until its own duration is over.",
			"A fault without a recovery action that ended failed or terminated: CFG does not say whether its effect is gone.",
			"Pausing lets an executing action come to its end.",
			"Ending a task (1004) is final and is not documented to run recoveries: recoveries are run before it.",
			"The console's pre-check cannot be started through the API.",
			"CreateTaskFromMultiAction takes no tags: such a task is known by its title and description alone.",
		},
		Permissions: []string{
			"cfg:CreateTaskFromAction", "cfg:CreateTaskFromMultiAction", "cfg:CreateTaskFromTemplate", "cfg:DescribeActionFieldConfigList",
			"cfg:DescribeActionLibraryList", "cfg:DescribeTask", "cfg:DescribeTaskExecuteLogs", "cfg:DescribeTaskList", "cfg:DescribeTemplate",
			"cfg:DescribeTemplateList", "cfg:ExecuteTask", "cfg:ExecuteTaskInstance", "cfg:ModifyTaskRunStatus", "cfg:TriggerPolicy", "sts:GetCallerIdentity",
		},
		LookupIsExact: true,
		SignedFor:     signedFor,
	}
}

// ByHand is the vendor's command line that pauses a task.
func (d *Driver) ByHand(run driver.Run) string {
	return fmt.Sprintf("tccli cfg ModifyTaskRunStatus --region %s --TaskId %s --Status 1003", run.Region, run.ID)
}

// Identity reads the account id of the credentials.
func (d *Driver) Identity(ctx context.Context) (string, error) { return d.api.GetCallerIdentity(ctx) }

// Check validates a plan's block without I/O: every mistake is named with its field and its fix. A plan must be bounded:
// the service pauses a task by itself after pause_after minutes, or, if that is not given, after the run's time limit.
func (d *Driver) Check(r driver.Request) error {
	b, err := parseBlock(r.Block)
	switch {
	case b.pauseAfter == 0 && r.Timeout <= 0:
		err = errors.Join(err, fmt.Errorf("%w: pause_after: the run has no bound: set max_duration on the plan, or pause_after in minutes", driver.ErrInvalid))
	case r.Timeout > 0 && b.pauseAfter > minutes(r.Timeout):
		err = errors.Join(err, fmt.Errorf("%w: pause_after: %d minutes are longer than the plan's max_duration of %s: set at most %d", driver.ErrInvalid, b.pauseAfter, r.Timeout, minutes(r.Timeout)))
	}
	return err
}

// minutes rounds up.
func minutes(d time.Duration) int64 { return int64((d + time.Minute - 1) / time.Minute) }

// Prepare creates the task, which stays inert in status 1001 until Start executes it.
func (d *Driver) Prepare(ctx context.Context, r driver.Request) (driver.Run, error) {
	b, err := parseBlock(r.Block)
	if err != nil {
		return driver.Run{}, err
	}
	var id int64
	switch {
	case b.template != 0:
		id, err = d.fromTemplate(ctx, b, r)
	case b.single:
		id, err = d.api.CreateTaskFromAction(ctx, d.fromAction(b, r))
	default:
		id, err = d.api.CreateTaskFromMultiAction(ctx, d.fromActions(b, r))
	}
	if err != nil {
		return driver.Run{}, err
	}
	if id <= 0 {
		return driver.Run{}, &CallError{Action: "create task", Write: true, Err: errors.New("the reply has no TaskId")}
	}
	return d.run(strconv.FormatInt(id, 10), r.Role), nil
}

func (d *Driver) run(id string, role drill.Role) driver.Run {
	return driver.Run{Service: drill.CFG, Account: d.account, Region: d.region, ID: id, Role: role}
}

func (d *Driver) fromTemplate(ctx context.Context, b block, r driver.Request) (int64, error) {
	in := FromTemplate{TemplateId: b.template, TaskConfig: TaskConfig{
		TaskTitle: d.title(b, r), TaskDescription: b.description, TaskMode: b.mode, PolicyDealType: b.deal,
		TaskPauseDuration: pauseAfter(b, r), Tags: d.tags(b, r), Extra: b.extra,
	}}
	var tpl Template
	for i, g := range b.groups {
		if len(g.actions) > 0 && tpl.TemplateId == 0 {
			var err error
			if tpl, err = d.api.DescribeTemplate(ctx, b.template); err != nil {
				return 0, err
			}
		}
		c := GroupConfig{TaskGroupInstances: g.instances, Extra: g.extra}
		for _, o := range g.actions {
			general, custom := templateSettings(tpl, i, o.order)
			c.TaskGroupActionsConfig = append(c.TaskGroupActionsConfig, ActionConfig{TaskGroupActionOrder: o.order,
				TaskGroupActionGeneralConfiguration: overlay(general, o.general), TaskGroupActionCustomConfiguration: overlay(custom, o.custom)})
		}
		in.TaskConfig.TaskGroupsConfig = append(in.TaskConfig.TaskGroupsConfig, c)
	}
	return d.api.CreateTaskFromTemplate(ctx, in)
}

// templateSettings reads the configuration of one action of a template. Whether the service merges a changed
// configuration with the template's is not documented, so the whole is sent.
func templateSettings(t Template, group int, order int64) (general, custom string) {
	if group >= len(t.TemplateGroups) {
		return "", ""
	}
	for _, a := range t.TemplateGroups[group].TemplateGroupActions {
		if int64(a.Order) == order {
			return string(a.GeneralConfiguration), string(a.CustomConfiguration)
		}
	}
	return "", ""
}

// overlay lays changes over a JSON object; nothing to change is "".
func overlay(base string, changes map[string]any) string {
	if len(changes) == 0 {
		return ""
	}
	all := map[string]any{}
	fields := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(base), &fields) == nil {
		for k, v := range fields {
			all[k] = v
		}
	}
	for k, v := range changes {
		all[k] = v
	}
	b, err := json.Marshal(all)
	if err != nil {
		return ""
	}
	return string(b)
}

func (d *Driver) fromAction(b block, r driver.Request) FromAction {
	a := b.actions[0]
	return FromAction{TaskActionId: a.id, TaskInstances: b.instances, TaskTitle: d.title(b, r), TaskDescription: b.description,
		TaskActionGeneralConfiguration: overlay("", a.general), TaskActionCustomConfiguration: overlay("", a.custom),
		TaskPauseDuration: pauseAfter(b, r), TaskTags: d.tags(b, r), Extra: b.extra}
}

func (d *Driver) fromActions(b block, r driver.Request) FromMultiAction {
	in := FromMultiAction{TaskInstances: b.instances, TaskTitle: d.title(b, r), TaskDescription: describe(b.description, d.rootOf(r)),
		TaskPauseDuration: pauseAfter(b, r), Extra: b.extra}
	for _, a := range b.actions {
		in.TaskAction = append(in.TaskAction, MultiAction{TaskActionId: a.id,
			TaskActionGeneralConfiguration: overlay("", a.general), TaskActionCustomConfiguration: overlay("", a.custom)})
	}
	return in
}

func pauseAfter(b block, r driver.Request) int64 {
	if b.pauseAfter > 0 {
		return b.pauseAfter
	}
	return minutes(max(r.Timeout, 0))
}

// Start executes the task that Prepare made and the journal recorded, and no other. A task that is beyond 1001 has been
// executed already: it is ours, and is returned.
func (d *Driver) Start(ctx context.Context, r driver.Request) (driver.Run, error) {
	if r.Prepared == nil {
		return driver.Run{}, fmt.Errorf("%w: start cfg: the request names no prepared task", driver.ErrInvalid)
	}
	id, err := taskID(*r.Prepared)
	if err != nil {
		return driver.Run{}, err
	}
	reply, err := d.api.DescribeTask(ctx, id)
	if err != nil {
		return driver.Run{}, err
	}
	if !carries(reply.Task.TaskTitle, r.Drill) {
		return driver.Run{}, fmt.Errorf("%w: start cfg: task %d does not carry the mark of drill %s", driver.ErrInvalid, id, r.Drill)
	}
	switch {
	case reply.Task.TaskStatus > taskNew:
		return *r.Prepared, nil
	case reply.Task.TaskStatus < taskNew:
		return driver.Run{}, fmt.Errorf("%w: start cfg: task %d is in the unknown status %d", driver.ErrNotNow, id, reply.Task.TaskStatus)
	}
	if err := d.api.ExecuteTask(ctx, id); err != nil {
		return driver.Run{}, err
	}
	return *r.Prepared, nil
}

func taskID(run driver.Run) (int64, error) {
	id, err := strconv.ParseInt(run.ID, 10, 64)
	if err != nil || id <= 0 {
		return 0, fmt.Errorf("%w: %q is not the id of a cfg task", driver.ErrInvalid, run.ID)
	}
	return id, nil
}
