package oos

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
	"github.com/firedrill/firedrill/shared/provider/drivertest"
)

func TestCheck_NamesEveryMistakeAndItsFix(t *testing.T) {
	d := (&wire{}).open(t)
	many := map[string]any{}
	for i := range 17 {
		many[fmt.Sprint("k", i)] = "v"
	}
	for _, c := range []struct {
		name  string
		block map[string]any
		says  []string
	}{
		{"no template", map[string]any{}, []string{"oos.template: is missing"}},
		{"two templates", map[string]any{"template": "a", "template_content": "{}"}, []string{"only one of"}},
		{"a version without a name", map[string]any{"template_content": "{}", "version": "v1"}, []string{"oos.version"}},
		{"a word in the wrong case", map[string]any{"template": "a", "mode": "automatic"}, []string{`"automatic" is spelled Automatic`}},
		{"a word that does not exist", map[string]any{"template": "a", "loop_mode": "Sometimes"}, []string{"oos.loop_mode", "FirstBatchPause"}},
		{"a skipped check outside automatic mode", map[string]any{"template": "a", "mode": "Debug", "safety_check": "Skip"}, []string{"oos.safety_check", "Automatic only"}},
		{"parameters that are a list", map[string]any{"template": "a", "parameters": []any{1}}, []string{"oos.parameters: want a mapping"}},
		{"a tag of ours", map[string]any{"template": "a", "tags": map[string]any{"firedrill:drill": "x"}}, []string{"reserved prefix"}},
		{"too many tags", map[string]any{"template": "a", "tags": many}, []string{"17 tags"}},
		{"a tag that is a number", map[string]any{"template": "a", "tags": map[string]any{"n": 1}}, []string{"quotes"}},
		{"an unknown field that is nearly one", map[string]any{"template": "a", "TemplateVersion": "v1"}, []string{"oos.TemplateVersion", "did you mean"}},
		{"an unknown field", map[string]any{"template": "a", "colour": "red"}, []string{"oos.colour", "the fields are"}},
		{"a url without tls", map[string]any{"template_url": "http://x"}, []string{"https://"}},
		{"two mistakes in the recovery", map[string]any{"template": "a", "recovery": map[string]any{"mode": "x", "recovery": 1}}, []string{"oos.recovery.template", "oos.recovery.mode", "oos.recovery.recovery"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := d.Check(request(c.block))
			if d.Code(err) != driver.Invalid {
				t.Fatalf("class %q of %v", d.Code(err), err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\ndoes not say %q", err, s)
				}
			}
		})
	}
	good := map[string]any{"template": "a", "unbounded": "each task has a timeout", "recovery": map[string]any{"template": "b"}, "tags": map[string]any{"team": "order"}}
	if err := d.Check(request(good)); err != nil {
		t.Errorf("a good block: %v", err)
	}
}

func TestStart_AReplyThatIsCutShortStillNamesTheExecution(t *testing.T) {
	for body, want := range map[string]string{
		`{"Execution":{"ExecutionId":"exec-4f5cd1b9042ac8832","Mode":"Auto`: "exec-4f5cd1b9042ac8832",
		`{"Execution":{"Mode":"Auto`:                                        "",
		`{"RequestId":"R"}`:                                                 "",
		`<html>`:                                                            "",
	} {
		t.Run(body, func(t *testing.T) {
			d := (&wire{replies: map[string]string{"StartExecution": body}}).open(t)
			run, err := d.Start(t.Context(), request(map[string]any{"template": "loop-echo"}))
			if run.ID != want || (want == "") != (err != nil) || (err != nil && d.Code(err) != driver.Uncertain) {
				t.Errorf("run %q, class %q of %v", run.ID, d.Code(err), err)
			}
		})
	}
}

// TestLookup_StrangersAreNotAdopted answers as a service would that ignores the filter by tags.
func TestLookup_StrangersAreNotAdopted(t *testing.T) {
	const tags = `{"firedrill:drill":"d-1","firedrill:role":"main","firedrill:root":"root-1"}`
	w := &wire{replies: map[string]string{"ListExecutions": `{"Executions":[
		{"ExecutionId":"exec-stranger","Status":"Running"},
		{"ExecutionId":"exec-other-drill","Tags":{"firedrill:drill":"d-2","firedrill:role":"main","firedrill:root":"root-1"}},
		{"ExecutionId":"exec-other-root","Tags":{"firedrill:drill":"d-1","firedrill:role":"main","firedrill:root":"root-2"}},
		{"ExecutionId":"exec-recovery","Tags":{"firedrill:drill":"d-1","firedrill:role":"recovery","firedrill:root":"root-1"}},
		{"ExecutionId":"exec-seen","Tags":` + tags + `},
		{"ExecutionId":"exec-ours","Tags":` + fmt.Sprintf("%q", tags) + `}]}`}}
	r := request(map[string]any{"template": "loop-echo"})
	r.Seen = []string{"exec-seen"}
	found, err := w.open(t).Lookup(t.Context(), r)
	if err != nil || len(found) != 1 || found[0].ID != "exec-ours" {
		t.Errorf("found %v, %v", found, err)
	}
	if w.asked[0].Get("Tags") != tags {
		t.Errorf("asked for tags %s", w.asked[0].Get("Tags"))
	}
}

// TestLookup_AListThatIsNotWhole: Lookup is exact, so "none" is believed. What cannot be read to its end is an error.
func TestLookup_AListThatIsNotWhole(t *testing.T) {
	for name, reply := range map[string]string{
		"a page that names itself as the next": `{"Executions":[],"NextToken":"again"}`,
		"an execution that cannot be read":     `{"Executions":[7]}`,
		"an execution that is empty":           `{"Executions":[null]}`,
		"no list":                              `{"Executions":"soon"}`,
		"an execution of ours without an id":   `{"Executions":[{"Tags":{"firedrill:drill":"d-1","firedrill:role":"main","firedrill:root":"root-1"}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := (&wire{replies: map[string]string{"ListExecutions": reply}}).open(t)
			if found, err := d.Lookup(t.Context(), request(map[string]any{"template": "loop-echo"})); d.Code(err) != driver.Unavailable {
				t.Errorf("found %v, %v", found, err)
			}
		})
	}
}

func TestPages_ThatNeverEnd(t *testing.T) {
	n := 0
	err := pages(t.Context(), func(context.Context, string) (string, error) { n++; return fmt.Sprint(n), nil })
	if err == nil || n != mostPages {
		t.Errorf("%v after %d pages", err, n)
	}
}

// TestObserve_ARowOnTwoPagesIsOneAttempt: the list moved on between two reads.
func TestObserve_ARowOnTwoPagesIsOneAttempt(t *testing.T) {
	row := `{"TaskExecutionId":"t-1","TaskName":"stop","TaskAction":"ACS::ExecuteAPI","Status":"Running","Properties":"{\"API\":\"StopInstance\"}"}`
	w := &wire{replies: map[string]string{
		"ListExecutions":     `{"Executions":[{"ExecutionId":"exec-1","Status":"Running"}]}`,
		"ListTaskExecutions": `{"TaskExecutions":[` + row + `,` + strings.Replace(row, "Running", "Success", 1) + `]}`,
	}}
	o, err := w.open(t).Observe(t.Context(), driver.Run{ID: "exec-1"})
	if err != nil || len(o.Steps) != 1 || o.Steps[0].Attempt != 1 || o.Steps[0].State != drill.StepDone {
		t.Errorf("%+v, %v", o.Steps, err)
	}
}

func TestObserve_ReadsEveryPageOfTasks(t *testing.T) {
	items := make([]string, 101)
	for i := range items {
		items[i] = fmt.Sprintf(`"node-%03d"`, i)
	}
	long := `{"FormatVersion":"OOS-2019-06-01","Tasks":[{"Name":"say","Action":"ACS::ECS::RunCommand","Properties":{"commandContent":"echo {{ ACS::TaskLoopItem }}"},"Loop":{"Items":[` +
		strings.Join(items, ",") + `],"RateControl":{"Concurrency":101}}}],"Description":"` + strings.Repeat("演练", 1500) + `"}`
	b := bench(t)
	run := begin(t, b, map[string]any{"template_content": long}) // too long for a URL: its signature is checked over a body
	o := at(t, b, run)
	if len(o.Steps) != 1 || len(o.Steps[0].Targets) != 101 || o.Steps[0].Targets[100].ID != "node-100" || o.Steps[0].Targets[0].State != drill.StepDone {
		t.Fatalf("%d steps, %+v", len(o.Steps), o.Steps)
	}
}

func TestDriver_KeepsTheSTSToken(t *testing.T) {
	for token, want := range map[string]driver.Code{
		"a-good-token": driver.OK, "invalid": driver.Expired, "expired": driver.Expired, "no-permission": driver.Denied, "wrong-account": driver.Denied,
	} {
		t.Run(token, func(t *testing.T) {
			b := drivertest.NewBench(t, drivertest.NewWorld(t, harness()), func(c *driver.Config) {
				c.Credentials = func(context.Context) (driver.Credentials, error) {
					return driver.Credentials{AccessKey: drivertest.AccessKey, Secret: drivertest.Secret, Token: token}, nil
				}
			})
			_, err := b.D.Start(t.Context(), b.W.Request(1, map[string]any{"template": "loop-echo"}))
			if got := b.D.Code(b.Clean(err)); got != want {
				t.Errorf("class %q of %v, want %q", got, err, want)
			}
		})
	}
}

func TestStart_VendorRefusals(t *testing.T) {
	for _, c := range []struct {
		name, says string
		block      map[string]any
		want       driver.Code
	}{
		{"a missing parameter", "MissingExecutionParameter", map[string]any{"template": "start-node"}, driver.Invalid},
		{"an unknown parameter", "UnknownExecutionParameter", map[string]any{"template": "loop-echo", "parameters": map[string]any{"x": 1}}, driver.Invalid},
		{"no such template", "EntityNotExists.Template", map[string]any{"template": "nowhere"}, driver.NotFound},
		{"no such version", "EntityNotExists.Template", map[string]any{"template": "start-node", "version": "v9", "parameters": node}, driver.NotFound},
		{"a template that is none", "TemplateValidationError", map[string]any{"template_content": "FormatVersion: other"}, driver.Invalid},
		{"a role that does not exist", "AssumeRoleFailed", map[string]any{"template": "foreign-role"}, driver.Denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			_, err := b.D.Start(t.Context(), b.W.Request(1, c.block))
			if b.D.Code(b.Clean(err)) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("class %q of %v, want %q, %s", b.D.Code(err), err, c.want, c.says)
			}
		})
	}
}

func TestPreview_RefusesWhatWouldNotWork(t *testing.T) {
	for _, c := range []struct {
		name, refusal, note string
		block               map[string]any
	}{
		{"no such template", "nowhere", "", map[string]any{"template": "nowhere"}},
		{"no such recovery template", "gone", "", recoverBlock(map[string]any{"template": "gone"})},
		{"a parameter is missing", "needs the parameter NodeId", "", map[string]any{"template": "start-node"}},
		{"a parameter too many", "has no parameter Colour", "", map[string]any{"template": "start-node", "parameters": map[string]any{"NodeId": "i", "Colour": "red"}}},
		{"content that is no template", "not valid", "", map[string]any{"template_content": "Tasks: []"}},
		{"a good plan without a recovery", "", "nothing undoes the fault", map[string]any{"template": "start-node", "parameters": node}},
		{"a good plan with a recovery", "", "risky: ecs StopInstance in task [stopNode] runs unasked", recoverBlock(map[string]any{"template": "start-node"})},
		{"a risky task that will ask", "", "waits for a confirmation", map[string]any{"template": "release-node", "parameters": node}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench(t)
			p, err := oosOf(b).Preview(t.Context(), b.W.Request(1, c.block))
			if err != nil || !p.Done || p.Proved != "syntax" {
				t.Fatalf("preview %+v, %v", p, err)
			}
			if (p.Refusal == "") != (c.refusal == "") || !strings.Contains(p.Refusal, c.refusal) || !strings.Contains(strings.Join(p.Notes, "\n"), c.note) {
				t.Errorf("refusal %q, notes %q", p.Refusal, p.Notes)
			}
			if runs := b.W.Executed(); len(runs) != 0 {
				t.Errorf("executed %v", runs)
			}
		})
	}
}

func TestConclude_WritesVerdictAndKeepsTags(t *testing.T) {
	b := bench(t)
	r := b.W.Request(1, map[string]any{"template": "MyTemplate", "tags": map[string]any{"team": "order"}})
	run, err := b.D.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b.W.Advance(time.Minute)
	c := driver.Conclusion{Drill: r.Drill, Verdict: "unexpected", Summary: "订单丢失 \"一\" 个 🔥", Link: "https://example.com/r/1"}
	if err := oosOf(b).Conclude(t.Context(), run, c); err != nil {
		t.Fatal(err)
	}
	e, err := oosOf(b).execution(t.Context(), run.ID)
	if err != nil || e.Tags["team"] != "order" || string(e.Tags[tagDrill]) != r.Drill || e.Tags[tagVerdict] != "unexpected" {
		t.Errorf("tags %v, %v", e.Tags, err)
	}
	if got := string(e.Description); !strings.HasPrefix(got, "unexpected: 订单丢失 \"一\" 个 🔥") || !strings.Contains(got, "https://example.com/r/1") {
		t.Errorf("description %q", got)
	}
	if found, err := b.D.Lookup(t.Context(), r); err != nil || len(found) != 1 {
		t.Errorf("lookup after the conclusion: %v, %v", found, err)
	}
}

func TestDriver_ParallelUse(t *testing.T) {
	b := bench(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := b.W.Request(i, map[string]any{"template": "loop-echo"})
			run, err := b.D.Start(t.Context(), r)
			if err != nil {
				t.Errorf("start %d: %v", i, err)
				return
			}
			if o, err := b.D.Observe(t.Context(), run); err != nil || o.Run.ID != run.ID {
				t.Errorf("observe %d: %+v, %v", i, o, err)
			}
		})
	}
	wg.Wait()
	if n := len(b.W.Executed()); n != 8 {
		t.Errorf("%d runs, want 8", n)
	}
}

// FuzzObserve feeds arbitrary replies: never a panic, and never an end that the vendor did not report.
func FuzzObserve(f *testing.F) {
	f.Add(`{"Executions":[{"ExecutionId":"exec-1","Status":"Waiting","Mode":"Debug","CurrentTasks":"[]"}]}`, `{"TaskExecutions":[{"TaskName":"a","Status":{}}]}`)
	f.Add(`{"Executions":[{"ExecutionId":"exec-1","Status":"Cancelled","Tags":"{}","Outputs":[1]}]}`, `{"TaskExecutions":{"x":[{"TaskExecutionId":"t","ParentTaskExecutionId":"t"}]}}`)
	f.Add(`{"Executions":[{"ExecutionId":"exec-1","Status":"Waiting","CurrentTasks":[{"TaskAction":"ACS::Approve"}]}]}`, `{"TaskExecutions":[{"Properties":"{\"Parameters\":{\"InstanceIds\":\"[[]]\"}}"}]}`)
	f.Fuzz(func(t *testing.T, executions, tasks string) {
		w := &wire{replies: map[string]string{"ListExecutions": executions, "ListTaskExecutions": tasks, "ListExecutionLogs": tasks, "GetExecutionTemplate": executions}}
		o, err := w.open(t).Observe(t.Context(), driver.Run{ID: "exec-1", Role: drill.Main})
		if err != nil {
			return
		}
		if o.Phase.Final() && o.Vendor != "Success" && o.Vendor != "Failed" && o.Vendor != "Cancelled" {
			t.Errorf("phase %s for vendor status %q", o.Phase, o.Vendor)
		}
		if o.Quiet != o.Phase.Final() || (o.Phase == drill.PhaseWaiting) != (len(o.Gates) > 0) {
			t.Errorf("phase %s, quiet %t, %d gates", o.Phase, o.Quiet, len(o.Gates))
		}
	})
}
