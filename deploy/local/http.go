package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/events"
)

// maxBody bounds what a request may carry, in bytes.
const maxBody = 1 << 20

// handler is everything on the console's port.
func (s *system) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.postEvent)
	mux.HandleFunc("POST /inbound/{platform}", s.postInbound)
	mux.HandleFunc("POST /alarms/{source}", s.postAlarm)
	mux.Handle("/chat/{platform}", s.talk)
	mux.HandleFunc("GET /api/rooms", s.getRooms)
	mux.HandleFunc("GET /api/rooms/{platform}", s.getRoom)
	mux.HandleFunc("POST /api/rooms/{platform}/say", s.postSaying)
	mux.HandleFunc("POST /api/rooms/{platform}/press", s.postPressing)
	mux.HandleFunc("GET /api/plans", s.getPlans)
	mux.HandleFunc("GET /api/drills", s.getDrills)
	mux.HandleFunc("GET /api/drills/{id}", s.getDrill)
	mux.HandleFunc("GET /api/drills/{id}/journal", s.getJournal)
	mux.HandleFunc("GET /api/stream", s.getStream)
	mux.HandleFunc("GET /r/{id}", s.getReport)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, map[string]string{"mode": s.mode})
	})
	s.console(mux)
	return s.onlyOwn(http.MaxBytesHandler(mux, maxBody))
}

// onlyOwn refuses requests that are not meant for this machine: a page from elsewhere must not drive drills through a browser.
func (s *system) onlyOwn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.own(r.Host) {
			respondError(w, http.StatusForbidden, fmt.Errorf("host %q is not this command's; allow it with --allow-host", r.Host))
			return
		}
		if o := r.Header.Get("Origin"); o != "" {
			u, err := url.Parse(o)
			if err != nil || u.Host != r.Host && !slices.Contains(s.set.allowHosts, u.Hostname()) {
				respondError(w, http.StatusForbidden, fmt.Errorf("origin %q is not this command's; allow it with --allow-host", o))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *system) own(hostport string) bool {
	return loopback(hostport) || slices.Contains(s.set.allowHosts, hostOf(hostport))
}

func loopback(hostport string) bool {
	host := hostOf(hostport)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(hostport string) string {
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		return h
	}
	return strings.Trim(hostport, "[]")
}

// accept publishes events and says what became of them.
func (s *system) accept(w http.ResponseWriter, r *http.Request, in ...events.Event) {
	if err := s.take(r.Context(), in...); err != nil {
		respondError(w, http.StatusServiceUnavailable, err)
		return
	}
	type accepted struct {
		ID    string `json:"id"`
		Type  string `json:"type"`
		Drill string `json:"drill,omitempty"` // id of the drill that a start command asks for
	}
	out := []accepted{}
	for _, e := range in {
		a := accepted{ID: e.ID(), Type: e.Type()}
		if e.Type() == events.TypeStart {
			a.Drill = events.ID("drill", e.Source(), e.ID())
		}
		out = append(out, a)
	}
	if len(out) == 1 {
		respond(w, http.StatusAccepted, out[0])
		return
	}
	respond(w, http.StatusAccepted, out)
}

// getStream sends a line for every event that is published: the console reloads what it shows.
func (s *system) getStream(w http.ResponseWriter, r *http.Request) {
	flush := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ch, end := s.facts.listen()
	defer end()
	ping := time.NewTicker(15 * time.Second)
	defer ping.Stop()
	if _, err := io.WriteString(w, ": hello\n\n"); err != nil || flush.Flush() != nil {
		return
	}
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-ping.C:
			_, err = io.WriteString(w, ": still here\n\n")
		case e := <-ch:
			data, merr := json.Marshal(hintOf(e))
			if merr != nil {
				continue
			}
			_, err = fmt.Fprintf(w, "data: %s\n\n", data)
		}
		if err != nil || flush.Flush() != nil {
			return
		}
	}
}

func readAll(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return body, nil
}

func respond(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // the client is gone, or v is ours and encodes
}

func respondError(w http.ResponseWriter, status int, err error) {
	respond(w, status, map[string]string{"error": err.Error()})
}

// respondFindError answers who named no drill; hint says where drills are listed, for who reads the answer.
func respondFindError(w http.ResponseWriter, err error, hint string) {
	var none errNoDrill
	if errors.As(err, &none) {
		respondError(w, http.StatusNotFound, fmt.Errorf("%w%s", err, hint))
		return
	}
	respondError(w, http.StatusInternalServerError, err)
}
