package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/drill"
)

// maxRaces bounds how often Update decides again after losing a rev to somebody else.
const maxRaces = 50

// By says who changes a drill and why.
type By struct {
	Actor  string
	Cause  string // id of the causing event
	Source string // source of the facts: /firedrill/<deployment>/<function>
}

// Edit changes a drill in place and says what it did. An empty change writes nothing. It may be called several times, each time on
// a fresh state, when others write too.
type Edit func(d *drill.Drill, now time.Time) (drill.Change, error)

// State returns the drill that the entry holds.
func (e Entry) State() (*drill.Drill, error) {
	d := new(drill.Drill)
	if err := json.Unmarshal(e.Drill, d); err != nil {
		return nil, fmt.Errorf("rev %d holds no readable drill: %w", e.Rev, err)
	}
	d.Rev, d.Head = e.Rev, e.SHA256
	return d, nil
}

// Events returns the facts in the entry's outbox.
func (e Entry) Events() ([]events.Event, error) {
	out := make([]events.Event, 0, len(e.Outbox))
	for _, raw := range e.Outbox {
		ev, err := events.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("outbox of rev %d: %w", e.Rev, err)
		}
		out = append(out, ev)
	}
	return out, nil
}

// Load returns a drill's newest state, or ErrNotFound.
func (j *Journal) Load(ctx context.Context, id string) (*drill.Drill, error) {
	e, err := j.Head(ctx, id)
	if err != nil {
		return nil, err
	}
	return e.State()
}

// LoadReadable returns the newest state of a drill that can be read, though newer entries may be damaged. It is for stopping what runs,
// and for nothing that is to be recorded.
func (j *Journal) LoadReadable(ctx context.Context, id string) (*drill.Drill, error) {
	history, err := j.replies(ctx, id)
	if err != nil {
		return nil, err
	}
	for i, r := range slices.Backward(history) {
		if r.err != nil {
			continue
		}
		if e, err := decodeAt(r.data, i+1); err == nil {
			return e.State()
		}
	}
	return nil, fmt.Errorf("drill %s has no entry that can be read", id)
}

// LoadAt returns a drill's state as of one rev, or ErrNotFound.
func (j *Journal) LoadAt(ctx context.Context, id string, rev int) (*drill.Drill, error) {
	e, err := j.Entry(ctx, id, rev)
	if err != nil {
		return nil, err
	}
	return e.State()
}

// Begin writes a new drill: its marker first, so that no drill can exist that nobody looks for, then rev 1, then its place in the
// index. ErrConflict means that the drill exists already.
func (j *Journal) Begin(ctx context.Context, d *drill.Drill, c drill.Change, by By) ([]events.Event, error) {
	if err := j.PutMarker(ctx, MarkerOf(d)); err != nil {
		return nil, err
	}
	facts, err := j.Commit(ctx, d, c, by)
	if err != nil {
		return nil, err
	}
	return facts, j.PutIndex(ctx, d.RequestedAt, d.ID, []byte(d.Plan.Name))
}

// Wake writes the marker of a drill that may be over, which poll leaves alone for AwakeFor. Where there is none, because everything was
// sent, the facts up to rev sent count as published: they are not sent once more.
func (j *Journal) Wake(ctx context.Context, d *drill.Drill, sent int) error {
	m := MarkerOf(d)
	m.Woken = j.time()
	if _, err := j.Marker(ctx, d.ID); errors.Is(err, ErrNotFound) {
		m.Sent = max(0, sent)
	}
	return j.PutMarker(ctx, m)
}

// MarkerOf returns the marker of a drill.
func MarkerOf(d *drill.Drill) Marker {
	return Marker{
		Drill: d.ID, Plan: d.Plan.Name, Environment: d.Plan.Environment, Service: string(d.Plan.Service),
		Account: d.Plan.Account.Name, Region: d.Plan.Account.Region, Run: d.RunID(), StopOn: d.Plan.Selectors(), Rev: d.Rev,
	}
}

// Commit appends the state as the rev after the one it was read at, with the change's facts in its outbox, and returns them.
// ErrConflict means that others wrote meanwhile: throw the state away, read and decide again.
func (j *Journal) Commit(ctx context.Context, d *drill.Drill, c drill.Change, by By) ([]events.Event, error) {
	facts, outbox, err := j.outbox(d, c, by)
	if err != nil {
		return nil, err
	}
	state, err := encode(d)
	if err != nil {
		return nil, fmt.Errorf("encode drill %s: %w", d.ID, err)
	}
	e, err := j.Append(ctx, d.ID, Entry{Rev: d.Rev + 1, Cause: by.Cause, Actor: by.Actor, Change: c.What, Drill: state, Outbox: outbox})
	if err != nil {
		return nil, err
	}
	d.Rev, d.Head = e.Rev, e.SHA256
	return facts, nil
}

func (j *Journal) outbox(d *drill.Drill, c drill.Change, by By) ([]events.Event, []json.RawMessage, error) {
	var facts []events.Event
	var raw []json.RawMessage
	for n, p := range c.Facts {
		ev, err := events.New(events.Envelope{
			ID: events.FactID(d.ID, d.Rev+1, n), Source: by.Source, Subject: d.ID, Time: j.time(), Cause: by.Cause, Sequence: d.Rev + 1,
		}, p)
		if err != nil {
			return nil, nil, err
		}
		b, err := ev.MarshalJSON()
		if err != nil {
			return nil, nil, fmt.Errorf("encode fact: %w", err)
		}
		facts, raw = append(facts, ev), append(raw, b)
	}
	return facts, raw, nil
}

// Update reads a drill, changes it, and appends the result; when somebody else was faster it begins anew. It returns the state
// after the change and the facts to publish. An error of edit is returned as it is, with the state that was read.
func (j *Journal) Update(ctx context.Context, id string, by By, edit Edit) (*drill.Drill, []events.Event, error) {
	head, err := j.Head(ctx, id)
	for range maxRaces {
		if err != nil {
			return nil, nil, err
		}
		d, err2 := head.State()
		if err2 != nil {
			return nil, nil, err2
		}
		over := !d.Active()
		c, err2 := edit(d, j.time())
		if err2 != nil {
			return d, nil, err2
		}
		if c.What == "" {
			return d, nil, nil
		}
		if over { // nobody looks for it any more: who dies after the append would leave facts that are never sent
			if err := j.Wake(ctx, d, d.Rev); err != nil {
				return nil, nil, err
			}
		}
		facts, err2 := j.Commit(ctx, d, c, by)
		if !errors.Is(err2, ErrConflict) {
			return d, facts, err2
		}
		head, err = j.HeadAfter(ctx, id, head)
	}
	return nil, nil, fmt.Errorf("update drill %s: %w, %d times in a row", id, ErrConflict, maxRaces)
}

// CausedBy reports whether an event changed the drill already: then it was delivered again, and is no reason to refuse anything.
// It reads the drill's whole history, so it is for the rare answers alone.
func (j *Journal) CausedBy(ctx context.Context, id, event string) bool {
	name, err := encode(event)
	if err != nil {
		return false
	}
	history, err := j.replies(ctx, id)
	return err == nil && slices.ContainsFunc(history, func(r reply) bool {
		if r.err != nil || !bytes.Contains(r.data, bytes.TrimSpace(name)) { // most entries need not be decoded
			return false
		}
		e, err := DecodeEntry(r.data)
		return err == nil && e.Cause == event
	})
}

// Published records that the facts of these revs are out. The marker's Sent moves up only as far as nothing is missing: a rev whose
// facts are not known to be out stops it, and poll sends those again.
func (j *Journal) Published(ctx context.Context, id string, revs ...int) error {
	m, err := j.Marker(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil // the drill is over, everything was sent
	}
	if err != nil {
		return err
	}
	out := map[int]bool{}
	high := m.Sent
	for _, r := range revs {
		out[r], high = true, max(high, r)
	}
	sent := m.Sent
	for ; sent < high; sent++ {
		if out[sent+1] {
			continue
		}
		e, err := j.Entry(ctx, id, sent+1)
		if err != nil {
			return err
		}
		if len(e.Outbox) > 0 {
			break
		}
	}
	return j.MarkSent(ctx, id, sent)
}

// Active lists the markers of all active drills. A damaged one is made again from its drill's journal, so that nobody misses the drill;
// one whose drill was never written is left out.
func (j *Journal) Active(ctx context.Context) ([]Marker, error) {
	markers, err := j.Markers(ctx)
	damaged, err := splitMarkerErrors(err)
	errs := []error{err}
	for _, id := range damaged {
		d, err := j.Load(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			errs = append(errs, err)
		default:
			m := MarkerOf(d)
			markers = append(markers, m)
			errs = append(errs, j.PutMarker(ctx, m))
		}
	}
	return markers, errors.Join(errs...)
}

// ActiveIDs lists the drills that have a marker, without reading it: a drill whose marker is damaged is listed too.
func (j *Journal) ActiveIDs(ctx context.Context) ([]string, error) {
	ids, err := j.keys(ctx, markerPrefix)
	if err != nil {
		return nil, fmt.Errorf("list markers: %w", err)
	}
	for i, key := range ids {
		ids[i] = strings.TrimPrefix(key, markerPrefix)
	}
	return ids, nil
}

// splitMarkerErrors takes the drills of unreadable markers out of what Markers returned.
func splitMarkerErrors(err error) (ids []string, rest error) {
	var one *MarkerError
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil, nil
	case ok:
		var others []error
		for _, e := range joined.Unwrap() {
			more, r := splitMarkerErrors(e)
			ids = append(ids, more...)
			others = append(others, r)
		}
		return ids, errors.Join(others...)
	case errors.As(err, &one):
		return []string{one.Drill}, nil
	}
	return nil, err
}
