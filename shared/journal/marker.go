package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Marker says that a drill is active, and holds what is needed to find it without reading its journal. Markers make
// poll and abort cost O(active). A marker is a hint: the drill's entries decide.
type Marker struct {
	Drill       string    `json:"drill"`
	Plan        string    `json:"plan"`
	Environment string    `json:"environment"`
	Service     string    `json:"service"`
	Account     string    `json:"account,omitempty"`
	Region      string    `json:"region,omitempty"`
	Run         string    `json:"run,omitempty"` // the service's id of the main run, once known
	StopOn      []string  `json:"stop_on,omitempty"`
	Sent        int       `json:"sent"`           // highest rev up to which every fact was published
	Rev         int       `json:"rev"`            // the head when the marker was written
	At          time.Time `json:"at"`             // when it was written
	Woken       time.Time `json:"woken,omitzero"` // when somebody was about to append to a drill that was over
}

// AwakeFor is how long a woken drill keeps its marker, whatever was sent: longer than an instance may stand still between waking it and
// appending to it.
const AwakeFor = 10 * time.Minute

// MarkerError says which marker could not be read: its drill is active all the same.
type MarkerError struct {
	Drill string
	Err   error
}

// Error names the drill.
func (e *MarkerError) Error() string {
	return fmt.Sprintf("read marker of drill %s: %v", e.Drill, e.Err)
}

// Unwrap returns the cause.
func (e *MarkerError) Unwrap() error { return e.Err }

// PutMarker writes a drill's marker and sets its At. Sent and Rev never become lower than in the marker that is there.
func (j *Journal) PutMarker(ctx context.Context, m Marker) error {
	old, err := j.Marker(ctx, m.Drill)
	var damaged *MarkerError
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.As(err, &damaged) {
		return fmt.Errorf("write marker: %w", err)
	}
	m.Sent, m.Rev = max(m.Sent, old.Sent), max(m.Rev, old.Rev)
	if m.Woken.Before(old.Woken) {
		m.Woken = old.Woken
	}
	return j.putMarker(ctx, m)
}

// MarkSent records that every fact up to rev was published. It never lowers the number, and returns ErrNotFound when
// the drill has no marker. Two writers at once may lose the higher number: then facts are published again.
func (j *Journal) MarkSent(ctx context.Context, drill string, rev int) error {
	m, err := j.Marker(ctx, drill)
	if err != nil {
		return fmt.Errorf("mark rev %d as sent: %w", rev, err)
	}
	if m.Sent >= rev {
		return nil
	}
	m.Sent = rev
	return j.putMarker(ctx, m)
}

func (j *Journal) putMarker(ctx context.Context, m Marker) error {
	m.At = j.time()
	data, err := encode(m)
	if err == nil {
		err = j.store.Put(ctx, markerPrefix+m.Drill, data)
	}
	if err != nil {
		return fmt.Errorf("write marker of drill %s: %w", m.Drill, err)
	}
	return nil
}

// Marker returns the marker of one drill, ErrNotFound, or a *MarkerError when what is there is damaged.
func (j *Journal) Marker(ctx context.Context, drill string) (Marker, error) {
	if err := CheckID(drill); err != nil {
		return Marker{}, fmt.Errorf("read marker: %w", err)
	}
	data, err := j.store.Get(ctx, markerPrefix+drill)
	if err != nil {
		return Marker{}, fmt.Errorf("read marker of drill %s: %w", drill, err)
	}
	return decodeMarker(drill, data)
}

// Markers returns the markers of all active drills in the order of their ids. One that vanishes meanwhile is left out.
// Those that cannot be read come back as *MarkerError, joined, together with all that can: a caller that must not miss
// a drill reads the journals of those too. When the list itself fails there are no markers and another error.
func (j *Journal) Markers(ctx context.Context) ([]Marker, error) {
	keys, err := j.keys(ctx, markerPrefix)
	if err != nil {
		return nil, fmt.Errorf("list markers: %w", err)
	}
	var markers []Marker
	var errs []error
	for i, r := range j.gets(ctx, keys) {
		if errors.Is(r.err, ErrNotFound) {
			continue
		}
		drill := strings.TrimPrefix(keys[i], markerPrefix)
		if r.err != nil {
			errs = append(errs, &MarkerError{Drill: drill, Err: r.err})
			continue
		}
		m, err := decodeMarker(drill, r.data)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		markers = append(markers, m)
	}
	return markers, errors.Join(errs...)
}

func decodeMarker(drill string, data []byte) (Marker, error) {
	var m Marker
	if err := json.Unmarshal(data, &m); err != nil {
		return Marker{}, &MarkerError{Drill: drill, Err: err}
	}
	if m.Drill != drill {
		return Marker{}, &MarkerError{Drill: drill, Err: fmt.Errorf("it names drill %q", m.Drill)}
	}
	return m, nil
}

// DeleteMarker removes a drill's marker; it returns nil when there is none.
func (j *Journal) DeleteMarker(ctx context.Context, drill string) error {
	err := CheckID(drill)
	if err == nil {
		err = j.store.Delete(ctx, markerPrefix+drill)
	}
	if err != nil {
		return fmt.Errorf("delete marker of drill %s: %w", drill, err)
	}
	return nil
}
