// Package service is what each of the sandbox's four services brings: it recognises its own requests by their
// shape, serves them exactly as the vendor does, and runs its state machines on the clock it is given.
//
// The sandbox itself (package sandbox) reads bodies, routes, records, and plays the faults: latency, throttling,
// a failure after commit, a lost or held reply and stale reads need nothing from the service but Recognise and Fail.
package service

import (
	"encoding/json"
	"net/http"
	"time"
)

// Kind says what a call does, so that faults can be aimed.
type Kind string

// The kinds of call.
const (
	Read    Kind = "read"    // changes nothing
	Create  Kind = "create"  // makes a run that does nothing yet (CFG create, templates)
	Start   Kind = "start"   // begins to inject
	Advance Kind = "advance" // moves a waiting run on
	Stop    Kind = "stop"    // ends or pauses a run
	Write   Kind = "write"   // anything else that changes state
)

// Call is a recognised request.
type Call struct {
	Service string `json:"service"` // fis, ahas, oos, cfg
	Op      string `json:"op"`      // the vendor's name: StartExperiment
	Kind    Kind   `json:"kind"`
	Key     string `json:"key"` // op and resource: equal for two reads of the same thing, whatever their signature
}

// Failure is a vendor-shaped error that the sandbox asks a service to write.
type Failure string

// The failures that every service can write.
const (
	Throttled Failure = "throttled"
	Internal  Failure = "internal" // a 5xx as the vendor sends it
)

// Options changes how one call is served.
type Options struct {
	Lie bool // a stop call answers success and does nothing
}

// Service is one sandboxed service. Its methods may be called concurrently. State is moved on lazily: every call
// first plays what was due by Env.Now(); there are no timers and no goroutines.
type Service interface {
	Name() string
	// Recognise tells whether the request is for this service, by its shape alone (headers, path, parameters).
	Recognise(r *http.Request, body []byte) (Call, bool)
	// Serve answers as the vendor does: signature, version, required fields, state, idempotency, quota.
	Serve(w http.ResponseWriter, r *http.Request, body []byte, c Call, o Options)
	// Fail writes the vendor's own shape of a failure.
	Fail(w http.ResponseWriter, r *http.Request, c Call, f Failure)
	// Tick plays everything that is due by now, and emits what the service pushes.
	Tick()
	// Runs lists every run there ever was, oldest first.
	Runs() []Run
	// Snapshot is the whole state as JSON, for /_sandbox/state.
	Snapshot() json.RawMessage
	// Reset forgets all runs and keeps the templates.
	Reset()
}

// Run is the sandbox's own truth about a run: the simulator's invariants and tests read it.
type Run struct {
	Service  string    `json:"service"`
	ID       string    `json:"id"`
	Template string    `json:"template"`
	Title    string    `json:"title,omitempty"`
	Mark     string    `json:"mark,omitempty"` // tag, token or title part that names a drill
	Status   string    `json:"status"`         // the vendor's word
	Preview  bool      `json:"preview"`        // injects nothing (FIS skip-all)
	Executed bool      `json:"executed"`       // was started, not only created
	Live     []string  `json:"live,omitempty"` // faults that are in effect now, one name each; empty means none
	Ended    bool      `json:"ended"`          // final at the service
	Created  time.Time `json:"created"`
	Started  time.Time `json:"started,omitzero"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
}

// Env is what the sandbox lends its services.
type Env struct {
	Now  func() time.Time // the sandbox's clock, possibly sped up
	Real func() time.Time // the real clock: signatures are checked against it
	// Alarm tells whether the named alarm is firing (FIS stop conditions: the alarm's ARN or its last part).
	Alarm func(name string) bool
	// Emit delivers what the platform would push, in the platform's own shape, e.g. Emit("aws", eventBridgeJSON).
	Emit func(platform string, payload []byte)
	// ID returns a new unique lower-case hexadecimal id of n characters; deterministic in the simulator.
	ID func(n int) string
	// AccessKey and Secret that signatures are checked with.
	AccessKey, Secret string
}
