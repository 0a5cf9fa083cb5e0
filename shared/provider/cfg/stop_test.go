package cfg

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// script answers DescribeTask with a task, and other actions as told.
func script(t *testing.T, reply TaskReply, answers map[string]string) (*Driver, *vendor) {
	t.Helper()
	v := &vendor{}
	task, err := json.Marshal(map[string]any{"Response": reply})
	if err != nil {
		t.Fatal(err)
	}
	api, err := NewClient(driver.Config{Credentials: credentials, Transport: choosing{v, string(task), answers}})
	if err != nil {
		t.Fatal(err)
	}
	return &Driver{api: api}, v
}

func TestStop_NextMove(t *testing.T) {
	running := made(1002, act(1, 1, 2003, 0, 2), act(2, 2, 2001, 0, 1))
	guarded := running
	guarded.Task.PolicyDealType = 1
	yes, no := `{"Response":{"Success":true}}`, `{"Response":{"Success":false}}`
	declined := `{"Response":{"Error":{"Code":"UnsupportedOperation","Message":"no policy"}}}`
	failed := `{"Response":{"Error":{"Code":"InternalError","Message":"?"}}}`
	for name, c := range map[string]struct {
		reply   TaskReply
		onStop  string
		trigger string
		want    []string
		code    driver.Code
	}{
		"no guardrail: pause":                           {running, "rollback", yes, []string{"ModifyTaskRunStatus 1003"}, ""},
		"a guardrail: trigger":                          {guarded, "rollback", yes, []string{"TriggerPolicy"}, ""},
		"a guardrail is the default":                    {guarded, "", yes, []string{"TriggerPolicy"}, ""},
		"the plan wants a pause":                        {guarded, "pause", yes, []string{"ModifyTaskRunStatus 1003"}, ""},
		"the trigger is declined: pause":                {guarded, "rollback", declined, []string{"TriggerPolicy", "ModifyTaskRunStatus 1003"}, ""},
		"the trigger does not succeed: pause":           {guarded, "rollback", no, []string{"TriggerPolicy", "ModifyTaskRunStatus 1003"}, ""},
		"nobody knows whether it was triggered":         {guarded, "rollback", failed, []string{"TriggerPolicy"}, driver.Uncertain},
		"triggered and recovering: wait":                {fired(made(1002, act(1, 1, 2004, 3, 2), act(2, 2, 2003, 0, 1))), "rollback", yes, nil, ""},
		"triggered, resumed by a person: pause":         {fired(running), "rollback", yes, []string{"ModifyTaskRunStatus 1003"}, ""},
		"an unknown status: pause":                      {made(1005), "", yes, []string{"ModifyTaskRunStatus 1003"}, ""},
		"through and recovered: nothing":                {made(1002, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1)), "", yes, nil, ""},
		"ended: nothing":                                {made(1004, act(1, 1, 2004, 1, 2), act(2, 2, 2001, 0, 1)), "", yes, nil, ""},
		"paused: the first recovery":                    {made(1003, act(1, 1, 2004, 1, 4), act(2, 1, 2004, 1, 3), act(3, 2, 2001, 0, 2), act(4, 2, 2002, 0, 1)), "", yes, []string{"ExecuteTaskInstance 3/2"}, ""},
		"paused: not for a fault that never began":      {made(1003, act(1, 1, 2002, 0, 2), act(2, 2, 2001, 0, 1)), "", yes, nil, ""},
		"paused: one at a time":                         {made(1003, act(1, 1, 2004, 1, 4), act(2, 1, 2004, 1, 3), act(3, 2, 2003, 0, 2), act(4, 2, 2001, 0, 1)), "", yes, nil, ""},
		"paused: a failed recovery again":               {made(1003, act(1, 1, 2004, 1, 2), redo(act(2, 2, 2004, 2, 1))), "", yes, []string{"ExecuteTaskInstance 2/5"}, ""},
		"paused: a failed recovery that cannot be":      {made(1003, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 2, 1)), "", yes, nil, ""},
		"paused: a recovery that is still to run on b":  {made(1003, rows(act(1, 1, 2004, 1, 2), 3003, 1, 3003, 1), rows(act(2, 2, 2002, 0, 1), 3003, 1, 3001, 0)), "", yes, []string{"ExecuteTaskInstance 2/2"}, ""},
		"paused: a recovery that b does not need":       {made(1003, rows(act(1, 1, 2004, 1, 2), 3003, 1, 3003, 4), rows(act(2, 2, 2002, 0, 1), 3003, 1, 3001, 0)), "", yes, nil, ""},
		"paused: a failed fault is recovered all alike": {made(1003, act(1, 1, 2004, 2, 2), act(2, 2, 2001, 0, 1)), "", yes, []string{"ExecuteTaskInstance 2/2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, v := script(t, c.reply, map[string]string{"TriggerPolicy": c.trigger})
			err := d.Stop(t.Context(), driver.Run{ID: "7"}, driver.Stop{Reason: strings.Repeat("警", 300), By: "x", Block: map[string]any{"on_stop": c.onStop}})
			if d.Code(err) != c.code {
				t.Errorf("%v", err)
			}
			if got := v.calls[1:]; !slices.Equal(got, c.want) {
				t.Errorf("calls %q, want %q", got, c.want)
			}
		})
	}
}

func TestStop_WhateverTheReadingIs(t *testing.T) {
	pause, both := []string{"DescribeTask", "ModifyTaskRunStatus 1003"}, []string{"DescribeTask", "TriggerPolicy", "ModifyTaskRunStatus 1003"}
	running := func(more string) string {
		return `{"Response":{"Task":{"TaskId":7,"TaskStatus":1002,"TaskGroups":[]` + more + `}}}`
	}
	declined := `{"Response":{"Error":{"Code":"UnsupportedOperation","Message":"no policy"}}}`
	for name, c := range map[string]struct {
		task, onStop, trigger string
		want                  []string
		understood            bool
	}{
		"a number for a text":            {running(`,"TaskOwnerUin":100032429988`), "", "", pause, true},
		"a list for a text":              {running(`,"TaskTag":[]`), "", "", pause, true},
		"a flag for a number":            {running(`,"TaskExpect":true`), "", "", pause, true},
		"a text for a policy":            {running(`,"TaskPolicy":"none"`), "", "", pause, true},
		"a text for a flag":              {`{"Response":{"Task":{"TaskStatus":1002,"TaskGroups":[{"TaskGroupActions":[{"IsExecuteRedo":"false","TaskGroupActionExecuteTime":1.5}]}]}}}`, "", "", pause, true},
		"a status that is no number":     {`{"Response":{"Task":{"TaskId":"?","TaskStatus":"FUTURE"}}}`, "", "", pause, true},
		"no task":                        {`{"Response":{}}`, "", "", pause, true},
		"no groups":                      {`{"Response":{"Task":{"TaskGroups":"?"}}}`, "", "", both, false},
		"no groups, no guardrail":        {`{"Response":{"Task":{"TaskGroups":"?"}}}`, "rollback", declined, both, false},
		"no groups, the plan says pause": {`{"Response":{"Task":{"TaskGroups":"?"}}}`, "pause", "", pause, false},
		"no reply of the service's":      {`<html>`, "pause", "", pause, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &vendor{}
			answers := map[string]string{}
			if c.trigger != "" {
				answers["TriggerPolicy"] = c.trigger
			}
			api, err := NewClient(driver.Config{Credentials: credentials, Transport: choosing{v, c.task, answers}})
			if err != nil {
				t.Fatal(err)
			}
			err = (&Driver{api: api}).Stop(t.Context(), driver.Run{ID: "7"}, driver.Stop{Block: map[string]any{"on_stop": c.onStop}})
			if !slices.Equal(v.calls, c.want) || !strings.Contains(v.body, `"TaskId":7`) {
				t.Errorf("calls %q, want %q; the last with %s", v.calls, c.want, v.body)
			}
			if (err == nil) != c.understood {
				t.Errorf("error %v", err)
			}
		})
	}
}

// racing answers DescribeTask with one task until ModifyTaskRunStatus is called, which is denied, and with another after.
type racing struct {
	choosing
	after string
}

func (r *racing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("X-TC-Action") == "ModifyTaskRunStatus" {
		r.task = r.after
	}
	return r.choosing.RoundTrip(req)
}

func TestConclude_somebodyElseWasFaster(t *testing.T) {
	task := func(status int64) string {
		b, err := json.Marshal(map[string]any{"Response": made(status, act(1, 1, 2004, 1, 2), act(2, 2, 2004, 1, 1))})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	denied := map[string]string{"ModifyTaskRunStatus": `{"Response":{"Error":{"Code":"OperationDenied","Message":"cannot go to 1004"}}}`}
	for name, c := range map[string]struct {
		after string
		code  driver.Code
	}{
		"the task is ended by now":  {task(1004), driver.OK},
		"the task is not ended yet": {task(1003), driver.NotNow},
	} {
		t.Run(name, func(t *testing.T) {
			api, err := NewClient(driver.Config{Credentials: credentials, Transport: &racing{choosing{&vendor{}, task(1003), denied}, c.after}})
			if err != nil {
				t.Fatal(err)
			}
			d := &Driver{api: api}
			err = d.Conclude(t.Context(), driver.Run{Service: drill.CFG, ID: "626"}, driver.Conclusion{Verdict: "expected", Expected: true})
			if got := d.Code(err); got != c.code {
				t.Errorf("code %q, want %q: %v", got, c.code, err)
			}
		})
	}
}
