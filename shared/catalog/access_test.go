package catalog_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
)

const people = `version: 1
include: [ access.yaml ]
accounts: { aws: { cloud: aws, region: us-east-1 } }
bindings: [ { role: viewer, to: "slack:T1/*" } ]
`

const accessFile = `roles: { game-master: { may: [ start, advance ] }, team-cart: { may: [ approve, reject ] } }
bindings:
  - { role: game-master, to: "slack:T1/U1", environments: [ staging, nowhere ] }
  - { role: approver, to: [ "slack:T1/U2", "feishu:2ed263bf32cf1651/ou_bob" ], environments: [ production ] }
  - { role: team-cart, to: "dingtalk:ding1/manager 01" }
ceilings: { dingtalk: viewer, webhook: operator }
`

func TestCatalog_Access(t *testing.T) {
	file := strings.Replace(accessFile, "manager 01", "manager01", 1)
	c, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(people)}, "access.yaml": {Data: []byte(file)}}, "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "policy", c.Access(), access.Policy{
		Own: map[string][]string{"game-master": {"start", "advance"}, "team-cart": {"approve", "reject"}},
		Bindings: []access.Binding{
			{Role: "viewer", To: "slack:T1/*"},
			{Role: "game-master", To: "slack:T1/U1", Environments: []string{"staging", "nowhere"}},
			{Role: "approver", To: "slack:T1/U2", Environments: []string{"production"}},
			{Role: "approver", To: "feishu:2ed263bf32cf1651/ou_bob", Environments: []string{"production"}},
			{Role: "team-cart", To: "dingtalk:ding1/manager01"},
		},
		Ceilings: map[string]access.Role{"dingtalk": access.Viewer, "mattermost": access.Operator, "webhook": access.Operator},
	})
	equal(t, "hints", len(c.Hints()), 0)
}

// TestParsePartial_aMistakeGivesNothingToAnybody: what is left out of a policy with mistakes must only take rights away.
func TestParsePartial_aMistakeGivesNothingToAnybody(t *testing.T) {
	bad := strings.NewReplacer("nowhere ]", "no/where ]", "webhook: operator", "webhook: superuser", "start, advance", "start, advanec").Replace(accessFile)
	c, err := catalog.ParsePartial(fstest.MapFS{"drills.yaml": {Data: []byte(people)}, "access.yaml": {Data: []byte(bad)}}, "drills.yaml")
	if err == nil || c == nil {
		t.Fatalf("%v, %v", c, err)
	}
	p := c.Access()
	for _, actor := range []string{"slack:T1/U1", "dingtalk:ding1/manager 01"} {
		if p.May(actor, "start", "production") == nil || p.May(actor, "start", "staging") == nil || p.May(actor, "approve", "staging") == nil {
			t.Errorf("%s got a right by a mistake", actor)
		}
	}
	if !p.Holds("slack:T1/U2", "approver", "production") {
		t.Error("a binding without a mistake is lost")
	}
	if p.Under("webhook", "start") == nil {
		t.Error("a ceiling with a mistake is none")
	}
}

func TestCatalog_Hints(t *testing.T) {
	const plans = `
drills:
  cart: { owner: team-cart, account: aws, environment: staging, fis: { template: EXT1 }, approval: { from: owner } }
  orphan: { account: aws, environment: staging, fis: { template: EXT1 }, approval: { from: owner } }
  shop: { account: aws, fis: { template: EXT1 } }
  free: { account: aws, environment: staging, fis: { template: EXT1 }, approval: { need: 0 } }
`
	const head = "version: 1\naccounts: { aws: { cloud: aws, region: us-east-1 } }\n"
	const bind = `bind somebody, such as { role: `
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing is bound", head + plans, []string{
			`drills.yaml:1:1: bindings: nobody is bound to a role, so people may stop drills and do nothing else; bind somebody, such as [ { role: operator, to: "slack:T123/U456" } ]`}},
		{"nobody can approve", head + "bindings: [ { role: operator, to: \"slack:T1/U1\" }, { role: approver, to: \"slack:T1/U2\", environments: [ staging ] } ]" + plans, []string{
			`drills.yaml:5:100: drills.cart.approval: nobody has the role team-cart in staging, so nobody can approve it; add team-cart: { may: [ approve, reject ] } under roles, and ` + bind + `team-cart, to: "slack:T123/U456", environments: [ staging ] }`,
			`drills.yaml:6:84: drills.orphan.approval: its owner must approve it, and it has none: an admin alone can; name the owner, or write from: approver`,
			`drills.yaml:7:3: drills.shop: nobody has the role approver in production, so nobody can approve it; ` + bind + `approver, to: "slack:T123/U456", environments: [ production ] }`}},
		{"an admin can", head + "bindings: [ { role: admin, to: \"slack:T1/U1\" } ]" + plans, []string{
			`drills.yaml:6:84: drills.orphan.approval: its owner must approve it, and it has none: an admin alone can; name the owner, or write from: approver`}},
		{"a user group of Slack", head + "bindings: [ { role: operator, to: [ \"slack:T1/U1\", \"slack:T1/S0SRE\" ] } ]\n", []string{
			`drills.yaml:3:52: bindings[0].to[1]: "slack:T1/S0SRE" is a user group, and who is in it is not known here: it is bound to nothing; bind the people: the id of each is in their profile, and begins with U`}},
		{"a person whose id begins with S elsewhere", head + "bindings: [ { role: operator, to: [ \"feishu:t/S0SRE\", \"slack:T1/Sue\" ] } ]\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, h := range parse(t, c.text).Hints() {
				got = append(got, h.String())
			}
			equal(t, "hints", got, c.want)
		})
	}
	c := parse(t, head+"bindings: [ { role: admin, to: \"slack:T1/S0SRE\" } ]\n")
	if c.Access().Known("slack:T1/S0SRE") {
		t.Error("a user group is bound as if it were a person")
	}
}
