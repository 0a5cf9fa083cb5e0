package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// tries bounds the attempts of one call.
const tries = 4

// Service is one managed fault-injection service in one account. Reads are tried again when the service is busy or away; a call
// that changes something only when it is sure that nothing was done.
type Service struct {
	name    drill.Service
	d       driver.Driver
	wait    func(ctx context.Context, d time.Duration) error
	tracer  trace.Tracer
	timeout time.Duration
}

// Facts returns what the driver says about itself.
func (s *Service) Facts() driver.Facts {
	if d, ok := s.d.(driver.Describer); ok {
		return d.Facts()
	}
	return driver.Facts{Service: s.name}
}

// Check validates a plan's block without I/O.
func (s *Service) Check(r driver.Request) error { return s.d.Check(r) }

// Start starts the run, or executes the prepared one. It is tried again only while the service declines for its own reasons.
func (s *Service) Start(ctx context.Context, r driver.Request) (drill.Run, error) {
	return call(ctx, s, "start", "", write, func(ctx context.Context) (drill.Run, error) {
		run, err := s.d.Start(ctx, r)
		r.Again = true
		return run, err
	})
}

// Prepares reports whether the service starts in two phases.
func (s *Service) Prepares() bool {
	_, ok := s.d.(driver.Preparer)
	return ok
}

// Prepare creates the inert task that Start will execute.
func (s *Service) Prepare(ctx context.Context, r driver.Request) (drill.Run, error) {
	p, ok := s.d.(driver.Preparer)
	if !ok {
		return drill.Run{}, s.unsupported("prepare")
	}
	return call(ctx, s, "prepare", "", write, func(ctx context.Context) (drill.Run, error) { return p.Prepare(ctx, r) })
}

// Seen lists the run ids that exist before a start, for services that have neither token nor tag; nil for the others.
func (s *Service) Seen(ctx context.Context, r driver.Request) ([]string, error) {
	p, ok := s.d.(driver.Seer)
	if !ok {
		return nil, nil
	}
	return call(ctx, s, "list runs of", "", read, func(ctx context.Context) ([]string, error) { return p.Seen(ctx, r) })
}

// Lookup finds the runs that were started for the request.
func (s *Service) Lookup(ctx context.Context, r driver.Request) ([]drill.Run, error) {
	return call(ctx, s, "look up", "", read, func(ctx context.Context) ([]drill.Run, error) { return s.d.Lookup(ctx, r) })
}

// Observe reads a run.
func (s *Service) Observe(ctx context.Context, run drill.Run) (drill.Observation, error) {
	o, err := call(ctx, s, "observe", run.ID, read, func(ctx context.Context) (drill.Observation, error) { return s.d.Observe(ctx, run) })
	o.Run = run
	return o, err
}

// Stop makes one next move towards stopped and restored.
func (s *Service) Stop(ctx context.Context, run drill.Run, st driver.Stop) error {
	_, err := call(ctx, s, "stop", run.ID, repeatable, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.d.Stop(ctx, run, st) })
	return err
}

// Advance answers a gate. Pause and resume go to the run as a whole.
func (s *Service) Advance(ctx context.Context, run drill.Run, m drill.Move) error {
	do, err := s.mover(run, m)
	if err != nil {
		return err
	}
	_, err = call(ctx, s, string(m.Action), run.ID, write, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

func (s *Service) mover(run drill.Run, m drill.Move) (func(context.Context) error, error) {
	pauser, canPause := s.d.(driver.Pauser)
	switch {
	case m.Action == drill.PauseRun && canPause:
		return func(ctx context.Context) error { return pauser.Pause(ctx, run) }, nil
	case m.Action == drill.ResumeRun && canPause:
		return func(ctx context.Context) error { return pauser.Resume(ctx, run) }, nil
	}
	a, ok := s.d.(driver.Advancer)
	if !ok {
		return nil, s.unsupported(string(m.Action))
	}
	return func(ctx context.Context) error { return a.Advance(ctx, run, m) }, nil
}

// Concludes reports whether the service keeps a conclusion in its own record.
func (s *Service) Concludes() bool {
	_, ok := s.d.(driver.Concluder)
	return ok
}

// Conclude writes the conclusion into the service's own record.
func (s *Service) Conclude(ctx context.Context, run drill.Run, c driver.Conclusion) error {
	p, ok := s.d.(driver.Concluder)
	if !ok {
		return s.unsupported("conclude")
	}
	_, err := call(ctx, s, "conclude", run.ID, repeatable, func(ctx context.Context) (struct{}, error) { return struct{}{}, p.Conclude(ctx, run, c) })
	return err
}

// Preview says what would happen; ok is false when the service has no preview.
func (s *Service) Preview(ctx context.Context, r driver.Request) (p driver.Preview, ok bool, err error) {
	pr, ok := s.d.(driver.Previewer)
	if !ok {
		return driver.Preview{}, false, nil
	}
	p, err = call(ctx, s, "preview", "", repeatable, func(ctx context.Context) (driver.Preview, error) { return pr.Preview(ctx, r) })
	return p, true, err
}

// Report reads the state of the service's own report; state none when it makes no reports.
func (s *Service) Report(ctx context.Context, run drill.Run) (drill.Report, error) {
	p, ok := s.d.(driver.Reporter)
	if !ok {
		return drill.Report{State: "none"}, nil
	}
	return call(ctx, s, "read report of", run.ID, read, func(ctx context.Context) (drill.Report, error) { return p.Report(ctx, run) })
}

// Find lists the live runs that carry our mark; ok is false when the service cannot tell.
func (s *Service) Find(ctx context.Context) (found []driver.Found, ok bool, err error) {
	p, ok := s.d.(driver.Finder)
	if !ok {
		return nil, false, nil
	}
	found, err = call(ctx, s, "find runs of", "", read, func(ctx context.Context) ([]driver.Found, error) { return p.Find(ctx) })
	return found, true, err
}

// Templates lists the account's templates.
func (s *Service) Templates(ctx context.Context) ([]driver.Template, error) {
	p, ok := s.d.(driver.Lister)
	if !ok {
		return nil, s.unsupported("list templates")
	}
	return call(ctx, s, "list templates of", "", read, func(ctx context.Context) ([]driver.Template, error) { return p.Templates(ctx) })
}

// Identity reads the id of the account that the credentials belong to; "" when the service cannot tell.
func (s *Service) Identity(ctx context.Context) (string, error) {
	p, ok := s.d.(driver.Identifier)
	if !ok {
		return "", nil
	}
	return call(ctx, s, "identify", "", read, func(ctx context.Context) (string, error) { return p.Identity(ctx) })
}

// Recovery returns the request of the recovery run, if the plan names one.
func (s *Service) Recovery(r driver.Request) (driver.Request, bool) {
	if p, ok := s.d.(driver.Recoverer); ok {
		return p.Recovery(r)
	}
	return driver.Request{}, false
}

// RecoverByHand returns the vendor's own command line that starts a recovery run, "" if there is none.
func (s *Service) RecoverByHand(r driver.Request) string {
	if p, ok := s.d.(driver.Recoverer); ok {
		return p.RecoverByHand(r)
	}
	return ""
}

// ByHand returns the vendor's own command line that stops a run, "" if there is none.
func (s *Service) ByHand(run drill.Run) string {
	if p, ok := s.d.(driver.Handbook); ok && run.ID != "" {
		return p.ByHand(run)
	}
	return ""
}

func (s *Service) unsupported(op string) error {
	return &Error{Op: op, Service: s.name, Code: driver.Invalid, Err: fmt.Errorf("%w: %s cannot %s", driver.ErrUnsupported, s.name, op)}
}

// kind says when a failed call may be repeated.
type kind int

const (
	read       kind = iota // whenever the service may answer later
	repeatable             // a write that may be repeated: doing it twice is the same as once
	write                  // only when it is sure that nothing was done
)

func (k kind) again(c driver.Code) bool {
	switch c {
	case driver.Throttled, driver.Expired:
		return true
	case driver.Unavailable:
		return k != write
	case driver.Uncertain:
		return k == read
	}
	return false
}

func call[T any](ctx context.Context, s *Service, op, run string, k kind, do func(context.Context) (T, error)) (T, error) {
	ctx, span := s.tracer.Start(ctx, string(s.name)+" "+op, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("firedrill.service", string(s.name)), attribute.String("firedrill.run", run)))
	defer span.End()
	pause := backoff.NewExponentialBackOff()
	for n := 1; ; n++ {
		one, cancel := context.WithTimeout(ctx, s.timeout)
		v, err := do(one)
		cancel()
		if err == nil {
			return v, nil
		}
		code := s.d.Code(err)
		failed := &Error{Op: op, Service: s.name, Run: run, Code: code, Err: err}
		if n == tries || !k.again(code) || ctx.Err() != nil || s.wait(ctx, pause.NextBackOff()) != nil {
			span.SetAttributes(attribute.String("firedrill.code", string(code)), attribute.Int("firedrill.tries", n))
			span.SetStatus(codes.Error, string(code))
			return v, failed
		}
	}
}
