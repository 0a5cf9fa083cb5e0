package rpc

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func values(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

func TestSignature_MatchesKnownVectors(t *testing.T) {
	for _, c := range []struct {
		name, method, want string
		params             url.Values
	}{
		{"the vendor's own example", "GET", "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", values(
			"Action", "DescribeRegions", "Format", "XML", "Version", "2014-05-26", "AccessKeyId", "testid", "SignatureMethod", "HMAC-SHA1",
			"SignatureVersion", "1.0", "SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "Timestamp", "2016-02-23T12:46:24Z")},
		{"a post with chinese text", "POST", "qbx0EZYGpnBWUC0RrqJU3pZzSbw=", values(
			"Action", "ExecuteExperiment", "Format", "JSON", "Version", "2019-09-01", "AccessKeyId", "testid", "SignatureMethod", "HMAC-SHA1",
			"SignatureVersion", "1.0", "SignatureNonce", "00000000-0000-0000-0000-000000000001", "Timestamp", "2026-01-02T03:04:05Z",
			"RegionId", "cn-hangzhou", "AhasRegionId", "cn-hangzhou", "NameSpace", "default", "ExperimentId", "1234567890123456789",
			"Definition", `{"param":[{"groupId":"1","appGroups":["AHAS杭州预发环境"]}]}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.params.Set("Signature", "is not signed itself")
			if got := Signature("testsecret", StringToSign(c.method, c.params)); got != c.want {
				t.Errorf("signature %s, want %s", got, c.want)
			}
		})
	}
}

var signedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func verifier(now time.Time) *Verifier {
	return &Verifier{AccessKey: "sandbox", Secret: "sandbox", Real: func() time.Time { return now }}
}

// signed makes a form request as a client would, changed before and after the signature is put on.
func signed(secret string, before, after func(url.Values)) (*http.Request, []byte) {
	p := values("Action", "StartExecution", "Version", "2019-06-01", "Format", "JSON", "AccessKeyId", "sandbox", "SignatureMethod", "HMAC-SHA1",
		"SignatureVersion", "1.0", "SignatureNonce", "n1", "Timestamp", signedAt.Format(timeLayout), "Note", "a b*~+/演练")
	if before != nil {
		before(p)
	}
	p.Set("Signature", Signature(secret, StringToSign("POST", p)))
	if after != nil {
		after(p)
	}
	body := p.Encode()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, []byte(body)
}

func TestVerify_RefusesAsTheVendorDoes(t *testing.T) {
	set := func(k, v string) func(url.Values) { return func(p url.Values) { p.Set(k, v) } }
	del := func(k string) func(url.Values) { return func(p url.Values) { p.Del(k) } }
	for _, c := range []struct {
		name, secret, code string
		before, after      func(url.Values)
		now                time.Time
	}{
		{name: "wrong secret", secret: "other", code: "SignatureDoesNotMatch"},
		{name: "changed parameter", secret: "sandbox", after: set("Note", "x"), code: "SignatureDoesNotMatch"},
		{name: "unknown access key", secret: "sandbox", before: set("AccessKeyId", "who"), code: "InvalidAccessKeyId.NotFound"},
		{name: "no access key", secret: "sandbox", before: del("AccessKeyId"), code: "MissingAccessKeyId"},
		{name: "no nonce", secret: "sandbox", before: del("SignatureNonce"), code: "MissingSignatureNonce"},
		{name: "no timestamp", secret: "sandbox", before: del("Timestamp"), code: "MissingTimestamp"},
		{name: "no signature", secret: "sandbox", after: del("Signature"), code: "MissingSignature"},
		{name: "another method", secret: "sandbox", before: set("SignatureMethod", "RSA"), code: "InvalidParameter.SignatureMethod"},
		{name: "another version", secret: "sandbox", before: set("SignatureVersion", "2.0"), code: "InvalidParameter.SignatureVersion"},
		{name: "malformed time", secret: "sandbox", before: set("Timestamp", "yesterday"), code: "InvalidTimeStamp.Format"},
		{name: "clock an hour behind", secret: "sandbox", now: signedAt.Add(time.Hour), code: "InvalidTimeStamp.Expired"},
		{name: "clock an hour ahead", secret: "sandbox", now: signedAt.Add(-time.Hour), code: "InvalidTimeStamp.Expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.now.IsZero() {
				c.now = signedAt
			}
			r, body := signed(c.secret, c.before, c.after)
			q, ok := Parse(r, body)
			if !ok {
				t.Fatal("request not recognised")
			}
			e := verifier(c.now).Verify(q)
			if e == nil || e.Code != c.code {
				t.Fatalf("got %v, want code %s", e, c.code)
			}
			if c.code == "SignatureDoesNotMatch" && !strings.Contains(e.Message, "server string to sign is:POST&%2F&") {
				t.Errorf("message %q does not show the string to sign", e.Message)
			}
		})
	}
}

func TestVerify_AcceptsOnceThenRefusesTheReplay(t *testing.T) {
	r, body := signed("sandbox", nil, nil)
	q, _ := Parse(r, body)
	v := verifier(signedAt)
	if e := v.Verify(q); e != nil {
		t.Fatalf("first use: %v", e)
	}
	if e := v.Verify(q); e == nil || e.Code != "SignatureNonceUsed" {
		t.Fatalf("second use: got %v, want SignatureNonceUsed", e)
	}
}

// acs3Request signs the way newer clients do, written here from the vendor's description of the algorithm.
func acs3Request(secret, body string) *http.Request {
	r := httptest.NewRequest("POST", "/?Mode=Automatic&TemplateName=loop-echo", strings.NewReader(body))
	r.Host = "oos.cn-hangzhou.aliyuncs.com"
	sum := hexSum([]byte(body))
	for k, v := range map[string]string{"x-acs-action": "StartExecution", "x-acs-version": "2019-06-01", "x-acs-date": signedAt.Format(timeLayout),
		"x-acs-signature-nonce": "n1", "x-acs-content-sha256": sum, "Content-Type": "application/x-www-form-urlencoded"} {
		r.Header.Set(k, v)
	}
	canon := "POST\n/\nMode=Automatic&TemplateName=loop-echo\nhost:oos.cn-hangzhou.aliyuncs.com\nx-acs-action:StartExecution\nx-acs-content-sha256:" + sum +
		"\nx-acs-date:" + signedAt.Format(timeLayout) + "\n\nhost;x-acs-action;x-acs-content-sha256;x-acs-date\n" + sum
	r.Header.Set("Authorization", acs3Algorithm+" Credential=sandbox,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date,Signature="+
		hexHMAC(secret, acs3Algorithm+"\n"+hexSum([]byte(canon))))
	return r
}

func TestVerify_ACS3(t *testing.T) {
	for _, c := range []struct{ name, secret, sent, code string }{
		{"wrong secret", "other", "Parameters=%7B%7D", "SignatureDoesNotMatch"},
		{"changed body", "sandbox", "Parameters=x", "InvalidParameter.ContentSha256"},
		{"good", "sandbox", "Parameters=%7B%7D", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := acs3Request(c.secret, "Parameters=%7B%7D")
			q, ok := Parse(r, []byte(c.sent))
			if !ok || q.Action != "StartExecution" || q.Version != "2019-06-01" || q.Get("TemplateName") != "loop-echo" || q.AccessKey() != "sandbox" {
				t.Fatalf("parsed %+v", q)
			}
			e := verifier(signedAt).Verify(q)
			if (e == nil) != (c.code == "") || (e != nil && e.Code != c.code) {
				t.Errorf("got %v, want %q", e, c.code)
			}
		})
	}
}

func TestWrite_Shapes(t *testing.T) {
	v := map[string]any{"Execution": map[string]any{"ExecutionId": "exec-1", "Mode": "a<b", "IsParent": false, "CurrentTasks": []any{}}, "Items": []any{"x", "y"}}
	for _, c := range []struct{ format, want string }{
		{"JSON", `{"Execution":{"CurrentTasks":[],"ExecutionId":"exec-1","IsParent":false,"Mode":"a<b"},"Items":["x","y"],"RequestId":"R"}`},
		{"XML", `<?xml version='1.0' encoding='UTF-8'?><StartExecutionResponse><Execution><ExecutionId>exec-1</ExecutionId><IsParent>false</IsParent>` +
			`<Mode>a&lt;b</Mode></Execution><Items>x</Items><Items>y</Items><RequestId>R</RequestId></StartExecutionResponse>`},
	} {
		t.Run(c.format, func(t *testing.T) {
			w := httptest.NewRecorder()
			Write(w, Request{Action: "StartExecution", Format: c.format}, "R", v)
			if got := strings.TrimSpace(w.Body.String()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFail_CommonErrorBody(t *testing.T) {
	w := httptest.NewRecorder()
	Fail(w, Request{Action: "X", Format: "JSON", Host: "oos.cn-hangzhou.aliyuncs.com"}, "R", InvalidVersion())
	var m map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if w.Code != 400 || m["Code"] != "InvalidVersion" || m["RequestId"] != "R" || m["HostId"] == "" || m["Message"] == "" || m["Recommend"] == "" {
		t.Errorf("status %d, body %v", w.Code, m)
	}
	w = httptest.NewRecorder()
	Fail(w, Request{Action: "X"}, "R", NoSuchAction())
	if !strings.Contains(w.Body.String(), "<Error><Code>InvalidAction.NotFound</Code>") {
		t.Errorf("xml error: %s", w.Body)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Action=A&Signature=b", "Version=1")
	f.Add("%zz", "")
	f.Fuzz(func(t *testing.T, query, body string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if q, ok := Parse(r, []byte(body)); ok {
			_ = verifier(signedAt).Verify(q)
		}
	})
}
