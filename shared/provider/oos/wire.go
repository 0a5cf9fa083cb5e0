package oos

import (
	"context"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// execution is what the vendor says of an execution. Outputs and Parameters are documented as strings and come as
// objects too; CreatedDate is the documented name and CreateDate the one that is sent.
type execution struct {
	ExecutionId, TemplateId, TemplateName, TemplateVersion aliyun.Text
	Status, StatusMessage, StatusReason, WaitingStatus     aliyun.Text
	Mode, LoopMode, SafetyCheck                            aliyun.Text
	ExecutedBy, RamRole, Description, ParentExecutionId    aliyun.Text
	CreateDate, CreatedDate, StartDate, EndDate            aliyun.Text
	UpdateDate                                             aliyun.Text
	Outputs, Parameters                                    aliyun.Text
	CurrentTasks                                           aliyun.List[currentTask]
	Tags                                                   aliyun.Map
	IsParent                                               aliyun.Flag
}

type currentTask struct {
	TaskName, TaskAction, TaskExecutionId aliyun.Text
}

// taskExecution is one attempt at one task, or at one item of its loop.
type taskExecution struct {
	TaskExecutionId, ParentTaskExecutionId, TaskName, TaskAction aliyun.Text
	Status, StatusMessage, LoopItem                              aliyun.Text
	Properties                                                   aliyun.Text
	CreateDate, StartDate, EndDate                               aliyun.Text
}

func (e execution) created() aliyun.Text {
	if e.CreateDate != "" {
		return e.CreateDate
	}
	return e.CreatedDate
}

// final reports whether the vendor's status is a last one.
func (e execution) final() bool {
	switch e.Status {
	case "Success", "Failed", "Cancelled":
		return true
	}
	return false
}

// execution reads one execution. There is no call for it: it is a list with the id as the filter.
func (d *Driver) execution(ctx context.Context, id string) (execution, error) {
	req := oos.CreateListExecutionsRequest()
	req.ExecutionId = id
	var out struct{ Executions aliyun.Whole[execution] }
	if err := d.read(ctx, req, &out); err != nil {
		return execution{}, err
	}
	for _, e := range out.Executions {
		if strings.EqualFold(string(e.ExecutionId), id) {
			return e, nil
		}
	}
	return execution{}, notFound("ListExecutions", id)
}

// mostPages bounds every paged read; 100 pages are 10,000 rows.
const mostPages = 100

// pages reads page after page until there is no next token. next makes the request of a page and reads its reply. A list that does not
// come to its end is an error: what it lacks would be believed not to be there.
func pages(ctx context.Context, next func(ctx context.Context, token string) (string, error)) error {
	token := ""
	for range mostPages {
		t, err := next(ctx, token)
		if err != nil {
			return err
		}
		if t == "" {
			return nil
		}
		if t == token {
			return aliyun.Unreadable("read the next page", "the service names the same page again")
		}
		token = t
	}
	return aliyun.Unreadable("read the next page", fmt.Sprintf("the list has more than %d pages", mostPages))
}

// add puts a row into a list that is read page by page. A row that is there already, because the list moved on meanwhile, is replaced.
func add[T any](all []T, at map[aliyun.Text]int, id aliyun.Text, row T) []T {
	if i, seen := at[id]; seen && id != "" {
		all[i] = row
		return all
	}
	at[id] = len(all)
	return append(all, row)
}

// executions lists every execution with the tags, and with the status unless it is empty.
func (d *Driver) executions(ctx context.Context, tags map[string]string, status string) ([]execution, error) {
	var all []execution
	at := map[aliyun.Text]int{}
	err := pages(ctx, func(ctx context.Context, token string) (string, error) {
		req := oos.CreateListExecutionsRequest()
		req.Status, req.NextToken, req.MaxResults = status, token, requests.NewInteger(100)
		req.Tags = anyMap(tags)
		var out struct {
			Executions aliyun.Whole[execution]
			NextToken  aliyun.Text
		}
		if err := d.read(ctx, req, &out); err != nil {
			return "", err
		}
		for _, e := range out.Executions {
			if !carries(e, tags) {
				continue
			}
			if e.ExecutionId == "" {
				return "", aliyun.Unreadable("ListExecutions", "an execution has no id")
			}
			all = add(all, at, e.ExecutionId, e)
		}
		return string(out.NextToken), nil
	})
	return all, err
}

// carries checks the tags of a reply, so that a filter that was ignored cannot make us adopt a stranger's execution.
func carries(e execution, tags map[string]string) bool {
	for k, v := range tags {
		if string(e.Tags[k]) != v {
			return false
		}
	}
	return true
}

// tasks lists the task executions of an execution, oldest first.
func (d *Driver) tasks(ctx context.Context, id string) ([]taskExecution, error) {
	var all []taskExecution
	at := map[aliyun.Text]int{}
	err := pages(ctx, func(ctx context.Context, token string) (string, error) {
		req := oos.CreateListTaskExecutionsRequest()
		req.ExecutionId, req.NextToken, req.MaxResults = id, token, requests.NewInteger(100)
		req.SortOrder, req.IncludeChildTaskExecution = "Ascending", requests.NewBoolean(true)
		var out struct {
			TaskExecutions aliyun.Whole[taskExecution]
			NextToken      aliyun.Text
		}
		if err := d.read(ctx, req, &out); err != nil {
			return "", err
		}
		for _, t := range out.TaskExecutions {
			all = add(all, at, t.TaskExecutionId, t)
		}
		return string(out.NextToken), nil
	})
	return all, err
}

// logs reads the last messages of an execution's log, at most n. It is evidence, not state: an error gives none.
func (d *Driver) logs(ctx context.Context, id string, n int) []string {
	req := oos.CreateListExecutionLogsRequest()
	req.ExecutionId, req.LogType, req.MaxResults = id, "System", requests.NewInteger(100)
	var out struct {
		ExecutionLogs aliyun.List[struct{ Timestamp, Message aliyun.Text }]
	}
	if d.read(ctx, req, &out) != nil {
		return nil
	}
	var lines []string
	for _, l := range out.ExecutionLogs[max(0, len(out.ExecutionLogs)-n):] {
		lines = append(lines, "log "+string(l.Timestamp)+": "+cut(string(l.Message), 200))
	}
	return lines
}

func anyMap(m map[string]string) map[string]interface{} {
	if len(m) == 0 {
		return nil
	}
	out := map[string]interface{}{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
