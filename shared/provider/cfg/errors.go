package cfg

import (
	"context"
	"errors"
	"strings"

	tcerr "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// codes maps the vendor's error codes, https://www.tencentcloud.com/document/api/1252/68119 and the SDK's list for CFG.
// A code that is not here is looked up by its part before the dot. Which code an illegal transition gets is not
// documented: those that may mean one are NotNow, so that the caller reads the task again and decides.
var codes = map[string]driver.Code{
	"ActionOffline":                   driver.Invalid,
	"AuthFailure":                     driver.Denied,
	"AuthFailure.TokenFailure":        driver.Expired,
	"DryRunOperation":                 driver.Invalid,
	"FailedOperation":                 driver.NotNow,
	"InternalError":                   driver.Uncertain,
	"InvalidAction":                   driver.Invalid,
	"InvalidParameter":                driver.Invalid,
	"InvalidParameterValue":           driver.Invalid,
	"InvalidRequest":                  driver.Invalid,
	"IpInBlacklist":                   driver.Denied,
	"IpNotInWhitelist":                driver.Denied,
	"LimitExceeded":                   driver.Quota,
	"MissingParameter":                driver.Invalid,
	"NoSuchProduct":                   driver.Invalid,
	"NoSuchVersion":                   driver.Invalid,
	"OperationDenied":                 driver.NotNow,
	"RequestLimitExceeded":            driver.Throttled,
	"RequestSizeLimitExceeded":        driver.Invalid,
	"ResourceInUse":                   driver.NotNow,
	"ResourceInsufficient":            driver.Quota,
	"ResourceNotFound":                driver.NotFound,
	"ResourceUnavailable":             driver.NotNow,
	"ResourcesSoldOut":                driver.Quota,
	"ServiceUnavailable":              driver.Unavailable,
	"UnauthorizedOperation":           driver.Denied,
	"UnknownParameter":                driver.Invalid,
	"UnsupportedOperation":            driver.NotNow,
	"UnsupportedProtocol":             driver.Invalid,
	"UnsupportedRegion":               driver.Invalid,
	"ClientError.NetworkError":        driver.Uncertain, // the SDK: no reply
	"ClientError.IOError":             driver.Uncertain, // the SDK: half a reply
	"ClientError.HttpStatusCodeError": driver.Uncertain, // the SDK: not 200, e.g. a gateway's 502
	"ClientError.ParseJsonError":      driver.Uncertain, // the SDK: a reply that is not the API's
}

// transitions are the calls whose InvalidParameterValue may mean that the task is not in the right state.
var transitions = map[string]bool{"ExecuteTask": true, "ExecuteTaskInstance": true, "ModifyTaskRunStatus": true, "TriggerPolicy": true}

// creations are the calls whose UnsupportedOperation is about the plan, not about a state.
var creations = map[string]bool{"CreateTaskFromTemplate": true, "CreateTaskFromAction": true, "CreateTaskFromMultiAction": true}

// Code classifies an error of this driver. What is uncertain for a write is merely unavailable for a read.
func (d *Driver) Code(err error) driver.Code { return codeOf(err) }

func codeOf(err error) driver.Code {
	var call *CallError
	switch {
	case err == nil:
		return driver.OK
	case errors.As(err, &call):
		return call.code()
	case errors.Is(err, driver.ErrNotNow):
		return driver.NotNow
	case errors.Is(err, driver.ErrInvalid), errors.Is(err, driver.ErrUnsupported):
		return driver.Invalid
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return driver.Uncertain
	}
	return driver.Unknown
}

func (e *CallError) code() driver.Code {
	var vendor *tcerr.TencentCloudSDKError
	if !errors.As(e.Err, &vendor) {
		switch {
		case errors.Is(e.Err, errCredentials):
			return driver.Denied
		case e.Unsent:
			return driver.Invalid
		case e.Write: // the reply could not be decoded
			return driver.Uncertain
		}
		return driver.Unknown
	}
	code := lookup(vendor.Code)
	switch {
	case vendor.Code == "InvalidParameterValue" && transitions[e.Action]:
		return driver.NotNow
	case vendor.Code == "UnsupportedOperation" && creations[e.Action]:
		return driver.Invalid
	case code == driver.Uncertain && (!e.Write || e.Unsent):
		return driver.Unavailable
	}
	return code
}

// unreadable tells whether the service answered, and nobody understands how.
func unreadable(err error) bool {
	var vendor *tcerr.TencentCloudSDKError
	return errors.Is(err, errReply) || errors.As(err, &vendor) && vendor.Code == "ClientError.ParseJsonError"
}

// lookup finds a code, or its longest known prefix.
func lookup(code string) driver.Code {
	for code != "" {
		if c, ok := codes[code]; ok {
			return c
		}
		at := strings.LastIndex(code, ".")
		code = code[:max(at, 0)]
	}
	return driver.Unknown
}
