package inbound

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/chat"
)

// envelope is what AWS hands to a function: an EventBridge event, an alarm's direct call, records of SNS, or, from the
// scheduler, whatever its input says.
type envelope struct {
	ID          string          `json:"id"`
	DetailType  string          `json:"detail-type"`
	Source      string          `json:"source"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Time        string          `json:"time"`
	Resources   []string        `json:"resources"`
	Detail      json.RawMessage `json:"detail"`
	AlarmArn    string          `json:"alarmArn"`
	AccountID   string          `json:"accountId"`
	AlarmData   json.RawMessage `json:"alarmData"`
	AlarmName   string          `json:"AlarmName"`     // of an alarm's notification, as SNS with raw message delivery leaves it
	NewState    string          `json:"NewStateValue"` // its AlarmArn is taken for alarmArn: encoding/json does not look at case
	Records     []record        `json:"Records"`
	SpecVersion string          `json:"specversion"`
	Type        string          `json:"type"`
}

type record struct {
	EventSource string       `json:"EventSource"`
	Sns         notification `json:"Sns"`
}

// AWS reads what EventBridge, the scheduler, an alarm or SNS hands to a function: a scheduled event becomes a tick, a state change of an
// alarm an alarm, a state change of an FIS experiment a hint. SNS may stand around any of these. An alarm whose data became insufficient
// neither fires nor has resolved: it makes no event. https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-fis.html
func AWS(body []byte) ([]events.Event, error) {
	var env envelope
	if err := object("aws payload", body, &env); err != nil {
		return nil, err
	}
	if env.SpecVersion == "" && len(env.Records) > 0 {
		return snsRecords(env.Records)
	}
	return env.read(body)
}

// read reads what is no list of records. body is the envelope itself.
func (env envelope) read(body []byte) ([]events.Event, error) {
	switch {
	case env.SpecVersion != "":
		return own(env.Type, body) // the scheduler's input is one of our events
	case len(env.AlarmData) > 0:
		return directAlarm(env)
	case env.AlarmName != "" && env.NewState != "":
		return notification{Message: string(body)}.read(bridged)
	case strings.HasPrefix(env.DetailType, ours):
		return own(env.DetailType, env.Detail)
	}
	switch env.DetailType {
	case "Scheduled Event":
		return scheduled(env)
	case "CloudWatch Alarm State Change":
		return bridgedAlarm(env)
	case "FIS Experiment State Change":
		return experiment(env)
	case "":
		return nil, invalid("aws payload: neither an EventBridge event, an alarm, SNS records nor a CloudEvent")
	}
	return nil, invalid("aws payload: detail-type %s from %s means nothing here", seen(env.DetailType), seen(env.Source))
}

func scheduled(env envelope) ([]events.Event, error) {
	if env.Source != "aws.events" && env.Source != "aws.scheduler" {
		return nil, invalid("aws scheduled event: it comes from %s, not from aws.events or aws.scheduler", seen(env.Source))
	}
	at, err := time.Parse(time.RFC3339, env.Time)
	if err != nil || at.Year() != 1970 { // which is what AWS's own sample of a scheduled event says
		if at, err = parseTime(env.Time, nil); err != nil {
			return nil, err
		}
	}
	return tick("aws", at)
}

func experiment(env envelope) ([]events.Event, error) {
	if env.Source != "aws.fis" {
		return nil, invalid("fis state change: it comes from %s, not from aws.fis", seen(env.Source))
	}
	var d struct {
		ID    string `json:"experiment-id"`
		State struct {
			Status string `json:"status"`
		} `json:"new-state"`
	}
	if err := object("fis state change", env.Detail, &d); err != nil {
		return nil, err
	}
	if d.ID == "" {
		return nil, invalid("fis state change: detail has no experiment-id")
	}
	at, err := parseTime(env.Time, nil)
	if err != nil {
		return nil, err
	}
	return state("aws", env.ID, events.State{Service: "fis", Run: d.ID, Status: d.State.Status, At: at})
}

func snsRecords(records []record) ([]events.Event, error) {
	if len(records) > maxItems {
		return nil, invalid("sns: %d records, the limit is %d", len(records), maxItems)
	}
	var out []events.Event
	var errs []error
	for _, r := range records {
		if r.EventSource != "aws:sns" {
			errs = append(errs, invalid("aws record: it comes from %s, only aws:sns is read here", seen(r.EventSource)))
			continue
		}
		es, err := r.Sns.read(inside)
		out, errs = append(out, es...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// inside reads what a rule, or a person, put on a topic that calls a function: anything that could have called it itself.
func inside(message []byte) ([]events.Event, error) {
	var env envelope
	if err := object("sns message", message, &env); err != nil {
		return nil, err
	}
	return env.read(message)
}

// arnRegion returns the region and the account of an ARN, "" where it is none.
func arnRegion(arn string) (region, account string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return "", ""
	}
	return chat.Line(parts[3], 64), chat.Line(parts[4], 64)
}
