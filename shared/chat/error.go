package chat

import (
	"context"
	"errors"
	"time"
)

// Code classifies what went wrong, so that callers need not read texts.
type Code string

// The codes of a failed sending.
const (
	Unavailable Code = "unavailable" // try again later: 5xx, no connection, no answer in time
	Throttled   Code = "throttled"   // try again after RetryAfter
	Denied      Code = "denied"      // 401, 403, 404, 410, or no sender: a person must change the setup
	Invalid     Code = "invalid"     // the address or the message is not accepted as it is
)

// Error is a failed sending. Its text holds no secret.
type Error struct {
	Code       Code
	RetryAfter time.Duration // with Throttled and Unavailable, 0 when the platform did not say
	Err        error
}

// Error returns the cause's text.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of an error. One that no sender classified counts as Unavailable.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, ErrAddress), errors.Is(err, ErrUnsupported):
		return Invalid
	}
	return Unavailable
}

// Retryable reports whether sending again, later, can mend the error.
func Retryable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	c := CodeOf(err)
	return c == Unavailable || c == Throttled
}
