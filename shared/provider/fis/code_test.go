package fis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func TestCode_ofReplies(t *testing.T) {
	for _, c := range []struct {
		name        string
		status      int
		kind, body  string
		read, write driver.Code
	}{
		{"not found", 404, "ResourceNotFoundException", `{"message":"x"}`, driver.NotFound, driver.NotFound},
		{"not found, type in the body", 404, "", `{"__type":"com.amazonaws.fis#ResourceNotFoundException","message":"x"}`, driver.NotFound, driver.NotFound},
		{"type with a URI", 400, "ValidationException:http://internal.amazon.com/coral/", `{"message":"x"}`, driver.Invalid, driver.Invalid},
		{"conflict", 409, "ConflictException", `{"message":"x"}`, driver.Conflict, driver.Conflict},
		{"quota", 402, "ServiceQuotaExceededException", `{"message":"x"}`, driver.Quota, driver.Quota},
		{"invalid", 400, "ValidationException", `{"message":"x"}`, driver.Invalid, driver.Invalid},
		{"throttled", 400, "ThrottlingException", `{"message":"Rate exceeded"}`, driver.Throttled, driver.Throttled},
		{"too many requests", 429, "TooManyRequestsException", `{}`, driver.Throttled, driver.Throttled},
		{"429 of a proxy", 429, "", "slow down", driver.Throttled, driver.Throttled},
		{"throttled with a 503", 503, "ThrottlingException", `{"message":"x"}`, driver.Throttled, driver.Throttled},
		{"access denied", 403, "AccessDeniedException", `{"message":"x"}`, driver.Denied, driver.Denied},
		{"wrong key", 403, "UnrecognizedClientException", `{"message":"x"}`, driver.Denied, driver.Denied},
		{"wrong signature", 403, "InvalidSignatureException", `{"message":"x"}`, driver.Denied, driver.Denied},
		{"403 of a proxy", 403, "", "<html>no</html>", driver.Denied, driver.Denied},
		{"expired", 403, "ExpiredTokenException", `{"message":"x"}`, driver.Expired, driver.Expired},
		{"expired, in the body", 403, "", `{"__type":"ExpiredToken","message":"x"}`, driver.Expired, driver.Expired},
		{"internal", 500, "InternalFailure", `{"message":"x"}`, driver.Unavailable, driver.Uncertain},
		{"unavailable", 503, "ServiceUnavailable", `{"message":"x"}`, driver.Unavailable, driver.Uncertain},
		{"502 of a proxy", 502, "", "<html>bad gateway</html>", driver.Unavailable, driver.Uncertain},
		{"408 of a proxy", 408, "", "", driver.Unavailable, driver.Uncertain},
		{"a type that is new to us", 418, "TeapotException", `{"message":"x"}`, driver.Unknown, driver.Unknown},
		{"a redirect", 307, "", "", driver.Unknown, driver.Unknown},
		{"success that is no JSON", 200, "", "<html>", driver.Unavailable, driver.Uncertain},
		{"success that is cut off", 200, "", `{"experiment":{"id":"EXP`, driver.Unavailable, driver.Uncertain},
		{"success without an experiment", 200, "", `{}`, driver.Unavailable, driver.Uncertain},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, v := answering(t, status(c.status, c.kind, c.body))
			_, err := d.Observe(t.Context(), driver.Run{ID: "EXP1"})
			if got := d.Code(err); got != c.read {
				t.Errorf("read: %q for %v, want %q", got, err, c.read)
			}
			_, err = d.Start(t.Context(), request())
			if got := d.Code(err); got != c.write {
				t.Errorf("write: %q for %v, want %q", got, err, c.write)
			}
			if !strings.HasPrefix(err.Error(), "start fis experiment from EXTa1b2c3d4e5f6g7: ") {
				t.Errorf("the error does not say what was being done: %v", err)
			}
			if strings.Contains(err.Error(), wireSecret) || strings.Contains(err.Error(), wireToken) {
				t.Errorf("the error holds a secret: %v", err)
			}
			if len(v.got) != 2 {
				t.Errorf("%d requests, want one attempt each", len(v.got))
			}
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCode_ofTransports(t *testing.T) {
	open := func(f transport) *Driver {
		d, err := Open(driver.Config{Region: "us-east-1", Endpoint: "http://127.0.0.1:1", Transport: f,
			Credentials: func(context.Context) (driver.Credentials, error) {
				return driver.Credentials{AccessKey: "A", Secret: wireSecret}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		return d.(*Driver)
	}
	broken := open(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	_, err := broken.Start(t.Context(), request())
	if got := broken.Code(err); got != driver.Uncertain || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken connection to a write: %q, %v", got, err)
	}
	undialled := open(http.DefaultTransport.RoundTrip) // nothing listens on port 1
	_, err = undialled.Start(t.Context(), request())
	if got := undialled.Code(err); got != driver.Unavailable {
		t.Errorf("a connection that was never made: %q, %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = broken.Start(gone, request())
	if got := broken.Code(err); got != driver.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("a context that was cancelled before: %q, %v", got, err)
	}
}

func TestCode_ofOurs(t *testing.T) {
	d := &Driver{}
	for err, want := range map[error]driver.Code{
		nil: driver.OK, errors.New("strange"): driver.Unknown, fmt.Errorf("x: %w", driver.ErrInvalid): driver.Invalid,
		fmt.Errorf("x: %w", driver.ErrNotNow): driver.NotNow, driver.ErrUnsupported: driver.Invalid,
		&callError{what: "x", kind: write, err: context.DeadlineExceeded}: driver.Uncertain,
		&callError{what: "x", kind: read, err: context.DeadlineExceeded}:  driver.Unavailable,
	} {
		if got := d.Code(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
