package catalog

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// The words of schedule.missed.
const (
	missedSkip = "skip"
	missedRun  = "run"
)

// horizon is how far Next looks.
const horizon = 10 * 366 * 24 * time.Hour

// Slot is one time at which a schedule is due.
type Slot struct {
	At    time.Time // the moment, in UTC
	Local string    // the wall-clock minute that was asked for and its zone: 2026-11-24T10:00[Europe/Berlin]
}

// InZone returns the moment as a clock of the schedule's zone shows it.
func (s Slot) InZone() time.Time {
	_, name, _ := strings.Cut(strings.TrimSuffix(s.Local, "]"), "[")
	if loc, err := zone(name); err == nil {
		return s.At.In(loc)
	}
	return s.At
}

// Due returns the plan's slots after from, up to and including to, oldest first. A plan without a schedule has none.
// Windows, freezes and whether the plan is disabled are not looked at. An error means a cron expression or a time zone
// that Load would have refused.
func Due(plan drill.Plan, from, to time.Time) ([]Slot, error) {
	all, err := slots(plan, from, to)
	if err != nil || all == nil {
		return nil, err
	}
	var out []Slot
	for s := range all {
		out = append(out, s)
	}
	return out, nil
}

// Next returns the plan's first slot after the given time; false if there is none within ten years.
func Next(plan drill.Plan, after time.Time) (Slot, bool) {
	all, err := slots(plan, after, after.Add(horizon))
	if err != nil || all == nil {
		return Slot{}, false
	}
	for s := range all {
		return s, true
	}
	return Slot{}, false
}

// schedule is a plan's schedule, ready to be asked.
type schedule struct {
	cron cron
	zone *time.Location
	name string // of the zone
	run  bool   // a slot that falls into a gap of the clock runs after it
}

func slots(plan drill.Plan, from, to time.Time) (iter.Seq[Slot], error) {
	if plan.Schedule == nil {
		return nil, nil
	}
	s := schedule{name: plan.Schedule.Timezone, run: plan.Schedule.Missed == missedRun}
	if s.name == "" {
		s.name = plan.Timezone
	}
	if s.name == "" {
		s.name = "UTC"
	}
	var err error
	if s.zone, err = zone(s.name); err != nil {
		return nil, fmt.Errorf("schedule of %s: %w", plan.Name, err)
	}
	if s.cron, err = parseCron(plan.Schedule.Cron); err != nil {
		return nil, fmt.Errorf("schedule of %s: %w", plan.Name, err)
	}
	return s.between(from, to), nil
}

// between goes through the stretches of time in which the zone's offset stays the same.
func (s schedule) between(from, to time.Time) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		at := from.UTC().Truncate(time.Minute).Add(time.Minute)
		for !at.After(to) {
			start, end := at.In(s.zone).ZoneBounds()
			_, offset := at.In(s.zone).Zone()
			before := offset
			if !start.IsZero() {
				_, before = start.Add(-time.Second).Zone()
			}
			if start.After(from) && before < offset && s.run && !s.gap(start, before, offset, yield) {
				return
			}
			low, high := wall(at, offset), wall(to, offset).Add(time.Minute)
			if !end.IsZero() && !end.After(to) {
				high = wall(end, offset)
			}
			if again := wall(start, before); !start.IsZero() && before > offset && low.Before(again) {
				low = again // these minutes were shown before the clock went back
			}
			for w := range s.cron.due(low, high) {
				if !yield(s.slot(w.Add(-time.Duration(offset)*time.Second), w)) {
					return
				}
			}
			if end.IsZero() {
				return
			}
			at = end.UTC()
		}
	}
}

// gap yields the last slot that the clock skipped, at the first minute after it, unless that minute is a slot itself.
func (s schedule) gap(start time.Time, before, offset int, yield func(Slot) bool) bool {
	first := wall(start, offset)
	for range s.cron.due(first, first.Add(time.Minute)) {
		return true
	}
	var last time.Time
	for w := range s.cron.due(wall(start, before), first) {
		last = w
	}
	return last.IsZero() || yield(s.slot(start.UTC(), last))
}

func (s schedule) slot(at, wall time.Time) Slot {
	return Slot{At: at, Local: wall.Format("2006-01-02T15:04") + "[" + s.name + "]"}
}

// wall returns what a clock with the offset, in seconds, shows, to the minute.
func wall(at time.Time, offset int) time.Time {
	return at.UTC().Add(time.Duration(offset) * time.Second).Truncate(time.Minute)
}

// zone loads a time zone by its IANA name. "Local" is refused: it differs from machine to machine.
func zone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("time zone %q is not an IANA name", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not an IANA name", name)
	}
	return loc, nil
}
