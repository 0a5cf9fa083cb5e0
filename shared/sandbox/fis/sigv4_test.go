package fis

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name   string
		how    func(*signing)
		edit   func(*http.Request)
		kind   string
		saying string
	}{
		{"wrong secret", func(s *signing) { s.secret = "other" }, nil, "InvalidSignatureException", "does not match the signature you provided"},
		{"unknown key", func(s *signing) { s.key = "AKIDOTHER" }, nil, "UnrecognizedClientException", "security token"},
		{"six minutes old", func(s *signing) { s.at = s.at.Add(-6 * time.Minute) }, nil, "InvalidSignatureException", "Signature expired: 20261121T065400Z is now earlier than 20261121T065500Z"},
		{"six minutes early", func(s *signing) { s.at = s.at.Add(6 * time.Minute) }, nil, "InvalidSignatureException", "Signature not yet current"},
		{"query changed", nil, func(r *http.Request) { r.URL.RawQuery = "maxResults=7" }, "InvalidSignatureException", "does not match"},
		{"path changed", nil, func(r *http.Request) { r.URL.Path = "/experimentTemplates" }, "InvalidSignatureException", "does not match"},
		{"method changed", nil, func(r *http.Request) { r.Method = "POST" }, "InvalidSignatureException", "does not match"},
		{"host changed", nil, func(r *http.Request) { r.Host = "fis.us-east-1.amazonaws.com" }, "InvalidSignatureException", "does not match"},
		{"date of the header changed", nil, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261121T070001Z") }, "InvalidSignatureException", "does not match"},
		{"date that is none", nil, func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") }, "IncompleteSignatureException", "Date"},
		{"host not signed", nil, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}, "IncompleteSignatureException", "host"},
		{"short credential", nil, func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDTEST, SignedHeaders=host, Signature=00")
		}, "IncompleteSignatureException", "Credential"},
		{"another scheme", nil, func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, "IncompleteSignatureException", "Credential"},
		{"not signed", nil, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"good", nil, nil, "", ""},
		{"good, four minutes old", func(s *signing) { s.at = s.at.Add(-4 * time.Minute) }, nil, "", ""},
		{"good, payload not signed", func(s *signing) { s.hash = noUnsigned }, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", noUnsigned) }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			how := l.signing()
			if c.how != nil {
				c.how(&how)
			}
			r := l.request("GET", "/experiments?maxResults=5", "", &how)
			if c.edit != nil {
				c.edit(r)
			}
			a := l.send(r, "", service.Options{})
			if c.kind == "" {
				if a.status != 200 {
					t.Fatalf("%d %s", a.status, a.raw)
				}
				return
			}
			if a.status != 403 || a.kind != c.kind || !strings.Contains(a.text("message"), c.saying) {
				t.Errorf("%d %s %q, want 403 %s %q", a.status, a.kind, a.text("message"), c.kind, c.saying)
			}
		})
	}
}

func TestVerify_bodyChangedIsRefused(t *testing.T) {
	l := newLab(t)
	how := l.signing()
	const signed = `{"clientToken":"t","experimentTemplateId":"EXTwait00000000001"}`
	r := l.request("POST", "/experiments", signed, &how)
	a := l.send(r, strings.Replace(signed, "wait0", "long0", 1), service.Options{})
	if a.kind != "InvalidSignatureException" || len(l.s.Runs()) != 0 {
		t.Errorf("%d %s, %d runs", a.status, a.kind, len(l.s.Runs()))
	}
}

func TestVerify_oddPathsAndQueries(t *testing.T) {
	l := newLab(t)
	for _, target := range []string{
		"/tags/arn%3Aaws%3Afis%3Aeu-central-1%3A123456789012%3Aexperiment-template%2FEXTwait00000000001",
		"/tags/arn:aws:fis:eu-central-1:123456789012:experiment-template%2FEXTwait00000000001?x=a%20b%2Bc&x=&y=%E7%81%AB",
		"/actions/aws%3Afis%3Await",
		"/experiments?a=2&a=10&a1=3&a-b=4&a.=5&A=6&%C3%A9=7&a%20b=8&z=%26&a=",
	} {
		if a := l.call("GET", target, ""); a.status != 200 {
			t.Errorf("%s: %d %s", target, a.status, a.raw)
		}
	}
}

func TestRecognise(t *testing.T) {
	l := newLab(t)
	fis, ec2, sts := l.signing(), l.signing(), l.signing()
	ec2.service, sts.service = "ec2", "sts"
	const identity = "Action=GetCallerIdentity&Version=2011-06-15"
	for _, c := range []struct {
		name, method, path, body string
		how                      *signing
		op                       string
		kind                     service.Kind
		ok                       bool
	}{
		{"signed for another service", "GET", "/experiments", "", &ec2, "", "", false},
		{"not signed and not ours", "POST", "/", `{"Version":"2018-01-01"}`, nil, "", "", false},
		{"another call of sts", "POST", "/", "Action=AssumeRole", &sts, "", "", false},
		{"unsigned identity", "POST", "/", identity, nil, "", "", false},
		{"identity", "POST", "/", identity, &sts, "GetCallerIdentity", service.Read, true},
		{"unsigned list", "GET", "/experiments", "", nil, "ListExperiments", service.Read, true},
		{"start", "POST", "/experiments", "{}", &fis, "StartExperiment", service.Start, true},
		{"stop", "DELETE", "/experiments/EXP1", "", &fis, "StopExperiment", service.Stop, true},
		{"get", "GET", "/experiments/EXP1", "", &fis, "GetExperiment", service.Read, true},
		{"targets", "GET", "/experiments/EXP1/resolvedTargets", "", &fis, "ListExperimentResolvedTargets", service.Read, true},
		{"lever", "PATCH", "/safetyLevers/default/state", "{}", &fis, "UpdateSafetyLeverState", service.Write, true},
		{"tags with slashes", "POST", "/tags/arn:aws:fis:r:1:experiment/EXP1", "{}", &fis, "TagResource", service.Write, true},
		{"signed for fis, unknown path", "GET", "/nothing/here", "", &fis, "", service.Read, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := l.s.Recognise(l.request(c.method, c.path, c.body, c.how), []byte(c.body))
			if ok != c.ok || got.Op != c.op || ok && (got.Kind != c.kind || got.Key == "" || got.Service != "fis") {
				t.Errorf("%+v, %t", got, ok)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	l := newLab(t)
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	how := l.signing()
	how.service = "sts"
	if a := l.send(l.request("POST", "/", body, &how), body, service.Options{}); a.status != 200 || !strings.Contains(a.raw, "<Account>123456789012</Account>") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	how.secret = "other"
	if a := l.send(l.request("POST", "/", body, &how), body, service.Options{}); a.status != 403 || !strings.Contains(a.raw, "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestFail(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		op     string
		f      service.Failure
		status int
		want   string
	}{
		{"GetExperiment", service.Throttled, 400, `{"message":"Rate exceeded"}`},
		{"GetExperiment", service.Internal, 500, `"message"`},
		{identityOp, service.Throttled, 400, "<Code>Throttling</Code>"},
	} {
		w := httptest.NewRecorder()
		l.s.Fail(w, nil, service.Call{Op: c.op}, c.f)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s", c.op, c.f, w.Code, w.Body)
		}
	}
}
