package poll

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/conduct"
	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/guard"
	"github.com/firedrill/firedrill/shared/journal"
)

// visit is one look at one drill.
type visit struct {
	f   *Function
	d   *drill.Drill
	by  journal.By
	out []events.Event
}

// look does for one drill what is due: unsent facts, reasons to stop, the acts of drill.Next, and the end of its marker.
func (f *Function) look(ctx context.Context, id string, sent int, w guard.World, cause string) ([]events.Event, bool, error) {
	d, err := f.Journal.Load(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, false, f.forget(ctx, id)
	}
	if err != nil {
		return nil, false, err
	}
	v := &visit{f: f, d: d, by: journal.By{Actor: "poll", Cause: cause, Source: f.Source}}
	before := d.Rev
	unsent, err := f.unsent(ctx, id, sent, before)
	errs := []error{err}
	errs = append(errs, v.obey(ctx, w), v.act(ctx))
	v.out = append(unsent, v.out...)
	if v.d.Rev == before && len(unsent) == 0 {
		errs = append(errs, v.nudge(ctx))
	}
	if !v.d.Active() && sent >= v.d.Rev && len(v.out) == 0 {
		errs = append(errs, v.rest(ctx))
	}
	return v.out, v.d.Status.Live() || v.d.Status == drill.Waiting || v.d.Status == drill.Concluding, quiet(errs)
}

// rest deletes the marker of a drill that is over, unless somebody is about to append to it. What was appended meanwhile, an amendment,
// gets it back.
func (v *visit) rest(ctx context.Context) error {
	m, err := v.f.Journal.Marker(ctx, v.d.ID)
	if err != nil || v.f.Now().Sub(m.Woken) < journal.AwakeFor {
		return err
	}
	if err := v.f.Journal.DeleteMarker(ctx, v.d.ID); err != nil {
		return err
	}
	d, err := v.f.Journal.Load(ctx, v.d.ID)
	if err != nil || d.Rev == v.d.Rev {
		return err
	}
	return v.f.Journal.Wake(ctx, d, v.d.Rev)
}

// quiet joins errors and leaves out what only says that somebody else was faster.
func quiet(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool {
		return errors.Is(err, drill.ErrAnswered) || errors.Is(err, drill.ErrTransition)
	})
	return errors.Join(errs...)
}

// forget deletes the marker of a drill that was never written, once it is old.
func (f *Function) forget(ctx context.Context, id string) error {
	m, err := f.Journal.Marker(ctx, id)
	if err != nil || f.Now().Sub(m.At) < emptyFor {
		return nil
	}
	return f.Journal.DeleteMarker(ctx, id)
}

// unsent returns the facts that are not known to be published. A rev without facts that ends the row is marked as sent.
func (f *Function) unsent(ctx context.Context, id string, sent, head int) ([]events.Event, error) {
	var out []events.Event
	for rev := sent + 1; rev <= head; rev++ {
		e, err := f.Journal.Entry(ctx, id, rev)
		if err != nil {
			return out, err
		}
		facts, err := facts(e)
		if err != nil {
			return out, err
		}
		out = append(out, facts...)
	}
	if len(out) == 0 && head > sent {
		return nil, f.Journal.MarkSent(ctx, id, head)
	}
	return out, nil
}

func (v *visit) update(ctx context.Context, edit journal.Edit) error {
	d, out, err := v.f.Journal.Update(ctx, v.d.ID, v.by, edit)
	v.take(d, out)
	return err
}

func (v *visit) take(d *drill.Drill, out []events.Event) {
	if d != nil {
		v.d = d
	}
	v.out = append(v.out, out...)
}

func (v *visit) result(r conduct.Result, err error) error {
	v.take(r.Drill, r.Out)
	return err
}

// obey asks for a stop when a lever, a firing alarm or a freeze demands it.
func (v *visit) obey(ctx context.Context, w guard.World) error {
	why, must := w.MustStop(v.d)
	if !must || v.d.Status.Ended() || v.d.Status == drill.Stopping {
		return nil
	}
	return v.askStop(ctx, why)
}

func (v *visit) askStop(ctx context.Context, why guard.Reason) error {
	return v.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		return d.AskStop(why.Kind, why.By, why.Text, "", now)
	})
}

// act performs the acts that poll has rights to. It asks again after each change, a bounded number of times.
func (v *visit) act(ctx context.Context) error {
	done := map[drill.Act]bool{}
	for range 8 {
		acts := drill.Next(v.d, v.f.Now())
		i := slices.IndexFunc(acts, func(a drill.Act) bool { return !done[a] && v.mine(a) })
		if i < 0 {
			return nil
		}
		done[acts[i]] = true
		if acts[i] == drill.ActStop || acts[i] == drill.ActRestore {
			done[drill.ActObserve] = false // read what the stop did
		}
		if err := v.do(ctx, acts[i]); err != nil {
			return errors.Join(err, v.late(ctx, acts))
		}
	}
	return nil
}

// mine reports whether poll performs an act. Looking up is start's while the drill still wants to start.
func (v *visit) mine(a drill.Act) bool {
	switch a {
	case drill.ActObserve, drill.ActStop, drill.ActOverdue, drill.ActRestore, drill.ActRecover, drill.ActEscalate, drill.ActAttend:
		return true
	case drill.ActLookup:
		return v.d.Status == drill.Stopping
	}
	return false
}

func (v *visit) do(ctx context.Context, a drill.Act) error {
	switch a {
	case drill.ActObserve:
		return v.observe(ctx)
	case drill.ActStop, drill.ActRestore:
		return v.result(v.f.Conduct.Stop(ctx, v.d, v.by))
	case drill.ActLookup:
		return v.result(v.f.Conduct.Resume(ctx, v.d, drill.Main, nil, v.by))
	case drill.ActRecover:
		return v.result(v.f.Conduct.Recover(ctx, v.d, v.by))
	case drill.ActOverdue:
		text := fmt.Sprintf("max_duration %s is over", v.d.Plan.MaxDuration)
		return v.askStop(ctx, guard.Reason{Kind: drill.StopByDeadline, By: "deadline", Text: text})
	case drill.ActEscalate:
		return v.escalate(ctx)
	case drill.ActAttend:
		return v.attend(ctx)
	}
	return nil
}

// observe reads the run, then measures its claims while faults may be live.
func (v *visit) observe(ctx context.Context) error {
	err := v.result(v.f.Conduct.Observe(ctx, v.d, drill.Main, v.by))
	if err != nil || v.d.Status != drill.Running && v.d.Status != drill.Waiting {
		return err
	}
	return v.measure(ctx)
}

// measure probes the claims; one that has not held for stop_after stops the drill.
func (v *visit) measure(ctx context.Context) error {
	var samples []drill.Sample
	for _, c := range v.d.Plan.Expect {
		if c.HTTP != "" {
			s := v.f.Prober.Measure(ctx, c)
			s.During = true
			samples = append(samples, s)
		}
	}
	if len(samples) == 0 {
		return nil
	}
	if err := v.f.Journal.PutSamples(ctx, v.d.ID, samples); err != nil {
		return err
	}
	var broken *drill.Claim
	err := v.update(ctx, func(d *drill.Drill, _ time.Time) (drill.Change, error) {
		var c drill.Change
		for _, s := range samples {
			if d.Measure(s) {
				c.What += fmt.Sprintf("claim %s: %s; ", s.Claim, s.Detail)
			}
		}
		broken = nil
		if b, ok := d.BrokenClaim(); ok {
			broken = &b
			c.What += fmt.Sprintf("claim %s has not held for %s", b.ID, b.StopAfter)
		}
		return c, nil
	})
	if err != nil || broken == nil {
		return err
	}
	text := fmt.Sprintf("claim %s (%s) has not held for %s", broken.ID, broken.Claim, broken.StopAfter)
	return v.askStop(ctx, guard.Reason{Kind: drill.StopByClaim, By: "claim:" + broken.ID, Text: text})
}

// late does what a deadline demands although the service could not be asked: the deadline does not wait for it.
func (v *visit) late(ctx context.Context, acts []drill.Act) error {
	switch {
	case slices.Contains(acts, drill.ActOverdue):
		return v.do(ctx, drill.ActOverdue)
	case slices.Contains(acts, drill.ActEscalate):
		return v.escalate(ctx)
	}
	return nil
}

func (v *visit) escalate(ctx context.Context) error {
	do := ""
	if sv, err := v.f.Conduct.Services.For(v.d.Plan.Service, v.d.Plan.Account); err == nil {
		do = sv.ByHand(v.d.Ref(drill.Main))
	}
	return v.update(ctx, func(d *drill.Drill, now time.Time) (drill.Change, error) {
		if now.Before(d.Deadline) {
			return drill.Change{}, nil
		}
		return d.Escalate(whatIsLate(d, now), do, now), nil
	})
}

// whatIsLate words it.
func whatIsLate(d *drill.Drill, now time.Time) string {
	open := d.Unsettled(now)
	switch {
	case d.Status == drill.Stopping && !open.IsZero():
		return fmt.Sprintf("the stop asked at %s is not confirmed: a call of ours got no reply and may still take effect until %s; what it sets going is stopped",
			d.Stop.RequestedAt.Format(time.RFC3339), open.Format(time.RFC3339))
	case d.Status == drill.Stopping:
		return fmt.Sprintf("the stop asked at %s is not confirmed by the service; it goes on", d.Stop.RequestedAt.Format(time.RFC3339))
	case d.Status == drill.Starting && !open.IsZero():
		return "the start is not confirmed: no run is there, and a call to start it may still take effect until " + open.Format(time.RFC3339) + "; the search goes on"
	case d.Status == drill.Starting:
		return "the start is not confirmed by the service; the search goes on"
	case d.Status.Ended():
		return "the faults are not shown to be undone; the restoration goes on"
	}
	return "it is late in state " + string(d.Status)
}
