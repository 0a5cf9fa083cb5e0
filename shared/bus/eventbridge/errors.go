package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/firedrill/firedrill/events"
)

var errNoResult = errors.New("the reply says nothing about it")

// EntryError is why EventBridge did not take one entry of a call.
type EntryError struct {
	Code, Message string
}

// Error says what EventBridge said.
func (e *EntryError) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// Unsent is an event that is not known to be out.
type Unsent struct {
	ID, Type string
	Err      error
}

// UnsentError names the events that are not known to be on the bus. It wraps their causes; it wraps events.ErrInvalid only if
// no event is left that could go out later.
type UnsentError struct {
	Bus    string
	Total  int // events that were to be published
	Events []Unsent
}

// Error names every event, and the reason once for those that share it.
func (e *UnsentError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "publish on event bus %s: %d of %d events are not known to be out", e.Bus, len(e.Events), e.Total)
	for i, u := range e.Events {
		sep := "; "
		if i > 0 && e.Events[i-1].Err.Error() == u.Err.Error() {
			sep = ", "
		} else if i > 0 {
			b.WriteString(": " + e.Events[i-1].Err.Error())
		}
		b.WriteString(sep + u.ID)
	}
	if n := len(e.Events); n > 0 {
		b.WriteString(": " + e.Events[n-1].Err.Error())
	}
	return b.String()
}

// Unwrap returns the causes: those of events that could go out later, or all if there are none such.
func (e *UnsentError) Unwrap() []error {
	var all, later []error
	for _, u := range e.Events {
		all = append(all, u.Err)
		if !errors.Is(u.Err, events.ErrInvalid) {
			later = append(later, u.Err)
		}
	}
	if len(later) > 0 {
		return later
	}
	return all
}

func (b *Bus) unsent(items []item, total int) error {
	if len(items) == 0 {
		return nil
	}
	e := &UnsentError{Bus: b.name, Total: total}
	for _, it := range items {
		e.Events = append(e.Events, Unsent{ID: it.id, Type: it.kind, Err: it.err})
	}
	return e
}

// temporary reports whether sending it again soon may help. What is not known to be final is sent again: an event that arrives
// twice does no harm.
func temporary(err error) bool {
	var entry *EntryError
	if errors.As(err, &entry) {
		return !final(entry.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		var params smithy.InvalidParamsError
		return !errors.As(err, &params)
	}
	switch status := response.HTTPStatusCode(); {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return true
	case status >= 300 && status < http.StatusInternalServerError:
		var api smithy.APIError
		return errors.As(err, &api) && throttled(api.ErrorCode())
	}
	return true
}

// final reports whether EventBridge documents the code of an entry as one that is not to be sent again.
func final(code string) bool {
	for _, prefix := range []string{"AccessDenied", "InvalidAccountId", "InvalidArgument", "MalformedDetail", "NotAuthorizedFor", "RedactionFailure"} {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

func throttled(code string) bool {
	switch code {
	case "ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown", "PriorRequestNotComplete":
		return true
	}
	return false
}
