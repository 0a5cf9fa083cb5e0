package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/journal"
)

// saidPrefix begins the registers of answers: one for each.
const saidPrefix = "chat/said/"

// saying is what is kept of an answer: somebody is about to say it, or it is said.
type saying struct {
	Claimed time.Time `json:"claimed,omitzero"`
	Said    bool      `json:"said,omitempty"`
}

// errSaying says that another instance is about to say the answer: it is delivered again.
var errSaying = &chat.Error{Code: chat.Unavailable, Err: errors.New("another instance is giving the answer")}

// reply tells one person what came of what they typed or pressed, once however often it is delivered.
func (f *Function) reply(ctx context.Context, in events.Event) error {
	p, err := events.Decode[events.Reply](in)
	if err != nil {
		f.Log.Error("not an answer that can be told", "event", in.ID(), "error", err)
		return nil
	}
	name := saidPrefix + events.ID(in.Source(), in.ID())
	_, err, _ = f.flights.Do(name, func() (any, error) { return nil, f.answer(ctx, in, p, name) })
	return err
}

func (f *Function) answer(ctx context.Context, in events.Event, p events.Reply, name string) error {
	rev, said, err := f.claim(ctx, name)
	if said || errors.Is(err, errSaying) {
		return err
	}
	if err != nil { // an answer twice is better than none
		f.Log.Warn("answer not recorded: it may come twice", "event", in.ID(), "error", err)
	}
	call, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	err = f.tellOne(call, in, p)
	again := err != nil && chat.Retryable(err)
	if rev > 0 {
		f.settle(ctx, in, name, rev, saying{Said: !again})
	}
	switch {
	case err == nil:
		return nil
	case again:
		return fmt.Errorf("answer %s: %w", p.User, err)
	}
	f.Log.Error("answer cannot be delivered", "event", in.ID(), "code", string(chat.CodeOf(err)), "error", err)
	return nil
}

// claim takes the right to say an answer, and returns the register's rev. One whose owner died over it is given up after claimFor.
func (f *Function) claim(ctx context.Context, name string) (rev int, said bool, err error) {
	claimed, err := json.Marshal(saying{Claimed: f.wall()})
	if err != nil {
		return 0, false, err
	}
	if err = f.Journal.Set(ctx, name, 0, claimed); err == nil {
		return 1, false, nil
	}
	if !errors.Is(err, journal.ErrConflict) {
		return 0, false, err
	}
	data, rev, err := f.Journal.Register(ctx, name)
	if err != nil {
		return 0, false, err
	}
	var s saying
	if json.Unmarshal(data, &s) != nil {
		s = saying{} // damaged: said twice is better than not at all
	}
	switch {
	case s.Said:
		return 0, true, nil
	case f.wall().Sub(s.Claimed) < claimFor:
		return 0, false, errSaying
	}
	err = f.Journal.Set(ctx, name, rev, claimed)
	switch {
	case errors.Is(err, journal.ErrConflict):
		return 0, false, errSaying
	case err != nil:
		return 0, false, err
	}
	return rev + 1, false, nil
}

// settle records what became of an answer.
func (f *Function) settle(ctx context.Context, in events.Event, name string, rev int, s saying) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	data, err := json.Marshal(s)
	if err == nil {
		err = f.Journal.Set(ctx, name, rev, data)
	}
	if err != nil {
		f.Log.Warn("answer not recorded: it may come twice", "event", in.ID(), "error", err)
	}
}

func (f *Function) tellOne(ctx context.Context, in events.Event, p events.Reply) error {
	to, sender, err := f.Senders.Sender(p.To)
	if err != nil {
		return err
	}
	answerer, ok := sender.(chat.Answerer)
	if !ok {
		return &chat.Error{Code: chat.Invalid, Err: errors.New("the platform cannot tell one person something")}
	}
	s := chat.Saying{To: to, Thread: p.Thread, Message: p.Message, Text: p.Text, Mode: p.Mode, ID: "fd_" + in.ID(), At: p.At}
	_, s.User, _ = strings.Cut(p.User, "/")
	if p.URL != "" && (p.Until.IsZero() || f.wall().Before(p.Until)) {
		if s.URL, err = f.Keys.Open(p.URL); err != nil {
			f.Log.Warn("reply URL cannot be opened: answering without it", "event", in.ID(), "error", err)
		}
	}
	return answerer.Say(ctx, s)
}
