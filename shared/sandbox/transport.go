package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
)

// Transport returns a transport that calls the sandbox directly: no socket, no goroutine, whatever host the request
// names. A lost reply is an error that wraps io.ErrUnexpectedEOF, as a broken connection gives.
func (s *Sandbox) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Sandbox }

// RoundTrip serves one request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := drain(r.Body)
	if err != nil {
		return nil, err
	}
	in, err := received(r, body)
	if err != nil {
		return nil, err
	}
	out := newReply()
	switch {
	case len(body) > maxBody:
		out = tooLarge()
	case isControl(in):
		t.s.control.ServeHTTP(out, in)
		out.seal()
	default:
		out, err = t.s.do(in, body)
	}
	if errors.Is(err, errLost) {
		return nil, fmt.Errorf("read response: connection reset after the request: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	return out.response(r), nil
}

func drain(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	return b, nil
}

// received returns the request as a server sees it: path and query from the request line, canonical headers, the host
// beside them, and the length among them.
func received(r *http.Request, body []byte) (*http.Request, error) {
	line := r.URL.RequestURI()
	u, err := url.ParseRequestURI(line)
	if err != nil {
		return nil, fmt.Errorf("parse the request line: %w", err)
	}
	in := r.WithContext(r.Context())
	in.URL, in.RequestURI, in.RemoteAddr = u, line, "127.0.0.1:0"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	in.Header = make(http.Header, len(r.Header)+1)
	for k, v := range r.Header {
		k = textproto.CanonicalMIMEHeaderKey(k)
		in.Header[k] = append(in.Header[k], v...)
	}
	in.Header.Del("Host")
	if len(body) > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		in.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	in.ContentLength, in.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	return in, nil
}

// response returns the reply as a client sees it.
func (r *reply) response(to *http.Request) *http.Response {
	return &http.Response{
		Status:     strconv.Itoa(r.status) + " " + http.StatusText(r.status),
		StatusCode: r.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        r.header.Clone(),
		Body:          io.NopCloser(bytes.NewReader(r.body.Bytes())),
		ContentLength: int64(r.body.Len()),
		Request:       to,
	}
}
