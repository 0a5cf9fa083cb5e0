package oos

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// Driver drives OOS in one account and region. It keeps no state between calls and is safe for concurrent use.
type Driver struct {
	cfg    driver.Config
	client *aliyun.Client
}

var (
	_ driver.Driver     = (*Driver)(nil)
	_ driver.Advancer   = (*Driver)(nil)
	_ driver.Concluder  = (*Driver)(nil)
	_ driver.Previewer  = (*Driver)(nil)
	_ driver.Recoverer  = (*Driver)(nil)
	_ driver.Finder     = (*Driver)(nil)
	_ driver.Lister     = (*Driver)(nil)
	_ driver.Describer  = (*Driver)(nil)
	_ driver.Identifier = (*Driver)(nil)
	_ driver.Handbook   = (*Driver)(nil)
	_ driver.Opener     = Open
)

// Open makes a driver for the region of the configuration. It makes no call.
func Open(cfg driver.Config) (driver.Driver, error) {
	c, err := aliyun.New(cfg, "oos."+cfg.Region+".aliyuncs.com")
	if err != nil {
		return nil, fmt.Errorf("open oos: %w", err)
	}
	return &Driver{cfg: cfg, client: c}, nil
}

// Code classifies an error of this driver.
func (d *Driver) Code(err error) driver.Code { return aliyun.Classify(err, codes()) }

// codes are the service's own error codes. All but the last three are listed on the vendor's StartExecution page;
// what a notification or cancellation at the wrong time answers is not documented, so Advance and Stop read again
// after any refusal instead of trusting a code.
func codes() aliyun.Codes {
	return aliyun.Codes{
		"InvalidVersion":            driver.Invalid,
		"InvalidAction.NotFound":    driver.Invalid,
		"User.NoPermission":         driver.Denied,
		"InvalidStsToken":           driver.Expired,
		"ExpiredStsToken":           driver.Expired,
		"QuotaExceed":               driver.Quota,
		"InvalidAccountType":        driver.Denied,
		"TemplateValidationError":   driver.Invalid,
		"AssumeRoleFailed":          driver.Denied,
		"MissingExecutionParameter": driver.Invalid,
		"UnknownExecutionParameter": driver.Invalid,
		"EntityNotExists.Template":  driver.NotFound,
		"EntityNotExists*":          driver.NotFound,
		"InvalidExecutionStatus*":   driver.NotNow,
	}
}

// Facts says what this driver calls and what it cannot promise.
func (d *Driver) Facts() driver.Facts {
	return driver.Facts{
		Service: drill.OOS,
		Cannot: []string{
			"OOS has no rollback: a stop ends the execution and undoes nothing; name a recovery template under recovery.",
			"OOS has no time limit for an execution; each task has a timeout of its own at most.",
			"A command that already runs on an instance may go on after its execution was cancelled.",
			"OOS does not say which tasks inject a fault; the driver tells it from the API that a task calls.",
			"OOS pushes an event on Started, Success and Failed only; Waiting and Cancelled are found by polling.",
		},
		Permissions: []string{
			"oos:StartExecution", "oos:NotifyExecution", "oos:CancelExecution", "oos:UpdateExecution",
			"oos:ListExecutions", "oos:ListTaskExecutions", "oos:ListExecutionLogs", "oos:GetExecutionTemplate",
			"oos:ListTemplates", "oos:GetTemplate", "oos:ValidateTemplateContent", "oos:ListExecutionRiskyTasks", "sts:GetCallerIdentity",
		},
		LookupIsExact: true,
		SignedFor:     aliyun.SignedFor,
	}
}

// Identity reads the id of the account that the credentials belong to.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	id, err := aliyun.Identity(ctx, d.cfg)
	if err != nil {
		return "", fmt.Errorf("read the account id: %w", err)
	}
	return id, nil
}

// ByHand is the vendor's command line that cancels an execution. It undoes nothing.
func (d *Driver) ByHand(run driver.Run) string {
	region := run.Region
	if region == "" {
		region = d.cfg.Region
	}
	return fmt.Sprintf("aliyun oos CancelExecution --RegionId %s --ExecutionId %s", region, run.ID)
}

// RecoverByHand is the vendor's command line that starts a recovery. A template that stands in the plan itself has none.
func (d *Driver) RecoverByHand(r driver.Request) string {
	b, err := parse(r)
	if err != nil || b.Content != "" {
		return ""
	}
	region := r.Region
	if region == "" {
		region = d.cfg.Region
	}
	line := "aliyun oos StartExecution --RegionId " + region
	for _, arg := range [][2]string{{"TemplateName", b.Template}, {"TemplateVersion", b.Version}, {"TemplateURL", b.URL}} {
		if arg[1] != "" {
			line += " --" + arg[0] + " " + quoted(arg[1])
		}
	}
	parameters := b.Parameters
	if parameters == nil {
		parameters = b.Inherit
	}
	if text, err := json.Marshal(parameters); err == nil && len(parameters) > 0 {
		line += " --Parameters " + quoted(string(text))
	}
	return line
}

// quoted is a text as one word of a shell.
func quoted(s string) string {
	if namePattern().MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (d *Driver) read(ctx context.Context, req requests.AcsRequest, out any) error {
	return d.client.Do(ctx, aliyun.Read, req, out)
}

func (d *Driver) write(ctx context.Context, req requests.AcsRequest, out any) error {
	return d.client.Do(ctx, aliyun.Write, req, out)
}

func notFound(action, id string) error {
	return aliyun.NewRefusal(action, aliyun.Read, 200, "EntityNotExists.Execution", "there is no execution "+id, "")
}
