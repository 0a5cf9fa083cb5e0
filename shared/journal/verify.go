package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// BrokenError says where a drill's history first stops making sense, and why.
type BrokenError struct {
	Drill  string `json:"drill"`
	Rev    int    `json:"rev"`
	Reason string `json:"reason"`
}

// Error describes the first broken rev.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("journal of drill %s is broken at rev %d: %s", e.Drill, e.Rev, e.Reason)
}

// Anchor is a rev and its sum as they were published outside the store: in the concluded fact, a chat message or a
// report. The chain alone cannot show that its newest entries were changed or cut off; an anchor can.
type Anchor struct {
	Rev    int    `json:"rev"`
	SHA256 string `json:"sha256"`
}

// Check is the outcome of an audit of one drill.
type Check struct {
	Drill  string       `json:"drill"`
	Sums   []string     `json:"sums"` // hex SHA-256 of revs 1, 2, 3 and so on, as stored; "" where the rev is missing
	From   time.Time    `json:"from"`
	Until  time.Time    `json:"until"`
	Broken *BrokenError `json:"broken,omitempty"` // nil when the history is whole
}

// Head returns the newest rev and its sum.
func (c Check) Head() Anchor {
	if len(c.Sums) == 0 {
		return Anchor{}
	}
	return Anchor{Rev: len(c.Sums), SHA256: c.Sums[len(c.Sums)-1]}
}

// Verify reads the whole history of a drill and checks that revs have no gap, that each entry holds the sum of the one
// before, that time never runs backwards, and that the anchors, if any are given, still hold. The error is a
// *BrokenError for the first broken rev, ErrNotFound when the drill has no entry, or what kept the store from answering.
func (j *Journal) Verify(ctx context.Context, drill string, anchors ...Anchor) error {
	c, err := j.Check(ctx, drill, anchors...)
	if err != nil {
		return err
	}
	if c.Broken != nil {
		return c.Broken
	}
	return nil
}

// Check is Verify with the sums, for an audit. A broken history is not an error but an outcome.
func (j *Journal) Check(ctx context.Context, drill string, anchors ...Anchor) (Check, error) {
	replies, err := j.replies(ctx, drill)
	if err != nil {
		return Check{}, err
	}
	c := Check{Drill: drill, Sums: make([]string, len(replies))}
	entries := make([]Entry, 0, len(replies))
	var broken *BrokenError // what cannot be decoded
	for i, r := range replies {
		if r.err != nil && !errors.Is(r.err, ErrNotFound) {
			return Check{}, fmt.Errorf("read rev %d of drill %s: %w", i+1, drill, r.err)
		}
		reason := "it is missing"
		if r.err == nil {
			c.Sums[i] = sum(r.data)
			e, err := decodeAt(r.data, i+1)
			if err == nil && broken == nil {
				entries = append(entries, e)
			}
			if err == nil {
				continue
			}
			reason = err.Error()
		}
		if broken == nil {
			broken = &BrokenError{Drill: drill, Rev: i + 1, Reason: reason}
		}
	}
	if len(entries) > 0 {
		c.From, c.Until = entries[0].At, entries[len(entries)-1].At
	}
	c.Broken = firstBroken(chain(drill, entries), broken, anchored(drill, c.Sums, anchors))
	return c, nil
}

// VerifyEntries checks entries that were read before, oldest first, as Verify does.
func VerifyEntries(drill string, entries []Entry, anchors ...Anchor) error {
	sums := make([]string, len(entries))
	for i, e := range entries {
		sums[i] = e.SHA256
	}
	if b := firstBroken(chain(drill, entries), anchored(drill, sums, anchors)); b != nil {
		return b
	}
	return nil
}

func chain(drill string, entries []Entry) *BrokenError {
	var prev Entry
	for i, e := range entries {
		reason := ""
		switch {
		case e.Rev != i+1:
			reason = fmt.Sprintf("rev %d is there in its place", e.Rev)
		case i == 0 && e.PrevSHA256 != "":
			reason = "the first entry names one before it"
		case i > 0 && prev.SHA256 == "":
			reason = fmt.Sprintf("the sum of rev %d is unknown", prev.Rev)
		case e.PrevSHA256 != prev.SHA256:
			reason = fmt.Sprintf("it was written after a rev %d with another sum: rev %d was changed, or this one", i, i)
		case e.At.Before(prev.At):
			reason = fmt.Sprintf("its time %s is before that of rev %d, %s", e.At.Format(time.RFC3339Nano), i, prev.At.Format(time.RFC3339Nano))
		}
		if reason != "" {
			return &BrokenError{Drill: drill, Rev: i + 1, Reason: reason}
		}
		prev = e
	}
	return nil
}

func anchored(drill string, sums []string, anchors []Anchor) *BrokenError {
	var first *BrokenError
	for _, a := range anchors {
		reason := ""
		switch {
		case a.Rev < 1 || a.Rev > len(sums):
			reason = "it was published, and is not there"
		case sums[a.Rev-1] != a.SHA256:
			reason = "its sum is not the published one"
		}
		if reason != "" {
			first = firstBroken(first, &BrokenError{Drill: drill, Rev: a.Rev, Reason: reason})
		}
	}
	return first
}

// firstBroken returns the one with the lowest rev; of equals the earlier argument.
func firstBroken(all ...*BrokenError) *BrokenError {
	var first *BrokenError
	for _, b := range all {
		if b != nil && (first == nil || b.Rev < first.Rev) {
			first = b
		}
	}
	return first
}
