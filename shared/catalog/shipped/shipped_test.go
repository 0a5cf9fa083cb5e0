package shipped_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/catalog/shipped"
	"github.com/firedrill/firedrill/shared/drill"
)

func TestShipped_isTheFileAtTheTop(t *testing.T) {
	top, err := os.ReadFile("../../../drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	here, err := shipped.FS.ReadFile(shipped.Name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(top, here) {
		t.Error("drills.yaml differs from its copy: cp drills.yaml shared/catalog/shipped/drills.yaml")
	}
}

func TestShipped_startsEachServiceWithoutApproval(t *testing.T) {
	c, err := shipped.Load()
	if err != nil {
		t.Fatal(err)
	}
	free, approved := map[drill.Service]int{}, 0
	for _, p := range c.Plans() {
		switch {
		case p.Environment == "staging" && p.Approval.Need == 0 && p.Window == "" && !p.Disabled:
			free[p.Service]++
		case p.Environment == drill.Production && p.Approval.Need > 0:
			approved++
		default:
			t.Errorf("%s is neither free nor in need of an approval: %+v", p.Name, p)
		}
		if _, _, err := catalog.Resolve(p, nil); err != nil {
			t.Errorf("%s cannot start without parameters: %v", p.Name, err)
		}
		for _, claim := range p.Expect {
			if claim.HTTP != "" {
				t.Errorf("%s would call %s", p.Name, claim.HTTP)
			}
		}
	}
	for _, s := range drill.Services() {
		if free[s] == 0 {
			t.Errorf("no plan of %s starts without approval", s)
		}
	}
	if approved == 0 {
		t.Error("no plan needs an approval")
	}
}
