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

// Where a platform can edit and thread, a drill is one message at each destination: the root. It always shows the newest state, and
// everything else is said in its thread.
const (
	roomPrefix = "chat/rooms/"   // registers: one for each drill and destination
	editEvery  = 3 * time.Second // between two edits of a root: platforms take no more
	claimFor   = 15 * time.Second
	claimLook  = 300 * time.Millisecond
	races      = 20
)

// room is what is kept of a drill at one destination.
type room struct {
	Posted   chat.Posted `json:"posted,omitzero"`    // the root; zero while somebody is about to post it
	Claimed  time.Time   `json:"claimed,omitzero"`   // when somebody took the right to post it
	Rev      int         `json:"rev,omitempty"`      // the state that the root shows
	EditedAt time.Time   `json:"edited_at,omitzero"` // by the wall clock
	Cards    []card      `json:"cards,omitempty"`    // messages that ask for an answer, as long as they are not rewritten
	version  int         // of the register
}

// card is a message that asks for an answer.
type card struct {
	Gate   string      `json:"gate"` // or the claim
	Posted chat.Posted `json:"posted"`
	Votes  int         `json:"votes,omitempty"` // that it shows
}

// errBusy says that another instance is about to post the root: the fact is delivered again.
var errBusy = &chat.Error{Code: chat.Unavailable, Err: errors.New("another instance is posting the drill's first message")}

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
		if err != nil || r.Posted.ID != "" {
			return r, err
		}
		if f.wall().Sub(r.Claimed) >= claimFor {
			r.Claimed = f.wall()
			err := f.put(ctx, name, r)
			if err == nil {
				return f.open(ctx, fact, to, name)
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
func (f *Function) open(ctx context.Context, fact *fact, to destination, name string) (room, error) {
	d := f.newest(ctx, fact)
	posted, err := to.sender.Post(ctx, to.address, f.ready(fact.drill, to, messages.Root(d, f.options(d, to, part(d, "root", to)))))
	if err != nil {
		_, lost := f.edit(ctx, name, func(r *room) { r.Claimed = time.Time{} }) // whoever comes next may post it
		return room{}, errors.Join(err, lost)
	}
	if posted.Thread != "" {
		if err := f.Journal.BindThread(ctx, to.address.Key(), posted.Thread, fact.drill); err != nil {
			f.Log.Warn("thread not bound to its drill", "drill", fact.drill, "error", err)
		}
	}
	return f.edit(ctx, name, func(r *room) { r.Posted, r.Rev, r.EditedAt = posted, d.Rev, f.wall() })
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

// say posts a fact into the drill's thread. The first fact is the root itself.
func (f *Function) say(ctx context.Context, fact *fact, to destination, m chat.Message, last note) (chat.Posted, error) {
	r, err := f.root(ctx, fact, to)
	if err != nil {
		return chat.Posted{}, err
	}
	if fact.event.Type() == events.TypeRequested {
		return r.Posted, nil
	}
	if last.Posted.ID != "" {
		posted, err := to.sender.Update(ctx, last.Posted, m)
		if err == nil || chat.Retryable(err) {
			return posted, err
		} // the old message is gone, or too old: a new one it is
	}
	posted, err := to.sender.Reply(ctx, r.Posted, m)
	if err != nil || fact.event.Type() != events.TypeWaiting {
		return posted, err
	}
	w, err := events.Decode[events.Waiting](fact.event)
	if err != nil {
		return posted, nil // it was decoded before
	}
	_, err = f.edit(ctx, roomName(fact.drill, to.hash), func(r *room) { r.Cards = append(r.Cards, card{Gate: w.Gate, Posted: posted}) })
	if err != nil {
		f.Log.Warn("card not kept: it will keep its buttons", "drill", fact.drill, "error", err)
	}
	return posted, nil
}

// refresh brings the root and the cards to the newest state. Facts that come in a burst share one edit: each waits for its turn, and finds
// its work done.
func (f *Function) refresh(ctx context.Context, fact *fact, to destination) error {
	name := roomName(fact.drill, to.hash)
	r, err := f.room(ctx, name)
	rev := events.Sequence(fact.event)
	if err != nil || r.Posted.ID == "" || rev > 0 && r.Rev >= rev && len(r.Cards) == 0 {
		return err
	}
	if left := editEvery - f.wall().Sub(r.EditedAt); r.Rev < rev && left > 0 {
		if err := f.Wait(ctx, min(left, editEvery)); err != nil {
			return &chat.Error{Code: chat.Unavailable, Err: err}
		}
		if r, err = f.room(ctx, name); err != nil {
			return err
		}
	}
	d, err := f.Journal.Load(ctx, fact.drill)
	if err != nil {
		return fmt.Errorf("load drill %s: %w", fact.drill, err)
	}
	if err := f.rewrite(ctx, d, to, name, r.Cards); err != nil {
		return err
	}
	if d.Rev <= r.Rev {
		return nil
	}
	return f.redraw(ctx, d, to, name, r)
}

// redraw edits the root. One that is gone is posted anew.
func (f *Function) redraw(ctx context.Context, d *drill.Drill, to destination, name string, r room) error {
	m := f.ready(d.ID, to, messages.Root(d, f.options(d, to, part(d, "root", to))))
	posted, err := to.sender.Update(ctx, r.Posted, m)
	if err != nil && !chat.Retryable(err) {
		f.Log.Warn("first message cannot be edited: posting it anew", "drill", d.ID, "channel", to.channel.Name, "error", err)
		m.ID = part(d, "root again "+r.Posted.ID, to)
		if posted, err = to.sender.Post(ctx, to.address, m); err == nil && posted.Thread != "" {
			_ = f.Journal.BindThread(ctx, to.address.Key(), posted.Thread, d.ID) // costs people the id, no more
		}
	}
	if err != nil {
		return err
	}
	_, err = f.edit(ctx, name, func(r *room) {
		if d.Rev > r.Rev {
			r.Posted, r.Rev, r.EditedAt = posted, d.Rev, f.wall()
		}
	})
	return err
}

// rewrite edits the cards whose question is answered, or has got another vote: who, when, and no live button.
func (f *Function) rewrite(ctx context.Context, d *drill.Drill, to destination, name string, cards []card) error {
	for _, c := range cards {
		open := asked(d, c.Gate)
		votes := 0
		if a := d.Approvals; a != nil && a.Gate == c.Gate {
			votes = len(a.Votes)
		}
		if open && votes == c.Votes {
			continue
		}
		m, ok := messages.Card(d, c.Gate, f.options(d, to, part(d, "card "+c.Gate, to)))
		if ok {
			if _, err := to.sender.Update(ctx, c.Posted, f.ready(d.ID, to, m)); err != nil && chat.Retryable(err) {
				return err
			}
		}
		if _, err := f.edit(ctx, name, func(r *room) { r.Cards = settled(r.Cards, c.Gate, open, votes) }); err != nil {
			return err
		}
	}
	return nil
}

// asked reports whether the gate or claim still waits for an answer.
func asked(d *drill.Drill, gate string) bool {
	for _, g := range d.Gates {
		if g.ID == gate {
			return true
		}
	}
	for _, c := range d.Claims {
		if c.ID == gate {
			return c.Answer == nil && !d.Status.Final()
		}
	}
	return false
}

// settled drops an answered card, or notes how many votes it shows.
func settled(cards []card, gate string, open bool, votes int) []card {
	var out []card
	for _, c := range cards {
		if c.Gate == gate {
			if !open {
				continue
			}
			c.Votes = votes
		}
		out = append(out, c)
	}
	return out
}
