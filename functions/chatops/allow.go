package chatops

import (
	"context"
	"errors"
	"strings"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// denial is a refusal for want of a right.
type denial struct {
	about string
	text  words.Phrase
}

// Error returns the text in English.
func (d *denial) Error() string { return d.text.String() }

// carried returns a *denial where the caller's words do not carry the verb by themselves. A button's token does.
func carried(p access.Policy, c caller, verb grammar.Verb, about string) error {
	if c.pressed || p.Under(c.platform, string(verb)) == nil {
		return nil
	}
	return &denial{about: about, text: words.Say("%s does not sign what is typed, and %s takes more: use the button of the drill's message, or another platform", c.platform, string(verb))}
}

// inWords says why somebody may not do something, and what would help.
func inWords(d *access.Denied) words.Phrase {
	in := words.Say("")
	if d.Environment != "" && d.Environment != access.Everywhere {
		in = words.Say(" in %s", d.Environment)
	}
	if d.Has == "" {
		return words.Say("you may not %s%s: nothing is bound to you here. Give an admin this id to bind to a role: %s", d.Verb, in, d.Actor)
	}
	return words.Say("you may not %s%s: that takes %s, and you (%s) are %s", d.Verb, in, d.Needs, d.Actor, d.Has)
}

// may returns a *denial unless the caller may do what the verb says in the environment. about is what the command is about.
func (f *Function) may(c caller, verb grammar.Verb, environment, about string) error {
	p := f.Access()
	if err := carried(p, c, verb, about); err != nil {
		return err
	}
	err := p.May(c.actor, string(verb), environment)
	var no *access.Denied
	if errors.As(err, &no) {
		return &denial{about: about, text: inWords(no)}
	}
	return err
}

// mayApprove is the same for the approval before a start: the plan says whose it must be.
func (f *Function) mayApprove(c caller, verb grammar.Verb, d *drill.Drill) error {
	p, role := f.Access(), d.Plan.Approver()
	if err := carried(p, c, verb, d.ID); err != nil {
		return err
	}
	if p.Holds(c.actor, role, d.Plan.Environment) {
		return nil
	}
	no := &access.Denied{Actor: c.actor, Verb: string(verb), Environment: d.Plan.Environment, Needs: role}
	if p.Known(c.actor) {
		no.Has = "not one"
	}
	return &denial{about: d.ID, text: inWords(no)}
}

// scopeEnvironment is where somebody must hold a role to move a lever of that scope.
func (f *Function) scopeEnvironment(ctx context.Context, scope string) string {
	kind, name, _ := strings.Cut(scope, "/")
	switch kind {
	case "environment":
		return name
	case "plan":
		if plans, err := f.Reader.Plans(ctx); err == nil {
			if p, err := findPlan(plans, name); err == nil {
				return p.Environment
			}
		}
	}
	return access.Everywhere
}

// deny records a refusal. One that cannot be recorded is in the log, which says so.
func (f *Function) deny(ctx context.Context, c caller, verb grammar.Verb, no *denial) {
	d := journal.Denial{At: f.Now(), ID: c.native, Actor: c.actor, Verb: string(verb), About: no.about, Reason: no.Error()}
	f.Log.Warn("refused", "check", "access", "actor", c.actor, "verb", string(verb), "drill", no.about)
	if err := f.Memory.Deny(ctx, d); err != nil {
		f.Log.Error("refusal not recorded", "actor", c.actor, "verb", string(verb), "error", err)
	}
}
