package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestSandbox_hintsWhereNoServiceRecognisesTheRequest(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/nowhere", nil)
		if err != nil {
			t.Fatal(err)
		}
		status, text, err := b.send(t, r)
		var got struct{ Hint map[string]string }
		if err != nil || status != 404 || json.Unmarshal([]byte(text), &got) != nil {
			t.Fatalf("GET /nowhere = %d %s, %v", status, text, err)
		}
		for _, client := range []string{"aws", "tencent", "alibaba"} {
			if !strings.Contains(got.Hint[client], r.URL.Host) {
				t.Errorf("the hint for %s does not name %s: %q", client, r.URL.Host, got.Hint[client])
			}
		}
	})
}

func TestSandbox_refusesABodyAboveTheLimit(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		status, _, err := b.call(t, "Start", strings.Repeat("x", maxBody+1))
		// a server may answer and close while the client still sends
		if err == nil && status != http.StatusRequestEntityTooLarge || b.fake.count() != 0 {
			t.Errorf("status %d, %v, %d live", status, err, b.fake.count())
		}
		b.expect(t, "Start", 200, "1", 1)
	})
}

func TestSandbox_refusesForeignHostsAndOrigins(t *testing.T) {
	s := New(Options{Real: func() time.Time { return start }, AllowHosts: []string{"sandbox.internal"}, Services: []func(service.Env) service.Service{newFake("fake", new(*fake))}})
	for name, row := range map[string]struct {
		host, path, origin string
		want               int
	}{
		"a rebound name":                        {"evil.example", "/", "", 403},
		"a name that begins like ours":          {"localhost.evil.example", "/_sandbox/", "", 403},
		"an address of the network":             {"10.0.0.1:8081", "/_sandbox/", "", 403},
		"no host":                               {"", "/_sandbox/", "", 403},
		"a page of the web":                     {"127.0.0.1:8081", "/_sandbox/faults", "https://evil.example", 403},
		"a page of another port":                {"127.0.0.1:8081", "/_sandbox/faults", "http://127.0.0.1:3000", 403},
		"a page without origin":                 {"127.0.0.1:8081", "/_sandbox/faults", "null", 403},
		"loopback, version 4":                   {"127.0.0.1:8081", "/_sandbox/faults", "", 200},
		"loopback, version 6":                   {"[::1]:8081", "/_sandbox/faults", "", 200},
		"loopback without port":                 {"[::1]", "/_sandbox/faults", "", 200},
		"localhost":                             {"LOCALHOST:8081", "/_sandbox/faults", "", 200},
		"localhost's children":                  {"fis.localhost:8081", "/_sandbox/faults", "", 200},
		"an allowed name":                       {"sandbox.internal:8081", "/_sandbox/faults", "", 200},
		"our own page":                          {"127.0.0.1:8081", "/_sandbox/faults", "http://127.0.0.1:8081", 200},
		"a page of an allowed name":             {"127.0.0.1:8081", "/_sandbox/faults", "http://sandbox.internal:8080", 200},
		"an unknown knob":                       {"127.0.0.1:8081", "/_sandbox/nothing", "", 404},
		"a vendor's client behind our own name": {"localhost:8081", "/", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, row.path, nil)
			r.Host = row.host
			if row.origin != "" {
				r.Header.Set("Origin", row.origin)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != row.want {
				t.Errorf("status %d, want %d: %s", w.Code, row.want, w.Body)
			}
		})
	}
}

func TestControl_refusesMistakes(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.knob(t, 201, "POST", "faults", `{"id": "keep", "fault": "throttle", "op": "Nothing"}`)
		for _, row := range []struct {
			status             int
			method, path, body string
		}{
			{400, "POST", "faults", `{"fault": "explode"}`},
			{400, "POST", "faults", `{"fault": "throttle", "operation": "Start"}`},
			{400, "POST", "faults", `{"fault": "throttle"} {}`},
			{400, "POST", "faults", `not json`},
			{400, "POST", "faults", ``},
			{400, "POST", "faults", `{"fault": "latency", "delay": "soon"}`},
			{400, "PUT", "faults", `[{"fault": "throttle"}, {"fault": "explode"}]`},
			{404, "DELETE", "faults/none", ``},
			{404, "POST", "release/none", ``},
			{404, "GET", "state/none", ``},
			{400, "PUT", "alarms/brake", `{"state": "loud"}`},
			{400, "PUT", "alarms/", `{"state": "firing"}`},
			{400, "POST", "clock", `{}`},
			{400, "POST", "clock", `{"advance": "-1s"}`},
			{400, "POST", "clock", `{"speed": -2}`},
			{400, "POST", "clock", `{"advance": "900000h"}`},
			{404, "POST", "runs", ``},
		} {
			b.knob(t, row.status, row.method, row.path, row.body)
		}
		if f := b.Faults(); len(f) != 1 || f[0].ID != "keep" {
			t.Errorf("a refused request changed the faults: %+v", f)
		}
		if !b.clock.Now().Equal(start) {
			t.Errorf("a refused request moved the clock to %v", b.clock.Now())
		}
	})
}

func TestControl_alarmStopsAndIsPushedOncePerChange(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.expect(t, "Start", 200, "1", 1)
		b.knob(t, 200, "PUT", "alarms/arn:aws:cloudwatch:us-east-1:123456789012:alarm:brake", `{"state": "firing", "reason": "5xx \"high\" 高"}`)
		if n := b.fake.count(); n != 0 {
			t.Errorf("%d are live after the alarm", n)
		}
		b.knob(t, 200, "PUT", "alarms/brake", `{"state": "firing"}`)
		b.clock.Advance(time.Minute)
		b.knob(t, 200, "PUT", "alarms/brake", `{"state": "resolved"}`)
		if got := b.Alarms(); len(got) != 1 || got[0].State != "resolved" || got[0].Name != "brake" {
			t.Errorf("alarms: %+v", got)
		}
		if len(b.pushed) != 2 {
			t.Fatalf("%d events were pushed, want one a change: %v", len(b.pushed), b.pushed)
		}
		sameAsCloudWatch(t, strings.TrimPrefix(b.pushed[0], "aws "), "OK", "ALARM", "2026-11-24T09:00:00.000+0000")
		sameAsCloudWatch(t, strings.TrimPrefix(b.pushed[1], "aws "), "ALARM", "OK", "2026-11-24T09:01:00.000+0000")
	})
}

func sameAsCloudWatch(t *testing.T, payload, was, is, at string) {
	t.Helper()
	type state struct{ Value, Reason, ReasonData, Timestamp string }
	var e struct {
		Version, ID, Source, Account, Region string
		Time                                 time.Time
		Type                                 string `json:"detail-type"`
		Resources                            []string
		Detail                               struct {
			AlarmName            string
			PreviousState, State state
			Configuration        struct{ Metrics []any }
		}
	}
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		t.Fatal(err)
	}
	if e.Version != "0" || len(e.ID) != 36 || e.Source != "aws.cloudwatch" || e.Type != "CloudWatch Alarm State Change" || e.Time.IsZero() ||
		!slices.Equal(e.Resources, []string{"arn:aws:cloudwatch:us-east-1:123456789012:alarm:brake"}) || len(e.Detail.Configuration.Metrics) != 1 {
		t.Errorf("the envelope is not CloudWatch's: %s", payload)
	}
	d := e.Detail
	if d.AlarmName != "brake" || d.PreviousState.Value != was || d.State.Value != is || d.State.Timestamp != at || d.State.Reason == "" || !json.Valid([]byte(d.State.ReasonData)) {
		t.Errorf("the detail is not that of %s -> %s at %s: %s", was, is, at, payload)
	}
}

func TestControl_clock(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		got := b.knob(t, 200, "POST", "clock", `{"advance": "90s"}`)
		if !strings.Contains(got, "2026-11-24T09:01:30Z") || b.fake.tick == 0 {
			t.Errorf("the clock shows %s; %d ticks", got, b.fake.tick)
		}
	})
	s := New(Options{Real: func() time.Time { return start }, Services: []func(service.Env) service.Service{newFake("fake", new(*fake))}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/_sandbox/clock", strings.NewReader(`{"speed": 2}`))
	r.Host = "127.0.0.1"
	if s.ServeHTTP(w, r); w.Code != http.StatusConflict {
		t.Errorf("a clock that cannot be moved was moved: %d %s", w.Code, w.Body)
	}
}

func TestControl_readsOut(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		b.expect(t, "Start", 200, "1", 1)
		b.expect(t, "Get", 200, "1", 1)
		for path, want := range map[string]string{
			"state": `"live": 1`, "state/fake": `"live": 1`, "runs?live=1": `"id": "r1"`, "runs?service=fake": `"r1"`,
			"requests?op=Get": `"op": "Get"`, "faults": `[]`, "alarms": `[]`, "": "/_sandbox/clock -d '{\"advance\": \"90s\"}'",
		} {
			if got := b.knob(t, 200, "GET", path, ""); !strings.Contains(got, want) {
				t.Errorf("GET /_sandbox/%s = %s, want %s in it", path, got, want)
			}
		}
		if got := b.knob(t, 200, "GET", "requests?op=Get", ""); strings.Contains(got, `"Start"`) {
			t.Errorf("the filter lets through %s", got)
		}
		b.knob(t, 200, "POST", "reset", "")
		if b.fake.count() != 0 || len(b.Requests()) != 0 {
			t.Errorf("after the reset %d live, %v", b.fake.count(), b.Requests())
		}
	})
}

func TestControl_everyLineOfTheIndexWorks(t *testing.T) {
	over(t, func(t *testing.T, b *bench) {
		for _, k := range knobs(b.base + "/_sandbox/") {
			method, rest := "GET", strings.TrimPrefix(k.Try, "curl ")
			if v, ok := strings.CutPrefix(rest, "-X "); ok {
				method, rest, _ = strings.Cut(v, " ")
			}
			url, body, _ := strings.Cut(rest, " -d ")
			path := strings.TrimPrefix(url, b.base+"/_sandbox/")
			path = strings.ReplaceAll(path, "state/cfg", "state/fake")
			body = strings.ReplaceAll(strings.Trim(body, "'"), `"fis"`, `"fake"`)
			want := 200
			if method == "POST" && path == "faults" {
				want = 201
			}
			if strings.Contains(body, "speed") || strings.Contains(body, "latency") {
				continue // a fixed clock has no speed; latency would make the rest slow
			}
			b.knob(t, want, method, path, body)
		}
	})
}

func TestRecord_isBounded(t *testing.T) {
	var l record
	for range maxRequests + 5 {
		l.add(Request{})
	}
	if got := l.list(); len(got) != maxRequests || got[0].N != 6 {
		t.Errorf("the log holds %d requests from %d on", len(got), got[0].N)
	}
}
