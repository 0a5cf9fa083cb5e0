package ahas

import (
	"context"
	"errors"
	"fmt"

	api "github.com/aliyun/alibaba-cloud-sdk-go/services/ahas-openapi"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// Driver drives AHAS in one account and region. It holds no state between calls and is safe for concurrent use.
type Driver struct {
	cfg    driver.Config
	client *aliyun.Client
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Seer      = (*Driver)(nil)
	_ driver.Advancer  = (*Driver)(nil)
	_ driver.Previewer = (*Driver)(nil)
	_ driver.Lister    = (*Driver)(nil)
	_ driver.Describer = (*Driver)(nil)
	_ driver.Handbook  = (*Driver)(nil)
)

// publicRegions are the values of AhasRegionId that the vendor's pages give for hosts outside its cloud; both are
// served by cn-hangzhou.
func publicRegion(region string) bool { return region == "public" || region == "cn-public" }

const publicHome = "cn-hangzhou"

// hostOf is the vendor's public host for the region, "" where it has none.
func hostOf(region string) string {
	if publicRegion(region) {
		region = publicHome
	}
	switch region {
	case "cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-zhangjiakou", "cn-shenzhen", "cn-hongkong", "ap-southeast-1", "eu-central-1":
		return "ahas." + region + ".aliyuncs.com"
	}
	return ""
}

// Open makes a driver; it makes no call. A region that the vendor lists no host for needs an endpoint.
func Open(cfg driver.Config) (driver.Driver, error) {
	host := hostOf(cfg.Region)
	if host == "" && cfg.Endpoint == "" {
		return nil, fmt.Errorf("open ahas: no endpoint is known for region %q: set FIREDRILL_ENDPOINT_AHAS to one: %w", cfg.Region, driver.ErrInvalid)
	}
	client, err := aliyun.New(cfg, host)
	if err != nil {
		return nil, fmt.Errorf("open ahas: %w", err)
	}
	return &Driver{cfg: cfg, client: client}, nil
}

// ByHand returns the command of Alibaba's CLI that ends a task.
func (d *Driver) ByHand(run driver.Run) string {
	return "aliyun ahas-openapi FinishExperimentTask --region " + run.Region + " --ExperimentTaskId " + run.ID
}

// Code classifies an error that this driver returned.
func (d *Driver) Code(err error) driver.Code {
	if errors.Is(err, errPerhapsOurs) {
		return driver.Uncertain
	}
	return aliyun.Classify(err, codes())
}

// Facts says what AHAS cannot promise and which permissions the driver needs.
func (d *Driver) Facts() driver.Facts {
	return driver.Facts{
		Service:   drill.AHAS,
		SignedFor: aliyun.SignedFor,
		Cannot: []string{
			"AHAS takes no token: a run whose start got no reply is searched for among the experiment's newest tasks and never started again.",
			"AHAS tasks carry no tag or title of ours: a run that no journal names cannot be found and swept up.",
			"AHAS's push names no activity: a step confirmed in the console at the same moment can make ours confirm the next one.",
			"AHAS has no skip, retry or pause: a waiting step is continued, or the run is ended.",
			"AHAS keeps no conclusion: the verdict is written into the report only.",
			"AHAS tells the limit of a run (duration) in the console alone: the plan's own max_duration is what ends it here.",
			"AHAS's task calls are made without a namespace, because a run's id is all that is recorded: in a namespace other than default, try a harmless experiment first.",
		},
		Permissions: []string{
			"ahas:ExecuteExperiment", "ahas:CheckExperimentRunnable", "ahas:GetExperimentTask", "ahas:GetActivityTask",
			"ahas:PushExperimentTask", "ahas:FinishExperimentTask", "ahas:PageableQueryExperimentTaskByExperimentId", "ahas:PageableQueryUserExperiment",
		},
	}
}

// region is the AhasRegionId of calls about the run or request.
func (d *Driver) region(given string) string {
	if given != "" {
		return given
	}
	return d.cfg.Region
}

// home keeps the SDK's RegionId a real region where the experiment's region is a public one.
func (d *Driver) home(params map[string]string) {
	if publicRegion(d.cfg.Region) {
		params["RegionId"] = publicHome
	}
}

// getTask reads a task.
func (d *Driver) getTask(ctx context.Context, run driver.Run) (taskReply, error) {
	if run.ID == "" {
		return taskReply{}, fmt.Errorf("read ahas task: the run has no id: %w", driver.ErrInvalid)
	}
	req := api.CreateGetExperimentTaskRequest()
	d.home(req.GetQueryParams())
	req.ExperimentTaskId, req.AhasRegionId = run.ID, d.region(run.Region)
	var r taskReply
	if err := d.client.Do(ctx, aliyun.Read, req, &r); err != nil {
		return taskReply{}, fmt.Errorf("read ahas task %s: %w", run.ID, err)
	}
	if err := r.check(req.GetActionName(), aliyun.Read, r.TaskID != "" && r.State != ""); err != nil {
		return taskReply{}, fmt.Errorf("read ahas task %s: %w", run.ID, err)
	}
	if string(r.TaskID) != run.ID {
		return taskReply{}, fmt.Errorf("read ahas task %s: the reply is about task %s: %w", run.ID, r.TaskID,
			undecodable(req.GetActionName(), aliyun.Read, r.envelope))
	}
	return r, nil
}

// getActivity reads one activity of a task with its hosts.
func (d *Driver) getActivity(ctx context.Context, run driver.Run, id string) (activityReply, error) {
	req := api.CreateGetActivityTaskRequest()
	d.home(req.GetQueryParams())
	req.ActivityTaskId, req.ExperimentTaskId, req.AhasRegionId = id, run.ID, d.region(run.Region)
	var r activityReply
	if err := d.client.Do(ctx, aliyun.Read, req, &r); err != nil {
		return activityReply{}, err
	}
	return r, r.check(req.GetActionName(), aliyun.Read, r.State != "")
}

// hasCode reports whether the error is a refusal with the code, in words or as a number.
func hasCode(err error, names ...string) bool {
	var e *aliyun.Error
	if !errors.As(err, &e) || e.Stage != aliyun.Refused {
		return false
	}
	for _, n := range names {
		if e.Code == n {
			return true
		}
	}
	return false
}
