package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
)

func auditCommand() *cobra.Command {
	var data string
	var asJSON, denials bool
	c := &cobra.Command{
		Use:   "audit [ID]",
		Short: "Verify the journal's hash chains and print a drill's record",
		Long: `audit reads the journal in --data and verifies that no entry of any drill was changed, removed or reordered. With an id it also prints
the drill's entries with their sums. Hold them against the rev and sum in the concluded message and in the report: the chain alone cannot
show that its newest entry was changed. It exits with 1 when a chain is broken. docs/journal.md does the same by hand.

With --denials it lists who asked in chat for something that they had no right to, the newest first.`,
		Example: `  firedrill audit              every drill, one line each
  firedrill audit 3kq7ab2mzc   one drill's record
  firedrill audit --denials    who was refused what`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			where := filepath.Join(data, "journal")
			if _, err := os.Stat(filepath.Join(where, "identity")); err != nil {
				return fmt.Errorf("there is no record to audit: %w; name the directory that 'up' or 'demo' had as its data with --data", err)
			}
			store, err := dir.OpenReadOnly(where)
			if err != nil {
				return err
			}
			s := &system{journal: journal.Open(store, journal.Options{Now: time.Now, Nonce: func() string { return random(20) }})}
			if denials {
				return s.denials(cmd.Context(), cmd.OutOrStdout(), asJSON)
			}
			if len(args) == 1 {
				return s.auditOne(cmd.Context(), cmd.OutOrStdout(), args[0], asJSON)
			}
			return s.auditAll(cmd.Context(), cmd.OutOrStdout(), asJSON)
		},
	}
	c.Flags().StringVar(&data, "data", ".firedrill", "directory of the journal")
	c.Flags().BoolVar(&denials, "denials", false, "list the commands that were refused for want of a right")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// listsDrills follows an error about a drill's id, where a person at a terminal reads it.
const listsDrills = "; 'firedrill audit' lists all drills"

// audited is one drill's line.
type audited struct {
	Drill   string `json:"drill"`
	Plan    string `json:"plan,omitempty"`
	Status  string `json:"status,omitempty"`
	Verdict string `json:"verdict,omitempty"`
	Revs    int    `json:"revs"`
	Head    string `json:"head_sha256,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func (s *system) audit(ctx context.Context, id string) audited {
	a := audited{Drill: id}
	if err := s.journal.Verify(ctx, id); err != nil {
		a.Problem = err.Error()
	}
	d, err := s.journal.Load(ctx, id)
	if err != nil {
		if a.Problem == "" {
			a.Problem = err.Error()
		}
		return a
	}
	a.Plan, a.Status, a.Revs, a.Head = d.Plan.Name, string(d.Status), d.Rev, d.Head
	if d.Verdict != nil {
		a.Verdict = d.Verdict.Verdict
	}
	return a
}

// recorded lists the drills of the index, newest first, and then those that have a record and are missing there: the index is a hint.
func (s *system) recorded(ctx context.Context) ([]string, error) {
	var ids []string
	for after := ""; ; {
		items, next, err := s.journal.Recent(ctx, 500, after)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			ids = append(ids, it.Drill)
		}
		if after = next; next == "" {
			break
		}
	}
	there, err := s.journal.Drills(ctx)
	if err != nil {
		return nil, err
	}
	indexed := map[string]bool{}
	for _, id := range ids {
		indexed[id] = true
	}
	return append(ids, slices.DeleteFunc(there, func(id string) bool { return indexed[id] })...), nil
}

func (s *system) auditAll(ctx context.Context, w io.Writer, asJSON bool) error {
	ids, err := s.recorded(ctx)
	if err != nil {
		return err
	}
	all := []audited{}
	broken := 0
	for _, id := range ids {
		a := s.audit(ctx, id)
		if a.Problem != "" {
			broken++
		}
		all = append(all, a)
	}
	if asJSON {
		respondTo(w, all)
	} else {
		for _, a := range all {
			fmt.Fprintf(w, "%-14s %-28s %-10s %-12s %3d revs  %.16s  %s\n", a.Drill, a.Plan, a.Status, a.Verdict, a.Revs, a.Head, good(a.Problem))
		}
		fmt.Fprintf(w, "%d drill(s), %d broken\n", len(all), broken)
	}
	if broken > 0 {
		return fmt.Errorf("%d of %d drills have a broken record", broken, len(all))
	}
	return nil
}

func good(problem string) string {
	if problem == "" {
		return "chain holds"
	}
	return "BROKEN: " + problem
}

func (s *system) auditOne(ctx context.Context, w io.Writer, id string, asJSON bool) error {
	d, err := s.find(ctx, id)
	var none errNoDrill
	if errors.As(err, &none) {
		return fmt.Errorf("%w%s", err, listsDrills)
	}
	if err != nil {
		return err
	}
	a := s.audit(ctx, d.ID)
	entries, err := s.journal.Entries(ctx, d.ID)
	if err != nil {
		return err
	}
	if asJSON {
		respondTo(w, map[string]any{"audit": a, "entries": entries})
	} else {
		for _, e := range entries {
			fmt.Fprintf(w, "%3d  %s  %.12s  %-24s %s\n", e.Rev, e.At.Format(time.RFC3339), e.SHA256, e.Actor, e.Change)
		}
		fmt.Fprintf(w, "%s\nhead %s\n", good(a.Problem), a.Head)
	}
	if a.Problem != "" {
		return fmt.Errorf("drill %s has a broken record", d.ID)
	}
	return nil
}

// maxDenials is how many denials are listed.
const maxDenials = 1000

// denials lists who was refused what.
func (s *system) denials(ctx context.Context, w io.Writer, asJSON bool) error {
	all, err := s.journal.Denials(ctx, maxDenials)
	if err != nil {
		return err
	}
	if asJSON {
		if all == nil {
			all = []journal.Denial{}
		}
		respondTo(w, all)
		return nil
	}
	for _, d := range all {
		fmt.Fprintf(w, "%s  %-32s %-9s %-24s %s\n", d.At.Format(time.RFC3339), d.Actor, d.Verb, d.About, d.Reason)
	}
	fmt.Fprintf(w, "%d refused\n", len(all))
	return nil
}
