package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// uneven is a store that takes no more entries: of one drill for good, it says, and of all others for now.
type uneven struct {
	*memory.Store
	on   *bool
	once *sync.Once
	bad  *string
}

func (u uneven) Create(ctx context.Context, key string, data []byte) error {
	id, ok := strings.CutPrefix(key, "drills/")
	if !*u.on || !ok {
		return u.Store.Create(ctx, key, data)
	}
	id, _, _ = strings.Cut(id, "/")
	u.once.Do(func() { *u.bad = id })
	if id == *u.bad {
		return fmt.Errorf("%w: no", events.ErrInvalid)
	}
	return errors.New("not now")
}

// TestAbort_WhatIsFinalForOneDrillIsNotForTheOther: an alarm that stops two drills comes again as long as one of them can have it.
func TestAbort_WhatIsFinalForOneDrillIsNotForTheOther(t *testing.T) {
	on, bad := false, ""
	bubble(t, func(o *options) { lab(t)(o); o.store = uneven{newMemory(), &on, &sync.Once{}, &bad} }, func(r *rig) {
		for range 2 {
			id := r.start("many", nil)
			r.until(id, 10, func(d *drill.Drill) bool { return d.Status == drill.Running })
		}
		on = true
		_, err := r.give("abort", r.event(events.Stop{Drill: "all", Actor: bob}))
		if err == nil || !errors.Is(err, events.ErrInvalid) {
			t.Errorf("error %v: want both, and so the stop again", err)
		}
	})
}

type reporter struct{ error }

func (r reporter) Keep(context.Context, *drill.Drill) error { return r.error }

func TestConclude_OnlyWhatIsWhollyFinalIsRefused(t *testing.T) {
	final := fmt.Errorf("%w: no", events.ErrInvalid)
	for name, c := range map[string]struct {
		err   error
		again bool
	}{"final": {errors.Join(final, final), false}, "not now, and final": {errors.Join(final, errors.New("not now")), true}} {
		j := journal.Open(newMemory(), journal.Options{Now: time.Now, Nonce: func() string { return "n" }, Mode: "SANDBOX"})
		d, change := drill.New(drill.Ask{ID: "k7m2q4x9a3bcd", Mode: "SANDBOX", Actor: bob, Plan: drill.Plan{Name: "one", Service: drill.FIS, MaxDuration: drill.Duration(time.Hour)}}, time.Now())
		d.Status = drill.Concluded
		facts, err := j.Begin(t.Context(), d, change, journal.By{Source: "/test"})
		if err != nil {
			t.Fatal(err)
		}
		f := &conclude.Function{Journal: j, Reporter: reporter{c.err}, Log: slog.New(slog.DiscardHandler)}
		in := facts[0]
		in.SetType(events.TypeConcluded)
		if _, err := f.Handle(t.Context(), in); (err != nil) != c.again {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPoll_AnOutboxThatCannotBeReadIsNoFaultOfTheTick: the tick comes again, and is not kept as one that cannot be read.
func TestPoll_AnOutboxThatCannotBeReadIsNoFaultOfTheTick(t *testing.T) {
	bubble(t, lab(t), func(r *rig) {
		id := underWay(r)
		head, err := r.journal.Head(r.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.journal.Append(r.Context(), id, journal.Entry{Rev: head.Rev + 1, Actor: bob, Change: "damaged", Drill: head.Drill, Outbox: []json.RawMessage{[]byte(`{"specversion":"1.0"}`)}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.give("poll", r.event(events.Tick{At: time.Now()})); err == nil || events.Final(err) {
			t.Errorf("error %v", err)
		}
	})
}
