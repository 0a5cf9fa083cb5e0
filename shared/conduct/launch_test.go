package conduct_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/journal"
	"github.com/firedrill/firedrill/shared/journal/memory"
	"github.com/firedrill/firedrill/shared/provider"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// twins is a service without marks, in which two runs could be the drill's.
type twins struct {
	driver.Driver
	phases map[string]drill.Phase
}

func (s *twins) Facts() driver.Facts { return driver.Facts{Service: drill.AHAS} }

func (s *twins) Start(context.Context, driver.Request) (driver.Run, error) {
	return driver.Run{}, errors.New("the reply is lost")
}

func (s *twins) Code(error) driver.Code { return driver.Uncertain }

func (s *twins) Lookup(_ context.Context, r driver.Request) ([]driver.Run, error) {
	return []driver.Run{{Service: drill.AHAS, ID: "1001"}, {Service: drill.AHAS, ID: "1002"}}, nil
}

func (s *twins) Observe(_ context.Context, run driver.Run) (driver.Observation, error) {
	return driver.Observation{Run: run, Phase: s.phases[run.ID], Vendor: string(s.phases[run.ID]), Injected: true}, nil
}

// TestResume_TwoRunsOfWhichNobodySaysWhich: as long as one goes on, the drill is not over; when none does, nobody knows what is left.
func TestResume_TwoRunsOfWhichNobodySaysWhich(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	s := &twins{phases: map[string]drill.Phase{"1001": drill.PhaseRunning, "1002": drill.PhaseCompleted}}
	j := journal.Open(memory.New(), journal.Options{Now: func() time.Time { return now }, Mode: "SANDBOX", Nonce: func() string { return "n" + now.String() }})
	c := &conduct.Conductor{Journal: j, Now: func() time.Time { return now }, Nonce: func() string { return "me" },
		Services: provider.New(provider.Options{
			Openers: map[drill.Service]driver.Opener{drill.AHAS: func(driver.Config) (driver.Driver, error) { return s, nil }},
			Config:  func(drill.Service, drill.Account) (driver.Config, error) { return driver.Config{}, nil },
			Wait:    func(context.Context, time.Duration) error { return nil },
		})}
	by := journal.By{Actor: "a:b/c", Source: "/firedrill/test/poll"}
	p := drill.Plan{Name: "p", Environment: "staging", Service: drill.AHAS, MaxDuration: drill.Duration(30 * time.Minute)}
	d, first := drill.New(drill.Ask{ID: "d1", Mode: "SANDBOX", Plan: p, Actor: "a:b/c"}, now)
	if _, err := j.Begin(t.Context(), d, first, by); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Launch(t.Context(), d, drill.Main, nil, by); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Update(t.Context(), "d1", by, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AskStop(drill.StopByAlarm, "alarm:x/y", "", "", now)
	}); err != nil {
		t.Fatal(err)
	}
	var facts []string
	minutes := func(n int) *drill.Drill {
		t.Helper()
		for range n {
			now = now.Add(time.Minute)
			d, err := j.Load(t.Context(), "d1")
			if err != nil {
				t.Fatal(err)
			}
			if d.Status.Ended() {
				return d
			}
			r, err := c.Resume(t.Context(), d, drill.Main, nil, by)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range r.Out {
				facts = append(facts, e.Type())
			}
		}
		d, err := j.Load(t.Context(), "d1")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := minutes(90); d.Status != drill.Stopping || d.Restored.State.Decided() || d.Escalations < 2 || slices.Contains(facts, events.TypeStopped) {
		t.Fatalf("%s, %+v, %d escalations, %v", d.Status, d.Restored, d.Escalations, facts)
	}
	s.phases["1001"] = drill.PhaseFailed
	if d := minutes(2); d.Status != drill.Stopped || d.Restored.State != drill.RestoreUnproven || len(d.Stop.Evidence) != 2 {
		t.Errorf("%s, %+v, %+v", d.Status, d.Restored, d.Stop)
	}
}
