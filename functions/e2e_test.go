package functions

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/functions/cloudtest"
)

// maxRSS is the most memory that a process may have had after everything it is given here, in KiB.
const maxRSS = 32 << 10

// TestBootstraps_AWholeDrillAcrossProcesses runs the very binaries that Lambda would, each in a process of its own.
func TestBootstraps_AWholeDrillAcrossProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds seven binaries")
	}
	built := cloudtest.BuildAll(t)
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
	t.Run("by the clock, to its report", c.Scheduled)
	t.Run("asked for in chat, stopped by an alarm from a queue", func(t *testing.T) { c.Stopped(t, c.alarmed) })
	t.Run("every event again, last first", func(t *testing.T) { c.Again(t, c.again) })
	t.Run("what is logged is JSON", c.written)
	t.Run("what cannot be read is kept", c.refused)
	t.Run("as a server, without a function runtime", func(t *testing.T) { c.server(t, built["start"].Path) })
	t.Run("told to end", c.ended)
}

// alarmed lets the alarm come from a queue, beside a message that cannot be read: only that one fails.
func (c *cloud) alarmed() {
	alarm := `{"version":"0","id":"a","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","account":"123456789012","time":"2026-11-21T08:00:00Z",
		"region":"us-east-1","resources":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout-5xx"],"detail":` + cloudtest.Alarm("ALARM") + `}`
	batch, err := json.Marshal(map[string]any{"Records": []map[string]string{
		{"messageId": "good", "body": alarm, "eventSource": "aws:sqs"}, {"messageId": "poisoned", "body": `{"detail-type":"CloudWatch Alarm State`, "eventSource": "aws:sqs"},
	}})
	if err != nil {
		c.T.Fatal(err)
	}
	if got := c.Must("abort", batch); got != `{"batchItemFailures":[{"itemIdentifier":"poisoned"}]}` {
		c.T.Errorf("the batch was answered with %s", got)
	}
}

// again delivers all that ever was on the bus once more, last first.
func (c *cloud) again() {
	all := c.Facts()
	slices.Reverse(all)
	for _, e := range all {
		c.deliver(e)
	}
}

// written wants every line of every log to be JSON.
func (c *cloud) written(t *testing.T) {
	for name, p := range c.procs {
		for line := range strings.Lines(p.Logs()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s logs something that is no JSON: %s", name, line)
			}
		}
	}
}

func (c *cloud) refused(t *testing.T) {
	c.T = t
	payload := []byte(`{"detail-type":"dev.firedrill.command.start.v1","source":"dev.firedrill","detail":"{\"specversion\":\"1.0\"}"}`)
	if got := c.Must("start", payload); got != `{"refused":true}` {
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
		if rss > maxRSS {
			t.Errorf("%s had %d KiB of memory, the limit is %d", name, rss, maxRSS)
		}
		code, took := p.Signal()
		if code != 0 || took > 10*time.Second {
			t.Errorf("%s ended with %d after %s:\n%s", name, code, took, p.Logs())
		}
		t.Logf("%-8s start to first /next %s, peak %d KiB", name, p.Ready().Round(100*time.Microsecond), rss)
	}
}
