package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/deploy/sam"
	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/journal"
	store "github.com/firedrill/firedrill/shared/journal/s3"
	"github.com/firedrill/firedrill/shared/sandbox"
)

const (
	inSecret  = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	outSecret = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
	hookToken = "a-token-that-only-monitors-know"
	speed     = 30 // of the sandbox
	patience  = 60 * time.Second
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

// cloud is an account, a function under the emulator for each of the template's, and the sandbox.
type cloud struct {
	t         *testing.T
	account   *account
	functions map[string]*emulator
	box       *sandbox.Sandbox
	journal   *journal.Journal
	minute    time.Time // of the scheduled drill

	mu       sync.Mutex
	facts    []events.Event
	sent     []delivery // everything that a function was handed, but for ticks
	messages int
	failed   []string
	busy     int       // deliveries that are under way
	moved    time.Time // when one last began or ended
}

type delivery struct {
	function string
	payload  []byte
}

func newCloud(t *testing.T, rie, endpoint string) *cloud {
	t.Helper()
	c := &cloud{t: t, account: newAccount(t, endpoint), functions: map[string]*emulator{}}
	tpl, err := sam.Load(filepath.Join("..", "..", "template.yaml"), map[string]string{"Secrets": "drills", "Mode": "SANDBOX", "ObserveEvery": "1s"})
	must(t, err)
	c.account.wire(tpl, "firedrill-prod")
	built := buildAll(t, tpl.Functions())
	c.minute = time.Now().UTC()
	c.box = sandbox.New(sandbox.Options{Real: time.Now, Clock: sandbox.NewClock(time.Now, speed)})
	box, world := httptest.NewServer(c.box), httptest.NewServer(http.HandlerFunc(c.world))
	t.Cleanup(func() { box.Close(); world.Close() })
	c.account.put("catalog/drills.yaml", fmt.Sprintf(catalogue, world.URL, c.minute.Minute(), c.minute.Hour(), world.URL))
	place, err := store.ParseURL(c.there("s3://" + bucket + "/journal?region=" + region))
	must(t, err)
	place.Credentials = func(context.Context) (store.Credentials, error) {
		return store.Credentials{AccessKey: accessKey, Secret: secret}, nil
	}
	place.Wait = func(context.Context, time.Duration) error { return nil }
	s, err := store.Open(place)
	must(t, err)
	c.journal = journal.Open(s, journal.Options{Now: time.Now, Nonce: func() string { return "reader" }})
	for _, name := range tpl.Functions() {
		c.functions[name] = startEmulator(t, rie, name, built[name], c.env(tpl, name, box.URL))
	}
	c.run()
	return c
}

// buildAll builds the bootstraps, one after the other, and returns their paths.
func buildAll(t *testing.T, names []string) map[string]string {
	t.Helper()
	folder, out := t.TempDir(), map[string]string{}
	for _, name := range names {
		built, err := lambdatest.Build("github.com/firedrill/firedrill/functions/"+name+"/bootstrap", filepath.Join(folder, name))
		must(t, err)
		out[name] = built.Path
	}
	return out
}

// there adds where S3 and EventBridge are in this test.
func (c *cloud) there(url string) string {
	if strings.HasPrefix(url, "s3:") {
		url += "&path_style=true"
	}
	return url + "&endpoint=" + c.account.endpoint
}

// env is what the template gives a function, with its resources in place and secrets resolved as CloudFormation does.
func (c *cloud) env(tpl *sam.Template, name, box string) []string {
	values := map[string]string{
		"FIREDRILL_DEADLETTER": c.account.address("refused"), "FIREDRILL_ALARM_TOKENS": hookToken, "FIREDRILL_WEBHOOK_SECRETS": inSecret,
		"FIREDRILL_WEBHOOK_OUT_SECRETS": outSecret, "FIREDRILL_ENDPOINT_FIS": box,
	}
	env := []string{"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secret}
	for variable, value := range tpl.Env(name) {
		if v, ok := values[variable]; ok {
			value = v
		}
		value = strings.NewReplacer("<Bucket>", bucket, "<Bus>", "firedrill-prod").Replace(value)
		if strings.HasPrefix(value, "s3:") || strings.HasPrefix(value, "eventbridge:") {
			value = c.there(value)
		}
		env = append(env, variable+"="+value)
	}
	return env
}

// run moves the sandbox's clock, and hands over, twice, what the rules put on the functions' queues, until the test ends.
func (c *cloud) run() {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	every := func(pause time.Duration, do func()) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(pause):
					do()
				}
			}
		})
	}
	every(50*time.Millisecond, func() { c.box.Tick() })
	for name := range c.functions {
		every(50*time.Millisecond, func() { c.pump(name) })
	}
	c.t.Cleanup(func() { close(stop); wg.Wait() })
}

// pump is EventBridge's side of one function: every event comes twice, and again where it failed.
func (c *cloud) pump(name string) {
	got, err := c.account.receive(name)
	if err != nil {
		c.fail(name, err)
		return
	}
	for _, m := range got {
		c.keep(name, []byte(m.Body))
		for range 2 {
			c.hand(name, []byte(m.Body))
		}
	}
}

func (c *cloud) note(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy += n
	c.moved = time.Now()
}

func (c *cloud) fail(name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = append(c.failed, fmt.Sprintf("%s: %v", name, err))
}

func (c *cloud) keep(name string, payload []byte) {
	found, err := inbound.AWS(payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, delivery{name, payload})
	if err != nil {
		c.failed = append(c.failed, fmt.Sprintf("what %s was sent cannot be read: %v: %s", name, err, payload))
	}
	if name == "notify" { // it is sent every fact
		c.facts = append(c.facts, found...)
	}
}

func (c *cloud) hand(name string, payload []byte) {
	c.note(1)
	defer c.note(-1)
	var err error
	for range 3 {
		if _, err = c.functions[name].invoke(payload); err == nil {
			return
		}
	}
	c.fail(name, err)
}

// settle waits until no function has been handed anything for a while.
func (c *cloud) settle() {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c.mu.Lock()
		quiet := c.busy == 0 && time.Since(c.moved) > 1500*time.Millisecond
		c.mu.Unlock()
		if quiet {
			return
		}
	}
	c.t.Fatal("the functions do not come to rest")
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages++
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
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if e := c.seen(eventType, plan); e != nil {
			return *e
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.facts {
		c.t.Logf("%s %s", e.Type(), e.Data())
	}
	for name, f := range c.functions {
		c.t.Logf("%s:\n%s", name, f.log())
	}
	c.t.Fatalf("no %s of %s; failed: %q", eventType, plan, c.failed)
	return events.Event{}
}

// invoke hands a payload to one function and wants success.
func (c *cloud) invoke(name string, payload []byte) string {
	c.t.Helper()
	reply, err := c.functions[name].invoke(payload)
	if err != nil {
		c.t.Fatalf("%v\n%s", err, c.functions[name].log())
	}
	return string(reply)
}

// tick is what a scheduled rule hands over.
func tick(at time.Time) []byte {
	return []byte(`{"version":"0","id":"cdc73f9d-aea9-11e3-9d5a-835b769c0d9c","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","time":"` +
		at.UTC().Format(time.RFC3339) + `","region":"us-east-1","resources":["arn:aws:events:us-east-1:123456789012:rule/firedrill-StartTick"],"detail":{}}`)
}

// request is what a function URL hands over, its body in base64.
func request(path, body string, headers map[string]string) []byte {
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "headers": headers, "isBase64Encoded": true,
		"body":           base64.StdEncoding.EncodeToString([]byte(body)),
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "stage": "$default", "http": map[string]string{"method": "POST", "sourceIp": "192.0.2.1"}},
	})
	if err != nil {
		panic(err) // texts alone
	}
	return payload
}

// chat sends a signed command.
func (c *cloud) chat(body string) string {
	c.t.Helper()
	secrets, err := webhook.ParseSecrets(inSecret)
	must(c.t, err)
	h := http.Header{}
	must(c.t, webhook.Sign(h, "msg-1", time.Now(), []byte(body), secrets))
	headers := map[string]string{"content-type": "application/json"}
	for name := range h {
		headers[strings.ToLower(name)] = h.Get(name)
	}
	return c.invoke("chatops", request("/chat/webhook", body, headers))
}

// healthy wants no function to have failed, and nothing secret in a log.
func (c *cloud) healthy(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.failed {
		t.Error(f)
	}
	for name, f := range c.functions {
		for _, s := range []string{inSecret, outSecret, hookToken} {
			if strings.Contains(f.log(), s) {
				t.Errorf("%s logs a secret", name)
			}
		}
	}
}

func variable(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Skip(name + " is not set: make test-e2e sets it")
	}
	return v
}
