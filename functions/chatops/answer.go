package chatops

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// maxWrong is the most runes about parameters that are wrong.
const maxWrong = 600

// caller is who sent a command, and under which id of their own.
type caller struct {
	platform string
	origin   string // platform:tenant
	native   string // the request's id at its platform
	actor    string // platform:tenant/user
	pressed  bool   // by a button, whose token says that we asked for it
	lang     words.Lang
}

// say is a text in the caller's language.
func (c caller) say(format string, args ...any) string { return c.in(words.Say(format, args...)) }

func (c caller) in(p words.Phrase) string { return p.In(c.lang, chinese()) }

// order is what somebody wants: a command, and for a pressed button exactly what it was about.
type order struct {
	grammar.Command
	gate  string       // the gate that a button answers, "" for the one open gate
	drill *drill.Drill // as a button's press found it; nil for typed commands
}

// take carries out what somebody typed or pressed. An error means that nothing is known to have been taken: it should be sent again.
func (f *Function) take(ctx context.Context, in chat.Incoming) (Reply, error) {
	c := caller{platform: string(in.From.Platform), origin: string(in.From.Platform) + ":" + in.From.Tenant, native: in.ID, actor: in.From.String(), lang: words.LangOf(f.lang(in))}
	reply, err := f.answer(ctx, &c, in)
	var no *refusal
	var denied *denial
	switch {
	case errors.As(err, &denied):
		reply, err = Reply{Text: f.said(c.in(denied.text)), Failed: true}, nil
	case errors.As(err, &no):
		reply, err = Reply{Text: c.in(no.text), Drill: no.drill, Failed: true}, nil
	case errors.Is(err, events.ErrInvalid):
		reply, err = Reply{Text: c.say("that cannot be sent: %s", chat.Line(err.Error(), 300)), Failed: true}, nil
	}
	if err != nil {
		err = fmt.Errorf("command of %s: %w", c.actor, err)
	}
	if !in.Says {
		f.tell(ctx, in, reply)
	}
	return reply, err
}

func (f *Function) answer(ctx context.Context, c *caller, in chat.Incoming) (Reply, error) {
	var o order
	var err error
	if in.Token != "" {
		c.pressed = true
		o, err = f.press(ctx, c, in.Token)
	} else {
		o.Command, err = f.read(ctx, in)
	}
	var wrong *grammar.Error
	if errors.As(err, &wrong) {
		return Reply{Text: wrong.In(c.lang), Failed: true}, nil
	}
	var reply Reply
	switch {
	case err != nil:
	case !o.Mutates():
		return f.show(ctx, *c, o.Command)
	default:
		reply, err = f.act(ctx, *c, o)
	}
	var denied *denial
	if errors.As(err, &denied) {
		f.deny(ctx, *c, o.Verb, denied)
	}
	if err != nil {
		return Reply{Text: c.say("not recorded, please send it again")}, err
	}
	if c.pressed {
		f.used(ctx, *c, in.Token, &reply, o)
	}
	return reply, nil
}

// refusal is an answer to the person: nothing was done, and sending the command again will not help.
type refusal struct {
	text  words.Phrase
	drill string
}

// Error returns the text in English.
func (r *refusal) Error() string { return r.text.String() }

// act makes the command's event and sends it.
func (f *Function) act(ctx context.Context, c caller, o order) (Reply, error) {
	switch o.Verb {
	case grammar.Start:
		return f.start(ctx, c, o.Command)
	case grammar.Stop:
		return f.stop(ctx, c, o.Command)
	case grammar.Halt:
		if err := f.may(c, o.Verb, "", o.Scope); err != nil {
			return Reply{}, err
		}
		return f.halt(ctx, c, o.Command)
	case grammar.Release:
		return f.release(ctx, c, o.Command)
	}
	return f.onDrill(ctx, c, o)
}

// onDrill sends the commands about one drill.
func (f *Function) onDrill(ctx context.Context, c caller, o order) (Reply, error) {
	d := o.drill
	if d == nil {
		var err error
		if d, err = f.find(ctx, c, o.Verb, o.Drill); err != nil {
			return Reply{}, err
		}
	}
	o.Drill = d.ID
	err := f.may(c, o.Verb, d.Plan.Environment, d.ID)
	if start := d.AwaitsApproval() && (o.gate == "" || o.gate == d.Approvals.Gate); start && (o.Verb == grammar.Approve || o.Verb == grammar.Reject) {
		err = f.mayApprove(c, o.Verb, d)
	}
	if err != nil {
		return Reply{}, err
	}
	switch o.Verb {
	case grammar.Approve:
		return f.approve(ctx, c, o)
	case grammar.Answer:
		if err := asked(d, o.Claim); err != nil {
			return Reply{}, err
		}
	}
	p, said := f.payload(c, o)
	reply, err := f.publish(ctx, c, p, o.Drill, said)
	reply.Drill = o.Drill
	return reply, err
}

// asked returns a *refusal unless the drill has a claim of that name that a person is asked about.
func asked(d *drill.Drill, claim string) error {
	c, _, ok := d.ClaimFor(claim)
	switch {
	case ok && c.Ask != "":
		return nil
	case ok:
		return &refusal{text: words.Say("claim %s of drill %s is measured: nobody is asked", c.ID, d.ID), drill: d.ID}
	}
	var ids []string
	for _, c := range d.Plan.Expect {
		if c.Ask != "" {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return &refusal{text: words.Say("drill %s asks nobody about a claim", d.ID), drill: d.ID}
	}
	return &refusal{text: words.Say("drill %s has no claim %q: it asks about %s", d.ID, chat.Line(claim, 60), strings.Join(ids, ", ")), drill: d.ID}
}

// payload is the event of the commands about one drill that go by the bus alone.
func (f *Function) payload(c caller, o order) (events.Payload, string) {
	expires := f.Now().Add(Expiry)
	short := shortID(o.Drill)
	switch o.Verb {
	case grammar.Reject:
		return events.Reject{Drill: o.Drill, Gate: o.gate, Note: o.Text, Actor: c.actor, ExpiresAt: expires}, c.say("rejection of %s sent", short)
	case grammar.Note:
		return events.Note{Drill: o.Drill, Text: o.Text, Actor: c.actor}, c.say("noted for %s", short)
	case grammar.Answer:
		return events.Answer{Drill: o.Drill, Claim: o.Claim, Holds: o.Holds, Note: o.Text, Actor: c.actor}, c.say("answer for %s sent", short)
	case grammar.Conclude:
		return events.Conclude{Drill: o.Drill, Verdict: o.Verdict, Summary: o.Text, Actor: c.actor}, c.say("verdict for %s sent", short)
	}
	action := string(o.Verb)
	if o.Verb == grammar.Execute {
		action = string(drill.Execute)
	}
	return events.Advance{Drill: o.Drill, Gate: o.gate, Step: o.Step, Action: action, Actor: c.actor, ExpiresAt: expires}, c.say("%s of %s sent", words.Say(string(o.Verb)), short)
}

func (f *Function) start(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	plans, err := f.Reader.Plans(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("read plans: %w", err)
	}
	plan, err := findPlan(plans, cmd.Plan)
	if err != nil {
		return Reply{}, f.unlessStranger(c, cmd.Verb, cmd.Plan, err)
	}
	if err := f.may(c, cmd.Verb, plan.Environment, plan.Name); err != nil {
		return Reply{}, err
	}
	p := events.Start{Plan: cmd.Plan, DryRun: cmd.DryRun, Actor: c.actor, ExpiresAt: f.Now().Add(Expiry)}
	for k, v := range cmd.Parameters {
		if p.Parameters == nil {
			p.Parameters = map[string]any{}
		}
		p.Parameters[k] = v
	}
	if _, _, err := catalog.Resolve(plan.Plan, p.Parameters); err != nil {
		return Reply{}, &refusal{text: words.Say("nothing is started: %s", chat.Line(strings.ReplaceAll(err.Error(), "\n", "; "), maxWrong))}
	}
	e, err := f.event(c, p, cmd.Plan)
	if err != nil {
		return Reply{}, err
	}
	if err := f.Publisher.Publish(ctx, e); err != nil {
		return Reply{}, fmt.Errorf("publish: %w", err)
	}
	reply := Reply{Text: f.said(c.say("start of %s asked for", cmd.Plan)), Events: []string{e.ID()}}
	if f.DrillID != nil {
		reply.Drill = f.DrillID(e)
		reply.Text = f.said(c.say("start of %s asked for: drill %s", cmd.Plan, shortID(reply.Drill)))
	}
	return reply, nil
}

// publish sends one command by the bus.
func (f *Function) publish(ctx context.Context, c caller, p events.Payload, subject, said string) (Reply, error) {
	e, err := f.event(c, p, subject)
	if err != nil {
		return Reply{}, err
	}
	if err := f.Publisher.Publish(ctx, e); err != nil {
		return Reply{}, fmt.Errorf("publish: %w", err)
	}
	return Reply{Text: f.said(said), Events: []string{e.ID()}}, nil
}

// event makes a command's event. Its id is derived, so that the same request makes the same event.
func (f *Function) event(c caller, p events.Payload, subject string) (events.Event, error) {
	return events.New(events.Envelope{
		ID:     events.ID(c.origin, c.native, p.EventType(), subject, strconv.Itoa(0)),
		Source: f.Source, Subject: subject, Time: f.Now(),
	}, p)
}

// said puts the mode in front of what was done.
func (f *Function) said(s string) string { return "[" + f.Mode + "] " + s }
