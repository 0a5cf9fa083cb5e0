package fis

import (
	"reflect"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
)

// The first founding page of FIS is StartExperiment: clientToken, experimentTemplateId, experimentOptions.actionsMode
// and tags go out, an experiment with every field comes back.
func TestSeed_FISStartExperiment_request(t *testing.T) {
	d, v := answering(t, ok(sample(t, "experiment.json")))
	run, err := d.Start(t.Context(), request())
	if err != nil || run.ID != "EXPaBCD1efg2HIJkL3" || run.Service != drill.FIS || run.Account != "aws-prod" {
		t.Fatalf("%+v, %v", run, err)
	}
	got := v.got[0]
	if len(v.got) != 1 || got.method != "POST" || got.uri != "/experiments" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d requests, %s %s, %v", len(v.got), got.method, got.uri, got.header)
	}
	sameJSON(t, got.body, `{"clientToken":"root-1/d1/main","experimentTemplateId":"EXTa1b2c3d4e5f6g7","experimentOptions":{"actionsMode":"run-all"},
		"tags":{"team":"checkout","Name":"Checkout survives 结账","firedrill:drill":"d1","firedrill:role":"main","firedrill:root":"root-1",
		"firedrill:plan":"checkout-az-outage","firedrill:actor":"slack:T1/U1","firedrill:mode":"LIVE"}}`)
}

func TestSeed_FISStartExperiment_skipAll(t *testing.T) {
	d, v := answering(t, ok(sample(t, "experiment.json")))
	r := request()
	r.Block = map[string]any{"template": "string", "actionsMode": "skip-all"}
	r.Root, r.Token, r.Title, r.Plan, r.Actor, r.Mode, r.Drill, r.Role = "string", "string", "", "", "", "", "", ""
	if _, err := d.Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, v.got[0].body, `{"clientToken":"string/string","experimentTemplateId":"string","experimentOptions":{"actionsMode":"skip-all"},"tags":{"firedrill:root":"string"}}`)
}

func TestSeed_FISStartExperiment_responseIsDecodedInFull(t *testing.T) {
	d, _ := answering(t, ok(sample(t, "experiment.json")))
	e, err := d.start(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	unset(t, "experiment", reflect.ValueOf(e))
	o := observation(d.run(*e.Id, drill.Main), e)
	if o.Phase != drill.PhaseFailed || o.Vendor != "failed" || o.Reason != "Action failed.; account 123456789012; code AuthorizationFailure; location actions/stop" {
		t.Errorf("phase %s, vendor %s, reason %q", o.Phase, o.Vendor, o.Reason)
	}
	if len(o.Steps) != 2 || o.Steps[0].ID != "wait" || o.Steps[0].Kind != drill.WaitStep || o.Steps[1].Kind != drill.FaultStep {
		t.Fatalf("steps %+v", o.Steps)
	}
	stop := o.Steps[1]
	if stop.State != drill.StepFailed || stop.Vendor != "failed" || stop.Message != "Not allowed." || len(stop.Targets) != 2 ||
		!strings.HasSuffix(stop.Targets[1].ID, "instance/i-2") || stop.StartedAt.UnixMilli() != 1732031999123 || stop.EndedAt.UnixMilli() != 1732032009500 {
		t.Errorf("step %+v", stop)
	}
	if o.StartedAt.Unix() != 1732031891 || o.EndedAt.UnixMilli() != 1732032010750 {
		t.Errorf("from %s to %s", o.StartedAt, o.EndedAt)
	}
	if o.Report.State != "ready" || o.Report.URL != "s3://reports/drills/EXPaBCD1efg2HIJkL3.pdf" {
		t.Errorf("report %+v", o.Report)
	}
	if !o.Quiet || o.Restoration != drill.RestoreUnproven || !o.Injected {
		t.Errorf("quiet %t, restoration %s, injected %t", o.Quiet, o.Restoration, o.Injected)
	}
}

// unset fails the test for every field of the reply's type that the sample left unset: the sample has them all, so
// one that is unset was not decoded. An empty list or map in one of two alike elements is fine.
func unset(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			t.Errorf("%s is not decoded", path)
			return
		}
		unset(t, path, v.Elem())
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				unset(t, path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			unset(t, path+"["+k.String()+"]", v.MapIndex(k))
		}
	case reflect.Slice:
		for i := range v.Len() {
			unset(t, path+"[]", v.Index(i))
		}
	}
	switch v.Kind() {
	case reflect.String, reflect.Map, reflect.Slice:
		if v.IsZero() {
			t.Errorf("%s is not decoded", path)
		}
	}
}
