package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/journal"
)

func alarmCases() []testCase {
	return []testCase{
		{"an unknown state or an impossible time is refused", badAlarms},
		{"an alarm that cannot be read is named beside the others", unreadableAlarm},
		{"a clear needs a reason and a firing alarm", badClears},
		{"order is by the alarm's own time, a tie is firing", alarmOrder},
		{"labels tell alarms apart", alarmLabels},
		{"a firing alarm that nobody repeats ends after 24 hours", alarmExpiry},
		{"a clear resolves, and a later firing counts again", alarmClear},
		{"an alarm from the future can be cleared", futureAlarm},
		{"old observations are pruned, firing ones are not", alarmPrune},
		{"50 observations at once lose none", alarmRace},
	}
}

func alarm(state string, at time.Time, id string) journal.Alarm {
	return journal.Alarm{Source: "cloudwatch", Name: "checkout-5xx", ID: id, State: state, At: at, Reason: "超过阈值 🔥"}
}

func record(t *testing.T, j *journal.Journal, alarms ...journal.Alarm) {
	t.Helper()
	for _, a := range alarms {
		must(t, j.RecordAlarm(t.Context(), a))
	}
}

func firing(t *testing.T, j *journal.Journal) string {
	t.Helper()
	alarms, err := j.Firing(t.Context())
	must(t, err)
	var ids []string
	for _, a := range alarms {
		ids = append(ids, a.ID)
	}
	return strings.Join(ids, " ")
}

func badAlarms(t *testing.T, f *fixture) {
	for _, a := range []journal.Alarm{
		alarm("ALARM", f.clock.Now(), "1"),
		alarm("", f.clock.Now(), "1"),
		alarm(journal.Firing, time.Unix(-1, 0), "1"),
		alarm(journal.Firing, time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), "1"),
	} {
		if err := f.journal().RecordAlarm(t.Context(), a); err == nil || !strings.Contains(err.Error(), "cloudwatch/checkout-5xx") {
			t.Errorf("alarm %+v: error is %v", a, err)
		}
	}
	equalSlices(t, "keys", listAll(t, f.store, ""), nil)
}

func unreadableAlarm(t *testing.T, f *fixture) {
	good, bad := alarm(journal.Firing, f.clock.Now(), "good"), alarm(journal.Firing, f.clock.Now(), "bad")
	bad.Name = "other"
	record(t, f.journal(), bad)
	badKey := listAll(t, f.store, "alarms/")[0]
	record(t, f.journal(), good)
	store := &faulty{Store: f.store, get: func(ctx context.Context, key string) ([]byte, error) {
		if key == badKey {
			return nil, errNetwork
		}
		return f.store.Get(ctx, key)
	}}
	alarms, err := f.over(store).Firing(t.Context())
	wantError(t, err, errNetwork)
	equal(t, "readable", len(alarms), 1)
	must(t, f.store.Put(t.Context(), badKey, []byte("{}")))
	if _, err = f.journal().Firing(t.Context()); err == nil {
		t.Fatal("a damaged alarm went by unnoticed")
	}
}

func badClears(t *testing.T, f *fixture) {
	record(t, f.journal(), alarm(journal.Firing, f.clock.Now(), "1"))
	if _, err := f.journal().ClearAlarm(t.Context(), "checkout-5xx", "", "slack:T1/U1"); err == nil {
		t.Fatal("a clear without a reason was taken")
	}
	_, err := f.journal().ClearAlarm(t.Context(), "checkout", "known", "slack:T1/U1")
	wantError(t, err, journal.ErrNotFound)
	equal(t, "firing", firing(t, f.journal()), "1")
}

func alarmOrder(t *testing.T, f *fixture) {
	t0 := f.clock.Now().Add(-time.Hour)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	cases := []struct {
		name   string
		alarms []journal.Alarm
		want   string
	}{
		{"resolved after firing", []journal.Alarm{alarm(journal.Firing, at(1), "f"), alarm(journal.Resolved, at(2), "r")}, ""},
		{"the same, arriving in the other order", []journal.Alarm{alarm(journal.Resolved, at(2), "r"), alarm(journal.Firing, at(1), "f")}, ""},
		{"firing after resolved", []journal.Alarm{alarm(journal.Firing, at(3), "f"), alarm(journal.Resolved, at(2), "r")}, "f"},
		{"a tie", []journal.Alarm{alarm(journal.Firing, at(1), "f"), alarm(journal.Resolved, at(1), "r")}, "f"},
		{"a tie, arriving in the other order", []journal.Alarm{alarm(journal.Resolved, at(1), "a"), alarm(journal.Firing, at(1), "z")}, "z"},
		{"one nanosecond apart", []journal.Alarm{alarm(journal.Resolved, at(1).Add(1), "r"), alarm(journal.Firing, at(1), "f")}, ""},
		{"twice the same", []journal.Alarm{alarm(journal.Firing, at(1), "f"), alarm(journal.Firing, at(1), "f")}, "f"},
		{"in another zone", []journal.Alarm{alarm(journal.Firing, at(1).In(time.FixedZone("CST", 8*3600)), "f")}, "f"},
		{"without a time", []journal.Alarm{alarm(journal.Resolved, at(1), "r"), alarm(journal.Firing, time.Time{}, "f")}, "f"},
	}
	for i, c := range cases {
		for n := range c.alarms {
			c.alarms[n].Name = fmt.Sprintf("alarm-%d", i)
		}
		record(t, f.journal(), c.alarms...)
		alarms, err := f.journal().Firing(t.Context())
		must(t, err)
		got := ""
		for _, a := range alarms {
			if a.Name == fmt.Sprintf("alarm-%d", i) {
				got += a.ID
			}
		}
		equal(t, "firing: "+c.name, got, c.want)
	}
}

func alarmLabels(t *testing.T, f *fixture) {
	one, two := alarm(journal.Firing, f.clock.Now(), "1"), alarm(journal.Resolved, f.clock.Now().Add(1), "2")
	one.Labels = map[string]string{"env": "prod", "zone": "a"}
	two.Labels = map[string]string{"env": "staging", "zone": "a"}
	record(t, f.journal(), one, two)
	alarms, err := f.journal().Firing(t.Context())
	must(t, err)
	equal(t, "number firing", len(alarms), 1)
	got := alarms[0]
	equal(t, "key", got.Key, journal.AlarmKey("cloudwatch", "checkout-5xx", one.Labels))
	equal(t, "labels", fmt.Sprint(got.Labels), fmt.Sprint(one.Labels))
	equal(t, "reason", got.Reason, one.Reason)
	two.Labels = one.Labels
	record(t, f.journal(), two)
	equal(t, "firing", firing(t, f.journal()), "")
	none, empty := alarm(journal.Firing, f.clock.Now(), "3"), alarm(journal.Resolved, f.clock.Now().Add(1), "4")
	empty.Labels = map[string]string{}
	record(t, f.journal(), none, empty)
	equal(t, "firing", firing(t, f.journal()), "")
}

func alarmExpiry(t *testing.T, f *fixture) {
	a := alarm(journal.Firing, f.clock.Now(), "1")
	record(t, f.journal(), a)
	f.clock.move(23*time.Hour + 59*time.Minute)
	equal(t, "firing after 23:59", firing(t, f.journal()), "1")
	record(t, f.journal(), a) // repeated with the time at which it began
	f.clock.move(2 * time.Minute)
	equal(t, "firing after 24:01, repeated", firing(t, f.journal()), "1")
	f.clock.move(24 * time.Hour)
	equal(t, "firing a day after the last repeat", firing(t, f.journal()), "")
}

func alarmClear(t *testing.T, f *fixture) {
	first, other := alarm(journal.Firing, f.clock.Now().Add(-time.Minute), "1"), alarm(journal.Firing, f.clock.Now(), "2")
	other.Name = "other"
	record(t, f.journal(), first, other)
	cleared, err := f.journal().ClearAlarm(t.Context(), "checkout-5xx", "false alarm", "slack:T1/U1")
	must(t, err)
	equal(t, "cleared", fmt.Sprintf("%d: %s", len(cleared), cleared[0].ID), "1: 1")
	equal(t, "firing", firing(t, f.journal()), "2")
	record(t, f.journal(), first) // delivered again
	equal(t, "firing after a second delivery", firing(t, f.journal()), "2")
	_, err = f.journal().ClearAlarm(t.Context(), journal.AlarmKey(other.Source, other.Name, nil), "by key", "slack:T1/U1")
	must(t, err)
	equal(t, "firing", firing(t, f.journal()), "")
	f.clock.move(time.Second)
	record(t, f.journal(), alarm(journal.Firing, f.clock.Now(), "3"))
	equal(t, "firing again", firing(t, f.journal()), "3")
}

func futureAlarm(t *testing.T, f *fixture) {
	record(t, f.journal(), alarm(journal.Firing, f.clock.Now().Add(48*time.Hour), "1"))
	equal(t, "firing", firing(t, f.journal()), "1")
	_, err := f.journal().ClearAlarm(t.Context(), "checkout-5xx", "clock of the source is wrong", "slack:T1/U1")
	must(t, err)
	equal(t, "firing", firing(t, f.journal()), "")
}

func alarmPrune(t *testing.T, f *fixture) {
	begin := f.clock.Now()
	long := alarm(journal.Firing, begin, "long")
	long.Name = "long"
	record(t, f.journal(), long, alarm(journal.Firing, begin, "1"), alarm(journal.Resolved, begin.Add(time.Minute), "2"))
	f.clock.move(6 * 24 * time.Hour)
	n, err := f.journal().PruneAlarms(t.Context())
	must(t, err)
	equal(t, "pruned after six days", n, 0)
	f.clock.move(2 * 24 * time.Hour)
	record(t, f.journal(), long) // it still fires
	n, err = f.journal().PruneAlarms(t.Context())
	must(t, err)
	equal(t, "pruned after eight days", n, 2)
	equal(t, "firing", firing(t, f.journal()), "long")
	equal(t, "number of keys", len(listAll(t, f.store, "alarms/")), 1)
}

func alarmRace(t *testing.T, f *fixture) {
	race(writers, func(i int) {
		state := journal.Firing
		if i%2 == 1 {
			state = journal.Resolved
		}
		a := alarm(state, f.clock.Now().Add(time.Duration(i)), fmt.Sprint(i))
		a.Name = fmt.Sprintf("alarm-%d", i%5)
		if err := f.journal().RecordAlarm(t.Context(), a); err != nil {
			t.Errorf("observation %d: %v", i, err)
		}
	})
	equal(t, "number of observations", len(listAll(t, f.store, "alarms/")), writers)
	alarms, err := f.journal().Firing(t.Context())
	must(t, err)
	equal(t, "number firing", len(alarms), 2) // the last of each: 45 and 47 and 49 resolved, 46 and 48 firing
}
