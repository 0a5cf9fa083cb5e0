package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
)

const (
	maxReply      = 64 << 10         // bytes of a reply that are read
	maxRetryAfter = 15 * time.Minute // nobody can keep us away for longer
)

// Options are what a Client needs.
type Options struct {
	// Hosts are the only ones that are connected to, as they stand in a URL, such as slack.com. None means any public host.
	Hosts []string
	// Loopback allows http and https to this machine: for SANDBOX alone.
	Loopback bool
	Now      func() time.Time
	// Wait pauses until a destination takes the next message. It is called for a few seconds at most.
	Wait func(ctx context.Context, d time.Duration) error
}

// Client sends requests, each once. It is safe for concurrent use.
type Client struct {
	o    Options
	http *http.Client
	pace *pace
}

// New returns a client. It is an error to have no clock or no way to wait.
func New(o Options) (*Client, error) {
	if o.Now == nil || o.Wait == nil {
		return nil, errors.New("chat client: no clock, or no way to wait")
	}
	return &Client{o: o, http: client(o.Loopback), pace: newPace(o.Now, o.Wait)}, nil
}

// Call is one request.
type Call struct {
	Method string // "" means POST
	URL    string // a secret, often
	Header http.Header
	Body   []byte // JSON, unless Header says otherwise
	What   string // for errors, such as "post to slack:T1/C1"; never the URL
	Key    string // the destination that Rate and Retry-After are for; "" means the host
	Rate   Rate
}

// Result is a reply. Platforms put failures into those of status 2xx too: the caller looks.
type Result struct {
	Status int
	Header http.Header
	Body   []byte // at most 64 KiB
}

// Do sends the request once. A status other than 2xx is an error; the reply is returned with it, because platforms say in its body
// what they mean.
func (c *Client) Do(ctx context.Context, call Call) (Result, error) {
	u, err := c.target(call)
	if err != nil {
		return Result{}, err
	}
	if call.Key == "" {
		call.Key = u.Host
	}
	if err := c.pace.take(ctx, call); err != nil {
		return Result{}, err
	}
	method := call.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(call.Body))
	if err != nil {
		return Result{}, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: the request cannot be made", call.What)}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "firedrill")
	for name, values := range call.Header {
		req.Header[name] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Result{}, unsent(ctx, call, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return Result{}, unsent(ctx, call, err)
	}
	return Result{Status: res.StatusCode, Header: res.Header, Body: body}, c.classify(call, res)
}

// JSON sends in as JSON and reads the reply into out; nil for none. A reply that is no JSON is an error of code Unavailable.
func (c *Client) JSON(ctx context.Context, call Call, in, out any) (Result, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if in != nil {
		if err := enc.Encode(in); err != nil {
			return Result{}, &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: encode: %w", call.What, err)}
		}
	}
	call.Body = b.Bytes()
	res, err := c.Do(ctx, call)
	if err != nil || out == nil {
		return res, err
	}
	if err := json.Unmarshal(res.Body, out); err != nil {
		return res, &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: its reply is not the JSON that it should be", call.What)}
	}
	return res, nil
}

// Throttled makes the error of a platform that says in a reply of 200 that it takes no more now, and keeps to it.
func (c *Client) Throttled(call Call, after time.Duration, err error) error {
	after = min(max(after, 0), maxRetryAfter)
	c.pace.pause(c.key(call), after)
	return &chat.Error{Code: chat.Throttled, RetryAfter: after, Err: err}
}

func (c *Client) key(call Call) string {
	if call.Key != "" {
		return call.Key
	}
	if u, err := url.Parse(call.URL); err == nil {
		return u.Host
	}
	return ""
}

// Allowed reports whether a URL is one that this client would send to, without sending anything.
func (c *Client) Allowed(raw string) bool {
	_, err := c.target(Call{URL: raw})
	return err == nil
}

func (c *Client) target(call Call) (*url.URL, error) {
	u, err := url.Parse(call.URL)
	bad := func(why string) error {
		return &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%w: %s: %s", chat.ErrAddress, call.What, why)}
	}
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, bad("it is no URL")
	}
	if c.o.Loopback && Loopback(u.Hostname()) && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil {
		return u, nil
	}
	switch {
	case u.Scheme != "https":
		return nil, bad("want https; http is for this machine in the sandbox alone")
	case u.User != nil:
		return nil, bad("its URL holds a user name")
	case len(c.o.Hosts) > 0 && !slices.Contains(c.o.Hosts, strings.ToLower(u.Host)):
		return nil, bad("its host is none that this deployment sends to")
	}
	return u, nil
}

// Loopback reports whether a URL's host is this machine, which only SANDBOX sends to.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// unsent classifies an error of the connection without the URL that net/http puts into its text.
func unsent(ctx context.Context, call Call, err error) error {
	var uerr *url.Error
	if errors.As(err, &uerr) {
		err = uerr.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, errPrivate):
		return &chat.Error{Code: chat.Denied, Err: fmt.Errorf("%s: %w", call.What, errPrivate)}
	case ctx.Err() != nil:
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: %w", call.What, ctx.Err())}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: there is no such host", call.What)}
	}
	return &chat.Error{Code: chat.Unavailable, Err: fmt.Errorf("%s: %w", call.What, err)}
}

// classify reads the status: 2xx is taken; 3xx and most of 4xx will not change by trying again; 408, 425, 429 and 5xx will.
func (c *Client) classify(call Call, res *http.Response) error {
	code := res.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	fail := &chat.Error{Code: chat.Invalid, Err: fmt.Errorf("%s: it answered %d", call.What, code)}
	switch {
	case code == http.StatusTooManyRequests:
		fail.Code = chat.Throttled
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		fail.Code = chat.Unavailable
	case code < 400:
		fail.Code = chat.Denied
		fail.Err = fmt.Errorf("%s: it answered %d; redirects are not followed, write the final address", call.What, code)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone:
		fail.Code = chat.Denied
	}
	if fail.Code == chat.Throttled || fail.Code == chat.Unavailable {
		fail.RetryAfter = RetryAfter(res.Header.Get("Retry-After"), c.o.Now())
		c.pace.pause(c.key(call), fail.RetryAfter)
	}
	return fail
}

// RetryAfter reads seconds or an HTTP date; anything else is 0. Nobody can keep us away for more than 15 minutes.
func RetryAfter(v string, now time.Time) time.Duration {
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
