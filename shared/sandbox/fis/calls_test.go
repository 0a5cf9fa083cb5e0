package fis

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestCalls_refused(t *testing.T) {
	manyTags := map[string]string{}
	for i := range 51 {
		manyTags[fmt.Sprint("k", i)] = "v"
	}
	many, err := json.Marshal(manyTags)
	if err != nil {
		t.Fatal(err)
	}
	start := func(extra string) string {
		return `{"clientToken":"t","experimentTemplateId":"EXTwait00000000001"` + extra + `}`
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		kind                     string
	}{
		{"start without body", "POST", "/experiments", "", 400, "ValidationException"},
		{"start without token", "POST", "/experiments", `{"experimentTemplateId":"EXTwait00000000001"}`, 400, "ValidationException"},
		{"start with a space in the token", "POST", "/experiments", `{"clientToken":"a b","experimentTemplateId":"EXTwait00000000001"}`, 400, "ValidationException"},
		{"start without template", "POST", "/experiments", `{"clientToken":"t"}`, 400, "ValidationException"},
		{"start of an unknown template", "POST", "/experiments", `{"clientToken":"t","experimentTemplateId":"EXTnope"}`, 404, "ResourceNotFoundException"},
		{"start with an unknown mode", "POST", "/experiments", start(`,"experimentOptions":{"actionsMode":"some"}`), 400, "ValidationException"},
		{"start with 51 tags", "POST", "/experiments", start(`,"tags":` + string(many)), 400, "ValidationException"},
		{"start with an aws tag", "POST", "/experiments", start(`,"tags":{"aws:x":"y"}`), 400, "ValidationException"},
		{"start with an emoji in a tag", "POST", "/experiments", start(`,"tags":{"x":"🔥"}`), 400, "ValidationException"},
		{"start with a long tag", "POST", "/experiments", start(`,"tags":{"x":"` + strings.Repeat("x", 257) + `"}`), 400, "ValidationException"},
		{"body that is no JSON", "POST", "/experiments", `{"clientToken":`, 400, "SerializationException"},
		{"body of the wrong type", "POST", "/experiments", `{"clientToken":7}`, 400, "SerializationException"},
		{"get of an unknown experiment", "GET", "/experiments/EXPnope", "", 404, "ResourceNotFoundException"},
		{"stop of an unknown experiment", "DELETE", "/experiments/EXPnope", "", 404, "ResourceNotFoundException"},
		{"targets of an unknown experiment", "GET", "/experiments/EXPnope/resolvedTargets", "", 404, "ResourceNotFoundException"},
		{"unknown template", "GET", "/experimentTemplates/EXTnope", "", 404, "ResourceNotFoundException"},
		{"zero results wanted", "GET", "/experiments?maxResults=0", "", 400, "ValidationException"},
		{"101 results wanted", "GET", "/experiments?maxResults=101", "", 400, "ValidationException"},
		{"token of no page", "GET", "/experiments?nextToken=abc", "", 400, "ValidationException"},
		{"unknown lever", "GET", "/safetyLevers/other", "", 404, "ResourceNotFoundException"},
		{"lever without state", "PATCH", "/safetyLevers/default/state", "{}", 400, "ValidationException"},
		{"lever without reason", "PATCH", "/safetyLevers/default/state", `{"state":{"status":"engaged"}}`, 400, "ValidationException"},
		{"lever to engaging", "PATCH", "/safetyLevers/default/state", `{"state":{"status":"engaging","reason":"x"}}`, 400, "ValidationException"},
		{"lever stays", "PATCH", "/safetyLevers/default/state", `{"state":{"status":"disengaged","reason":"x"}}`, 409, "ConflictException"},
		{"tags of an unknown resource", "GET", "/tags/arn%3Aaws%3Afis%3Ar%3A1%3Aexperiment%2FEXPnope", "", 404, "ResourceNotFoundException"},
		{"unknown action", "GET", "/actions/aws%3Anope", "", 404, "ResourceNotFoundException"},
		{"template without role", "POST", "/experimentTemplates", `{"clientToken":"t","description":"d","stopConditions":[],"actions":{}}`, 400, "ValidationException"},
		{"template with an unknown target", "POST", "/experimentTemplates", `{"clientToken":"t","description":"d","roleArn":"arn:x","stopConditions":[{"source":"none"}],"actions":{"a":{"actionId":"x","targets":{"I":"nope"}}}}`, 400, "ValidationException"},
		{"template with a bad duration", "POST", "/experimentTemplates", `{"clientToken":"t","description":"d","roleArn":"arn:x","stopConditions":[{"source":"none"}],"actions":{"a":{"actionId":"x","parameters":{"duration":"5m"}}}}`, 400, "ValidationException"},
		{"path of no operation", "GET", "/nothing", "", 404, "UnknownOperationException"},
		{"method of no operation", "PUT", "/experiments", "{}", 404, "UnknownOperationException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			a := l.call(c.method, c.path, c.body)
			if a.status != c.status || a.kind != c.kind {
				t.Errorf("%d %s %s, want %d %s", a.status, a.kind, a.raw, c.status, c.kind)
			}
			if _, ok := a.body["message"]; !ok {
				t.Errorf("no message in %s", a.raw)
			}
			if n := len(l.s.Runs()); n != 0 {
				t.Errorf("%d experiments exist", n)
			}
		})
	}
}

func TestStart_tokenIsRemembered(t *testing.T) {
	l := newLab(t)
	first := l.start("EXTlong00000000001", "one", `,"tags":{"a":"1","b":"2"}`)
	if again := l.start("EXTlong00000000001", "one", `,"tags":{"b":"2","a":"1"}`); again != first {
		t.Errorf("the same token gave %s, then %s", first, again)
	}
	if other := l.start("EXTlong00000000001", "two", ""); other == first {
		t.Error("another token gave the same experiment")
	}
	for _, body := range []string{
		`{"clientToken":"one","experimentTemplateId":"EXTlong00000000001"}`,
		`{"clientToken":"one","experimentTemplateId":"EXTwait00000000001","tags":{"a":"1","b":"2"}}`,
		`{"clientToken":"one","experimentTemplateId":"EXTlong00000000001","tags":{"a":"1","b":"2"},"experimentOptions":{"actionsMode":"skip-all"}}`,
	} {
		if a := l.call("POST", "/experiments", body); a.status != 409 || a.kind != "ConflictException" {
			t.Errorf("%s: %d %s", body, a.status, a.kind)
		}
	}
	if n := len(l.s.Runs()); n != 2 {
		t.Errorf("%d experiments, want 2", n)
	}
}

func TestStart_fiveAreActiveAtMost(t *testing.T) {
	l := newLab(t)
	for i := range 5 {
		l.start("EXTlong00000000001", fmt.Sprint("t", i), "")
	}
	const sixth = `{"clientToken":"t5","experimentTemplateId":"EXTlong00000000001"}`
	if a := l.call("POST", "/experiments", sixth); a.status != 402 || a.kind != "ServiceQuotaExceededException" {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	l.pass(3600)
	if a := l.call("POST", "/experiments", sixth); a.status != 200 {
		t.Errorf("after the five ended: %d %s", a.status, a.raw)
	}
}

func TestGet_timesAreSecondsWithFraction(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTwait00000000001", "t", "")
	if a := l.get(id); !regexp.MustCompile(`"creationTime":1795168800\.123[,}]`).MatchString(a.raw) {
		t.Errorf("%s", a.raw)
	}
}

func TestList_pages(t *testing.T) {
	l := newLab(t)
	for i := range 101 {
		l.start("EXTwait00000000001", fmt.Sprint("t", i), "")
		l.pass(60)
	}
	other := l.start("EXTlong00000000001", "other", "")
	seen := map[string]int{}
	sizes, next := []int{}, ""
	for range 5 {
		path := "/experiments?experimentTemplateId=EXTwait00000000001"
		if next != "" {
			path += "&nextToken=" + next
		}
		a := l.call("GET", path, "")
		page := a.at("experiments").([]any)
		sizes = append(sizes, len(page))
		for _, e := range page {
			seen[e.(map[string]any)["id"].(string)]++
		}
		if next = a.text("nextToken"); next == "" {
			break
		}
	}
	if fmt.Sprint(sizes) != "[100 1]" || len(seen) != 101 || seen[other] != 0 {
		t.Errorf("pages %v, %d experiments", sizes, len(seen))
	}
	if a := l.call("GET", "/experiments?maxResults=1", ""); len(a.at("experiments").([]any)) != 1 || a.text("nextToken") == "" {
		t.Errorf("a page of one: %s", a.raw)
	}
	if a := newLab(t).call("GET", "/experiments", ""); !strings.Contains(a.raw, `"experiments":[]`) {
		t.Errorf("an empty list: %s", a.raw)
	}
}

func TestTemplates(t *testing.T) {
	l := newLab(t)
	const body = `{"clientToken":"t","description":"mine","roleArn":"arn:aws:iam::1:role/x","stopConditions":[{"source":"none"}],
		"targets":{"i":{"resourceType":"aws:ec2:instance","resourceArns":["arn:one"],"selectionMode":"ALL"}},
		"actions":{"a":{"actionId":"aws:ec2:stop-instances","targets":{"Instances":"i"},"parameters":{"startInstancesAfterDuration":"PT1M"}}},
		"tags":{"team":"x"}}`
	a := l.call("POST", "/experimentTemplates", body)
	id := a.text("experimentTemplate", "id")
	if a.status != 200 || l.call("POST", "/experimentTemplates", body).text("experimentTemplate", "id") != id {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if a := l.call("POST", "/experimentTemplates", strings.Replace(body, "mine", "yours", 1)); a.kind != "ConflictException" {
		t.Errorf("same token, other template: %d %s", a.status, a.raw)
	}
	if a := l.call("GET", "/experimentTemplates/"+id, ""); a.text("experimentTemplate", "actions", "a", "actionId") != "aws:ec2:stop-instances" {
		t.Errorf("%s", a.raw)
	}
	l.start(id, "run", "")
	l.pass(10)
	if runs := l.s.Runs(); len(runs) != 1 || strings.Join(runs[0].Live, "") != "a" {
		t.Errorf("%+v", runs)
	}
	if a := l.call("DELETE", "/experimentTemplates/"+id, ""); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := l.call("GET", "/experimentTemplates/"+id, ""); a.status != 404 {
		t.Errorf("after the delete: %d", a.status)
	}
	if a := l.call("GET", "/experimentTemplates", ""); len(a.at("experimentTemplates").([]any)) != 8 {
		t.Errorf("%s", a.raw)
	}
}

func TestTagsAndActions(t *testing.T) {
	l := newLab(t)
	id := l.start("EXTwait00000000001", "t", `,"tags":{"a":"1"}`)
	path := "/tags/arn%3Aaws%3Afis%3Aeu-central-1%3A123456789012%3Aexperiment%2F" + id
	if a := l.call("POST", path, `{"tags":{"b":"结论 2"}}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if a := l.call("POST", path, `{"tags":{"b":"\"quoted\""}}`); a.kind != "ValidationException" {
		t.Errorf("quotes in a tag: %d %s", a.status, a.raw)
	}
	if got := fmt.Sprint(l.get(id).at("experiment", "tags")); got != "map[a:1 b:结论 2]" {
		t.Errorf("tags %s", got)
	}
	l.call("DELETE", path+"?tagKeys=a&tagKeys=zzz", "")
	if got := fmt.Sprint(l.call("GET", path, "").at("tags")); got != "map[b:结论 2]" {
		t.Errorf("tags %s", got)
	}
	if a := l.call("GET", "/actions?maxResults=2", ""); len(a.at("actions").([]any)) != 2 || a.text("nextToken") == "" {
		t.Errorf("%s", a.raw)
	}
	if a := l.call("GET", "/actions/aws%3Aec2%3Astop-instances", ""); a.text("action", "targets", "Instances", "resourceType") != "aws:ec2:instance" {
		t.Errorf("%s", a.raw)
	}
}

func TestServer_overRealHTTPAndInParallel(t *testing.T) {
	l := newLab(t)
	var ids sync.Mutex
	env := l.s.env
	env.Real, env.Emit = time.Now, func(string, []byte) {}
	env.ID = func(n int) string { ids.Lock(); defer ids.Unlock(); return l.id(n) }
	s := New(env)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if c, ok := s.Recognise(r, body); ok {
			s.Serve(w, r, body, c, service.Options{})
		}
	}))
	defer server.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			how := signing{key: testKey, secret: testSecret, service: "fis", at: time.Now()}
			r := l.request("POST", "/experiments", `{"clientToken":"one","experimentTemplateId":"EXTwait00000000001"}`, &how)
			r.URL.Scheme, r.URL.Host, r.RequestURI = "http", strings.TrimPrefix(server.URL, "http://"), ""
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = res.Body.Close() }()
			if b, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
				t.Errorf("%d %s", res.StatusCode, b)
			}
		})
	}
	wg.Wait()
	if n := len(s.Runs()); n != 1 {
		t.Errorf("%d experiments from one token", n)
	}
}

// Each region is a FIS of its own, also for a client that reads another's ids.
func TestRegions_areApart(t *testing.T) {
	l := newLab(t)
	in := func(region, method, target, body string) answer {
		how := l.signing()
		how.region = region
		return l.send(l.request(method, target, body, &how), body, service.Options{})
	}
	const here, there, start = "us-east-1", "eu-west-1", `{"clientToken":"t","experimentTemplateId":"EXTlong00000000001"}`
	first, second := in(here, "POST", "/experiments", start).text("experiment", "id"), in(there, "POST", "/experiments", start).text("experiment", "id")
	if first == "" || second == "" || first == second {
		t.Errorf("one token gave %q and, in another region, %q", first, second)
	}
	l.pass(10)
	tags := "/tags/arn%3Aaws%3Afis%3A" + here + "%3A123456789012%3Aexperiment%2F" + first
	for _, c := range [][2]string{{"GET", "/experiments/" + first}, {"DELETE", "/experiments/" + first}, {"GET", "/experiments/" + first + "/resolvedTargets"}, {"GET", tags}} {
		if a := in(there, c[0], c[1], ""); a.kind != "ResourceNotFoundException" {
			t.Errorf("%s %s from another region: %d %s", c[0], c[1], a.status, a.raw)
		}
	}
	if a := in(there, "GET", "/experiments", ""); strings.Contains(a.raw, first) || !strings.Contains(a.raw, second) {
		t.Errorf("list of another region: %s", a.raw)
	}
	for i := range 4 {
		if a := in(there, "POST", "/experiments", fmt.Sprintf(`{"clientToken":"t%d","experimentTemplateId":"EXTlong00000000001"}`, i)); a.status != 200 {
			t.Errorf("the quota counts another region: %d %s", a.status, a.raw)
		}
	}
	const mine = `{"clientToken":"t","description":"d","roleArn":"arn:x","stopConditions":[{"source":"none"}],"actions":{"a":{"actionId":"aws:fis:wait","parameters":{"duration":"PT1M"}}}}`
	own := in(here, "POST", "/experimentTemplates", mine).text("experimentTemplate", "id")
	if a := in(there, "GET", "/experimentTemplates/"+own, ""); own == "" || a.status != 404 || strings.Contains(in(there, "GET", "/experimentTemplates", "").raw, own) {
		t.Errorf("template %q from another region: %d %s", own, a.status, a.raw)
	}
	in(there, "PATCH", "/safetyLevers/default/state", `{"state":{"status":"engaged","reason":"x"}}`)
	l.pass(10)
	if a, b := in(here, "GET", "/experiments/"+first, ""), in(there, "GET", "/experiments/"+second, ""); a.text("experiment", "state", "status") != running || b.text("experiment", "state", "status") != stopped {
		t.Errorf("after the lever of %s: %s and %s", there, a.raw, b.raw)
	}
	if a := in(here, "GET", "/safetyLevers/default", ""); a.text("safetyLever", "state", "status") != disengaged {
		t.Errorf("lever %s", a.raw)
	}
}
