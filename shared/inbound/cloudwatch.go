package inbound

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/events"
)

// alarmDetail is an alarm's state as EventBridge and the direct call write it; a composite alarm has the same form.
type alarmDetail struct {
	Name  string `json:"alarmName"`
	State struct {
		Value             string `json:"value"`
		Reason            string `json:"reason"`
		Timestamp         string `json:"timestamp"`
		SuppressedBy      string `json:"actionsSuppressedBy"`
		SuppressedBecause string `json:"actionsSuppressedReason"`
	} `json:"state"`
	Mute *struct {
		By string `json:"mutedByArn"`
	} `json:"muteDetail"`
}

// notification is one message of SNS, in a function's records or as an HTTP delivery.
type notification struct {
	Type    string `json:"Type"`
	Message string `json:"Message"`
}

// snsAlarm is an alarm's state as SNS carries it; Region is a display name there, so it is read from the ARN.
type snsAlarm struct {
	Name    string `json:"AlarmName"`
	Arn     string `json:"AlarmArn"`
	Account string `json:"AWSAccountId"`
	Value   string `json:"NewStateValue"`
	Reason  string `json:"NewStateReason"`
	Changed string `json:"StateChangeTime"`
}

func bridgedAlarm(env envelope) ([]events.Event, error) {
	if env.Source != "aws.cloudwatch" {
		return nil, invalid("alarm state change: it comes from %s, not from aws.cloudwatch", seen(env.Source))
	}
	var d alarmDetail
	if err := object("alarm state change", env.Detail, &d); err != nil {
		return nil, err
	}
	arn := ""
	if len(env.Resources) > 0 {
		arn = env.Resources[0]
	}
	return d.event(arn, env.Account, env.Region, env.Time)
}

func directAlarm(env envelope) ([]events.Event, error) {
	var d alarmDetail
	if err := object("alarm's direct call", env.AlarmData, &d); err != nil {
		return nil, err
	}
	return d.event(env.AlarmArn, env.AccountID, env.Region, env.Time)
}

// event makes the alarm's event. A mute, or a suppressor, holds back the alarm's own actions and not its state: it counts.
func (d alarmDetail) event(arn, account, region, sent string) ([]events.Event, error) {
	changed := d.State.Timestamp
	if changed == "" {
		changed = sent
	}
	reason := d.State.Reason
	if d.Mute != nil {
		reason += " (muted by " + d.Mute.By + ")"
	}
	if d.State.SuppressedBy != "" {
		reason += " (actions suppressed by " + d.State.SuppressedBy + ": " + d.State.SuppressedBecause + ")"
	}
	return cloudwatch(d.Name, arn, account, region, d.State.Value, reason, changed)
}

// read reads a message of SNS: an alarm's own, else whatever other takes.
func (n notification) read(other func(message []byte) ([]events.Event, error)) ([]events.Event, error) {
	switch n.Type {
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		return nil, invalid("sns: this is a %s; confirm the subscription in the SNS console", n.Type)
	case "Notification", "":
	default:
		return nil, invalid("sns: type %s is not known", seen(n.Type))
	}
	var a snsAlarm
	if err := object("sns message", []byte(n.Message), &a); err != nil {
		return nil, err
	}
	if a.Value == "" && a.Name == "" {
		return other([]byte(n.Message)) // of a rule of EventBridge with SNS as its target
	}
	region, account := arnRegion(a.Arn)
	if account == "" {
		account = a.Account
	}
	return cloudwatch(a.Name, a.Arn, account, region, a.Value, a.Reason, a.Changed)
}

// bridged reads an EventBridge event inside of an SNS message, which is an alarm's and nothing else.
func bridged(body []byte) ([]events.Event, error) {
	var env envelope
	if err := object("sns message", body, &env); err != nil {
		return nil, err
	}
	if env.DetailType != "CloudWatch Alarm State Change" {
		return nil, invalid("sns message: neither an alarm nor an alarm's state change")
	}
	return bridgedAlarm(env)
}

// cloudwatch makes the same event of one change of state, whichever way it came: the id is made of the alarm's ARN and the
// instant of the change.
func cloudwatch(name, arn, account, region, value, reason, changed string) ([]events.Event, error) {
	var is string
	switch value {
	case "ALARM":
		is = firing
	case "OK":
		is = resolved
	case "INSUFFICIENT_DATA":
		return nil, nil
	default:
		return nil, invalid("cloudwatch alarm %s: state %s is none of OK, ALARM, INSUFFICIENT_DATA", seen(name), seen(value))
	}
	at, err := parseTime(changed, nil)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	if r, a := arnRegion(arn); a != "" {
		region, account = r, a
	}
	add(labels, "region", region)
	add(labels, "account", account)
	id := strings.Join([]string{account, region, name, strconv.FormatInt(at.UnixMilli(), 10)}, "/")
	return alarm(events.Alarm{Source: "cloudwatch", Name: name, ID: id, State: is, Labels: labels, Reason: reason, At: at})
}

// The states of an alarm.
const (
	firing   = "firing"
	resolved = "resolved"
)

// cloudwatchHook reads what SNS, or a relay, posts over HTTP: an SNS message, an alarm inside of it, or any form that AWS reads.
func cloudwatchHook(body []byte) ([]events.Event, error) {
	var probe struct {
		notification
		Name  string          `json:"AlarmName"`
		Value string          `json:"NewStateValue"`
		Data  json.RawMessage `json:"alarmData"`
		Kind  string          `json:"detail-type"`
	}
	if err := object("cloudwatch alarm", body, &probe); err != nil {
		return nil, err
	}
	switch {
	case probe.Type != "" && (probe.Message != "" || strings.HasSuffix(probe.Type, "Confirmation")):
		return probe.read(bridged)
	case probe.Name != "" && probe.Value != "":
		return notification{Message: string(body)}.read(bridged)
	case len(probe.Data) > 0, probe.Kind == "CloudWatch Alarm State Change":
		return AWS(body)
	}
	return nil, invalid("cloudwatch alarm: neither an SNS message nor an alarm's state change")
}
