package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/firedrill/firedrill/events"
)

// idLength is how long a whole drill id is; what is shorter may be the beginning of one.
const idLength = 13

// postEvent takes any CloudEvent, structured or binary, as the bus would deliver it. A command may name its drill by the beginning of
// its id.
func (s *system) postEvent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, events.MaxBytes)
	e, err := readEvent(r)
	if err == nil {
		err = events.Check(e)
	}
	var large *http.MaxBytesError
	var kind *kindError
	switch {
	case errors.As(err, &large):
		respondError(w, http.StatusRequestEntityTooLarge, fmt.Errorf("an event has at most %d bytes", events.MaxBytes))
		return
	case errors.As(err, &kind):
		respondError(w, http.StatusUnsupportedMediaType, err)
		return
	case err != nil:
		respondError(w, http.StatusBadRequest, err)
		return
	}
	if e, err = s.named(r.Context(), e); err != nil {
		respondFindError(w, err, "")
		return
	}
	s.accept(w, r, e)
}

// kindError says that a request carries no CloudEvent.
type kindError struct{ got string }

// Error says what to send instead.
func (e *kindError) Error() string {
	return fmt.Sprintf("content type %q without ce- headers is no CloudEvent: send Content-Type application/cloudevents+json, or ce- headers", e.got)
}

func readEvent(r *http.Request) (events.Event, error) {
	got := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(got)
	if err != nil {
		kind = ""
	}
	if kind == event.ApplicationCloudEventsJSON {
		body, err := readAll(r)
		if err != nil {
			return events.Event{}, err
		}
		return events.Parse(body)
	}
	msg := cehttp.NewMessageFromHttpRequest(r)
	if msg.ReadEncoding() != binding.EncodingBinary {
		return events.Event{}, &kindError{got}
	}
	e, err := binding.ToEvent(r.Context(), msg)
	if err != nil {
		return events.Event{}, fmt.Errorf("%w: %w", events.ErrInvalid, err)
	}
	return *e, nil
}

// named replaces the beginning of a drill's id in a command by the whole id. Other events are left as they are: a whole id may be
// unknown here, and all is no id.
func (s *system) named(ctx context.Context, e events.Event) (events.Event, error) {
	if !events.IsCommand(e.Type()) {
		return e, nil
	}
	var about struct {
		Drill string `json:"drill"`
	}
	if err := json.Unmarshal(e.Data(), &about); err != nil {
		return e, err
	}
	if about.Drill == "" || about.Drill == "all" || len(about.Drill) == idLength && about.Drill == strings.ToLower(about.Drill) {
		return e, nil
	}
	d, err := s.find(ctx, about.Drill)
	if err != nil {
		return e, err
	}
	out, err := edited(e, func(data map[string]json.RawMessage) {
		data["drill"] = quoted(d.ID)
	})
	out.SetSubject(d.ID)
	return out, err
}

// take publishes events that came from outside. Where the system's clock goes faster than the world's, each of their times is moved:
// what is ten seconds old in the world is ten seconds old here, and nothing is from the future.
func (s *system) take(ctx context.Context, in ...events.Event) error {
	now := s.clock.Now()
	lead := time.Until(now)
	out := make([]events.Event, len(in))
	for i, e := range in {
		out[i] = e
		if lead.Abs() < time.Second || !events.IsCommand(e.Type()) && !strings.HasPrefix(e.Type(), "dev.firedrill.signal.") {
			continue
		}
		moved, err := edited(e, func(data map[string]json.RawMessage) {
			move(data, "at", lead, now)
			move(data, "expires_at", lead, time.Time{})
		})
		if err != nil {
			return err
		}
		if !e.Time().IsZero() {
			moved.SetTime(earlier(e.Time().Add(lead), now))
		}
		out[i] = moved
	}
	return s.bus.Publish(ctx, out...)
}

// move adds lead to a time, if there is one; limit is the latest that it may become, zero for none.
func move(data map[string]json.RawMessage, field string, lead time.Duration, limit time.Time) {
	var t time.Time
	if json.Unmarshal(data[field], &t) != nil || t.IsZero() {
		return
	}
	data[field] = quoted(earlier(t.Add(lead), limit).UTC().Format(time.RFC3339Nano))
}

func earlier(t, limit time.Time) time.Time {
	if !limit.IsZero() && t.After(limit) {
		return limit
	}
	return t
}

// edited returns a copy of an event whose data was changed.
func edited(e events.Event, change func(data map[string]json.RawMessage)) (events.Event, error) {
	var data map[string]json.RawMessage
	if err := json.Unmarshal(e.Data(), &data); err != nil {
		return e, err
	}
	change(data)
	out := e.Clone()
	if err := out.SetData(event.ApplicationJSON, data); err != nil {
		return e, err
	}
	return out, nil
}

func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always encodes
	return b
}
