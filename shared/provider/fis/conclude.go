package fis

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Conclude writes the conclusion into tags of the experiment: FIS has no other record that can be written. Characters
// that tags may not hold are left out; a link that would be changed by that is left out as a whole.
func (d *Driver) Conclude(ctx context.Context, run driver.Run, c driver.Conclusion) error {
	e, err := d.get(ctx, run.ID)
	if err != nil {
		return err
	}
	tags := map[string]string{}
	for name, v := range map[string]string{"verdict": c.Verdict, "summary": c.Summary, "issue": c.Issue, "record": c.Record} {
		if v = tagText(v, maxTagValue); v != "" {
			tags[tagPrefix+name] = v
		}
	}
	if c.Link != "" && tagText(c.Link, maxTagValue) == c.Link {
		tags[tagPrefix+"report"] = c.Link
	}
	_, err = call(ctx, d, write, "tag fis experiment "+run.ID, func(ctx context.Context) (*fis.TagResourceOutput, error) {
		return d.fis.TagResource(ctx, &fis.TagResourceInput{ResourceArn: e.Arn, Tags: tags})
	})
	return err
}

// Report reads how far the experiment's own report is. FIS makes it some time after the experiment has ended.
func (d *Driver) Report(ctx context.Context, run driver.Run) (driver.Report, error) {
	e, err := d.get(ctx, run.ID)
	if err != nil {
		return driver.Report{}, err
	}
	return reportOf(e), nil
}

// reportOf maps the report's state. FIS makes none for a run that skips all actions or is cancelled.
func reportOf(e *types.Experiment) driver.Report {
	none := driver.Report{State: "none"}
	skipped := e.ExperimentOptions != nil && e.ExperimentOptions.ActionsMode == types.ActionsModeSkipAll
	gone := e.State != nil && e.State.Status == types.ExperimentStatusCancelled
	if e.ExperimentReport == nil || e.ExperimentReport.State == nil {
		if e.ExperimentReportConfiguration == nil || skipped || gone {
			return none
		}
		return driver.Report{State: "pending"}
	}
	switch e.ExperimentReport.State.Status {
	case types.ExperimentReportStatusCompleted:
		for _, r := range e.ExperimentReport.S3Reports {
			if _, path, ok := strings.Cut(aws.ToString(r.Arn), ":s3:::"); ok {
				return driver.Report{State: "ready", URL: "s3://" + path}
			}
		}
		return none
	case types.ExperimentReportStatusFailed, types.ExperimentReportStatusCancelled:
		return none
	}
	return driver.Report{State: "pending"}
}

// Identity asks STS for the id of the account that the credentials belong to.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	return call(ctx, d, read, "get caller identity", func(ctx context.Context) (string, error) {
		out, err := d.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		if aws.ToString(out.Account) == "" {
			return "", fmt.Errorf("the reply names no account")
		}
		return aws.ToString(out.Account), nil
	})
}

// Facts says what this driver calls and what FIS cannot promise.
func (d *Driver) Facts() driver.Facts {
	return driver.Facts{
		Service:       drill.FIS,
		LookupIsExact: true,
		SignedFor:     signedFor,
		Cannot: []string{
			"FIS has no manual steps: a drill on it cannot be advanced by hand.",
			"FIS takes no parameters at start: what a run does is fixed in its template.",
			"AWS does not say for how long a client token is remembered: runs are found by tag as well.",
			"A preview resolves targets but does not prove the permissions to act, and a random selection may pick others.",
			"Actions without a rollback (terminate, reboot, failover, stop-task) are not undone by FIS.",
			"Of an action that is new to us, an automation or an SSM document of your own, FIS's word is not taken that it was undone.",
			"FIS forgets ended experiments after 120 days: the journal keeps its own copy.",
			"State change events are best effort: the timer finds what they miss.",
		},
		Permissions: []string{
			"fis:StartExperiment", "fis:StopExperiment", "fis:GetExperiment", "fis:ListExperiments", "fis:ListExperimentResolvedTargets",
			"fis:ListExperimentTemplates", "fis:TagResource", "fis:GetSafetyLever", "fis:UpdateSafetyLeverState", "sts:GetCallerIdentity",
		},
	}
}
