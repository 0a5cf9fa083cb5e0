package fis

import (
	"errors"
	"net"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// kind says what is at stake when the reply to a call is missing.
type kind int

const (
	read   kind = iota // it changes nothing
	write              // it may have taken effect
	unsent             // it was never made
)

// callError is an error of one call; it says what was being done and keeps the SDK's error.
type callError struct {
	what string
	kind kind
	err  error
}

// Error says what was being done and what went wrong.
func (e *callError) Error() string { return e.what + ": " + e.err.Error() }

// Unwrap returns the SDK's error.
func (e *callError) Unwrap() error { return e.err }

// credentialsError is why there were no credentials to sign with.
type credentialsError struct{ err error }

// Error says that the credentials are missing, and why.
func (e *credentialsError) Error() string { return "get credentials: " + e.err.Error() }

// Unwrap returns the cause.
func (e *credentialsError) Unwrap() error { return e.err }

// codeOf maps the error types of FIS, and those that every AWS service has, to ours.
func codeOf(awsCode string) driver.Code {
	switch awsCode {
	case "ResourceNotFoundException":
		return driver.NotFound
	case "ConflictException":
		return driver.Conflict
	case "ServiceQuotaExceededException", "LimitExceededException":
		return driver.Quota
	case "ValidationException", "ValidationError", "SerializationException", "UnknownOperationException",
		"InvalidParameterCombination", "InvalidParameterValue", "MalformedHttpRequestException":
		return driver.Invalid
	case "ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete":
		return driver.Throttled
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired":
		return driver.Expired
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired",
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
		"IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return driver.Denied
	}
	return driver.Unknown
}

// codeOfStatus maps an HTTP status where the error's type says nothing.
func codeOfStatus(status int) driver.Code {
	switch status {
	case http.StatusBadRequest:
		return driver.Invalid
	case http.StatusUnauthorized, http.StatusForbidden:
		return driver.Denied
	case http.StatusPaymentRequired:
		return driver.Quota
	case http.StatusNotFound:
		return driver.NotFound
	case http.StatusConflict:
		return driver.Conflict
	case http.StatusTooManyRequests:
		return driver.Throttled
	}
	return driver.Unknown
}

// Code classifies an error by its type, then by the HTTP status, then by what was at stake: a write whose reply is
// missing or is a 5xx is uncertain, a read is unavailable.
func (d *Driver) Code(err error) driver.Code {
	if err == nil {
		return driver.OK
	}
	switch {
	case errors.Is(err, driver.ErrInvalid), errors.Is(err, driver.ErrUnsupported):
		return driver.Invalid
	case errors.Is(err, driver.ErrNotNow):
		return driver.NotNow
	}
	if code, ok := clientSide(err); ok {
		return code
	}
	lost := driver.Unavailable
	var c *callError
	if !errors.As(err, &c) {
		return driver.Unknown
	}
	if c.kind == write {
		lost = driver.Uncertain
	}
	var response *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	if status >= http.StatusInternalServerError || status == http.StatusRequestTimeout {
		var api smithy.APIError
		if errors.As(err, &api) && codeOf(api.ErrorCode()) == driver.Throttled {
			return driver.Throttled
		}
		return lost
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if code := codeOf(api.ErrorCode()); code != driver.Unknown {
			return code
		}
	}
	if code := codeOfStatus(status); code != driver.Unknown {
		return code
	}
	if status >= 300 {
		return driver.Unknown
	}
	return lost
}

// clientSide classifies errors of calls that never left this process.
func clientSide(err error) (driver.Code, bool) {
	var creds *credentialsError
	if errors.As(err, &creds) {
		return driver.Unavailable, true
	}
	var params smithy.InvalidParamsError
	if errors.As(err, &params) {
		return driver.Invalid, true
	}
	var c *callError
	if errors.As(err, &c) && c.kind == unsent {
		return driver.Unavailable, true
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return driver.Unavailable, true
	}
	return driver.OK, false
}
