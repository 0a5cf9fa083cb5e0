package fis

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

const (
	testKey    = "AKIDTEST"
	testSecret = "a-secret-of-the-tests"
)

// lab is a sandboxed FIS with a client of its own that shares no code with it: raw requests, signed by the SDK's signer.
type lab struct {
	t      *testing.T
	s      *Service
	now    time.Time
	real   time.Time
	firing map[string]bool
	events []map[string]any
	ids    int
}

func newLab(t *testing.T) *lab {
	l := &lab{
		t: t, firing: map[string]bool{}, now: time.Date(2026, 11, 20, 10, 0, 0, 123e6, time.UTC),
		real: time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC),
	}
	l.s = New(service.Env{
		Now: func() time.Time { return l.now }, Real: func() time.Time { return l.real },
		Alarm: func(name string) bool { return l.firing[name] }, Emit: l.emit, ID: l.id, AccessKey: testKey, Secret: testSecret,
	})
	return l
}

func (l *lab) emit(platform string, payload []byte) {
	var e map[string]any
	if err := json.Unmarshal(payload, &e); err != nil || platform != "aws" {
		l.t.Errorf("pushed %q to %s: %v", payload, platform, err)
	}
	l.s.Runs() // a receiver may call back at once
	l.events = append(l.events, e)
}

func (l *lab) id(n int) string {
	l.ids++
	sum := sha256.Sum256(fmt.Append(nil, l.ids))
	return hex.EncodeToString(sum[:])[:n]
}

// signing is how a request is signed.
type signing struct {
	key, secret, service string
	at                   time.Time
	hash                 string // of the payload; "" for the right one
	region               string // "" for eu-central-1
}

func (l *lab) signing() signing {
	return signing{key: testKey, secret: testSecret, service: "fis", at: l.real}
}

func (l *lab) request(method, target, body string, how *signing) *http.Request {
	r := httptest.NewRequest(method, "http://fis.eu-central-1.amazonaws.com"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if how == nil {
		return r
	}
	hash := how.hash
	if hash == "" {
		sum := sha256.Sum256([]byte(body))
		hash = hex.EncodeToString(sum[:])
	}
	creds := aws.Credentials{AccessKeyID: how.key, SecretAccessKey: how.secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hash, how.service, cmp.Or(how.region, "eu-central-1"), how.at); err != nil {
		l.t.Fatal(err)
	}
	return r
}

// answer is a decoded reply.
type answer struct {
	status int
	kind   string // the error type of the header
	raw    string
	body   map[string]any
}

func (l *lab) send(r *http.Request, body string, o service.Options) answer {
	l.t.Helper()
	c, ok := l.s.Recognise(r, []byte(body))
	if !ok {
		l.t.Fatalf("%s %s is not recognised", r.Method, r.URL)
	}
	w := httptest.NewRecorder()
	l.s.Serve(w, r, []byte(body), c, o)
	a := answer{status: w.Code, kind: w.Header().Get("X-Amzn-ErrorType"), raw: w.Body.String()}
	if w.Header().Get("X-Amzn-RequestId") == "" {
		l.t.Errorf("%s %s: no request id", r.Method, r.URL)
	}
	if w.Header().Get("Content-Type") == "application/json" {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			l.t.Errorf("%s %s: reply %q: %v", r.Method, r.URL, w.Body, err)
		}
	}
	return a
}

// call makes a signed call.
func (l *lab) call(method, target, body string) answer {
	l.t.Helper()
	how := l.signing()
	return l.send(l.request(method, target, body, &how), body, service.Options{})
}

// at reads a value inside the reply: at("experiment", "state", "status").
func (a answer) at(path ...string) any {
	var v any = a.body
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func (a answer) text(path ...string) string {
	s, _ := a.at(path...).(string)
	return s
}

// start starts an experiment and returns its id.
func (l *lab) start(template, token, extra string) string {
	l.t.Helper()
	a := l.call("POST", "/experiments", fmt.Sprintf(`{"clientToken":%q,"experimentTemplateId":%q%s}`, token, template, extra))
	id := a.text("experiment", "id")
	if a.status != 200 || id == "" {
		l.t.Fatalf("start %s: %d %s", template, a.status, a.raw)
	}
	return id
}

func (l *lab) get(id string) answer { l.t.Helper(); return l.call("GET", "/experiments/"+id, "") }

func (l *lab) status(id string) string {
	l.t.Helper()
	return l.get(id).text("experiment", "state", "status")
}

func (l *lab) actionStatus(id, name string) string {
	l.t.Helper()
	return l.get(id).text("experiment", "actions", name, "state", "status")
}

func (l *lab) live(id string) string {
	for _, r := range l.s.Runs() {
		if r.ID == id {
			return strings.Join(r.Live, ",")
		}
	}
	l.t.Fatalf("no run %s", id)
	return ""
}

func (l *lab) pass(seconds int) {
	l.now = l.now.Add(time.Duration(seconds) * time.Second)
	l.s.Tick()
}

// changes lists the statuses that the pushed events of the experiment name, in order.
func (l *lab) changes(id string) []string {
	var out []string
	for _, e := range l.events {
		d := e["detail"].(map[string]any)
		if d["experiment-id"] == id {
			out = append(out, d["old-state"].(map[string]any)["status"].(string)+">"+d["new-state"].(map[string]any)["status"].(string))
		}
	}
	return out
}
