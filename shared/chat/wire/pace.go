package wire

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	// Patience is the longest that a message waits for its turn; a later one is Throttled, and is delivered again.
	Patience        = 5 * time.Second
	maxDestinations = 1024 // whose rate and Retry-After are remembered
)

// Rate is how often a destination takes a message; the zero value does not limit.
type Rate struct {
	Every time.Duration // one each
	Burst int           // at once, after a pause; 0 means 1
}

// pace remembers when each destination takes the next message.
type pace struct {
	now  func() time.Time
	wait func(ctx context.Context, d time.Duration) error

	mu    sync.Mutex
	until map[string]time.Time // a Retry-After: not before
	turns map[string]*rate.Limiter
}

func newPace(now func() time.Time, wait func(ctx context.Context, d time.Duration) error) *pace {
	return &pace{now: now, wait: wait, until: map[string]time.Time{}, turns: map[string]*rate.Limiter{}}
}

// take waits for the destination's turn. One that is further away than Patience is an error of code Throttled.
func (p *pace) take(ctx context.Context, call Call) error {
	d, err := p.turn(call)
	if err != nil || d <= 0 {
		return err
	}
	if err := p.wait(ctx, d); err != nil {
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: %w", call.What, err)}
	}
	return nil
}

func (p *pace) turn(call Call) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if left := p.until[call.Key].Sub(now); left > 0 {
		return 0, &chat.Error{Code: chat.Throttled, RetryAfter: left, Err: fmt.Errorf("%s: it asked us to wait", call.What)}
	}
	if call.Rate.Every <= 0 {
		return 0, nil
	}
	l := p.turns[call.Key]
	if l == nil {
		p.forget(now)
		l = rate.NewLimiter(rate.Every(call.Rate.Every), max(call.Rate.Burst, 1))
		p.turns[call.Key] = l
	}
	r := l.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > Patience {
		r.CancelAt(now)
		return 0, &chat.Error{Code: chat.Throttled, RetryAfter: d, Err: fmt.Errorf("%s: it takes no more messages for %s", call.What, d.Round(time.Second))}
	}
	return d, nil
}

// pause keeps to a destination's Retry-After.
func (p *pace) pause(key string, d time.Duration) {
	if d <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.forget(now)
	if len(p.until) < maxDestinations {
		p.until[key] = now.Add(d)
	}
}

// forget drops what no longer matters, so that memory stays bounded.
func (p *pace) forget(now time.Time) {
	for k, at := range p.until {
		if !now.Before(at) {
			delete(p.until, k)
		}
	}
	if len(p.turns) < maxDestinations {
		return
	}
	for k, l := range p.turns {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(p.turns, k)
		}
	}
}
