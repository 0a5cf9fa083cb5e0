package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

// Bench measures what a function does all day. Each benchmark opens an empty store.
func Bench(b *testing.B, open func(b *testing.B) journal.Store) {
	b.Run("append", func(b *testing.B) { benchAppend(b, open(b)) })
	for _, revs := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("head of %d revs", revs), func(b *testing.B) { benchHead(b, open(b), revs) })
	}
	b.Run("all of 100 revs", func(b *testing.B) { benchEntries(b, open(b)) })
	b.Run("markers of 10 active drills", func(b *testing.B) { benchMarkers(b, open) })
}

func benchDrill(b *testing.B, f *fixture, drill string, revs int) *journal.Journal {
	b.Helper()
	j := f.journal()
	for rev := 1; rev <= revs; rev++ {
		if _, err := j.Append(b.Context(), drill, change(rev, "running")); err != nil {
			b.Fatal(err)
		}
	}
	return j
}

func benchAppend(b *testing.B, store journal.Store) {
	j := benchDrill(b, newFixture(store), "d1", 1)
	for rev := 2; b.Loop(); rev++ {
		if _, err := j.Append(b.Context(), "d1", change(rev, "running")); err != nil {
			b.Fatal(err)
		}
	}
}

func benchHead(b *testing.B, store journal.Store, revs int) {
	j := benchDrill(b, newFixture(store), "d1", revs)
	for b.Loop() {
		if head, err := j.Head(b.Context(), "d1"); err != nil || head.Rev != revs {
			b.Fatal(head.Rev, err)
		}
	}
}

func benchEntries(b *testing.B, store journal.Store) {
	j := benchDrill(b, newFixture(store), "d1", 100)
	for b.Loop() {
		if entries, err := j.Entries(b.Context(), "d1"); err != nil || len(entries) != 100 {
			b.Fatal(len(entries), err)
		}
	}
}

// benchMarkers reads the markers of 10 active drills and their heads beside a small and a large archive, in turns, and
// reports the ratio of the two: 1 means that the cost does not grow with the archive.
func benchMarkers(b *testing.B, open func(b *testing.B) journal.Store) {
	small, large := newFixture(open(b)), newFixture(open(b))
	archive(b, small, 100)
	archive(b, large, 10_000)
	var spent [2]time.Duration
	for b.Loop() {
		for i, f := range []*fixture{small, large} {
			begin := b.Elapsed()
			readActive(b, f.journal())
			spent[i] += b.Elapsed() - begin
		}
	}
	b.ReportMetric(float64(spent[0].Microseconds())/float64(b.N), "µs/100-archived")
	b.ReportMetric(float64(spent[1].Microseconds())/float64(b.N), "µs/10000-archived")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "ratio")
}

func archive(b *testing.B, f *fixture, drills int) {
	b.Helper()
	for i := range drills {
		benchDrill(b, f, fmt.Sprintf("old%05d", i), 1)
	}
	for i := range 10 {
		id := fmt.Sprintf("active%d", i)
		j := benchDrill(b, f, id, 3)
		if err := j.PutMarker(b.Context(), journal.Marker{Drill: id}); err != nil {
			b.Fatal(err)
		}
	}
}

func readActive(b *testing.B, j *journal.Journal) {
	markers, err := j.Markers(b.Context())
	if err != nil || len(markers) != 10 {
		b.Fatal(len(markers), err)
	}
	for _, m := range markers {
		if _, err := j.Head(b.Context(), m.Drill); err != nil {
			b.Fatal(err)
		}
	}
}
