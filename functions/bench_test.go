package functions

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
)

// BenchmarkPoll_TenActive measures one tick with ten drills under way beside archives of two sizes, in a directory. The last number is the
// ratio of the two: 1 means that the cost of a tick does not grow with the archive.
func BenchmarkPoll_TenActive(b *testing.B) {
	small, large := 100, 10_000
	if testing.Short() {
		large = 1000
	}
	took := map[int]time.Duration{}
	for _, archived := range []int{small, large} {
		b.Run(fmt.Sprint(archived, " archived"), func(b *testing.B) {
			r := archive(b, archived)
			b.ReportAllocs()
			for b.Loop() {
				r.look()
			}
			took[archived] = b.Elapsed() / time.Duration(b.N)
		})
	}
	b.Run("ratio", func(b *testing.B) {
		for b.Loop() { // measured above
		}
		if took[small] > 0 {
			b.ReportMetric(float64(took[large])/float64(took[small]), "ratio")
		}
	})
}

// look gives poll one tick. The minute is one in which neither orphans nor old alarms are looked for.
func (r *rig) look() {
	at := time.Now().Truncate(time.Hour).Add(7 * time.Minute)
	if _, err := r.give("poll", r.event(events.Tick{At: at})); err != nil {
		r.Fatal(err)
	}
}

// archive makes a journal with that many concluded drills and ten that run.
func archive(b *testing.B, archived int) *rig {
	b.Helper()
	store, err := dir.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	o := options{catalog: shipped(b), store: store}
	lab(b)(&o)
	r := newRig(b, o)
	p, _ := o.catalog.Plan("many")
	by := journal.By{Actor: "a:b/c", Cause: "bench", Source: "/bench"}
	var group errgroup.Group
	group.SetLimit(32)
	for i := range archived {
		group.Go(func() error {
			d, c := drill.New(drill.Ask{ID: fmt.Sprintf("old%d", i), Mode: "SANDBOX", Plan: p, Block: p.Block, Actor: "a:b/c"}, time.Now())
			d.Status = drill.Concluded
			_, err := r.journal.Commit(context.Background(), d, c, by)
			return errors.Join(err, r.journal.PutIndex(context.Background(), d.RequestedAt, d.ID, []byte(p.Name)))
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for i := range 10 { // five experiments at once are FIS's limit
		if d := r.load(r.start([]string{"many", "many-by-hand"}[i%2], nil)); d.RunID() == "" {
			b.Fatalf("status %s: %s", d.Status, d.Reason)
		}
	}
	for range 3 {
		r.look()
	}
	return r
}
