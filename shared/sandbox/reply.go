package sandbox

import (
	"bytes"
	"net/http"
	"strconv"
)

// reply is a response that a service wrote, kept until the faults have had their say. Once written it is not changed:
// the history keeps it.
type reply struct {
	status int
	header http.Header
	body   bytes.Buffer
}

var _ http.ResponseWriter = (*reply)(nil)

func newReply() *reply { return &reply{header: http.Header{}} }

// Header returns the header that will be sent.
func (r *reply) Header() http.Header { return r.header }

// WriteHeader sets the status; the first call counts.
func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write adds to the body.
func (r *reply) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// seal completes a reply as net/http would.
func (r *reply) seal() {
	r.WriteHeader(http.StatusOK)
	if r.header.Get("Content-Length") == "" {
		r.header.Set("Content-Length", strconv.Itoa(r.body.Len()))
	}
	if r.header.Get("Content-Type") == "" && r.body.Len() > 0 {
		r.header.Set("Content-Type", http.DetectContentType(r.body.Bytes()))
	}
}

// send copies the reply to a connection.
func (r *reply) send(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // a client that has gone needs no reply
}
