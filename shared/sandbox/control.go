package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/sandbox/service"
)

// handler answers one request under /_sandbox/.
type handler func(r *http.Request) *reply

// routes is everything under /_sandbox/.
func (s *Sandbox) routes() *http.ServeMux {
	m := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /_sandbox":                  s.index,
		"GET /_sandbox/{$}":              s.index,
		"GET /_sandbox/faults":           s.getFaults,
		"POST /_sandbox/faults":          s.postFault,
		"PUT /_sandbox/faults":           s.putFaults,
		"DELETE /_sandbox/faults":        s.deleteFaults,
		"DELETE /_sandbox/faults/{id}":   s.deleteFault,
		"POST /_sandbox/release/{id}":    s.postRelease,
		"GET /_sandbox/requests":         s.getRequests,
		"DELETE /_sandbox/requests":      s.deleteRequests,
		"GET /_sandbox/state":            s.getState,
		"GET /_sandbox/state/{service}":  s.getServiceState,
		"GET /_sandbox/runs":             s.getRuns,
		"GET /_sandbox/alarms":           s.getAlarms,
		"PUT /_sandbox/alarms/{name...}": s.putAlarm,
		"GET /_sandbox/clock":            s.getClock,
		"POST /_sandbox/clock":           s.postClock,
		"POST /_sandbox/reset":           s.postReset,
		"/_sandbox/":                     s.unknown,
	} {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h(r).send(w) })
	}
	return m
}

func ok(v any) *reply { return jsonReply(http.StatusOK, v) }

func bad(err error) *reply { return problem(http.StatusBadRequest, err.Error()) }

// read decodes a JSON body into v. A field that v does not know is a mistake: a misspelt selector would match every call.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("read the body as JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read the body as JSON: something follows the document")
	}
	return nil
}

func (s *Sandbox) unknown(r *http.Request) *reply {
	return problem(http.StatusNotFound, fmt.Sprintf("%s %s is no knob of the sandbox; GET /_sandbox/ lists them", r.Method, r.URL.Path))
}

func (s *Sandbox) getFaults(*http.Request) *reply { return ok(s.Faults()) }

func (s *Sandbox) postFault(r *http.Request) *reply {
	var f Fault
	if err := read(r, &f); err != nil {
		return bad(err)
	}
	id, err := s.AddFault(f)
	if err != nil {
		return bad(err)
	}
	return jsonReply(http.StatusCreated, map[string]string{"id": id})
}

// putFaults replaces all faults, or none if one of the new ones is wrong.
func (s *Sandbox) putFaults(r *http.Request) *reply {
	var list []Fault
	if err := read(r, &list); err != nil {
		return bad(err)
	}
	for i, f := range list {
		if err := s.check(f); err != nil {
			return bad(fmt.Errorf("fault %d: %w", i+1, err))
		}
	}
	s.faults.clear()
	for _, f := range list {
		s.faults.add(f)
	}
	return ok(s.Faults())
}

func (s *Sandbox) deleteFaults(*http.Request) *reply {
	s.faults.clear()
	return ok([]Fault{})
}

func (s *Sandbox) deleteFault(r *http.Request) *reply {
	id := r.PathValue("id")
	if !s.RemoveFault(id) {
		return problem(http.StatusNotFound, "there is no fault "+id)
	}
	return ok(map[string]string{"removed": id})
}

func (s *Sandbox) postRelease(r *http.Request) *reply {
	n, found := s.Release(r.PathValue("id"))
	if !found {
		return problem(http.StatusNotFound, "there is no fault "+r.PathValue("id"))
	}
	return ok(map[string]int{"released": n})
}

func (s *Sandbox) getRequests(r *http.Request) *reply {
	out := []Request{}
	for _, v := range s.Requests() {
		if matches(r, "service", v.Service) && matches(r, "op", v.Op) {
			out = append(out, v)
		}
	}
	return ok(out)
}

// matches tells whether the query does not ask for another value of the field.
func matches(r *http.Request, field, v string) bool {
	want := r.URL.Query().Get(field)
	return want == "" || want == v
}

func (s *Sandbox) deleteRequests(*http.Request) *reply {
	s.record.clear()
	return ok([]Request{})
}

func (s *Sandbox) getState(*http.Request) *reply { return ok(s.State()) }

func (s *Sandbox) getServiceState(r *http.Request) *reply {
	v := s.find(r.PathValue("service"))
	if v == nil {
		return problem(http.StatusNotFound, fmt.Sprintf("there is no service %q; there are %s", r.PathValue("service"), strings.Join(s.names(), ", ")))
	}
	return ok(v.Snapshot())
}

func (s *Sandbox) getRuns(r *http.Request) *reply {
	out := []service.Run{}
	for _, v := range s.Runs() {
		if matches(r, "service", v.Service) && (r.URL.Query().Get("live") == "" || len(v.Live) > 0) {
			out = append(out, v)
		}
	}
	return ok(out)
}

func (s *Sandbox) getAlarms(*http.Request) *reply { return ok(s.Alarms()) }

func (s *Sandbox) putAlarm(r *http.Request) *reply {
	var in struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
	}
	if err := read(r, &in); err != nil {
		return bad(err)
	}
	a, err := s.SetAlarm(r.PathValue("name"), in.State, in.Reason)
	if err != nil {
		return bad(err)
	}
	return ok(a)
}

func (s *Sandbox) getClock(*http.Request) *reply {
	out := map[string]any{"now": s.now(), "real": s.opts.Real(), "movable": s.opts.Clock != nil}
	if s.opts.Clock != nil {
		out["speed"] = s.opts.Clock.Speed()
	}
	return ok(out)
}

// postClock sets the speed first, then moves the clock, then plays what is due.
func (s *Sandbox) postClock(r *http.Request) *reply {
	var in struct {
		Advance drill.Duration `json:"advance"`
		Speed   float64        `json:"speed"`
	}
	if err := read(r, &in); err != nil {
		return bad(err)
	}
	switch {
	case s.opts.Clock == nil:
		return problem(http.StatusConflict, "this sandbox was given a clock that it cannot move")
	case in.Advance < 0 || in.Speed < 0:
		return bad(errors.New("the clock does not go backwards"))
	case in.Advance == 0 && in.Speed == 0:
		return bad(errors.New(`write {"advance": "90s"}, {"speed": 10} or both`))
	case in.Advance.D() > 10*365*24*time.Hour || in.Speed > 1e6:
		return bad(errors.New("at most ten years at once, and at most a million times as fast"))
	}
	if in.Speed > 0 {
		s.opts.Clock.SetSpeed(in.Speed)
	}
	s.opts.Clock.Advance(in.Advance.D())
	s.Tick()
	return s.getClock(r)
}

func (s *Sandbox) postReset(*http.Request) *reply {
	if err := s.Reset(); err != nil {
		return problem(http.StatusInternalServerError, err.Error())
	}
	return ok(map[string]bool{"reset": true})
}
