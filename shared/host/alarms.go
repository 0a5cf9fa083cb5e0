package host

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/firedrill/firedrill/shared/inbound"
	"github.com/firedrill/firedrill/shared/setup"
)

// alarms is POST /alarms/{source}: what monitors post goes to the function at once, not by way of the bus. The token comes as a bearer token, as
// the password of basic authentication, or, for monitors that can set nothing but an address, as the query's token.
func (h *host) alarms(tokens setup.Tokens) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /alarms/{source}", func(w http.ResponseWriter, r *http.Request) {
		if !tokens.Open(presented(r)) {
			refuse(w, http.StatusUnauthorized, errors.New("not authorised"))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, inbound.MaxBytes))
		if err != nil {
			refuse(w, http.StatusRequestEntityTooLarge, errors.New("the request is too large, or could not be read"))
			return
		}
		h.alarm(w, r, body)
	})
	return mux
}

// alarm handles what can be read of a notification. A monitor sends again what was not done, and not what cannot be read.
func (h *host) alarm(w http.ResponseWriter, r *http.Request, body []byte) {
	in, bad := inbound.Alarm(r.PathValue("source"), r.Header.Get("Content-Type"), body)
	again, refused := h.all(r.Context(), in)
	if refused = errors.Join(bad, refused); refused != nil {
		h.log.ErrorContext(r.Context(), "alarm refused", "source", r.PathValue("source"), "bytes", len(body), "error", refused)
	}
	switch {
	case again != nil:
		refuse(w, http.StatusServiceUnavailable, errors.New("not done; send it again"))
	case refused != nil:
		refuse(w, http.StatusBadRequest, refused)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func presented(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return token
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	return r.URL.Query().Get("token")
}
