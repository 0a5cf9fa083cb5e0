// Package provider drives the managed fault-injection services. The portable type Service does retry, backoff, tracing and error
// wrapping once; what differs between services lives in the drivers (shared/provider/{fis,ahas,oos,cfg}).
package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Options wire the services of a deployment.
type Options struct {
	Openers map[drill.Service]driver.Opener
	// Config says how to reach a service with an account: endpoint, credentials, transport.
	Config func(s drill.Service, a drill.Account) (driver.Config, error)
	Wait   func(ctx context.Context, d time.Duration) error // injected; returns early with ctx's error
	Tracer trace.Tracer                                     // nil for none
}

// Services opens drivers on first use and keeps them. It is safe for concurrent use.
type Services struct {
	o    Options
	mu   sync.Mutex
	open map[key]*Service
}

type key struct {
	service drill.Service
	account drill.Account // whole: a drill that goes on keeps the role it began with when the catalogue changes
}

// New returns the services of a deployment. It opens nothing yet.
func New(o Options) *Services {
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	return &Services{o: o, open: map[key]*Service{}}
}

// For returns the service of one account.
func (s *Services) For(name drill.Service, a drill.Account) (*Service, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{name, a}
	if sv := s.open[k]; sv != nil {
		return sv, nil
	}
	opener := s.o.Openers[name]
	if opener == nil {
		return nil, fmt.Errorf("service %q is not built into this function", name)
	}
	cfg, err := s.o.Config(name, a)
	if err != nil {
		return nil, fmt.Errorf("configure %s for account %s: %w", name, a.Name, err)
	}
	d, err := opener(cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s for account %s: %w", name, a.Name, err)
	}
	sv := &Service{name: name, d: d, wait: s.o.Wait, tracer: s.o.Tracer, timeout: cfg.Timeout}
	if sv.timeout <= 0 {
		sv.timeout = drill.CallTimeout
	}
	s.open[k] = sv
	return sv, nil
}

// Error is an error of a service: what was being done, its class, and the vendor's own error.
type Error struct {
	Op      string
	Service drill.Service
	Run     string
	Code    driver.Code
	Err     error
}

// Error says what was being done and what the service answered.
func (e *Error) Error() string {
	if e.Run != "" {
		return fmt.Sprintf("%s %s run %s: %s: %v", e.Op, e.Service, e.Run, e.Code, e.Err)
	}
	return fmt.Sprintf("%s %s: %s: %v", e.Op, e.Service, e.Code, e.Err)
}

// Unwrap returns the vendor's own error.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the class of an error that came from a Service; a context that ended is uncertain, nil is OK.
func CodeOf(err error) driver.Code {
	var e *Error
	switch {
	case err == nil:
		return driver.OK
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return driver.Uncertain
	}
	return driver.Unknown
}

// Temporary reports whether the same call may do better later, so that a handler leaves it to the next tick.
func Temporary(c driver.Code) bool {
	switch c {
	case driver.Throttled, driver.Expired, driver.Unavailable, driver.Uncertain, driver.Unknown, driver.Conflict, driver.Quota:
		return true
	}
	return false
}
