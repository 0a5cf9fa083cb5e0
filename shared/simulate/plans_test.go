package simulate

import (
	"sync"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// shelf keeps the catalogues, parsed once.
var shelf sync.Map

func catalogOf(t testing.TB, s drill.Service, clocked bool) *catalog.Catalog {
	t.Helper()
	type key struct {
		s       drill.Service
		clocked bool
	}
	if c, ok := shelf.Load(key{s, clocked}); ok {
		return c.(*catalog.Catalog)
	}
	c, err := Catalog(s, clocked)
	if err != nil {
		t.Fatal(err)
	}
	shelf.Store(key{s, clocked}, c)
	return c
}

func TestCatalog_EveryServiceParses(t *testing.T) {
	for _, s := range drill.Services() {
		for _, clocked := range []bool{false, true} {
			if n := len(catalogOf(t, s, clocked).Plans()); n < 3 {
				t.Errorf("%s has %d plans", s, n)
			}
		}
	}
}
