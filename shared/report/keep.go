package report

import (
	"bytes"
	"context"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
)

// The names of the objects that Keeper writes.
const (
	PageName   = journal.ReportPage
	RecordName = "report.json"
)

// Keeper keeps reports beside their journals.
type Keeper struct{ Journal *journal.Journal }

// Keep writes the page and the record of a drill as it stands. Keeping it again replaces them.
func (k *Keeper) Keep(ctx context.Context, d *drill.Drill) error {
	entries, err := k.Journal.Entries(ctx, d.ID)
	if err != nil {
		return err
	}
	rep, err := Build(entries)
	if err != nil {
		return err
	}
	var page, record bytes.Buffer
	if err := HTML(ctx, &page, rep); err != nil {
		return err
	}
	if err := JSON(&record, rep); err != nil {
		return err
	}
	if err := k.Journal.PutObject(ctx, d.ID, PageName, page.Bytes()); err != nil {
		return err
	}
	return k.Journal.PutObject(ctx, d.ID, RecordName, record.Bytes())
}
