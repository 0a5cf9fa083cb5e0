// Command bootstrap is the chatops function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

const secrets = "FIREDRILL_WEBHOOK_SECRETS"

func main() {
	host.Run("chatops", build, plans.Need(), setup.Need{Variable: secrets, Check: setup.Parses(webhook.ParseSecrets)})
}

func build(ctx context.Context, p *setup.Setup) (host.Function, error) {
	book, err := plans.Open(ctx, p)
	if err != nil {
		return host.Function{}, err
	}
	keys, err := webhook.ParseSecrets(p.Value(secrets))
	f := &chatops.Function{
		Publisher: p.Publisher, Reader: &chatops.Shelf{Journal: p.Journal, Catalog: book.Catalog, Now: p.Now}, Secrets: keys, Now: p.Now,
		Inputs: &chatops.Journaled{Journal: p.Journal, Publisher: p.Publisher, Now: p.Now, Source: p.Source(p.Name)},
		Source: p.Source(p.Name), Mode: p.Mode, Link: p.Link, Log: p.Log,
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
	}
	return host.Function{HTTP: f.Handler(), Before: book.Look}, err
}
