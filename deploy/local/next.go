package main

import (
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// upcoming remembers when schedules start plans next, until that time has come or the catalogue is another: to work it out for a
// thousand plans each time that somebody looks would take a while.
type upcoming struct {
	mu  sync.Mutex
	of  *catalog.Catalog
	all map[string]time.Time
}

// next returns when a plan of the catalogue is started next; false if no schedule starts it.
func (u *upcoming) next(c *catalog.Catalog, p drill.Plan, now time.Time) (time.Time, bool) {
	if p.Schedule == nil {
		return time.Time{}, false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of != c {
		u.of, u.all = c, map[string]time.Time{}
	}
	if at, known := u.all[p.Name]; known && at.After(now) {
		return at, true
	}
	slot, ok := catalog.Next(p, now)
	if ok {
		u.all[p.Name] = slot.At
	}
	return slot.At, ok
}
