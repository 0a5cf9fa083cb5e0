package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/deploy/sam"
	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/journal"
	store "github.com/firedrill/firedrill/shared/journal/s3"
)

const patience = 60 * time.Second

// cloud is an account, and a function under the emulator for each of the template's.
type cloud struct {
	*cloudtest.Cloud
	account   *account
	bucket    string // where its S3 is
	functions map[string]*emulator
	queued    map[string]bool // functions that are fed from a queue

	mu    sync.Mutex
	sent  []delivery // everything that a function was handed, but for ticks
	busy  int        // deliveries that are under way
	moved time.Time  // when one last began or ended
}

type delivery struct {
	function string
	payload  []byte
}

func newCloud(t *testing.T, rie, endpoint string) *cloud {
	t.Helper()
	c := &cloud{Cloud: cloudtest.New(t), account: newAccount(t, endpoint), bucket: oneByOne(t, endpoint), functions: map[string]*emulator{}, queued: map[string]bool{}}
	tpl, err := sam.Load(filepath.Join("..", "..", "template.yaml"), map[string]string{"Secrets": "drills", "Mode": "SANDBOX", "ObserveEvery": "1s"})
	must(t, err)
	c.account.wire(tpl, "firedrill-prod")
	built := cloudtest.BuildAll(t)
	c.account.put("catalog/drills.yaml", c.Catalogue())
	place, err := store.ParseURL(c.there("s3://" + bucket + "/journal?region=" + region))
	must(t, err)
	place.Credentials = func(context.Context) (store.Credentials, error) {
		return store.Credentials{AccessKey: accessKey, Secret: secret}, nil
	}
	place.Wait = func(context.Context, time.Duration) error { return nil }
	s, err := store.Open(place)
	must(t, err)
	c.Journal = journal.Open(s, journal.Options{Now: time.Now, Nonce: func() string { return "reader" }})
	c.Settle, c.Logs = c.settle, func(name string) string { return c.functions[name].log() }
	c.Invoke = func(name string, payload []byte) ([]byte, error) { return c.functions[name].invoke(payload) }
	for _, name := range tpl.Functions() {
		c.queued[name] = len(tpl.Queues(name)) > 0
		c.functions[name] = startEmulator(t, rie, name, built[name].Path, c.env(tpl, name))
	}
	c.run()
	return c
}

// there adds where S3 and EventBridge are in this test.
func (c *cloud) there(place string) string {
	if strings.HasPrefix(place, "s3:") {
		return place + "&path_style=true&endpoint=" + c.bucket
	}
	return place + "&endpoint=" + c.account.endpoint
}

// oneByOne stands before a server of S3 and lets no two writes with a condition overlap. moto is threads in Python, two of which may both find a
// key missing; S3 and gofakes3 do not do that, and what the journal's own tests on moto show is not to be shown here again.
func oneByOne(t *testing.T, endpoint string) string {
	t.Helper()
	u, err := url.Parse(endpoint)
	must(t, err)
	var mu sync.Mutex
	proxy := httputil.NewSingleHostReverseProxy(u)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			mu.Lock()
			defer mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// env is what the template gives a function, with its resources in place and secrets resolved as CloudFormation does.
func (c *cloud) env(tpl *sam.Template, name string) []string {
	values := map[string]string{
		"FIREDRILL_DEADLETTER": c.account.address("refused"), "FIREDRILL_ALARM_TOKENS": cloudtest.HookToken, "FIREDRILL_WEBHOOK_SECRETS": cloudtest.InSecret,
		"FIREDRILL_WEBHOOK_OUT_SECRETS": cloudtest.OutSecret, "FIREDRILL_ENDPOINT_FIS": c.BoxURL,
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

// run hands over, twice, what the rules put on the functions' queues, until the test ends.
func (c *cloud) run() {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for name := range c.functions {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
					c.pump(name)
				}
			}
		})
	}
	c.T.Cleanup(func() { close(stop); wg.Wait() })
}

// pump is EventBridge's side of one function: every event comes twice, and again where it failed.
func (c *cloud) pump(name string) {
	got, err := c.account.receive(name)
	if err != nil {
		c.Fail(name, err)
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

func (c *cloud) keep(name string, payload []byte) {
	found, err := inbound.AWS(payload)
	if err != nil {
		c.Fail(name, fmt.Errorf("what it was sent cannot be read: %w: %s", err, payload))
	}
	if name == "notify" { // it is sent every fact
		c.Said(found...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, delivery{name, payload})
}

func (c *cloud) hand(name string, payload []byte) {
	c.note(1)
	defer c.note(-1)
	var err error
	for range 3 {
		if err = c.invoked(name, payload); err == nil {
			return
		}
	}
	c.Fail(name, err)
}

// invoked calls a function with an event, in a batch of one where a queue feeds it.
func (c *cloud) invoked(name string, payload []byte) error {
	if !c.queued[name] {
		_, err := c.functions[name].invoke(payload)
		return err
	}
	batch, err := json.Marshal(map[string]any{"Records": []map[string]string{{"messageId": "m1", "body": string(payload), "eventSource": "aws:sqs"}}})
	if err != nil {
		return err
	}
	reply, err := c.functions[name].invoke(batch)
	if err == nil && string(reply) != `{"batchItemFailures":[]}` {
		err = fmt.Errorf("%s answered a batch with %s", name, reply)
	}
	return err
}

// settle waits until no function has been handed anything for a while.
func (c *cloud) settle() {
	c.T.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c.mu.Lock()
		quiet := c.busy == 0 && time.Since(c.moved) > 1500*time.Millisecond
		c.mu.Unlock()
		if quiet {
			return
		}
	}
	c.T.Fatal("the functions do not come to rest")
}

func variable(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Skip(name + " is not set: make test-e2e sets it")
	}
	return v
}
