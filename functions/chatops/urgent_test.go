package chatops_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

// hangs is a world of which a part does not answer.
type hangs struct {
	*world
	bus, journal bool
	stubborn     chan struct{} // set: what hangs does not heed its context either, until this is closed
}

func (h *hangs) wait(ctx context.Context) error {
	if h.stubborn != nil {
		<-h.stubborn
		return errors.New("too late")
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *hangs) Publish(ctx context.Context, out ...events.Event) error {
	if h.bus {
		return h.wait(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.world.Publish(ctx, out...)
}

func (h *hangs) Stop(ctx context.Context, p events.Stop) error {
	if h.journal {
		return h.wait(ctx)
	}
	return h.world.Stop(ctx, p)
}

func (h *hangs) Halt(ctx context.Context, p events.Halt) error {
	if h.journal {
		return h.wait(ctx)
	}
	return h.world.Halt(ctx, p)
}

func (h *hangs) Approve(ctx context.Context, p events.Approve) error {
	if h.journal {
		return h.wait(ctx)
	}
	return h.world.Approve(ctx, p)
}

func TestStop_NeitherAHangingJournalNorAHangingBusLosesIt(t *testing.T) {
	for _, text := range []string{"stop all", "stop " + second, "stop k7zz", "halt"} {
		for _, h := range []hangs{{journal: true}, {bus: true}, {journal: true, stubborn: make(chan struct{})}, {bus: true, stubborn: make(chan struct{})}} {
			synctest.Test(t, func(t *testing.T) {
				w, p := room(t)
				h := hangs{world: w, bus: h.bus, journal: h.journal, stubborn: h.stubborn}
				if h.stubborn != nil {
					h.stubborn = make(chan struct{}) // one of this bubble
					defer close(h.stubborn)
				}
				w.f.Publisher, w.f.Inputs = &h, &h
				begin := time.Now()
				code, said := w.as(p, "BOB", "1", text, "")
				if took := time.Since(begin); code != http.StatusOK || !strings.Contains(said, "asked for") || len(w.published)+len(w.inputs) != 1 || took > time.Second {
					t.Errorf("%s, %+v: %d %s after %s, inputs %v, %d events", text, h, code, said, took, w.inputs, len(w.published))
				}
			})
		}
	}
}

func TestStop_WhereBothHangItIsSaidInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := room(t)
		h := &hangs{world: w, bus: true, journal: true}
		w.f.Publisher, w.f.Inputs = h, h
		begin := time.Now()
		if _, said := w.as(p, "EVE", "1", "stop all", ""); !strings.Contains(said, "send it again") || time.Since(begin) > 2500*time.Millisecond {
			t.Errorf("%s after %s", said, time.Since(begin))
		}
	})
}

func TestApprove_AHangingJournalDoesNotLoseIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, p := room(t)
		h := &hangs{world: w, journal: true}
		w.f.Publisher, w.f.Inputs = h, h
		begin := time.Now()
		if _, said := w.as(p, "BOB", "1", "approve abcd", ""); len(w.published) != 1 || !strings.Contains(said, "approval of abcdefgh sent") || time.Since(begin) > 2*time.Second {
			t.Errorf("%s after %s", said, time.Since(begin))
		}
	})
}

func TestApprove_OfOnesOwnDrillIsRecordedAsADenial(t *testing.T) {
	w, p := room(t)
	w.input = fmt.Errorf("%w: slack:T/BOB asked for this drill and cannot approve it; somebody else must", drill.ErrForbidden)
	_, said := w.as(p, "BOB", "7", "approve abcd", "")
	if len(w.published) != 0 || !strings.Contains(said, "somebody else must") {
		t.Errorf("%s, %d events", said, len(w.published))
	}
	if len(w.denied) != 1 || w.denied[0].Verb != "approve" || w.denied[0].About != third || w.denied[0].ID != "7" || !strings.Contains(w.log.String(), `"msg":"refused"`) {
		t.Errorf("%+v, log %s", w.denied, w.log.String())
	}
}

func TestStop_OfADrillThatIsNotThere(t *testing.T) {
	for _, id := range []string{"k7zzz4x9a3bce", "everythingnow"} {
		w, p := room(t)
		w.input = fmt.Errorf("read drill: %w", journal.ErrNotFound)
		_, said := w.as(p, "EVE", "1", "stop "+id, "")
		if len(w.published) != 1 || !strings.Contains(said, "no drill has the id "+id) || strings.Contains(said, "asked for") || !strings.Contains(said, "/drill stop all") {
			t.Errorf("%s, %d events", said, len(w.published))
		}
		if !p.said.Failed {
			t.Errorf("%+v", p.said)
		}
	}
}

func TestHalt_OfAScopeThatIsNotThereIsRefused(t *testing.T) {
	for text, want := range map[string]string{ // the scope that is halted, or what is said where none is
		"halt environment/prodction fire": `did you mean "environment/production"`,
		"halt env/Production fire":        "environment/production",
		"halt env/production, fire":       "environment/production",
		"halt env/drills":                 "environment/drills",
		"halt plan/cart-cpuu x":           `did you mean "plan/cart-cpu"`,
		"halt plan/Cart-CPU x":            "plan/cart-cpu",
		"halt plan/zzz":                   "/drill halt all halts everything",
		"halt 全部":                         "all",
		"halt production is on fire":      "all",
	} {
		w, p := room(t)
		w.policy.Bindings = append(w.policy.Bindings, access.Binding{Role: "viewer", To: "slack:T/DAVE", Environments: []string{"drills"}})
		_, said := w.as(p, "ALICE", "1", text, "")
		done := len(w.inputs) == 1 && strings.HasPrefix(w.inputs[0], "halt "+want+" ") && strings.Contains(said, "halt of "+want+" asked for")
		refused := len(w.inputs)+len(w.published) == 0 && strings.Contains(said, want)
		if !done && !refused {
			t.Errorf("%s: %v, %s", text, w.inputs, said)
		}
		w, p = room(t)
		w.read = errors.New("no catalogue")
		if _, said := w.as(p, "ALICE", "1", text, ""); len(w.inputs) != 1 {
			t.Errorf("%s without a catalogue: %s", text, said)
		}
	}
}

func TestRelease_OfAScopeThatIsNotThere(t *testing.T) {
	for text, want := range map[string]string{
		"release plan/cart-cpuu over":     `did you mean "plan/cart-cpu"`,
		"release plan/Cart-CPU over":      "release of plan/cart-cpu asked for",
		"release env/Production over":     "release of environment/Production asked for", // halted under that name
		"release plan/gone over":          "release of plan/gone asked for",
		"release environment/nowhere now": `there is no environment "nowhere"`,
	} {
		w, p := room(t)
		w.halted = []string{"environment/Production", "plan/gone"}
		if _, said := w.as(p, "BOB", "1", text, ""); !strings.Contains(said, want) || (len(w.published) == 1) != strings.Contains(want, "asked for") {
			t.Errorf("%s: %s, %d events", text, said, len(w.published))
		}
	}
}

func TestStart_WrongParametersAreSaidAtOnce(t *testing.T) {
	for text, want := range map[string]string{
		"start cart-cpu secnds=60":             "did you mean seconds?",
		"start cart-cpu seconds=6000":          "6000 is more than 600",
		"start cart-cpu seconds=x other=1":     "; parameter seconds: ",
		"start checkout-az-outage seconds=60":  "FIS takes no parameters at all",
		"start cart-cpu --seconds=60":          "there are no flags",
		"start cart-cpu —seconds=60 and no if": "there are no flags",
	} {
		w, p := room(t)
		if _, said := w.as(p, "BOB", "1", text, ""); len(w.published) != 0 || !strings.Contains(strings.ToLower(said), strings.ToLower(want)) {
			t.Errorf("%s: %s", text, said)
		}
		if _, said := w.as(p, "EVE", "2", text, ""); strings.Contains(said, "seconds?") {
			t.Errorf("a stranger is told what there is: %s", said)
		}
	}
}

// record is a journal with drills that wait for a person.
func record(t *testing.T, ids ...string) (*memory.Store, *journal.Journal) {
	t.Helper()
	store := memory.New()
	j := journal.Open(store, journal.Options{Now: time.Now, Nonce: func() string { return "nonce-of-this-test" }, Mode: "SANDBOX"})
	for _, id := range ids {
		d := &drill.Drill{ID: id, Mode: "SANDBOX", Status: drill.Waiting, Plan: drill.Plan{Name: "cart-cpu"}, RequestedAt: time.Now()}
		if _, err := j.Begin(t.Context(), d, drill.Change{What: "asked for"}, journal.By{Actor: "alice", Source: "/test"}); err != nil {
			t.Fatal(err)
		}
	}
	return store, j
}

func status(t *testing.T, j *journal.Journal, id string) drill.Status {
	t.Helper()
	d, err := j.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d.Status
}

func TestJournaled_AllStopsAreRecordedBeforeAnyFactIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{first, second, third, mine}
		_, j := record(t, ids...)
		w := newWorld(t)
		bus := &hangs{world: w, bus: true}
		in := &chatops.Journaled{Journal: j, Publisher: bus, Now: time.Now, Source: "/test"}
		begin := time.Now()
		if err := in.Stop(t.Context(), events.Stop{Drill: "all", Actor: "slack:T/EVE"}); err != nil || time.Since(begin) > time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		for _, id := range ids {
			if s := status(t, j, id); s == drill.Waiting {
				t.Errorf("%s: a hanging bus kept the stop from the journal", id)
			}
		}
	})
}

func TestJournaled_StopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids []string
		for i := range 12 {
			ids = append(ids, fmt.Sprintf("drill%08d", i))
		}
		store, j := record(t, ids...)
		store.Before = func(string, string) error { time.Sleep(100 * time.Millisecond); return nil }
		in := &chatops.Journaled{Journal: j, Publisher: newWorld(t), Now: time.Now, Source: "/test"}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // one after the other they take 5 s and more
		defer cancel()
		if err := in.Stop(ctx, events.Stop{Drill: "all", Actor: "slack:T/EVE"}); err != nil {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

func TestJournaled_TheCommandThatCameByTheBusIsNoOther(t *testing.T) {
	_, j := record(t, first)
	in := &chatops.Journaled{Journal: j, Publisher: newWorld(t), Now: time.Now, Source: "/test"}
	p := events.Stop{Drill: first, Actor: "slack:T/EVE", Reason: "slow"}
	for range 2 {
		if err := in.Stop(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	p.Actor = "slack:T/BOB"
	if err := in.Stop(t.Context(), p); !errors.Is(err, drill.ErrAnswered) {
		t.Errorf("somebody else's stop: %v", err)
	}
	p.Drill = third
	if err := in.Stop(t.Context(), p); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("no such drill: %v", err)
	}
}

func TestShelf_FindsByKeysAlone(t *testing.T) {
	store, j := record(t, first, second, third)
	var mu sync.Mutex
	var ops []string
	store.Before = func(op, key string) error {
		mu.Lock()
		defer mu.Unlock()
		ops = append(ops, op+" "+key)
		return nil
	}
	s := &chatops.Shelf{Journal: j, Now: time.Now}
	active, err := s.Active(t.Context())
	slices.Sort(active)
	if want := []string{third, first, second}; err != nil || !slices.Equal(active, want) {
		t.Errorf("active %v, %v", active, err)
	}
	if ids, err := s.Newest(t.Context(), "k7"); err != nil || len(ids) != 2 {
		t.Errorf("newest %v, %v", ids, err)
	}
	if len(ops) != 2 {
		t.Errorf("calls: %v", ops)
	}
}
