package abort

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// alarm records what a monitor says and stops the drills whose plan names it. The first round of stops runs while the record is being
// written; when that is durable, a second round catches those that began meanwhile.
func (f *Function) alarm(ctx context.Context, in events.Event) ([]events.Event, error) {
	p, err := events.Decode[events.Alarm](in)
	if err != nil {
		return nil, err
	}
	a := journal.Alarm{Source: p.Source, Name: p.Name, ID: p.ID, State: p.State, Labels: p.Labels, Reason: p.Reason, At: p.At}
	if a.ID == "" {
		a.ID = in.ID()
	}
	if a.State != journal.Firing {
		return nil, f.Journal.RecordAlarm(ctx, a)
	}
	return f.twice(ctx, func() error { return f.Journal.RecordAlarm(ctx, a) }, func() ([]events.Event, error) {
		return f.stopByAlarm(ctx, a, in.ID())
	})
}

func (f *Function) stopByAlarm(ctx context.Context, a journal.Alarm, cause string) ([]events.Event, error) {
	match := func(m journal.Marker) bool {
		for _, s := range m.StopOn {
			if def, ok := drill.ParseSelector(s); ok && def.Matches(a.Source, a.Name, a.Labels) {
				return true
			}
		}
		return false
	}
	o := order{kind: drill.StopByAlarm, who: "alarm:" + a.Source + "/" + a.Name, cause: cause}
	o.reason = guard.AlarmReason(a, drill.Alarm{Name: a.Name}).Text
	o.onlyIf = func(d *drill.Drill) bool { return f.concerns(ctx, a, d) }
	return f.every(ctx, o, match)
}

// concerns reports whether a firing alarm is about a drill: it fired while the drill was there, or it fires still. An alarm that is
// delivered hours late, and has ended since, does not stop a drill that began after it.
func (f *Function) concerns(ctx context.Context, a journal.Alarm, d *drill.Drill) bool {
	if !a.At.Before(d.RequestedAt) {
		return true
	}
	firing, err := f.Journal.Firing(ctx)
	if err != nil {
		return true
	}
	key := journal.AlarmKey(a.Source, a.Name, a.Labels)
	for _, b := range firing {
		if b.Key == key {
			return true
		}
	}
	return false
}

// twice writes a record while it stops what it finds, and looks once more when the record is durable.
func (f *Function) twice(ctx context.Context, write func() error, stop func() ([]events.Event, error)) ([]events.Event, error) {
	var group errgroup.Group
	group.Go(write)
	out, err1 := stop()
	err := group.Wait()
	more, err2 := stop()
	return append(out, more...), errors.Join(err, err1, err2)
}
