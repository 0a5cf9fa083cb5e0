package access_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/chat/grammar"
	"github.com/firedrill/firedrill/shared/chat/words"
)

func policy() access.Policy {
	return access.Policy{
		Own: map[string][]string{"game-master": {"start", "advance", "approve"}, "team-cart": {"approve", "reject"}},
		Bindings: []access.Binding{
			{Role: "viewer", To: "slack:T1/*"},
			{Role: "operator", To: "slack:T1/U1"},
			{Role: "approver", To: "slack:T1/U2", Environments: []string{"staging"}},
			{Role: "admin", To: "slack:T1/U3"},
			{Role: "game-master", To: "feishu:t/ou_1", Environments: []string{"staging", "test"}},
			{Role: "team-cart", To: "slack:T1/U4"},
			{Role: "admin", To: "local:*/*"},
		},
		Ceilings: map[string]access.Role{"dingtalk": access.Operator},
	}
}

func TestMay(t *testing.T) {
	const staging, production = "staging", "production"
	tests := []struct {
		name                     string
		actor, verb, environment string
		no                       string // part of the answer; "" means yes
	}{
		{"nothing is bound", "slack:T2/U1", "list", "", "Give an admin this id to bind to a role: slack:T2/U1"},
		{"the same user of another platform", "feishu:T1/U1", "start", staging, "nothing is bound"},
		{"no actor", "", "list", "", "nothing is bound"},
		{"no tenant", "slack:U1", "list", "", "nothing is bound"},
		{"somebody who says to be everybody", "slack:T1/*", "list", "", "nothing is bound"},
		{"a tenant that says to be all of them", "local:*/x", "list", "", "nothing is bound"},
		{"a user whose id holds a slash", "slack:T1/x/U1", "start", staging, "takes operator, and you (slack:T1/x/U1) are viewer"},
		{"everybody may look", "slack:T1/U9", "status", production, ""},
		{"everybody may not start", "slack:T1/U9", "start", production, "you may not start in production: that takes operator, and you (slack:T1/U9) are viewer"},
		{"an operator starts", "slack:T1/U1", "start", production, ""},
		{"an operator executes", "slack:T1/U1", "execute", production, ""},
		{"an operator halts", "slack:T1/U1", "halt", "", ""},
		{"an operator releases nothing", "slack:T1/U1", "release", access.Everywhere, "that takes approver, and you (slack:T1/U1) are operator and viewer"},
		{"an approver of staging", "slack:T1/U2", "approve", staging, ""},
		{"is none of production", "slack:T1/U2", "approve", production, "in production"},
		{"and none everywhere", "slack:T1/U2", "release", access.Everywhere, "you may not release: "},
		{"but somewhere", "slack:T1/U2", "approve", "", ""},
		{"an admin does what nobody knows", "slack:T1/U3", "rotate", production, ""},
		{"an approver does not", "slack:T1/U2", "rotate", staging, "takes admin"},
		{"a role of the catalogue's own", "feishu:t/ou_1", "approve", staging, ""},
		{"execute is its advance", "feishu:t/ou_1", "execute", staging, ""},
		{"what it does not name", "feishu:t/ou_1", "note", staging, "you (feishu:t/ou_1) are game-master"},
		{"anybody stops", "slack:T2/U7", "stop", production, ""},
		{"who is at the keyboard", "local:my.host/me", "release", access.Everywhere, ""},
		{"a schedule starts", "schedule:x", "start", production, ""},
		{"a schedule approves nothing", "schedule:x", "approve", production, "are no person"},
		{"an alarm stops", "alarm:cloudwatch/x", "stop", production, ""},
		{"an alarm starts nothing", "alarm:cloudwatch/x", "start", production, "are no person"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := policy().May(tt.actor, tt.verb, tt.environment)
			var denied *access.Denied
			switch {
			case tt.no == "" && err != nil:
				t.Error(err)
			case tt.no != "" && !errors.As(err, &denied):
				t.Fatalf("got %v, want a no", err)
			case tt.no != "" && !strings.Contains(err.Error(), tt.no):
				t.Errorf("%q, want %q in it", err, tt.no)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	tests := []struct {
		actor, role, environment string
		want                     bool
	}{
		{"slack:T1/U1", "operator", "production", true},
		{"slack:T1/U1", "viewer", "production", true},
		{"slack:T1/U1", "approver", "production", false},
		{"slack:T1/U2", "approver", "staging", true},
		{"slack:T1/U2", "approver", "production", false},
		{"slack:T1/U4", "team-cart", "production", true},
		{"slack:T1/U4", "approver", "production", false},
		{"slack:T1/U2", "team-cart", "staging", false},
		{"slack:T1/U3", "team-cart", "production", true},
		{"slack:T1/U3", "approver", "production", true},
		{"slack:T1/U3", "", "production", false},
		{"alarm:x/y", "viewer", "production", false},
	}
	for _, tt := range tests {
		if got := policy().Holds(tt.actor, tt.role, tt.environment); got != tt.want {
			t.Errorf("%s holds %q in %s: %v", tt.actor, tt.role, tt.environment, got)
		}
		if err := policy().MayAs(tt.actor, "approve", tt.role, tt.environment); (err == nil) != tt.want {
			t.Errorf("%s as %q in %s: %v", tt.actor, tt.role, tt.environment, err)
		}
	}
	err := policy().MayAs("slack:T1/U2", "approve", "team-cart", "staging")
	if want := "you may not approve in staging: that takes team-cart, and you (slack:T1/U2) are approver and viewer"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestGiven(t *testing.T) {
	p := access.Policy{Bindings: policy().Bindings[:3]}
	for role, want := range map[string][2]bool{"approver": {true, false}, "operator": {true, true}, "admin": {false, false}, "team-cart": {false, false}, "": {false, false}} {
		if got := [2]bool{p.Given(role, "staging"), p.Given(role, "production")}; got != want {
			t.Errorf("%q is given in staging, production: %v, want %v", role, got, want)
		}
	}
}

func TestPolicy_ItsZeroValueLetsNobodyDoAnything(t *testing.T) {
	var p access.Policy
	for _, verb := range access.Verbs() {
		if err := p.May("slack:T1/U1", verb, ""); (err == nil) != (verb == "stop") {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if p.Known("slack:T1/U1") {
		t.Error("a stranger is known")
	}
}

func TestWith_LeavesThePolicyAlone(t *testing.T) {
	p := policy()
	q := p.With(access.Binding{Role: "admin", To: "slack:T1/U9"})
	if !q.Holds("slack:T1/U9", "admin", "x") || p.Holds("slack:T1/U9", "admin", "x") {
		t.Error("the binding is not in the new policy alone")
	}
	if !q.Known("slack:T1/U9") || q.Known("slack:T9/U9") {
		t.Error("who is known is wrong")
	}
}

func TestUnder(t *testing.T) {
	p := policy()
	for verb, want := range map[string]bool{"start": true, "execute": true, "halt": true, "stop": true, "status": true, "approve": false, "release": false} {
		if err := p.Under("dingtalk", verb); (err == nil) != want {
			t.Errorf("dingtalk %s: %v", verb, err)
		}
		if err := p.Under("slack", verb); err != nil {
			t.Errorf("slack %s: %v", verb, err)
		}
	}
}

// TestVerbs_AreThoseOfTheGrammar holds what a role may name and what a person can type together.
func TestVerbs_AreThoseOfTheGrammar(t *testing.T) {
	var typed []string
	for _, m := range regexp.MustCompile(`(?m)^/drill ([a-z]+)`).FindAllStringSubmatch(grammar.HelpText("", words.English), -1) {
		typed = append(typed, m[1])
	}
	if got := slices.Sorted(slices.Values(access.Verbs())); !slices.Equal(got, slices.Sorted(slices.Values(typed))) {
		t.Errorf("a role may name %v, a person may type %v", got, typed)
	}
}

func TestRoleOf(t *testing.T) {
	for i, name := range access.Roles() {
		if r, ok := access.RoleOf(name); !ok || r != access.Role(i+1) || r.String() != name {
			t.Errorf("%s is %v, %v", name, r, ok)
		}
	}
	for _, name := range []string{"nobody", "", "root"} {
		if r, ok := access.RoleOf(name); ok || r != access.Nobody {
			t.Errorf("%q is %v", name, r)
		}
	}
	if access.Role(99).String() != "nobody" || access.Role(-1).String() != "nobody" {
		t.Error("a role that is none has a name")
	}
}
