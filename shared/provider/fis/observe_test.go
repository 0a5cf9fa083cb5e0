package fis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// look observes an experiment whose JSON is given.
func look(t *testing.T, experiment string) driver.Observation {
	t.Helper()
	d, _ := answering(t, ok(`{"experiment":`+experiment+`}`))
	o, err := d.Observe(t.Context(), d.run("EXP1", drill.Main))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestObserve_phases(t *testing.T) {
	for status, want := range map[string]drill.Phase{
		`"pending"`: drill.PhasePending, `"initiating"`: drill.PhasePending, `"running"`: drill.PhaseRunning, `"stopping"`: drill.PhaseStopping,
		`"stopped"`: drill.PhaseStopped, `"cancelled"`: drill.PhaseStopped, `"completed"`: drill.PhaseCompleted, `"failed"`: drill.PhaseFailed,
		`"hibernating"`: drill.PhaseUnknown, `""`: drill.PhaseUnknown, `null`: drill.PhaseUnknown,
	} {
		o := look(t, `{"id":"EXP1","state":{"status":`+status+`}}`)
		if o.Phase != want || o.Vendor == "" || o.Quiet != want.Final() || o.Run.Account != "aws-prod" {
			t.Errorf("%s: phase %s, vendor %q, quiet %t", status, o.Phase, o.Vendor, o.Quiet)
		}
	}
	if o := look(t, `{}`); o.Phase != drill.PhaseUnknown || o.Vendor != "none" || o.Quiet {
		t.Errorf("an experiment with nothing in it: %+v", o)
	}
}

func TestObserve_steps(t *testing.T) {
	for status, want := range map[string]drill.StepState{
		"pending": drill.StepPending, "initiating": drill.StepRunning, "running": drill.StepRunning, "stopping": drill.StepStopping,
		"stopped": drill.StepCancelled, "cancelled": drill.StepCancelled, "completed": drill.StepDone, "failed": drill.StepFailed,
		"skipped": drill.StepSkipped, "levitating": drill.StepUnknown, "": drill.StepUnknown,
	} {
		o := look(t, `{"state":{"status":"running"},"actions":{"a":{"actionId":"aws:x:y","state":{"status":"`+status+`"}}}}`)
		if len(o.Steps) != 1 || o.Steps[0].State != want || o.Steps[0].Vendor != status {
			t.Errorf("%s: %+v, want %s", status, o.Steps, want)
		}
	}
}

func TestObserve_stepsComeInTheOrderTheyRun(t *testing.T) {
	o := look(t, `{"state":{"status":"running"},"actions":{
		"a-last":{"actionId":"x","startAfter":["m-middle"]},"m-middle":{"actionId":"x","startAfter":["z-first"]},
		"z-first":{"actionId":"x","startTime":20},"b-later":{"actionId":"x","startTime":30},"c-never":{"actionId":"x"},
		"loop1":{"actionId":"x","startAfter":["loop2"]},"loop2":{"actionId":"x","startAfter":["loop1","loop2","gone"]}}}`)
	var order []string
	for _, s := range o.Steps {
		order = append(order, s.ID)
	}
	if got := strings.Join(order, " "); !strings.HasPrefix(got, "z-first b-later c-never m-middle a-last") || len(order) != 7 {
		t.Errorf("order %s", got)
	}
}

func TestObserve_targets(t *testing.T) {
	o := look(t, `{"state":{"status":"running"},"targets":{"one":{"resourceType":"aws:ec2:instance","selectionMode":"COUNT(1)"}},
		"actions":{"a":{"actionId":"x","targets":{"Instances":"one","Other":"gone"}}}}`)
	if got := fmt.Sprint(o.Steps[0].Targets); got != "[{one  aws:ec2:instance COUNT(1)} {gone  }]" {
		t.Errorf("targets %s", got)
	}
}

func TestObserve_whatAStopProves(t *testing.T) {
	action := func(id, status, more string) string {
		return `"a":{"actionId":"` + id + `","state":{"status":"` + status + `"}` + more + `}`
	}
	command := func(status, document, seconds string) string {
		return action("aws:ssm:send-command", status, `,"parameters":{"duration":"PT2M","documentArn":"`+document+`","documentParameters":"{\"DurationSeconds\":`+strings.ReplaceAll(seconds, `"`, `\"`)+`}"}`)
	}
	const cut, stop = "aws:network:disrupt-connectivity", "aws:ec2:stop-instances"
	for _, c := range []struct {
		name, status, actions string
		injected, quiet       bool
		want                  drill.Restoration
	}{
		{"running", "running", action(cut, "running", ""), true, false, drill.RestorePending},
		{"stopping", "stopping", action(cut, "stopping", ""), true, false, drill.RestorePending},
		{"stopping, the action is stopped", "stopping", action(cut, "stopped", ""), true, false, drill.RestorePending},
		{"stopped while an action runs", "stopped", action(cut, "running", ""), true, false, drill.RestorePending},
		{"failed while an action is stopping", "failed", action(cut, "stopping", ""), true, false, drill.RestorePending},
		{"completed with an action in a state that is new to us", "completed", action(cut, "levitating", ""), true, false, drill.RestorePending},
		{"stopped", "stopped", action(cut, "stopped", ""), true, true, drill.RestoreDone},
		{"completed", "completed", action(cut, "completed", ""), true, true, drill.RestoreDone},
		{"stopped, the action never began", "stopped", action(cut, "cancelled", ""), false, true, drill.RestoreNeedless},
		{"stopped, the action was cancelled after it began", "stopped", action(cut, "cancelled", `,"startTime":5`), true, true, drill.RestoreDone},
		{"cancelled by the lever", "cancelled", action(cut, "cancelled", ""), false, true, drill.RestoreNeedless},
		{"cancelled by the lever, the action pending", "cancelled", action(cut, "pending", ""), false, true, drill.RestoreNeedless},
		{"skipped", "completed", action(cut, "skipped", ""), false, true, drill.RestoreNeedless},
		{"a wait", "completed", action("aws:fis:wait", "completed", ""), false, true, drill.RestoreNeedless},
		{"failed before it began", "failed", "", false, true, drill.RestoreNeedless},
		{"failed", "failed", action(cut, "failed", ""), true, true, drill.RestoreUnproven},
		{"instances that stay stopped", "completed", action(stop, "completed", ""), true, true, drill.RestoreUnproven},
		{"instances that start again", "completed", action(stop, "completed", `,"parameters":{"startInstancesAfterDuration":"PT1M"}`), true, true, drill.RestoreDone},
		{"instances that are gone", "completed", action("aws:ec2:terminate-instances", "completed", ""), true, true, drill.RestoreUnproven},
		{"instances that may be gone", "completed", action(stop, "completed", `,"parameters":{"startInstancesAfterDuration":"PT1M","completeIfInstancesTerminated":"true"}`), true, true, drill.RestoreUnproven},
		{"a killed process", "completed", action("aws:ecs:task-kill-process", "completed", ""), true, true, drill.RestoreUnproven},
		{"a custom resource", "completed", action("aws:eks:inject-kubernetes-custom-resource", "completed", ""), true, true, drill.RestoreUnproven},
		{"an action that is new to us", "stopped", action("aws:quantum:entangle", "stopped", ""), true, true, drill.RestoreUnproven},
		{"an action without an id", "completed", action("", "completed", ""), true, true, drill.RestoreUnproven},
		{"an automation", "completed", action("aws:ssm:start-automation-execution", "completed", `,"parameters":{"documentArn":"arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress"}`), true, true, drill.RestoreUnproven},
		{"a command of AWS's", "completed", command("completed", "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress", `"120"`), true, true, drill.RestoreDone},
		{"a command in a list", "completed", command("completed", "arn:aws-cn:ssm:cn-north-1::document/AWSFIS-Run-Disk-Fill", `["60"]`), true, true, drill.RestoreDone},
		{"a command that runs on", "completed", command("completed", "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress", `"121"`), true, true, drill.RestoreUnproven},
		{"a command that runs nobody knows how long", "completed", command("completed", "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress", `null`), true, true, drill.RestoreUnproven},
		{"a command that is cancelled", "stopped", command("stopped", "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress", `"121"`), true, true, drill.RestoreDone},
		{"a command that kills", "completed", command("completed", "arn:aws:ssm:us-east-1::document/AWSFIS-Run-Kill-Process", `"1"`), true, true, drill.RestoreUnproven},
		{"a command of another kind", "completed", command("completed", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript", `"1"`), true, true, drill.RestoreUnproven},
		{"a command of one's own", "completed", command("completed", "arn:aws:ssm:us-east-1:123456789012:document/AWSFIS-Run-CPU-Stress", `"1"`), true, true, drill.RestoreUnproven},
		{"a command without a document", "completed", action("aws:ssm:send-command", "completed", ""), true, true, drill.RestoreUnproven},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := look(t, `{"state":{"status":"`+c.status+`"},"actions":{`+c.actions+`}}`)
			if o.Injected != c.injected || o.Quiet != c.quiet || o.Restoration != c.want {
				t.Errorf("injected %t, quiet %t, restoration %s", o.Injected, o.Quiet, o.Restoration)
			}
			if o.Quiet != (len(o.Evidence) > 0) {
				t.Errorf("quiet %t with evidence %q", o.Quiet, o.Evidence)
			}
		})
	}
}

func TestObserve_stoppedByCondition(t *testing.T) {
	for _, c := range []struct{ status, reason, want string }{
		{"stopped", "Experiment halted by stop condition.", "condition"},
		{"stopping", "Experiment halted by stop condition.", "condition"},
		{"stopped", "Experiment stopped by user.", ""},
		{"completed", "Experiment halted by stop condition.", ""},
		{"running", "Experiment halted by stop condition.", ""},
	} {
		if o := look(t, fmt.Sprintf(`{"state":{"status":%q,"reason":%q}}`, c.status, c.reason)); o.StoppedBy != c.want {
			t.Errorf("%s %q: %q", c.status, c.reason, o.StoppedBy)
		}
	}
}

func TestObserve_report(t *testing.T) {
	const configured = `"experimentReportConfiguration":{"outputs":{}}`
	for _, c := range []struct{ name, experiment, state, url string }{
		{"none configured", `{"state":{"status":"completed"}}`, "none", ""},
		{"configured, not begun", `{"state":{"status":"completed"},` + configured + `}`, "pending", ""},
		{"configured, skipped", `{"state":{"status":"completed"},"experimentOptions":{"actionsMode":"skip-all"},` + configured + `}`, "none", ""},
		{"configured, cancelled", `{"state":{"status":"cancelled"},` + configured + `}`, "none", ""},
		{"pending", `{"experimentReport":{"state":{"status":"pending"}}}`, "pending", ""},
		{"running", `{"experimentReport":{"state":{"status":"running"}}}`, "pending", ""},
		{"new to us", `{"experimentReport":{"state":{"status":"printing"}}}`, "pending", ""},
		{"failed", `{"experimentReport":{"state":{"status":"failed"}}}`, "none", ""},
		{"cancelled", `{"experimentReport":{"state":{"status":"cancelled"}}}`, "none", ""},
		{"ready and nowhere", `{"experimentReport":{"state":{"status":"completed"},"s3Reports":[{"arn":"x"}]}}`, "none", ""},
		{"ready", `{"experimentReport":{"state":{"status":"completed"},"s3Reports":[{"arn":"arn:aws-cn:s3:::b/k.pdf"}]}}`, "ready", "s3://b/k.pdf"},
	} {
		if o := look(t, c.experiment); o.Report.State != c.state || o.Report.URL != c.url {
			t.Errorf("%s: %+v", c.name, o.Report)
		}
	}
}

func FuzzObserve(f *testing.F) {
	f.Add(`{"experiment":{"id":"EXP1","state":{"status":"stopped"},"actions":{"a":{"actionId":"x","state":{"status":"running"}}}}}`)
	f.Add(`{"experiment":{"state":null,"actions":{"a":{"startAfter":["a","b"]},"b":{"startAfter":["a"],"startTime":1e300}}}}`)
	f.Add(`{"experiment":{"experimentReport":{"s3Reports":[{}]},"targets":{"":{}},"endTime":-1}}`)
	f.Add(`{"experiment":[]}`)
	f.Add(`[1`)
	var reply string
	d, err := Open(driver.Config{Region: "us-east-1", Endpoint: "http://127.0.0.1:1", Transport: replying(&reply), Credentials: fixed})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		reply = body
		o, err := d.Observe(t.Context(), driver.Run{ID: "EXP1"})
		if err != nil {
			if d.Code(err) == driver.OK || d.Code(err) == driver.Unknown {
				t.Errorf("code %q for %v", d.Code(err), err)
			}
			return
		}
		if o.Vendor == "" || o.Quiet && !o.Phase.Final() || o.Restoration.Decided() != o.Quiet || o.Quiet && len(o.Evidence) == 0 {
			t.Errorf("%+v", o)
		}
		for _, s := range o.Steps {
			if o.Quiet && (s.State == drill.StepRunning || s.State == drill.StepStopping || s.State == drill.StepUnknown) {
				t.Errorf("quiet while %+v", s)
			}
		}
	})
}
