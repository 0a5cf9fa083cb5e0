package e2e

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/functions/cloudtest"
)

// TestE2E_AWholeDrillUnderAWSsEmulator is the deployment of template.yaml as far as it goes without an account.
func TestE2E_AWholeDrillUnderAWSsEmulator(t *testing.T) {
	c := newCloud(t, variable(t, "FIREDRILL_TEST_RIE"), variable(t, "FIREDRILL_TEST_AWS"))
	t.Run("by the clock, to its report", c.Scheduled)
	t.Run("asked for in chat, stopped by an alarm", c.stopped)
	t.Run("every event again, last first", func(t *testing.T) { c.Again(t, c.again) })
	t.Run("what cannot be read is kept", c.refused)
	t.Run("strangers are turned away", c.strangers)
	for _, name := range cloudtest.Names() {
		f := c.functions[name]
		t.Logf("%-8s first call %s, %d calls", name, f.cold.Round(100*time.Microsecond), f.calls)
	}
}

// alarmed lets the alarm change its state twice; the rule lets one of them through.
func (c *cloud) alarmed() {
	for _, state := range []string{"INSUFFICIENT_DATA", "ALARM"} {
		c.account.emit("aws.cloudwatch", "CloudWatch Alarm State Change", cloudtest.Alarm(state))
	}
}

func (c *cloud) stopped(t *testing.T) {
	c.account.t = t
	c.Stopped(t, c.alarmed)
	c.mu.Lock()
	defer c.mu.Unlock()
	alarms := 0
	for _, s := range c.sent {
		if s.function == "abort" && bytes.Contains(s.payload, []byte("aws.cloudwatch")) {
			alarms++
		}
	}
	if alarms != 1 {
		t.Errorf("abort was sent %d alarms, want the one that fires", alarms)
	}
}

// again delivers all that any function was ever sent once more, last first.
func (c *cloud) again() {
	c.mu.Lock()
	all := slices.Clone(c.sent)
	c.mu.Unlock()
	slices.Reverse(all)
	for _, s := range all {
		c.hand(s.function, s.payload)
	}
	c.T.Logf("%d deliveries again", len(all))
}

func (c *cloud) refused(t *testing.T) {
	c.T, c.account.t = t, t
	payload := `{"detail-type":"dev.firedrill.command.start.v1","source":"firedrill","detail":"{\"specversion\":\"1.0\"}"}`
	handles := []string{"start", "advance", "poll", "abort", "conclude", "notify"}
	for _, name := range handles {
		if got := c.Must(name, []byte(payload)); got != `{"refused":true}` {
			t.Errorf("%s answered %s", name, got)
		}
	}
	kept, err := c.account.receive("refused")
	must(t, err)
	if len(kept) != len(handles) {
		t.Fatalf("%d payloads were kept, want %d", len(kept), len(handles))
	}
	for _, m := range kept {
		if m.Body != payload || m.Attributes["reason"].Value == "" {
			t.Errorf("kept %+v", m)
		}
	}
}

func (c *cloud) strangers(t *testing.T) {
	c.T = t
	for name, payload := range map[string][]byte{
		"chatops": cloudtest.Request("/chat/webhook", `{"text":"/drill halt all"}`, map[string]string{"content-type": "application/json"}),
		"abort":   cloudtest.Request("/alarms/alertmanager", `{}`, map[string]string{"authorization": "Bearer " + strings.Repeat("x", 30)}),
	} {
		if got := c.Must(name, payload); !strings.Contains(got, `"statusCode":401`) {
			t.Errorf("%s answered %s", name, got)
		}
	}
	c.Healthy(t)
}
