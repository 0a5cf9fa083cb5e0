package main

import (
	"os"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
)

// docs/how-it-works.md lists what each service cannot promise in the drivers' own words.
func TestGuide_NamesWhatTheServicesCannotPromise(t *testing.T) {
	page, err := os.ReadFile("../../docs/how-it-works.md")
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Parse(shipped.FS, shipped.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Plans() {
		sv, err := described(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, promise := range sv.Facts().Cannot {
			if !strings.Contains(string(page), "- "+promise+"\n") {
				t.Errorf("the page lacks of %s: %s", p.Service, promise)
			}
		}
	}
}
