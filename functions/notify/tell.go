package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/words"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// Names of the objects in which a drill's deliveries are kept. Each is followed by a hash: addresses may be secret.
const (
	sentPrefix     = "notify-sent-"     // one for each fact and destination
	threadPrefix   = "notify-thread-"   // the first message at a destination
	progressPrefix = "notify-progress-" // the last progress at a destination
)

// note is what is kept of a delivery.
type note struct {
	Posted chat.Posted `json:"posted"`
	Event  string      `json:"event"`
	At     time.Time   `json:"at"` // of the fact
}

// tell posts a fact to one channel, unless it is known to have arrived. What sending again cannot mend is logged for a person to see.
func (f *Function) tell(ctx context.Context, fact *fact, ch drill.Channel) error {
	address, sender, err := f.Senders.Sender(ch.To)
	if err != nil {
		return f.lost(fact, ch, err)
	}
	to := destination{channel: ch, address: address, sender: sender, can: sender.Capabilities(address), hash: events.ID(address.Key())}
	_, err, _ = f.flights.Do(fact.event.ID()+" "+to.hash, func() (any, error) { return nil, f.once(ctx, fact, to) })
	return err
}

// lost returns an error that may pass, so that the fact is delivered again. Any other is logged.
func (f *Function) lost(fact *fact, ch drill.Channel, err error) error {
	switch {
	case err == nil:
		return nil
	case chat.Retryable(err):
		return fmt.Errorf("tell channel %s of %s of drill %s: %w", ch.Name, fact.event.Type(), fact.drill, err)
	}
	f.Log.Error("message cannot be delivered", "drill", fact.drill, "event", fact.event.ID(), "type", fact.event.Type(),
		"channel", ch.Name, "code", string(chat.CodeOf(err)), "error", err)
	return nil
}

// destination is one channel, ready to be posted to.
type destination struct {
	channel drill.Channel
	address chat.Address
	sender  chat.Sender
	can     chat.Capabilities
	hash    string
}

// once tells the fact, and brings the drill's first message up to date whatever has become of that.
func (f *Function) once(ctx context.Context, fact *fact, to destination) error {
	err := f.lost(fact, to.channel, f.deliver(ctx, fact, to))
	if rooted(fact, to) {
		err = errors.Join(err, f.lost(fact, to.channel, f.refresh(ctx, fact, to)))
	}
	return err
}

func (f *Function) deliver(ctx context.Context, fact *fact, to destination) error {
	key := sentPrefix + events.ID(fact.event.Source(), fact.event.ID(), to.hash)
	if _, sent, err := f.kept(ctx, fact.drill, key); sent || err != nil {
		return err
	}
	m, err := f.message(fact, to)
	if err != nil {
		return &chat.Error{Code: chat.Invalid, Err: err}
	}
	m = f.ready(fact.drill, to, m, m.At)
	step := m.Level != chat.Urgent && fact.step()
	var last note
	if step {
		if last, _, err = f.kept(ctx, fact.drill, progressPrefix+to.hash); err != nil || m.At.Before(last.At) {
			return err // there is newer progress to see
		}
	}
	posted, err := f.post(ctx, fact, to, m, last)
	if err != nil {
		return err
	}
	n := note{Posted: posted, Event: fact.event.ID(), At: m.At}
	if step {
		f.keep(ctx, fact.drill, progressPrefix+to.hash, n)
	}
	f.keep(ctx, fact.drill, key, n)
	return nil
}

// step reports whether the fact is the progress of steps, which each newer one replaces. A progressed fact also tells of votes, and of how a stop is
// going: each of them is a message of its own.
func (f *fact) step() bool {
	if f.event.Type() != events.TypeProgressed || f.state == nil || f.state.Stop != nil {
		return false
	}
	p, err := events.Decode[events.Progressed](f.event)
	return err == nil && p.At.Equal(f.state.ProgressedAt)
}

// rooted reports whether the drill is one message at the destination that is edited as it goes.
func rooted(fact *fact, to destination) bool { return to.can.Update && fact.state != nil }

// ready puts into a message what only this function knows: the tokens of its buttons, and the token of the link to its page. They are good for a
// day after from: for a fact that is when it happened, so that the same fact is the same message however often it is sent.
func (f *Function) ready(drill string, to destination, m chat.Message, from time.Time) chat.Message {
	if f.Link != nil && m.Link != "" && m.Link == f.Link(drill) {
		plain := m.Link
		m.Link = f.Keys.Signed(plain, drill, from)
		for i, field := range m.Fields {
			if field.Value == plain {
				m.Fields[i].Value = m.Link
			}
		}
	}
	if f.Keys.Empty() || !to.can.Buttons {
		return m
	}
	for i, b := range m.Buttons {
		if b.Act.Verb == "" {
			continue
		}
		t, err := f.Keys.Press(token.Press{Verb: b.Act.Verb, Drill: b.Act.Drill, Of: b.Act.Of, Until: from.Add(buttonLife)})
		if err != nil {
			f.Log.Warn("button not signed", "drill", drill, "verb", b.Act.Verb, "error", err)
			continue
		}
		m.Buttons[i].Token = t
	}
	return m
}

// buttonLife is how long a button can be pressed. What it asks for mostly expires before.
const buttonLife = 24 * time.Hour

func (f *Function) message(fact *fact, to destination) (chat.Message, error) {
	return messages.For(fact.event, f.options(fact.state, to, "fd_"+events.ID(fact.event.Source(), fact.event.ID(), to.hash)))
}

// options are those of a message at a destination; d is nil for a drill that cannot be read.
func (f *Function) options(d *drill.Drill, to destination, id string) messages.Options {
	o := messages.Options{State: d, Lang: words.LangOf(to.channel.Lang), Zone: f.zone(to.channel), Oncall: to.channel.Oncall, ID: id}
	if f.Link != nil && d != nil {
		o.Link = f.Link(d.ID)
	}
	return o
}

// post sends a fact: as one that belongs to the drill's root where there is one, into the thread of the drill's first message where that is all that
// the platform has, and as a new message elsewhere.
func (f *Function) post(ctx context.Context, fact *fact, to destination, m chat.Message, last note) (chat.Posted, error) {
	if rooted(fact, to) {
		return f.say(ctx, fact, to, m, last)
	}
	if !to.can.Reply {
		return to.sender.Post(ctx, to.address, m)
	}
	root, _, err := f.kept(ctx, fact.drill, threadPrefix+to.hash)
	if err != nil {
		return chat.Posted{}, err
	}
	if root.Posted.ID != "" {
		posted, err := to.sender.Reply(ctx, root.Posted, m)
		if err == nil || chat.Retryable(err) {
			return posted, err
		} // the first message is gone: this is the first then
	}
	posted, err := to.sender.Post(ctx, to.address, m)
	if err == nil {
		f.keep(ctx, fact.drill, threadPrefix+to.hash, note{Posted: posted, Event: fact.event.ID(), At: m.At})
	}
	return posted, err
}

// kept reads a note. One that is damaged counts as none: a message too many is better than one too few.
func (f *Function) kept(ctx context.Context, id, name string) (note, bool, error) {
	var n note
	data, err := f.Journal.Object(ctx, id, name)
	if errors.Is(err, journal.ErrNotFound) {
		return n, false, nil
	}
	if err != nil {
		return n, false, fmt.Errorf("read what was delivered: %w", err)
	}
	if json.Unmarshal(data, &n) != nil {
		return note{}, false, nil
	}
	return n, true, nil
}

// lasting is for writing down that a message is out, which must be done even where the event that it came of has no time left.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
}

// keep writes a note. The message is out: failing now would only send it again.
func (f *Function) keep(ctx context.Context, id, name string, n note) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	data, err := json.Marshal(n)
	if err == nil {
		err = f.Journal.PutObject(ctx, id, name, data)
	}
	if err != nil {
		f.Log.Warn("delivery not recorded: the message may come twice", "drill", id, "event", n.Event, "error", err)
	}
}
