package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 10 << 20

// ServeHTTP serves the vendors' clients, and /_sandbox/.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.ownHost(r.Host) {
		problem(http.StatusForbidden, "the sandbox answers only requests to a loopback address, not to "+r.Host).send(w)
		return
	}
	if isControl(r) {
		s.serveControl(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		tooLarge().send(w)
		return
	}
	if err != nil {
		problem(http.StatusBadRequest, "the body could not be read: "+err.Error()).send(w)
		return
	}
	out, err := s.do(r, body)
	if err != nil {
		breakOff(w)
		return
	}
	out.send(w)
}

func isControl(r *http.Request) bool {
	return r.URL.Path == "/_sandbox" || strings.HasPrefix(r.URL.Path, "/_sandbox/")
}

func (s *Sandbox) serveControl(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" && !s.ownOrigin(origin, r.Host) {
		problem(http.StatusForbidden, "a page of another origin may not drive the sandbox").send(w)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.control.ServeHTTP(w, r)
}

// breakOff closes the connection after the status line, before a header: net/http's client repeats some requests by
// itself where it saw nothing at all on a connection used before, and then the lost reply would not be seen.
func breakOff(w http.ResponseWriter) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 and test recorders: net/http breaks the connection off
	}
	_, _ = buf.WriteString("HTTP/1.1 200 OK\r\n") // the peer may have gone; that is the aim
	_ = buf.Flush()
	_ = conn.Close()
}

func (s *Sandbox) ownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if addr, err := netip.ParseAddr(host); err == nil && addr.Unmap().IsLoopback() {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(s.opts.AllowHosts, host)
}

// ownOrigin tells whether the page comes from the sandbox's own address or an allowed host.
func (s *Sandbox) ownOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, host) || slices.Contains(s.opts.AllowHosts, strings.ToLower(u.Hostname()))
}

func tooLarge() *reply {
	return problem(http.StatusRequestEntityTooLarge, "the body is above 10 MiB")
}

// problem is an answer of the sandbox itself, not of a service.
func problem(status int, message string) *reply {
	return jsonReply(status, map[string]any{"error": message})
}

func jsonReply(status int, v any) *reply {
	out := newReply()
	out.header.Set("Content-Type", "application/json; charset=utf-8")
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error": "the answer could not be encoded"}`)
	}
	out.WriteHeader(status)
	_, _ = out.Write(append(b, '\n')) // a reply in memory takes every write
	out.seal()
	return out
}

// stranger answers a request that no service recognises.
func stranger(r *http.Request) *reply {
	base := "http://" + r.Host
	return jsonReply(http.StatusNotFound, map[string]any{
		"error": "no sandboxed service recognises this request", "method": r.Method, "path": r.URL.Path,
		"hint": map[string]string{
			"credentials": "access key sandbox, secret sandbox, any region",
			"aws":         "aws fis list-experiments --endpoint-url " + base,
			"tencent":     "set the SDK's endpoint to " + r.Host + " and its scheme to HTTP; a call carries the header X-TC-Action",
			"alibaba":     "set the SDK's endpoint to " + r.Host + " and its scheme to HTTP; a call carries Action and Version (2019-06-01 for OOS, 2019-09-01 for AHAS)",
			"sandbox":     "curl " + base + "/_sandbox/",
		},
	})
}
