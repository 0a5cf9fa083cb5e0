package sandbox

import (
	"context"
	"errors"
	"net/http"

	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// errLost says that the call took effect and its reply was thrown away.
var errLost = errors.New("reply lost")

// call is one request on its way through the faults.
type call struct {
	service.Call
	to      service.Service
	request *http.Request
	body    []byte
	text    string   // the body, for Match; set only while faults are in force
	played  []string // what Request.Faults shows
}

// do serves one request of a vendor's client. The error is errLost, or ctx's where a wait was cut short.
func (s *Sandbox) do(r *http.Request, body []byte) (*reply, error) {
	for _, v := range s.services {
		recognised, ok := v.Recognise(r, body)
		if !ok {
			continue
		}
		c := &call{Call: recognised, to: v, request: r, body: body}
		var out *reply
		var err error
		if s.faults.none() {
			out = s.serve(c, service.Options{})
		} else {
			c.text = string(body)
			out, err = s.play(r.Context(), c)
		}
		s.log(c, out, err)
		return out, err
	}
	out := stranger(r)
	s.record.add(Request{At: s.now(), Key: r.Method + " " + r.URL.Path, Status: out.status})
	return out, nil
}

// play serves the call with the faults that match it.
func (s *Sandbox) play(ctx context.Context, c *call) (*reply, error) {
	if err := s.before(ctx, c); err != nil {
		return nil, err
	}
	if _, ok := s.take(Throttle, c); ok {
		return fail(c, service.Throttled), nil
	}
	if _, ok := s.take(ErrorBefore, c); ok {
		return fail(c, service.Internal), nil
	}
	_, lie := s.take(Lie, c)
	out := s.serve(c, service.Options{Lie: lie})
	if h, ok := s.take(Stale, c); ok && good(out) {
		if old, ok := s.history.asOf(c.Call.Service+" "+c.Key, s.now().Add(-h.Age.D())); ok {
			out = old
		}
	}
	return s.after(ctx, c, out)
}

// before plays what delays a call.
func (s *Sandbox) before(ctx context.Context, c *call) error {
	if h, ok := s.take(Latency, c); ok {
		if err := s.opts.Wait(ctx, h.Delay.D()); err != nil {
			return err
		}
	}
	if h, ok := s.take(HoldBefore, c); ok {
		return s.faults.hold(ctx, h)
	}
	return nil
}

// after plays what happens to the reply of a call that took effect.
func (s *Sandbox) after(ctx context.Context, c *call, out *reply) (*reply, error) {
	if _, ok := s.take(ErrorAfter, c); ok {
		return fail(c, service.Internal), nil
	}
	if _, ok := s.take(LoseReply, c); ok {
		return nil, errLost
	}
	if h, ok := s.take(Hold, c); ok {
		if err := s.faults.hold(ctx, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Sandbox) take(e Effect, c *call) (hit, bool) {
	h, ok := s.faults.take(e, c.Call, c.text)
	if ok {
		c.played = append(c.played, h.ID+":"+string(e))
	}
	return h, ok
}

// serve lets the service answer, keeps what changed before anybody sees the answer, and remembers what a read answered.
// A state that cannot be kept is a failure after the fact.
func (s *Sandbox) serve(c *call, o service.Options) *reply {
	out := newReply()
	c.to.Serve(out, c.request, c.body, c.Call, o)
	out.seal()
	if s.keep(c.to) != nil {
		return fail(c, service.Internal)
	}
	if c.Kind == service.Read && good(out) {
		s.history.add(answer{c.Call.Service + " " + c.Key, s.now(), out})
	}
	return out
}

func good(r *reply) bool { return r.status >= 200 && r.status < 300 }

func fail(c *call, f service.Failure) *reply {
	out := newReply()
	c.to.Fail(out, c.request, c.Call, f)
	out.seal()
	return out
}

func (s *Sandbox) log(c *call, out *reply, err error) {
	line := Request{At: s.now(), Service: c.Call.Service, Op: c.Op, Kind: c.Kind, Key: c.Key, Faults: c.played}
	if err == nil {
		line.Status = out.status
	}
	s.record.add(line)
}
