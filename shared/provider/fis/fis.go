package fis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	defaultTimeout = 10 * time.Second
	// signedFor is how old a signature may be: "a request must reach AWS within five minutes of the time stamp in the request",
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html.
	signedFor = 5 * time.Minute
)

// Driver drives FIS in one account and region. It is safe for concurrent use.
type Driver struct {
	account, region, root string
	timeout               time.Duration
	fis                   *fis.Client
	sts                   *sts.Client
}

var (
	_ driver.Driver     = (*Driver)(nil)
	_ driver.Previewer  = (*Driver)(nil)
	_ driver.Concluder  = (*Driver)(nil)
	_ driver.Reporter   = (*Driver)(nil)
	_ driver.Halter     = (*Driver)(nil)
	_ driver.Finder     = (*Driver)(nil)
	_ driver.Lister     = (*Driver)(nil)
	_ driver.Identifier = (*Driver)(nil)
	_ driver.Describer  = (*Driver)(nil)
	_ driver.Handbook   = (*Driver)(nil)
	_ driver.Opener     = Open
)

// Open makes a driver; it makes no call.
func Open(c driver.Config) (driver.Driver, error) {
	var wrong []error
	if c.Region == "" {
		wrong = append(wrong, errors.New("no region"))
	}
	if c.Credentials == nil {
		wrong = append(wrong, errors.New("no credentials"))
	}
	if c.Endpoint != "" {
		switch u, err := url.Parse(c.Endpoint); {
		case err != nil || u.Host == "":
			wrong = append(wrong, errors.New("the endpoint is not a URL with a host"))
		case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
			wrong = append(wrong, fmt.Errorf("endpoint scheme %q: use https; http is for loopback addresses", u.Scheme))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("open fis for account %q: %w: %w", c.Account, driver.ErrInvalid, errors.Join(wrong...))
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	d := &Driver{account: c.Account, region: c.Region, root: c.Root, timeout: c.Timeout}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	signer := clockSigner{signer: v4.NewSigner(), now: c.Now}
	credentials := aws.CredentialsProviderFunc(retrieve(c.Credentials))
	d.fis = fis.New(fis.Options{
		Region: c.Region, BaseEndpoint: endpoint(c.Endpoint), Credentials: credentials, HTTPClient: client,
		HTTPSignerV4: signer, Retryer: aws.NopRetryer{},
	})
	d.sts = sts.New(sts.Options{
		Region: c.Region, BaseEndpoint: endpoint(identityEndpoint(c.Endpoint)), Credentials: credentials, HTTPClient: client,
		HTTPSignerV4: signer, Retryer: aws.NopRetryer{},
	})
	return d, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func endpoint(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// identityEndpoint is where STS answers: at the same place as FIS in tests, at its own where the endpoint of FIS is one
// of AWS's.
func identityEndpoint(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if strings.HasSuffix(u.Hostname(), suffix) {
			return ""
		}
	}
	return s
}

// retrieve adapts our credentials to the SDK's. There is no cache: the host keeps one.
func retrieve(from func(context.Context) (driver.Credentials, error)) func(context.Context) (aws.Credentials, error) {
	return func(ctx context.Context) (aws.Credentials, error) {
		c, err := from(ctx)
		if err != nil {
			return aws.Credentials{}, &credentialsError{err}
		}
		return aws.Credentials{
			AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token,
			CanExpire: !c.Expires.IsZero(), Expires: c.Expires, Source: "firedrill",
		}, nil
	}
}

// clockSigner signs with the configured clock, if there is one.
type clockSigner struct {
	signer *v4.Signer
	now    func() time.Time
}

// SignHTTP signs the request as AWS Signature Version 4 demands.
func (s clockSigner) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, at time.Time, opts ...func(*v4.SignerOptions)) error {
	if s.now != nil {
		at = s.now()
	}
	return s.signer.SignHTTP(ctx, c, r, hash, service, region, at, opts...)
}

// run is the reference to an experiment of this account and region.
func (d *Driver) run(id string, role drill.Role) driver.Run {
	return driver.Run{Service: drill.FIS, Account: d.account, Region: d.region, ID: id, Role: role}
}

// call makes one call of the API under the driver's timeout and says of an error what was being done.
func call[T any](ctx context.Context, d *Driver, k kind, what string, do func(context.Context) (T, error)) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, &callError{what: what, kind: unsent, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	out, err := do(ctx)
	if err != nil {
		return zero, &callError{what: what, kind: k, err: err}
	}
	return out, nil
}

// ByHand returns the AWS CLI's line that stops an experiment.
func (d *Driver) ByHand(run driver.Run) string {
	return "aws fis stop-experiment --id " + run.ID + " --region " + run.Region
}
