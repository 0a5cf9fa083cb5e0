package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
)

// defaultCatalog is looked for in the working directory.
const defaultCatalog = "drills.yaml"

// shippedName is how the catalogue that came with the command is called.
const shippedName = "the one that came with firedrill"

// openCatalog reads the named catalogue, or drills.yaml here, or the one that came with the command.
func openCatalog(name string) (*catalog.Catalog, string, error) {
	c, name, err := openPartial(name)
	if err != nil {
		return nil, name, err
	}
	return c, name, nil
}

// openPartial is openCatalog, and besides the mistakes returns what has none.
func openPartial(name string) (*catalog.Catalog, string, error) {
	if name == "" {
		if _, err := os.Stat(defaultCatalog); err == nil {
			name = defaultCatalog
		}
	}
	if name == "" {
		c, err := catalog.ParsePartial(shipped.FS, shipped.Name)
		return c, shippedName, err
	}
	c, err := catalog.LoadPartial(name)
	return c, name, err
}

func (s *system) loadCatalog() error {
	c, name, err := openCatalog(s.set.catalog)
	if err != nil {
		var wrong catalog.Problems
		if errors.As(err, &wrong) {
			return fmt.Errorf("the catalogue has %d mistake(s):\n%w", len(wrong), err)
		}
		return err
	}
	s.set.catalog = name
	s.catalog.Store(c)
	return nil
}

func (s *system) catalogName() string { return s.set.catalog }
