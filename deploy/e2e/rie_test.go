package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// emulator is one function under AWS's Runtime Interface Emulator.
type emulator struct {
	name, url string
	cmd       *exec.Cmd
	mu        sync.Mutex // it runs one invocation at a time
	logs      string     // a file
	cold      time.Duration
	calls     int
	ended     sync.Once
}

// address returns a free address of this machine's loopback.
func address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func startEmulator(t testing.TB, binary, name, bootstrap string, env []string) *emulator {
	t.Helper()
	listen := address(t)
	e := &emulator{name: name, url: "http://" + listen + "/2015-03-31/functions/function/invocations", logs: filepath.Join(t.TempDir(), name+".log")}
	logs, err := os.Create(e.logs)
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close() // the process has its own
	e.cmd = exec.Command(binary, "--log-level", "error", "--runtime-interface-emulator-address", listen, "--runtime-api-address", address(t), bootstrap)
	e.cmd.Env = append([]string{"AWS_LAMBDA_FUNCTION_TIMEOUT=60", "AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_REGION=" + region, "AWS_EC2_METADATA_DISABLED=true", "HOME=" + t.TempDir()}, env...)
	e.cmd.Stdout, e.cmd.Stderr = logs, logs
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its bootstrap ends with it
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", listen, time.Second)
		if err == nil {
			_ = conn.Close()
			return e
		}
		if time.Now().After(end) {
			t.Fatalf("the emulator of %s does not listen: %v\n%s", name, err, e.log())
		}
	}
}

// stop ends the emulator with its bootstrap; it may have been stopped before.
func (e *emulator) stop() {
	e.ended.Do(func() {
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL) // the group that was made for it
		_ = e.cmd.Wait()
	})
}

// invoke hands over one payload and returns the reply. A function that failed answers with an error document.
func (e *emulator) invoke(payload []byte) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	begin := time.Now()
	client := &http.Client{Timeout: 70 * time.Second}
	response, err := client.Post(e.url, "application/json", bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", e.name, err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", e.name, err)
	}
	if e.calls++; e.calls == 1 {
		e.cold = time.Since(begin)
	}
	var failed struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(reply, &failed) // a reply need not be an object
	if response.StatusCode != http.StatusOK || failed.Message != "" || bytes.HasPrefix(reply, []byte("Task timed out")) {
		return reply, fmt.Errorf("invoke %s: %s: %s", e.name, response.Status, reply)
	}
	return reply, nil
}

func (e *emulator) log() string {
	data, err := os.ReadFile(e.logs)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
