// Package lambdatest is Lambda's runtime API for tests: it hands payloads to a real bootstrap process and takes its replies, with the
// headers and the deadline that Lambda sets. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Reply is how an invocation ended.
type Reply struct {
	Body  []byte // the function's reply, or the error document
	Error string // the error's message, "" for success
}

// Runtime is the API and one process that it drives.
type Runtime struct {
	t      testing.TB
	server *httptest.Server
	work   chan *invocation
	ready  chan struct{} // closed at the first /next
	once   sync.Once
	n      atomic.Int64
	began  atomic.Int64 // when the process was started, in nanoseconds
	cold   atomic.Int64 // nanoseconds from the process's start to the first /next

	mu      sync.Mutex
	pending map[string]*invocation

	cmd  *exec.Cmd
	logs *lockedBuffer
	exit chan struct{}
	code atomic.Int64
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan Reply
}

// Start runs a bootstrap with an environment of its own, and ends it with the test.
func Start(t testing.TB, bootstrap string, env ...string) *Runtime {
	t.Helper()
	r := &Runtime{t: t, work: make(chan *invocation), ready: make(chan struct{}), pending: map[string]*invocation{}, logs: &lockedBuffer{}, exit: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", r.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", r.failure)
	r.server = httptest.NewServer(mux)
	r.cmd = exec.Command(bootstrap)
	r.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(r.server.URL, "http://"), "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_LAMBDA_FUNCTION_NAME=" + filepath.Base(filepath.Dir(bootstrap)), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "TZ=:UTC",
	}, env...)
	r.cmd.Stdout, r.cmd.Stderr = r.logs, r.logs
	r.began.Store(time.Now().UnixNano())
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // the status is in ProcessState
		r.code.Store(int64(r.cmd.ProcessState.ExitCode()))
		close(r.exit)
	}()
	t.Cleanup(r.Stop)
	return r
}

// Stop kills the process and waits for its end.
func (r *Runtime) Stop() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.exit
	r.server.CloseClientConnections()
	r.server.Close()
}

// Ready waits until the process asks for work, and returns how long that took.
func (r *Runtime) Ready() time.Duration {
	r.t.Helper()
	if cold := r.cold.Load(); cold > 0 {
		return time.Duration(cold)
	}
	select {
	case <-r.ready:
	case <-r.exit:
		r.t.Fatalf("the process ended:\n%s", r.Logs())
	case <-time.After(20 * time.Second):
		r.t.Fatalf("the process does not ask for work:\n%s", r.Logs())
	}
	return time.Duration(r.cold.Load())
}

// Invoke hands over one payload and returns the reply.
func (r *Runtime) Invoke(payload []byte, timeout time.Duration) Reply {
	r.t.Helper()
	got, err := r.Try(payload, timeout)
	if err != nil {
		r.t.Fatalf("%v:\n%s", err, r.Logs())
	}
	return got
}

// Try is Invoke for goroutines other than the test's own.
func (r *Runtime) Try(payload []byte, timeout time.Duration) (Reply, error) {
	v := &invocation{id: fmt.Sprintf("request-%d", r.n.Add(1)), payload: payload, deadline: time.Now().Add(timeout), done: make(chan Reply, 1)}
	ctx, cancel := context.WithTimeout(context.Background(), timeout+5*time.Second)
	defer cancel()
	select {
	case r.work <- v:
	case <-ctx.Done():
		return Reply{}, errors.New("the process takes no work")
	case <-r.exit:
		return Reply{}, errors.New("the process has ended")
	}
	select {
	case got := <-v.done:
		return got, nil
	case <-ctx.Done():
		return Reply{}, errors.New("no reply within the deadline")
	case <-r.exit:
		return Reply{}, errors.New("the process ended before it replied")
	}
}

// Signal sends SIGTERM and returns the exit status and how long the process took.
func (r *Runtime) Signal() (int, time.Duration) {
	r.t.Helper()
	begin := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-r.exit:
	case <-time.After(10 * time.Second):
		r.t.Fatalf("the process does not end:\n%s", r.Logs())
	}
	return int(r.code.Load()), time.Since(begin)
}

// Exit waits until the process has ended by itself and returns its status.
func (r *Runtime) Exit() int {
	r.t.Helper()
	select {
	case <-r.exit:
	case <-time.After(10 * time.Second):
		r.t.Fatalf("the process does not end:\n%s", r.Logs())
	}
	return int(r.code.Load())
}

// PeakRSS is the most memory that the running process had so far, in KiB; 0 where the system does not tell. What wait(2) says would
// count the test's own memory, from which the process was forked.
func (r *Runtime) PeakRSS() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	if err != nil {
		return 0
	}
	return kib
}

// PID is the process's id.
func (r *Runtime) PID() int { return r.cmd.Process.Pid }

// Logs is all that the process wrote.
func (r *Runtime) Logs() string { return r.logs.String() }

func (r *Runtime) next(w http.ResponseWriter, req *http.Request) {
	r.once.Do(func() {
		r.cold.Store(int64(time.Since(time.Unix(0, r.began.Load()))))
		close(r.ready)
	})
	select {
	case v := <-r.work:
		r.mu.Lock()
		r.pending[v.id] = v
		r.mu.Unlock()
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", v.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:test")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(v.payload) // the process is gone: its test will see
	case <-req.Context().Done():
	}
}

func (r *Runtime) take(id string) *invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.pending[id]
	delete(r.pending, id)
	return v
}

func (r *Runtime) response(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	v := r.take(req.PathValue("id"))
	if v == nil || err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	v.done <- Reply{Body: body}
}

func (r *Runtime) failure(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	v := r.take(req.PathValue("id"))
	if v == nil || err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var e struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(body, &e) // the body is kept as it is
	if e.Message == "" {
		e.Message = "an error without a message"
	}
	w.WriteHeader(http.StatusAccepted)
	v.done <- Reply{Body: body, Error: e.Message}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write adds to the buffer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns all that was written.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Built is a function's bootstrap and what the linker said about it.
type Built struct {
	Path    string
	Size    int64
	Reflect bool // the linker had to keep every exported method
}

// Build builds a main package of this module with the flags that the clouds get.
func Build(pkg, folder string) (Built, error) {
	out := Built{Path: filepath.Join(folder, "bootstrap")}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,timetzdata", "-ldflags", "-s -w -dumpdep", "-o", out.Path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	found := &finder{what: []byte("<ReflectMethod>")}
	cmd.Stderr = found
	if err := cmd.Run(); err != nil {
		return out, fmt.Errorf("build %s: %w: %s", pkg, err, found.last())
	}
	info, err := os.Stat(out.Path)
	if err != nil {
		return out, err
	}
	out.Size, out.Reflect = info.Size(), found.found
	return out, nil
}
