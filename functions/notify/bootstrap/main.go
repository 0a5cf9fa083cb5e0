// Command bootstrap is the notify function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/wire"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/plans"
	"github.com/firedrill/firedrill/shared/setup/talk"
)

func main() {
	host.Run("notify", build, append(talk.Needs(talk.OutSecrets), plans.Need())...)
}

func build(_ context.Context, p *setup.Setup) (host.Function, error) {
	senders, err := talk.Senders(p.Value, wire.Options{Loopback: p.Mode == setup.Sandbox, Now: p.Now, Wait: p.Wait})
	if err != nil {
		return host.Function{}, err
	}
	keys, err := talk.ReadKeys(p.Value)
	f := &notify.Function{
		Journal: p.Journal, Senders: chat.New(senders, nil), Keys: keys, Link: p.Link, Now: p.Now, Wait: p.Wait, Log: p.Log,
		Of: plans.Later(p).Channels,
	}
	return host.Function{Types: notify.Types(), Handle: f.Handle}, err
}
