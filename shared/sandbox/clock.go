package sandbox

import (
	"context"
	"sync"
	"time"
)

// Clock is a clock that can be sped up and moved forward. Handlers, ticks and the sandbox share one, so that a drill of
// an hour takes a minute for all of them alike. It never goes backwards and is safe for concurrent use.
type Clock struct {
	real  func() time.Time // nil for a fixed clock
	mu    sync.Mutex
	base  time.Time     // what the clock showed at anchor
	since time.Time     // the real time of anchor
	speed float64       // seconds of this clock per real second
	moved chan struct{} // closed and replaced when speed or base change
}

// NewClock returns a clock that starts at the real time and runs speed times as fast; a speed of 0 or less is 1.
func NewClock(real func() time.Time, speed float64) *Clock {
	if speed <= 0 {
		speed = 1
	}
	now := real()
	return &Clock{real: real, base: now.Round(0), since: now, speed: speed, moved: make(chan struct{})}
}

// NewFixed returns a clock that stands at the given time and moves only by Advance.
func NewFixed(at time.Time) *Clock {
	return &Clock{base: at.Round(0), moved: make(chan struct{})}
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.real == nil {
		return c.base
	}
	passed := max(0, c.real().Sub(c.since))
	return c.base.Add(time.Duration(float64(passed) * c.speed))
}

// Speed returns how many seconds of this clock pass in a real second; 0 for a fixed clock.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

// Advance moves the clock forward; d of 0 or less does nothing.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.set(c.now().Add(d), c.speed)
	}
}

// SetSpeed changes how fast the clock runs from now on. It does nothing to a fixed clock, or if speed is not above 0.
func (c *Clock) SetSpeed(speed float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.real != nil && speed > 0 {
		c.set(c.now(), speed)
	}
}

// set must be called with mu held.
func (c *Clock) set(at time.Time, speed float64) {
	c.base, c.speed = at, speed
	if c.real != nil {
		c.since = c.real()
	}
	close(c.moved)
	c.moved = make(chan struct{})
}

// Sleep waits until d has passed on this clock, or ctx ends. On a fixed clock only Advance lets it return.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	return c.until(ctx, c.Now().Add(d))
}

func (c *Clock) until(ctx context.Context, due time.Time) error {
	for {
		left, moved := c.left(due)
		if left <= 0 {
			return ctx.Err()
		}
		if err := pause(ctx, left, c.real != nil, moved); err != nil {
			return err
		}
	}
}

// left returns the real time until the clock shows the given one, and the channel that is closed when that changes.
func (c *Clock) left(until time.Time) (time.Duration, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := until.Sub(c.now())
	if c.real != nil && d > 0 {
		d = max(1, time.Duration(float64(d)/c.speed))
	}
	return d, c.moved
}

// pause returns when d of real time has passed (if timed), when moved is closed, or with ctx's error.
func pause(ctx context.Context, d time.Duration, timed bool, moved <-chan struct{}) error {
	var due <-chan time.Time
	if timed {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-due:
	case <-moved:
	}
	return nil
}

// After returns a channel that receives the clock's time once d has passed on it. Nothing is sent if ctx ends first.
func (c *Clock) After(ctx context.Context, d time.Duration) <-chan time.Time {
	out, due := make(chan time.Time, 1), c.Now().Add(d)
	go func() {
		if c.until(ctx, due) == nil {
			out <- c.Now()
		}
	}()
	return out
}
