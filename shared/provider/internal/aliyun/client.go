package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// SignedFor is how old a signature may be. Alibaba documents 15 minutes for x-acs-date,
// https://help.aliyun.com/zh/model-studio/user-guide/roa-style-request-body-signature-mechanism; the pages of the RPC style, which
// the drivers use, name no number of their own.
const SignedFor = 15 * time.Minute

const (
	defaultTimeout = 10 * time.Second
	// maxURL is the longest query that is sent in the URL; longer ones go into the body, where the RPC style takes
	// the same parameters under the same signature.
	maxURL = 4096
)

// Client calls the actions of one product in one region. It holds no state between calls and is safe for concurrent use.
type Client struct {
	cfg    driver.Config
	scheme string
	host   string
}

var regionPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_-]+$`) })

// New makes a client for the product whose public host is given, such as oos.cn-hangzhou.aliyuncs.com. A configured
// endpoint replaces that host; it must be https unless it is on the loopback interface. New makes no call.
func New(cfg driver.Config, host string) (*Client, error) {
	c := &Client{cfg: cfg, scheme: "https", host: host}
	if !regionPattern().MatchString(cfg.Region) {
		return nil, fmt.Errorf("region %q: want a region such as cn-hangzhou: %w", cfg.Region, driver.ErrInvalid)
	}
	if cfg.Credentials == nil {
		return nil, fmt.Errorf("no source of credentials: %w", driver.ErrInvalid)
	}
	if cfg.Endpoint == "" {
		return c, nil
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("endpoint: want a URL with a scheme and a host and nothing else: %w", driver.ErrInvalid)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("endpoint %s: want https, or http on the loopback interface: %w", u.Host, driver.ErrInvalid)
	}
	c.scheme, c.host = u.Scheme, u.Host
	return c, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Do sends the request once and decodes the body of a 2xx reply into out, which may be nil. The request is sent to the
// client's region unless its query parameters name a RegionId. Every error is an *Error. A request must not be used twice.
func (c *Client) Do(ctx context.Context, kind Kind, req requests.AcsRequest, out any) error {
	fail := &Error{Action: req.GetActionName(), Kind: kind}
	if err := ctx.Err(); err != nil {
		return fail.unsent(err)
	}
	timeout := c.cfg.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cred, err := c.credential(ctx)
	if err != nil {
		return fail.uncredited(err)
	}
	client, err := c.sdkClient(ctx, timeout, cred)
	if err != nil {
		return fail.unsent(err)
	}
	req.SetScheme(c.scheme)
	req.SetDomain(c.host)
	if _, set := req.GetQueryParams()["RegionId"]; !set {
		req.GetQueryParams()["RegionId"] = c.cfg.Region
	}
	resp := responses.NewCommonResponse() // the SDK leaves the body of a CommonResponse alone
	if err := act(client, req, resp); resp.GetHttpStatus() == 0 {
		return fail.transport(err)
	}
	return fail.reply(resp.GetHttpStatus(), resp.GetHttpContentBytes(), out)
}

// act calls the SDK and turns its panics into errors.
func act(client *sdk.Client, req requests.AcsRequest, resp responses.AcsResponse) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the vendor's sdk panicked")
		}
	}()
	return client.DoAction(req, resp)
}

func (c *Client) credential(ctx context.Context) (auth.Credential, error) {
	got, err := c.cfg.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	if got.AccessKey == "" || got.Secret == "" {
		return nil, errors.New("access key or secret is empty")
	}
	if got.Token != "" {
		return credentials.NewStsTokenCredential(got.AccessKey, got.Secret, got.Token), nil
	}
	return credentials.NewAccessKeyCredential(got.AccessKey, got.Secret), nil
}

func (c *Client) sdkClient(ctx context.Context, timeout time.Duration, cred auth.Credential) (*sdk.Client, error) {
	config := sdk.NewConfig().WithAutoRetry(false).WithTimeout(timeout)
	client, err := sdk.NewClientWithOptions(c.cfg.Region, config, cred)
	if err != nil {
		return nil, err
	}
	base := c.cfg.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	client.SetTransport(carrier{ctx: ctx, base: base})
	client.SetCloseTrace(true)
	// The SDK parses the proxy variables of the environment for every call and fails on one it cannot read, although
	// only the shared transport decides about proxies. Values of our own keep it from looking.
	client.SetHttpProxy("http://proxy.invalid")
	client.SetHttpsProxy("http://proxy.invalid")
	client.SetNoProxy("proxy.invalid")
	return client, nil
}

// carrier brings the caller's context to the shared transport. It lives for one call.
type carrier struct {
	ctx  context.Context //nolint:containedctx // the SDK has no other way in
	base http.RoundTripper
}

// RoundTrip sends the request under the caller's context, follows no redirect and bounds the reply.
func (t carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(t.ctx)
	if len(out.URL.RawQuery) > maxURL && out.ContentLength <= 0 {
		toBody(out)
	}
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Header.Del("Location") // http.Client returns a redirect without it as it is
	resp.Body = bounded{Reader: http.MaxBytesReader(nil, resp.Body, maxReply), Closer: resp.Body}
	return resp, nil
}

// toBody moves a long query into the body. Method, path and the set of parameters are what is signed, so the
// signature stays good.
func toBody(req *http.Request) {
	form := req.URL.RawQuery
	req.URL.RawQuery = ""
	req.Body = readCloser(form)
	req.ContentLength = int64(len(form))
	req.GetBody = nil
}

// decode reads the body of a reply into out.
func decode(body []byte, out any) error {
	if out == nil {
		return nil
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return errors.New("empty reply")
	}
	return json.Unmarshal(body, out)
}
