// Command bootstrap is the advance function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/drivers"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

func main() { host.Run("advance", build, plans.Need()) }

func build(_ context.Context, p *setup.Setup) (host.Function, error) {
	services := drivers.Open(p, drivers.Verify)
	f := &advance.Function{
		Journal: p.Journal, Access: plans.Later(p).Access, Now: p.Now, Nonce: p.Nonce, Mode: p.Mode, Source: p.Source(p.Name), Log: p.Log,
		Conduct: &conduct.Conductor{Journal: p.Journal, Services: services.Services, Now: p.Now, Nonce: p.Nonce},
	}
	return host.Function{Types: advance.Types(), Handle: f.Handle, Before: services.Look}, nil
}
