package simulate

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// calm lets everything through, in order, at once.
type calm struct{}

func (*calm) pick(int) int                                 { return 0 }
func (*calm) call(*call) fate                              { return fate{} }
func (*calm) deliver(events.Event, string) []time.Duration { return []time.Duration{0} }
func (*calm) again(i *instance) (time.Duration, bool)      { return 10 * time.Second, i.try < 3 }
func (*calm) pause() time.Duration                         { return 0 }

// strike is calm, and kills the instance of one call: the n-th that crosses the boundary. Its event is lost for ever.
type strike struct {
	calm
	n    int // counts from 1; 0 strikes nothing
	act  act
	seen []boundary
}

// boundary is one call as it was seen.
type boundary struct {
	inst    int
	to      string
	op, key string
	writes  bool
}

func (s *strike) call(c *call) fate {
	s.seen = append(s.seen, boundary{c.inst.n, c.inst.to.Name, c.op, c.key, c.sort != storeRead && c.sort != vendorRead})
	if len(s.seen) != s.n {
		return fate{}
	}
	return fate{act: s.act}
}

func (s *strike) again(i *instance) (time.Duration, bool) {
	if i.dead {
		return 0, false
	}
	return s.calm.again(i)
}

// strikes lists the places at which a death can be told from another: before an instance's first call, and after each call that changes
// something. Between two changes an instance only reads, and whether it reads before it dies nobody can see.
func strikes(seen []boundary) []strike {
	var out []strike
	known := map[int]bool{}
	for i, b := range seen {
		if !known[b.inst] {
			known[b.inst] = true
			out = append(out, strike{n: i + 1, act: crashBefore})
		}
		if b.writes {
			out = append(out, strike{n: i + 1, act: crashAfter})
		}
	}
	return out
}

// chaos decides by a seed: how wild it is is a part of the seed. After its end the world is fair.
type chaos struct {
	rng    *rand.Rand
	wild   float64
	off    map[act]bool // what does not happen at all
	focus  string       // the function that has most of the trouble, "" for none
	end    time.Time
	frozen time.Duration // the longest freeze
	late   time.Duration // how late a call may reach a service
}

// The usual slowness of a call. The slowest to a vendor are stretched up to the service's lateness.
const (
	slowest   = 3 * time.Minute
	stretched = slowest - 15*time.Second
)

func newChaos(seed uint64, now time.Time) *chaos {
	r := rand.New(rand.NewPCG(seed, 0xf1ed))
	c := &chaos{
		rng: r, wild: []float64{0, 0.3, 1, 1, 3}[r.IntN(5)], off: map[act]bool{},
		focus: []string{"", "", "start", "abort", "poll", "advance", "conclude"}[r.IntN(7)],
		end:   now.Add(time.Duration(3+r.IntN(15)) * time.Minute), frozen: []time.Duration{10 * time.Second, 45 * time.Second, 100 * time.Second, 4 * time.Minute}[r.IntN(4)],
	}
	for a := crashBefore; a <= freezeAfter; a++ {
		c.off[a] = r.IntN(3) == 0
	}
	return c
}

func (c *chaos) fair() bool { return !time.Now().Before(c.end) }

func (c *chaos) pick(n int) int { return c.rng.IntN(n) }

func (c *chaos) upTo(d time.Duration) time.Duration {
	return time.Duration(c.rng.Int64N(int64(d)/int64(time.Millisecond))+1) * time.Millisecond
}

func (c *chaos) pause() time.Duration {
	switch p := c.rng.IntN(100); {
	case p < 70:
		return 0
	case p < 97 || c.fair():
		return c.upTo(100 * time.Millisecond)
	}
	return c.upTo(4 * time.Second)
}

// odds are chances in ten thousand, for wildness 1.
type odds struct {
	act act
	of  float64
}

func (c *chaos) call(k *call) fate {
	if c.fair() || c.wild == 0 {
		return fate{}
	}
	table := []odds{{crashBefore, 30}, {crashAfter, 40}, {failBefore, 80}, {loseReply, 80}, {slow, 60}, {slowReply, 40}, {freezeBefore, 25}, {freezeAfter, 25}}
	factor := c.wild
	switch k.sort {
	case vendorRead:
		table = append(table, odds{throttle, 150}, odds{innerBefore, 100}, odds{stale, 300})
	case vendorWrite, vendorStart:
		table = append(table, odds{throttle, 150}, odds{innerBefore, 80}, odds{innerAfter, 120})
		factor *= 3
	case storeRead:
		factor *= 0.5
	}
	if k.inst.to.Name == c.focus {
		factor *= 6
	}
	p := c.rng.Float64() * 10000
	for _, o := range table {
		if c.off[o.act] {
			continue
		}
		if p -= min(o.of*factor, 900); p < 0 {
			return fate{o.act, c.lasts(o.act, k)}
		}
	}
	return fate{}
}

// lasts says how long a call is slow or an instance frozen.
func (c *chaos) lasts(a act, k *call) time.Duration {
	switch a {
	case freezeBefore, freezeAfter:
		return c.upTo(c.frozen)
	case slow, slowReply:
		if c.rng.IntN(4) > 0 {
			return c.upTo(8 * time.Second)
		}
		d := c.upTo(slowest)
		vendor := k.sort == vendorRead || k.sort == vendorWrite || k.sort == vendorStart
		if a == slow && vendor && d > stretched {
			d += time.Duration(float64(d-stretched) / float64(slowest-stretched) * float64(c.late-slowest))
		}
		return d
	}
	return 0
}

func (c *chaos) deliver(e events.Event, _ string) []time.Duration {
	if c.fair() || c.wild == 0 {
		return []time.Duration{c.upTo(500 * time.Millisecond)}
	}
	p := c.rng.Float64() * 100 / c.wild
	switch {
	case p < 3:
		return nil
	case p < 3.5 && !strings.Contains(e.Type(), "tick"):
		return []time.Duration{c.upTo(6 * time.Hour)}
	case p < 8:
		return []time.Duration{c.upTo(time.Second), c.upTo(90 * time.Second)}
	case p < 14:
		return []time.Duration{c.upTo(3 * time.Minute)}
	}
	return []time.Duration{c.upTo(2 * time.Second)}
}

func (c *chaos) again(i *instance) (time.Duration, bool) {
	if c.fair() {
		return c.upTo(10 * time.Second), i.try < 3
	}
	return c.upTo(40 * time.Second), i.try < 4 && c.rng.IntN(5) > 0
}
