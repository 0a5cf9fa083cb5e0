package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// TestE2E_AWholeDrillUnderAWSsEmulator is the deployment of template.yaml as far as it goes without an account.
func TestE2E_AWholeDrillUnderAWSsEmulator(t *testing.T) {
	c := newCloud(t, variable(t, "FIREDRILL_TEST_RIE"), variable(t, "FIREDRILL_TEST_AWS"))
	t.Run("by the clock, to its report", c.scheduled)
	t.Run("asked for in chat, stopped by an alarm", c.stopped)
	t.Run("every event again, last first", c.again)
	t.Run("what cannot be read is kept", c.refused)
	t.Run("strangers are turned away", c.strangers)
	for _, name := range []string{"start", "advance", "poll", "abort", "conclude", "notify", "chatops"} {
		f := c.functions[name]
		t.Logf("%-8s first call %s, %d calls", name, f.cold.Round(100*time.Microsecond), f.calls)
	}
}

func (c *cloud) scheduled(t *testing.T) {
	c.t = t
	for end := time.Now().Add(patience); c.seen(events.TypeStarted, "outage") == nil && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		c.invoke("start", tick(c.minute)) // the preview is a run too: a later tick finds it done
	}
	id := c.wait(events.TypeStarted, "outage").Subject()
	c.invoke("poll", tick(c.minute))
	c.wait(events.TypeCompleted, "outage")
	c.wait(events.TypeConcluded, "outage")
	c.settle()
	d, err := c.journal.Load(t.Context(), id)
	must(t, err)
	if d.Status != drill.Concluded || d.Verdict == nil || d.Verdict.Verdict != drill.Expected {
		t.Errorf("the drill is %s with verdict %+v", d.Status, d.Verdict)
	}
	for _, name := range []string{"report.html", "report.json"} {
		if data, err := c.journal.Object(t.Context(), id, name); err != nil || !bytes.Contains(data, []byte(id)) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	must(t, c.journal.Verify(t.Context(), id))
	c.mu.Lock()
	if c.messages < 4 {
		t.Errorf("the room got %d messages, want one for each fact", c.messages)
	}
	c.mu.Unlock()
	c.healthy(t)
}

func (c *cloud) stopped(t *testing.T) {
	c.t, c.account.t = t, t
	if reply := c.chat(`{"text":"/drill start long","user":"alice","tenant":"acme"}`); !strings.Contains(reply, `\"drill\"`) {
		t.Fatalf("chatops answered %s", reply)
	}
	id := c.wait(events.TypeStarted, "long").Subject()
	for _, state := range []string{"INSUFFICIENT_DATA", "ALARM"} { // the rule lets one through
		c.account.emit("aws.cloudwatch", "CloudWatch Alarm State Change", fmt.Sprintf(
			`{"alarmName":"checkout-5xx","state":{"value":"%s","reason":"too many","timestamp":"%s"},"previousState":{"value":"OK"}}`,
			state, time.Now().UTC().Format("2006-01-02T15:04:05.000-0700")))
	}
	c.wait(events.TypeStopping, "long")
	c.invoke("poll", tick(time.Now()))
	c.wait(events.TypeStopped, "long")
	c.wait(events.TypeConcluded, "long")
	c.settle()
	d, err := c.journal.Load(t.Context(), id)
	must(t, err)
	if d.Verdict == nil || d.Verdict.Verdict != drill.Unexpected {
		t.Errorf("the drill ended as %+v", d.Verdict)
	}
	must(t, c.journal.Verify(t.Context(), id))
	c.mu.Lock()
	alarms := 0
	for _, s := range c.sent {
		if s.function == "abort" && bytes.Contains(s.payload, []byte("aws.cloudwatch")) {
			alarms++
		}
	}
	c.mu.Unlock()
	if alarms != 1 {
		t.Errorf("abort was sent %d alarms, want the one that fires", alarms)
	}
	c.healthy(t)
}

// again delivers all that any function was ever sent once more, and wants nothing to have changed.
func (c *cloud) again(t *testing.T) {
	c.t = t
	before, runs := c.revs(t), len(c.box.Runs())
	c.mu.Lock()
	all, told := slices.Clone(c.sent), c.messages
	c.mu.Unlock()
	slices.Reverse(all)
	for _, s := range all {
		c.hand(s.function, s.payload)
	}
	for _, name := range []string{"start", "poll"} {
		c.invoke(name, tick(c.minute))
	}
	c.settle()
	if after := c.revs(t); !slices.Equal(before, after) {
		t.Errorf("drills were at %v, now at %v", before, after)
	}
	if n := len(c.box.Runs()); n != runs || n != 3 {
		t.Errorf("%d experiments were started, then %d; want a preview and two runs", runs, n)
	}
	c.mu.Lock()
	if c.messages != told {
		t.Errorf("%d messages were posted again", c.messages-told)
	}
	c.mu.Unlock()
	t.Logf("%d deliveries again", len(all))
	c.healthy(t)
}

func (c *cloud) revs(t *testing.T) []string {
	t.Helper()
	items, _, err := c.journal.Recent(t.Context(), 100, "")
	must(t, err)
	var out []string
	for _, it := range items {
		d, err := c.journal.Load(t.Context(), it.Drill)
		must(t, err)
		out = append(out, fmt.Sprintf("%s@%d", d.ID, d.Rev))
	}
	return out
}

func (c *cloud) refused(t *testing.T) {
	c.t, c.account.t = t, t
	payload := `{"detail-type":"dev.firedrill.command.start.v1","source":"firedrill","detail":"{\"specversion\":\"1.0\"}"}`
	for _, name := range []string{"start", "poll", "abort", "notify"} {
		if got := c.invoke(name, []byte(payload)); got != `{"refused":true}` {
			t.Errorf("%s answered %s", name, got)
		}
	}
	kept, err := c.account.receive("refused")
	must(t, err)
	if len(kept) != 4 {
		t.Fatalf("%d payloads were kept, want 4", len(kept))
	}
	for _, m := range kept {
		if m.Body != payload || m.Attributes["reason"].Value == "" {
			t.Errorf("kept %+v", m)
		}
	}
}

func (c *cloud) strangers(t *testing.T) {
	c.t = t
	for name, payload := range map[string][]byte{
		"chatops": request("/chat/webhook", `{"text":"/drill halt all"}`, map[string]string{"content-type": "application/json"}),
		"abort":   request("/alarms/alertmanager", `{}`, map[string]string{"authorization": "Bearer " + strings.Repeat("x", 30)}),
	} {
		if got := c.invoke(name, payload); !strings.Contains(got, `"statusCode":401`) {
			t.Errorf("%s answered %s", name, got)
		}
	}
	c.healthy(t)
}
