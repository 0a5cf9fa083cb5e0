package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// onePlan is a catalogue of one plan with these lines besides.
func onePlan(lines ...string) string {
	return `version: 1
accounts: { a: { cloud: aliyun, region: cn-hangzhou } }
channels: { c: { to: "local:x" } }
drills:
  one:
    account: a
    oos: { template: t }
    environment: staging
    ` + strings.Join(lines, "\n    ") + "\n"
}

func asks(n int, text string) string {
	return "expect: [" + strings.Repeat(fmt.Sprintf(" { claim: %q, ask: owner },", text), n) + " ]"
}

func TestParse_bounds(t *testing.T) {
	long := func(n int) string { return strings.Repeat("演", n) }
	for name, c := range map[string]struct{ good, bad, says string }{
		"title":                   {"title: " + long(200), "title: " + long(201), "drills.one.title: has 201 characters; write at most 200"},
		"owner":                   {"owner: " + strings.Repeat("a", 112), "owner: " + strings.Repeat("a", 201), "drills.one.owner: has 201 characters; write at most 200"},
		"owner that makes a lock": {"owner: " + long(24), "owner: " + long(25), "drills.one.owner: the lock "},
		"owner with empty part":   {"owner: a/b", "owner: a//b", "has an empty part; remove the / too many"},
		"lock":                    {"exclusive: [ " + long(25) + " ]", "exclusive: [ " + long(27) + " ]", "is too long to be kept"},
		"locks":                   {"exclusive: [" + numbers(20) + "]", "exclusive: [" + numbers(21) + "]", "has 21 locks; keep at most 20"},
		"runbook":                 {"runbook: https://x/" + strings.Repeat("y", 1990), "runbook: https://x/" + strings.Repeat("y", 1991), "has 2001 characters; write at most 2000"},
		"unbounded":               {"unbounded: " + long(1000), "unbounded: " + long(1001), "has 1001 characters; write at most 1000"},
		"claim":                   {asks(1, long(500)), asks(1, long(501)), "drills.one.expect[0].claim: has 501 characters; write at most 500"},
		"who is asked":            {"expect: [ { claim: c, ask: " + long(200) + " } ]", "expect: [ { claim: c, ask: " + long(201) + " } ]", "has 201 characters"},
		"claims":                  {asks(50, "c"), asks(51, "c"), "drills.one.expect: has 51 claims; keep at most 50"},
		"claims together":         {asks(50, long(100)), asks(50, long(120)), "bytes as JSON; keep it below 16 KiB"},
		"max_duration too short":  {"max_duration: 1s", "max_duration: 1ns", "1ns is out of bounds; write 1s to 24h"},
		"max_duration too long":   {"max_duration: 24h", "max_duration: 2000000h", "2000000h is out of bounds; write 1s to 24h"},
		"deadline":                {"expect: [ { claim: c, ask: o, deadline: 168h } ]", "expect: [ { claim: c, ask: o, deadline: 169h } ]", "write 1s to 168h"},
		"within":                  {"expect: [ { claim: c, http: \"http://x\", within: 1ms } ]", "expect: [ { claim: c, http: \"http://x\", within: 1ns } ]", "write 1ms to 24h"},
		"expires":                 {"approval: { expires: 168h }", "approval: { expires: 2000h }", "write 1s to 168h"},
		"announce":                {"schedule: { cron: 0 1 * * *, announce: 1h }", "schedule: { cron: 0 1 * * *, announce: 1ns }", "write 1s to 168h"},
		"default":                 {"parameters: { p: { default: " + long(4000) + " } }", "parameters: { p: { default: " + long(4001) + " } }", "it has 4001 characters"},
		"defaults together":       {"parameters: {" + defaults(4, long(1000)) + "}", "parameters: {" + defaults(6, long(1000)) + "}", "drills.one.parameters: has"},
		"parameters":              {"parameters: {" + defaults(50, "x") + "}", "parameters: {" + defaults(51, "x") + "}", "has 51 parameters; keep at most 50"},
		"pattern":                 {"parameters: { p: { pattern: " + long(1000) + " } }", "parameters: { p: { pattern: " + long(1001) + " } }", "write at most 1000"},
		"enum":                    {"parameters: { p: { enum: [" + numbers(100) + "] } }", "parameters: { p: { enum: [" + numbers(101) + "] } }", "has 101 values"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseText(onePlan(c.good)); err != nil {
				t.Errorf("the most that fits: %.300v", err)
			}
			_, err := parseText(onePlan(c.bad))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %.300v\nwant %s", err, c.says)
			}
		})
	}
}

func TestParse_boundsOfLists(t *testing.T) {
	var alarms, channels []string
	for i := range 51 {
		alarms, channels = append(alarms, fmt.Sprintf("l%d: { local: x }", i)), append(channels, fmt.Sprintf(`c%d: { to: "local:x" }`, i))
	}
	text := onePlan("stop_on: ["+names("l", 51)+"]", "notify: ["+names("c", 21)+"]") +
		"alarms: { " + strings.Join(alarms, ", ") + ", tall: { local: " + strings.Repeat("x", 501) + " } }\n"
	text = strings.Replace(text, "channels: {", "channels: { "+strings.Join(channels, ", ")+",", 1)
	_, err := parseText(text)
	for _, want := range []string{"has 51 alarms; keep at most 50", "has 21 channels; keep at most 20", "alarms.tall.local: has 501 characters"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	_, err = parseText(strings.Replace(onePlan(), "template: t", "template_content: "+strings.Repeat("x", 128<<10), 1))
	if err == nil || !strings.Contains(err.Error(), "keep it below 128 KiB") {
		t.Errorf("a block of 128 KiB: %.200v", err)
	}
}

// TestParse_theLargestPlanCanBeConcluded holds the bounds to what they are for: the facts that quote a plan can be published.
func TestParse_theLargestPlanCanBeConcluded(t *testing.T) {
	for name, claim := range map[string]string{"Chinese": strings.Repeat("演", 108), "escaped": strings.Repeat("<", 54), "plain": strings.Repeat("x", 324)} {
		c, err := parseText(onePlan("title: "+strings.Repeat("<", 200), "owner: o", asks(50, claim), "parameters: {"+defaults(5, strings.Repeat("演", 1000))+"}"))
		if err != nil {
			t.Fatalf("%s: %.200v", name, err)
		}
		p, _ := c.Plan("one")
		parameters, block, err := catalog.Resolve(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		d, change := drill.New(drill.Ask{ID: "d", Mode: "SANDBOX", Root: "r", Plan: p, Block: block, Parameters: parameters, Actor: "local:x/alice"}, now)
		for i := range d.Claims {
			d.Claims[i].Answer = &drill.Reply{Holds: true, Actor: "slack:T" + strings.Repeat("0", 60) + "/U" + strings.Repeat("1", 60), At: now}
		}
		about := events.About{Drill: d.ID, Plan: p.Name, Title: p.Title, Mode: d.Mode, Status: "concluded", At: now}
		v := d.Judge(now)
		for _, fact := range append(change.Facts, events.Concluded{About: about, Verdict: v.Verdict, Summary: v.Summary}) {
			if _, err := events.New(events.Envelope{ID: "x", Source: "/test", Subject: "d", Time: now}, fact); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestResolve_parametersThatNoRequestCanQuote(t *testing.T) {
	c, err := parseText(onePlan("parameters: {" + defaults(50, "x") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Plan("one")
	if _, _, err := catalog.Resolve(p, map[string]any{"p0": strings.Repeat("x", 4001)}); err == nil || !strings.Contains(err.Error(), "parameter p0: it has 4001 characters") {
		t.Errorf("one too long: %v", err)
	}
	given := map[string]any{}
	for i := range 5 {
		given[fmt.Sprintf("p%d", i)] = strings.Repeat("x", 4000)
	}
	if _, _, err := catalog.Resolve(p, given); err == nil || !strings.Contains(err.Error(), "bytes together, at most 16384 are allowed") {
		t.Errorf("too much together: %v", err)
	}
}

func numbers(n int) string { return names("n", n) }

func names(prefix string, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(" %s%d", prefix, i)
	}
	return strings.Join(out, ",") + " "
}

func defaults(n int, value string) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(" p%d: { default: %s }", i, value)
	}
	return strings.Join(out, ",") + " "
}
