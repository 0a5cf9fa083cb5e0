package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
)

// talker is somebody at one of the sandbox's chat platforms.
type talker struct {
	w       *world
	t       *testing.T
	room    rooms.Room
	channel string
}

func (w *world) at(t *testing.T, p chat.Platform) *talker {
	t.Helper()
	room := w.s.rooms[p]
	if room == nil {
		t.Fatalf("there is no %s", p)
	}
	return &talker{w: w, t: t, room: room, channel: room.Channels()[0].Address}
}

func (k *talker) person(role string) rooms.Person {
	k.t.Helper()
	for _, p := range k.room.People() {
		if p.Role == role {
			return p
		}
	}
	k.t.Fatalf("nobody is %s", role)
	return rooms.Person{}
}

// say types something, and returns what the person is told: at once, or a moment later in the conversation.
func (k *talker) say(role, text string) string {
	k.t.Helper()
	p := k.person(role)
	return k.told(p, role+" says "+text, func() (rooms.Heard, error) {
		return k.room.Say(k.t.Context(), rooms.Saying{Person: p.ID, Channel: k.channel, Text: text})
	})
}

// told does something as a person and returns what they are told.
func (k *talker) told(p rooms.Person, what string, do func() (rooms.Heard, error)) string {
	k.t.Helper()
	published, end := k.w.s.facts.listen()
	defer end()
	heard, err := do()
	if err != nil || heard.Status != 200 {
		k.t.Fatalf("%s: %+v, %v", what, heard, err)
	}
	if heard.Text != "" {
		return heard.Text
	}
	for late := time.After(patience); ; {
		select {
		case e := <-published:
			var r events.Reply
			if e.Type() != events.TypeReply || e.DataAs(&r) != nil || r.User != p.Who {
				continue
			}
			first, _, _ := strings.Cut(r.Text, "\n")
			eventually(k.t, func() bool {
				return slices.ContainsFunc(k.room.Messages(k.channel, p.ID), func(m rooms.Message) bool { return m.Bot && strings.Contains(m.Text, first) })
			}, "%s is shown the answer to: %s", p.Name, what)
			return r.Text
		case <-late:
			k.t.Errorf("nothing is said after: %s", what)
			return ""
		}
	}
}

// button finds the newest button with one of the labels on a message that holds every one of the texts.
func (k *talker) button(person, label string, texts ...string) (rooms.Message, int) {
	all := k.room.Messages(k.channel, person)
	for _, m := range slices.Backward(all) {
		holds := true
		for _, text := range texts {
			holds = holds && strings.Contains(m.Text, text)
		}
		for i, b := range m.Buttons {
			if holds && (b.Label == label || b.Label == chineseOf()[label]) {
				return m, i
			}
		}
	}
	return rooms.Message{}, -1
}

func chineseOf() map[string]string {
	return map[string]string{"Approve": "批准", "Advance": "执行", "Skip": "跳过", "Stop": "停止", "Yes": "是", "No": "否"}
}

// press waits for a button, presses it, and returns what the person is told.
func (k *talker) press(role, label string, texts ...string) string {
	k.t.Helper()
	p := k.person(role)
	var m rooms.Message
	i := -1
	eventually(k.t, func() bool { m, i = k.button(p.ID, label, texts...); return i >= 0 }, "a button %q with %v", label, texts)
	if i < 0 {
		k.t.Fatalf("no button %q with %v among\n%s", label, texts, k.shown(p.ID))
	}
	return k.told(p, role+" presses "+label, func() (rooms.Heard, error) {
		return k.room.Press(k.t.Context(), rooms.Pressing{Person: p.ID, Channel: k.channel, Message: m.ID, Button: i, Seen: m.Edits})
	})
}

func (k *talker) shown(person string) string {
	var b strings.Builder
	for _, m := range k.room.Messages(k.channel, person) {
		fmt.Fprintf(&b, "--- %s %s (thread %s) %v\n%s\n", m.ID, m.From, m.Thread, m.Buttons, m.Text)
	}
	return b.String()
}

// eventually waits, in real time, until something holds.
func eventually(t *testing.T, holds func() bool, format string, args ...any) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("never came: "+format, args...)
}

var idIn = regexp.MustCompile(`\b[a-z2-7]{8}\b`)

// started returns the drill whose short id stands in an answer.
func (k *talker) started(answer string) *drill.Drill {
	k.t.Helper()
	short := idIn.FindAllString(answer, -1)
	if len(short) == 0 {
		k.t.Fatalf("no drill's id in %q", answer)
	}
	var found *drill.Drill
	eventually(k.t, func() bool {
		d, err := k.w.s.find(k.t.Context(), short[len(short)-1])
		found = d
		return err == nil
	}, "drill %s", short)
	if found == nil {
		k.t.FailNow()
	}
	return found
}

// until waits until the drill is as wanted, and returns it.
func (k *talker) until(id string, wanted func(d *drill.Drill) bool, what string) *drill.Drill {
	k.t.Helper()
	var d *drill.Drill
	eventually(k.t, func() bool {
		var err error
		d, err = k.w.s.journal.Load(k.t.Context(), id)
		return err == nil && wanted(d)
	}, "drill %s %s", id, what)
	return d
}

func platforms() []chat.Platform {
	return []chat.Platform{chat.Slack, chat.Feishu, chat.DingTalk, chat.WeCom}
}

// TestChat_ADrillRunWhollyFromChat lists, plans, starts, approves as another person, stops, answers and concludes by what people type and press
// on each platform, then holds it against the journal.
func TestChat_ADrillRunWhollyFromChat(t *testing.T) {
	for _, p := range platforms() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel() // they wait for the platforms' limits more than they work
			w := start(t, func(s *settings, _ *screen) { s.speed, s.catalog = 10, onlyTo(t, p) })
			k := w.at(t, p)
			approvedAndStopped(k)
			advancedByHand(k)
		})
	}
}

// onlyTo is the shipped catalogue with every message going to one platform: those that take few messages a minute would hold up the others.
func onlyTo(t *testing.T, p chat.Platform) string {
	t.Helper()
	text, err := os.ReadFile("../../drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`notify: \[[^]]*\]`).ReplaceAllString(string(text), "notify: [ "+string(p)+" ]")
	if changed == string(text) {
		t.Fatal("the shipped catalogue has no notify")
	}
	path := filepath.Join(t.TempDir(), "drills.yaml")
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func approvedAndStopped(k *talker) {
	t := k.t
	if got := k.say("viewer", "/drill list"); !strings.Contains(got, "checkout-az-outage-production") {
		t.Errorf("list: %s", got)
	}
	if got := k.say("viewer", "/drill plan checkout-az-outage-production"); !strings.Contains(got, "checkout-5xx") {
		t.Errorf("plan: %s", got)
	}
	if got := k.say("stranger", "/drill start checkout-az-outage-production"); !strings.Contains(got, k.person("stranger").Who) {
		t.Errorf("a stranger is not told the id to give an admin: %s", got)
	}
	d := k.started(k.say("operator", "/drill start checkout-az-outage-production"))
	id := d.ID[:8]
	k.until(d.ID, func(d *drill.Drill) bool { return d.AwaitsApproval() }, "waits for approval")
	if got := k.press("operator", "Approve", id); strings.Contains(got, "Approved") || strings.Contains(got, "已批准") {
		t.Errorf("the requester approved: %s", got)
	}
	k.press("approver", "Approve", id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status == drill.Running }, "runs")
	if a := d.Approvals; a == nil || len(a.Votes) != 1 || a.Votes[0].Actor != k.person("approver").Who {
		t.Errorf("approvals %+v", a)
	}
	k.press("viewer", "Stop", id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status.Ended() && d.Restored.State.Decided() }, "is stopped and restored")
	if s := d.Stop; s == nil || s.By != k.person("viewer").Who || s.StoppedAt.IsZero() {
		t.Errorf("stop %+v", s)
	}
	k.press("operator", "Yes", id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status == drill.Concluded }, "is concluded")
	k.say("operator", "/drill conclude "+id+" expected the shop went on selling")
	d = k.until(d.ID, func(d *drill.Drill) bool { return len(d.Amendments) == 1 }, "has its amended verdict")
	if v := d.Amendments[0]; v.By != k.person("operator").Who || v.Verdict != drill.Expected {
		t.Errorf("amended %+v", v)
	}
	k.recorded(d)
	if got := k.say("viewer", "/drill report "+id); !strings.Contains(got, "/r/"+d.ID) {
		t.Errorf("report: %s", got)
	}
}

func advancedByHand(k *talker) {
	t := k.t
	d := k.started(k.say("operator", "/drill start cart-empty"))
	id := d.ID[:8]
	d = k.until(d.ID, func(d *drill.Drill) bool { return len(d.Gates) > 0 }, "waits at a step")
	first := d.Gates[0].ID
	if got := k.say("viewer", "/drill advance "+id); !strings.Contains(got, "operator") {
		t.Errorf("a viewer advances: %s", got)
	}
	k.press("operator", "Advance", id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return len(d.Answers) > 0 && d.Answers[0].Done }, "has its first answer")
	if a := d.Answers[0]; a.Actor != k.person("operator").Who || a.Action != drill.Execute {
		t.Errorf("answer %+v", a)
	}
	k.until(d.ID, func(d *drill.Drill) bool { return len(d.Gates) > 0 && d.Gates[0].ID != first }, "waits again")
	k.say("operator", "/drill skip "+id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return len(d.Answers) > 1 && d.Answers[1].Action == drill.Skip }, "skips a step")
	k.say("operator", "/drill note "+id+" 缓存是冷的 cache was cold")
	d = k.until(d.ID, func(d *drill.Drill) bool { return len(d.Notes) == 1 }, "has the note")
	k.say("stranger", "/drill stop "+id)
	d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status.Ended() }, "has ended")
	if d.Stop != nil && d.Stop.By != k.person("stranger").Who {
		t.Errorf("stop %+v", d.Stop)
	}
	k.recorded(d)
}

// recorded wants the drill's record whole, each change with the one who made it.
func (k *talker) recorded(d *drill.Drill) {
	k.t.Helper()
	ctx := k.t.Context()
	if err := k.w.s.journal.Verify(ctx, d.ID); err != nil {
		k.t.Error(err)
	}
	entries, err := k.w.s.journal.Entries(ctx, d.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	if entries[0].Actor != k.person("operator").Who {
		k.t.Errorf("asked for by %q", entries[0].Actor)
	}
	denied, err := k.w.s.journal.Denials(ctx, 50)
	if err != nil {
		k.t.Fatal(err)
	}
	if !slices.ContainsFunc(denied, func(n journal.Denial) bool { return n.Actor == k.person("stranger").Who && n.Verb == "start" }) {
		k.t.Errorf("the stranger's start is not recorded: %+v", denied)
	}
}

// TestChat_ARetryStormIsOneDrillAndOneThread sends the same command four times at once, and once more later, as Slack does.
func TestChat_ARetryStormIsOneDrillAndOneThread(t *testing.T) {
	for _, p := range platforms() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			w := start(t, func(s *settings, _ *screen) { s.speed, s.catalog = 20, onlyTo(t, p) })
			k := w.at(t, p)
			person := k.person("operator")
			heard, err := k.room.Say(t.Context(), rooms.Saying{Person: person.ID, Channel: k.channel, Text: "/drill start smoke-wait"})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				again := heard.Request.Clone(t.Context())
				if status := resend(t, w, again, heard.Body); status != 200 {
					t.Errorf("sent again: %d", status)
				}
			}
			mine := func() []*drill.Drill { return w.drillsOf(t, person.Who, "smoke-wait") }
			eventually(t, func() bool { return len(mine()) > 0 }, "the drill")
			if d := mine(); len(d) != 1 {
				t.Fatalf("%d drills", len(d))
			}
			id := mine()[0].ID[:8]
			k.until(mine()[0].ID, func(d *drill.Drill) bool { return d.Status.Ended() }, "ends")
			roots := func() (n int) {
				for _, m := range k.room.Messages(k.channel, person.ID) {
					if m.Bot && m.Thread == "" && m.Private == "" && strings.Contains(m.Text, id) && strings.Contains(m.Text, "(smoke-wait)") {
						n++
					}
				}
				return n
			}
			eventually(t, func() bool { return roots() > 0 }, "the drill's message")
			threads := p == chat.Slack || p == chat.Feishu
			if n := roots(); threads && n != 1 {
				t.Errorf("%d threads:\n%s", n, k.shown(person.ID))
			}
			if d := mine(); len(d) != 1 {
				t.Errorf("%d drills", len(d))
			}
		})
	}
}

// TestChat_APressOnACardAsItWas: people press what they see, which may have changed meanwhile. An approval is answered with what happened; a
// stop is a stop. WeCom's cards are those of one person each, and end with their press.
func TestChat_APressOnACardAsItWas(t *testing.T) {
	for _, p := range []chat.Platform{chat.Slack, chat.Feishu, chat.DingTalk} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			w := start(t, func(s *settings, _ *screen) { s.speed, s.catalog = 20, onlyTo(t, p) })
			k := w.at(t, p)
			d := k.started(k.say("operator", "/drill start checkout-az-outage-production"))
			bob := k.person("approver")
			var card rooms.Message
			eventually(t, func() (ok bool) {
				var i int
				card, i = k.button(bob.ID, "Approve", d.ID[:8])
				return i >= 0
			}, "the question")
			was := func(role, label string) string {
				who := k.person(role)
				i := slices.IndexFunc(card.Buttons, func(b rooms.Button) bool { return b.Label == label || b.Label == chineseOf()[label] })
				return k.told(who, role+" presses "+label, func() (rooms.Heard, error) {
					return k.room.Press(t.Context(), rooms.Pressing{Person: who.ID, Channel: k.channel, Message: card.ID, Button: i, Seen: card.Edits})
				})
			}
			was("approver", "Approve")
			d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status == drill.Running }, "runs")
			if got := was("approver", "Approve"); !strings.Contains(got, bob.Who) {
				t.Errorf("approved again, and is told: %s", got)
			}
			was("viewer", "Stop")
			d = k.until(d.ID, func(d *drill.Drill) bool { return d.Status.Ended() }, "ends")
			if d.Stop == nil || d.Stop.By != k.person("viewer").Who || len(d.Approvals.Votes) != 1 {
				t.Errorf("stop %+v, votes %+v", d.Stop, d.Approvals.Votes)
			}
		})
	}
}

// resend delivers a request of a platform once more.
func resend(t *testing.T, w *world, r *http.Request, body []byte) int {
	t.Helper()
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	w.s.talk.ServeHTTP(rec, r)
	return rec.Code
}

// drillsOf returns the drills of a plan that somebody asked for.
func (w *world) drillsOf(t *testing.T, actor, plan string) []*drill.Drill {
	t.Helper()
	items, _, err := w.s.journal.Recent(t.Context(), 200, "")
	if err != nil {
		t.Fatal(err)
	}
	var out []*drill.Drill
	for _, it := range items {
		if d, err := w.s.journal.Load(t.Context(), it.Drill); err == nil && d.Actor == actor && d.Plan.Name == plan {
			out = append(out, d)
		}
	}
	return out
}
