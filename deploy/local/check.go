package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

func checkCommand() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "List every mistake in a catalogue, and what each plan's service cannot promise",
		Long: `check reads a catalogue the way the functions do, without touching any account, and lists every mistake at once: file, line,
column, field, what is wrong and how to write it. It exits with 1 when there is a mistake. What is no mistake and yet seldom meant, such
as an approval that nobody could give, is told as a hint.`,
		Example: `  firedrill check                          drills.yaml here, or the one that came with firedrill
  firedrill check --catalog team.yaml      another file
  firedrill check --catalog x.yaml --json  for editors and CI`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd, file, asJSON) },
	}
	c.Flags().StringVar(&file, "catalog", "", "catalogue file")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// finding is one line of check's answer.
type finding struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func check(cmd *cobra.Command, file string, asJSON bool) error {
	c, name, err := openPartial(file)
	var problems catalog.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	found := []finding{}
	for _, p := range problems {
		found = append(found, finding{p.File, p.Line, p.Column, p.Field, p.Message, p.Fix})
	}
	found = append(found, checkBlocks(c, found)...)
	files := c.Files()
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(slices.Index(files, a.File)-slices.Index(files, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	hints := []finding{}
	for _, h := range c.Hints() {
		if len(found) == 0 { // with mistakes it may be they that are hinted at
			hints = append(hints, finding(h))
		}
	}
	out := cmd.OutOrStdout()
	if asJSON {
		respondTo(out, map[string]any{"catalog": name, "plans": len(c.Plans()), "problems": found, "hints": hints})
	} else {
		printCheck(out, name, c.Plans(), found)
		printHints(out, hints)
	}
	if len(found) > 0 {
		return fmt.Errorf("%s has %d mistake(s)", name, len(found))
	}
	return nil
}

// checkBlocks asks each driver about the blocks that could be read, also of plans with other mistakes. What the catalogue has told already
// is left out.
func checkBlocks(c *catalog.Catalog, told []finding) []finding {
	var out []finding
	var plans map[string]spot
	for _, p := range c.Readable() {
		_, sound := c.Plan(p.Name)
		for _, one := range each(checkBlock(p, sound)) {
			if plans == nil {
				plans = spots(c.Files())
			}
			f := plans[p.Name].finding(p, one)
			if !slices.ContainsFunc(told, func(t finding) bool { return t.Field == f.Field }) {
				out = append(out, f)
			}
		}
	}
	return out
}

// checkBlock asks the driver about one plan. Parameters without a default get made-up values; a mistake that only some of them cause
// is none. Parameters that cannot be put in are a mistake only where the catalogue has found none.
func checkBlock(p drill.Plan, sound bool) error {
	sv, err := described(p)
	if err != nil {
		return err
	}
	for i, guess := range guesses() {
		_, block, wrong := catalog.Resolve(p, standIns(p, guess))
		if wrong != nil && !sound {
			return nil
		}
		if wrong == nil {
			wrong = sv.Check(driver.Request{Drill: "check", Role: drill.Main, Token: "check/main", Plan: p.Name, Title: p.Title, Block: block,
				Account: p.Account.Name, Region: p.Account.Region, Timeout: p.MaxDuration.D()})
		}
		if i == 0 || len(each(wrong)) < len(each(err)) {
			err = wrong
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// described opens a plan's driver without credentials: enough for what needs no I/O.
func described(p drill.Plan) (*provider.Service, error) {
	return provider.New(provider.Options{Openers: openers(), Config: func(_ drill.Service, a drill.Account) (driver.Config, error) {
		return driver.Config{Account: a.Name, Region: a.Region, Credentials: ambient(a)}, nil
	}}).For(p.Service, p.Account)
}

// each takes joined errors apart.
func each(err error) []error {
	if err == nil {
		return nil
	}
	if err == driver.ErrInvalid { //nolint:errorlint // the class itself, beside the mistakes
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, each(e)...)
		}
		return out
	}
	return []error{err}
}
