package functions

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/functions/poll"
	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/dir"
	"github.com/firedrill/firedrill/shared/sandbox"
)

const (
	inSecret  = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	outSecret = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
	busToken  = "a-token-that-only-the-bus-knows"
	hookToken = "a-token-that-only-monitors-know"
	speed     = 30 // of the sandbox
)

// cloud is a bus, the sandbox, a monitor's target and a process for each function.
type cloud struct {
	t       *testing.T
	folder  string
	procs   map[string]*lambdatest.Runtime
	box     *sandbox.Sandbox
	journal *journal.Journal
	wg      sync.WaitGroup

	mu       sync.Mutex
	facts    []events.Event
	messages []string
	failed   []string
}

func names() []string {
	return []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"}
}

func routes() map[string][]string {
	return map[string][]string{"start": start.Types(), "advance": advance.Types(), "poll": poll.Types(), "abort": abort.Types(),
		"conclude": conclude.Types(), "notify": notify.Types()}
}

// buildAll builds every bootstrap, two at a time.
func buildAll(t *testing.T) map[string]lambdatest.Built {
	t.Helper()
	folder := t.TempDir()
	out := map[string]lambdatest.Built{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turn := make(chan struct{}, 2)
	for _, name := range names() {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			b, err := lambdatest.Build(module+"functions/"+name+"/bootstrap", filepath.Join(folder, name))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			out[name] = b
			mu.Unlock()
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

func newCloud(t *testing.T, built map[string]lambdatest.Built) *cloud {
	t.Helper()
	c := &cloud{t: t, folder: t.TempDir(), procs: map[string]*lambdatest.Runtime{}}
	clock := sandbox.NewClock(time.Now, speed)
	c.box = sandbox.New(sandbox.Options{Real: time.Now, Clock: clock})
	box := httptest.NewServer(c.box)
	bus := httptest.NewServer(http.HandlerFunc(c.publish))
	world := httptest.NewServer(http.HandlerFunc(c.world))
	t.Cleanup(func() { c.wg.Wait(); bus.Close(); box.Close(); world.Close() })
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				c.box.Tick()
			}
		}
	}()
	store, err := dir.Open(filepath.Join(c.folder, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	c.journal = journal.Open(store, journal.Options{Now: time.Now, Nonce: func() string { return "reader" }})
	now := time.Now().UTC()
	text := fmt.Sprintf(catalogue, world.URL, now.Minute(), now.Hour(), world.URL)
	if err := os.WriteFile(filepath.Join(c.folder, "drills.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range names() {
		c.procs[name] = lambdatest.Start(t, built[name].Path, c.env(name, bus.URL, box.URL)...)
	}
	return c
}

const catalogue = `
version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts: { aws: { cloud: aws, id: "123456789012", region: us-east-1 } }
channels: { room: { to: "webhook:%s/room" } }
alarms: { checkout-5xx: { cloudwatch: checkout-5xx, account: aws } }
bindings: [ { role: operator, to: "webhook:acme/alice", environments: [ staging ] } ]
drills:
  outage:
    { title: Outage, owner: sre, account: aws, fis: { template: EXTa1b2c3d4e5f6g7, targets: { min: 1, max: 12 } }, notify: [ room ], exclusive: none,
      schedule: { cron: "%d %d * * *", timezone: UTC, missed: skip },
      expect: [ { claim: the shop answers, http: "%s/healthz", status: 200, within: 2s } ] }
  long:
    { title: Long, owner: sre, account: aws, fis: { template: EXTlong00000000001 }, notify: [ room ], exclusive: none, stop_on: [ checkout-5xx ] }
`

// env is what one function is given, and nothing that only another needs.
func (c *cloud) env(name, bus, box string) []string {
	env := []string{
		"FIREDRILL_JOURNAL=dir://" + filepath.Join(c.folder, "journal"), "FIREDRILL_BUS=" + bus, "FIREDRILL_BUS_TOKENS=" + busToken,
		"FIREDRILL_DEPLOYMENT=test", "FIREDRILL_MODE=SANDBOX", "FIREDRILL_DEADLETTER=dir://" + filepath.Join(c.folder, "dead", name),
		"FIREDRILL_ENDPOINT_FIS=" + box, "FIREDRILL_OBSERVE_EVERY=1s",
		"AWS_ACCESS_KEY_ID=" + sandbox.DefaultAccessKey, "AWS_SECRET_ACCESS_KEY=" + sandbox.DefaultSecret,
	}
	switch name {
	case "start", "poll", "advance", "conclude":
		env = append(env, "FIREDRILL_CATALOG="+filepath.Join(c.folder, "drills.yaml"))
	case "chatops":
		env = append(env, "FIREDRILL_CATALOG="+filepath.Join(c.folder, "drills.yaml"), "FIREDRILL_WEBHOOK_SECRETS="+inSecret)
	case "notify":
		env = append(env, "FIREDRILL_CATALOG="+filepath.Join(c.folder, "drills.yaml"), "FIREDRILL_WEBHOOK_OUT_SECRETS="+outSecret)
	case "abort":
		env = append(env, "FIREDRILL_CATALOG="+filepath.Join(c.folder, "drills.yaml"), "FIREDRILL_ALARM_TOKENS="+hookToken)
	}
	return env
}

// publish is the bus: it takes an event and delivers it, twice, to whoever handles its type.
func (c *cloud) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != "Bearer "+busToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e, err := events.Parse(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.facts = append(c.facts, e)
	c.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	c.wg.Go(func() {
		c.deliver(e)
		c.deliver(e)
	})
}

// deliver hands an event to its functions as a rule of EventBridge does, and again where it failed.
func (c *cloud) deliver(e events.Event) {
	payload := bridged(e)
	for name, types := range routes() {
		if !slices.Contains(types, e.Type()) {
			continue
		}
		c.wg.Go(func() {
			for n := range 3 {
				got, err := c.procs[name].Try(payload, 90*time.Second)
				if err == nil && got.Error == "" {
					return
				}
				if n == 2 {
					c.mu.Lock()
					c.failed = append(c.failed, fmt.Sprintf("%s %s: %v %s", name, e.Type(), err, got.Error))
					c.mu.Unlock()
				}
			}
		})
	}
}

func bridged(e events.Event) []byte {
	detail, err := e.MarshalJSON()
	if err != nil {
		panic(err) // it was just read
	}
	b, err := json.Marshal(map[string]any{"version": "0", "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92", "detail-type": e.Type(), "source": "dev.firedrill",
		"account": "123456789012", "time": "2026-11-21T08:00:00Z", "region": "us-east-1", "resources": []string{}, "detail": json.RawMessage(detail)})
	if err != nil {
		panic(err)
	}
	return b
}

// world is the shop that a claim measures, and the room that messages go to.
func (c *cloud) world(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		return
	}
	body, err := io.ReadAll(r.Body)
	secrets, _ := webhook.ParseSecrets(outSecret)
	if err == nil {
		_, err = webhook.Verify(r.Header, body, secrets, time.Now())
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var m struct{ Title string }
	_ = json.Unmarshal(body, &m)
	c.mu.Lock()
	c.messages = append(c.messages, m.Title)
	c.mu.Unlock()
}

// seen returns the first fact of a type about a plan, nil for none yet.
func (c *cloud) seen(eventType, plan string) *events.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.facts {
		var a events.About
		if e.Type() == eventType && e.DataAs(&a) == nil && a.Plan == plan {
			return &e
		}
	}
	return nil
}

// wait waits for the first fact of a type about a plan.
func (c *cloud) wait(eventType, plan string) events.Event {
	c.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if e := c.seen(eventType, plan); e != nil {
			return *e
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.facts {
		c.t.Logf("%s %s", e.Type(), e.Data())
	}
	for name, p := range c.procs {
		c.t.Logf("%s:\n%s", name, p.Logs())
	}
	c.t.Fatalf("no %s of %s", eventType, plan)
	return events.Event{}
}

// invoke hands a payload to one function and wants success.
func (c *cloud) invoke(name string, payload []byte) []byte {
	c.t.Helper()
	got := c.procs[name].Invoke(payload, 90*time.Second)
	if got.Error != "" {
		c.t.Fatalf("%s: %s\n%s", name, got.Error, c.procs[name].Logs())
	}
	return got.Body
}

func tick(at time.Time) []byte {
	return []byte(`{"id":"cdc73f9d-aea9-11e3-9d5a-835b769c0d9c","detail-type":"Scheduled Event","source":"aws.scheduler","account":"123456789012","time":"` +
		at.UTC().Format(time.RFC3339) + `","region":"us-east-1","resources":["arn:aws:scheduler:us-east-1:123456789012:schedule/default/tick"],"detail":"{}"}`)
}

// chat sends a signed command as a function URL hands it over, its body in base64.
func (c *cloud) chat(body string) string {
	c.t.Helper()
	secrets, err := webhook.ParseSecrets(inSecret)
	if err != nil {
		c.t.Fatal(err)
	}
	h := http.Header{}
	if err := webhook.Sign(h, "msg-1", time.Now(), []byte(body), secrets); err != nil {
		c.t.Fatal(err)
	}
	lower := map[string]string{"content-type": "application/json"}
	for name := range h {
		lower[strings.ToLower(name)] = h.Get(name)
	}
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": "/chat/webhook", "headers": lower, "isBase64Encoded": true,
		"body":           base64.StdEncoding.EncodeToString([]byte(body)),
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "stage": "$default", "http": map[string]string{"method": "POST", "sourceIp": "192.0.2.1"}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return string(c.invoke("chatops", payload))
}

// healthy wants no function to have failed, and nothing secret in a log.
func (c *cloud) healthy(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.failed {
		t.Error(f)
	}
	for name, p := range c.procs {
		logs := p.Logs()
		for _, secret := range []string{inSecret, outSecret, busToken, hookToken} {
			if strings.Contains(logs, secret) {
				t.Errorf("%s logs a secret", name)
			}
		}
		for line := range strings.Lines(logs) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s logs something that is no JSON: %s", name, line)
			}
		}
	}
}
