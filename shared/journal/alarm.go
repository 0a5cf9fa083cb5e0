package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// The states of an alarm.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

const (
	alarmLife = 24 * time.Hour     // a firing alarm that nobody repeats counts for so long
	alarmKeep = 7 * 24 * time.Hour // PruneAlarms keeps observations for so long
)

// Alarm is one observation of an alarm. What identifies the alarm is its source, name and labels; what orders its
// observations is At, the alarm's own time, and of two at the same time the firing one counts.
type Alarm struct {
	Key    string            `json:"key"` // AlarmKey of source, name and labels; RecordAlarm sets it
	Source string            `json:"source"`
	Name   string            `json:"name"`
	ID     string            `json:"id"`    // the notification's id at its source
	State  string            `json:"state"` // firing or resolved
	Labels map[string]string `json:"labels,omitempty"`
	Reason string            `json:"reason,omitempty"`
	At     time.Time         `json:"at"`      // the alarm's own time; SeenAt when the source gives none
	SeenAt time.Time         `json:"seen_at"` // when we learnt of it; RecordAlarm sets it
	Actor  string            `json:"actor,omitempty"`
}

// AlarmKey identifies an alarm: a hash of its source, name and labels.
func AlarmKey(source, name string, labels map[string]string) string {
	data, err := json.Marshal(struct {
		Source, Name string
		Labels       map[string]string
	}{source, name, labels}) // map keys are sorted
	if err != nil {
		panic("journal: strings do not encode: " + err.Error()) // cannot be: they always do
	}
	return sum(data)[:32]
}

// RecordAlarm keeps one observation. Observations never race: each has its own key, and the newest by the alarm's own
// time counts, in whatever order they arrive. Recording the same one again moves its SeenAt forward, so that an alarm
// which keeps firing does not expire.
func (j *Journal) RecordAlarm(ctx context.Context, a Alarm) error {
	if err := j.recordAlarm(ctx, a); err != nil {
		return fmt.Errorf("record alarm %s/%s: %w", a.Source, a.Name, err)
	}
	return nil
}

func (j *Journal) recordAlarm(ctx context.Context, a Alarm) error {
	a.SeenAt = j.time()
	if a.At.IsZero() {
		a.At = a.SeenAt
	}
	a.At = a.At.UTC().Round(0)
	if len(a.Labels) == 0 {
		a.Labels = nil // no labels and an empty set are the same alarm
	}
	a.Key = AlarmKey(a.Source, a.Name, a.Labels)
	switch {
	case a.State != Firing && a.State != Resolved:
		return fmt.Errorf("state is %q, not %s or %s", a.State, Firing, Resolved)
	case a.At.Before(time.Unix(0, 0)) || a.At.After(time.Unix(0, math.MaxInt64)):
		return fmt.Errorf("time %s is out of range", a.At.Format(time.RFC3339))
	}
	data, err := encode(a)
	if err != nil {
		return err
	}
	key := alarmKey(a)
	err = j.store.Create(ctx, key, data)
	if errors.Is(err, ErrExists) {
		return j.store.Put(ctx, key, data) // the same observation, seen later
	}
	return err
}

func alarmKey(a Alarm) string {
	tie := "0"
	if a.State == Resolved {
		tie = "1"
	}
	return alarmPrefix + a.Key + "/" + invertTime(a.At) + "-" + tie + "-" + sum([]byte(a.ID))[:16]
}

// sighting is what an alarm's object key says.
type sighting struct {
	key, alarm string
	at         time.Time
	firing     bool
}

func parseSighting(key string) (sighting, bool) {
	alarm, tail, _ := strings.Cut(strings.TrimPrefix(key, alarmPrefix), "/")
	parts := strings.Split(tail, "-")
	if len(parts) != 3 || (parts[1] != "0" && parts[1] != "1") {
		return sighting{}, false
	}
	at, ok := revertTime(parts[0])
	return sighting{key: key, alarm: alarm, at: at, firing: parts[1] == "0"}, ok
}

// sightings lists every observation, by alarm, newest first.
func (j *Journal) sightings(ctx context.Context) ([]sighting, error) {
	keys, err := j.keys(ctx, alarmPrefix)
	if err != nil {
		return nil, err
	}
	out := make([]sighting, 0, len(keys))
	for _, key := range keys {
		if s, ok := parseSighting(key); ok {
			out = append(out, s)
		}
	}
	return out, nil
}

// heads keeps what counts of each alarm: its newest observation, and others that fire at the very same time.
func heads(all []sighting) []sighting {
	var out []sighting
	var head sighting
	for _, s := range all {
		switch {
		case s.alarm != head.alarm:
			head = s
			out = append(out, s)
		case s.firing && head.firing && s.at.Equal(head.at):
			out = append(out, s)
		}
	}
	return out
}

// Firing returns the alarms that fire now: those whose newest observation says so and was seen, or made, less than
// 24 hours ago. When some cannot be read, the error joins theirs, and the others are returned with it.
func (j *Journal) Firing(ctx context.Context) ([]Alarm, error) {
	all, err := j.sightings(ctx)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	var keys []string
	for _, s := range heads(all) {
		if s.firing {
			keys = append(keys, s.key)
		}
	}
	oldest := j.time().Add(-alarmLife)
	var alarms []Alarm
	var errs []error
	for i, r := range j.gets(ctx, keys) {
		a, err := decodeAlarm(keys[i], r)
		if errors.Is(err, ErrNotFound) {
			continue // pruned meanwhile
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read alarm %s: %w", keys[i], err))
			continue
		}
		if a.SeenAt.Before(oldest) && a.At.Before(oldest) {
			continue
		}
		last := len(alarms) - 1
		if last >= 0 && alarms[last].Key == a.Key {
			if a.SeenAt.After(alarms[last].SeenAt) {
				alarms[last] = a
			}
			continue
		}
		alarms = append(alarms, a)
	}
	return alarms, errors.Join(errs...)
}

func decodeAlarm(key string, r reply) (Alarm, error) {
	if r.err != nil {
		return Alarm{}, r.err
	}
	var a Alarm
	if err := json.Unmarshal(r.data, &a); err != nil {
		return Alarm{}, err
	}
	if alarmKey(a) != key {
		return Alarm{}, errors.New("it holds another alarm")
	}
	return a, nil
}

// ClearAlarm resolves, by hand, every firing alarm with this key or name, and returns them as they were. It needs a
// reason. ErrNotFound means that none of that name fires.
func (j *Journal) ClearAlarm(ctx context.Context, name, reason, actor string) ([]Alarm, error) {
	if reason == "" {
		return nil, fmt.Errorf("clear alarm %s: a reason is needed", name)
	}
	firing, unread := j.Firing(ctx)
	var cleared []Alarm
	for _, a := range firing {
		if a.Key != name && a.Name != name {
			continue
		}
		at := a.At.Add(1)
		if now := j.time(); now.After(at) {
			at = now
		}
		err := j.RecordAlarm(ctx, Alarm{Source: a.Source, Name: a.Name, ID: "cleared:" + a.ID, State: Resolved,
			Labels: a.Labels, Reason: reason, At: at, Actor: actor})
		if err != nil {
			return cleared, fmt.Errorf("clear alarm %s: %w", name, err)
		}
		cleared = append(cleared, a)
	}
	if unread != nil {
		return cleared, fmt.Errorf("clear alarm %s: %w", name, unread)
	}
	if len(cleared) == 0 {
		return nil, fmt.Errorf("clear alarm %s: no alarm with this name or key fires: %w", name, ErrNotFound)
	}
	return cleared, nil
}

// PruneAlarms deletes observations that are more than seven days old, save those of an alarm that fires now, and
// returns how many. It keeps the list that Firing reads short.
func (j *Journal) PruneAlarms(ctx context.Context) (int, error) {
	firing, err := j.Firing(ctx)
	if err != nil {
		return 0, fmt.Errorf("prune alarms: %w", err)
	}
	keep := map[string]bool{}
	for _, a := range firing {
		keep[a.Key] = true
	}
	all, err := j.sightings(ctx)
	if err != nil {
		return 0, fmt.Errorf("prune alarms: %w", err)
	}
	oldest := j.time().Add(-alarmKeep)
	n := 0
	for _, s := range all {
		if keep[s.alarm] || !s.at.Before(oldest) {
			continue
		}
		if err := j.store.Delete(ctx, s.key); err != nil {
			return n, fmt.Errorf("prune alarms: %w", err)
		}
		n++
	}
	return n, nil
}
