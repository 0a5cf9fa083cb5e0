package sandbox

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzServeHTTP: no request, however odd, breaks the sandbox or is taken without a signature, and every one is answered.
func FuzzServeHTTP(f *testing.F) {
	f.Add("POST", "/experiments", "application/json", "AWS4-HMAC-SHA256 Credential=sandbox/20261121/us-east-1/fis/aws4_request, SignedHeaders=host, Signature=00", "", `{"experimentTemplateId":"EXTlong00000000001","clientToken":"t"}`)
	f.Add("DELETE", "/experiments/EXP1", "", "", "", "")
	f.Add("PATCH", "/safetyLevers/default/state", "application/json", "", "", `{"state":{"status":"engaged","reason":"x"}}`)
	f.Add("POST", "/tags/arn%3Aaws%3Afis", "application/json", "", "", `{"tags":{}}`)
	f.Add("POST", "/", "application/x-www-form-urlencoded", "", "", "Action=StartExecution&Version=2019-06-01&AccessKeyId=sandbox&Signature=x")
	f.Add("GET", "/?Action=ExecuteExperiment&Version=2019-09-01&AccessKeyId=sandbox&SignatureMethod=HMAC-SHA1", "", "", "", "")
	f.Add("POST", "/", "application/json", "TC3-HMAC-SHA256 Credential=sandbox/2026-11-21/cfg/tc3_request, SignedHeaders=content-type;host, Signature=00", "ExecuteTask", `{"TaskId":"3256"}`)
	f.Add("PUT", "/_sandbox/faults", "application/json", "", "", `[{"fault":"throttle"}]`)
	f.Add("PUT", "/_sandbox/alarms/%2e%2e", "application/json", "", "", `{"state":"firing"}`)
	f.Add("POST", "/_sandbox/clock", "application/json", "", "", `{"advance":"1s"}`)
	f.Fuzz(func(t *testing.T, method, target, contentType, authorization, action, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		s := New(Options{Clock: NewFixed(start), Real: func() time.Time { return start }})
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI, r.Host = method, u, target, "127.0.0.1:8081"
		r.Header.Set("Content-Type", contentType)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if action != "" {
			r.Header.Set("X-Tc-Action", action)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("status %d", w.Code)
		}
		if runs := s.Runs(); len(runs) != 0 {
			t.Errorf("a request without a valid signature made %+v", runs)
		}
	})
}
