package sandbox

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestClock_sleepEndsWithTheContext(t *testing.T) {
	for name, c := range map[string]*Clock{"fixed": NewFixed(start), "running": NewClock(time.Now, 1)} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Sleep = %v", name, err)
		}
	}
}

func TestClock_neverGoesBackwards(t *testing.T) {
	real := start
	c := NewClock(func() time.Time { return real }, 60)
	real = start.Add(time.Second)
	before := c.Now()
	real = start.Add(-time.Hour)
	c.Advance(-time.Hour)
	c.SetSpeed(-1)
	if now := c.Now(); now.Before(start) || !before.Equal(start.Add(time.Minute)) {
		t.Errorf("the clock showed %v, then %v", before, now)
	}
}

func TestClock_fixedMovesOnlyByAdvance(t *testing.T) {
	c := NewFixed(start)
	c.SetSpeed(10)
	if c.Speed() != 0 || !c.Now().Equal(start) {
		t.Errorf("a fixed clock runs: speed %v, %v", c.Speed(), c.Now())
	}
	c.Advance(90 * time.Second)
	if !c.Now().Equal(start.Add(90 * time.Second)) {
		t.Errorf("Now = %v", c.Now())
	}
}

func TestClock_sleepIsScaled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Now, 60)
		began := time.Now()
		if err := c.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got < time.Minute || got > time.Minute+time.Millisecond {
			t.Errorf("an hour at speed 60 took %v", got)
		}
	})
}

func TestClock_sleepFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(time.Now, 1)
		began := time.Now()
		woken := c.After(t.Context(), time.Hour)
		time.Sleep(10 * time.Minute)
		c.Advance(20 * time.Minute)
		time.Sleep(10 * time.Minute)
		c.SetSpeed(10)
		<-woken
		if got := time.Since(began); got < 22*time.Minute || got > 22*time.Minute+time.Millisecond {
			t.Errorf("woke after %v, want 10 + 10 minutes, then the last 20 at speed 10", got)
		}
	})
}

func TestClock_afterWakesOnAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewFixed(start)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		woken := c.After(ctx, time.Minute)
		c.Advance(59 * time.Second)
		synctest.Wait()
		select {
		case at := <-woken:
			t.Fatalf("woke at %v", at)
		default:
		}
		c.Advance(time.Second)
		if at := <-woken; !at.Equal(start.Add(time.Minute)) {
			t.Errorf("woke at %v", at)
		}
	})
}

func TestClock_isSafeForConcurrentUse(t *testing.T) {
	c := NewClock(time.Now, 1000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			last := c.Now()
			for i := range 200 {
				c.Advance(time.Millisecond)
				c.SetSpeed(float64(i + 1))
				if now := c.Now(); now.Before(last) {
					t.Errorf("%v after %v", now, last)
				} else {
					last = now
				}
			}
		})
	}
	wg.Wait()
}
