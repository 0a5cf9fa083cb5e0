package events_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/firedrill/firedrill/events"
)

func TestFinal(t *testing.T) {
	later, final := errors.New("not now"), fmt.Errorf("%w: no", events.ErrInvalid)
	because := fmt.Errorf("%w: %w", events.ErrInvalid, later)
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none":                             {nil, false},
		"another":                          {later, false},
		"itself":                           {events.ErrInvalid, true},
		"wrapped":                          {fmt.Errorf("a: %w", fmt.Errorf("b: %w", final)), true},
		"with its cause":                   {fmt.Errorf("a: %w", because), true},
		"two":                              {errors.Join(final, because), true},
		"one of two":                       {errors.Join(final, later), false},
		"one of two, deep":                 {fmt.Errorf("a: %w", errors.Join(final, fmt.Errorf("b: %w", errors.Join(because, later)))), false},
		"a refusal that could not be kept": {fmt.Errorf("refused (%w), and not kept: %w", final, later), false},
	} {
		if got := events.Final(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
