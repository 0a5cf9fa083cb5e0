package notify_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
)

// vote appends somebody's agreement.
func (b *bench) vote(who string) []events.Event {
	return b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Approve(who, "", now) })
}

// slowly makes the next edit take so long, whatever its context says.
func (s *screen) slowly(d time.Duration) {
	var done atomic.Bool
	s.slow = func(how string, _ chat.Message) {
		if how == "update" && !done.Swap(true) {
			time.Sleep(d)
		}
	}
}

func TestTurn_ASlowEditIsNeverTheLast(t *testing.T) {
	for name, c := range map[string]struct{ took, next, reply time.Duration }{
		"within its turn":                           {5 * time.Second, time.Second, 0},
		"longer than its turn":                      {25 * time.Second, 17 * time.Second, 0},
		"longer, and in the middle of another turn": {25 * time.Second, 24 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, s := newScreen(t)
				b.inTime()
				b.all(b.facts)
				waiting := b.wantApproval()
				time.Sleep(4 * time.Second)
				s.slowly(c.took)
				var group sync.WaitGroup
				group.Go(func() {
					if err := b.handle(waiting[0]); err != nil {
						t.Error(err)
					}
				})
				time.Sleep(c.next)
				s.reply = c.reply
				b.another().all(b.vote("slack:T/BOB"))
				group.Wait()
				if !strings.Contains(s.shown[0].Text, "Approvals: 1 of 2") || !strings.Contains(s.shown[1].Text, "Approvals: 1 of 2") {
					t.Errorf("%v\nroot:\n%s\ncard:\n%s", s.calls, s.shown[0].Text, s.shown[1].Text)
				}
			})
		})
	}
}

func TestTurn_ASlowEditOfACardIsNeverTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newScreen(t)
		b.inTime()
		b.all(b.facts)
		b.all(b.wantApproval())
		bob := b.vote("slack:T/BOB")
		var updates atomic.Int32
		s.slow = func(how string, _ chat.Message) {
			if how == "update" && updates.Add(1) == 2 { // after the root, the card
				time.Sleep(25 * time.Second)
			}
		}
		var group sync.WaitGroup
		group.Go(func() {
			if err := b.handle(bob[0]); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(20 * time.Second)
		b.another().all(b.vote("slack:T/CAROL"))
		group.Wait()
		if got := s.shown[1]; len(got.Buttons) != 0 || !strings.Contains(got.Text, "slack:T/CAROL") {
			t.Errorf("%v\ncard: %+v", s.calls, got)
		}
	})
}

// apart wants three seconds between two edits of the first message.
func (s *screen) apart(t *testing.T) {
	t.Helper()
	for i := 1; i < len(s.edits); i++ {
		if d := s.edits[i].Sub(s.edits[i-1]); d < 3*time.Second {
			t.Errorf("edit %d came %s after the one before it", i+1, d)
		}
	}
}

func TestTurn_ABurstSharesEditsThatAreThreeSecondsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newScreen(t)
		b.inTime()
		b.all(b.facts)
		b.all(b.wantApproval()) // from here on there is an open card
		s.slow = func(string, chat.Message) { time.Sleep(200 * time.Millisecond) }
		var group sync.WaitGroup
		for i := range 12 {
			fact := b.step(now.Add(time.Duration(i) * 30 * time.Second))
			group.Go(func() {
				if err := b.another().handle(fact); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(400 * time.Millisecond)
		}
		b.vote("slack:T/BOB")
		group.Wait()
		if s.apart(t); len(s.edits) < 2 || len(s.edits) > 4 {
			t.Errorf("%d edits: %v", len(s.edits), s.calls)
		}
	})
}

func TestTurn_WhatHappensDuringAnEditIsShownNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newScreen(t)
		b.inTime()
		b.all(b.facts)
		waiting := b.wantApproval()
		var once sync.Once
		s.slow = func(how string, _ chat.Message) {
			if how == "update" {
				once.Do(func() { b.vote("slack:T/BOB") }) // whose fact never comes
			}
		}
		b.all(waiting)
		if !strings.Contains(s.shown[0].Text, "Approvals: 1 of 2") {
			t.Errorf("root:\n%s", s.shown[0].Text)
		}
		s.apart(t)
	})
}

func TestTurn_AnInstanceThatDiedOverAnEditIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newScreen(t)
		b.inTime()
		b.all(b.facts)
		waiting := b.wantApproval()
		s.fail = func(how string) error {
			if how != "update" {
				return nil
			}
			b.j.set = errors.New("killed") // dead: nothing that it would do afterwards is done
			return &chat.Error{Code: chat.Unavailable, Err: errors.New("killed")}
		}
		if err := b.handle(waiting[0]); err == nil {
			t.Error("no error")
		}
		s.fail, b.j.set = nil, nil
		if err := b.another().handle(waiting[0]); err == nil || !chat.Retryable(err) {
			t.Errorf("edited while the other may still be at it: %v", err)
		}
		time.Sleep(5 * time.Second)
		b.another().all(waiting)
		if len(s.edits) != 1 || !strings.Contains(s.shown[0].Text, "Approvals: 0 of 2") {
			t.Errorf("%v\n%s", s.calls, s.shown[0].Text)
		}
	})
}

func TestTurn_AnEditThatFailsIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := newScreen(t)
		b.inTime()
		b.all(b.facts)
		waiting := b.wantApproval()
		s.fail = func(how string) error {
			if how == "update" {
				return &chat.Error{Code: chat.Throttled, Err: errors.New("429")}
			}
			return nil
		}
		if err := b.handle(waiting[0]); err == nil {
			t.Error("no error")
		}
		s.fail = nil
		b.all(waiting)
		if strings.Join(s.calls, " ") != "post reply update" {
			t.Errorf("%v", s.calls)
		}
	})
}
