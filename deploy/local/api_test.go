package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
)

// keys returns an object's field names.
func keys(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return slices.Sorted(maps.Keys(m))
}

// has fails the test unless the object has every field.
func has(t *testing.T, what string, raw json.RawMessage, fields ...string) {
	t.Helper()
	got := keys(t, raw)
	for _, f := range fields {
		if !slices.Contains(got, f) {
			t.Errorf("%s has no %q; it has %v", what, f, got)
		}
	}
}

func TestAPI_plans(t *testing.T) {
	w := start(t, func(set *settings, _ *screen) {
		set.catalog = write(t, "drills.yaml", strings.Replace(small, "owner: team-sre", "owner: team-sre\n    approval: { need: 1, from: approver }\n    schedule: { cron: \"0 10 * * TUE\", timezone: Europe/Berlin }", 1))
	})
	var raw []json.RawMessage
	var plans []planView
	a := w.do("GET", "/api/plans", "", "").want(t, 200)
	a.into(t, &raw)
	a.into(t, &plans)
	if len(plans) != 1 {
		t.Fatalf("%d plans, want 1", len(plans))
	}
	has(t, "a plan", raw[0], "name", "title", "service", "environment", "approval", "next")
	p := plans[0]
	if p.Name != "wait" || p.Title != "Waits" || p.Service != "fis" || p.Environment != "staging" || !p.Approval {
		t.Errorf("plan %+v", p)
	}
	if p.Next == nil || p.Next.Weekday() != time.Tuesday || !p.Next.After(time.Now()) {
		t.Errorf("next %v, want a Tuesday to come", p.Next)
	}
}

func TestAPI_fieldNames(t *testing.T) {
	w := start(t)
	id := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(id); return ok && len(v.Gates) == 1 })
	var one struct {
		json.RawMessage
		Stop, Verdict   json.RawMessage
		Steps, Timeline []json.RawMessage
	}
	a := w.do("GET", "/api/drills/"+id, "", "").want(t, 200)
	a.into(t, &one.RawMessage)
	a.into(t, &struct {
		Stop, Verdict   *json.RawMessage
		Steps, Timeline *[]json.RawMessage
	}{&one.Stop, &one.Verdict, &one.Steps, &one.Timeline})
	has(t, "a drill", one.RawMessage, "id", "plan", "service", "run", "status", "verdict", "summary", "actor", "environment", "mode", "requested_at",
		"started_at", "ended_at", "stop", "steps", "timeline", "rev")
	has(t, "its stop", one.Stop, "requested_at", "stopped_at", "restored_at", "by", "reason")
	has(t, "a step", one.Steps[0], "id", "name", "kind", "state", "targets", "started_at", "ended_at", "message")
	has(t, "a moment", one.Timeline[0], "at", "actor", "change")
	if string(one.Verdict) != `""` || !strings.Contains(string(one.Stop), "null") {
		t.Errorf("verdict %s and stop %s, want none yet", one.Verdict, one.Stop)
	}
}

func TestAPI_findsADrillByTheBeginningOfItsID(t *testing.T) {
	w := start(t)
	id := w.ask("cart-empty", "{}")
	w.until("the drill is listed", func() bool { return strings.Contains(w.do("GET", "/api/drills", "", "").body, id) })
	for name, c := range map[string]struct {
		id     string
		status int
		text   string
	}{
		"the whole id":       {id, 200, `"id": "` + id},
		"upper case":         {strings.ToUpper(id), 200, `"id": "` + id},
		"a unique beginning": {id[:4], 200, `"id": "` + id},
		"too short":          {id[:2], 404, "there is no drill"},
		"unknown":            {"zzzzzzzzzzzzz", 404, `there is no drill \"zzzzzzzzzzzzz\"; GET /api/drills lists them`},
		"not an id at all":   {"..%2f..%2fetc", 404, "there is no drill"},
	} {
		t.Run(name, func(t *testing.T) {
			w.do("GET", "/api/drills/"+c.id, "", "").want(t, c.status, c.text)
			if c.status != 200 {
				w.do("GET", "/api/drills/"+c.id+"/journal", "", "").want(t, 404, "there is no drill")
				w.do("GET", "/r/"+c.id, "", "").want(t, 404, "there is no drill")
			}
		})
	}
	t.Run("ambiguous", func(t *testing.T) {
		// Ids are derived from the event's: two that begin alike are found in no time.
		twin := ""
		for n := 0; twin == ""; n++ {
			e := fmt.Sprintf("twin-%d", n)
			if other := drillOf("/test", e); other[:3] == id[:3] {
				twin = other
				w.do("POST", "/events", ceJSON, structured(e, "command.start", `{"plan":"smoke-wait","actor":"local:test/ann"}`)).want(t, 202)
			}
		}
		w.until("the twin is listed", func() bool { return strings.Contains(w.do("GET", "/api/drills", "", "").body, twin) })
		w.do("GET", "/api/drills/"+id[:3], "", "").want(t, 404, id, twin, "write more of the id")
	})
}

func TestAPI_listsDrillsInPages(t *testing.T) {
	w := start(t)
	w.do("GET", "/api/drills", "", "").want(t, 200, "[]")
	want := map[string]bool{}
	for range 5 {
		want[w.ask("loop-echo", "{}")] = true
	}
	w.until("all are there", func() bool {
		var all []drillView
		w.do("GET", "/api/drills", "", "").into(t, &all)
		return len(all) == len(want)
	})
	for _, limit := range []string{"0", "-1", "1001", "many"} {
		w.do("GET", "/api/drills?limit="+limit, "", "").want(t, 400, "is not a number from 1 to 1000")
	}
	w.do("GET", "/api/drills?after=nonsense", "", "").want(t, 400, "after")
	got, next, pages := map[string]bool{}, "", 0
	for {
		a := w.do("GET", "/api/drills?limit=2&after="+next, "", "").want(t, 200)
		var page []drillView
		a.into(t, &page)
		for _, v := range page {
			got[v.ID] = true
		}
		pages++
		if next = a.header.Get("Firedrill-Next"); next == "" || pages > 5 {
			break
		}
	}
	if !maps.Equal(got, want) || pages != 3 {
		t.Errorf("%d drills on %d pages, want 5 on 3", len(got), pages)
	}
}

func TestAPI_journalAndReports(t *testing.T) {
	w := start(t)
	id := w.ask("loop-echo", "{}")
	v := w.play(id)
	var entries []struct {
		Rev    int    `json:"rev"`
		Mode   string `json:"mode"`
		Change string `json:"change"`
		Prev   string `json:"prev_sha256"`
	}
	w.do("GET", "/api/drills/"+id[:6]+"/journal", "", "").want(t, 200).into(t, &entries)
	if len(entries) != v.Rev {
		t.Errorf("%d entries, want %d", len(entries), v.Rev)
	}
	for i, e := range entries {
		if e.Rev != i+1 || e.Mode != sandboxMode || e.Change == "" || (e.Prev == "") != (i == 0) {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	page := w.do("GET", "/r/"+id, "", "").want(t, 200, "<svg", "Echo over a list", "SANDBOX", id)
	if p := page.header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", page.header)
	}
	record := w.do("GET", "/r/"+id+"?format=json", "", "").want(t, 200, id, drill.Inconclusive)
	if !json.Valid([]byte(record.body)) || !strings.HasPrefix(record.header.Get("Content-Type"), "application/json") {
		t.Errorf("the record is no JSON: %s", record.body)
	}
}

func TestAPI_streamTellsOfEveryChange(t *testing.T) {
	w := start(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/api/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("content type %q", resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != ": hello" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	id := w.ask("smoke-wait", "{}")
	for lines.Scan() {
		var got struct{ Type, Drill string }
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &got) == nil && got.Drill == id {
			if !strings.HasPrefix(got.Type, "dev.firedrill.") {
				t.Errorf("type %q", got.Type)
			}
			break
		}
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
	_ = resp.Body.Close()
	w.stop() // an open stream does not keep it from ending
}

func TestAPI_onlyItsOwnHostAndOrigin(t *testing.T) {
	w := start(t, func(set *settings, _ *screen) { set.allowHosts = []string{"drills.example.com"} })
	host := strings.TrimPrefix(w.url, "http://")
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"another host":                       {[]string{"Host", "evil.example.com"}, 403},
		"a host that looks like ours":        {[]string{"Host", "127.0.0.1.evil.example.com"}, 403},
		"an origin elsewhere":                {[]string{"Origin", "https://evil.example.com"}, 403},
		"an origin that hides":               {[]string{"Origin", "null"}, 403},
		"another program's page here":        {[]string{"Origin", "http://127.0.0.1:1"}, 403},
		"our own page":                       {[]string{"Origin", "http://" + host}, 200},
		"localhost":                          {[]string{"Host", "localhost:8080"}, 200},
		"ipv6":                               {[]string{"Host", "[::1]:8080"}, 200},
		"an allowed host":                    {[]string{"Host", "drills.example.com"}, 200},
		"an allowed host and its own origin": {[]string{"Host", "drills.example.com", "Origin", "https://drills.example.com"}, 200},
		"no origin, as programs send":        {nil, 200},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("GET", "/api/plans", "", "", c.header...).want(t, c.status)
			if c.status == 403 && !strings.Contains(a.body, "--allow-host") {
				t.Errorf("the refusal does not say what to do: %s", a.body)
			}
		})
	}
	w.do("POST", "/events", ceJSON, structured("a", "command.start", `{"plan":"smoke-wait","actor":"x:y/z"}`), "Origin", "https://evil.example.com").want(t, 403)
	w.s.bus.Idle()
	w.do("GET", "/api/drills", "", "").want(t, 200, "[]")
}
