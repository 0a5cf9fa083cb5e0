package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// childArgs names the variable that turns the test binary into the command: its arguments, as JSON.
const childArgs = "FIREDRILL_TEST_ARGS"

// TestProcess_child is the command itself when a test starts this binary anew; it tests nothing.
func TestProcess_child(t *testing.T) {
	text := os.Getenv(childArgs)
	if text == "" {
		t.Skip("only for the processes that other tests start")
	}
	var args []string
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatal(err)
	}
	os.Args = append(os.Args[:1], args...)
	main()
}

// process is an 'up' in a process of its own.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	errs  *output
	ended chan struct{} // closed when the process has ended
	ready struct{ Mode, Console, Sandbox string }
}

// launch starts 'up' on a data directory and returns once it says where it answers.
func launch(t *testing.T, data string, more ...string) *process {
	t.Helper()
	args := append([]string{"up", "--json", "--data", data, "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0", "--speed", "100", "--observe-every", "10s"}, more...)
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestProcess_child$"), errs: &output{}, ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), childArgs+"="+string(text)), p.errs
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	lines := bufio.NewReader(out)
	first, err := lines.ReadBytes('\n')
	go func() {
		_, _ = io.Copy(io.Discard, lines) // facts
		_ = p.cmd.Wait()                  // its state says how it ended
		close(p.ended)
	}()
	if err != nil || json.Unmarshal(first, &p.ready) != nil || p.ready.Console == "" {
		<-p.ended
		t.Fatalf("up did not start: %q, %v: %s", first, err, p.errs)
	}
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it fails if the process has ended
	<-p.ended
}

// call makes a request; into is what the JSON answer is read into, nil for nothing.
func (p *process) call(method, url, body string, into any) int {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", ceJSON)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", method, url, err, p.errs)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && into != nil && res.StatusCode < 300 {
		err = json.NewDecoder(bytes.NewReader(b)).Decode(into)
	}
	if err != nil {
		p.t.Fatalf("%s %s: %v in %s", method, url, err, b)
	}
	return res.StatusCode
}

func (p *process) command(kind, data string) (id string) {
	p.t.Helper()
	var got struct{ Drill string }
	if status := p.call("POST", p.ready.Console+"/events", structured(random(16), "command."+kind, data), &got); status != http.StatusAccepted {
		p.t.Fatalf("%s %s: status %d", kind, data, status)
	}
	return got.Drill
}

func (p *process) start(plan string) string {
	p.t.Helper()
	return p.command("start", fmt.Sprintf(`{"plan":%q,"actor":"local:test/ann"}`, plan))
}

func (p *process) drill(id string) (v drillView, ok bool) {
	p.t.Helper()
	return v, p.call("GET", p.ready.Console+"/api/drills/"+id, "", &v) == http.StatusOK
}

// runs lists the runs that a service has executed, previews left out.
func (p *process) runs(of string) []service.Run {
	p.t.Helper()
	var all, out []service.Run
	p.call("GET", p.ready.Sandbox+"/_sandbox/runs?service="+of, "", &all)
	for _, r := range all {
		if r.Executed && !r.Preview {
			out = append(out, r)
		}
	}
	return out
}

func (p *process) fault(f sandbox.Fault) {
	p.t.Helper()
	b, err := json.Marshal(map[string]any{"id": f.ID, "fault": f.Fault, "service": f.Service, "kind": f.Kind, "match": f.Match, "times": f.Times})
	if err != nil {
		p.t.Fatal(err)
	}
	if status := p.call("POST", p.ready.Sandbox+"/_sandbox/faults", string(b), nil); status != http.StatusCreated {
		p.t.Fatalf("fault %s: status %d", b, status)
	}
}

// holds reports whether the fault holds a reply now.
func (p *process) holds(id string) bool {
	var all []sandbox.Fault
	p.call("GET", p.ready.Sandbox+"/_sandbox/faults", "", &all)
	for _, f := range all {
		if f.ID == id && f.Holding > 0 {
			return true
		}
	}
	return false
}

func (p *process) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s did not come in %s\n%s", what, patience, p.errs)
		}
	}
}

// play answers gates and claims until the drill is concluded.
func (p *process) play(id string) (v drillView) {
	p.t.Helper()
	said := map[string]bool{}
	first := func(what string) bool { was := said[what]; said[what] = true; return !was }
	defer func() {
		if p.t.Failed() {
			p.t.Logf("%s is %s, %s: %+v", id, v.Status, v.LastError, v.Timeline)
		}
	}()
	p.until(id+" is concluded", func() (ok bool) {
		if v, ok = p.drill(id); !ok {
			return false
		}
		for _, g := range v.Gates {
			switch c := g.Choices[0]; {
			case !first(g.ID):
			case c.Action == drill.ApproveRun:
				p.command("approve", fmt.Sprintf(`{"drill":%q,"gate":%q,"actor":"local:test/bob"}`, id, g.ID))
			default:
				p.command("advance", fmt.Sprintf(`{"drill":%q,"gate":%q,"step":%q,"action":%q,"actor":"local:test/bob"}`, id, g.ID, c.Step, c.Action))
			}
		}
		for _, c := range v.Claims {
			if v.Status == string(drill.Concluding) && first(c.ID) {
				p.command("answer", fmt.Sprintf(`{"drill":%q,"claim":%q,"holds":true,"actor":"local:test/bob"}`, id, c.ID))
			}
		}
		return v.Status == string(drill.Concluded)
	})
	return v
}

// interrupt is Ctrl-C; it returns the exit code and how long the process took to end.
func (p *process) interrupt() (code int, took time.Duration) {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatal("it did not end after Ctrl-C")
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(began)
}
