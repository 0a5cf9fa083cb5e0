package cfg

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestCreate_Refusals(t *testing.T) {
	w := newWorld(t)
	groups := `"TaskGroupsConfig":[{"TaskGroupInstances":["ins-a"]}]`
	for _, c := range []struct{ want, action, body string }{
		{"MissingParameter", "CreateTaskFromTemplate", `{}`},
		{"MissingParameter", "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{}}`},
		{"MissingParameter", "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskGroupsConfig":[{}]}}`},
		{"InvalidParameterValue", "CreateTaskFromTemplate", `{"TemplateId":1,"TaskConfig":{` + groups + `}}`},
		{"InvalidParameterValue", "CreateTaskFromTemplate", `{"TemplateId":630,"TaskConfig":{` + groups + `}}`},
		{"InvalidParameterValue", "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskGroupsConfig":[{"TaskGroupInstances":[]}]}}`},
		{"InvalidParameterValue", "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskMode":3,` + groups + `}}`},
		{"InvalidParameter", "CreateTaskFromTemplate", `{"TemplateId":"six","TaskConfig":{` + groups + `}}`},
		{"InvalidParameter", "CreateTaskFromTemplate", `{"TemplateId":626.5,"TaskConfig":{` + groups + `}}`},
		{"InvalidParameter", "CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskTitle":7,` + groups + `}}`},
		{"UnsupportedOperation", "CreateTaskFromTemplate", `{"TemplateId":632,"TaskConfig":{` + groups + `}}`},
		{"InvalidRequest", "CreateTaskFromTemplate", `[]`},
		{"InvalidParameterValue", "CreateTaskFromAction", `{"TaskActionId":466,"TaskInstances":["ins-a"],"TaskActionCustomConfiguration":"{\"ip\":\"192.0.2.1\"}"}`},
		{"InvalidParameterValue", "CreateTaskFromAction", `{"TaskActionId":12,"TaskInstances":["ins-a"],"TaskActionCustomConfiguration":"not json"}`},
		{"InvalidParameterValue", "CreateTaskFromAction", `{"TaskActionId":9999,"TaskInstances":["ins-a"]}`},
		{"UnsupportedOperation", "CreateTaskFromAction", `{"TaskActionId":501,"TaskInstances":["ins-a"]}`},
		{"MissingParameter", "CreateTaskFromMultiAction", `{"TaskInstances":["ins-a"]}`},
		{"InvalidParameterValue", "CreateTaskFromMultiAction", `{"TaskInstances":["ins-a"],"TaskAction":[]}`},
	} {
		if got := code(w.try(c.action, c.body)); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.action, c.body, got, c.want)
		}
	}
	if runs := w.s.Runs(); len(runs) != 0 {
		t.Errorf("refused creations left %v", runs)
	}
}

// The guide's own example of a task from one action.
func TestCreate_FromActionOfTheGuide(t *testing.T) {
	w := newWorld(t)
	id := int64(w.ok("CreateTaskFromAction", `{"TaskActionId":462,"TaskInstances":["ins-a"],"TaskTitle":"Network Packet Loss",
		"TaskDescription":"This experiment was created from the openapi","TaskActionCustomConfiguration":"{\"interfaces\": \"eth0\"}","TaskTags":[{"TagKey":"firedrill","TagValue":"d9"}]}`)["TaskId"].(float64))
	w.ok("ExecuteTask", `{"TaskId":%d}`, id)
	w.moved(id, 0, 2)
	w.pass(59 * time.Second)
	w.is(id, "1002 2003/0")
	w.pass(time.Second)
	w.is(id, "1002 2004/1")
	if r := w.s.Runs()[0]; len(r.Live) > 0 || r.Mark != "d9" {
		t.Errorf("run %+v: without a recovery the fault ends with its action, and the tag is the mark", r)
	}
}

func TestCreate_FromActionsBringsTheRecoveryAlong(t *testing.T) {
	w := newWorld(t)
	id := int64(w.ok("CreateTaskFromMultiAction", `{"TaskInstances":["ins-a"],"TaskAction":[{"TaskActionId":"4"},{"TaskActionId":12},{"TaskActionId":13}]}`)["TaskId"].(float64))
	var got []int64
	g := w.s.task(id).groups[0]
	for _, a := range g.actions {
		got = append(got, a.spec.id)
	}
	if want := []int64{4, 12, 13, 5}; !reflect.DeepEqual(got, want) {
		t.Fatalf("actions %v, want %v", got, want)
	}
	if g.partner(g.actions[0].recover) != g.actions[3] || g.partner(g.actions[2].execute) != g.actions[1] {
		t.Error("faults and recoveries are not linked")
	}
}

func TestList_PagesAndFilters(t *testing.T) {
	w := newWorld(t)
	for i := range 101 {
		w.ok("CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskTitle":"第 %d 次 🔥 [fd:d%03d]","Tags":[{"TagKey":"firedrill","TagValue":"d%03d"}],"TaskGroupsConfig":[{"TaskGroupInstances":["ins-a"]}]}}`, i, i, i)
	}
	w.ok("ExecuteTask", `{"TaskId":3300}`)
	seen := map[float64]bool{}
	for _, offset := range []int{0, 100, 200} {
		reply := w.ok("DescribeTaskList", `{"Limit":"100","Offset":"%d"}`, offset)
		if reply["Total"] != 101.0 {
			t.Errorf("total %v", reply["Total"])
		}
		for _, v := range reply["TaskList"].([]any) {
			seen[v.(map[string]any)["TaskId"].(float64)] = true
		}
	}
	if len(seen) != 101 {
		t.Errorf("%d tasks on all pages, want 101", len(seen))
	}
	w.refused("InvalidParameterValue", "DescribeTaskList", `{"Limit":101,"Offset":0}`)
	w.refused("MissingParameter", "DescribeTaskList", `{"Limit":100}`)
	for query, want := range map[string]float64{
		`"TaskTitle":"fd:d007"`:                                   1,
		`"Tags":[{"TagKey":"firedrill","TagValue":"d042"}]`:       1,
		`"Tags":[{"TagKey":"firedrill","TagValue":"d"}]`:          0,
		`"TaskTag":["firedrill"]`:                                 101,
		`"TaskStatusList":["1002"]`:                               1,
		`"TaskStatus":1001`:                                       100,
		`"TaskStatusList":[1002,1003],"TaskTitle":"fd:d001"`:      0,
		`"TaskId":[3256,3257]`:                                    2,
		`"TaskUpdateTime":"2026-11-20 10:00:01","TaskTitle":"fd"`: 0,
	} {
		if got := w.ok("DescribeTaskList", fmt.Sprintf(`{"Limit":1,"Offset":0,%s}`, query))["Total"]; got != want {
			t.Errorf("%s: %v tasks, want %v", query, got, want)
		}
	}
}

func TestDescribe_EveryReadAnswers(t *testing.T) {
	w := newWorld(t)
	id := w.task(627, "")
	w.moved(id, 0, 2)
	w.ok("DescribeTemplateList", `{"Limit":100,"Offset":0,"IsUsed":1}`)
	lib := w.ok("DescribeActionLibraryList", `{"Limit":100,"Offset":0,"ObjectType":1,"ActionIds":[4,501],"Attribute":[1]}`)
	if got := fmt.Sprint(lib["Total"], lib["Results"].([]any)[0].(map[string]any)["RelationActionId"], lib["Results"].([]any)[1].(map[string]any)["IsAllowed"]); got != "2 5 false" {
		t.Errorf("library %s", got)
	}
	if n := len(w.ok("DescribeObjectTypeList", `{}`)["ObjectTypeList"].([]any)); n != 2 {
		t.Errorf("%d object types", n)
	}
	if n := len(w.ok("DescribeTaskExecuteLogs", `{"TaskId":%d,"Limit":1,"Offset":1}`, id)["LogMessage"].([]any)); n != 1 {
		t.Errorf("%d log lines, want 1", n)
	}
	if n := len(w.ok("DescribeActionFieldConfigList", `{"ActionIds":["502"],"ObjectTypeId":"1"}`)["ResourceOffline"].([]any)); n != 1 {
		t.Errorf("%d resources go offline, want 1", n)
	}
	w.refused("InvalidParameterValue", "DescribeTemplate", `{"TemplateId":1}`)
	w.refused("ResourceNotFound", "DescribeTask", `{"TaskId":1}`)
	w.refused("FailedOperation", "DeleteTask", `{"TaskId":%d}`, id)
	w.ok("ModifyTaskRunStatus", `{"TaskId":%d,"Status":1004,"Summary":"s","IsExpect":true}`, id)
	w.ok("DeleteTask", `{"TaskId":%d}`, id)
	w.refused("ResourceNotFound", "DescribeTask", `{"TaskId":%d}`, id)
	if len(w.s.Runs()) != 1 {
		t.Error("Runs lists every task there ever was")
	}
	if !json.Valid(w.s.Snapshot()) {
		t.Error("the snapshot is not JSON")
	}
	w.s.Reset()
	if len(w.s.Runs()) != 0 || w.task(626, "") != 3256 {
		t.Error("Reset forgets the tasks and their numbers")
	}
}

func TestRecognise_ByShape(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("GET", "/experiments", nil)
	if _, ok := w.s.Recognise(r, nil); ok {
		t.Error("a request of another service is taken")
	}
	for action, want := range map[string]service.Kind{
		`CreateTaskFromTemplate {}`:             service.Create,
		`ExecuteTask {"TaskId":1}`:              service.Start,
		`DescribeTask {"TaskId":1}`:             service.Read,
		`ModifyTaskRunStatus {"Status":1002}`:   service.Advance,
		`ModifyTaskRunStatus {"Status":"1003"}`: service.Stop,
		`ModifyTaskRunStatus {"Status":1004}`:   service.Write,
		`TriggerPolicy {"TriggerType":0}`:       service.Stop,
		`TriggerPolicy {"TriggerType":1}`:       service.Write,
		`ExecuteTaskInstance {"TaskId":1}`:      service.Advance,
	} {
		var name, body string
		if _, err := fmt.Sscanf(action, "%s %s", &name, &body); err != nil {
			t.Fatal(err)
		}
		c, ok := w.s.Recognise(w.plain(name).request(body), []byte(body))
		if !ok || c.Kind != want || c.Op != name || c.Service != "cfg" {
			t.Errorf("%s is %+v, want %s", action, c, want)
		}
	}
	a, _ := w.s.Recognise(w.plain("DescribeTask").request(`{"TaskId":"7"}`), []byte(`{"TaskId":"7"}`))
	b, _ := w.s.Recognise(w.plain("DescribeTask").request(`{ "TaskId": 7 }`), []byte(`{ "TaskId": 7 }`))
	if a.Key != b.Key {
		t.Errorf("keys %q and %q of the same read differ", a.Key, b.Key)
	}
}

func TestFail_InTheVendorsShape(t *testing.T) {
	w := newWorld(t)
	for f, want := range map[service.Failure]string{service.Throttled: "RequestLimitExceeded", service.Internal: "InternalError"} {
		rec := httptest.NewRecorder()
		w.s.Fail(rec, nil, service.Call{}, f)
		var out struct{ Response map[string]any }
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 || code(out.Response) != want {
			t.Errorf("%s: %d %s", f, rec.Code, rec.Body)
		}
	}
}

func FuzzServe(f *testing.F) {
	f.Add("CreateTaskFromTemplate", `{"TemplateId":626,"TaskConfig":{"TaskGroupsConfig":[{"TaskGroupInstances":["a"]}]}}`)
	f.Add("ExecuteTaskInstance", `{"TaskId":3256,"TaskActionId":11395,"TaskGroupId":4684,"ActionType":2,"IsOperateAll":false,"TaskInstanceIds":["1"]}`)
	f.Add("DescribeTaskList", `{"Limit":"1","Offset":-1,"Tags":[{"TagKey":null}]}`)
	f.Add("CreateTaskFromMultiAction", `{"TaskInstances":["a"],"TaskAction":[{"TaskActionId":4,"TaskActionCustomConfiguration":"{\"timeout\":\"99999999999\"}"}]}`)
	f.Fuzz(func(t *testing.T, action, body string) {
		w := newWorld(t)
		w.task(628, "")
		w.pass(21 * time.Second)
		c := service.Call{Service: "cfg", Op: action}
		o, ok := w.s.ops[c.Op]
		if !ok {
			return
		}
		p := parse([]byte(body))
		if p.err == nil {
			_, _ = o.serve(p, w.now) // whatever comes, it answers
		}
		w.pass(time.Hour)
		w.s.Tick()
		w.s.Runs()
	})
}
