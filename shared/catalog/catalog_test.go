package catalog_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestLoad_design(t *testing.T) {
	c, err := catalog.Load("testdata/design/drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Plans()); got != 5 {
		t.Errorf("%d plans, want 5", got)
	}
	p, ok := c.Plan("checkout-az-outage")
	if !ok {
		t.Fatal("no checkout-az-outage")
	}
	if p.Environment != "production" || p.Service != drill.FIS || p.Account.ID != "123456789012" || p.MaxDuration.D() != 30*time.Minute {
		t.Errorf("%+v", p)
	}
}
