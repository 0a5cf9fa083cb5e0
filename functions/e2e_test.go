package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// TestBootstraps_AWholeDrillAcrossProcesses runs the very binaries that Lambda would, each in a process of its own.
func TestBootstraps_AWholeDrillAcrossProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds seven binaries")
	}
	built := buildAll(t)
	for name, b := range built {
		if b.Reflect {
			t.Errorf("%s links a package that switches off the linker's dead-code removal: go build -ldflags=-dumpdep ... | grep ReflectMethod", name)
		}
		if limit := int64(16 << 20); b.Size > limit {
			t.Errorf("%s has %d bytes, the limit is %d", name, b.Size, limit)
		}
	}
	c := newCloud(t, built)
	for _, p := range c.procs {
		p.Ready()
	}
	t.Run("by the clock, to its report", c.scheduled)
	t.Run("asked for in chat, stopped by an alarm from a queue", c.stopped)
	t.Run("every event again, last first", c.again)
	t.Run("what cannot be read is kept", c.refused)
	t.Run("as a server, without a function runtime", func(t *testing.T) { c.server(t, built["start"].Path) })
	t.Run("told to end", c.ended)
}

func (c *cloud) scheduled(t *testing.T) {
	c.t = t
	now := time.Now()
	for range 20 { // the preview is a run too: a later tick finds it done
		if c.invoke("start", tick(now)); c.seen(events.TypeStarted, "outage") != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	id := c.wait(events.TypeStarted, "outage").Subject()
	c.invoke("poll", tick(now))
	c.wait(events.TypeCompleted, "outage")
	c.wait(events.TypeConcluded, "outage")
	c.wg.Wait()
	d, err := c.journal.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != drill.Concluded || d.Verdict == nil || d.Verdict.Verdict != drill.Expected {
		t.Errorf("the drill is %s with verdict %+v", d.Status, d.Verdict)
	}
	for _, name := range []string{"report.html", "report.json"} {
		if data, err := c.journal.Object(t.Context(), id, name); err != nil || !bytes.Contains(data, []byte(id)) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	if err := c.journal.Verify(t.Context(), id); err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	if len(c.messages) < 4 {
		t.Errorf("the room got %q, want a message for each fact", c.messages)
	}
	c.mu.Unlock()
	c.healthy(t)
}

func (c *cloud) stopped(t *testing.T) {
	c.t = t
	reply := c.chat(`{"text":"/drill start long","user":"alice","tenant":"acme"}`)
	if !strings.Contains(reply, `\"drill\"`) {
		t.Fatalf("chatops answered %s", reply)
	}
	id := c.wait(events.TypeStarted, "long").Subject()
	alarm := fmt.Sprintf(`{"version":"0","id":"a","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","account":"123456789012",
		"time":"2026-11-21T08:00:00Z","region":"us-east-1","resources":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout-5xx"],
		"detail":{"alarmName":"checkout-5xx","state":{"value":"ALARM","reason":"too many","timestamp":"%s"}}}`, time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"))
	batch, err := json.Marshal(map[string]any{"Records": []map[string]string{
		{"messageId": "good", "body": alarm, "eventSource": "aws:sqs"}, {"messageId": "poisoned", "body": `{"detail-type":"CloudWatch Alarm State`, "eventSource": "aws:sqs"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(c.invoke("abort", batch)); got != `{"batchItemFailures":[{"itemIdentifier":"poisoned"}]}` {
		t.Errorf("the batch was answered with %s", got)
	}
	c.wait(events.TypeStopping, "long")
	c.invoke("poll", tick(time.Now()))
	c.wait(events.TypeStopped, "long")
	c.wait(events.TypeConcluded, "long")
	c.wg.Wait()
	if d, err := c.journal.Load(t.Context(), id); err != nil || d.Verdict == nil || d.Verdict.Verdict != drill.Unexpected {
		t.Errorf("the drill ended as %+v, %v", d, err)
	}
	c.healthy(t)
}

// again delivers all that ever was on the bus once more, and wants nothing to have changed.
func (c *cloud) again(t *testing.T) {
	c.t = t
	before, runs := c.revs(t), len(c.box.Runs())
	c.mu.Lock()
	all, told := slices.Clone(c.facts), len(c.messages)
	c.mu.Unlock()
	slices.Reverse(all)
	for _, e := range all {
		c.deliver(e)
	}
	c.wg.Wait()
	if after := c.revs(t); !slices.Equal(before, after) {
		t.Errorf("drills were at %v, now at %v", before, after)
	}
	if n := len(c.box.Runs()); n != runs || n != 3 {
		t.Errorf("%d experiments were started, then %d; want a preview and two runs", runs, n)
	}
	c.mu.Lock()
	if len(c.messages) != told {
		t.Errorf("%d messages were posted again", len(c.messages)-told)
	}
	c.mu.Unlock()
	c.healthy(t)
}

func (c *cloud) revs(t *testing.T) []string {
	t.Helper()
	items, _, err := c.journal.Recent(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, it := range items {
		d, err := c.journal.Load(context.WithoutCancel(t.Context()), it.Drill)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s@%d", d.ID, d.Rev))
	}
	return out
}

func (c *cloud) refused(t *testing.T) {
	c.t = t
	payload := []byte(`{"detail-type":"dev.firedrill.command.start.v1","source":"dev.firedrill","detail":"{\"specversion\":\"1.0\"}"}`)
	if got := string(c.invoke("start", payload)); got != `{"refused":true}` {
		t.Errorf("got %s", got)
	}
	kept, err := filepath.Glob(filepath.Join(c.folder, "dead", "start", "*.payload"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d payloads were kept, %v", len(kept), err)
	}
	if data, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(data, payload) {
		t.Errorf("kept %s, %v", data, err)
	}
}

func (c *cloud) ended(t *testing.T) {
	for name, p := range c.procs {
		rss := p.PeakRSS()
		code, took := p.Signal()
		if code != 0 || took > 10*time.Second {
			t.Errorf("%s ended with %d after %s:\n%s", name, code, took, p.Logs())
		}
		t.Logf("%-8s start to first /next %s, peak %d KiB", name, p.Ready().Round(100*time.Microsecond), rss)
	}
}
