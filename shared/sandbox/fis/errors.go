package fis

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// failure is an error reply of AWS: HTTP status, error type, message.
type failure struct {
	status  int
	kind    string
	message string
}

func fail(status int, kind, message string) *failure {
	return &failure{status: status, kind: kind, message: message}
}

func notFound(what, id string) *failure {
	return fail(http.StatusNotFound, "ResourceNotFoundException", fmt.Sprintf("%s with id %s was not found.", what, id))
}

func invalid(format string, args ...any) *failure {
	return fail(http.StatusBadRequest, "ValidationException", fmt.Sprintf(format, args...))
}

func conflict(message string) *failure {
	return fail(http.StatusConflict, "ConflictException", message)
}

// missing is the message of AWS for a required member that is not there.
func missing(member string) *failure {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// asked is the failure that a fault knob asks for.
func asked(f service.Failure) *failure {
	if f == service.Throttled {
		return fail(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return fail(http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
}

// write sends the failure as restJson1 does.
func (f *failure) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", f.kind)
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": f.message}) // nothing is left to do for a client that went away
}
