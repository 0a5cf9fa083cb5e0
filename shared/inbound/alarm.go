package inbound

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

// AlarmSources lists the sources that Alarm reads.
func AlarmSources() []string {
	return []string{"alertmanager", "arms", "cloudmonitor", "cloudwatch", "generic", "local", "tcop"}
}

// Alarm reads what a monitor posts to a webhook, by the source that the URL names. A notification with several alerts makes an event
// of each.
func Alarm(source, contentType string, body []byte) ([]events.Event, error) {
	switch source {
	case "alertmanager", "arms":
		return alertmanager(source, body)
	case "cloudmonitor":
		return cloudmonitor(contentType, body)
	case "cloudwatch":
		return cloudwatchHook(body)
	case "tcop":
		return tcop(body)
	case "generic", "local":
		return generic(body)
	}
	return nil, invalid("alarm source %s is none of %s", seen(source), strings.Join(AlarmSources(), ", "))
}

// alert is one alert of an Alertmanager notification; ARMS sends the same form.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	EndsAt      string            `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

func alertmanager(source string, body []byte) ([]events.Event, error) {
	var n struct {
		Status string            `json:"status"`
		Alerts []json.RawMessage `json:"alerts"`
	}
	if err := object(source+" alarm", body, &n); err != nil {
		return nil, err
	}
	if len(n.Alerts) == 0 {
		return nil, invalid("%s alarm: it holds no alerts", source)
	}
	return each(source+" alarm", n.Alerts, func(raw json.RawMessage) ([]events.Event, error) {
		var a alert
		if err := object("alert", raw, &a); err != nil {
			return nil, err
		}
		return a.event(source)
	})
}

func (a alert) event(source string) ([]events.Event, error) {
	name := a.Labels["alertname"]
	if name == "" {
		return nil, invalid("alert: labels have no alertname")
	}
	begin, err := parseTime(a.StartsAt, nil)
	if err != nil {
		return nil, err
	}
	at := begin
	switch a.Status {
	case firing:
	case resolved:
		if at, err = parseTime(a.EndsAt, nil); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("alert %s: status %s is neither firing nor resolved", seen(name), seen(a.Status))
	}
	reason := a.Annotations["summary"]
	if reason == "" {
		reason = a.Annotations["description"]
	}
	id := a.identity() + "@" + begin.Format(time.RFC3339Nano)
	return alarm(events.Alarm{Source: source, Name: name, ID: id, State: a.Status, Labels: a.Labels, Reason: reason, At: at})
}

// identity is the fingerprint; a sender without one has the labels, which it is made from.
func (a alert) identity() string {
	if a.Fingerprint != "" {
		return chat.Line(a.Fingerprint, 64)
	}
	return labelsID(a.Labels)
}

func labelsID(labels map[string]string) string {
	b, err := json.Marshal(labels) // keys are sorted
	if err != nil {
		return "" // cannot be: texts always encode
	}
	return events.ID(string(b))
}

// generic reads an alarm in our own words: {"name", "state": "firing" or "resolved", "at", "labels", "reason", "id"}.
func generic(body []byte) ([]events.Event, error) {
	var g struct {
		Name   string            `json:"name"`
		State  string            `json:"state"`
		At     text              `json:"at"`
		Labels map[string]string `json:"labels"`
		Reason string            `json:"reason"`
		ID     string            `json:"id"`
	}
	if err := object("generic alarm", body, &g); err != nil {
		return nil, err
	}
	if g.At == "" {
		return nil, invalid("generic alarm %s: at is missing; write the time of the change as RFC 3339", seen(g.Name))
	}
	at, err := parseTime(g.At.String(), nil)
	if err != nil {
		return nil, err
	}
	id := g.ID
	if id == "" {
		id = labelsID(g.Labels) + "@" + at.Format(time.RFC3339Nano)
	}
	return alarm(events.Alarm{Source: "local", Name: g.Name, ID: id, State: g.State, Labels: maps.Clone(g.Labels), Reason: g.Reason, At: at})
}
