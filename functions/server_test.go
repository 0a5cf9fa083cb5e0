package functions

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/functions/cloudtest"
)

// server runs the same binary where there is no function runtime: a container.
func (c *cloud) server(t *testing.T, bootstrap string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // the process listens there in a moment
	cmd := exec.Command(bootstrap)
	var logs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(cloudtest.Environment(c.folder, "start", "http://127.0.0.1:9", "http://127.0.0.1:9"), "FIREDRILL_ADDR="+addr), &logs, &logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }() // it has ended, if all went well
	health := 0
	for end := time.Now().Add(10 * time.Second); health != http.StatusOK && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get("http://" + addr + "/healthz"); err == nil {
			health = res.StatusCode
			_ = res.Body.Close()
		}
	}
	for token, want := range map[string]int{cloudtest.BusToken: http.StatusNoContent, "another": http.StatusUnauthorized} {
		body := `{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.signal.tick.v1","data":{"at":"2020-01-01T00:00:00Z"}}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/cloudevents+json")
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("a tick with token %q was answered with %d", token, res.StatusCode)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, &logs)
	}
}
