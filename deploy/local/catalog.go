package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// defaultCatalog is looked for in the working directory.
const defaultCatalog = "drills.yaml"

// shippedName is how the catalogue that came with the command is called.
const shippedName = "the one that came with firedrill"

// openCatalog reads the named catalogue, or drills.yaml here, or the one that came with the command.
func openCatalog(name string) (*catalog.Catalog, string, error) {
	if name == "" {
		if _, err := os.Stat(defaultCatalog); err == nil {
			name = defaultCatalog
		}
	}
	if name == "" {
		c, err := catalog.Parse(shipped.FS, shipped.Name)
		return c, shippedName, err
	}
	c, err := catalog.Load(name)
	return c, name, err
}

func (s *system) loadCatalog() error {
	c, name, err := openCatalog(s.set.catalog)
	if err != nil {
		return fmt.Errorf("the catalogue has mistakes:\n%w", err)
	}
	s.set.catalog = name
	s.catalog.Store(c)
	return nil
}

func (s *system) catalogName() string { return s.set.catalog }

func checkCommand() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "List every mistake in a catalogue, and what each plan's service cannot promise",
		Long: `check reads a catalogue the way the functions do, without touching any account, and lists every mistake at once: file, line,
column, field, what is wrong and how to write it. It exits with 1 when there is a mistake.`,
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
	c, name, err := openCatalog(file)
	var problems catalog.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	found := []finding{}
	for _, p := range problems {
		found = append(found, finding{p.File, p.Line, p.Column, p.Field, p.Message, p.Fix})
	}
	var plans []drill.Plan
	if err == nil {
		plans = c.Plans()
		found = append(found, checkBlocks(plans)...)
	}
	out := cmd.OutOrStdout()
	if asJSON {
		respondTo(out, map[string]any{"catalog": name, "plans": len(plans), "problems": found})
	} else {
		printCheck(out, name, plans, problems, found)
	}
	if len(found) > 0 {
		return fmt.Errorf("%s has %d mistake(s)", name, len(found))
	}
	return nil
}

// checkBlocks asks each driver about its plans' blocks.
func checkBlocks(plans []drill.Plan) []finding {
	var out []finding
	for _, p := range plans {
		sv, err := described(p)
		if err == nil {
			var block map[string]any
			if _, block, err = catalog.Resolve(p, nil); err == nil {
				err = sv.Check(driver.Request{Drill: "check", Role: drill.Main, Token: "check/main", Plan: p.Name, Title: p.Title, Block: block,
					Account: p.Account.Name, Region: p.Account.Region, Timeout: p.MaxDuration.D()})
			}
		}
		for _, one := range each(err) {
			out = append(out, finding{Field: "drills." + p.Name + "." + string(p.Service), Message: one.Error()})
		}
	}
	return out
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
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, each(e)...)
		}
		return out
	}
	return []error{err}
}
