package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// Kind tells whether a call can have changed something.
type Kind int

// The kinds of call.
const (
	Read Kind = iota
	Write
)

// Stage tells how far a failed call came.
type Stage int

// The stages of a call.
const (
	NotSent     Stage = iota // nothing left this machine
	NoReply                  // sent, perhaps; no whole reply came back
	Refused                  // the service answered with an error
	Undecodable              // the service answered 2xx with a body that is not what it documents
)

// Error is a failed call. It holds no secret: neither the signed URL nor the string to sign is part of it.
type Error struct {
	Action    string
	Kind      Kind
	Stage     Stage
	Status    int    // HTTP status, 0 without a reply
	Code      string // the vendor's code, "" if there was none
	Message   string // the vendor's message
	RequestID string
	Body      []byte // of an undecodable 2xx reply, so that a caller can look for an id in it
	Err       error  // cause, for errors.Is; nil for a refusal
	creds     bool
}

// Error says what was being done, the vendor's code and message, and the request id for a support case.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Action)
	switch e.Stage {
	case Refused:
		fmt.Fprintf(&b, ": %s", e.Code)
		if e.Code == "" {
			fmt.Fprintf(&b, "http status %d", e.Status)
		}
		if e.Message != "" {
			fmt.Fprintf(&b, ": %s", e.Message)
		}
	case Undecodable:
		fmt.Fprintf(&b, ": http status %d with a reply that cannot be read", e.Status)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", e.Err)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) unsent(err error) error {
	e.Stage, e.Err = NotSent, err
	return e
}

func (e *Error) uncredited(err error) error {
	e.creds = !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	return e.unsent(fmt.Errorf("get credentials: %w", err))
}

// transport keeps the cause of a *url.Error and drops its URL, which carries token and signature.
func (e *Error) transport(err error) error {
	e.Stage = NoReply
	for {
		var ue *url.Error
		if !errors.As(err, &ue) {
			break
		}
		err = ue.Err
	}
	if err == nil {
		err = errors.New("no reply")
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		e.Stage = NotSent
	}
	e.Err = err
	return e
}

// reply judges a reply by its status and body alone; the SDK's own reading of it is not used.
func (e *Error) reply(status int, body []byte, out any) error {
	e.Status = status
	if status >= 200 && status < 300 {
		if err := decode(body, out); err != nil {
			e.Stage, e.Body = Undecodable, body
			e.Err = errors.New("not the documented shape") // the decoder's own text can quote the body
			return e
		}
		return nil
	}
	e.Stage = Refused
	var v struct {
		RequestId, Code, Message Text
	}
	if json.Unmarshal(body, &v) == nil {
		e.Code, e.Message, e.RequestID = string(v.Code), redact(string(v.Message)), string(v.RequestId)
	}
	return e
}

// NewRefusal makes the error of a business failure that came with a 2xx status (AHAS: Success=false).
func NewRefusal(action string, kind Kind, status int, code, message, requestID string) *Error {
	return &Error{Action: action, Kind: kind, Stage: Refused, Status: status, Code: code, Message: redact(message), RequestID: requestID}
}

// Unreadable makes the error of a 2xx reply to a read that cannot be believed. It counts as Unavailable: the next reading may do better.
func Unreadable(action, why string) *Error {
	return &Error{Action: action, Kind: Read, Stage: Undecodable, Status: 200, Err: errors.New(why)}
}

// redact cuts what a vendor's message quotes of the signed request: it holds the access key and the token.
func redact(message string) string {
	for _, mark := range []string{"server string to sign is:", "string to sign", "StringToSign", "SecurityToken="} {
		if i := strings.Index(message, mark); i >= 0 {
			message = strings.TrimSpace(message[:i]) + " [the signed request is left out]"
		}
	}
	const most = 500
	if r := []rune(message); len(r) > most {
		message = string(r[:most]) + "…"
	}
	return message
}

// Codes maps the vendor's error codes to classes.
type Codes map[string]driver.Code

// common holds the codes that every RPC product shares; a key that ends in "*" matches as a prefix.
func common() Codes {
	return Codes{
		"Throttling*":                 driver.Throttled,
		"ServiceUnavailable*":         driver.Unavailable,
		"InternalError*":              driver.Unavailable,
		"SignatureDoesNotMatch*":      driver.Denied,
		"IncompleteSignature*":        driver.Denied,
		"SignatureNonceUsed":          driver.Unavailable, // a request that was handed over twice: its first copy may have been carried out
		"InvalidTimeStamp*":           driver.Denied,      // the clock is off
		"IllegalTimestamp":            driver.Denied,
		"InvalidAccessKeyId*":         driver.Denied,
		"InvalidAccessKeySecret":      driver.Denied,
		"Forbidden*":                  driver.Denied,
		"NoPermission":                driver.Denied,
		"User.NoPermission":           driver.Denied,
		"InvalidStsToken":             driver.Expired,
		"ExpiredStsToken":             driver.Expired,
		"InvalidSecurityToken*":       driver.Expired,
		"MissingSecurityToken":        driver.Denied,
		"InvalidVersion":              driver.Invalid,
		"InvalidAction*":              driver.Invalid,
		"InvalidParameter*":           driver.Invalid,
		"MissingParameter*":           driver.Invalid,
		"UnsupportedHTTPMethod":       driver.Invalid,
		"InvalidAccountType":          driver.Denied,
		"Quota*":                      driver.Quota,
		"IdempotentParameterMismatch": driver.Conflict,
	}
}

// Classify gives the class of an error that Do or NewRefusal made; own holds the product's codes and goes before the
// shared ones. A 5xx or a lost reply is Unavailable after a Read and Uncertain after a Write.
func Classify(err error, own Codes) driver.Code {
	switch {
	case err == nil:
		return driver.OK
	case errors.Is(err, driver.ErrNotNow):
		return driver.NotNow
	case errors.Is(err, driver.ErrInvalid), errors.Is(err, driver.ErrUnsupported):
		return driver.Invalid
	}
	var e *Error
	if !errors.As(err, &e) {
		return driver.Unknown
	}
	switch e.Stage {
	case NotSent:
		if e.creds {
			return driver.Denied
		}
		return driver.Unavailable
	case NoReply, Undecodable:
		return unclear(e.Kind)
	}
	for _, codes := range []Codes{own, common()} {
		if c, ok := codes.find(e.Code); ok {
			if c == driver.Unavailable {
				return unclear(e.Kind)
			}
			return c
		}
	}
	return byStatus(e)
}

func unclear(k Kind) driver.Code {
	if k == Write {
		return driver.Uncertain
	}
	return driver.Unavailable
}

func byStatus(e *Error) driver.Code {
	switch {
	case e.Status >= 500:
		return unclear(e.Kind)
	case e.Status == 429:
		return driver.Throttled
	case e.Status == 401, e.Status == 403:
		return driver.Denied
	case e.Status == 404:
		return driver.NotFound
	}
	return driver.Unknown
}

func (c Codes) find(code string) (driver.Code, bool) {
	if v, ok := c[code]; ok {
		return v, true
	}
	for at := len(code); at > 0; at-- { // the longest prefix wins
		if v, ok := c[code[:at]+"*"]; ok {
			return v, true
		}
	}
	return "", false
}
