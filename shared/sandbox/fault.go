package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Effect is what a fault does to a call.
type Effect string

// The effects.
const (
	Latency     Effect = "latency"      // waits Delay of real time before the call
	HoldBefore  Effect = "hold-before"  // waits until released, then does the call
	Throttle    Effect = "throttle"     // answers that there were too many calls; nothing is done
	ErrorBefore Effect = "error-before" // answers the vendor's 5xx; nothing is done
	Lie         Effect = "lie"          // a stop answers success and does nothing
	Stale       Effect = "stale"        // a read answers what it answered Age ago, or the oldest answer known
	ErrorAfter  Effect = "error-after"  // does the call, then answers the vendor's 5xx
	LoseReply   Effect = "lose-reply"   // does the call, then breaks the connection
	Hold        Effect = "hold"         // does the call, then holds the reply until released
)

// Effects lists every effect in the order in which they are played upon one call.
func Effects() []Effect {
	return []Effect{Latency, HoldBefore, Throttle, ErrorBefore, Lie, Stale, ErrorAfter, LoseReply, Hold}
}

// Fault is a rule: what happens to which calls. Empty selectors match every call; all that are set must match.
type Fault struct {
	ID      string         `json:"id"`                // given if empty
	Fault   Effect         `json:"fault"`             //
	Service string         `json:"service,omitempty"` // fis, ahas, oos, cfg
	Op      string         `json:"op,omitempty"`      // the vendor's name of the operation
	Kind    service.Kind   `json:"kind,omitempty"`    // read, create, start, advance, stop, write
	Match   string         `json:"match,omitempty"`   // a part of the call's key or body
	Times   int            `json:"times,omitempty"`   // how many calls it is played upon; 0: until it is removed
	Delay   drill.Duration `json:"delay,omitempty"`   // of latency
	Age     drill.Duration `json:"age,omitempty"`     // of stale
	Played  int            `json:"played"`            // how many calls it was played upon
	Holding int            `json:"holding"`           // how many calls it holds now
}

// Validate reports every mistake in the rule.
func (f Fault) Validate() error {
	var errs []error
	if !slices.Contains(Effects(), f.Fault) {
		errs = append(errs, fmt.Errorf("fault: %q is none of %v", f.Fault, Effects()))
	}
	kinds := []service.Kind{"", service.Read, service.Create, service.Start, service.Advance, service.Stop, service.Write}
	if !slices.Contains(kinds, f.Kind) {
		errs = append(errs, fmt.Errorf("kind: %q is none of %v", f.Kind, kinds[1:]))
	}
	if f.Times < 0 {
		errs = append(errs, errors.New("times: below 0"))
	}
	if (f.Fault == Latency) != (f.Delay > 0) {
		errs = append(errs, errors.New("delay: latency needs one above 0, the other faults have none"))
	}
	if f.Age < 0 || f.Age > 0 && f.Fault != Stale {
		errs = append(errs, errors.New("age: only stale has one, 0 or above"))
	}
	return errors.Join(errs...)
}

func (f Fault) matches(c service.Call, body string) bool {
	switch {
	case f.Service != "" && f.Service != c.Service,
		f.Op != "" && f.Op != c.Op,
		f.Kind != "" && f.Kind != c.Kind,
		f.Fault == Lie && c.Kind != service.Stop,
		f.Fault == Stale && c.Kind != service.Read:
		return false
	}
	return f.Match == "" || strings.Contains(c.Key, f.Match) || strings.Contains(body, f.Match)
}

// rule is a fault and those that it holds.
type rule struct {
	Fault
	free chan struct{} // closed on release
}

// faults are the rules in force. It is safe for concurrent use.
type faults struct {
	mu    sync.Mutex
	rules []*rule
	spent []*rule // played as often as asked, but still holding calls
	made  int
}

// add puts a rule in force; one with the same id is replaced and what it holds released.
func (f *faults) add(r Fault) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.ID == "" {
		f.made++
		r.ID = "f" + strconv.Itoa(f.made)
	}
	r.Played, r.Holding = 0, 0
	f.drop(r.ID)
	f.rules = append(f.rules, &rule{Fault: r, free: make(chan struct{})})
	return r.ID
}

// hit is a rule that is played upon one call.
type hit struct {
	rule *rule
	free <-chan struct{} // closed when the call is let go
	Fault
}

// take returns the first rule in force with this effect on this call, and counts it as played.
func (f *faults) take(e Effect, c service.Call, body string) (hit, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range f.rules {
		if r.Fault.Fault != e || !r.matches(c, body) {
			continue
		}
		r.Played++
		if e == Hold || e == HoldBefore {
			r.Holding++
		}
		if r.Times > 0 && r.Played >= r.Times {
			f.rules = slices.Delete(f.rules, i, i+1)
			if r.Holding > 0 {
				f.spent = append(f.spent, r)
			}
		}
		return hit{r, r.free, r.Fault}, true
	}
	return hit{}, false
}

// none reports whether no rule is in force, the usual case.
func (f *faults) none() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.rules) == 0
}

// hold waits until the rule is released or removed, or ctx ends.
func (f *faults) hold(ctx context.Context, h hit) error {
	var err error
	select {
	case <-h.free:
	case <-ctx.Done():
		err = ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.rule.Holding--; h.rule.Holding == 0 {
		f.spent = slices.DeleteFunc(f.spent, func(s *rule) bool { return s == h.rule })
	}
	return err
}

// release lets go what the rule holds, and returns how many calls that were. The rule stays in force.
func (f *faults) release(id string) (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held, found := 0, false
	for _, r := range slices.Concat(f.rules, f.spent) {
		if r.ID == id {
			held, found = held+r.Holding, true
			close(r.free)
			r.free = make(chan struct{})
		}
	}
	return held, found
}

// remove ends a rule and lets go what it holds.
func (f *faults) remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drop(id)
}

// drop must be called with mu held. A spent rule stays listed until the last call that it held has gone.
func (f *faults) drop(id string) bool {
	found := false
	for _, r := range slices.Concat(f.rules, f.spent) {
		if r.ID == id {
			found = true
			close(r.free)
			r.free = make(chan struct{})
		}
	}
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool { return r.ID == id })
	return found
}

// clear ends every rule.
func (f *faults) clear() {
	for _, r := range f.list() {
		f.remove(r.ID)
	}
}

// list returns the rules in force, and the spent ones that still hold calls.
func (f *faults) list() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []Fault{}
	for _, r := range slices.Concat(f.rules, f.spent) {
		out = append(out, r.Fault)
	}
	return out
}
