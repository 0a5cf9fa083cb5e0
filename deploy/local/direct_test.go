package main

import (
	"net"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// noAHAS is a catalogue whose services all keep marks.
const noAHAS = `version: 1
defaults: { timezone: UTC, environment: staging, max_duration: 10m }
accounts:
  aws-sandbox: { cloud: aws, id: "123456789012", region: us-east-1 }
  tx-sandbox: { cloud: tencent, id: "100032429988", region: ap-guangzhou }
  ali-sandbox: { cloud: aliyun, id: "1234567890", region: cn-hangzhou }
`

func TestDiscover_itsPlansLoadWithoutMistakes(t *testing.T) {
	w := start(t)
	accounts := write(t, "accounts.yaml", noAHAS)
	code, out, errs := cli(t, "discover", "--sandbox", w.s.boxURL, "--catalog", accounts)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"drills:\n", "EXTwait00000000001", "template: 626", `experiment: "1234567890123456789"`, "template: loop-echo"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what was found:\n%s", want, out)
		}
	}
	pasted := write(t, "drills.yaml", noAHAS+out)
	code, checked, errs := cli(t, "check", "--catalog", pasted)
	if code != 0 {
		t.Errorf("pasted into a catalogue it has mistakes: %s%s", checked, errs)
	}
	code, again, errs := cli(t, "discover", "--sandbox", w.s.boxURL, "--catalog", pasted)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	both := write(t, "both.yaml", noAHAS+out+strings.TrimPrefix(again, "drills:\n"))
	if code, checked, _ := cli(t, "check", "--catalog", both); code != 0 {
		t.Errorf("pasted twice, names are not free: %s", checked)
	}

	code, out, _ = cli(t, "discover", "--sandbox", w.s.boxURL, "--catalog", accounts, "--account", "tx-sandbox", "--json")
	if code != 0 || !strings.Contains(out, `"service": "cfg"`) || strings.Contains(out, `"service": "fis"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if n := len(w.s.box.Runs()); n != 0 {
		t.Errorf("discover made %d runs", n)
	}
}

func TestStopDirect_oneRun(t *testing.T) {
	w := start(t)
	other := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(other); return ok && len(v.Gates) == 1 })
	one := w.injecting("checkout-az-outage")
	v, _ := w.drill(one)
	code, out, errs := cli(t, "stop", "--direct", "--sandbox", w.s.boxURL, "zzzzzzzz")
	if code != 1 || !strings.Contains(errs, `no live run carries the mark of drill "zzzzzzzz" or has that id`) {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if live := w.s.box.Live(); len(live) == 0 {
		t.Error("the wrong id stopped something")
	}
	code, out, errs = cli(t, "stop", "--direct", "--sandbox", w.s.boxURL, v.Run)
	if code != 0 || !strings.Contains(out, "1 run(s) stopped, each confirmed by its service") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if live := w.s.box.Live(); len(live) != 0 {
		t.Errorf("still live: %+v", live)
	}
	if v, _ := w.drill(other); len(v.Gates) != 1 || v.Status != string(drill.Waiting) {
		t.Errorf("the other drill is %s", v.Status)
	}
}

func TestStopDirect_all(t *testing.T) {
	w := start(t)
	accounts := write(t, "accounts.yaml", noAHAS)
	other := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(other); return ok && len(v.Gates) == 1 })
	w.injecting("checkout-az-outage")
	code, out, errs := cli(t, "stop", "--direct", "--all", "--sandbox", w.s.boxURL, "--catalog", accounts)
	if code != 0 || !strings.Contains(out, "2 run(s) stopped, each confirmed by its service") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	for _, r := range w.s.box.Runs() {
		if len(r.Live) > 0 {
			t.Errorf("%s run %s is live: %v", r.Service, r.ID, r.Live)
		}
	}
	code, _, errs = cli(t, "stop", "--direct", "--all", "--sandbox", w.s.boxURL)
	if code != 1 || !strings.Contains(errs, "ahas in ali-sandbox keeps no mark") {
		t.Errorf("runs that could not be searched are not told: exit %d: %s", code, errs)
	}
	broken := write(t, "broken.yaml", noAHAS+"drills: { x: { titel: broken } }\n")
	if code, _, errs := cli(t, "stop", "--direct", "--all", "--sandbox", w.s.boxURL, "--catalog", broken); code != 0 {
		t.Errorf("a mistake in a plan keeps from stopping: exit %d: %s", code, errs)
	}
}

func TestStopDirect_withoutLiveAndWithoutASandbox(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, about := range []string{"--all", "zzzzzzzz"} {
		code, out, errs := cli(t, "stop", "--direct", about, "--sandbox", nobody, "--catalog", write(t, "accounts.yaml", noAHAS))
		for _, want := range []string{"nothing was stopped", "none answers at " + nobody, "add --live"} {
			if code != 1 || !strings.Contains(errs, want) {
				t.Errorf("%s: exit %d, no %q in: %s%s", about, code, want, out, errs)
			}
		}
	}
}

func TestStopDirect_aStopThatLies(t *testing.T) {
	w := start(t)
	accounts := write(t, "accounts.yaml", noAHAS)
	other := w.ask("cart-empty", "{}")
	w.until("the gate is open", func() bool { v, ok := w.drill(other); return ok && len(v.Gates) == 1 })
	w.injecting("checkout-az-outage")
	w.s.clock.SetSpeed(1) // the fault outlasts the wait
	if _, err := w.s.box.AddFault(sandbox.Fault{Service: "fis", Kind: "stop", Fault: sandbox.Lie}); err != nil {
		t.Fatal(err)
	}
	code, out, errs := cli(t, "stop", "--direct", "--all", "--wait", "3s", "--sandbox", w.s.boxURL, "--catalog", accounts)
	if code != 1 || !strings.Contains(errs, "is not confirmed as stopped") || strings.Contains(out, "confirmed by its service") {
		t.Errorf("a stop that lies was believed: exit %d: %s%s", code, out, errs)
	}
	if v, _ := w.drill(other); !strings.Contains(out, "stopped: "+v.Run) {
		t.Errorf("the lie of one service kept another from being stopped: %s%s", out, errs)
	}
	if len(w.s.box.Live()) == 0 {
		t.Error("the fault is gone: the test proves nothing")
	}
}

func TestDemo(t *testing.T) {
	code, out, errs := cli(t, "demo", "--data", t.TempDir(), "--speed", "10") // a slow machine needs time to raise the alarm
	if code != 0 || !strings.Contains(out, "all 4 drills ended as they should") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"(fis run EXP", "(cfg run ", "(oos run exec-", "(ahas run ", "verdict  unexpected", "verdict  expected", "report   ", "stop requested "} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	for _, line := range strings.Split(out[:strings.Index(out, "(fis run")], "\n") {
		if span(line) > columns {
			t.Errorf("a line of %d columns: %s", span(line), line)
		}
	}
}

func TestDemo_aStopThatLiesFailsIt(t *testing.T) {
	code, out, errs := cli(t, "demo", "--data", t.TempDir(), "--speed", "100", "--fault", `{"service":"fis","kind":"stop","fault":"lie"}`)
	if code != 1 || !strings.Contains(errs, "checkout-az-outage is ") || strings.Contains(out, "ended as they should") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
