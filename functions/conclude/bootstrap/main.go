// Command bootstrap is the conclude function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/probe"
	"github.com/firedrill/firedrill/shared/report"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/drivers"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

func main() { host.Run("conclude", build, plans.Need()) }

func build(_ context.Context, p *setup.Setup) (host.Function, error) {
	services := drivers.Open(p, drivers.Verify)
	f := &conclude.Function{
		Journal: p.Journal, Access: plans.Later(p).Access, Services: services.Services, Prober: probe.New(p.Transport, p.Now),
		Reporter: &report.Keeper{Journal: p.Journal}, Link: p.Link, Now: p.Now, Mode: p.Mode, Source: p.Source(p.Name), Log: p.Log,
	}
	return host.Function{Types: conclude.Types(), Handle: f.Handle, Before: services.Look}, nil
}
