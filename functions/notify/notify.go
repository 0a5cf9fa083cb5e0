// Package notify tells people what happened to a drill: every fact becomes one message to each channel of its plan.
//
// In: every drill.* fact, and chat.reply. Out: nothing.
//
// Where a platform can edit, a drill is one message that always shows the newest state, with all else in its thread, or below it where there are
// no threads. Elsewhere every fact is a message of its own.
//
// A destination that fails keeps no other from getting its message. A delivery is recorded after the platform took the message, so
// that a fact that is delivered again is posted again only where it is not known to have arrived: at least once, and once
// wherever nothing breaks between the two. Sending again uses the same message id.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// parallel bounds how many channels are posted to at once.
const parallel = 8

// Journal is what the function reads of a drill, and where it keeps what was delivered. A missing drill, rev or object is
// journal.ErrNotFound.
type Journal interface {
	Load(ctx context.Context, drill string) (*drill.Drill, error)
	LoadAt(ctx context.Context, drill string, rev int) (*drill.Drill, error)
	Object(ctx context.Context, drill, name string) ([]byte, error)
	PutObject(ctx context.Context, drill, name string, data []byte) error
	Register(ctx context.Context, name string) ([]byte, int, error)
	Set(ctx context.Context, name string, rev int, value []byte) error
	BindThread(ctx context.Context, place, thread, drill string) error
}

var _ Journal = (*journal.Journal)(nil)

// Senders finds the sender for an address.
type Senders interface {
	Sender(address string) (chat.Address, chat.Sender, error)
}

// Function posts messages. It is safe for concurrent use; it must not be copied.
type Function struct {
	Journal  Journal
	Senders  Senders
	Keys     token.Keys                                             // of buttons and links; without any, buttons are words to type
	Channels []drill.Channel                                        // where a fact goes whose drill cannot be read; none: it goes nowhere
	Of       func(ctx context.Context, plan string) []drill.Channel // the channels of a plan, for drills that have no journal; may be nil
	Link     func(drill string) string                              // page of a drill; nil for none
	Now      func() time.Time                                       // the clock of drills
	Wall     func() time.Time                                       // the clock of platforms; nil means Now
	Wait     func(ctx context.Context, d time.Duration) error       // until a root may be edited again: 3 s at most each time
	Log      *slog.Logger

	flights singleflight.Group
}

func (f *Function) wall() time.Time {
	if f.Wall != nil {
		return f.Wall()
	}
	return f.Now()
}

// Types lists the event types that the function handles.
func Types() []string { return append(facts(), events.TypeReply) }

func facts() []string {
	return []string{
		events.TypeRefused, events.TypeRequested, events.TypeWaiting, events.TypeApproved, events.TypeStarted, events.TypeProgressed,
		events.TypeStopping, events.TypeStopped, events.TypeCompleted, events.TypeFailed, events.TypeRestored, events.TypeConcluded,
		events.TypeAmended, events.TypeAttached, events.TypeAnnounced,
	}
}

// Handle is the function. It returns an error only if delivering the fact again can mend it.
func (f *Function) Handle(ctx context.Context, in events.Event) ([]events.Event, error) {
	if in.Type() == events.TypeReply {
		return nil, f.reply(ctx, in)
	}
	fact, err := f.read(ctx, in)
	if errors.Is(err, events.ErrInvalid) {
		f.Log.Error("not a fact that can be told", "event", in.ID(), "type", in.Type(), "error", err)
		return nil, nil
	}
	if fact == nil {
		return nil, err
	}
	errs := make([]error, len(fact.channels)+1)
	errs[len(fact.channels)] = err
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, ch := range fact.channels {
		group.Go(func() error {
			errs[i] = f.tell(ctx, fact, ch)
			return nil
		})
	}
	_ = group.Wait()
	return nil, errors.Join(errs...)
}

// fact is an event with the state that belongs to it.
type fact struct {
	event    events.Event
	drill    string
	state    *drill.Drill // nil when it cannot be read
	channels []drill.Channel
}

// read finds the drill's entry at the fact's rev. Where it cannot be read, the fact's own fields and the function's own channels have to
// do; an error that may pass is returned with them, so that the plan's channels get theirs later.
func (f *Function) read(ctx context.Context, in events.Event) (*fact, error) {
	if !told(in.Type()) {
		return nil, fmt.Errorf("%w: type %q is no fact of a drill", events.ErrInvalid, in.Type())
	}
	var a events.About
	if err := in.DataAs(&a); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", events.ErrInvalid, in.Type(), err)
	}
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", events.ErrInvalid, in.Type(), err)
	}
	out := &fact{event: in, drill: a.Drill, channels: f.Channels}
	if err := journal.CheckID(a.Drill); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", events.ErrInvalid, in.Type(), err)
	}
	d, err := f.state(ctx, a.Drill, events.Sequence(in))
	switch {
	case err == nil:
		out.state, out.channels = d, d.Plan.Notify
		return out, nil
	case errors.Is(err, journal.ErrNotFound):
		if of := f.of(ctx, a.Plan); len(of) > 0 {
			out.channels = of
		}
		f.Log.Info("told without its drill", "drill", a.Drill, "event", in.ID(), "type", in.Type())
		return out, nil
	}
	return out, fmt.Errorf("tell %s of drill %s: %w", in.Type(), a.Drill, err)
}

// of returns the channels that a plan has in the catalogue.
func (f *Function) of(ctx context.Context, plan string) []drill.Channel {
	if f.Of == nil {
		return nil
	}
	return f.Of(ctx, plan)
}

// state returns the drill as of the fact's rev. A fact without a rev is an answer to somebody and changed nothing: for it the
// newest state says which channels to use.
func (f *Function) state(ctx context.Context, id string, rev int) (*drill.Drill, error) {
	if rev > 0 {
		return f.Journal.LoadAt(ctx, id, rev)
	}
	return f.Journal.Load(ctx, id)
}

func told(eventType string) bool {
	for _, t := range facts() {
		if t == eventType {
			return true
		}
	}
	return false
}

// zone returns the channel's time zone, UTC when it has none or it is not known here.
func (f *Function) zone(ch drill.Channel) *time.Location {
	z, err := time.LoadLocation(ch.Timezone)
	if err != nil {
		f.Log.Warn("unknown time zone: times are shown in UTC", "channel", ch.Name, "zone", ch.Timezone)
		return time.UTC
	}
	return z
}
