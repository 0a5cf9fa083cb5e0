package rooms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxAnswer is how many bytes our side may answer.
const maxAnswer = 1 << 20

var (
	errNobody  = errors.New("nobody is connected to this room")
	errTooLong = errors.New("the answer is too long")
)

// Answer is what our side replied.
type Answer struct {
	Type string // Content-Type
	Body []byte // at most 1 MiB
}

// Deliver hands a request with that body to our side, once: vendors try again by themselves, tests do that with Heard. The caller holds no
// lock that API takes, because our side may call it meanwhile. It is an error if nobody is connected.
func Deliver(to http.Handler, req *http.Request, body []byte, now func() time.Time) (Heard, Answer, error) {
	if to == nil {
		return Heard{}, Answer{}, errNobody
	}
	again := req.Clone(context.WithoutCancel(req.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	start, w := now(), &recorder{header: http.Header{}}
	to.ServeHTTP(w, req)
	w.WriteHeader(http.StatusOK)
	heard := Heard{Status: w.status, Took: now().Sub(start), Request: again, Body: body}
	return heard, Answer{Type: w.header.Get("Content-Type"), Body: w.body.Bytes()}, nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's headers.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader keeps the first status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write keeps the body, up to a limit.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(b) > maxAnswer {
		return 0, errTooLong
	}
	return w.body.Write(b)
}
