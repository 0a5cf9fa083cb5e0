package cfg

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	tagDrill = "firedrill"
	tagRoot  = "firedrill-root"
	pageSize = 100 // the most that the API gives
	maxPages = 100
)

func mark(drillID string) string { return "[fd:" + drillID + "]" }

// title is the plan's title, cut to the limit by characters, and always ends with the drill's mark.
func (d *Driver) title(b block, r driver.Request) string {
	text := b.title
	for _, t := range []string{r.Title, r.Plan, "Firedrill"} {
		if strings.TrimSpace(text) == "" {
			text = t
		}
	}
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, ""))
	end := " " + mark(r.Drill)
	room := max(d.limit-utf8.RuneCountInString(end), 0)
	if runes := []rune(text); len(runes) > room {
		text = string(runes[:room])
	}
	return strings.TrimSpace(text) + end
}

// carries tells whether a title ends with the drill's mark.
func carries(title Text, drillID string) bool {
	return drillID != "" && strings.HasSuffix(strings.TrimSpace(string(title)), mark(drillID))
}

func (d *Driver) tags(b block, r driver.Request) []Tag {
	tags := append(slices.Clone(b.tags), Tag{tagDrill, Text(r.Drill)})
	if root := d.rootOf(r); root != "" {
		tags = append(tags, Tag{tagRoot, Text(root)})
	}
	return tags
}

func (d *Driver) rootOf(r driver.Request) string {
	if r.Root != "" {
		return r.Root
	}
	return d.root
}

// describe writes the journal's identity into a description, for the creator that takes no tags.
func describe(description, root string) string {
	if root == "" {
		return description
	}
	return strings.TrimSpace(description + " [fd-root:" + root + "]")
}

// Lookup finds the tasks of the drill by their tag and by their title's mark, on all pages, save those in r.Seen.
func (d *Driver) Lookup(ctx context.Context, r driver.Request) ([]driver.Run, error) {
	var runs []driver.Run
	for _, q := range []TaskQuery{{Tags: []Tag{{tagDrill, Text(r.Drill)}}}, {TaskTitle: "fd:" + r.Drill}} {
		items, err := d.list(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, t := range items {
			run := d.run(t.TaskId.String(), r.Role)
			if !carries(t.TaskTitle, r.Drill) && !slices.Contains(t.Tags, Tag{tagDrill, Text(r.Drill)}) ||
				slices.Contains(r.Seen, run.ID) || slices.Contains(runs, run) {
				continue
			}
			if t.TaskId <= 0 {
				return nil, fmt.Errorf("list cfg tasks: one of drill %s has no id that can be read", r.Drill)
			}
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// list reads all pages.
func (d *Driver) list(ctx context.Context, q TaskQuery) ([]TaskListItem, error) {
	var all []TaskListItem
	q.Limit = pageSize
	for range maxPages {
		items, total, err := d.api.DescribeTaskList(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		q.Offset += int64(len(items))
		if len(items) == 0 || q.Offset >= total {
			return all, nil
		}
	}
	return nil, fmt.Errorf("list cfg tasks: more than %d: end old tasks", maxPages*pageSize)
}

var (
	drillMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[fd:([^\]]+)\]$`) })
	rootMark  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[fd-root:([^\]]+)\]`) })
)

// Find lists the tasks that have been executed, are not ended and carry our mark. One whose faults are all recovered and
// which is paused or through is not live: there is nothing to stop.
func (d *Driver) Find(ctx context.Context) ([]driver.Found, error) {
	items, err := d.list(ctx, TaskQuery{TaskTitle: "[fd:", TaskStatusList: []int64{taskRunning, taskPaused}})
	if err != nil {
		return nil, err
	}
	var found []driver.Found
	for _, t := range items {
		m := drillMark().FindStringSubmatch(strings.TrimSpace(string(t.TaskTitle)))
		if m == nil {
			continue
		}
		run := d.run(t.TaskId.String(), drill.Main)
		o, err := d.Observe(ctx, run)
		switch {
		case codeOf(err) == driver.NotFound:
			continue
		case err != nil:
			return nil, err
		}
		found = append(found, driver.Found{Run: run, Drill: m[1], Root: rootIn(t), Live: !(o.Quiet && o.Restoration.Decided())})
	}
	return found, nil
}

// rootIn reads the journal's identity from a task's tags or description.
func rootIn(t TaskListItem) string {
	for _, tag := range t.Tags {
		if tag.TagKey == tagRoot {
			return string(tag.TagValue)
		}
	}
	if m := rootMark().FindStringSubmatch(string(t.TaskDescription)); m != nil {
		return m[1]
	}
	return ""
}

// Templates lists the templates in use, as blocks that need only their instances filled in.
func (d *Driver) Templates(ctx context.Context) ([]driver.Template, error) {
	var out []driver.Template
	q := TemplateQuery{Limit: pageSize, IsUsed: 1}
	for range maxPages {
		items, total, err := d.api.DescribeTemplateList(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			t, err := d.api.DescribeTemplate(ctx, int64(item.TemplateId))
			if err != nil {
				return nil, err
			}
			out = append(out, templateBlock(t))
		}
		q.Offset += int64(len(items))
		if len(items) == 0 || q.Offset >= total {
			break
		}
	}
	return out, nil
}

func templateBlock(t Template) driver.Template {
	var groups []any
	for _, g := range t.TemplateGroups {
		example := "ins-xxxxxxxx"
		if g.ObjectTypeId == 2 {
			example = "cdb-xxxxxxxx"
		}
		groups = append(groups, map[string]any{"instances": []any{example}})
	}
	if len(groups) == 0 {
		groups = []any{map[string]any{"instances": []any{"ins-xxxxxxxx"}}}
	}
	block := map[string]any{"template": int64(t.TemplateId), "groups": groups, "mode": "manual", "on_stop": onStopPause}
	if t.TemplateMode == autoMode {
		block["mode"] = "auto"
	}
	if t.deal() == dealRollback {
		block["on_stop"] = onStopRollback
	}
	return driver.Template{ID: t.TemplateId.String(), Name: string(t.TemplateTitle), Description: string(t.TemplateDescription), Block: block}
}

// deal is the template's PolicyDealType, wherever it stands.
func (t Template) deal() Num {
	if t.TemplatePolicy != nil && t.TemplatePolicy.TemplatePolicyDealType != 0 {
		return t.TemplatePolicy.TemplatePolicyDealType
	}
	return t.PolicyDealType
}
