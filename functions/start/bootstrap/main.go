// Command bootstrap is the start function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/drivers"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

func main() { host.Run("start", build, plans.Need()) }

func build(ctx context.Context, p *setup.Setup) (host.Function, error) {
	book, err := plans.Open(ctx, p)
	if err != nil {
		return host.Function{}, err
	}
	services := drivers.Open(p, drivers.Verify)
	f := &start.Function{
		Journal: p.Journal, Catalog: book.Catalog, Access: book.Access, Now: p.Now, Mode: p.Mode, Source: p.Source(p.Name), Log: p.Log,
		Conduct: &conduct.Conductor{Journal: p.Journal, Services: services.Services, Now: p.Now, Nonce: p.Nonce},
		Guard:   &guard.Guard{Journal: p.Journal, Now: p.Now, Freezes: book.Freezes},
	}
	return host.Function{Types: start.Types(), Handle: f.Handle, Before: host.Each(book.Look, services.Look)}, nil
}
