package functions

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/cloudtest"
	"github.com/firedrill/firedrill/shared/host/lambdatest"
)

const (
	slackSecret = "8f742231b10e8888abcd99yyyzzz85a5" // of Slack's own example
	commands    = 200
	within      = 10 * time.Second
)

// sink is a bus that counts.
type sink struct {
	mu  sync.Mutex
	got map[string]int // by id
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	e, err2 := events.Parse(body)
	if err != nil || err2 != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[e.Type()+" "+e.ID()]++
	w.WriteHeader(http.StatusAccepted)
}

// BenchmarkChatAcknowledgement sends 200 Slack commands within 10 s to the chatops binary behind its HTTP host, each fifth of them
// four times at once as Slack does when it gets impatient, and reports how long the acknowledgements took. It fails if one is lost, or
// if a repeated command becomes two.
func BenchmarkChatAcknowledgement(b *testing.B) {
	bus := &sink{got: map[string]int{}}
	server := httptest.NewServer(bus)
	defer server.Close()
	addr := chatServer(b, server.URL)
	var took []time.Duration
	starts := 0
	for b.Loop() {
		took = append(took, storm(b, addr, starts)...)
		starts += commands
	}
	slices.SortFunc(took, cmp.Compare)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[len(took)*p/100])/float64(time.Millisecond), "p"+strconv.Itoa(p)+"_ms")
	}
	b.ReportMetric(float64(took[len(took)-1])/float64(time.Millisecond), "max_ms")
	bus.mu.Lock()
	defer bus.mu.Unlock()
	n := 0
	for id := range bus.got {
		if strings.HasPrefix(id, events.TypeStart) {
			n++
		}
	}
	if n != starts {
		b.Errorf("%d commands were sent, and %d different ones are on the bus", starts, n)
	}
	b.ReportMetric(float64(n)/float64(starts), "taken")
}

// storm sends the commands evenly, and returns how long each answer took.
func storm(b *testing.B, addr string, from int) []time.Duration {
	b.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	tick := time.NewTicker(within / commands)
	defer tick.Stop()
	for i := range commands {
		<-tick.C
		times := 1
		if i%5 == 0 {
			times = 4
		}
		for range times {
			wg.Go(func() {
				began := time.Now()
				status, text, err := slackCommand(addr, fmt.Sprintf("%d.%d", from+i, 738663015), "start a")
				d := time.Since(began)
				if err != nil || status != http.StatusOK || !strings.Contains(text, "start of a asked for") {
					b.Errorf("command %d: %d %s %v", i, status, text, err)
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, d)
			})
		}
	}
	wg.Wait()
	return took
}

func slackCommand(addr, trigger, text string) (int, string, error) {
	form := url.Values{"team_id": {"T0DRILL"}, "channel_id": {"C0DRILLS"}, "user_id": {"U0ALICE"}, "command": {"/drill"}, "text": {text},
		"response_url": {"https://hooks.slack.com/commands/x"}, "trigger_id": {trigger}, "api_app_id": {"A0DRILL"}}
	body, ts := form.Encode(), strconv.FormatInt(time.Now().Unix(), 10)
	m := hmac.New(sha256.New, []byte(slackSecret))
	m.Write([]byte("v0:" + ts + ":" + body))
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/chat/slack", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", ts)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(m.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}

// chatServer runs the chatops binary behind its HTTP host and returns its address.
func chatServer(b *testing.B, bus string) string {
	b.Helper()
	folder := b.TempDir()
	text := "version: 1\ndefaults: { timezone: UTC, environment: staging, max_duration: 10m }\n" +
		"accounts: { aws: { cloud: aws, id: \"123456789012\", region: us-east-1 } }\n" +
		"bindings: [ { role: operator, to: \"slack:T0DRILL/U0ALICE\" } ]\n" +
		"drills: { a: { title: A, owner: sre, account: aws, fis: { template: EXTwait00000000001 } } }\n"
	if err := os.WriteFile(filepath.Join(folder, "drills.yaml"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	built, err := lambdatest.Build(module+"functions/chatops/bootstrap", filepath.Join(folder, "chatops"))
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // the process listens there in a moment
	cmd := exec.Command(built.Path)
	cmd.Env = []string{
		"FIREDRILL_JOURNAL=dir://" + filepath.Join(folder, "journal"), "FIREDRILL_BUS=" + bus, "FIREDRILL_BUS_TOKENS=" + cloudtest.BusToken, "FIREDRILL_DEPLOYMENT=test",
		"FIREDRILL_MODE=SANDBOX", "FIREDRILL_CATALOG=" + filepath.Join(folder, "drills.yaml"), "FIREDRILL_ADDR=" + addr,
		"FIREDRILL_CHAT_KEYS=" + base64.StdEncoding.EncodeToString(make([]byte, 32)), "FIREDRILL_SLACK_SIGNING_SECRETS=" + slackSecret,
		"FIREDRILL_SLACK_APPS=A0DRILL", "FIREDRILL_SLACK_TENANTS=T0DRILL",
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get("http://" + addr + "/healthz"); err == nil {
			_ = res.Body.Close()
			return addr
		}
	}
	b.Fatal("it does not listen")
	return ""
}
