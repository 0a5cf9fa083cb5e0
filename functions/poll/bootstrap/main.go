// Command bootstrap is the poll function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/poll"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/probe"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/drivers"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

func main() { host.Run("poll", build, plans.Need()) }

func build(ctx context.Context, p *setup.Setup) (host.Function, error) {
	book, err := plans.Open(ctx, p)
	if err != nil {
		return host.Function{}, err
	}
	services := drivers.Open(p, drivers.Verify)
	f := &poll.Function{
		Journal: p.Journal, Now: p.Now, Wait: p.Wait, Every: p.Every, Source: p.Source(p.Name), Log: p.Log, Prober: probe.New(p.Transport, p.Now),
		Conduct:  &conduct.Conductor{Journal: p.Journal, Services: services.Services, Now: p.Now, Nonce: p.Nonce},
		Guard:    &guard.Guard{Journal: p.Journal, Now: p.Now, Freezes: book.Freezes},
		Accounts: func() []poll.Account { return poll.AccountsOf(book.Catalog().Plans()) },
		Publish: func(ctx context.Context, out []events.Event) error {
			return function.Send(ctx, p.Publisher, p.Journal, out)
		},
	}
	return host.Function{Types: poll.Types(), Handle: f.Handle, Before: host.Each(book.Look, services.Look)}, nil
}
