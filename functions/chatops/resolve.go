package chatops

import (
	"context"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

const (
	fullID = 13 // characters of a whole drill id
	short  = 8  // characters of one as it is shown
	listed = 10 // candidates and rows in one answer
)

func shortID(id string) string { return id[:min(short, len(id))] }

// resolve finds the one drill whose id begins with prefix. A word that fits none or several is answered with what there is.
func (f *Function) resolve(ctx context.Context, prefix string) (string, error) {
	d, err := f.lookUp(ctx, prefix)
	if err != nil {
		return "", err
	}
	return d.ID, nil
}

// find does the same for a caller who needs a role, and tells a stranger nothing of what there is.
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

func (f *Function) lookUp(ctx context.Context, prefix string) (*drill.Drill, error) {
	prefix = strings.ToLower(prefix)
	if len(prefix) == fullID {
		if d, err := f.Reader.Drill(ctx, prefix); err == nil {
			return d, nil
		}
	}
	drills, err := f.Reader.Drills(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("find drill %s: %w", prefix, err)
	}
	for _, d := range drills {
		if strings.EqualFold(d.ID, prefix) {
			return d, nil
		}
	}
	switch len(drills) {
	case 1:
		return drills[0], nil
	case 0:
		return nil, &refusal{text: words.Say("no drill's id begins with %q. /drill status shows those that are active.", chat.Line(prefix, 40))}
	}
	var rows []string
	for _, d := range drills[:min(len(drills), listed)] {
		rows = append(rows, fmt.Sprintf("%s (%s, %s)", d.ID, d.Plan.Name, d.Status))
	}
	return nil, &refusal{text: words.Say("%d drills begin with %q: %s. Write more of the id.", len(drills), chat.Line(prefix, 40), strings.Join(rows, ", "))}
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
