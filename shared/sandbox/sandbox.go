package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// The credentials that the sandbox takes if Options names none.
const (
	DefaultAccessKey = "sandbox"
	DefaultSecret    = "sandbox"
)

// Options sets up a sandbox.
type Options struct {
	// Real is the real clock: signatures are checked against it. Required.
	Real func() time.Time
	// Clock is the sandbox's clock, which /_sandbox/clock moves. Nil: Now is used, and nobody can move it.
	Clock *Clock
	// Now is the sandbox's time where Clock is nil. Nil: Real.
	Now func() time.Time
	// ID returns a new unique lower-case hexadecimal id of n characters. Nil: a fixed sequence, the same in every
	// sandbox, so a sandbox whose callers outlive it needs one.
	ID func(n int) string
	// Emit receives what the platforms push, on the goroutine of the call or tick that caused it and outside every lock: it
	// may call the sandbox. Nil: it is dropped.
	Emit func(platform string, payload []byte)
	// Wait plays latency: it returns when d of real time has passed or ctx ends. Nil: a real timer.
	Wait func(ctx context.Context, d time.Duration) error
	// AllowHosts are host names, besides loopback ones, that requests over HTTP may be sent to.
	AllowHosts []string
	// AccessKey and Secret are the credentials that are taken. Empty: sandbox and sandbox.
	AccessKey, Secret string
	// Services are the constructors of the services. Nil: FIS, CFG, OOS and AHAS.
	Services []func(service.Env) service.Service
	// Keep makes the state outlive the process; only Open looks at it. Nil: nothing is kept.
	Keep Keep
}

// Sandbox is the four services in one process. It is safe for concurrent use.
type Sandbox struct {
	opts     Options
	now      func() time.Time
	services []service.Service
	faults   faults
	history  history
	record   record
	alarms   alarms
	kept     kept
	control  *http.ServeMux
}

var _ http.Handler = (*Sandbox)(nil)

// New assembles a sandbox that keeps nothing. It starts nothing: state moves when it is called, and by Tick.
func New(o Options) *Sandbox {
	s := &Sandbox{opts: withDefaults(o), alarms: alarms{byName: map[string]Alarm{}}}
	s.now = s.opts.Now
	for n, open := range s.opts.Services {
		s.services = append(s.services, open(service.Env{
			Now: s.now, Real: s.opts.Real, Alarm: s.alarms.firing, Emit: s.emitter(n), ID: s.opts.ID,
			AccessKey: s.opts.AccessKey, Secret: s.opts.Secret,
		}))
	}
	s.control = s.routes()
	return s
}

func withDefaults(o Options) Options {
	if o.Clock != nil {
		o.Now = o.Clock.Now
	}
	if o.Now == nil {
		o.Now = o.Real
	}
	if o.ID == nil {
		o.ID = sequence()
	}
	if o.Emit == nil {
		o.Emit = func(string, []byte) {}
	}
	if o.Wait == nil {
		o.Wait = func(ctx context.Context, d time.Duration) error { return pause(ctx, d, true, nil) }
	}
	if o.AccessKey == "" {
		o.AccessKey = DefaultAccessKey
	}
	if o.Secret == "" {
		o.Secret = DefaultSecret
	}
	if o.Services == nil {
		o.Services = all()
	}
	return o
}

// sequence returns a source of ids that look random and are the same each time.
func sequence() func(n int) string {
	var count atomic.Int64
	return func(n int) string {
		seed := strconv.FormatInt(count.Add(1), 10)
		id := ""
		for len(id) < n {
			sum := sha256.Sum256([]byte("sandbox/" + seed + "/" + id))
			id += hex.EncodeToString(sum[:])
		}
		return id[:n]
	}
}

// AddFault puts a fault in force and returns its id. A fault with the id of another replaces it.
func (s *Sandbox) AddFault(f Fault) (string, error) {
	if err := s.check(f); err != nil {
		return "", err
	}
	return s.faults.add(f), nil
}

func (s *Sandbox) check(f Fault) error {
	err := f.Validate()
	if f.Service != "" && s.find(f.Service) == nil {
		err = errors.Join(err, fmt.Errorf("service: %q is none of %v", f.Service, s.names()))
	}
	return err
}

// RemoveFault ends a fault and lets go the calls that it holds; false if there is no such fault.
func (s *Sandbox) RemoveFault(id string) bool { return s.faults.remove(id) }

// Faults lists the faults in force.
func (s *Sandbox) Faults() []Fault { return s.faults.list() }

// Release lets go the calls that the fault holds and returns how many; false if there is no such fault. The fault stays
// in force for later calls.
func (s *Sandbox) Release(id string) (int, bool) { return s.faults.release(id) }

// Requests returns the latest requests, oldest first.
func (s *Sandbox) Requests() []Request { return s.record.list() }

// Tick plays everything that is due in all services.
func (s *Sandbox) Tick() {
	s.tick()
	s.keepSometimes()
}

func (s *Sandbox) tick() {
	for _, v := range s.services {
		v.Tick()
	}
}

// Runs lists every run of every service, each service's oldest first.
func (s *Sandbox) Runs() []service.Run {
	out := []service.Run{}
	for _, v := range s.services {
		out = append(out, v.Runs()...)
	}
	return out
}

// Live lists the runs whose faults are in effect now.
func (s *Sandbox) Live() []service.Run {
	out := []service.Run{}
	for _, r := range s.Runs() {
		if len(r.Live) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// State returns each service's whole state, by name.
func (s *Sandbox) State() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, v := range s.services {
		out[v.Name()] = v.Snapshot()
	}
	return out
}

// Alarms lists the alarms that were ever raised, by name.
func (s *Sandbox) Alarms() []Alarm { return s.alarms.list() }

// SetAlarm raises an alarm (state firing) or clears it (resolved), and emits CloudWatch's event if that is a change. The
// name may be an ARN. What was due before is played first, and what follows from the alarm right after.
func (s *Sandbox) SetAlarm(name, state, reason string) (Alarm, error) {
	if alarmName(name) == "" || state != "firing" && state != "resolved" {
		return Alarm{}, fmt.Errorf("set alarm %q to %q: it needs a name, and the state firing or resolved", name, state)
	}
	s.tick()
	was, is, changed := s.alarms.set(name, state, reason, s.now())
	if !changed {
		return is, nil
	}
	if err := s.keepAlarms(); err != nil {
		return is, err
	}
	payload, err := stateChange(uuid(s.opts.ID(32)), was, is)
	if err != nil {
		return is, fmt.Errorf("encode the event of alarm %s: %w", is.Name, err)
	}
	s.opts.Emit("aws", payload)
	s.tick()
	return is, s.keepAll()
}

// Reset forgets runs, faults, alarms, the request log and what reads answered. Templates and the clock stay. The error
// says that the old state is still kept.
func (s *Sandbox) Reset() error {
	s.faults.clear()
	s.alarms.clear()
	for _, v := range s.services {
		v.Reset()
	}
	s.history.clear()
	s.record.clear()
	return errors.Join(s.keepAlarms(), s.keepAll())
}

func (s *Sandbox) find(name string) service.Service {
	for _, v := range s.services {
		if v.Name() == name {
			return v
		}
	}
	return nil
}

func (s *Sandbox) names() []string {
	var out []string
	for _, v := range s.services {
		out = append(out, v.Name())
	}
	return out
}
