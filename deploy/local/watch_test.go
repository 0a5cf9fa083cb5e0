package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

func TestWatch_oneShortLinePerChange(t *testing.T) {
	w := start(t)
	v := w.play(w.ask("payment-cpu", "{}"))
	w.ask("no-such-plan", "{}")
	w.until("the refusal is told", func() bool {
		return strings.Contains(w.out.String(), `refused     catalogue: there is no plan "no-such-plan"`)
	})
	w.until("the verdict is told", func() bool { return strings.Contains(w.out.String(), "concluded   verdict expected") })
	lines := 0
	seen := map[string]bool{}
	for _, line := range strings.Split(w.out.String(), "\n") {
		if !strings.Contains(line, " "+v.ID[:6]+" ") {
			continue
		}
		lines++
		if words := line[len("15:04:05 "):]; seen[words] {
			t.Errorf("told twice: %s", line)
		} else {
			seen[words] = true
		}
		if span(line) > columns {
			t.Errorf("%d columns: %s", span(line), line)
		}
	}
	if lines < 4 || lines > v.Rev {
		t.Errorf("%d lines for %d revs:\n%s", lines, v.Rev, w.out)
	}
	for _, want := range []string{"waits for you: 确认支付服务可用", `does c1 hold? "payments go through"`, "concluded   verdict expected"} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("%q was not told:\n%s", want, w.out)
		}
	}
}

func TestWatch_factsAsLinesOfJSON(t *testing.T) {
	w := start(t, func(_ *settings, sc *screen) { sc.json = true })
	v := w.play(w.ask("loop-echo", "{}"))
	w.until("the last fact is out", func() bool { return strings.Contains(w.out.String(), events.TypeConcluded) })
	lines := strings.Split(strings.TrimSpace(w.out.String()), "\n")
	var ready struct{ Mode, Console, Sandbox string }
	if err := json.Unmarshal([]byte(lines[0]), &ready); err != nil || ready.Console != w.url || ready.Sandbox != w.s.boxURL || ready.Mode != sandboxMode {
		t.Errorf("the first line is %s", lines[0])
	}
	kinds := map[string]bool{}
	for _, line := range lines[1:] {
		e, err := events.Parse([]byte(line))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if !strings.HasPrefix(e.Type(), "dev.firedrill.drill.") || e.Subject() != v.ID {
			t.Errorf("%s about %s", e.Type(), e.Subject())
		}
		kinds[e.Type()] = true
	}
	for _, kind := range []string{events.TypeRequested, events.TypeStarted, events.TypeCompleted, events.TypeConcluded} {
		if !kinds[kind] {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
}

func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		width int
		want  string
	}{
		"short enough":         {"abc", 3, "abc"},
		"cut":                  {"abcd", 3, "ab…"},
		"wide characters":      {"支付服务", 8, "支付服务"},
		"wide characters, cut": {"支付服务", 6, "支付…"},
		"half a character":     {"支付服务", 7, "支付服…"},
		"emoji":                {"🔥🔥🔥", 5, "🔥🔥…"},
		"line breaks":          {"a\nb\tc", 9, "a b c"},
		"terminal controls":    {"a\x1b[31mb\u202e", 9, "a [31mb"},
		"nothing":              {"", 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fit(c.in, c.width); got != c.want || span(got) > c.width {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if got := pad("支付", 6) + "|"; got != "支付  |" {
		t.Errorf("padded %q", got)
	}
}
