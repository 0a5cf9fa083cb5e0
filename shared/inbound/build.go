package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

const (
	// MaxBytes is the largest payload that is read.
	MaxBytes = 1 << 20
	maxItems = 1000 // items of one payload
	maxText  = 4000 // bytes of a reason
	ours     = "dev.firedrill."
	source   = "/firedrill/inbound/" // and the platform or the alarm's source
)

// invalid says what was seen and why it is not understood.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", events.ErrInvalid, fmt.Errorf(format, args...))
}

// seen shows a text of a payload in an error: short, on one line.
func seen(s string) string { return fmt.Sprintf("%q", chat.Line(s, 60)) }

// object reads a JSON object, or says what else it is.
func object(what string, body []byte, into any) error {
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(body) > MaxBytes:
		return invalid("%s: %d bytes, the limit is %d", what, len(body), MaxBytes)
	case len(trimmed) == 0:
		return invalid("%s: the payload is empty", what)
	case !utf8.Valid(body):
		return invalid("%s: not valid UTF-8", what)
	case trimmed[0] != '{':
		return invalid("%s: want a JSON object, got something that begins with %s", what, seen(string(trimmed[:1])))
	}
	if err := json.Unmarshal(trimmed, into); err != nil {
		return invalid("%s: %s", what, jsonProblem(err))
	}
	return nil
}

// jsonProblem describes an error of encoding/json without the payload's values.
func jsonProblem(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Sprintf("field %s: %s where %s is wanted", chat.Line(kind.Field, 60), kind.Value, kind.Type)
	}
	return "not valid json: " + chat.Line(err.Error(), 120)
}

// tick makes a tick for the minute that at stands in.
func tick(platform string, at time.Time) ([]events.Event, error) {
	at = at.UTC().Truncate(time.Minute)
	e, err := events.New(events.Envelope{
		ID: events.ID("tick", platform, at.Format(time.RFC3339)), Source: source + platform, Time: at,
	}, events.Tick{At: at})
	return list(e, err)
}

// state makes a hint that a service's run changed. occurrence tells one change of the run from another.
func state(platform, occurrence string, s events.State) ([]events.Event, error) {
	e, err := events.New(events.Envelope{
		ID:     events.ID("state", platform, s.Service, s.Run, s.Status, occurrence, s.At.Format(time.RFC3339Nano)),
		Source: source + platform, Subject: s.Run, Time: s.At,
	}, s)
	return list(e, err)
}

// alarm makes an alarm's event. a.ID names the occurrence: the same firing, or the same resolution, has the same one.
func alarm(a events.Alarm) ([]events.Event, error) {
	a.Reason = cutBytes(chat.Clean(a.Reason), maxText)
	a.At = a.At.UTC()
	if strings.TrimSpace(a.Name) == "" {
		return nil, invalid("%s alarm: it has no name", a.Source)
	}
	e, err := events.New(events.Envelope{
		ID: events.ID("alarm", a.Source, a.Name, a.ID, a.State), Source: source + a.Source, Subject: a.Name, Time: a.At,
	}, a)
	return list(e, err)
}

func list(e events.Event, err error) ([]events.Event, error) {
	if err == nil {
		return []events.Event{e}, nil
	}
	if !errors.Is(err, events.ErrInvalid) {
		err = invalid("%w", err)
	}
	return nil, err
}

// own takes one of our own events out of a platform's wrapping. outer is the type that the wrapping names: a bus's rules see only that,
// so the two must agree.
func own(outer string, data []byte) ([]events.Event, error) {
	e, err := events.Parse(timed(data))
	if err != nil {
		return nil, err
	}
	if e.Type() != outer {
		return nil, invalid("an event of type %s is wrapped as %s", seen(e.Type()), seen(outer))
	}
	return []events.Event{e}, nil
}

// timed writes the time of an event's envelope as RFC 3339, and leaves every other byte as it is.
func timed(data []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return data
	}
	for d.More() {
		name, err := d.Token()
		var raw json.RawMessage
		if err != nil || d.Decode(&raw) != nil {
			return data // Parse says what is wrong
		}
		var t text
		if name != "time" || json.Unmarshal(raw, &t) != nil {
			continue
		}
		at, err := parseTime(t.String(), nil)
		if _, good := time.Parse(time.RFC3339, t.String()); good == nil || err != nil {
			return data
		}
		end := int(d.InputOffset())
		return slices.Concat(data[:end-len(raw)], []byte(`"`+at.Format(time.RFC3339Nano)+`"`), data[end:])
	}
	return data
}

// each reads many items and keeps what can be read.
func each(what string, items []json.RawMessage, one func(json.RawMessage) ([]events.Event, error)) ([]events.Event, error) {
	if len(items) > maxItems {
		return nil, invalid("%s: %d items, the limit is %d", what, len(items), maxItems)
	}
	var out []events.Event
	var errs []error
	for i, item := range items {
		es, err := one(item)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s, item %d: %w", what, i+1, err))
		}
		out = append(out, es...)
	}
	return out, errors.Join(errs...)
}

func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// add puts a label in, if it has a value.
func add(labels map[string]string, key, value string) {
	if value != "" {
		labels[key] = cutBytes(value, 512)
	}
}
