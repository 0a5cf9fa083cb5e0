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
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// Where a platform can edit, a drill is one message at each destination: the root. It always shows the newest state. Everything else is said
// in its thread, or below it where there are none.
const (
	roomPrefix = "chat/rooms/"   // registers: one for each drill and destination
	editEvery  = 3 * time.Second // between two edits of a root: platforms take no more
	claimFor   = 15 * time.Second
	claimLook  = 300 * time.Millisecond
	callFor    = 12 * time.Second // for what is sent under a claim: it must be over before the claim is
	patience   = 10 * time.Second // for a turn to edit
	races      = 20
)

// room is what is kept of a drill at one destination.
type room struct {
	Posted   chat.Posted `json:"posted,omitzero"`    // the root; zero while nobody has posted it. Without an ID it can be neither edited nor answered
	Instead  string      `json:"instead,omitempty"`  // id of the root that this one replaces
	Claimed  time.Time   `json:"claimed,omitzero"`   // when somebody took the right to post it
	Rev      int         `json:"rev,omitempty"`      // the state that the root shows
	EditedAt time.Time   `json:"edited_at,omitzero"` // by the wall clock; posting counts
	Edited   bool        `json:"edited,omitempty"`   // the root took an edit
	Turn     int         `json:"turn,omitempty"`     // whose turn it is to edit: the register's rev at which they took it; 0 for nobody
	Until    time.Time   `json:"until,omitzero"`     // end of the turn, whatever has become of them
	Cards    []card      `json:"cards,omitempty"`    // messages that ask for an answer, as long as they are not rewritten
	version  int         // of the register
}

// card is a message that asks for an answer.
type card struct {
	Gate   string      `json:"gate"` // or the claim
	Posted chat.Posted `json:"posted"`
	Votes  int         `json:"votes,omitempty"` // that it shows
}

// errBusy says that another instance is about to do it: the fact is delivered again.
var errBusy = &chat.Error{Code: chat.Unavailable, Err: errors.New("another instance is at the drill's first message")}

func roomName(drill, destination string) string { return roomPrefix + events.ID(drill, destination) }

func (f *Function) room(ctx context.Context, name string) (room, error) {
	var r room
	data, version, err := f.Journal.Register(ctx, name)
	if err != nil {
		return r, fmt.Errorf("read what was posted: %w", err)
	}
	if version > 0 && json.Unmarshal(data, &r) != nil {
		r = room{}
	}
	r.version = version
	return r, nil
}

// edit changes what is kept, over whatever others changed meanwhile.
func (f *Function) edit(ctx context.Context, name string, change func(*room)) (room, error) {
	for range races {
		r, err := f.room(ctx, name)
		if err != nil {
			return r, err
		}
		change(&r)
		if err = f.put(ctx, name, r); err == nil || !errors.Is(err, journal.ErrConflict) {
			return r, err
		}
	}
	return room{}, fmt.Errorf("keep what was posted: %w", journal.ErrConflict)
}

// record is edit for what a message that is out has changed, which must be kept even where the event has no time left.
func (f *Function) record(ctx context.Context, name string, change func(*room)) (room, error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	return f.edit(ctx, name, change)
}

func (f *Function) put(ctx context.Context, name string, r room) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep what was posted: %w", err)
	}
	return f.Journal.Set(ctx, name, r.version, data)
}

// root returns the room, and posts the drill's first message if nobody has. Of several instances that come at once, one posts; one that died over it
// is given up after claimFor, and then the message may come twice.
func (f *Function) root(ctx context.Context, fact *fact, to destination) (room, error) {
	name := roomName(fact.drill, to.hash)
	for began := f.wall(); ; {
		r, err := f.room(ctx, name)
		if err != nil || r.Posted.To != "" {
			return r, err
		}
		if f.wall().Sub(r.Claimed) >= claimFor {
			r.Claimed = f.wall()
			err := f.put(ctx, name, r)
			if err == nil {
				return f.open(ctx, fact, to, name, r.Instead)
			}
			if !errors.Is(err, journal.ErrConflict) {
				return r, fmt.Errorf("keep what is posted: %w", err)
			}
		}
		if f.wall().Sub(began) > editEvery {
			return r, errBusy
		}
		if err := f.Wait(ctx, claimLook); err != nil {
			return r, errBusy
		}
	}
}

// open posts the first message. A thread that cannot be bound to its drill only costs people the id in what they type there.
func (f *Function) open(ctx context.Context, fact *fact, to destination, name, instead string) (room, error) {
	d := f.newest(ctx, fact)
	call, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	posted, err := to.sender.Post(call, to.address, f.opening(d, to, instead))
	if err != nil {
		_, lost := f.record(ctx, name, func(r *room) { r.Claimed = time.Time{} }) // whoever comes next may post it
		return room{}, errors.Join(err, lost)
	}
	if posted.To == "" {
		posted.To = to.address.String()
	}
	r, err := f.record(ctx, name, func(r *room) { r.Posted, r.Rev, r.EditedAt, r.Edited, r.Turn = posted, d.Rev, f.wall(), false, 0 })
	if posted.Thread != "" {
		ctx, cancel := lasting(ctx)
		defer cancel()
		if err := f.Journal.BindThread(ctx, to.address.Key(), posted.Thread, fact.drill); err != nil {
			f.Log.Warn("thread not bound to its drill", "drill", fact.drill, "error", err)
		}
	}
	return r, err
}

// anew posts another first message in place of one that is gone, unless somebody else has.
func (f *Function) anew(ctx context.Context, fact *fact, to destination, old chat.Posted) (room, error) {
	_, err := f.edit(ctx, roomName(fact.drill, to.hash), func(r *room) {
		if r.Posted == old {
			r.Posted, r.Instead, r.Claimed, r.Turn = chat.Posted{}, old.ID, time.Time{}, 0
		}
	})
	if err != nil {
		return room{}, err
	}
	return f.root(ctx, fact, to)
}

// opening is the drill's first message. One that replaces another has an id of its own: platforms fold what they had before.
func (f *Function) opening(d *drill.Drill, to destination, instead string) chat.Message {
	name := "root"
	if instead != "" {
		name = "root again " + instead
	}
	return f.ready(d.ID, to, messages.Root(d, f.options(d, to, part(d, name, to))), f.Now())
}

// newest is the drill as it stands now, or as of the fact where that cannot be read.
func (f *Function) newest(ctx context.Context, fact *fact) *drill.Drill {
	d, err := f.Journal.Load(ctx, fact.drill)
	if err != nil {
		return fact.state
	}
	return d
}

// part is the id of one of a drill's messages that are edited as it goes.
func part(d *drill.Drill, name string, to destination) string {
	return "fd_" + events.ID(d.ID, name, to.hash)
}

// say tells a fact of a drill that has a root. The first fact is the root itself. Where none can be posted, the fact is told all the same.
func (f *Function) say(ctx context.Context, fact *fact, to destination, m chat.Message, last note) (chat.Posted, error) {
	r, err := f.root(ctx, fact, to)
	switch {
	case err != nil && chat.Retryable(err):
		return chat.Posted{}, err
	case err != nil:
		f.Log.Warn("first message cannot be posted", "drill", fact.drill, "channel", to.channel.Name, "error", err)
	case fact.event.Type() == events.TypeRequested:
		return r.Posted, nil
	}
	if last.Posted.ID != "" {
		posted, err := to.sender.Update(ctx, last.Posted, m)
		if err == nil || chat.Retryable(err) {
			return posted, err
		} // the old message is gone, or too old: a new one it is
	}
	posted, err := f.below(ctx, fact, to, r, m)
	if err != nil || posted.ID == "" || fact.event.Type() != events.TypeWaiting {
		return posted, err
	}
	w, err := events.Decode[events.Waiting](fact.event)
	if err != nil {
		return posted, nil // it was decoded before
	}
	_, err = f.record(ctx, roomName(fact.drill, to.hash), func(r *room) { r.Cards = append(r.Cards, card{Gate: w.Gate, Posted: posted}) })
	if err != nil {
		f.Log.Warn("card not kept: it will keep its buttons", "drill", fact.drill, "error", err)
	}
	return posted, nil
}

// below sends a message into the drill's thread: that of a new root where the old one takes no answers any more. Where there are no threads,
// and where nothing else helps, it stands in the channel by itself.
func (f *Function) below(ctx context.Context, fact *fact, to destination, r room, m chat.Message) (chat.Posted, error) {
	if !to.can.Reply || r.Posted.ID == "" {
		return to.sender.Post(ctx, to.address, m)
	}
	posted, err := to.sender.Reply(ctx, r.Posted, m)
	if err == nil || chat.Retryable(err) {
		return posted, err
	}
	f.Log.Warn("first message takes no answer", "drill", fact.drill, "channel", to.channel.Name, "error", err)
	if !errors.Is(err, chat.ErrUnsupported) {
		if posted, err := f.belowAnother(ctx, fact, to, r, m); err == nil || chat.Retryable(err) {
			return posted, err
		}
	}
	return to.sender.Post(ctx, to.address, m)
}

func (f *Function) belowAnother(ctx context.Context, fact *fact, to destination, r room, m chat.Message) (chat.Posted, error) {
	r, err := f.anew(ctx, fact, to, r.Posted)
	if err != nil {
		return chat.Posted{}, err
	}
	return to.sender.Reply(ctx, r.Posted, m)
}
