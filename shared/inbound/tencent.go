package inbound

import (
	"encoding/json"
	"strings"

	"github.com/firedrill/firedrill/events"
)

// Tencent reads what SCF hands to a function: a timer's call becomes a tick, a cloud product's event an alarm, our own events
// themselves, one or an EventList of them, and TCOP's alarm callback an alarm.
// https://www.tencentcloud.com/document/product/583/9708
func Tencent(body []byte) ([]events.Event, error) {
	var k struct {
		Type   text              `json:"Type"`
		Time   text              `json:"Time"`
		List   []json.RawMessage `json:"EventList"`
		Spec   text              `json:"specversion"`
		Status text              `json:"alarmStatus"`
		Policy json.RawMessage   `json:"alarmPolicyInfo"`
	}
	if err := object("tencent payload", body, &k); err != nil {
		return nil, err
	}
	switch {
	case k.List != nil:
		return each("tencent payload", k.List, func(item json.RawMessage) ([]events.Event, error) { return tencentEvent(item) })
	case k.Spec != "":
		return tencentEvent(body)
	case strings.EqualFold(k.Type.String(), "timer"):
		at, err := parseTime(k.Time.String(), china())
		if err != nil {
			return nil, err
		}
		return tick("tencent", at)
	case k.Status != "" || len(k.Policy) > 0:
		return tcop(body)
	}
	return nil, invalid("tencent payload: neither a timer's call, an event, an EventList nor an alarm; Type is %s", seen(k.Type.String()))
}

// tencentEvent reads an event of the bus. A product's own event, such as cvm:ErrorEvent:PingUnreachable, is an alarm of that name:
// status 1 fires, status 0 has resolved.
func tencentEvent(body []byte) ([]events.Event, error) {
	e, err := readLoose("tencent event", body)
	if err != nil {
		return nil, err
	}
	kind := e.Type.String()
	if strings.HasPrefix(kind, ours) {
		return e.own()
	}
	if !strings.Contains(kind, ":ErrorEvent:") || !strings.HasSuffix(e.Source.String(), ".cloud.tencent") {
		return nil, invalid("tencent event: type %s from %s means nothing here", seen(kind), seen(e.Source.String()))
	}
	var is string
	switch e.Status {
	case "1":
		is = firing
	case "0":
		is = resolved
	default:
		return nil, invalid("tencent event %s: status %s is neither 1 nor 0", seen(kind), seen(e.Status.String()))
	}
	if e.at.IsZero() {
		return nil, invalid("tencent event %s: it has no time", seen(kind))
	}
	labels := map[string]string{}
	add(labels, "subject", e.Sub.String())
	add(labels, "region", e.Region.String())
	return alarm(events.Alarm{Source: "tcop", Name: kind, ID: e.ID.String(), State: is, Labels: labels, At: e.at})
}
