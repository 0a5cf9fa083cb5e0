package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	defaultTimeout = 10 * time.Second
	maxReply       = 1 << 20 // bytes of a reply that are read
)

// Options say which service it is and how to reach it.
type Options struct {
	Service     string // as it is signed for: events, sqs, sts
	Region      string
	Endpoint    string // "" for AWS's own
	Credentials Source
	Transport   http.RoundTripper // nil for http.DefaultTransport
	Timeout     time.Duration     // of one call; 0 for 10 s
	Now         func() time.Time  // signs; nil for the real clock
}

// Client makes single calls; it repeats none. It is safe for concurrent use and needs no closing.
type Client struct {
	o      Options
	client *http.Client
	signer *v4.Signer
}

// New returns a client; it makes no call.
func New(o Options) *Client {
	if o.Endpoint == "" {
		o.Endpoint = "https://" + host(o.Service, o.Region)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Client{o: o, client: HTTP(o.Transport), signer: v4.NewSigner()}
}

// HTTP returns a client on a transport, nil for http.DefaultTransport. It follows no redirect: what is signed is for one host.
func HTTP(t http.RoundTripper) *http.Client {
	if t == nil {
		t = http.DefaultTransport
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// host is a service's own address in a region. https://docs.aws.amazon.com/general/latest/gr/rande.html
func host(service, region string) string {
	domain := "amazonaws.com"
	for prefix, other := range map[string]string{
		"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu", "us-iso-": "c2s.ic.gov", "us-isob-": "sc2s.sgov.gov", "us-isof-": "csp.hci.ic.gov", "eu-isoe-": "cloud.adc-e.uk",
	} {
		if strings.HasPrefix(region, prefix) {
			domain = other
		}
	}
	return service + "." + region + "." + domain
}

// Error is an answer that says no.
type Error struct {
	Status        int
	Code, Message string // AWS's own; "" where the answer is none of AWS's
	Region        string // of the bucket, where S3 says so
}

// Error says what AWS said.
func (e *Error) Error() string {
	return strings.TrimSuffix(strings.TrimSpace(fmt.Sprintf("answered %d %s: %s", e.Status, e.Code, e.Message)), ":")
}

// PutEvents calls the operation of that name of EventBridge. An answer other than 200 is an *Error, here as in every other call.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
//
//go:noinline
func (c *Client) PutEvents(ctx context.Context, in, out any) error {
	return c.json(ctx, "1.1", "AWSEvents.PutEvents", in, out)
}

// SendMessage calls the operation of that name of SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
//
//go:noinline
func (c *Client) SendMessage(ctx context.Context, in any) error {
	return c.json(ctx, "1.0", "AmazonSQS.SendMessage", in, nil)
}

// json calls an operation of the JSON protocol: target is Service.Operation as X-Amz-Target has it, version the protocol's own.
func (c *Client) json(ctx context.Context, version, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-" + version}, "X-Amz-Target": {target}}
	status, reply, err := c.post(ctx, header, body)
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		return jsonError(status, reply)
	case out == nil:
		return nil
	}
	return json.Unmarshal(reply, out)
}

func jsonError(status int, reply []byte) error {
	var no struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(reply, &no) // the status says enough
	if _, code, ok := strings.Cut(no.Type, "#"); ok {
		no.Type = code
	}
	return &Error{Status: status, Code: no.Type, Message: no.Message}
}

// query calls an operation of the query protocol, whose replies are XML.
func (c *Client) query(ctx context.Context, form url.Values, out any) error {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	status, reply, err := c.post(ctx, header, []byte(form.Encode()))
	switch {
	case err != nil:
		return err
	case status != http.StatusOK:
		var no struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		_ = xml.Unmarshal(reply, &no) // the status says enough
		return &Error{Status: status, Code: no.Code, Message: no.Message}
	}
	return xml.Unmarshal(reply, out)
}

// post sends one request to the service's address, and returns the status and the answer.
func (c *Client) post(ctx context.Context, header http.Header, body []byte) (int, []byte, error) {
	u, err := url.Parse(strings.TrimSuffix(c.o.Endpoint, "/") + "/")
	if err != nil {
		return 0, nil, err
	}
	reply, err := c.send(ctx, http.MethodPost, u, header, body, maxReply)
	return reply.status, reply.body, err
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// send signs and sends one request, and reads the answer.
func (c *Client) send(ctx context.Context, method string, u *url.URL, header http.Header, body []byte, limit int64) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "", bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.URL, request.Host = u, u.Host
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "firedrill")
	if err := c.sign(ctx, request, body); err != nil {
		return reply{}, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return reply{}, err
	case int64(len(data)) > limit:
		return reply{}, &Error{Status: response.StatusCode, Code: "TooLarge", Message: fmt.Sprintf("the reply has more than %d bytes", limit)}
	}
	return reply{response.StatusCode, response.Header, data}, nil
}

func (c *Client) sign(ctx context.Context, request *http.Request, body []byte) error {
	who, err := c.o.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if c.o.Service == s3 {
		request.Header.Set("X-Amz-Content-Sha256", hash)
	}
	return c.signer.SignHTTP(ctx, who, request, hash, c.o.Service, c.o.Region, c.o.Now(), c.signing)
}

// signing is what S3 wants to be signed in another way: the path as it stands on the wire.
func (c *Client) signing(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.o.Service == s3 }
