package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

const (
	scheme         = "eventbridge"
	defaultTimeout = 10 * time.Second
	maxName        = 256
)

// Credentials sign a call. Token is set for temporary ones. The fields are those of driver.Credentials, so one converts
// to the other.
type Credentials struct {
	AccessKey, Secret, Token string
	Expires                  time.Time
}

// Config says which bus it is and how to reach it. ParseURL fills in the first three fields.
type Config struct {
	Bus      string // its name
	Region   string
	Endpoint string // "" for AWS's own; else a URL such as http://127.0.0.1:5000

	Credentials func(ctx context.Context) (Credentials, error)   // asked at every call: the host keeps a cache
	Wait        func(ctx context.Context, d time.Duration) error // injected; returns early with ctx's error
	Transport   http.RoundTripper                                // shared among all SDKs; nil for http.DefaultTransport
	Timeout     time.Duration                                    // of one call; 0 for 10 s
}

// ParseURL reads eventbridge://bus-name?region=eu-west-1; endpoint= is added where it is not AWS's own. The error lists every
// mistake and shows no value of the URL's user part.
func ParseURL(raw string) (Config, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Config{}, errors.New("bus url: not a URL; want eventbridge://bus-name?region=")
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
	c := Config{Bus: u.Host + strings.TrimSuffix(u.Path, "/")}
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
		default:
			wrong = append(wrong, fmt.Errorf("%q is not known; region and endpoint are", name))
		}
	}
	if err := errors.Join(append(wrong, c.place()...)...); err != nil {
		return Config{}, fmt.Errorf("bus url: %w", err)
	}
	return c, nil
}

// place returns what is wrong with where the bus is said to be.
func (c Config) place() []error {
	var wrong []error
	switch {
	case c.Bus == "":
		wrong = append(wrong, errors.New("it names no bus"))
	case len(c.Bus) > maxName || !only(c.Bus, "/.-_"):
		wrong = append(wrong, fmt.Errorf("bus %.20q: want at most %d letters, digits, slashes, dots, hyphens and underscores", c.Bus, maxName))
	}
	switch {
	case c.Region == "":
		wrong = append(wrong, errors.New("it names no region; add ?region="))
	case !only(c.Region, "-") || !strings.Contains(c.Region, "-"):
		wrong = append(wrong, fmt.Errorf("region %.20q is not like eu-west-1", c.Region))
	}
	if c.Endpoint != "" && !httpURL(c.Endpoint) {
		wrong = append(wrong, errors.New("the endpoint is not an http or https URL with a host and nothing secret"))
	}
	return wrong
}

// only reports whether s has nothing but letters, digits and the others.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return true
}

func httpURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// Open returns the bus; it makes no call. The error lists every mistake.
func Open(c Config) (*Bus, error) {
	wrong := c.place()
	if c.Credentials == nil {
		wrong = append(wrong, errors.New("no credentials"))
	}
	if c.Wait == nil {
		wrong = append(wrong, errors.New("no wait"))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("open event bus: %w", err)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	o := sdk.Options{
		Region: c.Region, Credentials: aws.CredentialsProviderFunc(retrieve(c.Credentials)),
		HTTPClient: &http.Client{
			Transport:     c.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Retryer: aws.NopRetryer{}, // Publish repeats what may be repeated
	}
	if c.Endpoint != "" {
		o.BaseEndpoint = aws.String(c.Endpoint)
	}
	return &Bus{name: c.Bus, timeout: c.Timeout, wait: c.Wait, client: sdk.New(o)}, nil
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
