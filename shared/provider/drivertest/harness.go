package drivertest

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Harness is what a driver brings to the suite.
type Harness struct {
	Service func(service.Env) service.Service // makes a fresh sandbox service
	Open    driver.Opener
	Blocks  Blocks

	BadFields []string // every field that Check must name in its error about Blocks.Bad
	UnknownID string   // a well-formed run id that does not exist

	// Unknown changes the reply of a read so that the run, or a step, has a status that the vendor never sent before.
	Unknown func(reply []byte) []byte

	Can Can

	Account, Region string            // default: "acct", "test-region-1"
	Endpoint        string            // default: http://127.0.0.1:1, which nothing listens on
	Step            time.Duration     // how far the clock moves between two observations; default 2 s
	Longest         time.Duration     // the most sandbox time that a case waits for a run; default 15 min
	Restored        drill.Restoration // how Long ends when it is stopped; default drill.RestoreDone
}

// Blocks are the plan blocks of the driver's own service that the cases start.
type Blocks struct {
	Short   map[string]any // ends by itself, completed, within Harness.Longest
	Long    map[string]any // injects a fault within a minute and goes on for at least five more, unless it is stopped
	Failing map[string]any // a step fails: ends failed, or waits at a gate of kind failed; nil if there is none
	Manual  map[string]any // waits for a person at least once; completes when every gate gets its first choice; nil if there is none
	Bad     map[string]any // has at least two mistakes
	Recover map[string]any // for a Recoverer: a block that names a recovery; nil if there is none
}

// Can says what the service promises.
type Can struct {
	Token bool // Start repeated with the same request makes one run
	Pages bool // Lookup goes through more than 100 runs; false where the vendor's list is too dear to fill

	OneAtATime bool // the service refuses a second run of a template while the first goes on: cases let the first end
}

// The credentials of a World, which no error may hold, and the identity of its journal.
const (
	AccessKey    = "AKIDFIREDRILLTEST"
	Secret       = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYzz"
	SessionToken = "FwoGZXIvYXdzEJr-session-token"
	Root         = "root-7f3a"
)

func (h Harness) withDefaults() Harness {
	if h.Account == "" {
		h.Account = "acct"
	}
	if h.Region == "" {
		h.Region = "test-region-1"
	}
	if h.Endpoint == "" {
		h.Endpoint = "http://127.0.0.1:1"
	}
	if h.Step == 0 {
		h.Step = 2 * time.Second
	}
	if h.Longest == 0 {
		h.Longest = 15 * time.Minute
	}
	if h.Restored == "" {
		h.Restored = drill.RestoreDone
	}
	return h
}

// Run runs the whole suite, one subtest per case.
func Run(t *testing.T, h Harness) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	probe := NewBench(t, NewWorld(t, h))
	for _, c := range cases() {
		if c.needs != nil && !c.needs(probe) {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, NewWorld(t, h)) })
	}
}

// testCase is one case of the suite; its name is a sentence. It is left out where the driver lacks what it needs.
type testCase struct {
	name  string
	run   func(*testing.T, *World)
	needs func(*Bench) bool
}

// has tells whether the driver has the optional interface.
func has[T any](b *Bench) bool {
	_, ok := b.D.(T)
	return ok
}

func cases() []testCase {
	var all []testCase
	all = append(all, checkCases()...)
	all = append(all, failureCases()...)
	all = append(all, startCases()...)
	all = append(all, stopCases()...)
	all = append(all, optionalCases()...)
	return append(all, loadCases()...)
}
