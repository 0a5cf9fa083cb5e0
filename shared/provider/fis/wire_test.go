package fis

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	wireSecret = "a-secret-of-the-wire-tests"
	wireToken  = "a-session-token-of-the-wire-tests"
)

// sent is one request as the server got it.
type sent struct {
	method, uri, body string
	header            http.Header
}

// vendor is a server on the loopback that answers with the vendor's own samples.
type vendor struct {
	mu   sync.Mutex
	got  []sent
	more []func(http.ResponseWriter)
}

// answering serves the replies in order, the last one again and again.
func answering(t *testing.T, replies ...func(http.ResponseWriter)) (*Driver, *vendor) {
	t.Helper()
	v := &vendor{more: replies}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	d, err := Open(driver.Config{
		Account: "aws-prod", Region: "us-east-1", Root: "root-1", Endpoint: server.URL, Transport: server.Client().Transport, Timeout: 5 * time.Second,
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: "AKIDWIRE", Secret: wireSecret, Token: wireToken}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Driver), v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	v.got = append(v.got, sent{r.Method, r.RequestURI, string(body), r.Header.Clone()})
	reply := v.more[0]
	if len(v.more) > 1 {
		v.more = v.more[1:]
	}
	v.mu.Unlock()
	reply(w)
}

func ok(body string) func(http.ResponseWriter) { return status(200, "", body) }

func status(code int, kind, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if kind != "" {
			w.Header().Set("X-Amzn-ErrorType", kind)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// sameJSON fails the test unless both texts hold the same JSON.
func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var texts []string
	for _, text := range []string{got, want} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(out))
	}
	if texts[0] != texts[1] {
		t.Errorf("got  %s\nwant %s", texts[0], texts[1])
	}
}

func request() driver.Request {
	return driver.Request{
		Drill: "d1", Role: drill.Main, Token: "d1/main", Root: "root-1", Plan: "checkout-az-outage", Title: `Checkout "survives" 结账 🔥`,
		Account: "aws-prod", Region: "us-east-1", Timeout: time.Hour, Actor: "slack:T1/U1", Mode: "LIVE",
		Block: map[string]any{"template": "EXTa1b2c3d4e5f6g7", "tags": map[string]any{"team": "checkout"}},
	}
}

func TestWire_requests(t *testing.T) {
	run := driver.Run{Service: drill.FIS, Account: "aws-prod", Region: "us-east-1", ID: "EXP1", Role: drill.Main}
	experiment := ok(sample(t, "experiment.json"))
	lever := ok(`{"safetyLever":{"arn":"arn:x","id":"default","state":{"status":"engaging","reason":"why"}}}`)
	for _, c := range []struct {
		name    string
		call    func(*Driver) error
		replies []func(http.ResponseWriter)
		want    []string // method and target of each request
		body    string   // of the last one
	}{
		{"observe", func(d *Driver) error { _, err := d.Observe(t.Context(), run); return err }, []func(http.ResponseWriter){experiment}, []string{"GET /experiments/EXP1"}, ""},
		{"stop", func(d *Driver) error { return d.Stop(t.Context(), run, driver.Stop{}) }, []func(http.ResponseWriter){experiment}, []string{"DELETE /experiments/EXP1"}, ""},
		{"lookup", func(d *Driver) error { _, err := d.Lookup(t.Context(), request()); return err },
			[]func(http.ResponseWriter){ok(`{"experiments":[],"nextToken":"p 2"}`), ok(`{"experiments":[]}`)},
			[]string{"GET /experiments?experimentTemplateId=EXTa1b2c3d4e5f6g7&maxResults=100", "GET /experiments?experimentTemplateId=EXTa1b2c3d4e5f6g7&maxResults=100&nextToken=p%202"}, ""},
		{"find", func(d *Driver) error { _, err := d.Find(t.Context()); return err }, []func(http.ResponseWriter){ok(`{}`)}, []string{"GET /experiments?maxResults=100"}, ""},
		{"templates", func(d *Driver) error { _, err := d.Templates(t.Context()); return err }, []func(http.ResponseWriter){ok(`{}`)}, []string{"GET /experimentTemplates?maxResults=100"}, ""},
		{"halt", func(d *Driver) error { return d.Halt(t.Context(), "why") }, []func(http.ResponseWriter){lever}, []string{"PATCH /safetyLevers/default/state"}, `{"state":{"status":"engaged","reason":"why"}}`},
		{"release", func(d *Driver) error { return d.Release(t.Context()) }, []func(http.ResponseWriter){lever}, []string{"PATCH /safetyLevers/default/state"}, `{"state":{"status":"disengaged","reason":"released by firedrill"}}`},
		{"halt that stands already", func(d *Driver) error { return d.Halt(t.Context(), "why") },
			[]func(http.ResponseWriter){status(409, "ConflictException", `{"message":"without a status change"}`), lever}, []string{"PATCH /safetyLevers/default/state", "GET /safetyLevers/default"}, ""},
		{"conclude", func(d *Driver) error {
			return d.Conclude(t.Context(), run, driver.Conclusion{Verdict: "expected", Summary: `all "good" 好`, Link: "https://x.example/r?id=1"})
		}, []func(http.ResponseWriter){experiment, ok(`{}`)}, []string{"GET /experiments/EXP1", "POST /tags/arn%3Aaws%3Afis%3Aus-east-1%3A123456789012%3Aexperiment%2FEXPaBCD1efg2HIJkL3"},
			`{"tags":{"firedrill:verdict":"expected","firedrill:summary":"all good 好"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, v := answering(t, c.replies...)
			if err := c.call(d); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range v.got {
				got = append(got, s.method+" "+s.uri)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("requests %q, want %q", got, c.want)
			}
			last := v.got[len(v.got)-1]
			if c.body != "" {
				sameJSON(t, last.body, c.body)
			}
			if auth := last.header.Get("Authorization"); !strings.Contains(auth, "/us-east-1/fis/aws4_request") || last.header.Get("X-Amz-Security-Token") != wireToken {
				t.Errorf("authorization %q, token %q", auth, last.header.Get("X-Amz-Security-Token"))
			}
		})
	}
}

func TestStop_anErrorIsCheckedAgainstTheExperiment(t *testing.T) {
	refused := status(400, "ValidationException", `{"message":"no"}`)
	state := func(s string) func(http.ResponseWriter) {
		return ok(`{"experiment":{"id":"EXP1","state":{"status":"` + s + `"}}}`)
	}
	for _, c := range []struct {
		name  string
		reply []func(http.ResponseWriter)
		want  driver.Code
	}{
		{"it still runs", []func(http.ResponseWriter){refused, state("running")}, driver.Invalid},
		{"its state is new to us", []func(http.ResponseWriter){refused, state("hibernating")}, driver.Invalid},
		{"it cannot be read", []func(http.ResponseWriter){refused, status(500, "", "")}, driver.Invalid},
		{"it does not exist", []func(http.ResponseWriter){status(404, "ResourceNotFoundException", `{}`)}, driver.NotFound},
		{"it is stopping", []func(http.ResponseWriter){refused, state("stopping")}, driver.OK},
		{"it has stopped", []func(http.ResponseWriter){refused, state("stopped")}, driver.OK},
		{"it has completed", []func(http.ResponseWriter){refused, state("completed")}, driver.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := answering(t, c.reply...)
			if got := d.Code(d.Stop(t.Context(), driver.Run{ID: "EXP1"}, driver.Stop{})); got != c.want {
				t.Errorf("code %q, want %q", got, c.want)
			}
		})
	}
}

func TestLever_conflictIsCheckedAgainstTheLever(t *testing.T) {
	conflict := status(409, "ConflictException", `{"message":"whatever"}`)
	lever := func(s string) func(http.ResponseWriter) {
		return ok(`{"safetyLever":{"id":"default","state":{"status":"` + s + `","reason":"x"}}}`)
	}
	halt := func(d *Driver) error { return d.Halt(t.Context(), strings.Repeat("长", 300)) }
	release := func(d *Driver) error { return d.Release(t.Context()) }
	for _, c := range []struct {
		name  string
		call  func(*Driver) error
		lever string
		want  driver.Code
	}{
		{"halt, and it is disengaged", halt, "disengaged", driver.Conflict},
		{"release while it engages", release, "engaging", driver.Conflict},
		{"release, and it is engaged", release, "engaged", driver.Conflict},
		{"halt while it engages", halt, "engaging", driver.OK},
		{"halt, and it is engaged", halt, "engaged", driver.OK},
		{"release, and it is disengaged", release, "disengaged", driver.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := answering(t, conflict, lever(c.lever))
			if got := d.Code(c.call(d)); got != c.want {
				t.Errorf("code %q, want %q", got, c.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	d, v := answering(t, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
			<Arn>arn:aws:iam::123456789012:user/Alice</Arn><UserId>AKIAI44QH8DHBEXAMPLE</UserId><Account>123456789012</Account>
			</GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>`)
	})
	id, err := d.Identity(t.Context())
	if err != nil || id != "123456789012" || v.got[0].body != "Action=GetCallerIdentity&Version=2011-06-15" {
		t.Errorf("%q, %v, sent %q", id, err, v.got[0].body)
	}
}

func TestOpen_mistakes(t *testing.T) {
	_, err := Open(driver.Config{Account: "a", Endpoint: "no host"})
	for _, want := range []string{"region", "credentials", "endpoint"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name the %s: %v", want, err)
		}
	}
}

func TestIdentityEndpoint(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "https://fis.eu-central-1.api.aws": "", "https://vpce-1.fis.us-east-1.vpce.amazonaws.com": "",
		"https://fis.cn-north-1.amazonaws.com.cn": "", "http://127.0.0.1:8081": "http://127.0.0.1:8081",
	} {
		if got := identityEndpoint(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestOpen_signsWithTheConfiguredClock(t *testing.T) {
	var date string
	d, err := Open(driver.Config{
		Region: "us-east-1", Endpoint: "http://127.0.0.1:1", Credentials: fixed,
		Now: func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		Transport: transport(func(r *http.Request) (*http.Response, error) {
			date = r.Header.Get("X-Amz-Date")
			return nil, io.ErrUnexpectedEOF
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Observe(t.Context(), driver.Run{ID: "EXP1"}); err == nil || date != "20300102T030405Z" {
		t.Errorf("signed at %q, %v", date, err)
	}
}

// A session token goes to nobody who can be listened to on the way.
func TestOpen_plainHTTPIsForTheLoopbackAlone(t *testing.T) {
	for endpoint, good := range map[string]bool{
		"": true, "https://fis.us-east-1.amazonaws.com": true, "https://proxy.example.com": true,
		"http://127.0.0.1:8081": true, "http://localhost:8081": true, "http://[::1]:8081": true,
		"http://fis.us-east-1.amazonaws.com": false, "http://10.0.0.7:8081": false, "http://127.0.0.1.example.com": false, "ftp://127.0.0.1": false, "//127.0.0.1": false,
	} {
		_, err := Open(driver.Config{Account: "a", Region: "us-east-1", Endpoint: endpoint, Credentials: fixed})
		if (err == nil) != good || err != nil && !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}
