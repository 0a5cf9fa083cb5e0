package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// says reports whether the timeline holds the texts, each in a later line than the one before.
func says(v drillView, texts ...string) bool {
	for _, m := range v.Timeline {
		if len(texts) > 0 && strings.Contains(m.Change, texts[0]) {
			texts = texts[1:]
		}
	}
	return len(texts) == 0
}

// Killed after the service has committed the start and before the journal knows the run, the next 'up' finds the run, adopts it
// and carries the drill to its end; the service never gets a second one.
func TestRestart_killedBetweenTheServicesCommitAndTheRecordOfIt(t *testing.T) {
	for _, c := range []struct{ service, plan, match string }{
		{"fis", "checkout-az-outage", "run-all"}, // not the preview, which is a start as well
		{"cfg", "cart-empty", ""},
		{"oos", "node-restart", ""},
		{"ahas", "payment-cpu", ""},
	} {
		t.Run(c.service, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			p := launch(t, data)
			p.fault(sandbox.Fault{ID: "h", Fault: sandbox.Hold, Service: c.service, Kind: service.Start, Match: c.match, Times: 1})
			id := p.start(c.plan)
			p.until("the held reply", func() bool { return p.holds("h") })
			before := p.runs(c.service)
			p.kill()
			if len(before) != 1 {
				t.Fatalf("the service has the runs %+v, want one", before)
			}

			p = launch(t, data)
			v := p.play(id)
			if v.Outcome != string(drill.Completed) || v.Run != before[0].ID {
				t.Errorf("outcome %q of run %q, want completed of %q", v.Outcome, v.Run, before[0].ID)
			}
			if after := p.runs(c.service); len(after) != 1 || after[0].ID != before[0].ID || !after[0].Created.Equal(before[0].Created) {
				t.Errorf("after the restart the service has %+v, want %+v alone", after, before[0])
			}
			if !says(v, "attempt 1 begins", before[0].ID+" found, not known from its reply; adopted", "concluded") {
				t.Errorf("the timeline does not show attempt, adoption and end: %+v", v.Timeline)
			}
			for i, m := range v.Timeline {
				if i > 0 && m.At.Before(v.Timeline[i-1].At) {
					t.Errorf("rev %d is at %s, before rev %d", m.Rev, m.At, v.Timeline[i-1].Rev)
				}
			}
			if code, _, errs := cli(t, "audit", "--data", data, id); code != 0 {
				t.Errorf("audit: exit %d: %s", code, errs)
			}
		})
	}
}

func TestRestart_killedInTheMiddleOfARun(t *testing.T) {
	for plan, of := range map[string]string{"checkout-az-outage": "fis", "cart-empty": "cfg", "node-restart": "oos", "payment-cpu": "ahas"} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			p := launch(t, data)
			id := p.start(plan)
			p.until("a run whose steps are known", func() bool {
				v, ok := p.drill(id)
				return ok && v.Run != "" && len(v.Steps) > 0
			})
			was, _ := p.drill(id)
			p.kill()
			p = launch(t, data)
			v := p.play(id)
			if v.Outcome != string(drill.Completed) || v.Run != was.Run || len(p.runs(of)) != 1 {
				t.Errorf("outcome %q of run %q among %+v, want completed of %q", v.Outcome, v.Run, p.runs(of), was.Run)
			}
			if v.Verdict != drill.Expected || v.Stop.RequestedAt != nil {
				t.Errorf("verdict %q, stop %+v", v.Verdict, v.Stop)
			}
			next := p.start(plan) // and the services take new runs, under new ids
			if v := p.play(next); v.Run == was.Run || v.Outcome != string(drill.Completed) || len(p.runs(of)) != 2 {
				t.Errorf("the next drill has run %q and outcome %q, runs %+v", v.Run, v.Outcome, p.runs(of))
			}
		})
	}
}

// CFG starts in two phases; a task that was made and is not known yet is found by its title, and only it is executed.
func TestRestart_killedAfterThePreparedTaskWasMade(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := launch(t, data)
	p.fault(sandbox.Fault{ID: "h", Fault: sandbox.Hold, Service: "cfg", Kind: service.Create, Times: 1})
	id := p.start("cart-empty")
	p.until("the held reply", func() bool { return p.holds("h") })
	p.kill()
	p = launch(t, data)
	v := p.play(id)
	var all []service.Run
	p.call("GET", p.ready.Sandbox+"/_sandbox/runs?service=cfg", "", &all)
	if v.Outcome != string(drill.Completed) || len(all) != 1 || all[0].ID != v.Run {
		t.Errorf("outcome %q of run %q, tasks %+v; want completed, and the one task", v.Outcome, v.Run, all)
	}
}

func TestRestart_killedBetweenTheServicesStopAndTheRecordOfIt(t *testing.T) {
	for plan, of := range map[string]string{"checkout-az-outage": "fis", "cart-empty": "cfg", "node-restart": "oos", "payment-cpu": "ahas"} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			p := launch(t, data, "--speed", "30")
			p.fault(sandbox.Fault{ID: "h", Fault: sandbox.Hold, Service: of, Kind: service.Stop, Times: 1})
			id := p.start(plan)
			p.until("a run whose steps are known", func() bool {
				v, ok := p.drill(id)
				return ok && v.Run != "" && len(v.Steps) > 0
			})
			p.call("POST", p.ready.Sandbox+"/_sandbox/clock", `{"speed":1}`, nil) // so that the run does not end before the stop comes
			p.command("stop", `{"drill":"`+id+`","reason":"enough","actor":"local:test/ann"}`)
			p.until("the held reply", func() bool { return p.holds("h") })
			p.kill()
			p = launch(t, data)
			v := p.play(id)
			if v.Outcome != string(drill.Stopped) || v.Stop.By != "local:test/ann" || v.Stop.StoppedAt == nil || v.Stop.RestoredAt == nil {
				t.Errorf("outcome %q, stop %+v: %+v", v.Outcome, v.Stop, v.Timeline)
			}
			for _, r := range p.runs(of) {
				if len(r.Live) > 0 {
					t.Errorf("run %s is still in effect: %v", r.ID, r.Live)
				}
			}
		})
	}
}

func TestRestart_theClockDoesNotGoBack(t *testing.T) {
	data := t.TempDir()
	clock := func(p *process) (now time.Time) {
		var c struct{ Now time.Time }
		p.call("GET", p.ready.Sandbox+"/_sandbox/clock", "", &c)
		return c.Now
	}
	p := launch(t, data)
	p.call("POST", p.ready.Sandbox+"/_sandbox/clock", `{"advance":"72h"}`, nil)
	was := clock(p)
	p.call("PUT", p.ready.Sandbox+"/_sandbox/alarms/some-alarm", `{"state":"firing"}`, nil)
	p.kill()
	p = launch(t, data)
	if now := clock(p); now.Before(was) {
		t.Errorf("the clock shows %s, %s before the restart", now, was)
	}
	var alarms []sandbox.Alarm
	p.call("GET", p.ready.Sandbox+"/_sandbox/alarms", "", &alarms)
	if len(alarms) != 1 || alarms[0].State != "firing" {
		t.Errorf("alarms %+v, want the one that fires", alarms)
	}
}

func TestRestart_damagedStateIsRefusedAndLeftAlone(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "sandbox", "cfg.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"at":"2026-11-21T00:00:00Z","state":{"service":"cfg","ver`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := cli(t, "up", "--data", data, "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(errs, "cfg") || !strings.Contains(errs, filepath.Dir(file)) {
		t.Errorf("exit %d: %s", code, errs)
	}
	if got, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(got), `"ver`) {
		t.Errorf("the file is now %s, %v", got, err)
	}
}

func TestUp_twoOnOneDirectoryAreRefused(t *testing.T) {
	data := t.TempDir()
	launch(t, data)
	code, _, errs := cli(t, "up", "--data", data, "--addr", "127.0.0.1:0", "--sandbox-addr", "127.0.0.1:0")
	if code != exitFailed || !strings.Contains(errs, "another firedrill") || !strings.Contains(errs, "--data") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestUp_interruptedEndsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		busy func(p *process)
	}{
		{"idle", func(*process) {}},
		{"a drill runs", func(p *process) {
			id := p.start("checkout-az-outage")
			p.until("a run", func() bool { v, ok := p.drill(id); return ok && v.Run != "" })
		}},
		{"a reply is held", func(p *process) {
			p.fault(sandbox.Fault{ID: "h", Fault: sandbox.Hold, Service: "cfg", Kind: service.Start, Times: 1})
			p.start("cart-empty")
			p.until("the held reply", func() bool { return p.holds("h") })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := launch(t, t.TempDir())
			c.busy(p)
			if code, took := p.interrupt(); code != 0 || took > 3*time.Second+drainFor {
				t.Errorf("exit %d after %s, want 0 within %s: %s", code, took, 3*time.Second+drainFor, p.errs)
			}
		})
	}
}

func TestUp_saysWhyAPortIsNotTheWantedOne(t *testing.T) {
	for _, which := range []string{"console", "sandbox"} {
		t.Run(which, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			taken := l.Addr().String()
			w := start(t, func(set *settings, _ *screen) {
				if which == "console" {
					set.addr = taken
					return
				}
				set.sandboxAddr = taken
			})
			want := "(" + taken + " is taken: another program listens there)"
			w.until("up says why", func() bool { return strings.Count(w.out.String(), want) == 1 })
		})
	}
}

func TestUp_takesTheNextFreePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	p := launch(t, t.TempDir(), "--addr", taken, "--sandbox-addr", taken)
	got := map[string]bool{strings.TrimPrefix(p.ready.Console, "http://"): true, strings.TrimPrefix(p.ready.Sandbox, "http://"): true}
	if got[taken] || len(got) != 2 {
		t.Errorf("%s is taken; console %s, sandbox %s", taken, p.ready.Console, p.ready.Sandbox)
	}
	if status := p.call("GET", p.ready.Console+"/healthz", "", nil); status != 200 {
		t.Errorf("healthz answers %d", status)
	}
}
