package fis

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Preview runs the template with every action skipped and reads the targets that it resolved. Called again with the
// same request it looks at the same experiment.
func (d *Driver) Preview(ctx context.Context, r driver.Request) (driver.Preview, error) {
	if r.Role != drill.Preview {
		r.Role, r.Token = drill.Preview, r.Drill+"/"+string(drill.Preview)
	}
	e, err := d.start(ctx, r)
	if err != nil {
		return driver.Preview{}, err
	}
	run := d.run(aws.ToString(e.Id), drill.Preview)
	// The reply to a repeated start may be as old as the first: read the experiment itself.
	if e, err = d.get(ctx, run.ID); err != nil {
		return driver.Preview{}, err
	}
	p := driver.Preview{Proved: "targets", Run: &run}
	if !phaseOf(e.State).Final() {
		return p, nil
	}
	p.Done = true
	if e.State.Status != types.ExperimentStatusCompleted {
		p.Refusal = fmt.Sprintf("the preview %s ended %s: %s", run.ID, e.State.Status, reason(e.State))
		return p, nil
	}
	p.Notes = []string{"permissions to act are not proved by a preview"}
	for _, name := range slices.Sorted(maps.Keys(e.Targets)) {
		if mode := aws.ToString(e.Targets[name].SelectionMode); mode != "" && mode != "ALL" {
			p.Notes = append(p.Notes, fmt.Sprintf("target %s selects %s at random: the run may pick others", name, mode))
		}
	}
	p.Targets, err = d.resolved(ctx, run.ID)
	return p, err
}

// resolved lists what the experiment's targets resolved to, through all pages, each resource once.
func (d *Driver) resolved(ctx context.Context, id string) ([]drill.Target, error) {
	var out []drill.Target
	pages := fis.NewListExperimentResolvedTargetsPaginator(d.fis, &fis.ListExperimentResolvedTargetsInput{
		ExperimentId: aws.String(id), MaxResults: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := call(ctx, d, read, "list resolved targets of fis experiment "+id, func(ctx context.Context) (*fis.ListExperimentResolvedTargetsOutput, error) {
			return pages.NextPage(ctx)
		})
		if err != nil {
			return nil, err
		}
		for _, t := range page.ResolvedTargets {
			target := targetOf(t)
			if !slices.ContainsFunc(out, func(o drill.Target) bool { return o.ID == target.ID }) {
				out = append(out, target)
			}
		}
	}
	slices.SortFunc(out, func(a, b drill.Target) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// targetOf names a resolved target by the ARN in its information, whose keys FIS does not document, else by all of it.
func targetOf(t types.ResolvedTarget) drill.Target {
	about := strings.TrimSpace(aws.ToString(t.TargetName) + " " + aws.ToString(t.ResourceType))
	var all []string
	for _, key := range slices.Sorted(maps.Keys(t.TargetInformation)) {
		v := t.TargetInformation[key]
		if strings.HasPrefix(v, "arn:") {
			return drill.Target{ID: v, Message: about}
		}
		all = append(all, key+"="+v)
	}
	if len(all) == 0 {
		all = append(all, about)
	}
	return drill.Target{ID: strings.Join(all, ","), Message: about}
}
