package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxReply      = 64 << 10         // bytes of a reply that are read, and thrown away
	maxRetryAfter = 15 * time.Minute // a receiver cannot keep us away for longer
	maxWaits      = 1024             // receivers whose Retry-After is remembered
)

// Options are what a Sender needs.
type Options struct {
	Secrets  []Secret         // all of them sign; the newest first
	Now      func() time.Time // the clock
	Loopback bool             // allow http and https to this machine: for SANDBOX alone
}

// Sender posts messages as signed JSON. It makes one attempt a call, follows no redirect, connects to public addresses only, and
// leaves a receiver alone for as long as its Retry-After says.
type Sender struct {
	o      Options
	client *http.Client

	mu   sync.Mutex
	wait map[string]time.Time // host -> not before
}

var _ chat.Sender = (*Sender)(nil)

// New returns a sender. It is an error to have no secret or no clock.
func New(o Options) (*Sender, error) {
	if len(o.Secrets) == 0 {
		return nil, errors.New("webhook sender: no secret to sign with")
	}
	if o.Now == nil {
		return nil, errors.New("webhook sender: no clock")
	}
	return &Sender{o: o, client: client(o.Loopback), wait: map[string]time.Time{}}, nil
}

// Capabilities says that receivers group by the payload's thread, and take no updates.
func (s *Sender) Capabilities() chat.Capabilities { return chat.Capabilities{} }

// Post sends the message once. The message's ID is the webhook-id: a receiver may fold what it gets twice.
func (s *Sender) Post(ctx context.Context, to chat.Address, m chat.Message) (chat.Posted, error) {
	body, err := encode(m, "")
	if err != nil {
		return chat.Posted{}, &chat.Error{Code: chat.Invalid, Err: err}
	}
	if err := s.send(ctx, to, m.ID, body); err != nil {
		return chat.Posted{}, err
	}
	return chat.Posted{To: to.String(), ID: m.ID, Thread: m.Thread}, nil
}

// Update returns chat.ErrUnsupported.
func (s *Sender) Update(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("update")
}

// Reply returns chat.ErrUnsupported: post with the same thread instead.
func (s *Sender) Reply(context.Context, chat.Posted, chat.Message) (chat.Posted, error) {
	return chat.Posted{}, unsupported("reply to")
}

func unsupported(what string) error {
	return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s a webhook message: %w", what, chat.ErrUnsupported)}
}

func (s *Sender) send(ctx context.Context, to chat.Address, id string, body []byte) error {
	u, err := s.target(to)
	if err != nil {
		return err
	}
	if left := s.waiting(u.Host); left > 0 {
		return &chat.Error{Code: chat.Throttled, RetryAfter: left, Err: fmt.Errorf("post to %s: it asked us to wait", to)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("post to %s: the request cannot be made", to)}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "firedrill")
	if err := Sign(req.Header, id, s.o.Now(), body, s.o.Secrets); err != nil {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("post to %s: %w", to, err)}
	}
	res, err := s.client.Do(req)
	if err != nil {
		return unsent(ctx, to, err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxReply) // so that the connection can be used again; its content is nobody's
	return s.classify(to, u.Host, res)
}

func (s *Sender) target(to chat.Address) (*url.URL, error) {
	u, err := url.Parse(to.Place)
	switch {
	case to.Platform != chat.Webhook || err != nil || u.Host == "":
		return nil, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s is no webhook", chat.ErrAddress, to)}
	case u.Scheme != "https" && (u.Scheme != "http" || !s.o.Loopback || !isLoopback(u.Hostname())):
		return nil, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s: want https; http is for this machine in the sandbox alone", chat.ErrAddress, to)}
	}
	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// unsent classifies an error of the connection without the URL that net/http puts into its text.
func unsent(ctx context.Context, to chat.Address, err error) error {
	var uerr *url.Error
	if errors.As(err, &uerr) {
		err = uerr.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, errPrivate):
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("post to %s: %w", to, errPrivate)}
	case ctx.Err() != nil:
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("post to %s: %w", to, ctx.Err())}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("post to %s: there is no such host", to)}
	}
	return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("post to %s: %w", to, err)}
}

// classify reads the status: 2xx is taken; 3xx and most of 4xx will not change by trying again; 408, 425, 429 and 5xx will.
func (s *Sender) classify(to chat.Address, host string, res *http.Response) error {
	code := res.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	fail := &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("post to %s: it answered %d", to, code)}
	switch {
	case code == http.StatusTooManyRequests:
		fail.Code = chat.Throttled
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		fail.Code = chat.Unavailable
	case code < 400:
		fail.Code = chat.Denied
		fail.Err = fmt.Errorf("post to %s: it answered %d; redirects are not followed, write the final address", to, code)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone:
		fail.Code = chat.Denied
	}
	if fail.Code == chat.Throttled || fail.Code == chat.Unavailable {
		fail.RetryAfter = retryAfter(res.Header.Get("Retry-After"), s.o.Now())
		s.remember(host, fail.RetryAfter)
	}
	return fail
}

// retryAfter reads seconds or an HTTP date; anything else is 0.
func retryAfter(v string, now time.Time) time.Duration {
	if v == "" {
		return 0
	}
	if n, err := strconv.ParseInt(v, 10, 32); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), maxRetryAfter)
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

func (s *Sender) remember(host string, d time.Duration) {
	if d <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	for h, until := range s.wait {
		if !now.Before(until) {
			delete(s.wait, h)
		}
	}
	if len(s.wait) < maxWaits {
		s.wait[host] = now.Add(d)
	}
}

func (s *Sender) waiting(host string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wait[host].Sub(s.o.Now())
}
