package catalog

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// What a freeze does with drills that are running when it begins.
const (
	RunningStop   = "stop"
	RunningFinish = "finish"
)

// Freeze is a time in which no drill may start.
type Freeze struct {
	Name         string
	From, Until  time.Time // Until is exclusive
	Timezone     string    // of From and Until as written
	Running      string    // RunningStop or RunningFinish, the default
	Environments []string  // empty: all
	Plans        []string  // empty: all
	Reason       string
}

// Covers reports whether the freeze forbids the plan at t.
func (f Freeze) Covers(plan drill.Plan, t time.Time) bool {
	if t.Before(f.From) || !t.Before(f.Until) {
		return false
	}
	return (len(f.Environments) == 0 || slices.Contains(f.Environments, plan.Environment)) &&
		(len(f.Plans) == 0 || slices.Contains(f.Plans, plan.Name))
}

// Holiday is a day, or a few, on which people are not at work. Nothing acts on it yet.
type Holiday struct {
	Name         string
	From, Until  time.Time // Until is exclusive
	Timezone     string
	Environments []string
	Plans        []string
}

func (l *loader) freeze(v value) (Freeze, bool) {
	before := len(l.problems)
	fields := v.fields(kindFreeze)
	f := Freeze{Timezone: l.defaults.timezone, Running: RunningFinish}
	if n, ok := l.need(v, fields, "name"); ok {
		f.Name, _ = n.line()
	}
	f.Timezone = zoneOf(fields, f.Timezone)
	if r, ok := fields["running"]; ok {
		f.Running, _ = r.choice(RunningStop, RunningFinish)
	}
	if r, ok := fields["reason"]; ok {
		f.Reason, _ = r.lineUpTo(maxNote)
	}
	f.From, f.Until = l.between(v, fields, f.Timezone)
	f.Environments, f.Plans = l.scope(fields)
	return f, len(l.problems) == before
}

func (l *loader) holiday(v value) (Holiday, bool) {
	before := len(l.problems)
	fields := v.fields(kindHoliday)
	h := Holiday{Timezone: zoneOf(fields, l.defaults.timezone)}
	if n, ok := l.need(v, fields, "name"); ok {
		h.Name, _ = n.line()
	}
	if d, ok := fields["date"]; !ok {
		h.From, h.Until = l.between(v, fields, h.Timezone)
	} else if fields["from"].node != nil || fields["until"].node != nil {
		d.wrong("keep date, or from and until", "stands beside from or until")
	} else {
		h.From, _ = l.moment(d, h.Timezone)
		h.Until = h.From.AddDate(0, 0, 1)
	}
	h.Environments, h.Plans = l.scope(fields)
	return h, len(l.problems) == before
}

// between reads from and until.
func (l *loader) between(v value, fields map[string]value, timezone string) (from, until time.Time) {
	f, hasFrom := l.need(v, fields, "from")
	u, hasUntil := l.need(v, fields, "until")
	if !hasFrom || !hasUntil {
		return from, until
	}
	from, okFrom := l.moment(f, timezone)
	until, okUntil := l.moment(u, timezone)
	if okFrom && okUntil && !from.Before(until) {
		u.wrong("until is exclusive; write a later time", "%s is not after from", u.shown())
	}
	return from, until
}

// scope reads the filters, and leaves the names of plans to be checked when all plans are known.
func (l *loader) scope(fields map[string]value) (environments, plans []string) {
	if e, ok := fields["environments"]; ok {
		environments = e.texts()
	}
	if p, ok := fields["plans"]; ok {
		for _, item := range p.words() {
			plans, l.mentions = append(plans, item.node.Value), append(l.mentions, item)
		}
	}
	return environments, plans
}

// moment reads 2027-11-09, 2027-11-09T00:00 and 2027-11-09T00:00:00 on the zone's wall clock, and times with an offset.
func (l *loader) moment(v value, timezone string) (time.Time, bool) {
	s, ok := v.text()
	if !ok {
		return time.Time{}, false
	}
	loc, err := zone(timezone)
	if err != nil {
		return time.Time{}, false // the zone is a mistake of its own
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02", "2006-01-02T15:04:05", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, true
		}
	}
	v.wrong("write it like 2027-11-09T00:00", "%s is not a time", v.shown())
	return time.Time{}, false
}

// zoneOf reads the field timezone, or returns the one given.
func zoneOf(fields map[string]value, otherwise string) string {
	v, ok := fields["timezone"]
	if !ok {
		return otherwise
	}
	name, ok := v.line()
	if !ok {
		return otherwise
	}
	if _, err := zone(name); err != nil {
		v.wrong("write an IANA name such as UTC, Europe/Berlin or Asia/Shanghai", "%s is not a time zone", v.shown())
		return otherwise
	}
	return name
}

// need returns a field that must be there.
func (l *loader) need(v value, fields map[string]value, name string) (value, bool) {
	f, ok := fields[name]
	if !ok && v.fits() {
		v.wrong("", "%s is missing", name)
	}
	return f, ok
}
