package cloudtest

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

// Scheduled is a drill from a tick of the clock to its report.
func (c *Cloud) Scheduled(t *testing.T) {
	c.T = t
	for end := time.Now().Add(patience); c.Seen(events.TypeStarted, "outage") == nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.Must("start", Tick(c.Clock, c.Minute)) // the preview is a run too: a later tick finds it done
	}
	id := c.Wait(events.TypeStarted, "outage").Subject()
	c.Must("poll", Tick(c.Clock, c.Minute))
	c.Wait(events.TypeCompleted, "outage")
	c.Wait(events.TypeConcluded, "outage")
	c.Settle()
	c.ended(t, id, drill.Expected)
	for _, name := range []string{"report.html", "report.json"} {
		if data, err := c.Journal.Object(t.Context(), id, name); err != nil || !bytes.Contains(data, []byte(id)) {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	if got := c.Messages(); len(got) < 4 {
		t.Errorf("the room got %q, want a message for each fact", got)
	}
	c.Healthy(t)
}

// Stopped is a drill that chat asks for and an alarm stops; fire lets the alarm fire.
func (c *Cloud) Stopped(t *testing.T, fire func()) {
	c.T = t
	if reply := c.Must("chatops", Signed("msg-1", `{"text":"/drill start long","user":"alice","tenant":"acme"}`)); !strings.Contains(reply, `\"drill\"`) {
		t.Fatalf("chatops answered %s", reply)
	}
	id := c.Wait(events.TypeStarted, "long").Subject()
	fire()
	c.Wait(events.TypeStopping, "long")
	c.Must("poll", Tick(c.Clock, time.Now()))
	c.Wait(events.TypeStopped, "long")
	c.Wait(events.TypeConcluded, "long")
	c.Settle()
	c.ended(t, id, drill.Unexpected)
	c.Healthy(t)
}

func (c *Cloud) ended(t *testing.T, id string, want string) {
	t.Helper()
	d, err := c.Journal.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != drill.Concluded || d.Verdict == nil || d.Verdict.Verdict != want {
		t.Errorf("the drill is %s with verdict %+v", d.Status, d.Verdict)
	}
	if err := c.Journal.Verify(t.Context(), id); err != nil {
		t.Error(err)
	}
}

// Again wants nothing to change when deliver delivers everything once more, and when the clock ticks again.
func (c *Cloud) Again(t *testing.T, deliver func()) {
	c.T = t
	before, runs, told := c.revs(t), len(c.Box.Runs()), len(c.Messages())
	deliver()
	for _, name := range []string{"start", "poll"} {
		c.Must(name, Tick(c.Clock, c.Minute))
	}
	c.Settle()
	if after := c.revs(t); !slices.Equal(before, after) {
		t.Errorf("drills were at %v, now at %v", before, after)
	}
	if n := len(c.Box.Runs()); n != runs || n != 3 {
		t.Errorf("%d experiments were started, then %d; want a preview and two runs", runs, n)
	}
	if n := len(c.Messages()); n != told {
		t.Errorf("%d messages were posted again", n-told)
	}
	c.Healthy(t)
}

func (c *Cloud) revs(t *testing.T) []string {
	t.Helper()
	items, _, err := c.Journal.Recent(t.Context(), 100, "")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, it := range items {
		d, err := c.Journal.Load(t.Context(), it.Drill)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s@%d", d.ID, d.Rev))
	}
	return out
}
