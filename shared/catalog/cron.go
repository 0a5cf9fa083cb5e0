package catalog

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// cron is an expression of five fields. It knows no zones: it is asked about wall-clock minutes, which are carried as
// a time.Time in UTC so that no change of the clock gets in the way.
type cron struct {
	g      *gronx.Gronx
	days   []string // the whole expression with seconds, minute and hour set to *
	minute string
	hour   string
}

// parseCron reads an expression such as "0 10 * * TUE". gronx checks an expression against one moment only, so the
// grammar is checked here; gronx decides what is due.
func parseCron(expr string) (cron, error) {
	fields := strings.Fields(expr)
	if len(fields) != 5 {
		return cron{}, fmt.Errorf("%q has %d fields, a cron expression has five: minute hour day month weekday", expr, len(fields))
	}
	for i, f := range fields {
		for _, part := range strings.Split(f, ",") {
			if err := cronPart(i, strings.ToUpper(part)); err != nil {
				return cron{}, fmt.Errorf("%s %q in %q: %w", cronFields()[i].name, part, expr, err)
			}
		}
	}
	segments, err := gronx.Segments(expr)
	if err != nil {
		return cron{}, fmt.Errorf("%q: %w", expr, err)
	}
	c := cron{g: gronx.New(), minute: segments[1], hour: segments[2], days: slices.Clone(segments)}
	c.days[0], c.days[1], c.days[2] = "*", "*", "*"
	return c, nil
}

type cronField struct {
	name      string
	low, high int
	words     []string // names of the values from low on
}

func cronFields() [5]cronField {
	return [5]cronField{
		{name: "minute", high: 59},
		{name: "hour", high: 23},
		{name: "day", low: 1, high: 31},
		{name: "month", low: 1, high: 12, words: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{name: "weekday", high: 7, words: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	}
}

// cronPart checks one part of a field: *, 5, 1-5, */10, 5/10, 1-5/2, MON, and for days L, 15W, 5L, 5#2.
func cronPart(i int, part string) error {
	f := cronFields()[i]
	if part == "*" || part == "?" && (i == 2 || i == 4) || part == "L" && i == 2 {
		return nil
	}
	if day, ok := strings.CutSuffix(part, "W"); ok && i == 2 {
		_, err := f.number(day)
		return err
	}
	if day, ok := strings.CutSuffix(part, "L"); ok && i == 4 {
		_, err := f.number(day)
		return err
	}
	if day, nth, ok := strings.Cut(part, "#"); ok && i == 4 {
		if n, err := strconv.Atoi(nth); err != nil || n < 1 || n > 5 {
			return fmt.Errorf("after # stands 1 to 5")
		}
		_, err := f.number(day)
		return err
	}
	span, step, stepped := strings.Cut(part, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 || n > f.high {
			return fmt.Errorf("after / stands 1 to %d", f.high)
		}
		if span == "*" {
			return nil
		}
	}
	from, to, ranged := strings.Cut(span, "-")
	low, err := f.number(from)
	if err != nil || !ranged {
		return err
	}
	high, err := f.number(to)
	if err == nil && high < low && !(i == 4 && low == 7) {
		err = fmt.Errorf("the range runs backwards")
	}
	return err
}

func (f cronField) number(s string) (int, error) {
	if at := slices.Index(f.words, s); at >= 0 {
		return f.low + at, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || s[0] == '+' || s[0] == '-' {
		return 0, fmt.Errorf("%q is not a %s", s, f.name)
	}
	if n < f.low || n > f.high {
		return 0, fmt.Errorf("%d is not from %d to %d", n, f.low, f.high)
	}
	return n, nil
}

// due returns the wall-clock minutes from low up to, not including, high.
func (c cron) due(low, high time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for day := low.Truncate(24 * time.Hour); day.Before(high); day = day.AddDate(0, 0, 1) {
			if !c.on(day) {
				continue
			}
			for hour := range 24 {
				at := day.Add(time.Duration(hour) * time.Hour)
				if !at.Before(high) {
					return
				}
				if !at.Add(time.Hour).After(low) || !c.is(at, c.hour, 2) {
					continue
				}
				for range 60 {
					if !at.Before(low) && at.Before(high) && c.is(at, c.minute, 1) && !yield(at) {
						return
					}
					at = at.Add(time.Minute)
				}
			}
		}
	}
}

// on reports whether the expression's day, month and weekday allow the day.
func (c cron) on(day time.Time) bool {
	c.g.C.SetRef(day)
	due, err := c.g.SegmentsDue(c.days)
	return err == nil && due
}

func (c cron) is(at time.Time, segment string, position int) bool {
	c.g.C.SetRef(at)
	due, err := c.g.C.CheckDue(segment, position)
	return err == nil && due
}

// never reports whether no day at all is due, such as on 30 February. The rarest, a 29 February on a given weekday,
// comes within 40 years.
func (c cron) never() bool {
	day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 40 * 366 {
		if c.on(day) {
			return false
		}
		day = day.AddDate(0, 0, 1)
	}
	return true
}
