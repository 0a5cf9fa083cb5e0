// Command bootstrap is the abort function with its webhook for monitors, on whatever runtime started it.
package main

import (
	"context"

	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/host"
	"github.com/firedrill/firedrill/shared/setup"
	"github.com/firedrill/firedrill/shared/setup/drivers"
	"github.com/firedrill/firedrill/shared/setup/plans"
)

const tokens = "FIREDRILL_ALARM_TOKENS"

func main() {
	catalogue := plans.Need()
	catalogue.Optional = true // without it a halt is taken from anybody, and none is released
	host.Run("abort", build, catalogue, setup.Need{Variable: tokens, Check: setup.Parses(setup.ParseTokens)})
}

func build(_ context.Context, p *setup.Setup) (host.Function, error) {
	services, catalogue := drivers.Open(p, drivers.AsWritten), plans.Later(p)
	f := &abort.Function{
		Journal: p.Journal, Access: catalogue.Access, Environment: catalogue.Environment,
		Now: p.Now, Nonce: p.Nonce, Mode: p.Mode, Source: p.Source(p.Name), Log: p.Log,
		Conduct: &conduct.Conductor{Journal: p.Journal, Services: services.Services, Now: p.Now, Nonce: p.Nonce},
	}
	open, err := setup.ParseTokens(p.Value(tokens))
	return host.Function{Types: abort.Types(), Handle: f.Handle, Alarms: &open, Before: services.Look}, err
}
