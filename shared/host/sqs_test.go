package host

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/events"
)

// batch makes the payload of an event source of SQS.
func batch(t testing.TB, bodies ...string) []byte {
	t.Helper()
	var records []map[string]any
	for i, b := range bodies {
		records = append(records, map[string]any{"messageId": string(rune('a' + i)), "body": b, "eventSource": "aws:sqs", "attributes": map[string]string{"ApproximateReceiveCount": "1"}})
	}
	out, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBatch_NamesOnlyWhatFailed(t *testing.T) {
	const at = "2026-11-21T08:00:00.000+0000"
	sns := `{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","Message":"{\"AlarmName\":\"a\",\"NewStateValue\":\"OK\",\"StateChangeTime\":\"` + at + `\"}"}`
	raw := `{"AlarmName":"a","AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a","NewStateValue":"ALARM","StateChangeTime":"` + at + `"}`
	direct := `{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-east-1:1:alarm:a","time":"` + at + `","alarmData":{"alarmName":"a","state":{"value":"ALARM","timestamp":"` + at + `"}}}`
	ready := `{"specversion":"1.0","id":"1","source":"/x","type":"dev.firedrill.signal.tick.v1","data":{"at":"2026-11-21T08:00:00Z"}}`
	cases := []struct {
		name    string
		bodies  []string
		want    string
		handled int
	}{
		{"a poisoned record among good ones", []string{scheduled(), `{"detail-type":"Sched`, alarmed(at)}, "b", 2},
		{"a detail that is a string", []string{`{"detail-type":"FIS Experiment State Change","source":"aws.fis","detail":"{}"}`, scheduled()}, "a", 1},
		{"each form that a payload has", []string{scheduled(), alarmed(at), sns, raw, direct, ready, own(ready)}, "", 7},
		{"none that can be read", []string{"", "x"}, "a b", 0},
		{"a function that fails on alarms", []string{alarmed(at), scheduled()}, "a", 2},
		{"a function that panics on alarms", []string{alarmed(at), scheduled(), scheduled()}, "a", 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Function{}, func(_ context.Context, e events.Event) ([]events.Event, error) {
				switch {
				case e.Type() != events.TypeAlarm:
				case strings.Contains(c.name, "fails"):
					return nil, errors.New("not now")
				case strings.Contains(c.name, "panics"):
					panic("a mistake")
				}
				return nil, nil
			})
			got, err := (&invoker{r.host}).Invoke(t.Context(), batch(t, c.bodies...))
			if err != nil {
				t.Fatal(err)
			}
			var reply failures
			if err := json.Unmarshal(got, &reply); err != nil || reply.Items == nil {
				t.Fatalf("%s: %v", got, err)
			}
			var names []string
			for _, f := range reply.Items {
				names = append(names, f.ID)
			}
			if s := strings.Join(names, " "); s != c.want {
				t.Errorf("named %q, want %q:\n%s", s, c.want, r.logs)
			}
			if len(r.got) != c.handled {
				t.Errorf("the function got %d events, want %d", len(r.got), c.handled)
			}
			if len(r.dead.payloads) != 0 {
				t.Error("a record went to the dead-letter target: the queue has its own")
			}
		})
	}
}

func TestBatch_WhatThereIsNoTimeForIsNamed(t *testing.T) {
	r := newRig(t, Function{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := (&invoker{r.host}).Invoke(ctx, batch(t, scheduled(), scheduled()))
	if err != nil || string(got) != `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}` || len(r.got) != 0 {
		t.Errorf("got %s, %v; the function got %d", got, err, len(r.got))
	}
}

func TestBatch_ARecordWithoutAnIDFailsAsAWhole(t *testing.T) {
	r := newRig(t, Function{}, nil)
	if _, err := (&invoker{r.host}).Invoke(t.Context(), []byte(`{"Records":[{"eventSource":"aws:sqs","body":"x"}]}`)); err == nil {
		t.Error("an empty name would be taken for nothing, or for the whole batch")
	}
}
