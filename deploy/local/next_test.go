package main

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
)

func TestUpcoming(t *testing.T) {
	load := func(hour string) *catalog.Catalog {
		c, err := catalog.Load(write(t, "drills.yaml", small+"    schedule: { cron: \"0 "+hour+" * * *\", timezone: Europe/Berlin }\n"+strings.Replace(second, "wait-too", "never", 1)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ten, eleven := load("10"), load("11")
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var u upcoming
	for _, c := range []struct {
		of   *catalog.Catalog
		now  time.Time
		want time.Time
	}{
		{ten, now, now.Add(time.Hour)},
		{ten, now.Add(59 * time.Minute), now.Add(time.Hour)},
		{ten, now.Add(time.Hour), now.Add(25 * time.Hour)},
		{eleven, now, now.Add(2 * time.Hour)},
		{ten, now, now.Add(time.Hour)},
	} {
		p, _ := c.of.Plan("wait")
		if at, ok := u.next(c.of, p, c.now); !ok || !at.Equal(c.want) {
			t.Errorf("at %s: next %s, want %s", c.now, at, c.want)
		}
		p, _ = c.of.Plan("never")
		if at, ok := u.next(c.of, p, c.now); ok {
			t.Errorf("a plan without a schedule starts at %s", at)
		}
	}
}
