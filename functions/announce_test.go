package functions

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

const announcing = `version: 1
defaults: { environment: staging, max_duration: 5m, timezone: Europe/Berlin }
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
  tx:  { cloud: tencent, id: "100032429988", region: ap-guangzhou }
alarms: { checkout-5xx: { cloudwatch: checkout-5xx, account: aws } }
drills:
  one:
    title: 一个 "quoted" 🔥
    owner: a
    account: %s
    %s
    schedule: { %s }
`

// announcer answers ticks at given times. Its slots are never reached, so nothing starts.
type announcer struct {
	*testing.T
	f   *start.Function
	now time.Time
}

func newAnnouncer(t *testing.T, account, block, schedule string) *announcer {
	t.Helper()
	a := &announcer{T: t}
	cat := written(t, fmt.Sprintf(announcing, account, block, schedule))
	j := journal.Open(newMemory(), journal.Options{Now: func() time.Time { return a.now }, Nonce: func() string { return "n" }, Mode: "SANDBOX"})
	a.f = &start.Function{Journal: j, Catalog: func() *catalog.Catalog { return cat }, Now: func() time.Time { return a.now }, Mode: "SANDBOX", Source: "/firedrill/test/start",
		Log: slog.New(slog.DiscardHandler)}
	return a
}

// tick returns the announcements that a tick makes which was sent at a time and arrives late.
func (a *announcer) tick(at time.Time, late time.Duration) []events.Event {
	a.Helper()
	a.now = at.Add(late)
	e, err := events.New(events.Envelope{ID: "tick-" + at.Format(time.RFC3339), Source: "/test", Time: at}, events.Tick{At: at})
	if err != nil {
		a.Fatal(err)
	}
	out, err := a.f.Handle(a.Context(), e)
	if err != nil {
		a.Fatal(err)
	}
	for _, one := range out {
		if one.Type() != events.TypeAnnounced || events.Check(one) != nil {
			a.Errorf("%s: %v", one.Type(), events.Check(one))
		}
	}
	return out
}

const fisBlock = "fis: { template: EXTwait00000000001 }"

func utc(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestStart_AnnouncesEachSlotInItsTime goes through the minutes and notes which were the first and the last to announce a slot.
func TestStart_AnnouncesEachSlotInItsTime(t *testing.T) {
	tests := []struct {
		name, schedule, from, to string
		want                     []string // first and last tick, both in UTC, and the start as its zone shows it
	}{
		{"half an hour before", `cron: "0 10 * * TUE", announce: 30m`, "2026-11-24T08:00", "2026-11-24T08:59", []string{"08:30 08:39 2026-11-24T10:00:00+01:00"}},
		{"five minutes before, and never after the start", `cron: "0 10 * * TUE", announce: 5m`, "2026-11-24T08:00", "2026-11-24T08:59", []string{"08:55 08:59 2026-11-24T10:00:00+01:00"}},
		{"no announcement", `cron: "0 10 * * TUE"`, "2026-11-24T08:00", "2026-11-24T08:59", nil},
		{"longer than the period", `cron: "0 */2 * * *", announce: 5h`, "2026-11-24T09:11", "2026-11-24T10:59", []string{"10:00 10:09 2026-11-24T16:00:00+01:00"}},
		{"the clock goes back between", `cron: "30 3 * * *", announce: 2h`, "2026-10-25T00:00", "2026-10-25T02:29", []string{"00:30 00:39 2026-10-25T03:30:00+01:00"}},
		{"a minute that the clock shows twice is the first of the two", `cron: "30 2 25 10 *", announce: 1h`, "2026-10-24T23:00", "2026-10-25T00:29", []string{"23:30 23:39 2026-10-25T02:30:00+02:00"}},
		{"the clock goes forward between", `cron: "30 3 * * *", announce: 2h`, "2026-03-28T23:00", "2026-03-29T01:29", []string{"23:30 23:39 2026-03-29T03:30:00+02:00"}},
		{"a minute that the clock skips", `cron: "30 2 29 3 *", announce: 1h, missed: run`, "2026-03-28T23:30", "2026-03-29T00:59", []string{"00:00 00:09 2026-03-29T03:00:00+02:00"}},
		{"a minute that the clock skips and that is left out", `cron: "30 2 29 3 *", announce: 1h`, "2026-03-28T23:30", "2026-03-29T00:59", nil},
		{"a zone of its own", `cron: "0 10 * * TUE", timezone: Asia/Shanghai, announce: 1h`, "2026-11-24T00:00", "2026-11-24T01:59", []string{"01:00 01:09 2026-11-24T10:00:00+08:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAnnouncer(t, "aws", fisBlock, tt.schedule)
			first, last, starts, order := map[string]string{}, map[string]string{}, map[string]string{}, []string{}
			for at := utc(t, tt.from); !at.After(utc(t, tt.to)); at = at.Add(time.Minute) {
				for _, e := range a.tick(at, 0) {
					p, err := events.Decode[events.Announced](e)
					if err != nil {
						t.Fatal(err)
					}
					if first[e.ID()] == "" {
						first[e.ID()], order = at.Format("15:04"), append(order, e.ID())
					}
					last[e.ID()], starts[e.ID()] = at.Format("15:04"), p.StartsAt.Format(time.RFC3339)
				}
			}
			var got []string
			for _, id := range order {
				got = append(got, first[id]+" "+last[id]+" "+starts[id])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestStart_AnnouncesWhatWillHappen(t *testing.T) {
	const schedule = `cron: "0 10 * * TUE", announce: 30m`
	t.Run("everything that is known", func(t *testing.T) {
		a := newAnnouncer(t, "aws", "fis: { template: EXTa1b2c3d4e5f6g7, targets: { min: 1, max: 12 } }\n    stop_on: [ checkout-5xx ]", schedule)
		e := a.tick(utc(t, "2026-11-24T08:30"), 0)[0]
		p, err := events.Decode[events.Announced](e)
		if err != nil {
			t.Fatal(err)
		}
		id := events.ID("slot", "one", "2026-11-24T10:00[Europe/Berlin]")
		if e.ID() != events.ID(id, "announced") || e.Subject() != id || p.Drill != id || events.Sequence(e) != 0 || events.Cause(e) == "" {
			t.Errorf("id %s, subject %s, about %s", e.ID(), e.Subject(), p.Drill)
		}
		if p.Plan != "one" || p.Title != `一个 "quoted" 🔥` || p.Service != "fis" || p.Environment != "staging" || p.Account != "aws" || p.Region != "us-east-1" ||
			p.Mode != "SANDBOX" || p.Status != "announced" || p.Actor != "schedule:one" || p.Targets != "1 to 12" || !slices.Equal(p.StopOn, []string{"checkout-5xx"}) {
			t.Errorf("%+v", p)
		}
	})
	t.Run("defaults of parameters, and the instances that they name", func(t *testing.T) {
		block := `parameters: { who: { default: ins-a }, seconds: { type: int, default: 60 } }
    cfg: { template: 627, mode: manual, groups: [ { instances: [ "${who}", ins-b ], actions: { 1: { timeout: "${seconds}" } } } ] }`
		p, err := events.Decode[events.Announced](newAnnouncer(t, "tx", block, schedule).tick(utc(t, "2026-11-24T08:30"), 0)[0])
		if err != nil || fmt.Sprint(p.Parameters) != "map[seconds:60 who:ins-a]" || p.Targets != "ins-a, ins-b" {
			t.Errorf("%v, %q, %v", p.Parameters, p.Targets, err)
		}
	})
	t.Run("a lost tick is made up for, with the same words", func(t *testing.T) {
		one, two := newAnnouncer(t, "aws", fisBlock, schedule), newAnnouncer(t, "aws", fisBlock, schedule)
		a, b := one.tick(utc(t, "2026-11-24T08:30"), 0), two.tick(utc(t, "2026-11-24T08:37"), 2*time.Minute)
		if len(a) != 1 || len(b) != 1 || a[0].ID() != b[0].ID() || string(a[0].Data()) != string(b[0].Data()) || !a[0].Time().Equal(b[0].Time()) {
			t.Errorf("%v\n%v", a, b)
		}
	})
	t.Run("a tick that comes much too late tells nothing", func(t *testing.T) {
		if out := newAnnouncer(t, "aws", fisBlock, schedule).tick(utc(t, "2026-11-24T08:30"), 11*time.Minute); len(out) > 0 {
			t.Errorf("%v", out)
		}
	})
	t.Run("a plan that is disabled", func(t *testing.T) {
		if out := newAnnouncer(t, "aws", fisBlock+"\n    disabled: true", schedule).tick(utc(t, "2026-11-24T08:30"), 0); len(out) > 0 {
			t.Errorf("%v", out)
		}
	})
}

// TestStart_TheAnnouncedDrillIsTheOneThatStarts at its slot, once, with the id that was announced; from then on nothing is announced.
func TestStart_TheAnnouncedDrillIsTheOneThatStarts(t *testing.T) {
	for announce, times := range map[string]int{"15m": 10, "5m": 5} {
		t.Run(announce, func(t *testing.T) { announcedAndStarted(t, announce, times) })
	}
}

func announcedAndStarted(t *testing.T, announce string, times int) {
	t.Helper()
	cat := written(t, fmt.Sprintf(announcing, "aws", fisBlock, `cron: "20 0 1 1 *", timezone: UTC, announce: `+announce))
	bubble(t, func(o *options) { o.catalog = cat }, func(r *rig) {
		told := map[string]int{}
		for range 25 {
			for _, e := range r.tick() {
				if strings.HasSuffix(e.Type(), "drill.announced.v1") {
					told[e.Subject()]++
				}
			}
		}
		items, _, err := r.journal.Recent(r.Context(), 10, "")
		if err != nil || len(items) != 1 || len(told) != 1 {
			t.Fatalf("%d drills, announced %v, %v", len(items), told, err)
		}
		for id, n := range told {
			if d := r.load(id); n != times || d.Plan.Name != "one" || d.Actor != "schedule:one" || d.Status == drill.Refused {
				t.Errorf("announced %d times, %s is %s", n, id, d.Status)
			}
		}
	})
}

// TestStart_PassesOverATickFromLongAgo hands over the tick of AWS's own sample of a scheduled event. To start anything would panic here.
func TestStart_PassesOverATickFromLongAgo(t *testing.T) {
	a := newAnnouncer(t, "aws", fisBlock, `cron: "* * * * *", announce: 1h, missed: run`)
	at := time.Unix(0, 0).UTC()
	if out := a.tick(at, utc(t, "2026-11-24T09:00").Sub(at)); len(out) != 0 {
		t.Errorf("it made %v", out)
	}
}
