package fis

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// resource is one thing in the sandbox's account that a target may resolve to.
type resource struct {
	kind, arn string
	tags      map[string]string
	zone      string
}

// inventory is what the sandbox's account owns: six instances in three zones and what belongs to them.
func inventory(region string) []resource {
	var all []resource
	add := func(kind, service, name, zone string, tags map[string]string) {
		all = append(all, resource{kind: kind, zone: zone, tags: tags,
			arn: fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, AccountID, name)})
	}
	for i := range 6 {
		zone := fmt.Sprintf("us-east-1%c", 'a'+i%3)
		app := map[string]string{"app": "checkout", "az": zone}
		add("aws:ec2:instance", "ec2", fmt.Sprintf("instance/i-0c4ec0u7%09d", i+1), zone, app)
		add("aws:ec2:ebs-volume", "ec2", fmt.Sprintf("volume/vol-0c4ec0u7%09d", i+1), zone, app)
	}
	for i := range 3 {
		zone := fmt.Sprintf("us-east-1%c", 'a'+i)
		add("aws:ec2:subnet", "ec2", fmt.Sprintf("subnet/subnet-0c4ec0u7%07d", i+1), zone, map[string]string{"app": "checkout", "az": zone})
	}
	app := map[string]string{"app": "checkout"}
	add("aws:ec2:autoscaling-group", "autoscaling", "autoScalingGroup:5a1b:autoScalingGroupName/checkout", "", app)
	add("aws:rds:cluster", "rds", "cluster:checkout", "", app)
	add("aws:lambda:function", "lambda", "function:checkout-api", "", app)
	return all
}

// resolve finds the resources of a target: those named by ARN, else those whose type, tags and filters match, cut
// down as the selection mode says.
func resolve(t targetJSON, region string) []string {
	if len(t.ResourceArns) > 0 {
		return t.ResourceArns
	}
	var found []string
	for _, r := range inventory(region) {
		if r.kind == t.ResourceType && tagged(r, t.ResourceTags) && passes(r, t.Filters) {
			found = append(found, r.arn)
		}
	}
	return selectMode(found, t.SelectionMode)
}

func tagged(r resource, want map[string]string) bool {
	for k, v := range want {
		if r.tags[k] != v {
			return false
		}
	}
	return true
}

func passes(r resource, filters []filterJSON) bool {
	for _, f := range filters {
		if f.Path == "Placement.AvailabilityZone" && !slices.Contains(f.Values, r.zone) {
			return false
		}
	}
	return true
}

var modePattern = regexp.MustCompile(`^(COUNT|PERCENT)\((\d{1,4})\)$`)

// selectMode keeps as many as ALL, COUNT(n) or PERCENT(n) say. FIS picks at random; the sandbox takes the first.
func selectMode(found []string, mode string) []string {
	m := modePattern.FindStringSubmatch(mode)
	if m == nil {
		return found
	}
	n, _ := strconv.Atoi(m[2]) // the pattern holds digits only
	if m[1] == "PERCENT" {
		n = len(found) * n / 100
		if n == 0 && len(found) > 0 {
			n = 1
		}
	}
	return found[:min(n, len(found))]
}
