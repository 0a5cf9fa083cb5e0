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
	if err == nil {
		to := destination{channel: ch, address: address, sender: sender, hash: events.ID(address.Key())}
		_, err, _ = f.flights.Do(fact.event.ID()+" "+to.hash, func() (any, error) { return nil, f.once(ctx, fact, to) })
	}
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
	hash    string
}

func (f *Function) once(ctx context.Context, fact *fact, to destination) error {
	key := sentPrefix + events.ID(fact.event.Source(), fact.event.ID(), to.hash)
	_, sent, err := f.kept(ctx, fact.drill, key)
	switch {
	case err != nil:
		return err
	case sent && threaded(fact, to):
		return f.refresh(ctx, fact, to)
	case sent:
		return nil
	}
	m, err := f.message(fact, to)
	if err != nil {
		return &chat.Error{Code: chat.Invalid, Err: err}
	}
	m = f.ready(fact.drill, to, m)
	progress := fact.event.Type() == events.TypeProgressed && m.Level != chat.Urgent
	var last note
	if progress {
		skip, before, err := f.coalesced(ctx, fact, to, m)
		if skip || err != nil {
			return err
		}
		last = before
	}
	posted, err := f.post(ctx, fact, to, m, last)
	if err != nil {
		return err
	}
	n := note{Posted: posted, Event: fact.event.ID(), At: m.At}
	if progress {
		f.keep(ctx, fact.drill, progressPrefix+to.hash, n)
	}
	f.keep(ctx, fact.drill, key, n)
	if threaded(fact, to) {
		return f.refresh(ctx, fact, to)
	}
	return nil
}

// threaded reports whether the drill is one message at the destination, with all else in its thread.
func threaded(fact *fact, to destination) bool {
	can := to.sender.Capabilities(to.address)
	return can.Update && can.Reply && fact.state != nil
}

// ready puts into a message what only this function knows: the tokens of its buttons, and the token of the link to its page.
func (f *Function) ready(drill string, to destination, m chat.Message) chat.Message {
	now := f.Now()
	if f.Link != nil && m.Link != "" && m.Link == f.Link(drill) {
		plain := m.Link
		m.Link = f.Keys.Signed(plain, drill, now)
		for i, field := range m.Fields {
			if field.Value == plain {
				m.Fields[i].Value = m.Link
			}
		}
	}
	if f.Keys.Empty() || !to.sender.Capabilities(to.address).Buttons {
		return m
	}
	for i, b := range m.Buttons {
		if b.Act.Verb == "" {
			continue
		}
		t, err := f.Keys.Press(token.Press{Verb: b.Act.Verb, Drill: b.Act.Drill, Of: b.Act.Of, Until: now.Add(buttonLife)})
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

// coalesced reports whether a progress message is not worth posting: a newer one is there, or one that is hardly older. What it
// would have said is in the state that the next one is made from.
func (f *Function) coalesced(ctx context.Context, fact *fact, to destination, m chat.Message) (bool, note, error) {
	last, there, err := f.kept(ctx, fact.drill, progressPrefix+to.hash)
	if err != nil || !there {
		return false, note{}, err
	}
	return m.At.Before(last.At.Add(drill.ProgressEvery)), last, nil
}

// post updates the last progress message where the platform can, replies in the drill's thread where it can, and posts a new message
// elsewhere.
func (f *Function) post(ctx context.Context, fact *fact, to destination, m chat.Message, last note) (chat.Posted, error) {
	if threaded(fact, to) {
		return f.say(ctx, fact, to, m, last)
	}
	can := to.sender.Capabilities(to.address)
	if can.Update && last.Posted.ID != "" {
		posted, err := to.sender.Update(ctx, last.Posted, m)
		if err == nil || chat.Retryable(err) {
			return posted, err
		} // the old message is gone, or too old: a new one it is
	}
	if !can.Reply {
		return to.sender.Post(ctx, to.address, m)
	}
	root, there, err := f.kept(ctx, fact.drill, threadPrefix+to.hash)
	if err != nil {
		return chat.Posted{}, err
	}
	if there {
		return to.sender.Reply(ctx, root.Posted, m)
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

// keepFor is how long the note of a message that is out may take, even where the event that it came of has no time left.
const keepFor = 2 * time.Second

// keep writes a note. The message is out: failing now would only send it again.
func (f *Function) keep(ctx context.Context, id, name string, n note) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepFor)
	defer cancel()
	data, err := json.Marshal(n)
	if err == nil {
		err = f.Journal.PutObject(ctx, id, name, data)
	}
	if err != nil {
		f.Log.Warn("delivery not recorded: the message may come twice", "drill", id, "event", n.Event, "error", err)
	}
}
