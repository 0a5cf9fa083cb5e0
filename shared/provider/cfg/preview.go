package cfg

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// planned is one action that a block would bring about, with the settings it would have.
type planned struct {
	id, objectType int64
	name, custom   string
	recovery       bool
	undone         bool // it is a fault and has a recovery
}

// Preview proves syntax: the template exists, is in use and has as many groups as the plan; the actions that the plan
// changes exist; each action may be used by this account and has its required fields. It says which faults cannot be
// undone and which actions are being withdrawn. It makes no task. The service does not resolve targets before a run.
func (d *Driver) Preview(ctx context.Context, r driver.Request) (driver.Preview, error) {
	p := driver.Preview{Proved: "syntax", Done: true}
	b, err := parseBlock(r.Block)
	if err != nil {
		return p, err
	}
	var actions []planned
	if b.template != 0 {
		t, err := d.api.DescribeTemplate(ctx, b.template)
		if err != nil {
			return p, err
		}
		if p.Refusal = t.misfit(b); p.Refusal != "" {
			return p, nil
		}
		actions = t.planned(b)
	} else {
		actions = b.planned()
	}
	for _, g := range b.groups {
		for _, id := range g.instances {
			p.Targets = append(p.Targets, drill.Target{ID: id})
		}
	}
	for _, id := range b.instances {
		if b.template == 0 {
			p.Targets = append(p.Targets, drill.Target{ID: id})
		}
	}
	return p, d.inspect(ctx, actions, &p)
}

// misfit says why the template cannot be used with the block.
func (t Template) misfit(b block) string {
	if t.TemplateIsUsed == 2 {
		return fmt.Sprintf("template %d (%s) is disabled: enable it in the console or choose another", b.template, t.TemplateTitle)
	}
	if have, want := len(b.groups), len(t.TemplateGroups); have != want {
		return fmt.Sprintf("template %d (%s) has %d action groups and the plan gives instances for %d: list one entry in groups for each", b.template, t.TemplateTitle, want, have)
	}
	for i, g := range b.groups {
		for _, o := range g.actions {
			if !slices.ContainsFunc(t.TemplateGroups[i].TemplateGroupActions, func(a TemplateAction) bool { return int64(a.Order) == o.order }) {
				return fmt.Sprintf("groups[%d].actions.%d: group %q of template %d has no action of that order; the service would silently ignore it", i, o.order, t.TemplateGroups[i].Title, b.template)
			}
		}
	}
	return ""
}

func (t Template) planned(b block) []planned {
	var out []planned
	for i, g := range t.TemplateGroups {
		for _, a := range g.TemplateGroupActions {
			pl := planned{id: int64(a.ActionId), objectType: int64(g.ObjectTypeId), name: string(a.ActionTitle), custom: string(a.CustomConfiguration),
				recovery: a.ActionAttribute == recoveryAttribute, undone: a.RecoverId != 0}
			for _, o := range b.groups[i].actions {
				if o.order == int64(a.Order) {
					if changed := overlay(string(a.CustomConfiguration), o.custom); changed != "" {
						pl.custom = changed
					}
				}
			}
			out = append(out, pl)
		}
	}
	return out
}

func (b block) planned() []planned {
	object := b.objectType
	for prefix, id := range map[string]int64{"ins-": 1, "cdb-": 2} { // CVM, MySQL
		if object == 0 && len(b.instances) > 0 && strings.HasPrefix(b.instances[0], prefix) {
			object = id
		}
	}
	var out []planned
	for _, a := range b.actions {
		out = append(out, planned{id: a.id, objectType: object, custom: overlay("", a.custom)})
	}
	return out
}

// inspect asks the action library and the field lists about the actions, one object type at a time.
func (d *Driver) inspect(ctx context.Context, actions []planned, p *driver.Preview) error {
	byType := map[int64][]int64{}
	var types []int64
	for _, a := range actions {
		if a.objectType == 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("action %d was not checked: set object_type to the id of its kind of resource", a.id))
			continue
		}
		if byType[a.objectType] == nil {
			types = append(types, a.objectType)
		}
		if !slices.Contains(byType[a.objectType], a.id) {
			byType[a.objectType] = append(byType[a.objectType], a.id)
		}
	}
	for _, object := range types {
		ids := byType[object]
		library, _, err := d.api.DescribeActionLibraryList(ctx, LibraryQuery{Limit: pageSize, ObjectType: object, ActionIds: ids})
		if err != nil {
			return err
		}
		if p.Refusal = notAllowed(library, ids); p.Refusal != "" {
			return nil
		}
		fields, err := d.api.DescribeActionFieldConfigList(ctx, ids, object)
		if err != nil {
			return err
		}
		p.Notes = append(p.Notes, offline(fields.ResourceOffline)...)
		for _, a := range actions {
			if a.objectType != object {
				continue
			}
			a.learn(library)
			if p.Refusal = a.lacks(fields.Results); p.Refusal != "" {
				return nil
			}
			if !a.recovery && !a.undone {
				p.Notes = append(p.Notes, fmt.Sprintf("action %d %s cannot be undone: a stop waits until it ends by itself", a.id, a.name))
			}
		}
	}
	return nil
}

// notAllowed names an action that the library does not have or that the account may not use.
func notAllowed(library []LibraryAction, ids []int64) string {
	for _, id := range ids {
		i := slices.IndexFunc(library, func(a LibraryAction) bool { return int64(a.ActionId) == id })
		if i < 0 {
			return fmt.Sprintf("action %d is not in the action library for this kind of resource", id)
		}
		if allowed := library[i].IsAllowed; allowed != nil && !*allowed {
			return fmt.Sprintf("action %d %s is not open to this account: ask Tencent to allow it, or choose another", id, library[i].ActionName)
		}
	}
	return ""
}

func offline(list []ResourceOffline) []string {
	var notes []string
	for _, o := range list {
		notes = append(notes, fmt.Sprintf("action %s is withdrawn at %s: %s", o.ResourceId, o.ResourceDeleteTime, o.ResourceDeleteMessage))
	}
	return notes
}

// learn fills in what the library knows of the action.
func (a *planned) learn(library []LibraryAction) {
	for _, l := range library {
		if int64(l.ActionId) == a.id {
			a.name = string(l.ActionName)
			a.recovery = l.AttributeId == recoveryAttribute
			a.undone = a.undone || l.RelationActionId != 0
		}
	}
}

// lacks names a required custom field that has neither a value nor a default.
func (a *planned) lacks(fields []FieldConfig) string {
	given := map[string]any{}
	_ = json.Unmarshal([]byte(a.custom), &given) // no fields then
	for _, f := range fields {
		if int64(f.ActionId) != a.id {
			continue
		}
		for _, detail := range f.ConfigDetail {
			if v := given[string(detail.Field)]; detail.Required == 1 && detail.DefaultValue == "" && (v == nil || v == "") {
				return fmt.Sprintf("action %d %s needs the custom field %s (%s)", a.id, a.name, detail.Field, detail.Lable)
			}
		}
	}
	return ""
}
