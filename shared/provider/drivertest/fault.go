package drivertest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// Effect is how a call goes wrong.
type Effect string

// The effects of a fault.
const (
	Throttle  Effect = "throttle"   // the vendor's throttling error; nothing is done
	FailFirst Effect = "fail-first" // the vendor's 5xx; nothing is done
	FailAfter Effect = "fail-after" // the call takes effect, the reply is the vendor's 5xx
	LoseReply Effect = "lose-reply" // the call takes effect, the connection breaks before the reply
	NoDial    Effect = "no-dial"    // the connection cannot be made; nothing is done
	Hold      Effect = "hold"       // the call takes effect, the reply never comes; ends with the request's context
	Lie       Effect = "lie"        // a stop answers success and does nothing
	Rewrite   Effect = "rewrite"    // the reply's body is changed by Fault.Body
)

// Fault makes calls go wrong. Empty Op and Kind match every call.
type Fault struct {
	Effect Effect
	Op     string
	Kind   service.Kind
	Times  int // how many calls; 0 means every one until Heal
	Body   func([]byte) []byte
}

// ErrReplyLost is what the transport returns for a reply that was lost.
var ErrReplyLost = errors.New("connection reset before the reply")

// ErrNoDial is what the transport returns when there is no connection.
var ErrNoDial = errors.New("connection refused")

// Break adds a fault.
func (w *World) Break(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &f)
}

// Heal removes every fault.
func (w *World) Heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// take records the call and returns the fault that it meets.
func (w *World) take(c service.Call) Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
	for i, f := range w.faults {
		if (f.Op != "" && f.Op != c.Op) || (f.Kind != "" && f.Kind != c.Kind) {
			continue
		}
		got := *f
		if f.Times == 1 {
			w.faults = append(w.faults[:i:i], w.faults[i+1:]...)
		}
		if f.Times > 1 {
			f.Times--
		}
		return got
	}
	return Fault{}
}

// RoundTrip serves the request in memory, as a server on the wire would see it.
func (w *World) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in, body, err := onTheWire(req)
	if err != nil {
		return nil, err
	}
	c, ok := w.Service.Recognise(in, body)
	if !ok {
		w.t.Errorf("the sandbox does not recognise %s %s", in.Method, in.URL.Path)
		return nil, fmt.Errorf("%s %s is not a call of the sandbox", in.Method, in.URL.Path)
	}
	f := w.take(c)
	out := httptest.NewRecorder()
	switch f.Effect {
	case NoDial:
		return nil, ErrNoDial
	case Throttle:
		w.Service.Fail(out, in, c, service.Throttled)
	case FailFirst:
		w.Service.Fail(out, in, c, service.Internal)
	default:
		w.Service.Serve(out, in, body, c, service.Options{Lie: f.Effect == Lie})
	}
	switch f.Effect {
	case LoseReply:
		return nil, ErrReplyLost
	case Hold:
		w.held <- struct{}{}
		<-req.Context().Done()
		return nil, req.Context().Err()
	case FailAfter:
		out = httptest.NewRecorder()
		w.Service.Fail(out, in, c, service.Internal)
	case Rewrite:
		changed := f.Body(out.Body.Bytes())
		out.Body = bytes.NewBuffer(changed)
		out.Header().Del("Content-Length")
	}
	res := out.Result()
	res.Request = req
	return res, nil
}

// onTheWire writes the client's request as bytes and reads it back as a server does.
func onTheWire(req *http.Request) (*http.Request, []byte, error) {
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return nil, nil, err
	}
	in, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, nil, err
	}
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.RemoteAddr = "127.0.0.1:1"
	return in.WithContext(req.Context()), body, nil
}
