// Command bootstrap is the chatops function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/chatops"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/plans"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

func main() {
	host.Run("chatops", build, append(talk.Needs(talk.InSecrets), plans.Need())...)
}

func build(ctx context.Context, p *setup.Setup) (host.Function, error) {
	book, err := plans.Open(ctx, p)
	if err != nil {
		return host.Function{}, err
	}
	receivers, err := talk.Receivers(p.Value)
	if err != nil {
		return host.Function{}, err
	}
	keys, err := talk.ReadKeys(p.Value)
	f := &chatops.Function{
		Receivers: receivers, Access: book.Access, Publisher: p.Publisher,
		Reader: &chatops.Shelf{Journal: p.Journal, Catalog: book.Catalog, Now: p.Now},
		Inputs: &chatops.Journaled{Journal: p.Journal, Publisher: p.Publisher, Now: p.Now, Source: p.Source(p.Name)},
		Memory: p.Journal, Keys: keys, Now: p.Now, Source: p.Source(p.Name), Mode: p.Mode, Link: p.Link,
		Lang: func(address string) string { return book.Catalog().LangOf(address) }, Log: p.Log,
		DrillID: func(e events.Event) string { return events.ID("drill", e.Source(), e.ID()) },
	}
	return host.Function{HTTP: f.Handler(), Before: book.Look}, err
}
