package inbound

import (
	"encoding/json"
	"mime"
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/events"
)

const formType = "application/x-www-form-urlencoded"

// threshold is CloudMonitor's callback for a threshold rule, as a form or, in the older format, as JSON.
// https://www.alibabacloud.com/help/en/document_detail/60714.html
type threshold struct {
	Name       text `json:"alertName"`
	State      text `json:"alertState"`
	Value      text `json:"curValue"`
	Dimensions text `json:"dimensions"`
	Expression text `json:"expression"`
	Instance   text `json:"instanceName"`
	Metric     text `json:"metricName"`
	Namespace  text `json:"metricProject"`
	NewSpace   text `json:"namespace"`
	Level      text `json:"triggerLevel"`
	Rule       text `json:"ruleId"`
	Time       text `json:"timestamp"`
	User       text `json:"userId"`
}

func looksLikeForm(b []byte) bool {
	s := string(b[:min(len(b), 256)])
	return strings.Contains(s, "=") && !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "[")
}

func cloudmonitor(contentType string, body []byte) ([]events.Event, error) {
	if len(body) > MaxBytes {
		return nil, invalid("cloudmonitor alarm: %d bytes, the limit is %d", len(body), MaxBytes)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = ""
	}
	var a threshold
	if kind == formType || kind != "application/json" && looksLikeForm(body) {
		if a, err = thresholdForm(body); err != nil {
			return nil, err
		}
		return a.event()
	}
	if err := object("cloudmonitor alarm", body, &a); err != nil {
		return nil, err
	}
	return a.event()
}

func thresholdForm(body []byte) (threshold, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return threshold{}, invalid("cloudmonitor alarm: the form cannot be read")
	}
	fields := map[string]string{}
	for k, v := range form {
		if len(v) != 1 {
			return threshold{}, invalid("cloudmonitor alarm: field %s stands %d times", seen(k), len(v))
		}
		fields[k] = v[0]
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return threshold{}, invalid("cloudmonitor alarm: %s", jsonProblem(err))
	}
	var a threshold
	return a, object("cloudmonitor alarm", b, &a)
}

func (a threshold) event() ([]events.Event, error) {
	var is string
	switch strings.ToUpper(a.State.String()) {
	case "ALERT", "ALARM":
		is = firing
	case "OK":
		is = resolved
	case "INSUFFICIENT_DATA":
		return nil, nil
	default:
		return nil, invalid("cloudmonitor alarm %s: alertState %s is none of OK, ALERT, INSUFFICIENT_DATA", seen(a.Name.String()), seen(a.State.String()))
	}
	at, err := parseTime(a.Time.String(), nil)
	if err != nil {
		return nil, err
	}
	labels := dimensions(a.Dimensions.String())
	add(labels, "namespace", first(a.Namespace, a.NewSpace))
	add(labels, "metric", a.Metric.String())
	add(labels, "rule", a.Rule.String())
	id := strings.Join([]string{a.Rule.String(), a.Dimensions.String(), a.Time.String()}, "/")
	reason := strings.TrimSpace(strings.Join([]string{a.Level.String(), a.Metric.String(), a.Expression.String(), "value", a.Value.String(), a.Instance.String()}, " "))
	return alarm(events.Alarm{Source: "cloudmonitor", Name: a.Name.String(), ID: id, State: is, Labels: labels, Reason: reason, At: at})
}

func first(texts ...text) string {
	for _, t := range texts {
		if t != "" {
			return t.String()
		}
	}
	return ""
}

// dimensions reads "{userId=12, instanceId=i-1}", which is no JSON, and the array of objects of the older format.
func dimensions(s string) map[string]string {
	labels := map[string]string{}
	var list []map[string]text
	var one map[string]text
	switch {
	case json.Unmarshal([]byte(s), &list) == nil:
		for _, m := range list {
			for k, v := range m {
				add(labels, k, v.String())
			}
		}
		return labels
	case json.Unmarshal([]byte(s), &one) == nil:
		for k, v := range one {
			add(labels, k, v.String())
		}
		return labels
	}
	for pair := range strings.SplitSeq(strings.Trim(strings.TrimSpace(s), "{}[]"), ",") {
		if k, v, ok := strings.Cut(pair, "="); ok && len(labels) < maxLabels {
			add(labels, strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	return labels
}

const maxLabels = 64
