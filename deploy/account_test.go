package deploy

import (
	"reflect"
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

// TestForward_SendsAlarmsHomeAndMayDoNothingElse holds the rule of another region to the one that takes its alarms at home.
func TestForward_SendsAlarmsHomeAndMayDoNothingElse(t *testing.T) {
	const home = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
	for _, holds := range [][]string{nil, {"HasPrefix"}} {
		tpl, err := sam.Load("aws/forward.yaml", map[string]string{"HomeBus": home}, holds...)
		if err != nil {
			t.Fatal(err)
		}
		grants, err := tpl.Grants("Role")
		if err != nil || !reflect.DeepEqual(grants, []sam.Statement{{Actions: []string{"events:PutEvents"}, Resources: []string{home}}}) {
			t.Errorf("the role has %v, %v", grants, err)
		}
		there, here := tpl.Resources["Alarms"].Properties, load(t, holds...).Resources["AlarmsRule"].Properties
		target := there["Targets"].([]any)[0].(map[string]any)
		if !reflect.DeepEqual(there["EventPattern"], here["EventPattern"]) || target["Arn"] != home || target["RoleArn"] != "<Role.Arn>" {
			t.Errorf("the rule there is %v, at home it takes %v", there, here["EventPattern"])
		}
	}
}
