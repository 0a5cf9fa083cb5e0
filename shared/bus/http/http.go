// Package http publishes to any sink that takes CloudEvents over HTTP, one structured event a request: a Knative broker, a gateway, or
// the plain HTTP host of another function.
package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/function"
)

const (
	attempts    = 3
	firstPause  = 200 * time.Millisecond
	callTimeout = 10 * time.Second
	contentType = "application/cloudevents+json; charset=utf-8"
	maxReply    = 64 << 10 // bytes of a reply that are read, and thrown away
)

// Options are what a Bus needs. URL, Transport and Wait are required.
type Options struct {
	URL       string
	Token     string // sent as a bearer token; "" for none
	Transport http.RoundTripper
	Wait      func(ctx context.Context, d time.Duration) error // returns early with ctx's error
}

// Bus posts events to one address. It is safe for concurrent use.
type Bus struct {
	o      Options
	host   string
	client *http.Client
}

var _ function.Publisher = (*Bus)(nil)

// Open returns a bus; it makes no call. Its error does not repeat the address.
func Open(o Options) (*Bus, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("open http bus: want an http or https URL without a user")
	}
	if o.Transport == nil || o.Wait == nil {
		return nil, errors.New("open http bus: it needs a transport and a wait")
	}
	client := &http.Client{Transport: o.Transport, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Bus{o: o, host: u.Host, client: client}, nil
}

// Publish posts the events in their order. What the sink refuses keeps none of the others back; the error joins what was not
// taken. A refusal that no retry can mend is not tried again within one call, but is an error all the same: the fact
// stays in its outbox, where a person can find it.
func (b *Bus) Publish(ctx context.Context, out ...events.Event) error {
	var errs []error
	for _, e := range out {
		if err := b.publish(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("publish %s %s to %s: %w", e.Type(), e.ID(), b.host, err))
		}
	}
	return errors.Join(errs...)
}

func (b *Bus) publish(ctx context.Context, e events.Event) error {
	body, err := e.MarshalJSON()
	if err != nil {
		return err
	}
	pause := firstPause
	for n := 1; ; n++ {
		again, err := b.post(ctx, body)
		if err == nil || !again || n == attempts || ctx.Err() != nil {
			return err
		}
		if werr := b.o.Wait(ctx, pause); werr != nil {
			return err
		}
		pause *= 4
	}
}

// post makes one attempt. Any 2xx is a yes.
func (b *Bus) post(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.o.URL, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the address cannot be used")
	}
	req.Header.Set("Content-Type", contentType)
	if b.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+b.o.Token)
	}
	res, err := b.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may hold a secret
		}
		return true, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxReply)) // so that the connection can be used again
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return false, nil
	}
	again = res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout
	return again, fmt.Errorf("the sink answered %d", res.StatusCode)
}
