package chatops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	fullID = 13 // characters of a whole drill id
	short  = 8  // characters of one as it is shown
	listed = 10 // candidates and rows in one answer
)

func shortID(id string) string { return id[:min(short, len(id))] }

// resolve returns the whole id of the drill that a stop is about. An id with too much behind it is still that drill's.
func (f *Function) resolve(ctx context.Context, prefix string) (string, error) {
	ids, err := f.beginning(ctx, prefix)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", &refusal{text: words.Say("no drill's id begins with %q. /drill status shows those that are active, and /drill stop all stops every one.", chat.Line(prefix, 40))}
	case len(ids) > 1:
		return "", f.ambiguous(ctx, prefix, ids)
	}
	return ids[0], nil
}

// beginning returns the drills whose id begins with prefix: the active ones, or where none does, those that are over.
func (f *Function) beginning(ctx context.Context, prefix string) ([]string, error) {
	ids, err := f.matching(ctx, prefix)
	if err == nil && len(ids) == 0 {
		ids, err = f.Reader.Newest(ctx, prefix)
	}
	if err != nil {
		return nil, fmt.Errorf("find drill %s: %w", prefix, err)
	}
	return ids, nil
}

// matching returns the active drills whose id begins with a prefix, or is the beginning of it.
func (f *Function) matching(ctx context.Context, prefix string) ([]string, error) {
	ids, err := f.Reader.Active(ctx)
	if err != nil {
		return nil, fmt.Errorf("list active drills: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !strings.HasPrefix(id, prefix) && !strings.HasPrefix(prefix, id)
	}), nil
}

// find finds the one drill whose id begins with prefix, for a caller who needs a role, and tells a stranger nothing of what there is.
func (f *Function) find(ctx context.Context, c caller, verb grammar.Verb, prefix string) (*drill.Drill, error) {
	d, err := f.lookUp(ctx, prefix)
	return d, f.unlessStranger(c, verb, prefix, err)
}

// unlessStranger returns err, or a *denial where the caller has no role at all.
func (f *Function) unlessStranger(c caller, verb grammar.Verb, about string, err error) error {
	if err == nil || f.Access().Known(c.actor) {
		return err
	}
	return f.may(c, verb, "", about)
}

// lookUp finds one drill. A word that fits none or several is answered with what
// there is.
func (f *Function) lookUp(ctx context.Context, prefix string) (*drill.Drill, error) {
	prefix = strings.ToLower(prefix)
	none := &refusal{text: words.Say("no drill's id begins with %q. /drill status shows those that are active.", chat.Line(prefix, 40))}
	if len(prefix) > fullID {
		return nil, none
	}
	ids := []string{prefix}
	if len(prefix) < fullID {
		var err error
		if ids, err = f.beginning(ctx, prefix); err != nil {
			return nil, err
		}
	}
	switch len(ids) {
	case 0:
		return nil, none
	case 1:
		d, err := f.Reader.Drill(ctx, ids[0])
		if errors.Is(err, journal.ErrNotFound) {
			return nil, none
		}
		return d, err
	}
	return nil, f.ambiguous(ctx, prefix, ids)
}

// ambiguous says which drills a prefix fits. Those that cannot be read are named all the same.
func (f *Function) ambiguous(ctx context.Context, prefix string, ids []string) error {
	rows := make([]string, min(len(ids), listed))
	for i := range rows {
		rows[i] = ids[i]
		if d, err := f.Reader.Drill(ctx, ids[i]); err == nil {
			rows[i] = fmt.Sprintf("%s (%s, %s)", d.ID, d.Plan.Name, d.Status)
		}
	}
	return &refusal{text: words.Say("%d drills begin with %q: %s. Write more of the id.", len(ids), chat.Line(prefix, 40), strings.Join(rows, ", "))}
}

// findPlan returns the plan with this name; letters count, so that two plans never stand for one another.
func findPlan(plans []Plan, name string) (Plan, error) {
	var names []string
	for _, p := range plans {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	fix := words.Say("/drill list shows them all")
	if n := grammar.Near(name, names); n != "" {
		fix = words.Say("did you mean %q", n)
	}
	return Plan{}, &refusal{text: words.Say("there is no plan %q: %s.", chat.Line(name, 60), fix)}
}
