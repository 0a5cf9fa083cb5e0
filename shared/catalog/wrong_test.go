package catalog_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestParse_mistakes reads one fixture per mistake: each must be found, alone, and be told as its golden file says.
func TestParse_mistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(strings.ReplaceAll(name, "-", " "), func(t *testing.T) {
			c, err := catalog.Parse(os.DirFS("testdata/wrong"), name+".yaml")
			var problems catalog.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want Problems", err)
			}
			if c != nil {
				t.Error("a catalogue besides the mistakes")
			}
			if len(problems) != 1 {
				t.Errorf("%d mistakes, want 1", len(problems))
			}
			golden(t, "testdata/wrong/"+name+".txt", err.Error()+"\n")
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message holds the secret")
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got  %swant %s", got, want)
	}
}
