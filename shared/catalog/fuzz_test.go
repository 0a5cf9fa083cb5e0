package catalog_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
)

// FuzzParse holds that no file makes Parse panic, that every mistake has a place, and that a plan which is offered
// encodes, resolves or says why, and can be asked for its times.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/design/*.yaml", "testdata/wrong/*.yaml", "shipped/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	now := time.Date(2027, 3, 28, 0, 59, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := catalog.ParsePartial(fstest.MapFS{"drills.yaml": {Data: content}}, "drills.yaml")
		var problems catalog.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatal(err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.File == "" || p.Message == "" || strings.Contains(p.Message, "\n") {
				t.Errorf("%+v", p)
			}
		}
		for _, p := range c.Plans() {
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
			if _, err := catalog.Due(p, now, now.Add(time.Minute)); err != nil {
				t.Error(err)
			}
			if _, err := catalog.InWindow(p, now); err != nil {
				t.Error(err)
			}
			if p.Service == "" || p.Account.Name == "" || p.MaxDuration <= 0 || len(p.Block) == 0 {
				t.Errorf("%+v", p)
			}
			if _, _, err := catalog.Resolve(p, nil); err != nil && !strings.Contains(err.Error(), "has no default") {
				t.Error(err)
			}
		}
	})
}
