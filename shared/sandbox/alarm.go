package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// The identity that the sandbox's AWS resources live under.
const (
	awsAccount = "123456789012"
	awsRegion  = "us-east-1"
)

// Alarm is a CloudWatch alarm of the sandbox.
type Alarm struct {
	Name   string    `json:"name"`
	ARN    string    `json:"arn"`
	State  string    `json:"state"` // firing, resolved
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"` // of the last change
}

// alarms are those that were ever raised. It is safe for concurrent use.
type alarms struct {
	mu     sync.Mutex
	byName map[string]Alarm
}

// alarmName returns the last part of an alarm's ARN, or the name itself.
func alarmName(s string) string {
	if _, name, ok := strings.Cut(s, ":alarm:"); ok {
		return name
	}
	return s
}

func (a *alarms) firing(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byName[alarmName(name)].State == "firing"
}

// set returns the alarm before and after, and whether its state changed.
func (a *alarms) set(name, state, reason string, at time.Time) (was, is Alarm, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	short := alarmName(name)
	arn := fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", awsRegion, awsAccount, short)
	was, ok := a.byName[short]
	if !ok {
		was = Alarm{Name: short, ARN: arn, State: "resolved", At: at}
	}
	if was.State == state {
		return was, was, false
	}
	is = Alarm{Name: short, ARN: arn, State: state, Reason: reason, At: at}
	a.byName[short] = is
	return was, is, true
}

func (a *alarms) list() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []Alarm{}
	for _, v := range a.byName {
		out = append(out, v)
	}
	slices.SortFunc(out, func(x, y Alarm) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

func (a *alarms) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byName = map[string]Alarm{}
}

// stateChange is the EventBridge event that CloudWatch sends when an alarm changes.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
func stateChange(id string, was, is Alarm) ([]byte, error) {
	type state struct {
		Reason     string `json:"reason"`
		ReasonData string `json:"reasonData"`
		Timestamp  string `json:"timestamp"`
		Value      string `json:"value"`
	}
	of := func(a Alarm) state {
		s := state{Reason: a.Reason, Timestamp: a.At.UTC().Format("2006-01-02T15:04:05.000-0700"), Value: "OK"}
		if a.State == "firing" {
			s.Value = "ALARM"
		}
		if s.Reason == "" {
			s.Reason = "Set in the sandbox."
		}
		s.ReasonData = fmt.Sprintf(`{"version":"1.0","queryDate":%q,"threshold":1.0}`, s.Timestamp)
		return s
	}
	return json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
		"account": awsAccount, "time": is.At.UTC().Format(time.RFC3339), "region": awsRegion, "resources": []string{is.ARN},
		"detail": map[string]any{
			"alarmName": is.Name,
			"configuration": map[string]any{
				"description": "An alarm of the sandbox.",
				"metrics": []any{map[string]any{
					"id": "m1", "returnData": true,
					"metricStat": map[string]any{
						"metric": map[string]any{"dimensions": map[string]string{}, "name": "Errors", "namespace": "Sandbox"},
						"period": 60, "stat": "Sum",
					},
				}},
			},
			"previousState": of(was),
			"state":         of(is),
		},
	})
}

// uuid writes 32 hexadecimal digits in the form 8-4-4-4-12.
func uuid(h string) string {
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}
