package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

func stopCommand() *cobra.Command {
	var r reach
	var direct, all bool
	var wait time.Duration
	o := sender{}
	c := &cobra.Command{
		Use:   "stop [ID|RUN]",
		Short: "Stop a drill; with --direct, at the service itself, without bus, journal or chat",
		Long: `stop asks the running 'up' to stop a drill.

With --direct it needs nothing of Firedrill but this command: it finds the runs that carry our mark in the accounts of the catalogue and
stops them at the service, with the credentials of this environment (or of the sandbox, without --live). Use it when all else is down.
It exits with 0 only when every run that it was to stop is confirmed by its service as stopped. AHAS keeps no mark: its runs cannot be
found, and --all says so and exits with 1 where the catalogue has plans for it.`,
		Example: `  firedrill stop 3kq7ab                      a drill of the running 'up'
  firedrill stop --direct --all --live       every marked run in the catalogue's accounts
  firedrill stop --direct EXPabc123 --live   one run, by the service's own id`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := strings.Join(args, "")
			switch {
			case all == (id != ""):
				return usageError{errors.New("stop: name a drill or a run, or say --all")}
			case direct:
				return stopDirect(cmd.Context(), cmd.OutOrStdout(), r, id, wait)
			case all:
				id = "all"
			}
			return o.run(cmd, []string{"stop", id})
		},
	}
	r.flags(c)
	c.Flags().BoolVar(&direct, "direct", false, "call the services themselves")
	c.Flags().BoolVar(&all, "all", false, "every drill, or with --direct every marked run")
	c.Flags().DurationVar(&wait, "wait", 2*time.Minute, "with --direct: how long to wait for the services to confirm")
	c.Flags().StringVar(&o.to, "to", "http://"+defaultAddr, "address of the console")
	c.Flags().StringVar(&o.actor, "actor", "local:"+host()+"/"+login(), "who asks")
	return c
}

// direct stops marked runs at their services, all at once.
type direct struct {
	out io.Writer
	id  string // of a drill, the beginning of one, or a service's own of a run; "" for all

	mu    sync.Mutex
	found int
	errs  []error
}

// stopDirect stops marked runs at their services and waits until each is confirmed. A service that cannot be read keeps no other from
// being stopped.
func stopDirect(ctx context.Context, w io.Writer, r reach, id string, wait time.Duration) error {
	places, err := r.places("")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := r.sandboxAnswers(ctx); err != nil {
		return err
	}
	d := &direct{out: &locked{w: w}, id: id}
	services := r.services("")
	var wg sync.WaitGroup
	for _, p := range places {
		sv, err := services.For(p.service, p.account)
		if err != nil {
			d.failed(err)
			continue
		}
		wg.Go(func() { d.sweep(ctx, sv, p) })
	}
	wg.Wait()
	if id != "" && d.found == 0 {
		d.failed(fmt.Errorf("no live run carries the mark of drill %q or has that id", id))
	}
	if len(d.errs) == 0 {
		fmt.Fprintf(w, "%d run(s) stopped, each confirmed by its service\n", d.found)
	}
	return errors.Join(d.errs...)
}

// sandboxAnswers wants a sandbox where --live is not said: who meant the real accounts must not take its silence for theirs.
func (r *reach) sandboxAnswers(ctx context.Context) error {
	if r.live {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, r.sandbox, nil)
	if err == nil {
		var res *http.Response
		if res, err = (&http.Client{Timeout: 5 * time.Second}).Do(req); err == nil {
			return res.Body.Close()
		}
	}
	return fmt.Errorf("nothing was stopped: without --live only a sandbox is asked, and none answers at %s; to stop runs in the real accounts add --live: %w", r.sandbox, err)
}

func (d *direct) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs = append(d.errs, err)
}

// sweep stops the marked runs of one service in one account.
func (d *direct) sweep(ctx context.Context, sv *provider.Service, p place) {
	found, ok, err := sv.Find(ctx)
	switch {
	case err != nil:
		d.failed(fmt.Errorf("account %s: %w", p.account.Name, err))
	case !ok && d.id == "" && p.planned:
		d.failed(fmt.Errorf("%s in %s keeps no mark: its runs cannot be found; look in its console", p.service, p.account.Name))
	case !ok && p.planned:
		fmt.Fprintf(d.out, "%s in %s keeps no mark: its runs were not searched\n", p.service, p.account.Name)
	}
	var wg sync.WaitGroup
	for _, f := range found {
		if !f.Live || d.id != "" && f.Run.ID != d.id && (f.Drill == "" || !strings.HasPrefix(f.Drill, strings.ToLower(d.id))) {
			continue
		}
		d.mu.Lock()
		d.found++
		d.mu.Unlock()
		wg.Go(func() {
			if err := stopUntilQuiet(ctx, d.out, target{sv, f}); err != nil {
				d.failed(err)
			}
		})
	}
	wg.Wait()
}

// target is a marked run that is to be stopped.
type target struct {
	sv    *provider.Service
	found driver.Found
}

// stopUntilQuiet repeats the stop until the service shows that nothing is injected any more.
func stopUntilQuiet(ctx context.Context, w io.Writer, t target) error {
	run := t.found.Run
	fmt.Fprintf(w, "stopping %s run %s (drill %s)\n", run.Service, run.ID, t.found.Drill)
	stop := driver.Stop{Reason: "firedrill stop --direct", By: "direct:" + host() + "/" + login(), At: time.Now()}
	for {
		err := t.sv.Stop(ctx, run, stop)
		o, seen := drill.Observation{}, error(nil)
		if err == nil {
			o, seen = t.sv.Observe(ctx, run)
		}
		if err = errors.Join(err, seen); err == nil && o.Quiet && (o.Phase.Final() || len(o.Gates) > 0 || o.Phase == drill.PhasePrepared) {
			fmt.Fprintf(w, "  stopped: %s is %s; restoration %s\n", run.ID, o.Vendor, o.Restoration)
			return nil
		}
		if err != nil && !provider.Temporary(provider.CodeOf(err)) {
			return err
		}
		if patient(ctx, 2*time.Second) != nil {
			return fmt.Errorf("%s run %s is not confirmed as stopped: it is %q; look in its console", run.Service, run.ID, o.Vendor)
		}
	}
}
