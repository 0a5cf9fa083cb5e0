// Command bootstrap is the notify function, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/notify"
	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/chat/webhook"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
)

const secrets = "FIREDRILL_WEBHOOK_OUT_SECRETS"

func main() {
	host.Run("notify", build, setup.Need{Variable: secrets, Check: setup.Parses(webhook.ParseSecrets)})
}

func build(_ context.Context, p *setup.Setup) (host.Function, error) {
	sign, err := webhook.ParseSecrets(p.Value(secrets))
	if err != nil {
		return host.Function{}, err
	}
	hook, err := webhook.New(webhook.Options{Secrets: sign, Now: p.Now, Loopback: p.Mode == setup.Sandbox})
	if err != nil {
		return host.Function{}, err
	}
	f := &notify.Function{Journal: p.Journal, Senders: chat.New(map[chat.Platform]chat.Sender{chat.Webhook: hook}, nil), Link: p.Link, Log: p.Log}
	return host.Function{Types: notify.Types(), Handle: f.Handle}, nil
}
