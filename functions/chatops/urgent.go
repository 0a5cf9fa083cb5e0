package chatops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

const (
	// maxReason is the most bytes of a stop's reason: the rest of a longer one is cut, for a stop is never refused over its words.
	maxReason = 1000
	// grace is how long the second of two ways that a command is taken may still take when the first is done: what it has to say may be
	// the better answer.
	grace = 500 * time.Millisecond
	// recordTime is how long an approval waits for the journal before it goes by the bus alone.
	recordTime = 1200 * time.Millisecond
)

func (f *Function) stop(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	id := cmd.Drill
	if id != grammar.All && len(id) != fullID {
		var err error
		if id, err = f.resolve(ctx, id); err != nil {
			return Reply{}, err
		}
	}
	p := events.Stop{Drill: id, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	what := words.Say("drill %s", id)
	if id == grammar.All {
		what = words.Say("every drill")
	}
	reply, err := f.urgent(ctx, c, p, id, c.say("stop of %s asked for; whether it is stopped is told when the service confirms it", what),
		func(ctx context.Context) error { return f.Inputs.Stop(ctx, p) })
	if id != grammar.All {
		reply.Drill = id
	}
	return reply, err
}

func (f *Function) halt(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	scope, no := f.scope(ctx, cmd.Scope)
	if !no.Empty() {
		return Reply{}, &refusal{text: words.Say("%s. Nothing is halted: /drill halt all halts everything", no)}
	}
	p := events.Halt{Scope: scope, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	return f.urgent(ctx, c, p, scope, c.say("halt of %s asked for: its drills are being stopped, and none starts until it is released", scope),
		func(ctx context.Context) error { return f.Inputs.Halt(ctx, p) })
}

// release lifts a halt. Without a scope it is the one that there is, unless the reason begins with a name that may have been meant for one.
func (f *Function) release(ctx context.Context, c caller, cmd grammar.Command) (Reply, error) {
	if !f.Access().Known(c.actor) {
		return Reply{}, f.may(c, cmd.Verb, access.Everywhere, cmd.Scope)
	}
	scope, err := f.released(ctx, cmd)
	if err != nil {
		return Reply{}, err
	}
	if err := f.may(c, cmd.Verb, f.scopeEnvironment(ctx, scope), scope); err != nil {
		return Reply{}, err
	}
	p := events.Release{Scope: scope, Reason: chat.Cut(cmd.Text, maxReason), Actor: c.actor}
	return f.publish(ctx, c, p, scope, c.say("release of %s asked for", scope))
}

// released returns the scope that a release is about. What is halted can be released under that very name, whatever the
// catalogue says; where that cannot be read, a scope is as typed.
func (f *Function) released(ctx context.Context, cmd grammar.Command) (string, error) {
	typed := cmd.Scope
	if typed == "" {
		return f.halted(ctx, cmd.Text)
	}
	scope, no := f.scope(ctx, typed)
	if scope == typed {
		return scope, nil
	}
	soon, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	if scopes, err := f.Reader.Halted(soon); err != nil || slices.Contains(scopes, typed) {
		return typed, nil
	}
	if !no.Empty() {
		return "", &refusal{text: no}
	}
	return scope, nil
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

// scope returns the scope of the catalogue that is meant, whatever the case of its letters, or says that there is none. Without a
// catalogue it is as typed.
func (f *Function) scope(ctx context.Context, scope string) (string, words.Phrase) {
	kind, name, _ := strings.Cut(scope, "/")
	plans, err := f.Reader.Plans(ctx)
	if scope == grammar.All || err != nil || len(plans) == 0 {
		return scope, words.Phrase{}
	}
	var names, same []string
	for _, p := range plans {
		if kind == "plan" {
			names = append(names, p.Name)
			continue
		}
		names = append(names, p.Environment)
	}
	if kind == "environment" {
		for _, b := range f.Access().Bindings {
			names = append(names, b.Environments...)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if n == name {
			return scope, words.Phrase{}
		}
		if strings.EqualFold(n, name) {
			same = append(same, n)
		}
	}
	if len(same) == 1 {
		return kind + "/" + same[0], words.Phrase{}
	}
	fix := words.Say("/drill list shows them all")
	if near := grammar.Near(name, names); near != "" {
		fix = words.Say("did you mean %q", kind+"/"+near)
	}
	return "", words.Say("there is no %s %q: %s", words.Say(kind), chat.Line(name, 60), fix)
}

// approve is recorded first: an answer that the journal declines is not published.
func (f *Function) approve(ctx context.Context, c caller, o order) (Reply, error) {
	p := events.Approve{Drill: o.Drill, Gate: o.gate, Note: o.Text, Actor: c.actor, ExpiresAt: f.Now().Add(Expiry)}
	e, err := f.event(c, p, o.Drill)
	if err != nil {
		return Reply{}, err
	}
	soon, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	var recorded error
	select {
	case recorded = <-begin(soon, func(ctx context.Context) error { return f.Inputs.Approve(ctx, p) }):
	case <-soon.Done():
		recorded = soon.Err()
	}
	switch {
	case errors.Is(recorded, drill.ErrForbidden):
		return Reply{}, &denial{about: o.Drill, text: words.Say("%s", words.Told(chat.Line(recorded.Error(), 400)))}
	case errors.Is(recorded, drill.ErrAnswered):
		return Reply{}, &refusal{text: words.Say("%s%s", f.said(""), words.Told(chat.Line(recorded.Error(), 400))), drill: o.Drill}
	}
	reply, err := f.taken(e, o.Drill, recorded, f.Publisher.Publish(ctx, e), c.say("approval of %s sent", shortID(o.Drill)))
	reply.Drill = o.Drill
	return reply, err
}

// urgent takes a stop or a halt two ways at once, so that neither waits for the other: appended to the journal, and published. One of
// the two is enough: the journal is looked at by every tick, and the bus leads to whoever writes the journal. A stop that was asked for
// before, or of a drill that is not there, is published all the same.
func (f *Function) urgent(ctx context.Context, c caller, p events.Payload, subject, said string, input func(context.Context) error) (Reply, error) {
	e, err := f.event(c, p, subject)
	if err != nil {
		return Reply{}, err
	}
	recorded, published := race(ctx, input, func(ctx context.Context) error { return f.Publisher.Publish(ctx, e) })
	missing := errors.Is(recorded, journal.ErrNotFound)
	if errors.Is(recorded, drill.ErrAnswered) {
		recorded, said = nil, c.say("%s", words.Told(chat.Line(recorded.Error(), 400)))
	}
	reply, err := f.taken(e, subject, recorded, published, said)
	if err == nil && missing {
		reply.Failed = true
		reply.Text = f.said(c.say("no drill has the id %s: nothing is stopped. /drill status shows those that are active, and /drill stop all stops every one", subject))
	}
	return reply, err
}

// taken answers for a command that went both ways.
func (f *Function) taken(e events.Event, subject string, recorded, published error, said string) (Reply, error) {
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

// race makes two calls at once and returns what came of each. When one has done its work, the other has the grace to be done too; a
// call that is not done by then ends with its context.
func race(ctx context.Context, one, two func(context.Context) error) (first, second error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a, b := begin(ctx, one), begin(ctx, two)
	first, second = errSlow, errSlow
	soon := ctx
	for range 2 {
		var err error
		select {
		case first = <-a:
			err = first
		case second = <-b:
			err = second
		case <-soon.Done():
			return first, second
		}
		if soon == ctx && (err == nil || errors.Is(err, drill.ErrAnswered)) {
			soon, cancel = context.WithTimeout(ctx, grace)
			defer cancel()
		}
	}
	return first, second
}

var errSlow = errors.New("no answer in time")

// begin makes a call. Nobody needs to take its result.
func begin(ctx context.Context, call func(context.Context) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	return done
}
