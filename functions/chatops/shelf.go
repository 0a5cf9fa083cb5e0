package chatops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// newest is how many of the newest drills a prefix is looked for among.
const newest = 1000

// Shelf reads plans from the catalogue and drills from the journal.
type Shelf struct {
	Journal *journal.Journal
	Catalog func() *catalog.Catalog
	Now     func() time.Time
}

var _ Reader = (*Shelf)(nil)

// Plans lists the catalogue.
func (s *Shelf) Plans(context.Context) ([]Plan, error) {
	var out []Plan
	for _, p := range s.Catalog().Plans() {
		v := Plan{Plan: p}
		if slot, ok := catalog.Next(p, s.Now()); ok {
			v.Next = slot.At
		}
		out = append(out, v)
	}
	return out, nil
}

// Drill reads one.
func (s *Shelf) Drill(ctx context.Context, id string) (*drill.Drill, error) {
	if err := journal.CheckID(id); err != nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrNotFound, err)
	}
	return s.Journal.Load(ctx, id)
}

// Halted reads the levers.
func (s *Shelf) Halted(ctx context.Context) ([]string, error) {
	levers, err := guard.Levers(ctx, s.Journal)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range levers {
		out = append(out, l.Scope)
	}
	return out, nil
}

// Report reads the page that was kept when the drill was concluded.
func (s *Shelf) Report(ctx context.Context, id string) ([]byte, error) {
	if err := journal.CheckID(id); err != nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrNotFound, err)
	}
	return s.Journal.Object(ctx, id, journal.ReportPage)
}

// Active lists the drills that have a marker.
func (s *Shelf) Active(ctx context.Context) ([]string, error) { return s.Journal.ActiveIDs(ctx) }

// Newest looks among the newest drills.
func (s *Shelf) Newest(ctx context.Context, prefix string) ([]string, error) {
	ids, err := s.Journal.RecentIDs(ctx, newest)
	return slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) }), err
}
