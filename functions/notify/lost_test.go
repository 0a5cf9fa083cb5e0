package notify_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

func TestLost_AMessageWithoutAnIDIsFollowedByMessages(t *testing.T) {
	b, s := newScreen(t)
	s.bare = true
	b.all(b.facts)
	b.all(b.wantApproval())
	b.all([]events.Event{b.progressed("stuck", now, &events.Escalation{Level: 1, Reason: "stuck"})})
	if strings.Join(s.calls, " ") != "post post post" || s.shown[2].Level != chat.Urgent {
		t.Errorf("%v", s.calls)
	}
	if b.late != 0 {
		t.Errorf("it waited for %s", b.late)
	}
}

func TestLost_WhatAPlatformCannotDoAfterAllIsPosted(t *testing.T) {
	b, s := newScreen(t)
	s.fail = func(how string) error {
		if how == "post" {
			return nil
		}
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: %w", how, chat.ErrUnsupported)}
	}
	b.all(b.facts)
	b.all(b.wantApproval())
	b.all([]events.Event{b.step(now), b.step(now.Add(time.Minute))})
	if strings.Join(s.calls, " ") != "post post post post" {
		t.Errorf("%v", s.calls)
	}
}

// refusing fails these calls, n times, and never again.
func refusing(n int, hows ...string) func(string) error {
	return func(how string) error {
		for _, h := range hows {
			if h == how && n > 0 {
				n--
				return &chat.Error{Code: chat.Invalid, Err: errors.New("thread_not_found")}
			}
		}
		return nil
	}
}

func TestLost_ARootThatTakesNoAnswerIsPostedAnew(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	s.fail = refusing(1, "reply")
	b.all(b.wantApproval())
	if strings.Join(s.calls, " ") != "post post reply" || !strings.Contains(s.shown[1].Title, "Waiting for a person") || s.shown[0].ID == s.shown[1].ID {
		t.Fatalf("%v, %+v", s.calls, s.shown)
	}
	if id, err := b.j.ThreadDrill(t.Context(), "local:a", "t2"); id != b.drill.ID || err != nil {
		t.Errorf("the new thread is about %q, %v", id, err)
	}
	b.all(b.vote("slack:T/BOB"))
	if strings.Join(s.calls, " ") != "post post reply reply update update" || !strings.Contains(s.shown[1].Text, "Approvals: 1 of 2") {
		t.Errorf("what follows: %v\n%s", s.calls, s.shown[1].Text)
	}
}

func TestLost_WhereNoEditIsTakenThereIsOneMoreRootAtMost(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	s.fail = refusing(100, "update")
	b.all(b.wantApproval())
	b.all(b.vote("slack:T/BOB"))
	b.all(b.vote("slack:T/CAROL"))
	if strings.Join(s.calls, " ") != "post reply post reply reply" {
		t.Errorf("%v", s.calls)
	}
}

func TestLost_WhereNoThreadCanBeHadTheMessageStandsInTheChannel(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(string) error
		want string
	}{
		"no answer is ever taken":       {refusing(100, "reply"), "post post post"},
		"and no first message is taken": {refusing(2, "reply", "post"), "post post"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := newScreen(t)
			b.all(b.facts)
			s.fail = c.fail
			b.all([]events.Event{b.progressed("stuck", now, &events.Escalation{Level: 1, Reason: "stuck", Do: "aws fis stop-experiment --id EXP1"})})
			last := s.shown[len(s.shown)-1]
			if strings.Join(s.calls, " ") != c.want || last.Level != chat.Urgent || !strings.Contains(fmt.Sprint(last.Fields), "stop-experiment") {
				t.Errorf("%v, %+v", s.calls, last)
			}
		})
	}
}

func TestLost_WhatCanBePutNowhereIsRetriedOrLogged(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	stuck := b.progressed("stuck", now, &events.Escalation{Level: 1, Reason: "stuck"})
	s.fail = refusing(100, "reply", "post", "update")
	b.all([]events.Event{stuck})
	if log := b.log.String(); !strings.Contains(log, `"level":"ERROR","msg":"message cannot be delivered","drill":"`+b.drill.ID) {
		t.Errorf("log: %s", log)
	}
	s.fail = func(how string) error {
		if how == "post" {
			return &chat.Error{Code: chat.Throttled, Err: errors.New("429")}
		}
		return refusing(1, "reply")(how)
	}
	if err := b.handle(stuck); err == nil {
		t.Error("no error: it would not be delivered again")
	}
	s.fail = nil
	b.all([]events.Event{stuck})
	if s.shown[len(s.shown)-1].Level != chat.Urgent {
		t.Errorf("%v", s.calls)
	}
}

func TestLost_WithoutThreadsTheRootIsEditedAndCardsAreRewritten(t *testing.T) {
	b, s := newScreen(t)
	s.can.Reply = false
	b.all(b.facts)
	b.all(b.wantApproval())
	b.all(b.vote("slack:T/BOB"))
	b.all(b.vote("slack:T/CAROL"))
	if strings.Join(s.calls, " ") != "post post update post update update post update update" {
		t.Errorf("%v", s.calls)
	}
	if strings.Contains(s.shown[0].Text, "Approvals:") || len(s.shown[1].Buttons) != 0 || !strings.Contains(s.shown[1].Text, "Approved by slack:T/CAROL") {
		t.Errorf("root\n%s\ncard %+v", s.shown[0].Text, s.shown[1])
	}
}

// noTime makes an event whose time is up as soon as the platform has taken a message.
func (s *screen) noTime(t *testing.T, how string) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	s.slow = func(h string, _ chat.Message) {
		if h == how {
			cancel()
		}
	}
	return ctx
}

func TestLost_WhatIsOutIsKeptWhereTheEventsTimeIsUp(t *testing.T) {
	b, s := newScreen(t)
	b.j.strict = true
	handle := func(how string, e events.Event) { _, _ = b.f.Handle(s.noTime(t, how), e) }
	handle("post", b.facts[0])
	waiting := b.wantApproval()
	handle("reply", waiting[0])
	b.all(b.facts)
	b.all(waiting)
	handle("update", b.vote("slack:T/BOB")[0])
	calls := len(s.calls)
	b.all(b.vote("slack:T/CAROL"))
	if strings.Join(s.calls[:calls], " ") != "post reply update reply update update" {
		t.Errorf("%v", s.calls[:calls])
	}
	if len(s.shown[1].Buttons) != 0 {
		t.Errorf("the card is not known: %+v", s.shown[1])
	}
}

func TestLost_AFactThatIsSentAgainIsTheSameMessage(t *testing.T) {
	b, s := newScreen(t)
	s.can = chat.Capabilities{Buttons: true}
	var sent []chat.Message
	s.slow = func(_ string, m chat.Message) { sent = append(sent, m) }
	s.fail = refusingOnce()
	if err := b.handle(b.facts[0]); err == nil {
		t.Fatal("no error")
	}
	b.late += time.Hour
	b.all(b.facts)
	if len(sent) != 2 || !reflect.DeepEqual(sent[0], sent[1]) || sent[0].Buttons[0].Token == "" || !strings.Contains(sent[0].Link, "?t=") {
		t.Fatalf("sent\n%+v", sent)
	}
	p, err := b.f.Keys.OpenPress(sent[0].Buttons[0].Token, now)
	if err != nil || !p.Until.Equal(now.Add(24*time.Hour)) {
		t.Errorf("good until %s, %v: want a day after the fact", p.Until, err)
	}
}

// refusingOnce is a platform whose first reply is lost.
func refusingOnce() func(string) error {
	first := true
	return func(string) error {
		if first {
			first = false
			return &chat.Error{Code: chat.Unavailable, Err: errors.New("no answer in time")}
		}
		return nil
	}
}

func TestLost_AnAnswerIsSaidByOneInstance(t *testing.T) {
	b, s := newScreen(t)
	e := reply(t, events.Reply{To: "slack:T/C", User: "slack:T/U1", Text: "asked for", Mode: "SANDBOX", At: now})
	b.all([]events.Event{e})
	b.another().all([]events.Event{e})
	if len(s.said) != 1 {
		t.Errorf("said %d times", len(s.said))
	}
	e.SetID("r2")
	s.fail = func(string) error { // dead over it
		b.j.set = errors.New("killed")
		return &chat.Error{Code: chat.Unavailable, Err: errors.New("killed")}
	}
	if err := b.handle(e); err == nil {
		t.Error("no error")
	}
	s.fail, b.j.set = nil, nil
	if err := b.another().handle(e); err == nil {
		t.Error("said while the other may still be at it")
	}
	b.late += 15 * time.Second
	b.another().all([]events.Event{e})
	b.all([]events.Event{e})
	if len(s.said) != 2 {
		t.Errorf("said %d times", len(s.said))
	}
	e.SetID("r3")
	b.j.set = errors.New("disk full")
	b.all([]events.Event{e})
	if len(s.said) != 3 || !strings.Contains(b.log.String(), "may come twice") {
		t.Errorf("not said while the journal is down: %s", b.log)
	}
}
