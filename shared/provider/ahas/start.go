package ahas

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	api "github.com/aliyun/alibaba-cloud-sdk-go/services/ahas-openapi"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

const (
	// skew is how much earlier than our own intent the service may say that our task began.
	skew = 2 * time.Minute
	// newest is how many task ids an intent records. One experiment has one running task at a time, so those that can
	// have begun within the skew are few.
	newest   = 20
	pageSize = 50
	maxPages = 400
)

// errPerhapsOurs is of a run that an earlier call of the same start may have begun, although the service declined it: a lookup decides.
var errPerhapsOurs = errors.New("the run that is there may be ours")

// Start executes the experiment, once: there is no token, so the caller must never call it twice for one intent unless the
// service declined.
func (d *Driver) Start(ctx context.Context, r driver.Request) (driver.Run, error) {
	b, err := d.block(r)
	if err != nil {
		return driver.Run{}, fmt.Errorf("start ahas experiment: %w", err)
	}
	req := api.CreateExecuteExperimentRequest()
	d.home(req.GetQueryParams())
	req.ExperimentId, req.Definition, req.NameSpace, req.AhasRegionId = b.experiment, b.definition, b.namespace, b.region
	var rep executeReply
	if err := d.client.Do(ctx, aliyun.Write, req, &rep); err != nil {
		return driver.Run{}, fmt.Errorf("start ahas experiment %s: %w", b.experiment, err)
	}
	err = rep.check(req.GetActionName(), aliyun.Write, rep.TaskID != "")
	if r.Again && hasCode(err, runsAlready, runsAlreadyNumber) {
		err = fmt.Errorf("%w: %w", errPerhapsOurs, err)
	}
	if err != nil {
		return driver.Run{}, fmt.Errorf("start ahas experiment %s: %w", b.experiment, err)
	}
	return d.run(r, rep.TaskID), nil
}

func (d *Driver) run(r driver.Request, id aliyun.Text) driver.Run {
	return driver.Run{Service: drill.AHAS, Account: r.Account, Region: r.Region, ID: string(id), Role: r.Role}
}

// Seen lists the newest task ids of the request's experiment, newest first.
func (d *Driver) Seen(ctx context.Context, r driver.Request) ([]string, error) {
	b, err := d.block(r)
	if err != nil {
		return nil, fmt.Errorf("list ahas tasks: %w", err)
	}
	tasks, err := d.tasks(ctx, b, func(got []taskItem) bool { return len(got) >= newest })
	if err != nil {
		return nil, fmt.Errorf("list tasks of ahas experiment %s: %w", b.experiment, err)
	}
	ids := []string{}
	for _, t := range tasks[:min(newest, len(tasks))] {
		ids = append(ids, string(t.TaskID))
	}
	return ids, nil
}

// Lookup finds tasks of the request's experiment that may be its run, newest first: not seen before the intent and not
// begun before it. More than one means that somebody else started the experiment too: the caller must not choose.
func (d *Driver) Lookup(ctx context.Context, r driver.Request) ([]driver.Run, error) {
	b, err := d.block(r)
	if err != nil {
		return nil, fmt.Errorf("look for ahas task: %w", err)
	}
	var from time.Time
	if !r.Since.IsZero() {
		from = r.Since.Add(-skew)
	}
	tasks, err := d.tasks(ctx, b, func(got []taskItem) bool {
		return len(got) > 0 && got[len(got)-1].before(from)
	})
	if err != nil {
		return nil, fmt.Errorf("look for tasks of ahas experiment %s: %w", b.experiment, err)
	}
	var runs []driver.Run
	for _, t := range tasks {
		if !t.before(from) && !slices.Contains(r.Seen, string(t.TaskID)) {
			runs = append(runs, d.run(r, t.TaskID))
		}
	}
	return runs, nil
}

// before reports whether the task surely began before then; one that has not begun did not.
func (t taskItem) before(then time.Time) bool {
	return t.StartTime > 0 && aliyun.Millis(t.StartTime).Before(then)
}

// tasks lists the experiment's tasks, newest first. The service does not say in which order it answers: enough ends the
// listing early only as long as the pages came newest first.
func (d *Driver) tasks(ctx context.Context, b block, enough func([]taskItem) bool) ([]taskItem, error) {
	var all []taskItem
	known := map[aliyun.Text]bool{}
	err := eachPage(func(page int) (paging, int, bool, error) {
		rep, err := d.taskPage(ctx, b, page)
		if err != nil {
			return paging{}, 0, false, err
		}
		for _, t := range rep.ExperimentTasks {
			if t.TaskID == "" {
				return paging{}, 0, false, aliyun.Unreadable("list tasks", "a task has no id")
			}
			if !known[t.TaskID] {
				known[t.TaskID] = true
				all = append(all, t)
			}
		}
		done := slices.IsSortedFunc(all, newestFirst) && enough(all)
		last := rep.Pages > 0 && page >= int(rep.Pages) || rep.Pages <= 0 && len(rep.ExperimentTasks) < pageSize
		if last && !done && len(all) < int(rep.Total) {
			return paging{}, 0, false, aliyun.Unreadable("list tasks", fmt.Sprintf("%d tasks came of %d", len(all), rep.Total))
		}
		return rep.paging, len(rep.ExperimentTasks), done, nil
	})
	slices.SortStableFunc(all, newestFirst)
	return all, err
}

// newestFirst orders tasks by their start; one that has not begun is the newest.
func newestFirst(a, b taskItem) int {
	if (a.StartTime <= 0) != (b.StartTime <= 0) {
		return cmp.Compare(b2i(a.StartTime > 0), b2i(b.StartTime > 0))
	}
	return cmp.Compare(b.StartTime, a.StartTime)
}

func b2i(v bool) int {
	if v {
		return 1
	}
	return 0
}

// eachPage calls get for page after page until one is the last or get has enough.
func eachPage(get func(page int) (at paging, items int, enough bool, err error)) error {
	for page := 1; ; page++ {
		at, items, enough, err := get(page)
		if err != nil {
			return err
		}
		if items == 0 && page < int(at.Pages) {
			return aliyun.Unreadable("read the list", fmt.Sprintf("page %d of %d is empty", page, at.Pages))
		}
		if enough || items == 0 || (at.Pages > 0 && page >= int(at.Pages)) || (at.Pages <= 0 && items < pageSize) {
			return nil
		}
		if page >= maxPages {
			return aliyun.Unreadable("read the list", fmt.Sprintf("it has more than %d pages", maxPages))
		}
	}
}

func (d *Driver) taskPage(ctx context.Context, b block, page int) (tasksReply, error) {
	req := api.CreatePageableQueryExperimentTaskByExperimentIdRequest()
	d.home(req.GetQueryParams())
	req.ExperimentId, req.Namespace, req.AhasRegionId = b.experiment, b.namespace, b.region
	req.Page, req.Size = requests.NewInteger(page), requests.NewInteger(pageSize)
	var rep tasksReply
	if err := d.client.Do(ctx, aliyun.Read, req, &rep); err != nil {
		return tasksReply{}, err
	}
	return rep, rep.succeeded(req.GetActionName(), aliyun.Read)
}
