package ahas

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

// The seed page's example request and reply.
const (
	seedDefinition = `{"param":[{"groupId":"1234567890123456789","appName":"ahas-default-node","appGroups":["AHAS杭州预发环境"],"hosts":["192.168.0.205"],"activityParam":[{"flowId":"1234567890123456789","appCode":"chaos.cpu.fullload","arguments":{"cpu_count":"1","namespace":"default"}}]}]}`
	seedReply      = `{
  "TaskId" : "1234567890123456789",
  "Message" : "无",
  "RequestId" : "0f7dd92f-4490-****-b8bd-****",
  "Code" : "无",
  "Success" : true
}`
)

func seedBlock(definition any) map[string]any {
	return map[string]any{"experiment": cpuFullload, "namespace": "default", "region": "cn-hangzhou", "definition": definition}
}

func seedRequest(block map[string]any) driver.Request {
	return driver.Request{Drill: "d1", Role: drill.Main, Token: "d1/main", Account: "ali", Region: "cn-hangzhou", Block: block}
}

// wire is a server that answers with one body and keeps what it was sent.
type wire struct {
	*httptest.Server
	reply  string
	status int
	query  url.Values // of the URL
	form   url.Values // of the body
	method string
	hits   int
}

func newWire(t *testing.T, reply string) *wire {
	t.Helper()
	w := &wire{reply: reply, status: http.StatusOK}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.form, _ = url.ParseQuery(string(body))
		w.query, w.method = r.URL.Query(), r.Method
		w.hits++
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(w.status)
		_, _ = io.WriteString(rw, w.reply)
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *wire) driver(t *testing.T, region string) driver.Driver {
	t.Helper()
	d, err := Open(driver.Config{
		Account: "ali", Region: region, Endpoint: w.URL,
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: "testid", Secret: "testsecret", Token: "session"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// own drops the parameters that every RPC call has.
func own(p url.Values) map[string]string {
	out := map[string]string{}
	for k := range p {
		out[k] = p.Get(k)
	}
	for _, k := range []string{
		"AccessKeyId", "Format", "RegionId", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType",
		"SignatureVersion", "Timestamp", "Version",
	} {
		delete(out, k)
	}
	return out
}

func TestSeed_AHASExecuteExperimentRequest(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"definition as text goes out byte for byte":                      seedAsText,
		"definition as an object is the same JSON, its numbers as texts": seedAsObject,
		"a long definition goes into the body":                           seedLongGoesIntoTheBody,
		"nothing optional is made up":                                    seedNothingIsMadeUp,
		"the public region signs for its home region":                    seedPublicRegion,
	} {
		t.Run(name, test)
	}
}

func seedAsText(t *testing.T) {
	want := map[string]string{
		"Action": "ExecuteExperiment", "ExperimentId": "1234567890123456789", "NameSpace": "default", "AhasRegionId": "cn-hangzhou",
		"Definition": seedDefinition,
	}
	w := newWire(t, seedReply)
	if _, err := w.driver(t, "cn-hangzhou").Start(t.Context(), seedRequest(seedBlock(seedDefinition))); err != nil {
		t.Fatal(err)
	}
	if got := own(w.query); !maps.Equal(got, want) {
		t.Errorf("sent %q\nwant %q", got, want)
	}
	for k, v := range map[string]string{"Version": "2019-09-01", "Format": "JSON", "SignatureMethod": "HMAC-SHA1", "RegionId": "cn-hangzhou", "SecurityToken": "session"} {
		if w.query.Get(k) != v {
			t.Errorf("%s=%q, want %q", k, w.query.Get(k), v)
		}
	}
	if w.method != http.MethodPost || w.hits != 1 {
		t.Errorf("%d calls by %s, want one POST", w.hits, w.method)
	}
}

func seedAsObject(t *testing.T) {
	var object map[string]any
	if err := json.Unmarshal([]byte(seedDefinition), &object); err != nil {
		t.Fatal(err)
	}
	block := seedBlock(object)
	args := object["param"].([]any)[0].(map[string]any)["activityParam"].([]any)[0].(map[string]any)["arguments"].(map[string]any)
	args["cpu_count"] = 1
	w := newWire(t, seedReply)
	if _, err := w.driver(t, "cn-hangzhou").Start(t.Context(), seedRequest(block)); err != nil {
		t.Fatal(err)
	}
	var got, wanted any
	if json.Unmarshal([]byte(w.query.Get("Definition")), &got) != nil || json.Unmarshal([]byte(seedDefinition), &wanted) != nil || !reflect.DeepEqual(got, wanted) {
		t.Errorf("sent %s", w.query.Get("Definition"))
	}
	if !strings.Contains(w.query.Get("Definition"), "AHAS杭州预发环境") {
		t.Errorf("the chinese text was changed: %s", w.query.Get("Definition"))
	}
	if args["cpu_count"] != 1 {
		t.Error("the plan's own block was changed")
	}
}

func seedLongGoesIntoTheBody(t *testing.T) {
	long := `{"param":[{"groupId":"1234567890123456789","appName":"` + strings.Repeat("名", 3000) + `"}]}`
	w := newWire(t, seedReply)
	if _, err := w.driver(t, "cn-hangzhou").Start(t.Context(), seedRequest(seedBlock(long))); err != nil {
		t.Fatal(err)
	}
	if len(w.query) != 0 || w.form.Get("Definition") != long || w.form.Get("AhasRegionId") != "cn-hangzhou" {
		t.Errorf("query %v, definition of %d bytes in the form", w.query, len(w.form.Get("Definition")))
	}
}

func seedNothingIsMadeUp(t *testing.T) {
	w := newWire(t, seedReply)
	if _, err := w.driver(t, "cn-hangzhou").Start(t.Context(), seedRequest(experiment(cpuFullload))); err != nil {
		t.Fatal(err)
	}
	if got := own(w.query); !maps.Equal(got, map[string]string{"Action": "ExecuteExperiment", "ExperimentId": cpuFullload, "AhasRegionId": "cn-hangzhou"}) {
		t.Errorf("sent %q", got)
	}
}

func seedPublicRegion(t *testing.T) {
	w := newWire(t, seedReply)
	r := seedRequest(experiment(cpuFullload))
	r.Region = "cn-public"
	if _, err := w.driver(t, "cn-public").Start(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if w.query.Get("AhasRegionId") != "cn-public" || w.query.Get("RegionId") != "cn-hangzhou" {
		t.Errorf("AhasRegionId %q, RegionId %q", w.query.Get("AhasRegionId"), w.query.Get("RegionId"))
	}
}

// answer is a reply to ExecuteExperiment and what the driver makes of it.
type answer struct {
	name, reply string
	status      int
	id          string
	code        driver.Code
}

func answers() []answer {
	return []answer{
		{"the words 无 with Success=true are no error", seedReply, 200, "1234567890123456789", driver.OK},
		{"numbers and booleans as texts", `{"TaskId":1234567890123456789,"Success":"true","Code":"P_ERROR_****"}`, 200, "1234567890123456789", driver.OK},
		{"no word of success but an id", `{"TaskId":"1234567890123456789"}`, 200, "1234567890123456789", driver.OK},
		{"success without an id", `{"Success":true}`, 200, "", driver.Uncertain},
		{"an empty reply", ``, 200, "", driver.Uncertain},
		{"a page of a proxy", `<html>busy</html>`, 200, "", driver.Uncertain},
		{"a 502", `<html>bad gateway</html>`, 502, "", driver.Uncertain},
		{"not found by name", `{"Success":false,"Code":"P_EXPERIMENT_NOT_FOUND","Message":"演练不存在","RequestId":"R1"}`, 200, "", driver.NotFound},
		{"not found by number", `{"Success":"false","Code":3301}`, 200, "", driver.NotFound},
		{"definition refused by number", `{"Success":false,"Code":"3302"}`, 200, "", driver.Invalid},
		{"runs already by name", `{"Success":false,"Code":"B_EXPERIMENT_ALREADY_RUNNING"}`, 200, "", driver.Quota},
		{"runs already by number", `{"Success":false,"Code":2401}`, 200, "", driver.Quota},
		{"a draft", `{"Success":false,"Code":"B_EXPERIMENT_DRAFT_STATE"}`, 200, "", driver.Invalid},
		{"permission", `{"Success":false,"Code":"3101"}`, 200, "", driver.Denied},
		{"a failure of the system leaves the outcome open", `{"Success":false,"Code":"S_DATA_TRUNCATION"}`, 200, "", driver.Uncertain},
		{"the same by number", `{"Success":false,"Code":1104}`, 200, "", driver.Uncertain},
		{"a code that nobody knows", `{"Success":false,"Code":"X_NEW"}`, 200, "", driver.Unknown},
		{"no code but a status", `{"Success":false,"HttpStatusCode":403}`, 200, "", driver.Denied},
		{"throttled by the gateway", `{"Code":"Throttling.User","Message":"slow down","RequestId":"R"}`, 400, "", driver.Throttled},
		{"a parameter that the gateway refuses", `{"Code":"IllegalArgument","Message":"The specified parameter is invalid."}`, 400, "", driver.Invalid},
		{"an expired token", `{"Code":"InvalidSecurityToken.Expired"}`, 400, "", driver.Expired},
	}
}

func TestSeed_AHASExecuteExperimentReply(t *testing.T) {
	var r executeReply
	if err := json.Unmarshal([]byte(seedReply), &r); err != nil {
		t.Fatal(err)
	}
	if r.TaskID != "1234567890123456789" || r.Message != "无" || r.Code != "无" || r.RequestID != "0f7dd92f-4490-****-b8bd-****" || r.Success == nil || !bool(*r.Success) {
		t.Errorf("decoded %+v", r)
	}
	for _, c := range answers() {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, c.reply)
			w.status = c.status
			d := w.driver(t, "cn-hangzhou")
			run, err := d.Start(t.Context(), seedRequest(experiment(cpuFullload)))
			if got := d.Code(err); got != c.code || run.ID != c.id {
				t.Fatalf("run %q, code %q for %v, want %q and %q", run.ID, got, err, c.id, c.code)
			}
			if w.hits != 1 {
				t.Errorf("%d calls, want one", w.hits)
			}
			if err != nil && (strings.Contains(err.Error(), "testsecret") || strings.Contains(err.Error(), "session")) {
				t.Errorf("the error holds a secret: %v", err)
			}
			if c.name == "not found by name" && (!strings.Contains(err.Error(), "P_EXPERIMENT_NOT_FOUND") || !strings.Contains(err.Error(), "演练不存在") || !strings.Contains(err.Error(), "R1")) {
				t.Errorf("the error lacks code, message or request id: %v", err)
			}
		})
	}
}

// The other pages of the same API give their own names to the same parameter.
func TestRequests_NameSpaceAsEachActionSpellsIt(t *testing.T) {
	block := map[string]any{"experiment": cpuFullload, "namespace": "team-a"}
	empty := `{"Success":true,"Pages":1,"Total":0,"ExperimentTasks":[]}`
	for _, c := range []struct {
		name, spelled string
		call          func(*Driver) error
	}{
		{"PageableQueryExperimentTaskByExperimentId", "Namespace", func(d *Driver) error { _, err := d.Lookup(t.Context(), seedRequest(block)); return err }},
		{"CheckExperimentRunnable", "NameSpace", func(d *Driver) error { _, err := d.Preview(t.Context(), seedRequest(block)); return err }},
		{"FinishExperimentTask", "NameSpace", func(d *Driver) error { return d.Stop(t.Context(), driver.Run{ID: "1"}, driver.Stop{Block: block}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, empty)
			if err := c.call(w.driver(t, "cn-hangzhou").(*Driver)); err != nil {
				t.Fatal(err)
			}
			other := map[string]string{"Namespace": "NameSpace", "NameSpace": "Namespace"}[c.spelled]
			if w.query.Get("Action") != c.name || w.query.Get(c.spelled) != "team-a" || w.query.Has(other) {
				t.Errorf("sent %v", own(w.query))
			}
		})
	}
}

func TestOpen_Regions(t *testing.T) {
	for _, region := range []string{"mars-1", ""} {
		if _, err := Open(driver.Config{Region: region, Credentials: noCredentials}); err == nil || !strings.Contains(err.Error(), "FIREDRILL_ENDPOINT_AHAS") {
			t.Errorf("region %q: %v, want an error that tells the fix", region, err)
		}
	}
	for region, host := range map[string]string{"cn-hangzhou": "ahas.cn-hangzhou.aliyuncs.com", "eu-central-1": "ahas.eu-central-1.aliyuncs.com", "cn-public": "ahas.cn-hangzhou.aliyuncs.com", "public": "ahas.cn-hangzhou.aliyuncs.com"} {
		var sent []string
		d, err := Open(driver.Config{Region: region, Credentials: noCredentials, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, r.URL.Scheme+"://"+r.URL.Host)
			return nil, io.ErrUnexpectedEOF
		})})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = d.Observe(t.Context(), driver.Run{ID: "1"})
		if !slices.Equal(sent, []string{"https://" + host}) {
			t.Errorf("region %s: called %v, want https://%s once", region, sent, host)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func noCredentials(context.Context) (driver.Credentials, error) {
	return driver.Credentials{AccessKey: "a", Secret: "b"}, nil
}
