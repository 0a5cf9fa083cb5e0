package chatops

import (
	"context"
	"errors"
	"fmt"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// press reads a button's token and finds what it is about. The state of the drill decides, not the card: a button whose question is
// answered is told by whom. Whether the one who pressed it may is asked afterwards, as for typed words.
func (f *Function) press(ctx context.Context, c *caller, t string) (order, error) {
	p, err := f.Keys.OpenPress(t, f.Now())
	expired := errors.Is(err, token.ErrExpired)
	if err != nil && !expired {
		return order{}, &denial{about: "button", text: words.Say("this button is none of ours; type the command instead, /drill help shows them all")}
	}
	o := order{Command: grammar.Command{Verb: grammar.Verb(p.Verb), Drill: p.Drill}}
	if o.Verb == grammar.Stop {
		return o, nil // a stop is taken from any button of ours, however old, and waits for nothing
	}
	if by, err := f.Memory.Pressed(ctx, t, c.actor); err == nil && by != "" && by != c.native {
		return o, f.stale(ctx, p, words.Say("you have pressed this button before"))
	}
	if expired {
		return o, f.stale(ctx, p, words.Say("this button has expired"))
	}
	if o.Verb == grammar.Halt {
		o.Scope, err = f.planOf(ctx, p.Of)
		return o, err
	}
	d, err := f.Reader.Drill(ctx, p.Drill)
	if errors.Is(err, journal.ErrNotFound) {
		return o, &refusal{text: words.Say("there is no drill %s any more", shortID(p.Drill))}
	}
	if err != nil {
		return o, fmt.Errorf("load drill %s: %w", p.Drill, err)
	}
	o.drill = d
	if o.Verb == messages.Yes || o.Verb == messages.No {
		return f.claim(o, d, p)
	}
	for _, g := range d.Gates {
		if messages.OfGate(d, g.ID) == p.Of {
			o.gate = g.ID
			return o, nil
		}
	}
	return o, &refusal{text: f.happened(d, p, words.Say("this is decided already")), drill: d.ID}
}

// claim turns a pressed yes or no into an answer.
func (f *Function) claim(o order, d *drill.Drill, p token.Press) (order, error) {
	for i, c := range d.Plan.Expect {
		if messages.OfClaim(c.ID) != p.Of {
			continue
		}
		if a := d.Claims[i].Answer; a != nil {
			return o, &refusal{text: words.Say("%s: %s answered %s at %s already.", chat.Line(c.Claim, maxName), a.Actor, words.Say(yesNo(a.Holds)), when(a.At, d.Plan.Timezone)), drill: d.ID}
		}
		o.Claim, o.Holds, o.Verb = c.ID, o.Verb == messages.Yes, grammar.Answer
		return o, nil
	}
	return o, &refusal{text: words.Say("this claim is not the drill's any more"), drill: d.ID}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// planOf finds the plan that a button of an announcement is about.
func (f *Function) planOf(ctx context.Context, of string) (scope string, err error) {
	plans, err := f.Reader.Plans(ctx)
	if err != nil {
		return "", fmt.Errorf("read plans: %w", err)
	}
	for _, p := range plans {
		if messages.OfPlan(p.Name) == of {
			return "plan/" + p.Name, nil
		}
	}
	return "", &refusal{text: words.Say("this plan is not in the catalogue any more")}
}

// stale answers a press that comes too late with what has become of what was asked.
func (f *Function) stale(ctx context.Context, p token.Press, why words.Phrase) error {
	d, err := f.Reader.Drill(ctx, p.Drill)
	if err != nil {
		return &refusal{text: words.Say("%s. /drill status shows what is active.", why)}
	}
	return &refusal{text: f.happened(d, p, why), drill: d.ID}
}

// happened says why a press does nothing, who was first where somebody was, and where the drill stands.
func (f *Function) happened(d *drill.Drill, p token.Press, why words.Phrase) words.Phrase {
	who := words.Say("")
	if a := d.Approvals; a != nil && messages.OfGate(d, a.Gate) == p.Of {
		for _, v := range a.Votes {
			who = words.Say(": approved by %s at %s", v.Actor, when(v.At, d.Plan.Timezone))
		}
		if d.Refusal != nil {
			who = words.Say(": %s", chat.Line(d.Refusal.Reason, 200))
		}
	}
	for _, a := range d.Answers {
		if messages.OfGate(d, a.Gate) == p.Of {
			who = words.Say(": %s chose %s at %s", a.Actor, a.Action, when(a.At, d.Plan.Timezone))
		}
	}
	return words.Say("%s%s. Drill %s is %s now.", why, who, shortID(d.ID), words.Say(string(d.Status)))
}

// used records the press, now that it has done its work, and says it for the card. A token that was used cannot be used by the same person again;
// where the record fails, the journal's own rules still make a second press change nothing.
func (f *Function) used(ctx context.Context, c caller, t string, reply *Reply, o order) {
	if reply.Failed || len(reply.Events) == 0 {
		return
	}
	reply.Done = messages.Done(c.lang, string(o.Verb), o.Holds)
	if o.Verb == grammar.Stop {
		return // pressed again, it is asked for again
	}
	if err := f.Memory.Press(ctx, t, c.actor, c.native); err != nil {
		f.Log.Warn("press not recorded", "actor", c.actor, "verb", string(o.Verb), "drill", o.Drill, "error", err)
	}
}
