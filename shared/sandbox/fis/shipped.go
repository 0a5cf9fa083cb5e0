package fis

import (
	"encoding/json"
	"time"
)

const (
	role  = "arn:aws:iam::" + AccountID + ":role/fis-drills"
	alarm = "arn:aws:cloudwatch:" + homeRegion + ":" + AccountID + ":alarm:checkout-5xx"
	none  = "none"
)

// shipped is the templates that every sandbox has.
func shipped(now time.Time) []*template {
	all := []*template{azOutage(), wait(), alarmed(), failing(), empty(), skipping(), reported(), long()}
	for _, t := range all {
		t.role, t.created = role, now
		if t.emptyMode == "" {
			t.emptyMode = "fail"
		}
		if t.conditions == nil {
			t.conditions = []conditionJSON{{Source: none}}
		}
	}
	return all
}

func tags(name string) map[string]string { return map[string]string{"Name": name} }

func inZone(kind, selection string) targetJSON {
	return targetJSON{
		ResourceType: kind, ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: selection,
		Filters: []filterJSON{{Path: "Placement.AvailabilityZone", Values: []string{"us-east-1a"}}},
	}
}

func azOutage() *template {
	return &template{
		id: "EXTa1b2c3d4e5f6g7", description: "One availability zone goes away", tags: tags("checkout-az-outage"),
		targets: map[string]targetJSON{
			"subnets-in-az":   {ResourceType: "aws:ec2:subnet", ResourceTags: map[string]string{"app": "checkout", "az": "us-east-1a"}, SelectionMode: "ALL"},
			"instances-in-az": inZone("aws:ec2:instance", "ALL"),
			"group":           {ResourceType: "aws:ec2:autoscaling-group", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "COUNT(1)"},
		},
		actions: map[string]planned{
			"cut-network": {id: "aws:network:disrupt-connectivity", description: "No traffic in or out of the zone",
				parameters: map[string]string{"duration": "PT25S", "scope": "availability-zone"}, targets: map[string]string{"Subnets": "subnets-in-az"}},
			"stop-instances": {id: "aws:ec2:stop-instances", description: "The zone's instances stop", after: []string{"cut-network"},
				parameters: map[string]string{"startInstancesAfterDuration": "PT25S"}, targets: map[string]string{"Instances": "instances-in-az"}},
			"no-capacity": {id: "aws:ec2:asg-insufficient-instance-capacity-error", description: "No new instances in the zone",
				parameters: map[string]string{"duration": "PT55S", "availabilityZoneIdentifiers": "us-east-1a", "percentage": "100"},
				targets:    map[string]string{"AutoScalingGroups": "group"}},
		},
	}
}

func wait() *template {
	return &template{
		id: "EXTwait00000000001", description: "Waits, and does nothing else", tags: tags("smoke-wait"),
		actions: map[string]planned{
			"wait": {id: "aws:fis:wait", parameters: map[string]string{"duration": "PT10S"}},
		},
	}
}

func alarmed() *template {
	return &template{
		id: "EXTalarm0000000001", description: "CPU stress that the alarm checkout-5xx stops", tags: tags("cart-cpu-with-alarm"),
		conditions: []conditionJSON{{Source: "aws:cloudwatch:alarm", Value: alarm}},
		targets:    map[string]targetJSON{"instances": {ResourceType: "aws:ec2:instance", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "PERCENT(50)"}},
		actions: map[string]planned{
			"cpu-stress": {id: "aws:ssm:send-command", description: "CPU stress by SSM document",
				parameters: map[string]string{"duration": "PT2M", "documentArn": "arn:aws:ssm:" + homeRegion + "::document/AWSFIS-Run-CPU-Stress", "documentParameters": `{"DurationSeconds":"120"}`},
				targets:    map[string]string{"Instances": "instances"}},
		},
	}
}

func failing() *template {
	return &template{
		id: "EXTfail00000000001", description: "A failover that fails while a stress is on", tags: tags("db-failover-fails"),
		targets: map[string]targetJSON{
			"cluster": {ResourceType: "aws:rds:cluster", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "ALL"},
			"volumes": {ResourceType: "aws:ec2:ebs-volume", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "COUNT(1)"},
		},
		actions: map[string]planned{
			"io-stress": {id: "aws:ebs:pause-volume-io", parameters: map[string]string{"duration": "PT1M"}, targets: map[string]string{"Volumes": "volumes"}},
			"failover": {id: "aws:rds:failover-db-cluster", targets: map[string]string{"Clusters": "cluster"},
				breaks: 8 * time.Second, breaksWith: "Unable to perform the action: the cluster has no reader to fail over to."},
		},
	}
}

func empty() *template {
	return &template{
		id: "EXTempty0000000001", description: "Its target finds nothing, which fails the experiment", tags: tags("nobody-home"),
		targets: map[string]targetJSON{"instances": {ResourceType: "aws:ec2:instance", ResourceTags: map[string]string{"app": "retired"}, SelectionMode: "ALL"}},
		actions: map[string]planned{"stop": {id: "aws:ec2:stop-instances", targets: map[string]string{"Instances": "instances"}}},
	}
}

func skipping() *template {
	t := empty()
	t.id, t.description, t.emptyMode, t.tags = "EXTskip00000000001", "Its target finds nothing, which skips the action", "skip", tags("nobody-home-skip")
	t.actions["wait"] = planned{id: "aws:fis:wait", parameters: map[string]string{"duration": "PT5S"}}
	return t
}

func reported() *template {
	t := &template{
		id: "EXTreport000000001", description: "API latency, with a report in S3 afterwards", tags: tags("api-latency-with-report"),
		targets: map[string]targetJSON{"function": {ResourceType: "aws:lambda:function", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "ALL"}},
		actions: map[string]planned{
			"add-delay": {id: "aws:lambda:invocation-add-delay", parameters: map[string]string{"duration": "PT20S", "startupDelayMilliseconds": "2000"},
				targets: map[string]string{"Functions": "function"}},
		},
		report: &reportConfigurationJSON{Pre: "PT1M", Post: "PT30S",
			DataSources: json.RawMessage(`{"cloudWatchDashboards":[{"dashboardIdentifier":"arn:aws:cloudwatch::` + AccountID + `:dashboard/checkout"}]}`)},
	}
	t.report.Outputs.S3 = s3JSON{BucketName: "drill-reports", Prefix: "fis"}
	return t
}

func long() *template {
	return &template{
		id: "EXTlong00000000001", description: "One instance is stopped for a quarter of an hour", tags: tags("one-instance-stops"),
		targets: map[string]targetJSON{"one": {ResourceType: "aws:ec2:instance", ResourceTags: map[string]string{"app": "checkout"}, SelectionMode: "COUNT(1)"}},
		actions: map[string]planned{
			"stop-one": {id: "aws:ec2:stop-instances", parameters: map[string]string{"startInstancesAfterDuration": "PT15M"}, targets: map[string]string{"Instances": "one"}},
			"breathe":  {id: "aws:fis:wait", parameters: map[string]string{"duration": "PT1M"}, after: []string{"stop-one"}},
		},
	}
}
