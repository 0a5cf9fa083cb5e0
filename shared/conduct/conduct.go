// Package conduct drives a drill's runs at its service: the start protocol, observation, stop, restoration and answers to gates.
// Each part reads the drill, does one thing, records it, and can be repeated by any other instance from the journal alone.
package conduct

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Conductor has what the parts share. It is safe for concurrent use.
type Conductor struct {
	Journal  *journal.Journal
	Services *provider.Services
	Now      func() time.Time
	Nonce    func() string // names this call's author in leases
}

// Request makes the driver's request for a role's run. The same drill always makes the same one.
func (c *Conductor) Request(d *drill.Drill, role drill.Role) (driver.Request, *provider.Service, error) {
	sv, err := c.Services.For(d.Plan.Service, d.Plan.Account)
	if err != nil {
		return driver.Request{}, nil, err
	}
	r := driver.Request{
		Drill: d.ID, Role: role, Token: d.ID + "/" + string(role), Root: d.Root, Plan: d.Plan.Name, Title: title(d),
		Account: d.Plan.Account.Name, Region: d.Plan.Account.Region, Block: d.Block, Timeout: d.Plan.MaxDuration.D(),
		Actor: d.Actor, Mode: d.Mode,
	}
	if s := d.Runs[role]; s != nil {
		r.Seen, r.Since = s.Intent.Seen, s.Intent.Since
		if s.Prepared != "" {
			ref := d.Ref(role)
			ref.ID = s.Prepared
			r.Prepared = &ref
		}
	}
	if role != drill.Recovery {
		return r, sv, nil
	}
	rec, ok := sv.Recovery(r)
	if !ok {
		return r, sv, fmt.Errorf("drill %s names no recovery run", d.ID)
	}
	return rec, sv, nil
}

// recoverByHand is the vendor's own command line that starts the recovery run, "" if there is none.
func (c *Conductor) recoverByHand(d *drill.Drill, sv *provider.Service) string {
	r, _, err := c.Request(d, drill.Recovery)
	if err != nil {
		return ""
	}
	return sv.RecoverByHand(r)
}

func title(d *drill.Drill) string {
	if d.Plan.Title != "" {
		return d.Plan.Title
	}
	return d.Plan.Name
}

// Result is what a part leaves: the newest state and the facts to publish.
type Result struct {
	Drill *drill.Drill
	Out   []events.Event
}

func (r *Result) add(d *drill.Drill, out []events.Event) {
	if d != nil {
		r.Drill = d
	}
	r.Out = append(r.Out, out...)
}

// update changes the drill and adds what follows to the result.
func (c *Conductor) update(ctx context.Context, r *Result, by journal.By, edit journal.Edit) error {
	d, out, err := c.Journal.Update(ctx, r.Drill.ID, by, edit)
	r.add(d, out)
	return err
}
