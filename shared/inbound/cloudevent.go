package inbound

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// loose is a CloudEvent as the two Chinese buses write it: times in several forms, extensions that are objects or
// arrays, a specversion 1.0.2.
type loose struct {
	fields map[string]json.RawMessage
	Spec   text            `json:"specversion"`
	ID     text            `json:"id"`
	Source text            `json:"source"`
	Type   text            `json:"type"`
	Time   text            `json:"time"`
	Sub    text            `json:"subject"`
	Status text            `json:"status"`
	Region text            `json:"region"`
	Data   json.RawMessage `json:"data"`
	at     time.Time
}

func readLoose(what string, body []byte) (loose, error) {
	var e loose
	if err := object(what, body, &e.fields); err != nil {
		return e, err
	}
	if err := object(what, body, &e); err != nil {
		return e, err
	}
	if !strings.HasPrefix(e.Spec.String(), "1.0") {
		return e, invalid("%s: specversion %s, want 1.0", what, seen(e.Spec.String()))
	}
	if e.ID == "" || e.Source == "" || e.Type == "" {
		return e, invalid("%s: id, source and type are needed; type is %s", what, seen(e.Type.String()))
	}
	if e.Time != "" {
		at, err := parseTime(e.Time.String(), nil)
		if err != nil {
			return e, err
		}
		e.at = at
	}
	return e, nil
}

// own makes one of our events of it: data that is a CloudEvent itself, or, where the bus kept our envelope, the envelope put right.
func (e loose) own() ([]events.Event, error) {
	data := e.Data
	var quoted string
	if json.Unmarshal(data, &quoted) == nil {
		data = json.RawMessage(quoted) // a bus that takes data as text hands it out as text
	}
	var inner struct {
		Spec string `json:"specversion"`
	}
	if json.Unmarshal(data, &inner) == nil && inner.Spec != "" {
		return own(e.Type.String(), data)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return nil, invalid("event %s: its data is no object", seen(e.Type.String()))
	}
	put := map[string]any{"specversion": "1.0", "data": data, "datacontenttype": "application/json"}
	for _, name := range []string{"id", "source", "type", "subject", "cause", "sequence", "traceparent"} {
		raw, ok := e.fields[name]
		if !ok {
			continue
		}
		var t text
		if t.UnmarshalJSON(raw) == nil && t != "" {
			put[name] = t.String()
		}
	}
	if !e.at.IsZero() {
		put["time"] = e.at.Format(time.RFC3339Nano)
	}
	b, err := json.Marshal(put)
	if err != nil {
		return nil, invalid("event %s: %s", seen(e.Type.String()), jsonProblem(err))
	}
	return own(e.Type.String(), b)
}
