package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox"
)

// demoActor is the person that the demo plays.
const demoActor = "local:demo/you"

func demoCommand() *cobra.Command {
	set := settings{addr: "127.0.0.1:0", sandboxAddr: "127.0.0.1:0", every: 15 * time.Second}
	var verbose bool
	var fault string
	var limit time.Duration
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run one drill on each service against the sandbox, and show how each ended",
		Long: `demo plays four drills at once, with nothing but this command:

  FIS    a zone outage that an alarm stops
  CFG    a rehearsal that is advanced by hand, step by step
  OOS    a node that is taken down and comes back, each risky step confirmed
  AHAS   a CPU load with a check that a person confirms

It prints each timeline, verdict and report, and exits with 0 only if every drill ended as it should.

Each demo starts with an empty journal and sandbox, in a directory of its own below --data, and leaves it there with the reports.`,
		Example: `  firedrill demo
  firedrill demo --fault '{"service":"fis","kind":"stop","fault":"lie"}'   a stop that lies: the demo fails`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set.log = logger(verbose)
			return demo(cmd.Context(), &locked{w: cmd.OutOrStdout()}, set, fault, limit)
		},
	}
	commonFlags(c, &set)
	c.Flag("data").DefValue = filepath.Join(".firedrill", "demo")
	c.Flag("speed").DefValue = "60"
	set.data, set.speed = filepath.Join(".firedrill", "demo"), 60
	c.Flags().StringVar(&fault, "fault", "", "a fault of the sandbox, as JSON (see docs/sandbox.md)")
	c.Flags().DurationVar(&limit, "limit", 50*time.Second, "the longest it may take")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "log every event")
	return c
}

// act is one drill of the demo and how it should end.
type act struct {
	plan    string
	alarm   string // raised once the fault is live
	outcome drill.Status
	verdict string
	id      string
	said    map[string]bool // gates and claims that were answered
}

func acts() []*act {
	return []*act{
		{plan: "checkout-az-outage", alarm: "checkout-5xx", outcome: drill.Stopped, verdict: drill.Unexpected},
		{plan: "cart-empty", outcome: drill.Completed, verdict: drill.Expected},
		{plan: "node-restart", outcome: drill.Completed, verdict: drill.Expected},
		{plan: "payment-cpu", outcome: drill.Completed, verdict: drill.Expected},
	}
}

func demo(ctx context.Context, w io.Writer, set settings, fault string, limit time.Duration) error {
	dropAmbient()
	var err error
	if set.data, err = freshDir(set.data); err != nil {
		return err
	}
	console, _, err := listen(set.addr)
	if err != nil {
		return err
	}
	defer console.Close()
	set.addr = console.Addr().String()
	s, err := newSystem(ctx, set)
	if err != nil {
		return err
	}
	if fault != "" {
		var f sandbox.Fault
		if err := json.Unmarshal([]byte(fault), &f); err != nil {
			return usageError{fmt.Errorf("--fault: %w", err)}
		}
		if _, err := s.box.AddFault(f); err != nil {
			return usageError{fmt.Errorf("--fault: %w", err)}
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	closeBox, err := s.serveSandbox(&wg)
	if err != nil {
		return err
	}
	defer closeBox()
	lines, endLines := s.facts.listen()
	defer endLines()
	wg.Go(func() { s.bus.Run(ctx, 4) })
	wg.Go(func() { s.tick(ctx) })
	wg.Go(func() { s.watch(ctx, lines, screen{out: w}) })
	fmt.Fprintf(w, "Firedrill · %s · four drills, %g times faster than the clock\n\n", s.mode, set.speed)
	played := acts()
	err = s.play(ctx, played)
	cancel()
	return errors.Join(err, s.review(context.WithoutCancel(ctx), w, played))
}

// freshDir makes a directory named after the time in the given one.
func freshDir(in string) (string, error) {
	if err := os.MkdirAll(in, 0o755); err != nil {
		return "", fmt.Errorf("%w; choose another directory with --data", err)
	}
	return os.MkdirTemp(in, time.Now().Format("20060102-150405-"))
}

// play starts the drills and does what people would do, until all are concluded.
func (s *system) play(ctx context.Context, played []*act) error {
	for _, a := range played {
		id, err := s.say(ctx, events.Start{Plan: a.plan, Actor: demoActor})
		if err != nil {
			return err
		}
		a.id, a.said = events.ID("drill", source, id), map[string]bool{}
	}
	for {
		over := true
		for _, a := range played {
			d, err := s.journal.Load(ctx, a.id)
			if err == nil && !d.Status.Final() {
				err = s.help(ctx, a, d)
			}
			over = over && err == nil && d.Status.Final()
		}
		if over {
			return nil
		}
		if realWait(ctx, 100*time.Millisecond) != nil {
			return errors.New("the demo's time is over and not every drill has ended")
		}
	}
}

// say sends a command or a signal.
func (s *system) say(ctx context.Context, p events.Payload) (string, error) {
	id := random(24)
	e, err := events.New(events.Envelope{ID: id, Source: source, Time: s.clock.Now()}, p)
	if err != nil {
		return "", err
	}
	return id, s.bus.Publish(ctx, e)
}

// help plays the person of one drill: raises the alarm, advances open gates, answers what is asked.
func (s *system) help(ctx context.Context, a *act, d *drill.Drill) error {
	if a.alarm != "" && d.Run(drill.Main) != nil && d.Run(drill.Main).Injected {
		name := a.alarm
		a.alarm = ""
		_, err := s.say(ctx, events.Alarm{Source: "local", Name: name, ID: random(8), State: "firing", Reason: "5xx above 2 %", At: s.clock.Now()})
		return err
	}
	for _, g := range d.Gates {
		if !a.first(g.ID) {
			continue
		}
		if _, err := s.say(ctx, choose(d, g)); err != nil {
			return err
		}
	}
	if d.Status != drill.Concluding {
		return nil
	}
	for _, c := range d.Plan.Expect {
		if _, st, _ := d.ClaimFor(c.ID); c.Ask != "" && st.Answer == nil && a.first(c.ID) {
			if _, err := s.say(ctx, events.Answer{Drill: d.ID, Claim: c.ID, Holds: true, Actor: demoActor}); err != nil {
				return err
			}
		}
	}
	return nil
}

// first reports whether something was not answered before: what was sent is on its way.
func (a *act) first(what string) bool {
	if a.said[what] {
		return false
	}
	a.said[what] = true
	return true
}

// choose takes the first thing that a gate offers.
func choose(d *drill.Drill, g drill.Gate) events.Payload {
	for _, c := range g.Choices {
		if c.Action == drill.ApproveRun {
			return events.Approve{Drill: d.ID, Gate: g.ID, Actor: demoActor}
		}
	}
	return events.Advance{Drill: d.ID, Gate: g.ID, Action: string(g.Choices[0].Action), Step: g.Choices[0].Step, Actor: demoActor}
}

// review prints every drill and says which did not end as it should.
func (s *system) review(ctx context.Context, w io.Writer, played []*act) error {
	var errs []error
	for _, a := range played {
		v, err := s.view(ctx, a.id)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", a.plan, err))
			continue
		}
		printDrill(w, v, s.reportPath(v.ID, ".html"))
		if err := s.journal.Verify(ctx, v.ID); err != nil {
			errs = append(errs, err)
		}
		if v.Status != string(drill.Concluded) || v.Outcome != string(a.outcome) || v.Verdict != a.verdict || v.Stop.RestoredAt == nil {
			errs = append(errs, fmt.Errorf("%s is %s, outcome %q, verdict %q, restoration %q; it should be concluded, %s, %s, done",
				a.plan, v.Status, v.Outcome, v.Verdict, v.Stop.Restoration, a.outcome, a.verdict))
		}
	}
	if len(errs) == 0 {
		fmt.Fprintf(w, "\nall %d drills ended as they should\n", len(played))
	}
	return errors.Join(errs...)
}

func printDrill(w io.Writer, v drillView, report string) {
	fmt.Fprintf(w, "\n%s  %s  (%s run %s)\n", v.ID, v.Title, v.Service, v.Run)
	for _, m := range v.Timeline {
		fmt.Fprintf(w, "  %s  %-20s %s\n", m.At.Format("15:04:05"), m.Actor, m.Change)
	}
	if v.Stop.RequestedAt != nil {
		fmt.Fprintf(w, "  stop requested %s by %s · stopped %s · restored %s\n", clockOf(v.Stop.RequestedAt), v.Stop.By, clockOf(v.Stop.StoppedAt), clockOf(v.Stop.RestoredAt))
	}
	fmt.Fprintf(w, "  verdict  %s\n           %s\n  report   %s\n", v.Verdict, v.Summary, report)
}

func clockOf(t *time.Time) string {
	if t == nil {
		return "not yet"
	}
	return t.Format("15:04:05")
}
