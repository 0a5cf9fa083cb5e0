package drill

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// What a service says is cut, so that no fact outgrows an event and no drill its entry.
const (
	maxText    = 1000 // bytes of one text
	maxLines   = 20   // lines of evidence, and of changes in one entry
	maxTarget  = 200  // bytes of a target's id, and of its message
	maxTargets = 1000 // in one reading
)

// trim cuts the texts of a reading.
func trim(o Observation) Observation {
	o.Vendor, o.Reason, o.Outputs = clip(o.Vendor, maxText), clip(o.Reason, maxText), clip(o.Outputs, 4*maxText)
	o.Evidence = slices.Clone(some(o.Evidence))
	for i := range o.Evidence {
		o.Evidence[i] = clip(o.Evidence[i], maxText)
	}
	o.Steps = slices.Clone(o.Steps)
	room := maxTargets
	for i := range o.Steps {
		s := &o.Steps[i]
		if more := len(s.Targets) - room; more > 0 {
			s.Targets, s.Message = s.Targets[:room], fmt.Sprintf("and %d more targets. %s", more, s.Message)
		}
		room -= len(s.Targets)
		s.Name, s.Message, s.Vendor = clip(s.Name, maxText), clip(s.Message, maxText), clip(s.Vendor, maxText)
		s.Targets = slices.Clone(s.Targets)
		for k := range s.Targets {
			t := &s.Targets[k]
			t.ID, t.Message = clip(t.ID, maxTarget), clip(t.Message, maxTarget)
		}
	}
	return o
}

// some keeps the first lines and says how many are left out.
func some(lines []string) []string {
	if len(lines) <= maxLines {
		return lines
	}
	return append(slices.Clone(lines[:maxLines-1]), fmt.Sprintf("and %d more", len(lines)-maxLines+1))
}

// clip cuts a text to at most n bytes, at a character's border, and shows that it did.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	cut := n - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
