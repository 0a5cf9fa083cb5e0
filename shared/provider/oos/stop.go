package oos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Stop cancels the execution, at once and without a read before it. A refusal is checked with a read: an execution that
// has ended is what was wanted. Nothing is rolled back.
func (d *Driver) Stop(ctx context.Context, run driver.Run, _ driver.Stop) error {
	req := oos.CreateCancelExecutionRequest()
	req.ExecutionId = run.ID
	err := d.write(ctx, req, nil)
	switch d.Code(err) {
	case driver.OK:
		return nil
	case driver.Invalid, driver.NotNow, driver.Conflict, driver.Unknown:
		if e, again := d.execution(ctx, run.ID); again == nil && e.final() {
			return nil
		}
	}
	return fmt.Errorf("cancel oos execution %s: %w", run.ID, err)
}

// Conclude writes the verdict into the execution's description and tags. It keeps the tags that are there, because the
// vendor does not say whether an update replaces them.
func (d *Driver) Conclude(ctx context.Context, run driver.Run, c driver.Conclusion) error {
	e, err := d.execution(ctx, run.ID)
	if err != nil {
		return fmt.Errorf("read oos execution %s before its conclusion: %w", run.ID, err)
	}
	tags := map[string]string{}
	for k, v := range e.Tags {
		tags[k] = string(v)
	}
	maps.Copy(tags, map[string]string{tagVerdict: c.Verdict})
	if tags[tagDrill] == "" {
		tags[tagDrill] = c.Drill
	}
	text, err := json.Marshal(tags)
	if err != nil {
		return fmt.Errorf("conclude oos execution %s: %w", run.ID, err)
	}
	req := oos.CreateUpdateExecutionRequest()
	req.ExecutionId, req.Tags = run.ID, string(text)
	req.Description = cut(c.Verdict+": "+c.Summary, 150) + " [fd:" + c.Drill + "]"
	if c.Link != "" && len(c.Link) <= 100 {
		req.Description += " " + c.Link
	}
	if err := d.write(ctx, req, nil); err != nil {
		return fmt.Errorf("conclude oos execution %s: %w", run.ID, err)
	}
	return nil
}
