package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type shelf struct {
	*journal.Journal
	store *memory.Store
}

func open(t testing.TB) shelf {
	t.Helper()
	var n atomic.Int64
	store := memory.New()
	return shelf{journal.Open(store, journal.Options{Now: func() time.Time { return noon }, Mode: "SANDBOX",
		Nonce: func() string { return fmt.Sprintf("nonce-%020d", n.Add(1)) }}), store}
}

func newDrill(id string) (*drill.Drill, drill.Change) {
	return drill.New(drill.Ask{ID: id, Mode: "SANDBOX", Plan: drill.Plan{Name: "p", Environment: "staging", Service: drill.FIS}, Actor: "a:b/c"}, noon)
}

var by = journal.By{Actor: "a:b/c", Cause: "cause-1", Source: "/firedrill/test/start"}

func begin(t testing.TB, j shelf, id string) *drill.Drill {
	t.Helper()
	d, c := newDrill(id)
	if _, err := j.Begin(t.Context(), d, c, by); err != nil {
		t.Fatal(err)
	}
	return d
}

func note(text string, facts ...events.Payload) drill.Change {
	return drill.Change{What: text, Facts: facts}
}

func TestBegin_Twice(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	d, c := newDrill("d1")
	if _, err := j.Begin(t.Context(), d, c, by); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("error %v, want a conflict", err)
	}
	if e, err := j.Head(t.Context(), "d1"); err != nil || e.Rev != 1 {
		t.Errorf("rev %d, %v", e.Rev, err)
	}
}

// TestBegin_EveryDeathIsFound: wherever Begin dies, a drill that exists has a marker.
func TestBegin_EveryDeathIsFound(t *testing.T) {
	for die := range 6 {
		j := open(t)
		n := 0
		j.store.Before = func(op, _ string) error {
			if op == "get" || op == "list" {
				return nil
			}
			if n++; n > die {
				return errors.New("killed")
			}
			return nil
		}
		d, c := newDrill("d1")
		_, _ = j.Begin(t.Context(), d, c, by)
		j.store.Before = nil
		ids, err := j.ActiveIDs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Load(t.Context(), "d1"); err == nil && len(ids) != 1 {
			t.Errorf("after %d writes the drill exists and nobody looks for it", die)
		}
	}
}

func TestCommit_Conflict(t *testing.T) {
	j := open(t)
	first := begin(t, j, "d1")
	second, err := j.Load(t.Context(), "d1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Commit(t.Context(), first, note("first"), by); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Commit(t.Context(), second, note("second"), by); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("error %v, want a conflict", err)
	}
	if second.Rev != 1 || first.Rev != 2 {
		t.Errorf("revs %d and %d: a lost commit must not move its state on", first.Rev, second.Rev)
	}
}

func TestUpdate_TwentyAtOnceEachAppliedOnce(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, _, err := j.Update(t.Context(), "d1", by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
				return d.AddNote("bob", fmt.Sprint("note ", i), now), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	d, err := j.Load(t.Context(), "d1")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, n := range d.Notes {
		seen[n.Text]++
	}
	if len(d.Notes) != 20 || len(seen) != 20 || d.Rev != 21 {
		t.Errorf("%d notes, %d of them different, rev %d", len(d.Notes), len(seen), d.Rev)
	}
}

func TestUpdate_ErrorsAndEmptyChangesWriteNothing(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	refused := errors.New("no")
	d, out, err := j.Update(t.Context(), "d1", by, func(*drill.Drill, time.Time) (drill.Change, error) { return note("x"), refused })
	if !errors.Is(err, refused) || d == nil || out != nil {
		t.Errorf("%v, %v, %v", d, out, err)
	}
	d, out, err = j.Update(t.Context(), "d1", by, func(*drill.Drill, time.Time) (drill.Change, error) { return drill.Change{}, nil })
	if err != nil || out != nil || d.Rev != 1 {
		t.Errorf("rev %d, %v, %v", d.Rev, out, err)
	}
	for _, id := range []string{"nobody", "../x", ""} {
		_, _, err = j.Update(t.Context(), id, by, func(*drill.Drill, time.Time) (drill.Change, error) { return note("x"), nil })
		if !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestUpdate_GivesUpAtLast(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	_, _, err := j.Update(t.Context(), "d1", by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		other, err := j.Load(t.Context(), "d1")
		if err != nil {
			return drill.Change{}, err
		}
		if _, err := j.Commit(t.Context(), other, note("somebody else"), by); err != nil {
			return drill.Change{}, err
		}
		return note("mine"), nil
	})
	if !errors.Is(err, journal.ErrConflict) {
		t.Errorf("error %v", err)
	}
}

func TestCommit_FactsHaveStableIDs(t *testing.T) {
	var ids [2]string
	for i := range ids {
		j := open(t)
		d := begin(t, j, "d1")
		about := events.About{Drill: "d1", Plan: "p", Mode: "SANDBOX", Status: "running", At: noon}
		out, err := j.Commit(t.Context(), d, note("x", events.Started{About: about}, events.Completed{About: about}), by)
		if err != nil {
			t.Fatal(err)
		}
		e, err := j.Entry(t.Context(), "d1", 2)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := e.Events()
		if err != nil || len(kept) != 2 {
			t.Fatal(kept, err)
		}
		for n, f := range out {
			if f.ID() != kept[n].ID() || f.ID() != events.FactID("d1", 2, n) || events.Sequence(f) != 2 || events.Cause(f) != "cause-1" || f.Subject() != "d1" {
				t.Errorf("fact %d: %v, kept %v", n, f, kept[n])
			}
		}
		ids[i] = out[0].ID() + out[1].ID()
	}
	if ids[0] != ids[1] || strings.HasPrefix(ids[0], ids[0][13:]) {
		t.Errorf("ids %v", ids)
	}
}

func TestPublished_OnlyAsFarAsNothingIsMissing(t *testing.T) {
	about := events.About{Drill: "d1", Plan: "p", Mode: "SANDBOX", Status: "running", At: noon}
	fact := events.Started{About: about}
	tests := []struct {
		name string
		revs []int // published, in one call each
		want int
	}{
		{"a later one while an earlier is missing", []int{4}, 0},
		{"the first", []int{1}, 1},
		{"the first, then over a rev without facts", []int{1, 3}, 3},
		{"all, in the wrong order", []int{4, 3, 1}, 1},
		{"all, in order", []int{1, 3, 4}, 4},
		{"again an old one", []int{1, 3, 4, 1}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := open(t)
			d := begin(t, j, "d1") // rev 1 has a fact
			for _, c := range []drill.Change{note("rev 2, silent"), note("rev 3", fact), note("rev 4", fact)} {
				if _, err := j.Commit(t.Context(), d, c, by); err != nil {
					t.Fatal(err)
				}
			}
			for _, rev := range tt.revs {
				if err := j.Published(t.Context(), "d1", rev); err != nil {
					t.Fatal(err)
				}
			}
			if m, err := j.Marker(t.Context(), "d1"); err != nil || m.Sent != tt.want {
				t.Errorf("sent %d, want %d; %v", m.Sent, tt.want, err)
			}
		})
	}
	t.Run("several at once", func(t *testing.T) {
		j := open(t)
		d := begin(t, j, "d1")
		if _, err := j.Commit(t.Context(), d, note("rev 2", fact), by); err != nil {
			t.Fatal(err)
		}
		if err := j.Published(t.Context(), "d1", 2, 1); err != nil {
			t.Fatal(err)
		}
		if m, _ := j.Marker(t.Context(), "d1"); m.Sent != 2 {
			t.Errorf("sent %d", m.Sent)
		}
	})
	t.Run("a drill that is over", func(t *testing.T) {
		if err := open(t).Published(t.Context(), "d1", 7); err != nil {
			t.Error(err)
		}
	})
}

func TestActive_MakesADamagedMarkerAgain(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	begin(t, j, "d2")
	for key, data := range map[string]string{"active/d1": "{torn", "active/never": "{torn"} {
		if err := j.store.Put(t.Context(), key, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := j.ActiveIDs(t.Context())
	if err != nil || len(ids) != 3 {
		t.Errorf("ids %v, %v: a damaged marker's drill is active all the same", ids, err)
	}
	markers, err := j.Active(t.Context())
	if err != nil || len(markers) != 2 {
		t.Fatalf("markers %v, %v", markers, err)
	}
	if m, err := j.Marker(t.Context(), "d1"); err != nil || m.Plan != "p" {
		t.Errorf("the marker is still damaged: %v", err)
	}
	if err := j.Published(t.Context(), "d1", 1); err != nil {
		t.Errorf("what was published cannot be recorded: %v", err)
	}
}

func TestActive_AStoreThatFailsIsAnError(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	j.store.Before = func(op, _ string) error {
		if op == "list" {
			return errors.New("away")
		}
		return nil
	}
	if _, err := j.Active(t.Context()); err == nil {
		t.Error("no markers and no error: nobody would look")
	}
	if _, err := j.ActiveIDs(t.Context()); err == nil {
		t.Error("no ids and no error")
	}
}

func TestWake_DoesNotSendTheOldFactsAgain(t *testing.T) {
	j := open(t)
	d := begin(t, j, "d1")
	for range 3 {
		if _, err := j.Commit(t.Context(), d, note("x"), by); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Wake(t.Context(), d, 3); err != nil {
		t.Fatal(err)
	}
	if m, _ := j.Marker(t.Context(), "d1"); m.Sent != 0 || m.Rev != 4 {
		t.Errorf("an active drill's marker says sent %d, rev %d", m.Sent, m.Rev)
	}
	if err := j.DeleteMarker(t.Context(), "d1"); err != nil {
		t.Fatal(err)
	}
	if err := j.Wake(t.Context(), d, 3); err != nil {
		t.Fatal(err)
	}
	if m, _ := j.Marker(t.Context(), "d1"); m.Sent != 3 {
		t.Errorf("sent %d, want all but the newest entry", m.Sent)
	}
}

func TestCausedBy(t *testing.T) {
	j := open(t)
	begin(t, j, "d1")
	if !j.CausedBy(t.Context(), "d1", "cause-1") || j.CausedBy(t.Context(), "d1", "cause-2") || j.CausedBy(t.Context(), "d9", "cause-1") {
		t.Error("the causes of entries are not found")
	}
	d, err := j.Load(t.Context(), "d1")
	if err != nil {
		t.Fatal(err)
	}
	odd := journal.By{Actor: "a:b/c", Cause: "<\"é\n\\&", Source: by.Source}
	if _, err := j.Commit(t.Context(), d, note("it speaks of cause-2"), odd); err != nil {
		t.Fatal(err)
	}
	if !j.CausedBy(t.Context(), "d1", odd.Cause) || j.CausedBy(t.Context(), "d1", "cause-2") || j.CausedBy(t.Context(), "d1", "it speaks of cause-2") {
		t.Error("only causes count, whatever they are made of")
	}
}

func TestLoadAt(t *testing.T) {
	j := open(t)
	d := begin(t, j, "d1")
	d.AddNote("bob", "x", noon)
	if _, err := j.Commit(t.Context(), d, note("x"), by); err != nil {
		t.Fatal(err)
	}
	old, err := j.LoadAt(t.Context(), "d1", 1)
	if err != nil || len(old.Notes) != 0 || old.Rev != 1 || old.Head == "" {
		t.Errorf("%+v, %v", old, err)
	}
	if _, err := j.LoadAt(context.Background(), "d1", 3); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestDrills_WithoutTheIndex(t *testing.T) {
	j := open(t)
	for _, id := range []string{"d2", "d1", "d10"} {
		d := begin(t, j, id)
		if _, err := j.Commit(t.Context(), d, note("x"), by); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := j.Drills(t.Context()); err != nil || strings.Join(ids, " ") != "d1 d10 d2" {
		t.Errorf("%v, %v", ids, err)
	}
}
