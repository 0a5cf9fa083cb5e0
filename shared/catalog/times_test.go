package catalog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func scheduled(cron, zone, missed string) drill.Plan {
	return drill.Plan{Name: "x", Schedule: &drill.Schedule{Cron: cron, Timezone: zone, Missed: missed}}
}

// shown is slots as "moment wall-clock".
func shown(slots []catalog.Slot) []string {
	var out []string
	for _, s := range slots {
		out = append(out, s.At.Format("2006-01-02T15:04Z07:00")+" "+s.Local)
	}
	return out
}

func TestDue(t *testing.T) {
	for _, c := range []struct {
		name, cron, zone, missed, from, to string
		want                               []string
	}{
		{"nothing between", "0 10 * * TUE", "Europe/Berlin", "", "2026-11-24T09:00:00Z", "2026-12-01T08:59:59Z", nil},
		{"from is exclusive, to inclusive", "0 10 * * TUE", "Europe/Berlin", "", "2026-11-24T08:59:59Z", "2026-11-24T09:00:00Z",
			[]string{"2026-11-24T09:00Z 2026-11-24T10:00[Europe/Berlin]"}},
		{"summer and winter", "0 10 * * TUE", "Europe/Berlin", "", "2026-10-19T00:00:00Z", "2026-10-28T00:00:00Z",
			[]string{"2026-10-20T08:00Z 2026-10-20T10:00[Europe/Berlin]", "2026-10-27T09:00Z 2026-10-27T10:00[Europe/Berlin]"}},
		{"lists, ranges and steps", "*/20 8-9 * JAN,MAR 1-5", "UTC", "", "2027-01-01T08:30:00Z", "2027-01-04T08:20:00Z",
			[]string{"2027-01-01T08:40Z 2027-01-01T08:40[UTC]", "2027-01-01T09:00Z 2027-01-01T09:00[UTC]", "2027-01-01T09:20Z 2027-01-01T09:20[UTC]",
				"2027-01-01T09:40Z 2027-01-01T09:40[UTC]", "2027-01-04T08:00Z 2027-01-04T08:00[UTC]", "2027-01-04T08:20Z 2027-01-04T08:20[UTC]"}},
		{"day or weekday, as cron has it", "0 0 13 * FRI", "UTC", "", "2027-01-07T12:00:00Z", "2027-01-15T12:00:00Z",
			[]string{"2027-01-08T00:00Z 2027-01-08T00:00[UTC]", "2027-01-13T00:00Z 2027-01-13T00:00[UTC]", "2027-01-15T00:00Z 2027-01-15T00:00[UTC]"}},
		{"last Friday of the month", "0 9 * * 5L", "Asia/Shanghai", "", "2027-01-01T00:00:00Z", "2027-03-01T00:00:00Z",
			[]string{"2027-01-29T01:00Z 2027-01-29T09:00[Asia/Shanghai]", "2027-02-26T01:00Z 2027-02-26T09:00[Asia/Shanghai]"}},
		{"Sunday is 0 and 7", "0 9 * * 7", "UTC", "", "2027-01-01T00:00:00Z", "2027-01-09T00:00:00Z", []string{"2027-01-03T09:00Z 2027-01-03T09:00[UTC]"}},

		{"a range that begins with Sunday as 7", "0 9 * * 7-1", "UTC", "", "2027-01-01T00:00:00Z", "2027-01-08T00:00:00Z",
			[]string{"2027-01-03T09:00Z 2027-01-03T09:00[UTC]", "2027-01-04T09:00Z 2027-01-04T09:00[UTC]"}},

		{"Berlin: a skipped slot is left out", "30 2 * * *", "Europe/Berlin", "skip", "2027-03-27T00:00:00Z", "2027-03-29T12:00:00Z",
			[]string{"2027-03-27T01:30Z 2027-03-27T02:30[Europe/Berlin]", "2027-03-29T00:30Z 2027-03-29T02:30[Europe/Berlin]"}},
		{"Berlin: a skipped slot runs after the gap", "30 2 * * *", "Europe/Berlin", "run", "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z",
			[]string{"2027-03-28T01:00Z 2027-03-28T02:30[Europe/Berlin]"}},
		{"Berlin: the tick that ends at the gap", "30 2 * * *", "Europe/Berlin", "run", "2027-03-28T00:59:00Z", "2027-03-28T01:00:00Z",
			[]string{"2027-03-28T01:00Z 2027-03-28T02:30[Europe/Berlin]"}},
		{"Berlin: the tick after the gap", "30 2 * * *", "Europe/Berlin", "run", "2027-03-28T01:00:00Z", "2027-03-28T01:01:00Z", nil},
		{"Berlin: many skipped slots run once", "*/10 2 * * *", "Europe/Berlin", "run", "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z",
			[]string{"2027-03-28T01:00Z 2027-03-28T02:50[Europe/Berlin]"}},
		{"Berlin: a slot right after the gap is not joined by a skipped one", "0 2,3 * * *", "Europe/Berlin", "run", "2027-03-28T00:00:00Z", "2027-03-28T12:00:00Z",
			[]string{"2027-03-28T01:00Z 2027-03-28T03:00[Europe/Berlin]"}},
		{"Berlin: a doubled slot runs the first time", "30 2 * * *", "Europe/Berlin", "", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z",
			[]string{"2026-10-25T00:30Z 2026-10-25T02:30[Europe/Berlin]", "2026-10-26T01:30Z 2026-10-26T02:30[Europe/Berlin]"}},
		{"Berlin: the tick at its second time", "30 2 * * *", "Europe/Berlin", "run", "2026-10-25T01:29:00Z", "2026-10-25T01:30:00Z", nil},
		{"New York: skipped", "30 2 * * SUN", "America/New_York", "skip", "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z", nil},
		{"New York: skipped and run", "30 2 * * SUN", "America/New_York", "run", "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z",
			[]string{"2027-03-14T07:00Z 2027-03-14T02:30[America/New_York]"}},
		{"New York: doubled", "30 1 * * SUN", "America/New_York", "", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
			[]string{"2026-11-01T05:30Z 2026-11-01T01:30[America/New_York]"}},
		{"Shanghai has no summer time", "30 2 28 3 *", "Asia/Shanghai", "run", "2027-03-27T00:00:00Z", "2027-03-29T00:00:00Z",
			[]string{"2027-03-27T18:30Z 2027-03-28T02:30[Asia/Shanghai]"}},
		{"Lord Howe moves by half an hour", "15 2 * * *", "Australia/Lord_Howe", "run", "2027-10-02T12:00:00Z", "2027-10-03T00:00:00Z",
			[]string{"2027-10-02T15:30Z 2027-10-03T02:15[Australia/Lord_Howe]"}},
		{"Kathmandu is off by 45 minutes", "0 10 1 1 *", "Asia/Kathmandu", "", "2026-12-31T00:00:00Z", "2027-01-02T00:00:00Z",
			[]string{"2027-01-01T04:15Z 2027-01-01T10:00[Asia/Kathmandu]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := catalog.Due(scheduled(c.cron, c.zone, c.missed), at(t, c.from), at(t, c.to))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(shown(got), c.want) {
				t.Errorf("got  %v\nwant %v", shown(got), c.want)
			}
		})
	}
}

// TestDue_everyWallClockMinuteOnce walks over both changes of the clock tick by tick: the ticks together must find what
// one look finds, and every minute of the wall clock once.
func TestDue_everyWallClockMinuteOnce(t *testing.T) {
	for _, c := range []struct {
		zone, from, to string
		minutes        int
	}{
		{"Europe/Berlin", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", 23 * 60},
		{"Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 24 * 60},
		{"America/New_York", "2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z", 23 * 60},
		{"America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 24 * 60},
		{"Asia/Shanghai", "2026-10-24T16:00:00Z", "2026-10-25T16:00:00Z", 24 * 60},
	} {
		for _, missed := range []string{"skip", "run"} {
			t.Run(c.zone+" "+c.from[:10]+" "+missed, func(t *testing.T) {
				p := scheduled("* * * * *", c.zone, missed)
				from, to := at(t, c.from), at(t, c.to)
				whole, err := catalog.Due(p, from.Add(-time.Second), to.Add(-time.Second))
				if err != nil {
					t.Fatal(err)
				}
				var ticked []catalog.Slot
				seen := map[string]bool{}
				for tick := from.Add(-time.Second); tick.Before(to.Add(-time.Second)); tick = tick.Add(time.Minute) {
					slots, err := catalog.Due(p, tick, tick.Add(time.Minute))
					if err != nil {
						t.Fatal(err)
					}
					ticked = append(ticked, slots...)
				}
				for _, s := range whole {
					if seen[s.Local] {
						t.Errorf("%s twice", s.Local)
					}
					seen[s.Local] = true
				}
				if len(whole) != c.minutes || !slices.Equal(shown(whole), shown(ticked)) {
					t.Errorf("%d slots at once, %d tick by tick, want %d", len(whole), len(ticked), c.minutes)
				}
			})
		}
	}
}

func TestDue_withoutOrWithAWrongSchedule(t *testing.T) {
	from, to := at(t, "2027-01-01T00:00:00Z"), at(t, "2027-02-01T00:00:00Z")
	if got, err := catalog.Due(drill.Plan{}, from, to); err != nil || got != nil {
		t.Error(got, err)
	}
	for _, p := range []drill.Plan{scheduled("0 10 * *", "UTC", ""), scheduled("0 10 * * *", "Berlin", ""), scheduled("0 10 * * *", "Local", ""), scheduled("0 7-3 * * *", "UTC", "")} {
		if _, err := catalog.Due(p, from, to); err == nil {
			t.Errorf("%+v is taken", p.Schedule)
		}
		if s, ok := catalog.Next(p, from); ok {
			t.Errorf("%+v comes at %v", p.Schedule, s)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ name, cron, zone, after, want string }{
		{"a week on", "0 10 * * TUE", "Europe/Berlin", "2026-11-24T09:00:00Z", "2026-12-01T09:00Z 2026-12-01T10:00[Europe/Berlin]"},
		{"a leap day, across the century's missing one", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00Z 2104-02-29T00:00[UTC]"},
		{"the 31st", "0 0 31 * *", "UTC", "2027-03-31T00:00:00Z", "2027-05-31T00:00Z 2027-05-31T00:00[UTC]"},
		{"never", "0 0 30 2 *", "UTC", "2027-03-31T00:00:00Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := catalog.Next(scheduled(c.cron, c.zone, ""), at(t, c.after))
			if ok != (c.want != "") || ok && shown([]catalog.Slot{got})[0] != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestNext_fallsBackToThePlansZone(t *testing.T) {
	p := scheduled("0 10 * * *", "", "")
	p.Timezone = "Asia/Shanghai"
	if got, ok := catalog.Next(p, at(t, "2027-01-01T00:00:00Z")); !ok || got.Local != "2027-01-01T10:00[Asia/Shanghai]" || got.At.Hour() != 2 {
		t.Error(got, ok)
	}
}

func TestInWindow(t *testing.T) {
	for _, c := range []struct {
		window, zone, at string
		want             bool
	}{
		{"Mon-Fri 10:00-16:00", "Europe/Berlin", "2026-11-24T08:59:59Z", false},
		{"Mon-Fri 10:00-16:00", "Europe/Berlin", "2026-11-24T09:00:00Z", true},
		{"Mon-Fri 10:00-16:00", "Europe/Berlin", "2026-11-24T14:59:59Z", true},
		{"Mon-Fri 10:00-16:00", "Europe/Berlin", "2026-11-24T15:00:00Z", false},
		{"Mon-Fri 10:00-16:00", "Europe/Berlin", "2026-07-21T14:30:00Z", false}, // summer: 16:30
		{"Mon-Fri 10:00-16:00", "", "2026-11-21T12:00:00Z", false},              // a Saturday
		{"mon-fri 10:00-16:00; Sat 12:00-13:00", "UTC", "2026-11-21T12:00:00Z", true},
		{"Tue,Thu 9:00-10:00", "UTC", "2026-11-25T09:30:00Z", false},
		{"Tue,Thu 9:00-10:00", "UTC", "2026-11-26T09:30:00Z", true},
		{"Sat-Mon 00:00-24:00", "UTC", "2026-11-22T23:59:00Z", true},
		{"Fri 22:00-04:00", "UTC", "2026-11-20T23:00:00Z", true},  // Friday night
		{"Fri 22:00-04:00", "UTC", "2026-11-21T03:59:00Z", true},  // goes on into Saturday
		{"Fri 22:00-04:00", "UTC", "2026-11-20T03:00:00Z", false}, // the night to Friday is Thursday's
		{"22:00-04:00", "UTC", "2026-11-20T03:00:00Z", true},
		{"", "UTC", "2026-11-20T03:00:00Z", true},
		{"always", "UTC", "2026-11-20T03:00:00Z", true},
	} {
		t.Run(strings.Join([]string{c.window, c.zone, c.at}, " "), func(t *testing.T) {
			got, err := catalog.InWindow(drill.Plan{Window: c.window, Timezone: c.zone}, at(t, c.at))
			if err != nil || got != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	for _, p := range []drill.Plan{{Window: "Mon"}, {Window: "Mon 10:00"}, {Window: "Mon 10-12"}, {Window: "Mon 10:00-25:00"}, {Window: "Mon 24:00-04:00"},
		{Window: "Mon 10:60-11:00"}, {Window: ";"}, {Window: "Mon 10:00-12:00 UTC"}, {Window: "Mon 10:00-12:00", Timezone: "Local"}} {
		if in, err := catalog.InWindow(p, at(t, "2026-11-23T10:00:00Z")); err == nil || in {
			t.Errorf("%+v is taken", p.Window)
		}
	}
}

func TestFreeze_Covers(t *testing.T) {
	c := load(t, "testdata/full.yaml")
	sale, year := c.Freezes()[0], c.Freezes()[1]
	prod, stage := drill.Plan{Name: "mesh", Environment: "production"}, drill.Plan{Name: "mesh", Environment: "staging"}
	for _, f := range []struct {
		name   string
		freeze catalog.Freeze
		plan   drill.Plan
		at     string
		want   bool
	}{
		{"before", sale, prod, "2027-11-08T15:59:59Z", false},
		{"from the first moment in its zone", sale, prod, "2027-11-08T16:00:00Z", true},
		{"to the last", sale, stage, "2027-11-12T15:59:59Z", true},
		{"until is exclusive", sale, prod, "2027-11-12T16:00:00Z", false},
		{"another environment", year, stage, "2027-12-25T00:00:00Z", false},
		{"another plan", year, drill.Plan{Name: "other", Environment: "production"}, "2027-12-25T00:00:00Z", false},
		{"environment and plan", year, prod, "2027-12-25T00:00:00Z", true},
		{"in the default zone, which is Berlin", year, prod, "2027-12-19T23:00:00Z", true},
	} {
		t.Run(f.name, func(t *testing.T) {
			if got := f.freeze.Covers(f.plan, at(t, f.at)); got != f.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if sale.Running != catalog.RunningStop || year.Running != catalog.RunningFinish || sale.Reason != "the big sale" {
		t.Errorf("%+v %+v", sale, year)
	}
}
