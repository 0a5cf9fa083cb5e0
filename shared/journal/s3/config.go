package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/firedrill/firedrill/shared/internal/place"
)

const (
	pathStyle      = "path_style"
	defaultTimeout = 3 * time.Second // the largest entry has 1 MiB: a second of it at 8 Mbit/s
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
	Timeout     time.Duration                                    // of one attempt; 0 for 3 s
}

// ParseURL reads s3://bucket/prefix?region=eu-west-1. An endpoint that is not AWS's own is added as endpoint=, and
// path_style=true where the server wants it. The error lists every mistake and shows no value of the URL's user part.
func ParseURL(raw string) (Config, error) {
	var c Config
	form := place.Form{Scheme: "s3", Example: "s3://bucket/prefix?region=", Options: []string{pathStyle}}
	_, err := form.Parse(raw, func(p place.Place) []error {
		c = Config{Bucket: p.Host, Prefix: p.Path, Region: p.Region, Endpoint: p.Endpoint, PathStyle: p.Options[pathStyle] == "true"}
		wrong := c.place()
		if v, ok := p.Options[pathStyle]; ok && v != "true" && v != "false" {
			wrong = append(wrong, errors.New("path_style is neither true nor false"))
		}
		return wrong
	})
	if err != nil {
		return Config{}, fmt.Errorf("journal url: %w", err)
	}
	return c, nil
}

// place returns what is wrong with where the journal is said to be.
func (c Config) place() []error {
	var wrong []error
	switch {
	case c.Bucket == "":
		wrong = append(wrong, errors.New("it names no bucket"))
	case strings.HasSuffix(c.Bucket, "--x-s3"):
		wrong = append(wrong, errors.New("a directory bucket (--x-s3) lists in no order, which the journal needs: use a general purpose bucket"))
	case !bucketName(c.Bucket):
		wrong = append(wrong, fmt.Errorf("bucket %q: want 3 to 63 lower-case letters, digits, dots and hyphens", c.Bucket))
	}
	for part := range strings.SplitSeq(c.Prefix, "/") {
		if c.Prefix != "" && (part == "." || part == ".." || part == "" || !place.Only(part, inPart)) {
			wrong = append(wrong, fmt.Errorf("prefix %q: want letters, digits, dots, hyphens and underscores between single slashes", c.Prefix))
			break
		}
	}
	if len(c.Prefix) > 256 {
		wrong = append(wrong, fmt.Errorf("the prefix has %d bytes, at most 256 are allowed", len(c.Prefix)))
	}
	return append(wrong, place.Check(c.Region, c.Endpoint)...)
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz0123456789"
	inPart = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-"
)

// bucketName reports whether S3 takes the name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(s string) bool {
	return len(s) >= 3 && len(s) <= 63 && place.Only(s, lower+".-") && place.Only(s[:1]+s[len(s)-1:], lower)
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
