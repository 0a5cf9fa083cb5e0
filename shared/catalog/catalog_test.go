package catalog_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

func load(t *testing.T, path string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func plan(t *testing.T, c *catalog.Catalog, name string) drill.Plan {
	t.Helper()
	p, ok := c.Plan(name)
	if !ok {
		t.Fatalf("no plan %s", name)
	}
	return p
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got  %#v\nwant %#v", what, got, want)
	}
}

func TestLoad_designLoadsAsItStands(t *testing.T) {
	c := load(t, "testdata/design/drills.yaml")
	var names []string
	for _, p := range c.Plans() {
		names = append(names, p.Name)
	}
	equal(t, "plans", names, []string{"cart-cpu", "checkout-az-outage", "node-restart", "payment-cpu", "search-latency"})
	prod := drill.Approval{Need: 1, From: "approver", Expires: drill.Duration(30 * time.Minute)}
	az := plan(t, c, "checkout-az-outage")
	equal(t, "az", az, drill.Plan{
		Name: "checkout-az-outage", Title: "Checkout survives the loss of one AZ", Owner: "team-checkout", Runbook: "https://wiki.example.com/checkout-az",
		Environment: "production", Service: drill.FIS, Account: drill.Account{Name: "aws-prod", Cloud: "aws", ID: "123456789012", Region: "us-east-1", Role: "firedrill"},
		Block:       map[string]any{"template": "EXTa1b2c3d4e5f6g7", "targets": map[string]any{"min": 1, "max": 12}},
		MaxDuration: drill.Duration(30 * time.Minute), Window: "Mon-Fri 10:00-16:00", Timezone: "UTC", Exclusive: []string{"production/checkout"},
		Schedule: &drill.Schedule{Cron: "0 10 * * TUE", Timezone: "Europe/Berlin", Announce: drill.Duration(30 * time.Minute), Missed: "skip"},
		StopOn:   []string{"checkout-5xx"}, Alarms: map[string]drill.Alarm{"checkout-5xx": {Name: "checkout-5xx", Source: "cloudwatch", Match: "checkout-5xx", Account: "aws-prod"}},
		Notify: []drill.Channel{{Name: "checkout", To: "slack:T123/C0123", Lang: "en", Timezone: "Europe/Berlin", Oncall: "slack:T123/S0CHK"}},
		Expect: []drill.Claim{
			{ID: "c1", Claim: "checkout answers", HTTP: "https://shop.example.com/healthz", Status: 200, Within: drill.Duration(800 * time.Millisecond), StopAfter: drill.Duration(time.Minute)},
			{ID: "c2", Claim: "no order is lost", Ask: "owner"},
		},
		Approval: prod, Targets: drill.Bounds{Min: 1, Max: 12},
	})
	cart := plan(t, c, "cart-cpu")
	equal(t, "cart block", cart.Block, map[string]any{"template": 626, "mode": "manual", "on_stop": "rollback", "groups": []any{
		map[string]any{"instances": []any{"ins-a", "ins-b"}, "actions": map[string]any{"1": map[string]any{"duration": "${seconds}"}}}}})
	equal(t, "cart alarm", cart.Alarms["cart-errors"], drill.Alarm{Name: "cart-errors", Source: "alertmanager", Labels: map[string]string{"alertname": "CartErrors", "env": "prod"}})
	equal(t, "cart lock", cart.Exclusive, []string{"production/team-cart"})
	node := plan(t, c, "node-restart")
	equal(t, "node approval: an explicit default applies everywhere", node.Approval, prod)
	equal(t, "node lock", node.Exclusive, []string{"staging/team-order"})
	equal(t, "node unbounded", node.Unbounded, "OOS has no run limit; each task has a timeout")
	equal(t, "pay id", plan(t, c, "payment-cpu").Block["experiment"], "1234567890123456789")
	equal(t, "team's plan", plan(t, c, "search-latency").Title, "搜索在高延迟下仍可用 🔍")
	equal(t, "brake", c.KeptOf("search-latency", "brake"), map[string]any{"alarm": "cart-errors", "every": "30d"})
	equal(t, "ceilings", c.Access().Ceilings, map[string]access.Role{"dingtalk": access.Operator, "mattermost": access.Operator})
	equal(t, "files", c.Files(), []string{"testdata/design/drills.yaml", "testdata/design/teams/search.yaml", "testdata/design/access.yaml"})
}

func TestLoad_everyField(t *testing.T) {
	c := load(t, "testdata/full.yaml")
	p := plan(t, c, "everything")
	equal(t, "title", p.Title, `一切 "quoted" 'both ways' 🎛️ — все`)
	equal(t, "disabled", p.Disabled, true)
	equal(t, "window always", p.Window, "")
	equal(t, "own approval over the default", p.Approval, drill.Approval{Need: 2, From: "operator", Self: true, Expires: drill.Duration(time.Hour)})
	equal(t, "number of alarms", len(p.Alarms), 7)
	equal(t, "any", p.Alarms["a7"], drill.Alarm{Name: "a7", Source: "any", Match: "a7", Account: "tx"})
	equal(t, "asked claim", p.Expect[1], drill.Claim{ID: "c2", Claim: "no order is lost", Ask: "owner", Deadline: drill.Duration(2 * time.Hour)})
	equal(t, "bound in seconds", *p.Parameters["span"].Max, 600.0)
	values := p.Block["parameters"].(map[string]any)
	equal(t, "targets of the template's own", values["targets"], map[string]any{"Type": "ResourceIds", "max": "many"})
	equal(t, "no bounds from those", p.Targets, drill.Bounds{})
	for key, want := range map[string]any{"count": 9007199254740991, "ratio": 0.25, "date": "2027-01-02", "on": "yes", "nothing": nil,
		"1": map[string]any{"one": []any{1, "1", true}}} {
		equal(t, key, values[key], want)
	}
	mesh := plan(t, c, "mesh")
	equal(t, "[] is no lock", len(mesh.Exclusive), 0)
	equal(t, "bounds", mesh.Targets, drill.Bounds{Min: 1, Max: 3})
	equal(t, "bounds leave a block whose driver does not know them", mesh.Block["targets"], nil)
	equal(t, "default window", mesh.Window, "Mon-Fri 09:00-17:00; Sat 10:00-12:00")
	equal(t, "none is no lock", len(plan(t, c, "weekly").Exclusive), 0)
	night := plan(t, c, "nightly-too")
	equal(t, "merged schedule", night.Schedule.Cron, "30 2 * * *")
	equal(t, "own block over the merged", night.Block, map[string]any{"template": "EXT3"})
	equal(t, "lock without an owner", night.Exclusive, []string{"staging/nightly-too"})
	equal(t, "channel zone", c.Channels()[0].Timezone, "Europe/Berlin")
	if a, ok := c.Account("aws"); !ok || a.ID != "012345678901" || a.Credentials != "secret:aws/prod" {
		t.Errorf("%+v", a)
	}
	equal(t, "schedule's calendars", c.KeptOf("weekly", "schedule.calendars"), []any{"work"})
	equal(t, "nothing kept", c.KeptOf("none", "brake"), nil)
	equal(t, "holidays", len(c.Holidays()), 2)
	equal(t, "holiday's length", c.Holidays()[0].Until.Sub(c.Holidays()[0].From), 24*time.Hour)
}

func TestParse_defaults(t *testing.T) {
	file := `
version: 1
%s
accounts: { aws: { cloud: aws, region: us-east-1 } }
drills:
  bare: { account: aws, fis: { template: EXT1 } }
  staging: { account: aws, environment: staging, fis: { template: EXT1 } }
  own: { account: aws, environment: staging, fis: { template: EXT1 }, approval: { need: 3 } }
`
	builtin := drill.Approval{Need: 1, From: "approver", Expires: drill.Duration(30 * time.Minute)}
	three := builtin
	three.Need = 3
	explicit := drill.Approval{Need: 2, From: "admin", Expires: drill.Duration(30 * time.Minute)}
	ownOver := explicit
	ownOver.Need = 3
	for _, c := range []struct {
		name, defaults     string
		bare, staging, own drill.Approval
	}{
		{"without defaults", "", builtin, drill.Approval{}, three},
		{"explicit approval", "defaults: { approval: { need: 2, from: admin } }", explicit, explicit, ownOver},
		{"explicit approval of nobody", "defaults: { approval: { need: 0 } }", drill.Approval{From: "approver", Expires: builtin.Expires},
			drill.Approval{From: "approver", Expires: builtin.Expires}, three},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat := parse(t, fmt.Sprintf(file, c.defaults))
			bare := plan(t, cat, "bare")
			equal(t, "environment", bare.Environment, drill.Production)
			equal(t, "title", bare.Title, "bare")
			equal(t, "max_duration", bare.MaxDuration.D(), 30*time.Minute)
			equal(t, "timezone", bare.Timezone, "UTC")
			equal(t, "bare", bare.Approval, c.bare)
			equal(t, "staging", plan(t, cat, "staging").Approval, c.staging)
			equal(t, "own", plan(t, cat, "own").Approval, c.own)
		})
	}
}

func parse(t *testing.T, file string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(file)}}, "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const five = `version: 1
accounts:
  aws: { cloud: aws, id: "123456789012", region: us-east-1 }
drills:
  checkout:
    titel: Checkout
    account: aws
    fis: { template: EXT1 }
  cart:
    account: was
    fis: { template: EXT1 }
    max_duration: 30 minutes
  order:
    account: aws
    schedule: { cron: "0 25 * * *" }
  search:
    title: 搜索 🔍
    account: aws
    fis: { template: EXT1 }
    expect: [ { claim: it answers, http: "ftp://x" } ]
  fine:
    account: aws
    fis: { template: EXT1 }
`

func TestParse_listsEveryMistakeAtOnce(t *testing.T) {
	_, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(five)}}, "drills.yaml")
	want := strings.Join([]string{
		`drills.yaml:6:5: drills.checkout.titel: unknown field "titel"; did you mean title?`,
		`drills.yaml:10:14: drills.cart.account: "was" is not in accounts; did you mean aws?`,
		`drills.yaml:12:19: drills.cart.max_duration: "30 minutes" is not a duration; write 30m`,
		`drills.yaml:13:3: drills.order: the service's block is missing; write one of fis, ahas, oos, cfg`,
		`drills.yaml:15:23: drills.order.schedule.cron: hour "25" in "0 25 * * *": 25 is not from 0 to 23; write it like "0 10 * * TUE"`,
		`drills.yaml:20:42: drills.search.expect[0].http: is not an http or https URL; write it like https://shop.example.com/healthz`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var problems catalog.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%T is not Problems", err)
	}
	equal(t, "third", problems[2], catalog.Problem{File: "drills.yaml", Line: 12, Column: 19, Field: "drills.cart.max_duration",
		Message: `"30 minutes" is not a duration`, Fix: "write 30m"})
}

func TestParse_refusesWhatIsEmpty(t *testing.T) {
	for name, extra := range map[string]string{
		"freeze": "freezes: [ null ]\n", "holiday": "holidays: [ {} ]\n", "claim": "drills: { x: { account: a, fis: { template: t }, expect: [ null ] } }\n",
		"account": "accounts: { a: }\n", "channel": "channels: { a: {} }\n", "alarm": "alarms: { a: }\n", "include": "include: [ null ]\n",
		"name": "alarms: { ? { a: b } : c }\n", "drill": "drills: { '': { account: a } }\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte("version: 1\n" + extra)}}, "drills.yaml"); err == nil {
				t.Error("is taken")
			}
		})
	}
}

func TestParsePartial_offersOnlyWhatIsRight(t *testing.T) {
	for _, c := range []struct {
		name, file string
		offered    []string
	}{
		{"mistakes in plans", five, []string{"fine"}},
		{"a mistake in an account takes its plans along, and is told once", strings.Replace(five, "cloud: aws", "cloud: amazon", 1), nil},
		{"of two of the same name neither is offered", five + "include: [ twice.yaml ]\n", nil},
		{"a mistake in a freeze takes all along", five + "freezes: [ { name: x, from: 2027-01-01 } ]\n", nil},
		{"an unknown field at the top takes all along", five + "freeze: []\n", nil},
		{"an unreadable include takes all along", five + "include: [ other.yaml ]\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{"drills.yaml": {Data: []byte(c.file)}, "other.yaml": {Data: []byte("a: [")},
				"twice.yaml": {Data: []byte("drills: { fine: { account: aws, fis: { template: EXT2 } } }")}}
			cat, err := catalog.ParsePartial(fsys, "drills.yaml")
			if err == nil || cat == nil {
				t.Fatalf("%v, %v", cat, err)
			}
			var offered []string
			for _, p := range cat.Plans() {
				offered = append(offered, p.Name)
			}
			equal(t, "offered", offered, c.offered)
			if n := strings.Count(err.Error(), "amazon"); n > 1 {
				t.Errorf("told %d times: %v", n, err)
			}
		})
	}
}

func TestLoad_files(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("outside/secret.yaml", "password: hunter2\n")
	main := write("conf/drills.yaml", "version: 1\ninclude: [ teams/*.yaml ]\n")
	write("conf/teams/a.yaml", "include: [ more/*.yaml ]\naccounts: { aws: { cloud: aws, region: us-east-1 } }\n")
	more := write("conf/teams/more/b.yaml", "drills: { b: { account: aws, fis: { template: EXT1 } } }\n")

	t.Run("no such file", func(t *testing.T) {
		if _, err := catalog.Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
	t.Run("a link leads out", func(t *testing.T) {
		link := filepath.Join(dir, "conf", "teams", "z.yaml")
		if err := os.Symlink(secret, link); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(link)
		_, err := catalog.Load(main)
		if err == nil || !strings.Contains(err.Error(), "drills.yaml:2:12: include[0]: teams/z.yaml") || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		large := write("large.yaml", "version: 1\n#"+strings.Repeat("x", 4<<20))
		if _, err := catalog.Load(large); err == nil || !strings.Contains(err.Error(), "large.yaml:1:1: the file has 4194305 bytes or more") {
			t.Error(err)
		}
	})
	t.Run("includes are relative to the including file, and any change changes the version", func(t *testing.T) {
		c := load(t, main)
		plan(t, c, "b")
		if again := load(t, main); again.Version() != c.Version() || len(c.Version()) != 64 {
			t.Errorf("version %q, then %q", c.Version(), again.Version())
		}
		if err := os.WriteFile(more, []byte("drills: { b: { account: aws, fis: { template: EXT2 } } }\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if load(t, main).Version() == c.Version() {
			t.Error("the version stays the same")
		}
	})
	t.Run("a pattern passes over its own file and reads each once", func(t *testing.T) {
		all := write("flat/drills.yaml", "version: 1\ninclude: [ '*.yaml', x.yaml ]\n")
		write("flat/x.yaml", "accounts: { aws: { cloud: aws, region: us-east-1 } }\n")
		equal(t, "files", len(load(t, all).Files()), 2)
	})
}

func TestCatalog_Suggest(t *testing.T) {
	c := load(t, "testdata/design/drills.yaml")
	for name, want := range map[string][]string{
		"cart-cpi": {"cart-cpu"}, "checkout": {"checkout-az-outage"}, "outage": {"checkout-az-outage"}, "PAYMENT-CPU": {"payment-cpu"},
		"nothing-like-it-at-all": nil, "": nil, strings.Repeat("x", 500): nil,
	} {
		equal(t, name, c.Suggest(name), want)
	}
}

// thousand is a catalogue of n drills with titles in several scripts.
func thousand(n int) fstest.MapFS {
	var b strings.Builder
	b.WriteString("version: 1\naccounts: { aws: { cloud: aws, region: us-east-1 }, tx: { cloud: tencent, region: ap-guangzhou } }\n" +
		"channels: { ops: { to: \"slack:T1/C1\" } }\nalarms: { errors: { alertmanager: { alertname: Errors } } }\ndrills:\n")
	for i := range n {
		fmt.Fprintf(&b, "  drill-%04d:\n    title: \"演练 %d \\\"quoted\\\" 🔥 it's\"\n    owner: team-%d\n    account: tx\n    schedule: { cron: \"%d 10 * * TUE\", timezone: Europe/Berlin }\n"+
			"    stop_on: [ errors ]\n    notify: [ ops ]\n    parameters: { seconds: { type: int, default: 60, max: 600 } }\n"+
			"    cfg: { template: %d, groups: [ { instances: [ ins-a ], actions: { 1: { duration: \"${seconds}\" } } } ] }\n"+
			"    expect: [ { claim: it answers, http: \"https://shop.example.com/\" }, { claim: all is well, ask: owner } ]\n", i, i, i%30, i%60, 600+i)
	}
	return fstest.MapFS{"drills.yaml": {Data: []byte(b.String())}}
}

func TestParse_aThousandDrills(t *testing.T) {
	c, err := catalog.Parse(thousand(1000), "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plans := c.Plans()
	equal(t, "plans", len(plans), 1000)
	equal(t, "title", plans[999].Title, `演练 999 "quoted" 🔥 it's`)
	equal(t, "block", plans[999].Block["template"], 1599)
}

func BenchmarkParse_aThousandDrills(b *testing.B) {
	fsys := thousand(1000)
	b.SetBytes(int64(len(fsys["drills.yaml"].Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := catalog.Parse(fsys, "drills.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDue_oneTickOfAThousandDrills(b *testing.B) {
	c, err := catalog.Parse(thousand(1000), "drills.yaml")
	if err != nil {
		b.Fatal(err)
	}
	plans := c.Plans()
	at := time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC)
	for b.Loop() {
		n := 0
		for _, p := range plans {
			slots, err := catalog.Due(p, at.Add(-time.Minute), at)
			if err != nil {
				b.Fatal(err)
			}
			n += len(slots)
		}
		if n == 0 {
			b.Fatal("nothing is due")
		}
	}
}

func TestCatalog_LangOf(t *testing.T) {
	text := `version: 1
accounts: { aws: { cloud: aws, region: us-east-1 } }
channels:
  all:    { to: "wecom:ww1/@all", lang: zh }
  robot:  { to: "wecom:ww1/robot:ops", lang: zh }
  drills: { to: "slack:T1/C1", lang: en }
  trade:  { to: "slack:T1/C2", lang: zh }
`
	c, err := catalog.Parse(fstest.MapFS{"drills.yaml": {Data: []byte(text)}}, "drills.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"feishu:t/oc_1":    "", // nothing is known of the platform
		"wecom:ww2/alice":  "", // another tenant
		"slack:T1/D0ALICE": "", // its channels do not agree
		"wecom:ww1/@all":   "zh",
		"slack:T1/C1":      "en",
		"slack:T1/C2":      "zh",
		"wecom:ww1/alice":  "zh", // somebody alone with the bot, where all channels agree
	} {
		equal(t, address, c.LangOf(address), want)
	}
}
