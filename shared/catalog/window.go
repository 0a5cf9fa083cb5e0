package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// always is the window of a plan that may start at any time.
const always = "always"

// span is one part of a window. One that ends before it begins goes on past midnight and belongs to the day on which
// it began.
type span struct {
	days        [7]bool // by time.Weekday
	from, until int     // minutes of the day; until is exclusive
}

// InWindow reports whether the plan may start at t: the wall clock of the plan's time zone stands in its window. A
// plan without a window always may. An error means a window or a time zone that Load would have refused.
func InWindow(plan drill.Plan, t time.Time) (bool, error) {
	spans, err := parseWindow(plan.Window)
	if err != nil {
		return false, fmt.Errorf("window of %s: %w", plan.Name, err)
	}
	if len(spans) == 0 {
		return true, nil
	}
	name := plan.Timezone
	if name == "" {
		name = "UTC"
	}
	loc, err := zone(name)
	if err != nil {
		return false, fmt.Errorf("window of %s: %w", plan.Name, err)
	}
	local := t.In(loc)
	return slices.ContainsFunc(spans, func(s span) bool { return s.holds(local) }), nil
}

func (s span) holds(local time.Time) bool {
	day, minute := local.Weekday(), local.Hour()*60+local.Minute()
	if s.from < s.until {
		return s.days[day] && s.from <= minute && minute < s.until
	}
	return s.days[day] && s.from <= minute || s.days[(day+6)%7] && minute < s.until
}

// parseWindow reads "Mon-Fri 10:00-16:00"; several are parted by ";", days by ",", and no days mean every day.
func parseWindow(s string) ([]span, error) {
	if s == "" || s == always {
		return nil, nil
	}
	var out []span
	for _, part := range strings.Split(s, ";") {
		words := strings.Fields(part)
		if len(words) == 1 {
			words = []string{"Mon-Sun", words[0]}
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("%q is not a window", s)
		}
		var one span
		if err := one.setDays(words[0]); err != nil {
			return nil, fmt.Errorf("%q is not a window: %w", s, err)
		}
		if err := one.setTimes(words[1]); err != nil {
			return nil, fmt.Errorf("%q is not a window: %w", s, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *span) setDays(list string) error {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	for _, part := range strings.Split(strings.ToLower(list), ",") {
		from, to, ranged := strings.Cut(part, "-")
		if !ranged {
			to = from
		}
		first, last := slices.Index(names, from), slices.Index(names, to)
		if first < 0 || last < 0 {
			return fmt.Errorf("%q is not a day", part)
		}
		for d := first; ; d = (d + 1) % 7 {
			s.days[d] = true
			if d == last {
				break
			}
		}
	}
	return nil
}

func (s *span) setTimes(times string) error {
	from, until, _ := strings.Cut(times, "-")
	var err error
	if s.from, err = minuteOfDay(from); err != nil {
		return err
	}
	if s.until, err = minuteOfDay(until); err != nil {
		return err
	}
	if s.from == s.until || s.from == 24*60 {
		return fmt.Errorf("%q is empty", times)
	}
	return nil
}

// minuteOfDay reads 00:00 to 24:00.
func minuteOfDay(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, badHour := strconv.ParseUint(h, 10, 8)
	minute, badMinute := strconv.ParseUint(m, 10, 8)
	at := int(hour)*60 + int(minute)
	if !ok || badHour != nil || badMinute != nil || len(h) > 2 || len(m) != 2 || minute > 59 || at > 24*60 {
		return 0, fmt.Errorf("%q is not a time", s)
	}
	return at, nil
}
