package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

// said remembers the answers that this instance gave, so that one delivered again is not said twice.
type said struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const (
	saidFor = 15 * time.Minute
	saidMax = 4096
)

// first reports whether the event was not seen before.
func (s *said) first(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.seen[id]; ok && now.Sub(at) < saidFor {
		return false
	}
	if s.seen == nil || len(s.seen) >= saidMax {
		s.seen = map[string]time.Time{}
	}
	s.seen[id] = now
	return true
}

func (s *said) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, id)
}

// reply tells one person what came of what they typed or pressed.
func (f *Function) reply(ctx context.Context, in events.Event) error {
	p, err := events.Decode[events.Reply](in)
	if err != nil {
		f.Log.Error("not an answer that can be told", "event", in.ID(), "error", err)
		return nil
	}
	if !f.said.first(in.ID(), f.wall()) {
		return nil
	}
	err = f.tellOne(ctx, in, p)
	switch {
	case err == nil:
		return nil
	case chat.Retryable(err):
		f.said.forget(in.ID())
		return fmt.Errorf("answer %s: %w", p.User, err)
	}
	f.Log.Error("answer cannot be delivered", "event", in.ID(), "code", string(chat.CodeOf(err)), "error", err)
	return nil
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
