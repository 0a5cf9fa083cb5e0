package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
It exits with 0 only when every run that it was to stop is confirmed by its service as stopped.`,
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
	c.Flags().StringVar(&o.to, "to", "http://127.0.0.1:8080", "address of the console")
	c.Flags().StringVar(&o.actor, "actor", "local:"+host()+"/"+login(), "who asks")
	return c
}

// target is a marked run that is to be stopped.
type target struct {
	sv    *provider.Service
	found driver.Found
}

// stopDirect stops marked runs at their services and waits until each is confirmed.
func stopDirect(ctx context.Context, w io.Writer, r reach, id string, wait time.Duration) error {
	places, err := r.places("")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	targets, errs := r.marked(ctx, w, places, id)
	if id != "" && len(targets) == 0 {
		return errors.Join(append(errs, fmt.Errorf("no live run carries the mark of drill %q or has that id", id))...)
	}
	for _, t := range targets {
		if err := stopUntilQuiet(ctx, w, t); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		fmt.Fprintf(w, "%d run(s) stopped, each confirmed by its service\n", len(targets))
	}
	return errors.Join(errs...)
}

func (r *reach) marked(ctx context.Context, w io.Writer, places []place, id string) (targets []target, errs []error) {
	services := r.services("")
	for _, p := range places {
		sv, err := services.For(p.service, p.account)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found, ok, err := sv.Find(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !ok {
			fmt.Fprintf(w, "%s in %s keeps no mark: its runs cannot be found, stop them in its console\n", p.service, p.account.Name)
			continue
		}
		for _, f := range found {
			if f.Live && (id == "" || f.Run.ID == id || f.Drill != "" && strings.HasPrefix(f.Drill, strings.ToLower(id))) {
				targets = append(targets, target{sv, f})
			}
		}
	}
	return targets, errs
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
		if realWait(ctx, 2*time.Second) != nil {
			return fmt.Errorf("%s run %s is not confirmed as stopped: it is %q; look in its console", run.Service, run.ID, o.Vendor)
		}
	}
}
