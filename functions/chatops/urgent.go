package chatops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
)

// maxReason is the most bytes of a stop's reason: the rest of a longer one is cut, for a stop is never refused over its words.
const maxReason = 1000

func (f *Function) stop(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	id := cmd.Drill
	if id != grammar.All && len(id) != fullID {
		var err error
		if id, err = f.resolve(ctx, id); err != nil {
			return Reply{}, err
		}
	}
	p := events.Stop{Drill: id, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	what := words.Say("drill %s", shortID(id))
	if id == grammar.All {
		what = words.Say("every drill")
	}
	reply, err := f.both(ctx, c, p, id, c.say("stop of %s asked for; whether it is stopped is told when the service confirms it", what),
		func() error { return f.Inputs.Stop(ctx, p) })
	if id != grammar.All {
		reply.Drill = id
	}
	return reply, err
}

func (f *Function) halt(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	p := events.Halt{Scope: cmd.Scope, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	return f.both(ctx, c, p, cmd.Scope, c.say("halt of %s asked for: its drills are being stopped, and none starts until it is released", cmd.Scope),
		func() error { return f.Inputs.Halt(ctx, p) })
}

// release lifts a halt. Without a scope it is the one that there is, unless the reason begins with a name that may have been meant for one.
func (f *Function) release(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	if cmd.Scope == "" {
		if !f.Access().Known(c.actor) {
			return Reply{}, f.may(c, cmd.Verb, access.Everywhere, "")
		}
		var err error
		if cmd.Scope, err = f.halted(ctx, cmd.Text); err != nil {
			return Reply{}, err
		}
	}
	if err := f.may(c, cmd.Verb, f.scopeEnvironment(ctx, cmd.Scope), cmd.Scope); err != nil {
		return Reply{}, err
	}
	p := events.Release{Scope: cmd.Scope, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	return f.publish(ctx, c, p, cmd.Scope, c.say("release of %s asked for", cmd.Scope))
}

// halted returns the one scope that is halted.
func (f *Function) halted(ctx context.Context, reason string) (string, error) {
	scopes, err := f.Reader.Halted(ctx)
	if err != nil {
		return "", fmt.Errorf("read levers: %w", err)
	}
	plans, err := f.Reader.Plans(ctx)
	if err != nil {
		return "", fmt.Errorf("read plans: %w", err)
	}
	first, _, _ := strings.Cut(reason, " ")
	for _, p := range plans {
		if p.Environment == first || p.Name == first {
			return "", &refusal{text: words.Say("%q may be a scope or the reason: write all, environment/NAME or plan/NAME first", first)}
		}
	}
	switch len(scopes) {
	case 0:
		return "", &refusal{text: words.Say("nothing is halted")}
	case 1:
		return scopes[0], nil
	}
	return "", &refusal{text: words.Say("several scopes are halted: %s. Name one", strings.Join(scopes, ", "))}
}

// approve is recorded first: an answer that the journal declines is not published.
func (f *Function) approve(ctx context.Context, c caller, o order) (Reply, error) {
	p := events.Approve{Drill: o.Drill, Gate: o.gate, Note: o.Text, Actor: c.actor, ExpiresAt: f.Now().Add(Expiry)}
	reply, err := f.both(ctx, c, p, o.Drill, c.say("approval of %s sent", shortID(o.Drill)), func() error { return f.Inputs.Approve(ctx, p) })
	reply.Drill = o.Drill
	return reply, err
}

// both takes a command two ways: appended to the journal, and published. One of the two is enough: the journal is looked at
// by every tick, and the bus leads to whoever writes the journal. An answer of the journal to the person ends it, save for a stop
// that was asked for before: that one is published again, to see that it goes on.
func (f *Function) both(ctx context.Context, c caller, p events.Payload, subject, said string, input func() error) (Reply, error) {
	e, err := f.event(c, p, subject)
	if err != nil {
		return Reply{}, err
	}
	recorded := input()
	answered := errors.Is(recorded, drill.ErrAnswered)
	if answered {
		said = chat.Line(recorded.Error(), 400)
	}
	if errors.Is(recorded, drill.ErrForbidden) || answered && p.EventType() != events.TypeStop {
		return Reply{}, &refusal{text: words.Say("%s", f.said(chat.Line(recorded.Error(), 400))), drill: subject}
	}
	published := f.Publisher.Publish(ctx, e)
	if answered {
		recorded = nil
	}
	if recorded != nil && published != nil {
		return Reply{}, fmt.Errorf("neither recorded nor published: %w", errors.Join(recorded, published))
	}
	if recorded != nil {
		f.Log.Warn("command published but not recorded", "event", e.ID(), "type", e.Type(), "drill", subject, "error", recorded)
	}
	if published != nil {
		f.Log.Warn("command recorded but not published", "event", e.ID(), "type", e.Type(), "drill", subject, "error", published)
	}
	return Reply{Text: f.said(said), Events: []string{e.ID()}}, nil
}
