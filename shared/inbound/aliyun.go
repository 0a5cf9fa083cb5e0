package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/firedrill/firedrill/events"
)

// Aliyun reads what Function Compute hands to a function: a timer's call and a scheduled event become ticks, a change of an OOS
// execution a hint, our own events themselves; one object or an array of them. It also takes the alarm payloads of
// CloudMonitor and ARMS, which the alarm webhooks share with it.
// https://help.aliyun.com/en/eventbridge/user-guide/event-overview
func Aliyun(body []byte) ([]events.Event, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' && len(body) <= MaxBytes {
		var items []json.RawMessage
		if err := json.Unmarshal(trimmed, &items); err != nil {
			return nil, invalid("aliyun payload: %s", jsonProblem(err))
		}
		return each("aliyun payload", items, func(item json.RawMessage) ([]events.Event, error) { return aliyunOne(item) })
	}
	if looksLikeForm(trimmed) {
		return cloudmonitor(formType, body)
	}
	return aliyunOne(body)
}

// aliyunKinds are fields that tell the payloads apart.
type aliyunKinds struct {
	Spec        text            `json:"specversion"`
	TriggerTime text            `json:"triggerTime"`
	Product     text            `json:"product"`
	AlertName   text            `json:"alertName"`
	Alerts      json.RawMessage `json:"alerts"`
}

func aliyunOne(body []byte) ([]events.Event, error) {
	var k aliyunKinds
	if err := object("aliyun payload", body, &k); err != nil {
		return nil, err
	}
	switch {
	case k.Spec != "":
		return aliyunEvent(body)
	case k.TriggerTime != "":
		at, err := parseTime(k.TriggerTime.String(), nil)
		if err != nil {
			return nil, err
		}
		return tick("aliyun", at)
	case k.Product != "":
		return systemEvent(body)
	case k.AlertName != "":
		return cloudmonitor("application/json", body)
	case len(k.Alerts) > 0:
		return alertmanager("arms", body)
	}
	return nil, invalid("aliyun payload: neither a CloudEvent, a timer's call, a system event nor an alarm")
}

func aliyunEvent(body []byte) ([]events.Event, error) {
	e, err := readLoose("aliyun event", body)
	if err != nil {
		return nil, err
	}
	kind := e.Type.String()
	switch {
	case strings.HasPrefix(kind, ours):
		return e.own()
	case kind == "eventbridge:Events:ScheduledEvent":
		if e.at.IsZero() {
			return nil, invalid("aliyun scheduled event: it has no time")
		}
		return tick("aliyun", e.at)
	case strings.HasPrefix(kind, "oos:CloudMonitor:"):
		return systemEvent(e.Data)
	}
	return nil, invalid("aliyun event: type %s from %s means nothing here", seen(kind), seen(e.Source.String()))
}

// system is a CloudMonitor system event. Of OOS it comes for Started, Success and Failed alone.
// https://help.aliyun.com/en/oos/getting-started/system-events
type system struct {
	ID      text `json:"id"`
	Product text `json:"product"`
	Name    text `json:"name"`
	Time    text `json:"eventTime"`
	Content struct {
		Execution text `json:"executionId"`
		Parent    text `json:"parentExecutionId"`
		Status    text `json:"status"`
	} `json:"content"`
}

// systemEvent makes a hint for the execution, and one for its parent: a child's end may be what moves the parent's task.
func systemEvent(body []byte) ([]events.Event, error) {
	var s system
	if err := object("aliyun system event", body, &s); err != nil {
		return nil, err
	}
	if !strings.EqualFold(s.Product.String(), "oos") {
		return nil, invalid("aliyun system event: product %s means nothing here", seen(s.Product.String()))
	}
	if s.Content.Execution == "" {
		return nil, invalid("aliyun system event %s: content has no executionId", seen(s.Name.String()))
	}
	at, err := parseTime(s.Time.String(), nil)
	if err != nil {
		return nil, err
	}
	change := events.State{Service: "oos", Run: s.Content.Execution.String(), Status: s.Content.Status.String(), At: at}
	out, err := state("aliyun", s.ID.String(), change)
	if s.Content.Parent == "" || err != nil {
		return out, err
	}
	parent, err := state("aliyun", s.ID.String(), events.State{Service: "oos", Run: s.Content.Parent.String(), At: at})
	return append(out, parent...), errors.Join(err)
}
