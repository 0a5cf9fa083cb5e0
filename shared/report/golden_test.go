package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestReport_golden(t *testing.T) {
	for name, s := range scenes(t) {
		t.Run(name, func(t *testing.T) {
			r := s.report()
			var page, record bytes.Buffer
			if err := HTML(t.Context(), &page, r); err != nil {
				t.Fatal(err)
			}
			if err := JSON(&record, r); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", strings.NewReplacer(" ", "-", ",", "").Replace(name))
			golden(t, file+".html", bytes.Replace(page.Bytes(), []byte(css), []byte("/* report.css */"), 1))
			golden(t, file+".json", record.Bytes())
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite with -update and look at the diff); first difference:\n%s", file, firstDifference(got, want))
	}
}

func firstDifference(got, want []byte) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, i-60)
	return "got  …" + string(got[from:min(len(got), i+120)]) + "\nwant …" + string(want[from:min(len(want), i+120)])
}
