package fis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	maxToken = 1024
	pageSize = 100 // the most that one page of any list may hold
)

// clientToken is the same for every attempt at the request's run, and another for every other run of any journal.
func clientToken(r driver.Request) string {
	token := r.Root + "/" + r.Token
	odd := func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsGraphic(c) || unicode.IsSpace(c) }
	if len(token) <= maxToken && !slices.ContainsFunc([]rune(token), odd) {
		return token
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Start starts the experiment. The same request gives the same experiment again.
func (d *Driver) Start(ctx context.Context, r driver.Request) (driver.Run, error) {
	e, err := d.start(ctx, r)
	if err != nil {
		return driver.Run{}, err
	}
	return d.run(aws.ToString(e.Id), r.Role), nil
}

func (d *Driver) start(ctx context.Context, r driver.Request) (*types.Experiment, error) {
	var m mistakes
	b := readBlock(r.Block, &m)
	if err := m.join(); err != nil {
		return nil, fmt.Errorf("start fis experiment: %w", err)
	}
	if r.Role == drill.Preview {
		b.mode = types.ActionsModeSkipAll
	}
	what := "start fis experiment from " + b.template
	return call(ctx, d, write, what, func(ctx context.Context) (*types.Experiment, error) {
		out, err := d.fis.StartExperiment(ctx, &fis.StartExperimentInput{
			ClientToken: aws.String(clientToken(r)), ExperimentTemplateId: aws.String(b.template),
			ExperimentOptions: &types.StartExperimentExperimentOptionsInput{ActionsMode: b.mode},
			Tags:              marks(r, b.tags),
		})
		if err != nil {
			return nil, err
		}
		if out.Experiment == nil || aws.ToString(out.Experiment.Id) == "" {
			return nil, fmt.Errorf("the reply names no experiment")
		}
		return out.Experiment, nil
	})
}

// Lookup finds the experiments whose tags name the request's run.
func (d *Driver) Lookup(ctx context.Context, r driver.Request) ([]driver.Run, error) {
	var m mistakes
	b := readBlock(r.Block, &m)
	if err := m.join(); err != nil {
		return nil, fmt.Errorf("look up fis experiment: %w", err)
	}
	var found []driver.Run
	err := d.eachExperiment(ctx, b.template, func(e types.ExperimentSummary) {
		run := d.run(aws.ToString(e.Id), r.Role)
		if marked(e.Tags, r) && !slices.Contains(r.Seen, run.ID) && !slices.Contains(found, run) {
			found = append(found, run)
		}
	})
	return found, err
}

// Find lists the experiments that carry our tags and have not ended.
func (d *Driver) Find(ctx context.Context) ([]driver.Found, error) {
	found := map[string]driver.Found{}
	var order []string
	err := d.eachExperiment(ctx, "", func(e types.ExperimentSummary) {
		id := aws.ToString(e.Id)
		if e.Tags[tagDrill] == "" || phaseOf(e.State).Final() {
			return
		}
		if _, twice := found[id]; !twice {
			order = append(order, id)
		}
		found[id] = driver.Found{Run: d.run(id, roleOf(e.Tags)), Drill: e.Tags[tagDrill], Root: e.Tags[tagRoot], Live: true}
	})
	if err != nil {
		return nil, err
	}
	out := make([]driver.Found, 0, len(order))
	for _, id := range order {
		out = append(out, found[id])
	}
	return out, nil
}

// eachExperiment visits every experiment of the account and region, or of one template, through all pages.
func (d *Driver) eachExperiment(ctx context.Context, template string, visit func(types.ExperimentSummary)) error {
	in := &fis.ListExperimentsInput{MaxResults: aws.Int32(pageSize)}
	if template != "" {
		in.ExperimentTemplateId = aws.String(template)
	}
	pages := fis.NewListExperimentsPaginator(d.fis, in)
	for pages.HasMorePages() {
		page, err := call(ctx, d, read, "list fis experiments", func(ctx context.Context) (*fis.ListExperimentsOutput, error) {
			return pages.NextPage(ctx)
		})
		if err != nil {
			return err
		}
		for _, e := range page.Experiments {
			visit(e)
		}
	}
	return nil
}

// Templates lists the experiment templates of the account and region.
func (d *Driver) Templates(ctx context.Context) ([]driver.Template, error) {
	var out []driver.Template
	pages := fis.NewListExperimentTemplatesPaginator(d.fis, &fis.ListExperimentTemplatesInput{MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := call(ctx, d, read, "list fis experiment templates", func(ctx context.Context) (*fis.ListExperimentTemplatesOutput, error) {
			return pages.NextPage(ctx)
		})
		if err != nil {
			return nil, err
		}
		for _, t := range page.ExperimentTemplates {
			out = append(out, templateOf(t))
		}
	}
	return out, nil
}

func templateOf(t types.ExperimentTemplateSummary) driver.Template {
	id := aws.ToString(t.Id)
	name := t.Tags[tagName]
	if name == "" {
		name = aws.ToString(t.Description)
	}
	if name == "" {
		name = id
	}
	return driver.Template{ID: id, Name: name, Description: aws.ToString(t.Description), Block: map[string]any{"template": id}}
}
