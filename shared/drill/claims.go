package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sample is one measurement of a claim by a probe.
type Sample struct {
	Claim  string    `json:"claim"`
	At     time.Time `json:"at"`
	Good   bool      `json:"good"`
	Detail string    `json:"detail"` // "200 in 84ms", "503 in 12ms, want 200"
	During bool      `json:"during"` // taken while the run was under way
}

// ClaimFor returns the plan's claim and the drill's state of it, by id or by text.
func (d *Drill) ClaimFor(name string) (Claim, *ClaimState, bool) {
	for i, c := range d.Plan.Expect {
		if strings.EqualFold(c.ID, name) || c.Claim == name {
			return c, &d.Claims[i], true
		}
	}
	return Claim{}, nil, false
}

// AnswerClaim records a person's answer to an asked claim. The first answer counts; a later one is told who was first.
func (d *Drill) AnswerClaim(claim string, holds bool, actor, note string, now time.Time) (Change, error) {
	c, s, ok := d.ClaimFor(claim)
	switch {
	case !ok:
		return Change{}, fmt.Errorf("%w: drill %s has no claim %q; it has %s", ErrForbidden, d.ID, claim, d.claimNames())
	case c.Ask == "":
		return Change{}, fmt.Errorf("%w: claim %s is measured, not asked", ErrForbidden, c.ID)
	case s.Answer != nil:
		return Change{}, fmt.Errorf("%w: %s answered %s at %s", ErrAnswered, s.Answer.Actor, yes(s.Answer.Holds), s.Answer.At.Format(time.RFC3339))
	case d.Status.Final():
		return Change{}, fmt.Errorf("%w: drill %s is %s; amend its verdict instead", ErrAnswered, d.ID, d.Status)
	}
	s.Answer = &Reply{Holds: holds, Actor: actor, At: now, Note: note}
	return d.told(fmt.Sprintf("%s answers %s (%s): %s", actor, c.ID, c.Claim, yes(holds)), now), nil
}

func (d *Drill) claimNames() string {
	var names []string
	for _, c := range d.Plan.Expect {
		names = append(names, c.ID)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Measure folds one sample in. flipped is true when the claim went from good to bad or back, or was measured for the first time:
// only then is an entry worth writing.
func (d *Drill) Measure(s Sample) (flipped bool) {
	_, st, ok := d.ClaimFor(s.Claim)
	if !ok || !s.At.After(st.LastAt) {
		return false
	}
	first := st.LastAt.IsZero()
	wasBad := !st.BadSince.IsZero()
	st.Last, st.LastAt = s.Detail, s.At
	if !d.Status.Ended() || s.During {
		st.During++
	}
	if s.Good {
		st.Good++
		if wasBad {
			st.Longest = max(st.Longest, Duration(s.At.Sub(st.BadSince)))
			st.BadSince = time.Time{}
		}
	} else {
		st.Bad++
		if !wasBad {
			st.BadSince = s.At
		}
		st.Longest = max(st.Longest, Duration(s.At.Sub(st.BadSince)))
	}
	return first || wasBad == s.Good
}

// Recount replaces what the entries know of the measured claims, which hold the flips alone, by all samples there are, in the order of time.
func (d *Drill) Recount(samples []Sample) {
	for i, c := range d.Plan.Expect {
		if c.HTTP != "" {
			d.Claims[i] = ClaimState{ID: c.ID}
		}
	}
	samples = slices.Clone(samples)
	slices.SortStableFunc(samples, func(a, b Sample) int { return a.At.Compare(b.At) })
	for _, s := range samples {
		d.Measure(s)
	}
}

// BrokenClaim returns the claim that has not held for longer than its stop_after, if there is one.
func (d *Drill) BrokenClaim() (Claim, bool) {
	for i, c := range d.Plan.Expect {
		st := d.Claims[i]
		if c.StopAfter > 0 && !st.BadSince.IsZero() && st.LastAt.Sub(st.BadSince) >= c.StopAfter.D() {
			return c, true
		}
	}
	return Claim{}, false
}

// Unanswered lists the asked claims that still wait for their answer at now. Their deadline counts from when
// people were asked, which is after the restoration.
func (d *Drill) Unanswered(now time.Time) []Claim {
	var open []Claim
	from := d.EndedAt
	if !d.AskedAt.IsZero() {
		from = d.AskedAt
	}
	for i, c := range d.Plan.Expect {
		if c.Ask == "" || d.Claims[i].Answer != nil {
			continue
		}
		wait := c.Deadline.D()
		if wait <= 0 {
			wait = AskedDeadline
		}
		if now.Before(from.Add(wait)) {
			open = append(open, c)
		}
	}
	return open
}

// holds says whether a claim held: yes, no, or unknown with the reason.
func (d *Drill) holds(i int) (held, known bool, why string) {
	c, st := d.Plan.Expect[i], d.Claims[i]
	if c.Ask != "" {
		if st.Answer == nil {
			return false, false, fmt.Sprintf("%s (%s): nobody answered", c.ID, c.Claim)
		}
		return st.Answer.Holds, true, fmt.Sprintf("%s (%s): %s says %s", c.ID, c.Claim, st.Answer.Actor, yes(st.Answer.Holds))
	}
	n := st.Good + st.Bad
	switch {
	case n == 0:
		return false, false, fmt.Sprintf("%s (%s): not measured", c.ID, c.Claim)
	case st.During == 0:
		return false, false, fmt.Sprintf("%s (%s): not measured while the run was under way", c.ID, c.Claim)
	case st.Bad == 0:
		return true, true, fmt.Sprintf("%s (%s): held in %d of %d samples", c.ID, c.Claim, st.Good, n)
	case st.BadSince.IsZero() && c.StopAfter > 0 && st.Longest < c.StopAfter:
		return true, true, fmt.Sprintf("%s (%s): held again; bad for %s at most, %s allowed", c.ID, c.Claim, st.Longest, c.StopAfter)
	}
	return false, true, fmt.Sprintf("%s (%s): %d of %d samples bad, last %s", c.ID, c.Claim, st.Bad, n, st.Last)
}
