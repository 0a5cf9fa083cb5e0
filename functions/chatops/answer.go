package chatops

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/drill"
)

// caller is who sent a command, and under which id of their own.
type caller struct {
	origin string // platform:tenant
	native string // the request's id at its platform
	actor  string // platform:tenant/user
}

// answer carries out one command. An error means that nothing is known to have been taken: the caller should send it again.
func (f *Function) answer(ctx context.Context, c caller, text string) (Reply, error) {
	cmd, err := grammar.Parse(text)
	if err != nil {
		return Reply{Text: err.Error()}, nil
	}
	if !cmd.Mutates() {
		return f.show(ctx, cmd)
	}
	reply, err := f.act(ctx, c, cmd)
	var no *refusal
	switch {
	case errors.As(err, &no):
		return Reply{Text: no.text, Drill: no.drill}, nil
	case errors.Is(err, events.ErrInvalid):
		return Reply{Text: "that cannot be sent: " + chat.Line(err.Error(), 300)}, nil
	case err != nil:
		return Reply{Text: "not recorded, please send it again"}, fmt.Errorf("%s by %s: %w", cmd.Verb, c.actor, err)
	}
	return reply, nil
}

// refusal is an answer to the person: nothing was done, and sending the command again will not help.
type refusal struct{ text, drill string }

// Error returns the text.
func (r *refusal) Error() string { return r.text }

// act makes the command's event and sends it.
func (f *Function) act(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	var err error
	switch cmd.Verb {
	case grammar.Start:
		return f.start(ctx, c, cmd)
	case grammar.Stop:
		return f.stop(ctx, c, cmd)
	case grammar.Halt:
		return f.halt(ctx, c, cmd)
	case grammar.Release:
		p := events.Release{Scope: cmd.Scope, Reason: cmd.Text, Actor: c.actor}
		return f.publish(ctx, c, p, cmd.Scope, "release of "+cmd.Scope+" asked for")
	}
	if cmd.Drill, err = f.resolve(ctx, cmd.Drill); err != nil {
		return Reply{}, err
	}
	if cmd.Verb == grammar.Approve {
		return f.approve(ctx, c, cmd)
	}
	p, said := f.payload(c, cmd)
	reply, err := f.publish(ctx, c, p, cmd.Drill, said)
	reply.Drill = cmd.Drill
	return reply, err
}

// payload is the event of the commands about one drill that go by the bus alone.
func (f *Function) payload(c caller, cmd grammar.Command) (events.Payload, string) {
	expires := f.Now().Add(Expiry)
	short := shortID(cmd.Drill)
	switch cmd.Verb {
	case grammar.Reject:
		return events.Reject{Drill: cmd.Drill, Note: cmd.Text, Actor: c.actor, ExpiresAt: expires}, "rejection of " + short + " sent"
	case grammar.Note:
		return events.Note{Drill: cmd.Drill, Text: cmd.Text, Actor: c.actor}, "noted for " + short
	case grammar.Answer:
		return events.Answer{Drill: cmd.Drill, Claim: cmd.Claim, Holds: cmd.Holds, Note: cmd.Text, Actor: c.actor}, "answer for " + short + " sent"
	case grammar.Conclude:
		return events.Conclude{Drill: cmd.Drill, Verdict: cmd.Verdict, Summary: cmd.Text, Actor: c.actor}, "verdict for " + short + " sent"
	}
	action := string(cmd.Verb)
	if cmd.Verb == grammar.Execute {
		action = string(drill.Execute)
	}
	return events.Advance{Drill: cmd.Drill, Step: cmd.Step, Action: action, Actor: c.actor, ExpiresAt: expires}, action + " for " + short + " sent"
}

func (f *Function) start(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	plans, err := f.Reader.Plans(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("read plans: %w", err)
	}
	if _, err := findPlan(plans, cmd.Plan); err != nil {
		return Reply{}, err
	}
	p := events.Start{Plan: cmd.Plan, DryRun: cmd.DryRun, Actor: c.actor, ExpiresAt: f.Now().Add(Expiry)}
	for k, v := range cmd.Parameters {
		if p.Parameters == nil {
			p.Parameters = map[string]any{}
		}
		p.Parameters[k] = v
	}
	e, err := f.event(c, p, cmd.Plan)
	if err != nil {
		return Reply{}, err
	}
	if err := f.Publisher.Publish(ctx, e); err != nil {
		return Reply{}, fmt.Errorf("publish: %w", err)
	}
	reply := Reply{Text: f.said("start of " + cmd.Plan + " asked for"), Events: []string{e.ID()}}
	if f.DrillID != nil {
		reply.Drill = f.DrillID(e)
		reply.Text += ": drill " + shortID(reply.Drill)
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
