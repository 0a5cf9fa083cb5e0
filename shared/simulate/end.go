package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/shared/drill"
)

// Over reports whether every drill has come to its end and is forgotten by the handlers.
func (c *checker) Over(ctx context.Context) bool {
	for _, id := range c.order {
		if !c.heads[id].Status.Final() {
			return false
		}
	}
	return len(c.markers(ctx)) == 0
}

// markers lists the drills that are marked as active. A marker whose drill was never written stays for an hour: nobody minds.
func (c *checker) markers(ctx context.Context) []string {
	all, err := c.w.Journal.Markers(ctx)
	if err != nil {
		c.broken("read markers: %v", err)
	}
	var out []string
	for _, m := range all {
		if c.heads[m.Drill] != nil {
			out = append(out, fmt.Sprintf("%s (sent %d of %d)", m.Drill, m.Sent, c.heads[m.Drill].Rev))
		}
	}
	return out
}

// End checks what must hold when all is over.
func (c *checker) End(ctx context.Context) {
	c.Step()
	for _, id := range c.order {
		d := c.heads[id]
		switch {
		case !d.Status.Final():
			c.broken("drill %s does not end: it is %s", id, d.Status)
		case d.Active():
			c.broken("drill %s has pending %v", id, d.Pending)
		case d.Status == drill.Concluded && d.Verdict == nil:
			c.broken("drill %s is concluded without a verdict", id)
		case d.Holds():
			c.broken("drill %s still holds its locks", id)
		}
		if err := c.w.Journal.Verify(ctx, id); err != nil {
			c.broken("%v", err)
		}
		c.never(d)
	}
	if left := c.markers(ctx); len(left) > 0 {
		c.broken("markers are left: %s", strings.Join(left, ", "))
	}
	c.unsent()
}

func (c *checker) unsent() {
	var missing []string
	for id, what := range c.durable {
		if !c.sent[id] {
			missing = append(missing, what)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		c.broken("never published: %s", strings.Join(missing, "; "))
	}
}

// never checks that what is said never to have run did not, or that it was noticed and is over.
func (c *checker) never(d *drill.Drill) {
	ran := d.Run(drill.Main) != nil && d.RunID() != ""
	for _, r := range c.runs(d) {
		if recovers(d, r) {
			continue
		}
		noted := slices.ContainsFunc(d.Attached, func(a drill.Attachment) bool { return strings.Contains(a.What, r.ID) })
		if (!ran || r.ID != d.RunID()) && !noted {
			c.broken("drill %s says that it never ran, and run %s is %s", d.ID, r.ID, r.Status)
		}
		if !r.Ended && len(r.Live) > 0 && d.Plan.Service != drill.OOS && d.Restored.State != drill.RestoreFailed {
			c.broken("drill %s is over, and %s of run %s is live", d.ID, strings.Join(r.Live, ", "), r.ID)
		}
	}
	if d.Plan.Service != drill.AHAS {
		return
	}
	known := map[string]bool{}
	for _, o := range c.heads {
		known[o.RunID()] = true
		for _, a := range o.Attached {
			for _, w := range strings.Fields(a.What) {
				known[strings.Trim(w, ",")] = true
			}
		}
	}
	for _, r := range c.w.Box.Runs() {
		if !known[r.ID] {
			c.broken("AHAS task %s (%s) is no drill's", r.ID, r.Status)
		}
	}
}
