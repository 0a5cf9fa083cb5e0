package main

import (
	"strings"
	"testing"
)

func TestSend_tellsARefusal(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct {
		args []string
		text string
	}{
		"no such plan":        {[]string{"start", "nope"}, `refused: catalogue: there is no plan "nope"`},
		"a parameter too big": {[]string{"start", "cart-cpu", "seconds=9999"}, "9999 is more than 600"},
		"a parameter of FIS":  {[]string{"start", "smoke-wait", "seconds=3"}, "FIS takes no parameters"},
		"an unknown whole id": {[]string{"approve", "zzzzzzzzzzzzz"}, `there is no drill "zzzzzzzzzzzzz"; 'firedrill audit' lists all drills`},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := cli(t, append([]string{"send", "--to", w.url}, c.args...)...)
			if code != 1 || !strings.Contains(errs, c.text) || out != "" {
				t.Errorf("exit %d, want 1 with %q: %s%s", code, c.text, out, errs)
			}
		})
	}
}

func TestSend_tellsWhatAGuardRefused(t *testing.T) {
	w := start(t)
	if code, _, errs := cli(t, "send", "--to", w.url, "halt", "all", "a real incident"); code != 0 {
		t.Fatal(errs)
	}
	w.until("a refusal comes while send listens", func() bool { // which is a second: a busy machine may need more
		code, _, errs := cli(t, "send", "--to", w.url, "start", "loop-echo")
		return code == 1 && strings.Contains(errs, "refused: halt:") && strings.Contains(errs, "a real incident")
	})
}

func TestAudit_ofNoDirectory(t *testing.T) {
	missing := t.TempDir() + "/nowhere"
	code, out, errs := cli(t, "audit", "--data", missing)
	if code != 1 || !strings.Contains(errs, "there is no record to audit") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}
