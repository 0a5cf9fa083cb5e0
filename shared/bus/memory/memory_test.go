package memory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/bus/memory"
	"github.com/firedrill/firedrill/shared/function"
)

func tick(t testing.TB, id string) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{ID: id, Source: "/test", Time: time.Now()}, events.Tick{At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// running starts a bus with routes and returns it; stop ends it and waits until it has ended.
func running(t *testing.T, log *slog.Logger, workers int, routes ...memory.Route) (b *memory.Bus, stop func()) {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b = memory.New(log, wait)
	for _, r := range routes {
		b.Subscribe(r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { b.Run(ctx, workers); close(done) }()
	return b, func() { cancel(); <-done }
}

func on(name string, h function.Handler) memory.Route {
	return memory.Route{Name: name, Types: []string{events.TypeTick}, Handler: h}
}

func TestBus_DeliversAgainAfterAnError(t *testing.T) {
	for fails := range 6 {
		t.Run(fmt.Sprint(fails, " failures"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				calls, begin := 0, time.Now()
				b, stop := running(t, slog.New(slog.NewTextHandler(&log, nil)), 1, on("poll", func(context.Context, events.Event) ([]events.Event, error) {
					if calls++; calls <= fails {
						return nil, errors.New("away")
					}
					return nil, nil
				}))
				defer stop()
				if err := b.Publish(t.Context(), tick(t, "t1")); err != nil {
					t.Fatal(err)
				}
				b.Idle()
				if want := min(fails+1, 4); calls != want {
					t.Errorf("%d calls, want %d", calls, want)
				}
				if gaveUp := strings.Contains(log.String(), "gave up"); gaveUp != (fails >= 4) {
					t.Errorf("gave up: %v", gaveUp)
				}
				if took := time.Since(begin); fails > 1 && took < time.Second {
					t.Errorf("%d failures within %s: the pauses do not grow", fails, took)
				}
			})
		})
	}
}

func TestBus_ASlowRouteDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var fast atomic.Int64
		b, stop := running(t, nil, 1,
			on("slow", func(context.Context, events.Event) ([]events.Event, error) { <-hold; return nil, nil }),
			on("fast", func(context.Context, events.Event) ([]events.Event, error) { fast.Add(1); return nil, nil }))
		defer stop()
		for i := range 100 {
			if err := b.Publish(t.Context(), tick(t, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if fast.Load() != 100 {
			t.Errorf("%d of 100 delivered beside a slow route", fast.Load())
		}
		close(hold)
		b.Idle()
	})
}

func TestBus_OnlySubscribersAndEveryTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got, other atomic.Int64
		b := memory.New(slog.New(slog.DiscardHandler), wait)
		b.Subscribe(on("a", func(context.Context, events.Event) ([]events.Event, error) { got.Add(1); return nil, nil }))
		b.Subscribe(memory.Route{Name: "b", Types: []string{events.TypeAlarm}, Handler: func(context.Context, events.Event) ([]events.Event, error) { other.Add(1); return nil, nil }})
		tapped := 0
		b.Tap(func(events.Event) { tapped++ })
		ctx, cancel := context.WithCancel(t.Context())
		go b.Run(ctx, 2)
		_ = b.Publish(t.Context(), tick(t, "1"), tick(t, "2"))
		b.Idle()
		if got.Load() != 2 || other.Load() != 0 || tapped != 2 {
			t.Errorf("delivered %d and %d, tapped %d", got.Load(), other.Load(), tapped)
		}
		cancel()
		synctest.Wait()
	})
}

func TestBus_IdleWaitsForWhatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *memory.Bus
		var n atomic.Int64
		b, stop := running(t, nil, 2, on("chain", func(ctx context.Context, e events.Event) ([]events.Event, error) {
			time.Sleep(time.Second)
			if n.Add(1) < 5 {
				return nil, b.Publish(ctx, tick(t, fmt.Sprint(n.Load())))
			}
			return nil, nil
		}))
		defer stop()
		_ = b.Publish(t.Context(), tick(t, "0"))
		b.Idle()
		if n.Load() != 5 {
			t.Errorf("idle after %d of 5", n.Load())
		}
	})
}

// TestBus_EndsWithItsContext: nobody waits for ever for events that nobody delivers any more.
func TestBus_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, nil, 1, on("slow", func(ctx context.Context, _ events.Event) ([]events.Event, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}))
		for i := range 10 {
			_ = b.Publish(t.Context(), tick(t, fmt.Sprint(i)))
		}
		synctest.Wait()
		stop()
		b.Idle()
	})
}

func TestBus_AFullQueueBlocksUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := memory.New(slog.New(slog.DiscardHandler), wait)
		b.Subscribe(on("nobody", func(context.Context, events.Event) ([]events.Event, error) { return nil, nil }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		e := tick(t, "x")
		var err error
		for n := 0; n < 10_000 && err == nil; n++ {
			err = b.Publish(ctx, e)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}
