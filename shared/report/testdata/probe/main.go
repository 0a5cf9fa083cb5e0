// Command probe links what a handler links of the report, so that a test can look at what the linker keeps.
package main

import (
	"context"
	"os"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/report"
)

func main() {
	var entries []journal.Entry
	for range os.Args {
		entries = append(entries, journal.Entry{Drill: []byte("{}")})
	}
	r, err := report.Build(entries)
	if err == nil {
		err = report.HTML(context.Background(), os.Stdout, r)
	}
	if err == nil {
		err = report.JSON(os.Stdout, r)
	}
	if err != nil {
		os.Exit(1)
	}
}
