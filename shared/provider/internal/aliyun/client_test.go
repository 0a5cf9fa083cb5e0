package aliyun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/oos"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	testSecret = "s3cr3t-of-the-test"
	testToken  = "CAIS-session-token+/="
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func config(t http.RoundTripper) driver.Config {
	return driver.Config{
		Region: "cn-hangzhou", Transport: t, Timeout: 5 * time.Second,
		Credentials: func(context.Context) (driver.Credentials, error) {
			return driver.Credentials{AccessKey: "LTAItest", Secret: testSecret, Token: testToken}, nil
		},
	}
}

func open(t *testing.T, c driver.Config) *Client {
	t.Helper()
	client, err := New(c, "oos.cn-hangzhou.aliyuncs.com")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func start(ctx context.Context, c *Client, kind Kind, out any) error {
	req := oos.CreateStartExecutionRequest()
	req.TemplateName = "loop-echo"
	return c.Do(ctx, kind, req, out)
}

func clean(t *testing.T, err error) {
	t.Helper()
	for _, s := range []string{testSecret, testToken, url.QueryEscape(testToken), "Signature=", "SecurityToken=", "LTAItest"} {
		if err != nil && strings.Contains(err.Error(), s) {
			t.Errorf("the error holds %q: %v", s, err)
		}
	}
}

func TestNew_RefusesWhatIsNotSafe(t *testing.T) {
	for _, c := range []struct {
		name, endpoint, region string
		good                   bool
	}{
		{"http off the machine", "http://oos.example.com", "cn-hangzhou", false},
		{"http on a private address", "http://10.0.0.1:8081", "cn-hangzhou", false},
		{"another scheme", "ftp://127.0.0.1", "cn-hangzhou", false},
		{"no scheme", "127.0.0.1:8081", "cn-hangzhou", false},
		{"a password in it", "https://me:pw@example.com", "cn-hangzhou", false},
		{"a path", "https://example.com/oos", "cn-hangzhou", false},
		{"a region that is none", "", "cn hangzhou/", false},
		{"no region", "", "", false},
		{"the vendor's own", "", "cn-hangzhou", true},
		{"http on loopback", "http://127.0.0.1:8081", "cn-hangzhou", true},
		{"http on localhost", "http://localhost:8081/", "cn-hangzhou", true},
		{"http on ipv6 loopback", "http://[::1]:8081", "cn-hangzhou", true},
		{"a private https endpoint", "https://oos-vpc.cn-hangzhou.aliyuncs.com", "cn-hangzhou", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(nil)
			cfg.Endpoint, cfg.Region = c.endpoint, c.region
			_, err := New(cfg, "oos.cn-hangzhou.aliyuncs.com")
			if (err == nil) != c.good {
				t.Fatalf("got %v, want good = %t", err, c.good)
			}
			if err != nil && (Classify(err, nil) != driver.Invalid || strings.Contains(err.Error(), "pw")) {
				t.Errorf("class %q of %v", Classify(err, nil), err)
			}
		})
	}
}

func TestDo_SendsHTTPSWithTokenAndRegion(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://user:pass@%zz")
	t.Setenv("NO_PROXY", "[")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "ambient")
	for _, region := range []string{"", "cn-public"} {
		t.Run("region "+region, func(t *testing.T) {
			var got *http.Request
			c := open(t, config(roundTripper(func(r *http.Request) (*http.Response, error) {
				got = r
				return answer(200, `{"RequestId":"R"}`), nil
			})))
			req := oos.CreateStartExecutionRequest()
			want := "cn-hangzhou"
			if region != "" {
				req.QueryParams["RegionId"], want = region, region
			}
			if err := c.Do(t.Context(), Write, req, nil); err != nil {
				t.Fatal(err)
			}
			q := got.URL.Query()
			if got.URL.Scheme != "https" || got.URL.Host != "oos.cn-hangzhou.aliyuncs.com" || got.Method != "POST" {
				t.Errorf("%s %s://%s", got.Method, got.URL.Scheme, got.URL.Host)
			}
			for k, v := range map[string]string{"SecurityToken": testToken, "AccessKeyId": "LTAItest", "RegionId": want, "Action": "StartExecution",
				"Version": "2019-06-01", "Format": "JSON", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0"} {
				if q.Get(k) != v {
					t.Errorf("%s = %q, want %q", k, q.Get(k), v)
				}
			}
			if q.Get("Signature") == "" || q.Get("SignatureNonce") == "" || q.Get("Timestamp") == "" {
				t.Errorf("unsigned: %v", q)
			}
		})
	}
}

func TestDo_LongParametersGoIntoTheBody(t *testing.T) {
	long := strings.Repeat("演", 2000)
	var query, body string
	c := open(t, config(roundTripper(func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		query, body = r.URL.RawQuery, string(b)
		if r.ContentLength != int64(len(b)) {
			t.Errorf("content length %d of %d bytes", r.ContentLength, len(b))
		}
		return answer(200, `{}`), err
	})))
	req := oos.CreateStartExecutionRequest()
	req.TemplateContent = long
	if err := c.Do(t.Context(), Write, req, nil); err != nil {
		t.Fatal(err)
	}
	v, err := url.ParseQuery(body)
	if err != nil || query != "" || v.Get("TemplateContent") != long || v.Get("Signature") == "" {
		t.Errorf("query %d bytes, body %d bytes, %v", len(query), len(body), err)
	}
}

// checkReply makes a call that is answered so, and checks its class.
func checkReply(t *testing.T, status int, body string, kind Kind, want driver.Code) {
	t.Helper()
	calls := 0
	client := open(t, config(roundTripper(func(*http.Request) (*http.Response, error) {
		calls++
		r := answer(status, body)
		r.Header.Set("Location", "https://elsewhere.example.com/")
		return r, nil
	})))
	var out struct{ Execution struct{ ExecutionId string } }
	err := start(t.Context(), client, kind, &out)
	if got := Classify(err, nil); got != want {
		t.Errorf("class %q of %v, want %q", got, err, want)
	}
	if calls != 1 {
		t.Errorf("%d calls, want one", calls)
	}
	clean(t, err)
	if want == driver.OK && out.Execution.ExecutionId != "exec-1" {
		t.Errorf("decoded %+v", out)
	}
}

func TestDo_RepliesAndTheirClasses(t *testing.T) {
	const sign = `{"Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId%3DLTAItest%26SecurityToken%3D` + testToken + `","RequestId":"R"}`
	for _, c := range []struct {
		name        string
		status      int
		body        string
		read, write driver.Code
	}{
		{"a code that is a number", 400, `{"Code":3301,"Message":"x","RequestId":"R"}`, driver.Unknown, driver.Unknown},
		{"a message that is an object", 400, `{"Code":"InvalidVersion","Message":{"a":1},"RequestId":7}`, driver.Invalid, driver.Invalid},
		{"an error that is no json", 502, `<html>bad gateway</html>`, driver.Unavailable, driver.Uncertain},
		{"an empty error", 503, ``, driver.Unavailable, driver.Uncertain},
		{"an internal error", 500, `{"Code":"InternalError"}`, driver.Unavailable, driver.Uncertain},
		{"an error list", 400, `[1,2]`, driver.Unknown, driver.Unknown},
		{"throttling of a user", 400, `{"Code":"Throttling.User"}`, driver.Throttled, driver.Throttled},
		{"throttling that is a 503", 503, `{"Code":"Throttling"}`, driver.Throttled, driver.Throttled},
		{"a signature that does not match", 400, sign, driver.Denied, driver.Denied},
		{"an unknown access key", 404, `{"Code":"InvalidAccessKeyId.NotFound"}`, driver.Denied, driver.Denied},
		{"an expired sts token", 400, `{"Code":"ExpiredStsToken"}`, driver.Expired, driver.Expired},
		{"a malformed sts token", 400, `{"Code":"InvalidSecurityToken.Malformed"}`, driver.Expired, driver.Expired},
		{"a used nonce", 400, `{"Code":"SignatureNonceUsed"}`, driver.Unavailable, driver.Uncertain},
		{"a forbidden call", 403, `{"Code":"Forbidden.RAM","AccessDeniedDetail":{"a":"b"}}`, driver.Denied, driver.Denied},
		{"a 404 of an unknown code", 404, `{"Code":"Nowhere"}`, driver.NotFound, driver.NotFound},
		{"a redirect", 302, `moved`, driver.Unknown, driver.Unknown},
		{"a good status with html", 200, `<html>`, driver.Unavailable, driver.Uncertain},
		{"a good status with nothing", 200, ``, driver.Unavailable, driver.Uncertain},
		{"a good status cut short", 200, `{"Execution":{"ExecutionId":"exec-1"`, driver.Unavailable, driver.Uncertain},
		{"a good reply", 200, `{"Execution":{"ExecutionId":"exec-1","Outputs":{}}}`, driver.OK, driver.OK},
	} {
		for kind, want := range map[Kind]driver.Code{Read: c.read, Write: c.write} {
			t.Run(fmt.Sprintf("%s, kind %d", c.name, kind), func(t *testing.T) {
				checkReply(t, c.status, c.body, kind, want)
			})
		}
	}
}

func TestDo_TransportErrorsHoldNoSecretAndTellWhetherAnythingWasSent(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, c := range []struct {
		name string
		fail error
		want driver.Code
	}{
		{"no connection", dial, driver.Unavailable},
		{"connection lost", errors.New("connection reset by peer"), driver.Uncertain},
		{"a url error inside a url error", &url.Error{Op: "Post", URL: "https://x/?Signature=abc&SecurityToken=" + testToken, Err: errors.New("eof")}, driver.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := open(t, config(roundTripper(func(*http.Request) (*http.Response, error) { return nil, c.fail })))
			err := start(t.Context(), client, Write, nil)
			if got := Classify(err, nil); got != c.want {
				t.Errorf("class %q of %v, want %q", got, err, c.want)
			}
			clean(t, err)
		})
	}
}

func TestDo_TimesOutByItselfAndByContext(t *testing.T) {
	held := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-held:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(held)
	cfg := config(srv.Client().Transport)
	cfg.Endpoint, cfg.Timeout = srv.URL, 50*time.Millisecond
	err := start(t.Context(), open(t, cfg), Write, nil)
	if Classify(err, nil) != driver.Uncertain || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("own timeout: class %q of %v", Classify(err, nil), err)
	}
	clean(t, err)
	cfg.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = start(ctx, open(t, cfg), Read, nil)
	if Classify(err, nil) != driver.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline of the caller: class %q of %v", Classify(err, nil), err)
	}
	clean(t, err)
	if err := start(ctx, open(t, cfg), Write, nil); Classify(err, nil) != driver.Unavailable {
		t.Errorf("a call that was never sent: class %q of %v", Classify(err, nil), err)
	}
}

func TestDo_CredentialsAreFetchedForEveryCall(t *testing.T) {
	n := 0
	cfg := config(roundTripper(func(r *http.Request) (*http.Response, error) {
		if want := fmt.Sprintf("key-%d", n); r.URL.Query().Get("AccessKeyId") != want {
			t.Errorf("call %d was signed with %s", n, r.URL.Query().Get("AccessKeyId"))
		}
		if r.URL.Query().Has("SecurityToken") {
			t.Error("a token was sent that nobody gave")
		}
		return answer(200, `{}`), nil
	}))
	cfg.Credentials = func(context.Context) (driver.Credentials, error) {
		n++
		return driver.Credentials{AccessKey: fmt.Sprintf("key-%d", n), Secret: testSecret}, nil
	}
	c := open(t, cfg)
	for range 2 {
		if err := start(t.Context(), c, Read, nil); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Credentials = func(context.Context) (driver.Credentials, error) {
		return driver.Credentials{AccessKey: "only half"}, nil
	}
	if err := start(t.Context(), open(t, cfg), Write, nil); Classify(err, nil) != driver.Denied {
		t.Errorf("half credentials: class %q of %v", Classify(err, nil), err)
	}
}

func TestDo_ParallelUseOfOneClient(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"Execution":{"ExecutionId":%q}}`, r.URL.Query().Get("ClientToken"))
	}))
	defer srv.Close()
	cfg := config(srv.Client().Transport)
	cfg.Endpoint = srv.URL
	c := open(t, cfg)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			req := oos.CreateStartExecutionRequest()
			req.ClientToken = fmt.Sprint("t", i)
			var out struct{ Execution struct{ ExecutionId string } }
			if err := c.Do(t.Context(), Write, req, &out); err != nil || out.Execution.ExecutionId != req.ClientToken {
				t.Errorf("call %d: %+v, %v", i, out, err)
			}
		})
	}
	wg.Wait()
}
