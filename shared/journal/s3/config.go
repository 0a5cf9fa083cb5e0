package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	scheme         = "s3"
	defaultTimeout = 10 * time.Second
)

// Credentials sign a call. Token is set for temporary ones. The fields are those of driver.Credentials, so one converts
// to the other.
type Credentials struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
}

// Config says where the journal is and how to reach it. ParseURL fills in the first five fields.
type Config struct {
	Bucket    string
	Prefix    string // within the bucket, without slashes at its ends; "" for the whole bucket
	Region    string
	Endpoint  string // "" for AWS's own; else a URL such as http://127.0.0.1:9000
	PathStyle bool   // the bucket stands in the path, not in the host name: what most other servers want

	Credentials func(ctx context.Context) (Credentials, error)   // asked at every call: the host keeps a cache
	Wait        func(ctx context.Context, d time.Duration) error // injected; returns early with ctx's error
	Transport   http.RoundTripper                                // shared among all SDKs; nil for http.DefaultTransport
	Timeout     time.Duration                                    // of one attempt; 0 for 10 s
}

// ParseURL reads s3://bucket/prefix?region=eu-west-1. An endpoint that is not AWS's own is added as endpoint=, and
// path_style=true where the server wants it. The error lists every mistake and shows no value of the URL's user part.
func ParseURL(raw string) (Config, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Config{}, errors.New("journal url: not a URL; want s3://bucket/prefix?region=")
	}
	var wrong []error
	if u.Scheme != scheme {
		wrong = append(wrong, fmt.Errorf("its scheme is %q, want %q", u.Scheme, scheme))
	}
	if u.User != nil {
		wrong = append(wrong, errors.New("it holds a user or a password; credentials come from the environment"))
	}
	if u.Fragment != "" {
		wrong = append(wrong, errors.New("it has a fragment (#)"))
	}
	c := Config{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		wrong = append(wrong, errors.New("what follows the question mark cannot be read"))
	}
	for name, values := range query {
		if len(values) != 1 {
			wrong = append(wrong, fmt.Errorf("%q is there %d times", name, len(values)))
		}
		switch name {
		case "region":
			c.Region = values[0]
		case "endpoint":
			c.Endpoint = values[0]
		case "path_style":
			c.PathStyle = values[0] == "true"
			if values[0] != "true" && values[0] != "false" {
				wrong = append(wrong, errors.New("path_style is neither true nor false"))
			}
		default:
			wrong = append(wrong, fmt.Errorf("%q is not known; region, endpoint and path_style are", name))
		}
	}
	if err := errors.Join(append(wrong, c.place()...)...); err != nil {
		return Config{}, fmt.Errorf("journal url: %w", err)
	}
	return c, nil
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	prefixPart = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// place returns what is wrong with where the journal is said to be.
func (c Config) place() []error {
	var wrong []error
	switch {
	case c.Bucket == "":
		wrong = append(wrong, errors.New("it names no bucket"))
	case strings.HasSuffix(c.Bucket, "--x-s3"):
		wrong = append(wrong, errors.New("a directory bucket (--x-s3) lists in no order, which the journal needs: use a general purpose bucket"))
	case !bucketName.MatchString(c.Bucket):
		wrong = append(wrong, fmt.Errorf("bucket %q: want 3 to 63 lower-case letters, digits, dots and hyphens", c.Bucket))
	}
	for part := range strings.SplitSeq(c.Prefix, "/") {
		if c.Prefix != "" && (part == "." || part == ".." || !prefixPart.MatchString(part)) {
			wrong = append(wrong, fmt.Errorf("prefix %q: want letters, digits, dots, hyphens and underscores between single slashes", c.Prefix))
			break
		}
	}
	if len(c.Prefix) > 256 {
		wrong = append(wrong, fmt.Errorf("the prefix has %d bytes, at most 256 are allowed", len(c.Prefix)))
	}
	switch {
	case c.Region == "":
		wrong = append(wrong, errors.New("it names no region; add ?region="))
	case !regionName.MatchString(c.Region):
		wrong = append(wrong, fmt.Errorf("region %q is not like eu-west-1", c.Region))
	}
	if c.Endpoint != "" && !httpURL(c.Endpoint) {
		wrong = append(wrong, errors.New("the endpoint is not an http or https URL with a host and nothing secret"))
	}
	return wrong
}

func httpURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// Open returns the store; it makes no call. The error lists every mistake.
func Open(c Config) (*Store, error) {
	wrong := c.place()
	if c.Credentials == nil {
		wrong = append(wrong, errors.New("no credentials"))
	}
	if c.Wait == nil {
		wrong = append(wrong, errors.New("no wait"))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("open s3 journal: %w", err)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	root := ""
	if c.Prefix != "" {
		root = c.Prefix + "/"
	}
	client := s3.New(options(c))
	return &Store{
		bucket: c.Bucket, root: root, region: c.Region, timeout: c.Timeout, wait: c.Wait,
		client: client, presigner: s3.NewPresignClient(client),
	}, nil
}

func options(c Config) s3.Options {
	o := s3.Options{
		Region: c.Region, UsePathStyle: c.PathStyle, Credentials: aws.CredentialsProviderFunc(retrieve(c.Credentials)),
		HTTPClient: &http.Client{
			Transport:     c.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retryer: aws.NopRetryer{}, // call repeats what may be repeated
		// The signature covers the body's SHA-256; further checksums only make other servers' lives hard.
		RequestChecksumCalculation:   aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation:   aws.ResponseChecksumValidationWhenRequired,
		ContinueHeaderThresholdBytes: -1,
	}
	if c.Endpoint != "" {
		o.BaseEndpoint = aws.String(c.Endpoint)
	}
	return o
}

// retrieve adapts our credentials to the SDK's.
func retrieve(from func(context.Context) (Credentials, error)) func(context.Context) (aws.Credentials, error) {
	return func(ctx context.Context) (aws.Credentials, error) {
		c, err := from(ctx)
		if err != nil {
			return aws.Credentials{}, fmt.Errorf("get credentials: %w", err)
		}
		return aws.Credentials{
			AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, SessionToken: c.Token,
			CanExpire: !c.Expires.IsZero(), Expires: c.Expires, Source: "firedrill",
		}, nil
	}
}
