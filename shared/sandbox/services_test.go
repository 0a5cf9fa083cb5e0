package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// vendors are the vendors' own clients, pointed at an endpoint and a transport.
type vendors struct {
	secret, host string
	transport    http.RoundTripper
}

func (v vendors) aws() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + v.host), HTTPClient: &http.Client{Transport: v.transport},
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: DefaultAccessKey, SecretAccessKey: v.secret}, nil
		}),
	}
}

func (v vendors) fisTemplates(ctx context.Context) (int, error) {
	out, err := fis.NewFromConfig(v.aws()).ListExperimentTemplates(ctx, &fis.ListExperimentTemplatesInput{})
	if err != nil {
		return 0, err
	}
	return len(out.ExperimentTemplates), nil
}

func (v vendors) awsIdentity(ctx context.Context) (int, error) {
	out, err := sts.NewFromConfig(v.aws()).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return 0, err
	}
	return len(aws.ToString(out.Account)), nil
}

func (v vendors) alibaba(version, action string, params ...string) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		config := sdk.NewConfig().WithAutoRetry(false).WithTimeout(5 * time.Second).WithScheme("HTTP")
		client, err := sdk.NewClientWithOptions("cn-hangzhou", config, credentials.NewAccessKeyCredential(DefaultAccessKey, v.secret))
		if err != nil {
			return 0, err
		}
		client.SetTransport(v.transport)
		r := requests.NewCommonRequest()
		r.Method, r.Scheme, r.Domain, r.Version, r.ApiName = http.MethodPost, "HTTP", v.host, version, action
		r.QueryParams["RegionId"] = "cn-hangzhou"
		for i := 0; i+1 < len(params); i += 2 {
			r.QueryParams[params[i]] = params[i+1]
		}
		out, err := client.ProcessCommonRequest(r)
		if err != nil {
			return 0, err
		}
		return len(out.GetHttpContentBytes()), nil
	}
}

func (v vendors) tencent(action string, params map[string]any) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		p := profile.NewClientProfile()
		p.HttpProfile.Scheme, p.HttpProfile.Endpoint = "HTTP", v.host
		client := common.NewCommonClient(common.NewCredential(DefaultAccessKey, v.secret), "ap-guangzhou", p)
		client.WithHttpTransport(v.transport)
		r := tchttp.NewCommonRequest("cfg", "2021-08-20", action)
		if err := r.SetActionParameters(params); err != nil {
			return 0, err
		}
		out := tchttp.NewCommonResponse()
		if err := client.Send(r, out); err != nil {
			return 0, err
		}
		return len(out.GetBody()), nil
	}
}

func (v vendors) calls() map[string]func(context.Context) (int, error) {
	return map[string]func(context.Context) (int, error){
		"fis ListExperimentTemplates": v.fisTemplates,
		"fis GetCallerIdentity":       v.awsIdentity,
		"oos ListTemplates":           v.alibaba("2019-06-01", "ListTemplates"),
		"ahas PageableQueryExperimentTaskByExperimentId": v.alibaba("2019-09-01", "PageableQueryExperimentTaskByExperimentId",
			"ExperimentId", "1234567890123456789", "Page", "1", "Size", "10", "NameSpace", "default"),
		"cfg DescribeTemplateList": v.tencent("DescribeTemplateList", map[string]any{"Limit": 10, "Offset": 0}),
	}
}

// spy asserts that exactly one service recognises what passes, and passes it on.
type spy struct {
	t    *testing.T
	s    *Sandbox
	want string
	next http.RoundTripper
}

func (p spy) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = b
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	in, err := received(r, body)
	if err != nil {
		return nil, err
	}
	var got []string
	for _, v := range p.s.services {
		if c, ok := v.Recognise(in, body); ok {
			got = append(got, c.Service+" "+c.Op)
			if c.Service != v.Name() || c.Key == "" || c.Kind == "" {
				p.t.Errorf("%s recognises it incompletely: %+v", v.Name(), c)
			}
		}
	}
	if len(got) != 1 || got[0] != p.want {
		p.t.Errorf("%s %s is recognised as %v, want %s alone", r.Method, r.URL, got, p.want)
	}
	return p.next.RoundTrip(r)
}

func TestServices_vendorsClientsReachTheirOwnServiceAlone(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name := range (vendors{}).calls() {
		t.Run(name, func(t *testing.T) {
			s := New(Options{Real: time.Now})
			v := vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: spy{t, s, name, s.Transport()}}
			if n, err := v.calls()[name](t.Context()); err != nil || n == 0 {
				t.Errorf("in memory: %d, %v", n, err)
			}
			server := httptest.NewServer(s)
			defer server.Close()
			v = vendors{secret: DefaultSecret, host: server.Listener.Addr().String(), transport: server.Client().Transport}
			if n, err := v.calls()[name](t.Context()); err != nil || n == 0 {
				t.Errorf("over the wire: %d, %v", n, err)
			}
			v.secret = "wrong"
			if n, err := v.calls()[name](t.Context()); err == nil {
				t.Errorf("a wrong secret was taken: %d", n)
			}
		})
	}
}

func TestServices_faultsAreVendorShaped(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	codes := map[string][]string{ // throttled, internal
		"fis ListExperimentTemplates":                    {"ThrottlingException", "InternalFailure"},
		"fis GetCallerIdentity":                          {"Throttling", "InternalFailure"},
		"oos ListTemplates":                              {"Throttling.User", "InternalError"},
		"ahas PageableQueryExperimentTaskByExperimentId": {"Throttling.User", "InternalError"},
		"cfg DescribeTemplateList":                       {"RequestLimitExceeded", "InternalError"},
	}
	for name := range (vendors{}).calls() {
		for effect, want := range map[Effect]string{
			Throttle: codes[name][0], ErrorBefore: codes[name][1], ErrorAfter: codes[name][1], LoseReply: "unexpected EOF",
		} {
			t.Run(name+" "+string(effect), func(t *testing.T) {
				s := New(Options{Real: time.Now})
				if _, err := s.AddFault(Fault{Fault: effect, Times: 1}); err != nil {
					t.Fatal(err)
				}
				call := vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: s.Transport()}.calls()[name]
				_, err := call(t.Context())
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the client says %v, want %s", err, want)
				}
				if got := s.Requests(); len(got) != 1 || len(got[0].Faults) != 1 {
					t.Errorf("the client made %d calls, want the one: %+v", len(got), got)
				}
				if n, err := call(t.Context()); err != nil || n == 0 {
					t.Errorf("after the fault: %d, %v", n, err)
				}
			})
		}
	}
}

func TestServices_nobodyTakesWhatBelongsToNoOne(t *testing.T) {
	s := New(Options{Real: time.Now})
	for name, r := range map[string]*http.Request{
		"a browser":                httptest.NewRequest(http.MethodGet, "/", nil),
		"a favicon":                httptest.NewRequest(http.MethodGet, "/favicon.ico", nil),
		"a form without an action": httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a=b")),
		"a CloudEvent":             httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(`{"specversion":"1.0"}`)),
		"another Alibaba product":  httptest.NewRequest(http.MethodPost, "/?Action=DescribeInstances&Version=2014-05-26&AccessKeyId=x&Signature=x", nil),
		"S3": signed(httptest.NewRequest(http.MethodGet, "/bucket/key", nil),
			"AWS4-HMAC-SHA256 Credential=sandbox/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range s.services {
				if c, ok := v.Recognise(r, nil); ok {
					t.Errorf("%s takes it for %+v", v.Name(), c)
				}
			}
		})
	}
}

func signed(r *http.Request, authorization string) *http.Request {
	r.Header.Set("Authorization", authorization)
	return r
}

func TestServices_readOut(t *testing.T) {
	s := New(Options{Clock: NewFixed(start), Real: time.Now})
	state := s.State()
	for _, name := range []string{"fis", "ahas", "oos", "cfg"} {
		if len(state[name]) == 0 {
			t.Errorf("%s has no state", name)
		}
	}
	s.Tick()
	s.Reset()
	if runs := s.Runs(); len(runs) != 0 {
		t.Errorf("runs of a fresh sandbox: %v", runs)
	}
}

// BenchmarkServices is one read through the vendor's own client and the transport.
func BenchmarkServices(b *testing.B) {
	b.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s := New(Options{Real: time.Now})
	for name, call := range (vendors{secret: DefaultSecret, host: "127.0.0.1:8081", transport: s.Transport()}).calls() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNew is what each seed of the simulator pays for a fresh sandbox.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(Options{Real: time.Now})
	}
}

// BenchmarkTick is one pass over four idle services.
func BenchmarkTick(b *testing.B) {
	s := New(Options{Real: time.Now})
	b.ReportAllocs()
	for b.Loop() {
		s.Tick()
	}
}
