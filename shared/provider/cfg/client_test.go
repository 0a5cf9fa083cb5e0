package cfg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func TestNewClient_Endpoint(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                               "https cfg.tencentcloudapi.com",
		"cfg.intl.tencentcloudapi.com":   "https cfg.intl.tencentcloudapi.com",
		"https://cfg.example.com":        "https cfg.example.com",
		"http://127.0.0.1:8081":          "http 127.0.0.1:8081",
		"http://localhost:8081/":         "http localhost:8081",
		"http://[::1]:8081":              "http [::1]:8081",
		"http://cfg.tencentcloudapi.com": "",
		"ftp://127.0.0.1":                "",
		"https://":                       "",
		"https://u:p@example.com":        "",
		"http://127.0.0.1.example.com":   "",
	} {
		v := &vendor{reply: `{"Response":{}}`}
		c, err := NewClient(driver.Config{Endpoint: endpoint, Credentials: credentials, Transport: v})
		if want == "" {
			if err == nil || strings.Contains(err.Error(), "u:p") {
				t.Errorf("%q: %v, want a refusal", endpoint, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", endpoint, err)
			continue
		}
		if err := c.ExecuteTask(t.Context(), 1); err != nil {
			t.Errorf("%q: %v", endpoint, err)
		}
		if got := v.req.URL.Scheme + " " + v.req.URL.Host; got != want || v.req.Host != v.req.URL.Host {
			t.Errorf("%q calls %q with host %q, want %q", endpoint, got, v.req.Host, want)
		}
	}
	if _, err := Open(driver.Config{}); err == nil {
		t.Error("a driver without credentials opens")
	}
}

func TestClient_IdentityGoesToSTS(t *testing.T) {
	for endpoint, want := range map[string]string{"": "sts.tencentcloudapi.com", "cfg.intl.tencentcloudapi.com": "sts.intl.tencentcloudapi.com", "http://127.0.0.1:8081": "127.0.0.1:8081"} {
		v := &vendor{reply: `{"Response":{"AccountId":"100032429988"}}`}
		c, err := NewClient(driver.Config{Endpoint: endpoint, Credentials: credentials, Transport: v})
		if err != nil {
			t.Fatal(err)
		}
		if id, err := c.GetCallerIdentity(t.Context()); err != nil || id != "100032429988" || v.req.URL.Host != want || v.req.Header.Get("X-TC-Version") != "2018-08-13" {
			t.Errorf("%q: id %q, %v, host %s", endpoint, id, err, v.req.URL.Host)
		}
	}
}

func TestClient_IdsStayExact(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"TaskId":9007199254740993}}`)
	id, err := c.CreateTaskFromTemplate(t.Context(), FromTemplate{TemplateId: 9007199254740995})
	if err != nil || id != 9007199254740993 || !strings.Contains(v.body, "9007199254740995") {
		t.Errorf("id %d, %v, body %s", id, err, v.body)
	}
}

func TestClient_LenientNumbers(t *testing.T) {
	c, v := seedClient(t, `{"Response":{"Task":{"TaskId":"3256","TaskStatus":1002.0,"TaskMode":null,"TaskPauseDuration":""},"ReportInfo":null}}`)
	got, err := c.DescribeTask(t.Context(), 3256)
	if err != nil || got.Task.TaskId != 3256 || got.Task.TaskStatus != 1002 || got.Task.TaskMode != 0 {
		t.Errorf("%+v, %v", got.Task, err)
	}
	for _, bad := range []string{`{"Response":{"Task":{"TaskGroups":{}}}}`, `{"Response":{"Task":{"TaskGroups":[{"TaskGroupActions":[7]}]}}}`, `{"Response":{"Task":[]}}`, `{}`, `[]`, ``} {
		v.reply = bad
		if _, err := c.DescribeTask(t.Context(), 3256); err == nil {
			t.Errorf("%s is taken for a task", bad)
		}
	}
}

// No field may hide the others, whatever the service makes of it one day: each in turn is a number, a text, a flag, a list and an
// object. The lists of groups, actions and instances are the exception, and RequestId, which the SDK reads itself.
func TestClient_EveryFieldTakesAnyValue(t *testing.T) {
	strict := []string{"Task", "TaskGroups", "TaskGroupActions", "TaskGroupInstances", "RequestId"}
	text, whole := sample(t, "describe_task.json")
	c, v := seedClient(t, text)
	n := 0
	var each func(at any)
	each = func(at any) {
		switch at := at.(type) {
		case map[string]any:
			for name, was := range at {
				for _, odd := range []any{1.5, -7, "FUTURE", true, []any{}, []any{"x", 1}, map[string]any{"a": []any{1}}, nil} {
					if slices.Contains(strict, name) {
						break
					}
					at[name] = odd
					b, err := json.Marshal(map[string]any{"Response": whole})
					if err != nil {
						t.Fatal(err)
					}
					v.reply = string(b)
					got, err := c.DescribeTask(t.Context(), 3256)
					if n++; err != nil || got.Task.TaskId != 3256 || len(got.Task.TaskGroups) != 1 {
						t.Errorf("%s is %v: %v", name, odd, err)
					}
				}
				at[name] = was
				each(was)
			}
		case []any:
			for _, one := range at {
				each(one)
			}
		}
	}
	each(whole)
	if n < 500 {
		t.Errorf("only %d readings", n)
	}
}

func TestClient_CredentialsAreFetchedForEachCall(t *testing.T) {
	v := &vendor{reply: `{"Response":{}}`}
	n := 0
	c, err := NewClient(driver.Config{Transport: v, Credentials: func(context.Context) (driver.Credentials, error) {
		n++
		return driver.Credentials{AccessKey: fmt.Sprintf("AKID%d", n), Secret: "s", Token: fmt.Sprintf("token%d", n)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 2; i++ {
		if err := c.ExecuteTask(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if got := v.req.Header.Get("X-TC-Token"); got != fmt.Sprintf("token%d", i) || !strings.Contains(v.req.Header.Get("Authorization"), fmt.Sprintf("Credential=AKID%d/", i)) {
			t.Errorf("call %d carries token %q", i, got)
		}
	}
}

func TestClient_FollowsNoRedirect(t *testing.T) {
	var calls int
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	c, err := NewClient(driver.Config{Endpoint: srv.URL, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ExecuteTask(t.Context(), 1); err == nil || codeOf(err) != driver.Uncertain {
		t.Errorf("%v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestClient_NobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	c, err := NewClient(driver.Config{Endpoint: "http://" + addr, Credentials: credentials})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ExecuteTask(t.Context(), 1); codeOf(err) != driver.Unavailable {
		t.Errorf("%v is %q: no connection was made, so nothing was done", err, codeOf(err))
	}
}

func TestClient_ParallelUse(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"Response":{"Task":{"TaskId":7}}}`)
	}))
	defer srv.Close()
	c, err := NewClient(driver.Config{Endpoint: srv.URL, Credentials: credentials, Transport: srv.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := c.DescribeTask(t.Context(), 7); err != nil || got.Task.TaskId != 7 {
				t.Errorf("%v, %v", got.Task.TaskId, err)
			}
		})
	}
	wg.Wait()
}

func TestCode(t *testing.T) {
	vendorError := func(action string, write bool, code string) error {
		return fmt.Errorf("wrapped: %w", &CallError{Action: action, Write: write, Err: tcerr.NewTencentCloudSDKError(code, "m", "r")})
	}
	for _, c := range []struct {
		err  error
		want driver.Code
	}{
		{nil, driver.OK},
		{vendorError("DescribeTask", false, "ResourceNotFound"), driver.NotFound},
		{vendorError("DescribeTask", false, "ResourceNotFound.Task"), driver.NotFound},
		{vendorError("DescribeTask", false, "RequestLimitExceeded.UinLimitExceeded"), driver.Throttled},
		{vendorError("DescribeTask", false, "AuthFailure.SignatureFailure"), driver.Denied},
		{vendorError("DescribeTask", false, "AuthFailure.TokenFailure"), driver.Expired},
		{vendorError("DescribeTask", false, "InternalError"), driver.Unavailable},
		{vendorError("ExecuteTask", true, "InternalError"), driver.Uncertain},
		{vendorError("ExecuteTask", true, "ClientError.NetworkError"), driver.Uncertain},
		{vendorError("DescribeTask", false, "ClientError.ParseJsonError"), driver.Unavailable},
		{vendorError("CreateTaskFromTemplate", true, "ClientError.HttpStatusCodeError"), driver.Uncertain},
		{vendorError("ExecuteTask", true, "ServiceUnavailable"), driver.Unavailable},
		{vendorError("ExecuteTaskInstance", true, "OperationDenied"), driver.NotNow},
		{vendorError("ExecuteTaskInstance", true, "InvalidParameterValue"), driver.NotNow},
		{vendorError("CreateTaskFromTemplate", true, "InvalidParameterValue"), driver.Invalid},
		{vendorError("CreateTaskFromTemplate", true, "UnsupportedOperation"), driver.Invalid},
		{vendorError("ExecuteTask", true, "UnsupportedOperation"), driver.NotNow},
		{vendorError("CreateTaskFromTemplate", true, "LimitExceeded"), driver.Quota},
		{vendorError("DescribeTask", false, "NeverSeenBefore"), driver.Unknown},
		{vendorError("DescribeTask", false, ""), driver.Unknown},
		{&CallError{Action: "ExecuteTask", Write: true, Unsent: true, Err: tcerr.NewTencentCloudSDKError("ClientError.NetworkError", "", "")}, driver.Unavailable},
		{driver.ErrNotNow, driver.NotNow},
		{fmt.Errorf("x: %w", driver.ErrInvalid), driver.Invalid},
		{driver.ErrUnsupported, driver.Invalid},
		{context.DeadlineExceeded, driver.Uncertain},
		{errors.New("other"), driver.Unknown},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
}

func TestClient_GatewayErrors(t *testing.T) {
	c, v := seedClient(t, `<html>bad gateway</html>`)
	v.status = http.StatusBadGateway
	if _, err := c.DescribeTask(t.Context(), 1); codeOf(err) != driver.Unavailable {
		t.Errorf("read: %v is %q", err, codeOf(err))
	}
	if err := c.ExecuteTask(t.Context(), 1); codeOf(err) != driver.Uncertain {
		t.Errorf("write: %v is %q", err, codeOf(err))
	}
	v.status, v.reply = 200, `{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"no"},"RequestId":"r1"}}`
	err := c.ExecuteTask(t.Context(), 1)
	var sdk *tcerr.TencentCloudSDKError
	if !errors.As(err, &sdk) || sdk.RequestId != "r1" || !strings.HasPrefix(err.Error(), "cfg ExecuteTask: ") {
		t.Errorf("%v hides the vendor's error", err)
	}
}

func TestEnvCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want driver.Credentials
	}{
		"none":       {nil, driver.Credentials{}},
		"half a set": {map[string]string{"TENCENTCLOUD_SECRETID": "a", "TENCENTCLOUD_SECRET_KEY": "b"}, driver.Credentials{}},
		"the SDK's":  {map[string]string{"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "b"}, driver.Credentials{AccessKey: "a", Secret: "b"}},
		"SCF's first": {map[string]string{"TENCENTCLOUD_SECRETID": "x", "TENCENTCLOUD_SECRETKEY": "y", "TENCENTCLOUD_SESSIONTOKEN": "z",
			"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "b", "TENCENTCLOUD_TOKEN": "c"}, driver.Credentials{AccessKey: "x", Secret: "y", Token: "z"}},
	} {
		t.Run(name, func(t *testing.T) {
			get := EnvCredentials(func(k string) string { return c.env[k] })
			got, err := get(t.Context())
			if got != c.want || (err == nil) != (c.want != driver.Credentials{}) {
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	env := map[string]string{"TENCENTCLOUD_SECRETID": "1", "TENCENTCLOUD_SECRETKEY": "k"}
	get := EnvCredentials(func(k string) string { return env[k] })
	env["TENCENTCLOUD_SECRETID"] = "2" // a new invocation
	if got, err := get(t.Context()); err != nil || got.AccessKey != "2" {
		t.Errorf("%+v, %v: the environment is read at each call", got, err)
	}
}
