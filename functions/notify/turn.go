package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/messages"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// refresh brings the root and the cards to the newest state. Only one instance edits at a time, so that no slow edit comes after a newer one, and
// there are editEvery between two turns: of facts that come in a burst one is edited, and the others find their work done. Whoever had the turn
// looks again, because the drill may have gone on meanwhile.
func (f *Function) refresh(ctx context.Context, fact *fact, to destination) error {
	name, rev := roomName(fact.drill, to.hash), events.Sequence(fact.event)
	edited := false
	for began := f.wall(); ; {
		r, err := f.room(ctx, name)
		if err != nil || r.Posted.ID == "" || !edited && rev > 0 && r.Rev >= rev && len(r.Cards) == 0 {
			return err
		}
		d, err := f.Journal.Load(ctx, fact.drill)
		if err != nil {
			return fmt.Errorf("load drill %s: %w", fact.drill, err)
		}
		if !r.behind(d) {
			return nil
		}
		if left := r.left(f.wall()); left > 0 {
			if f.wall().Sub(began) > patience || f.Wait(ctx, left) != nil {
				return r.late(rev)
			}
			continue
		}
		r.Turn, r.Until = r.version+1, f.wall().Add(claimFor)
		err = f.put(ctx, name, r)
		if errors.Is(err, journal.ErrConflict) {
			continue // the room has changed since it was read
		}
		if err != nil {
			return err
		}
		if err := f.show(ctx, fact, to, d, r); err != nil {
			return err
		}
		edited, began = true, f.wall()
	}
}

// left is how long the next turn is away.
func (r room) left(now time.Time) time.Duration {
	if r.Turn != 0 && now.Before(r.Until) {
		return claimLook
	}
	return min(editEvery-now.Sub(r.EditedAt), editEvery)
}

// late is what becomes of a fact that got no turn: it is delivered again, unless it is shown already.
func (r room) late(rev int) error {
	if rev > 0 && r.Rev >= rev {
		return nil
	}
	return errBusy
}

// behind reports whether the root or a card does not show the drill's state.
func (r room) behind(d *drill.Drill) bool {
	return r.Rev < d.Rev || slices.ContainsFunc(r.Cards, func(c card) bool { return c.behind(d) })
}

// behind reports whether the card's question is answered, or has got another vote.
func (c card) behind(d *drill.Drill) bool { return !asked(d, c.Gate) || votes(d, c.Gate) != c.Votes }

// show edits the root and the cards to the state d, and ends the turn. The room is as it was when the turn began.
func (f *Function) show(ctx context.Context, fact *fact, to destination, d *drill.Drill, had room) error {
	call, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	var failed error
	if had.Rev < d.Rev {
		_, failed = to.sender.Update(call, had.Posted, f.opening(d, to, had.Instead))
	}
	done, cards := f.rewrite(call, d, to, had.Cards)
	_, err := f.record(ctx, roomName(d.ID, to.hash), func(r *room) { r.end(had, d, done, failed, f.wall()) })
	switch {
	case err != nil:
		return err
	case failed == nil:
		return cards
	case chat.Retryable(failed):
		return failed
	}
	f.Log.Warn("first message not edited", "drill", d.ID, "channel", to.channel.Name, "error", failed)
	if had.gone(failed) {
		if _, err := f.anew(ctx, fact, to, had.Posted); err != nil {
			return err
		}
	}
	return cards
}

// gone reports whether an edit failed because the root is no more. Where the root before it could not be edited either, no edit is taken here at
// all, and another root would not help.
func (r room) gone(failed error) bool {
	return !chat.Retryable(failed) && !errors.Is(failed, chat.ErrUnsupported) && (r.Instead == "" || r.Edited)
}

// end ends a turn. Where it took too long, somebody else may have had theirs meanwhile: whose edit came last nobody knows then, and the root counts
// as not edited, by both.
func (r *room) end(had room, d *drill.Drill, done []card, failed error, now time.Time) {
	r.Cards = settled(r.Cards, done, d)
	if r.Posted != had.Posted {
		return // there is another root
	}
	switch {
	case had.Rev >= d.Rev: // it was about the cards
	case r.Turn != had.Turn:
		r.Rev = had.Rev
	case failed == nil:
		r.Rev, r.Edited = d.Rev, true
	case !chat.Retryable(failed) && !had.gone(failed):
		r.Rev = d.Rev // it cannot be shown: the facts are told all the same
	}
	r.Turn, r.EditedAt = 0, now
}

// rewrite edits the cards whose question is answered, or has got another vote: who, when, and no live button. It returns those that need no more
// of it; the error is one that may pass.
func (f *Function) rewrite(ctx context.Context, d *drill.Drill, to destination, cards []card) (done []card, err error) {
	for _, c := range cards {
		if !c.behind(d) {
			continue
		}
		if m, ok := messages.Card(d, c.Gate, f.options(d, to, part(d, "card "+c.Gate, to))); ok {
			_, failed := to.sender.Update(ctx, c.Posted, f.ready(d.ID, to, m, f.Now()))
			if failed != nil && chat.Retryable(failed) {
				err = errors.Join(err, failed)
				continue
			}
			if failed != nil {
				f.Log.Warn("card not rewritten: it keeps its buttons", "drill", d.ID, "channel", to.channel.Name, "error", failed)
			}
		}
		done = append(done, c)
	}
	return done, err
}

// settled notes what the cards show that were rewritten, and drops those that will not change any more.
func settled(cards, done []card, d *drill.Drill) []card {
	for _, c := range done {
		cards = slices.DeleteFunc(cards, func(o card) bool { return o.Posted == c.Posted })
		if asked(d, c.Gate) {
			c.Votes = votes(d, c.Gate)
			cards = append(cards, c)
		}
	}
	return cards
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

// votes is how many people agreed so far, where the gate is the one before the start.
func votes(d *drill.Drill, gate string) int {
	if a := d.Approvals; a != nil && a.Gate == gate {
		return len(a.Votes)
	}
	return 0
}
