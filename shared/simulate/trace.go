package simulate

import (
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// line is one decision, kept as it is and written out only when somebody asks.
type line struct {
	at           time.Time
	inst         int
	to           string
	op, key, how string
}

// note must be called with mu held.
func (s *Scheduler) note(i *instance, op, key, how string) {
	l := line{at: time.Now(), op: op, key: key, how: how}
	if i != nil {
		l.inst, l.to = i.n, i.to.Name
	}
	s.trace = append(s.trace, l)
}

func (l line) String() string {
	who := ""
	if l.inst > 0 {
		who = fmt.Sprintf("%d:%s", l.inst, l.to)
	}
	how := l.how
	if how == "pass" {
		how = ""
	}
	return strings.TrimRight(fmt.Sprintf("%s %-12s %-8s %s  %s", l.at.Format("15:04:05.000"), who, l.op, l.key, how), " ")
}

// Schedule writes out every decision, or with brief only those that were no plain "go on".
func (s *Scheduler) Schedule(brief bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, l := range s.trace {
		if brief && (l.how == "pass" || l.op == "end") {
			continue
		}
		b.WriteString(l.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// short names an event.
func short(e events.Event) string {
	t := strings.TrimSuffix(strings.TrimPrefix(e.Type(), "dev.firedrill."), ".v1")
	return t + " " + e.ID()
}
