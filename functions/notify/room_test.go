package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/token"
	"github.com/firedrill/firedrill/shared/chat/token/tokentest"
	"github.com/firedrill/firedrill/shared/drill"
)

// screen is a platform that edits and threads; it shows what people see now.
type screen struct {
	mu    sync.Mutex
	shown []chat.Message
	ids   []string
	calls []string
	root  string // thread of the newest post
	said  []chat.Saying
	edits []time.Time // of the first message
	fail  func(how string) error
	slow  func(how string, m chat.Message) // before it is taken
	reply time.Duration                    // for how long after that it says nothing
	can   chat.Capabilities
	bare  bool // it tells of no ids
}

func (s *screen) take(how string, m chat.Message, id string) (chat.Posted, error) {
	if s.slow != nil {
		s.slow(how, m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(how); err != nil {
			return chat.Posted{}, err
		}
	}
	s.calls = append(s.calls, how)
	if i := slices.Index(s.ids, id); i >= 0 && how == "update" {
		s.shown[i] = m
		if i == 0 {
			s.edits = append(s.edits, time.Now())
		}
		return chat.Posted{To: "local:a", ID: id, Thread: "t" + s.ids[0]}, nil
	}
	s.shown, s.ids = append(s.shown, m), append(s.ids, fmt.Sprint(len(s.ids)+1))
	if s.bare {
		return chat.Posted{To: "local:a"}, nil
	}
	id = s.ids[len(s.ids)-1]
	if how == "post" {
		s.root = "t" + id
	}
	return chat.Posted{To: "local:a", ID: id, Thread: s.root}, nil
}

func (s *screen) Post(_ context.Context, _ chat.Address, m chat.Message) (chat.Posted, error) {
	return s.take("post", m, "")
}
func (s *screen) Update(_ context.Context, p chat.Posted, m chat.Message) (chat.Posted, error) {
	posted, err := s.take("update", m, p.ID)
	if s.reply > 0 {
		time.Sleep(s.reply)
	}
	return posted, err
}
func (s *screen) Reply(_ context.Context, _ chat.Posted, m chat.Message) (chat.Posted, error) {
	return s.take("reply", m, "")
}
func (s *screen) Say(_ context.Context, what chat.Saying) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail("say"); err != nil {
			return err
		}
	}
	s.said = append(s.said, what)
	return nil
}
func (s *screen) Capabilities(chat.Address) chat.Capabilities { return s.can }

func newScreen(t *testing.T) (*bench, *screen) {
	t.Helper()
	b, s := newBench(t, channel("a", "local:a")), &screen{can: chat.Capabilities{Update: true, Reply: true, Buttons: true}}
	b.f.Senders = chat.New(nil, s)
	b.f.Keys = tokentest.New()
	b.f.Link = func(id string) string { return "https://drills.example.com/r/" + id }
	return b, s
}

func (b *bench) all(facts []events.Event) {
	b.t.Helper()
	for _, e := range facts {
		if err := b.handle(e); err != nil {
			b.t.Fatal(err)
		}
	}
}

// wantApproval takes the drill to where it waits for two people.
func (b *bench) wantApproval() []events.Event {
	b.drill.Plan.Approval.Need = 2
	return b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		d.Plan.Approval = drill.Approval{Need: 2}
		return d.AskApproval(now)
	})
}

func TestRoom_OneRootThatAlwaysShowsTheNewestState(t *testing.T) {
	synctest.Test(t, oneRoot)
}

func oneRoot(t *testing.T) {
	b, s := newScreen(t)
	b.inTime()
	b.all(b.facts)
	root := s.shown[0].Text
	for _, want := range []string{"1. Stop requested: no", "2. Stopped at the service: no", "3. Restored: no"} {
		if !strings.Contains(root, want) {
			t.Errorf("first root lacks %q:\n%s", want, root)
		}
	}
	var facts []events.Event
	facts = append(facts, b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Intend(drill.Main, "me", nil, 0, now)
	})...)
	facts = append(facts, b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.SetRun(drill.Main, "EXP1", false, now)
	})...)
	facts = append(facts, b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AskStop(drill.StopByPerson, "webhook:acme/alice", "slow", "me", now)
	})...)
	var group sync.WaitGroup
	for _, e := range facts { // in a burst, and out of order
		group.Go(func() {
			if err := b.handle(e); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	root = s.shown[0].Text
	if !strings.Contains(s.shown[0].Title, "[SANDBOX] STOPPING, not confirmed") || !strings.Contains(root, "2. Stopped at the service: not confirmed") || !strings.Contains(root, "by webhook:acme/alice") {
		t.Errorf("root: %s\n%s", s.shown[0].Title, root)
	}
	if n := count(s.calls, "post"); n != 1 {
		t.Errorf("%d roots", n)
	}
	before := len(s.calls)
	b.all(append(facts, b.facts...)) // delivered again
	if len(s.calls) != before {
		t.Errorf("delivered again: %v", s.calls[before:])
	}
}

func count(list []string, word string) int {
	n := 0
	for _, s := range list {
		if s == word {
			n++
		}
	}
	return n
}

func TestRoom_FactsAtOnceMakeOneThread(t *testing.T) {
	synctest.Test(t, oneThread)
}

func oneThread(t *testing.T) {
	b, s := newScreen(t)
	b.inTime()
	waiting := b.wantApproval()
	var group sync.WaitGroup
	for range 10 {
		for _, e := range append(slices.Clone(b.facts), waiting...) {
			group.Go(func() {
				for range 5 {
					if b.handle(e) == nil {
						return
					}
				}
				t.Error("never delivered")
			})
		}
	}
	group.Wait()
	if posts, replies := count(s.calls, "post"), count(s.calls, "reply"); posts != 1 || replies != 1 {
		t.Errorf("%d roots and %d replies: %v", posts, replies, s.calls)
	}
	if id, err := b.j.ThreadDrill(t.Context(), "local:a", "t1"); id != b.drill.ID || err != nil {
		t.Errorf("the thread is about %q, %v", id, err)
	}
}

func TestRoom_ACardIsRewrittenWithWhoAndWhenAndNoButtons(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	b.all(b.wantApproval())
	card := s.shown[1]
	if len(card.Buttons) != 3 || card.Buttons[0].Token == "" || len(card.Buttons[0].Token) > token.MaxPress {
		t.Fatalf("card %+v", card)
	}
	if p, err := b.f.Keys.OpenPress(card.Buttons[0].Token, now); err != nil || p.Verb != "approve" || p.Drill != b.drill.ID {
		t.Errorf("token %+v, %v", p, err)
	}
	vote := func(who string) []events.Event {
		return b.change(func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Approve(who, "", now) })
	}
	vote("slack:T/BOB")
	b.all([]events.Event{b.progressed("p1", now, nil)})
	if !strings.Contains(s.shown[1].Text, "Approvals: 1 of 2") || len(s.shown[1].Buttons) == 0 {
		t.Errorf("after one vote:\n%+v", s.shown[1])
	}
	b.all(vote("slack:T/CAROL"))
	if got := s.shown[1]; len(got.Buttons) != 0 || !strings.Contains(got.Text, "Approved by slack:T/BOB at 2026-11-24 10:00:00 +01:00") || !strings.Contains(got.Text, "slack:T/CAROL") {
		t.Errorf("after both:\n%+v", got)
	}
}

// TestRoom_WhatAnAnswerDidIsToldAtOnce: no button stays live after its answer, and a move that did not work is a message of its own.
func TestRoom_WhatAnAnswerDidIsToldAtOnce(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	step := func(change func(d *drill.Drill, now time.Time) (drill.Change, error)) { b.all(b.change(change)) }
	reading := drill.Observation{Run: drill.Run{Role: drill.Main, ID: "EXP1"}, Phase: drill.PhaseRunning, Vendor: "running", Injected: true,
		Steps: []drill.Step{{ID: "1", Name: "cpu", Kind: drill.FaultStep, State: drill.StepRunning}}}
	observe := func(gates ...drill.Gate) {
		reading.Gates = gates
		step(func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.Observe(reading, now) })
	}
	step(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.Intend(drill.Main, "me", nil, 0, now)
	})
	step(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.SetRun(drill.Main, "EXP1", false, now)
	})
	observe(drill.Gate{Step: "2", Name: "network", Kind: drill.ManualGate, Choices: []drill.Choice{{Action: drill.Execute}}})
	if !strings.Contains(s.shown[0].Title, "Waiting for a person") {
		t.Fatalf("root: %s", s.shown[0].Title)
	}
	answer := func(d *drill.Drill, now time.Time) (drill.Change, error) {
		c, _, err := d.Answer(drill.Move{Action: drill.Execute}, "slack:T/BOB", "me", now)
		return c, err
	}
	step(answer)
	step(func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.SettleAnswer(0, "UnauthorizedOperation", now), nil
	})
	if last := s.shown[len(s.shown)-1]; last.Level != chat.Warning || !strings.Contains(last.Text, "execute 2 did not work: UnauthorizedOperation") {
		t.Errorf("the last message is %+v", last)
	}
	step(answer)
	step(func(d *drill.Drill, now time.Time) (drill.Change, error) { return d.SettleAnswer(1, "", now), nil })
	observe()
	if root := s.shown[0]; !strings.Contains(root.Title, "Running") || len(root.Buttons) != 1 {
		t.Errorf("root: %s, %d buttons\n%s", root.Title, len(root.Buttons), root.Text)
	}
	for _, m := range s.shown {
		for _, button := range m.Buttons {
			if button.Act.Verb == "advance" {
				t.Errorf("a live button in %s\n%s", m.Title, m.Text)
			}
		}
	}
	if !slices.ContainsFunc(s.shown, func(m chat.Message) bool { return strings.Contains(m.Text, "did not work: UnauthorizedOperation") }) {
		t.Error("what did not work is said nowhere any more")
	}
}

func TestRoom_WhenTheRootCannotBePostedTheNextFactDoes(t *testing.T) {
	b, s := newScreen(t)
	s.fail = func(string) error { return &chat.Error{Code: chat.Unavailable, Err: errors.New("503")} }
	if err := b.handle(b.facts[0]); err == nil {
		t.Error("no error")
	}
	s.fail = nil
	b.all(b.wantApproval())
	b.all(b.facts)
	if strings.Join(s.calls, " ") != "post reply" {
		t.Errorf("%v", s.calls)
	}
}

func TestRoom_AnInstanceThatDiedOverTheRootIsGivenUp(t *testing.T) {
	b, s := newScreen(t)
	s.fail = func(string) error { // dead: nothing that it would do afterwards is done
		b.j.set = errors.New("killed")
		return &chat.Error{Code: chat.Unavailable, Err: errors.New("killed")}
	}
	if err := b.handle(b.facts[0]); err == nil {
		t.Error("no error")
	}
	s.fail, b.j.set = nil, nil
	if err := b.handle(b.facts[0]); err == nil {
		t.Error("posted while the other instance may still be at it")
	}
	b.late += 15 * time.Second
	b.all(b.facts)
	if strings.Join(s.calls, " ") != "post" {
		t.Errorf("%v", s.calls)
	}
}

func TestRoom_ARootThatIsGoneIsPostedAnew(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	gone := func() {
		first := true
		s.fail = func(how string) error {
			if how == "update" && first {
				first = false
				return &chat.Error{Code: chat.Denied, Err: errors.New("message_not_found")}
			}
			return nil
		}
	}
	b.late += time.Minute
	gone()
	b.all(b.wantApproval())
	if strings.Join(s.calls, " ") != "post reply post" || !strings.Contains(s.shown[2].Title, "Waiting for a person") {
		t.Errorf("%v", s.calls)
	}
	b.all(b.vote("slack:T/BOB"))
	gone()
	b.all(b.vote("slack:T/CAROL"))
	if got := strings.Join(s.calls[3:], " "); got != "reply update update reply update post" {
		t.Errorf("gone once more: %v", got)
	}
}

func TestRoom_EditsAreThreeSecondsApart(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	began := b.clock()
	b.all(b.wantApproval())
	if waited := b.clock().Sub(began); count(s.calls, "update") != 1 || waited < 3*time.Second || waited > 4*time.Second {
		t.Errorf("%v after %s", s.calls, waited)
	}
}

func TestRoom_LinksCarryATokenThatIsGoodForADay(t *testing.T) {
	b, s := newScreen(t)
	b.all(b.facts)
	u, err := url.Parse(s.shown[0].Link)
	if err != nil || u.Path != "/r/"+b.drill.ID {
		t.Fatal(s.shown[0].Link, err)
	}
	if err := b.f.Keys.OpenLink(b.drill.ID, u.Query().Get("t"), now.Add(23*time.Hour)); err != nil {
		t.Error(err)
	}
	if err := b.f.Keys.OpenLink(b.drill.ID, u.Query().Get("t"), now.Add(25*time.Hour)); err == nil {
		t.Error("still good the day after")
	}
}

func reply(t *testing.T, p events.Reply) events.Event {
	t.Helper()
	e, err := events.New(events.Envelope{ID: "r1", Source: "/firedrill/test/chatops", Subject: "chat", Time: now}, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReply_IsSaidOnceToTheOneWhoAsked(t *testing.T) {
	b, s := newScreen(t)
	sealed, err := b.f.Keys.Seal("https://hooks.slack.com/x/hunter2")
	if err != nil {
		t.Fatal(err)
	}
	e := reply(t, events.Reply{To: "slack:T/C", User: "slack:T/U1", Thread: "1.2", Text: "asked for", Mode: "SANDBOX", URL: sealed, Until: now.Add(time.Minute), At: now})
	s.fail = func(string) error { return &chat.Error{Code: chat.Unavailable, Err: errors.New("503")} }
	if err := b.handle(e); err == nil {
		t.Error("no error: it would not be delivered again")
	}
	s.fail = nil
	b.all([]events.Event{e, e})
	if len(s.said) != 1 || s.said[0].User != "U1" || s.said[0].URL != "https://hooks.slack.com/x/hunter2" || s.said[0].Thread != "1.2" || s.said[0].To.String() != "slack:T/C" {
		t.Errorf("%+v", s.said)
	}
	if strings.Contains(b.log.String(), "hunter2") {
		t.Errorf("log: %s", b.log)
	}
}

func TestReply_AnOldOrForeignURLIsNotUsed(t *testing.T) {
	b, s := newScreen(t)
	sealed, err := b.f.Keys.Seal("https://hooks.slack.com/x")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := tokentest.New().Seal("https://evil.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	old := reply(t, events.Reply{To: "slack:T/C", User: "slack:T/U1", Text: "x", Mode: "SANDBOX", URL: sealed, Until: now.Add(-time.Second), At: now})
	bad := reply(t, events.Reply{To: "slack:T/C", User: "slack:T/U1", Text: "x", Mode: "SANDBOX", URL: foreign, Until: now.Add(time.Hour), At: now})
	bad.SetID("r2")
	plain := reply(t, events.Reply{To: "slack:T/C", User: "slack:T/U1", Text: "x", Mode: "SANDBOX", URL: "https://evil.example.com/", At: now})
	plain.SetID("r3")
	b.all([]events.Event{old, bad, plain})
	for _, one := range s.said {
		if one.URL != "" {
			t.Errorf("used %q", one.URL)
		}
	}
	if len(s.said) != 3 {
		t.Errorf("%d said", len(s.said))
	}
}

func TestReply_WhatCannotBeToldIsLogged(t *testing.T) {
	b := newBench(t, channel("a", "local:a"))
	if err := b.handle(reply(t, events.Reply{To: "local:a", User: "local:x/y", Text: "x", Mode: "SANDBOX", At: now})); err != nil {
		t.Errorf("a retry cannot mend it: %v", err)
	}
	if !strings.Contains(b.log.String(), "cannot be delivered") {
		t.Errorf("log: %s", b.log)
	}
}

func TestAnnounced_GoesToThePlansChannels(t *testing.T) {
	b, s := newScreen(t)
	b.f.Of = func(_ context.Context, plan string) []drill.Channel {
		if plan == "checkout" {
			return []drill.Channel{channel("a", "local:a")}
		}
		return nil
	}
	e, err := events.New(events.Envelope{ID: "a1", Source: "/firedrill/test/start", Subject: "slotdrill0001", Time: now}, events.Announced{
		About:    events.About{Drill: "slotdrill0001", Plan: "checkout", Title: "Checkout", Mode: "SANDBOX", Status: "announced", At: now},
		StartsAt: now.Add(30 * time.Minute), StopOn: []string{"checkout-5xx"}, Targets: "1 to 12",
	})
	if err != nil {
		t.Fatal(err)
	}
	b.all([]events.Event{e, e})
	if len(s.shown) != 1 || !strings.Contains(s.shown[0].Text, "2026-11-24 10:30:00 +01:00") || len(s.shown[0].Buttons) != 1 {
		t.Fatalf("%+v", s.shown)
	}
	if p, err := b.f.Keys.OpenPress(s.shown[0].Buttons[0].Token, now); err != nil || p.Verb != "halt" {
		t.Errorf("%+v, %v", p, err)
	}
}
