package cfg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	tchttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	version        = "2021-08-20"
	defaultTimeout = 10 * time.Second
	maxReply       = 16 << 20 // bytes
	// signedFor is how old a signature may be: SignatureExpire, https://www.tencentcloud.com/document/api/1252/68119.
	signedFor = 5 * time.Minute
)

// Client calls the CFG API. Each call fetches credentials, makes one attempt and uses an SDK client of its own, so a
// Client is safe for concurrent use.
type Client struct {
	region, scheme, host string
	credentials          func(ctx context.Context) (driver.Credentials, error)
	transport            http.RoundTripper
	timeout              time.Duration
}

// NewClient returns a client for c. Endpoint may be a host or a URL; plain http is allowed for loopback addresses alone.
func NewClient(c driver.Config) (*Client, error) {
	cl := &Client{region: c.Region, scheme: "https", credentials: c.Credentials, transport: c.Transport, timeout: c.Timeout}
	if cl.credentials == nil {
		return nil, errors.New("cfg: no credentials: set Config.Credentials")
	}
	if cl.transport == nil {
		cl.transport = http.DefaultTransport
	}
	if cl.timeout <= 0 {
		cl.timeout = defaultTimeout
	}
	if c.Endpoint == "" {
		return cl, nil
	}
	text := c.Endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("cfg: endpoint must be a host or a URL such as http://127.0.0.1:8081")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("cfg: endpoint scheme %q: use https; http is for loopback addresses", u.Scheme)
	}
	cl.scheme, cl.host = u.Scheme, u.Host+strings.TrimSuffix(u.Path, "/")
	return cl, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// CallError is a failed call. It unwraps to the SDK's error and, where there is one, to the transport's.
type CallError struct {
	Action string
	Write  bool // the call changes state
	Unsent bool // no connection was made: nothing was done
	Err    error
	Cause  error // what the transport or the context said, which the SDK's error does not unwrap to
}

// Error names the action and the vendor's error.
func (e *CallError) Error() string { return fmt.Sprintf("cfg %s: %v", e.Action, e.Err) }

// Unwrap returns the SDK's error and the transport's.
func (e *CallError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// errCredentials marks a call that was not made for want of credentials.
var errCredentials = errors.New("get credentials")

// request carries a marshalled body through the SDK.
type request struct {
	*tchttp.BaseRequest
	body json.RawMessage
}

// MarshalJSON hands the body to the SDK as it is.
func (r *request) MarshalJSON() ([]byte, error) { return r.body, nil }

// reply keeps the raw body, so that ids do not pass through a float64.
type reply struct {
	*tchttp.BaseResponse
	raw json.RawMessage
}

// UnmarshalJSON keeps the body.
func (r *reply) UnmarshalJSON(b []byte) error {
	r.raw = append(r.raw[:0], b...)
	return nil
}

// wire is the transport of one call: it remembers what went wrong, bounds the reply and follows no redirect.
type wire struct {
	next   http.RoundTripper
	cause  error
	unsent bool
}

// RoundTrip sends the request.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Response != nil {
		return nil, errors.New("the service redirects: refused")
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		w.cause = err
		var op *net.OpError
		w.unsent = errors.As(err, &op) && op.Op == "dial"
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxReply), resp.Body}
	return resp, nil
}

// call sends one action of the CFG API and decodes the reply into out, which may be nil.
func (c *Client) call(ctx context.Context, action string, write bool, in, out any) error {
	return c.send(ctx, "cfg", version, action, write, in, out)
}

func (c *Client) send(ctx context.Context, service, ver, action string, write bool, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	creds, err := c.credentials(ctx)
	if err != nil {
		return &CallError{Action: action, Unsent: true, Err: fmt.Errorf("%w: %w", errCredentials, err)}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return &CallError{Action: action, Unsent: true, Err: fmt.Errorf("encode request: %w", err)}
	}
	req := &request{BaseRequest: &tchttp.BaseRequest{}, body: body}
	req.Init().WithApiInfo(service, ver, action)
	req.SetContext(ctx)
	tap := &wire{next: c.transport}
	resp := &reply{BaseResponse: &tchttp.BaseResponse{}}
	if err := c.sdk(service, creds, tap).Send(req, resp); err != nil {
		return &CallError{Action: action, Write: write, Unsent: tap.unsent, Err: err, Cause: errors.Join(tap.cause, ctx.Err())}
	}
	if out == nil {
		return nil
	}
	if err := decode(resp.raw, out); err != nil {
		return &CallError{Action: action, Write: write, Err: err}
	}
	return nil
}

// sdk returns an SDK client for one call. It starts from NewClientProfile: a profile made by hand enables the region
// breaker, which counts successes as failures. The SDK retries nothing here: CFG has no ClientToken.
func (c *Client) sdk(service string, creds driver.Credentials, tap *wire) *common.Client {
	p := profile.NewClientProfile()
	p.HttpProfile.ReqTimeout = int((c.timeout + time.Second - 1) / time.Second)
	p.HttpProfile.Scheme, p.HttpProfile.Endpoint = c.scheme, c.host
	if service != "cfg" && strings.HasPrefix(c.host, "cfg.") {
		p.HttpProfile.Endpoint = service + strings.TrimPrefix(c.host, "cfg")
	}
	p.Language = "en-US"
	cred := common.NewTokenCredential(creds.AccessKey, creds.Secret, creds.Token)
	return common.NewCommonClient(cred, c.region, p).WithHttpTransport(tap)
}

// errReply marks a reply that came and could not be decoded.
var errReply = errors.New("decode reply")

// decode reads {"Response": {...}}.
func decode(raw []byte, out any) error {
	envelope := struct{ Response json.RawMessage }{}
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return fmt.Errorf("%w: %w", errReply, err)
	}
	if len(envelope.Response) == 0 {
		return fmt.Errorf("%w: it has no Response", errReply)
	}
	if err := json.Unmarshal(envelope.Response, out); err != nil {
		return fmt.Errorf("%w: %w", errReply, err)
	}
	return nil
}
