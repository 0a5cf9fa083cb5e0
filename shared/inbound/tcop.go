package inbound

import (
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// callback is TCOP's alarm callback. Numbers come as numbers or as texts, local times without a zone.
// https://cloud.tencent.com/document/product/248/9066
type callback struct {
	Session text `json:"sessionId"`
	Alert   text `json:"alertId"`
	Status  text `json:"alarmStatus"`
	Type    text `json:"alarmType"`
	Object  struct {
		Region     text            `json:"region"`
		Namespace  text            `json:"namespace"`
		Dimensions map[string]text `json:"dimensions"`
	} `json:"alarmObjInfo"`
	Policy struct {
		ID         text `json:"policyId"`
		Name       text `json:"policyName"`
		Type       text `json:"policyType"`
		Conditions struct {
			Metric  text `json:"metricName"`
			Shown   text `json:"metricShowName"`
			Event   text `json:"eventName"`
			Compare text `json:"calcType"`
			Limit   text `json:"calcValue"`
			Current text `json:"currentValue"`
			Unit    text `json:"unit"`
		} `json:"conditions"`
	} `json:"alarmPolicyInfo"`
	First    text `json:"firstOccurTime"`
	Duration text `json:"durationTime"` // seconds
	Recover  text `json:"recoverTime"`  // "0" while it fires
}

func tcop(body []byte) ([]events.Event, error) {
	var c callback
	if err := object("tcop alarm", body, &c); err != nil {
		return nil, err
	}
	var is string
	switch c.Status {
	case "1":
		is = firing
	case "0":
		is = resolved
	default:
		return nil, invalid("tcop alarm %s: alarmStatus %s is neither 1 nor 0", seen(c.Policy.Name.String()), seen(c.Status.String()))
	}
	if c.Session == "" {
		return nil, invalid("tcop alarm %s: it has no sessionId", seen(c.Policy.Name.String()))
	}
	at, err := c.at(is)
	if err != nil {
		return nil, err
	}
	cond := c.Policy.Conditions
	reason := strings.Join(strings.Fields(strings.Join([]string{
		cond.Shown.String(), cond.Event.String(), cond.Compare.String(), cond.Limit.String(), cond.Unit.String(), "now", cond.Current.String(),
	}, " ")), " ")
	return alarm(events.Alarm{
		Source: "tcop", Name: strings.TrimSpace(c.Policy.Name.String()), ID: c.Session.String() + "/" + c.Alert.String(), State: is,
		Labels: c.labels(), Reason: reason, At: at,
	})
}

// labels hold what is the same when the alarm fires and when it recovers.
func (c callback) labels() map[string]string {
	labels := map[string]string{}
	for k, v := range c.Object.Dimensions {
		if len(labels) < maxLabels && !strings.HasPrefix(v.String(), "{") && !strings.HasPrefix(v.String(), "[") {
			add(labels, k, v.String())
		}
	}
	add(labels, "region", c.Object.Region.String())
	add(labels, "namespace", c.Object.Namespace.String())
	add(labels, "policy", c.Policy.ID.String())
	add(labels, "metric", first(c.Policy.Conditions.Metric, c.Policy.Conditions.Event))
	return labels
}

// at is the time of the change. A recovery that names none is later than the occurrence: at the same time, firing would win.
func (c callback) at(is string) (time.Time, error) {
	begin, err := parseTime(c.First.String(), china())
	if is == firing || err != nil {
		return begin, err
	}
	if r := c.Recover.String(); r != "" && r != "0" {
		return parseTime(r, china())
	}
	seconds, err := strconv.ParseInt(c.Duration.String(), 10, 32)
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return begin.Add(time.Duration(seconds) * time.Second), nil
}
