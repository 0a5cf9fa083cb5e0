package catalog_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/firedrill/firedrill/shared/catalog"
)

const guide = "docs/drills.md"

// guideBlocks returns the fenced blocks of a page whose info string is the given one.
func guideBlocks(t *testing.T, name, info string) []string {
	t.Helper()
	page, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+info+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s has no block %q", name, info)
	}
	return out
}

func parseText(text string) (*catalog.Catalog, error) {
	return catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(text)}}, "drills.yaml")
}

func TestGuide_ItsMistakesAreTheOnesThatAreFound(t *testing.T) {
	for i, text := range guideBlocks(t, guide, "yaml wrong") {
		_, err := parseText(text)
		if err == nil {
			t.Fatalf("block %d has no mistakes", i)
		}
		if got, want := strings.TrimSpace(err.Error()), strings.TrimSpace(guideBlocks(t, guide, "text")[i]); got != want {
			t.Errorf("the page says\n%s\ncheck says\n%s", want, got)
		}
	}
}

func TestGuide_ItsExamplesAreGood(t *testing.T) {
	for _, text := range guideBlocks(t, guide, "yaml") {
		c, err := parseText(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Plans()) != 4 {
			t.Errorf("%d plans, the page shows one of each service", len(c.Plans()))
		}
	}
}

func TestReadme_ItsExampleIsGood(t *testing.T) {
	for _, text := range guideBlocks(t, "README.md", "yaml") {
		if _, err := parseText(text); err != nil {
			t.Error(err)
		}
	}
}
