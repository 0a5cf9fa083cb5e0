package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/report"
)

// reports keeps the reports of concluded drills in the journal and, to open with a click, in <data>/reports.
type reports struct{ s *system }

// Keep writes the page and the record, into the journal and as files.
func (r *reports) Keep(ctx context.Context, d *drill.Drill) error {
	k := report.Keeper{Journal: r.s.journal}
	if err := k.Keep(ctx, d); err != nil {
		return err
	}
	for _, name := range []string{report.PageName, report.RecordName} {
		data, err := r.s.journal.Object(ctx, d.ID, name)
		if err != nil {
			return err
		}
		if err := r.s.writeReport(d.ID, filepath.Ext(name), data); err != nil {
			return err
		}
	}
	return nil
}

// reportPath is where a drill's report lies as a file.
func (s *system) reportPath(id, ext string) string {
	return filepath.Join(s.set.data, "reports", id+ext)
}

func (s *system) writeReport(id, ext string, data []byte) error {
	path := s.reportPath(id, ext)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".tmp" + random(8)
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// report reads all of a drill.
func (s *system) report(ctx context.Context, id string) (report.Report, error) {
	entries, err := s.journal.Entries(ctx, id)
	if err != nil {
		return report.Report{}, err
	}
	return report.Build(entries)
}

// getReport shows a drill's report as it stands now; ?format=json gives the record.
func (s *system) getReport(w http.ResponseWriter, r *http.Request) {
	d, err := s.find(r.Context(), r.PathValue("id"))
	if err != nil {
		respondFindError(w, err, "")
		return
	}
	rep, err := s.report(r.Context(), d.ID)
	var page bytes.Buffer
	format := "text/html; charset=utf-8"
	switch {
	case err != nil:
	case r.URL.Query().Get("format") == "json":
		format = "application/json; charset=utf-8"
		err = report.JSON(&page, rep)
	default:
		err = report.HTML(r.Context(), &page, rep)
	}
	if err != nil {
		respondError(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", format)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	_, _ = w.Write(page.Bytes()) // the reader is gone
}
