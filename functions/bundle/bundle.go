// Package bundle wires the functions into one process: the local command, the demo and the simulator run the very handlers that
// the clouds run.
package bundle

import (
	"context"
	"log/slog"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/functions/abort"
	"github.com/firedrill/firedrill/functions/advance"
	"github.com/firedrill/firedrill/functions/conclude"
	"github.com/firedrill/firedrill/functions/poll"
	"github.com/firedrill/firedrill/functions/start"
	"github.com/firedrill/firedrill/shared/access"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/function"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
)

// Options are the parts that differ between processes.
type Options struct {
	Deployment string // part of every event's source
	Mode       string // SANDBOX or LIVE
	Journal    *journal.Journal
	Services   *provider.Services
	Catalog    func() *catalog.Catalog
	Access     func() access.Policy // who may do what; nil: as the catalogue says
	Now        func() time.Time
	Wait       func(ctx context.Context, d time.Duration) error
	Nonce      func() string
	Patience   func(ctx context.Context) <-chan struct{}
	Every      time.Duration // observe_every
	Prober     conclude.Prober
	Reporter   conclude.Reporter
	Link       func(id string) string
	Publish    func(ctx context.Context, out []events.Event) error // lets poll speak between two looks; may be nil
	Log        *slog.Logger
}

// Function is one wired function.
type Function struct {
	Name   string
	Types  []string
	Handle function.Handler
}

// Functions returns start, advance, poll, abort and conclude.
func Functions(o Options) []Function {
	if o.Access == nil {
		o.Access = func() access.Policy { return o.Catalog().Access() }
	}
	read := func(context.Context) (access.Policy, bool) { return o.Access(), true }
	c := &conduct.Conductor{Journal: o.Journal, Services: o.Services, Now: o.Now, Nonce: o.Nonce}
	g := &guard.Guard{Journal: o.Journal, Now: o.Now, Freezes: func() []catalog.Freeze { return o.Catalog().Freezes() }}
	source := func(name string) string { return "/firedrill/" + o.Deployment + "/" + name }
	s := &start.Function{Journal: o.Journal, Conduct: c, Guard: g, Catalog: o.Catalog, Access: o.Access, Now: o.Now, Mode: o.Mode, Source: source("start"),
		Log: o.Log}
	a := &advance.Function{Journal: o.Journal, Access: read, Conduct: c, Now: o.Now, Nonce: o.Nonce, Mode: o.Mode, Source: source("advance"), Log: o.Log}
	p := &poll.Function{Journal: o.Journal, Conduct: c, Guard: g, Prober: o.Prober, Accounts: func() []poll.Account { return poll.AccountsOf(o.Catalog().Plans()) },
		Now: o.Now, Wait: o.Wait, Every: o.Every, Publish: o.Publish, Source: source("poll"), Log: o.Log}
	b := &abort.Function{Journal: o.Journal, Access: read, Environment: environments(o.Catalog), Conduct: c, Now: o.Now, Nonce: o.Nonce,
		Patience: o.Patience, Mode: o.Mode, Source: source("abort"), Log: o.Log}
	e := &conclude.Function{Journal: o.Journal, Access: read, Services: o.Services, Prober: o.Prober, Reporter: o.Reporter, Link: o.Link, Now: o.Now,
		Mode: o.Mode, Source: source("conclude"), Log: o.Log}
	return []Function{
		{"start", start.Types(), s.Handle}, {"advance", advance.Types(), a.Handle}, {"poll", poll.Types(), p.Handle},
		{"abort", abort.Types(), b.Handle}, {"conclude", conclude.Types(), e.Handle},
	}
}

// environments looks up where a plan is.
func environments(c func() *catalog.Catalog) func(plan string) (string, bool) {
	return func(plan string) (string, bool) {
		p, ok := c().Plan(plan)
		return p.Environment, ok
	}
}
