package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

func TestCommand_exitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		text string
	}{
		"nothing":                {nil, 0, ""},
		"help":                   {[]string{"help"}, 0, ""},
		"an unknown command":     {[]string{"bogus"}, 2, `there is no command "bogus"`},
		"a command misspelt":     {[]string{"chekc"}, 2, "did you mean check?"},
		"an unknown flag":        {[]string{"check", "--nope"}, 2, "unknown flag: --nope"},
		"a word too many":        {[]string{"up", "now"}, 2, "see 'firedrill up --help'"},
		"a speed of zero":        {[]string{"up", "--speed", "0"}, 2, "--speed 0"},
		"a speed with --live":    {[]string{"up", "--speed", "2", "--live"}, 2, "real services keep real time"},
		"an address elsewhere":   {[]string{"up", "--addr", "0.0.0.0:8080"}, 2, "listens on this machine only"},
		"an address without end": {[]string{"up", "--addr", "127.0.0.1"}, 2, "write it like 127.0.0.1:8080"},
		"no catalogue":           {[]string{"up", "--catalog", "nowhere.yaml", "--addr", "127.0.0.1:0"}, 1, "nowhere.yaml"},
		"send nothing":           {[]string{"send"}, 2, "send:"},
		"a wrong verb":           {[]string{"send", "explode"}, 2, `"explode" is no verb; 'firedrill send --help' lists them`},
		"start what":             {[]string{"send", "start"}, 2, "plan: missing"},
		"stop what":              {[]string{"send", "stop"}, 2, "drill: missing"},
		"a parameter without =":  {[]string{"send", "start", "cart-cpu", "seconds"}, 2, "is not name=value"},
		"neither yes nor no":     {[]string{"send", "answer", "3kq7ab", "c1", "maybe"}, 2, "neither yes nor no"},
		"a wrong scope":          {[]string{"send", "halt", "everything"}, 2, "write all, environment/<name> or plan/<name>"},
		"release without reason": {[]string{"send", "release", "all"}, 2, "reason: missing"},
		"a wrong verdict":        {[]string{"send", "conclude", "3kq7ab", "good", "x"}, 2, "verdict"},
		"a wrong alarm state":    {[]string{"send", "alarm", "x", "maybe"}, 2, "state"},
		"too many words":         {[]string{"send", "approve", "3kq7ab", "g", "h"}, 2, "one word too many"},
		"no such file":           {[]string{"send", "nowhere.json"}, 2, "nowhere.json"},
		"nobody listens":         {[]string{"send", "--to", "http://127.0.0.1:1", "start", "cart-cpu"}, 1, "no console answers at http://127.0.0.1:1: start it with 'firedrill up'"},
		"no URL":                 {[]string{"send", "--to", "::", "start", "cart-cpu"}, 2, "--to"},
		"stop what, by name":     {[]string{"stop"}, 2, "name a drill or a run, or say --all"},
		"stop two things":        {[]string{"stop", "3kq7ab", "--all"}, 2, "name a drill or a run, or say --all"},
		"an unknown account":     {[]string{"discover", "--account", "nobody"}, 2, `there is no account "nobody"; the catalogue has`},
		"no sandbox":             {[]string{"discover", "--sandbox", "http://127.0.0.1:1", "--account", "aws-sandbox"}, 1, "aws-sandbox"},
		"a fault misspelt":       {[]string{"demo", "--data", t.TempDir(), "--fault", `{"fault":"lies"}`}, 2, "--fault"},
		"audit of no drill":      {[]string{"audit", "--data", journaled(t), "zzzzzz"}, 1, `there is no drill "zzzzzz"; 'firedrill audit' lists all drills`},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := cli(t, c.args...)
			if code != c.code || !strings.Contains(errs, c.text) {
				t.Errorf("exit %d, want %d with %q: %s%s", code, c.code, c.text, out, errs)
			}
			if code != 0 && strings.Contains(errs, "goroutine") {
				t.Errorf("it panicked: %s", errs)
			}
		})
	}
}

func TestCommand_helpTeaches(t *testing.T) {
	_, list, _ := cli(t, "--help")
	for _, c := range command().Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		t.Run(c.Name(), func(t *testing.T) {
			code, out, errs := cli(t, c.Name(), "--help")
			if code != 0 || errs != "" {
				t.Fatalf("exit %d: %s", code, errs)
			}
			if !strings.Contains(out, "Examples:\n  firedrill "+c.Name()) || len(c.Long) < 2*len(c.Short) {
				t.Errorf("the help shows no example, or says little:\n%s", out)
			}
			if !strings.Contains(list, c.Short) {
				t.Errorf("the list of commands does not say %q", c.Short)
			}
			for _, line := range strings.Split(out, "\n") {
				if span(line) > 150 {
					t.Errorf("a line of %d columns: %s", span(line), line)
				}
			}
		})
	}
}

// fakeConsole is a console that keeps what is posted.
func fakeConsole(t *testing.T) (url string, last func() events.Event) {
	t.Helper()
	var got events.Event
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := events.Parse(body)
		if err == nil {
			err = events.Check(e)
		}
		if err != nil || r.URL.Path != "/events" || r.Header.Get("Content-Type") != ceJSON {
			respondError(w, http.StatusBadRequest, fmt.Errorf("%s %s: %w", r.Method, r.URL, err))
			return
		}
		got = e
		respond(w, http.StatusAccepted, map[string]string{"id": e.ID(), "type": e.Type()})
	}))
	t.Cleanup(server.Close)
	return server.URL, func() events.Event { return got }
}

func TestSend_everyVerb(t *testing.T) {
	url, last := fakeConsole(t)
	own := write(t, "own.json", structured("own", "command.note", `{"drill":"3kq7ab2mzc234","text":"mine","actor":"local:a/b"}`))
	for words, want := range map[string]string{
		"start cart-cpu seconds=60 x=a=b":      `command.start {"plan":"cart-cpu","parameters":{"seconds":"60","x":"a=b"},"actor":"local:a/b"}`,
		"start cart-cpu --dry-run":             `command.start {"plan":"cart-cpu","dry_run":true,"actor":"local:a/b"}`,
		"approve 3kq7ab":                       `command.approve {"drill":"3kq7ab","actor":"local:a/b"}`,
		"approve 3kq7ab g1":                    `command.approve {"drill":"3kq7ab","gate":"g1","actor":"local:a/b"}`,
		"reject 3kq7ab":                        `command.reject {"drill":"3kq7ab","actor":"local:a/b"}`,
		"execute 3kq7ab s1":                    `command.advance {"drill":"3kq7ab","step":"s1","action":"execute","actor":"local:a/b"}`,
		"SKIP 3kq7ab":                          `command.advance {"drill":"3kq7ab","action":"skip","actor":"local:a/b"}`,
		"retry 3kq7ab":                         `command.advance {"drill":"3kq7ab","action":"retry","actor":"local:a/b"}`,
		"cancel 3kq7ab":                        `command.advance {"drill":"3kq7ab","action":"cancel","actor":"local:a/b"}`,
		"complete 3kq7ab":                      `command.advance {"drill":"3kq7ab","action":"complete","actor":"local:a/b"}`,
		"pause 3kq7ab":                         `command.advance {"drill":"3kq7ab","action":"pause","actor":"local:a/b"}`,
		"resume 3kq7ab":                        `command.advance {"drill":"3kq7ab","action":"resume","actor":"local:a/b"}`,
		"stop 3kq7ab too much noise":           `command.stop {"drill":"3kq7ab","reason":"too much noise","actor":"local:a/b"}`,
		"stop all":                             `command.stop {"drill":"all","actor":"local:a/b"}`,
		"halt environment/staging a reason":    `command.halt {"scope":"environment/staging","reason":"a reason","actor":"local:a/b"}`,
		"release all over now":                 `command.release {"scope":"all","reason":"over now","actor":"local:a/b"}`,
		"note 3kq7ab we saw it":                `command.note {"drill":"3kq7ab","text":"we saw it","actor":"local:a/b"}`,
		"answer 3kq7ab c1 yes":                 `command.answer {"drill":"3kq7ab","claim":"c1","holds":true,"actor":"local:a/b"}`,
		"answer 3kq7ab c1 no it broke":         `command.answer {"drill":"3kq7ab","claim":"c1","holds":false,"note":"it broke","actor":"local:a/b"}`,
		"conclude 3kq7ab expected all is well": `command.conclude {"drill":"3kq7ab","verdict":"expected","summary":"all is well","actor":"local:a/b"}`,
		own:                                    `command.note {"drill":"3kq7ab2mzc234","text":"mine","actor":"local:a/b"}`,
	} {
		t.Run(words, func(t *testing.T) {
			code, out, errs := cli(t, append([]string{"send", "--to", url, "--actor", "local:a/b"}, strings.Fields(words)...)...)
			if code != 0 {
				t.Fatalf("exit %d: %s%s", code, out, errs)
			}
			e := last()
			got := strings.TrimSuffix(strings.TrimPrefix(e.Type(), "dev.firedrill."), ".v1") + " " + string(e.Data())
			if got != want || e.ID() == "" {
				t.Errorf("sent %s\nwant %s", got, want)
			}
		})
	}
	t.Run("alarm", func(t *testing.T) {
		for _, state := range []string{"firing", "resolved"} {
			if code, _, errs := cli(t, "send", "--to", url, "alarm", "checkout-5xx", state); code != 0 {
				t.Fatal(errs)
			}
			a, err := events.Decode[events.Alarm](last())
			if err != nil || a.Name != "checkout-5xx" || a.State != state || a.Source != "local" || a.ID == "" {
				t.Errorf("alarm %+v, %v", a, err)
			}
		}
	})
	t.Run("from standard input", func(t *testing.T) {
		code, out, errs := typed(t, structured("typed", "signal.tick", `{"at":"2026-11-24T10:00:00Z"}`), "send", "--to", url, "--json", "-")
		var got struct{ ID, Type string }
		if code != 0 || json.Unmarshal([]byte(out), &got) != nil || got.ID != "typed" || got.Type != events.TypeTick {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
	})
	t.Run("what the console refuses is said", func(t *testing.T) {
		code, _, errs := typed(t, structured("x", "command.explode", `{}`), "send", "--to", url, "-")
		if code != 1 || !strings.Contains(errs, "command.explode") {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
}

func TestSend_toARunningUp(t *testing.T) {
	w := start(t)
	code, out, errs := cli(t, "send", "--to", w.url, "start", "cart-empty")
	id := strings.TrimPrefix(strings.Split(out, "\n")[0], "asked for drill ")
	if code != 0 || !strings.Contains(out, w.url+"/r/"+id) {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	w.until("the gate is open", func() bool { v, ok := w.drill(id); return ok && len(v.Gates) == 1 })
	if code, _, errs := cli(t, "send", "--to", w.url, "stop", id[:6], "enough"); code != 0 {
		t.Fatal(errs)
	}
	if v := w.reaches(id, "concluding"); v.Stop.Reason != "enough" || v.Stop.StoppedAt == nil {
		t.Errorf("stop %+v", v.Stop)
	}
	code, _, errs = cli(t, "send", "--to", w.url, "stop", "zzzzzz")
	if code != 1 || !strings.Contains(errs, `there is no drill "zzzzzz"; 'firedrill audit' lists all drills`) {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := cli(t, "stop", "--to", w.url, "--all"); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestAudit(t *testing.T) {
	w := start(t)
	one := w.play(w.ask("loop-echo", "{}")).ID
	two := w.play(w.ask("loop-echo", `{"word":"again"}`)).ID
	w.stop()
	data := w.s.set.data
	code, out, errs := cli(t, "audit", "--data", data)
	if code != 0 || !strings.Contains(out, one) || !strings.Contains(out, two) || !strings.Contains(out, "2 drill(s), 0 broken") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs = cli(t, "audit", "--data", data, one[:6])
	if code != 0 || !strings.Contains(out, "chain holds\nhead ") || !strings.Contains(out, "requested by local:test/ann") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	code, out, _ = cli(t, "audit", "--data", data, "--json")
	var all []audited
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 || len(all) != 2 || all[0].Head == "" || all[0].Verdict == "" {
		t.Fatalf("exit %d: %v: %s", code, err, out)
	}

	tamper(t, filepath.Join(data, "journal", "drills", one))
	code, out, errs = cli(t, "audit", "--data", data)
	if code != 1 || !strings.Contains(out, "2 drill(s), 1 broken") || !strings.Contains(errs, "1 of 2 drills have a broken record") {
		t.Errorf("a changed entry was not found: exit %d: %s%s", code, out, errs)
	}
	if err := os.RemoveAll(filepath.Join(data, "journal", "index")); err != nil {
		t.Fatal(err)
	}
	code, out, _ = cli(t, "audit", "--data", data)
	if code != 1 || !strings.Contains(out, "2 drill(s), 1 broken") {
		t.Errorf("a drill that is not in the index was not looked at: exit %d: %s", code, out)
	}
	if code, _, errs := cli(t, "audit", "--data", data, one); code != 1 || !strings.Contains(errs, "has a broken record") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, _, errs := cli(t, "audit", "--data", data, two); code != 0 {
		t.Errorf("the other drill: exit %d: %s", code, errs)
	}
}

// tamper changes one word in an early entry of a drill's record.
func tamper(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%d entries, %v", len(files), err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if changed := strings.Replace(string(b), `"requested by local:test/ann"`, `"requested by local:test/eve"`, 1); changed != string(b) {
			if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("no entry was changed")
}

// journaled is a data directory in which nothing happened yet.
func journaled(t *testing.T) string {
	t.Helper()
	w := start(t)
	w.stop()
	return w.s.set.data
}
