package deploy

import (
	"slices"
	"testing"
)

// denied returns the resources for which a policy denies an action under a condition to everybody.
func denied(policy any, action, operator, key, value string) []string {
	statements, _ := policy.(map[string]any)["Statement"].([]any)
	for _, one := range statements {
		s := one.(map[string]any)
		condition, _ := s["Condition"].(map[string]any)
		test, _ := condition[operator].(map[string]any)
		if s["Effect"] != "Deny" || s["Principal"] != "*" || s["Action"] != action || test[key] != value {
			continue
		}
		var out []string
		for _, r := range s["Resource"].([]any) {
			out = append(out, r.(string))
		}
		return out
	}
	return nil
}

func TestTemplate_TheBucketIsPrivateAndAppendOnly(t *testing.T) {
	tpl := load(t)
	bucket := tpl.Resources["Bucket"].Properties
	for name, v := range bucket["PublicAccessBlockConfiguration"].(map[string]any) {
		if v != "true" {
			t.Errorf("%s is %v", name, v)
		}
	}
	if n := len(bucket["PublicAccessBlockConfiguration"].(map[string]any)); n != 4 || bucket["BucketEncryption"] == nil {
		t.Errorf("%d of 4 kinds of public access are blocked, encryption is %v", n, bucket["BucketEncryption"])
	}
	policy := tpl.Resources["BucketPolicy"].Properties["PolicyDocument"]
	if got := denied(policy, "s3:*", "Bool", "aws:SecureTransport", "false"); !same(got, []string{"<Bucket.Arn>", "<Bucket.Arn>/*"}) {
		t.Errorf("without TLS these are closed: %v", got)
	}
	want := []string{"<Bucket.Arn>/journal/identity", "<Bucket.Arn>/journal/drills/*", "<Bucket.Arn>/journal/registers/*"}
	if got := denied(policy, "s3:PutObject", "Null", "s3:if-none-match", "true"); !same(got, want) {
		t.Errorf("these cannot be written over: %v, want %v", got, want)
	}
}

func TestTemplate_EveryQueueHasAnAlarmAndEveryFunctionALogThatEnds(t *testing.T) {
	tpl := load(t, "HasTopic")
	watched := []string{}
	for _, name := range tpl.OfType("AWS::CloudWatch::Alarm") {
		a := tpl.Resources[name].Properties
		if a["AlarmActions"] == nil {
			t.Errorf("%s tells nobody", name)
		}
		if a["Threshold"] != "0" || a["ComparisonOperator"] != "GreaterThanThreshold" {
			continue
		}
		metrics, _ := a["Metrics"].([]any)
		for _, m := range append(metrics, map[string]any{"MetricStat": map[string]any{"Metric": a}}) {
			stat, _ := m.(map[string]any)["MetricStat"].(map[string]any)
			if metric, _ := stat["Metric"].(map[string]any); metric["MetricName"] == "ApproximateNumberOfMessagesVisible" {
				watched = append(watched, metric["Dimensions"].([]any)[0].(map[string]any)["Value"].(string))
			}
		}
	}
	for _, name := range tpl.OfType("AWS::SQS::Queue") {
		if !slices.Contains(watched, "<"+name+".QueueName>") {
			t.Errorf("nobody watches the queue %s", name)
		}
	}
	for _, f := range names() {
		group, _ := tpl.Property(f, "LoggingConfig", "LogGroup").(string)
		if len(group) < 3 || tpl.Resources[group[1:len(group)-1]].Properties["RetentionInDays"] != tpl.Values["LogDays"] {
			t.Errorf("%s writes to %q, which never ends", f, group)
		}
		if d := tpl.Property(f, "EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"); f != "chatops" && f != "abort" && d != "<Undelivered.Arn>" {
			t.Errorf("what %s gives up goes to %v", f, d)
		}
	}
}
