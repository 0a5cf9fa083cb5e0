package cloudtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// The secrets that functions are given; none may stand in a log.
const (
	InSecret  = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" // signs what chatops is sent
	OutSecret = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=" // signs what notify sends
	BusToken  = "a-token-that-only-the-bus-knows"
	HookToken = "a-token-that-only-monitors-know"
)

const (
	speed    = 30 // of the sandbox
	patience = 60 * time.Second
)

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

// Names are the functions.
func Names() []string {
	return []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"}
}

// BuildAll builds every bootstrap, two at a time.
func BuildAll(t testing.TB) map[string]lambdatest.Built {
	t.Helper()
	folder, out := t.TempDir(), map[string]lambdatest.Built{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turn := make(chan struct{}, 2)
	for _, name := range Names() {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			b, err := lambdatest.Build("github.com/firedrill/firedrill/functions/"+name+"/bootstrap", filepath.Join(folder, name))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			out[name] = b
		})
	}
	if wg.Wait(); t.Failed() {
		t.FailNow()
	}
	return out
}

// Environment is what one function is given, and nothing that only another needs. Everything is in a folder; bus and box are URLs.
func Environment(folder, name, bus, box string) []string {
	env := []string{
		"FIREDRILL_JOURNAL=dir://" + filepath.Join(folder, "journal"), "FIREDRILL_BUS=" + bus, "FIREDRILL_BUS_TOKENS=" + BusToken,
		"FIREDRILL_DEPLOYMENT=test", "FIREDRILL_MODE=SANDBOX", "FIREDRILL_DEADLETTER=dir://" + filepath.Join(folder, "dead", name),
		"FIREDRILL_CATALOG=" + filepath.Join(folder, "drills.yaml"),
		"FIREDRILL_ENDPOINT_FIS=" + box, "FIREDRILL_OBSERVE_EVERY=1s",
		"AWS_ACCESS_KEY_ID=" + sandbox.DefaultAccessKey, "AWS_SECRET_ACCESS_KEY=" + sandbox.DefaultSecret,
	}
	switch name {
	case "chatops":
		env = append(env, "FIREDRILL_WEBHOOK_SECRETS="+InSecret)
	case "notify":
		env = append(env, "FIREDRILL_WEBHOOK_OUT_SECRETS="+OutSecret)
	case "abort":
		env = append(env, "FIREDRILL_ALARM_TOKENS="+HookToken)
	}
	return env
}

// Cloud is a deployment's surroundings, and what is known of what happened in it. The test sets the functions and the journal.
type Cloud struct {
	T       testing.TB
	Box     *sandbox.Sandbox
	BoxURL  string
	Clock   string    // that ticks: Scheduler or Rule
	Minute  time.Time // of the scheduled drill
	Journal *journal.Journal
	Invoke  func(name string, payload []byte) ([]byte, error)
	Logs    func(name string) string
	Settle  func() // waits until no function is at work

	world    string // the address of the shop and the room
	mu       sync.Mutex
	facts    []events.Event
	messages []string
	failed   []string
}

// New starts the sandbox, the shop and the room; they end with the test.
func New(t testing.TB) *Cloud {
	t.Helper()
	c := &Cloud{T: t, Clock: Rule, Minute: time.Now().UTC()}
	c.Box = sandbox.New(sandbox.Options{Real: time.Now, Clock: sandbox.NewClock(time.Now, speed)})
	box, world := httptest.NewServer(c.Box), httptest.NewServer(http.HandlerFunc(c.serve))
	c.BoxURL, c.world = box.URL, world.URL
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				c.Box.Tick()
			}
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait(); box.Close(); world.Close() })
	return c
}

// Catalogue is the text of a catalogue with the two drills; one is due this minute.
func (c *Cloud) Catalogue() string {
	return fmt.Sprintf(catalogue, c.world, c.Minute.Minute(), c.Minute.Hour(), c.world)
}

// serve is the shop that a claim measures, and the room that messages go to.
func (c *Cloud) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		return
	}
	body, err := io.ReadAll(r.Body)
	secrets, _ := webhook.ParseSecrets(OutSecret)
	if err == nil {
		_, err = webhook.Verify(r.Header, body, secrets, time.Now())
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var m struct{ Title string }
	_ = json.Unmarshal(body, &m) // a message without a title counts as well
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = append(c.messages, m.Title)
}

// Said records events that were on the bus.
func (c *Cloud) Said(facts ...events.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts = append(c.facts, facts...)
}

// Facts returns what was recorded, oldest first.
func (c *Cloud) Facts() []events.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]events.Event(nil), c.facts...)
}

// Messages returns the titles of what the room got.
func (c *Cloud) Messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.messages...)
}

// Fail records that a delivery failed; Healthy tells.
func (c *Cloud) Fail(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = append(c.failed, fmt.Sprintf("%s: %v", name, err))
}

// Seen returns the first fact of a type about a plan, nil for none yet.
func (c *Cloud) Seen(eventType, plan string) *events.Event {
	for _, e := range c.Facts() {
		var a events.About
		if e.Type() == eventType && e.DataAs(&a) == nil && a.Plan == plan {
			return &e
		}
	}
	return nil
}

// Wait waits for the first fact of a type about a plan.
func (c *Cloud) Wait(eventType, plan string) events.Event {
	c.T.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if e := c.Seen(eventType, plan); e != nil {
			return *e
		}
	}
	for _, e := range c.Facts() {
		c.T.Logf("%s %s", e.Type(), e.Data())
	}
	for _, name := range Names() {
		c.T.Logf("%s:\n%s", name, c.Logs(name))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.T.Fatalf("no %s of %s; failed: %q", eventType, plan, c.failed)
	return events.Event{}
}

// Must hands a payload to one function and wants success.
func (c *Cloud) Must(name string, payload []byte) string {
	c.T.Helper()
	reply, err := c.Invoke(name, payload)
	if err != nil {
		c.T.Fatalf("%v\n%s", err, c.Logs(name))
	}
	return string(reply)
}

// Healthy wants no delivery to have failed, and nothing secret in a log.
func (c *Cloud) Healthy(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.failed {
		t.Error(f)
	}
	for _, name := range Names() {
		logs := c.Logs(name)
		for _, secret := range []string{InSecret, OutSecret, BusToken, HookToken} {
			if strings.Contains(logs, secret) {
				t.Errorf("%s logs a secret", name)
			}
		}
	}
}
