package host

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/setup"
)

// Function is what a build returns: how a function takes events, HTTP requests, or both.
type Function struct {
	Types  []string                  // event types that Handle takes
	Handle function.Handler          // nil: it takes no events
	HTTP   http.Handler              // nil: it takes no requests
	Alarms *setup.Tokens             // not nil: monitors that present one of them may post alarms to /alarms/{source}
	Before func(ctx context.Context) // called before each event and request; it must be quick and must not fail
}

// Each makes one Before of several.
func Each(before ...func(ctx context.Context)) func(ctx context.Context) {
	return func(ctx context.Context) {
		for _, f := range before {
			f(ctx)
		}
	}
}

// Build wires a function.
type Build func(ctx context.Context, p *setup.Setup) (Function, error)

// Run runs the function under the runtime that started the process. It returns only when the process is told to end, and ends the
// process with status 1 when the function cannot be set up. needs are the variables that this function alone reads.
func Run(name string, build Build, needs ...setup.Need) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, process{os.Environ(), os.Getenv, os.Stdout}, name, build, needs)
	stop()
	if err != nil {
		os.Exit(1)
	}
}

// warm loads the roots that TLS trusts, beside everything else: it takes longer than all that together, and the first call waits for it
// where it is not done by then. Asking for work does not wait for it: see docs/performance.md.
func warm() { _, _ = x509.SystemCertPool() }

// process is what the function's process was given.
type process struct {
	environ []string
	getenv  func(string) string
	out     interface{ Write([]byte) (int, error) }
}

// runtime is one way in which a platform runs a function.
type runtime struct {
	name     string
	variable string // present under this runtime alone
	needs    func(f string) []setup.Need
	serve    func(ctx context.Context, h *host, value string) error
}

// runtimes lists them; the first whose variable is present is the one. Function Compute's and SCF's custom runtimes go before the HTTP
// server: both speak HTTP, with their own headers and paths.
func runtimes() []runtime {
	return []runtime{
		{"lambda", "AWS_LAMBDA_RUNTIME_API", lambdaNeeds, serveLambda},
		{"http", "PORT", httpNeeds, func(ctx context.Context, h *host, port string) error { return serveHTTP(ctx, h, ":"+port) }},
		{"http", "FIREDRILL_ADDR", httpNeeds, serveHTTP},
	}
}

func detect(getenv func(string) string) (runtime, string, error) {
	var names []string
	for _, r := range runtimes() {
		if v := getenv(r.variable); v != "" {
			return r, v, nil
		}
		names = append(names, r.variable)
	}
	return runtime{}, "", fmt.Errorf("no runtime: none of %s is set; for a server set PORT", strings.Join(names, ", "))
}

// host is one function under one runtime.
type host struct {
	f      Function
	p      *setup.Setup
	handle function.Handler // with log, margin and publishing; nil when the function takes no events
	types  map[string]bool
	log    *slog.Logger
}

func run(ctx context.Context, p process, name string, build Build, needs []setup.Need) error {
	log := newLog(p.out, slog.LevelInfo).With("function", name)
	h, r, value, err := open(ctx, p, name, build, needs)
	if err == nil {
		go warm() // the first event will need them
		err = r.serve(ctx, h, value)
	}
	if err != nil {
		for _, one := range lines(err) {
			log.Error("cannot run", "error", one)
		}
	}
	return err
}

// lines takes a list of mistakes apart: one line of the log for each.
func lines(err error) []string {
	var m *setup.Mistakes
	if !errors.As(err, &m) {
		return []string{err.Error()}
	}
	var out []string
	for _, one := range m.Unwrap() {
		out = append(out, one.Error())
	}
	return out
}

func open(ctx context.Context, p process, name string, build Build, needs []setup.Need) (*host, runtime, string, error) {
	r, value, err := detect(p.getenv)
	if err != nil {
		return nil, r, "", err
	}
	s, err := setup.Read(p.environ, append(needs, r.needs(name)...)...)
	if err != nil {
		return nil, r, "", err
	}
	log := newLog(p.out, s.LogLevel).With("function", name)
	parts, err := setup.Open(name, s, log, p.getenv)
	if err != nil {
		return nil, r, "", err
	}
	f, err := build(ctx, parts)
	if err != nil {
		return nil, r, "", fmt.Errorf("build %s: %w", name, err)
	}
	return newHost(f, parts), r, value, nil
}

func newHost(f Function, p *setup.Setup) *host {
	h := &host{f: f, p: p, types: map[string]bool{}, log: p.Log}
	for _, t := range f.Types {
		h.types[t] = true
	}
	if f.Handle != nil {
		inner := margin(f.Handle, p.Now)
		h.handle = function.Logging(function.Publishing(inner, p.Publisher, p.Journal), p.Log, p.Now)
	}
	if f.Alarms != nil {
		h.f.HTTP = h.alarms(*f.Alarms)
	}
	return h
}

// margin keeps a tenth of what is left, at most a second, for what follows the function.
func margin(h function.Handler, now func() time.Time) function.Handler {
	return func(ctx context.Context, in events.Event) ([]events.Event, error) {
		keep := time.Second
		if deadline, ok := ctx.Deadline(); ok {
			keep = max(0, min(keep, deadline.Sub(now())/10))
		}
		return function.Margin(h, keep)(ctx, in)
	}
}

// before lets the function look whether what it was set up with has changed.
func (h *host) before(ctx context.Context) {
	if h.f.Before != nil {
		h.f.Before(ctx)
	}
}

// one hands one event to the function. A final error (events.Final) is a refusal; any other wants the event again.
func (h *host) one(ctx context.Context, e events.Event) error {
	if h.handle == nil {
		return fmt.Errorf("%w: %s takes no events", events.ErrInvalid, h.p.Name)
	}
	if err := events.Check(e); err != nil {
		return err
	}
	if !h.types[e.Type()] {
		return fmt.Errorf("%w: %s does not handle %s: the rule that sent it is wrong", events.ErrInvalid, h.p.Name, e.Type())
	}
	_, err := h.handle(ctx, e)
	return err
}

// all hands events to the function. It tells what must be delivered again from what was refused.
func (h *host) all(ctx context.Context, in []events.Event) (again, refused error) {
	var as, rs []error
	for _, e := range in {
		switch err := h.one(ctx, e); {
		case events.Final(err):
			rs = append(rs, err)
		case err != nil:
			as = append(as, err)
		}
	}
	return errors.Join(as...), errors.Join(rs...)
}
