package oos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"
	"go.yaml.in/yaml/v3"

	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// content is what we read of a template: what it asks for, and what its tasks are called.
type content struct {
	Parameters map[string]struct {
		Default any `yaml:"Default"`
	} `yaml:"Parameters"`
	Tasks []struct {
		Name string `yaml:"Name"`
	} `yaml:"Tasks"`
	raw string
}

// parseTemplate reads YAML or JSON.
func parseTemplate(text string) (content, error) {
	c := content{raw: text}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		return content{}, errors.New("the template is neither yaml nor json")
	}
	return c, nil
}

// template reads the block's template.
func (d *Driver) template(ctx context.Context, b block) (content, error) {
	if b.Content != "" {
		return parseTemplate(b.Content)
	}
	if b.Template == "" {
		return content{}, nil
	}
	req := oos.CreateGetTemplateRequest()
	req.TemplateName, req.TemplateVersion = b.Template, b.Version
	var out struct{ Content aliyun.Text }
	if err := d.read(ctx, req, &out); err != nil {
		return content{}, err
	}
	return parseTemplate(string(out.Content))
}

// Preview proves the syntax: the templates exist and are valid, the parameters fit, and it names the tasks that the vendor
// holds risky. OOS resolves no targets before a run.
func (d *Driver) Preview(ctx context.Context, r driver.Request) (driver.Preview, error) {
	b, err := parse(r)
	if err != nil {
		return driver.Preview{}, fmt.Errorf("preview oos template: %w", err)
	}
	p := driver.Preview{Proved: "syntax", Done: true}
	list := []*block{&b}
	if b.Recovery == nil {
		p.Notes = append(p.Notes, "the plan names no recovery template: nothing undoes the fault if the run is stopped")
	} else {
		if b.Recovery.Parameters == nil {
			b.Recovery.Inherit = b.Parameters
		}
		list = append(list, b.Recovery)
	}
	for _, x := range list {
		refusal, err := d.prove(ctx, x)
		if err != nil {
			return driver.Preview{}, fmt.Errorf("preview oos template %s: %w", source(*x), err)
		}
		if refusal != "" {
			p.Refusal = refusal
			return p, nil
		}
	}
	notes, err := d.risky(ctx, b)
	if err != nil {
		return driver.Preview{}, fmt.Errorf("list risky tasks of %s: %w", source(b), err)
	}
	p.Notes = append(p.Notes, notes...)
	return p, nil
}

// prove checks one template and its parameters; it returns why the run would not work.
func (d *Driver) prove(ctx context.Context, b *block) (string, error) {
	t, err := d.template(ctx, *b)
	if err == nil {
		err = d.validate(ctx, t.raw, b.URL)
	}
	switch d.Code(err) {
	case driver.OK:
	case driver.NotFound:
		return fmt.Sprintf("template %s %s does not exist in region %s", b.Template, b.Version, d.cfg.Region), nil
	case driver.Invalid:
		return fmt.Sprintf("template %s is not valid: %v", source(*b), err), nil
	default:
		return "", err
	}
	if b.URL != "" {
		return "", nil // its parameters are not known here
	}
	given := b.Parameters
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if _, ok := t.Parameters[k]; !ok {
			return fmt.Sprintf("template %s has no parameter %s", source(*b), k), nil
		}
	}
	for _, k := range slices.Sorted(maps.Keys(t.Parameters)) {
		if t.Parameters[k].Default == nil && given[k] == nil && b.Inherit[k] == nil {
			return fmt.Sprintf("template %s needs the parameter %s", source(*b), k), nil
		}
	}
	return "", nil
}

func (d *Driver) validate(ctx context.Context, text, url string) error {
	req := oos.CreateValidateTemplateContentRequest()
	req.Content, req.TemplateURL = text, url
	return d.read(ctx, req, nil)
}

func (d *Driver) risky(ctx context.Context, b block) ([]string, error) {
	if b.Template == "" {
		return nil, nil
	}
	req := oos.CreateListExecutionRiskyTasksRequest()
	req.TemplateName = b.Template
	var out struct {
		RiskyTasks aliyun.List[struct {
			Service, API aliyun.Text
			Task         aliyun.List[string]
		}]
	}
	if err := d.read(ctx, req, &out); err != nil {
		return nil, err
	}
	var notes []string
	for _, t := range out.RiskyTasks {
		what := "runs unasked, because safety_check is Skip"
		if b.SafetyCheck != checkSkip {
			what = "waits for a confirmation"
		}
		notes = append(notes, fmt.Sprintf("risky: %s %s in task %v %s", t.Service, t.API, []string(t.Task), what))
	}
	return notes, nil
}

// Templates lists the account's own templates; the public ones run to hundreds.
func (d *Driver) Templates(ctx context.Context) ([]driver.Template, error) {
	var all []driver.Template
	err := pages(ctx, func(ctx context.Context, token string) (string, error) {
		req := oos.CreateListTemplatesRequest()
		req.ShareType, req.NextToken, req.MaxResults = "Private", token, requests.NewInteger(100)
		var out struct {
			Templates aliyun.List[struct{ TemplateId, TemplateName, TemplateVersion, Description aliyun.Text }]
			NextToken aliyun.Text
		}
		if err := d.read(ctx, req, &out); err != nil {
			return "", err
		}
		for _, t := range out.Templates {
			all = append(all, driver.Template{
				ID: string(t.TemplateId), Name: string(t.TemplateName), Description: string(t.Description),
				Block: map[string]any{"template": string(t.TemplateName), "version": string(t.TemplateVersion), "mode": modeAutomatic, "safety_check": checkConfirm},
			})
		}
		return string(out.NextToken), nil
	})
	if err != nil {
		return nil, fmt.Errorf("list oos templates: %w", err)
	}
	return all, nil
}
