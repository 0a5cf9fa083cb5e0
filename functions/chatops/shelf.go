package chatops

import (
	"context"
	"errors"
	"fmt"
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

// Drills lists the active drills, or those among the newest whose id begins with prefix.
func (s *Shelf) Drills(ctx context.Context, prefix string) ([]*drill.Drill, error) {
	ids, err := s.Journal.ActiveIDs(ctx)
	if prefix != "" {
		ids, err = s.startingWith(ctx, prefix)
	}
	if err != nil {
		return nil, err
	}
	var out []*drill.Drill
	for _, id := range ids {
		d, err := s.Journal.Load(ctx, id)
		if errors.Is(err, journal.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func (s *Shelf) startingWith(ctx context.Context, prefix string) ([]string, error) {
	items, _, err := s.Journal.Recent(ctx, newest, "")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, it := range items {
		if strings.HasPrefix(it.Drill, prefix) {
			ids = append(ids, it.Drill)
		}
	}
	return ids, nil
}
