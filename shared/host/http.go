package host

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
	"github.com/firedrill/firedrill/shared/setup"
)

const (
	maxRequest   = 1 << 20          // bytes of a request to the function's own HTTP side
	eventTimeout = 60 * time.Second // of one event or request
	drain        = 8 * time.Second  // for what runs, when the process is told to end; containers are killed after 10 s or later
)

// httpNeeds asks who may call: whoever may post events can start drills.
func httpNeeds(string) []setup.Need {
	return []setup.Need{{Variable: setup.BusTokens, Check: func(v string) error {
		if v == setup.NoTokens {
			return nil
		}
		if _, err := setup.ParseTokens(v); err != nil {
			return fmt.Errorf("%w; or %q where the platform checks who calls", err, setup.NoTokens)
		}
		return nil
	}}}
}

// serveHTTP serves until ctx ends, then lets what runs come to its end.
func serveHTTP(ctx context.Context, h *host, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return h.serve(ctx, l)
}

func (h *host) serve(ctx context.Context, l net.Listener) error {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s := &http.Server{
		Handler: h.mux(), BaseContext: func(net.Listener) context.Context { return running },
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	h.log.Info("listening", "addr", l.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	h.log.Info("told to end")
	late, stop := context.WithTimeout(running, drain)
	defer stop()
	if err := s.Shutdown(late); err != nil {
		cancel() // functions see their context end; the next tick finds what they leave
		_ = s.Close()
	}
	return nil
}

// mux is everything on the port.
func (h *host) mux() http.Handler {
	tokens, open := setup.Tokens{}, h.p.Value(setup.BusTokens) == setup.NoTokens
	if !open {
		tokens, _ = setup.ParseTokens(h.p.Value(setup.BusTokens)) // it was checked; an empty list opens to nobody
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"function": h.p.Name, "mode": h.p.Mode})
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		if token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !open && !tokens.Open(token) {
			refuse(w, http.StatusUnauthorized, errors.New("not authorised"))
			return
		}
		h.event(w, r)
	})
	if h.f.HTTP != nil {
		mux.Handle("/", http.MaxBytesHandler(h.f.HTTP, maxRequest))
	}
	return h.framed(mux)
}

// framed gives each request an id, a deadline and a fresh look at the set-up.
func (h *host) framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(withRequest(r.Context(), requestID()), eventTimeout)
		defer cancel()
		if r.URL.Path != "/healthz" {
			h.before(ctx)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func requestID() string {
	b := make([]byte, 8)
	rand.Read(b) //nolint:errcheck // it never fails: it ends the process instead
	return hex.EncodeToString(b)
}

// event takes CloudEvents in any mode and answers so that a broker knows what to do: 2xx is done, 4xx is final, 5xx wants it again.
func (h *host) event(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, events.MaxBytes+1))
	if err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the limit is %d bytes", events.MaxBytes))
			return
		}
		refuse(w, http.StatusBadRequest, errors.New("the request could not be read"))
		return
	}
	in, err := decode(r.Header, body)
	switch {
	case errors.Is(err, errNoEvent):
		refuse(w, http.StatusUnsupportedMediaType, err)
		return
	case err != nil:
		h.refused(w, r, err)
		return
	}
	if err := events.Check(in); err != nil {
		h.refused(w, r, err)
		return
	}
	if !h.types[in.Type()] {
		w.WriteHeader(http.StatusNoContent) // not ours: the broker does not filter
		return
	}
	switch err := h.one(r.Context(), in); {
	case events.Final(err):
		h.refused(w, r, err)
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, errors.New("not done; send it again"))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (h *host) refused(w http.ResponseWriter, r *http.Request, err error) {
	h.log.ErrorContext(r.Context(), "event refused", "error", err)
	refuse(w, http.StatusBadRequest, err)
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, v map[string]string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone: there is nobody to tell
}
