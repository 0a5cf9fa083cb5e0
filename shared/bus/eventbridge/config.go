package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/firedrill/firedrill/shared/internal/place"
)

const (
	defaultTimeout = 10 * time.Second
	maxName        = 256
	inName         = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.-_"
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
	var c Config
	form := place.Form{Scheme: "eventbridge", Example: "eventbridge://bus-name?region="}
	_, err := form.Parse(raw, func(p place.Place) []error {
		c = Config{Bus: p.Host, Region: p.Region, Endpoint: p.Endpoint}
		if p.Path != "" {
			c.Bus += "/" + p.Path
		}
		return c.place()
	})
	if err != nil {
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
	case len(c.Bus) > maxName || !place.Only(c.Bus, inName):
		wrong = append(wrong, fmt.Errorf("bus %.20q: want at most %d letters, digits, slashes, dots, hyphens and underscores", c.Bus, maxName))
	}
	return append(wrong, place.Check(c.Region, c.Endpoint)...)
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
