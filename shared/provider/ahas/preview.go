package ahas

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	api "github.com/aliyun/alibaba-cloud-sdk-go/services/ahas-openapi"

	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// Preview asks the service whether the experiment can be run now. It proves "runnable" and names no targets; overrides
// of the definition are not part of the question.
func (d *Driver) Preview(ctx context.Context, r driver.Request) (driver.Preview, error) {
	b, err := d.block(r)
	if err != nil {
		return driver.Preview{}, fmt.Errorf("preview ahas experiment: %w", err)
	}
	req := api.CreateCheckExperimentRunnableRequest()
	d.home(req.GetQueryParams())
	req.ExperimentId, req.NameSpace, req.AhasRegionId = b.experiment, b.namespace, b.region
	var rep envelope
	err = d.client.Do(ctx, aliyun.Read, req, &rep)
	if err != nil {
		return driver.Preview{}, fmt.Errorf("preview ahas experiment %s: %w", b.experiment, err)
	}
	p := driver.Preview{Proved: "runnable", Done: true}
	if b.definition != "" {
		p.Notes = append(p.Notes, "AHAS checks the experiment as it is saved, without the plan's definition")
	}
	err = rep.succeeded(req.GetActionName(), aliyun.Read)
	switch d.Code(err) {
	case driver.OK:
		return p, nil
	case driver.Throttled, driver.Unavailable, driver.Expired:
		return driver.Preview{}, fmt.Errorf("preview ahas experiment %s: %w", b.experiment, err)
	}
	p.Refusal = refusal(err)
	return p, nil
}

func refusal(err error) string {
	var e *aliyun.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	return strings.TrimSpace("AHAS would not run it: " + strings.TrimSuffix(strings.TrimSpace(e.Code+": "+e.Message), ":"))
}

// execute is the bit of Permission that allows to run an experiment.
const execute = 4

// Templates lists the experiments of the default namespace that these credentials may run, drafts left out.
func (d *Driver) Templates(ctx context.Context) ([]driver.Template, error) {
	var out []driver.Template
	known := map[aliyun.Text]bool{}
	err := eachPage(func(page int) (paging, int, bool, error) {
		rep, err := d.experimentPage(ctx, page)
		if err != nil {
			return paging{}, 0, false, err
		}
		for _, e := range rep.ExperimentList {
			if !known[e.ExperimentID] && e.usable() {
				out = append(out, d.template(e))
			}
			known[e.ExperimentID] = true
		}
		return rep.paging, len(rep.ExperimentList), false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list ahas experiments: %w", err)
	}
	return out, nil
}

func (e experimentItem) usable() bool {
	if e.ExperimentID == "" || e.State == "DRAFT" || e.State == "INVISIBLE" {
		return false
	}
	return e.Permission == 0 || e.Permission&execute != 0
}

func (d *Driver) template(e experimentItem) driver.Template {
	t := driver.Template{ID: string(e.ExperimentID), Name: orElse(blank(e.Name), string(e.ExperimentID))}
	t.Block = map[string]any{"experiment": t.ID}
	var about []string
	for _, app := range e.MiniApps {
		about = append(about, string(app))
	}
	for _, tag := range e.Tags {
		about = append(about, "#"+string(tag))
	}
	t.Description = strings.Join(about, " ")
	return t
}

func (d *Driver) experimentPage(ctx context.Context, page int) (experimentsReply, error) {
	req := api.CreatePageableQueryUserExperimentRequest()
	d.home(req.GetQueryParams())
	req.AhasRegionId = d.region("")
	req.Page, req.Size = requests.NewInteger(page), requests.NewInteger(pageSize)
	var rep experimentsReply
	if err := d.client.Do(ctx, aliyun.Read, req, &rep); err != nil {
		return experimentsReply{}, err
	}
	return rep, rep.succeeded(req.GetActionName(), aliyun.Read)
}
