package deploy

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/deploy/sam"
)

// TestAccount_ItsRoleHasWhatAnyFunctionCallsThere holds the role of another account to the sum of what the functions call with it.
func TestAccount_ItsRoleHasWhatAnyFunctionCallsThere(t *testing.T) {
	built := bootstraps(t)
	tpl, err := sam.Load("aws/account.yaml", map[string]string{"HomeAccount": "210987654321"})
	home := load(t)
	if err != nil {
		t.Fatal(err)
	}
	need := map[string]bool{}
	for _, f := range names() {
		calls, err := reach(built[f])
		if err != nil {
			t.Fatal(err)
		}
		all, err := needed(home, f, calls)
		if err != nil {
			t.Fatal(err)
		}
		for p := range all {
			if strings.HasPrefix(p, "fis:") || strings.HasPrefix(p, makeRole) {
				need[p] = true
			}
		}
	}
	grants, err := tpl.Grants("Role")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong(need, grants) {
		t.Errorf("the role %s", w)
	}
	teeth(t, need, grants)
}

// TestPolicy_OtherAccountsOnlyWhereAskedFor wants nobody to take a role that no parameter names.
func TestPolicy_OtherAccountsOnlyWhereAskedFor(t *testing.T) {
	for _, f := range names() {
		for _, holds := range [][]string{nil, {"HasAccountRole"}} {
			tpl := load(t, holds...)
			grants, err := tpl.Grants(tpl.RoleOf(f))
			if err != nil {
				t.Fatal(err)
			}
			got := false
			for _, s := range grants {
				if len(s.Actions) == 1 && s.Actions[0] == assumeRole {
					got = true
				}
			}
			if want := holds != nil && f != "notify" && f != "chatops"; got != want {
				t.Errorf("with %v %s may take a role: %v", holds, f, got)
			}
		}
	}
}
