package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// plain is a driver that can only do what every driver must. Its calls fail with the errors in script, then succeed.
type plain struct {
	mu     sync.Mutex
	script []error
	calls  []string
}

// coded is an error with a class.
type coded struct{ code driver.Code }

func (e coded) Error() string { return "vendor says " + string(e.code) }

func (p *plain) do(op string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, op)
	if len(p.script) == 0 {
		return nil
	}
	err := p.script[0]
	p.script = p.script[1:]
	return err
}

func (p *plain) Check(driver.Request) error { return p.do("check") }
func (p *plain) Start(context.Context, driver.Request) (drill.Run, error) {
	return drill.Run{ID: "run-1"}, p.do("start")
}
func (p *plain) Lookup(context.Context, driver.Request) ([]drill.Run, error) {
	return nil, p.do("lookup")
}
func (p *plain) Observe(context.Context, drill.Run) (drill.Observation, error) {
	return drill.Observation{Phase: drill.PhaseRunning}, p.do("observe")
}
func (p *plain) Stop(context.Context, drill.Run, driver.Stop) error { return p.do("stop") }
func (p *plain) Code(err error) driver.Code {
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return driver.Uncertain
}

// able can do everything else too.
type able struct{ plain }

func (p *able) Prepare(context.Context, driver.Request) (drill.Run, error) {
	return drill.Run{ID: "task-1"}, p.do("prepare")
}
func (p *able) Seen(context.Context, driver.Request) ([]string, error) {
	return []string{"a"}, p.do("seen")
}
func (p *able) Advance(context.Context, drill.Run, drill.Move) error { return p.do("advance") }
func (p *able) Pause(context.Context, drill.Run) error               { return p.do("pause") }
func (p *able) Resume(context.Context, drill.Run) error              { return p.do("resume") }
func (p *able) Conclude(context.Context, drill.Run, driver.Conclusion) error {
	return p.do("conclude")
}
func (p *able) Preview(context.Context, driver.Request) (driver.Preview, error) {
	return driver.Preview{Done: true}, p.do("preview")
}
func (p *able) Report(context.Context, drill.Run) (drill.Report, error) {
	return drill.Report{State: "ready"}, p.do("report")
}
func (p *able) Find(context.Context) ([]driver.Found, error)         { return nil, p.do("find") }
func (p *able) Templates(context.Context) ([]driver.Template, error) { return nil, p.do("templates") }
func (p *able) Identity(context.Context) (string, error)             { return "123", p.do("identity") }
func (p *able) Facts() driver.Facts                                  { return driver.Facts{LookupIsExact: true} }
func (p *able) ByHand(run drill.Run) string                          { return "stop " + run.ID }
func (p *able) Recovery(r driver.Request) (driver.Request, bool)     { return r, true }
func (p *able) RecoverByHand(r driver.Request) string                { return "recover " + r.Drill }

var run = drill.Run{Service: drill.FIS, ID: "run-1", Role: drill.Main}

// over opens a service over a driver; waits are counted, not slept.
func over(t *testing.T, d driver.Driver, edit ...func(*Options)) (*Service, *int) {
	t.Helper()
	waits := 0
	o := Options{
		Openers: map[drill.Service]driver.Opener{drill.FIS: func(driver.Config) (driver.Driver, error) { return d, nil }},
		Config:  func(drill.Service, drill.Account) (driver.Config, error) { return driver.Config{}, nil },
		Wait:    func(ctx context.Context, _ time.Duration) error { waits++; return ctx.Err() },
	}
	for _, f := range edit {
		f(&o)
	}
	sv, err := New(o).For(drill.FIS, drill.Account{Name: "aws"})
	if err != nil {
		t.Fatal(err)
	}
	return sv, &waits
}

// op is one operation of a Service.
type op struct {
	name string
	do   func(ctx context.Context, s *Service) error
}

func ops(k kind) []op {
	req := driver.Request{}
	switch k {
	case read:
		return []op{
			{"lookup", func(ctx context.Context, s *Service) error { _, err := s.Lookup(ctx, req); return err }},
			{"observe", func(ctx context.Context, s *Service) error { _, err := s.Observe(ctx, run); return err }},
			{"seen", func(ctx context.Context, s *Service) error { _, err := s.Seen(ctx, req); return err }},
			{"report", func(ctx context.Context, s *Service) error { _, err := s.Report(ctx, run); return err }},
			{"find", func(ctx context.Context, s *Service) error { _, _, err := s.Find(ctx); return err }},
			{"templates", func(ctx context.Context, s *Service) error { _, err := s.Templates(ctx); return err }},
			{"identity", func(ctx context.Context, s *Service) error { _, err := s.Identity(ctx); return err }},
		}
	case repeatable:
		return []op{
			{"stop", func(ctx context.Context, s *Service) error { return s.Stop(ctx, run, driver.Stop{}) }},
			{"conclude", func(ctx context.Context, s *Service) error { return s.Conclude(ctx, run, driver.Conclusion{}) }},
			{"preview", func(ctx context.Context, s *Service) error { _, _, err := s.Preview(ctx, req); return err }},
		}
	}
	return []op{
		{"start", func(ctx context.Context, s *Service) error { _, err := s.Start(ctx, req); return err }},
		{"prepare", func(ctx context.Context, s *Service) error { _, err := s.Prepare(ctx, req); return err }},
		{"advance", func(ctx context.Context, s *Service) error {
			return s.Advance(ctx, run, drill.Move{Action: drill.Execute})
		}},
		{"pause", func(ctx context.Context, s *Service) error {
			return s.Advance(ctx, run, drill.Move{Action: drill.PauseRun})
		}},
		{"resume", func(ctx context.Context, s *Service) error {
			return s.Advance(ctx, run, drill.Move{Action: drill.ResumeRun})
		}},
	}
}

// TestCall_WhatIsTriedAgain holds each operation to its kind, for each class of error.
func TestCall_WhatIsTriedAgain(t *testing.T) {
	again := map[kind]string{read: "throttled expired unavailable uncertain", repeatable: "throttled expired unavailable", write: "throttled expired"}
	all := []driver.Code{driver.NotFound, driver.Conflict, driver.Throttled, driver.Denied, driver.Expired, driver.Invalid, driver.Quota,
		driver.NotNow, driver.Unavailable, driver.Uncertain, driver.Unknown}
	for _, k := range []kind{read, repeatable, write} {
		for _, o := range ops(k) {
			for _, code := range all {
				t.Run(o.name+" "+string(code), func(t *testing.T) {
					d := &able{plain{script: []error{coded{code}}}}
					sv, waits := over(t, d)
					err := o.do(t.Context(), sv)
					want := 1
					if strings.Contains(again[k], string(code)) {
						want = 2
					}
					if len(d.calls) != want || *waits != want-1 || (err == nil) != (want == 2) {
						t.Errorf("%d calls, %d waits, error %v; want %d calls", len(d.calls), *waits, err, want)
					}
					if d.calls[0] != o.name {
						t.Errorf("called %s", d.calls[0])
					}
				})
			}
		}
	}
}

func TestCall_GivesUpAfterSomeTries(t *testing.T) {
	busy := make([]error, 20)
	for i := range busy {
		busy[i] = coded{driver.Throttled}
	}
	d := &able{plain{script: busy}}
	sv, waits := over(t, d)
	_, err := sv.Observe(t.Context(), run)
	if len(d.calls) != tries || *waits != tries-1 || CodeOf(err) != driver.Throttled {
		t.Errorf("%d calls, %d waits, %v", len(d.calls), *waits, err)
	}
}

func TestCall_EndsWithItsContext(t *testing.T) {
	t.Run("before a wait", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &able{plain{script: []error{coded{driver.Throttled}, coded{driver.Throttled}}}}
		sv, waits := over(t, d)
		cancel()
		_, err := sv.Observe(ctx, run)
		if len(d.calls) != 1 || *waits != 0 || err == nil {
			t.Errorf("%d calls, %d waits, %v", len(d.calls), *waits, err)
		}
	})
	t.Run("during a wait", func(t *testing.T) {
		d := &able{plain{script: []error{coded{driver.Throttled}, coded{driver.Throttled}}}}
		sv, _ := over(t, d, func(o *Options) {
			o.Wait = func(context.Context, time.Duration) error { return context.DeadlineExceeded }
		})
		if _, err := sv.Observe(t.Context(), run); len(d.calls) != 1 || CodeOf(err) != driver.Throttled {
			t.Errorf("%d calls, %v", len(d.calls), err)
		}
	})
}

// slow waits for its context.
type slow struct{ plain }

func (s *slow) Start(ctx context.Context, _ driver.Request) (drill.Run, error) {
	<-ctx.Done()
	return drill.Run{}, ctx.Err()
}

func TestCall_EachHasItsOwnTimeout(t *testing.T) {
	sv, _ := over(t, &slow{}, func(o *Options) {
		o.Config = func(drill.Service, drill.Account) (driver.Config, error) {
			return driver.Config{Timeout: time.Millisecond}, nil
		}
	})
	_, err := sv.Start(t.Context(), driver.Request{})
	if CodeOf(err) != driver.Uncertain || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestError_SaysWhatWasBeingDone(t *testing.T) {
	d := &able{plain{script: []error{coded{driver.Denied}}}}
	sv, _ := over(t, d)
	err := sv.Stop(t.Context(), run, driver.Stop{})
	if got, want := err.Error(), "stop fis run run-1: denied: vendor says denied"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var inner coded
	if !errors.As(err, &inner) || CodeOf(fmt.Errorf("outside: %w", err)) != driver.Denied {
		t.Error("the vendor's error is gone")
	}
	d.script = []error{coded{driver.Invalid}}
	_, err = sv.Start(t.Context(), driver.Request{})
	if got, want := err.Error(), "start fis: invalid: vendor says invalid"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCodeOf(t *testing.T) {
	for err, want := range map[error]driver.Code{nil: driver.OK, context.Canceled: driver.Uncertain, context.DeadlineExceeded: driver.Uncertain, errors.New("x"): driver.Unknown} {
		if got := CodeOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	for _, c := range []driver.Code{driver.OK, driver.NotFound, driver.Denied, driver.Invalid, driver.NotNow} {
		if Temporary(c) {
			t.Errorf("%q passes by itself", c)
		}
	}
	for _, c := range []driver.Code{driver.Throttled, driver.Expired, driver.Unavailable, driver.Uncertain, driver.Unknown, driver.Conflict, driver.Quota} {
		if !Temporary(c) {
			t.Errorf("%q never passes", c)
		}
	}
}

func TestService_WhatADriverCannot(t *testing.T) {
	sv, _ := over(t, &plain{})
	for _, o := range []op{ops(write)[1], ops(write)[2], ops(write)[3], ops(write)[4], ops(repeatable)[1], ops(read)[5]} {
		err := o.do(t.Context(), sv)
		if !errors.Is(err, driver.ErrUnsupported) || CodeOf(err) != driver.Invalid || !strings.Contains(err.Error(), "fis cannot") {
			t.Errorf("%s: %v", o.name, err)
		}
	}
	if sv.Prepares() || sv.Concludes() || sv.ByHand(run) != "" || sv.Facts().LookupIsExact || sv.Facts().Service != drill.FIS {
		t.Error("a plain driver promises too much")
	}
	_, finds, err := sv.Find(t.Context())
	_, previews, err2 := sv.Preview(t.Context(), driver.Request{})
	_, recovers := sv.Recovery(driver.Request{})
	rep, err3 := sv.Report(t.Context(), run)
	id, err4 := sv.Identity(t.Context())
	seen, err5 := sv.Seen(t.Context(), driver.Request{})
	if finds || previews || recovers || rep.State != "none" || id != "" || seen != nil || errors.Join(err, err2, err3, err4, err5) != nil {
		t.Errorf("%v %v %v %v %q %v", finds, previews, recovers, rep, id, errors.Join(err, err2, err3, err4, err5))
	}
	full, _ := over(t, &able{})
	if !full.Prepares() || !full.Concludes() || full.ByHand(run) != "stop run-1" || full.ByHand(drill.Run{}) != "" || !full.Facts().LookupIsExact {
		t.Error("an able driver is not used")
	}
	if o, err := full.Observe(t.Context(), run); err != nil || o.Run != run {
		t.Errorf("observation of %+v, %v", o.Run, err)
	}
}

func TestFor_OpensOnceAndKeepsAccountsApart(t *testing.T) {
	var mu sync.Mutex
	opened := map[string]int{}
	s := New(Options{
		Openers: map[drill.Service]driver.Opener{drill.FIS: func(c driver.Config) (driver.Driver, error) {
			mu.Lock()
			defer mu.Unlock()
			opened[c.Account]++
			return &plain{}, nil
		}},
		Config: func(_ drill.Service, a drill.Account) (driver.Config, error) {
			if a.Name == "bad" {
				return driver.Config{}, errors.New("no such account")
			}
			return driver.Config{Account: a.Name + "/" + a.Region + "/" + a.Role}, nil
		},
	})
	accounts := []drill.Account{{Name: "a", Region: "r"}, {Name: "a", Region: "s"}, {Name: "b", Region: "r"}, {Name: "a", Region: "r", Role: "new"}}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for _, a := range accounts {
				if _, err := s.For(drill.FIS, a); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(opened) != len(accounts) {
		t.Errorf("opened %v: an account with another role or region is another one", opened)
	}
	for name, n := range opened {
		if n != 1 {
			t.Errorf("%s was opened %d times", name, n)
		}
	}
	if _, err := s.For(drill.OOS, accounts[0]); err == nil || !strings.Contains(err.Error(), `"oos" is not built`) {
		t.Errorf("%v", err)
	}
	if _, err := s.For(drill.FIS, drill.Account{Name: "bad"}); err == nil || !strings.Contains(err.Error(), "account bad") {
		t.Errorf("%v", err)
	}
}

func TestCall_Spans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	d := &able{plain{script: []error{coded{driver.Throttled}, coded{driver.Denied}}}}
	sv, _ := over(t, d, func(o *Options) { o.Tracer = tp.Tracer("test") })
	_, _ = sv.Observe(t.Context(), run)
	_ = sv.Stop(t.Context(), run, driver.Stop{})
	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans", len(ended))
	}
	got := map[string]string{}
	for _, a := range ended[0].Attributes() {
		got[string(a.Key)] = a.Value.String()
	}
	want := map[string]string{"firedrill.service": "fis", "firedrill.run": "run-1", "firedrill.code": "denied", "firedrill.tries": "2"}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if ended[0].Name() != "fis observe" || ended[0].Status().Code != codes.Error || ended[0].Status().Description != "denied" {
		t.Errorf("span %q, status %+v", ended[0].Name(), ended[0].Status())
	}
	if ended[1].Name() != "fis stop" || ended[1].Status().Code == codes.Error {
		t.Errorf("span %q, status %+v", ended[1].Name(), ended[1].Status())
	}
}
