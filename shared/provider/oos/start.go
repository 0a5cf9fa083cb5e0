package oos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/internal/aliyun"
)

// The tags that every execution of ours carries.
const (
	tagPrefix  = "firedrill:"
	tagDrill   = tagPrefix + "drill"
	tagRole    = tagPrefix + "role"
	tagRoot    = tagPrefix + "root"
	tagVerdict = tagPrefix + "verdict"
)

func marks(r driver.Request) map[string]string {
	m := map[string]string{tagDrill: r.Drill, tagRole: string(r.Role)}
	if r.Root != "" {
		m[tagRoot] = r.Root
	}
	return m
}

// clientToken makes the service's idempotency token from ours: ASCII, 51 characters. The vendor documents neither a limit
// nor how long it remembers; Lookup by tags covers what comes later.
func clientToken(r driver.Request) string {
	sum := sha256.Sum256([]byte(r.Root + "\x00" + r.Token))
	return "fd-" + hex.EncodeToString(sum[:24])
}

// Start starts the execution once per token.
func (d *Driver) Start(ctx context.Context, r driver.Request) (driver.Run, error) {
	b, err := parse(r)
	if err != nil {
		return driver.Run{}, fmt.Errorf("start oos execution: %w", err)
	}
	if err := d.inherit(ctx, &b); err != nil {
		return driver.Run{}, fmt.Errorf("read template %s: %w", b.Template, err)
	}
	req := oos.CreateStartExecutionRequest()
	req.TemplateName, req.TemplateVersion, req.TemplateContent, req.TemplateURL = b.Template, b.Version, b.Content, b.URL
	req.Mode, req.LoopMode, req.SafetyCheck, req.ResourceGroupId = b.Mode, b.LoopMode, b.SafetyCheck, b.ResourceGroup
	req.ClientToken, req.Description = clientToken(r), describe(b, r)
	tags := maps.Clone(b.Tags)
	maps.Copy(tags, marks(r))
	req.Tags = anyMap(tags)
	if len(b.Parameters) > 0 {
		text, err := json.Marshal(b.Parameters)
		if err != nil {
			return driver.Run{}, fmt.Errorf("start oos execution: parameters: %w: %w", driver.ErrInvalid, err)
		}
		req.Parameters = string(text)
	}
	var out struct{ Execution aliyun.One[execution] }
	err = d.write(ctx, req, &out)
	id := string(out.Execution.Value.ExecutionId)
	if id == "" {
		id = salvage(err)
	}
	switch {
	case id != "":
		return d.run(r, id), nil
	case err == nil:
		return driver.Run{}, &aliyun.Error{Action: "StartExecution", Kind: aliyun.Write, Stage: aliyun.Undecodable, Status: 200, Err: errors.New("no execution id")}
	}
	return driver.Run{}, fmt.Errorf("start oos execution of %s: %w", source(b), err)
}

func (d *Driver) run(r driver.Request, id string) driver.Run {
	return driver.Run{Service: drill.OOS, Account: r.Account, Region: r.Region, ID: id, Role: r.Role}
}

var idInBody = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"ExecutionId"\s*:\s*"([^"\\]{1,200})"`) })

// salvage finds the execution's id in a 2xx reply that cannot be decoded: the execution was started.
func salvage(err error) string {
	var e *aliyun.Error
	if !errors.As(err, &e) || e.Stage != aliyun.Undecodable {
		return ""
	}
	if m := idInBody().FindSubmatch(e.Body); m != nil {
		return string(m[1])
	}
	return ""
}

func source(b block) string {
	switch {
	case b.Template != "":
		return b.Template
	case b.URL != "":
		return "a template URL"
	}
	return "template content"
}

func describe(b block, r driver.Request) string {
	text := b.Description
	if text == "" {
		text = r.Title
	}
	return cut(text, 150) + " [fd:" + r.Drill + "]"
}

// inherit takes over those of the main run's parameters that a recovery template declares.
func (d *Driver) inherit(ctx context.Context, b *block) error {
	if len(b.Inherit) == 0 {
		return nil
	}
	t, err := d.template(ctx, *b)
	if err != nil {
		return err
	}
	params := map[string]any{}
	for k, v := range b.Inherit {
		if _, declared := t.Parameters[k]; declared {
			params[k] = v
		}
	}
	b.Parameters = params
	return nil
}

// Lookup finds the executions that carry the request's tags.
func (d *Driver) Lookup(ctx context.Context, r driver.Request) ([]driver.Run, error) {
	found, err := d.executions(ctx, marks(r), "")
	if err != nil {
		return nil, fmt.Errorf("look up oos executions of drill %s: %w", r.Drill, err)
	}
	var runs []driver.Run
	for _, e := range found {
		if id := string(e.ExecutionId); !slices.Contains(r.Seen, id) {
			runs = append(runs, d.run(r, id))
		}
	}
	return runs, nil
}

// Find lists the live executions that carry this journal's root.
func (d *Driver) Find(ctx context.Context) ([]driver.Found, error) {
	want := map[string]string{}
	if d.cfg.Root != "" {
		want[tagRoot] = d.cfg.Root
	}
	var out []driver.Found
	seen := map[aliyun.Text]bool{}
	for _, status := range []string{"Started", "Pending", "Running", "Waiting"} { // the documented filters that are not final
		found, err := d.executions(ctx, want, status)
		if err != nil {
			return nil, fmt.Errorf("find oos executions: %w", err)
		}
		for _, e := range found {
			if e.Tags[tagDrill] == "" || seen[e.ExecutionId] || e.final() {
				continue
			}
			seen[e.ExecutionId] = true
			out = append(out, driver.Found{
				Run:   driver.Run{Service: drill.OOS, Account: d.cfg.Account, Region: d.cfg.Region, ID: string(e.ExecutionId), Role: drill.Role(e.Tags[tagRole])},
				Drill: string(e.Tags[tagDrill]), Root: string(e.Tags[tagRoot]), Live: true,
			})
		}
	}
	return out, nil
}
