package start

import (
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/catalog"
	"github.com/firedrill/firedrill/shared/drill"
)

// announced is the status of a drill that is yet to be asked for.
const announced = "announced"

// announce tells which slots come next, each for Grace from the time of its announcement on: a tick that is lost is made up for by the
// next, and who hears an announcement twice knows it by its id.
func (f *Function) announce(at time.Time, cause string) ([]events.Event, error) {
	at, fresh := f.fresh(at)
	if !fresh {
		return nil, nil
	}
	var out []events.Event
	var errs []error
	for _, plan := range f.Catalog().Plans() {
		if plan.Schedule == nil || plan.Disabled || plan.Schedule.Announce <= 0 {
			continue
		}
		until := at.Add(plan.Schedule.Announce.D())
		slots, err := catalog.Due(plan, until.Add(-Grace), until)
		if err != nil {
			errs = append(errs, fmt.Errorf("schedule of %s: %w", plan.Name, err))
			continue
		}
		for _, s := range slots {
			if !s.At.After(at) {
				continue
			}
			e, err := f.announcement(plan, s, cause)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, e)
		}
	}
	return out, errors.Join(errs...)
}

// announcement is the same for a slot whenever it is made.
func (f *Function) announcement(plan drill.Plan, s catalog.Slot, cause string) (events.Event, error) {
	parameters, block, err := catalog.Resolve(plan, nil)
	if err != nil {
		return events.Event{}, fmt.Errorf("announce %s: %w", plan.Name, err)
	}
	id, at := slotID(plan.Name, s), s.At.Add(-plan.Schedule.Announce.D())
	about := events.About{
		Drill: id, Plan: plan.Name, Title: plan.Title, Service: string(plan.Service), Environment: plan.Environment, Account: plan.Account.Name,
		Region: plan.Account.Region, Mode: f.Mode, Status: announced, Actor: schedulePrefix + plan.Name, At: at,
	}
	return events.New(events.Envelope{ID: events.ID(id, announced), Source: f.Source, Subject: id, Time: at, Cause: cause}, events.Announced{
		About: about, Parameters: parameters, StartsAt: s.InZone(), StopOn: plan.StopOn, Targets: catalog.Targets(plan, block), AtMost: plan.MaxDuration.String(),
	})
}

// slotID is the id of the drill that a slot starts.
func slotID(plan string, s catalog.Slot) string { return events.ID("slot", plan, s.Local) }
