package simulate

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

var (
	seedFlag  = flag.Int64("seed", -1, "play this one seed and print all that was decided")
	seedsFlag = flag.Uint64("seeds", 0, "play so many seeds, however long it takes; 0 plays as many as fit in a minute, at least 2,000")
	firstFlag = flag.Uint64("first", 1, "the first seed")
)

func seedOf(t testing.TB, n uint64) Seed {
	s := drill.Services()[n%4]
	return Seed{N: n, Service: s, Catalog: catalogOf(t, s, n%16 < 4)}
}

// playIn plays a seed in a bubble of its own.
func playIn(t *testing.T, seed Seed) (r Result) {
	synctest.Test(t, func(t *testing.T) { r = Play(t, seed) })
	return r
}

func TestSimulate(t *testing.T) {
	if *seedFlag >= 0 {
		r := playIn(t, seedOf(t, uint64(*seedFlag)))
		t.Logf("seed %d: %d decisions, %d drills, %v\n%s\n%s", *seedFlag, r.Decisions, r.Drills, r.Ended, r.Schedule(false), r.Timelines)
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return
	}
	begin := time.Now()
	enough := func(n uint64) bool {
		if *seedsFlag > 0 {
			return n > *seedsFlag
		}
		return n > leastSeeds && time.Since(begin) > 55*time.Second
	}
	var count, decisions, failed atomic.Uint64
	var mu sync.Mutex
	ended, stops := map[drill.Status]int{}, map[drill.StopKind]int{}
	t.Run("seeds", func(t *testing.T) {
		for w := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
				t.Parallel()
				for n := count.Add(1); !enough(n) && failed.Load() < 5; n = count.Add(1) {
					seed := *firstFlag + n - 1
					r := playIn(t, seedOf(t, seed))
					decisions.Add(uint64(r.Decisions))
					mu.Lock()
					for k, v := range r.Ended {
						ended[k] += v
					}
					for k, v := range r.Stops {
						stops[k] += v
					}
					mu.Unlock()
					if r.Err != nil {
						failed.Add(1)
						t.Errorf("seed %d: %v\nplay it again: go test ./shared/simulate -run 'TestSimulate$' -v -args -seed %d\n%s\n%s", seed, r.Err, seed, r.Schedule(true), r.Timelines)
					}
				}
			})
		}
	})
	n := count.Load() - uint64(runtime.GOMAXPROCS(0))
	t.Logf("%d seeds, %d decisions, %.0f seeds/s, drills ended: %v, stopped by: %v", n, decisions.Load(), float64(n)/time.Since(begin).Seconds(), ended, stops)
	for _, k := range []drill.StopKind{drill.StopByPerson, drill.StopByAlarm, drill.StopByHalt, drill.StopByDeadline} {
		if n >= 1000 && stops[k] == 0 {
			t.Errorf("no drill was stopped by %s: the scenarios miss what they are for", k)
		}
	}
}

// TestSimulate_KnownSeeds plays seeds that once showed a mistake of ours, and that lie beyond those that every run plays.
func TestSimulate_KnownSeeds(t *testing.T) {
	for n, what := range map[uint64]string{
		4400:  "a start that arrived after two lookups had found nothing",
		13764: "a start that arrived after two lookups had found nothing, between two sweeps",
		19543: "an amendment whose author died after appending it to a drill that nobody looked for any more",
	} {
		if r := playIn(t, seedOf(t, n)); r.Err != nil {
			t.Errorf("seed %d (%s): %v\n%s", n, what, r.Err, r.Timelines)
		}
	}
}

func TestSimulate_SameSeedPlaysTheSame(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 4, 22, 23, 24, 25, 62, 63, 64, 65, 107, 564} {
		first, second := playIn(t, seedOf(t, n)), playIn(t, seedOf(t, n))
		if first.Schedule(false) != second.Schedule(false) {
			t.Errorf("seed %d played in two ways; the first difference: %s", n, difference(first.Schedule(false), second.Schedule(false)))
		}
	}
}

func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return fmt.Sprintf("line %d: %q, then %q", i+1, x[i], y[min(i, len(y)-1)])
		}
	}
	return "none"
}
